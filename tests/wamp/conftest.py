"""No test of the router may pass while something fails behind it."""

from collections.abc import Iterator

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "spec(section, claim): the claim of the WAMP specification that a test covers")


@pytest.fixture(autouse=True)
def logged_failures() -> Iterator[list[LogEvent]]:
    """Collect the failures that are logged; a test that means one to be takes it out of the list."""
    failures: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)
    assert failures == []

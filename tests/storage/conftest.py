"""What the storage's tests share: a reactor by hand, and a database of each kind."""

from collections.abc import Iterator

import pytest

from gatekeeper.storage import Database
from tests.postgresql import database_url
from tests.storage.reactor import Reactor

__all__ = ["database_url"]


@pytest.fixture
def reactor() -> Reactor:
    """A reactor whose time and threads the test moves."""
    return Reactor()


@pytest.fixture
def database(database_url: str, reactor: Reactor) -> Iterator[Database]:
    """An open database, closed after the test."""
    database = Database(database_url, reactor, wall=reactor.seconds)
    database.open()
    yield database
    reactor.result_of(database.close())

import asyncio
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import LogEvent

from gatekeeper.wamp.answers import on_answer
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from tests.wamp.helpers import Client, open_router


class Outcome:
    """Keeps what came."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.errors: list[BaseException] = []

    def ask(self, answer: Any) -> None:
        on_answer(answer, self.answers.append, self.errors.append)


async def coroutine(value: Any) -> Any:
    return value


async def broken() -> None:
    raise KeyError("x")


@pytest.mark.parametrize("answer", [5, [5], None, "text"], ids=repr)
def test_a_plain_value_is_handed_over_at_once(answer: Any) -> None:
    outcome = Outcome()
    outcome.ask(answer)
    assert (outcome.answers, outcome.errors) == ([answer], [])


@pytest.mark.parametrize("make", [succeed, coroutine])
def test_a_deferred_and_a_coroutine_are_waited_for(make: Any) -> None:
    outcome = Outcome()
    outcome.ask(make(5))
    assert outcome.answers == [5]


@pytest.mark.parametrize("make", [lambda: fail(KeyError("x")), broken])
def test_an_error_is_handed_over_as_such(make: Any) -> None:
    outcome = Outcome()
    outcome.ask(make())
    assert [type(error) for error in outcome.errors] == [KeyError]


async def test_a_future_of_asyncio_is_waited_for() -> None:
    outcome = Outcome()
    future: asyncio.Future[int] = asyncio.get_event_loop().create_future()
    outcome.ask(future)
    settled: Deferred[None] = Deferred()
    future.add_done_callback(lambda _: settled.callback(None))
    future.set_result(5)
    await settled
    assert outcome.answers == [5]


def test_whoever_takes_an_answer_and_fails_is_logged(logged_failures: list[LogEvent]) -> None:
    on_answer(succeed([]), lambda value: value[0], lambda error: None)
    assert logged_failures.pop()["log_failure"].type is IndexError


def test_what_a_procedure_raises_is_logged_unless_told_otherwise(logged_failures: list[LogEvent]) -> None:
    router = open_router()
    LocalSession(router, Identity("server", TRUSTED, "internal")).register(broken, "status")
    Client(router).join().say(48, 1, {}, "status")
    event = logged_failures.pop()
    assert (event["where"], event["log_failure"].type) == ("procedure status", KeyError)

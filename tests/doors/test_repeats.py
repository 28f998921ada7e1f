"""Idempotency keys: the same call twice is one call, until it is forgotten."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gatekeeper.doors.repeats import KEPT, KEPT_FOR, Repeats
from gatekeeper.errors import Busy, GatekeeperError, Indeterminate, InvalidArgument, NotConnected, Rejected


class Bench:
    """Repeats, their clock, and the calls that were really started."""

    def __init__(self) -> None:
        self.now = 50.0
        self.repeats = Repeats(lambda: self.now)
        self.started: list[Deferred[Any]] = []

    def once(self, key: object = "k", arguments: object = 5) -> list[Any]:
        """Call; return the list that its answer will be in."""
        answers: list[Any] = []
        self.repeats.once(key, arguments, self._start).addBoth(answers.append)
        return answers

    def _start(self) -> "Deferred[Any]":
        self.started.append(Deferred())
        return self.started[-1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def failed(answers: list[Any]) -> type[BaseException]:
    [failure] = answers
    assert isinstance(failure, Failure)
    assert failure.value is not None
    return type(failure.value)


def test_a_repeat_in_flight_waits_for_the_firsts_answer(bench: Bench) -> None:
    calls = [bench.once() for _ in range(3)]
    assert calls == [[], [], []]
    bench.started[0].callback("opened")
    assert calls == [["opened"]] * 3
    assert len(bench.started) == 1


def test_a_repeat_after_the_answer_gets_it_at_once(bench: Bench) -> None:
    bench.once()
    bench.started[0].callback("opened")
    assert bench.once() == ["opened"]
    assert len(bench.started) == 1


def test_who_waits_no_longer_takes_the_answer_from_nobody(bench: Bench) -> None:
    gone: list[Any] = []
    waiting = bench.repeats.once("k", 5, bench._start)
    waiting.addErrback(gone.append)
    others = bench.once()
    waiting.cancel()
    bench.started[0].callback("opened")
    assert others == ["opened"]
    assert len(gone) == 1


@pytest.mark.parametrize("error", [Rejected, Indeterminate, ZeroDivisionError])
def test_a_failure_after_something_was_sent_is_remembered(bench: Bench, error: type[Exception]) -> None:
    calls = [bench.once(), bench.once()]
    bench.started[0].errback(Failure(error("no")))
    assert [failed(call) for call in (*calls, bench.once())] == [error] * 3
    assert len(bench.started) == 1


@pytest.mark.parametrize("error", [Busy, NotConnected])
def test_after_a_refusal_with_nothing_sent_the_same_key_tries_again(bench: Bench, error: type[GatekeeperError]) -> None:
    calls = [bench.once(), bench.once()]
    bench.started[0].errback(Failure(error("no")))
    assert [failed(call) for call in calls] == [error] * 2
    again = bench.once()
    bench.started[1].callback("opened")
    assert again == ["opened"]


def test_a_key_with_other_arguments_is_refused_also_in_flight(bench: Bench) -> None:
    bench.once(arguments=5)
    with pytest.raises(InvalidArgument, match=r"^idempotency_key: "):
        bench.once(arguments=6)
    bench.started[0].callback("opened")
    with pytest.raises(InvalidArgument):
        bench.once(arguments=6)
    assert len(bench.started) == 1


def test_keys_do_not_concern_each_other(bench: Bench) -> None:
    bench.once("a")
    other = bench.once("b")
    bench.started[1].callback("b's")
    assert other == ["b's"]


def test_an_answer_is_forgotten_after_its_time(bench: Bench) -> None:
    bench.once()
    bench.started[0].callback("opened")
    bench.now += KEPT_FOR - 0.1
    bench.once()
    assert len(bench.started) == 1
    bench.now += 0.1
    bench.once()
    assert len(bench.started) == 2


def test_the_oldest_of_too_many_answers_is_forgotten(bench: Bench) -> None:
    for key in range(KEPT + 1):
        bench.once(key)
        bench.started[-1].callback(key)
    assert bench.once(1) == [1]
    assert len(bench.started) == KEPT + 1
    bench.once(0)
    assert len(bench.started) == KEPT + 2


def test_a_call_in_flight_is_never_forgotten(bench: Bench) -> None:
    waiting = bench.once("slow")
    bench.now += KEPT_FOR * 2
    again = bench.once("slow")
    assert len(bench.started) == 1
    bench.started[0].callback("at last")
    assert waiting == again == ["at last"]

"""What a sender keeps: until it is acknowledged, in order, within its bound; a machine with a server that forgets."""

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gatekeeper.measurements.outbox import Outbox, text_of
from gatekeeper.measurements.sample import parse


def numbers(sent: list[dict[str, Any]]) -> list[int]:
    return [fields["seq"] for fields in sent]


def put(outbox: Outbox, count: int, now: float = 0.0) -> None:
    for _ in range(count):
        assert outbox.put(now, 1.0, 2.0, True, False) is None


def test_what_is_sent_is_what_the_server_takes() -> None:
    outbox = Outbox(3, "abc")
    outbox.put(10.0, 5, 3.25, 1, 0)
    [fields] = outbox.take(10.5)
    found = parse(text_of(fields).encode(), 8)
    assert (found.team, found.a, found.b, found.a_detected, found.b_detected) == (3, 5.0, 3.25, True, False)
    assert (found.sender, found.seq, found.age) == ("abc", 1, 0.5)


def test_what_is_not_acknowledged_is_sent_again_first_and_in_order() -> None:
    outbox = Outbox(1, "s")
    put(outbox, 5)
    assert numbers(outbox.take(0.0, 3)) == [1, 2, 3]
    outbox.settled([2], stored=True)
    outbox.lost()
    assert numbers(outbox.take(0.0)) == [1, 3, 4, 5]


def test_an_acknowledgement_counts_once() -> None:
    outbox = Outbox(1, "s")
    put(outbox, 2)
    outbox.take(0.0)
    outbox.settled([1, 1, 99], stored=True)
    outbox.settled([1], stored=True)
    outbox.settled([2], stored=False)
    assert outbox.stats() == {"total": 2, "success": 1, "failed": 1, "success_rate": 50.0, "waiting": 0}


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "x", [1]])
def test_what_is_no_number_is_refused_at_once(value: Any) -> None:
    outbox = Outbox(1, "s")
    assert "no number" in str(outbox.put(0.0, value, 1.0, True, True))
    assert (outbox.failed, outbox.waiting) == (1, 0)


def test_a_full_outbox_says_so_and_keeps_what_it_has() -> None:
    outbox = Outbox(1, "s", room=2)
    put(outbox, 2)
    assert outbox.put(0.0, 1.0, 1.0, True, True) == "2 samples wait for the server already"
    assert numbers(outbox.take(0.0)) == [1, 2]


class Line(RuleBasedStateMachine):
    """A sender and a server over a line that loses what is under way, either way, at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(1, "s")
        self.stored: list[int] = []
        self.there: list[int] = []  # on the way to the server
        self.back: list[int] = []  # acknowledgements on the way back
        self.reported: set[int] = set()

    @rule(count=st.integers(1, 5))
    def measure(self, count: int) -> None:
        put(self.outbox, count)

    @rule(most=st.integers(1, 7))
    def send(self, most: int) -> None:
        self.there += numbers(self.outbox.take(0.0, most))

    @rule(count=st.integers(1, 7))
    def arrive(self, count: int) -> None:
        arrived, self.there = self.there[:count], self.there[count:]
        self.stored += [one for one in arrived if one not in self.stored]  # what the unique index does
        self.back += arrived

    @rule(count=st.integers(1, 7))
    def hear(self, count: int) -> None:
        heard, self.back = self.back[:count], self.back[count:]
        before = self.outbox.success
        self.outbox.settled(heard, stored=True)
        self.reported |= set(heard)
        assert self.outbox.success - before <= len(heard)

    @rule(arrives=st.integers(0, 7))
    def cut(self, arrives: int) -> None:
        self.arrive(arrives) if arrives else None
        self.there, self.back = [], []
        self.outbox.lost()

    @invariant()
    def reported_is_stored_and_nothing_is_forgotten(self) -> None:
        assert self.reported <= set(self.stored)
        assert self.outbox.success == len(self.reported)
        assert self.outbox.success + self.outbox.waiting == self.outbox.total

    def teardown(self) -> None:
        self.cut(0)
        while self.outbox.waiting:
            self.send(7)
            self.arrive(7)
            self.hear(7)
        assert sorted(self.stored) == list(range(1, self.outbox.total + 1))


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)

"""Doors for callers: arguments are checked, answers come from the lock, and each is recorded once."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.caller import Caller
from gatekeeper.doors.api import Doors
from gatekeeper.doors.executor import Nobody
from gatekeeper.doors.link import DoorLink
from gatekeeper.doors.recording import RECORD_PATIENCE
from gatekeeper.doors.states import DoorState
from gatekeeper.doors.structs import LockResult, OpenResult
from gatekeeper.errors import (
    AccessDenied,
    Busy,
    Indeterminate,
    InvalidArgument,
    NoSuchDoor,
    NotConnected,
    Rejected,
    StorageUnavailable,
)
from tests.sites import Plug

WALL = 1_800_000_000.0
ANA = Caller(name="ana", address="192.168.137.2", client="wamp")


@dataclass
class Recorded:
    """An event as the record would keep it; `stored` is fired by hand where the bench doesn't store."""

    id: str
    kind: str
    text: str
    about: dict[str, Any]
    stored: "Deferred[Any]" = field(default_factory=Deferred)


class Bench:
    """Doors with real links, whose locks are played by hand, and what was recorded of the calls."""

    def __init__(self, *ids: str, connected: bool = True) -> None:
        self.net: Any = MemoryReactorClock()
        self.recorded: list[Recorded] = []
        self.stores = True
        self.links: dict[str, DoorLink] = {}
        self.locks: dict[str, Plug] = {}
        for place, name in enumerate(ids):
            door = config.Door(id=name, url=f"ws://192.168.137.{place + 21}/ws", name=name.title())
            link = self.links[name] = DoorLink(door, self.net, lambda _: None, lambda _: None, Nobody())
            link.startService()
            if connected:
                self.locks[name] = Plug(self.net).greet()
        self.doors = Doors(
            links=self.links,
            clock=self.net,
            wall=lambda: WALL + float(self.net.seconds()),
            cameras={"front": ("yard",)},
            record=self._record,
        )

    def _record(self, kind: str, text: str, **about: Any) -> "Recorded":
        entry = Recorded(f"event-{len(self.recorded) + 1}", kind, text, about)
        self.recorded.append(entry)
        if self.stores:
            entry.stored.callback("the event")
        return entry

    @property
    def outcomes(self) -> list[tuple[str, str, str, str, str]]:
        """What was recorded but for the wishes: kind, text, door, who, outcome."""
        return [
            (entry.kind, entry.text, entry.about["subject"], str(entry.about["caller"]), entry.about["outcome"])
            for entry in self.recorded
            if not entry.kind.endswith("_requested")
        ]

    def open(self, caller: str = "ana", **arguments: Any) -> list[Any]:
        """Ask to open; return the list that the answer will be in."""
        answers: list[Any] = []
        self.doors.open(Caller(name=caller), arguments).addBoth(answers.append)
        return answers

    def acknowledge(self, door: str = "front") -> None:
        assert self.locks[door].heard()[-1:] == ["OPEN_DOOR"]
        self.locks[door].says("OK:Door opened", "ACK:OPEN_DOOR")


@pytest.fixture
def bench() -> Bench:
    return Bench("front")


def failed(answers: list[Any]) -> Exception:
    [failure] = answers
    assert isinstance(failure, Failure)
    assert isinstance(failure.value, Exception)
    return failure.value


# --- answers ---


def test_an_opening_is_answered_by_the_locks_acknowledgement(bench: Bench) -> None:
    answers = bench.open(duration=7, reason="parcel")
    bench.net.advance(0.05)
    assert answers == []
    bench.acknowledge()
    assert answers == [
        OpenResult(
            door="front",
            state=DoorState.UNLOCKED,
            acknowledged=WALL + 0.05,
            latency=0.05,
            lease_ends=WALL + 7.05,
            duration=7.0,
            event="event-2",
            recorded=True,
        )
    ]


def test_a_locking_is_answered_by_the_locks_acknowledgement(bench: Bench) -> None:
    answers: list[Any] = []
    bench.doors.lock(ANA, {"reason": "night"}).addBoth(answers.append)
    bench.locks["front"].says("OK:Door locked", "ACK:LOCK_DOOR")
    [answer] = answers
    assert answer == LockResult(
        door="front", state=DoorState.LOCKED, acknowledged=WALL, latency=0.0, event="event-2", recorded=True
    )


def test_the_doors_own_duration_holds_if_none_is_given(bench: Bench) -> None:
    answers = bench.open()
    bench.acknowledge()
    assert answers[0].duration == 10.0


# --- arguments ---


@pytest.mark.parametrize("duration", [1, 0.001, 60, 60.0])
def test_a_duration_to_the_doors_most_is_taken(bench: Bench, duration: float) -> None:
    answers = bench.open(duration=duration)
    bench.acknowledge()
    assert answers[0].duration == duration


@pytest.mark.parametrize(
    "duration",
    [0, -1, -0.0, 60.001, 61, 1e308, float("nan"), float("inf"), -float("inf"), 10**400, True, "5", [], {}, b"5"],
)
def test_any_other_duration_is_refused_and_nothing_is_sent(bench: Bench, duration: object) -> None:
    error = failed(bench.open(duration=duration))
    assert isinstance(error, InvalidArgument)
    assert re.match(r"^duration: found .+; (allowed: a number over 0|at most 60 s at front)$", str(error))
    assert bench.locks["front"].heard() == []
    [(kind, _, door, who, outcome)] = bench.outcomes
    assert (kind, door, who, outcome) == ("door.open_failed", "front", "ana", "invalid_argument")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reason": "x" * 201}, "reason: found "),
        ({"reason": 5}, "reason: found 5; allowed: text"),
        ({"idempotency_key": ""}, "idempotency_key: found "),
        ({"idempotency_key": "x" * 101}, "idempotency_key: found "),
        ({"door": 5}, "door: found 5; allowed: text"),
        ({"durations": 5}, 'durations: no such argument; did you mean "duration"?'),
    ],
)
def test_a_wrong_argument_is_named(bench: Bench, arguments: dict[str, Any], message: str) -> None:
    error = failed(bench.open(**arguments))
    assert isinstance(error, InvalidArgument)
    assert str(error).startswith(message)
    assert len(str(error)) < 200


def test_a_reason_of_the_longest_length_is_taken(bench: Bench) -> None:
    bench.open(reason="x" * 200)
    bench.acknowledge()
    lease = bench.doors.status().lease
    assert lease is not None
    assert lease.reason == "x" * 200


def test_lock_takes_no_duration(bench: Bench) -> None:
    answers: list[Any] = []
    bench.doors.lock(ANA, {"duration": 5}).addBoth(answers.append)
    error = failed(answers)
    assert isinstance(error, InvalidArgument)
    assert str(error).startswith("duration: no such argument")


# --- which door ---


def test_where_there_is_one_door_it_need_not_be_named(bench: Bench) -> None:
    assert bench.doors.status() == bench.doors.status("front") == bench.doors.list()[0]
    bench.open(door=None)
    bench.acknowledge()


def test_where_there_are_several_it_must_be_named() -> None:
    bench = Bench("front", "back")
    for call in (bench.open, partial(bench.doors.lock, ANA, {}), bench.doors.status):
        with pytest.raises(NoSuchDoor, match=r"^say which door; there are: front, back$"):
            call()
    bench.open(door="back")
    assert (bench.locks["front"].heard(), bench.locks["back"].heard()) == ([], ["OPEN_DOOR"])


def test_where_there_is_none_that_is_told() -> None:
    with pytest.raises(NoSuchDoor, match="there are: none"):
        Bench().doors.status()


@pytest.mark.parametrize("door", ["", "Front", "x" * 1000])
def test_an_unknown_door_is_told_which_there_are(bench: Bench, door: str) -> None:
    with pytest.raises(NoSuchDoor, match=r"there are: front$") as caught:
        bench.doors.status(door)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("door", [5, ["front"], {}, b"front", True])
def test_a_door_that_is_no_text_is_a_wrong_argument(bench: Bench, door: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^door: found .*; allowed: text$"):
        bench.doors.status(door)


# --- the record ---


def test_what_was_done_is_recorded_with_who_and_why(bench: Bench) -> None:
    bench.open(reason="parcel")
    bench.acknowledge()
    bench.doors.lock(Caller(name="ben"), {})
    bench.locks["front"].says("OK:Door locked", "ACK:LOCK_DOOR")
    assert bench.outcomes == [
        ("door.opened", "ana opened (parcel); acknowledged in 0 ms", "front", "ana", "ok"),
        ("door.locked", "ben locked; acknowledged in 0 ms", "front", "ben", "ok"),
    ]


def test_what_failed_is_recorded_with_its_code() -> None:
    bench = Bench("front", connected=False)
    assert isinstance(failed(bench.open(reason="parcel")), NotConnected)
    text = "ana could not open (parcel): the lock is not connected; nothing was sent"
    assert bench.outcomes == [("door.open_failed", text, "front", "ana", "not_connected")]


@pytest.mark.parametrize(("line", "error"), [("ERR:NO", Rejected), (None, Indeterminate)])
def test_each_failure_has_its_code_on_the_record(bench: Bench, line: str | None, error: Any) -> None:
    answers = bench.open()
    assert isinstance(failed(bench.open("ben")), Busy)
    if line is not None:
        bench.locks["front"].says(line)
    else:
        bench.net.advance(2.0)
    assert isinstance(failed(answers), error)
    assert [(kind, actor, outcome) for kind, _, _, actor, outcome in bench.outcomes] == [
        ("door.open_failed", "ben", "busy"),
        ("door.open_failed", "ana", error.code),
    ]


def test_who_gives_up_waiting_changes_neither_the_door_nor_the_record(bench: Bench) -> None:
    waiting: Deferred[Any] = bench.doors.open(ANA, {})
    gone: list[Any] = []
    waiting.addErrback(gone.append)
    waiting.cancel()
    bench.acknowledge()
    assert [what[0] for what in bench.outcomes] == ["door.opened"]
    assert bench.doors.status().state is DoorState.UNLOCKED


def test_the_wish_is_recorded_before_the_lock_answers_and_the_outcome_names_it(bench: Bench) -> None:
    bench.open(reason="parcel", duration=7)
    [wish] = bench.recorded
    assert (wish.kind, wish.about["subject"], wish.about["reason"]) == ("door.open_requested", "front", "parcel")
    assert (wish.about["caller"], wish.about["details"]) == (Caller(name="ana"), {"duration": 7.0})
    bench.acknowledge()
    outcome = bench.recorded[-1]
    assert (outcome.kind, outcome.about["cause"]) == ("door.opened", wish.id)
    assert bench.doors.recording.cause("front") == wish.id


def test_what_is_refused_at_once_is_no_cause_of_what_the_door_does_next(bench: Bench) -> None:
    bench.open()
    bench.open("ben")  # refused: another command is in flight
    assert bench.doors.recording.cause("front") == bench.recorded[0].id


def test_the_answer_waits_for_the_record(bench: Bench) -> None:
    bench.stores = False
    answers = bench.open()
    bench.acknowledge()
    assert answers == []
    bench.recorded[-1].stored.callback("the event")
    assert answers[0].recorded is True
    assert answers[0].event == bench.recorded[-1].id
    bench.net.advance(RECORD_PATIENCE)
    assert len(answers) == 1


def test_a_record_that_is_slow_or_fails_keeps_nobody_at_the_door(bench: Bench) -> None:
    bench.stores = False
    answers = bench.open()
    bench.acknowledge()
    assert bench.doors.status().state is DoorState.UNLOCKED  # the door itself waits for nothing
    bench.net.advance(RECORD_PATIENCE)
    assert answers[0].recorded is False
    bench.recorded[-1].stored.callback("the event, late")
    lock: list[Any] = []
    bench.doors.lock(ANA, {}).addBoth(lock.append)
    bench.locks["front"].says("OK:Door locked", "ACK:LOCK_DOOR")
    bench.recorded[-1].stored.errback(StorageUnavailable("the disk is full"))
    assert lock[0].recorded is False


def test_a_refusal_is_told_when_it_is_on_the_record_so_that_nobody_outruns_it(bench: Bench) -> None:
    bench.stores = False
    wrong, denied = bench.open(duration=-1), list[Any]()
    bench.doors.refuse("open", ANA, "front", AccessDenied("ana may not")).addBoth(denied.append)
    assert (wrong, denied) == ([], [])
    bench.recorded[0].stored.callback("the event")
    assert isinstance(failed(wrong), InvalidArgument)
    bench.net.advance(RECORD_PATIENCE)  # a record that can't be written keeps nobody waiting either
    assert isinstance(failed(denied), AccessDenied)
    assert bench.locks["front"].heard() == []


def test_a_failure_is_told_when_it_is_on_the_record(bench: Bench) -> None:
    bench.stores = False
    answers = bench.open()
    bench.locks["front"].says("ERR:NO")
    assert answers == []
    bench.recorded[-1].stored.callback("the event")
    assert isinstance(failed(answers), Rejected)


# --- the same call twice ---


def test_a_repeat_opens_once_and_is_recorded_once(bench: Bench) -> None:
    first = bench.open(idempotency_key="k")
    second = bench.open(idempotency_key="k")
    bench.acknowledge()
    third = bench.open(idempotency_key="k")
    assert first == second == third
    assert bench.locks["front"].heard() == []
    assert len(bench.outcomes) == 1


def test_a_key_is_its_callers_and_its_doors_own() -> None:
    bench = Bench("front", "back")
    bench.open(door="front", idempotency_key="k")
    bench.acknowledge("front")
    bench.open(door="back", idempotency_key="k")
    bench.acknowledge("back")
    bench.open("ben", door="front", idempotency_key="k")
    bench.acknowledge("front")


def test_the_same_key_for_another_opening_is_refused(bench: Bench) -> None:
    bench.open(idempotency_key="k", duration=5)
    for other in ({"duration": 6}, {"duration": 5, "reason": "x"}, {}):
        with pytest.raises(InvalidArgument, match=r"^idempotency_key: "):
            bench.open(idempotency_key="k", **other)


# --- status ---


def test_a_status_tells_its_age_and_its_source(bench: Bench) -> None:
    bench.net.advance(1.5)
    bench.locks["front"].says("SIGNAL:GOOD:-61")
    status = bench.doors.status()
    assert (status.state, status.connected, status.source, status.age) == (DoorState.LOCKED, True, "status", 1.5)
    assert (status.confirmed, status.name, status.cameras) == (WALL, "Front", ("yard",))
    assert status.signal is not None
    assert (status.signal.rssi, status.signal.received) == (-61, WALL + 1.5)


def test_a_lost_link_means_unknown(bench: Bench) -> None:
    bench.locks["front"].lose()
    status = bench.doors.status()
    assert (status.state, status.connected, status.signal) == (DoorState.UNKNOWN, False, None)

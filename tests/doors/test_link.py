"""The link to one lock, over a network in memory: one connection, what is late, what is dropped, and the pauses."""

from typing import Any

import pytest
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.doors.executor import Nobody
from gatekeeper.doors.link import DoorLink, Recorded
from gatekeeper.doors.states import DoorState
from gatekeeper.errors import Indeterminate
from tests.sites import Plug


class Bench:
    """A link with its network and clock, and everything that it told."""

    def __init__(self, jitter: float = 0.0, **settings: Any) -> None:
        self.net: Any = MemoryReactorClock()
        self.recorded: list[Recorded] = []
        self.states: list[DoorState] = []
        door = config.Door(id="front", url="ws://192.168.137.21:81/ws", **settings)
        self.link = DoorLink(door, self.net, self._changed, self.recorded.append, Nobody(), jitter=lambda: jitter)
        self.link.startService()

    def _changed(self, link: DoorLink) -> None:
        self.states.append(link.door.state)

    @property
    def attempts(self) -> int:
        return len(self.net.tcpClients)

    def refuse(self, reason: Exception | None = None) -> None:
        """Let the newest attempt fail."""
        self.net.tcpClients[-1][2].clientConnectionFailed(None, Failure(reason or ConnectError()))
        self.net.advance(0.3)  # HostnameEndpoint waits for a further address of the same name

    def pause(self) -> float:
        """Return the seconds until the next attempt, which begins."""
        before, start = self.attempts, self.net.seconds()
        for _ in range(2000):
            if self.attempts > before:
                return float(round(self.net.seconds() - start, 2))
            self.net.advance(0.01)
        raise AssertionError("no further attempt")

    def stop(self) -> list[Any]:
        """Stop; return the list that tells when that is done."""
        done: list[Any] = []
        self.link.stopService().addBoth(done.append)
        return done


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- connecting ---


def test_it_dials_the_lock_once_and_asks_for_its_status(bench: Bench) -> None:
    lock = Plug(bench.net)
    assert lock.address == ("127.0.0.1", 81)  # what every name means on this network
    assert lock.heard() == ["STATUS"]
    assert not bench.link.door.ready
    lock.says("Connected to Door Lock", "OK:LOCKED", "OK:LOCKED", "ACK:STATUS")
    assert bench.link.door.ready
    assert bench.link.door.state is DoorState.LOCKED
    bench.net.advance(2.9)
    assert bench.attempts == 1


@pytest.mark.parametrize("reason", [ConnectError(), DNSLookupError("no such host")])
def test_why_a_lock_cannot_be_reached_is_told_once(bench: Bench, reason: Exception) -> None:
    bench.refuse(reason)
    told = bench.link.door.reason
    assert told is not None
    assert told.startswith("192.168.137.21:81: ")
    changes = len(bench.states)
    bench.pause()
    bench.refuse(reason)
    assert len(bench.states) == changes
    assert bench.link.door.state is DoorState.UNAVAILABLE


def test_the_pauses_double_from_half_a_second_to_ten(bench: Bench) -> None:
    pauses = []
    for _ in range(8):
        bench.refuse()
        pauses.append(bench.pause())
    assert pauses == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0, 9.75, 9.75, 9.75], abs=0.02)


def test_chance_adds_at_most_a_quarter_of_a_second() -> None:
    bench = Bench(jitter=1.0)
    for pause in (0.75, 1.25, 2.25, 4.25, 8.25, 10.0, 10.0):
        bench.refuse()
        assert bench.pause() == pytest.approx(pause, abs=0.02)


def test_short_pauses_by_configuration_stay_possible() -> None:
    bench = Bench(retry_minimum=0.1, retry_maximum=0.1)
    for _ in range(4):
        bench.refuse()
        assert bench.pause() == pytest.approx(0.1, abs=0.02)


def test_the_pauses_begin_anew_only_when_the_first_status_is_answered(bench: Bench) -> None:
    for _ in range(3):
        bench.refuse()
        bench.pause()
    silent = Plug(bench.net)
    silent.says("Connected to Door Lock", "OK:LOCKED")  # a greeting is no answer
    silent.lose()
    assert bench.pause() == pytest.approx(4.0, abs=0.02)
    Plug(bench.net).greet().lose()
    assert bench.pause() == pytest.approx(0.5, abs=0.02)


# --- a dead link ---


def test_a_silent_lock_is_dropped_hard_so_that_nothing_buffered_reaches_it_later(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    bench.net.advance(3.0)  # STATUS or PING goes out, and is not answered
    bench.net.advance(2.0)
    assert lock.ours.aborted
    assert bench.link.door.state is DoorState.UNKNOWN
    assert bench.attempts == 1
    lock.lose()
    bench.net.advance(1.0)
    assert bench.attempts == 2


def test_what_a_dropped_connection_still_says_is_not_heard(bench: Bench) -> None:
    old = Plug(bench.net).greet()
    bench.net.advance(3.0)
    bench.net.advance(2.0)
    assert old.ours.aborted
    bench.link._received(old.client._wrappedProtocol, "OK:Door opened")
    assert bench.states[-1] is DoorState.UNKNOWN
    old.lose()
    bench.net.advance(1.0)
    new = Plug(bench.net).greet()
    bench.link._received(old.client._wrappedProtocol, "OK:OPEN")
    bench.link._lost(old.client._wrappedProtocol, "late")
    assert bench.link.door.state is DoorState.LOCKED
    assert new.heard() == []


def test_a_lost_link_fails_what_was_asked_and_stops_the_timer(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    answers: list[Any] = []
    bench.link.open(5.0, "ana", None).addBoth(answers.append)
    assert lock.heard() == ["OPEN_DOOR"]
    lock.lose()
    assert [type(failure.value) for failure in answers] == [Indeterminate]
    assert bench.link._timer is None
    assert [note.kind for note in bench.recorded] == ["door.link_up", "door.link_lost"]


def test_binary_and_broken_text_are_no_lines_and_no_harm(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    lock.lock.sendMessage(b"\xff\xfe", isBinary=True)
    lock.lock.sendMessage(b"")
    lock.says("x" * 5000)
    assert bench.link.door.unheard == 3
    assert bench.link.door.state is DoorState.LOCKED


def test_a_message_too_large_for_any_lock_ends_the_link(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    lock.lock.sendMessage(b"x" * (64 * 1024 + 1))
    lock.carry()
    assert lock.ours.disconnecting or lock.ours.aborted


# --- time ---


def test_there_is_one_timer_and_it_stands_at_the_doors_deadline(bench: Bench) -> None:
    assert bench.link._timer is None
    lock = Plug(bench.net).greet()
    timer = bench.link._timer
    assert timer is not None
    assert timer.getTime() == bench.link.door.deadline
    lock.says("SIGNAL:GOOD:-60")
    again = bench.link._timer
    assert again is not None
    assert not timer.active() or timer is again
    assert again.getTime() == bench.link.door.deadline


def test_a_lease_ends_by_the_clock_and_the_door_is_locked(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    bench.link.open(1.0, "ana", None)
    lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    lock.heard()
    bench.net.advance(0.99)
    assert lock.heard() == []
    bench.net.advance(0.02)
    assert lock.heard() == ["LOCK_DOOR"]


# --- stopping ---


def test_stopping_without_a_link_is_done_at_once_and_dials_no_more(bench: Bench) -> None:
    bench.refuse()
    assert bench.stop() == [None]
    bench.net.advance(60)
    assert bench.attempts == 1
    assert bench.net.getDelayedCalls() == []


def test_stopping_while_dialling_ends_the_attempt(bench: Bench) -> None:
    done = bench.stop()
    bench.net.advance(10)
    assert done == [None]
    assert bench.attempts == 1


def test_a_connection_that_opens_after_the_stop_is_dropped(bench: Bench) -> None:
    plug = Plug(bench.net)
    late = Bench()
    late.link.running = False  # as in the turn of the reactor in which stopping began
    wire = Plug(late.net)
    assert wire.ours.aborted
    assert wire.lock.heard == []
    assert not plug.ours.aborted


@pytest.mark.parametrize("opened", [False, True])
def test_stopping_locks_waits_for_the_acknowledgement_and_then_closes(bench: Bench, opened: bool) -> None:
    lock = Plug(bench.net).greet()
    if opened:
        bench.link.open(5.0, "ana", None)
        lock.says("OK:Door opened", "ACK:OPEN_DOOR")
        lock.heard()
    done = bench.stop()
    assert lock.heard() == ["LOCK_DOOR"]
    assert done == []
    lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    bench.net.advance(0.5)
    lock.carry()
    lock.lose()
    assert done == [None]
    assert bench.net.getDelayedCalls() == []


def test_stopping_with_a_lock_that_does_not_answer_ends_and_says_so(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    done = bench.stop()
    bench.net.advance(2.0)
    assert "door.left_unlocked" in [note.kind for note in bench.recorded]
    bench.net.advance(1.0)
    lock.lose()
    assert done == [None]
    assert bench.attempts == 1
    assert bench.net.getDelayedCalls() == []


def test_a_link_that_breaks_while_stopping_ends_the_stop(bench: Bench) -> None:
    lock = Plug(bench.net).greet()
    done = bench.stop()
    lock.lose()
    assert done == [None]
    bench.net.advance(60)
    assert bench.attempts == 1

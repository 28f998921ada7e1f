"""The decision, situation by situation: the stories of the lock's protocol and hazards, in virtual time."""

import pytest

from gatekeeper.doors.actions import Changed, Drop, Locked, Opened
from gatekeeper.doors.states import DoorState
from gatekeeper.errors import Busy, Indeterminate, NotConnected, Rejected
from tests.doors.helpers import Bench


@pytest.fixture
def bench() -> Bench:
    bench = Bench().connect()
    bench.sent()
    return bench


@pytest.fixture
def opened(bench: Bench) -> Bench:
    bench.open(duration=5.0)
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    bench.sent()
    bench.done.clear()
    return bench


# --- connecting ---


def test_before_the_first_connection_the_door_is_unavailable_and_nothing_is_queued() -> None:
    bench = Bench()
    call = bench.open()
    assert bench.state() is DoorState.UNAVAILABLE
    assert isinstance(bench.answer(call), NotConnected)
    bench.connect()
    assert bench.sent() == ["STATUS"]


def test_an_open_websocket_is_not_yet_a_connection_until_status_is_answered() -> None:
    bench = Bench()
    bench.does(bench.door.link_opened(bench.now))
    bench.says("Connected to Door Lock", "OK:LOCKED", "SIGNAL:GOOD:-60")
    assert isinstance(bench.answer(bench.open()), NotConnected)
    bench.says("OK:LOCKED", "ACK:STATUS")
    assert bench.door.ready
    assert bench.state() is DoorState.LOCKED


def test_a_lock_that_is_already_open_is_locked_at_once() -> None:
    bench = Bench().connect("OK:OPEN")
    assert bench.sent() == ["STATUS", "LOCK_DOOR"]
    assert "door.unordered_opening" in bench.notes()
    bench.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert bench.state() is DoorState.LOCKED


def test_a_lock_that_never_answers_status_is_dropped(bench: Bench) -> None:
    bench = Bench()
    bench.does(bench.door.link_opened(bench.now))
    bench.wait(2.0)
    assert any(isinstance(action, Drop) for action in bench.done)
    assert bench.state() is DoorState.UNKNOWN


# --- opening ---


def test_open_resolves_on_the_locks_acknowledgement_and_not_before(bench: Bench) -> None:
    call = bench.open(duration=5.0)
    assert bench.sent() == ["OPEN_DOOR"]
    assert bench.state() is DoorState.UNLOCKING
    bench.now += 0.0125
    bench.says("OK:Door opened")
    assert bench.answer(call) is None
    assert bench.state() is DoorState.UNLOCKING
    bench.now += 0.0955
    bench.says("ACK:OPEN_DOOR")
    answer = bench.answer(call)
    assert isinstance(answer, Opened)
    assert answer.at == bench.now
    assert answer.latency == pytest.approx(0.108)
    assert answer.lease.ends == bench.now + 5.0
    assert bench.state() is DoorState.UNLOCKED
    assert bench.door.source == "acknowledgement"


def test_a_second_open_in_flight_is_busy(bench: Bench) -> None:
    bench.open()
    assert isinstance(bench.answer(bench.open()), Busy)
    assert bench.sent() == ["OPEN_DOOR"]


def test_an_open_during_a_status_question_goes_out_right_after_it(bench: Bench) -> None:
    bench.wait(3.0)
    assert bench.sent() == ["PING", "STATUS"]
    bench.says("PONG")
    call = bench.open()
    assert bench.sent() == []
    bench.says("OK:LOCKED", "ACK:STATUS")
    assert bench.sent() == ["OPEN_DOOR"]
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert isinstance(bench.answer(call), Opened)


def test_an_open_that_waited_past_its_deadline_never_leaves(bench: Bench) -> None:
    bench.wait(3.0)
    bench.says("PONG")
    bench.sent()
    call = bench.open()
    bench.wait(2.0)
    assert isinstance(bench.answer(call), NotConnected)
    assert bench.sent() == []


def test_an_unacknowledged_open_is_indeterminate_and_status_decides_it_was_locked(bench: Bench) -> None:
    call = bench.open()
    bench.sent()
    bench.wait(2.0)
    assert isinstance(bench.answer(call), Indeterminate)
    assert bench.state() is DoorState.UNKNOWN
    assert bench.sent() == ["STATUS"]
    assert isinstance(bench.answer(bench.open()), Busy)
    bench.says("OK:LOCKED", "ACK:STATUS")
    assert bench.state() is DoorState.LOCKED


def test_an_open_that_acted_without_acknowledgement_is_locked_again(bench: Bench) -> None:
    bench.open()
    bench.says("OK:Door opened")
    bench.wait(2.0)
    bench.sent()
    bench.says("OK:OPEN", "ACK:STATUS")
    assert "door.opened_late" in bench.notes()
    assert bench.sent() == ["LOCK_DOOR"]


def test_an_acknowledgement_after_the_deadline_does_not_make_a_lease(bench: Bench) -> None:
    bench.open()
    bench.wait(2.0)
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert bench.door.lease is None
    bench.says("OK:OPEN", "ACK:STATUS")
    assert bench.sent()[-1] == "LOCK_DOOR"


def test_a_refusal_is_rejected_and_status_is_asked(bench: Bench) -> None:
    call = bench.open()
    bench.says("ERR:AUTH")
    assert isinstance(bench.answer(call), Rejected)
    assert bench.sent() == ["OPEN_DOOR", "STATUS"]


def test_an_acknowledgement_that_says_locked_is_a_rejection(bench: Bench) -> None:
    call = bench.open()
    bench.says("OK:Door locked", "ACK:OPEN_DOOR")
    assert isinstance(bench.answer(call), Rejected)
    assert bench.door.lease is None


# --- the lease ---


def test_the_door_relocks_when_its_lease_ends(opened: Bench) -> None:
    opened.wait(4.9, answering=True)
    assert "LOCK_DOOR" not in opened.sent()
    opened.wait(0.1)
    assert opened.sent() == ["LOCK_DOOR"]
    assert opened.state() is DoorState.LOCKING
    opened.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert opened.state() is DoorState.LOCKED


def test_the_dead_man_switch_is_fed_during_the_lease_and_not_after(opened: Bench) -> None:
    opened.wait(3.0, answering=True)
    assert "PING" in opened.sent()
    opened.wait(2.0, answering=True)
    assert opened.sent() == ["LOCK_DOOR"]
    opened.wait(1.9)
    assert "PING" not in opened.sent()


def test_opening_again_extends_the_lease_and_never_shortens_it(opened: Bench) -> None:
    opened.wait(1.0)
    longer = opened.open(duration=20.0)
    opened.says("OK:Door opened", "ACK:OPEN_DOOR")
    first = opened.answer(longer)
    assert isinstance(first, Opened)
    shorter = opened.open(duration=1.0)
    opened.says("OK:Door opened", "ACK:OPEN_DOOR")
    second = opened.answer(shorter)
    assert isinstance(second, Opened)
    assert second.lease.ends == first.lease.ends == opened.now + 20.0


def test_a_lease_that_ends_while_its_extension_is_in_flight_does_not_lock_under_it(opened: Bench) -> None:
    opened.wait(4.5, answering=True)
    opened.sent()
    opened.open(duration=5.0)
    opened.wait(1.0)
    assert "LOCK_DOOR" not in opened.sent()
    opened.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert opened.state() is DoorState.UNLOCKED


def test_a_dead_man_that_fired_ends_the_lease(opened: Bench) -> None:
    opened.says("TIMEOUT:AUTO_LOCKED")
    assert opened.state() is DoorState.LOCKED
    assert opened.door.lease is None
    assert "door.auto_locked" in opened.notes()


# --- locking ---


def test_lock_waits_for_an_open_in_flight_and_is_next(bench: Bench) -> None:
    opening, locking = bench.open(), bench.lock()
    assert bench.sent() == ["OPEN_DOOR"]
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert isinstance(bench.answer(opening), Opened)
    assert bench.sent() == ["LOCK_DOOR"]
    bench.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(bench.answer(locking), Locked)
    assert bench.door.lease is None


def test_lock_overtakes_an_open_that_waits_for_status(bench: Bench) -> None:
    bench.wait(3.0)
    bench.says("PONG")
    bench.sent()
    opening, locking = bench.open(), bench.lock()
    bench.says("OK:LOCKED", "ACK:STATUS")
    assert bench.sent() == ["LOCK_DOOR"]
    assert isinstance(bench.answer(opening), Busy)
    bench.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(bench.answer(locking), Locked)


def test_locks_of_several_people_are_one_command(opened: Bench) -> None:
    first = opened.lock()
    second, third = opened.lock(), opened.lock()
    opened.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(opened.answer(first), Locked)
    opened.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(opened.answer(second), Locked)
    assert isinstance(opened.answer(third), Locked)
    assert [command for command in opened.sent() if command != "STATUS"] == ["LOCK_DOOR", "LOCK_DOOR"]


def test_lock_without_a_link_says_so() -> None:
    bench = Bench()
    assert isinstance(bench.answer(bench.lock()), NotConnected)


def test_an_unacknowledged_lock_is_indeterminate_then_unknown_then_asked(opened: Bench) -> None:
    call = opened.lock()
    opened.wait(2.0)
    assert isinstance(opened.answer(call), Indeterminate)
    assert opened.state() is DoorState.UNKNOWN
    assert opened.sent() == ["LOCK_DOOR", "STATUS"]


def test_a_relay_that_stays_open_after_lock_is_jammed_and_locked_again_and_again(opened: Bench) -> None:
    opened.lock()
    opened.says("OK:Door locked", "ACK:LOCK_DOOR", "OK:OPEN", "ACK:STATUS")
    assert opened.state() is DoorState.JAMMED
    assert opened.sent() == ["LOCK_DOOR", "STATUS", "LOCK_DOOR"]
    assert isinstance(opened.answer(opened.open()), Busy)
    opened.says("OK:Door locked", "ACK:LOCK_DOOR", "OK:OPEN", "ACK:STATUS")
    assert opened.notes().count("door.jammed") == 1
    opened.sent()
    opened.wait(2.0)
    assert "LOCK_DOOR" in opened.sent()
    opened.says("OK:Door locked", "ACK:LOCK_DOOR", "OK:LOCKED", "ACK:STATUS")
    assert opened.state() is DoorState.LOCKED


def test_a_lock_call_to_a_jammed_lock_waits_for_status_and_tells_the_truth(opened: Bench) -> None:
    opened.lock()
    opened.says("OK:Door locked", "ACK:LOCK_DOOR", "OK:OPEN", "ACK:STATUS", "OK:Door locked", "ACK:LOCK_DOOR")
    opened.says("OK:OPEN", "ACK:STATUS")
    call = opened.lock()
    opened.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert opened.answer(call) is None
    opened.says("OK:OPEN", "ACK:STATUS")
    assert isinstance(opened.answer(call), Rejected)


# --- openings that nobody ordered ---


def test_an_opening_by_somebody_else_is_recorded_and_locked(bench: Bench) -> None:
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert bench.state() is DoorState.LOCKING
    assert bench.sent() == ["LOCK_DOOR"]
    assert "door.unordered_opening" in bench.notes()


def test_a_silent_opening_is_found_by_the_next_status(bench: Bench) -> None:
    bench.wait(3.0)
    bench.says("PONG", "OK:OPEN", "ACK:STATUS")
    assert bench.sent() == ["PING", "STATUS", "LOCK_DOOR"]
    assert "door.unordered_opening" in bench.notes()


# --- losing the link ---


def test_a_lost_link_makes_everything_unknown_and_answers_everybody(opened: Bench) -> None:
    opening = opened.open()
    locking = opened.lock()
    opened.lose("reset by peer")
    assert isinstance(opened.answer(opening), Indeterminate)
    assert isinstance(opened.answer(locking), NotConnected)
    assert opened.state() is DoorState.UNKNOWN
    assert opened.door.reason == "reset by peer"
    assert opened.door.signal is None
    assert opened.door.deadline is None


def test_no_stale_open_after_a_reconnect(opened: Bench) -> None:
    opened.lose()
    opened.sent()
    opened.connect("OK:OPEN")
    assert opened.sent() == ["STATUS", "LOCK_DOOR"]


def test_a_missing_pong_ends_the_link(bench: Bench) -> None:
    bench.wait(3.0)
    bench.says("OK:LOCKED", "ACK:STATUS")
    bench.wait(2.0)
    assert [action for action in bench.done if isinstance(action, Drop)]
    assert bench.state() is DoorState.UNKNOWN


def test_another_reason_for_the_same_lost_link_is_told(bench: Bench) -> None:
    bench.lose("cut")
    bench.done.clear()
    bench.lose("connection refused")
    assert Changed() in bench.done
    assert bench.door.reason == "connection refused"


# --- leaving ---


def test_leaving_locks_first_and_accepts_no_more_openings(opened: Bench) -> None:
    call = opened.close()
    assert opened.sent() == ["LOCK_DOOR"]
    assert isinstance(opened.answer(opened.open()), NotConnected)
    assert opened.answer(call) is None
    opened.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(opened.answer(call), Locked)


def test_leaving_while_an_open_is_in_flight_locks_right_after_it(bench: Bench) -> None:
    opening, leaving = bench.open(), bench.close()
    bench.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert isinstance(bench.answer(opening), Opened)
    assert bench.sent() == ["OPEN_DOOR", "LOCK_DOOR"]
    bench.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert isinstance(bench.answer(leaving), Locked)


# --- noise ---


def test_unknown_and_stray_lines_are_counted_and_change_nothing(bench: Bench) -> None:
    before = bench.door.state
    bench.says("BOOT:rst:0x1", "", "PONG", "ACK:LOCK_DOOR", "ACK:STATUS", "ERR:WHAT")
    assert bench.door.unheard == 2
    assert bench.door.stray == 4
    assert bench.door.state is before
    assert bench.sent() == []


def test_the_signal_is_kept_with_its_time(bench: Bench) -> None:
    bench.now += 1
    bench.says("SIGNAL:WEAK:-81")
    assert bench.door.signal is not None
    assert (bench.door.signal.rssi, bench.door.signal_at) == (-81, bench.now)

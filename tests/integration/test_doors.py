"""Doors with real processes: twistd against the virtual lock, with each hazard and fault of the protocol."""

import signal
import threading
import time
from typing import Any

import psutil
import pytest

from tests.integration.conftest import Started
from tests.integration.processes import Lock, Server, site, wait_for

pytestmark = pytest.mark.process


@pytest.fixture
def lock(start: Started) -> Lock:
    return start.lock()


@pytest.fixture
def server(start: Started, lock: Lock) -> Server:
    server = start.server(site(lock))
    server.until_door("locked", connected=True)
    return server


def open_door(server: Server, **body: Any) -> tuple[int, Any]:
    return server.ask("POST", "/doors/front/open", body)


def kinds(server: Server) -> list[str]:
    """Return the log's lines about doors."""
    return [line for line in server.lines if "door front" in line]


# --- the ordinary way ---


def test_a_door_opens_on_the_locks_acknowledgement_and_relocks_by_itself(server: Server, lock: Lock) -> None:
    before = time.time()
    status, answer = open_door(server, duration=1.0, reason="parcel")
    assert status == 200, answer
    assert answer["state"] == "unlocked"
    assert lock.relay
    assert 0.1 < answer["latency"] < 2.0  # the virtual lock acknowledges after 108 ms, as the real one
    assert before < answer["acknowledged"] < time.time()
    assert answer["lease_ends"] == pytest.approx(answer["acknowledged"] + 1.0, abs=0.01)
    door = server.door()
    assert (door["state"], door["source"]) in [("unlocked", "acknowledgement"), ("unlocked", "status")]
    assert door["lease"]["reason"] == "parcel"
    server.until_door("locked")
    assert not lock.relay
    server.stop()


def test_lock_ends_the_lease_at_once(server: Server, lock: Lock) -> None:
    open_door(server, duration=60)
    status, answer = server.ask("POST", "/doors/front/lock")
    assert (status, answer["state"]) == (200, "locked")
    assert not lock.relay
    assert server.door()["lease"] is None


def test_the_same_idempotency_key_opens_once(server: Server, lock: Lock) -> None:
    first = open_door(server, duration=30, idempotency_key="a-1")
    second = open_door(server, duration=30, idempotency_key="a-1")
    assert first == second
    assert lock.commands.count("OPEN_DOOR") == 1
    status, answer = open_door(server, duration=31, idempotency_key="a-1")
    assert (status, answer["error"]["code"]) == (400, "invalid_argument")


def test_a_door_call_is_refused_with_a_reason_that_names_what_is_wrong(server: Server, lock: Lock) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"duration": 61}, "at most 60"),
        ({"duration": -1}, "duration"),
        ({"duration": "long"}, "duration"),
        ({"reason": "x" * 201}, "reason"),
        ({"until": 1}, "until"),
        ({"door": "back"}, "door"),
        ({"idempotency_key": ""}, "idempotency_key"),
    ]
    for body, words in wrong:
        status, answer = open_door(server, **body)
        assert (status, answer["error"]["code"]) == (400, "invalid_argument")
        assert words in answer["error"]["message"]
    status, answer = server.ask("POST", "/doors/back/open", {})
    assert (status, answer["error"]["code"]) == (404, "no_such_door")
    assert "front" in answer["error"]["message"]
    status, answer = server.ask("POST", "/doors/front/open", {}, token=None)
    assert (status, answer["error"]["code"]) == (401, "not_authenticated")
    status, answer = server.ask("GET", "/doors/front/open")
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")
    assert "OPEN_DOOR" not in lock.commands


def test_a_second_open_while_one_is_in_flight_is_busy(server: Server, lock: Lock) -> None:
    lock.ask("fault no_ack")
    answers: list[tuple[int, Any]] = []
    first = threading.Thread(target=lambda: answers.append(open_door(server)))
    first.start()
    wait_for(lambda: server.door()["state"] == "unlocking", "the first to be in flight")
    status, answer = open_door(server)
    assert (status, answer["error"]["code"]) == (409, "busy")
    first.join()
    assert answers[0][0] == 504
    assert lock.commands.count("OPEN_DOOR") == 1


# --- leaving ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_locks_the_open_door_before_the_link_is_closed(server: Server, lock: Lock, number: int) -> None:
    open_door(server, duration=60)
    assert lock.relay
    took = server.stop(number)
    assert not lock.relay
    assert lock.commands[-1] in ("LOCK_DOOR", "STATUS")
    assert "LOCK_DOOR" in lock.commands
    assert took < 5.0


def test_a_stop_with_a_lock_that_does_not_answer_ends_in_time_and_says_so(server: Server, lock: Lock) -> None:
    open_door(server, duration=60)
    lock.ask("fault silent")
    assert server.stop() < 6.0
    assert "could not be locked before leaving" in server.output


def test_a_reload_locks_first_and_comes_back_with_the_new_configuration(
    server: Server, lock: Lock, start: Started
) -> None:
    open_door(server, duration=60)
    mark = len(server.lines)
    changed = site(lock, more='name = "renamed"').replace("[[doors]]", "[[doors]]\nopen_duration = 5")
    (start.folder / "site.toml").write_text(changed, encoding="utf-8")
    server.signal(signal.SIGHUP)
    server.expect("reloaded: changed doors.front, name", since=mark)
    server.until_door("locked", connected=True)
    assert not lock.relay
    assert server.ask("GET", "/api/system/status")[1]["name"] == "renamed"
    assert lock.ask("status")["most_open"] == 1
    server.stop()


def test_a_reload_with_a_wrong_configuration_changes_nothing(server: Server, lock: Lock, start: Started) -> None:
    open_door(server, duration=60)
    (start.folder / "site.toml").write_text("lisen = 1", encoding="utf-8")
    server.signal(signal.SIGHUP)
    server.expect("not reloaded.*lisen.*listen")
    assert server.door()["state"] == "unlocked"
    assert lock.relay
    server.stop()


def test_a_killed_server_leaves_a_will_that_locks_the_open_door(server: Server, lock: Lock) -> None:
    open_door(server, duration=60)
    server.signal(signal.SIGKILL)
    wait_for(lambda: not lock.relay, "the last will to lock the door")
    assert lock.commands[-1] == "LOCK_DOOR"
    wait_for(lambda: lock.ask("status")["open"] == 0, "the connection to end then")
    assert lock.ask("status")["connections"] == 1
    server.expect("ended without locking its doors: door front is locked")


def test_a_will_has_nothing_to_do_for_a_locked_door(server: Server, lock: Lock) -> None:
    server.signal(signal.SIGKILL)
    wait_for(lambda: lock.ask("status")["open"] == 0, "the connection to end")
    assert "LOCK_DOOR" not in lock.commands


def test_without_its_will_a_killed_server_locks_the_door_when_it_is_back(start: Started, lock: Lock) -> None:
    first = start.server(site(lock))
    first.until_door("locked", connected=True)
    open_door(first, duration=60)
    [will] = psutil.Process(first.pid).children()
    will.kill()
    first.signal(signal.SIGKILL)
    first.wait()
    wait_for(lambda: lock.ask("status")["open"] == 0, "the lock to notice")
    assert lock.relay  # the seed's firmware: a connection that closes disarms its dead-man switch
    second = start.server(site(lock))
    second.until_door("locked", connected=True)
    assert not lock.relay
    second.expect("nobody ordered it")


def test_a_server_whose_will_was_killed_works_on_and_says_so(server: Server, lock: Lock) -> None:
    [will] = psutil.Process(server.pid).children()
    will.kill()
    status, answer = open_door(server, duration=0.5)
    assert status == 200, answer
    server.expect("the last will's process is gone")
    server.until_door("locked")
    server.stop()


def test_a_stop_leaves_no_process_behind(server: Server) -> None:
    [will] = psutil.Process(server.pid).children()
    server.stop()
    assert not will.is_running()


# --- openings that nobody ordered ---


def test_a_door_opened_behind_our_back_is_found_and_locked(server: Server, lock: Lock) -> None:
    lock.ask("press open")
    server.expect("open and nobody ordered it")
    server.until_door("locked")
    assert not lock.relay


def test_a_door_opened_by_another_client_is_locked_at_once(server: Server, lock: Lock) -> None:
    lock.ask("stray")
    server.expect("open and nobody ordered it")
    server.until_door("locked")
    assert not lock.relay


# --- each fault: what the caller is told, what the state says, and that it heals ---


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("deaf", 504, "timeout"),
        ("no_ack", 504, "timeout"),
        ("late", 504, "timeout"),
        ("silent", 504, "timeout"),
        ("severed", 504, "timeout"),
        ("hang_up", 504, "timeout"),
        ("reset", 504, "timeout"),
        ("reject", 502, "rejected"),
    ],
)
def test_an_open_that_fails_says_why_in_time_and_the_door_ends_locked(
    server: Server, lock: Lock, fault: str, status: int, code: str
) -> None:
    lock.ask(f"fault {fault}")
    begin = time.monotonic()
    got, answer = open_door(server, duration=30)
    assert time.monotonic() - begin < 4.0
    assert (got, answer["error"]["code"]) == (status, code), answer
    lock.ask("fault none")
    server.until_door("locked", connected=True)
    assert not lock.relay
    assert lock.commands.count("OPEN_DOOR") <= 1
    assert lock.ask("status")["most_open"] == 1
    server.stop()


@pytest.mark.parametrize("fault", ["refuse", "mute", "not_found"])
def test_a_lock_that_cannot_be_reached_queues_nothing_and_comes_back(start: Started, fault: str) -> None:
    lock = start.lock("--fault", "none")
    lock.ask(f"fault {fault}")
    server = start.server(site(lock).replace("retry_maximum = 1.0", "retry_maximum = 1.0\nconnect_timeout = 0.5"))
    status, answer = open_door(server)
    assert (status, answer["error"]["code"]) == (503, "not_connected")
    door = server.door()
    assert (door["state"], door["connected"], door["confirmed"]) == ("unavailable", False, None)
    wait_for(lambda: server.door()["reason"] not in (None, "not reached yet"), "a reason")
    assert lock.relay is False
    lock.ask("fault none")
    server.until_door("locked", connected=True)
    assert "OPEN_DOOR" not in lock.commands
    assert lock.ask("status")["most_open"] == 1
    server.stop()


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_a_link_lost_with_the_door_open_is_unknown_and_locked_on_return(server: Server, lock: Lock, how: str) -> None:
    open_door(server, duration=60)
    mark = len(server.lines)
    lock.ask(how)
    server.expect("the link to the lock was lost", mark)
    server.until_door("locked", connected=True)
    assert not lock.relay
    server.stop()


def test_a_lock_that_dies_silently_is_found_dead_and_the_state_is_unknown(server: Server, lock: Lock) -> None:
    open_door(server, duration=60)
    lock.ask("fault severed")
    door = server.until_door("unknown")
    assert door["connected"] is False
    assert door["lease"] is None
    assert door["signal"] is None
    server.stop()


def test_a_lock_without_pong_is_dropped_and_tried_again(server: Server, lock: Lock) -> None:
    lock.ask("fault no_pong")
    server.expect("did not answer PING within 2 s")
    lock.ask("fault none")
    server.until_door("locked", connected=True)
    assert lock.ask("status")["most_open"] == 1


def test_a_relay_that_does_not_release_is_jammed_until_it_does(server: Server, lock: Lock) -> None:
    lock.ask("fault jammed")
    open_door(server, duration=0.5)
    server.until_door("jammed")
    status, answer = open_door(server)
    assert (status, answer["error"]["code"]) == (409, "busy")
    lock.ask("fault none")
    server.until_door("locked")
    assert not lock.relay


@pytest.mark.parametrize("fault", ["twice", "garble"])
def test_noise_from_the_lock_changes_nothing(server: Server, lock: Lock, fault: str) -> None:
    lock.ask(f"fault {fault}")
    status, answer = open_door(server, duration=0.5)
    assert status == 200, answer
    server.until_door("locked")
    assert not lock.relay
    server.stop()

"""The routes, asked as a client would: pictures, doors, status, and every error in its own status."""

from pathlib import Path

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gatekeeper.cameras.frame import CameraState
from gatekeeper.errors import DeviceError
from gatekeeper.evidence.event import Event
from tests.sites import Log, Memory, Plug, answers

JPEG = b"\xff\xd8 any bytes\r\n\r\n\x00\xff\xd9"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


@pytest.fixture
def lock(gate: Memory) -> Plug:
    """The lock of the door, connected."""
    gate.site._devices.startService()
    return Plug(gate.net).greet()


# --- pictures ---


def test_a_snapshot_is_the_cameras_own_bytes_with_their_time(gate: Memory) -> None:
    gate.site.viewing.feeds["yard"].put(b"older", 4, 3, 0.0, 1_700_000_000.0)
    gate.site.viewing.feeds["yard"].put(JPEG, 640, 480, 1.0, 1_700_000_000.25)
    answer = gate.ask("GET", "/cameras/yard/snapshot.jpg", gate.bearer)
    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.fields["content-type"] == "image/jpeg"
    assert answer.fields["content-length"] == str(len(JPEG))
    assert answer.fields["cache-control"] == "no-store"
    assert answer.fields["x-timestamp"] == "1700000000.250000"
    assert answer.fields["x-sequence"] == "2"
    head = gate.ask("HEAD", "/cameras/yard/snapshot.jpg", gate.bearer)
    assert (head.status, head.fields["x-sequence"]) == (200, "2")


@pytest.mark.parametrize("state", [CameraState.CONNECTING, CameraState.STALLED, CameraState.OFFLINE])
def test_a_camera_that_is_not_live_has_no_snapshot(gate: Memory, state: CameraState) -> None:
    feed = gate.site.viewing.feeds["yard"]
    feed.put(JPEG, 640, 480, 1.0, 1_700_000_000.0)
    feed.change(state, "the power is out", 1_700_000_001.0)
    answer = gate.ask("GET", "/cameras/yard/snapshot.jpg", gate.bearer)
    assert (answer.status, answer.code) == (503, "no_picture")
    assert answer.json["error"]["message"] == f"camera yard is {state}: the power is out"
    assert JPEG not in answer.body


def test_cameras_are_told_in_the_configurations_order(gate: Memory) -> None:
    answer = gate.ask("GET", "/cameras", gate.bearer)
    assert [camera["id"] for camera in answer.json] == ["yard", "hall"]
    assert gate.ask("GET", "/cameras/hall", gate.bearer).json == answer.json[1]
    assert answer.json[0]["doors"] == ["front"]
    assert b"secret" not in answer.body


@pytest.mark.parametrize("path", ["/cameras/none", "/cameras/none/snapshot.jpg", "/cameras/none/stream.mjpg"])
def test_an_unknown_camera_is_told_which_there_are(gate: Memory, path: str) -> None:
    answer = gate.ask("GET", path, gate.bearer)
    assert (answer.status, answer.code) == (404, "no_such_camera")
    assert answer.json["error"]["message"] == 'there is no camera "none"; there are: yard, hall'


# --- doors ---


def test_a_door_opens_over_http_when_the_lock_has_acknowledged(gate: Memory, lock: Plug) -> None:
    body = b'{"duration": 5, "reason": "parcel"}'
    wire = gate.send("POST", "/doors/front/open", {**gate.bearer, **JSON}, body)
    gate.net.advance(0.25)
    assert lock.heard() == ["OPEN_DOOR"]
    assert wire.value() == b""
    lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    [answer] = answers(wire.value())
    assert answer.status == 200
    event = answer.json["event"]
    assert gate.ask("GET", f"/events/{event}", gate.bearer).json["kind"] == "door.opened"
    assert answer.json == {
        "event": event,
        "recorded": True,
        "door": "front",
        "state": "unlocked",
        "acknowledged": 1_800_000_000.25,
        "latency": 0.25,
        "lease_ends": 1_800_000_005.25,
        "duration": 5.0,
    }
    assert gate.ask("GET", "/doors/front", gate.bearer).json["lease"]["holder"] == "admin"


def test_a_door_locks_over_http(gate: Memory, lock: Plug) -> None:
    wire = gate.send("POST", "/doors/front/lock", gate.bearer)
    assert lock.heard() == ["LOCK_DOOR"]
    lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    [answer] = answers(wire.value())
    told = {name: answer.json[name] for name in ("door", "state", "acknowledged", "latency", "recorded")}
    assert told == {
        "door": "front", "state": "locked", "acknowledged": 1_800_000_000.0, "latency": 0.0, "recorded": True,
    }  # fmt: skip


def test_a_lock_that_is_not_there_is_503(gate: Memory) -> None:
    for verb in ("open", "lock"):
        answer = gate.post(f"/doors/front/{verb}")
        assert (answer.status, answer.code) == (503, "not_connected")


def test_a_door_that_is_busy_is_409(gate: Memory, lock: Plug) -> None:
    wire = gate.send("POST", "/doors/front/open", gate.bearer)
    assert gate.post("/doors/front/open").status == 409
    lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert answers(wire.value())[0].status == 200


def test_a_lock_that_refuses_is_502(gate: Memory, lock: Plug) -> None:
    wire = gate.send("POST", "/doors/front/open", gate.bearer)
    lock.says("ERR:BUSY")
    [answer] = answers(wire.value())
    assert (answer.status, answer.code) == (502, "rejected")


def test_a_lock_that_does_not_answer_is_504_after_two_seconds(gate: Memory, lock: Plug) -> None:
    wire = gate.send("POST", "/doors/front/open", gate.bearer)
    gate.net.advance(1.99)
    assert wire.value() == b""
    gate.net.advance(0.02)
    [answer] = answers(wire.value())
    assert (answer.status, answer.code) == (504, "timeout")


@pytest.mark.parametrize("verb", ["open", "lock"])
def test_a_link_that_breaks_is_told_at_once(gate: Memory, lock: Plug, verb: str) -> None:
    wire = gate.send("POST", f"/doors/front/{verb}", gate.bearer)
    lock.lose()
    assert answers(wire.value())[0].code == "timeout"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"duration": 0}, "duration: found 0; allowed: a number over 0"),
        ({"duration": 61}, "duration: found 61; at most 60 s at front"),
        ({"duration": "5"}, 'duration: found "5"; allowed: a number over 0'),
        ({"reason": 5}, "reason: found 5; allowed: text (length to 200)"),
        ({"reasn": "x"}, 'reasn: no such argument; did you mean "reason"? Allowed: '),
        ({"door": "back"}, 'door: the address says "front", the body something else'),
        ({"door": None}, 'door: the address says "front", the body something else'),
        ({"idempotency_key": ""}, 'idempotency_key: found ""; allowed: text (length from 1, length to 100)'),
    ],
)
def test_a_wrong_argument_is_400_and_named(gate: Memory, arguments: dict[str, object], message: str) -> None:
    answer = gate.post("/doors/front/open", arguments)
    assert (answer.status, answer.code) == (400, "invalid_argument")
    assert answer.json["error"]["message"].startswith(message)


@pytest.mark.parametrize("path", ["/doors/none", "/doors/none/open", "/doors/none/lock"])
def test_an_unknown_door_is_404(gate: Memory, path: str) -> None:
    answer = gate.post(path) if path != "/doors/none" else gate.ask("GET", path, gate.bearer)
    assert (answer.status, answer.code) == (404, "no_such_door")


def actions(gate: Memory) -> list[Event]:
    return [event for event in gate.site.journal.recent() if event.kind.startswith("door.open")]


def test_who_hangs_up_while_a_door_opens_does_not_falsify_the_record(gate: Memory, lock: Plug) -> None:
    with Log() as log:
        wire = gate.send("POST", "/doors/front/open", gate.bearer)
        wire.protocol.connectionLost(Failure(ConnectionDone()))
        assert [event.kind for event in actions(gate)] == ["door.open_requested"]
        lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    wish, outcome = actions(gate)
    assert (outcome.kind, outcome.actor, outcome.outcome) == ("door.opened", "admin", "ok")
    assert outcome.cause == wish.id
    assert not log.count("failed")
    assert not log.count("log_failure")


# --- the rest ---


def test_health_tells_nothing_but_health(gate: Memory) -> None:
    assert gate.ask("GET", "/healthz").json == {"status": "ok"}


def test_the_status_holds_everything(gate: Memory) -> None:
    status = gate.ask("GET", "/api/system/status", gate.bearer).json
    assert [camera["id"] for camera in status["cameras"]] == ["yard", "hall"]
    assert [door["id"] for door in status["doors"]] == ["front"]
    assert status["router"]["registrations_now"] > 0


def test_what_fails_inside_is_told_without_detail_and_logged(gate: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("at 192.168.137.20, pwd=secret")

    monkeypatch.setattr(gate.site._system, "status", fail)
    with Log() as log:
        answer = gate.ask("GET", "/api/system/status", gate.bearer)
    assert (answer.status, answer.code) == (500, "internal")
    assert b"secret" not in answer.body
    assert b"ZeroDivision" not in answer.body
    assert log.count("ZeroDivisionError") == 1


def test_what_cannot_be_encoded_is_an_error_of_ours_too(gate: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate.site._system, "status", object)
    answer = gate.ask("GET", "/api/system/status", gate.bearer)
    assert (answer.status, answer.code) == (500, "internal")


def test_an_error_that_a_device_raises_keeps_its_own_status(gate: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DeviceError("the relay is on fire")

    monkeypatch.setattr(gate.site.doorways.doors, "list", fail)
    answer = gate.ask("GET", "/doors", gate.bearer)
    assert (answer.status, answer.json["error"]) == (502, {"code": "device", "message": "the relay is on fire"})

"""Cameras that connect, over a network in memory: who they are, what they send and answer, and how they go."""

import json
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.camera import ARRIVAL, ORDERED, Port, PushCamera
from gatekeeper.cameras.push.identity import MAXIMUM_STRANGERS, Known
from gatekeeper.cameras.push.reception import MAXIMUM_MESSAGE, SECOND, Reception
from gatekeeper.cameras.push.settings import Command, decode
from gatekeeper.cameras.push.tuning import RESTORE_AFTER
from gatekeeper.errors import Busy, Indeterminate, NotConnected, Rejected
from gatekeeper.simulators.push_device import PushDevice, pack
from tests.cameras.pictures import picture
from tests.sites import Wire

JPEG = picture(500)
REGISTER = {"type": "register", "device": "camera"}


class _Client(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    def onOpen(self) -> None:
        self.heard: list[Any] = []

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.heard.append(json.loads(payload))


class Device:
    """The other end: the handshake of the real one, and bytes carried by hand."""

    def __init__(self, bench: "Bench", path: str = "/s3", address: str = "10.0.0.5", port: Port = Port.STREAM) -> None:
        self.bench = bench
        url = f"ws://192.168.137.1:6972{path}"
        agent = "arduino-WebSocket-Client"
        factory = WebSocketClientFactory(
            url, origin="file://", protocols=["arduino"], useragent=agent, reactor=bench.net
        )
        factory.protocol = _Client
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        self.ours, self.theirs = Wire(), Wire(address)
        self.server: Any = bench.factories[port].buildProtocol(IPv4Address("TCP", address, 50_000))
        if self.server is None:
            return
        self.client: Any = factory.buildProtocol(IPv4Address("TCP", "192.168.137.1", 6972))
        self.server.makeConnection(self.theirs)
        self.client.makeConnection(self.ours)
        self.carry()
        bench.net.advance(0)  # Autobahn looks a turn later at what came with the handshake
        self.carry()

    def carry(self) -> None:
        while self.ours.value() or self.theirs.value():
            up, down = self.ours.value(), self.theirs.value()
            self.ours.clear()
            self.theirs.clear()
            if up:
                self.server.dataReceived(up)
            if down:
                self.client.dataReceived(down)

    def send(self, *messages: dict[str, Any] | bytes) -> "Device":
        for message in messages:
            is_binary = isinstance(message, bytes)
            self.client.sendMessage(message if isinstance(message, bytes) else json.dumps(message).encode(), is_binary)
        self.carry()
        return self

    def heard(self) -> list[Any]:
        self.carry()
        heard, self.client.heard = self.client.heard, []
        return list(heard)

    def commands(self) -> list[tuple[str, str]]:
        return [(message["cmd"], message["val"]) for message in self.heard() if message.get("type") == "command"]

    def answer(self, cmd: str, value: str, status: str = "ok") -> None:
        self.send({"type": "response", "cmd": cmd, "status": status, "value": value})

    def lose(self) -> None:
        self.server.connectionLost(Failure(ConnectionDone()))


class Bench:
    """Cameras `s3` (by path), `named` (by device id), `secret` (by token), `fixed` (by address)."""

    def __init__(self, maximum: int = 10) -> None:
        self.net: Any = MemoryReactorClock()
        self.recorded: list[tuple[str, str]] = []
        self.told: list[tuple[str, str | None]] = []
        self.restarts: list[tuple[str, bool]] = []
        known = [
            Known("s3", path="/s3"),
            Known("named", device="kitchen"),
            Known("secret", token="open sesame"),
            Known("fixed", address="10.0.0.99"),
        ]
        self.cameras: dict[str, PushCamera] = {}
        for one in known:
            push = config.Push(path="/")
            feed = Feed(one.camera, 0.0)
            camera = config.Camera(id=one.camera, push=push, maximum_frame_bytes=100_000)
            self.cameras[one.camera] = PushCamera(
                self.net, camera, feed, self.wall, lambda text, ordered: self.restarts.append((text, ordered))
            )
        self.reception = Reception(
            self.net,
            cameras=self.cameras,
            known=known,
            maximum=maximum,
            wall=self.wall,
            record=lambda camera, text: self.recorded.append((camera, text)),
        )
        self.s3 = self.cameras["s3"]
        for service in (*self.cameras.values(), self.reception):
            service.startService()
        self.s3.feed.observe(lambda condition: self.told.append((condition.state.value, condition.reason)))
        self.factories = {port: self.reception.factory(port) for port in Port}

    def wall(self) -> float:
        return float(1000.0 + self.net.seconds())

    def state(self) -> tuple[CameraState, str | None]:
        return self.s3.feed.condition.state, self.s3.feed.condition.reason

    def advance(self, seconds: float, *alive: Device) -> None:
        """Let time pass in small steps; who is alive answers pings."""
        for _ in range(round(seconds * 10)):
            self.net.advance(0.1)
            for device in alive:
                device.carry()

    def stop(self) -> None:
        for service in (self.reception, *self.cameras.values()):
            service.stopService()
        assert not self.net.getDelayedCalls()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def result(deferred: "Deferred[Any]") -> list[Any]:
    found: list[Any] = []
    deferred.addBoth(lambda value: found.append(value.value if isinstance(value, Failure) else value))
    return found


# --- pictures and states ---


def test_the_real_cameras_handshake_is_taken_and_its_registration_answered(bench: Bench) -> None:
    device = Device(bench)
    assert device.client.websocket_protocol_in_use is None
    device.send(REGISTER)
    assert device.heard() == [
        {"status": "ok", "message": "Camera registered", "server_time": "1970-01-01T00:16:40+00:00"}
    ]
    assert bench.state() == (CameraState.CONNECTING, "connected, no picture yet")


def test_a_picture_makes_it_live_and_is_passed_on_as_it_came(bench: Bench) -> None:
    Device(bench).send(REGISTER, JPEG)
    assert bench.s3.feed.newest is not None
    assert bench.s3.feed.newest.jpeg == JPEG
    assert bench.state() == (CameraState.LIVE, None)
    assert bench.reception.strangers.list() == []


def test_pieces_with_texts_between_them_become_a_picture_and_the_start_is_acknowledged(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    device.heard()
    health = json.loads(PushDevice().health(3723.0))
    start = {
        "type": "img_start",
        "id": 1,
        "size": len(JPEG),
        "chunks": 2,
        "chunkSize": 400,
        "width": 640,
        "height": 480,
    }
    end = {"type": "img_end", "id": 1, "size": len(JPEG), "success": True}
    device.send(start, JPEG[:400], health, JPEG[400:], end)
    assert [message["type"] for message in device.heard()] == ["img_ack"]
    assert bench.s3.feed.frames == 1
    assert bench.s3.device is not None
    assert (bench.s3.device.heap, bench.s3.device.rssi, bench.s3.device.uptime) == (201_344, -58, 3723.0)
    assert (bench.s3.device.resolution, bench.s3.device.received) == ("XGA (1024x768)", 1000.0)


def test_the_framed_mode_is_offered_to_who_knows_it_and_lost_pictures_are_counted(bench: Bench) -> None:
    device = Device(bench).send({**REGISTER, "id": "x", "frames": ["gkf1"]})
    assert device.heard()[0]["frames"] == "gkf1"
    device.send({"type": "health", "heap": 1}, *(pack(JPEG, number, 1000, 640, 480) for number in (1, 2, 5)))
    assert bench.s3.feed.frames == 3
    assert bench.s3.device is not None
    assert bench.s3.device.lost == 2


def test_a_camera_that_never_comes_is_offline_after_a_while(bench: Bench) -> None:
    assert bench.state() == (CameraState.CONNECTING, "has not connected yet")
    bench.advance(ARRIVAL + 0.2)
    assert bench.state() == (CameraState.OFFLINE, "has not connected")


def test_without_pictures_it_is_stalled_with_the_reason_and_the_next_one_heals(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, JPEG)
    bench.advance(5.9, device)
    assert bench.state() == (CameraState.LIVE, None)
    bench.advance(0.2, device)
    assert bench.state() == (CameraState.STALLED, "no picture for 6 s")
    device.send(b"no picture")
    assert bench.state()[0] is CameraState.STALLED
    device.send(JPEG)
    assert bench.state() == (CameraState.LIVE, None)
    device.send(b"no picture")
    bench.advance(6.1, device)
    assert bench.state() == (CameraState.STALLED, "nothing but parts that are no JPEG for 6 s")
    assert bench.s3.rejected == {"parts that are no JPEG": 2}
    assert bench.s3.feed.rejected == 2


def test_a_connection_that_ends_makes_it_offline_until_the_next_picture(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, JPEG)
    device.send({"type": "img_start", "id": 1, "size": 500, "chunks": 2})
    device.lose()
    assert bench.state() == (CameraState.OFFLINE, "the connection was closed in the middle of a picture")
    again = Device(bench).send(REGISTER)
    assert bench.state()[0] is CameraState.OFFLINE
    again.send(JPEG)
    assert bench.state() == (CameraState.LIVE, None)
    assert bench.s3.feed.reconnects == 1


def test_a_connection_that_went_silent_is_cut(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, JPEG)
    bench.advance(20.1)
    assert device.theirs.aborted
    device.lose()
    assert bench.state() == (CameraState.OFFLINE, "the connection went silent")


def test_one_that_answers_pings_stays(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, JPEG)
    bench.advance(40, device)
    assert not device.theirs.aborted


def test_a_message_that_is_too_large_ends_the_connection_and_nothing_else(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    device.send(bytes(MAXIMUM_MESSAGE + 1))
    bench.advance(12)
    assert device.theirs.aborted or device.theirs.disconnecting
    assert bench.s3.feed.frames == 0


def test_who_does_not_shake_hands_is_cut(bench: Bench) -> None:
    wire = Wire("10.0.0.5")
    protocol = bench.factories[Port.STREAM].buildProtocol(IPv4Address("TCP", "10.0.0.5", 50_000))
    protocol.makeConnection(wire)
    bench.advance(10.2)
    assert wire.aborted


def test_no_more_connections_than_allowed(bench: Bench) -> None:
    few = Bench(maximum=2)
    first, second, third = Device(few), Device(few, "/x"), Device(few, "/y")
    assert (first.server is None, second.server is None, third.server is None) == (False, False, True)
    second.lose()
    assert Device(few, "/y").server is not None


# --- who it is ---


@pytest.mark.parametrize(
    ("path", "address", "register", "camera"),
    [
        ("/s3", "10.0.0.5", REGISTER, "s3"),
        ("/", "10.0.0.5", {**REGISTER, "id": "kitchen"}, "named"),
        ("/?token=open+sesame", "10.0.0.5", REGISTER, "secret"),
        ("/", "10.0.0.99", REGISTER, "fixed"),
        ("/s3/", "10.0.0.5", REGISTER, None),
        ("/", "10.0.0.5", {**REGISTER, "id": "bath"}, None),
        ("/?token=wrong", "10.0.0.5", REGISTER, None),
    ],
)
def test_a_camera_is_told_by_path_id_token_or_address(
    bench: Bench, path: str, address: str, register: dict[str, Any], camera: str | None
) -> None:
    Device(bench, path, address).send(register, JPEG)
    live = [name for name, one in bench.cameras.items() if one.feed.frames]
    assert live == ([camera] if camera else [])
    assert len(bench.reception.strangers.list()) == (camera is None)


def test_a_stranger_is_listed_and_shows_no_picture_to_anybody(bench: Bench) -> None:
    device = Device(bench, "/new").send(REGISTER)
    bench.advance(2)
    device.send(JPEG)
    [stranger] = bench.reception.strangers.list()
    assert (stranger.address, stranger.path, stranger.id) == ("10.0.0.5", "/new", None)
    assert (stranger.first_seen, round(stranger.last_seen, 3), stranger.frames) == (1000.0, 1002.0, 1)
    assert (stranger.width, stranger.height, stranger.size) == (640, 480, len(JPEG))
    assert not any(camera.feed.frames for camera in bench.cameras.values())


def test_the_list_of_strangers_is_bounded(bench: Bench) -> None:
    for number in range(MAXIMUM_STRANGERS + 5):
        Device(bench, f"/n{number}").send(REGISTER).lose()
    listed = bench.reception.strangers.list()
    assert len(listed) == MAXIMUM_STRANGERS
    assert listed[0].path == f"/n{MAXIMUM_STRANGERS + 4}"


def test_a_browser_is_sent_away(bench: Bench) -> None:
    device = Device(bench, "/new").send({"type": "register", "device": "browser"})
    assert device.client.remoteCloseCode == 4403


def test_a_second_one_is_refused_while_the_first_is_alive(bench: Bench) -> None:
    first = Device(bench).send(REGISTER, JPEG)
    second = Device(bench)
    first.carry()  # the ping, and its answer
    assert second.client.remoteCloseCode == SECOND
    bench.advance(0.1)
    first.carry()
    bench.advance(3, first)
    assert not first.theirs.aborted
    assert bench.state() == (CameraState.LIVE, None)
    for _ in range(5):
        Device(bench)
        bench.advance(3, first)
    [(camera, text)] = bench.recorded
    assert (camera, text) == ("s3", "camera s3: a second connection, from 10.0.0.5, was refused")


def test_a_dead_one_makes_room_for_its_successor(bench: Bench) -> None:
    first = Device(bench).send(REGISTER, JPEG)
    bench.advance(1)
    assert Device(bench).client.remoteCloseCode == SECOND
    bench.advance(2.1)
    assert first.theirs.aborted
    first.lose()
    Device(bench).send(REGISTER, picture(900))
    assert bench.s3.feed.frames == 2


# --- what it is told ---


def test_a_setting_goes_out_as_text_and_comes_back_as_the_camera_took_it(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"resolution": 8, "quality": 12})))
    assert device.commands() == [("resolution", "8")]
    device.answer("resolution", "8 (HD (1280x720))")
    assert device.commands() == [("quality", "12")]
    device.answer("quality", "12")
    assert found == [{"resolution": "8 (HD (1280x720))", "quality": "12"}]


def test_nothing_waits_for_an_absent_camera(bench: Bench) -> None:
    with pytest.raises(NotConnected):
        bench.s3.set(decode({"quality": 12}))
    device = Device(bench).send(REGISTER)
    bench.advance(3, device)
    assert device.commands() == []


def test_one_at_a_time(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"quality": 12})))
    with pytest.raises(Busy):
        bench.s3.set(decode({"fps": 12}))
    device.answer("quality", "12")
    assert found == [{"quality": "12"}]
    result(bench.s3.set(decode({"fps": 12})))


def test_a_refusal_is_told_with_what_was_set_before(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"resolution": 8, "quality": 12})))
    device.answer("resolution", "8 (HD (1280x720))")
    device.answer("quality", "valor no válido (5-63)", "error")
    assert isinstance(found[0], Rejected)
    assert str(found[0]) == 'quality: the camera answered "valor no válido (5-63)"; set before that: resolution'


def test_no_answer_in_time_is_indeterminate_and_a_late_one_is_not_taken_for_the_next(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"quality": 12})))
    bench.advance(2.1, device)
    assert isinstance(found[0], Indeterminate)
    assert str(found[0]) == "quality: the camera did not answer within 2 s"
    again = result(bench.s3.set(decode({"quality": 20})))
    device.answer("quality", "12")
    assert again == []
    device.answer("quality", "20")
    assert again == [{"quality": "20"}]


def test_a_camera_that_goes_leaves_its_command_undecided(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"quality": 12})))
    device.lose()
    assert isinstance(found[0], Indeterminate)
    assert "the connection was lost" in str(found[0])


def test_the_resolution_that_it_has_is_not_sent_again(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, {"type": "health", "resolution": "XGA (1024x768)"})
    assert result(bench.s3.set([Command("resolution", "7")])) == [{"resolution": "7 (as it was)"}]
    assert device.commands() == []


def test_what_it_was_set_to_is_sent_again_when_it_is_back_and_a_reboot_never(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    found = result(bench.s3.set(decode({"quality": 12, "vflip": True, "reboot": True})))
    device.answer("quality", "12")
    device.answer("vflip", "on")
    device.answer("reboot", "reiniciando")
    assert found == [{"quality": "12", "vflip": "on", "reboot": "reiniciando"}]
    device.lose()
    again = Device(bench).send(REGISTER)
    bench.advance(RESTORE_AFTER + 0.1, again)
    assert again.commands() == [("quality", "12")]
    again.answer("quality", "12")
    assert again.commands() == [("vflip", "1")]
    again.answer("vflip", "on")
    assert again.commands() == []


def setting(bench: Bench, name: str) -> Any:
    [found] = [one for one in bench.s3.settings if one.name == name]
    return found


def test_one_that_it_takes_no_more_does_not_cost_the_others(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    result(bench.s3.set(decode({"quality": 12, "vflip": True, "fps": 9})))
    for cmd, value in (("quality", "12"), ("fps", "9 (actual: 8.5)"), ("vflip", "on")):
        device.answer(cmd, value)
    device.lose()
    again = Device(bench).send(REGISTER)
    bench.advance(RESTORE_AFTER + 0.1, again)
    again.answer("quality", "no", "error")
    assert again.commands() == [("quality", "12"), ("fps", "9")]
    bench.advance(2.1, again)  # it says nothing
    assert again.commands() == [("vflip", "1")]
    again.answer("vflip", "on")
    assert (setting(bench, "quality").wished, setting(bench, "quality").taken) == (12, None)


def test_somebody_who_sets_it_while_it_comes_back_does_not_cost_its_wishes(bench: Bench) -> None:
    device = Device(bench).send(REGISTER)
    result(bench.s3.set(decode({"quality": 12})))
    device.answer("quality", "12")
    device.lose()
    again = Device(bench).send(REGISTER)
    result(bench.s3.set(decode({"contrast": 1})))
    bench.advance(RESTORE_AFTER + 0.1, again)
    assert again.commands() == [("contrast", "1")]
    again.answer("contrast", "1")
    bench.advance(RESTORE_AFTER, again)
    assert again.commands() == [("quality", "12")]


def test_what_it_is_set_to_is_known_from_all_that_it_says_and_only_while_it_is_there(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, json.loads(PushDevice().greeting(5.0)[1]), json.loads(PushDevice().health(5)))
    assert [(name, setting(bench, name).taken) for name in ("resolution", "quality", "fps", "mode", "vflip")] == [
        ("resolution", 7), ("quality", 15), ("fps", 20), ("mode", "stability"), ("vflip", None),
    ]  # fmt: skip
    result(bench.s3.set(decode({"resolution": 8, "fps": 15, "mode": "speed"})))
    for cmd, value in (("resolution", "8 (HD (1280x720))"), ("fps", "15 (actual: 12.3)"), ("mode", "Velocidad")):
        device.answer(cmd, value)
    assert [(one.wished, one.taken, one.said) for one in bench.s3.settings[:4]] == [
        (8, 8, "8 (HD (1280x720))"), (None, 15, "15"), (15, 15, "15 (actual: 12.3)"), ("speed", "speed", "Velocidad"),
    ]  # fmt: skip
    known = bench.s3.device
    assert known is not None
    assert (known.resolution, known.fps, known.mode) == ("HD (1280x720)", 15, "Velocidad")
    device.lose()
    assert [(one.wished, one.taken, one.said) for one in bench.s3.settings[:2]] == [(8, None, None), (None, None, None)]
    assert not bench.s3.is_connected


def test_a_restart_is_told_with_the_reason_that_it_gives_and_whether_it_was_ordered(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, {"type": "health", "uptime": "1h 0m 0s"})
    device.lose()
    again = Device(bench).send(REGISTER, {"type": "health", "uptime": "0h 0m 4s", "reset": "BROWNOUT"})
    assert bench.restarts == [("camera s3 has restarted: BROWNOUT", False)]
    result(bench.s3.set(decode({"reboot": True})))
    again.answer("reboot", "reiniciando")
    bench.advance(6, again)
    again.lose()
    third = Device(bench).send(REGISTER, {"type": "health", "uptime": "0h 0m 2s"})
    assert bench.restarts[1:] == [("camera s3 has restarted", True)]
    assert bench.s3.device is not None
    assert bench.s3.device.restarts == 2
    assert bench.s3.device.restarted == pytest.approx(1006.0)
    bench.advance(ORDERED, third)
    third.lose()
    Device(bench).send(REGISTER, {"type": "health", "uptime": "0h 0m 2s"})
    assert bench.restarts[2:] == [("camera s3 has restarted", False)]


def test_commands_go_to_the_control_port_where_the_camera_uses_it(bench: Bench) -> None:
    stream = Device(bench).send(REGISTER, JPEG)
    control = Device(bench, port=Port.CONTROL).send(REGISTER)
    found = result(bench.s3.set(decode({"quality": 12})))
    assert (stream.commands(), control.commands()) == ([], [("quality", "12")])
    control.answer("quality", "12")
    assert found == [{"quality": "12"}]
    control.send(JPEG)  # no place for pictures
    assert bench.s3.feed.frames == 1
    control.lose()
    assert bench.state() == (CameraState.LIVE, None)
    result(bench.s3.set(decode({"quality": 13})))
    assert stream.commands() == [("quality", "13")]


def test_a_stop_cuts_everything_and_leaves_no_timer(bench: Bench) -> None:
    device = Device(bench).send(REGISTER, JPEG)
    found = result(bench.s3.set(decode({"quality": 12})))
    Device(bench)
    bench.stop()
    assert device.theirs.aborted
    assert isinstance(found[0], Indeterminate)
    assert bench.state() == (CameraState.OFFLINE, "stopped")

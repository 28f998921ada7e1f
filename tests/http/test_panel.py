"""Seed 004's control panel: its own addresses and texts, answered in its own shapes, to those who may."""

import json
from pathlib import Path
from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gatekeeper.http.either import HEAD_SECONDS, MAXIMUM_HEAD, MAXIMUM_UNDECIDED
from gatekeeper.simulators.push_device import PushDevice
from tests.cameras.pictures import picture
from tests.sites import TOKEN, Answer, Memory, Wire, answers

SETTINGS = """
listen = "tcp:8000"
[access]
admin_token = {file = "token"}
allow_plain_login = true
[[cameras]]
id = "yard"
url = "http://192.168.137.20/stream"
[[cameras]]
id = "garden"
push = {path = "/garden"}
[[cameras]]
id = "attic"
push = {path = "/attic"}
"""
MAIN, STREAM, CONTROL = 0, 1, 2  # which of the listening ports
OURS = {"Origin": "http://gate.local:8000"}
JPEG = picture(500, width=640, height=480)
STATS = {
    "connected", "frames_received", "frames_chunked", "frames_failed", "total_bytes", "fps", "last_frame_time",
    "camera_ip", "browsers_connected", "start_time", "pending_commands", "uptime", "uptime_formatted",
}  # fmt: skip


class _Client(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    def onOpen(self) -> None:
        self.texts: list[Any] = []
        self.pictures: list[bytes] = []

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.pictures.append(payload) if isBinary else self.texts.append(json.loads(payload))

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> None:
        self.closed = code
        super().onCloseFrame(code, reasonRaw)


class Socket:
    """One end of a WebSocket on a port of the site's; bytes are carried by hand."""

    def __init__(self, gate: "Gate", path: str = "/garden", port: int = STREAM, **headers: str) -> None:
        origin = headers.pop("Origin", None)
        number = gate.net.tcpServers[port][0]
        factory = WebSocketClientFactory(
            f"ws://gate.local:{number}{path}", origin=origin, headers=headers, reactor=gate.net
        )
        factory.protocol = _Client
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        self.gate = gate
        self.ours, self.theirs = Wire(), Wire()
        address = IPv4Address("TCP", "192.168.137.2", 50_000)
        server: Any = gate.net.tcpServers[port][1].buildProtocol(address)
        self.theirs.protocol = server
        self.client: Any = factory.buildProtocol(address)
        server.makeConnection(self.theirs)
        self.client.makeConnection(self.ours)
        self.client.closed = None
        self.carry()
        gate.net.advance(0)
        self.carry()

    def carry(self) -> None:
        while self.ours.value() or self.theirs.value():
            up, down = self.ours.value(), self.theirs.value()
            self.ours.clear()
            self.theirs.clear()
            if up:
                self.theirs.protocol.dataReceived(up)
            if down:
                self.client.dataReceived(down)

    def send(self, *messages: Any) -> "Socket":
        for message in messages:
            if isinstance(message, bytes):
                self.client.sendMessage(message, True)
            else:
                self.client.sendMessage(message.encode() if isinstance(message, str) else json.dumps(message).encode())
        self.carry()
        return self

    def heard(self) -> list[Any]:
        self.carry()
        heard, self.client.texts = self.client.texts, []
        return list(heard)

    def shown(self) -> list[bytes]:
        self.carry()
        shown, self.client.pictures = self.client.pictures, []
        return list(shown)


class Gate(Memory):
    """A site with two cameras that connect to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SETTINGS)
        self.site._devices.startService()
        self.device = PushDevice(speed=True, resolution=5)

    def camera(self, name: str = "garden") -> Socket:
        """Let a camera connect, and answer what it is told."""
        socket = Socket(self, f"/{name}", Origin="file://")
        socket.send(*self.device.greeting(3723.0), JPEG)
        socket.heard()
        return socket

    def obey(self, camera: Socket) -> list[tuple[str, str]]:
        """Let the camera answer; return the commands that it heard."""
        heard = [message for message in camera.heard() if message.get("type") == "command"]
        for command in heard:
            camera.send(*self.device.heard(json.dumps(command))[0])
        return [(command["cmd"], command["val"]) for command in heard]

    def get(self, path: str) -> Answer:
        return self.ask("GET", path, self.bearer)

    def command(self, path: str, camera: Socket | None, headers: dict[str, str] | None = None) -> Answer:
        wire = self.send("POST", path, self.bearer if headers is None else headers)
        if camera is not None:
            self.obey(camera)
        [answer] = answers(wire.value())
        return answer

    def browser(self, path: str = "/garden", port: int = STREAM, **headers: str) -> Socket:
        headers = headers or {**OURS, "Cookie": self.cookie()}
        return Socket(self, path, port, **headers).send({"type": "register", "device": "browser", "timestamp": 1.7e12})


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


# --- HTTP, on the site's own port ---


def test_the_counts_have_the_seeds_shape(gate: Gate) -> None:
    gate.camera().send(
        '{"type":"img_start","id":2,"size":700,"chunks":1,"chunkSize":1024,"width":640,"height":480}',
        b"no picture",
        '{"type":"img_end","id":2,"size":700,"success":true}',
    )
    answer = gate.get("/api/stats").json
    assert set(answer) == {"status", "camera_connected", "stats", "browsers_connected"}
    assert (answer["status"], answer["camera_connected"], answer["browsers_connected"]) == ("ok", True, 0)
    stats = answer["stats"]
    assert set(stats) == STATS
    assert (stats["frames_received"], stats["frames_chunked"], stats["frames_failed"]) == (1, 1, 1)
    assert (stats["total_bytes"], stats["camera_ip"]) == (len(JPEG), "192.168.137.2")
    assert stats["last_frame_time"].startswith("2027-01-15T08:00:00")
    assert (stats["uptime_formatted"], stats["pending_commands"]) == ("00:00:00", 0)


def test_the_other_answers_have_the_seeds_shape(gate: Gate) -> None:
    health = gate.get("/api/health").json
    assert set(health) == {"status", "uptime", "timestamp", "version"}
    assert health["status"] == "healthy"
    resolutions = gate.get("/api/resolutions").json
    assert (resolutions["status"], resolutions["default"]) == ("ok", 7)
    assert resolutions["resolutions"]["7"] == "XGA (1024x768)"
    assert list(resolutions["resolutions"]) == [str(number) for number in range(13)]
    commands = gate.get("/api/commands").json
    assert commands["commands"]["resolution"] | {"description": ""} == {
        "type": "int", "range": [0, 12], "description": "",
    }  # fmt: skip
    assert commands["commands"]["reboot"]["type"] == "trigger"
    assert {"flash", "saturation"}.isdisjoint(commands["commands"])  # the firmware has none


@pytest.mark.parametrize(
    ("path", "heard", "value"),
    [
        ("/api/command/resolution/8", ("resolution", "8"), "8"),
        ("/api/command/quality/20", ("quality", "20"), "20"),
        ("/api/command/brightness/-2", ("brightness", "-2"), "-2"),
        ("/api/command/vflip/on", ("vflip", "1"), "on"),
        ("/api/command/mode/velocidad", ("mode", "0"), "velocidad"),
        ("/api/command/reboot", ("reboot", ""), ""),
    ],
)
def test_a_command_is_sent_by_post_and_answered_by_the_camera(
    gate: Gate, path: str, heard: tuple[str, str], value: str
) -> None:
    camera = gate.camera()
    wire = gate.send("POST", path, gate.bearer)
    assert gate.obey(camera) == [heard]
    [answer] = answers(wire.value())
    assert answer.status == 200
    assert {name: answer.json[name] for name in ("status", "command", "value")} == {
        "status": "success", "command": heard[0], "value": value,
    }  # fmt: skip
    assert answer.json["taken"]


def test_a_command_by_get_is_refused_and_nothing_is_sent(gate: Gate) -> None:
    camera = gate.camera()
    for path in ("/api/command/reboot", "/api/command/quality/20"):
        answer = gate.get(path)
        assert (answer.status, answer.code, answer.fields["allow"]) == (405, "method_not_allowed", "POST")
    assert gate.obey(camera) == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/command/quality/4", 400, "invalid_argument"),
        ("/api/command/quality/much", 400, "invalid_argument"),
        ("/api/command/vflip/2", 400, "invalid_argument"),
        ("/api/command/flash/1", 400, "invalid_argument"),
        ("/api/command/quality/20?camera=attic", 503, "not_connected"),
        ("/api/command/quality/20?camera=yard", 404, "no_such_camera"),
    ],
)
def test_what_can_not_be_done_is_told_in_our_own_shape(gate: Gate, path: str, status: int, code: str) -> None:
    gate.camera()
    answer = gate.command(path, None)
    assert (answer.status, answer.code) == (status, code)


def test_nobody_gets_anything_without_logging_in_and_no_other_page_a_command(gate: Gate) -> None:
    gate.camera()
    for path in ("/mjpeg", "/api/stats", "/api/health", "/api/resolutions", "/api/commands", "/api/images/latest"):
        assert gate.ask("GET", path).code == "not_authenticated", path
    assert gate.command("/api/command/reboot", None, {}).status == 401
    foreign = {"Cookie": gate.cookie(), "Origin": "http://evil.example"}
    assert gate.command("/api/command/reboot", None, foreign).code == "denied"


def test_pictures_are_of_the_camera_that_is_asked_for(gate: Gate) -> None:
    gate.camera("attic")
    assert gate.get("/api/images/latest").code == "no_picture"  # garden is the first, and not here
    assert gate.get("/api/images/latest?camera=attic").body == JPEG
    stream = gate.send("GET", "/mjpeg?camera=attic", gate.bearer).value()
    assert b"multipart/x-mixed-replace" in stream
    assert JPEG in stream
    assert gate.get("/mjpeg?camera=yard").code == "no_such_camera"


# --- HTTP, where cameras connect for control ---


def at_control(gate: Gate, data: bytes) -> Wire:
    address = IPv4Address("TCP", "192.168.137.2", 50_000)
    server: Any = gate.net.tcpServers[CONTROL][1].buildProtocol(address)
    wire = Wire()
    wire.protocol = server
    server.makeConnection(wire)
    for at in range(0, len(data), 7):
        wire.protocol.dataReceived(data[at : at + 7])
    return wire


def request(path: str, gate: Gate | None = None) -> bytes:
    key = f"Authorization: Bearer {TOKEN}\r\n" if gate is not None else ""
    return f"GET {path} HTTP/1.1\r\nHost: gate.local:6971\r\n{key}\r\n".encode()


def test_the_control_port_answers_the_panel_and_nothing_else_of_the_site(gate: Gate) -> None:
    gate.camera()
    [answer] = answers(at_control(gate, request("/api/stats", gate)).value())
    assert answer.json["stats"]["frames_received"] == 1
    [answer] = answers(at_control(gate, request("/api/stats")).value())
    assert answer.code == "not_authenticated"
    for path in ("/cameras", "/doors", "/login", "/ws", "/api/access/me", "/video_feed", "/api/stats/x"):
        [answer] = answers(at_control(gate, request(path, gate)).value())
        assert (answer.status, answer.code) == (404, "not_found"), path
    [answer] = answers(at_control(gate, request("/")).value())
    assert (answer.status, answer.fields["location"]) == (302, "http://gate.local:8000/")
    assert JPEG in at_control(gate, request("/mjpeg", gate)).value()


def test_cameras_still_take_their_commands_there(gate: Gate) -> None:
    gate.camera()
    control = Socket(gate, "/garden", CONTROL, Origin="file://").send(*gate.device.greeting(1.0)).send()
    wire = gate.send("POST", "/api/command/quality/20", gate.bearer)
    assert gate.obey(control) == [("quality", "20")]
    assert answers(wire.value())[0].status == 200


def test_who_says_nothing_there_is_cut_and_they_are_few(gate: Gate) -> None:
    silent = at_control(gate, b"GET / HT")
    endless = at_control(gate, b"GET / HTTP/1.1\r\nA: " + b"a" * MAXIMUM_HEAD)
    assert endless.aborted
    endless.protocol.connectionLost()
    gate.net.advance(HEAD_SECONDS - 0.1)
    assert not silent.aborted
    gate.net.advance(0.2)
    assert silent.aborted
    silent.protocol.connectionLost()
    for _ in range(MAXIMUM_UNDECIDED):
        at_control(gate, b"G")
    assert gate.net.tcpServers[CONTROL][1].buildProtocol(IPv4Address("TCP", "192.168.137.2", 1)) is None


# --- browsers on the cameras' port ---


def test_a_browser_is_told_and_shown_what_the_seeds_page_expects(gate: Gate) -> None:
    camera = gate.camera()
    browser = gate.browser()
    [status] = browser.heard()
    assert set(status) == {"type", "camera_connected", "stats"}
    assert (status["type"], status["camera_connected"], set(status["stats"])) == ("status", True, STATS)
    assert status["stats"]["browsers_connected"] == 1
    assert browser.shown() == [JPEG]
    other = picture(700, seed=5)
    camera.send(other, gate.device.health(3733.0))
    assert browser.shown() == [other]
    [health] = browser.heard()
    assert (health["type"], set(health)) == ("camera_health", {"type", "data", "server_time"})
    assert health["data"] | {"ip": ""} == {
        "type": "health", "frames": 0, "dropped": 0, "heap": 201_344, "minHeap": 180_112, "rssi": -58,
        "uptime": "1h 2m 13s", "ip": "", "model": "OV3660", "resolution": "VGA (640x480)", "quality": 15,
    }  # fmt: skip
    [stats] = browser.send({"type": "request_stats"}).heard()
    assert (stats["type"], set(stats)) == ("server_stats", {"type", "data", "timestamp"})
    assert stats["data"]["frames_received"] == 2
    assert gate.get("/cameras/garden").json["viewers"] == 1


def test_a_browsers_command_goes_to_the_camera_and_its_answer_comes_back(gate: Gate) -> None:
    camera, browser = gate.camera(), gate.browser()
    browser.heard()
    browser.send({"type": "command", "cmd": "quality", "val": 12})  # a number, as the seed's page sends it
    assert gate.obey(camera) == [("quality", "12")]
    assert browser.heard() == [{"type": "response", "cmd": "quality", "status": "ok", "value": "12"}]
    browser.send({"type": "command", "cmd": "flash", "val": 1})
    [answer] = browser.heard()
    assert (answer["cmd"], answer["status"]) == ("flash", "error")
    events = gate.get("/events?kind=camera.set").json["events"]
    assert events[0]["details"]["taken"] == {"quality": "12"}


def test_a_browser_hears_that_its_camera_goes_and_comes(gate: Gate) -> None:
    camera, browser = gate.camera(), gate.browser()
    browser.heard()
    browser.shown()
    camera.theirs.protocol.connectionLost(Failure(ConnectionDone()))
    assert [message["camera_connected"] for message in browser.heard()] == [False]
    late = gate.browser()
    assert late.shown() == []  # an old picture would look like a new one
    gate.camera()
    assert browser.heard()[-1]["camera_connected"] is True
    assert browser.shown() == [JPEG]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 4401),
        ({"Origin": "http://gate.local:8000"}, 4401),
        ({"Origin": "http://gate.local:8000", "Cookie": "gatekeeper=nonsense"}, 4401),
        ({"Origin": "http://evil.example", "Authorization": f"Bearer {TOKEN}"}, 4403),
        ({"Origin": "http://gate.local:3000", "Authorization": f"Bearer {TOKEN}"}, 4403),
        ({"Origin": "null", "Authorization": "Bearer nonsense"}, 4401),
    ],
)
def test_a_browser_without_log_in_or_from_another_page_is_sent_away(
    gate: Gate, headers: dict[str, str], code: int
) -> None:
    gate.camera("attic")
    browser = gate.browser("/?camera=attic", STREAM, **(headers or {"X-Nothing": "1"}))
    assert browser.client.closed == code
    assert browser.client.pictures == []
    assert gate.site.viewing.seats.taken == 0


def test_a_script_with_a_key_is_let_in_and_chooses_its_camera(gate: Gate) -> None:
    gate.camera("attic")
    browser = gate.browser("/?camera=attic", Authorization=f"Bearer {TOKEN}")
    assert browser.shown() == [JPEG]


def test_a_page_is_never_taken_for_a_camera(gate: Gate) -> None:
    page = Socket(gate, "/garden", Origin="http://evil.example").send(JPEG, *gate.device.greeting(1.0), JPEG)
    assert page.client.closed == 4403
    assert gate.get("/cameras/garden").json["frames"] == 0
    assert gate.get("/api/cameras/strangers").json == []
    gate.camera()
    assert gate.get("/cameras/garden").json["frames"] == 1


def test_who_logs_out_sees_no_more(gate: Gate) -> None:
    camera = gate.camera()
    cookie = gate.cookie()
    browser = gate.browser(Origin=OURS["Origin"], Cookie=cookie)
    browser.shown()
    gate.ask("POST", "/logout", {"Cookie": cookie})
    browser.carry()
    assert browser.client.closed == 4401
    camera.send(picture(900))
    assert browser.shown() == []
    assert gate.site.viewing.seats.taken == 0


def test_a_browser_that_does_not_read_skips_pictures_and_goes_on_with_the_newest(gate: Gate) -> None:
    camera, browser = gate.camera(), gate.browser()
    browser.shown()
    producer: Any = browser.theirs.producer
    producer.pauseProducing()
    pictures = [picture(300 + number) for number in range(5)]
    camera.send(*pictures)
    assert browser.shown() == []
    producer.resumeProducing()
    assert browser.shown() == [pictures[-1]]


def test_a_camera_that_is_taken_away_ends_its_browsers(gate: Gate) -> None:
    gate.camera()
    browser = gate.browser()
    Deferred.fromCoroutine(gate.site.viewing.remove("garden"))
    gate.net.advance(0)
    browser.carry()
    assert browser.client.closed == 4404
    assert gate.site.viewing.browsers["garden"] == 0

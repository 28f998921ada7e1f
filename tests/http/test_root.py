"""What answers at the top: streams by their path, the WebSocket, and the routes for all else."""

from pathlib import Path

import pytest

from tests.sites import SETTINGS, Memory, answers


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


@pytest.mark.parametrize("path", ["/cameras/yard/stream.mjpg", "/video_feed", "/cameras/hall/stream.mjpg?t=1"])
def test_a_stream_begins_for_who_may_watch(gate: Memory, path: str) -> None:
    received = gate.send("GET", path, gate.bearer).value()
    head, _, _ = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"multipart/x-mixed-replace" in head
    watched = {name: stream.metrics.viewers for name, stream in gate.site.viewing.streams.items()}
    assert watched == ({"yard": 0, "hall": 1} if "hall" in path else {"yard": 1, "hall": 0})


@pytest.mark.parametrize("path", ["/cameras/yard/stream.mjpg", "/cameras/none/stream.mjpg", "/video_feed"])
def test_who_may_not_watch_learns_nothing_of_the_cameras(gate: Memory, path: str) -> None:
    answer = gate.ask("GET", path)
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert b"yard" not in answer.body


def test_a_site_without_cameras_has_no_first_one(tmp_path: Path) -> None:
    gate = Memory(tmp_path, '[access]\nadmin_token = {file = "token"}')
    for path in ("/video_feed", "/cameras/yard/stream.mjpg"):
        assert gate.ask("GET", path, gate.bearer).code == "no_such_camera"
    assert gate.ask("GET", "/cameras", gate.bearer).json == []


def test_the_websocket_is_offered_to_who_asks_to_upgrade(gate: Memory) -> None:
    received = gate.send(
        "GET",
        "/ws",
        {
            "Upgrade": "WebSocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "wamp.2.json",
        },
    ).value()
    assert received.startswith(b"HTTP/1.1 101 ")
    assert b"wamp.2.json" in received


def test_the_websocket_told_a_browser_that_only_looks_what_it_is(gate: Memory) -> None:
    for headers in ({}, {"Upgrade": "h2c"}):
        [answer] = answers(gate.send("GET", "/ws", headers).value())
        assert (answer.status, answer.code, answer.fields["upgrade"]) == (426, "upgrade_required", "websocket")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_the_websocket_and_the_streams_are_got_alone(gate: Memory, method: str) -> None:
    for path, headers in (("/ws", {"Upgrade": "websocket"}), ("/video_feed", gate.bearer)):
        answer = gate.ask(method, path, headers)
        assert (answer.status, answer.code, answer.fields["allow"]) == (405, "method_not_allowed", "GET, HEAD")


@pytest.mark.parametrize("path", ["/ws/x", "/%77s", "/cameras/yard/stream.mjpgx", "/xcameras/yard/stream.mjpg"])
def test_what_only_resembles_is_not_found(gate: Memory, path: str) -> None:
    assert gate.ask("GET", path, gate.bearer).code == "not_found"


# --- feeds that are made of a camera's ---

HALL = 'url = "http://192.168.137.22/stream"'
FEEDS = SETTINGS.replace(HALL, f'{HALL}\nfeeds = [{{name = "small", width = 320}}]')


def test_a_feed_that_is_made_of_a_cameras_has_a_stream_of_its_own(tmp_path: Path) -> None:
    gate = Memory(tmp_path, FEEDS)
    wire = gate.send("GET", "/cameras/hall/feeds/small/stream.mjpg", gate.bearer)
    received = wire.value()
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"multipart/x-mixed-replace" in received
    hall = gate.site.viewing.viewed["hall"]
    assert [stream.metrics.viewers for stream in hall.streams] == [0, 1]
    assert gate.ask("GET", "/cameras/hall", gate.bearer).json["viewers"] == 1
    assert gate.ask("GET", "/cameras/hall", gate.bearer).json["feeds"] == ["small"]
    gate.site.viewing.end_streams(lambda principal: principal is not None and principal.name == "admin")
    assert wire.disconnecting


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/cameras/hall/feeds/large/", "no_such_feed"),
        ("/cameras/yard/feeds/small/", "no_such_feed"),
        ("/cameras/none/feeds/small/", "no_such_camera"),
    ],
)
def test_a_feed_that_is_not_there_is_told(tmp_path: Path, path: str, code: str) -> None:
    gate = Memory(tmp_path, FEEDS)
    for name in ("stream.mjpg", "snapshot.jpg"):
        assert gate.ask("GET", path + name, gate.bearer).code == code
        assert gate.ask("GET", path + name).code == "not_authenticated"
    assert gate.ask("POST", "/cameras/hall/feeds/small/stream.mjpg", gate.bearer).code == "method_not_allowed"
    assert gate.ask("GET", "/cameras/hall/feeds/small/snapshot.jpg", gate.bearer).code == "no_picture"

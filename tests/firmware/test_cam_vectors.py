"""The shared vectors of the ESP32-CAM and of Wi-Fi, and what the server's own readers make of the core's bytes."""

import ctypes
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras import content_type
from gatekeeper.cameras.multipart import Ended, Parser, Part
from tests.cameras.pictures import SOI, picture, segment
from tests.firmware.conftest import FIRMWARE
from tests.firmware.own_camera import WRAP, Core, Ending, Put, text
from tests.firmware.own_wifi import Wifi

MJPEG = json.loads((FIRMWARE / "vectors" / "mjpeg.json").read_text())
WIFI = json.loads((FIRMWARE / "vectors" / "wifi.json").read_text())
BODIES = {size: picture(size) for size in (30, 2000, 8000)}
ROUTES = (None, "page", "stream", "capture", "health")


def _named(case: dict[str, Any]) -> str:
    return " ".join(str(case.get(key, "")) for key in ("method", "target", "authorization", "status"))


@pytest.mark.parametrize("case", MJPEG["requests"], ids=_named)
def test_a_request_is_decided(core: ctypes.CDLL, case: dict[str, Any]) -> None:
    fields = (case["method"], case["target"], case.get("authorization", ""), case.get("token", ""))
    decided = core.gk_mjpeg_decide(*(field.encode() for field in fields))
    assert (decided % 1000, ROUTES[decided // 1000]) == (case["status"], case.get("route"))


@pytest.mark.parametrize("case", MJPEG["parts"], ids=lambda case: case["size"])
def test_a_part_has_its_head(core: ctypes.CDLL, case: dict[str, Any]) -> None:
    head = text(core, "part_head", ctypes.c_size_t(case["size"]), ctypes.c_uint64(case["taken"]))
    assert head.decode() == case["head"]


def test_a_part_is_one_to_the_server(core: ctypes.CDLL) -> None:
    jpeg = picture(500)
    part = text(core, "part_head", ctypes.c_size_t(len(jpeg)), ctypes.c_uint64(5)) + jpeg
    parser = Parser("frame", 1 << 20)
    assert parser.receive_data(b"--frame" + part) == [Part(jpeg, 640, 480)]
    assert parser.receive_data(text(core, "behind_picture")) == []
    assert not parser.in_part  # silence is silence, not a picture that does not end
    assert parser.receive_data(part) == [Part(jpeg, 640, 480)]
    assert parser.receive_data(text(core, "behind_picture") + b"--\r\n") == [Ended()]


def test_the_stream_has_the_headers_that_it_needs_and_no_other(core: ctypes.CDLL) -> None:
    wanted = MJPEG["stream"]
    head = text(core, "stream_head").decode()
    assert head.endswith(wanted["before_first"])
    assert text(core, "behind_picture").decode() == wanted["behind_picture"]
    lines = head.partition("\r\n\r\n")[0].split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    assert (
        content_type.boundary(headers.pop("content-type")) == content_type.boundary(wanted["content_type"]) == "frame"
    )
    assert headers == wanted["headers"]
    assert not headers.keys() & set(wanted["absent"])


@pytest.mark.parametrize("start", [0, WRAP - 1, WRAP - 50_000, WRAP // 2], ids=hex)
@pytest.mark.parametrize("script", WIFI["scripts"], ids=lambda script: script["name"])
def test_wifi_does_what_is_written(core: ctypes.CDLL, script: dict[str, Any], start: int) -> None:
    wifi = Wifi(core, script["networks"])
    for after, event, said, state in script["steps"]:
        assert (after, wifi.event(event, start + after), wifi.state.name.lower()) == (after, said, state)
    wifi.delete()


@given(st.data())
def test_wifi_comes_back_whatever_happened(core: ctypes.CDLL, data: st.DataObject) -> None:
    now = data.draw(st.integers(0, WRAP - 1))
    wifi = Wifi(core, data.draw(st.integers(1, 3)))
    wifi.luck(data.draw(st.integers(0, WRAP - 1)))
    wifi.event("start", now)
    names = st.sampled_from(("address", "address_lost", "disconnected", "tick"))
    for name, pause in data.draw(st.lists(st.tuples(names, st.integers(0, 40_000)), max_size=30)):
        now += pause
        wifi.event(name, now)
    joins = 0
    for _ in range(600):  # a minute, and the network is there
        now += 100
        said = wifi.event("tick", now)
        joins += "join" in said
        if "join" in said:
            wifi.event("address", now)
    assert wifi.state.name == "UP"
    assert joins <= 1
    wifi.delete()


class Wire:
    """Sockets in memory that take as much as they please, with the server's parser behind each."""

    def __init__(self, library: ctypes.CDLL, chance: random.Random, slots: int, start: int) -> None:
        self.now = start
        self.chance = chance
        self.room: dict[int, int] = {}  # bytes that each takes still
        self.heads: dict[int, bytes] = {}  # of answers, until whole
        self.parsers: dict[int, Parser] = {}
        self.seen: dict[int, list[int]] = {}  # places of pictures
        self.shown: list[bytes] = []
        self.endings: list[Ending] = []
        self.core = Core(library, self.write, self.close, slots=slots)

    def ask(self) -> None:
        viewer = self.core.request("GET", "/stream", "", self.now)
        if viewer >= 0:
            self.room[viewer] = self.chance.choice((0, 500, 10_000, 1 << 30))
            self.heads[viewer] = b""
            self.parsers[viewer] = Parser("frame", 1 << 20)
            self.seen[viewer] = []

    def take(self, size: int) -> Put:
        jpeg = BODIES[size].replace(SOI, SOI + segment(0xFE, b"%d" % len(self.shown)), 1)
        put = self.core.picture(jpeg, self.now, self.now)
        if put is Put.STORED:
            self.shown.append(jpeg)
        return put

    def write(self, viewer: int, data: bytes) -> int:
        count = min(self.room[viewer], len(data), self.chance.choice((1, 1436, 1436, 1436, 1 << 20)))
        self.room[viewer] -= count
        body = data[:count]
        if viewer in self.heads:
            whole, end, body = (self.heads.pop(viewer) + body).partition(b"\r\n\r\n")
            if not end:
                self.heads[viewer] = whole
            elif b" 200 " not in whole:
                body = b""  # there was no place
        for event in self.parsers[viewer].receive_data(body):
            assert isinstance(event, Part | Ended)
            if isinstance(event, Part):
                self.seen[viewer].append(self.shown.index(event.jpeg))
        return count

    def close(self, viewer: int, why: Ending) -> None:
        self.endings.append(why)
        self.check(viewer)

    def leave(self, viewer: int) -> None:
        self.core.gone(viewer)
        self.check(viewer)

    def check(self, viewer: int) -> None:
        """What it saw is whole, in order and nothing twice; then it is forgotten."""
        places = self.seen.pop(viewer)
        assert places == sorted(set(places))
        del self.room[viewer]
        self.heads.pop(viewer, None)


def test_a_hundred_seeds_of_traffic_and_every_picture_is_whole(core: ctypes.CDLL) -> None:
    pictures, endings = 0, set()
    for seed in range(100):
        chance = random.Random(seed)  # noqa: S311 - traffic, not secrets
        wire = Wire(core, chance, chance.randint(1, 6), chance.choice((0, WRAP - 4000)))
        for _ in range(120):
            wire.now += chance.choice((1, 10, 80, 80, 400, 1500))
            what = chance.random()
            if what < 0.15:
                wire.ask()
            elif what < 0.3 and wire.room:
                wire.room[chance.choice(list(wire.room))] += chance.choice((100, 5000, 1 << 30))
            elif what < 0.33 and wire.room:
                wire.leave(chance.choice(list(wire.room)))
            elif what < 0.9:
                wire.take(chance.choice(list(BODIES)))
            wire.core.pump(wire.now)
            assert wire.core.taken == len(wire.room)
        pictures += len(wire.shown)
        endings.update(wire.endings)
        for viewer in list(wire.room):
            wire.leave(viewer)
        assert (wire.core.held, wire.core.taken) == (0, 0)
        wire.core.delete()
    assert pictures > 4000
    assert endings >= {Ending.SERVED, Ending.STALLED, Ending.SLOW}

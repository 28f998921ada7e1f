"""The push camera: the core and its likeness in Python against the same vectors, the server, and each other."""

import ctypes
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.cameras import jpeg as server_jpeg
from gatekeeper.cameras.push import abilities, framing
from gatekeeper.cameras.push.settings import NAMES, RESOLUTIONS
from gatekeeper.simulators import own_push_words
from gatekeeper.simulators.own_push_device import Link
from gatekeeper.simulators.own_push_link import Backoff
from gatekeeper.simulators.own_push_pace import measure
from gatekeeper.simulators.own_push_telling import Readings, uptime
from gatekeeper.simulators.own_push_words import RANGES, Command, Refusal, Registered
from gatekeeper.simulators.push_device import pack
from tests.cameras.pictures import picture
from tests.firmware.push_cameras import LINKS, WRAP, Core, CoreCamera, LikeCamera

VECTORS: Final = json.loads((Path(__file__).parents[2] / "firmware/vectors/push_camera.json").read_text())
JPEG: Final = picture(300, width=640, height=480)


@pytest.fixture(scope="module")
def push(core: ctypes.CDLL) -> Core:
    return Core(core)


@pytest.fixture(params=["core", "likeness"])
def cameras(request: pytest.FixtureRequest, push: Core) -> Iterator[Any]:
    made: list[CoreCamera] = []

    def make(**options: Any) -> Any:
        if request.param == "likeness":
            return LikeCamera(**options)
        made.append(CoreCamera(push, **options))
        return made[-1]

    yield make
    for camera in made:
        camera.free()


def told(heard: own_push_words.Heard) -> str:
    """Return what was heard in the words of the core's C interface."""
    match heard:
        case Command():
            value = f" {heard.value}" if heard.name in RANGES else ""
            return f"{'set ' if value else ''}{heard.name}{value} {heard.id or '-'}"
        case Refusal():
            return f"refused {heard.cmd.encode().hex()} {heard.id or '-'}: {heard.why}"
        case Registered():
            return f"registered {'framed' if heard.is_framed else 'plain'}"
        case other:
            return other.value


# --- vectors ---------------------------------------------------------------------------------------------------------


def test_commands_are_heard_as_the_vectors_say(push: Core) -> None:
    for text, largest, expected in VECTORS["commands"]:
        assert push.hear(text.encode(), largest) == expected, text
        assert told(own_push_words.hear(text.encode(), largest)) == expected, text


def test_uptimes_are_told_as_the_vectors_say(push: Core) -> None:
    for milliseconds, expected in VECTORS["uptimes"]:
        assert push.told("uptime_text", milliseconds) == uptime(milliseconds) == expected


def test_waits_are_as_the_vectors_say(push: Core) -> None:
    for one in VECTORS["waits"]:
        count = len(one["luck"])
        waits = (ctypes.c_uint32 * count)()
        push.backoff_waits(one["first"], one["most"], (ctypes.c_uint32 * count)(*one["luck"]), count, waits)
        backoff = Backoff(one["first"], one["most"])
        assert list(waits) == [backoff.next(luck) for luck in one["luck"]] == one["waits"]


def test_headers_are_as_the_vectors_say_and_the_server_reads_them(push: Core) -> None:
    for one in VECTORS["headers"]:
        payload, header = bytes.fromhex(one["payload"]), bytes.fromhex(one["header"])
        figures = one["sequence"], one["milliseconds"], one["width"], one["height"]
        sequence, milliseconds, width, height = figures
        out = ctypes.create_string_buffer(framing.SIZE)
        crc = push.crc32(payload, len(payload))
        push.frame_header(sequence, milliseconds, one["is_unix"], 0, width, height, len(payload), crc, out)
        assert out.raw == header
        assert pack(payload, sequence, milliseconds, width, height, is_unix=one["is_unix"]) == header + payload
        assert framing.unpack(header + payload) == framing.Framed(sequence, milliseconds, one["is_unix"], payload)


@pytest.mark.parametrize("course", VECTORS["courses"], ids=lambda course: course["name"])
def test_courses_of_events_lead_to_the_orders_of_the_vectors(cameras: Any, course: dict[str, Any]) -> None:
    camera = cameras(has_control=course["has_control"])
    now = start = course["start"]
    for (event, *more), expected in course["events"]:
        match event:
            case "network":
                camera.network(bool(more[0]), now)
            case "tick":
                now += more[0]
                camera.tick(now, Readings(200_000, 180_000, 8_000_000, -58, now - start, "10.0.0.7"))
            case "text":
                camera.text(Link(more[0]), more[1].encode(), now)
            case "picture":
                camera.picture(bytes.fromhex(more[0]), 1_700_000_000_123, now)
            case _:
                getattr(camera, event)(Link(more[0]), now)
        assert camera.asked() == expected, (event, more)


# --- the server's side -----------------------------------------------------------------------------------------------


def test_the_settings_are_those_that_the_server_knows(push: Core) -> None:
    assert {*RANGES, "reboot"} == set(NAMES)
    assert len(RESOLUTIONS) == RANGES["resolution"].most + 1
    assert (RANGES["quality"].least, RANGES["quality"].most) == abilities.OWN.quality
    for name, one in RANGES.items():
        for value in (one.least, one.most):
            text = json.dumps({"type": "command", "cmd": name, "val": str(value)}).encode()
            assert push.hear(text) == f"set {name} {value} -"


def _damaged(rng: random.Random) -> bytes:
    jpeg = bytearray(picture(rng.randrange(0, 80), seed=rng.randrange(5)))
    for _ in range(rng.randrange(4)):
        jpeg[rng.randrange(len(jpeg))] = rng.choice((0x00, 0x01, 0xC0, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xFF))
    padding = bytes(rng.choice((0, 0, 1, 127, 128, 129)))
    return bytes(jpeg[: rng.choice((len(jpeg), rng.randrange(len(jpeg))))]) + padding


def test_a_picture_is_whole_for_the_core_where_it_is_for_the_server(push: Core) -> None:
    rng, whole = random.Random(7), 0  # noqa: S311 - no secret
    for _ in range(20_000):
        jpeg = _damaged(rng)
        found = server_jpeg.inspect(jpeg)
        expected = None if isinstance(found, server_jpeg.Flaw) else (found.width, found.height, found.end)
        assert push.measure(jpeg) == expected, jpeg.hex()
        assert measure(jpeg) == expected, jpeg.hex()
        whole += expected is not None
    assert 2_000 < whole < 18_000


# --- the core and its likeness ---------------------------------------------------------------------------------------

_SCALARS: Final = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=12) | st.floats(-9, 99)
_NAMES: Final = st.sampled_from(["type", "cmd", "val", "id", "status", "frames"]) | st.text(max_size=5)
_WORDS: Final = st.sampled_from(["command", "ok", "gkf1", "reboot", "stats", *RANGES, "on", "speed", "5", "-2"])


@settings(max_examples=300)
@given(
    st.dictionaries(_NAMES, _SCALARS | _WORDS, max_size=18),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=2)), max_size=2),
)
def test_whatever_is_said_is_heard_alike(push: Core, said: dict[str, Any], escaped: bool, cuts: list[Any]) -> None:
    text = json.dumps({"type": "command"} | said, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    for at, piece in cuts:
        text = text[: at % (len(text) + 1)] + piece + text[(at + 1) % (len(text) + 1) :]
    assert push.hear(text) == told(own_push_words.hear(text))


def test_texts_that_were_damaged_on_the_way_are_heard_alike(push: Core) -> None:
    rng, understood = random.Random(3), 0  # noqa: S311 - no secret
    for _ in range(20_000):
        text, largest, _ = rng.choice(VECTORS["commands"])
        damaged = bytearray(text.encode())
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(damaged) + 1)
            damaged[at : at + rng.randrange(3)] = rng.choice(
                (b"", b'"', b"\\", b"\\u00", b"0", b"\xc3\xa9", b"\xed", b",", b" ")
            )
        expected = told(own_push_words.hear(bytes(damaged), largest))
        assert push.hear(bytes(damaged), largest) == expected, damaged
        understood += expected != "garbled"
    assert 2_000 < understood < 18_000


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=5), _SCALARS, max_size=6))
def test_flat_objects_are_read_as_python_reads_them(push: Core, said: dict[str, Any]) -> None:
    text = json.dumps(said).encode()
    for name, value in said.items():
        if "\0" in name:
            continue  # C's strings end there
        assert push.string(text, name) == (value if isinstance(value, str) else "")


_TEXTS: Final = (
    b'{"status":"ok","frames":"gkf1"}', b'{"status":"ok"}', b'{"type":"command","cmd":"stats","id":"q"}', b"rubbish",
    b'{"type":"command","cmd":"flash","val":"1"}', b'{"type":"img_ack"}', b"", b"{" + b" " * 600 + b"}",
)  # fmt: skip


_OFTEN: Final = (1, 3, 1, 2, 4, 3, 1, 5)
_PAUSES: Final = (0, 0, 1, 5, 33, 50, 400, 999, 1_000, 2_000, 9_999, 15_000, 31_000)  # milliseconds


def _text(rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        return rng.choice(_TEXTS)
    cmd = rng.choice((*RANGES, "reboot") if rng.random() < 0.1 else tuple(RANGES))
    val = rng.choice((rng.randrange(-4, 70), str(rng.randrange(-4, 70)), "on", "speed", None, True, 5.5))
    given = {"id": rng.choice((1, "a\n", "é"))} if rng.random() < 0.3 else {}
    return json.dumps({"type": "command", "cmd": cmd, "val": val, **given}).encode()


def _event(rng: random.Random) -> tuple[str, tuple[Any, ...]]:
    """Return an event and its arguments."""
    (event,) = rng.choices(("network", "opened", "lost", "alive", "text", "picture", "mood", "tick"), _OFTEN)
    link = rng.choice(LINKS)
    match event:
        case "network":
            return event, (rng.random() < 0.85,)
        case "text":
            return event, (link, _text(rng))
        case "picture":
            bad = rng.choice((b"", JPEG[:-2], JPEG + bytes(200)))
            return event, (bad if rng.random() < 0.1 else JPEG + bytes(7), rng.randrange(2**64))
        case "mood":
            mood = {name: rng.random() < 0.8 for name in ("texts", "frames", "settings")}
            return event, (mood | {"luck": rng.randrange(2**32)},)
    return event, () if event == "tick" else (link,)


@pytest.mark.parametrize("batch", range(4))
def test_a_hundred_random_courses_lead_both_to_the_same_orders(push: Core, batch: int) -> None:
    asked = 0
    for seed in range(25 * batch, 25 * (batch + 1)):
        rng = random.Random(seed)  # noqa: S311 - no secret
        options: dict[str, Any] = {"largest": rng.choice((5, 10, 12)), "has_control": rng.random() < 0.6}
        real, like = CoreCamera(push, **options), LikeCamera(**options)
        now = start = rng.choice((0, 12_345, WRAP - 60_000, WRAP - 1))
        for _ in range(400):
            event, arguments = _event(rng)
            now += rng.choice(_PAUSES)
            readings = Readings(
                rng.randrange(WRAP), rng.randrange(WRAP), rng.randrange(WRAP), -58, now - start, "10.0.0.7"
            )
            for camera in (real, like):
                if event == "mood":
                    camera.mood(**arguments[0])
                elif event == "tick":
                    camera.tick(now, readings)
                else:
                    getattr(camera, event)(*arguments, now)
            lines = real.asked()
            asked += len(lines)
            assert lines == like.asked(), (seed, event, arguments)
            assert real.seen() == like.seen(), (seed, event, arguments)
            assert real.wants_picture(now) == like.wants_picture(now), (seed, event, arguments)
        real.free()
    assert asked > 25 * 100  # they did something

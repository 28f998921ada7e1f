"""What a camera says of itself: each figure is checked for itself, and a restart shows in its uptime."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.boots import HELD_UP, LAG, WRAP, Boots
from gatekeeper.cameras.push.device import Device
from gatekeeper.cameras.push.health import MOST_MEMORY, DeviceHealth, whole
from gatekeeper.simulators.push_device import PushDevice

BEFORE = DeviceHealth(received=1000.0)


def device(**said: Any) -> DeviceHealth:
    """Return how a device is after one text."""
    known, text = Device(), {"type": "health", **said}
    message = wire.parse(json.dumps(text).encode())
    assert isinstance(message, wire.Health)
    known.told(message, 5.0, 1000.0)
    assert known.health is not None
    return known.health


def test_the_real_cameras_words_are_taken() -> None:
    said = json.loads(PushDevice().health(3723.0))
    del said["type"]
    assert device(**said) == DeviceHealth(
        received=1000.0, heap=201_344, minimum_heap=180_112, rssi=-58, uptime=3723.0, model="OV3660", ip="127.0.0.1",
        resolution="XGA (1024x768)", quality=15, sent=0, dropped=0,
    )  # fmt: skip


def test_our_own_firmware_says_more() -> None:
    known = Device()
    known.registered(own=True)
    own = json.loads(PushDevice("garden", framed=True).health(9.0))
    known.told(msgspec.convert(own, wire.Health), 5.0, 1000.0)
    assert known.health is not None
    assert (known.health.psram, known.health.reset, known.health.lost) == (8_257_536, "POWERON", 0)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"heap": -1}, {}), ({"heap": MOST_MEMORY + 1}, {}), ({"heap": 1e99}, {}), ({"heap": 10**50}, {}),
        ({"heap": True}, {}), ({"heap": [1]}, {}), ({"heap": {"a": 1}}, {}), ({"heap": "much"}, {}),
        ({"heap": 5.5}, {}),
        ({"heap": "123"}, {"heap": 123}), ({"heap": 5.0}, {"heap": 5}), ({"heap": 0}, {"heap": 0}),
        ({"rssi": 0}, {}), ({"rssi": 31}, {}), ({"rssi": -128}, {}), ({"rssi": "-58"}, {"rssi": -58}),
        ({"uptime": "soon"}, {}), ({"uptime": -5}, {}), ({"uptime": 77}, {"uptime": 77.0}), ({"uptime": "²"}, {}),
        ({"uptime": "999999d 1h 1m 1s"}, {}), ({"uptime": None}, {}),
        ({"quality": 64}, {}), ({"model": 5}, {}), ({"model": ""}, {}), ({"frames": 2**60}, {}),
        ({"reset": "x" * 5000}, {"reset": "x" * 100}), ({"model": "OV\u0007"}, {"model": "OV\ufffd"}),
    ],
)  # fmt: skip
def test_an_odd_figure_counts_as_not_said_and_costs_no_other(said: dict[str, Any], known: dict[str, Any]) -> None:
    assert device(minHeap=7, **said) == msgspec.structs.replace(BEFORE, minimum_heap=7, **known)


SAID = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=3)
)
NAMES = ("heap", "minHeap", "psram", "rssi", "uptime", "frames", "dropped", "quality", "model", "ip", "reset")


@given(st.dictionaries(st.sampled_from(NAMES), SAID, max_size=4))
def test_whatever_it_says_the_figures_are_none_or_what_every_serializer_carries(said: dict[str, Any]) -> None:
    known = Device()
    known.told(msgspec.convert({"type": "health", **said}, wire.Health), 5.0, 1000.0)
    assert known.health is not None
    for value in msgspec.structs.asdict(known.health).values():
        assert value is None or isinstance(value, str) or (math.isfinite(value) and abs(value) <= 2**53)
        assert not isinstance(value, bool)
    json.loads(msgspec.json.encode(known.health))


@given(SAID)
def test_whatever_a_camera_can_it_takes_something(said: Any) -> None:
    known = Device()
    info = msgspec.convert({"type": "info", "resolutions": said, "fps": said, "mode": said}, wire.Info)
    known.informed(info, 1000.0)
    assert known.abilities.resolutions


@given(st.integers() | st.floats() | st.text())
def test_a_whole_number_is_within_its_bounds(value: object) -> None:
    found = whole(value, -3, 5)
    assert found is None or (isinstance(found, int) and -3 <= found <= 5)


# --- restarts ---


def told(*words: tuple[float, float] | None) -> list[bool]:
    """Return the verdicts on uptimes and when they came; None is a new connection."""
    boots, verdicts = Boots(), []
    for word in words:
        if word is None:
            boots.connected()
        else:
            verdicts.append(boots.told(*word))
    return verdicts


@pytest.mark.parametrize(
    ("words", "restarted"),
    [
        (((100, 0), (110, 10), None, (120, 20)), False),  # a connection that was cut
        (((100, 0), None, (4, 10)), True),
        (((4, 0), None, (4, 10)), True),  # it restarts every few seconds
        (((4, 0), None, (60, 600)), True),  # back after a long time, with more than before
        (((4, 0), None, (603, 600)), False),
        (((100, 0), (110, 10 + HELD_UP - 1)), False),  # held up on the way
        (((100, 0), (50, 10)), True),  # it would have had to connect, but the figure is plain
        (((100, 0), (100 - LAG, 0)), False),
        (((WRAP - 5, 0), (5, 10)), False),
        (((WRAP - 5, 0), None, (15, 20)), False),
        (((WRAP - 500, 0), None, (5, 10)), True),
    ],
)
def test_a_restart_shows_in_the_uptime(words: Any, restarted: bool) -> None:
    assert told(*words)[-1] is restarted
    assert not any(told(*words)[:-1])

"""Telemetry: what came is counted, what isn't known is None, and an hour costs the same memory as a minute."""

import json
import math
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.sampling import Sampling
from gatekeeper.cameras.telemetry import COLUMNS, FRESH, INTERVAL, POINTS, Telemetry

START = 1_700_000_000.0


def telemetry(*, device: bool = False) -> Telemetry:
    return Telemetry("yard", device=device, now=0.0)


def test_pictures_and_bytes_per_second_are_those_since_the_last_sample() -> None:
    found = telemetry()
    for number in range(20):
        found.frame(1000, number / 4)
    point = found.sample({"rejected": 3}, 5.0, START)
    assert point == {
        "time": START, "received": 4.0, "wanted": None, "bytes": 4000, "jitter": 0.0, "rejected": 3,
    }  # fmt: skip
    assert found.sample({}, 10.0, START + 5) == {
        "time": START + 5, "received": 0.0, "wanted": None, "bytes": 0, "jitter": None, "rejected": None,
    }  # fmt: skip


def test_jitter_is_the_mean_deviation_of_the_time_between_pictures() -> None:
    found, now = telemetry(), 0.0
    for number in range(400):
        found.frame(1, now)
        now += 0.15 if number % 2 else 0.05
    assert found.sample({}, now, START)["jitter"] == pytest.approx(0.05, rel=0.1)


def test_one_odd_time_at_the_start_is_not_all_there_is() -> None:
    found = telemetry()
    for now in (0.0, 2.0, 2.3):
        found.frame(1, now)
    assert found.sample({}, 5.0, START)["jitter"] == pytest.approx(1.7 / 16, abs=1e-3)


def test_an_outage_is_no_jitter() -> None:
    found = telemetry()
    for number in range(50):
        found.frame(1, number / 10)
    found.interrupted()
    for number in range(50):
        found.frame(1, 500 + number / 10)
    assert found.sample({}, 505.0, START)["jitter"] == pytest.approx(0.0, abs=1e-6)
    alone = telemetry()
    alone.frame(1, 0.0)
    assert alone.sample({}, 5.0, START)["jitter"] is None


def test_what_only_a_device_tells_is_no_column_of_others() -> None:
    assert set(telemetry(device=True).since().columns) == set(COLUMNS)
    assert set(telemetry().since().columns) == {"received", "wanted", "bytes", "jitter", "rejected"}
    assert telemetry().since().units["bytes"] == "B/s"


def test_an_hour_is_kept_oldest_first_and_since_gives_what_came_later() -> None:
    found = telemetry(device=True)
    for number in range(POINTS + 30):
        found.sample({"uptime": number}, number * INTERVAL, START + number * INTERVAL)
    page = found.since()
    assert (page.camera, page.every, len(page.time)) == ("yard", INTERVAL, POINTS)
    assert page.columns["uptime"] == list(range(30, POINTS + 30))
    assert page.time[0] == START + 30 * INTERVAL
    later = found.since(page.time[-3])
    assert (later.time, later.columns["uptime"]) == (page.time[-2:], page.columns["uptime"][-2:])
    assert found.since(START * 2).time == []
    assert found.since(-1.0).time == page.time
    json.loads(msgspec.json.encode(page))


def test_a_day_of_pictures_costs_the_same_memory_as_a_minute() -> None:
    found = telemetry(device=True)
    figures = dict.fromkeys(COLUMNS, 7.0)

    def hours(first: int, last: int) -> int:
        for number in range(first * POINTS, last * POINTS):
            found.frame(40_000, number * INTERVAL)
            found.sample(figures, number * INTERVAL, START + number * INTERVAL)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = hours(0, 1)
        assert abs(hours(1, 24) - first) < 2000
    finally:
        tracemalloc.stop()
    assert sum(len(column) * column.itemsize for column in found._columns.values()) < 64 * 1024


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 1e6))),
    st.dictionaries(st.sampled_from(list(COLUMNS)), st.none() | st.integers(-(2**53), 2**53)),
)
def test_whatever_comes_a_figure_is_none_or_finite(frames: list[tuple[int, float]], figures: dict[str, Any]) -> None:
    found = telemetry(device=True)
    for size, now in frames:
        found.frame(size, now)
    point = found.sample(figures, 10.0, START)
    assert all(value is None or math.isfinite(value) for value in point.values())
    page = found.since()
    assert {name: column[0] for name, column in page.columns.items()} == {
        name: value for name, value in point.items() if name != "time"
    }


# --- as it runs ---


class Bench:
    """A camera that tells of itself, a clock, and what was published."""

    def __init__(self, *, wanted: float | None = None) -> None:
        self.clock, self.feed = Clock(), Feed("yard", START)
        self.health: DeviceHealth | None = None
        self.points: list[dict[str, float | None]] = []
        self.sampling = Sampling(
            self.clock, self.feed, wall=self.wall, publish=self.points.append, wanted=wanted, device=lambda: self.health
        )
        self.sampling.startService()

    def wall(self) -> float:
        return float(START + self.clock.seconds())

    def advance(self, seconds: float, fps: int = 10) -> None:
        for _ in range(round(seconds * fps)):
            self.clock.advance(1 / fps)
            self.feed.put(b"jpeg", 640, 480, self.clock.seconds(), self.wall())


def test_pictures_of_the_feed_are_counted_and_published_every_five_seconds() -> None:
    bench = Bench(wanted=10.0)
    bench.advance(10.2)
    assert [point["received"] for point in bench.points] == [pytest.approx(10, abs=0.3)] * 2
    assert [point["wanted"] for point in bench.points] == [10.0, 10.0]
    assert bench.points[0]["heap"] is None
    assert bench.sampling.telemetry.since().time == [point["time"] for point in bench.points]


def test_a_devices_word_counts_for_a_while_and_then_nothing_is_known() -> None:
    bench = Bench(wanted=3.0)
    bench.health = DeviceHealth(received=START, heap=9, fps=20, dropped=2, rssi=-60)
    bench.clock.advance(INTERVAL)
    assert [bench.points[-1][name] for name in ("heap", "wanted", "dropped", "rssi", "lost", "psram")] == [
        9, 20, 2, -60, None, None,
    ]  # fmt: skip
    for _ in range(round(FRESH / INTERVAL)):
        bench.clock.advance(INTERVAL)
    assert [bench.points[-1][name] for name in ("heap", "wanted", "dropped", "rssi")] == [None, 3.0, None, None]


def test_the_time_without_a_camera_is_no_jitter_and_a_stop_leaves_nothing() -> None:
    bench = Bench()
    bench.advance(4)
    bench.feed.change(CameraState.OFFLINE, "gone", START)
    bench.clock.advance(60)
    bench.advance(4)
    bench.clock.advance(INTERVAL)
    jitter = bench.points[-2]["jitter"]
    assert jitter is not None
    assert jitter < 0.01
    bench.sampling.stopService()
    assert not bench.clock.getDelayedCalls()
    assert bench.feed.subscribers == 0
    bench.feed.change(CameraState.LIVE, None, START)
    bench.sampling.startService()
    bench.sampling.stopService()

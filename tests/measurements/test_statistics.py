"""A run's figures against plain computations on the same samples, and frequencies that are known."""

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.measurements.chart import column
from gatekeeper.measurements.statistics import FEWEST, KEPT, Run, dominant


def run_of(samples: list[tuple[float, float, float, bool, bool]]) -> Run:
    run = Run(3)
    for sample in samples:
        run.add(*sample)
    return run


values = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.floats(0, 60), values, values, st.booleans(), st.booleans()), max_size=200))
def test_every_figure_is_what_a_plain_computation_gives(samples: list[Any]) -> None:
    found = run_of(samples).statistics()
    assert found.samples == len(samples)
    for point, mine in ((found.a, [s[1] for s in samples if s[3]]), (found.b, [s[2] for s in samples if s[4]])):
        assert point.samples == len(mine)
        if not mine:
            assert point.maximum is None
            continue
        assert point.maximum == max(map(abs, mine))
        scale = math.fsum(map(abs, mine)) / len(mine)
        assert point.mean == pytest.approx(math.fsum(mine) / len(mine), rel=1e-14, abs=1e-14 * scale)
        assert point.mean_absolute == pytest.approx(scale, rel=1e-14)
        assert point.rms == pytest.approx(math.sqrt(math.fsum(x * x for x in mine) / len(mine)), rel=1e-14)


def test_sums_lose_nothing_that_a_plain_sum_would() -> None:
    run = run_of([(0.0, 1e6, 0.0, True, True), *[(0.1, 1e-7, 0.0, True, True)] * 10_000, (0.2, -1e6, 0.0, True, True)])
    assert run.statistics().a.mean == pytest.approx(1e-3 / 10_002, rel=1e-12)


def test_what_is_not_detected_counts_nowhere_but_among_the_samples() -> None:
    found = run_of([(0.0, 500.0, 1.0, False, True), (0.5, -2.0, 3.0, True, False)]).statistics()
    assert (found.samples, found.first, found.last, found.rate) == (2, 0.0, 0.5, 2.0)
    assert (found.a.samples, found.a.maximum, found.a.mean) == (1, 2.0, -2.0)
    assert (found.b.samples, found.b.maximum) == (1, 1.0)


def test_nothing_is_told_of_nothing() -> None:
    found = Run(1).final()
    assert (found.samples, found.first, found.rate, found.a.maximum, found.a.frequency) == (0, None, None, None, None)


def uneven(rate: float, seconds: float, jitter: float, lost: float, seed: int = 1) -> Any:
    """Return times as a camera has them: jittered, some lost."""
    chance = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / rate)
    times = times + chance.normal(0, jitter / rate, len(times))
    return times[chance.random(len(times)) >= lost]


@pytest.mark.parametrize("frequency", [1.5, 2.5, 3.5, 4.5, 5.5])
def test_the_tables_frequency_is_found_in_jittered_lossy_noisy_samples(frequency: float) -> None:
    times = uneven(30, 60, 0.2, 0.1)
    noise = np.random.default_rng(2).normal(0, 0.3, len(times))
    found = dominant(times, 4.0 + 12.5 * np.sin(2 * math.pi * frequency * times + 0.7) + noise)
    assert found is not None
    assert found[0] == pytest.approx(frequency, abs=0.0002)
    assert found[1] == pytest.approx(12.5, abs=0.05)


def test_ten_seconds_are_enough_for_a_millihertz_without_noise() -> None:
    times = uneven(30, 10, 0.2, 0.2)
    found = dominant(times, 8 * np.cos(2 * math.pi * 3.5 * times))
    assert found is not None
    assert found[0] == pytest.approx(3.5, abs=1e-4)


def test_the_order_in_which_samples_come_changes_nothing() -> None:
    times = uneven(20, 30, 0.2, 0.1)
    motion = 3 * np.sin(2 * math.pi * 2.5 * times)
    shuffled = list(range(len(times)))
    random.Random(4).shuffle(shuffled)  # noqa: S311 - a shuffle
    assert dominant(times[shuffled], motion[shuffled]) == dominant(times, motion)


def test_a_stronger_motion_beside_a_weaker_one_is_the_dominant_one() -> None:
    times = uneven(30, 60, 0.1, 0.0)
    both = 2 * np.sin(2 * math.pi * 1.5 * times) + 5 * np.sin(2 * math.pi * 5.5 * times)
    found = dominant(times, both)
    assert found is not None
    assert found[0] == pytest.approx(5.5, abs=0.001)


def test_nothing_above_half_of_the_rate_is_told() -> None:
    times = np.arange(0, 60, 0.1)  # the seed's own 10 a second
    found = dominant(times, np.sin(2 * math.pi * 5.5 * times))
    assert found is None or found[0] <= 5.0


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ([], []),
        (list(range(FEWEST - 1)), [1.0, -1.0] * 7 + [1.0]),
        ([1.0] * 50, list(range(50))),
        (list(range(50)), [2.0] * 50),
    ],
)
def test_where_there_is_no_frequency_none_is_told(times: list[float], values: list[float]) -> None:
    assert dominant(times, values) is None


@given(st.lists(st.tuples(st.floats(0, 60), values), max_size=60))
def test_a_frequency_is_within_what_can_be_told_or_none(samples: list[tuple[float, float]]) -> None:
    found = dominant([t for t, _ in samples], [x for _, x in samples])
    if found is not None:
        assert math.isfinite(found[0])
        assert math.isfinite(found[1])
        assert found[0] > 0


def test_live_looks_at_the_last_seconds_and_final_at_all() -> None:
    run = Run(1)
    for number in range(1200):
        t = number / 20
        frequency = 1.5 if t < 45 else 4.5
        run.add(t, math.sin(2 * math.pi * frequency * t), 0.0, True, False)
    recent = dominant(*run.motions(10.0)[0])
    assert recent is not None
    assert recent[0] == pytest.approx(4.5, abs=0.01)
    final = run.final()
    assert final.a.frequency == pytest.approx(1.5, abs=0.01)
    assert final.b.frequency is None


def test_memory_is_bounded_and_sums_go_on() -> None:
    run = Run(1)
    for number in range(KEPT + 10):
        run.add(number / 2000, 1.0, 1.0, True, False)
    assert len(run.motions()[0][0]) == KEPT
    assert run.statistics().a.samples == KEPT + 10


# --- charts ---


def test_few_points_are_given_as_they_are() -> None:
    assert column([0.0, 0.1], [1.0, 2.0], 10).value == [1.0, 2.0]
    assert column([], [], 10).elapsed == []


@given(st.lists(values, min_size=1, max_size=500), st.integers(2, 50))
def test_a_chart_keeps_the_peaks_and_its_bound(motion: list[float], points: int) -> None:
    found = column(list(range(len(motion))), motion, points)
    assert len(found.value) == len(found.elapsed) <= max(points, 2)
    assert max(found.value) == max(motion)
    assert min(found.value) == min(motion)
    assert found.elapsed == sorted(found.elapsed)
    assert all(motion[int(t)] == x for t, x in zip(found.elapsed, found.value, strict=True))

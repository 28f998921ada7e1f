"""The frequency of a swing: exact to a thousandth of a hertz, with uneven and lost pictures, and its own error."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.measurements.frequency import MOST, Tone, tone
from gatekeeper.measurements.pace import Pace, Rhythm
from tests.measurements.films import readings, tower

Series = NDArray[np.float64]
SECONDS = 10


def series(
    hertz: float,
    fps: float = 30,
    *,
    jitter: float = 0.0,
    lost: float = 0.0,
    noise: float = 0.02,
    seed: int = 0,
) -> tuple[Series, Series]:
    random = np.random.default_rng(seed)
    t = np.sort(np.arange(0, SECONDS, 1 / fps) + random.uniform(-jitter, jitter, round(SECONDS * fps)))
    t = t[random.random(len(t)) >= lost]
    return t, 3 + np.sin(math.tau * hertz * t + seed) + noise * random.normal(size=len(t))


def sure(found: Tone | None) -> Tone:
    assert found is not None
    return found


@pytest.mark.parametrize("hertz", [1.5, 2.5, 3.5, 4.5, 5.5])
@pytest.mark.parametrize(("fps", "jitter", "lost"), [(30, 0, 0), (30, 0.02, 0.1), (15, 0.01, 0.05), (60, 0.01, 0.1)])
def test_ten_seconds_give_a_thousandth_of_a_hertz(hertz: float, fps: float, jitter: float, lost: float) -> None:
    found = sure(tone(*series(hertz, fps, jitter=jitter, lost=lost)))
    assert abs(found.hertz - hertz) < 0.0005
    assert found.amplitude == pytest.approx(1, abs=0.01)
    assert found.mean == pytest.approx(3, abs=0.01)


def test_its_error_is_what_it_says() -> None:
    pulls = []
    for seed in range(40):
        found = sure(tone(*series(1.5 + seed / 10, jitter=0.01, lost=0.1, noise=0.5, seed=seed)))
        pulls.append((found.hertz - 1.5 - seed / 10) / found.hertz_error)
        assert found.amplitude_error == pytest.approx(0.5 * math.sqrt(2 / found.samples), rel=0.2)
    assert 0.7 < float(np.std(pulls)) < 1.4


def test_a_measured_film_with_uneven_and_lost_pictures_gives_a_thousandth_of_a_hertz() -> None:
    shots = list(tower(4.5, 3, 8, fps=15, jitter=0.01, lost=0.1, noise=4.0, quality=75).shots(10))
    found = [reading.b for reading in readings(shots)]
    assert all(point.detected for point in found)
    result = sure(tone([shot.t for shot in shots], [point.mm or 0.0 for point in found]))
    assert abs(result.hertz - 4.5) < 0.001
    assert result.amplitude == pytest.approx(8, abs=0.05)  # the shutter takes 0.05 % of it


def test_at_ten_pictures_a_second_a_fast_swing_looks_slow_and_the_alias_says_so() -> None:
    found = sure(tone(*series(5.5, fps=10)))
    assert found.hertz == pytest.approx(4.5, abs=0.001)
    assert found.alias == pytest.approx(5.5, abs=0.001)


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ([], []),
        (range(11), range(11)),
        (np.zeros(100), np.arange(100)),
        (np.arange(100) / 30, np.ones(100)),
        (np.arange(100) / 30, np.full(100, math.nan)),
        (np.arange(30) / 30000, np.arange(30) % 2),
        (np.arange(30) * 10.0, np.arange(30) % 2),
    ],
)
def test_what_says_nothing_gives_nothing(times: object, values: object) -> None:
    assert tone(times, values) is None  # type: ignore[arg-type]


def test_readings_that_are_missing_are_left_out() -> None:
    t, y = series(2.5)
    y[40:80] = math.nan
    found = sure(tone(t, y))
    assert found.samples == 260
    assert found.hertz == pytest.approx(2.5, abs=0.001)


def test_a_long_record_is_judged_by_its_end() -> None:
    t = np.arange(MOST + 4000) / 60
    y = np.where(np.arange(len(t)) < 4000, np.sin(math.tau * 2.5 * t), np.sin(math.tau * 3.5 * t))
    found = sure(tone(t, y))
    assert found.samples == MOST
    assert found.hertz == pytest.approx(3.5, abs=1e-4)


# --- the pace of pictures ---


def rhythm(moments: Series) -> Rhythm:
    pace = Pace()
    for t in moments:
        pace.came(float(t))
    assert pace.rhythm is not None
    return pace.rhythm


def test_the_pace_is_measured() -> None:
    even = rhythm(np.arange(200) / 30)
    assert even.fps == pytest.approx(30)
    assert even.jitter == pytest.approx(0, abs=1e-9)
    assert even.lost == 0
    assert even.warning is None


def test_lost_pictures_are_counted() -> None:
    moments = np.arange(200) / 30
    seen = rhythm(moments[np.arange(200) % 10 != 0])
    assert seen.lost == pytest.approx(0.1, abs=0.01)
    assert seen.fps == pytest.approx(27, abs=0.3)


def test_jitter_is_the_deviation_of_the_intervals() -> None:
    random = np.random.default_rng(3)
    seen = rhythm(np.arange(300) / 30 + random.normal(0, 0.002, 300))
    assert seen.jitter == pytest.approx(0.002 * math.sqrt(2), rel=0.25)


@pytest.mark.parametrize(
    ("fps", "what"), [(14.0, "ambiguous"), (10.0, "5.5 Hz like 4.5 Hz"), (6.0, "5.5 Hz like 0.5 Hz")]
)
def test_too_few_pictures_a_second_are_warned_of(fps: float, what: str) -> None:
    warning = rhythm(np.arange(60) / fps).warning
    assert warning is not None
    assert what in warning
    assert warning.startswith(f"only {fps:.1f} pictures a second")


def test_fifteen_are_enough() -> None:
    assert rhythm(np.arange(60) / 15.05).warning is None


def test_nothing_is_said_of_two_pictures() -> None:
    pace = Pace()
    pace.came(1.0)
    pace.came(2.0)
    assert pace.rhythm is None

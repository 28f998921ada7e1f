"""How exact the readings are, against films whose truth is known: the aims, with a margin."""

from typing import Any

import pytest

from tests.measurements.films import Errors, bare, errors, readings, tower
from tests.measurements.synthetic import Film, marker, sway

NOISY: dict[str, Any] = {"noise": 4.0, "quality": 75}
POOR: dict[str, Any] = {"noise": 8.0, "quality": 40}


def measured(film: Film, seconds: float = 0.8) -> tuple[Errors, Errors]:
    shots = list(film.shots(seconds))
    found = readings(shots)
    return errors(shots, found, 0), errors(shots, found, 1)


@pytest.mark.parametrize(
    ("film", "most"),
    [
        (tower(2.5, 4, 10), 0.01),
        (tower(2.5, 4, 10, **NOISY), 0.015),
        (tower(2.5, 4, 10, **POOR), 0.03),
        (tower(2.5, 4, 10, gain=lambda t: 1 - 0.6 * (t > 0.4), **NOISY), 0.02),
        (tower(5.5, 8, 16, exposure=0.012, **NOISY), 0.03),
        (tower(5.5, 8, 16, fps=15, **NOISY), 0.02),
        (tower(5.5, 20, 48, **NOISY), 0.03),
        (tower(2.5, 4, 10, side=20, **NOISY), 0.04),
        (tower(4.5, 8, 16, jitter=0.012, lost=0.1, **NOISY), 0.02),
    ],
    ids=[
        "clean",
        "noise and compression",
        "poor picture",
        "the light goes",
        "blurred",
        "15 fps",
        "far",
        "small markers",
        "uneven and lost pictures",
    ],
)
def test_a_swing_is_measured_to_hundredths_of_a_pixel(film: Film, most: float) -> None:
    for point in measured(film):
        assert point.missed == 0
        assert point.rms < most  # the noise of the one reference picture included
        assert point.spread < 0.02


def test_a_shutter_open_as_long_as_a_picture_lasts_leaves_tenths() -> None:
    for point in measured(tower(5.5, 5, 10, exposure=0.033, **NOISY)):
        assert point.spread < 0.2
        assert point.missed <= 1  # one too blurred for a reference


def test_what_moves_farther_than_its_own_cells_while_the_shutter_is_open_is_not_taken_for_its_double() -> None:
    a, b = measured(tower(5.5, 20, 48, exposure=0.012, **NOISY))
    assert a.spread < 0.05
    assert b.spread < 0.25  # 20 px of blur over cells of 8: without its blurred template it errs by 1.7


def test_a_patch_is_as_exact_as_a_marker() -> None:
    film, a, b = bare(2.5, 4, 10, **NOISY)
    shots = list(film.shots(0.8))
    found = readings(shots, a, b)
    for point in (0, 1):
        wrong = errors(shots, found, point)
        assert (wrong.missed, wrong.rms < 0.03) == (0, True), wrong


def test_both_directions_are_measured_at_once() -> None:
    film = Film((marker(0, 48, 200, 330, sway(2.5, 3, 7)), marker(1, 48, 320, 120, sway(3.5, -9, 4))), **NOISY)
    for point in measured(film):
        assert (point.missed, point.rms < 0.02) == (0, True), point

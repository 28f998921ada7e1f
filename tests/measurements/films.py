"""What the tests and the bench measure: films of a tower that sways, and how wrong the readings of them are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatekeeper.measurements.calibration import Known, Scale
from gatekeeper.measurements.displacement import A, B, Displacement
from gatekeeper.measurements.reading import Reading
from gatekeeper.measurements.targets import Patch, Target
from tests.measurements.synthetic import Film, Shot, marker, speckle, sway

PIXELS = Known(Scale(1, 1), Scale(1, 1))
"""A calibration with which a millimetre is a pixel: errors are in pixels."""

PLACES = ((200.3, 330.2), (320.7, 120.4))


def tower(hertz: float, a: float, b: float, side: float = 48, **more: Any) -> Film:
    """Return a film of two markers that sway by `a` and `b` pixels."""
    (ax, ay), (bx, by) = PLACES
    return Film((marker(0, side, ax, ay, sway(hertz, a)), marker(1, side, bx, by, sway(hertz, b))), **more)


def bare(hertz: float, a: float, b: float, side: float = 64, **more: Any) -> tuple[Film, Patch, Patch]:
    """Return a film of two boards without markers, and the patches that somebody would choose."""
    (ax, ay), (bx, by) = PLACES
    film = Film((speckle(1, side, ax, ay, sway(hertz, a)), speckle(2, side, bx, by, sway(hertz, b))), **more)
    (ax, ay), (bx, by) = film.shot(0.0).truth
    return film, Patch(ax, ay, 56), Patch(bx, by, 56)


@dataclass(frozen=True)
class Errors:
    """Of one point, in pixels: root mean square from the first reading on, the same without its offset, the largest.

    `missed` pictures had no reading.
    """

    rms: float
    spread: float
    largest: float
    missed: int


def readings(shots: Sequence[Shot], a: Target = A, b: Target = B) -> list[Reading]:
    """Return what is measured in each picture, in pixels."""
    displacement = Displacement(PIXELS, a, b)
    return [displacement.measure(shot.picture, shot.t) for shot in shots]


def errors(shots: Sequence[Shot], found: Sequence[Reading], point: int) -> Errors:
    """Return how far the readings of a point (0 is A) are from the truth, along both axes."""
    rows, zero, missed = [], None, 0
    for shot, reading in zip(shots, found, strict=True):
        one = (reading.a, reading.b)[point]
        if one.x_mm is None or one.y_mm is None:
            missed += 1
            continue
        x, y = shot.truth[point]
        zero = zero or (x, y)
        rows.append((one.x_mm - (x - zero[0]), one.y_mm + (y - zero[1])))
    wrong = np.array(rows)
    return Errors(
        float(np.sqrt((wrong**2).mean(axis=0).max())),
        float(wrong.std(axis=0).max()),
        float(np.abs(wrong).max()),
        missed,
    )

"""How many millimetres a pixel is, for each point: without that there is no displacement.

A point farther from the camera needs more millimetres a pixel than a nearer one, so each has a scale of its own, and
each scale one figure to the right and one down: a marker that is seen askew is narrower than it is high.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import InvalidArgument

FINEST: Final = 1e-4  # mm a pixel: a microscope
COARSEST: Final = 1e3  # mm a pixel: a landscape
SHORTEST: Final = 0.1  # mm of a marker or a distance
LONGEST: Final = 1e6

ALLOWED: Final = (
    "give the marker's side in mm, the distance between A and B in mm, "
    "a length that is known in the picture, or mm per pixel"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Millimetres a pixel, to the right and down."""

    x: float
    y: float

    def __post_init__(self) -> None:
        for value in (self.x, self.y):
            _within(value, "mm per pixel", FINEST, COARSEST)


@dataclass(frozen=True, slots=True)
class MarkerSide:
    """Each point's scale comes from its own marker, whose black square has this side in mm.

    It holds for whatever lies in the marker's plane, at any depth and however askew.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        for value in (self.a, self.b):
            _within(value, "a marker's side in mm", SHORTEST, LONGEST)


@dataclass(frozen=True, slots=True)
class Distance:
    """Both scales come from the distance in mm between A and B at rest; both must be in one plane across the view."""

    mm: float

    def __post_init__(self) -> None:
        _within(self.mm, "the distance between A and B in mm", SHORTEST, LONGEST)

    def scale(self, a: tuple[float, float], b: tuple[float, float]) -> Scale:
        """Return the scale when A and B are at these places in a picture."""
        return _ruled(math.dist(a, b), self.mm)


@dataclass(frozen=True, slots=True)
class Known:
    """Each point's scale was measured before."""

    a: Scale
    b: Scale

    @classmethod
    def ruler(cls, start: tuple[float, float], end: tuple[float, float], mm: float) -> "Known":
        """Return what a length that lies between two places of the picture says of both points."""
        _within(mm, "a known length in mm", SHORTEST, LONGEST)
        scale = _ruled(math.dist(start, end), mm)
        return cls(scale, scale)


Calibration = MarkerSide | Distance | Known


def checked(calibration: Any) -> Calibration:
    """Return the calibration.

    :raises InvalidArgument: if there is none.
    """
    if isinstance(calibration, MarkerSide | Distance | Known):
        return calibration
    raise InvalidArgument(f"a displacement in mm needs a calibration: {ALLOWED}")


def of_marker(sides: NDArray[np.float64], mm: float) -> Scale | None:
    """Return the scale where a marker of `mm` has these sides (pixels, a column each); None if it is seen edge-on."""
    try:
        back = np.linalg.inv(sides / mm)
        return Scale(float(np.linalg.norm(back[:, 0])), float(np.linalg.norm(back[:, 1])))
    except (np.linalg.LinAlgError, InvalidArgument):
        return None


def _ruled(pixels: float, mm: float) -> Scale:
    if not pixels >= 1:
        raise InvalidArgument(f"a known length must be a pixel long or more; found {pixels:.2f}")
    return Scale(mm / pixels, mm / pixels)


def _within(value: float, what: str, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidArgument(f"{what} is {low:g} to {high:,g}; found {value!r}")

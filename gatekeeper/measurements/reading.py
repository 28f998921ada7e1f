"""What measuring says of a picture: frozen, with units, never the last value."""

from dataclasses import dataclass
from enum import StrEnum


class Axis(StrEnum):
    """The direction whose displacement is sent on: to the right, or up, is positive."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class Why(StrEnum):
    """Why a point is measured or not."""

    MEASURED = "measured"
    NOT_FOUND = "not found"
    TWICE = "its marker is there twice"
    BLURRED = "too blurred for a reference picture"
    EDGE = "at the picture's edge"
    COVERED = "partly covered"
    UNLIKE = "unlike its reference picture"
    OTHER_SIZE = "the picture's size changed"
    NO_SCALE = "its scale isn't known yet"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is in a picture (pixels, a pixel's centre is a whole number), and how sure that is (up to 1)."""

    x: float
    y: float
    score: float


@dataclass(frozen=True, slots=True)
class Point:
    """One marked point in one picture. All but `why` is None unless it was detected in this very picture.

    `mm` is the displacement from the reference picture along the chosen axis, `x_mm` to the right and `y_mm` upwards;
    `place` is where it is in the picture.
    """

    why: Why
    mm: float | None = None
    x_mm: float | None = None
    y_mm: float | None = None
    place: Place | None = None

    @property
    def detected(self) -> bool:
        """Whether it was measured in this picture."""
        return self.mm is not None


@dataclass(frozen=True, slots=True)
class Reading:
    """Both points in the picture that was taken at `t` (s, on the camera's clock)."""

    t: float
    a: Point
    b: Point

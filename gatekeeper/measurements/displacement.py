"""How far two marked points have moved since their reference pictures, in mm: pictures in, readings out.

No camera, window or clock in here. Each point has its own reference: the first picture in which it is whole. A point
that isn't seen has no value at all, and one that isn't sure counts as not seen.
"""

import math
from typing import Any, Final

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements import calibration as calibrations
from gatekeeper.measurements.calibration import Calibration, Distance, Known, MarkerSide, Scale
from gatekeeper.measurements.picture import grey
from gatekeeper.measurements.reading import Axis, Place, Point, Reading, Why
from gatekeeper.measurements.targets import Look, Marker, Target
from gatekeeper.measurements.track import Track

A, B = Marker(0), Marker(1)
"""What the printed sheet has on it: A is the lower point, B the upper one."""


class Displacement:
    """Measures A and B.

    :param calibration: what says how many mm a pixel is; without one there is nothing to measure in.
    :param axis: the direction that `Point.mm` is along.
    :param mirrored: the picture's right is the left: the sign along the horizontal is turned.
    :raises InvalidArgument: if there is no calibration, or A and B are the same.
    """

    def __init__(
        self,
        calibration: Calibration | None,
        a: Target = A,
        b: Target = B,
        axis: Axis = Axis.HORIZONTAL,
        mirrored: bool = False,
    ) -> None:
        self._calibration: Final = calibrations.checked(calibration)
        if a == b:
            raise InvalidArgument(f"A and B are two points; found {a} for both")
        if isinstance(calibration, MarkerSide) and not (isinstance(a, Marker) and isinstance(b, Marker)):
            raise InvalidArgument("a patch has no marker whose side is known: give mm per pixel, or a known length")
        self._axis: Final = axis
        self._turn: Final = -1.0 if mirrored else 1.0
        self._a, self._b = Track(a), Track(b)
        self.scales: tuple[Scale | None, Scale | None] = (None, None)
        self._t = -math.inf

    def refer(self) -> None:
        """Take the next good picture of each point as its reference: the displacement is zero there."""
        self._a.forget()
        self._b.forget()
        self.scales = (None, None)

    def measure(self, picture: Any, t: float) -> Reading:
        """Return both points' displacement in a picture.

        :param picture: height x width, grey or BGR, uint8 or uint16.
        :param t: seconds on the camera's clock, later than the picture before.
        :raises InvalidArgument: if the picture or its time can't be used; the next ones can.
        """
        if not (isinstance(t, int | float) and math.isfinite(t) and t > self._t):
            raise InvalidArgument(
                f"a picture's time is in seconds and later than the one before; found {t!r} after {self._t!r}"
            )
        look = Look(grey(picture), t)
        a, b = self._apart(self._a.look(look), self._b.look(look))
        self._t = t
        self._calibrate(a, b)
        return Reading(t, self._point(self._a, a, self.scales[0]), self._point(self._b, b, self.scales[1]))

    def _apart(self, a: Place | Why, b: Place | Why) -> tuple[Place | Why, Place | Why]:
        """Take back a point that is found where the other is: one thing can't be both."""
        if isinstance(a, Why) or isinstance(b, Why) or self._a.reference is None or self._b.reference is None:
            return a, b
        if (
            math.dist((a.x, a.y), (b.x, b.y))
            >= min(self._a.reference.template.side, self._b.reference.template.side) / 2
        ):
            return a, b
        if a.score < b.score:
            self._a.lose()
            return Why.NOT_FOUND, b
        self._b.lose()
        return a, Why.NOT_FOUND

    def _calibrate(self, a: Place | Why, b: Place | Why) -> None:
        """Find the scales that aren't known yet."""
        if None not in self.scales:
            return
        match self._calibration:
            case Known(of_a, of_b):
                self.scales = of_a, of_b
            case Distance() as distance:
                if isinstance(a, Place) and isinstance(b, Place):
                    scale = distance.scale((a.x, a.y), (b.x, b.y))
                    self.scales = scale, scale
            case MarkerSide(mm_a, mm_b):
                self.scales = (
                    self.scales[0] or _by_marker(self._a, mm_a),
                    self.scales[1] or _by_marker(self._b, mm_b),
                )

    def _point(self, track: Track, place: Place | Why, scale: Scale | None) -> Point:
        if isinstance(place, Why):
            return Point(place)
        if scale is None or track.reference is None:
            return Point(Why.NO_SCALE)
        right = self._turn * (place.x - track.reference.x) * scale.x
        up = -(place.y - track.reference.y) * scale.y  # a picture's rows count downwards
        return Point(Why.MEASURED, right if self._axis is Axis.HORIZONTAL else up, right, up, place)


def _by_marker(track: Track, mm: float) -> Scale | None:
    if track.reference is None or track.reference.sides is None:
        return None
    return calibrations.of_marker(track.reference.sides, mm)

"""What marks a point: an ArUco marker, known wherever it turns up, or a patch of the picture that somebody chose.

Both make the reference of a first good picture, find themselves again in a whole picture, and say whether something
that was followed is still them.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements import markers
from gatekeeper.measurements.markers import Quad, Sighting
from gatekeeper.measurements.picture import Grey
from gatekeeper.measurements.reading import Why
from gatekeeper.measurements.template import LARGEST, SMALLEST, Match, Template

LIKE: Final = 0.8  # fit below which it isn't what was looked for: another marker fits by 0.72
SURE: Final = 0.9  # fit from which it is, wherever it is found
WHOLE: Final = 0.6  # fit of the worst quarter below which something covers it

_MARGIN: Final = 0.1  # of a marker's side, of the white about it that belongs to the template
_ASIDE: Final = 0.15  # of a marker's side that it may be found from where it was measured


class Look:
    """One picture, whose markers are looked for once, and only if somebody asks."""

    def __init__(self, picture: Grey, t: float) -> None:
        self.picture: Final = picture
        self.t: Final = t

    @cached_property
    def sighting(self) -> Sighting:
        """The markers in the whole picture."""
        return markers.find(self.picture)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a point is measured against: its template, the place of its centre and of the template's corner.

    `sides` is how a marker's own axes lie in the picture, which gives its scale; None for a patch.
    """

    template: Template
    x: float
    y: float
    left: int
    top: int
    shape: tuple[int, int]
    sides: NDArray[np.float64] | None

    def middle(self, match: Match) -> tuple[float, float]:
        """Return where the centre is when the template is there."""
        return self.x + match.x - self.left, self.y + match.y - self.top


@dataclass(frozen=True, slots=True)
class Marker:
    """A point that an ArUco marker of DICT_4X4_50 marks."""

    identity: int

    def __post_init__(self) -> None:
        if isinstance(self.identity, bool) or not 0 <= self.identity < markers.IDENTITIES:
            raise InvalidArgument(f"a marker's identity is 0 to {markers.IDENTITIES - 1}; found {self.identity!r}")

    def refer(self, look: Look) -> Reference | Why:
        """Return the reference that a picture makes, or why it makes none."""
        quad = self._told(look.sighting)
        if isinstance(quad, Why):
            return quad
        x, y = (float(value) for value in quad.mean(axis=0))
        reach = float((quad.max(axis=0) - quad.min(axis=0)).max())
        side = max(SMALLEST, min(LARGEST, round(reach * (1 + 2 * _MARGIN))))
        left, top = _corner(x, y, side)
        try:
            template = Template(look.picture, left, top, side, (x, y))
        except InvalidArgument:
            return Why.EDGE
        sides = markers.sides(look.picture, self.identity, quad)
        return Why.BLURRED if sides is None else Reference(template, x, y, left, top, look.picture.shape, sides)

    def anywhere(self, look: Look, reference: Reference) -> Match | Why:
        """Return where it is in the whole picture."""
        quad = self._told(look.sighting)
        if isinstance(quad, Why):
            return quad
        x, y = (float(value) for value in quad.mean(axis=0))
        reach = max(3, reference.template.side // 8)
        at = x - reference.x + reference.left, y - reference.y + reference.top
        found = judged(reference.template.find(look.picture, *at, reach))
        return Why.UNLIKE if found is Why.NOT_FOUND else found

    def told(self, look: Look, reference: Reference, match: Match) -> bool | None:
        """Return whether what was found there is this marker; None if no marker can be told there."""
        side = reference.template.side
        left, top = max(0, round(match.x) - side // 4), max(0, round(match.y) - side // 4)
        part = look.picture[top : round(match.y) + side + side // 4, left : round(match.x) + side + side // 4]
        x, y = reference.middle(match)
        for identity, quad in markers.find(part).quads.items():
            aside = float(np.linalg.norm(quad.mean(axis=0) - (x - left, y - top)))
            if identity == self.identity:
                return aside <= max(1.0, _ASIDE * side)
            if aside < side / 2:
                return False
        return None

    def _told(self, sighting: Sighting) -> Quad | Why:
        if self.identity in sighting.twice:
            return Why.TWICE
        return sighting.quads.get(self.identity, Why.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Patch:
    """A point that nothing marks: a square of `side` pixels about (`x`, `y`) of the reference picture."""

    x: float
    y: float
    side: int = 48

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise InvalidArgument(f"a patch is at a place in the picture; found {self.x}, {self.y}")
        if not SMALLEST <= self.side <= LARGEST:
            raise InvalidArgument(f"a patch is {SMALLEST} to {LARGEST} pixels wide; found {self.side}")

    def refer(self, look: Look) -> Reference | Why:
        """Return the reference that a picture makes.

        :raises InvalidArgument: if nothing can be followed there; the message says why.
        """
        left, top = _corner(self.x, self.y, self.side)
        template = Template(look.picture, left, top, self.side, (self.x, self.y))
        return Reference(template, self.x, self.y, left, top, look.picture.shape, None)

    def anywhere(self, look: Look, reference: Reference) -> Match | Why:
        """Return where it is in the whole picture, if it is like nothing else there."""
        high, wide = look.picture.shape
        found = judged(reference.template.find(look.picture, wide / 2, high / 2, max(wide, high)))
        return found if isinstance(found, Why) or found.score >= SURE else Why.NOT_FOUND

    def told(self, look: Look, reference: Reference, match: Match) -> bool | None:
        """Return None: nothing tells a patch but that it fits."""


Target = Marker | Patch


def judged(found: Match | None) -> Match | Why:
    """Return a match that can be believed, or why not."""
    if found is None or found.score < LIKE:
        return Why.NOT_FOUND
    return found if found.quarters >= WHOLE else Why.COVERED


def _corner(x: float, y: float, side: int) -> tuple[int, int]:
    return round(x - (side - 1) / 2), round(y - (side - 1) / 2)

"""One marked point, followed from picture to picture against its reference picture.

The first picture in which it is whole is the reference. From then on its template measures, near where it was; a marker
is told again now and then, and looked for everywhere when it was lost. What isn't sure is not measured.
"""

import math
from typing import Final

from gatekeeper.measurements.reading import Place, Why
from gatekeeper.measurements.targets import SURE, Look, Reference, Target, judged
from gatekeeper.measurements.template import Match

AGAIN: Final = 15  # pictures after which a marker is told again: half a second at 30 fps
FIRST_REACH: Final = 48  # pixels that it may move to its second picture, when nothing is known of its speed

_LEAST_REACH: Final = 12
_MOST_REACH: Final = 160  # a quarter of a VGA picture
_HASTE: Final = 1.5  # times the greatest speed of late
_CALMING: Final = 1.0  # seconds in which that speed is forgotten by two thirds
_SLOWEST: Final = 1e-3  # px/s: what is known to stand still isn't what nothing is known of


class Track:
    """Follows one target. `look` says where it is or why that isn't known."""

    def __init__(self, target: Target) -> None:
        self.target: Final = target
        self.reference: Reference | None = None
        self._last: tuple[float, float, float] | None = None  # t, and the template's corner
        self._haste = 0.0  # px/s
        self._since = 0  # pictures since the target was told

    def forget(self) -> None:
        """Take the next good picture as the reference."""
        self.reference = None
        self.lose()

    def lose(self) -> None:
        """Look for it everywhere in the next picture."""
        self._last, self._haste = None, 0.0

    def look(self, look: Look) -> Place | Why:
        """Return where the point is in a picture; its reference is made of it if there is none yet."""
        reference = self.reference
        if reference is None:
            return self._begin(look)
        if look.picture.shape != reference.shape:
            self.lose()
            return Why.OTHER_SIZE
        found = self._near(look, reference)
        if isinstance(found, Why):
            elsewhere = self.target.anywhere(look, reference)
            # what covers it where it was says more than that it is nowhere else
            found = found if elsewhere is Why.NOT_FOUND else elsewhere
            self._since = 0
        if isinstance(found, Why):
            self.lose()
            return found
        self._moved(look.t, found)
        return Place(*reference.middle(found), found.score)

    def _begin(self, look: Look) -> Place | Why:
        made = self.target.refer(look)
        if isinstance(made, Why):
            return made
        self.reference = made
        self._last, self._haste, self._since = (look.t, made.left, made.top), 0.0, 0
        return Place(made.x, made.y, 1.0)

    def _near(self, look: Look, reference: Reference) -> Match | Why:
        """Return where it is near its last place."""
        if self._last is None:
            return Why.NOT_FOUND
        t, x, y = self._last
        found = judged(reference.template.find(look.picture, x, y, self._reach(look.t - t)))
        if isinstance(found, Why):
            return found
        self._since += 1
        if self._since < AGAIN and found.score >= SURE:
            return found
        told = self.target.told(look, reference, found)
        if told:
            self._since = 0
        return Why.NOT_FOUND if told is False else found

    def _reach(self, gap: float) -> int:
        if not self._haste:
            return FIRST_REACH
        return round(min(_MOST_REACH, _LEAST_REACH + _HASTE * self._haste * gap))

    def _moved(self, t: float, found: Match) -> None:
        if self._last is not None:
            gap = t - self._last[0]
            speed = math.hypot(found.x - self._last[1], found.y - self._last[2]) / gap
            self._haste = max(speed, self._haste * math.exp(-gap / _CALMING), _SLOWEST)
        self._last = t, found.x, found.y

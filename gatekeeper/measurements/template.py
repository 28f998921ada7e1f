"""Where a piece of a first picture is in a later one, to a hundredth of a pixel.

Normalized cross-correlation with the same piece always: light may change and nothing drifts. A wide search is made on
a smaller picture, a narrow one at full size on a slightly smoothed picture, and a parabola through the three best of
each direction gives the fraction. The smoothing (a Gaussian of one pixel) halves the error of the parabola. What moved
while the shutter was open is compared with the piece as it looks when it moves: its double edges have two peaks else.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements.picture import Grey
from gatekeeper.measurements.piece import CONTRAST, Piece, Smooth

SMALLEST: Final = 12  # pixels of a template's side; smaller ones are found everywhere
LARGEST: Final = 512  # pixels: a search stays within tens of milliseconds

_SMOOTHING: Final = 1.0  # pixels
_RIM: Final = 4  # pixels beside what is smoothed, that smoothing looks at
_COARSE: Final = 10  # pixels that a template keeps of its shorter side when it is made smaller
_NARROW: Final = 5  # pixels of reach that aren't worth a smaller picture
_BLURRED: Final = 0.96  # fit below which it may have moved while the shutter was open
_LENGTHS: Final = (5, 9, 13, 19, 27, 37)  # pixels that it may have moved; odd, so that the middle stays
_AROUND: Final = _LENGTHS[-1] // 2 + _RIM  # pixels beside a piece that are seen in it when it moves
_STEPS: Final = 3  # moves of the narrow window before a peak at its edge is given up


@dataclass(frozen=True, slots=True)
class Match:
    """Where a template is: its upper left corner in pixels, and how well it fits (1 is the same picture).

    `quarters` is the fit of the worst of its four quarters: something that covers a part spoils one of them.
    """

    x: float
    y: float
    score: float
    quarters: float


class Template:
    """A piece of a picture, `side` pixels a side, that is looked for in others."""

    def __init__(self, picture: Grey, left: int, top: int, side: int, centre: tuple[float, float]) -> None:
        """Take the piece; `centre` is the point that it stands for, about which it may tilt.

        :raises InvalidArgument: if it isn't wholly in the picture, too small, too large or too even.
        """
        high, wide = picture.shape
        if not SMALLEST <= side <= LARGEST:
            raise InvalidArgument(f"a patch is {SMALLEST} to {LARGEST} pixels wide; found {side}")
        if not (0 <= left <= wide - side and 0 <= top <= high - side):
            raise InvalidArgument(
                f"the patch at {left}, {top} of {side} pixels reaches out of the {wide} x {high} picture"
            )
        self.side: Final = side
        piece = picture[top : top + side, left : left + side]
        if float(piece.std()) < CONTRAST:
            raise InvalidArgument(f"the patch at {left}, {top} of {side} pixels is too even to be followed")
        self._centre: Final = centre[0] - left, centre[1] - top
        self._sharp: Final = Piece(_smooth(picture, left, top, side, side), self._centre)
        self._blurred: Final[dict[tuple[int, int], Piece]] = {}
        self._around: Final = picture[
            max(0, top - _AROUND) : top + side + _AROUND, max(0, left - _AROUND) : left + side + _AROUND
        ].copy()
        self._inside: Final = min(left, _AROUND), min(top, _AROUND)
        shrink = max(1, min(4, side // _COARSE))
        self._shrink: Final = shrink
        self._small: Final = _smaller(piece[: side // shrink * shrink, : side // shrink * shrink], shrink)

    def find(self, picture: Grey, x: float, y: float, reach: int) -> Match | None:
        """Return where the template fits best with its corner within `reach` pixels of (`x`, `y`); None if nowhere."""
        at = round(x), round(y)
        if reach > _NARROW and self._shrink > 1:
            found = self._coarse(picture, at, reach)
            if found is None:
                return None
            at, reach = found, self._shrink + 1
        return self._fine(picture, at, min(reach, 4 * _NARROW) if self._shrink == 1 else reach)

    def _coarse(self, picture: Grey, at: tuple[int, int], reach: int) -> tuple[int, int] | None:
        left, top, right, bottom = _window(picture, at, self.side, reach)
        shrink = self._shrink
        wide, high = (right - left) // shrink * shrink, (bottom - top) // shrink * shrink
        if wide < self.side or high < self.side:
            return None
        place, _ = _best(_smaller(picture[top : top + high, left : left + wide], shrink), self._small)
        return left + place[0] * shrink, top + place[1] * shrink

    def _fine(self, picture: Grey, at: tuple[int, int], reach: int) -> Match | None:
        found = self._peak(picture, at, reach, self._sharp)
        if found is None or found.score >= _BLURRED:
            return found
        first = [self._peak_moved(picture, found, across, _LENGTHS[0]) for across in (True, False)]
        best = max((found, *(one for one in first if one)), key=_score)
        if best is found:
            return found
        across = best is first[0]
        for length in _LENGTHS[1:]:
            longer = self._peak_moved(picture, best, across, length)
            if longer is None or longer.score <= best.score:
                break
            best = longer
        return best

    def _peak_moved(self, picture: Grey, near: Match, across: bool, length: int) -> Match | None:
        """Return where the piece fits best as it looks when it moves that far, to the right or down."""
        shape = (length, 1) if across else (1, length)
        piece = self._blurred.get(shape)
        if piece is None:
            piece = self._blurred[shape] = Piece(self._moved(shape), self._centre)
        return self._peak(picture, (round(near.x), round(near.y)), length // 2 + 2, piece)

    def _moved(self, shape: tuple[int, int]) -> Smooth:
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        moved = cv2.blur(self._around.astype(np.float32), shape)
        left, top = self._inside
        return np.asarray(cv2.GaussianBlur(moved, (0, 0), _SMOOTHING)[top : top + self.side, left : left + self.side])

    def _peak(self, picture: Grey, at: tuple[int, int], reach: int, piece: Piece) -> Match | None:
        for _ in range(_STEPS):
            left, top, right, bottom = _window(picture, at, self.side, reach)
            if right - left < self.side + 2 or bottom - top < self.side + 2:
                return None
            seen = _smooth(picture, left, top, right - left, bottom - top)
            (x, y), fits = _best(seen, piece.whole)
            if 0 < x < fits.shape[1] - 1 and 0 < y < fits.shape[0] - 1:
                return self._match(seen, fits, (x, y), (left, top), piece)
            if (left + x, top + y) == at:
                return None
            at, reach = (left + x, top + y), max(2, min(reach, _NARROW))
        return None

    def _match(
        self, seen: Smooth, fits: Smooth, peak: tuple[int, int], corner: tuple[int, int], piece: Piece
    ) -> Match | None:
        x, y = peak
        under = seen[y : y + self.side, x : x + self.side]
        right = _fraction(fits[y, x - 1 : x + 2])
        down = _fraction(fits[y - 1 : y + 2, x])
        if right is None or down is None:
            return None
        aside = piece.aside(under)
        return Match(
            corner[0] + x + right - aside[0], corner[1] + y + down - aside[1], float(fits[y, x]), piece.worst(under)
        )


def _score(match: Match) -> float:
    return match.score


def _window(picture: Grey, at: tuple[int, int], side: int, reach: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of where the template may lie, cut at the picture's edges."""
    high, wide = picture.shape
    left, top = max(0, at[0] - reach), max(0, at[1] - reach)
    return left, top, min(wide, at[0] + side + reach), min(high, at[1] + side + reach)


def _smooth(picture: Grey, left: int, top: int, wide: int, high: int) -> Smooth:
    """Return a smoothed part of a picture, with what lies beside it smoothed in."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    outer_left, outer_top = max(0, left - _RIM), max(0, top - _RIM)
    part = picture[outer_top : top + high + _RIM, outer_left : left + wide + _RIM].astype(np.float32)
    smoothed = cv2.GaussianBlur(part, (0, 0), _SMOOTHING)
    return np.asarray(smoothed[top - outer_top :, left - outer_left :][:high, :wide], np.float32)


def _smaller(part: Grey, shrink: int) -> Smooth:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    size = part.shape[1] // shrink, part.shape[0] // shrink
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)


def _best(seen: Smooth, piece: Smooth) -> tuple[tuple[int, int], Smooth]:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    fits: Any = cv2.matchTemplate(seen, piece, cv2.TM_CCOEFF_NORMED)
    if not np.isfinite(fits).all():
        fits = np.nan_to_num(fits, nan=-1.0, posinf=-1.0, neginf=-1.0)
    _, _, _, (x, y) = cv2.minMaxLoc(fits)
    return (x, y), fits


def _fraction(three: Smooth) -> float | None:
    """Return where a parabola through three neighbours is highest, from the middle one; None if nowhere."""
    before, middle, after = (float(one) for one in three)
    bend = before - 2 * middle + after
    if not bend < 0:
        return None
    return max(-1.0, min(1.0, 0.5 * (before - after) / bend))

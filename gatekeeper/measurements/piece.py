"""A piece of a first picture as it is laid over later ones: what it looks like, tilted a little, and partly covered."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Smooth = NDArray[np.float32]

CONTRAST: Final = 4.0  # deviation in grey levels below which nothing can be followed

_INNER: Final = slice(2, -2)  # of a piece, where its slopes are its own
_MOST_TILT: Final = 0.2  # radians, 11 degrees: beyond, the sum of slopes is no likeness any more


class Piece:
    """What is laid over a picture, and those of its quarters that have something to see."""

    def __init__(self, whole: Smooth, centre: tuple[float, float]) -> None:
        self.whole: Final = whole
        self._tilt, self._pull = _tilting(whole, centre)
        half = len(whole) // 2
        halves = slice(0, half), slice(half, None)
        self._quarters: Final = [
            ((down, right), whole[down, right])
            for down in halves
            for right in halves
            if float(whole[down, right].std()) >= CONTRAST
        ]

    def aside(self, under: Smooth) -> tuple[float, float]:
        """Return how far from its centre a tilted one correlates best."""
        angle, gain = self._tilt @ under[_INNER, _INNER].ravel()
        if not gain > 0 or abs(angle) > _MOST_TILT * gain:
            return 0.0, 0.0
        return float(self._pull[0] * angle / gain), float(self._pull[1] * angle / gain)

    def worst(self, under: Smooth) -> float:
        """Return the fit of the quarter that fits worst."""
        return min((_fit(under[part], own) for part, own in self._quarters), default=1.0)


def _tilting(piece: Smooth, centre: tuple[float, float]) -> tuple[Smooth, Smooth]:
    """Return the two rows that give a picture's angle and contrast (the angle times the contrast), and an angle's pull.

    A piece that is shifted, tilted and lit a little otherwise is the sum of itself, its slopes, what turning changes
    and an even light; how much of each there is is linear. Correlation knows no tilt and takes a part of it for a
    shift: that part of turning that looks like the slopes.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    right, down = (cv2.Sobel(piece, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    y, x = np.mgrid[: len(piece), : len(piece)]
    turned = right * (y - centre[1]) - down * (x - centre[0])
    parts = [np.asarray(part, np.float64)[_INNER, _INNER].ravel() for part in (-right, -down, piece)]
    known = np.column_stack([*parts, np.ones_like(parts[0])])
    turn = np.asarray(turned, np.float64)[_INNER, _INNER].ravel()
    pull = np.linalg.lstsq(known, turn, rcond=None)[0][:2]
    solved = np.linalg.pinv(np.column_stack([turn, known]))
    return np.asarray(solved[[0, 3]], np.float32), np.asarray(pull, np.float32)


def _fit(seen: Smooth, own: Smooth) -> float:
    """Return the correlation of two parts of the same size."""
    a, b = seen - seen.mean(), own - own.mean()
    scale = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0

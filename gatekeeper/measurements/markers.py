"""ArUco markers: found in a picture, told apart, and fitted exactly for their scale.

Finding is robust and coarse (0.1 to 0.4 px): it says which marker is where. How far one moved is measured elsewhere,
against a picture of it. Corners are in OpenCV's convention: a pixel's centre is a whole number.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.measurements.picture import Grey

Quad = NDArray[np.float32]
"""Four corners as 4 x 2 of x, y in pixels: the marker's own upper left first, then clockwise."""

CELLS: Final = 6  # a marker's side: four of code, one of black border at each end
IDENTITIES: Final = 50  # DICT_4X4_50: the fewest cells, so the farthest that a camera can be

_SMALLEST: Final = 12  # pixels in either direction; a marker can't be told in less
_BLURS: Final = (0.7, 1.2, 2.0)  # pixels, of the lenses that are tried when a marker is fitted
_SHARP: Final = 0.97  # correlation of a fit: motion blur of a sixth of the marker's side spoils it to that
_ROUNDS: Final = 40
_CLOSE_ENOUGH: Final = 1e-6  # of the correlation between two rounds: then the fit has ended


@dataclass(frozen=True, slots=True)
class Sighting:
    """The markers of one picture: each identity that was seen once, and those that were seen more often."""

    quads: dict[int, Quad]
    twice: frozenset[int]


def find(picture: Grey) -> Sighting:
    """Return the markers in a picture, or in a part of one."""
    if min(picture.shape) < _SMALLEST:
        return Sighting({}, frozenset())
    corners, identities, _ = _detector().detectMarkers(picture)
    if identities is None:
        return Sighting({}, frozenset())
    names = [int(name) for name in identities.ravel()]
    often = Counter(names)
    quads = {name: quad.reshape(4, 2) for name, quad in zip(names, corners, strict=True) if often[name] == 1}
    return Sighting(quads, frozenset(name for name, count in often.items() if count > 1))


def drawn(identity: int, cell: int, margin: int) -> Grey:
    """Return a marker of `cell` pixels a cell, within `margin` pixels of white."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    cells = cv2.aruco.generateImageMarker(_dictionary(), identity, CELLS, borderBits=1)
    return np.pad(np.kron(cells, np.ones((cell, cell), np.uint8)), margin, constant_values=255)


def sides(picture: Grey, identity: int, quad: Quad) -> NDArray[np.float64] | None:
    """Return how a marker's own axes lie in the picture: 2 x 2, a column per side, in pixels; None if it is blurred.

    The known marker is laid over the picture until they fit best (ECC, affine), as three lenses would show it. The
    corners that finding gives make a marker 1 to 4 % too small, this is within 0.5 % from 28 pixels on, 0.1 % from 48.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    size = float(np.linalg.norm(np.roll(quad, -1, 0) - quad, axis=1).mean())
    cell = max(4, round(size / CELLS))
    margin = cell // 2
    ideal = drawn(identity, cell, margin).astype(np.float32)
    side = CELLS * cell
    low, high = margin - 0.5, margin - 0.5 + side
    at = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    start, _ = cv2.estimateAffine2D(at, quad)
    if start is None:
        return None
    seen = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.5)
    until = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, _ROUNDS, _CLOSE_ENOUGH)
    best, found = _SHARP, None
    for blur in _BLURS:
        lens = cv2.GaussianBlur(ideal, (0, 0), blur * side / size)
        try:
            fit, warp = cv2.findTransformECC(
                lens, seen, start.astype(np.float32), cv2.MOTION_AFFINE, until, np.empty(0, np.uint8), 1
            )
        except cv2.error:  # it found no way to a fit
            continue
        if fit > best:
            best, found = fit, np.asarray(warp[:, :2], np.float64) * side
    return found


@cache
def _dictionary() -> Any:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


@cache
def _detector() -> Any:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    return cv2.aruco.ArucoDetector(_dictionary(), parameters)

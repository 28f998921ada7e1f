"""Video of two boards that move as told, rendered analytically: where they are in each picture is known exactly.

A board is a grid of grey cells. Each pixel is the exact integral, over its area, of the cells as a lens of Gaussian
blur shows them; exposure is the mean over the path of the board while the shutter is open. Nothing is resampled, so
that the truth has no error of its own but 8-bit rounding and what is added on purpose: noise, flicker, compression.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float64]
Picture = NDArray[np.uint8]
Motion = Callable[[float], tuple[float, float]]

WIDTH, HEIGHT = 640, 480
_PATH_STEP = 0.4  # pixels of the path between two looks at the board while the shutter is open
_NOISE_MARGIN = 64  # pixels that the one field of noise is larger than a picture: each takes another part of it
_STEP_AT = np.linspace(-8, 8, 8193)
_STEP_INTEGRAL = np.array(
    [z * 0.5 * (1 + math.erf(z / math.sqrt(2))) + math.exp(-z * z / 2) / math.sqrt(math.tau) for z in _STEP_AT]
)


def still(_: float) -> tuple[float, float]:
    """Stay."""
    return 0.0, 0.0


def sway(hertz: float, right: float, down: float = 0.0, phase: float = 0.3) -> Motion:
    """Return a sine of `right` and `down` pixels of amplitude."""

    def at(t: float) -> tuple[float, float]:
        s = math.sin(math.tau * hertz * t + phase)
        return right * s, down * s

    return at


@dataclass(frozen=True)
class Board:
    """What moves: cells of `cell` pixels a side, its centre at (`x`, `y`) when at rest.

    `hidden` says from when to when something covers the `covered` share of it.
    """

    cells: Grid
    cell: float
    x: float
    y: float
    motion: Motion = still
    hidden: tuple[tuple[float, float], ...] = ()
    covered: float = 1.0

    @property
    def side(self) -> float:
        """The pixels of the whole board's side."""
        return self.cell * len(self.cells)


def marker(identity: int, side: float, x: float, y: float, motion: Motion = still, **more: Any) -> Board:
    """Return a board with a marker of `side` pixels and its white margin."""
    cells = cv2.aruco.generateImageMarker(
        cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), identity, 6, borderBits=1
    )
    grid = np.pad(np.where(cells > 0, 215.0, 30.0), 1, constant_values=215.0)
    return Board(grid, side / 6, x, y, motion, **more)


def speckle(seed: int, side: float, x: float, y: float, motion: Motion = still, **more: Any) -> Board:
    """Return a board with nothing but speckle on it, as a printed photograph has."""
    grid = np.random.default_rng(seed).uniform(40, 210, (12, 12))
    return Board(grid, side / 12, x, y, motion, **more)


@dataclass(frozen=True)
class Shot:
    """One picture, when it was taken (s, the middle of the exposure), and where the boards' centres were (px)."""

    t: float
    picture: Picture
    truth: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Film:
    """How a scene is taken. `noise` is the deviation in grey levels, `quality` JPEG's (None: uncompressed)."""

    boards: tuple[Board, ...]
    fps: float = 30.0
    exposure: float = 0.004
    lens: float = 0.7
    noise: float = 0.0
    quality: int | None = None
    gain: Callable[[float], float] = lambda _: 1.0
    jitter: float = 0.0
    lost: float = 0.0
    seed: int = 1
    width: int = WIDTH
    height: int = HEIGHT

    def but(self, **changes: Any) -> "Film":
        """Return the same with something changed."""
        return replace(self, **changes)

    def shots(self, seconds: float) -> Iterator[Shot]:
        """Yield the pictures of some seconds; jittered by up to ± `jitter` seconds, `lost` of them missing."""
        random = np.random.default_rng(self.seed)
        ground = self._ground()
        for n in range(round(seconds * self.fps)):
            t = n / self.fps + random.uniform(-self.jitter, self.jitter)
            if n and random.random() < self.lost:
                continue
            yield self.shot(t, ground, random)

    def shot(self, t: float, ground: Grid | None = None, random: np.random.Generator | None = None) -> Shot:
        """Return the picture whose exposure's middle is at `t`."""
        random = random or np.random.default_rng(self.seed)
        image = (self._ground() if ground is None else ground).copy()
        truth = tuple(self._expose(image, board, t) for board in self.boards)
        image *= self.gain(t)
        if self.noise:
            down, right = random.integers(0, _NOISE_MARGIN, 2)
            image += (
                self.noise
                * _noise(self.seed, self.height, self.width)[down : down + self.height, right : right + self.width]
            )
        picture = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        return Shot(t, compressed(picture, self.quality), truth)

    def _ground(self) -> Grid:
        """A wall: soft blotches, the same for every picture."""
        rough = np.random.default_rng(99).uniform(60, 150, (self.height // 16 + 2, self.width // 16 + 2))
        return cv2.resize(rough, (self.width, self.height), interpolation=cv2.INTER_CUBIC).astype(np.float64)

    def _expose(self, image: Grid, board: Board, t: float) -> tuple[float, float]:
        """Draw a board over its path; return the mean place of its centre while the shutter was open."""
        path = self._path(board, t)
        reach = board.side / 2 + 4 * self.lens + 1
        left, top = np.floor(path.min(axis=0) - reach).astype(int)
        right, bottom = np.ceil(path.max(axis=0) + reach).astype(int) + 1
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        mean = path.mean(axis=0)
        if right <= left or bottom <= top:
            return float(mean[0]), float(mean[1])
        under = image[top:bottom, left:right]
        seen, cover = np.zeros_like(under), np.zeros_like(under)
        count = len(board.cells)
        edges = (np.arange(count + 1) - count / 2) * board.cell
        for x, y in path:
            across = _coverage(edges + x, np.arange(left, right), self.lens)
            along = _coverage(edges + y, np.arange(top, bottom), self.lens)
            seen += along.T @ board.cells @ across
            cover += np.outer(along.sum(axis=0), across.sum(axis=0))
        under[:] = (seen + (len(path) - cover) * under) / len(path)
        if any(start <= t < end for start, end in board.hidden):
            wide = round(board.covered * (right - left))
            under[:, :wide] = 120.0 + 20.0 * np.sin(np.arange(bottom - top) / 5)[:, None]
        return float(mean[0]), float(mean[1])

    def _path(self, board: Board, t: float) -> Grid:
        def steps(count: int) -> Grid:
            moments = t + self.exposure * ((np.arange(count) + 0.5) / count - 0.5)
            return np.array([(board.x + dx, board.y + dy) for dx, dy in map(board.motion, moments)])

        length = float(np.abs(np.diff(steps(9), axis=0)).sum())
        return steps(max(1, math.ceil(length / _PATH_STEP))) if self.exposure else steps(1)


@cache
def _noise(seed: int, height: int, width: int) -> Grid:
    random = np.random.default_rng(seed)
    return random.standard_normal((height + _NOISE_MARGIN, width + _NOISE_MARGIN), np.float32).astype(np.float64)


def compressed(picture: Picture, quality: int | None) -> Picture:
    """Return what is left of a grey picture after JPEG (MJPG's pictures are the same)."""
    if quality is None:
        return picture
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)


def _coverage(edges: Grid, pixels: NDArray[np.int64], lens: float) -> Grid:
    """Return how much of each pixel each cell covers, as `cells x pixels`, seen through a lens of that blur.

    Pixel n reaches from n - 0.5 to n + 0.5: OpenCV's convention, in which the first pixel's centre is 0.
    """
    steps = _integral((pixels + 0.5)[None, :] - edges[:, None], lens) - _integral(
        (pixels - 0.5)[None, :] - edges[:, None], lens
    )
    return np.asarray(steps[:-1] - steps[1:])


def _integral(distance: Grid, lens: float) -> Grid:
    """Return the integral of a blurred step up to each distance from it."""
    if not lens:
        return np.maximum(distance, 0.0)
    scaled = distance / lens
    inside = np.interp(scaled, _STEP_AT, _STEP_INTEGRAL)
    return lens * np.where(scaled > _STEP_AT[-1], scaled, inside)

"""How often pictures come, how evenly, and whether that is often enough."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

ENOUGH: Final = 15.0  # fps; `docs/displacement.md`: at 10 the fastest shaking of 5.5 Hz looks like 4.5
SHAKING: Final = 5.5  # Hz, the fastest that the shaking table makes
WINDOW: Final = 3.0  # seconds that the pace is taken over

_MOST: Final = 1024  # pictures kept: three seconds of the fastest camera
_GAP: Final = 1.5  # times the usual interval: then one was lost


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Pictures a second, the deviation of the intervals (s), and the share of pictures that didn't come."""

    fps: float
    jitter: float
    lost: float

    @property
    def warning(self) -> str | None:
        """What is wrong with it, in a sentence."""
        if self.fps >= ENOUGH:
            return None
        seen = abs(self.fps - SHAKING)
        return (
            f"only {self.fps:.1f} pictures a second: under {ENOUGH:.0f} a swing may look slower than it is "
            f"(aliasing; {SHAKING} Hz like {min(seen, SHAKING):.1f} Hz)"
            if self.fps < 2 * SHAKING
            else f"only {self.fps:.1f} pictures a second: under {ENOUGH:.0f} a few lost pictures make the frequency "
            f"of fast swings ambiguous"
        )


class Pace:
    """Keeps the last moments, and says how they follow each other."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=_MOST)

    def came(self, t: float) -> None:
        """Note a picture's time (s)."""
        self._moments.append(t)
        while t - self._moments[0] > WINDOW:
            self._moments.popleft()

    @property
    def rhythm(self) -> Rhythm | None:
        """The pace of the last seconds; None before there are three pictures."""
        if len(self._moments) < 3:
            return None
        gaps = np.diff(np.array(self._moments))
        usual = float(np.median(gaps))
        if not usual > 0:
            return None
        expected = np.maximum(1, np.rint(gaps / usual)) if usual else np.ones_like(gaps)
        even = gaps[gaps < _GAP * usual]
        fps = len(gaps) / float(gaps.sum())
        return Rhythm(fps, float(even.std()), 1 - len(gaps) / float(expected.sum()))

"""A model tower on a shaking table: what its two marked points do. No I/O.

Two damped oscillators, one per point, driven by the table: `x'' + 2 d w x' + w^2 x = f w^2 sin(2 pi t frequency)`. It
swings up when the table starts, in step with it or far behind, more the nearer the table comes to the tower's own
frequency, and swings out when it stops. Each team built another one.
"""

import math
import random
from typing import Final

STEP: Final = 1 / 500
"""Seconds of one step of the computation: a hundredth of the shortest period."""

CATEGORIES: Final = {"baja": (2.4, 3.8), "beton": (3.6, 5.2)}
"""Hertz between which the towers' own frequencies lie: concrete is stiffer than steel."""

NOISE: Final = 0.05
"""Millimetres that a camera is wrong by, each time."""


class Tower:
    """One tower.

    :param seed: which: the team's number.
    """

    def __init__(self, seed: int, category: str = "baja") -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a tower, no secret
        low, high = CATEGORIES.get(category, (2.0, 5.0))
        own = self._chance.uniform(low, high)
        self._damping = self._chance.uniform(0.04, 0.1)
        self._pulsation = (2 * math.pi * own * 1.6, 2 * math.pi * own)  # A is lower, and stiffer, than B
        self._push = (1.0, 2.5)  # millimetres that a slow table would move them by
        self._place = [0.0, 0.0]
        self._speed = [0.0, 0.0]
        self._time = 0.0
        self._phase = 0.0

    def advance(self, seconds: float, frequency: float | None) -> tuple[float, float]:
        """Let time pass, with the table shaking at a frequency or standing; return A and B in millimetres."""
        for _ in range(max(1, round(seconds / STEP))):
            self._time += STEP
            if frequency is not None:
                self._phase = (self._phase + 2 * math.pi * frequency * STEP) % (2 * math.pi)
            for point in (0, 1):
                w = self._pulsation[point]
                force = self._push[point] * math.sin(self._phase) if frequency is not None else 0.0
                pull = w * w * (force - self._place[point]) - 2 * self._damping * w * self._speed[point]
                self._speed[point] += pull * STEP
                self._place[point] += self._speed[point] * STEP
        return self._place[0], self._place[1]

    def measured(self, seconds: float, frequency: float | None) -> tuple[float, float]:
        """Advance, and return what a camera makes of it."""
        a, b = self.advance(seconds, frequency)
        return a + self._chance.gauss(0.0, NOISE), b + self._chance.gauss(0.0, NOISE)

"""What a run was: the greatest displacement, mean, RMS, and the frequency at which the tower moved. Decides only.

Everything counts samples in which the point was detected, and no others. Sums are compensated (Neumaier), so that the
live figures, the final ones and a computation on the exported samples agree to the last digits of a double.

**Frequency.** Samples come at uneven times, so an FFT alone is wrong by the jitter. Here the FFT of the samples laid on
an even grid (linear, mean taken out, Hann's window, padded fourfold) finds the peak; then a sinusoid with an offset is
fitted by least squares to the samples at the times that they have, and its frequency moved until the fit is best. The
amplitude is that sinusoid's. Nothing above half of the sampling rate is looked at: it can't be told from its alias.
"""

import math
from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

KEPT: Final = 120_000
"""Samples of a run whose times are kept for its frequency: a minute at 2,000 a second; 3 MB. Sums go on beyond."""

FEWEST: Final = 16
"""Samples below which there is no telling a frequency."""

PERIODS: Final = 1.5
"""Periods that must fit into the time: a slower motion can't be told from a drift."""

GOLDEN: Final = (math.sqrt(5) - 1) / 2
STEPS: Final = 30
"""Halvings, nearly, of the search for the best frequency: a millionth of a line of the FFT."""


class PointStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One point of one run, in millimetres; None where there is nothing to tell it from.

    :ivar samples: in which it was detected.
    :ivar maximum: of the absolute displacement.
    :ivar mean: with its sign; `mean_absolute` without, which is what the seed calls the average.
    :ivar rms: root of the mean square, about zero.
    :ivar frequency: hertz at which it mostly moved; `amplitude` of that motion.
    """

    samples: int
    maximum: float | None = None
    mean: float | None = None
    mean_absolute: float | None = None
    rms: float | None = None
    frequency: float | None = None
    amplitude: float | None = None


class RunStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One team in one session.

    :ivar samples: that came; `first` and `last`: seconds of the session at which the first and the last were measured.
    :ivar rate: samples a second between these; half of it is the highest frequency that can be told.
    """

    team: int
    samples: int
    first: float | None
    last: float | None
    rate: float | None
    a: PointStatistics
    b: PointStatistics


class Point:
    """One point, sample by sample."""

    __slots__ = ("_absolute", "_lost", "_lost_absolute", "_lost_square", "_square", "_sum", "maximum", "samples")

    def __init__(self) -> None:
        self.samples = 0
        self.maximum = 0.0
        self._sum = self._lost = 0.0
        self._absolute = self._lost_absolute = 0.0
        self._square = self._lost_square = 0.0

    def add(self, value: float) -> None:
        """Take in a displacement, millimetres."""
        size, square = abs(value), value * value
        self.samples += 1
        self.maximum = max(self.maximum, size)
        total = self._sum + value
        self._lost += (self._sum - total) + value if abs(self._sum) >= size else (value - total) + self._sum
        self._sum = total
        total = self._absolute + size
        self._lost_absolute += (
            (self._absolute - total) + size if self._absolute >= size else (size - total) + self._absolute
        )
        self._absolute = total
        total = self._square + square
        self._lost_square += (
            (self._square - total) + square if self._square >= square else (square - total) + self._square
        )
        self._square = total

    def statistics(self, motion: "tuple[float, float] | None" = None) -> PointStatistics:
        """Return what is known; `motion` is frequency and amplitude."""
        if not self.samples:
            return PointStatistics(samples=0)
        return PointStatistics(
            samples=self.samples,
            maximum=self.maximum,
            mean=(self._sum + self._lost) / self.samples,
            mean_absolute=(self._absolute + self._lost_absolute) / self.samples,
            rms=math.sqrt((self._square + self._lost_square) / self.samples),
            frequency=motion[0] if motion is not None else None,
            amplitude=motion[1] if motion is not None else None,
        )


class Run:
    """One team in one session, sample by sample."""

    __slots__ = ("_a", "_b", "_first", "_last", "_samples", "_times_a", "_times_b", "_values_a", "_values_b", "team")

    def __init__(self, team: int) -> None:
        self.team = team
        self._samples = 0
        self._first, self._last = math.inf, -math.inf
        self._a, self._b = Point(), Point()
        self._times_a, self._values_a = array("d"), array("d")
        self._times_b, self._values_b = array("d"), array("d")

    def add(self, elapsed: float, a: float, b: float, a_detected: bool, b_detected: bool) -> None:
        """Take in a sample, in any order; `elapsed` is its second of the session."""
        self._samples += 1
        self._first = min(self._first, elapsed)
        self._last = max(self._last, elapsed)
        if a_detected:
            self._a.add(a)
            if self._a.samples <= KEPT:
                self._times_a.append(elapsed)
                self._values_a.append(a)
        if b_detected:
            self._b.add(b)
            if self._b.samples <= KEPT:
                self._times_b.append(elapsed)
                self._values_b.append(b)

    @property
    def samples(self) -> int:
        """How many there are."""
        return self._samples

    def motions(self, window: float | None = None) -> "tuple[Series, Series]":
        """Return copies of times and values of A and of B, for `dominant`; the last `window` seconds of them."""
        return _since(self._times_a, self._values_a, window), _since(self._times_b, self._values_b, window)

    def statistics(
        self, a: "tuple[float, float] | None" = None, b: "tuple[float, float] | None" = None
    ) -> RunStatistics:
        """Return what is known; `a` and `b` are frequency and amplitude of each point."""
        span = self._last - self._first if self._samples > 1 else 0.0
        return RunStatistics(
            team=self.team,
            samples=self._samples,
            first=self._first if self._samples else None,
            last=self._last if self._samples else None,
            rate=(self._samples - 1) / span if span > 0 else None,
            a=self._a.statistics(a),
            b=self._b.statistics(b),
        )

    def final(self) -> RunStatistics:
        """Return everything, frequencies of the whole run included; some milliseconds, so in a thread."""
        a, b = self.motions()
        return self.statistics(dominant(*a), dominant(*b))


Series = tuple[Any, Any]
"""Times in seconds and values, as arrays of doubles."""


def _since(times: "array[float]", values: "array[float]", window: float | None) -> Series:
    found, amounts = np.array(times), np.array(values)
    if window is None or not len(found):
        return found, amounts
    wanted = found >= found.max() - window
    return found[wanted], amounts[wanted]


# --- frequency -------------------------------------------------------------------------------------------------------


def dominant(times: Sequence[float] | Any, values: Sequence[float] | Any) -> tuple[float, float] | None:
    """Return frequency in hertz and amplitude of the strongest periodic motion; None if there is none to be told.

    :param times: seconds, in any order, of any spacing.
    """
    t, x = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    if len(t) < FEWEST:
        return None
    order = np.argsort(t, kind="stable")
    t, x = t[order], x[order]
    span = float(t[-1] - t[0])
    if span <= 0 or float(np.ptp(x)) == 0.0:
        return None
    step = span / (len(t) - 1)
    lowest, highest = PERIODS / span, 0.5 / step
    line = _peak(t, x, step, lowest, highest)
    if line is None:
        return None
    width = 1.0 / span
    t = t - t[0]  # keeps the phases small
    frequency = _best(t, x, max(lowest, line - width), min(highest, line + width))
    return frequency, _fit(t, x, frequency)[0]


def _peak(t: Any, x: Any, step: float, lowest: float, highest: float) -> float | None:
    """Return the strongest line of the FFT of the samples on an even grid, hertz."""
    count = len(t)
    grid = t[0] + step * np.arange(count)
    even = np.interp(grid, t, x)
    even = (even - even.mean()) * np.hanning(count)
    size = 1 << (4 * count - 1).bit_length()
    power = np.abs(np.fft.rfft(even, size)) ** 2
    lines = np.fft.rfftfreq(size, step)
    power[(lines < lowest) | (lines > highest)] = 0.0
    strongest = int(np.argmax(power))
    return float(lines[strongest]) if power[strongest] > 0 else None


def _fit(t: Any, x: Any, frequency: float) -> tuple[float, float]:
    """Return amplitude of the sinusoid of this frequency that fits best, with an offset; and how much it explains."""
    phase = 2 * math.pi * frequency * t
    columns = np.column_stack((np.cos(phase), np.sin(phase), np.ones_like(t)))
    normal, right = columns.T @ columns, columns.T @ x
    try:
        found = np.linalg.solve(normal, right)
    except np.linalg.LinAlgError:
        return 0.0, 0.0
    return float(math.hypot(found[0], found[1])), float(found @ right)


def _best(t: Any, x: Any, low: float, high: float) -> float:
    """Return the frequency between two whose sinusoid explains most, by golden section: one peak lies between them."""
    one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_one, at_other = _fit(t, x, one)[1], _fit(t, x, other)[1]
    for _ in range(STEPS):
        if at_one >= at_other:
            high, other, at_other = other, one, at_one
            one = high - GOLDEN * (high - low)
            at_one = _fit(t, x, one)[1]
        else:
            low, one, at_one = one, other, at_other
            other = low + GOLDEN * (high - low)
            at_other = _fit(t, x, other)[1]
    return (low + high) / 2

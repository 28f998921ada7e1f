"""The frequency and amplitude of a swing, by least squares on the time stamps that the pictures really have.

A sine, a mean and a frequency are fitted together: the spectrum says where to begin, the best sine at each frequency
about there (a linear problem) where exactly, and Gauss-Newton steps end it. Lost pictures and uneven time stamps need
no resampling, and the residue says how exact the frequency is.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Series = NDArray[np.float64]

LOWEST: Final = 0.5  # Hz
HIGHEST: Final = 15.0  # Hz; the shaking table makes 1.5 to 5.5
FEWEST: Final = 12  # samples, for five unknowns
MOST: Final = 8192  # samples, the latest ones: more than two minutes at 60 fps

_TURNS: Final = 1.5  # of a swing that the samples must span, or it can't be told from a drift
_OVERSAMPLING: Final = 8  # even steps between two usual samples, for the coarse spectrum
_MOST_STEPS: Final = 1 << 18  # of them: a pause in the record must not cost memory
_NEAR: Final = 17  # frequencies about the coarse one, of which the best begins the fit
_ROUNDS: Final = 12
_USUAL: Final = 0.9  # of half the picture rate: nearer to it a swing has too few pictures


@dataclass(frozen=True, slots=True)
class Tone:
    """The strongest swing. Errors are standard deviations, from what the fit leaves over.

    `alias` is the frequency (Hz) that would have looked the same at this picture rate, `explained` the share of the
    movement that is this swing.
    """

    hertz: float
    hertz_error: float
    amplitude: float
    amplitude_error: float
    mean: float
    explained: float
    samples: int
    seconds: float
    alias: float


def tone(times: ArrayLike, values: ArrayLike, lowest: float = LOWEST, highest: float = HIGHEST) -> Tone | None:
    """Return the strongest swing between two frequencies (Hz); None if there is too little to tell, or nothing moves.

    :param times: seconds, growing, in any steps.
    :param values: one for each, in any unit; amplitude and mean are in the same.
    """
    t, y = np.asarray(times, np.float64)[-MOST:], np.asarray(values, np.float64)[-MOST:]
    good = np.isfinite(t) & np.isfinite(y)
    t, y = t[good], y[good]
    if len(t) < FEWEST or not t[-1] > t[0] or not float(np.ptp(y)) > 0:
        return None
    span = float(t[-1] - t[0])
    rate = 1 / float(np.median(np.diff(t)))
    lowest, highest = max(lowest, _TURNS / span), min(highest, _USUAL * rate / 2)
    if not lowest < highest:
        return None
    middle = float((t[0] + t[-1]) / 2)
    start = _coarse(t, y, lowest, highest)
    near = start + np.linspace(-1, 1, _NEAR) / span
    start = _best(t - middle, y, near[(near >= lowest) & (near <= highest)])
    return _fitted(t - middle, y, start, span, rate)


def _coarse(t: Series, y: Series, lowest: float, highest: float) -> float:
    """Return where the spectrum is highest, to a quarter of the width of its peak.

    Each sample goes to the nearest of many even steps, the others stay empty: no interpolation, and quick.
    """
    step = max(float(np.median(np.diff(t))) / _OVERSAMPLING, (t[-1] - t[0]) / _MOST_STEPS)
    places = np.rint((t - t[0]) / step).astype(np.int64)
    even = np.bincount(places, weights=y - y.mean())
    size = 4 * len(even)
    power = np.abs(np.fft.rfft(even, size)) ** 2
    first, last = math.ceil(lowest * size * step), math.floor(highest * size * step)
    return (first + int(power[first : last + 1].argmax())) / (size * step) if first <= last else lowest


def _best(t: Series, y: Series, frequencies: Series) -> float:
    """Return the frequency whose best sine leaves least over."""
    y = y - y.mean()
    angle = math.tau * frequencies[:, None] * t[None, :]
    c, s = np.cos(angle), np.sin(angle)
    c -= c.mean(axis=1, keepdims=True)
    s -= s.mean(axis=1, keepdims=True)
    cc, ss, cs = (c * c).sum(1), (s * s).sum(1), (c * s).sum(1)
    yc, ys = c @ y, s @ y
    power = (ss * yc * yc - 2 * cs * yc * ys + cc * ys * ys) / np.maximum(cc * ss - cs * cs, 1e-12 * len(t) ** 2)
    return float(frequencies[int(power.argmax())])


def _fitted(t: Series, y: Series, start: float, span: float, rate: float) -> Tone | None:
    hertz, limit = start, 1 / span
    for _ in range(_ROUNDS):
        c, s = np.cos(math.tau * hertz * t), np.sin(math.tau * hertz * t)
        flat = np.column_stack([c, s, np.ones_like(t)])
        (a, b, mean), *_ = np.linalg.lstsq(flat, y, rcond=None)
        slope = math.tau * t * (b * c - a * s)
        full = np.column_stack([flat, slope])
        left = y - flat @ np.array([a, b, mean])
        step = float(np.linalg.lstsq(full, left, rcond=None)[0][3])
        hertz += max(-limit / 4, min(limit / 4, step))
        if abs(step) < 1e-9:
            break
    if not abs(hertz - start) <= limit:
        return None  # the grid's peak was none
    amplitude = math.hypot(a, b)
    freedom = max(1, len(t) - 4)
    noise = float(left @ left) / freedom
    try:
        spread = noise * np.linalg.inv(full.T @ full)
    except np.linalg.LinAlgError:
        return None
    along = np.array([a, b]) / amplitude if amplitude else np.array([1.0, 0.0])
    return Tone(
        hertz=hertz,
        hertz_error=math.sqrt(max(0.0, float(spread[3, 3]))),
        amplitude=amplitude,
        amplitude_error=math.sqrt(max(0.0, float(along @ spread[:2, :2] @ along))),
        mean=float(mean),
        explained=max(0.0, 1 - float(left @ left) / float(((y - y.mean()) ** 2).sum())),
        samples=len(t),
        seconds=span,
        alias=abs(rate - hertz),
    )

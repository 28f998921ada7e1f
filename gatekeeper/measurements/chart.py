"""A run as columns for a chart: no more points than asked for, and no peak lost. Decides only."""

from typing import Any, Final

import msgspec
import numpy as np

POINTS: Final = 2000
"""Points of a column if nobody asks for another number: more than a screen has pixels across."""

MOST: Final = 20_000
"""Points of a column at most: two columns of it are 800 KB of JSON."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One point's motion: `elapsed` in seconds of the session, `value` in millimetres; in the order of time."""

    elapsed: list[float]
    value: list[float]


def column(times: Any, values: Any, points: int) -> Column:
    """Return at most `points` of a series: of each stretch of time its least and its greatest value, where they are.

    :param times: ascending seconds.
    """
    t, x = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    if len(t) <= points:
        return Column(elapsed=t.tolist(), value=x.tolist())
    stretches = max(1, points // 2)
    edges = np.linspace(0, len(t), stretches + 1).astype(int)
    starts = edges[:-1]
    wanted = set()
    for start, end in zip(starts, edges[1:], strict=True):
        part = x[start:end]
        wanted.add(int(start) + int(np.argmin(part)))
        wanted.add(int(start) + int(np.argmax(part)))
    kept = np.array(sorted(wanted))
    return Column(elapsed=t[kept].tolist(), value=x[kept].tolist())

"""Readings as rows of a CSV file, each written at once: what was measured outlives the program."""

import csv
from collections.abc import Sequence
from typing import Any, Final, TextIO

from gatekeeper.measurements.reading import Point, Reading

_OF_A_POINT: Final = ("mm", "detected", "right_mm", "up_mm", "x_px", "y_px", "fit", "why")

HEADINGS: Final[Sequence[str]] = ("time_s", *(f"{name}_{what}" for name in "ab" for what in _OF_A_POINT))
"""The columns; what wasn't detected has empty cells."""


class Table:
    """A CSV file that grows."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(HEADINGS)

    def take(self, reading: Reading) -> None:
        """Write a reading."""
        self._rows.writerow([f"{reading.t:.6f}", *_cells(reading.a), *_cells(reading.b)])
        self._file.flush()


def _cells(point: Point) -> list[Any]:
    if point.mm is None or point.x_mm is None or point.y_mm is None or point.place is None:
        return ["", "false", "", "", "", "", "", point.why]
    place = point.place
    figures = map(_figure, (point.x_mm, point.y_mm, place.x, place.y, place.score))
    return [_figure(point.mm), "true", *figures, point.why]


def _figure(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}"  # and no minus before nothing

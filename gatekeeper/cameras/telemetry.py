"""How well a camera's pictures came, and how its device was, over the last hour. No I/O, no clock, no thread.

One sample every five seconds, in arrays that are made once: a camera costs the same memory after a day as at its
start. A figure that isn't known is None, never 0.

Jitter is RFC 3550's (6.4.1, A.8): the mean deviation of the time between pictures, smoothed by a sixteenth per
picture. A camera sends no time stamps that could be trusted, so the deviation is taken from the mean time between its
pictures, likewise smoothed, and not from the sender's spacing.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

INTERVAL: Final = 5.0  # seconds between samples
POINTS: Final = 720  # an hour of them
GAIN: Final = 1 / 16  # of the newest in jitter and mean: RFC 3550's, settles within some twenty pictures
FRESH: Final = 25.0  # seconds for which a device's word counts: it speaks every ten


@dataclass(frozen=True, slots=True)
class Column:
    """One figure.

    :ivar digits: behind the point; more is noise.
    :ivar typecode: of the array: `f` has 24 bits, enough for what is measured; `d` 53, for what is counted.
    :ivar is_device: whether only a device that connects to us tells it.
    """

    unit: str
    digits: int = 0
    typecode: str = "d"
    is_device: bool = False


COLUMNS: Final[Mapping[str, Column]] = {
    "received": Column("1/s", 2, "f"),
    "wanted": Column("1/s", 2, "f"),
    "bytes": Column("B/s", 0, "f"),
    "jitter": Column("s", 4, "f"),
    "rejected": Column("pictures"),
    "dropped": Column("pictures", is_device=True),
    "lost": Column("pictures", is_device=True),
    "heap": Column("B", is_device=True),
    "minimum_heap": Column("B", is_device=True),
    "psram": Column("B", is_device=True),
    "rssi": Column("dBm", 0, "f", is_device=True),
    "uptime": Column("s", is_device=True),
}
"""Name -> what it is. `rejected`, `dropped` and `lost` are counts that only rise, until a restart."""


class TelemetryPage(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of a camera, oldest first.

    :ivar every: seconds between samples.
    :ivar time: Unix seconds of each sample.
    :ivar columns: name -> a figure per sample; None where it isn't known.
    :ivar units: name -> the unit: `1/s`, `B/s`, `s`, `B`, `dBm`, or `pictures`, which are counted from a start.
    """

    camera: str
    every: float
    time: list[float]
    columns: dict[str, list[float | None]]
    units: dict[str, str]


Figures = Mapping[str, float | None]


class Telemetry:
    """The samples of one camera.

    :param device: whether it is one that tells of itself.
    :param now: monotonic seconds.
    """

    def __init__(self, camera: str, *, device: bool, now: float) -> None:
        self.camera = camera
        self.names = tuple(name for name, column in COLUMNS.items() if device or not column.is_device)
        self._time = array("d", bytes(8 * POINTS))
        self._columns = {name: array(COLUMNS[name].typecode, [math.nan] * POINTS) for name in self.names}
        self._count = 0  # of samples, ever
        self._sampled = now
        self._frames = 0  # since the last sample
        self._bytes = 0
        self._last: float | None = None  # when the last picture came
        self._mean: float | None = None  # seconds between two
        self._jitter: float | None = None

    def frame(self, size: int, now: float) -> None:
        """A picture came.

        :param size: bytes.
        """
        self._frames += 1
        self._bytes += size
        last, self._last = self._last, now
        if last is None:
            return
        between, mean = now - last, self._mean
        if mean is None:
            self._mean = between
            return
        deviation = between - mean
        self._mean = mean + GAIN * deviation
        jitter = self._jitter or 0.0  # as in the RFC: one odd time at the start is a sixteenth of itself
        self._jitter = jitter + GAIN * (abs(deviation) - jitter)

    def interrupted(self) -> None:
        """The camera isn't live any more: the time until its next picture is an outage, and no jitter."""
        self._last = self._mean = self._jitter = None

    def sample(self, figures: Figures, now: float, wall: float) -> dict[str, float | None]:
        """Keep a sample of what came since the last one; return it as a point.

        :param figures: what isn't counted here, by column; of what is missing nothing is known.
        """
        elapsed = max(now - self._sampled, 1e-3)
        measured: Figures = {
            "received": self._frames / elapsed,
            "bytes": self._bytes / elapsed,
            "jitter": self._jitter if self._frames else None,
        }
        self._sampled, self._frames, self._bytes = now, 0, 0
        at = self._count % POINTS
        self._count += 1
        self._time[at] = wall
        for name in self.names:
            value = measured.get(name, figures.get(name))
            self._columns[name][at] = math.nan if value is None else value
        return {"time": round(wall, 3), **{name: self._shown(name, at) for name in self.names}}

    def since(self, wall: float | None = None) -> TelemetryPage:
        """Return the samples that came after a moment; all that are kept without one.

        :param wall: Unix seconds.
        """
        first = max(0, self._count - POINTS)
        order = [number % POINTS for number in range(first, self._count)]
        if wall is not None:
            order = [at for at in order if self._time[at] > wall]
        return TelemetryPage(
            camera=self.camera,
            every=INTERVAL,
            time=[round(self._time[at], 3) for at in order],
            columns={name: self._column(name, order) for name in self.names},
            units={name: COLUMNS[name].unit for name in self.names},
        )

    def _shown(self, name: str, at: int) -> float | None:
        return self._column(name, (at,))[0]

    def _column(self, name: str, order: Sequence[int]) -> list[float | None]:
        """Return a column's figures at these places; an hour of all takes some milliseconds."""
        column, digits = self._columns[name], COLUMNS[name].digits or None
        values = [column[at] for at in order]
        return [None if value != value else round(value, digits) for value in values]  # noqa: PLR0124 - only NaN

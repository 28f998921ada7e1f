"""What a whole measurement came to, in lines for people."""

import math
from array import array
from collections import Counter
from typing import Final

from gatekeeper.measurements.frequency import Tone, tone
from gatekeeper.measurements.pace import ENOUGH
from gatekeeper.measurements.reading import Point, Reading, Why

MOST: Final = 1_000_000  # readings kept for the end, 24 MB: more than four hours at 60 fps; of more, the first ones
LIVE: Final = 10.0  # seconds that a frequency is taken from while measuring


class Record:
    """The readings so far."""

    def __init__(self) -> None:
        self.times = array("d")
        self._mm = array("d"), array("d")  # not a number where there is none
        self._why: tuple[Counter[Why], Counter[Why]] = (Counter(), Counter())

    def add(self, reading: Reading) -> None:
        """Keep a reading."""
        for n, point in enumerate((reading.a, reading.b)):
            self._why[n][point.why] += 1
        if len(self.times) < MOST:
            self.times.append(reading.t)
            for kept, point in zip(self._mm, (reading.a, reading.b), strict=True):
                kept.append(_or_nan(point))

    def tones(self, seconds: float = math.inf) -> tuple[Tone | None, Tone | None]:
        """Return both points' swing over the last seconds."""
        first = len(self.times)
        while first and self.times[-1] - self.times[first - 1] <= seconds:
            first -= 1
        times = self.times[first:]
        return tone(times, self._mm[0][first:]), tone(times, self._mm[1][first:])

    def lines(self) -> list[str]:
        """Return what there is to say at the end."""
        if len(self.times) < 2:
            return ["no pictures were measured" if not self.times else "one picture was measured"]
        span = self.times[-1] - self.times[0]
        fps = (len(self.times) - 1) / span
        lines = [f"{len(self.times)} pictures in {span:.2f} s, {fps:.2f} a second"]
        tones = self.tones()
        for n, name in enumerate("AB"):
            lines.append(f"{name}: {_came_to(self._mm[n], self._why[n])}")
            found = tones[n]
            if found is not None:
                lines.append(f"{name}: {_swing(found)}")
        if fps < ENOUGH:
            lines.append(_doubt(fps, tones))
        return lines


def _or_nan(point: Point) -> float:
    return math.nan if point.mm is None else point.mm


def _came_to(values: "array[float]", why: Counter[Why]) -> str:
    seen = [value for value in values if not math.isnan(value)]
    rest = ", ".join(f"{count} {reason}" for reason, count in why.most_common() if reason is not Why.MEASURED)
    begin = f"measured in {len(seen)} of {len(values)} pictures" + (f" ({rest})" if rest else "")
    if not seen:
        return begin
    mean = sum(seen) / len(seen)
    rms = math.sqrt(sum(value * value for value in seen) / len(seen))
    return f"{begin}; {min(seen):+.3f} to {max(seen):+.3f} mm, mean {mean:+.3f}, RMS {rms:.3f}"


def _doubt(fps: float, tones: tuple[Tone | None, Tone | None]) -> str:
    others = ", ".join(f"{name} {found.alias:.2f} Hz" for name, found in zip("AB", tones, strict=True) if found)
    return (
        f"warning: at {fps:.1f} pictures a second these frequencies may be aliases (of {others or 'faster ones'}): "
        f"{ENOUGH:.0f} a second or more are needed"
    )


def _swing(found: Tone) -> str:
    return (
        f"{found.hertz:.4f} +- {found.hertz_error:.4f} Hz, "
        f"amplitude {found.amplitude:.3f} +- {found.amplitude_error:.3f} mm, {found.explained:.0%} of the movement"
    )

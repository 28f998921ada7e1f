"""One measurement from its first picture to its last: each is measured, kept, handed on and shown."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gatekeeper.measurements import overlay
from gatekeeper.measurements.displacement import Displacement
from gatekeeper.measurements.frequency import Tone
from gatekeeper.measurements.pace import Pace
from gatekeeper.measurements.reading import Reading
from gatekeeper.measurements.summary import LIVE, Record
from gatekeeper.measurements.video import Taken, Video

SHOWN: Final = 1 / 25  # s between two pictures that are shown: measuring doesn't wait for the eye
_AGAIN: Final = 1.0  # s of video between two looks at frequency and pace


class Taker(Protocol):
    """Whoever gets each reading: a file, a server."""

    def take(self, reading: Reading, /) -> None: ...


class Screen(Protocol):
    """Where pictures are shown; raises KeyboardInterrupt when it is closed."""

    @property
    def watched(self) -> bool: ...

    def take(self, image: NDArray[np.uint8], /) -> None: ...

    def asked(self) -> bool: ...


class Measuring:
    """Measures a video."""

    def __init__(
        self,
        displacement: Displacement,
        takers: Sequence[Taker],
        screen: Screen | None,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._displacement, self._takers, self._screen, self._say, self._clock = (
            displacement,
            takers,
            screen,
            say,
            clock,
        )
        self._pace = Pace()
        self._tones: tuple[Tone | None, Tone | None] = (None, None)
        self._looked: float | None = None
        self._shown = -SHOWN
        self._warned = False
        self.record: Final = Record()

    def run(self, video: Video, seconds: float | None = None) -> None:
        """Measure until the video ends, or for some seconds of it."""
        first = None
        for taken in video:
            first = taken.t if first is None else first
            if seconds is not None and taken.t - first > seconds:
                return
            self._step(taken)

    def _step(self, taken: Taken) -> None:
        if self._screen is not None and self._screen.asked():
            self._displacement.refer()
        reading = self._displacement.measure(taken.picture, taken.t)
        self.record.add(reading)
        self._pace.came(taken.t)
        for taker in self._takers:
            taker.take(reading)
        self._look(taken.t)
        self._show(taken, reading)

    def _look(self, t: float) -> None:
        """Take pace and frequency now and then, and warn once of too few pictures."""
        if self._looked is None:
            self._looked = t
        if t - self._looked < _AGAIN:
            return
        self._looked = t
        if self._screen is not None and self._screen.watched:
            self._tones = self.record.tones(LIVE)
        rhythm = self._pace.rhythm
        if rhythm is not None and rhythm.warning and not self._warned:
            self._warned = True
            self._say(f"warning: {rhythm.warning}")

    def _show(self, taken: Taken, reading: Reading) -> None:
        if self._screen is None or not self._screen.watched or self._clock() - self._shown < SHOWN:
            return
        self._shown = self._clock()
        self._screen.take(overlay.drawn(taken.picture, reading, self._pace.rhythm, self._tones))

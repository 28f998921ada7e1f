"""Whether a camera has started anew since it last told its uptime. Figures in, a verdict out; no clock of its own.

Its uptime goes back, or lags behind the time that went by. Where it connected anew in between, seconds of lag are
enough: a camera that restarts every few seconds always tells the same uptime. On the same connection words may be
held up on the way, and a restart would have ended it.
"""

from typing import Final

LAG: Final = 3.0  # seconds on a new connection: more than its clock and the rounding of its words make
HELD_UP: Final = 30.0  # seconds on the same one: twice the silence after which it is cut
WRAP: Final = 2**32 / 1000  # seconds: the real camera's uptime begins at 0 again after 49.7 days of milliseconds


class Boots:
    """The uptimes of one camera."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None  # uptime, and when it was told
        self._connected = False

    def connected(self) -> None:
        """It connected anew."""
        self._connected = True

    def told(self, uptime: float, now: float) -> bool:
        """Take in an uptime; return whether the camera has restarted.

        :param now: monotonic seconds.
        """
        before, self._last = self._last, (uptime, now)
        slack, self._connected = (LAG if self._connected else HELD_UP), False
        if before is None:
            return False
        expected = before[0] + now - before[1]
        if expected >= WRAP - HELD_UP and abs(expected - WRAP - uptime) <= HELD_UP:
            return False
        return uptime < before[0] - LAG or uptime < expected - slack

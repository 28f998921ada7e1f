"""What viewers see while a camera isn't live: a generated picture that says so, at once and once a second.

Repeated, because a viewer that gets nothing can't tell a blind camera from a dead connection. Rendered once per
condition, elsewhere; one rendering at a time, however fast the conditions change.
"""

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.cameras.feed import Condition
from gatekeeper.http.fanout import Clock

INTERVAL: Final = 1.0  # seconds; 30 KB/s per viewer, and well under any proxy's idle time-out


class Notices:
    """Repeats the picture of one condition from `begin` to `end`.

    :param render: draws the JPEG for a condition, off the reactor thread.
    :param show: takes each JPEG to be shown now.
    """

    _log = Logger()

    def __init__(
        self, clock: Clock, render: Callable[[Condition], Deferred[bytes]], show: Callable[[bytes], None]
    ) -> None:
        self._clock = clock
        self._render = render
        self._show = show
        self._condition: Condition | None = None  # that is to be shown
        self._drawn: tuple[Condition, bytes] | None = None
        self._drawing = False
        self._timer: IDelayedCall | None = None

    def begin(self, condition: Condition) -> None:
        """Show this condition from now on, instead of another."""
        self.end()
        self._condition = condition
        self._tick()

    def end(self) -> None:
        """Show nothing any more."""
        self._condition = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = self._clock.callLater(INTERVAL, self._tick)
        if self._drawn is not None and self._drawn[0] == self._condition:
            self._show(self._drawn[1])
        elif not self._drawing:
            self._draw()

    def _draw(self) -> None:
        condition = self._condition
        if condition is None:
            return
        self._drawing = True
        drawing = maybeDeferred(self._render, condition)
        drawing.addCallbacks(self._was_drawn, self._was_not_drawn, callbackArgs=(condition,))

    def _was_drawn(self, jpeg: bytes, condition: Condition) -> None:
        self._drawing = False
        self._drawn = (condition, jpeg)
        if self._condition == condition:
            self.begin(condition)  # at once, and a whole interval until the next
        else:
            self._draw()

    def _was_not_drawn(self, failure: Failure) -> None:
        self._drawing = False
        self._log.failure("a camera's notice can't be drawn", failure)  # the next tick tries again

"""One camera under the recorder's eye: its ring, and when it was blind. Costs a reference per frame, and no copy."""

from collections.abc import Callable
from typing import Protocol

from gatekeeper.evidence.ring import Frame, Ring, Sight

SLACK = 3.0
"""Seconds that a ring reaches back beyond what is asked for: an action is recorded when the lock has answered."""

GAP = 2.0
"""Seconds without a picture after which a camera was blind: a camera's stall time by default."""

CONNECTING = "connecting"
"""The state of a camera that says nothing about why it has no picture."""

LIVE = "live"


class Condition(Protocol):
    """A camera's state and, unless it is live, the reason."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


class Subscription(Protocol):
    """One consumer's slot at a feed."""

    def take(self) -> Frame | None: ...
    def close(self) -> None: ...


class Feed(Protocol):
    """A camera's newest frame and condition, and who is told of the next."""

    @property
    def condition(self) -> Condition: ...
    def subscribe(self, notify: Callable[[], None], /) -> Subscription: ...
    def observe(self, observer: Callable[[Condition], None], /) -> Callable[[], None]: ...


class Watch:
    """A camera's ring and sight, kept up to date from its feed until it is closed.

    :param before: seconds of pictures that must be there when something happens.
    :param span: seconds back for which it must be able to say when the camera was blind.
    :param ring_bytes: memory for the ring.
    :param clock: monotonic seconds, those of the frames.
    :param offer: called with every frame.
    :param changed: called when it is known of the camera that it sees nothing.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        before: float,
        span: float,
        ring_bytes: int,
        clock: Callable[[], float],
        offer: Callable[[Frame], None],
        changed: Callable[[], None],
    ) -> None:
        self.ring = Ring(before + SLACK, ring_bytes)
        self.sight = Sight(clock(), span + SLACK, GAP, "no picture yet")
        self._clock = clock
        self._offer = offer
        self._changed = changed
        self._heard(feed.condition)
        self._subscription = feed.subscribe(self._notified)
        self._end = feed.observe(self._heard)

    def close(self) -> None:
        """Stop looking."""
        self._subscription.close()
        self._end()

    def _notified(self) -> None:
        frame = self._subscription.take()
        if frame is not None:
            self.ring.add(frame)
            self.sight.seen(frame.received)
            self._offer(frame)

    def _heard(self, condition: Condition) -> None:
        if condition.state != LIVE:
            reason = f"{condition.state}: {condition.reason}" if condition.reason else str(condition.state)
            self.sight.lost(self._clock(), reason, firm=condition.state != CONNECTING)
            self._changed()

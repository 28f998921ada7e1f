"""A camera's newest frame and state, and everybody who waits for the next one.

Only the newest frame matters: each subscriber has one slot, and a frame that was not taken is replaced, never queued.
A feed costs one frame of memory however many watch it. No I/O here: `pull` and `push` put frames in.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gatekeeper.cameras.frame import CameraState, Frame

FPS_WEIGHT = 0.1  # of the newest interval in the running mean: settles within about ten frames


@dataclass(frozen=True, slots=True)
class Condition:
    """A camera's state, since when, and why.

    :ivar since: Unix seconds at which the state was entered.
    :ivar reason: one sentence for people; None while live.
    """

    state: CameraState
    since: float
    reason: str | None


class Subscription:
    """One consumer's slot: `take` gives the newest frame once."""

    __slots__ = ("_closed", "_feed", "_notify", "_taken")

    def __init__(self, feed: "Feed", notify: Callable[[], None]) -> None:
        self._feed = feed
        self._notify = notify
        self._taken = 0
        self._closed = False

    def take(self) -> Frame | None:
        """Return the newest frame if it wasn't taken yet, else None."""
        newest = self._feed.newest
        if self._closed or newest is None or newest.sequence == self._taken:
            return None
        self._taken = newest.sequence
        return newest

    def close(self) -> None:
        """Stop being notified; closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._feed._subscriptions.discard(self)
            self._feed.left()


class Feed:
    """The newest frame of one camera, its condition and its counts.

    :ivar newest: the newest frame of this run, kept also when the camera is not live: its age tells.
    :ivar condition: the state with its reason.
    :ivar fps: frames per second, a running mean; 0 unless live.
    :ivar bytes: of all frames since the start.
    :ivar rejected: parts that were no complete JPEG.
    :ivar reconnects: connections after the first.
    """

    def __init__(self, camera: str, wall: float) -> None:
        self.camera = camera
        self.newest: Frame | None = None
        self.condition = Condition(CameraState.CONNECTING, wall, "not asked yet")
        self.fps = 0.0
        self.bytes = 0
        self.rejected = 0
        self.reconnects = 0
        self._interval: float | None = None
        self._subscriptions: set[Subscription] = set()
        self._observers: list[Callable[[Condition], None]] = []

    @property
    def frames(self) -> int:
        """How many frames arrived since the start."""
        return self.newest.sequence if self.newest is not None else 0

    @property
    def subscribers(self) -> int:
        """How many consumers wait for frames."""
        return len(self._subscriptions)

    def subscribe(self, notify: Callable[[], None]) -> Subscription:
        """Call `notify` after each new frame until the subscription is closed.

        `notify` must return quickly and must not raise; it calls `take` when its consumer has room.
        """
        subscription = Subscription(self, notify)
        self._subscriptions.add(subscription)
        return subscription

    def left(self) -> None:
        """Hear that a subscription has ended; for feeds that work only while somebody looks."""

    def observe(self, observer: Callable[[Condition], None]) -> Callable[[], None]:
        """Call `observer` after each change of condition; return what ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def put(self, jpeg: bytes, width: int, height: int, now: float, wall: float) -> Frame:
        """Take in a checked JPEG as the newest frame; the camera is live from here on."""
        previous = self.newest
        if previous is not None and self.condition.state is CameraState.LIVE:
            interval = max(now - previous.received, 1e-6)
            mean = interval if self._interval is None else self._interval
            self._interval = mean + FPS_WEIGHT * (interval - mean)
            self.fps = 1.0 / self._interval
        self.bytes += len(jpeg)
        sequence = previous.sequence + 1 if previous is not None else 1
        self.newest = frame = Frame(self.camera, sequence, now, wall, width, height, jpeg)
        if self.condition.state is not CameraState.LIVE:
            self.change(CameraState.LIVE, None, wall)
        for subscription in tuple(self._subscriptions):
            subscription._notify()
        return frame

    def change(self, state: CameraState, reason: str | None, wall: float) -> None:
        """Enter `state`; the same state with the same reason again changes nothing, a new reason keeps `since`."""
        before = self.condition
        if (before.state, before.reason) == (state, reason):
            return
        since = before.since if before.state is state else wall
        self.condition = Condition(state, since, reason)
        if state is not CameraState.LIVE:
            self.fps = 0.0
            self._interval = None
        for observer in tuple(self._observers):
            observer(self.condition)

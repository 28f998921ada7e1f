"""When pictures of one camera are kept: every n seconds, and when something happens that it may have seen.

Never of a camera that isn't live, and never a frame that is kept already: where an event comes with no newer frame
than that, its picture is the next frame.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from gatekeeper.cameras.feed import Feed, Subscription
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.config_pictures import KeptPictures
from gatekeeper.errors import GatekeeperError
from gatekeeper.storage.snapshots import SnapshotRow, Why

LATE: Final = 10.0
"""Seconds after which an event gets no picture: it was long in being stored, and shows something else by now."""

NEXT: Final = 5.0
"""Seconds that an event waits for a frame that isn't kept yet."""

GAP: Final = 1.0
"""Seconds between two pictures for events: what flaps must not fill the disk."""


class Happened(Protocol):
    """An event, as far as it matters here; `time` in Unix seconds."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def time(self) -> float: ...


class Keeps(Protocol):
    """What keeps a frame: `keeper`."""

    def has(self, frame: Frame, /) -> bool: ...
    def keep(self, frame: Frame, why: Why, /, *, event: str | None = None) -> "Deferred[SnapshotRow]": ...


def is_meant(event: Happened, camera: str, kinds: Collection[str], doors: Collection[str]) -> bool:
    """Return whether an event is an occasion: of such a kind, and of this camera or a door that it looks at."""
    if event.kind not in kinds:
        return False
    return event.subject in doors if event.kind.startswith("door.") else event.subject == camera


class Occasions:
    """The occasions of one camera.

    :param doors: ids of the doors that it looks at.
    :param reactor: clock; `wall` Unix seconds now.
    """

    def __init__(
        self,
        camera: str,
        wanted: KeptPictures,
        doors: Collection[str],
        feed: Feed,
        keeper: Keeps,
        *,
        reactor: Any,
        wall: Callable[[], float],
    ) -> None:
        self._camera = camera
        self._wanted = wanted
        self._doors = frozenset(doors)
        self._feed = feed
        self._keeper = keeper
        self._reactor = reactor
        self._wall = wall
        self._interval = LoopingCall(self._due)
        self._interval.clock = reactor
        self._next: Subscription | None = None
        self._patience: IDelayedCall | None = None
        self._last: float | None = None

    def start(self) -> None:
        """Begin; the first picture at an interval is one interval away."""
        if self._wanted.every is not None and not self._interval.running:
            self._interval.start(self._wanted.every, now=False)

    def stop(self) -> None:
        """End."""
        if self._interval.running:
            self._interval.stop()
        self._give_up()

    def happened(self, event: Happened) -> None:
        """Hear of an event that is on the record."""
        if not is_meant(event, self._camera, self._wanted.on, self._doors) or self._wall() - event.time > LATE:
            return
        now = self._reactor.seconds()
        if self._next is not None or (self._last is not None and now - self._last < GAP):
            return
        frame = self._fresh()
        if frame is not None:
            self._take(frame, event.id)
        elif self._feed.condition.state is CameraState.LIVE:
            self._next = self._feed.subscribe(lambda: self._arrived(event.id))
            self._patience = self._reactor.callLater(NEXT, self._give_up)

    def _due(self) -> None:
        frame = self._fresh()
        if frame is not None:
            self._keep(frame, "interval", None)

    def _fresh(self) -> Frame | None:
        """Return the newest frame, if the camera is live and it isn't kept yet."""
        frame = self._feed.newest
        if frame is None or self._feed.condition.state is not CameraState.LIVE or self._keeper.has(frame):
            return None
        return frame

    def _arrived(self, event: str) -> None:
        self._give_up()
        frame = self._fresh()
        if frame is not None:
            self._take(frame, event)

    def _take(self, frame: Frame, event: str) -> None:
        self._last = self._reactor.seconds()
        self._keep(frame, "event", event)

    def _keep(self, frame: Frame, why: Why, event: str | None) -> None:
        # Whoever keeps has a state and says it in the log; nobody else is here to be told.
        self._keeper.keep(frame, why, event=event).addErrback(_expected)

    def _give_up(self) -> None:
        if self._next is not None:
            self._next.close()
            self._next = None
        if self._patience is not None:
            if self._patience.active():
                self._patience.cancel()
            self._patience = None


def _expected(failure: Failure) -> None:
    failure.trap(GatekeeperError)

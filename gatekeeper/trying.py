"""A camera that isn't there yet, tried once: by the very code that would bring its pictures, and in bounded time."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater

from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.push.identity import Stranger
from gatekeeper.elsewhere import IsOwn
from gatekeeper.errors import Busy
from gatekeeper.tried import Tried
from gatekeeper.viewed import Viewed, puller
from gatekeeper.wanted import Wanted

PATIENCE: Final = 12.0  # seconds for the first picture: a person waits for it, and a decoder takes up to ten to open
SAMPLE: Final = 1.5  # seconds of pictures after the first, to tell how many come in a second
END_TIMEOUT: Final = 3.0  # seconds for the connection to end
MAXIMUM: Final = 2  # at once: each may hold a decoder's thread


class Trying:
    """Tries cameras.

    :param viewed: the cameras that there are, by id: none is connected to a second time.
    :param strangers: who connects and is in no configuration.
    """

    def __init__(
        self,
        reactor: Any,
        wall: Callable[[], float],
        is_own: IsOwn,
        viewed: Mapping[str, Viewed],
        strangers: Callable[[], list[Stranger]],
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._is_own = is_own
        self._viewed = viewed
        self._strangers = strangers
        self._running = 0

    async def run(self, wanted: Wanted) -> Tried:
        """Try a camera; whatever is wrong with it is the reason in what is returned.

        :raises Busy: if others are being tried.
        """
        kind: Any = wanted.camera.kind
        if wanted.camera.push is not None:
            return self._pushed(wanted)
        same = self._same(wanted)
        if same is not None:
            return same
        if self._running >= MAXIMUM:
            raise Busy(f"{MAXIMUM} cameras are being tried already: wait a few seconds")
        self._running += 1
        try:
            return await self._try(wanted, kind)
        finally:
            self._running -= 1

    async def _try(self, wanted: Wanted, kind: Any) -> Tried:
        begun = self._reactor.seconds()
        feed = Feed("try", self._wall())
        look = _Look(feed)
        service = puller(self._reactor, wanted, feed, self._wall, self._is_own)
        timer = self._reactor.callLater(PATIENCE, look.give_up, f"no picture within {PATIENCE:g} s")
        service.startService()
        try:
            await look.decided
            if look.reason is None:
                await _pause(self._reactor, SAMPLE, look.enough)
            await deferLater(self._reactor, 0, lambda: None)  # what told us is under way, and can't be stopped within
        finally:
            if timer.active():
                timer.cancel()
            look.close()
            ended = maybeDeferred(service.stopService).addTimeout(END_TIMEOUT, self._reactor)
            await ended.addErrback(lambda _: None)
        frame = look.first
        if frame is None:
            return Tried(kind=kind, reason=look.reason)
        return _shown(kind, look.last or frame, fps=look.fps, seconds=round(frame.received - begun, 2))

    def _same(self, wanted: Wanted) -> Tried | None:
        """Return what is known of a camera that there is: most take one connection, which is in use."""
        camera, kind = wanted.camera, cast("Any", wanted.camera.kind)
        for name, viewed in self._viewed.items():
            other, condition, newest = viewed.wanted.camera, viewed.feed.condition, viewed.feed.newest
            if other.push is not None or (other.address, other.kind) != (camera.address, camera.kind):
                continue
            if (viewed.wanted.password, other.username) != (wanted.password, camera.username):
                why = "is connected: what username and password are worth is seen once they are saved"
                return Tried(kind=kind, reason=f"camera {name} has this address and {why}")
            if newest is not None and condition.state is CameraState.LIVE:
                return _shown(kind, newest, fps=round(viewed.feed.fps, 1), seconds=None)
            why = f": {condition.reason}" if condition.reason else ""
            return Tried(kind=kind, reason=f"camera {name} has this address and is {condition.state}{why}")
        return None

    def _pushed(self, wanted: Wanted) -> Tried:
        push = wanted.camera.push
        assert push is not None  # noqa: S101 - narrows the type
        for one in self._strangers():
            told = ((push.path, one.path), (push.device, one.id), (push.address, one.address))
            if all(ours in (None, theirs) for ours, theirs in told):
                return Tried(
                    kind="push",
                    width=one.width,
                    height=one.height,
                    size=one.size,
                    reason="it connects, and its pictures are shown once it is saved",
                )
        return Tried(kind="push", reason="no camera that is told so, and is nobody's, has connected yet")


class _Look:
    """Waits for pictures, or the reason why there are none."""

    def __init__(self, feed: Feed) -> None:
        self.first: Frame | None = None
        self.last: Frame | None = None
        self.reason: str | None = None
        self.decided: Deferred[None] = Deferred()
        self.enough: Deferred[None] = Deferred()
        self._feed = feed
        self._subscription = feed.subscribe(self._arrived)
        self._end = feed.observe(self._changed)

    @property
    def fps(self) -> float | None:
        """Pictures per second."""
        if self.first is None or self.last is None or self.last.received <= self.first.received:
            return None
        return round((self.last.sequence - self.first.sequence) / (self.last.received - self.first.received), 1)

    def give_up(self, reason: str) -> None:
        """Wait no longer."""
        if not self.decided.called:
            self.reason = reason
            self.decided.callback(None)

    def close(self) -> None:
        """Look no more."""
        self._subscription.close()
        self._end()

    def _arrived(self) -> None:
        frame = self._subscription.take()
        if frame is not None:
            self.first, self.last = self.first or frame, frame
            if not self.decided.called:
                self.decided.callback(None)

    def _changed(self, condition: Condition) -> None:
        if condition.state in (CameraState.OFFLINE, CameraState.STALLED):
            self.give_up(condition.reason or str(condition.state))
            if not self.enough.called:
                self.enough.callback(None)


def _shown(kind: Any, frame: Frame, *, fps: float | None, seconds: float | None) -> Tried:
    return Tried(
        kind=kind,
        picture=frame.jpeg,
        width=frame.width,
        height=frame.height,
        size=len(frame.jpeg),
        fps=fps,
        seconds=seconds,
    )


async def _pause(clock: Any, seconds: float, sooner: "Deferred[None]") -> None:
    """Wait, or until something happens sooner."""
    timer = clock.callLater(seconds, sooner.callback, None)
    try:
        await sooner
    finally:
        if timer.active():
            timer.cancel()

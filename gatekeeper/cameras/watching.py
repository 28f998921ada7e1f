"""Pictures for the tiles of sessions, by credit: what `credit` decides is done here. Thin.

A tile is one call that answers in parts: the pictures. It ends when its caller cancels it or leaves, when the camera is
taken away, or when the caller may not view it any more; a tile without credit isn't even told of new pictures.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from gatekeeper.cameras.credit import Tiles
from gatekeeper.cameras.feed import Feed, Subscription
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.relay import Relay
from gatekeeper.cameras.tile import Asked, Credit
from gatekeeper.errors import AccessDenied, GatekeeperError, InvalidArgument, NoSuchCamera
from gatekeeper.wamp.shared import Shared

PROBE_PAUSE = 0.05
"""Seconds from one probe to the next at least: each costs as much as a call, and queues don't grow faster."""

Part = Callable[[Shared], None]


class Watching:
    """Every session's tiles.

    :param feeds: by camera id.
    :param clock: the reactor.
    :param unsent: tells of a session how many bytes wait for it to read.
    :param when_drained: calls back once when a session with something unsent has read it.
    :param probe: calls back once when a session's other end has had what it was sent until now.
    :ivar relay: brings the pictures of other sites' cameras, where there are other sites.
    """

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        clock: Any,
        unsent: Callable[[int], int],
        when_drained: Callable[[int, Callable[[], None]], None],
        probe: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self.clock = clock
        self.unsent = unsent
        self.when_drained = when_drained
        self.probe = probe
        self.relay: Relay | None = None
        self._feeds = feeds
        self._screens: dict[int, _Screen] = {}
        self._watched: Counter[str] = Counter()
        self._newest: dict[str, tuple[Frame, Shared]] = {}

    def watch(self, session: int, part: Part, asked: Asked) -> "Deferred[None]":
        """Begin a tile: pictures come as parts until the Deferred is cancelled, or fails with why it ended.

        :raises NoSuchCamera: if there is none of this id.
        :raises InvalidArgument: if the session has the tile, or too many.
        """
        feed = self._feeds.get(asked.camera) or (self.relay.feed(asked.camera) if self.relay is not None else None)
        if feed is None:
            raise NoSuchCamera(f"there is no camera {asked.camera}")
        screen = self._screens.get(session) or _Screen(self, session)
        ended = screen.open(asked, feed, part)
        self._screens[session] = screen
        self._watched[asked.camera] += 1
        if self.relay is not None and self._watched[asked.camera] == 1:
            self.relay.begin(asked.camera, feed)
        screen.pump()
        return ended

    def credit(self, session: int, painted: Iterable[Credit], may: Callable[[str], bool]) -> None:
        """Take back credit; what is right of it counts, whatever else is wrong.

        :param may: whether the caller may still view a camera.
        :raises InvalidArgument: if some of it is nothing that this session was sent.
        """
        screen = self._screens.get(session)
        if screen is None:
            raise InvalidArgument("painted: found credit; allowed: none, since this session watches nothing")
        screen.credit(painted, may)

    def viewers(self, camera: str) -> int:
        """Return how many tiles show a camera now."""
        return self._watched[camera]

    def end(self, camera: str, error: GatekeeperError) -> None:
        """End every tile of a camera, which is taken away."""
        for screen in tuple(self._screens.values()):
            screen.end(camera, error)

    def stop(self) -> None:
        """End everything."""
        for screen in tuple(self._screens.values()):
            screen.stop()

    def closed(self, session: int, camera: str, *, is_last: bool) -> None:
        """Hear from a screen that a tile is gone."""
        self._watched[camera] -= 1
        if not self._watched[camera]:
            del self._watched[camera]
            self._newest.pop(camera, None)
            if self.relay is not None:
                self.relay.end(camera)
        if is_last:
            self._screens.pop(session, None)

    def part(self, frame: Frame) -> Shared:
        """Return a picture as everybody gets it, made once."""
        made = self._newest.get(frame.camera)
        if made is None or made[0] is not frame:
            shared = Shared(
                frame.jpeg,
                camera=frame.camera,
                sequence=frame.sequence,
                received=frame.wall,
                width=frame.width,
                height=frame.height,
                size=len(frame.jpeg),
            )
            made = self._newest[frame.camera] = (frame, shared)
        return made[1]


@dataclass(slots=True)
class _Open:
    """A tile that is watched.

    :ivar last: the sequence of the last picture that it was sent.
    """

    camera: str
    feed: Feed
    part: Part
    ended: "Deferred[None]"
    last: int
    subscription: Subscription | None = None


class _Screen:
    """The tiles of one session."""

    def __init__(self, watching: Watching, session: int) -> None:
        self._watching = watching
        self._session = session
        self._tiles = Tiles()
        self._open: dict[int, _Open] = {}
        self._timer: IDelayedCall | None = None
        self._awaits_drain = self._is_pumping = False
        self._probed: float | None = None  # since when
        self._next_probe = 0.0

    def open(self, asked: Asked, feed: Feed, part: Part) -> "Deferred[None]":
        """Begin a tile."""
        self._tiles.open(asked.tile, asked.rate, asked.ahead)
        ended: Deferred[None] = Deferred(lambda _: self._close(asked.tile))
        # An old picture would look like a new one: without a live one the first to come is the first.
        is_live = feed.condition.state is CameraState.LIVE
        self._open[asked.tile] = _Open(asked.camera, feed, part, ended, 0 if is_live else feed.frames)
        self._await(asked.tile)
        return ended

    def credit(self, painted: Iterable[Credit], may: Callable[[str], bool]) -> None:
        """Take back credit."""
        wrong = None
        for given in painted:
            known = self._open.get(given.tile)
            if known is not None and not may(known.camera):
                self._fail(given.tile, AccessDenied(f"you may not view camera {known.camera} any more"))
                continue
            try:
                self._tiles.credited(given.tile, given.sequence)
            except InvalidArgument as error:
                wrong = wrong or error
            else:
                self._await(given.tile)
        self.pump()
        if wrong is not None:
            raise wrong

    def end(self, camera: str, error: GatekeeperError) -> None:
        """End the tiles of one camera."""
        for tile in [tile for tile, known in self._open.items() if known.camera == camera]:
            self._fail(tile, error)

    def stop(self) -> None:
        """End everything, and tell nobody."""
        for tile in tuple(self._open):
            self._close(tile)

    def pump(self) -> None:
        """Send what may leave now, and see to being called again."""
        if self._is_pumping:
            return  # a part that can't be sent ends its tile while it is sent
        self._is_pumping = True
        try:
            self._send_all()
        finally:
            self._is_pumping = False

    def _send_all(self) -> None:
        now = self._watching.clock.seconds()
        while (tile := self._tiles.next(now)) is not None:
            if self._watching.unsent(self._session):
                self._await_drain()
                break
            known = self._open[tile]
            frame = known.feed.newest
            if frame is None or frame.sequence == known.last:
                self._tiles.passed(tile)
                continue
            known.last = frame.sequence
            self._tiles.sent(tile, frame.sequence, len(frame.jpeg), now)
            if not self._tiles.has_credit(tile):
                self._rest(known)
            known.part(self._watching.part(frame))
            if self._probed is None and now >= self._next_probe:
                self._probed, self._next_probe = now, now + PROBE_PAUSE
                self._watching.probe(self._session, self._answered)
        wakes = self._tiles.wakes(now)
        self._wake(wakes - now if wakes is not None else None)

    def _await(self, tile: int) -> None:
        """See to a tile that has credit: it is in line if there is something new, and told of what comes."""
        known = self._open[tile]
        if known.subscription is None:
            known.subscription = known.feed.subscribe(lambda: self._arrived(tile))
        if known.feed.frames != known.last:
            self._tiles.arrived(tile, self._watching.clock.seconds())

    def _arrived(self, tile: int) -> None:
        self._tiles.arrived(tile, self._watching.clock.seconds())
        if not self._awaits_drain:
            self.pump()

    def _await_drain(self) -> None:
        if not self._awaits_drain:
            self._awaits_drain = True
            self._watching.when_drained(self._session, self._drained)

    def _answered(self) -> None:
        if self._probed is not None:
            self._tiles.window.probed(self._watching.clock.seconds() - self._probed)
            self._probed = None
            self.pump()

    def _drained(self) -> None:
        self._awaits_drain = False
        self.pump()

    def _wake(self, seconds: float | None) -> None:
        """Have `pump` called after that time, or not by itself."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._watching.clock.callLater(seconds, self.pump) if seconds is not None else None

    @staticmethod
    def _rest(known: _Open) -> None:
        if known.subscription is not None:
            known.subscription.close()
            known.subscription = None

    def _fail(self, tile: int, error: GatekeeperError) -> None:
        ended = self._open[tile].ended
        self._close(tile)
        ended.errback(error)

    def _close(self, tile: int) -> None:
        known = self._open.pop(tile, None)
        if known is None:
            return
        self._rest(known)
        self._tiles.close(tile)
        # What was under way to it may have kept others; but not now, when it may be the session that goes.
        self._wake(0.0 if self._open else None)
        self._watching.closed(self._session, known.camera, is_last=not self._open)

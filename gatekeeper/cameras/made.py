"""A feed that is made of another: each frame once, however many look, and none while nobody does.

It has its camera's states. Of frames that come while one is being made, or faster than it may be, only the newest is
made; a frame keeps its number and its moment, so that its age tells the truth.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.cameras.feed import Condition, Feed, Subscription
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.transcoding import Made
from gatekeeper.config_pictures import SecondFeed
from gatekeeper.errors import NoPicture, ProtocolError

PATIENCE: Final = 3.0
"""Seconds that somebody waits for one picture: a camera that sends less often than that is stalled by then."""

Transcode: TypeAlias = Callable[[bytes, int, SecondFeed, str | None], "Deferred[Made]"]


class MadeFeed(Feed):
    """The newest frame of a camera, made into another.

    :param source: the camera's feed.
    :param label: what the camera is called, for the text.
    :param transcode: makes a picture, in a thread of its own.
    :param local: Unix seconds to the server's calendar, for the text.
    :ivar made: how many frames were made.
    """

    _log = Logger()

    def __init__(
        self,
        source: Feed,
        wanted: SecondFeed,
        *,
        label: Callable[[], str],
        transcode: Transcode,
        reactor: Any,
        local: Callable[[float], time.struct_time] = time.localtime,
    ) -> None:
        super().__init__(source.camera, source.condition.since)
        self.wanted = wanted
        self.made = 0
        self._source = source
        self._label = label
        self._transcode = transcode
        self._reactor = reactor
        self._local = local
        self._slot: Subscription | None = None
        self._busy = False
        self._due = 0.0
        self._timer: IDelayedCall | None = None
        self._follow(source.condition)
        self._end = source.observe(self._follow)

    def close(self) -> None:
        """Follow the camera no more."""
        self._end()
        self._rest()

    def subscribe(self, notify: Callable[[], None]) -> Subscription:
        """Call `notify` after each new frame; the first who does sets it to work."""
        subscription = super().subscribe(notify)
        if self._slot is None:
            source = self._source.newest
            if self.newest is not None and (source is None or source.sequence != self.newest.sequence):
                self.newest = None  # it was made when somebody looked the last time
            self._slot = self._source.subscribe(self._arrived)
            self._reactor.callLater(0, self._arrived)  # whoever subscribes is ready for a frame when this returns
        return subscription

    def snapshot(self) -> "Deferred[Frame]":
        """Return one frame, made for it if need be; fails with NoPicture if the camera isn't live."""
        source = self._source.newest
        if self.condition.state is not CameraState.LIVE or source is None:
            reason = self.condition.reason or "no frame yet"
            return fail(NoPicture(f"camera {self.camera} is {self.condition.state}: {reason}"))
        if self.newest is not None and (self._slot is not None or self.newest.sequence == source.sequence):
            return succeed(self.newest)
        asked: Deferred[Frame] = Deferred(lambda _: subscription.close())

        def arrived() -> None:
            frame = subscription.take()
            if frame is not None:
                subscription.close()
                late.cancel()
                asked.callback(frame)

        def waited() -> None:
            subscription.close()
            if not asked.called:
                asked.errback(NoPicture(f"camera {self.camera} gave no picture within {PATIENCE:g} s"))

        subscription = self.subscribe(arrived)
        late = self._reactor.callLater(PATIENCE, waited)
        return asked

    def left(self) -> None:
        """Hear that a subscription has ended."""
        if not self._subscriptions:
            self._rest()

    def _rest(self) -> None:
        if self._slot is not None:
            self._slot.close()
            self._slot = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _follow(self, condition: Condition) -> None:
        if condition.state is not CameraState.LIVE:
            self.newest = None  # what is made next is of another moment
        self.change(condition.state, condition.reason, condition.since)

    # --- frames ------------------------------------------------------------------------------------------------------

    def _arrived(self) -> None:
        if self._slot is None or self._busy or self._timer is not None:
            return
        wait = self._due - self._reactor.seconds()
        if wait > 0:
            self._timer = self._reactor.callLater(wait, self._waited)
            return
        frame = self._slot.take()
        if frame is None or self._source.condition.state is not CameraState.LIVE:
            return
        if self.newest is not None and self.newest.sequence == frame.sequence:
            return
        self._due = self._reactor.seconds() + 1 / self.wanted.maximum_fps
        self._busy = True
        making = self._transcode(frame.jpeg, frame.width, self.wanted, self._text(frame))
        making.addCallbacks(self._show, self._failed, callbackArgs=(frame,)).addCallback(self._free)

    def _waited(self) -> None:
        self._timer = None
        self._arrived()

    def _text(self, frame: Frame) -> str | None:
        if not self.wanted.timestamp:
            return None
        return f"{self._label()}  {time.strftime('%Y-%m-%d %H:%M:%S', self._local(frame.wall))}"

    def _show(self, made: Made, frame: Frame) -> None:
        self.made += 1
        if self._source.condition.state is not CameraState.LIVE:
            return
        self.newest = Frame(self.camera, frame.sequence, frame.received, frame.wall, made.width, made.height, made.jpeg)
        for subscription in tuple(self._subscriptions):
            subscription._notify()

    def _failed(self, failure: Failure) -> None:
        self.rejected += 1
        if not failure.check(ProtocolError):
            self._log.failure("the feed {name} of {camera} failed", failure, name=self.wanted.name, camera=self.camera)

    def _free(self, _: None) -> None:
        self._busy = False
        self._arrived()

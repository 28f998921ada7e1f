"""Keeps one connection to a camera, takes its pictures in, and says what is wrong when there are none.

    asking -> streaming -> waiting -> asking ...      for ever, until the service is stopped

The state that people see changes when something changes, not with every try: a camera stays offline, or stalled, with
its reason until the next whole picture. A connection is gone before the next one is dialled.
"""

import random
from collections.abc import Callable
from typing import Any, Final

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras import reasons
from gatekeeper.cameras.connection import Dialler
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.inquiry import Inquiry, Refused, Stream
from gatekeeper.cameras.multipart import Ended, Parser, Part, Rejected
from gatekeeper.elsewhere import IsOwn, LeadsBack, never

BACKOFF: Final = 1.5  # each pause is this much longer than the last: from 0.5 to 30 s in eleven tries
DISTRUST: Final = 256 * 1024  # bytes: after a stall in mid-picture, Content-Length must prove itself on some pictures


class _Ending(Exception):
    """How a try ended, as the state that it leaves and the reason."""

    def __init__(self, state: CameraState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class _Intake(Protocol):
    """The body of one answer: pictures go into the feed; it ends when there are none for too long."""

    def __init__(self, pull: "CameraPull", parser: Parser) -> None:
        self._pull = pull
        self._parser = parser
        self._clock = pull._reactor
        self._stall = pull._camera.stall_timeout
        self._last = self._clock.seconds()  # when the last picture came, or the body began
        self._rejected: str | None = None  # why the last part since then was
        self._timer: IDelayedCall = self._clock.callLater(self._stall, self._check)
        self.ended: Deferred[_Ending] = Deferred(lambda _: self._stop())

    def dataReceived(self, data: bytes) -> None:
        if self.ended.called:
            return  # the rest of what was read; the connection is being cut
        for event in self._parser.receive_data(data):
            if isinstance(event, Part):
                self._last, self._rejected = self._clock.seconds(), None
                self._pull.feed.put(event.jpeg, event.width, event.height, self._last, self._pull._wall())
            elif isinstance(event, Rejected):
                self._rejected = event.reason.value
                self._pull.feed.rejected += 1
            elif isinstance(event, Ended):
                self._end(CameraState.OFFLINE, "the camera ended the stream")
                return
        self._pull._dialler.expect(self._parser.needed)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        within = " in the middle of a picture" if self._parser.in_part else ""
        self._end(CameraState.OFFLINE, f"the connection was cut{within}")

    def _check(self) -> None:
        left = self._last + self._stall - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._check)
        elif self._rejected is not None:
            self._end(CameraState.STALLED, f"nothing but {self._rejected} for {self._stall:g} s")
        elif self._parser.in_part:
            self._end(CameraState.STALLED, f"a picture began and did not end within {self._stall:g} s")
        else:
            self._end(CameraState.STALLED, f"no picture for {self._stall:g} s")

    def _end(self, state: CameraState, reason: str) -> None:
        self._stop()
        if not self.ended.called:
            self.ended.callback(_Ending(state, reason))

    def _stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()


class CameraPull(Service):
    """Pulls one camera's stream into its feed.

    :param reactor: clock, network and name resolver.
    :param camera: its configuration.
    :param password: as read from the configured place; None if there is none.
    :param feed: where pictures, the state and the counts go.
    :param wall: Unix seconds now.
    :param jitter: 0 to 1, by chance: cameras that went together don't come back together.
    :param is_own: tells what is gatekeeper's own, and no camera.
    :ivar feed: the feed.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        camera: config.Camera,
        password: str | None,
        feed: Feed,
        wall: Callable[[], float],
        *,
        jitter: Callable[[], float] = random.random,
        is_own: IsOwn = never,
    ) -> None:
        self.feed = feed
        self._reactor = reactor
        self._camera = camera
        self._wall = wall
        self._dialler = Dialler(reactor, camera.connect_timeout, is_own)
        self._inquiry = Inquiry(reactor, self._dialler, camera, password)
        self._pause = backoffPolicy(
            camera.retry_minimum, camera.retry_maximum, BACKOFF, lambda: jitter() * camera.retry_minimum
        )
        self._distrust = 0
        self._generation = 0  # one more for each start and stop: a loop of an earlier one ends
        self._run: Deferred[None] | None = None

    @property
    def connections(self) -> int:
        """How many connections were made, those of redirects and refused passwords included."""
        return self._dialler.connections

    @property
    def reads(self) -> int:
        """How often the connections had something to read: what a picture costs depends on it."""
        return self._dialler.reads

    @property
    def connected(self) -> bool:
        """Whether a connection is open: there is never more than one."""
        return self._dialler.is_open

    def startService(self) -> None:
        """Ask for the stream; and again, for ever."""
        super().startService()
        self._generation += 1
        self._run = Deferred.fromCoroutine(self._pull_for_ever(self._generation, self._run))
        self._run.addErrback(self._log_bug)

    def stopService(self) -> Deferred[None]:
        """End it; fires when connection and timers are gone."""
        super().stopService()
        self._generation += 1
        if self._run is None:
            return succeed(None)
        gone = _after(self._run)
        self._run.cancel()
        return gone

    async def _pull_for_ever(self, generation: int, previous: Deferred[None] | None) -> None:
        unwatch = self.feed.observe(self._report)
        try:
            if previous is not None:
                await _after(previous)
            self.feed.change(CameraState.CONNECTING, "asked, no picture yet", self._wall())
            failures = 0
            while generation == self._generation:
                frames = self.feed.frames
                ending = await self._try()
                failures = 0 if self.feed.frames > frames else failures + 1
                if generation == self._generation:
                    self.feed.change(ending.state, ending.reason, self._wall())
                    await deferLater(self._reactor, self._pause(max(0, failures - 1)))
        except CancelledError:
            pass  # by stopService
        finally:
            await self._dialler.close()
            self.feed.change(CameraState.OFFLINE, "stopped", self._wall())
            unwatch()

    async def _try(self) -> _Ending:
        """Ask once and stream as long as it lasts."""
        try:
            stream = await self._ask()
            parser = Parser(stream.boundary, self._camera.maximum_frame_bytes, self._distrust)
            intake = _Intake(self, parser)
            stream.response.deliverBody(intake)
            ending = await intake.ended
            self._distrust = DISTRUST if ending.state is CameraState.STALLED and parser.needed else 0
        except _Ending as refused:
            ending = refused
        finally:
            await self._dialler.close()
        return ending

    async def _ask(self) -> Stream:
        """Return the stream if it begins in time.

        :raises _Ending: if it doesn't.
        """
        late: list[bool] = []  # whether there was a connection, once it is too late
        asking = Deferred.fromCoroutine(self._inquiry.ask())

        def expire() -> None:
            late.append(self._dialler.is_open)
            asking.cancel()

        timer = self._reactor.callLater(self._camera.connect_timeout, expire)
        before = self._dialler.connections
        try:
            return await asking
        except Exception as error:  # Twisted's client raises whatever a broken answer makes it raise
            if not self.running:
                raise CancelledError from error  # by stopService, in the guise of what was going on
            raise self._ending(error, late) from error
        finally:
            if timer.active():
                timer.cancel()
            if before and self._dialler.connections > before:
                self.feed.reconnects += 1

    def _ending(self, error: Exception, late: list[bool]) -> _Ending:
        url, timeout = self._inquiry.url, self._camera.connect_timeout
        if isinstance(error, Refused | LeadsBack):
            reason: str | None = str(error)
        elif late:
            reason = reasons.too_late(url, timeout, late[0])
        elif self._dialler.overran:
            reason = "answered with headers that do not end"
        else:
            reason = reasons.of_failure(error, url, timeout)
        if reason is None:
            self._log_bug(Failure(error))
            reason = f"{reasons.place(url)} could not be asked"
        return _Ending(CameraState.OFFLINE, reason)

    def _report(self, condition: Condition) -> None:
        if condition.state is CameraState.LIVE:
            self._log.info("camera {camera} is live", camera=self._camera.id)
        else:
            is_expected = condition.state is CameraState.CONNECTING or not self.running
            log = self._log.info if is_expected else self._log.warn
            log(
                "camera {camera} is {state}: {reason}",
                camera=self._camera.id,
                state=condition.state.value,
                reason=condition.reason,
            )

    def _log_bug(self, failure: Failure) -> None:
        self._log.failure("camera {camera} met an error of ours", failure, camera=self._camera.id)


def _after(run: Deferred[None]) -> Deferred[None]:
    """Return a Deferred of its own that fires when `run` has: cancelling it doesn't reach `run`."""
    gone: Deferred[None] = Deferred()

    def ended(result: None) -> None:
        if not gone.called:
            gone.callback(None)

    run.addBoth(ended)
    return gone

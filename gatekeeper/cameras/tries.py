"""What every camera that we connect to has in common: try, say how it ended, wait longer each time, try again.

    trying -> waiting -> trying ...      for ever, until the service is stopped

The state that people see changes when something changes, not with every try: a camera stays offline, or stalled, with
its reason until the next whole picture. What a try holds is gone before the next one begins.
"""

import random
from collections.abc import Callable
from typing import Any, Final

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras import reasons
from gatekeeper.cameras.connection import Dialler
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.inquiry import Inquiry, Refused
from gatekeeper.cameras.recovery import Step
from gatekeeper.elsewhere import IsOwn, LeadsBack, never
from gatekeeper.errors import NotConnected

ANEW: Final = "the connection was dropped, to make a new one"
BACKOFF: Final = 1.5  # each pause is this much longer than the last: from 0.5 to 30 s in eleven tries


class Ending(Exception):
    """How a try ended, as the state that it leaves and the reason."""

    def __init__(self, state: CameraState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Tries(Service):
    """Tries to get one camera's pictures into its feed, for ever.

    :param reactor: the clock.
    :param camera: its configuration.
    :param feed: where pictures, the state and the counts go.
    :param wall: Unix seconds now.
    :param jitter: 0 to 1, by chance: cameras that went together don't come back together.
    :ivar feed: the feed.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        camera: config.Camera,
        feed: Feed,
        wall: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.feed = feed
        self._reactor = reactor
        self._camera = camera
        self._wall = wall
        self._pause = backoffPolicy(
            camera.retry_minimum, camera.retry_maximum, BACKOFF, lambda: jitter() * camera.retry_minimum
        )
        self._generation = 0  # one more for each start and stop: a loop of an earlier one ends
        self._run: Deferred[None] | None = None

    async def _try(self) -> Ending:
        """Ask once and take pictures as long as it lasts."""
        raise NotImplementedError

    def repairs(self) -> frozenset[Step]:
        """Return what can be done from here when there are no pictures: it is dialled again, whatever happens."""
        return frozenset((Step.RECONNECT, Step.BACK_OFF))

    def redial(self) -> None:
        """End the try that is going on, if pictures came by it; the next one begins soon, as always."""

    def reboot(self) -> "Deferred[None]":
        """Fail: there is no such command for a camera that we connect to."""
        raise NotConnected(f"camera {self._camera.id} takes no commands")

    async def _close(self) -> None:
        """End what a try may have left open; called once, when the service is stopped."""

    def startService(self) -> None:
        """Ask for pictures; and again, for ever."""
        super().startService()
        self._generation += 1
        self._run = Deferred.fromCoroutine(self._try_for_ever(self._generation, self._run))
        self._run.addErrback(self._log_bug)

    def stopService(self) -> Deferred[None]:
        """End it; fires when connection and timers are gone."""
        super().stopService()
        self._generation += 1
        if self._run is None:
            return succeed(None)
        gone = after(self._run)
        self._run.cancel()
        return gone

    async def _try_for_ever(self, generation: int, previous: Deferred[None] | None) -> None:
        unwatch = self.feed.observe(self._report)
        try:
            if previous is not None:
                await after(previous)
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
            await self._close()
            self.feed.change(CameraState.OFFLINE, "stopped", self._wall())
            unwatch()

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


class HttpTries(Tries):
    """Tries over HTTP, one connection at a time.

    :param reactor: clock, network and name resolver.
    :param camera: its configuration.
    :param password: as read from the configured place; None if there is none.
    :param is_own: tells what is gatekeeper's own, and no camera.
    """

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
        super().__init__(reactor, camera, feed, wall, jitter)
        self._dialler = Dialler(reactor, camera.connect_timeout, is_own)
        self._inquiry = Inquiry(reactor, self._dialler, camera, password)

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

    async def _close(self) -> None:
        await self._dialler.close()

    async def _answer(self, asking: Deferred[Any]) -> Any:
        """Return what the inquiry comes to if it does in time.

        :raises Ending: if it doesn't.
        """
        late: list[bool] = []  # whether there was a connection, once it is too late

        def expire() -> None:
            late.append(self._dialler.is_open)
            asking.cancel()

        timer = self._reactor.callLater(self._camera.connect_timeout, expire)
        try:
            return await asking
        except Exception as error:  # Twisted's client raises whatever a broken answer makes it raise
            if not self.running:
                raise CancelledError from error  # by stopService, in the guise of what was going on
            raise self._ending(error, late) from error
        finally:
            if timer.active():
                timer.cancel()

    def _ending(self, error: Exception, late: list[bool]) -> Ending:
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
        return Ending(CameraState.OFFLINE, reason)


def after(run: Deferred[None]) -> Deferred[None]:
    """Return a Deferred of its own that fires when `run` has: cancelling it doesn't reach `run`."""
    gone: Deferred[None] = Deferred()

    def ended(result: None) -> None:
        if not gone.called:
            gone.callback(None)

    run.addBoth(ended)
    return gone

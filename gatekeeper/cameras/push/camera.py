"""One camera that connects to us: its pictures go into the feed, its state follows, and it is told what to be set to.

    connecting -> live -> stalled | offline -> live ...

It has a seat for each port: on the stream port pictures and texts come mixed, as the real firmware sends them; where
the camera uses the control port too, commands go out there. Nothing is kept for an absent camera but what it was set
to: that is sent again when it is back, since it starts with its own defaults. A reboot never is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.asking import Asking
from gatekeeper.cameras.push.assembly import Outcome, Rejected, Whole
from gatekeeper.cameras.push.settings import REBOOT, Command, number_of
from gatekeeper.errors import Busy, DeviceError, GatekeeperError, NotConnected

ARRIVAL: Final = 10.0  # seconds after the start until a camera is missed: the real one dials every three
RESTORE_AFTER: Final = 1.0  # seconds after registering: the camera's first `health` says what needn't be set


class Port(StrEnum):
    """Which port a connection came in by."""

    STREAM = "stream"
    CONTROL = "control"


class Connection(Protocol):
    """A camera's WebSocket, as far as the camera's decisions need it."""

    port: Port
    registered: bool

    def say(self, text: bytes) -> None:
        """Send a text."""
        ...

    def expire(self) -> list[Outcome]:
        """Give up a picture whose time is over."""
        ...

    def in_picture(self) -> bool:
        """Tell whether a picture has begun and isn't whole."""
        ...


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera says it is; None where it says nothing.

    :ivar received: Unix seconds of the last word.
    :ivar heap: free bytes of memory; `minimum_heap` the fewest since its start; `psram` those of the slow memory.
    :ivar rssi: dBm of its WiFi.
    :ivar uptime: seconds since its start.
    :ivar fps: pictures per second that it aims at; `mode` its pace, in its own words.
    :ivar sent: pictures that it says it sent; `dropped` those that it says it didn't.
    :ivar lost: pictures missing in its numbering; only our own firmware numbers them.
    """

    received: float
    heap: int | None = None
    minimum_heap: int | None = None
    psram: int | None = None
    rssi: int | None = None
    uptime: float | None = None
    model: str | None = None
    resolution: str | None = None
    quality: int | None = None
    fps: int | None = None
    mode: str | None = None
    sent: int | None = None
    dropped: int | None = None
    lost: int = 0


class PushCamera(Service):
    """One camera.

    :param reactor: clock.
    :param camera: its configuration, with `push`.
    :param feed: where pictures, the state and the counts go.
    :param wall: Unix seconds now.
    :ivar rejected: why pictures were, and how often each.
    """

    _log = Logger()

    def __init__(self, reactor: Any, camera: config.Camera, feed: Feed, wall: Callable[[], float]) -> None:
        assert camera.push is not None  # noqa: S101 - narrows the type: the site chooses by it
        self.feed = feed
        self.camera = camera
        self.rejected: Counter[str] = Counter()
        self._push = camera.push
        self._reactor = reactor
        self._wall = wall
        self._asking = Asking(reactor, camera.push.command_timeout)
        self._seats: dict[Port, Connection] = {}
        self._connections = 0
        self._since = 0.0  # when the last picture came, or the camera
        self._flaw: str | None = None  # why the last thing since then was no picture
        self._timer: IDelayedCall | None = None
        self._restoring: IDelayedCall | None = None
        self._busy = False
        self._wishes: dict[str, Command] = {}
        self._resolution: str | None = None  # its number, as the camera last said
        self._health: DeviceHealth | None = None
        self._unwatch: Callable[[], None] = lambda: None

    # --- start and stop ---

    def startService(self) -> None:
        """Wait for it."""
        super().startService()
        self._unwatch = self.feed.observe(self._report)
        self.feed.change(CameraState.CONNECTING, "has not connected yet", self._wall())
        self._since = self._reactor.seconds()
        self._watch(max(ARRIVAL, self._push.stall_timeout))

    def stopService(self) -> None:
        """End its timers; its connections are the reception's to close."""
        super().stopService()
        for timer in (self._timer, self._restoring):
            if timer is not None and timer.active():
                timer.cancel()
        self._asking.lost()
        self._seats.clear()
        self.feed.change(CameraState.OFFLINE, "stopped", self._wall())
        self._unwatch()

    # --- its connections ---

    def seated(self, port: Port) -> Connection | None:
        """Return the connection that it has on a port."""
        return self._seats.get(port)

    def seat(self, connection: Connection) -> None:
        """Take a connection; the seat must be free."""
        self._seats[connection.port] = connection
        if connection.port is Port.STREAM:
            self._connections += 1
            self.feed.reconnects += self._connections > 1
            self._since, self._flaw = self._reactor.seconds(), None
            if self.feed.condition.state is CameraState.CONNECTING:
                self.feed.change(CameraState.CONNECTING, "connected, no picture yet", self._wall())
            self._watch(self._push.stall_timeout)

    def registered(self, connection: Connection) -> None:
        """It is ready for commands: set it again to what it was set to."""
        if self._wishes and self._restoring is None:
            self._restoring = self._reactor.callLater(RESTORE_AFTER, self._restore)

    def unseat(self, connection: Connection, reason: str) -> None:
        """Forget a connection that is gone."""
        if self._seats.get(connection.port) is not connection:
            return
        commanded = self._commanded()
        del self._seats[connection.port]
        if connection is commanded:
            self._asking.lost()
        if connection.port is Port.STREAM:
            self._resolution = None
            within = " in the middle of a picture" if connection.in_picture() else ""
            self.feed.change(CameraState.OFFLINE, f"{reason}{within}", self._wall())

    def _commanded(self) -> Connection | None:
        """Return the connection that commands go to."""
        for port in (Port.CONTROL, Port.STREAM):
            connection = self._seats.get(port)
            if connection is not None and connection.registered:
                return connection
        return None

    # --- what it sends ---

    def outcome(self, outcome: Outcome) -> None:
        """Take in a picture, or what should have been one."""
        if isinstance(outcome, Rejected):
            self._flaw = outcome.reason.value
            self.feed.rejected += 1
            self.rejected[outcome.reason.value] += 1  # a key per member of a few enumerations
            return
        self._take(outcome)

    def _take(self, picture: Whole) -> None:
        self._since, self._flaw = self._reactor.seconds(), None
        if picture.lost and self._health is not None:
            self._health = msgspec.structs.replace(self._health, lost=self._health.lost + picture.lost)
        self.feed.put(picture.jpeg, picture.width, picture.height, self._since, self._wall())
        if self._timer is None:
            self._watch(self._push.stall_timeout)

    def heard(self, message: wire.Message | wire.Unheard) -> None:
        """Take in a text that tells of no picture."""
        match message:
            case wire.Health():
                self._told(message)
            case wire.Info():
                mode = wire.shown(message.mode) if message.mode is not None else None
                self._health = msgspec.structs.replace(self._known(), mode=mode, fps=message.fps)
            case wire.Response():
                self._asking.answered(message)
            case wire.Said():
                self._log.info("camera {camera} says: {text}", camera=self.camera.id, text=wire.shown(message.msg))
            case wire.Unheard():
                self._log.debug("camera {camera} said {text!r}", camera=self.camera.id, text=message.text)
            case _:
                pass

    def _told(self, health: wire.Health) -> None:
        if health.resolution is not None:
            self._resolution = number_of(health.resolution)
        self._health = msgspec.structs.replace(
            self._known(),
            heap=health.heap,
            minimum_heap=health.minHeap,
            psram=health.psram,
            rssi=health.rssi,
            uptime=wire.seconds(health.uptime) if health.uptime is not None else None,
            model=wire.shown(health.model) if health.model is not None else None,
            resolution=wire.shown(health.resolution) if health.resolution is not None else None,
            quality=health.quality,
            sent=health.frames,
            dropped=health.dropped,
        )

    def _known(self) -> DeviceHealth:
        now = self._wall()
        return (
            DeviceHealth(received=now) if self._health is None else msgspec.structs.replace(self._health, received=now)
        )

    @property
    def device(self) -> DeviceHealth | None:
        """How it last said it is."""
        return self._health

    # --- what it is told ---

    def set(self, commands: Sequence[Command]) -> "Deferred[dict[str, str]]":
        """Send commands one after the other; fires with what the camera says it took, by name.

        Fails with NotConnected, Busy, Rejected or Indeterminate; what was set before that stays set.
        """
        if self._commanded() is None:
            raise NotConnected(f"camera {self.camera.id} is not connected: nothing was sent, and nothing waits for it")
        if self._busy:
            raise Busy(f"camera {self.camera.id} is being set already: one at a time")
        self._busy = True
        return Deferred.fromCoroutine(self._set(commands))

    async def _set(self, commands: Sequence[Command]) -> dict[str, str]:
        taken: dict[str, str] = {}
        try:
            for command in commands:
                taken[command.cmd] = await self._ask(command)
                if command.cmd != REBOOT.cmd:
                    self._wishes[command.cmd] = command
        except DeviceError as error:
            if taken:
                raise type(error)(f"{error}; set before that: {', '.join(taken)}") from error
            raise
        finally:
            self._busy = False
        return taken

    async def _ask(self, command: Command) -> str:
        if command.cmd == "resolution" and command.val == self._resolution:
            return f"{command.val} (as it was)"  # the real camera calls it an error to set it again
        connection = self._commanded()
        if connection is None:
            raise NotConnected(f"camera {self.camera.id} is not connected any more")
        text = wire.command(command.cmd, command.val, self._wall())
        value = await self._asking.ask(command, lambda: connection.say(text))
        if command.cmd == "resolution":
            self._resolution = command.val
        return value

    def _restore(self) -> None:
        self._restoring = None
        try:
            restoring = self.set(tuple(self._wishes.values()))
        except GatekeeperError as error:
            self._not_restored(Failure(error))
        else:
            restoring.addErrback(self._not_restored)

    def _not_restored(self, failure: Failure) -> None:
        failure.trap(GatekeeperError)
        self._log.warn(
            "camera {camera} could not be set again to what it was: {reason}",
            camera=self.camera.id,
            reason=failure.getErrorMessage(),
        )

    # --- its state ---

    def _watch(self, seconds: float) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        stream = self._seats.get(Port.STREAM)
        if stream is None:
            if self.feed.condition.state is CameraState.CONNECTING:
                self.feed.change(CameraState.OFFLINE, "has not connected", self._wall())
            return
        for outcome in stream.expire():
            self.outcome(outcome)
        stall = self._push.stall_timeout
        left = self._since + stall - self._reactor.seconds()
        if left > 0:
            self._watch(left)
        else:
            self.feed.change(CameraState.STALLED, self._why_stalled(stream, stall), self._wall())

    def _why_stalled(self, stream: Connection, stall: float) -> str:
        if self._flaw is not None:
            return f"nothing but {self._flaw} for {stall:g} s"
        if stream.in_picture():
            return f"a picture began and did not end within {stall:g} s"
        return f"no picture for {stall:g} s"

    def _report(self, condition: Condition) -> None:
        if condition.state is CameraState.LIVE:
            self._log.info("camera {camera} is live", camera=self.camera.id)
            return
        log = self._log.info if condition.state is CameraState.CONNECTING or not self.running else self._log.warn
        log(
            "camera {camera} is {state}: {reason}",
            camera=self.camera.id,
            state=condition.state.value,
            reason=condition.reason,
        )

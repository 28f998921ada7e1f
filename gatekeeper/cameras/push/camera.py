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

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gatekeeper import config
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.abilities import Abilities
from gatekeeper.cameras.push.assembly import Outcome, Rejected, Whole
from gatekeeper.cameras.push.device import Device
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.push.settings import REBOOT, Command
from gatekeeper.cameras.push.tuning import Tuning
from gatekeeper.cameras.push.wishes import Setting, Wishes
from gatekeeper.cameras.recovery import Step

ARRIVAL: Final = 10.0  # seconds after the start until a camera is missed: the real one dials every three
ORDERED: Final = 60.0  # seconds in which a restart is taken for the one that was ordered


class Port(StrEnum):
    """Which port a connection came in by."""

    STREAM = "stream"
    CONTROL = "control"


class Connection(Protocol):
    """A camera's WebSocket, as far as the camera's decisions need it."""

    port: Port
    registered: bool

    @property
    def address(self) -> str:
        """Where it comes from."""
        ...

    def say(self, text: bytes) -> None:
        """Send a text."""
        ...

    def expire(self) -> list[Outcome]:
        """Give up a picture whose time is over."""
        ...

    def in_picture(self) -> bool:
        """Tell whether a picture has begun and isn't whole."""
        ...

    def drop(self) -> None:
        """Cut it, so that the camera dials anew."""
        ...


class PushCamera(Service):
    """One camera.

    :param reactor: clock.
    :param camera: its configuration, with `push`.
    :param feed: where pictures, the state and the counts go.
    :param wall: Unix seconds now.
    :param restarted: told when it has started anew: in a sentence, and whether that was ordered here.
    :ivar rejected: why pictures were, and how often each.
    :ivar chunked: pictures that were begun in pieces.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        camera: config.Camera,
        feed: Feed,
        wall: Callable[[], float],
        restarted: Callable[[str, bool], None] = lambda text, ordered: None,
    ) -> None:
        assert camera.push is not None  # noqa: S101 - narrows the type: the site chooses by it
        self.feed = feed
        self.camera = camera
        self.rejected: Counter[str] = Counter()
        self.chunked = 0
        self._push = camera.push
        self._reactor = reactor
        self._wall = wall
        self._restarted = restarted
        self._device = Device()
        self._wishes = Wishes()
        self._tuning = Tuning(
            reactor,
            camera=camera.id,
            timeout=camera.push.command_timeout,
            ear=self._commanded,
            wishes=self._wishes,
            took=lambda command, words: self._device.took(command.cmd, words, wall()),
            wall=wall,
        )
        self._reboot_ordered: float | None = None
        self._seats: dict[Port, Connection] = {}
        self._connections = 0
        self._since = 0.0  # when the last picture came, or the camera
        self._flaw: str | None = None  # why the last thing since then was no picture
        self._timer: IDelayedCall | None = None
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
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._tuning.stop()
        self._seats.clear()
        self.feed.change(CameraState.OFFLINE, "stopped", self._wall())
        self._unwatch()

    # --- its connections ---

    def seated(self, port: Port) -> Connection | None:
        """Return the connection that it has on a port."""
        return self._seats.get(port)

    @property
    def address(self) -> str | None:
        """The IP address that it sends its pictures from; None while it is away."""
        stream = self._seats.get(Port.STREAM)
        return stream.address if stream is not None else None

    def seat(self, connection: Connection) -> None:
        """Take a connection; the seat must be free."""
        self._seats[connection.port] = connection
        self._device.connected()
        if connection.port is Port.STREAM:
            self._connections += 1
            self.feed.reconnects += self._connections > 1
            self._since, self._flaw = self._reactor.seconds(), None
            if self.feed.condition.state is CameraState.CONNECTING:
                self.feed.change(CameraState.CONNECTING, "connected, no picture yet", self._wall())
            self._watch(self._push.stall_timeout)

    def registered(self, message: wire.Register) -> None:
        """It is ready for commands."""
        self._device.registered(own=wire.FRAMED in message.frames)
        self._tuning.registered()

    def unseat(self, connection: Connection, reason: str) -> None:
        """Forget a connection that is gone."""
        if self._seats.get(connection.port) is not connection:
            return
        commanded = self._commanded()
        del self._seats[connection.port]
        if connection is commanded:
            self._tuning.asking.lost()
        if connection.port is Port.STREAM:
            self._wishes.forget_said()
            within = " in the middle of a picture" if connection.in_picture() else ""
            self.feed.change(CameraState.OFFLINE, f"{reason}{within}", self._wall())

    def _commanded(self) -> Connection | None:
        """Return the connection that commands go to."""
        for port in (Port.CONTROL, Port.STREAM):
            connection = self._seats.get(port)
            if connection is not None and connection.registered:
                return connection
        return None

    # --- repairs ---

    def repairs(self) -> frozenset[Step]:
        """Return what can be done about it from here, now: only who is connected can be cut off, or told."""
        can = {Step.BACK_OFF}
        if self._seats:
            can.add(Step.RECONNECT)
        if self._commanded() is not None:
            can.add(Step.REBOOT)
        return frozenset(can)

    def redial(self) -> None:
        """Cut its connections: the real camera dials again within three seconds."""
        for connection in tuple(self._seats.values()):
            connection.drop()

    def reboot(self) -> "Deferred[dict[str, str]]":
        """Tell it to start anew; fires with its answer, fails as `set` does."""
        return self.set((REBOOT,))

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
        if picture.lost:
            self._device.lost(picture.lost)
        self.feed.put(picture.jpeg, picture.width, picture.height, self._since, self._wall())
        if self._timer is None:
            self._watch(self._push.stall_timeout)

    def heard(self, message: wire.Message | wire.Unheard) -> None:
        """Take in a text that tells of no picture."""
        match message:
            case wire.Health():
                self._told(message)
            case wire.Info():
                self._device.informed(message, self._wall())
                self._told_settings("mode", "fps")
            case wire.Response():
                self._tuning.asking.answered(message)
            case wire.Said():
                self._log.info("camera {camera} says: {text}", camera=self.camera.id, text=wire.shown(message.msg))
            case wire.Unheard():
                self._log.debug("camera {camera} said {text!r}", camera=self.camera.id, text=message.text)
            case _:
                pass

    def _told(self, message: wire.Health) -> None:
        restarted = self._device.told(message, self._reactor.seconds(), self._wall())
        self._told_settings("resolution", "quality")
        if restarted:
            ordered, self._reboot_ordered = self._reboot_ordered, None
            was_ordered = ordered is not None and self._reactor.seconds() - ordered <= ORDERED
            why = self.device.reset if self.device is not None else None
            text = f"camera {self.camera.id} has restarted{f': {why}' if why else ''}"
            self._restarted(text, was_ordered)

    def _told_settings(self, *names: str) -> None:
        for name in names:
            words = getattr(self._device.health, name)
            if words is not None:
                self._wishes.told(name, str(words), self._wall())

    @property
    def device(self) -> DeviceHealth | None:
        """How it last said it is."""
        return self._device.health

    # --- what it is told ---

    @property
    def abilities(self) -> Abilities:
        """What it takes."""
        return self._device.abilities

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What it can be set to, was set to, and says that it is."""
        return self._wishes.settings(self.abilities)

    @property
    def is_connected(self) -> bool:
        """Whether commands reach it."""
        return self._commanded() is not None

    def set(self, commands: Sequence[Command]) -> "Deferred[dict[str, str]]":
        """Send commands one after the other; fires with what the camera says it took, by name.

        Fails with NotConnected, Busy, Rejected or Indeterminate; what was set before that stays set.
        """
        setting = self._tuning.set(commands)
        if REBOOT in commands:
            self._reboot_ordered = self._reactor.seconds()
        return setting

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

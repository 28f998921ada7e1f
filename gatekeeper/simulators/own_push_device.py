"""Our own firmware's push camera without its network: what it decides, in Python. Events in, orders to a board; no I/O.

The same as `gk/push_camera.hpp`: the same events lead to the same orders, byte for byte, which the firmware's tests
compare. So the demo site and the server's tests have the device without a compiler. Times are whole milliseconds.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from gatekeeper.simulators import own_push_telling as telling
from gatekeeper.simulators.own_push_link import State, Step, Uplink
from gatekeeper.simulators.own_push_pace import Pacer, measure
from gatekeeper.simulators.own_push_telling import Identity, Readings
from gatekeeper.simulators.own_push_words import RANGES, Command, Other, Refusal, Registered, Unit, hear
from gatekeeper.simulators.push_device import RESOLUTIONS, pack

HEALTH_EVERY: Final = 10_000
REBOOT_AFTER: Final = 1_000  # for the answer to get out
MAXIMUM_WAITING: Final = 8  # texts to be answered; the server sends one command at a time


class Link(StrEnum):
    """Which connection."""

    STREAM = "stream"
    CONTROL = "control"


class Board(Protocol):
    """What the camera asks for; events may be told from within any of these."""

    def connect(self, link: Link) -> None:
        """Begin to connect; `opened` or `lost` follows."""

    def drop(self, link: Link) -> None:
        """End the connection, or the attempt, at once."""

    def ping(self, link: Link) -> None:
        """Ask for a sign of life."""

    def text(self, link: Link, text: str) -> bool:
        """Send a text; return False if that failed."""
        ...

    def frame(self, header: bytes, jpeg: bytes) -> bool:
        """Send one binary message; the header may be empty. Return False if it did not go."""
        ...

    def apply(self, setting: str, value: int) -> bool:
        """Set the sensor; return False if it refuses."""
        ...

    def reboot(self) -> None:
        """Start anew."""

    def random(self) -> int:
        """Return 32 random bits."""
        ...


class _Side:
    """A connection, and what is known of it."""

    def __init__(self) -> None:
        self.uplink = Uplink()
        self.forget()

    def forget(self) -> None:
        self.is_greeted = self.is_failing = False
        self.untaken = 0


class OwnPushDevice:
    """The camera.

    :param largest: the number of the sensor's largest resolution.
    :param has_control: a second connection; without it everything goes over one.
    :param boot: settings that differ from the firmware's own at the start, as numbers.
    :ivar settings: by name, as numbers.
    """

    def __init__(
        self,
        board: Board,
        identity: Identity,
        *,
        largest: int = 12,
        has_control: bool = True,
        boot: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.settings = {name: one.boot for name, one in RANGES.items()} | dict(boot)
        self.settings["resolution"] = min(self.settings["resolution"], largest)
        self.frames = 0
        self.dropped = 0
        self.is_framed = False
        self.is_restarting = False
        self._board = board
        self._identity = identity
        self._largest = largest
        self._pacer = Pacer(self.settings["fps"])
        self._pacer.yields = self.settings["mode"] == 1
        self._sides = {Link.STREAM: _Side(), Link.CONTROL: _Side()}
        self._used = (Link.STREAM, Link.CONTROL) if has_control else (Link.STREAM,)
        self._waiting: list[tuple[Link, Command | Refusal | Other]] = []
        self._sequence = 0
        self._is_busy = False
        self._told = self._restarting = 0

    def state(self, link: Link) -> State:
        """Return how a connection is."""
        return self._sides[link].uplink.state

    # --- what happens ---

    def network(self, is_up: bool, now: int) -> None:
        """The network came or went."""
        for link in self._used:
            if self._sides[link].uplink.network(is_up, now) is Step.DROP:
                self._forget(link)
                self._board.drop(link)

    def opened(self, link: Link, now: int) -> None:
        """A WebSocket is open."""
        if not self._sides[link].uplink.opened(now):
            self._board.drop(link)
            return
        self._forget(link)
        self._say(link, telling.register(self._identity))

    def lost(self, link: Link, now: int) -> None:
        """A WebSocket is gone, or could not be made."""
        self._forget(link)
        self._sides[link].uplink.lost(now, self._board.random())

    def alive(self, link: Link, now: int) -> None:
        """A ping or a pong came."""
        self._sides[link].uplink.heard(now)

    def text(self, link: Link, text: bytes, now: int) -> None:
        """A text came."""
        side = self._sides[link]
        if not side.uplink.is_open:
            return
        side.uplink.heard(now)
        heard = hear(text, self._largest)
        if isinstance(heard, Registered):
            if link is Link.STREAM:
                if side.uplink.state is not State.IN_USE:
                    self._pacer.restart(now)
                self.is_framed = heard.is_framed
            side.uplink.answered(now)
        elif heard is Other.UNHEARD:
            pass
        elif len(self._waiting) == MAXIMUM_WAITING:
            side.untaken += 1
        else:
            self._waiting.append((link, heard))

    def tick(self, now: int, readings: Readings) -> None:
        """Do what is due; every few milliseconds."""
        if self._is_busy:
            return
        self._is_busy = True
        for link in self._sides:
            self._keep(link, now)
        self._answer_all(now, readings)
        self._greet(now, readings)
        self._is_busy = False
        if self.is_restarting and now - self._restarting >= REBOOT_AFTER:
            self._restarting = now
            self._board.reboot()

    # --- its connections ---

    def _keep(self, link: Link, now: int) -> None:
        uplink = self._sides[link].uplink
        if self._sides[link].is_failing and uplink.is_open:
            self._abandon(link, now)
            return
        was_in_use = uplink.state is State.IN_USE
        match uplink.tick(now):
            case Step.CONNECT:
                self._board.connect(link)
                return
            case Step.DROP:
                self._abandon(link, now)
                return
            case Step.PING:
                self._board.ping(link)
            case Step.NONE:
                pass
        if link is Link.STREAM and uplink.state is State.IN_USE and not was_in_use:
            self._pacer.restart(now)

    def _abandon(self, link: Link, now: int) -> None:
        self.lost(link, now)
        self._board.drop(link)

    def _forget(self, link: Link) -> None:
        self._sides[link].forget()
        if link is Link.STREAM:
            self.is_framed = False
        self._waiting = [one for one in self._waiting if one[0] is not link]

    def _greet(self, now: int, readings: Readings) -> None:
        link = Link.CONTROL if self._sides[Link.CONTROL].uplink.is_open else Link.STREAM
        side = self._sides[link]
        if not side.uplink.is_open or (side.is_greeted and now - self._told < HEALTH_EVERY):
            return
        if not side.is_greeted:
            self._say(link, telling.info(self.settings, self._largest))
        self._say(link, self._health(readings))
        side.is_greeted = True
        self._told = now

    def _health(self, readings: Readings) -> str:
        return telling.health(self._identity, readings, self.frames, self.dropped, self.settings)

    # --- commands ---

    def _answer_all(self, now: int, readings: Readings) -> None:
        for _ in range(len(self._waiting)):
            if not self._waiting:
                break
            link, heard = self._waiting.pop(0)
            if isinstance(heard, Command):
                self._obey(link, heard, now, readings)
            elif isinstance(heard, Refusal):
                self._say(link, telling.response(heard.cmd, heard.id, heard.why, is_ok=False))
            else:
                allowed = "allowed is one flat JSON object of at most 512 bytes and 16 members"
                self._tell(link, f"not understood: {allowed}")
        for link, side in self._sides.items():
            if side.untaken:
                count, side.untaken = side.untaken, 0
                self._tell(link, f"{count} commands were not taken: 8 are waiting already")

    def _obey(self, link: Link, command: Command, now: int, readings: Readings) -> None:
        is_ok, value = True, ""
        if self.is_restarting:
            is_ok, value = False, "the camera is restarting"
        elif command.name == "stats":
            self._say(link, self._health(readings))
        elif command.name == "reboot":
            self.is_restarting, self._restarting, value = True, now, "reiniciando"
        elif self._set(command.name, command.value):
            value = self._worded(command.name, now)
        else:
            is_ok, value = False, "the sensor refused it"
        self._say(link, telling.response(command.name, command.id, value, is_ok=is_ok))
        if is_ok and command.name == "reboot":
            self._tell(link, "Dispositivo reiniciando...")

    def _set(self, setting: str, value: int) -> bool:
        if setting == "fps":
            self._pacer.aim(value)
        elif setting == "mode":
            self._pacer.yields = value == 1
        elif not self._board.apply(setting, value):
            return False
        self.settings[setting] = value
        return True

    def _worded(self, setting: str, now: int) -> str:
        value = self.settings[setting]
        if setting == "mode":
            return telling.MODES[value]
        if RANGES[setting].unit is Unit.SWITCH:
            return "on" if value else "off"
        if setting == "resolution":
            name, width, height = RESOLUTIONS[value]
            return f"{value} ({name} ({width}x{height}))"
        if setting == "fps":
            tenths = self._pacer.measured(now)
            return f"{value} (actual: {tenths // 10}.{tenths % 10})"
        return str(value)

    # --- what it says ---

    def _say(self, link: Link, text: str) -> None:
        if self._sides[link].uplink.is_open and not self._board.text(link, text):
            self._sides[link].is_failing = True

    def _tell(self, link: Link, message: str) -> None:
        self._say(link, telling.written({"type": "status", "msg": message}))

    # --- pictures ---

    def wants_picture(self, now: int) -> bool:
        """Return whether one is due and can go."""
        return self._can_send and self._pacer.due(now)

    @property
    def _can_send(self) -> bool:
        return not self._is_busy and not self.is_restarting and self.state(Link.STREAM) is State.IN_USE

    def picture(self, jpeg: bytes, milliseconds: int, now: int, *, is_unix: bool = True) -> bool:
        """Send a picture; return whether it went out.

        :param milliseconds: when it was taken: Unix time, or since the start.
        """
        if not self._can_send:
            return False
        self._sequence += 1
        found = measure(jpeg)
        is_sent = False
        if found is not None:
            width, height, size = found
            payload = jpeg[:size]
            message = pack(payload, self._sequence, milliseconds, width, height, is_unix=is_unix)
            self._is_busy = True
            is_sent = self._board.frame(message[: len(message) - size] if self.is_framed else b"", payload)
            self._is_busy = False
        if is_sent:
            self.frames += 1
            self._pacer.sent(now)
        else:
            self.dropped += 1
            self._pacer.dropped(now)
        return is_sent

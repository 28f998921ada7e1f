"""The door lock's text protocol: one WebSocket text message is one line, without ids (seed 000, `/ws` on port 80).

    send         answers, in order                       means
    OPEN_DOOR    OK:Door opened, then ACK:OPEN_DOOR      the relay is energised
    LOCK_DOOR    OK:Door locked, then ACK:LOCK_DOOR      the relay is released
    STATUS       OK:OPEN or OK:LOCKED, then ACK:STATUS   what the relay is
    PING         PONG                                    the lock lives; any text also feeds its 10 s dead-man switch

    unasked      Connected to Door Lock                  on connecting, followed by OK:OPEN or OK:LOCKED
                 SIGNAL:<LEVEL>:<rssi>                   every 5 s; EXCELLENT, GOOD or WEAK, and dBm
                 TIMEOUT:AUTO_LOCKED                     the dead-man switch released the relay
                 ERR:<WORD>                              our own firmware's refusals

Every answer goes to every client, so `OK:` lines also arrive that nobody here asked for. The lock knows its relay, not
the door: "open" means energised. Parsing never fails: what isn't known is an `Unheard`.
"""

from dataclasses import dataclass
from enum import StrEnum

MAX_TEXT = 128
"""Longest line that is looked at, characters; the longest known one has 26."""


class Command(StrEnum):
    """What can be sent; the value is the text on the wire."""

    OPEN = "OPEN_DOOR"
    LOCK = "LOCK_DOOR"
    STATUS = "STATUS"
    PING = "PING"


class Level(StrEnum):
    """How well the lock hears its access point, in its own words."""

    EXCELLENT = "EXCELLENT"  # over -50 dBm
    GOOD = "GOOD"  # over -70 dBm
    WEAK = "WEAK"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first text of a connection."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What the relay is: the answer to STATUS, or part of the greeting."""

    energised: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """The relay was switched by a command, ours or somebody else's."""

    energised: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The lock has carried out a command."""

    command: Command


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to PING."""


@dataclass(frozen=True, slots=True)
class Signal:
    """The strength of the lock's radio link; `rssi` in dBm."""

    level: Level
    rssi: int


@dataclass(frozen=True, slots=True)
class AutoLocked:
    """The lock released the relay by itself: it had heard nothing for 10 s, or its cap on open time was reached."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The lock says no; `reason` is its own word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """A text that isn't in the protocol; cut to `MAX_TEXT`."""

    text: str


Line = Greeting | Relay | Moved | Acknowledged | Pong | Signal | AutoLocked | Refused | Unheard

_FIXED: dict[str, Line] = {
    "Connected to Door Lock": Greeting(),
    "OK:OPEN": Relay(True),
    "OK:LOCKED": Relay(False),
    "OK:Door opened": Moved(True),
    "OK:Door locked": Moved(False),
    "ACK:OPEN_DOOR": Acknowledged(Command.OPEN),
    "ACK:LOCK_DOOR": Acknowledged(Command.LOCK),
    "ACK:STATUS": Acknowledged(Command.STATUS),
    "PONG": Pong(),
}


def parse(text: str) -> Line:
    """Return what one text message says; what isn't known is an `Unheard`, never an error."""
    fixed = _FIXED.get(text)
    if fixed is not None:
        return fixed
    word, _, rest = text[: MAX_TEXT + 1].partition(":")
    if len(text) <= MAX_TEXT and rest:
        if word == "TIMEOUT":
            return AutoLocked()
        if word == "ERR":
            return Refused(rest)
        if word == "SIGNAL":
            return _signal(rest) or Unheard(text)
    return Unheard(text[:MAX_TEXT])


def _signal(rest: str) -> Signal | None:
    level, _, rssi = rest.partition(":")
    digits = rssi.removeprefix("-")
    if level not in Level.__members__ or not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        return None
    return Signal(Level(level), int(rssi))

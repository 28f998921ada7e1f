"""What a door is asked to keep, what it answers, and what it tells its link to do: the facts that cross its edge."""

from dataclasses import dataclass

from gatekeeper.doors.wire import Command
from gatekeeper.errors import GatekeeperError


@dataclass(frozen=True, slots=True)
class Times:
    """The limits of one lock, seconds; the configuration's `Door` has the reasons."""

    command: float = 2.0
    ping_interval: float = 3.0
    ping_answer: float = 2.0
    silence: float = 12.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The permission to stand open, until `ends`."""

    holder: str
    reason: str | None
    duration: float
    ends: float


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to an open: the lock acknowledged it at `at`, `latency` seconds after the call."""

    at: float
    latency: float
    lease: Lease


@dataclass(frozen=True, slots=True)
class Locked:
    """The answer to a lock."""

    at: float
    latency: float


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody's wish: `id` finds who waits, `at` is when it came."""

    id: int
    at: float
    duration: float
    holder: str
    reason: str | None


@dataclass(slots=True)
class InFlight:
    """The one command that the lock hasn't acknowledged yet."""

    command: Command
    deadline: float
    calls: list[Call]
    why: str | None = None
    energised: bool | None = None  # what the OK: line before the ACK said


# --- what to do -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send this command, as one text message."""

    command: Command


@dataclass(frozen=True, slots=True)
class Drop:
    """The link is dead: abort it, so that nothing still buffered reaches the lock later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the call that came with `call`; each call gets exactly one."""

    call: int
    result: Opened | Locked | GatekeeperError


@dataclass(frozen=True, slots=True)
class Note:
    """Something that belongs on the record."""

    kind: str
    text: str
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """What is known of the door changed: publish it."""


Action = Send | Drop | Answer | Note | Changed

"""What goes when: of rows, oldest first, those that are too old or too many. No I/O, no clock: `now` is an argument.

What has to stay (on hold) is stepped over and counted, so that a plan can say that a bound can't be kept.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

DAY = 86_400.0

FUTURE = DAY
"""Seconds by which a row may be newer than now and still end the search: one beyond was written by a wrong clock."""

RECENT = DAY
"""Seconds in which nothing goes for the disk's sake: who fills a disk must not erase what shows who filled it."""

ONE_IN = 4
"""Of pictures that are thinned out, one in so many stays: an action keeps some of its course."""


class Why(StrEnum):
    """Why something goes."""

    AGE = "age"
    BYTES = "bytes"
    DISK = "disk"
    DEMAND = "demand"


@dataclass(frozen=True, slots=True)
class Policy:
    """How much is kept: `days`, `bytes`; None is without a bound."""

    days: float | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One row that may go.

    :ivar key: what names it in its class, and orders it: pieces come in the order of their keys.
    :ivar time: Unix seconds.
    :ivar size: bytes.
    :ivar stays: why it must stay, or None.
    :ivar file: what its bytes are in, if others may be in it too; the bytes are free when the last one goes.
    :ivar sharers: how many rows need the file now, itself included.
    :ivar number: its place in what it is part of, from 1.
    """

    key: Hashable
    time: float
    size: int
    stays: str | None = None
    file: bytes | None = None
    sharers: int = 1
    number: int = 1


@dataclass(frozen=True, slots=True)
class Going:
    """A piece that goes, and why."""

    piece: Piece
    why: Why


@dataclass(slots=True)
class Plan:
    """What a look at a whole class says.

    :ivar total: bytes before; `left` after.
    :ivar over: bytes over the bound that stay all the same, since all that is left must stay.
    :ivar stays: why something stays that would go -> how many.
    """

    total: int
    left: int
    goes: list[Going] = field(default_factory=list)
    over: int = 0
    stays: Counter[str] = field(default_factory=Counter)


class Planner:
    """Looks at pieces page by page.

    :param total: bytes that the class takes now.
    :ivar done: whether nothing that comes later can go.
    :ivar left: bytes after what goes so far.
    """

    def __init__(self, policy: Policy, now: float, total: int) -> None:
        self._policy = policy
        self._now = now
        self._sharers: dict[bytes, int] = {}
        self.left = total
        self.done = policy.days is None and (policy.bytes is None or total <= policy.bytes)
        self.stays: Counter[str] = Counter()

    def take(self, pieces: Iterable[Piece]) -> list[Going]:
        """Return which of the next pieces go."""
        goes: list[Going] = []
        if self.done:
            return goes
        for piece in pieces:
            why = self._why(piece)
            if why is None:
                if piece.time <= self._now + FUTURE:
                    self.done = True
                    break
            elif piece.stays is not None:
                self.stays[piece.stays] += 1
            else:
                goes.append(Going(piece, why))
                self.left -= freed(piece, self._sharers)
        return goes

    @property
    def over(self) -> int:
        """Bytes over the bound."""
        return 0 if self._policy.bytes is None else max(0, self.left - self._policy.bytes)

    def _why(self, piece: Piece) -> Why | None:
        if self._policy.days is not None and piece.time < self._now - self._policy.days * DAY:
            return Why.AGE
        if self._policy.bytes is not None and self.left > self._policy.bytes:
            return Why.BYTES
        return None


class Thinner:
    """Looks for what goes when the disk fills up: all but one in `ONE_IN` first, and whole ones in a second pass.

    :param need: bytes that must become free.
    :param whole: whether this is the second pass.
    """

    def __init__(self, need: int, now: float, *, whole: bool) -> None:
        self._now = now
        self._whole = whole
        self._sharers: dict[bytes, int] = {}
        self.need = need

    @property
    def done(self) -> bool:
        """Whether nothing more has to go."""
        return self.need <= 0

    def take(self, pieces: Iterable[Piece]) -> list[Going]:
        """Return which of the next pieces go."""
        goes = []
        for piece in pieces:
            if self.done:
                break
            spared = not self._whole and piece.number % ONE_IN == 1
            if piece.stays is None and not spared and piece.time < self._now - RECENT:
                goes.append(Going(piece, Why.DISK))
                self.need -= freed(piece, self._sharers)
        return goes


def freed(piece: Piece, sharers: dict[bytes, int]) -> int:
    """Return the bytes that become free as a piece goes; `sharers` remembers how many still need each file."""
    if piece.file is None:
        return piece.size
    left = sharers.get(piece.file, piece.sharers) - 1
    sharers[piece.file] = left
    return piece.size if left == 0 else 0


def plan(policy: Policy, now: float, total: int, pieces: Iterable[Piece]) -> Plan:
    """Return what goes of all pieces, oldest first, and what can't.

    :param now: Unix seconds.
    :param total: bytes that they take together, shared files once.
    """
    planner = Planner(policy, now, total)
    goes = planner.take(pieces)
    return Plan(total, planner.left, goes, planner.over, planner.stays)


def words(policy: Policy, why: Why) -> str:
    """Return a reason for people."""
    match why:
        case Why.AGE:
            return f"older than {policy.days:g} days"
        case Why.BYTES:
            return f"more than {size(policy.bytes or 0)}"
        case Why.DISK:
            return "the disk is nearly full"
        case Why.DEMAND:
            return "on demand"


def size(count: int) -> str:
    """Return bytes for people."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} bytes"


def lines(name: str, policy: Policy, found: Plan, date: Callable[[float], str]) -> list[str]:
    """Return a plan for people, a line each: what goes, from when to when, and what stays though it should go."""
    bounds = [f"{policy.days:g} days"] if policy.days is not None else []
    bounds += [size(policy.bytes)] if policy.bytes is not None else []
    text = [f"{name}: {size(found.total)} kept; at most {' and '.join(bounds) or 'without a bound'}"]
    for why in Why:
        goes = [going.piece for going in found.goes if going.why is why]
        if goes:
            since, until = min(piece.time for piece in goes), max(piece.time for piece in goes)
            text.append(f"  {len(goes)} go ({words(policy, why)}), of {date(since)} to {date(until)}")
    if found.goes:
        text.append(f"  {size(found.total - found.left)} become free, {size(found.left)} stay")
    else:
        text.append("  nothing goes")
    text += [f"  {count} stay: {reason}" for reason, count in sorted(found.stays.items())]
    if found.over:
        text.append(f"  {size(found.over)} too much stay: everything else is on hold")
    return text

"""An event: what callers see of it, and how what happened becomes the body of a record (the format is `chain`'s)."""

import itertools
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gatekeeper.caller import Caller
from gatekeeper.evidence.chain import Record
from gatekeeper.storage.appender import Pending
from gatekeeper.storage.events import Query, Row

__all__ = ["Drafts", "Event", "Ids", "Pending", "Query", "body_of", "event_of", "record_of"]

MAXIMUM_TEXT = 2000
MAXIMUM_NAME = 200
MAXIMUM_DETAILS = 4_000_000
"""Bytes of `details`: ten seconds of pictures of twenty cameras at 60 a second, with what names and hashes take."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 26
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    :ivar sequence: 1 for the first event of the site, then one more for each.
    :ivar time: Unix seconds.
    :ivar kind: a stable name for programs: `door.opened`, `camera.offline`.
    :ivar subject: the id of the door or camera, or None.
    :ivar actor: the account that did it, or None if nobody did.
    :ivar outcome: `ok`, `alarm`, or an error's code.
    :ivar text: one sentence for people, without secrets.
    :ivar cause: the id of the event that led to it.
    :ivar hash: of its record, hex: names these very bytes.
    :ivar held: whether retention must not touch it.
    :ivar pictures: how many are kept with it; `bundle` is `open`, `complete`, `partial`, or None where none belong.
    """

    sequence: int
    id: str
    time: float
    kind: str
    subject: str | None
    actor: str | None
    outcome: str
    text: str
    reason: str | None = None
    cause: str | None = None
    caller: Caller | None = None
    details: dict[str, Any] = {}
    hash: str = ""
    held: bool = False
    pictures: int = 0
    bundle: str | None = None


class _Rest(msgspec.Struct, frozen=True):
    """A body after its sequence, id and site, in the order of the format."""

    time: float
    run: str
    elapsed: float
    kind: str
    subject: str | None
    caller: Caller | None
    cause: str | None
    outcome: str
    reason: str | None
    text: str
    details: Mapping[str, Any]


class _Body(msgspec.Struct, frozen=True):
    text: str
    reason: str | None = None
    caller: Caller | None = None
    details: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Body).decode


class Ids:
    """Ids of events: 48 bits of Unix milliseconds and 80 random bits, 26 characters of Crockford's base 32.

    Each is greater than the one before, also within a millisecond and when the wall clock is set back.
    """

    def __init__(self, wall: Callable[[], float], entropy: Callable[[int], int] = secrets.randbits) -> None:
        self._wall = wall
        self._entropy = entropy
        self._last = 0

    def __call__(self) -> str:
        now = max(0, int(self._wall() * 1000)) << 80
        if now > self._last:
            self._last = now | self._entropy(79)  # the top bit free: a million million more fit before the next tick
        else:
            self._last += 1 + self._entropy(32)
        number = self._last
        pairs = [_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
        return "".join(pairs)


class Drafts:
    """Makes what happened ready to be stored; it never raises, whatever it is given.

    :param wall: Unix seconds now; `clock` monotonic seconds now.
    :param run: the id of this run of the program, in every body, so that `elapsed` (seconds since it began) can be
        compared within a run whatever was done to the wall clock.
    """

    def __init__(self, wall: Callable[[], float], clock: Callable[[], float], run: str | None = None) -> None:
        self._wall = wall
        self._clock = clock
        self._began = clock()
        self._ids = Ids(wall)
        self.run = run or secrets.token_hex(8)

    def draft(
        self,
        kind: str,
        text: str,
        *,
        subject: str | None = None,
        caller: Caller | None = None,
        cause: str | None = None,
        outcome: str = "ok",
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Pending:
        """Return an event with its id and time, to be appended to the chain."""
        time, kind, subject, cause, outcome = (
            float(self._wall()),
            _name(kind),
            _optional(subject),
            _optional(cause),
            _name(outcome),
        )
        caller = _clean_caller(caller)
        rest = _Rest(
            time,
            self.run,
            round(self._clock() - self._began, 6),
            kind,
            subject,
            caller,
            cause,
            outcome,
            None if reason is None else clean(reason, MAXIMUM_TEXT),
            clean(text, MAXIMUM_TEXT),
            details or {},
        )
        actor = None if caller is None else caller.name
        return Pending(self._ids(), time, kind, subject, actor, outcome, cause, b"," + _encode(rest)[1:])


def body_of(site: str, sequence: int, pending: Pending) -> bytes:
    """Return the exact bytes of a record's body."""
    return f'{{"sequence":{sequence},"id":"{pending.id}","site":"{site}"'.encode() + pending.rest


def event_of(row: Row) -> Event:
    """Return a row for callers; one whose body is gone or can't be read says so in its text."""
    try:
        body = _decode(row.body) if row.body is not None else _Body("erased by retention")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        body = _Body("the record of this event can't be read: it was tampered with")
    return Event(
        sequence=row.sequence,
        id=row.id,
        time=row.time,
        kind=row.kind,
        subject=row.subject,
        actor=row.actor,
        outcome=row.outcome,
        text=body.text,
        reason=body.reason,
        cause=row.cause,
        caller=body.caller,
        details=body.details,
        hash=row.hash.hex(),
        held=row.held,
        pictures=row.pictures,
        bundle=row.bundle,
    )


def record_of(row: Row) -> Record:
    """Return a row for the check of the chain."""
    columns = {
        "id": row.id,
        "time": row.time,
        "kind": row.kind,
        "subject": row.subject,
        "actor": row.actor,
        "outcome": row.outcome,
        "cause": row.cause,
    }
    # SQLite keeps what it is given: somebody's UPDATE may have left text where bytes were.
    body: Any = row.body
    return Record(row.sequence, row.previous, row.hash, body.encode() if isinstance(body, str) else body, columns)


def clean(text: Any, limit: int) -> str:
    """Return text that every database and JSON reader takes: no control characters, no halves of characters."""
    text = text if isinstance(text, str) else str(text)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return str(text)
    return "".join(
        one if one.isprintable() else "\n" if one == "\n" else " " if one.isspace() else "\ufffd" for one in text
    )


def _name(text: Any) -> str:
    return clean(text, MAXIMUM_NAME).replace("\n", " ")


def _optional(text: Any) -> str | None:
    return None if text is None else _name(text)


def _clean_caller(caller: Caller | None) -> Caller | None:
    if caller is None:
        return None
    fields = msgspec.structs.astuple(caller)
    if all(one is None or (type(one) is str and len(one) <= MAXIMUM_NAME and one.isprintable()) for one in fields):
        return caller
    cleaned: dict[str, Any] = dict(zip(Caller.__struct_fields__, map(_optional, fields), strict=True))
    return Caller(**cleaned)


def _encode(rest: _Rest) -> bytes:
    """Encode; details that can't be are told as text, and too many are left out: the event itself must be kept."""
    try:
        encoded = msgspec.json.encode(rest, enc_hook=str)
        if len(encoded) <= MAXIMUM_DETAILS and _decode(encoded):
            return encoded
        instead: dict[str, Any] = {"left_out": "too large", "bytes": len(encoded)}
    except Exception as error:  # noqa: BLE001 - whatever it was given, what happened must be kept
        instead = {"left_out": clean(repr(error), MAXIMUM_NAME), "keys": _keys(rest.details)}
    return msgspec.json.encode(msgspec.structs.replace(rest, details=instead))


def _keys(details: Any) -> list[str]:
    try:
        return [clean(key, MAXIMUM_NAME) for key in itertools.islice(details, 50)]
    except Exception:  # noqa: BLE001 - the same
        return []

"""What the pages and laptops of seed 002 read: the messages that leave, as JSON texts. Decides only.

`new_data` carries an array, whatever the seed's document says: the pages do `message.data.forEach`. Times of day are
the server's, `YYYY-MM-DD HH:MM:SS`; seconds of a session are whole numbers from 0 to its length.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gatekeeper.measurements.session import Session
from gatekeeper.storage.measurements import SampleRow

_encode = msgspec.json.Encoder().encode


class NewData(msgspec.Struct, frozen=True, gc=False):
    """The eleven fields of a sample that was taken in."""

    laptop_id: int
    dista: float
    distb: float
    is_a_detected: bool
    is_b_detected: bool
    session_id: int | None
    category: str
    frequency: float | None
    relative_time: int | None
    elapsed_seconds: int | None
    timestamp: str


class FlatData(NewData, frozen=True, gc=False, tag="new_data", tag_field="type"):
    """The same in one object with its type, as the seed's document has it."""


class Stamp:
    """Times of day as the seed writes them; the last one is kept, since most samples share it."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def __call__(self, moment: float) -> str:
        """Return Unix seconds as local `YYYY-MM-DD HH:MM:SS`."""
        second = int(moment)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return self._text


stamp: Final = Stamp()


def enriched(row: SampleRow, session: Session | None, category: str) -> NewData:
    """Return a sample with what the server knows: session, category, frequency and times."""
    seconds = int(row.elapsed) if row.elapsed is not None else None
    return NewData(
        row.team,
        row.a,
        row.b,
        row.a_detected,
        row.b_detected,
        row.session,
        session.category if session is not None else category,
        session.frequency if session is not None else None,
        seconds,
        seconds,
        stamp(row.time),
    )


def new_data(found: Sequence[NewData], now: float) -> bytes:
    """Return the array form."""
    return _encode({"type": "new_data", "data": found, "count": len(found), "timestamp": stamp(now)})


def flat(one: NewData) -> bytes:
    """Return the flat form of one sample."""
    return _encode(FlatData(*msgspec.structs.astuple(one)))


def message(kind: str, **fields: Any) -> bytes:
    """Return any other message."""
    return _encode({"type": kind, **fields})


def acknowledged(sender: str, numbers: Sequence[int], error: str | None = None) -> bytes:
    """Return what tells a sender that numbered samples are stored, or with a reason that they are not and won't be."""
    told: Mapping[str, Any] = {"type": "ack", "sender": sender, "seq": numbers, "stored": error is None}
    return _encode(told if error is None else {**told, "reason": error})


def session_started(session: Session, elapsed: float, now: float) -> bytes:
    """Return what tells that a session runs."""
    return message(
        "session_started",
        session_id=session.id,
        frequency=session.frequency,
        category=session.category,
        started_at=stamp(session.started),
        elapsed_seconds=int(elapsed),
        timestamp=stamp(now),
    )


def session_stopped(session: Session, now: float) -> bytes:
    """Return what tells that a session is over."""
    return message("session_stopped", session_id=session.id, outcome=session.outcome, timestamp=stamp(now))

"""What retention asks of the rows: how much there is, the oldest of it, and taking it away.

Everything takes a connection in a transaction and stays in it. `pruning` takes the events themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, or_, select, text, update

from gatekeeper.storage.pictures import alone, parts
from gatekeeper.storage.tables import bundles, events, head, meta, pictures, tombstones

# SQLite uses a partial index only for a condition that is worded as the index's own.
_NOT_ERASED = text("NOT pictures.erased")


class OldEvent(NamedTuple):
    """An event that may go; `pictured`: pictures are kept with it, or with what caused it."""

    sequence: int
    id: str
    time: float
    size: int
    held: bool
    pictured: bool


class OldPicture(NamedTuple):
    """A picture that may go; `sharers`: pictures that need the same file, itself included; `busy`: still recorded."""

    event: str
    number: int
    received: float
    size: int
    sha256: bytes
    held: bool
    busy: bool
    sharers: int


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed statement to be kept: its exact text, the signature and the key's id."""

    text: bytes
    signature: bytes
    key: str


# --- events ----------------------------------------------------------------------------------------------------------


def events_total(connection: Connection) -> int:
    """Return the bytes of all events."""
    return int(connection.scalar(select(func.coalesce(func.sum(events.c.size), 0))) or 0)


def oldest_events(connection: Connection, after: int, limit: int) -> list[OldEvent]:
    """Return the events after a sequence, oldest first."""
    kept = pictures.alias("kept")
    pictured = exists().where(or_(kept.c.event == events.c.id, kept.c.event == events.c.cause), ~kept.c.erased)
    columns = (events.c.sequence, events.c.id, events.c.time, events.c.size, events.c.held, pictured)
    found = select(*columns).where(events.c.sequence > after).order_by(events.c.sequence).limit(limit)
    return [OldEvent(*row) for row in connection.execute(found)]


def forget_events(connection: Connection, ids: Sequence[str]) -> None:
    """Take out what was kept about pictures of events that are gone themselves."""
    for part in parts(ids):
        gone = ~exists().where(events.c.id == pictures.c.event)
        connection.execute(pictures.delete().where(pictures.c.event.in_(part), pictures.c.erased, gone))
        gone = ~exists().where(events.c.id == bundles.c.event)
        empty = ~exists().where(pictures.c.event == bundles.c.event)
        connection.execute(bundles.delete().where(bundles.c.event.in_(part), gone, empty))


# --- pictures --------------------------------------------------------------------------------------------------------


def pictures_total(connection: Connection) -> int:
    """Return the bytes of all files that pictures need, each once."""
    files = select(func.max(pictures.c.size).label("size")).where(~pictures.c.erased).group_by(pictures.c.sha256)
    return int(connection.scalar(select(func.coalesce(func.sum(files.subquery().c.size), 0))) or 0)


def oldest_pictures(connection: Connection, after: tuple[float, str, int], limit: int) -> list[OldPicture]:
    """Return the pictures that aren't erased, after (received, event, number), oldest first."""
    received, event, number = after
    other = pictures.alias("other")
    sharers = select(func.count()).where(other.c.sha256 == pictures.c.sha256, ~other.c.erased).scalar_subquery()
    columns = pictures.c
    later = or_(
        columns.received > received,
        and_(columns.received == received, columns.event > event),
        and_(columns.received == received, columns.event == event, columns.number > number),
    )
    found = (
        select(
            columns.event,
            columns.number,
            columns.received,
            columns.size,
            columns.sha256,
            _held(),
            _busy(),
            sharers,
        )
        .where(columns.received >= received, later, _NOT_ERASED)
        .order_by(columns.received, columns.event, columns.number)
        .limit(limit)
    )
    return [OldPicture(*row) for row in connection.execute(found)]


def pictures_of(connection: Connection, event: str) -> list[OldPicture]:
    """Return an event's pictures that aren't erased, in their order."""
    columns = pictures.c
    chosen = (
        columns.event,
        columns.number,
        columns.received,
        columns.size,
        columns.sha256,
        _held(),
        _busy(),
        literal(1),
    )
    found = select(*chosen).where(columns.event == event, ~columns.erased).order_by(columns.number)
    return [OldPicture(*row) for row in connection.execute(found)]


def flag_erased(connection: Connection, keys: Iterable[tuple[str, int]]) -> list[tuple[str, int, bytes]]:
    """Flag pictures as erased unless they are on hold, still being recorded, or erased; return those that now are."""
    alone(connection)
    done: list[tuple[str, int, bytes]] = []
    for event, numbers in _by_event(keys).items():
        free = [row for row in pictures_of(connection, event) if row.number in numbers and not (row.held or row.busy)]
        if free:
            chosen = pictures.c.number.in_([row.number for row in free])
            connection.execute(update(pictures).where(pictures.c.event == event, chosen).values(erased=True))
            done += [(event, row.number, row.sha256) for row in free]
    return done


def erased_of(connection: Connection, event: str) -> list[tuple[str, int, bytes]]:
    """Return an event's erased pictures: event, number, hash."""
    columns = (pictures.c.event, pictures.c.number, pictures.c.sha256)
    found = select(*columns).where(pictures.c.event == event, pictures.c.erased).order_by(pictures.c.number)
    return [(row.event, row.number, row.sha256) for row in connection.execute(found)]


def record_of(connection: Connection, event: str) -> tuple[int, bytes]:
    """Return sequence and hash of the record that a statement about an event's pictures is tied to.

    The event's own; if that is gone, what it caused; else the end of the chain.
    """
    chosen = select(events.c.sequence, events.c.hash).order_by(events.c.sequence).limit(1)
    for where in (events.c.id == event, events.c.cause == event):
        row = connection.execute(chosen.where(where)).one_or_none()
        if row is not None:
            return int(row.sequence), bytes(row.hash)
    row = connection.execute(select(head.c.sequence, head.c.hash).where(head.c.id == 1)).one_or_none()
    return (0, bytes(32)) if row is None else (int(row.sequence), bytes(row.hash))


def sign_erased(connection: Connection, sequence: int, signed: Signature) -> int:
    """Keep a signed statement that pictures of a record were erased; return its number."""
    values = {
        "first_sequence": sequence,
        "last_sequence": sequence,
        "statement": signed.text,
        "signature": signed.signature,
        "key_id": signed.key,
    }
    return int(connection.execute(insert(tombstones).values(**values).returning(tombstones.c.id)).scalar_one())


def remove_files(
    connection: Connection, hashes: Iterable[bytes], remove: Callable[[list[bytes]], list[tuple[bytes, str]]]
) -> list[tuple[bytes, str]]:
    """Remove the files that pictures had and none needs any more; return those that couldn't be, and why.

    In a transaction of its own, after the one that erased is committed: else a rollback would leave rows without a
    file. A file that the database never knew is not touched.
    """
    alone(connection)
    _, unneeded = unknown_and_unneeded(connection, list(dict.fromkeys(hashes)))
    return remove(unneeded)


def unknown_and_unneeded(connection: Connection, hashes: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return those hashes that no picture ever had, and those that only erased ones had."""
    needed, known = set[bytes](), set[bytes]()
    for part in parts(hashes):
        rows = select(pictures.c.sha256, pictures.c.erased).where(pictures.c.sha256.in_(part)).distinct()
        for sha256, erased in connection.execute(rows):
            known.add(sha256)
            if not erased:
                needed.add(sha256)
    unknown = [sha256 for sha256 in hashes if sha256 not in known]
    return unknown, [sha256 for sha256 in hashes if sha256 in known and sha256 not in needed]


def statements_after(connection: Connection, number: int) -> list[tuple[int, bytes]]:
    """Return number and text of the signed statements after a number, about pruned and erased alike."""
    found = select(tombstones.c.id, tombstones.c.statement).where(tombstones.c.id > number).order_by(tombstones.c.id)
    return [(int(row.id), bytes(row.statement)) for row in connection.execute(found)]


def bodies_of(connection: Connection, kind: str, limit: int) -> list[bytes]:
    """Return the bodies of the newest events of a kind."""
    found = select(events.c.body).where(events.c.kind == kind, events.c.body.is_not(None))
    return list(connection.scalars(found.order_by(events.c.sequence.desc()).limit(limit)))


# --- notes to itself -------------------------------------------------------------------------------------------------


def note(connection: Connection, key: str) -> str | None:
    """Return what was noted under a key, or None."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))


def set_note(connection: Connection, key: str, value: str) -> None:
    """Note something under a key."""
    if not connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def _held() -> ColumnElement[bool]:
    return or_(
        exists().where(events.c.id == pictures.c.event, events.c.held),
        exists().where(bundles.c.event == pictures.c.event, bundles.c.held),
    )


def _busy() -> ColumnElement[bool]:
    return exists().where(bundles.c.event == pictures.c.event, bundles.c.state == "open")


def _by_event(keys: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for event, number in keys:
        found.setdefault(event, set()).add(number)
    return found

"""SQL of the record of events: looking for rows, holding them, and reading the chain in pages to verify it.

How rows go in is in `appender`, how retention takes them in `pruning`. Everything runs in a transaction that somebody
else begins and ends.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, Select, and_, case, func, select, update

from gatekeeper.storage.tables import bundles, checkpoints, events, head, meta, pictures, tombstones

PAGE = 500
"""Rows that one look returns at most: half a megabyte of ordinary events, and a millisecond or two of work."""

FAMILY = 1000
"""Events that hang together by their causes, at most; more are not one case but a fault."""

SITE = "site"

Sequence_ = Annotated[int, Meta(ge=0, le=2**53)]
Words = Annotated[str, Meta(max_length=200)]


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events: all that is given must hold.

    :ivar after: only sequences above; `before` only below.
    :ivar since: Unix seconds, included; `until` not included.
    :ivar kind: how the kind begins: `door.` or `door.opened`.
    :ivar order: `newest` or `oldest` first.
    """

    after: Sequence_ | None = None
    before: Sequence_ | None = None
    since: float | None = None
    until: float | None = None
    kind: Words | None = None
    subject: Words | None = None
    actor: Words | None = None
    outcome: Words | None = None
    order: Literal["newest", "oldest"] = "newest"
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = 100


class Row(NamedTuple):
    """An event as it is kept; `pictures` are those kept with it, `bundle` the state of the bundle, if there is one."""

    sequence: int
    id: str
    time: float
    kind: str
    subject: str | None
    actor: str | None
    outcome: str
    cause: str | None
    body: bytes | None
    previous: bytes
    hash: bytes
    held: bool
    pictures: int
    bundle: str | None


class SignedRow(NamedTuple):
    """A signed statement: its exact text, and the signature."""

    text: bytes
    signature: bytes


# --- looking ---------------------------------------------------------------------------------------------------------


def _rows() -> Select[Any]:
    kept = select(func.count()).where(pictures.c.event == events.c.id, ~pictures.c.erased).scalar_subquery()
    columns = [events.c[name] for name in Row._fields[:-2]]
    joined = events.outerjoin(bundles, bundles.c.event == events.c.id)
    # Pictures without a bundle don't occur: counting them for every event would cost half of a look.
    count = case((bundles.c.event.is_(None), 0), else_=kept)
    return select(*columns, count, bundles.c.state).select_from(joined)


_ROWS = _rows()


def site_of(connection: Connection) -> str:
    """Return the site's id."""
    return str(connection.execute(_SITE).scalar_one())


_SITE = select(meta.c.value).where(meta.c.key == SITE)


def find(connection: Connection, query: Query) -> list[Row]:
    """Return the events that a query asks for, at most its limit."""
    column, words = events.c, [("subject", query.subject), ("actor", query.actor), ("outcome", query.outcome)]
    wanted = [column[name] == value for name, value in words if value is not None]
    if query.after is not None:
        wanted.append(column.sequence > query.after)
    if query.before is not None:
        wanted.append(column.sequence < query.before)
    if query.since is not None:
        wanted.append(column.time >= query.since)
    if query.until is not None:
        wanted.append(column.time < query.until)
    if query.kind is not None:
        wanted.append(column.kind.startswith(query.kind, autoescape=True))
    order = column.sequence.asc() if query.order == "oldest" else column.sequence.desc()
    found = connection.execute(_ROWS.where(*wanted).order_by(order).limit(min(query.limit, PAGE)))
    return [Row(*row) for row in found]


def get(connection: Connection, event: str) -> Row | None:
    """Return the event with this id, or None."""
    row = connection.execute(_ROWS.where(events.c.id == event)).one_or_none()
    return None if row is None else Row(*row)


def between(connection: Connection, first: int, last: int, limit: int = PAGE) -> list[Row]:
    """Return the events `first` to `last`, both included, oldest first."""
    wanted = and_(events.c.sequence >= first, events.c.sequence <= last)
    return [Row(*row) for row in connection.execute(_ROWS.where(wanted).order_by(events.c.sequence).limit(limit))]


def newest(connection: Connection) -> int:
    """Return the sequence of the newest event that was stored, 0 if there was none."""
    return connection.execute(select(head.c.sequence).where(head.c.id == 1)).scalar_one_or_none() or 0


def causes(connection: Connection, event: str) -> list[Row]:
    """Return what led to an event, the first cause first, without itself."""
    found: list[Row] = []
    seen, row = {event}, get(connection, event)
    while row is not None and row.cause is not None and row.cause not in seen and len(found) < FAMILY:
        seen.add(row.cause)
        row = get(connection, row.cause)
        if row is not None:
            found.append(row)
    return found[::-1]


def consequences(connection: Connection, event: str) -> list[Row]:
    """Return what followed from an event, oldest first, without itself."""
    found: dict[str, Row] = {}
    ids = [event]
    while ids and len(found) < FAMILY:
        rows: list[Row] = []
        for some in slices(ids):
            wanted = _ROWS.where(events.c.cause.in_(some)).order_by(events.c.sequence).limit(FAMILY)
            rows += [Row(*row) for row in connection.execute(wanted)]
        ids = [row.id for row in rows if row.id not in found and row.id != event]
        found.update((row.id, row) for row in rows if row.id != event)
    return sorted(found.values())[:FAMILY]


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Row]:
    found = [connection.execute(_ROWS.where(events.c.id.in_(some))) for some in slices(ids)]
    return {row.id: Row(*row) for rows in found for row in rows}


def slices(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))


# --- holding ---------------------------------------------------------------------------------------------------------


def hold(connection: Connection, event: str, held: bool) -> list[Row]:
    """Keep an event, and all that hangs together with it by causes, from retention; or don't any more.

    What follows later from something held is held as well.

    :returns: the events that it concerns, none if there is no such event.
    """
    before = causes(connection, event)
    root = before[0] if before else get(connection, event)
    if root is None:
        return []
    family = [root, *consequences(connection, root.id)]
    for some in slices([row.id for row in family]):
        connection.execute(update(events).where(events.c.id.in_(some)).values(held=held))
        connection.execute(update(bundles).where(bundles.c.event.in_(some)).values(held=held))
    return [row._replace(held=held) for row in family]


# --- verifying -------------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A piece of the chain as it is at one moment, with what is signed about it and not yet gone by."""

    rows: list[Row]
    statements: list[SignedRow]
    head: SignedRow | None


def page(connection: Connection, after: int, limit: int = PAGE) -> Page:
    """Return the records after a sequence, with checkpoints and tombstones that reach to the last of them.

    With fewer rows than `limit` it is the last page: then all statements after `after` are there.
    """
    found = connection.execute(_ROWS.where(events.c.sequence > after).order_by(events.c.sequence).limit(limit))
    rows = [Row(*row) for row in found]
    until = rows[-1].sequence if len(rows) == limit else None
    return Page(rows, statements(connection, after, until), head_of(connection))


def head_of(connection: Connection) -> SignedRow | None:
    """Return the signed end of the chain."""
    row = connection.execute(select(head.c.statement, head.c.signature).where(head.c.id == 1)).one_or_none()
    return None if row is None else SignedRow(*row)


def statements(connection: Connection, after: int, until: int | None) -> list[SignedRow]:
    """Return the checkpoints and tombstones of the records after `after`, up to `until`."""
    points = select(checkpoints.c.statement, checkpoints.c.signature).where(checkpoints.c.sequence > after)
    stones = select(tombstones.c.statement, tombstones.c.signature).where(tombstones.c.last_sequence > after)
    if until is not None:
        points = points.where(checkpoints.c.sequence <= until)
        stones = stones.where(tombstones.c.first_sequence <= until)
    ordered = (points.order_by(checkpoints.c.sequence), stones.order_by(tombstones.c.id))
    return [SignedRow(*row) for one in ordered for row in connection.execute(one)]


def checkpoint_before(connection: Connection, sequence: int) -> tuple[int, SignedRow] | None:
    """Return the nearest checkpoint before a record."""
    wanted = select(checkpoints).where(checkpoints.c.sequence < sequence).order_by(checkpoints.c.sequence.desc())
    row = connection.execute(wanted.limit(1)).one_or_none()
    return None if row is None else (row.sequence, SignedRow(row.statement, row.signature))


def checkpoint_from(connection: Connection, sequence: int) -> tuple[int, SignedRow] | None:
    """Return the nearest checkpoint at or after a record."""
    wanted = select(checkpoints).where(checkpoints.c.sequence >= sequence).order_by(checkpoints.c.sequence)
    row = connection.execute(wanted.limit(1)).one_or_none()
    return None if row is None else (row.sequence, SignedRow(row.statement, row.signature))

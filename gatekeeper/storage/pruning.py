"""How much the record takes, and taking the oldest of it: a signed statement stays where rows were."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, select

from gatekeeper.storage.appender import Seal
from gatekeeper.storage.events import PAGE, SignedRow, site_of
from gatekeeper.storage.tables import events, tombstones

PRUNE = 5000
"""Rows that one prune looks at: longer would keep what waits to be written for more than a tenth of a second."""


class Extent(NamedTuple):
    """How much is kept: `events` rows of `bytes` together, the oldest `oldest` (Unix seconds) with `first`."""

    events: int
    bytes: int
    first: int | None
    oldest: float | None


def extent(connection: Connection) -> Extent:
    """Return how much is kept, what is held not counted."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(events.c.size), 0),
            func.min(events.c.sequence),
            func.min(events.c.time),
        ).where(~events.c.held)
    ).one()
    return Extent(int(row[0]), int(row[1]), row[2], row[3])


class Size(NamedTuple):
    """What one event takes."""

    sequence: int
    time: float
    size: int
    held: bool


def sizes(connection: Connection, after: int, limit: int = PRUNE) -> list[Size]:
    """Return what the events after a sequence take, oldest first."""
    columns = (events.c.sequence, events.c.time, events.c.size, events.c.held)
    found = select(*columns).where(events.c.sequence > after).order_by(events.c.sequence).limit(limit)
    return [Size(*row) for row in connection.execute(found)]


class Pruned(NamedTuple):
    """What a prune did: how many are `gone`, how many were `kept` (held, or tampered with), up to which sequence."""

    gone: int
    kept: int
    last: int


def prune(connection: Connection, seal: Seal, first: int, last: int, reason: str) -> Pruned:
    """Delete the records `first` to `last` that aren't held, and leave signed statements in their place.

    What was tampered with is left where it is, or the trace would go with it. At most `PRUNE` rows are looked at: ask
    again after `Pruned.last` until it reaches `last`.
    """
    site = site_of(connection)
    columns = (events.c.sequence, events.c.previous, events.c.hash, events.c.body, events.c.held)
    wanted = select(*columns).where(events.c.sequence >= first, events.c.sequence <= last)
    rows = connection.execute(wanted.order_by(events.c.sequence).limit(PRUNE)).all()
    runs: list[list[Any]] = []
    for row in rows:
        if row.held or row.body is None or not seal.fits(row.previous, row.body, row.hash):
            continue
        before = runs[-1][-1] if runs else None
        if before is not None and before.sequence == row.sequence - 1 and before.hash == row.previous:
            runs[-1].append(row)
        else:
            runs.append([row])
    for run in runs:
        _bury(connection, seal, site, run, reason)
    gone = sum(map(len, runs))
    return Pruned(gone, len(rows) - gone, rows[-1].sequence if len(rows) == PRUNE else last)


def _bury(connection: Connection, seal: Seal, site: str, run: list[Any], reason: str) -> None:
    first, end = run[0], run[-1]
    signed = seal.sign(
        "pruned",
        site,
        end.sequence,
        end.hash,
        first=first.sequence,
        previous=first.previous.hex(),
        count=len(run),
        reason=reason,
    )
    add_tombstone(connection, first.sequence, end.sequence, signed)
    within = and_(events.c.sequence >= first.sequence, events.c.sequence <= end.sequence)
    connection.execute(delete(events).where(within))


def add_tombstone(connection: Connection, first: int, last: int, signed: tuple[bytes, bytes, str]) -> None:
    """Keep a signed statement about records that are gone, or whose pictures are.

    :param signed: what `Seal.sign` returns: text, signature and the key's id.
    """
    text, signature, key = signed
    row = {"first_sequence": first, "last_sequence": last, "statement": text, "signature": signature, "key_id": key}
    connection.execute(insert(tombstones), row)


def tombstones_of(connection: Connection, sequences: Sequence[int]) -> list[SignedRow]:
    """Return what is signed about pictures of these very records that were erased (and about each alone pruned)."""
    found: list[SignedRow] = []
    for start in range(0, len(sequences), PAGE):
        some = sequences[start : start + PAGE]
        wanted = select(tombstones.c.statement, tombstones.c.signature).where(
            tombstones.c.first_sequence == tombstones.c.last_sequence, tombstones.c.first_sequence.in_(some)
        )
        found += [SignedRow(*row) for row in connection.execute(wanted.order_by(tombstones.c.id))]
    return found

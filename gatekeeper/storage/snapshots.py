"""The rows of pictures that are kept by themselves. Their files are `gallery`'s: here are only their names.

Everything takes a connection in a transaction and stays in it. A row is put in when its file is safe on the disk, and
flagged as gone before the file is removed: a row that isn't flagged has its file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select, text, update

from gatekeeper.storage.pictures import alone, parts
from gatekeeper.storage.tables import snapshots

Why = Literal["demand", "interval", "event"]


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One kept picture; `time` in Unix seconds, `day` as `2026-11-28`, `sha256` 32 bytes of the whole file."""

    id: str
    camera: str
    day: str
    time: float
    why: Why
    event: str | None
    who: str | None
    width: int
    height: int
    size: int
    sha256: bytes


# In the words of the index, for what goes along it: SQLite uses one that is for part of the rows only where a condition
# is written as its own, and SQLAlchemy writes `gone = 0`, which what goes by the ids is faster with.
_ALONG_INDEX = text("NOT snapshots.gone")
_KEPT = ~snapshots.c.gone

_COLUMNS = tuple(snapshots.c[name] for name in SnapshotRow.__slots__)


def add(connection: Connection, rows: Sequence[SnapshotRow]) -> None:
    """Put in rows whose files are safe."""
    if rows:
        values = [{name: getattr(row, name) for name in SnapshotRow.__slots__} for row in rows]
        connection.execute(snapshots.insert(), values)


# --- reading ---------------------------------------------------------------------------------------------------------


def get(connection: Connection, id_: str) -> SnapshotRow | None:
    """Return one row, or None."""
    row = connection.execute(_kept().where(snapshots.c.id == id_)).one_or_none()
    return None if row is None else SnapshotRow(*row)


def page(
    connection: Connection,
    limit: int,
    *,
    cameras: Sequence[str] | None = None,
    day: str | None = None,
    after: str | None = None,
    before: str | None = None,
    newest: bool = True,
) -> list[SnapshotRow]:
    """Return rows between two ids, those themselves excluded; `cameras` None is all."""
    wanted = select(*_COLUMNS).where(_KEPT if day is None else _ALONG_INDEX)
    if cameras is not None:
        wanted = wanted.where(snapshots.c.camera.in_(tuple(cameras)))
    if day is not None:
        wanted = wanted.where(snapshots.c.day == day)
    if after is not None:
        wanted = wanted.where(snapshots.c.id > after)
    if before is not None:
        wanted = wanted.where(snapshots.c.id < before)
    order = snapshots.c.id.desc() if newest else snapshots.c.id
    return [SnapshotRow(*row) for row in connection.execute(wanted.order_by(order).limit(limit))]


def names_of(connection: Connection, camera: str, day: str) -> list[tuple[str, bytes]]:
    """Return id and hash of every picture of a camera's day, in the order of time."""
    where = _ALONG_INDEX, snapshots.c.camera == camera, snapshots.c.day == day
    found = select(snapshots.c.id, snapshots.c.sha256).where(*where).order_by(snapshots.c.id)
    return [(row.id, bytes(row.sha256)) for row in connection.execute(found)]


def cameras(connection: Connection) -> list[str]:
    """Return the cameras that there are pictures of, also those that the site has no more.

    Steps from one to the next by the index: a look at every row would take seconds where there are millions.
    """
    first = select(func.min(snapshots.c.camera).label("camera")).where(_ALONG_INDEX)
    found = first.cte("found", recursive=True)
    following = first.where(snapshots.c.camera > found.c.camera).scalar_subquery()
    steps = found.union_all(select(following).where(found.c.camera.is_not(None)))
    return list(connection.scalars(select(steps.c.camera).where(steps.c.camera.is_not(None))))


def days(connection: Connection, cameras: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return camera, day and how many pictures there are of it, the newest day first."""
    columns = snapshots.c.camera, snapshots.c.day
    counted = select(*columns, func.count().label("pictures")).where(_ALONG_INDEX, columns[0].in_(tuple(cameras)))
    found = counted.group_by(*columns).order_by(snapshots.c.day.desc(), snapshots.c.camera)
    return [(row.camera, row.day, int(row.pictures)) for row in connection.execute(found)]


def totals(connection: Connection) -> tuple[int, int]:
    """Return how many pictures are kept, and their bytes."""
    found = connection.execute(select(func.count(), func.coalesce(func.sum(snapshots.c.size), 0)).where(_KEPT))
    count, size = found.one()
    return int(count), int(size)


# --- going -----------------------------------------------------------------------------------------------------------


def total(connection: Connection) -> int:
    """Return the bytes of all."""
    return totals(connection)[1]


def flag_gone(connection: Connection, ids: Iterable[str]) -> list[SnapshotRow]:
    """Flag rows as gone; return those that weren't before. Their files are to be removed after the commit."""
    done: list[SnapshotRow] = []
    for part in parts(list(ids)):
        there = snapshots.c.id.in_(part), _KEPT
        done += [SnapshotRow(*row) for row in connection.execute(_kept().where(there[0]))]
        connection.execute(update(snapshots).where(*there).values(gone=True))
    return done


def going(connection: Connection, limit: int) -> list[SnapshotRow]:
    """Return rows that were flagged and are still there: a process was killed in between."""
    found = select(*_COLUMNS).where(text("snapshots.gone")).order_by(snapshots.c.id).limit(limit)
    return [SnapshotRow(*row) for row in connection.execute(found)]


def forget(connection: Connection, ids: Iterable[str]) -> None:
    """Take out flagged rows: their files are gone."""
    for part in parts(list(ids)):
        connection.execute(snapshots.delete().where(snapshots.c.id.in_(part), snapshots.c.gone))


def unknown(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Return those ids that no row has."""
    known: set[str] = set()
    for part in parts(ids):
        known.update(connection.scalars(select(snapshots.c.id).where(snapshots.c.id.in_(part))))
    return [id_ for id_ in ids if id_ not in known]


def settle(connection: Connection, ids: Sequence[str], remove: Callable[[list[str]], object]) -> None:
    """Remove the files of pictures whose storing failed, unless it succeeded after all.

    In a writer's transaction, where nobody can put the rows in meanwhile.
    """
    alone(connection)
    remove(unknown(connection, ids))


def _kept() -> Select[Any]:
    return select(*_COLUMNS).where(_KEPT)

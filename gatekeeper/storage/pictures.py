"""The rows of pictures and of the bundles that they belong to. The files are `evidence`'s: here are only their names.

Everything takes a connection in a transaction and stays in it. A picture's row is only put in where its file is, and a
file is only taken away where no row needs it, both in a writer's transaction: one writes at a time, in SQLite by its
own lock and in PostgreSQL by ours, also where another process writes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from sqlalchemy import Connection, select, text, update

from gatekeeper.storage.tables import bundles, events, pictures

T = TypeVar("T")

State = Literal["open", "complete", "partial"]

ALONE = 0x67617465
"""The advisory lock in PostgreSQL that whoever adds pictures and whoever removes their files hold in turn."""

MANY = 500
"""Values in one IN (…): SQLite takes 32,766 and PostgreSQL 65,535 parameters, and a statement stays readable."""


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture of an event.

    :ivar number: 1 for the bundle's first over all its cameras, in the order of time; 0 before it has a row.
    :ivar received: Unix seconds.
    :ivar sha256: 32 bytes, of the whole file.
    :ivar erased: whether retention, or somebody, took it.
    """

    event: str
    number: int
    camera: str
    received: float
    width: int
    height: int
    size: int
    sha256: bytes
    erased: bool = False


@dataclass(frozen=True, slots=True)
class BundleRow:
    """The pictures of an event as one thing; times in Unix seconds, `manifest` JSON text."""

    event: str
    state: State
    started: float
    ended: float | None
    manifest: bytes | None
    held: bool


# --- while pictures are stored ---------------------------------------------------------------------------------------


def begin(connection: Connection, event: str, started: float, manifest: bytes) -> None:
    """Put in an event's bundle as open, unless it is there."""
    if bundle(connection, event) is None:
        values = {"event": event, "state": "open", "started": started, "manifest": manifest}
        connection.execute(bundles.insert().values(**values))


def add(
    connection: Connection,
    event: str,
    *,
    started: float,
    manifest: bytes,
    after: int,
    rows: Sequence[PictureRow],
    present: Callable[[bytes], bool],
    begun: bool = False,
    again: bool = False,
) -> list[PictureRow]:
    """Put in pictures of an open bundle and number them on from `after`; return them as they are stored.

    :param started: Unix seconds; with `manifest`, what is known of the bundle at its begin.
    :param present: whether the file of a hash is there now; a row without one isn't put in.
    :param begun: the bundle is known to be there.
    :param again: the same was asked before, and nobody knows whether it was committed: then nothing changes.
    """
    alone(connection)
    if not begun:
        begin(connection, event, started, manifest)
    stored = frames(connection, event, after) if again else []
    if stored or not rows:
        return stored
    found = [row for row in rows if present(row.sha256)]
    numbered = [replace(row, event=event, number=after + place) for place, row in enumerate(found, 1)]
    if numbered:
        connection.execute(pictures.insert(), [_values(row) for row in numbered])
    return numbered


def close(connection: Connection, event: str, state: State, ended: float, manifest: bytes) -> None:
    """Say that nothing more comes."""
    changes = {"state": state, "ended": ended, "manifest": manifest}
    connection.execute(update(bundles).where(bundles.c.event == event).values(**changes))


def open_bundles(connection: Connection) -> list[BundleRow]:
    """Return the bundles that were begun and not closed, oldest first."""
    found = connection.execute(select(bundles).where(bundles.c.state == "open").order_by(bundles.c.started))
    return [BundleRow(*row) for row in found]


def announced(connection: Connection, event: str) -> str | None:
    """Return the kind of the event that says what is kept of an action, or None while there is none."""
    kinds = events.c.kind.in_(("evidence.stored", "evidence.partial"))
    found = select(events.c.kind).where(events.c.cause == event, kinds).order_by(events.c.sequence)
    return connection.scalar(found.limit(1))


def remove_rows(connection: Connection, event: str, numbers: Iterable[int]) -> None:
    """Take out rows that never were evidence: their file isn't there."""
    connection.execute(pictures.delete().where(pictures.c.event == event, pictures.c.number.in_(tuple(numbers))))


# --- reading ---------------------------------------------------------------------------------------------------------


def bundle(connection: Connection, event: str) -> BundleRow | None:
    """Return an event's bundle, or None."""
    row = connection.execute(select(bundles).where(bundles.c.event == event)).one_or_none()
    return None if row is None else BundleRow(*row)


def frames(connection: Connection, event: str, after: int = 0) -> list[PictureRow]:
    """Return an event's pictures after a number, in their order, erased ones with `erased` set."""
    wanted = select(pictures).where(pictures.c.event == event, pictures.c.number > after)
    found = connection.execute(wanted.order_by(pictures.c.number))
    return [PictureRow(*row) for row in found]


def frame(connection: Connection, event: str, number: int) -> PictureRow | None:
    """Return one picture's row, or None."""
    found = select(pictures).where(pictures.c.event == event, pictures.c.number == number)
    row = connection.execute(found).one_or_none()
    return None if row is None else PictureRow(*row)


def _values(row: PictureRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in PictureRow.__slots__}


def parts(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Yield values in pieces that fit into one IN (…)."""
    return (values[start : start + MANY] for start in range(0, len(values), MANY))


def alone(connection: Connection) -> None:
    """Wait until nobody else adds pictures or removes files, until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ALONE})

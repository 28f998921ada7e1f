"""Samples in blocks of neighbours, oldest first, for retention: one by one they would be millions of pieces.

A block is the samples whose ids share their quotient; it is never more than `BLOCK`, and takes some milliseconds of the
writer's time to go.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, select

from gatekeeper.storage.tables import samples

BLOCK: Final = 500

SIZE: Final = 100
"""Bytes that a sample takes, about, with its share of the indexes: 84 on SQLite, measured; PostgreSQL takes more."""


class Block(NamedTuple):
    """Neighbouring samples.

    :ivar time: Unix seconds of the newest.
    """

    number: int
    time: float
    samples: int


def total(connection: Connection) -> int:
    """Return the bytes of all samples, about: ids are given in order, and go from the front."""
    first, last = connection.execute(select(func.min(samples.c.id), func.max(samples.c.id))).one()
    return 0 if first is None else (last - first + 1) * SIZE


def page(connection: Connection, after: int | None, limit: int) -> list[Block]:
    """Return the blocks after one of this number, at most so many."""
    first = connection.scalar(select(func.min(samples.c.id)).where(samples.c.id >= _begin(after)))
    if first is None:
        return []
    number = (samples.c.id // BLOCK).label("number")
    # Bounded, so that the database doesn't group everything before it cuts.
    bound = (first // BLOCK + limit) * BLOCK
    within = samples.c.id >= first, samples.c.id < bound
    found = select(number, func.max(samples.c.time), func.count()).where(*within).group_by(number).order_by(number)
    return [Block(*row) for row in connection.execute(found)]


def discard(connection: Connection, number: int) -> int:
    """Take a block away; return how many samples that were."""
    within = samples.c.id >= number * BLOCK, samples.c.id < (number + 1) * BLOCK
    return connection.execute(delete(samples).where(*within)).rowcount


def _begin(after: int | None) -> int:
    return 0 if after is None else (after + 1) * BLOCK

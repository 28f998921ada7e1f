"""Samples as a class of what retention looks after. Sessions and the figures of their runs stay: they are small."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, inlineCallbacks

from gatekeeper.evidence.outside import Database, Record
from gatekeeper.evidence.retention import Going, Piece, Policy
from gatekeeper.storage import sample_blocks as blocks

RECENT: Final = 3600.0
"""Seconds in which nothing goes: a sample that is sent again must be known, and a session lasts a minute."""

TOO_NEW: Final = "newer than an hour"


class Samples:
    """The samples.

    :param wall: Unix seconds now.
    """

    name = "samples"

    def __init__(self, policy: Policy, *, database: Database, record: Record, wall: Callable[[], float]) -> None:
        self.policy = policy
        self._database = database
        self._record = record
        self._wall = wall

    def total(self, connection: Connection) -> int:
        return blocks.total(connection)

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        since = self._wall() - RECENT
        return [
            Piece(block.number, block.time, block.samples * blocks.SIZE, TOO_NEW if block.time > since else None)
            for block in blocks.page(connection, after, limit)
        ]

    @inlineCallbacks
    def discard(self, goes: Sequence[Going], reason: str) -> Any:
        count = 0
        for going in goes:  # each for itself, so that whoever waits to be stored has a turn between
            gone: int = yield self._database.write(partial(blocks.discard, number=going.piece.key))  # type: ignore[arg-type]
            count += gone
        if count:
            stored: Deferred[Any] = self._record(
                "measurement.pruned", f"{count} samples went: {reason}", reason=reason, details={"samples": count}
            ).stored
            yield stored

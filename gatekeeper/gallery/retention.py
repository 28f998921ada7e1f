"""Kept pictures as a class of what retention looks after: the oldest go, rows and files together.

A row is flagged first, then its file goes, then the row: whatever is killed in between, the next look finishes it, and
no row that callers see lacks its file. Holds are for events, whose pictures are kept elsewhere: these know none.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gatekeeper.evidence.outside import Database, Disk, Record
from gatekeeper.evidence.retention import DAY, Going, Piece, Policy, size
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.storage import snapshots
from gatekeeper.storage.snapshots import SnapshotRow

LEFT = 500
"""Rows of a killed process's that are finished in one go."""

SCAN = 500
"""Files looked up in one read when those that nobody knows are counted."""

Gone = Callable[[Sequence[SnapshotRow]], None]


class Snapshots:
    """The kept pictures.

    :param disk: the keeper's thread, so that no folder goes under a file that is being written.
    :param scanning: a thread for reading the whole folder's names.
    :param gone: told of what is gone: whatever was made of it goes too.
    :ivar orphans: files that the database doesn't know, and their bytes; they are left alone.
    """

    name = "snapshots"
    log = Logger()

    def __init__(
        self,
        policy: Policy,
        *,
        database: Database,
        folder: SnapshotFolder,
        disk: Disk,
        scanning: Disk,
        record: Record,
        wall: Callable[[], float],
        gone: Gone = lambda rows: None,
    ) -> None:
        self.policy = policy
        self._database = database
        self._folder = folder
        self._disk = disk
        self._scanning = scanning
        self._record = record
        self._wall = wall
        self._gone = gone
        self.orphans = (0, 0)

    def total(self, connection: Connection) -> int:
        return snapshots.total(connection)

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        rows = snapshots.page(connection, limit, after=after, newest=False)
        return [Piece(row.id, row.time, row.size) for row in rows]

    def discard(self, goes: Sequence[Going], reason: str) -> "Deferred[None]":
        removing: Deferred[Any] = self.remove([str(going.piece.key) for going in goes])

        def told(rows: Sequence[SnapshotRow]) -> None:
            if rows:
                self.log.info("{count} kept pictures went: {reason}", count=len(rows), reason=reason)

        return removing.addCallback(told)

    @inlineCallbacks
    def remove(self, ids: Sequence[str]) -> Any:
        """Take pictures away; fire with the rows of those that were there."""
        rows: list[SnapshotRow] = yield self._database.write(partial(snapshots.flag_gone, ids=ids))
        self._gone(rows)
        yield self._finish(rows)
        return rows

    @inlineCallbacks
    def _finish(self, rows: Sequence[SnapshotRow]) -> Any:
        """Remove the files of flagged rows, and the rows whose files are gone."""
        failed: list[tuple[SnapshotRow, str]] = yield self._disk.run(partial(self._folder.remove, rows, tidy=True))
        if failed:
            self.log.error("{count} files of pictures could not be removed: {why}", count=len(failed), why=failed[0][1])
        stay = {row.id for row, _ in failed}
        yield self._database.write(partial(snapshots.forget, ids=[row.id for row in rows if row.id not in stay]))

    @inlineCallbacks
    def resume(self) -> Any:
        """Finish what a killed process began."""
        rows: list[SnapshotRow] = yield self._database.read(partial(snapshots.going, limit=LEFT))
        if rows:
            yield self._finish(rows)

    @inlineCallbacks
    def count_orphans(self) -> Any:
        """Count the files that the database doesn't know; what is being stored just now has no row yet."""
        files: list[tuple[str, int, float]] = yield self._scanning.run(lambda: list(self._folder.files()))
        old = {name: bytes_ for name, bytes_, written in files if written < self._wall() - DAY}
        names, count, total = list(old), 0, 0
        for start in range(0, len(names), SCAN):
            unknown: list[str] = yield self._database.read(partial(snapshots.unknown, ids=names[start : start + SCAN]))
            count += len(unknown)
            total += sum(old[name] for name in unknown)
        if count and count != self.orphans[0]:
            text = f"{count} files of kept pictures ({size(total)}) are in no list; they are left alone"
            self.log.warn("{text}", text=text)
            self._record("storage.orphans", text, details={"class": self.name, "count": count, "bytes": total})
        self.orphans = count, total
        return self.orphans

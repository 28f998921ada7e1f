"""Keeps pictures: file first, row after it, and whoever asked is told when both are safe.

One batch is under way at a time. What comes meanwhile waits, bounded in number and bytes; beyond that it is refused,
so that a disk that hangs or a database that is gone costs pictures and nothing else.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.cameras.frame import Frame
from gatekeeper.errors import GatekeeperError, Overloaded, StorageUnavailable
from gatekeeper.evidence.event import Ids
from gatekeeper.evidence.outside import Database, Disk
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.gallery.snapshot import Local, day_of
from gatekeeper.storage import snapshots
from gatekeeper.storage.snapshots import SnapshotRow, Why

WAITING = 200
"""Pictures that may wait: one of each camera of a large site, a few times over."""

WAITING_BYTES = 64_000_000
"""Bytes of them: 30 of the largest pictures that a camera may send by default."""

BATCH = 32
"""Pictures in one go: one sync for all of them."""

DOUBTFUL = 1000
"""Rows of which nobody knows whether they are stored; beyond that their files stay, and are counted as nobody's."""


@dataclass(slots=True)
class _Picture:
    """A picture on its way, and who waits for it."""

    mark: tuple[int, float]
    row: SnapshotRow
    jpeg: bytes
    waiters: "list[Deferred[SnapshotRow]]" = field(default_factory=list)
    stored: bool = False

    def told(self) -> "Deferred[SnapshotRow]":
        if self.stored:
            return succeed(self.row)
        self.waiters.append(Deferred())
        return self.waiters[-1]

    def tell(self, error: Exception | None) -> None:
        self.stored = error is None
        waiters, self.waiters, self.jpeg = self.waiters, [], b""
        for waiter in waiters:
            if error is None:
                waiter.callback(self.row)
            else:
                waiter.errback(error)


class Keeper:
    """Where pictures are kept.

    :param disk: a thread of its own, which removes too.
    :param wall: Unix seconds now.
    :param local: Unix seconds to the server's calendar.
    :ivar state: `ok`, or `failing` with a `reason` while the last picture could not be kept.
    :ivar kept: pictures since the start; `lost` those that could not be.
    """

    log = Logger()

    def __init__(
        self, *, folder: SnapshotFolder, database: Database, disk: Disk, wall: Callable[[], float], local: Local
    ) -> None:
        self._folder = folder
        self._database = database
        self._disk = disk
        self._local = local
        self._ids = Ids(wall)
        self._waiting: deque[_Picture] = deque()
        self._bytes = 0
        self._busy = False
        self._every = 1
        self._offered = 0
        self._newest: dict[str, _Picture] = {}
        self._doubtful: dict[str, SnapshotRow] = {}
        self.state: Literal["ok", "failing"] = "ok"
        self.reason: str | None = None
        self.kept = 0
        self.lost = 0

    def start(self) -> None:
        """Clear away what a killed process left unfinished."""
        self._disk.run(self._folder.sweep).addErrback(self._log_bug)

    def stop(self) -> None:
        """Take nothing more; what is under way ends by itself."""
        self._every = 0
        for picture in self._waiting:
            self._end(picture, StorageUnavailable("the site stops"))
        self._waiting.clear()
        self._disk.stop()

    def ration(self, every: int) -> None:
        """Keep of the pictures at intervals only every n-th, as the disk fills up; with 0 no picture at all."""
        self._every = every

    def has(self, frame: Frame) -> bool:
        """Whether this very frame is kept, or about to be."""
        newest = self._newest.get(frame.camera)
        return newest is not None and newest.mark == (frame.sequence, frame.wall)

    def keep(
        self, frame: Frame, why: Why, *, event: str | None = None, who: str | None = None
    ) -> "Deferred[SnapshotRow]":
        """Keep a frame; fire with its row when file and row are safe. One that is kept already gives that row.

        Fails with Overloaded if too much waits, with StorageUnavailable if disk or database can't take it.
        """
        if self.has(frame):
            return self._newest[frame.camera].told()
        try:
            self._admit(frame, why)
        except GatekeeperError as error:
            self._failed(str(error))
            return fail(error)
        row = SnapshotRow(
            id=self._ids(),
            camera=frame.camera,
            day=day_of(frame.wall, self._local),
            time=frame.wall,
            why=why,
            event=event,
            who=who,
            width=frame.width,
            height=frame.height,
            size=len(frame.jpeg),
            sha256=hashlib.sha256(frame.jpeg).digest(),
        )
        picture = self._newest[frame.camera] = _Picture((frame.sequence, frame.wall), row, frame.jpeg)
        told = picture.told()
        self._waiting.append(picture)
        self._bytes += row.size
        self._go()
        return told

    def _admit(self, frame: Frame, why: Why) -> None:
        if self._every == 0:
            raise StorageUnavailable("the disk is nearly full: no picture is kept")
        if why == "interval":
            self._offered += 1
            if self._offered % self._every:
                raise StorageUnavailable(f"the disk is nearly full: one picture in {self._every} is kept")
        if len(self._waiting) >= WAITING or self._bytes + len(frame.jpeg) > WAITING_BYTES:
            raise Overloaded("too many pictures wait to be kept")

    # --- storing -----------------------------------------------------------------------------------------------------

    def _go(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        self._bytes -= sum(picture.row.size for picture in batch)
        writing = self._disk.run(partial(self._folder.store, [(picture.row, picture.jpeg) for picture in batch]))
        writing.addCallback(self._written, batch).addErrback(self._broken, batch).addCallback(self._next)

    def _written(self, reasons: Sequence[str | None], batch: Sequence[_Picture]) -> "Deferred[None] | None":
        safe = []
        for picture, reason in zip(batch, reasons, strict=True):
            if reason is None:
                safe.append(picture)
            else:
                self._end(picture, StorageUnavailable(f"the picture can't be kept: {reason}"))
        if not safe:
            return None
        rows, doubtful = [picture.row for picture in safe], dict(self._doubtful)

        def work(connection: Connection) -> None:
            if doubtful:
                snapshots.settle(connection, list(doubtful), lambda ids: self._folder.remove(doubtful[i] for i in ids))
            snapshots.add(connection, rows)

        def stored(_: None) -> None:
            for id_ in doubtful:
                self._doubtful.pop(id_, None)
            for picture in safe:
                self._end(picture, None)

        def failed(failure: Failure) -> None:
            for picture in safe:
                if len(self._doubtful) < DOUBTFUL:
                    self._doubtful[picture.row.id] = picture.row
            self._broken(failure, safe)

        return self._database.write(work).addCallbacks(stored, failed)

    def _broken(self, failure: Failure, batch: Sequence[_Picture]) -> None:
        known = failure.check(GatekeeperError)
        if not known:
            self._log_bug(failure)
        error = failure.value if known else StorageUnavailable("the picture can't be kept: the server's log says why")
        for picture in batch:
            if not picture.stored:
                self._end(picture, error)

    def _next(self, _: object) -> None:
        self._busy = False
        self._go()

    def _end(self, picture: _Picture, error: Any) -> None:
        if error is None:
            self.kept += 1
            self._became(None)
        else:
            if self._newest.get(picture.row.camera) is picture:
                del self._newest[picture.row.camera]  # it isn't kept, so it may be tried again
            self._failed(str(error))
        picture.tell(error)

    # --- how it is ---------------------------------------------------------------------------------------------------

    def _failed(self, reason: str) -> None:
        self.lost += 1
        self._became(reason)

    def _became(self, reason: str | None) -> None:
        if (reason is None) != (self.reason is None):
            if reason is None:
                self.log.info("pictures are kept again, {lost} were not", lost=self.lost)
            else:
                self.log.warn("a picture could not be kept: {reason}", reason=reason)
        self.reason = reason
        self.state = "ok" if reason is None else "failing"

    def _log_bug(self, failure: Failure) -> None:
        self.log.failure("pictures could not be kept", failure)

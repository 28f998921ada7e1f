"""SQLite: a file in write-ahead mode, synced at each commit.

`synchronous=FULL` syncs the log before a commit returns, so an acknowledged fact outlives the power, too. The driver's
own transactions are off (`isolation_level=None`); BEGIN is ours: IMMEDIATE for the writer, so that two processes never
both believe that they write next.
"""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from gatekeeper.errors import ConfigurationError
from gatekeeper.storage.backend import BUSY, READERS, STATEMENT, Ruined

KEPT_COPIES = 3
"""Copies from before a migration; each is as big as the database."""

CACHE_KIB = 16_000  # pages of the indexes that every fact touches; the default of 2 MB reads them again and again
LOG_BYTES = 64_000_000  # to which the write-ahead log is cut after a checkpoint, if a long reader let it grow
CHECKPOINT_PAGES = (
    2000  # 8 MB: a checkpoint syncs the database file and holds one commit up, so rarely, and not for long
)
STEPS = 50_000  # virtual machine steps between looks at the clock: about a millisecond

# Result codes that no statement is at fault for.
UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


class SQLite:
    """A database file.

    :param path: the file; its folder also holds `-wal`, `-shm` and `backups/`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def writer(self, *, references: bool = True, patient: bool = False) -> Engine:
        """Return an engine of one connection whose transactions begin IMMEDIATE."""
        engine = self._engine(1)

        @event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, record: Any) -> None:
            self._prepare(connection)
            connection.execute(f"PRAGMA foreign_keys={int(references)}")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            record.info["inode"] = self._inode()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def reader(self, *, patient: bool = False) -> Engine:
        """Return an engine whose connections can't write and see one snapshot per transaction."""
        engine = self._engine(READERS)

        @event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, record: Any) -> None:
            self._prepare(connection)
            connection.execute("PRAGMA query_only=ON")
            record.info["inode"] = self._inode()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            self.present(connection)
            connection.exec_driver_sql("BEGIN")
            if not patient:
                _bound(connection)

        return engine

    def _engine(self, connections: int) -> Engine:
        # mode=rw: a database that vanished is an error, never a new empty one. A path may hold `?` and `#`.
        target = self.path.absolute().as_uri() + "?mode=rw"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(target, uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False)

        return create_engine(
            "sqlite://", creator=connect, poolclass=QueuePool, pool_size=connections, max_overflow=0, pool_timeout=BUSY
        )

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")

    def _inode(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def create(self) -> None:
        """Make the file, for its owner alone; SQLite gives the files beside it the same mode."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)
            with sqlite3.connect(self.path, timeout=BUSY, isolation_level=None) as connection:
                mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            connection.close()
        except (OSError, sqlite3.Error) as error:
            kind = Ruined if self.ruined(error) else ConfigurationError
            raise kind(f"{self.name}: can't be opened: {error}") from error
        if mode != "wal":
            raise ConfigurationError(
                f"{self.name}: no write-ahead log is possible here (found {mode}): use a local disk"
            )

    def check(self, connection: Connection) -> None:
        """Read the settings back, and look through every page."""
        for pragma, wanted in (("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2)):
            found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            if found != wanted:
                raise ConfigurationError(f"{self.name}: {pragma} is {found}, not {wanted}")
        problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if problem != "ok":
            what = " ".join(str(problem).split())
            raise Ruined(f"{self.name}: the database is damaged ({what}): restore a backup, or move the file aside")

    def unavailable(self, error: BaseException) -> str | None:
        """Return SQLite's own phrase where its result code is none of a statement's."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, OSError):
            return str(cause)
        if isinstance(cause, sqlite3.Error):
            # A few errors are the driver's and carry no code: "Cannot operate on a closed database".
            code = getattr(cause, "sqlite_errorcode", None)
            if code is not None and code & 0xFF in UNAVAILABLE:
                return str(cause)
        return None

    def broken(self, error: BaseException) -> bool:
        """Tell a file that isn't the opened one any more."""
        return isinstance(error, OSError)

    def ruined(self, error: BaseException) -> bool:
        """Tell by SQLite's result code."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

    def present(self, connection: Connection) -> None:
        """Compare the file's inode with the opened one: SQLite would go on writing to a deleted file, happily."""
        if connection.connection.info["inode"] != self._inode():
            connection.invalidate()
            raise FileNotFoundError(f"{self.name}: another file has taken the database's place")

    def copy(self, label: str) -> Path | None:
        """Copy through SQLite's backup interface, whole even while others write; keep the newest copies only."""
        folder = self.path.parent / "backups"
        folder.mkdir(exist_ok=True, mode=0o700)
        target = folder / f"{self.path.stem}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{label}.sqlite"
        partial = target.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        source, copy = sqlite3.connect(self.path, timeout=BUSY), sqlite3.connect(partial)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        finally:
            source.close()
            copy.close()
        sync(partial)
        partial.rename(target)
        sync(folder)
        for old in sorted(folder.glob(f"{self.path.stem}-*-before-*.sqlite"))[:-KEPT_COPIES]:
            old.unlink()
        return target

    def set_aside(self, folder: Path) -> bool:
        """Move the file and its log; a site that has them open notices, and takes what comes in their place."""
        if not self.path.exists():
            return False
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for end in ("-wal", "-shm", ""):
            file = self.path.with_name(self.path.name + end)
            if file.exists():
                file.rename(folder / file.name)
        return True

    def numbered(self, connection: Connection) -> None:
        """Do nothing: the next number is one more than the greatest."""


def _bound(connection: Connection) -> None:
    """End what this transaction reads after `STATEMENT` seconds."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows the type
    until = time.monotonic() + STATEMENT
    driver.set_progress_handler(lambda: time.monotonic() > until, STEPS)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's names, are on the disk; where folders can't be synced (Windows), don't."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

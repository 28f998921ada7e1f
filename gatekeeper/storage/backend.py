"""What differs between the databases, behind one shape: how to connect, what to check, which errors mean "not now".

`sqlite.py` and `postgresql.py` implement it; nothing else knows which database it is.
"""

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

BUSY = 5.0
"""Seconds that a transaction waits for another process's; a backup or a restore of a big site takes a few."""

STATEMENT = 15.0
"""Seconds that one statement may take; retention's deletes and the record's pages take milliseconds."""

READERS = 2
"""Threads and connections that read: a page and a long export at once; a third would only fight for the GIL."""


class Ruined(Exception):
    """What is in the database's place can't be used, and no waiting helps: damaged, no database, or newer.

    Outside it is the cause of a ConfigurationError.
    """


class Backend(Protocol):
    """A database.

    :ivar name: how it is called in messages; without the password.
    """

    name: str

    def writer(self, *, references: bool = True, patient: bool = False) -> Engine:
        """Return an engine of one connection, whose transactions exclude each other across processes from the start.

        :param references: False while a migration makes tables anew, which SQLite's references would follow.
        :param patient: let statements take longer than `STATEMENT`: a migration, a restore.
        """

    def reader(self, *, patient: bool = False) -> Engine:
        """Return an engine of up to `READERS` connections; each transaction reads one snapshot and can't write.

        :param patient: let transactions take longer than `STATEMENT`: a backup.
        """

    def create(self) -> None:
        """Make what must exist before one can connect.

        :raises Ruined: if something else is there.
        :raises ConfigurationError: if that isn't possible.
        """

    def check(self, connection: Connection) -> None:
        """Look whether the database is what it should be, and whole.

        :raises Ruined: if it is damaged.
        :raises ConfigurationError: with one line that says what else is wrong.
        """

    def unavailable(self, error: BaseException) -> str | None:
        """Return why the database can't be had, in a phrase; None if the error is the statement's own fault."""

    def broken(self, error: BaseException) -> bool:
        """Tell whether only the connection is lost: another one may do."""

    def ruined(self, error: BaseException) -> bool:
        """Tell whether the error says that the database itself is damaged, or none."""

    def present(self, connection: Connection) -> None:
        """Look whether what the connection writes to is still the database.

        :raises OSError: if it is gone.
        """

    def copy(self, label: str) -> Path | None:
        """Copy the database as it is into its `backups` folder; None where copying is not ours to do."""

    def set_aside(self, folder: Path) -> bool:
        """Move a database that can't be used into a folder; tell whether there was one that we could move."""

    def numbered(self, connection: Connection) -> None:
        """Let automatic numbers go on after the rows that were put in with theirs."""

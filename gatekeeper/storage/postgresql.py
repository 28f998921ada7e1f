"""PostgreSQL through psycopg 3. Every wait has an end, on the server's side and on ours.

A transaction that writes takes one advisory lock first: like SQLite's BEGIN IMMEDIATE it makes writers of several
processes follow each other, so what one reads (the end of the chain) is still so when it writes.
"""

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError

from gatekeeper.errors import ConfigurationError
from gatekeeper.storage.backend import BUSY, READERS, STATEMENT
from gatekeeper.storage.tables import metadata

LOCK = 0x6761746565706572  # of the database's one writer: "gateeper" in ASCII; any number that nobody else uses
CONNECT = 5  # seconds to connect
SILENCE = 15  # seconds after which an unacknowledged packet means that the server is gone

# Classes of SQLSTATE that no statement is at fault for: connection, resources (full disk), operator, system, damage.
UNAVAILABLE_CLASSES = frozenset({"08", "53", "57", "58", "XX"})
# Lock time-out, read-only server, serialization failure, deadlock.
UNAVAILABLE = frozenset({"55P03", "25006", "40001", "40P01"})


class PostgreSQL:
    """A database on a server.

    :param url: with the driver psycopg.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self.name = url.set(drivername="postgresql").render_as_string(hide_password=True)

    def writer(self, *, references: bool = True, patient: bool = False) -> Engine:
        """Return an engine of one connection whose transactions take the writer's lock."""
        engine = self._engine(1, patient)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")

        return engine

    def reader(self, *, patient: bool = False) -> Engine:
        """Return an engine whose transactions are read-only and see one snapshot."""
        return self._engine(READERS, patient).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def _engine(self, connections: int, patient: bool) -> Engine:
        settings = (
            f"-c statement_timeout={0 if patient else int(STATEMENT * 1000)} -c lock_timeout={int(BUSY * 1000)} "
            f"-c idle_in_transaction_session_timeout={int(4 * STATEMENT * 1000)}"
        )
        given: dict[str, Any] = {
            "application_name": "gatekeeper",
            "client_encoding": "utf8",
            "connect_timeout": CONNECT,
            "keepalives_idle": SILENCE,
            "tcp_user_timeout": SILENCE * 1000,
            "options": settings,
        }
        given = {key: value for key, value in given.items() if key not in self._url.query}
        engine = create_engine(
            self._url, connect_args=given, poolclass=QueuePool, pool_size=connections, max_overflow=0, pool_timeout=BUSY
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            # A server may be set up to lose the last moment's commits; what we acknowledge must be on its disk.
            try:
                with connection.cursor() as cursor:
                    if cursor.execute("SHOW synchronous_commit").fetchone()[0] == "off":
                        cursor.execute("SET synchronous_commit = on")
                connection.commit()
            except BaseException:
                connection.close()  # the pool hasn't taken it yet, and would only forget it
                raise

        return engine

    def create(self) -> None:
        """Do nothing: the database is the server's to make."""

    def check(self, connection: Connection) -> None:
        """Look at the encoding; wholeness is the server's own care."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise ConfigurationError(f"{self.name}: the database's encoding is {encoding}: make it with ENCODING UTF8")

    def unavailable(self, error: BaseException) -> str | None:
        """Return the first line of what the server or libpq says where no statement is at fault."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.Error):
            state = cause.sqlstate
            if self.broken(error) or (state is not None and (state[:2] in UNAVAILABLE_CLASSES or state in UNAVAILABLE)):
                return (str(cause).strip() or type(cause).__name__).splitlines()[0]
        return str(cause) if isinstance(cause, OSError) else None

    def broken(self, error: BaseException) -> bool:
        """Tell a lost connection: libpq's own errors carry no SQLSTATE, and a server that shuts down says so."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.OperationalError):
            return cause.sqlstate is None or cause.sqlstate[:2] in ("08", "57")
        return isinstance(cause, OSError)

    def ruined(self, error: BaseException) -> bool:
        """Return False: what a server's damage means is its administrator's to know."""
        return False

    def present(self, connection: Connection) -> None:
        """Do nothing: a server that is gone answers with an error."""

    def copy(self, label: str) -> Path | None:
        """Return None: copies of a server's databases are made by its own pg_dump."""
        return None

    def set_aside(self, folder: Path) -> bool:
        """Return False: a server's database isn't ours to move."""
        return False

    def numbered(self, connection: Connection) -> None:
        """Set each sequence to the greatest number of its column."""
        for table in metadata.sorted_tables:
            column = table.autoincrement_column
            if column is not None and column.autoincrement is True:
                greatest = connection.scalar(select(func.max(column)))
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(select(func.setval(sequence, greatest or 1, greatest is not None)))

"""From a URL to a database that is ready: made, checked, migrated. And its blocking use, for the command line."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import URL, Connection, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from twisted.logger import Logger

from gatekeeper.config import Storage
from gatekeeper.errors import ConfigurationError, StorageUnavailable
from gatekeeper.storage.backend import Backend, Ruined
from gatekeeper.storage.sqlite import SQLite

FILE = "gatekeeper.sqlite"
"""The database in the data folder."""

REVISION = "0003"
"""What this program reads and writes: the newest of `migrations/versions`; a test holds the two together."""

T = TypeVar("T")
log = Logger()


def url_of(settings: Storage, data: Path, password: str | None = None) -> str:
    """Return the SQLAlchemy URL of a site's database; it holds the password.

    :raises ConfigurationError: if the configured URL is none.
    """
    if settings.url is None:
        url = URL.create("sqlite", database=str((data / FILE).absolute()))
    else:
        url = _parsed(settings.url)
        if url.password is not None:
            raise ConfigurationError("storage.url: holds a password: give it as storage.password")
        url = url.set(password=password) if password is not None else url
    return url.render_as_string(hide_password=False)


def backend_of(url: str) -> Backend:
    """Return what speaks to the database at a URL.

    :raises ConfigurationError: if there is none, or its driver isn't installed.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigurationError("storage.url: names no file: `sqlite:///path`")
        return SQLite(Path(parsed.database))
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError("storage.url: install gatekeeper-server[postgresql]") from error
    from gatekeeper.storage.postgresql import PostgreSQL  # noqa: PLC0415 - only where it is used

    return PostgreSQL(parsed)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # The text may hold a password.
        raise ConfigurationError("storage.url: is no URL: `postgresql://user@host/database`") from error
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        return parsed
    raise ConfigurationError(f"storage.url: {parsed.drivername} isn't known: `sqlite` or `postgresql`")


def prepare(backend: Backend, *, thorough: bool = True, scripts: Path | None = None) -> None:
    """Make the database ready for this program: connect, check, copy and migrate. Blocks.

    :param thorough: look through the whole database for damage.
    :param scripts: the migrations; the program's own if None.
    :raises ConfigurationError: with one line that says why it can't be used.
    """
    done = None
    try:
        backend.create()
        if thorough:
            engine = backend.writer(patient=True)
            try:
                with engine.connect() as connection:
                    backend.check(connection)
            finally:
                engine.dispose()
        engine = backend.writer(references=False, patient=True)
        try:
            with engine.begin() as connection:
                if scripts is not None or _revision(connection) != REVISION:
                    done = _migrate(connection, backend, scripts)
        finally:
            engine.dispose()
    except Ruined as error:
        raise ConfigurationError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        reason = backend.unavailable(error) or str(getattr(error, "orig", error)).strip().partition("\n")[0]
        message = f"{backend.name}: {reason}"
        raise ConfigurationError(message) from (Ruined(message) if backend.ruined(error) else error)
    if done is not None:
        was, now = done
        log.info("{name}: revision {now} (was: {was})", name=backend.name, now=now, was=was)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _migrate(connection: Connection, backend: Backend, scripts: Path | None) -> tuple[str | None, str] | None:
    # Alembic takes a while to import, and some megabytes: most starts have nothing to migrate.
    from gatekeeper.storage.migrate import MIGRATIONS, migrate  # noqa: PLC0415

    return migrate(connection, backend.name, backend.copy, scripts=scripts or MIGRATIONS)


def named(backend: Backend, error: Exception) -> Exception:
    """Return StorageUnavailable for a database that can't be had; the error itself for anything else."""
    reason = backend.unavailable(error)
    return error if reason is None else StorageUnavailable(f"the database: {reason}")


class Blocking:
    """A database without a reactor: each call is one transaction, and blocks. For the command line.

    It works beside a running site: transactions that write exclude each other.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._writer, self._reader = backend.writer(), backend.reader()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction that writes, and commit.

        :raises StorageUnavailable: if the database can't be had.
        """
        try:
            with self._writer.begin() as connection:
                return work(connection)
        except Exception as error:
            raise named(self.backend, error) from error

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction that reads one snapshot.

        :raises StorageUnavailable: if the database can't be had.
        """
        try:
            with self._reader.connect() as connection, connection.begin():
                return work(connection)
        except Exception as error:
            raise named(self.backend, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._writer.dispose()
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def connect(url: str) -> Blocking:
    """Open a database for blocking use; one that is new or old is made ready first.

    :raises ConfigurationError: with one line that says why it can't be used.
    """
    backend = backend_of(url)
    prepare(backend, thorough=False)
    return Blocking(backend)

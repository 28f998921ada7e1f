"""Bring a database to this program's revision at start: all steps in one transaction, after a copy.

A crash in the middle leaves the old database, and the next start begins again. A database that a newer program wrote
is left alone. The steps are Alembic's, in `migrations/versions`; they run on the transaction that they are given.
"""

from collections.abc import Callable
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from gatekeeper.errors import ConfigurationError
from gatekeeper.storage.backend import Ruined
from gatekeeper.storage.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"


def head(scripts: Path = MIGRATIONS) -> str:
    """Return the revision that this program reads and writes."""
    found = _directory(scripts).get_current_head()
    assert found is not None  # noqa: S101 - there is a first revision
    return found


def revision(connection: Connection) -> str | None:
    """Return the database's revision; None if nothing was ever made in it."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(
    connection: Connection, name: str, copy: Callable[[str], object], *, to: str = "head", scripts: Path = MIGRATIONS
) -> tuple[str | None, str] | None:
    """Bring the database of a transaction that excludes other writers to a revision; the caller commits.

    :param name: the database, for messages.
    :param copy: copies the database as it was; called with a label before anything changes in one that isn't new.
    :return: the revision before and now, or None if there was nothing to do.
    :raises Ruined: if a newer program wrote the database.
    :raises ConfigurationError: if something else did.
    """
    directory = _directory(scripts)
    was = revision(connection)
    newest = directory.get_current_head() if to == "head" else to
    assert newest is not None  # noqa: S101 - there is a first revision
    if was == newest:
        return None
    if was is None:
        _refuse_strangers(connection, name)
    else:
        refuse_newer(was, name, scripts)
        copy(f"before-{newest}")
    _run(connection, directory, newest)
    _check_references(connection, name)
    return was, newest


def _directory(scripts: Path) -> ScriptDirectory:
    return ScriptDirectory(scripts, version_locations=[scripts / "versions"])


def _refuse_strangers(connection: Connection, name: str) -> None:
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken:
        raise ConfigurationError(f"{name}: holds tables of something else ({', '.join(sorted(taken))})")


def refuse_newer(found: str, name: str, scripts: Path = MIGRATIONS) -> None:
    """Refuse a revision that this program doesn't know.

    :raises Ruined: naming both.
    """
    directory = _directory(scripts)
    newest = directory.get_current_head()
    if all(step.revision != found for step in directory.walk_revisions()):
        raise Ruined(
            f"{name}: was written by a newer gatekeeper (revision {found}; this one knows {newest}): "
            "start that one, or restore a backup from before the upgrade"
        )


def _run(connection: Connection, directory: ScriptDirectory, to: str) -> None:
    environment = EnvironmentContext(
        Config(), directory, fn=lambda now, _context: directory._upgrade_revs(to, now), destination_rev=to
    )
    with environment:
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()


def _check_references(connection: Connection, name: str) -> None:
    """SQLite's references are off while a migration makes tables anew: look whether all still lead somewhere."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise ConfigurationError(f"{name}: the migration left {len(broken)} references that lead nowhere")

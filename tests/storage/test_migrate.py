"""Databases of other revisions, older and newer, with steps made up for the test."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text

from gatekeeper.errors import ConfigurationError
from gatekeeper.storage import connect
from gatekeeper.storage.connect import backend_of, prepare
from gatekeeper.storage.migrate import MIGRATIONS, head
from gatekeeper.storage.sqlite import KEPT_COPIES
from gatekeeper.storage.tables import accounts, metadata
from tests.storage.reactor import Reactor

STEP = '''"""Made up."""

import os

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade():
    {steps}
'''

REBUILD = """with op.batch_alter_table("accounts") as table:
        table.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="red"))
        table.alter_column("role", new_column_name="part")"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The program's own migrations, to which a test adds."""
    target = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def add_step(scripts: Path, steps: str, revision: str = "x1", before: str = "") -> None:
    written = STEP.format(revision=revision, before=before or head(), steps=steps)
    (scripts / "versions" / f"{revision}.py").write_text(written)


def revision_of(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    return str(found)


def fill(url: str) -> None:
    """Give a database an account and what hangs on it."""
    with connect(url) as database:
        database.write(lambda c: c.execute(accounts.insert().values(name="anna", role="owner", created=1.0)))
        database.write(lambda c: c.execute(text("INSERT INTO grants VALUES ('anna', 'door', 'front')")))


def test_the_migrations_make_the_tables_that_the_program_uses(database_url: str) -> None:
    prepare(backend_of(database_url))
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_an_older_database_is_brought_up_with_what_is_in_it(database_url: str, scripts: Path) -> None:
    fill(database_url)
    add_step(scripts, REBUILD)
    prepare(backend_of(database_url), scripts=scripts)
    assert revision_of(database_url) == "x1"
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name, part, colour FROM accounts")).all() == [("anna", "owner", "red")]
        assert connection.execute(text("SELECT * FROM grants")).all() == [("anna", "door", "front")]
    engine.dispose()
    prepare(backend_of(database_url), scripts=scripts)  # again is nothing


def test_an_older_file_is_copied_before_it_is_changed(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/gatekeeper.sqlite"
    fill(url)
    assert not (tmp_path / "backups").exists()  # a new database needs no copy
    add_step(scripts, REBUILD)
    prepare(backend_of(url), scripts=scripts)
    (copy,) = (tmp_path / "backups").iterdir()
    assert copy.name.endswith("-before-x1.sqlite")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT name, role FROM accounts").fetchall() == [("anna", "owner")]
    connection.close()


def test_the_newest_copies_are_kept(tmp_path: Path, scripts: Path) -> None:
    url = f"sqlite:///{tmp_path}/gatekeeper.sqlite"
    fill(url)
    before = head()
    for number in range(KEPT_COPIES + 2):
        add_step(scripts, "pass", f"x{number}", before)
        before = f"x{number}"
        prepare(backend_of(url), scripts=scripts)
    assert len(list((tmp_path / "backups").iterdir())) == KEPT_COPIES


def test_a_newer_database_is_left_alone(database_url: str, scripts: Path) -> None:
    fill(database_url)
    add_step(scripts, REBUILD)
    prepare(backend_of(database_url), scripts=scripts)
    with pytest.raises(ConfigurationError, match=r"newer gatekeeper \(revision x1; this one knows") as raised:
        connect(database_url)
    assert "\n" not in str(raised.value)
    assert revision_of(database_url) == "x1"


@pytest.mark.parametrize("wrong", ["raise RuntimeError('no')", "op.execute('SELECT nonsense')"], ids=["bug", "sql"])
def test_a_step_that_fails_leaves_the_old_database(database_url: str, scripts: Path, wrong: str) -> None:
    fill(database_url)
    add_step(scripts, f"{REBUILD}\n    {wrong}")
    with pytest.raises((RuntimeError, ConfigurationError)):
        prepare(backend_of(database_url), scripts=scripts)
    assert revision_of(database_url) == head()
    add_step(scripts, REBUILD)
    prepare(backend_of(database_url), scripts=scripts)
    assert revision_of(database_url) == "x1"


@pytest.mark.process
def test_a_power_cut_in_the_middle_leaves_a_start_that_needs_no_hand(database_url: str, scripts: Path) -> None:
    fill(database_url)
    add_step(scripts, f"{REBUILD}\n    os.kill(os.getpid(), 9)")
    program = (
        "import sys; from pathlib import Path; from gatekeeper.storage.connect import backend_of, prepare; "
        "prepare(backend_of(sys.argv[1]), scripts=Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", program, database_url, str(scripts)], check=False, timeout=60)
    assert done.returncode == -9
    assert revision_of(database_url) == head()
    add_step(scripts, REBUILD)
    prepare(backend_of(database_url), scripts=scripts)
    assert revision_of(database_url) == "x1"


def test_tables_of_something_else_are_left_alone(database_url: str) -> None:
    backend = backend_of(database_url)
    backend.create()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (mine TEXT)"))
    with pytest.raises(ConfigurationError, match="holds tables of something else"):
        prepare(backend)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["events"]
    engine.dispose()


def test_two_that_start_at_once_migrate_once(database_url: str, reactor: Reactor) -> None:
    import threading

    errors: list[Exception] = []

    def start() -> None:
        try:
            connect(database_url).close()
        except Exception as error:  # noqa: BLE001 - the test's thread tells it
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    with connect(database_url) as database:
        assert database.read(lambda c: c.scalar(select(text("count(*)")).select_from(text("meta")))) == 2

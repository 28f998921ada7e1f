"""URLs, files, and what a start finds wrong."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from gatekeeper.config import Storage
from gatekeeper.errors import ConfigurationError, StorageUnavailable
from gatekeeper.storage import connect, rows, url_of
from gatekeeper.storage.connect import REVISION, backend_of, prepare
from gatekeeper.storage.migrate import head
from gatekeeper.storage.tables import accounts, grants, pictures, tombstones

# --- addresses -------------------------------------------------------------------------------------------------------


def test_without_a_url_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    assert url_of(Storage(), tmp_path) == f"sqlite:///{tmp_path}/gatekeeper.sqlite"


def test_a_server_gets_its_driver_and_its_password() -> None:
    url = url_of(Storage(url="postgresql://anna@host/site"), Path(), "p@ss")
    assert url == "postgresql+psycopg://anna:p%40ss@host/site"
    assert "ss" not in backend_of(url).name.replace("postgresql", "")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/site", "mysql isn't known"),
        ("nonsense", "is no URL"),
        ("postgresql://anna:hunter2@host/site", "holds a password"),
    ],
)
def test_other_addresses_are_refused_in_a_line(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        url_of(Storage(url=url), Path())
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no file"):
        connect(url)


def test_a_server_that_is_not_there_is_told_in_a_line() -> None:
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1") as raised:
        connect("postgresql+psycopg://anna:hunter2@127.0.0.1:1/site")
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


# --- SQLite's file ---------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone_and_in_write_ahead_mode(tmp_path: Path) -> None:
    data = tmp_path / "a ?#%41"
    file = data / "gatekeeper.sqlite"
    with connect(url_of(Storage(), data)) as database:
        database.write(lambda c: c.execute(insert(accounts).values(name="anna", role="owner", created=1.0)))
        for name in (file.name, file.name + "-wal", file.name + "-shm"):
            assert file.with_name(name).stat().st_mode & 0o777 == 0o600
        assert database.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar()) == 2
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "gatekeeper.sqlite"
    connect(f"sqlite:///{file}").close()
    file.chmod(0o644)
    connect(f"sqlite:///{file}").close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_references_are_held(database_url: str) -> None:
    with connect(database_url) as database:
        with pytest.raises(IntegrityError):
            database.write(lambda c: c.execute(insert(grants).values(account="nobody", kind="door", thing="*")))
        database.write(lambda c: c.execute(insert(accounts).values(name="anna", role="owner", created=1.0)))
        database.write(lambda c: c.execute(insert(grants).values(account="anna", kind="door", thing="*")))
        database.write(lambda c: c.execute(accounts.delete()))
        assert database.read(lambda c: c.execute(select(grants)).all()) == []


def test_a_file_that_is_no_database_is_refused_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "gatekeeper.sqlite"
    file.write_bytes(b"this is not a database, but it is long enough to be taken for one" * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        connect(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"this is not")


def test_a_damaged_file_is_found_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "gatekeeper.sqlite"
    with connect(f"sqlite:///{file}") as database:
        given = [(f"somebody {number}", "viewer", 1.0) for number in range(2000)]
        database.write(lambda c: rows.insert(c, accounts, ["name", "role", "created"], given))
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'accounts'").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    at = (page - 1) * 4096
    content[at + 8 : at + 200] = bytes(192)
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged") as raised:
        prepare(backend_of(f"sqlite:///{file}"))
    assert "\n" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can't be opened"):
        connect(f"sqlite:///{tmp_path}/file/gatekeeper.sqlite")


def test_a_database_that_is_gone_is_unavailable_to_the_command_line_too(tmp_path: Path) -> None:
    file = tmp_path / "gatekeeper.sqlite"
    database = connect(f"sqlite:///{file}")
    file.unlink()
    with pytest.raises(StorageUnavailable):
        database.read(lambda c: c.execute(select(accounts)).all())
    database.close()


# --- many rows -------------------------------------------------------------------------------------------------------


def test_many_rows_come_back_as_they_went_in(database_url: str) -> None:
    names = ["event", "number", "camera", "received", "width", "height", "size", "sha256", "erased"]
    given = [
        (f"event {n}", n, "küche\t\\N", 1.5 + n, 640, 480, 2**31 - 1, bytes([n]) * 32, n % 2 == 0) for n in range(50)
    ]
    with connect(database_url) as database:
        database.write(lambda c: rows.insert(c, pictures, names, given))
        database.write(lambda c: rows.insert(c, pictures, names, []))
        found = database.read(lambda c: c.execute(select(pictures).order_by(pictures.c.number)).all())
    assert [tuple(row) for row in found] == given


def test_defaults_fill_what_the_rows_leave_out(database_url: str) -> None:
    with connect(database_url) as database:
        database.write(lambda c: rows.insert(c, accounts, ["name", "role", "created"], [("anna", "owner", 1.0)]))
        (found,) = database.read(lambda c: c.execute(select(accounts)).all())
    assert (found.name, found.password_hash, found.scram, found.disabled) == ("anna", None, None, False)


def test_a_column_that_needs_a_conversion_is_refused(database_url: str) -> None:
    with connect(database_url) as database, pytest.raises(TypeError, match="JSON"):
        database.write(lambda c: rows.insert(c, accounts, ["name", "scram"], [("anna", {})]))


def test_numbers_that_the_database_gives_go_on(database_url: str) -> None:
    row = {"first_sequence": 1, "last_sequence": 2, "statement": b"", "signature": b"", "key_id": "k"}
    with connect(database_url) as database:
        for _ in range(2):
            database.write(lambda c: c.execute(tombstones.insert(), row))
        assert database.read(lambda c: list(c.scalars(select(tombstones.c.id)))) == [1, 2]


def test_the_revision_that_needs_no_alembic_is_the_newest() -> None:
    assert head() == REVISION


def test_a_start_with_nothing_to_migrate_does_without_alembic(tmp_path: Path) -> None:
    url = url_of(Storage(), tmp_path)
    prepare(backend_of(url))
    program = f"""
import sys
from gatekeeper.storage.connect import prepare, backend_of
prepare(backend_of({url!r}))
assert "alembic" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

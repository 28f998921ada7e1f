"""A database that is full, locked, or gone: told to whoever asks, and taken back without a hand."""

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from gatekeeper.errors import StorageUnavailable
from gatekeeper.storage import Database, Health, sqlite, writer
from tests.postgresql import QUICK, Server
from tests.storage.reactor import Reactor
from tests.storage.test_database import stored, storing, writer_held


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY", 0.2)
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(writer, "LONGEST_PAUSE", 0.05)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gatekeeper.sqlite"


@pytest.fixture
def database(file: Path, reactor: Reactor) -> Iterator[Database]:
    database = Database(f"sqlite:///{file}", reactor, wall=reactor.seconds)
    database.open()
    yield database
    reactor.result_of(database.close())


@pytest.fixture
def seen(database: Database) -> list[Health]:
    """The states that an observer is told."""
    seen: list[Health] = []
    database.observe(seen.append)
    return seen


def refused(reactor: Reactor, database: Database, number: int) -> str:
    """Ask for something that can't be stored now; return the reason."""
    with pytest.raises(StorageUnavailable) as raised:
        reactor.result_of(database.write(storing(number)))
    return str(raised.value)


def recovered(reactor: Reactor, database: Database) -> None:
    reactor.until(lambda: database.health.state == "ok")


# --- SQLite ----------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_survived(database: Database, reactor: Reactor, seen: list[Health]) -> None:
    def fill(connection: Connection) -> None:
        """Let this connection's database grow no more; the next connection's may, as when a disk gets room again."""
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.exec_driver_sql("CREATE TABLE big (content BLOB)")
        connection.exec_driver_sql("INSERT INTO big VALUES (zeroblob(1000000))")

    with writer_held(database):
        full, neighbour, later = database.write(fill), database.write(storing(1)), database.write(storing(2))
    asked: list[Deferred[Any]] = [full, neighbour, later]
    for one in asked:
        with pytest.raises(StorageUnavailable, match="full"):
            reactor.result_of(one)
    assert seen[0].state == "failing"
    assert "full" in (seen[0].reason or "")
    recovered(reactor, database)
    assert reactor.result_of(database.write(storing(3))) == 3
    assert reactor.result_of(database.read(stored)) == [3]
    assert [health.state for health in seen] == ["failing", "ok"]


def test_a_locked_database_is_told_in_bounded_time_and_taken_when_it_is_free(
    database: Database, reactor: Reactor, file: Path, seen: list[Health]
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked" in refused(reactor, database, 1)
    assert reactor.result_of(database.read(stored)) == []  # reading goes on
    assert database.health.state == "failing"
    assert "locked" in refused(reactor, database, 2)  # at once: nothing waits for what is known to fail
    other.execute("ROLLBACK")
    other.close()
    recovered(reactor, database)
    assert reactor.result_of(database.write(storing(3))) == 3


def test_a_file_that_was_removed_is_noticed_and_never_replaced_by_an_empty_one(
    database: Database, reactor: Reactor, file: Path
) -> None:
    reactor.result_of(database.write(storing(1)))
    moved = file.with_name("moved.sqlite")
    for end in ("", "-wal", "-shm"):
        file.with_name(file.name + end).rename(moved.with_name(moved.name + end))
    refused(reactor, database, 2)
    with pytest.raises(StorageUnavailable):
        reactor.result_of(database.read(stored))
    assert not file.exists()
    for end in ("", "-wal", "-shm"):
        moved.with_name(moved.name + end).rename(file.with_name(file.name + end))
    recovered(reactor, database)
    assert reactor.result_of(database.write(storing(3))) == 3
    assert reactor.result_of(database.read(stored)) == [1, 3]


def test_another_database_in_the_files_place_is_taken(database: Database, reactor: Reactor, file: Path) -> None:
    """As after a restore by hand: the writer must not go on in the file that nobody finds any more."""
    reactor.result_of(database.write(storing(1)))
    source, copy = sqlite3.connect(file), sqlite3.connect(file.with_name("copy"))
    source.backup(copy)
    source.close()
    copy.close()
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    file.with_name("copy").rename(file)
    assert reactor.result_of(database.write(storing(2))) == 2
    assert reactor.result_of(database.read(stored)) == [1, 2]


def test_what_was_asked_while_it_failed_is_refused_at_the_end_too(
    database: Database, reactor: Reactor, file: Path
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused(reactor, database, 1)
    reactor.result_of(database.close())
    assert database.health.state == "closed"
    other.close()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that a test may stop."""
    server = Server(*QUICK)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def remote(server: Server, reactor: Reactor) -> Iterator[Database]:
    with server.database() as url:
        database = Database(url, reactor, wall=reactor.seconds)
        database.open()
        yield database
        reactor.result_of(database.close())


def test_a_server_that_restarted_unseen_costs_nothing(remote: Database, reactor: Reactor, server: Server) -> None:
    reactor.result_of(remote.write(storing(1)))
    assert reactor.result_of(remote.read(stored)) == [1]
    server.stop()
    server.start()
    assert reactor.result_of(remote.write(storing(2))) == 2
    assert reactor.result_of(remote.read(stored)) == [1, 2]
    assert remote.health.state == "ok"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_is_away_is_told_and_taken_back(
    remote: Database, reactor: Reactor, server: Server, how: signal.Signals
) -> None:
    seen: list[Health] = []
    remote.observe(seen.append)
    reactor.result_of(remote.write(storing(1)))
    server.stop(how)
    reason = refused(reactor, remote, 2)
    assert "\n" not in reason
    with pytest.raises(StorageUnavailable):
        reactor.result_of(remote.read(stored))
    assert remote.health.state == "failing"
    server.start()
    recovered(reactor, remote)
    assert reactor.result_of(remote.write(storing(3))) == 3
    assert reactor.result_of(remote.read(stored)) == [1, 3]
    assert [health.state for health in seen if health.state == "ok"] == ["ok"]


BREAK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatekeeper'"


def test_a_connection_that_breaks_before_the_commit_is_made_again(
    remote: Database, reactor: Reactor, server: Server
) -> None:
    runs: list[int] = []

    def breaking(connection: Connection) -> int:
        runs.append(1)
        if len(runs) == 1:
            server.execute(BREAK)
        return storing(1)(connection)

    with writer_held(remote):
        asked = [remote.write(breaking), remote.write(storing(2))]
    assert [reactor.result_of(one) for one in asked] == [1, 2]
    assert len(runs) == 2
    assert reactor.result_of(remote.read(stored)) == [1, 2]
    assert remote.health.state == "ok"


def test_a_connection_that_breaks_at_the_commit_leaves_it_open_what_is_stored(
    remote: Database, reactor: Reactor, server: Server
) -> None:
    def breaking(connection: Connection) -> None:
        storing(1)(connection)
        server.execute(BREAK)

    with pytest.raises(StorageUnavailable, match="may or may not be stored"):
        reactor.result_of(remote.write(breaking))
    recovered(reactor, remote)
    assert reactor.result_of(remote.read(stored)) == []


def test_a_lock_that_another_process_holds_is_waited_for_in_bounded_time(
    server: Server, reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    from gatekeeper.storage import postgresql

    monkeypatch.setattr(postgresql, "BUSY", 0.2)
    with server.database() as url:
        database = Database(url, reactor, wall=reactor.seconds)
        database.open()
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            other.execute(f"SELECT pg_advisory_xact_lock({postgresql.LOCK})")
            assert "lock" in refused(reactor, database, 1)
        recovered(reactor, database)
        assert reactor.result_of(database.write(storing(2))) == 2
        reactor.result_of(database.close())


def test_a_server_whose_disk_is_full_is_told(remote: Database, reactor: Reactor) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(
            "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )

    with pytest.raises(StorageUnavailable, match="could not extend file"):
        reactor.result_of(remote.write(fill))
    recovered(reactor, remote)

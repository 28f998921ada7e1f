"""Rows of kept pictures: in the order of time, by camera and day, and gone in two steps."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, text

from gatekeeper.storage import connect, snapshots
from gatekeeper.storage.connect import REVISION, backend_of, prepare
from gatekeeper.storage.migrate import migrate, revision
from gatekeeper.storage.snapshots import SnapshotRow
from gatekeeper.storage.tables import snapshots as table
from tests.postgresql import database_url

__all__ = ["database_url"]

Do = Callable[[Callable[[Connection], Any]], Any]


@pytest.fixture
def do(database_url: str) -> Iterator[Do]:
    with connect(database_url) as database:
        yield database.write


def row(name: str, camera: str = "yard", day: str = "2026-11-28", **more: Any) -> SnapshotRow:
    values: dict[str, Any] = {
        "id": name, "camera": camera, "day": day, "time": 1000.0, "why": "interval", "event": None, "who": None,
        "width": 640, "height": 480, "size": 100, "sha256": hashlib.sha256(name.encode()).digest(),
    }  # fmt: skip
    return SnapshotRow(**{**values, **more})


ROWS = [row("A"), row("B", "hall"), row("C"), row("D", day="2026-11-29"), row("E", "attic", "2026-11-29")]


@pytest.fixture
def filled(do: Do) -> Do:
    do(partial(snapshots.add, rows=ROWS))
    return do


def ids(rows: list[SnapshotRow]) -> str:
    return "".join(one.id for one in rows)


def test_what_was_put_in_is_there_as_it_was(do: Do) -> None:
    kept = row("A", why="event", event="E1", who="ana", time=1234.5678)
    do(partial(snapshots.add, rows=[kept]))
    assert do(partial(snapshots.get, id_="A")) == kept
    assert do(partial(snapshots.get, id_="B")) is None
    do(partial(snapshots.add, rows=[]))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "EDCBA"),
        ({"newest": False}, "ABCDE"),
        ({"cameras": ["yard"]}, "DCA"),
        ({"cameras": ["yard", "hall"], "day": "2026-11-28"}, "CBA"),
        ({"cameras": []}, ""),
        ({"after": "B", "newest": False}, "CDE"),
        ({"before": "D"}, "CBA"),
        ({"limit": 2}, "ED"),
    ],
)
def test_rows_are_found_by_camera_day_and_place(filled: Do, asked: dict[str, Any], found: str) -> None:
    assert ids(filled(partial(snapshots.page, **{"limit": 10, **asked}))) == found


def test_days_and_cameras_are_those_of_which_something_is_kept(filled: Do) -> None:
    assert filled(snapshots.cameras) == ["attic", "hall", "yard"]
    expected = [("attic", "2026-11-29", 1), ("yard", "2026-11-29", 1), ("yard", "2026-11-28", 2)]
    assert filled(partial(snapshots.days, cameras=["attic", "yard"])) == expected
    filled(partial(snapshots.flag_gone, ids=["E", "D"]))
    assert filled(snapshots.cameras) == ["hall", "yard"]
    assert filled(partial(snapshots.days, cameras=["attic", "yard"])) == [("yard", "2026-11-28", 2)]


def test_there_are_no_cameras_where_nothing_is_kept(do: Do) -> None:
    assert do(snapshots.cameras) == []
    assert do(snapshots.totals) == (0, 0)


def test_in_sqlite_days_and_pictures_of_a_day_are_found_along_the_index(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []

    def ask(work: Callable[[Connection], Any]) -> Callable[[Connection], list[str]]:
        def explain(connection: Connection) -> list[str]:
            event.listen(connection, "before_cursor_execute", lambda *it: asked.append((it[2], it[3])))
            work(connection)
            statement, parameters = asked[-1]
            return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]

        return explain

    works = (
        snapshots.cameras,
        partial(snapshots.days, cameras=["yard"]),
        partial(snapshots.names_of, camera="yard", day="2026-11-28"),
        partial(snapshots.page, limit=10, cameras=["yard"], day="2026-11-28", newest=False),
    )
    with connect(f"sqlite:///{tmp_path}/gatekeeper.sqlite") as database:
        for work in works:
            plan = database.read(ask(work))
            assert any("ix_snapshots_camera_day" in line for line in plan), plan


def test_what_is_flagged_is_nobodys_to_see_and_goes_after_its_file(filled: Do) -> None:
    assert ids(filled(partial(snapshots.flag_gone, ids=["A", "C", "Z"]))) == "AC"
    assert filled(partial(snapshots.flag_gone, ids=["A"])) == []
    assert filled(partial(snapshots.get, id_="A")) is None
    assert ids(filled(partial(snapshots.page, limit=10))) == "EDB"
    assert filled(partial(snapshots.names_of, camera="yard", day="2026-11-28")) == []
    assert filled(snapshots.totals) == (3, 300)
    assert filled(partial(snapshots.unknown, ids=["A", "B", "Z"])) == ["Z"]  # its file is known, and still to go
    assert ids(filled(partial(snapshots.going, limit=10))) == "AC"
    filled(partial(snapshots.forget, ids=["A", "B"]))
    assert ids(filled(partial(snapshots.going, limit=10))) == "C"
    assert ids(filled(partial(snapshots.page, limit=10))) == "EDB"  # one that isn't flagged is not forgotten


def test_the_pictures_of_a_day_come_in_the_order_of_time_with_their_hashes(filled: Do) -> None:
    found = filled(partial(snapshots.names_of, camera="yard", day="2026-11-28"))
    assert found == [(name, hashlib.sha256(name.encode()).digest()) for name in "AC"]


def test_only_the_files_of_rows_that_are_not_there_are_removed(filled: Do) -> None:
    removed: list[list[str]] = []
    filled(partial(snapshots.settle, ids=["A", "Z"], remove=removed.append))
    assert removed == [["Z"]]


def test_a_database_of_the_first_revision_is_brought_up_with_what_is_in_it(database_url: str) -> None:
    backend = backend_of(database_url)
    backend.create()
    engine = create_engine(database_url)
    copies: list[str] = []
    with engine.begin() as connection:
        migrate(connection, "old", copies.append, to="0001")
        connection.execute(text("INSERT INTO accounts VALUES ('anna', 'owner', NULL, NULL, NULL, 1.0, false)"))
        assert not engine.dialect.has_table(connection, table.name)
    prepare(backend)
    with engine.begin() as connection:
        assert revision(connection) == REVISION
        assert connection.scalar(text("SELECT name FROM accounts")) == "anna"
        snapshots.add(connection, ROWS)
        assert snapshots.totals(connection) == (5, 500)
    engine.dispose()

"""What is too old or too much goes, rows and files together; what a kill left is finished, and nobody's is counted."""

import os
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.evidence.housekeeping import dry_run
from gatekeeper.evidence.retention import DAY, Going, Policy, plan
from gatekeeper.gallery.retention import Snapshots
from gatekeeper.storage import snapshots
from gatekeeper.storage.snapshots import SnapshotRow
from tests.gallery.pictures import NOON, House, frame, result


class Store(House):
    """A gallery that retention looks after."""

    def __init__(self, folder: Path, **bounds: Any) -> None:
        super().__init__(folder)
        self.told: list[str] = []
        self.gone: list[SnapshotRow] = []
        self.kept = Snapshots(
            Policy(**bounds),
            database=self.database,
            folder=self.folder,
            disk=self.disk,
            scanning=self.disk,
            record=self._record,  # type: ignore[arg-type]
            wall=self.wall,
            gone=self.gone.extend,
        )
        for number in range(1, 7):  # 3, 2.5, 2, … days ago
            result(self.keeper.keep(frame(number, wall=NOON + (number - 1) * DAY / 2), "interval"))
        self.clock.advance(3 * DAY)

    def _record(self, kind: str, text: str, **_: Any) -> None:
        self.told.append(f"{kind}: {text}")

    def goes(self) -> list[Going]:
        total = self.do(self.kept.total)
        pieces = self.do(lambda connection: self.kept.page(connection, None, 100))
        return plan(self.kept.policy, self.wall(), total, pieces).goes

    def files(self) -> list[str]:
        return sorted(name for name, _, _ in self.folder.files())


def test_the_oldest_go_rows_and_files_and_empty_folders(tmp_path: Path) -> None:
    store = Store(tmp_path, days=2.0)
    before = store.rows()
    goes = store.goes()
    assert [going.piece.key for going in goes] == [row.id for row in before[:2]]
    assert result(store.kept.discard(goes, "older than 2 days")) is None
    assert store.rows() == before[2:]
    assert store.files() == [row.id for row in before[2:]]
    assert [row.id for row in store.gone] == [row.id for row in before[:2]]
    assert not (store.folder.folder / before[0].day).exists()
    assert store.do(lambda connection: snapshots.going(connection, 10)) == []


def test_what_is_more_than_the_bytes_goes_and_is_told_without_being_done(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = store.rows()
    store.kept.policy = Policy(bytes=sum(row.size for row in rows[3:]))
    assert [going.piece.key for going in store.goes()] == [row.id for row in rows[:3]]
    lines = store.do(lambda connection: dry_run(connection, [store.kept], store.wall(), lambda moment: "a day"))
    assert lines[0].startswith("snapshots: ")
    assert lines[1].startswith("  3 go (more than ")
    assert store.rows() == rows


@pytest.mark.parametrize("when", ["before the file", "after the file"])
def test_what_a_kill_left_half_gone_is_nobodys_to_see_and_is_finished(tmp_path: Path, when: str) -> None:
    store = Store(tmp_path)
    first, *others = store.rows()
    store.do(lambda connection: snapshots.flag_gone(connection, [first.id]))
    if when == "after the file":
        store.folder.remove([first])
    assert store.rows() == others
    result(store.kept.resume())
    assert store.files() == [row.id for row in others]
    assert store.do(lambda connection: snapshots.going(connection, 10)) == []


def test_a_file_that_cannot_be_removed_keeps_its_row_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    first, *others = store.rows()

    def refuses(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuses)
        assert result(store.kept.remove([first.id])) == [first]
    assert store.rows() == others
    assert [row.id for row in store.do(lambda connection: snapshots.going(connection, 10))] == [first.id]
    result(store.kept.resume())
    assert store.do(lambda connection: snapshots.going(connection, 10)) == []


def test_files_that_nobody_knows_are_counted_and_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    place = store.folder.folder / "2027-01-15" / "yard"
    strange = place / f"{'0' * 26}.jpg"
    strange.write_bytes(b"?" * 10)
    os.utime(strange, (store.wall(), store.wall()))
    (place / "mine.jpg").write_bytes(b"?")
    assert result(store.kept.count_orphans()) == (0, 0)  # it may just be being stored
    store.clock.advance(2 * DAY)
    assert result(store.kept.count_orphans()) == (1, 10)
    assert result(store.kept.count_orphans()) == (1, 10)
    assert store.told == ["storage.orphans: 1 files of kept pictures (10 bytes) are in no list; they are left alone"]
    assert len(store.files()) == 7

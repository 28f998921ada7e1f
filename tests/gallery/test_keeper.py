"""Pictures are kept file first and row after; whatever breaks in between, no row lies and nothing else is lost."""

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.errors import Overloaded, StorageUnavailable
from gatekeeper.gallery import keeper
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.storage import snapshots
from tests.gallery.pictures import NOON, House, frame, result, shade
from tests.sites import Log


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_picture_is_a_file_by_day_and_camera_and_a_row(house: House) -> None:
    row = result(house.keeper.keep(frame(1), "event", event="E1", who="ana"))
    assert house.rows() == [row]
    assert (row.camera, row.day, row.time, row.why, row.event, row.who) == (
        "yard", "2027-01-15", NOON, "event", "E1", "ana",
    )  # fmt: skip
    assert (row.width, row.height, row.size) == (64, 48, len(shade(1)))
    file = house.folder.folder / "2027-01-15" / "yard" / f"{row.id}.jpg"
    assert file.read_bytes() == shade(1)
    assert row.sha256 == hashlib.sha256(shade(1)).digest()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (house.keeper.kept, house.keeper.lost, house.keeper.state) == (1, 0, "ok")


def test_nobody_is_told_before_file_and_row_are_safe(house: House) -> None:
    house.disk.by_hand = True
    told: list[Any] = []
    house.keeper.keep(frame(1), "demand").addBoth(told.append)
    assert (told, house.rows()) == ([], [])
    house.disk.go()
    assert told == house.rows() != []


def test_the_same_frame_is_kept_once_however_many_ask(house: House) -> None:
    house.disk.by_hand = True
    first, second = house.keeper.keep(frame(1), "demand"), house.keeper.keep(frame(1), "interval")
    house.disk.go()
    third = house.keeper.keep(frame(1), "event", event="E")
    assert result(first) == result(second) == result(third)
    assert len(house.rows()) == 1
    assert house.keeper.has(frame(1))
    assert not house.keeper.has(frame(1, wall=NOON + 1))  # another run of the camera counts from 1 again


def test_what_comes_while_the_disk_writes_goes_in_one_go_after_it(house: House) -> None:
    house.disk.by_hand = True
    asked = [house.keeper.keep(frame(n, f"camera{n}"), "interval") for n in range(1, 6)]
    assert len(house.disk.waiting) == 1
    house.disk.go()
    house.disk.go()
    assert len([result(one) for one in asked]) == len(house.rows()) == 5
    assert house.disk.waiting == []


def test_only_so_many_may_wait_in_number_and_in_bytes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.disk.by_hand = True
    monkeypatch.setattr(keeper, "WAITING", 2)
    asked = [house.keeper.keep(frame(n), "interval") for n in range(1, 5)]
    assert isinstance(result(asked[3]), Overloaded)
    house.disk.go()
    house.disk.go()
    assert [result(one).time for one in asked[:3]] == [NOON] * 3
    monkeypatch.setattr(keeper, "WAITING_BYTES", 1)
    assert isinstance(result(house.keeper.keep(frame(9), "demand")), Overloaded)
    assert len(house.rows()) == 3


@pytest.mark.parametrize("why", ["demand", "interval"])
def test_a_disk_that_fills_up_gets_fewer_and_then_no_pictures(house: House, why: Any) -> None:
    house.keeper.ration(4)
    found = [result(house.keeper.keep(frame(n), why)) for n in range(1, 9)]
    refused = [one for one in found if isinstance(one, StorageUnavailable)]
    assert len(refused) == (6 if why == "interval" else 0)
    house.keeper.ration(0)
    assert isinstance(result(house.keeper.keep(frame(20), why)), StorageUnavailable)
    assert house.keeper.state == "failing"
    house.keeper.ration(1)
    assert result(house.keeper.keep(frame(21), why)) in house.rows()
    assert (house.keeper.state, house.keeper.reason) == ("ok", None)


def test_a_full_disk_is_told_and_the_next_picture_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, Log() as log:
        patched.setattr(os, "write", full)
        failed = [result(house.keeper.keep(frame(n), "interval")) for n in (1, 2)]
        assert [str(one) for one in failed] == ["the picture can't be kept: the disk is full"] * 2
        assert log.count("a picture could not be kept: the picture can't be kept: the disk is full") == 1
    assert (house.keeper.state, house.keeper.lost) == ("failing", 2)
    assert not [file for file in house.folder.folder.rglob("*") if file.is_file()]
    assert result(house.keeper.keep(frame(2), "interval")) in house.rows()
    assert house.keeper.state == "ok"


def test_a_database_that_fails_leaves_no_row_and_its_file_goes_with_the_next_picture(house: House) -> None:
    house.database.failing = "gone"
    assert isinstance(result(house.keeper.keep(frame(1), "demand")), StorageUnavailable)
    assert len(list(house.folder.files())) == 1  # it may have been stored, for all that is known
    house.database.failing = None
    row = result(house.keeper.keep(frame(2), "demand"))
    assert house.rows() == [row]
    assert [name for name, _, _ in house.folder.files()] == [row.id]


def test_a_row_that_was_stored_though_the_database_said_no_keeps_its_file(house: House) -> None:
    write = house.database.write

    def lies(work: Any) -> Any:
        write(work)
        house.database.failing = "the connection broke"
        try:
            return write(work)
        finally:
            house.database.failing = None

    house.database.write = lies  # type: ignore[method-assign]
    assert isinstance(result(house.keeper.keep(frame(1), "demand")), StorageUnavailable)
    house.database.write = write  # type: ignore[method-assign]
    result(house.keeper.keep(frame(2), "demand"))
    assert len(house.rows()) == 2
    assert house.honest()


def test_a_stop_answers_who_waits_and_takes_nothing_more(house: House) -> None:
    house.disk.by_hand = True
    writing, waiting = house.keeper.keep(frame(1), "demand"), house.keeper.keep(frame(2), "demand")
    house.keeper.stop()
    assert isinstance(result(waiting), StorageUnavailable)
    assert isinstance(result(house.keeper.keep(frame(3), "demand")), StorageUnavailable)
    house.disk.go()
    assert house.rows() == [result(writing)]


class Crash(BaseException):
    """The process is killed here."""


class Killer:
    """Kills at the n-th of the moments that storing a picture goes through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self._replace, self._add = os.replace, snapshots.add
        monkeypatch.setattr(os, "replace", self.replace)
        monkeypatch.setattr(snapshots, "add", self.add)

    def moment(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash

    def sync(self, folder: str) -> None:
        self.moment()

    def replace(self, *names: str) -> None:
        self.moment()
        self._replace(*names)
        self.moment()

    def add(self, *args: Any, **more: Any) -> None:
        self.moment()
        self._add(*args, **more)
        self.moment()  # before the commit


@pytest.mark.parametrize("moment", range(1, 8))
def test_a_kill_at_any_moment_leaves_nothing_that_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    before = House(tmp_path)
    first = result(before.keeper.keep(frame(1), "demand"))
    with monkeypatch.context() as patched:
        killer = Killer(patched, moment)
        killed = House(tmp_path, before.database, sync=killer.sync)
        with suppress(Crash, ValueError):
            result(killed.keeper.keep(frame(2), "demand"))
        assert (killer.left <= 0) == (moment < 7), "there are six moments"
    after = House(tmp_path, before.database)
    after.keeper.start()
    assert after.honest()
    assert first in after.rows()  # of one millisecond: in any order
    assert len(after.rows()) == (2 if moment == 7 else 1)
    assert not list(after.folder.folder.glob("incoming/*"))
    unknown = {name for name, _, _ in after.folder.files()} - {row.id for row in after.rows()}
    assert len(unknown) == (1 if moment in (3, 4, 5, 6) else 0)  # counted, and left alone
    assert result(after.keeper.keep(frame(3), "demand")) in after.rows()


def test_without_a_sync_of_the_whole_disk_each_file_is_synced(tmp_path: Path) -> None:
    house = House(tmp_path, sync=None)
    assert result(house.keeper.keep(frame(1), "demand")) in house.rows()
    assert house.honest()
    refuses = House(tmp_path, sync=lambda folder: "the disk fails")
    assert str(result(refuses.keeper.keep(frame(2), "demand"))) == "the picture can't be kept: the disk fails"
    assert len(list(SnapshotFolder(tmp_path / "snapshots").files())) == 1

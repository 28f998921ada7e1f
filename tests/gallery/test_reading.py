"""Pictures are read one after the other, and the small ones are made once."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from gatekeeper.errors import NotFound, Overloaded
from gatekeeper.gallery import reading
from gatekeeper.gallery.reading import WIDTH, Reading, reduced
from gatekeeper.storage.snapshots import SnapshotRow
from tests.gallery.pictures import House, SlowDisk, frame, number_of, result, shade


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def rows(house: House, count: int) -> list[SnapshotRow]:
    return [result(house.keeper.keep(frame(number), "demand")) for number in range(1, count + 1)]


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (640, 480), (1920, 1080), (3000, 200), (200, 3000)])
def test_a_thumbnail_is_small_and_shows_the_same(size: tuple[int, int]) -> None:
    image = cv2.imdecode(np.frombuffer(reduced(shade(9, *size), size[0]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[1] == (size[0] if size[0] <= WIDTH * 1.5 else pytest.approx(WIDTH, abs=WIDTH / 2))
    assert image.shape[1] / image.shape[0] == pytest.approx(size[0] / size[1], rel=0.1)
    assert number_of(image) == 9


def test_a_picture_is_read_as_it_was_kept_or_not_at_all(house: House) -> None:
    first, second, third = rows(house, 3)
    read = Reading(house.folder, SlowDisk())
    assert result(read.picture(first)) == shade(1)
    house.folder.path(second).write_bytes(shade(9))
    assert str(result(read.picture(second))) == "the picture can't be shown: its file is damaged"
    assert isinstance(result(read.thumbnail(second)), NotFound)
    house.folder.path(third).unlink()
    assert str(result(read.thumbnail(third))) == "the picture can't be shown: its file is missing"


def test_what_is_no_picture_has_no_thumbnail(house: House) -> None:
    row = result(house.keeper.keep(frame(1, jpeg=b"\xff\xd8 nonsense \xff\xd9"), "demand"))
    assert "can't be decoded" in str(result(Reading(house.folder, SlowDisk()).thumbnail(row)))


def test_a_thumbnail_is_made_once_and_forgotten_when_its_picture_goes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = rows(house, 2)
    read = Reading(house.folder, SlowDisk())
    small = result(read.thumbnail(one))
    house.folder.path(one).unlink()
    assert result(read.thumbnail(one)) is small
    monkeypatch.setattr(reading, "REMEMBERED", len(small) + 1)
    result(read.thumbnail(two))
    assert isinstance(result(read.thumbnail(one)), NotFound)  # the oldest went
    read.forget(two.id)
    house.folder.path(two).unlink()
    assert isinstance(result(read.thumbnail(two)), NotFound)
    assert read._bytes == 0


def test_only_so_many_wait_and_who_has_gone_is_not_read_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAITING", 2)
    found = rows(house, 4)
    disk = SlowDisk()
    disk.by_hand = True
    read = Reading(house.folder, disk)
    first, second, third = (read.picture(row) for row in found[:3])
    assert isinstance(result(read.picture(found[3])), Overloaded)
    second.addErrback(lambda _: None)
    second.cancel()
    disk.go()
    assert result(first) == shade(1)
    assert len(disk.waiting) == 1
    disk.go()
    assert result(third) == shade(3)
    assert disk.waiting == []

"""Films are made one at a time, once for all who wait, and only while somebody waits."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.errors import NoSuchPicture, NotFound, Overloaded
from gatekeeper.gallery import timelapse
from gatekeeper.gallery.folder import Shot, SnapshotFolder
from gatekeeper.gallery.timelapse import WAITING, Timelapses, chosen
from tests.gallery.pictures import House, SlowDisk, frame, result

DAY = "2027-01-15"


class Cinema:
    """Films of text: what was read, one line a picture."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.disk = SlowDisk()
        self.disk.by_hand = True
        self.folder = folder / "films"
        self.made: list[str] = []
        self.films = Timelapses(self.folder, self.house.folder, self.disk, making=self._make)
        self.rows = [result(self.house.keeper.keep(frame(number), "demand")) for number in range(1, 6)]

    def _make(self, pictures: Iterable[bytes | None], target: Path, fps: int, *, shown: Callable[[int], None]) -> int:
        self.made.append(target.name)
        target.write_text("begun")
        found = []
        for count, jpeg in enumerate(pictures, 1):
            found.append(str(len(jpeg or b"")))
            shown(count)
        target.write_text("\n".join(found))
        return len(found)

    def shots(self, count: int = 5) -> list[Shot]:
        return [Shot(row.id, row.camera, row.day, row.sha256) for row in self.rows[:count]]

    def ask(self, count: int = 5, fps: int = 24) -> Any:
        return self.films.make("yard", DAY, fps, self.shots(count))

    def state(self, count: int = 5) -> tuple[str, int]:
        found = self.films.state("yard", DAY, 24, self.shots(count))
        return found.state, found.done

    def names(self) -> list[str]:
        return sorted(file.name for file in self.folder.glob("*"))


@pytest.fixture
def cinema(tmp_path: Path) -> Cinema:
    return Cinema(tmp_path)


def read(asked: Any) -> str:
    file = result(asked)
    with file:
        return str(file.read().decode())


def test_a_film_is_made_once_for_all_who_wait_and_then_kept(cinema: Cinema) -> None:
    first, second = cinema.ask(), cinema.ask()
    assert cinema.state() == ("making", 0)
    cinema.disk.go()
    assert read(first) == read(second) == "\n".join(str(row.size) for row in cinema.rows)
    assert cinema.state() == ("ready", 5)
    third = cinema.ask()
    cinema.disk.go()
    assert read(third).count("\n") == 4
    assert len(cinema.made) == 1


def test_a_day_that_has_changed_has_another_film_and_the_old_one_goes(cinema: Cinema) -> None:
    before = cinema.ask(4)
    cinema.disk.go()
    assert read(before).count("\n") == 3
    assert cinema.state(5) == ("none", 0)
    other_pace, after = cinema.ask(4, fps=12), cinema.ask(5)
    cinema.disk.go()
    cinema.disk.go()
    assert (read(other_pace).count("\n"), read(after).count("\n")) == (3, 4)
    assert len(cinema.names()) == 2


def test_a_day_without_pictures_has_no_film(cinema: Cinema) -> None:
    assert isinstance(result(cinema.ask(0)), NoSuchPicture)
    assert cinema.disk.waiting == []


def test_nobody_who_waits_any_more_ends_it_and_another_ones_goes_on(cinema: Cinema) -> None:
    first, second = cinema.ask(), cinema.ask()
    for asked in (first, second):
        asked.addErrback(lambda _: None)
    first.cancel()
    waiting = cinema.ask(3)
    again = cinema.ask()  # second waits still, so this one joins it
    second.cancel()
    cinema.disk.go()
    assert read(again).count("\n") == 4
    again_then_left = waiting
    again_then_left.addErrback(lambda _: None)
    again_then_left.cancel()
    cinema.disk.go()
    assert cinema.names() == [name for name in cinema.names() if name.endswith(".mp4")]
    assert len(cinema.names()) == 1
    assert cinema.disk.waiting == []


def test_whoever_comes_when_all_others_have_left_gets_a_new_one(cinema: Cinema) -> None:
    first = cinema.ask()
    first.addErrback(lambda _: None)
    first.cancel()
    second = cinema.ask()
    cinema.disk.go()  # given up at the first picture
    cinema.disk.go()
    assert read(second).count("\n") == 4
    assert cinema.films._jobs.__len__() == 0


def test_one_is_made_at_a_time_and_only_so_many_wait(cinema: Cinema) -> None:
    asked = [cinema.ask(fps=fps) for fps in range(1, WAITING + 3)]
    assert isinstance(result(asked[-1]), Overloaded)
    assert len(cinema.disk.waiting) == 1
    for _ in range(WAITING + 1):
        cinema.disk.go()
    assert [read(one).count("\n") for one in asked[:-1]] == [4] * (WAITING + 1)


def test_what_was_deleted_is_in_no_film(cinema: Cinema) -> None:
    made = cinema.ask()
    cinema.disk.go()
    read(made)
    making, waiting = cinema.ask(4), cinema.ask(3)
    cinema.films.gone(cinema.rows[:1])
    assert cinema.disk.waiting[-1][0]() is None  # removes the film
    cinema.disk.waiting.pop()
    cinema.disk.go()
    for one in (making, waiting):
        assert "have changed" in str(result(one))
    assert cinema.names() == []


def test_films_are_bounded_in_number_and_bytes(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelapse, "KEPT", 3)
    for fps in range(1, 6):
        asked = cinema.ask(fps=fps)
        cinema.disk.go()
        read(asked)
        os.utime(max(cinema.folder.glob("*.mp4"), key=lambda file: file.stat().st_mtime), (fps, fps))
    assert [name.split(".")[2] for name in cinema.names()] == ["3", "4", "5"]
    monkeypatch.setattr(timelapse, "KEPT_BYTES", 1)
    last = cinema.ask(fps=30)
    cinema.disk.go()
    read(last)
    assert [name.split(".")[2] for name in cinema.names()] == ["30"]


def test_a_disk_that_is_full_is_told_in_words(cinema: Cinema) -> None:
    def full(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    films = Timelapses(cinema.folder, cinema.house.folder, SlowDisk(), making=full)
    failed = result(films.make("yard", DAY, 24, cinema.shots()))
    assert isinstance(failed, NotFound)
    assert str(failed) == "the film can't be made: the disk is full"
    assert cinema.names() == []


def test_what_a_killed_process_left_is_cleared_away(cinema: Cinema) -> None:
    cinema.folder.mkdir()
    (cinema.folder / "yard.2027-01-15.24.h264.0.making").write_text("half")
    cinema.disk.by_hand = False
    cinema.films.start()
    assert cinema.names() == []
    assert cinema.films.state("yard", DAY, 24, []).codec == "h264"


def test_of_very_many_pictures_every_nth_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelapse, "LONGEST", 10)
    assert [len(chosen(range(count))) for count in (0, 1, 10, 11, 20, 21, 100)] == [0, 1, 10, 6, 10, 7, 10]
    assert list(chosen(range(25)))[:3] == [0, 3, 6]


def test_a_picture_that_is_missing_is_left_out(cinema: Cinema) -> None:
    cinema.house.folder.path(cinema.rows[2]).unlink()
    asked = cinema.ask()
    cinema.disk.go()
    assert read(asked).split("\n")[2] == "0"
    assert isinstance(cinema.house.folder, SnapshotFolder)

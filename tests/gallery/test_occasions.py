"""When pictures are kept: on the clock, on events of the camera and its doors, and never twice or of a dead camera."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.cameras.frame import CameraState
from gatekeeper.config_pictures import KeptPictures
from gatekeeper.gallery.occasions import GAP, LATE, NEXT, Occasions, is_meant
from tests.gallery.pictures import NOON, House

KINDS = ("door.opened", "camera.moved")


@dataclass
class Event:
    kind: str = "door.opened"
    subject: str | None = "front"
    id: str = "E1"
    time: float = NOON


class Room(House):
    """A camera whose pictures are kept."""

    def __init__(self, folder: Path, **wanted: Any) -> None:
        super().__init__(folder)
        self.occasions = Occasions(
            "yard", KeptPictures(**wanted), ["front"], self.feed, self.keeper, reactor=self.clock, wall=self.wall
        )
        self.occasions.start()

    def kept(self) -> list[tuple[str, str | None, float]]:
        return [(row.why, row.event, row.time - NOON) for row in self.rows()]


@pytest.mark.parametrize(
    ("kind", "subject", "meant"),
    [
        ("door.opened", "front", True),
        ("door.opened", "back", False),
        ("door.locked", "front", False),
        ("camera.moved", "yard", True),
        ("camera.moved", "hall", False),
        ("camera.moved", None, False),
        ("door.opened", "yard", False),  # a door that is called like the camera
    ],
)
def test_an_event_is_meant_if_it_is_of_the_kind_and_of_the_camera_or_its_doors(
    kind: str, subject: str | None, meant: bool
) -> None:
    assert is_meant(Event(kind, subject), "yard", KINDS, {"front"}) is meant


def test_a_picture_is_kept_every_so_often_while_there_are_new_ones(tmp_path: Path) -> None:
    room = Room(tmp_path, every=10.0)
    for number in range(1, 26):
        room.put(number)
        room.clock.advance(1)
    assert room.kept() == [("interval", None, 9.0), ("interval", None, 19.0)]
    room.clock.advance(5)
    assert len(room.rows()) == 3
    room.clock.advance(60)  # the newest is kept already
    assert len(room.rows()) == 3
    room.occasions.stop()
    room.put(30)
    room.clock.advance(60)
    assert len(room.rows()) == 3


def test_a_camera_that_is_not_live_has_no_picture_to_keep(tmp_path: Path) -> None:
    room = Room(tmp_path, every=10.0, on=KINDS)
    room.clock.advance(10)
    room.put(1)
    room.feed.change(CameraState.STALLED, "no picture for 2 s", room.wall())
    room.occasions.happened(Event(time=room.wall()))
    room.clock.advance(60)
    assert room.rows() == []
    assert room.feed.subscribers == 0


def test_an_event_has_the_newest_picture(tmp_path: Path) -> None:
    room = Room(tmp_path, on=KINDS)
    room.put(1)
    room.occasions.happened(Event("door.locked"))
    room.occasions.happened(Event(subject="back"))
    assert room.rows() == []
    room.occasions.happened(Event())
    assert room.kept() == [("event", "E1", 0.0)]


def test_where_the_newest_is_kept_already_it_has_the_next(tmp_path: Path) -> None:
    room = Room(tmp_path, on=KINDS)
    room.keeper.keep(room.put(1), "demand")
    room.occasions.happened(Event())
    assert len(room.rows()) == 1
    room.clock.advance(0.5)
    room.put(2)
    assert room.kept()[1] == ("event", "E1", 0.5)
    assert room.feed.subscribers == 0
    assert not room.clock.getDelayedCalls()


def test_it_does_not_wait_for_the_next_for_ever(tmp_path: Path) -> None:
    room = Room(tmp_path, on=KINDS)
    room.keeper.keep(room.put(1), "demand")
    room.occasions.happened(Event())
    room.clock.advance(NEXT)
    assert room.feed.subscribers == 0
    room.put(2)
    assert len(room.rows()) == 1
    room.occasions.happened(Event(time=room.wall()))
    room.keeper.keep(room.put(3), "demand")
    room.occasions.happened(Event(time=room.wall()))
    room.occasions.stop()
    assert room.feed.subscribers == 0


def test_what_flaps_has_one_picture_a_second(tmp_path: Path) -> None:
    room = Room(tmp_path, on=KINDS)
    for number in range(40):
        room.put(number)
        room.occasions.happened(Event(time=room.wall()))
        room.clock.advance(GAP / 10)
    assert len(room.rows()) == 4


def test_an_event_that_was_long_in_being_stored_has_none(tmp_path: Path) -> None:
    room = Room(tmp_path, on=KINDS)
    room.clock.advance(LATE + 1)
    room.put(1)
    room.occasions.happened(Event())
    assert room.rows() == []


def test_a_database_that_is_gone_costs_the_picture_and_nothing_else(tmp_path: Path) -> None:
    room = Room(tmp_path, every=10.0, on=KINDS)
    room.database.failing = "gone"
    room.put(1)
    room.occasions.happened(Event())
    room.clock.advance(10)
    assert room.keeper.lost == 2  # the same frame was tried again
    room.database.failing = None
    room.put(2)
    room.clock.advance(10)
    assert [row.why for row in room.rows()] == ["interval"]

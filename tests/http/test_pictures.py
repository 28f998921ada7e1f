"""Kept pictures over HTTP: kept, listed, shown, deleted, played; by whoever may, and to nobody else."""

import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gatekeeper.access.roles import Role
from gatekeeper.cameras.frame import Frame
from gatekeeper.errors import AccessDenied, NoPicture, NoSuchCamera
from gatekeeper.evidence.outside import Entry
from gatekeeper.evidence.retention import DAY, Policy
from gatekeeper.gallery.api import Gallery
from gatekeeper.gallery.reading import Reading
from gatekeeper.gallery.retention import Snapshots
from gatekeeper.gallery.timelapse import Timelapses
from gatekeeper.http.pictures import PictureRoutes
from tests.gallery.pictures import NOON, House, SlowDisk, frame, result, shade
from tests.gallery.test_film import played
from tests.http.small import OLGA, Small, viewer
from tests.sites import Answer

YARD, HALL = viewer("camera:yard"), viewer("camera:hall")
OPERATOR = viewer("camera:yard", role=Role.OPERATOR)


class Told(Entry):
    id = "E"

    @property
    def stored(self) -> Any:
        from twisted.internet.defer import succeed

        return succeed(None)


class Front(House):
    """A gallery of two cameras and its routes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.newest: dict[str, Frame | None] = {"yard": frame(1), "hall": None}
        self.told: list[tuple[str, str | None, str]] = []
        self.filming = SlowDisk()
        self.films = Timelapses(folder / "films", self.folder, self.filming)
        kept = Snapshots(
            Policy(),
            database=self.database,
            folder=self.folder,
            disk=self.disk,
            scanning=self.disk,
            record=self._record,
            wall=self.wall,
            gone=self.films.gone,
        )
        self.gallery = Gallery(
            keeper=self.keeper,
            reading=Reading(self.folder, SlowDisk()),
            timelapses=self.films,
            kept=kept,
            database=self.database,
            record=self._record,
            snapshot=self._snapshot,
            wall=self.wall,
            local=time.gmtime,
        )
        self.films.start()
        self.small = Small()
        self.small = Small(PictureRoutes(self.gallery, self.small.net))

    def _record(self, kind: str, text: str, *, subject: str | None = None, outcome: str = "ok", **_: Any) -> Told:
        self.told.append((kind, subject, outcome))
        self.text = text
        return Told()

    def _snapshot(self, camera: str) -> Frame:
        if camera not in self.newest:
            raise NoSuchCamera("there is none")
        found = self.newest[camera]
        if found is None:
            raise NoPicture(f"camera {camera} is offline")
        return found

    def ask(self, method: str, path: str, who: Any = OLGA) -> Answer:
        return self.small.as_(who).ask(method, path)

    def keep(self, *numbers: int, camera: str = "yard", day: int = 0) -> list[str]:
        """Keep pictures a minute apart; return their ids."""
        found = []
        for number in numbers:
            self.clock.advance(60)
            shot = frame(number, camera, NOON + day * DAY + number * 60)
            found.append(result(self.keeper.keep(shot, "interval")).id)
        return found


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json["pictures"]]


# --- keeping ---


def test_the_newest_picture_is_kept_and_the_record_says_who(front: Front) -> None:
    answer = front.ask("POST", "/cameras/yard/pictures", OPERATOR)
    [row] = front.rows()
    assert answer.json == {
        "id": row.id, "camera": "yard", "day": "2027-01-15", "time": NOON, "local": "2027-01-15T08:00:00+0000",
        "why": "demand", "event": None, "who": "vera", "width": 64, "height": 48, "size": len(shade(1)),
        "sha256": row.sha256.hex(),
    }  # fmt: skip
    assert front.told == [("camera.picture_kept", "yard", "ok")]
    again = front.ask("POST", "/cameras/yard/pictures")  # the same frame
    assert again.json["id"] == row.id
    assert len(front.told) == 1


@pytest.mark.parametrize("who", [YARD, HALL, viewer("camera:hall", role=Role.OPERATOR)])
def test_who_may_only_look_fills_no_disk_and_that_is_on_the_record(front: Front, who: Any) -> None:
    assert front.ask("POST", "/cameras/yard/pictures", who).code == "denied"
    assert front.rows() == []
    assert front.told == [("camera.keep_failed", "yard", "denied")]


def test_a_camera_that_is_not_live_has_nothing_to_keep(front: Front) -> None:
    assert front.ask("POST", "/cameras/hall/pictures").code == "no_picture"
    assert front.ask("POST", "/cameras/shed/pictures").code == "no_such_camera"
    front.database.failing = "full"
    assert front.ask("POST", "/cameras/yard/pictures").code == "storage_unavailable"
    assert front.told == [("camera.keep_failed", "yard", "storage_unavailable")]


# --- looking ---


def test_lists_are_by_camera_and_day_page_by_page(front: Front) -> None:
    yard = front.keep(1, 2, 3)
    [hall] = front.keep(4, camera="hall")
    [later] = front.keep(5, day=1)
    assert ids(front.ask("GET", "/pictures")) == [later, hall, *reversed(yard)]
    assert ids(front.ask("GET", "/pictures?camera=yard&day=2027-01-15&order=oldest")) == yard
    first = front.ask("GET", "/pictures?limit=2")
    assert (ids(first), first.json["next"]) == ([later, hall], hall)
    rest = front.ask("GET", f"/pictures?before={hall}")
    assert (ids(rest), rest.json["next"]) == ([*reversed(yard)], None)
    assert ids(front.ask("GET", f"/pictures?order=oldest&after={yard[1]}&limit=1")) == [yard[2]]


def test_days_are_those_of_the_server_whose_zone_is_told(front: Front) -> None:
    front.keep(1, 2)
    front.keep(3, camera="hall", day=1)
    assert front.ask("GET", "/pictures/days").json == {
        "zone": "GMT (UTC+00:00)", "today": "2027-01-15",
        "days": [
            {"camera": "hall", "day": "2027-01-16", "pictures": 1},
            {"camera": "yard", "day": "2027-01-15", "pictures": 2},
        ],
    }  # fmt: skip
    assert len(front.ask("GET", "/pictures/days?camera=yard").json["days"]) == 1


def test_nobody_learns_of_pictures_of_cameras_that_they_may_not_view(front: Front) -> None:
    [yard] = front.keep(1)
    [hall] = front.keep(2, camera="hall")
    assert ids(front.ask("GET", "/pictures", YARD)) == [yard]
    assert [one["camera"] for one in front.ask("GET", "/pictures/days", HALL).json["days"]] == ["hall"]
    assert front.ask("GET", "/pictures?camera=hall", YARD).code == "denied"
    assert front.ask("GET", "/pictures?camera=none", YARD).code == "denied"  # there is no telling the two apart
    for path in (f"/pictures/{hall}.jpg", f"/pictures/{hall}/thumbnail.jpg"):
        assert front.ask("GET", path, HALL).status == 200
        hidden, missing = front.ask("GET", path, YARD), front.ask("GET", path.replace(hall, "0" * 26), YARD)
        assert (hidden.status, hidden.body) == (missing.status, missing.body) == (404, missing.body)
    assert front.ask("GET", "/cameras/hall/timelapse/2027-01-15.mp4", YARD).code == "denied"


def test_a_picture_is_shown_as_it_was_kept_and_in_small(front: Front) -> None:
    [one] = front.keep(7)
    whole, small = front.ask("GET", f"/pictures/{one}.jpg"), front.ask("GET", f"/pictures/{one}/thumbnail.jpg")
    assert whole.body == shade(7)
    assert small.body.startswith(b"\xff\xd8")
    for answer in (whole, small):
        assert answer.fields["content-type"] == "image/jpeg"
        assert answer.fields["x-camera"] == "yard"
        assert answer.fields["x-timestamp"] == f"{NOON + 420:.6f}"
        assert answer.fields["cache-control"].startswith("private")
    assert front.ask("GET", "/pictures/nonsense.jpg").code == "no_such_picture"


@pytest.mark.parametrize(
    "query", ["day=yesterday", "limit=0", "limit=501", "order=up", "camera=yard&camera=hall", "colour=red", "day="]
)
def test_a_question_that_makes_no_sense_is_told_so(front: Front, query: str) -> None:
    assert front.ask("GET", f"/pictures?{query}").code == "invalid_argument"


# --- deleting ---


def test_an_owner_deletes_a_picture_and_the_record_says_so(front: Front) -> None:
    one, two = front.keep(1, 2)
    film = front.ask("GET", "/cameras/yard/timelapse/2027-01-15.mp4")
    assert film.status == 200
    answer = front.ask("DELETE", f"/pictures/{one}.jpg")
    assert answer.json["id"] == one
    assert [row.id for row in front.rows()] == [two]
    assert [name for name, _, _ in front.folder.files()] == [two]
    assert front.told == [("camera.picture_deleted", "yard", "ok")]
    assert front.text.endswith("deleted the picture that camera yard took at 2027-01-15 08:01:00")
    assert list((front.folder.folder.parent / "films").iterdir()) == []
    assert front.ask("DELETE", f"/pictures/{one}.jpg").code == "no_such_picture"
    assert front.ask("GET", f"/pictures/{one}.jpg").status == 404


def test_nobody_else_deletes(front: Front) -> None:
    [one] = front.keep(1)
    for who in (YARD, HALL, OPERATOR):
        assert front.ask("DELETE", f"/pictures/{one}.jpg", who).code == "denied"
        assert front.ask("DELETE", f"/pictures/{'0' * 26}.jpg", who).code == "denied"
    assert front.told == [("camera.delete_failed", "yard", "denied")] * 2  # of what they may view
    assert isinstance(result(front.gallery.delete(OPERATOR, one)), AccessDenied)
    assert len(front.told) == 3
    assert len(front.rows()) == 1


# --- films ---


def test_a_day_is_a_film_of_its_pictures_in_order(front: Front, tmp_path: Path) -> None:
    front.keep(3, 9, 15, 21)
    front.keep(30, camera="hall")
    front.keep(28, day=1)
    answer = front.ask("GET", "/cameras/yard/timelapse/2027-01-15.mp4?fps=4", YARD)
    assert answer.fields["content-type"] == "video/mp4"
    assert answer.fields["content-disposition"] == 'attachment; filename="yard 2027-01-15.mp4"'
    (tmp_path / "got.mp4").write_bytes(answer.body)
    assert played(tmp_path / "got.mp4")[0] == [3, 9, 15, 21]
    state = front.ask("GET", "/cameras/yard/timelapse/2027-01-15?fps=4").json
    assert state == {
        "camera": "yard", "day": "2027-01-15", "fps": 4, "state": "ready", "pictures": 4, "done": 4, "codec": "h264",
    }  # fmt: skip


def test_a_day_without_pictures_or_that_is_none_has_no_film(front: Front) -> None:
    assert front.ask("GET", "/cameras/yard/timelapse/2027-01-15.mp4").code == "no_such_picture"
    assert front.ask("HEAD", "/cameras/yard/timelapse/2027-01-15.mp4").status == 404
    assert front.ask("GET", "/cameras/yard/timelapse/2027-01-15").json["pictures"] == 0
    for day in ("2027-02-30", "today", "2027-1-1", "..%2f..%2fetc"):
        assert front.ask("GET", f"/cameras/yard/timelapse/{day}.mp4").status in (400, 404)
    assert front.ask("GET", "/cameras/yard/timelapse/2027-01-15.mp4?fps=0").code == "invalid_argument"
    assert front.filming.waiting == []


def test_a_look_at_the_headers_makes_no_film(front: Front) -> None:
    front.keep(1)
    front.filming.by_hand = True
    assert front.ask("HEAD", "/cameras/yard/timelapse/2027-01-15.mp4").fields["content-type"] == "video/mp4"
    assert front.filming.waiting == []


def test_who_leaves_ends_the_film_that_nobody_else_waits_for(front: Front) -> None:
    front.keep(1, 2)
    front.filming.by_hand = True
    wire = front.small.as_(OLGA).send("GET", "/cameras/yard/timelapse/2027-01-15.mp4")
    assert len(front.filming.waiting) == 1
    assert front.ask("GET", "/cameras/yard/timelapse/2027-01-15").json["state"] == "making"
    wire.protocol.connectionLost(Failure(ConnectionDone()))
    front.filming.go()
    assert list((front.folder.folder.parent / "films").iterdir()) == []
    assert front.ask("GET", "/cameras/yard/timelapse/2027-01-15").json["state"] == "none"

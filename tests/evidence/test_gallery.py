"""Pictures for whoever looks at an event: what was recorded, or an honest error."""

import hashlib
from functools import partial
from pathlib import Path

import pytest

from gatekeeper.errors import NoSuchEvent, NotFound
from gatekeeper.evidence.gallery import Gallery
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.storage import keeping, pictures
from gatekeeper.storage.pictures import PictureRow
from tests.evidence.recording import MemoryDatabase, Record, put_event
from tests.evidence.stores import result

SHOTS = [b"one", b"two", b"three"]


class Wall:
    """A gallery with one event of three pictures."""

    def __init__(self, folder: Path) -> None:
        self.database = MemoryDatabase()
        self.folder = PictureFolder(folder)
        self.record = Record(self.database)
        self.gallery = Gallery(self.database, self.folder, self.record)
        self.folder.store(SHOTS)
        rows = [PictureRow("E", 0, "yard", 1.0, 1, 1, len(one), hashlib.sha256(one).digest()) for one in SHOTS]
        adding = partial(
            pictures.add, event="E", started=0.0, manifest=b"", after=0, rows=rows, present=self.folder.has
        )
        self.database.do(lambda connection: put_event(connection, "E"))
        self.database.do(lambda connection: put_event(connection, "PLAIN"))
        self.database.do(adding)

    def file(self, shot: bytes) -> Path:
        return self.folder.path(hashlib.sha256(shot).digest())


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


def test_a_picture_comes_with_its_row_byte_for_byte(wall: Wall) -> None:
    row, jpeg = result(wall.gallery.picture("E", 2))
    assert (row.number, row.camera, jpeg) == (2, "yard", b"two")
    assert [row.number for row in result(wall.gallery.frames("E"))] == [1, 2, 3]
    assert result(wall.gallery.frames("PLAIN")) == []


def test_what_is_not_there_says_what_it_is_that_is_not_there(wall: Wall) -> None:
    with pytest.raises(NoSuchEvent):
        result(wall.gallery.picture("NOWHERE", 1))
    with pytest.raises(NoSuchEvent):
        result(wall.gallery.frames("NOWHERE"))
    with pytest.raises(NotFound, match="no picture 4"):
        result(wall.gallery.picture("E", 4))
    wall.database.do(lambda connection: keeping.flag_erased(connection, [("E", 1)]))
    wall.database.do(partial(pictures.close, event="E", state="complete", ended=0.0, manifest=b""))
    wall.database.do(lambda connection: keeping.flag_erased(connection, [("E", 1)]))
    with pytest.raises(NotFound, match="was erased"):
        result(wall.gallery.picture("E", 1))
    assert wall.record.told == []


def test_a_file_that_was_changed_is_not_shown_and_told_once(wall: Wall) -> None:
    wall.file(b"two").write_bytes(b"2wo")
    for _ in range(2):
        with pytest.raises(NotFound, match="was changed"):
            result(wall.gallery.picture("E", 2))
    [told] = wall.record.told
    assert (told.kind, told.cause, told.outcome) == ("evidence.damaged", "E", "alarm")
    assert told.details["number"] == 2
    assert result(wall.gallery.picture("E", 1))[1] == b"one"


def test_a_file_that_is_missing_is_told_as_missing(wall: Wall) -> None:
    wall.file(b"two").unlink()
    with pytest.raises(NotFound, match="is missing"):
        result(wall.gallery.picture("E", 2))
    assert wall.record.kinds() == ["evidence.missing"]

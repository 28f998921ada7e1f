"""Retention from the command line: all at once, and beside a site."""

import time
from functools import partial
from pathlib import Path

import pytest

from gatekeeper.config import Kept, Retention
from gatekeeper.errors import StorageUnavailable
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retain import retain, would_go
from gatekeeper.evidence.retention import DAY
from gatekeeper.storage import events, keeping, pictures
from gatekeeper.storage.connect import Blocking, connect
from gatekeeper.storage.pictures import PictureRow
from tests.evidence.chains import NOW, signer
from tests.evidence.test_housekeeping import sha

SETTINGS = Retention(pictures=Kept(days=30), events=Kept(days=365))


def site(folder: Path) -> tuple[Blocking, BlockingJournal, PictureFolder, list[str]]:
    """A database with an action of 40 days ago and one of today, a picture each."""
    database = connect(f"sqlite:///{folder}/gatekeeper.sqlite")
    journal = BlockingJournal(database, signer(), lambda: NOW, time.monotonic)
    files = PictureFolder(folder / "pictures")
    ids = []
    for jpeg, days in ((b"old", 40), (b"new", 0)):
        files.store([jpeg])
        event = journal.record("door.opened", "opened").id
        rows = [PictureRow(event, 0, "yard", NOW - days * DAY, 1, 1, 3, sha(jpeg))]
        database.write(
            partial(pictures.add, event=event, started=0.0, manifest=b"", after=0, rows=rows, present=files.has)
        )
        database.write(partial(pictures.close, event=event, state="complete", ended=0.0, manifest=b""))
        ids.append(event)
    return database, journal, files, ids


def test_a_dry_run_and_then_the_run_itself(tmp_path: Path) -> None:
    database, journal, files, _ = site(tmp_path)
    with database:
        lines = would_go(database, journal, files, SETTINGS, NOW)
        assert lines[0] == "pictures: 6 bytes kept; at most 30 days"
        assert lines[1].startswith("  1 go (older than 30 days)")
        assert files.has(sha(b"old"))
        retain(database, journal, files, SETTINGS, lambda: NOW)
        assert not files.has(sha(b"old"))
        assert files.has(sha(b"new"))
        kinds = [row.kind for row in database.read(lambda connection: events.between(connection, 1, 100))]
        assert kinds == ["door.opened", "door.opened", "evidence.erased"]
        assert would_go(database, journal, files, SETTINGS, NOW)[1] == "  nothing goes"


def test_a_picture_that_is_stored_again_while_it_goes_is_not_lost(tmp_path: Path) -> None:
    """A camera that froze sends the very picture of 40 days ago, just as another process erases it."""
    database, _, files, ids = site(tmp_path)
    with database:
        database.write(lambda connection: keeping.flag_erased(connection, [(ids[0], 1)]))
        files.store([b"old"])
        row = PictureRow(ids[1], 0, "yard", NOW, 1, 1, 3, sha(b"old"))
        add = partial(pictures.add, event=ids[1], started=0.0, manifest=b"", after=1, rows=[row], present=files.has)
        # Whichever comes first: the row keeps the file, or finds that it is gone and isn't put in.
        assert len(database.write(add)) == 1
        database.write(lambda connection: keeping.remove_files(connection, [sha(b"old")], files.remove))
        assert files.has(sha(b"old"))
        database.write(lambda connection: keeping.flag_erased(connection, [(ids[1], 2)]))
        database.write(lambda connection: keeping.remove_files(connection, [sha(b"old")], files.remove))
        assert database.write(partial(add, after=2)) == []


def test_a_database_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, journal, files, _ = site(tmp_path)

    def gone(work: object) -> object:
        raise StorageUnavailable("the database: gone")

    with database:
        monkeypatch.setattr(database, "read", gone)
        with pytest.raises(StorageUnavailable):
            retain(database, journal, files, SETTINGS, lambda: NOW)
        assert files.has(sha(b"old"))

"""Erasing in one process while another stores the same picture."""

import time
from functools import partial
from pathlib import Path

from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retention import DAY
from gatekeeper.storage import keeping, pictures
from gatekeeper.storage.connect import Blocking, connect
from gatekeeper.storage.pictures import PictureRow
from tests.evidence.chains import NOW, signer
from tests.evidence.test_housekeeping import sha


def site(folder: Path) -> tuple[Blocking, PictureFolder, list[str]]:
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
    return database, files, ids


def test_a_picture_that_is_stored_again_while_it_goes_is_not_lost(tmp_path: Path) -> None:
    """A camera that froze sends the very picture of 40 days ago, just as another process erases it."""
    database, files, ids = site(tmp_path)
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

"""A site that was started before: a record, pictures of a door's opening, keys. Nothing of it runs."""

import hashlib
import time
from pathlib import Path

from sqlalchemy import insert

from gatekeeper.evidence import signing
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.event import Event, event_of
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.storage import Blocking, connect, events
from gatekeeper.storage.tables import pictures

DAY = 86400.0
PICTURES = (b"\xff\xd8 one \xff\xd9", b"\xff\xd8 two \xff\xd9")


class Site:
    """A site's folders.

    :ivar opened: the event of the opening.
    :param age: how many days ago everything happened.
    """

    def __init__(
        self, folder: Path, configuration: str | None = None, *, data: str = "gatekeeper-data", age: float = 0
    ):
        self.folder = folder
        self.data = folder / data
        self.data.mkdir(parents=True)
        if configuration is not None:
            (folder / "gatekeeper.toml").write_text(configuration)
        self.then = time.time() - age * DAY
        with self.database() as database:
            journal = BlockingJournal(
                database, signing.load(self.data / "keys", self._wall), self._wall, time.monotonic
            )
            journal.record("system.started", "started")
            self.opened = journal.record("door.opened", "ana opened it", subject="front")
            self._picture(database)
            journal.record("evidence.stored", "2 pictures", subject="front", cause=self.opened.id, details=self._list())
            journal.record("door.relocked", "relocked", subject="front", cause=self.opened.id)

    def _wall(self) -> float:
        return self.then

    def _picture(self, database: Blocking) -> None:
        PictureFolder(self.data / "pictures").store(PICTURES)
        rows = [
            {"event": self.opened.id, "number": number, "camera": "yard", "received": self.then + number,
             "width": 1, "height": 1, "size": len(jpeg), "sha256": hashlib.sha256(jpeg).digest()}
            for number, jpeg in enumerate(PICTURES, 1)
        ]  # fmt: skip
        database.write(lambda connection: connection.execute(insert(pictures), rows))

    def _list(self) -> dict[str, object]:
        listed = [
            {"number": number, "camera": "yard", "received": self.then + number,
             "sha256": hashlib.sha256(jpeg).hexdigest(), "size": len(jpeg)}
            for number, jpeg in enumerate(PICTURES, 1)
        ]  # fmt: skip
        return {"pictures": listed}

    def database(self) -> Blocking:
        return connect(f"sqlite:///{self.data / 'gatekeeper.sqlite'}")

    def record(self) -> list[Event]:
        """Return the whole record."""
        with self.database() as database:
            return [event_of(row) for row in database.read(lambda it: events.between(it, 1, 1000)) if row.body]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.record()]

    def picture(self, number: int) -> Path:
        """Return a picture's file."""
        return PictureFolder(self.data / "pictures").path(hashlib.sha256(PICTURES[number - 1]).digest())

    def execute(self, sql: str) -> None:
        """Do something to the database that the program wouldn't."""
        with self.database() as database:
            database.write(lambda connection: connection.exec_driver_sql(sql))

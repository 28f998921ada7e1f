"""The pictures of an event for whoever may see them: rows, and bytes that are what was recorded or an honest error.

Only what a row names is given out, and only after its hash was compared.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gatekeeper.errors import NoSuchEvent, NotFound
from gatekeeper.evidence.outside import Database, Record
from gatekeeper.evidence.pictures import FileState, PictureFolder
from gatekeeper.storage import events, pictures
from gatekeeper.storage.pictures import PictureRow

REMEMBERED = 1000
"""Pictures found missing or damaged that were told: each is told once, and a folder that is gone tells no more."""

SAID = {
    FileState.MISSING: "its file is missing",
    FileState.DAMAGED: "its file was changed: its bytes aren't those that were recorded",
    FileState.UNREADABLE: "its file can't be read",
}


class Gallery:
    """An event's pictures.

    :param record: `Journal.record`: told once of each picture that isn't as it was recorded.
    """

    log = Logger()

    def __init__(self, database: Database, folder: PictureFolder, record: Record) -> None:
        self._database = database
        self._folder = folder
        self._record = record
        self._told: set[tuple[str, int]] = set()

    def frames(self, event: str) -> "Deferred[list[PictureRow]]":
        """Return the rows of an event's pictures in the order of time, erased ones with `erased` set.

        :raises NoSuchEvent: if there is no such event.
        """
        return self._database.read(partial(_frames, event=event))

    def picture(self, event: str, number: int) -> "Deferred[tuple[PictureRow, bytes]]":
        """Return a picture's row and its JPEG.

        :raises NoSuchEvent: if there is no such event.
        :raises NotFound: if it has no such picture, it was erased, or its file is missing or not what was recorded.
        """
        reading = self._database.read(partial(_picture, event=event, number=number, read=self._folder.read))
        return reading.addCallback(self._checked)

    def _checked(self, found: "tuple[PictureRow, FileState, bytes]") -> tuple[PictureRow, bytes]:
        row, state, jpeg = found
        if state is FileState.INTACT:
            return row, jpeg
        self._tell(row, state)
        raise NotFound(f"picture {row.number} can't be shown: {SAID[state]}")

    def _tell(self, row: PictureRow, state: FileState) -> None:
        place = (row.event, row.number)
        if place in self._told or len(self._told) >= REMEMBERED:
            return
        self._told.add(place)
        self.log.error("picture {number} of {event}: {why}", number=row.number, event=row.event, why=SAID[state])
        self._record(
            f"evidence.{state}",
            f"picture {row.number} of an event: {SAID[state]}",
            cause=row.event,
            outcome="alarm",
            details={"event": row.event, "number": row.number, "sha256": row.sha256.hex()},
        )


def _frames(connection: Connection, event: str) -> list[PictureRow]:
    rows = pictures.frames(connection, event)
    if not rows:
        _must_exist(connection, event)
    return rows


def _picture(connection: Connection, event: str, number: int, read: Callable[[bytes], tuple[FileState, bytes]]) -> Any:
    row = pictures.frame(connection, event, number)
    if row is None:
        _must_exist(connection, event)
        raise NotFound(f"this event has no picture {number}")
    if row.erased:
        raise NotFound(f"picture {number} was erased")
    return row, *read(row.sha256)


def _must_exist(connection: Connection, event: str) -> None:
    if events.get(connection, event) is None:
        raise NoSuchEvent("there is no event with this id, or it isn't kept any more")

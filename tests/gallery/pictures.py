"""Frames that tell themselves apart, a gallery's parts on a clock, and a disk that waits to be told."""

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import Frame
from gatekeeper.evidence.pictures import FileState
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.gallery.keeper import Keeper
from gatekeeper.storage import snapshots
from gatekeeper.storage.snapshots import SnapshotRow
from tests.databases import InlineDatabase

NOON = 1_800_000_000.0
"""Unix seconds when the clock says 0: 2027-01-15 08:00 UTC."""

STEP = 8
"""Grey levels between two pictures: more than any encoder blurs."""


@lru_cache
def shade(number: int, width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG that is all of one grey, another one for each number up to 31."""
    image = np.full((height, width, 3), number * STEP, np.uint8)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def number_of(image: Any) -> int:
    """Return which picture that was."""
    return round(float(image.mean()) / STEP)


def frame(number: int = 1, camera: str = "yard", wall: float = NOON, jpeg: bytes | None = None) -> Frame:
    return Frame(camera, number, float(number), wall, 64, 48, shade(number % 32) if jpeg is None else jpeg)


class SlowDisk:
    """Does what it is asked when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self.by_hand = False
        self.stopped = False

    def run(self, work: Callable[[], Any]) -> "Deferred[Any]":
        if not self.by_hand:
            return execute(work)
        asked: Deferred[Any] = Deferred()
        self.waiting.append((work, asked))
        return asked

    def go(self) -> None:
        """Do the oldest."""
        work, asked = self.waiting.pop(0)
        execute(work).chainDeferred(asked)

    def stop(self) -> None:
        self.stopped = True


class House:
    """A folder, a database and who keeps, over a clock."""

    def __init__(self, folder: Path, database: InlineDatabase | None = None, **more: Any) -> None:
        self.clock = Clock()
        self.database = database or InlineDatabase()
        self.disk = SlowDisk()
        self.folder = SnapshotFolder(folder / "snapshots", **more)
        self.keeper = Keeper(
            folder=self.folder, database=self.database, disk=self.disk, wall=self.wall, local=time.gmtime
        )
        self.feed = Feed("yard", NOON)

    def wall(self) -> float:
        return NOON + self.clock.seconds()

    def do(self, work: Any) -> Any:
        return self.database._run(work)

    def rows(self) -> list[SnapshotRow]:
        return list(self.do(lambda connection: snapshots.page(connection, 1000, newest=False)))

    def honest(self) -> bool:
        """Return whether every row has its file, as it was kept."""
        return all(self.folder.read(row)[0] is FileState.INTACT for row in self.rows())

    def put(self, number: int) -> Frame:
        """Let the camera send a picture."""
        return self.feed.put(shade(number % 32), 64, 48, self.clock.seconds(), self.wall())


def result(asked: "Deferred[Any]") -> Any:
    """Return what a Deferred has fired with, or the error that it has failed with."""
    found: list[Any] = []
    asked.addBoth(found.append)
    [answer] = found
    return getattr(answer, "value", answer)

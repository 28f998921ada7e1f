"""The gallery, composed: what keeps, reads, films and removes pictures, and the cameras whose pictures are kept."""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import Frame
from gatekeeper.config_pictures import KeptPictures
from gatekeeper.evidence.outside import Database, Disk, Record
from gatekeeper.evidence.retention import Policy
from gatekeeper.gallery.api import Gallery
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.gallery.keeper import Keeper
from gatekeeper.gallery.occasions import Happened, Occasions
from gatekeeper.gallery.reading import Reading
from gatekeeper.gallery.retention import Snapshots
from gatekeeper.gallery.snapshot import Local
from gatekeeper.gallery.timelapse import Timelapses

SNAPSHOTS = "snapshots"
FILMS = "films"


class Rooms:
    """The gallery of a site.

    :param data: the data folder.
    :param disk: makes a thread for files, by its name.
    :param snapshot: the newest frame of a live camera; raises if there is none.
    :ivar kept: what retention looks after; `gallery` what callers ask; `keeper` where pictures are put.
    """

    def __init__(
        self,
        *,
        data: Path,
        policy: Policy,
        database: Database,
        record: Record,
        disk: Callable[[str], Disk],
        snapshot: Callable[[str], Frame],
        reactor: Any,
        wall: Callable[[], float],
        local: Local = time.localtime,
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._occasions: dict[str, Occasions] = {}
        self._running = False
        folder = SnapshotFolder(data / SNAPSHOTS)
        keeping, filming = disk("snapshots"), disk("films")
        self.keeper = Keeper(folder=folder, database=database, disk=keeping, wall=wall, local=local)
        self._reading = Reading(folder, disk("gallery"))
        self._films = Timelapses(data / FILMS, folder, filming)
        self.kept = Snapshots(
            policy,
            database=database,
            folder=folder,
            disk=keeping,
            scanning=filming,
            record=record,
            wall=wall,
            gone=self._gone,
        )
        self.gallery = Gallery(
            keeper=self.keeper,
            reading=self._reading,
            timelapses=self._films,
            kept=self.kept,
            database=database,
            record=record,
            snapshot=snapshot,
            wall=wall,
            local=local,
        )

    def start(self) -> None:
        """Begin to keep."""
        self._running = True
        self.keeper.start()
        self._films.start()
        for occasions in self._occasions.values():
            occasions.start()

    def stop(self) -> None:
        """End; what is being written is written."""
        self._running = False
        for occasions in self._occasions.values():
            occasions.stop()
        self.keeper.stop()
        self._reading.stop()
        self._films.stop()

    def watch(self, camera: str, wanted: KeptPictures | None, doors: Collection[str], feed: Feed) -> None:
        """Keep pictures of a camera as its table says, from now on; one that was watched before is watched anew."""
        self.unwatch(camera)
        if wanted is not None:
            occasions = Occasions(camera, wanted, doors, feed, self.keeper, reactor=self._reactor, wall=self._wall)
            self._occasions[camera] = occasions
            if self._running:
                occasions.start()

    def unwatch(self, camera: str) -> None:
        """Keep no more of a camera by itself."""
        before = self._occasions.pop(camera, None)
        if before is not None:
            before.stop()

    def happened(self, event: Happened) -> None:
        """Hear of an event that is on the record."""
        for occasions in tuple(self._occasions.values()):
            occasions.happened(event)

    def _gone(self, rows: Any) -> None:
        for row in rows:
            self._reading.forget(row.id)
        self._films.gone(rows)

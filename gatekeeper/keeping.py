"""What is kept, composed: the database, the record, the pictures around a door's actions.

Part of the composition root, apart from `site` because none of it knows who may come in.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gatekeeper import config
from gatekeeper.caller import ITSELF
from gatekeeper.cameras.frame import Frame as Picture
from gatekeeper.errors import ConfigurationError
from gatekeeper.evidence import signing
from gatekeeper.evidence.api import Events
from gatekeeper.evidence.case import Frame, kept_in
from gatekeeper.evidence.disk import DiskThread
from gatekeeper.evidence.doubts import Doubts
from gatekeeper.evidence.entry import Entry
from gatekeeper.evidence.event import Query, event_of
from gatekeeper.evidence.housekeeping import Housekeeping
from gatekeeper.evidence.journal import Journal
from gatekeeper.evidence.kept import Events as KeptEvents
from gatekeeper.evidence.kept import Pictures
from gatekeeper.evidence.kept_samples import Samples
from gatekeeper.evidence.outside import Disk
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.recorder import Recorder
from gatekeeper.evidence.retention import Policy
from gatekeeper.evidence.watch import Feed
from gatekeeper.gallery.rooms import Rooms
from gatekeeper.records import Records
from gatekeeper.storage import events as rows
from gatekeeper.storage.connect import url_of
from gatekeeper.storage.database import Database, Health

KEYS = "keys"
PICTURES = "pictures"
EXPORTS = "exports"

WITHOUT_PICTURES = frozenset({"door.open_requested", "door.lock_requested", "door.link_up", "door.link_lost"})
"""What is recorded of a door and is no action: a wish, whose outcome follows, and the link."""


class Keeping:
    """Everything that outlives the process.

    :param data: the data folder; made if missing, readable by its owner only.
    :param snapshot: the newest frame of a live camera; raises if there is none.
    :param database: another database, and `disk` what works with files other than a thread of its own; for tests.
    :raises ConfigurationError: if the folder, a secret or a key can't be used.
    """

    log = Logger()

    def __init__(
        self,
        settings: config.Site,
        *,
        folder: Path,
        data: Path,
        reactor: Any,
        wall: Callable[[], float],
        snapshot: Callable[[str], Picture],
        database: Database | None = None,
        disk: Callable[[str], Disk] | None = None,
    ) -> None:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"data: can't use {data}: {error.strerror or error}") from error
        secret = settings.storage.password
        password = secret.read("storage.password", folder) if secret is not None else None
        url = url_of(settings.storage, data, password)
        self._settings = settings
        self._data = data
        self._reactor = reactor
        self._wall = wall
        self.disk = disk or partial(DiskThread, reactor)
        self.database = database or Database(url, reactor, queue=settings.storage.queue, wall=wall)
        self.signer = signing.load(data / KEYS, wall)
        self.journal = Journal(self.database, self.signer, reactor, wall)
        self.folder = PictureFolder(data / PICTURES)
        self._frames = kept_in(self.folder)
        self.recorder: Recorder | None = None
        self.housekeeping = self._tidy(settings.retention)
        self._events = Events(
            journal=self.journal,
            database=self.database,
            signer=self.signer,
            reactor=reactor,
            wall=wall,
            frames=self._frames,
            folder=data / EXPORTS,
        )
        self._reading = self.disk("frames")
        self.rooms = Rooms(
            data=data,
            policy=Policy(settings.retention.snapshots.days, settings.retention.snapshots.bytes),
            database=self.database,
            record=self.journal.record,
            disk=self.disk,
            snapshot=snapshot,
            reactor=reactor,
            wall=wall,
        )
        self.housekeeping.add_own(self.rooms.kept)
        self.housekeeping.add(
            Samples(
                Policy(settings.retention.samples.days, settings.retention.samples.bytes),
                database=self.database,
                record=self.journal.record,
                wall=wall,
            )
        )
        self.journal.observe(self.rooms.happened)
        self.records = Records(
            self._events,
            self.folder,
            self._reading,
            frames=self._frames_of,
            doubts=Doubts(self.journal.record),
            housekeeping=self.housekeeping,
        )

    def watch(self, feeds: Mapping[str, Feed], doors: Mapping[str, Sequence[str]]) -> None:
        """Keep the pictures of these cameras with the actions of the doors that they are tied to."""
        self.recorder = Recorder(
            settings=self._settings.evidence,
            feeds=feeds,
            doors=doors,
            folder=self.folder,
            database=self.database,
            record=self.journal.record,
            reactor=self._reactor,
            wall=self._wall,
            disk=self.disk("evidence"),
        )

    def _frames_of(self, event: str) -> "Deferred[Sequence[Frame]]":
        return self.database.read(lambda connection: self._frames(connection, event))

    def _tidy(self, bounds: config.Retention) -> Housekeeping:
        database, seal, record = self.database, self.journal.seal, self.journal.record
        pictures = Pictures(Policy(bounds.pictures.days, bounds.pictures.bytes), database, seal, record, self.folder)
        return Housekeeping(
            classes=(
                pictures,
                KeptEvents(Policy(bounds.events.days, bounds.events.bytes), database, seal),
            ),  # an event goes after its pictures
            pictures=pictures,
            folder=self.folder,
            database=database,
            record=record,
            reactor=self._reactor,
            wall=self._wall,
            disk=self.disk("housekeeping"),
            ration=self._ration,
        )

    def _ration(self, every: int) -> None:
        if self.recorder is not None:
            self.recorder.ration(every)
        self.rooms.keeper.ration(every)

    def record_door(self, kind: str, text: str, *, subject: str | None, **about: Any) -> Entry:
        """Record what happened at a door, and begin to keep the pictures of it.

        :param about: as `Journal.record` takes it.
        """
        entry = self.journal.record(kind, text, subject=subject, **about)
        if kind not in WITHOUT_PICTURES and subject is not None and self.recorder is not None:
            self.recorder.begin(entry.id, subject)
        return entry

    def open(self) -> None:
        """Make the database ready; blocks.

        :raises ConfigurationError: with one line that says why it can't be used.
        """
        self.database.open()

    def last_start(self) -> dict[str, str] | None:
        """Return what the newest start or reload on the record says of the configuration; None without one. Blocks."""
        found = [
            row
            for kind in ("system.started", "system.reloaded")
            for row in self.database.at_start(partial(rows.find, query=Query(kind=kind, limit=1)))
        ]
        newest = max(map(event_of, found), key=lambda event: event.sequence, default=None)
        said = newest.details.get("configuration") if newest is not None else None
        return said if isinstance(said, dict) else None

    def start(self) -> None:
        """Begin to store."""
        self.database.observe(self._health_changed)
        self.journal.start()
        if self.recorder is not None:
            self.recorder.start().addErrback(self._log_bug)
        self.rooms.start()
        self.housekeeping.start()
        self._events.start()

    @inlineCallbacks
    def stop(self) -> Any:
        """Store what waits, in bounded time: pictures first, since their end is an event."""
        self.housekeeping.stop()
        self._reading.stop()
        self.rooms.stop()
        if self.recorder is not None:
            yield self.recorder.stop()
        yield self.journal.close()
        yield self.database.close()
        self._events.stop()

    def _health_changed(self, health: Health) -> None:
        """The record itself says when it could not be kept; this event waits in memory until it can."""
        if health.state == "failing":
            text = f"nothing can be stored: {health.reason}"
            self.journal.record("system.storage_failing", text, caller=ITSELF, outcome="alarm")
        elif health.state == "ok":
            self.journal.record("system.storage_recovered", "facts can be stored again", caller=ITSELF)

    def _log_bug(self, failure: Any) -> None:
        self.log.failure("the pictures of an earlier run could not be settled", failure)

"""The pictures before and after every door action, on the disk and in the record. The decisions are `bundle`'s.

Files come before rows, and rows before the event that names them, so that whoever reads finds what is named. A door
never waits: `begin` takes references and returns. A disk that is slow or full, and a database that is away, cost
pictures, and the record says so.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.evidence.bundle import SETTLE, Bundle, Stage
from gatekeeper.evidence.disk import DiskThread
from gatekeeper.evidence.intake import RINGS, WAITING_BYTES, Intake, Item
from gatekeeper.evidence.outside import Database, Disk, Record
from gatekeeper.evidence.pictures import NotStored, PictureFolder, Stored
from gatekeeper.evidence.recovery import Recovery
from gatekeeper.evidence.ring import Frame
from gatekeeper.evidence.watch import Feed, Watch
from gatekeeper.storage import pictures
from gatekeeper.storage.pictures import PictureRow

MAX_BUNDLES = 64
"""Actions whose pictures are being kept at once: four people at four doors; each costs a reference per frame."""

ROUND = 0.5
"""Seconds in which frames gather before they are written: two commits a second, however many cameras."""

RETRY = 2.0
"""Seconds until a database that took nothing is asked again."""

STOP_WRITING = 1.0
"""Seconds after a stop in which frames that wait are still written."""

STOP_TIMEOUT = 2.0
"""Seconds until a stop gives up: what is open then is closed as partial by the next start."""

TOO_SLOW = "the disk was too slow"
TOO_FULL = "the disk is nearly full"
STOPPED = "the site was stopped"
ERASED = "the same picture was erased while it was being stored"


@dataclass(slots=True, eq=False)
class _Work:
    """A bundle with what is on its way to the database: one write at a time, so that numbers follow time.

    :ivar unsaved: rows whose files are stored; `sent` is the write that is under way, or has to be tried again as it
        was: it may have been stored though nobody could say so.
    """

    bundle: Bundle
    plan: bytes
    unsaved: deque[PictureRow] = field(default_factory=deque)
    sent: list[PictureRow] | None = None
    rows: int = 0
    begun: bool = False
    again: bool = False
    saving: bool = False
    retry_at: float = 0.0
    closing: bool = False
    skipped: dict[str, int] = field(default_factory=dict)


class Recorder:
    """Keeps the pictures around door actions.

    :param settings: how much before and after, and memory for it.
    :param feeds: camera id -> its feed, as they are now; `refresh` tells that they changed.
    :param doors: door id -> ids of the cameras that are tied to it, likewise.
    :param folder: where the files go.
    :param database: where the rows go.
    :param record: `Journal.record`.
    :param reactor: clock and threads; its `seconds` are those of the frames.
    :param wall: Unix seconds now.
    :param disk: the thread for files; one of its own if None.
    :param waiting: bytes of frames that may wait to be written.
    :ivar failing: why pictures can't be stored now, or None.
    """

    log = Logger()

    def __init__(
        self,
        *,
        settings: config.Evidence,
        feeds: Mapping[str, Feed],
        doors: Mapping[str, Sequence[str]],
        folder: PictureFolder,
        database: Database,
        record: Record,
        reactor: Any,
        wall: Callable[[], float],
        disk: Disk | None = None,
        waiting: int | None = None,
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._feeds = feeds
        self._folder = folder
        self._database = database
        self._record = record
        self._reactor = reactor
        self._wall = wall
        self._disk: Disk = disk or DiskThread(reactor, "evidence")
        self._intake = Intake(max(WAITING_BYTES, RINGS * settings.ring_bytes) if waiting is None else waiting)
        self._watches: dict[str, Watch] = {}
        self._works: dict[str, _Work] = {}
        self._ration = 1
        self._storing = False
        self._timer: IDelayedCall | None = None
        self._running = False
        self._stopped: Deferred[None] | None = None
        self.failing: str | None = None

    # --- what others ask ---

    def start(self) -> "Deferred[None]":
        """Watch the cameras, and close what a killed process left open.

        The Deferred fires when that is done; nobody has to wait for it.
        """
        self._running = True
        self.refresh()
        recovery = Recovery(
            database=self._database,
            disk=self._disk,
            folder=self._folder,
            record=self._record,
            reactor=self._reactor,
            wall=self._wall,
        )
        return recovery.run(lambda: self.in_progress)

    def refresh(self) -> None:
        """Watch the cameras that are tied to a door now, and no others; what was begun goes on with what it has."""
        if not self._running:
            return
        tied = [camera for cameras in self._doors.values() for camera in cameras if camera in self._feeds]
        for camera in self._watches.keys() - set(tied):
            self._watches.pop(camera).close()
        span = self._settings.before + self._settings.after + SETTLE + ROUND
        for camera in tied:
            if camera not in self._watches:
                self._watches[camera] = Watch(
                    self._feeds[camera],
                    before=self._settings.before,
                    span=span,
                    ring_bytes=self._settings.ring_bytes,
                    clock=self._reactor.seconds,
                    offer=self._offered,
                    changed=self._changed,
                )

    def begin(self, event: str, door: str, moment: float | None = None) -> None:
        """Keep the pictures around an action: never raises, never waits. Without cameras at the door it does nothing.

        :param event: the id of the action's event.
        :param moment: monotonic seconds of the action, at most `watch.SLACK` ago; now if None.
        """
        cameras = [camera for camera in self._doors.get(door, ()) if camera in self._watches]
        if not cameras or not self._running or event in self._works:
            return
        if len(self._works) >= MAX_BUNDLES:
            self._turn_away(event, door)
            return
        now = self._now
        moment = now if moment is None else min(moment, now)
        bundle = Bundle(
            event,
            door,
            moment,
            self._wall() - (now - moment),
            before=self._settings.before,
            after=self._settings.after,
            sights={camera: self._watches[camera].sight for camera in cameras},
        )
        self._works[event] = work = _Work(bundle, bundle.manifest())
        self._take_all(work, bundle.gather({camera: self._watches[camera].ring for camera in cameras}))
        self._save(work)
        self._pump()
        self._wake()

    def ration(self, every: int) -> None:
        """Keep only every n-th frame from now on, 0 for none: the disk is filling up. 1 is all of them."""
        self._ration = every

    @property
    def in_progress(self) -> frozenset[str]:
        """The ids of the events whose bundles aren't closed yet."""
        return frozenset(self._works)

    def stop(self) -> "Deferred[None]":
        """Close every bundle at once, as partial where frames were still to come; fires within STOP_TIMEOUT."""
        if self._stopped is not None:
            return self._stopped
        ended: Deferred[None] = Deferred()
        self._stopped = ended
        self._running = False
        for watch in self._watches.values():
            watch.close()
        for work in tuple(self._works.values()):
            work.bundle.stop(self._now, STOPPED)
        self._pump()
        self._advance()
        late = self._reactor.callLater(STOP_WRITING, self._give_up)
        last = self._reactor.callLater(STOP_TIMEOUT, self._end)

        def done(result: None) -> None:
            for call in (late, last, self._timer):
                if call is not None and call.active():
                    call.cancel()
            self._disk.stop()

        ended.addCallback(done)
        if not self._works:
            self._end()
        return ended

    # --- frames in ---

    def _offered(self, frame: Frame) -> None:
        for work in self._works.values():
            if work.bundle.wants(frame):
                self._take(work, frame)

    def _take(self, work: _Work, frame: Frame) -> None:
        self._thin(work, frame, self._intake.room(len(frame.jpeg)))

    def _take_all(self, work: _Work, frames: Sequence[Frame]) -> None:
        room = self._intake.room(sum(len(frame.jpeg) for frame in frames))
        for frame in frames:
            self._thin(work, frame, room)

    def _thin(self, work: _Work, frame: Frame, room: int) -> None:
        """Take every n-th frame of a camera, n being what memory and disk have room for."""
        every = max(room, self._ration) if room and self._ration else 0
        skipped = work.skipped.get(frame.camera, 0) + 1
        if every and skipped >= every:
            work.skipped[frame.camera] = 0
            self._intake.put(work.bundle, frame)
        else:
            work.skipped[frame.camera] = skipped
            work.bundle.lost(frame.camera, TOO_FULL if every == self._ration else TOO_SLOW)

    def _changed(self) -> None:
        self._advance()

    # --- frames to the disk ---

    def _pump(self) -> None:
        if self._storing or not len(self._intake):
            return
        self._storing = True
        batch = self._intake.batch()
        storing = self._disk.run(partial(self._folder.store, [item.frame.jpeg for item in batch]))
        storing.addBoth(self._written, batch)

    def _written(self, results: "list[Stored | NotStored] | Failure", batch: list[Item]) -> None:
        self._storing = False
        self._intake.done(batch)
        if isinstance(results, Failure):
            self.log.failure("pictures could not be stored", results)
            results = [NotStored(results.getErrorMessage())] * len(batch)
        touched: dict[str, _Work] = {}
        for item, result in zip(batch, results, strict=True):
            work = self._works.get(item.bundle.event)
            if work is None:
                continue
            touched[item.bundle.event] = work
            if isinstance(result, Stored):
                work.unsaved.append(_row(item, result))
            else:
                item.bundle.given_up(item.frame.camera, result.reason)
        self._judge([result.reason for result in results if isinstance(result, NotStored)])
        for work in touched.values():
            self._save(work)
        self._advance()
        if self._behind:
            self._pump()

    @property
    def _behind(self) -> bool:
        """Whether frames wait that shouldn't: a burst from before an action, or what a stop leaves."""
        return len(self._intake) > len(self._works) or not self._running

    def _judge(self, reasons: Iterable[str]) -> None:
        """Say once that pictures can't be stored, and once that they can again."""
        reason = next(iter(reasons), None)
        if reason is not None and self.failing is None:
            self.log.error("pictures can't be stored: {reason}", reason=reason)
            self._record("evidence.failing", f"pictures can't be stored: {reason}", outcome="alarm", reason=reason)
        elif reason is None and self.failing is not None:
            self._record("evidence.recovered", "pictures are stored again")
        self.failing = reason

    # --- rows to the database ---

    def _save(self, work: _Work) -> None:
        """Put in the rows that there are; the first time also without any, so that the bundle is known as open."""
        if work.saving or work.closing or (work.begun and not work.unsaved and work.sent is None):
            return
        work.saving = True
        if work.sent is None:
            work.sent = list(work.unsaved)
            work.unsaved.clear()
        bundle = work.bundle
        adding = partial(
            pictures.add,
            event=bundle.event,
            started=bundle.started,
            manifest=work.plan,
            after=work.rows,
            rows=work.sent,
            present=self._folder.has,
            begun=work.begun,
            again=work.again,
        )
        self._database.write(adding).addCallbacks(
            self._saved, self._not_saved, callbackArgs=(work, work.sent), errbackArgs=(work,)
        )

    def _saved(self, stored: list[PictureRow], work: _Work, rows: list[PictureRow]) -> None:
        work.saving = False
        work.begun, work.again = True, False
        work.sent = None
        work.rows += len(stored)
        work.bundle.saved(stored)
        have = {row.sha256 for row in stored}
        for row in rows:
            if row.sha256 not in have:
                work.bundle.given_up(row.camera, ERASED)
        self._save(work)
        self._advance()

    def _not_saved(self, failure: Failure, work: _Work) -> None:
        """Nothing was stored: the files are there, and their rows wait for the database."""
        work.saving = False
        work.again = True
        work.retry_at = self._now + RETRY
        self.log.warn(
            "pictures of {event} wait for the database: {why}", event=work.bundle.event, why=failure.getErrorMessage()
        )

    # --- time ---

    @property
    def _now(self) -> float:
        return float(self._reactor.seconds())

    def _wake(self) -> None:
        if self._timer is None and self._works:
            self._timer = self._reactor.callLater(ROUND, self._round)

    def _round(self) -> None:
        self._timer = None
        self._pump()
        for work in tuple(self._works.values()):
            if work.retry_at <= self._now:
                self._save(work)
        self._advance()
        self._wake()

    def _advance(self) -> None:
        """Look at which bundles are done."""
        for work in tuple(self._works.values()):
            work.bundle.tick(self._now)
            if work.bundle.stage is Stage.DONE and work.begun and not (work.closing or work.saving):
                work.closing = True
                self._close(work)
        if self._stopped is not None and not self._works:
            self._end()

    @inlineCallbacks
    def _close(self, work: _Work) -> Any:
        bundle = work.bundle
        kind = "evidence.stored" if bundle.state == "complete" else "evidence.partial"
        closing = partial(
            pictures.close, event=bundle.event, state=bundle.state, ended=self._wall(), manifest=bundle.manifest()
        )
        try:
            yield self._record(
                kind,
                bundle.text(),
                subject=bundle.door,
                cause=bundle.event,
                outcome="alarm" if bundle.alarm else "ok",
                reason="; ".join(bundle.reasons) or None,
                details=bundle.details(),
            ).stored
            yield self._database.write(closing)
        except Exception:  # noqa: BLE001 - the boundary of one bundle: it stays open, and the next start closes it
            self.log.failure("the pictures of {event} are stored, and not closed", event=bundle.event)
        self._works.pop(bundle.event, None)
        self._advance()

    def _turn_away(self, event: str, door: str) -> None:
        reason = f"{MAX_BUNDLES} other actions were being recorded"
        self._record(
            "evidence.partial",
            f"no picture kept: {reason}",
            subject=door,
            cause=event,
            outcome="alarm",
            reason=reason,
            details={"door": door, "state": "partial", "reasons": [reason], "cameras": {}, "pictures": []},
        )

    # --- the end ---

    def _give_up(self) -> None:
        for item in self._intake.drain():
            item.bundle.given_up(item.frame.camera, STOPPED)
        self._advance()

    def _end(self) -> None:
        self._works.clear()
        if self._stopped is not None and not self._stopped.called:
            self._stopped.callback(None)


def _row(item: Item, stored: Stored) -> PictureRow:
    frame = item.frame
    return PictureRow(
        event=item.bundle.event,
        number=0,
        camera=frame.camera,
        received=round(frame.wall, 3),
        width=frame.width,
        height=frame.height,
        size=stored.size,
        sha256=stored.sha256,
    )

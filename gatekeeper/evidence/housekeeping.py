"""Retention at work: hourly, in small steps between which everything else has its turn, and an eye on the disk.

What goes is `retention`'s to say and a class's (`kept`) to take away. Files that the database doesn't know are never
touched, only counted: a database that is empty, or not the right one, wipes nothing.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gatekeeper.caller import Caller
from gatekeeper.errors import Conflict, NoSuchEvent, NotFound
from gatekeeper.evidence.kept import BUSY, Class, Erased, Own, Pictures, piece
from gatekeeper.evidence.outside import Database, Disk, Record
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retention import (
    DAY,
    Going,
    Piece,
    Plan,
    Planner,
    Policy,
    Thinner,
    lines,
    plan,
    size,
    words,
)
from gatekeeper.storage import events, keeping, pictures

FIRST = 60.0
"""Seconds from the start to the first look: the start has enough to do."""

EVERY = 3600.0
"""Seconds between two looks: what is kept goes over its bounds by an hour at most."""

PAUSE = 0.05
"""Seconds between two steps, for whoever waits to be stored."""

STEP = 200
"""Pieces in one step: some milliseconds of the writer's time."""

STEP_BYTES = 4_000_000
"""Bytes of events in one step, which are read again to be pruned; pictures aren't read."""

PAGE = 500
"""Rows looked at in one read."""

SCAN = 500
"""Files looked up in one read when those that nobody needs are counted."""

SCAN_EVERY = 24
"""Looks between two counts of the files: it reads the whole folder's names."""

JUMP = 14 * DAY
"""Seconds between two looks after which the clock isn't believed: it was set, or the site was off for long."""

GRACE = DAY
"""Seconds that the site must have run before it is believed all the same, so that somebody can see and correct it."""

CHECK = 60.0
"""Seconds between two looks at the disk: at 10 MB/s it loses 600 MB meanwhile."""

MINIMUM_FREE = 1_000_000_000
"""Bytes that should stay free on the data folder's disk: for events, a copy before a migration, and the system."""

LEAST = 0.25
"""Share of the minimum below which no picture is stored any more: what is left is for events."""

RECOVERED = 1.2
"""Times the minimum that must be free until the disk counts as well again."""

THINNED = 4
"""Of new pictures every n-th is stored while the disk is low."""

LOOKED = "retention_at"
"""The note of when the last look was, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """Files that the database doesn't know: how many, and their bytes. They are left alone."""

    count: int
    size: int


class Housekeeping:
    """Keeps what is kept within its bounds.

    :param classes: what is kept, in the order in which it is looked at; `add` takes more.
    :param pictures: the class of pictures among them: what goes on demand, and when the disk fills up.
    :param folder: the pictures' files.
    :param record: `Journal.record`.
    :param reactor: clock.
    :param wall: Unix seconds now.
    :param disk: a thread for files, not the recorder's: counting them takes a while.
    :param ration: told to store only every n-th new picture, 0 for none.
    :param free: bytes free on the data folder's disk; asked in the disk's thread.
    :param minimum: bytes that should be free; below a quarter of it no picture is stored.
    """

    log = Logger()

    def __init__(
        self,
        *,
        classes: Sequence[Class],
        pictures: Pictures,
        folder: PictureFolder,
        database: Database,
        record: Record,
        reactor: Any,
        wall: Callable[[], float],
        disk: Disk,
        ration: Callable[[int], None] = lambda every: None,
        free: Callable[[], int] | None = None,
        minimum: int = MINIMUM_FREE,
    ) -> None:
        self._classes = list(classes)
        self._pictures = pictures
        self._folder = folder
        self._database = database
        self._record = record
        self._reactor = reactor
        self._wall = wall
        self._disk = disk
        self._ration = ration
        self._free = free or partial(free_bytes, folder.folder)
        self._minimum = minimum
        self._own: list[Own] = []
        self._lock = DeferredLock()
        self._timers: dict[str, IDelayedCall] = {}
        self._running = False
        self._stopped = False
        self._began = float(reactor.seconds())
        self._looks = 0
        self._over: set[str] = set()
        self._doubted = False
        self._every = 1
        self.orphans = Orphans(0, 0)

    def add(self, kept: Class) -> None:
        """Look after one more class."""
        self._classes.append(kept)

    def add_own(self, kept: Own) -> None:
        """Look after one more that has files of its own; when the disk fills up they go before those of events."""
        self.add(kept)
        self._own.append(kept)

    def start(self) -> None:
        """Begin; the first look is a while away."""
        self._running, self._stopped = True, False
        self._began = self._now
        self._again("look", FIRST, self._look)
        self._again("check", 0.0, self._check)

    def stop(self) -> None:
        """End: the step that is under way ends by itself."""
        self._running = False
        self._stopped = True
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        self._disk.stop()

    @property
    def _now(self) -> float:
        return float(self._reactor.seconds())

    def _again(self, name: str, seconds: float, what: Callable[[], Any]) -> None:
        if self._running:
            self._timers[name] = self._reactor.callLater(seconds, what)

    @inlineCallbacks
    def _look(self) -> Any:
        try:
            yield self._pictures.resume()
            for own in self._own:
                yield own.resume()
            yield self.run()
            if self._looks % SCAN_EVERY == 0:
                yield self.count_orphans()
                for own in self._own:
                    yield own.count_orphans()
            self._looks += 1
        except Exception as error:  # noqa: BLE001 - the boundary of one look: the next one comes
            self.log.warn("retention could not be looked after: {error!r}", error=error)
        self._again("look", EVERY, self._look)

    # --- retention -------------------------------------------------------------------------------------------------

    @inlineCallbacks
    def run(self) -> Any:
        """Take away what goes, class by class; one at a time with what goes on demand."""
        yield self._lock.acquire()
        try:
            believed = yield self._believes_the_clock()
            for kept in self._classes:
                policy = kept.policy if believed else Policy(None, kept.policy.bytes)
                yield self._run_class(kept, policy)
        finally:
            self._lock.release()

    @inlineCallbacks
    def _run_class(self, kept: Class, policy: Policy) -> Any:
        total: int = yield self._database.read(kept.total)
        planner = Planner(policy, self._wall(), total)
        yield self._take(kept, policy, planner)
        self._judge(kept, planner)

    @inlineCallbacks
    def _take(self, kept: Class, policy: Policy, planner: Planner | Thinner) -> Any:
        after: Any = None
        while not planner.done:
            page: list[Piece] = yield self._database.read(partial(_page, kept=kept, after=after))
            if not page:
                break
            after = page[-1].key
            for step in steps(planner.take(page)):
                yield kept.discard(step, _reason(policy, step))
                yield deferLater(self._reactor, PAUSE, lambda: None)
                if self._stopped:
                    return

    def _judge(self, kept: Class, planner: Planner) -> None:
        """Say once that a bound can't be kept, since all that is left must stay."""
        if not planner.over:
            self._over.discard(kept.name)
        elif kept.name not in self._over:
            self._over.add(kept.name)
            stays = ", ".join(f"{count} {reason}" for reason, count in sorted(planner.stays.items()))
            self._record(
                "storage.over_bound",
                f"{kept.name} take {size(planner.over)} more than they may, and nothing more can go: {stays}",
                outcome="alarm",
                details={"class": kept.name, "over": planner.over, "stays": dict(planner.stays)},
            )

    @inlineCallbacks
    def _believes_the_clock(self) -> Any:
        now = self._wall()
        noted: str | None = yield self._database.read(partial(keeping.note, key=LOOKED))
        if noted is not None and now - float(noted) > JUMP and self._now - self._began < GRACE:
            if not self._doubted:
                self._doubted = True
                days = (now - float(noted)) / DAY
                self._record(
                    "storage.clock_jumped",
                    f"{days:.0f} days went by since the last look, the clock says: for a day nothing goes for its age",
                    outcome="alarm",
                    details={"days": round(days, 1)},
                )
            return False
        yield self._database.write(partial(keeping.set_note, key=LOOKED, value=repr(now)))
        return True

    # --- on demand -------------------------------------------------------------------------------------------------

    @inlineCallbacks
    def erase(self, event: str, numbers: Sequence[int] | None, caller: Caller, reason: str) -> Any:
        """Erase pictures of one event, all if `numbers` is None; fire with `Erased` when they are gone.

        :raises NoSuchEvent: if no pictures belong to such an event.
        :raises NotFound: if it has no picture of such a number, or it is erased already.
        :raises Conflict: if it is on hold, or still being recorded.
        """
        yield self._lock.acquire()
        try:
            chosen = yield self._database.read(partial(_chosen, event=event, numbers=numbers))
            erased: Erased = yield self._pictures.erase(chosen, reason, caller, event)
            if len(erased.pictures) != len(chosen):
                raise Conflict("it was put on hold meanwhile")
            return erased
        finally:
            self._lock.release()

    # --- files that nobody knows -----------------------------------------------------------------------------------

    @inlineCallbacks
    def count_orphans(self) -> Any:
        """Count the files that the database doesn't know, and remove those of erased pictures that a crash left."""
        files: list[tuple[bytes, int]] = yield self._disk.run(lambda: list(self._folder.files()))
        count = total = 0
        for start in range(0, len(files), SCAN):
            sizes = dict(files[start : start + SCAN])
            unknown, unneeded = yield self._database.read(partial(keeping.unknown_and_unneeded, hashes=list(sizes)))
            # What is just being stored has a file and no row yet: only what is old is nobody's.
            old: list[bytes] = yield self._disk.run(partial(self._folder.older_than, unknown, self._wall() - DAY))
            count += len(old)
            total += sum(sizes[sha256] for sha256 in old)
            if unneeded:
                yield self._database.write(partial(keeping.remove_files, hashes=unneeded, remove=self._folder.remove))
        if count and count != self.orphans.count:
            self.log.warn("{count} files of pictures belong to no event; they are left alone", count=count)
            self._record(
                "storage.orphans",
                f"{count} files of pictures ({size(total)}) belong to no event; they are left alone",
                details={"count": count, "bytes": total},
            )
        self.orphans = Orphans(count, total)
        return self.orphans

    # --- the disk --------------------------------------------------------------------------------------------------

    @inlineCallbacks
    def _check(self) -> Any:
        try:
            free: int = yield self._disk.run(self._free)
            self._rate(free)
            if self._every != 1:
                yield self.thin(round(self._minimum * RECOVERED) - free)
        except Exception as error:  # noqa: BLE001 - the boundary of one look: the next one comes
            self.log.warn("the disk could not be looked at: {error!r}", error=error)
        self._again("check", CHECK, self._check)

    def _rate(self, free: int) -> None:
        low = free < self._minimum * (1 if self._every == 1 else RECOVERED)
        every = 1 if not low else 0 if free < self._minimum * LEAST else THINNED
        if every == self._every:
            return
        was, self._every = self._every, every
        self._ration(every)
        if every == 1:
            self._record("storage.recovered", f"{size(free)} are free on the disk again", details={"free": free})
        elif was == 1 or every == 0:
            less = "no picture is stored any more" if every == 0 else f"one picture in {THINNED} is stored"
            self._record(
                "storage.low",
                f"only {size(free)} are free on the disk: {less}, and of old ones some go",
                outcome="alarm",
                details={"free": free, "minimum": self._minimum},
            )

    @inlineCallbacks
    def thin(self, need: int) -> Any:
        """Erase pictures, never events, until so many bytes are free.

        First those that aren't evidence, the oldest first; then three in four of the oldest of events, then all.
        """
        yield self._lock.acquire()
        try:
            thinned = [(kept, True) for kept in self._own] + [(self._pictures, False), (self._pictures, True)]
            for kept, whole in thinned:
                thinner = Thinner(need, self._wall(), whole=whole)
                yield self._take(kept, Policy(), thinner)
                need = thinner.need
        finally:
            self._lock.release()


def free_bytes(folder: Path) -> int:
    """Return the bytes free on the disk of a folder, or of the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def steps(goes: Sequence[Going]) -> Iterator[list[Going]]:
    """Yield what goes in steps of one reason that are small in number and in bytes."""
    step: list[Going] = []
    total = 0
    for going in goes:
        full = len(step) >= STEP or (going.piece.file is None and total + going.piece.size > STEP_BYTES)
        if step and (full or going.why is not step[0].why):
            yield step
            step, total = [], 0
        step.append(going)
        total += going.piece.size
    if step:
        yield step


def dry_run(connection: Connection, classes: Sequence[Class], now: float, date: Callable[[float], str]) -> list[str]:
    """Return what retention would take away now, for people: lines for each class, with totals. Changes nothing.

    :param now: Unix seconds; `date` writes such as text.
    """
    text: list[str] = []
    for kept in classes:
        found: Plan = plan(kept.policy, now, kept.total(connection), _all(connection, kept))
        text += lines(kept.name, kept.policy, found, date)
    return text


def _all(connection: Connection, kept: Class) -> Iterator[Piece]:
    after: Any = None
    while page := kept.page(connection, after, PAGE):
        yield from page
        after = page[-1].key


def _page(connection: Connection, kept: Class, after: Any) -> list[Piece]:
    return kept.page(connection, after, PAGE)


def _reason(policy: Policy, step: Sequence[Going]) -> str:
    return words(policy, step[0].why)


def _chosen(connection: Connection, event: str, numbers: Sequence[int] | None) -> list[tuple[str, int]]:
    """Return what is to be erased on demand, or say why that can't be."""
    if pictures.bundle(connection, event) is None:
        what = "no pictures belong to this event" if events.get(connection, event) else "there is no event with this id"
        raise NoSuchEvent(what)
    found = {row.number: piece(row) for row in keeping.pictures_of(connection, event)}
    wanted = list(found) if numbers is None else list(dict.fromkeys(numbers))
    missing = [number for number in wanted if number not in found]
    if missing or not wanted:
        raise NotFound(f"picture {missing[0]} isn't kept" if missing else "no picture is kept any more")
    stays = next((found[number].stays for number in wanted if found[number].stays), None)
    if stays is not None:
        raise Conflict("the pictures are still being recorded" if stays == BUSY else f"the event is {stays}")
    return [(event, number) for number in wanted]

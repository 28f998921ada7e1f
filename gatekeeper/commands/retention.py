"""`gatekeeper retention`: what goes by the configuration's bounds, told or taken away now."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred, execute, succeed

from gatekeeper.commands.site import PICTURES, Opened, opened

if TYPE_CHECKING:
    from gatekeeper.evidence.housekeeping import Housekeeping
    from gatekeeper.evidence.kept import Class
    from gatekeeper.storage.connect import Blocking

ABOUT = """\
Take away what is older, or more, than the configuration's [retention] allows: oldest first, never what is on hold, and
never files that the database doesn't know. A running site does the same each hour. Removed records and pictures leave
signed statements, so that the rest can still be verified.
"""

T = TypeVar("T")
say = print


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `retention`."""
    it = commands.add_parser("retention", help="take away what is old, or say what would go", description=ABOUT)
    it.add_argument("--dry-run", action="store_true", help="only say what would go")
    it.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Say what goes, and take it away unless that is all that was asked."""
    from gatekeeper.evidence import housekeeping  # noqa: PLC0415 - most commands don't need it

    site = opened(arguments)
    with site.database() as database:
        house, classes = _house(site, database)

        def told() -> list[str]:
            return database.read(lambda connection: housekeeping.dry_run(connection, classes, time.time(), _date))

        for line in told():
            say(line)
        if arguments.dry_run:
            say("nothing was changed")
            return
        _done(house.run())
        say("done; now:")
        for line in told():
            say(line)


def _house(site: Opened, database: "Blocking") -> "tuple[Housekeeping, list[Class]]":
    from gatekeeper.evidence.housekeeping import Housekeeping  # noqa: PLC0415 - most commands don't need it
    from gatekeeper.evidence.kept import Events, Pictures  # noqa: PLC0415
    from gatekeeper.evidence.kept_samples import Samples  # noqa: PLC0415
    from gatekeeper.evidence.pictures import PictureFolder  # noqa: PLC0415
    from gatekeeper.evidence.retention import Policy  # noqa: PLC0415
    from gatekeeper.gallery.folder import SnapshotFolder  # noqa: PLC0415
    from gatekeeper.gallery.retention import Snapshots  # noqa: PLC0415
    from gatekeeper.gallery.rooms import SNAPSHOTS  # noqa: PLC0415

    bounds = site.settings.retention
    journal = site.journal(database)

    def record(kind: str, text: str, **more: Any) -> _Recorded:
        event = journal.record(kind, text, **more)
        return _Recorded(event.id, succeed(event))

    at_once, folder = _AtOnce(database), PictureFolder(site.data / PICTURES)
    pictures = Pictures(Policy(bounds.pictures.days, bounds.pictures.bytes), at_once, journal.seal, record, folder)
    events = Events(Policy(bounds.events.days, bounds.events.bytes), at_once, journal.seal)
    house = Housekeeping(
        classes=[pictures, events],
        pictures=pictures,
        folder=folder,
        database=at_once,
        record=record,
        reactor=_Clock(),
        wall=time.time,
        disk=_Disk(),
    )
    snapshots = Snapshots(
        Policy(bounds.snapshots.days, bounds.snapshots.bytes),
        database=at_once,
        folder=SnapshotFolder(site.data / SNAPSHOTS),
        disk=_Disk(),
        scanning=_Disk(),
        record=record,
        wall=time.time,
    )
    house.add_own(snapshots)
    samples = Samples(
        Policy(bounds.samples.days, bounds.samples.bytes), database=at_once, record=record, wall=time.time
    )
    house.add(samples)
    return house, [pictures, events, snapshots, samples]


# --- what the site's own housekeeping asks of others, done at once ---


@dataclass(frozen=True, slots=True)
class _Recorded:
    id: str
    stored: "Deferred[Any]"


class _AtOnce:
    """A blocking database for whoever waits for Deferreds: they have fired already."""

    def __init__(self, database: "Blocking") -> None:
        self._database = database

    def write(self, work: "Callable[[Any], T]", /) -> "Deferred[T]":
        return execute(self._database.write, work)

    def read(self, work: "Callable[[Any], T]", /) -> "Deferred[T]":
        return execute(self._database.read, work)


class _Disk:
    def run(self, work: Callable[[], T], /) -> "Deferred[T]":
        return execute(work)

    def stop(self) -> None:
        pass


class _Clock:
    """Pauses by sleeping: the running site's writer has its turn between two steps, as it has between its own."""

    def seconds(self) -> float:
        return 0.0  # it began just now, and doesn't believe a clock that jumped since the last look

    def callLater(self, delay: float, what: Callable[..., Any], *args: Any) -> None:
        time.sleep(delay)
        what(*args)


def _done(answer: "Deferred[Any]") -> None:
    failed: list[Any] = []
    answer.addErrback(failed.append)
    if failed:
        failed[0].raiseException()


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))

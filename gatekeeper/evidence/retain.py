"""Retention without a reactor, for the command line: `gatekeeper retention [--dry-run]`; also beside a running site."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.caller import Caller
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.housekeeping import Housekeeping, dry_run
from gatekeeper.evidence.kept import Class, Events, Pictures
from gatekeeper.evidence.outside import Database, Entry, Record
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retention import Policy
from gatekeeper.storage.appender import Seal
from gatekeeper.storage.connect import Blocking

T = TypeVar("T")


def classes(
    settings: config.Retention, database: Database, seal: Seal, record: Record, folder: PictureFolder
) -> tuple[Pictures, list[Class]]:
    """Return what is kept, by the configuration: the class of pictures, and all classes in the order to look at them.

    Pictures come before events: an event stays as long as its pictures.
    """
    kept = Pictures(policy(settings.pictures), database, seal, record, folder)
    return kept, [kept, Events(policy(settings.events), database, seal)]


def policy(kept: config.Kept) -> Policy:
    """Return a class's bounds."""
    return Policy(kept.days, kept.bytes)


def would_go(
    database: Blocking, journal: BlockingJournal, folder: PictureFolder, settings: config.Retention, now: float
) -> list[str]:
    """Return what retention would take away now, for people: a line each. Changes nothing.

    :raises StorageUnavailable: if the database can't be read.
    """
    direct = Direct(database, journal)
    _, kept = classes(settings, direct, journal.seal, direct, folder)
    return database.read(lambda connection: dry_run(connection, kept, now, _date))


def retain(
    database: Blocking,
    journal: BlockingJournal,
    folder: PictureFolder,
    settings: config.Retention,
    wall: Callable[[], float] = time.time,
) -> None:
    """Take away what goes.

    :raises StorageUnavailable: if the database can't be had; what went before is gone, and the record says so.
    """
    direct = Direct(database, journal)
    pictures, kept = classes(settings, direct, journal.seal, direct, folder)
    keeper = Housekeeping(
        classes=kept,
        pictures=pictures,
        folder=folder,
        database=direct,
        record=direct,
        reactor=Clock(),
        wall=wall,
        disk=direct,
        pause=0.0,
    )
    for step in (pictures.resume, keeper.run):
        failed: list[Failure] = []
        step().addErrback(failed.append)
        if failed:
            failed[0].raiseException()


class Direct:
    """Database, disk and journal that answer before they return."""

    def __init__(self, database: Blocking, journal: BlockingJournal) -> None:
        self._database = database
        self._journal = journal

    def write(self, work: Callable[[Connection], T], /) -> "Deferred[T]":
        return self.run(lambda: self._database.write(work))

    def read(self, work: Callable[[Connection], T], /) -> "Deferred[T]":
        return self.run(lambda: self._database.read(work))

    def run(self, work: Callable[[], T], /) -> "Deferred[T]":
        try:
            return succeed(work())
        except Exception:  # noqa: BLE001 - whoever waits is told
            return fail(Failure())

    def stop(self) -> None:
        pass

    def __call__(
        self,
        kind: str,
        text: str,
        *,
        subject: str | None = None,
        caller: Caller | None = None,
        cause: str | None = None,
        outcome: str = "ok",
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Entry:
        event = self._journal.record(
            kind,
            text,
            subject=subject,
            caller=caller,
            cause=cause,
            outcome=outcome,
            reason=reason,
            details=details,
        )
        return _Stored(event.id)


class _Stored:
    def __init__(self, event: str) -> None:
        self.id = event

    @property
    def stored(self) -> "Deferred[Any]":
        return succeed(None)


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))

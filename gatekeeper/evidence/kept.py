"""The classes of what is kept: each says how much it has, what is oldest, and how it goes.

Others add theirs (kept pictures, samples) by one more object with these four names: nothing else has to know.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gatekeeper.caller import Caller
from gatekeeper.evidence.outside import Database, Record
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retention import Going, Piece, Policy
from gatekeeper.storage import keeping, pruning
from gatekeeper.storage.appender import Seal
from gatekeeper.storage.events import site_of
from gatekeeper.storage.keeping import OldPicture

HELD = "on hold"
PICTURED = "pictures are kept with it"
BUSY = "still being recorded"

ANNOUNCED = 20
"""Newest events of erasure that are looked through for the statements that the last run signed: it ended after one."""

ERASURES = "erasures_done"
"""The note of the last signed statement about erased pictures after which event and files are done, too."""


class Class(Protocol):
    """One class of what is kept."""

    @property
    def name(self) -> str: ...

    @property
    def policy(self) -> Policy: ...

    def total(self, connection: Connection) -> int:
        """Return the bytes of all that there is."""

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        """Return the next pieces after a key, oldest first; `after` None begins."""

    def discard(self, goes: Sequence[Going], reason: str) -> "Deferred[None]":
        """Take these away, unless they are on hold by now; fires when they are gone and the record says so."""


class Own(Class, Protocol):
    """A class with files of its own, of which none belongs to an event."""

    def resume(self) -> "Deferred[Any]":
        """Finish what a killed process began."""

    def count_orphans(self) -> "Deferred[Any]":
        """Count the files that the database doesn't know; they are left alone."""


class Events:
    """The record itself: signed statements bridge what goes. An event stays as long as pictures that belong to it."""

    name = "events"

    def __init__(self, policy: Policy, database: Database, seal: Seal) -> None:
        self.policy = policy
        self._database = database
        self._seal = seal

    def total(self, connection: Connection) -> int:
        return keeping.events_total(connection)

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        found = keeping.oldest_events(connection, 0 if after is None else after[0], limit)
        return [
            Piece((row.sequence, row.id), row.time, row.size, HELD if row.held else PICTURED if row.pictured else None)
            for row in found
        ]

    def discard(self, goes: Sequence[Going], reason: str) -> "Deferred[None]":
        keys: list[Any] = [going.piece.key for going in goes]

        def work(connection: Connection) -> None:
            for first, last in ranges([key[0] for key in keys]):
                done = first - 1
                while done < last:
                    done = pruning.prune(connection, self._seal, done + 1, last, reason).last
            keeping.forget_events(connection, [key[1] for key in keys])

        return self._database.write(work)


def ranges(sequences: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run without a gap: what stays, and what was gone before, cuts them."""
    first: int | None = None
    for place, sequence in enumerate(sequences):
        if first is None:
            first = sequence
        if place + 1 == len(sequences) or sequences[place + 1] != sequence + 1:
            yield first, sequence
            first = None


@dataclass(frozen=True, slots=True)
class Erased:
    """Pictures that were flagged as erased: of which events, and the numbers of the signed statements."""

    pictures: tuple[tuple[str, int, bytes], ...]
    statements: tuple[int, ...]


class Pictures:
    """The pictures: rows are flagged and signed for, the record says so, and files go when nobody needs them."""

    name = "pictures"
    log = Logger()

    def __init__(self, policy: Policy, database: Database, seal: Seal, record: Record, folder: PictureFolder) -> None:
        self.policy = policy
        self._database = database
        self._seal = seal
        self._record = record
        self._folder = folder

    def total(self, connection: Connection) -> int:
        return keeping.pictures_total(connection)

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        found = keeping.oldest_pictures(connection, (float("-inf"), "", 0) if after is None else after, limit)
        return [piece(row) for row in found]

    def discard(self, goes: Sequence[Going], reason: str) -> "Deferred[None]":
        keys: list[Any] = [going.piece.key for going in goes]
        erasing = self.erase([(event, number) for _, event, number in keys], reason, by=None)
        return erasing.addCallback(lambda _: None)

    @inlineCallbacks
    def erase(self, keys: Sequence[tuple[str, int]], reason: str, by: Caller | None, cause: str | None = None) -> Any:
        """Erase pictures that aren't on hold nor still being recorded; fire with `Erased` when their files are gone.

        :param keys: event and number of each.
        :param by: who wants it; None for retention.
        :param cause: the event that it belongs to, if it is one.
        """
        erased: Erased = yield self._database.write(partial(self._flag, keys=keys, reason=reason, by=by))
        if erased.pictures:
            yield self._announce(erased, reason, by, cause)
            yield self._remove(erased)
        return erased

    def _flag(self, connection: Connection, keys: Sequence[tuple[str, int]], reason: str, by: Caller | None) -> Erased:
        flagged = keeping.flag_erased(connection, keys)
        site = site_of(connection)
        statements = []
        for event in dict.fromkeys(event for event, _, _ in flagged):
            sequence, hash_ = keeping.record_of(connection, event)
            hashes = [sha256.hex() for one, _, sha256 in flagged if one == event]
            who = "retention" if by is None else str(by)
            text, signature, key = self._seal.sign(
                "erased", site, sequence, hash_, event=event, pictures=hashes, by=who, reason=reason
            )
            signed = keeping.Signature(text, signature, key)
            statements.append(keeping.sign_erased(connection, sequence, signed))
        return Erased(tuple(flagged), tuple(statements))

    def _announce(self, erased: Erased, reason: str, by: Caller | None, cause: str | None) -> "Deferred[Any]":
        listed: dict[str, list[list[Any]]] = {}
        for event, number, sha256 in erased.pictures:
            listed.setdefault(event, []).append([number, sha256.hex()])
        count, actions = len(erased.pictures), len(listed)
        what = f"{count} {'picture' if count == 1 else 'pictures'} of {actions} {'event' if actions == 1 else 'events'}"
        return self._record(
            "evidence.erased",
            f"{what} erased: {reason}",
            caller=by,
            cause=cause,
            reason=reason,
            details={
                "by": "retention" if by is None else str(by),
                "statements": list(erased.statements),
                "erased": [{"event": event, "pictures": found} for event, found in listed.items()],
            },
        ).stored

    @inlineCallbacks
    def _remove(self, erased: Erased) -> Any:
        """Remove the files that nobody needs any more; in a later transaction than the one that flagged."""

        def work(connection: Connection) -> list[tuple[bytes, str]]:
            hashes = [sha256 for _, _, sha256 in erased.pictures]
            failed = keeping.remove_files(connection, hashes, self._folder.remove)
            if erased.statements:
                keeping.set_note(connection, ERASURES, str(max(erased.statements)))
            return failed

        failed: list[tuple[bytes, str]] = yield self._database.write(work)
        if failed:
            why = failed[0][1]
            self.log.error("{count} files of erased pictures could not be removed: {why}", count=len(failed), why=why)
            yield self._record(
                "evidence.not_removed",
                f"{len(failed)} files of erased pictures could not be removed: {why}",
                outcome="alarm",
                reason=why,
                details={"sha256": [sha256.hex() for sha256, _ in failed]},
            ).stored

    @inlineCallbacks
    def resume(self) -> Any:
        """Finish what a killed process began: erased and signed for, and neither told nor removed."""
        for erased, told, reason in (yield self._database.read(_unfinished)):
            if not told:
                yield self._announce(erased, reason, None, None)
            yield self._remove(erased)


def piece(row: OldPicture) -> Piece:
    """Return a picture for a plan."""
    return Piece(
        key=(row.received, row.event, row.number),
        time=row.received,
        size=row.size,
        stays=HELD if row.held else BUSY if row.busy else None,
        file=row.sha256,
        sharers=row.sharers,
        number=row.number,
    )


def _unfinished(connection: Connection) -> list[tuple[Erased, bool, str]]:
    done = int(keeping.note(connection, ERASURES) or 0)
    found = []
    told: set[int] | None = None
    for number, text in keeping.statements_after(connection, done):
        statement = json.loads(text)
        if statement.get("type") != "erased":
            continue
        if told is None:
            bodies = keeping.bodies_of(connection, "evidence.erased", ANNOUNCED)
            told = {one for body in bodies for one in json.loads(body)["details"].get("statements", ())}
        hashes = {bytes.fromhex(one) for one in statement["pictures"]}
        rows = [row for row in keeping.erased_of(connection, statement["event"]) if row[2] in hashes]
        found.append((Erased(tuple(rows), (number,)), number in told, str(statement["reason"])))
    return found

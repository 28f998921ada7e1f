"""The record for callers, whatever wire they come by: structs in, structs out, errors raised.

Whoever calls says who it is for (`Caller`) and what they may see: `visible`, which is also asked in the database's
threads and must only look. An event that they may not see is one that doesn't exist. What takes long is done in a
thread of its own: reading files, hashing, packing.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.threadpool import ThreadPool

from gatekeeper.caller import Caller
from gatekeeper.errors import NoSuchEvent, Overloaded
from gatekeeper.evidence.case import Case, Frame, Frames, collect
from gatekeeper.evidence.chain import Signed
from gatekeeper.evidence.event import Event, Query
from gatekeeper.evidence.export import Exported, export, sweep
from gatekeeper.evidence.follow import Following
from gatekeeper.evidence.inspect import Finding, finding
from gatekeeper.evidence.journal import Journal
from gatekeeper.evidence.pages import EventPage
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage import events as rows
from gatekeeper.storage.events import Row

__all__ = ["EventPage", "Events", "RecordText", "SignedText", "Verification"]

EXPORTS = 4
"""Exports that wait for the one thread that packs; more are refused."""

Visible = Callable[[Event], bool]
T = TypeVar("T")


class RecordText(msgspec.Struct, frozen=True):
    """A record to be checked by whoever asked: the hashes in hex, the body as the exact text, or None if it is gone."""

    sequence: int
    previous: str
    hash: str
    body: str | None


class SignedText(msgspec.Struct, frozen=True):
    """A signed statement: its exact text, the Ed25519 signature in hex."""

    statement: str
    signature: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What the server found, and what a browser needs to find it itself.

    :ivar sound: whether nothing is wrong, as far as was looked.
    :ivar checked: how many records between the two signed statements were checked; `first` to `last`.
    :ivar begin: the checkpoint before `records`, or None if they begin with the first of all; `end` the statement
        (checkpoint or head) about the last.
    :ivar records: all of them, if the caller may see all; else the event's own alone.
    :ivar whole: whether `records` are all.
    :ivar keys: key id -> public key in hex, `key` the one that signs now.
    """

    event: str
    sequence: int
    hash: str
    sound: bool
    checked: int
    first: int
    last: int
    begun: float | None
    ended: float | None
    problems: list[Finding]
    site: str
    key: str
    keys: dict[str, str]
    whole: bool
    begin: SignedText | None
    end: SignedText
    statements: list[SignedText]
    records: list[RecordText]


class Threads(Protocol):
    """What packs: a `ThreadPool`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def callInThreadWithCallback(self, told: Callable[[bool, Any], None], work: Callable[[], Any]) -> None: ...


class Events:
    """All events of a site.

    :param journal: where they are recorded.
    :param database: where they are read.
    :param signer: who signs.
    :param reactor: threads.
    :param wall: Unix seconds now.
    :param frames: an event's pictures, read in a transaction.
    :param folder: where exports wait to be fetched.
    :param threads: where they are packed; a pool of one by itself.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        database: Any,
        signer: Signer,
        reactor: Any,
        wall: Callable[[], float],
        frames: Frames,
        folder: Path,
        threads: Threads | None = None,
    ) -> None:
        self._journal = journal
        self._database = database
        self._signer = signer
        self._reactor = reactor
        self._wall = wall
        self._frames = frames
        self._folder = folder
        self._pool: Threads = threads or ThreadPool(minthreads=0, maxthreads=1, name="exports")
        self._exporting = 0
        self._stopped = False

    def start(self) -> None:
        """Start the thread that packs."""
        self._pool.start()

    def stop(self) -> None:
        """Stop it; an export under way fails."""
        self._stopped = True
        self._pool.stop()

    # --- looking ---

    def list(self, query: Query, visible: Visible) -> "Deferred[EventPage]":
        """Return events, newest first unless the query says otherwise."""
        return self._journal.list(query, visible)

    def recent(self, visible: Visible) -> tuple[Event, ...]:
        """Return the newest events, oldest first, from memory."""
        return tuple(event for event in self._journal.recent() if visible(event))

    def get(self, event: str, visible: Visible) -> "Deferred[Event]":
        """Return one event.

        :raises NoSuchEvent: if there is none that they may see.
        """
        return self._journal.get(event, visible)

    def follow(self, after: int | None, deliver: Callable[[Event], Any], visible: Visible) -> Following:
        """Deliver what came after a sequence, then what happens; see `Following`."""
        return self._journal.follow(after, deliver, visible)

    @inlineCallbacks
    def frame(self, event: str, number: int, visible: Visible) -> Any:
        """Return one picture of an event, a `Frame` whose file is there.

        :raises NoSuchEvent: if there is no such event that they may see, or no such picture any more.
        """
        yield self._journal.get(event, visible)
        frames: list[Frame] = yield self._database.read(lambda connection: list(self._frames(connection, event)))
        for frame in frames:
            if frame.number == number and frame.path is not None:
                return frame
        raise NoSuchEvent("the event has no such picture, or it isn't kept any more")

    # --- holding ---

    def hold(self, event: str, caller: Caller, visible: Visible, reason: str | None = None) -> "Deferred[Event]":
        """Keep an event and all that belongs to it from retention; fires with it as it is then."""
        return self._hold(event, caller, visible, held=True, reason=reason)

    def release(self, event: str, caller: Caller, visible: Visible, reason: str | None = None) -> "Deferred[Event]":
        """Let retention have it again."""
        return self._hold(event, caller, visible, held=False, reason=reason)

    @inlineCallbacks
    def _hold(self, event: str, caller: Caller, visible: Visible, *, held: bool, reason: str | None) -> Any:
        before: Event = yield self._journal.get(event, visible)
        changed: list[Row] = yield self._database.write(lambda connection: rows.hold(connection, event, held))
        after: Event = yield self._journal.get(event, visible)
        if changed and before.held != held:
            self._journal.record(
                "evidence.held" if held else "evidence.released",
                f"{caller} {'put' if held else 'took'} {before.kind} {'on' if held else 'off'} hold",
                subject=before.subject,
                caller=caller,
                cause=event,
                reason=reason,
                details={"event": event, "events": [row.id for row in changed]},
            )
        return after

    # --- proving ---

    @inlineCallbacks
    def verify(self, event: str, visible: Visible) -> Any:
        """Check an event's record and the chain around it; fires with a `Verification`."""
        case: Case = yield self._collect(event, visible)
        return verification(case, self._signer)

    @inlineCallbacks
    def export(self, event: str, caller: Caller, visible: Visible) -> Any:
        """Write a case; fires with `Exported`: the file is the caller's to send and to remove.

        :raises Overloaded: if too many are being written, or wait to be fetched.
        """
        if self._exporting >= EXPORTS:
            raise Overloaded("too many exports at once")
        self._exporting += 1
        try:
            case: Case = yield self._collect(event, visible)
            exported: Exported = yield self._in_thread(partial(self._export, case, str(caller)))
        finally:
            self._exporting -= 1
        self._journal.record(
            "evidence.exported",
            f"{caller} exported {case.event.kind} with {exported.pictures} pictures",
            subject=case.event.subject,
            caller=caller,
            cause=event,
            details={"event": event, "pictures": exported.pictures, "bytes": exported.size, "whole": case.whole},
        )
        return exported

    def _export(self, case: Case, by: str) -> Exported:
        moment = self._wall()
        if self._folder.exists():
            sweep(self._folder, moment)
        return export(case, self._signer, moment, by, self._folder, stopped=lambda: self._stopped)

    def _collect(self, event: str, visible: Visible) -> "Deferred[Case]":
        keys, frames = self._signer.keys, self._frames
        reading: Deferred[Case] = self._database.read(
            lambda connection: collect(connection, event, keys, frames, visible)
        )
        return reading

    def _in_thread(self, work: Callable[[], T]) -> "Deferred[T]":
        done: Deferred[T] = Deferred()

        def told(succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(done.callback if succeeded else done.errback, result)

        self._pool.callInThreadWithCallback(told, work)
        return done


def verification(case: Case, signer: Signer) -> Verification:
    """Return a case for somebody who wants to check it."""
    row = next(one for one in case.rows if one.id == case.event.id)
    begun, ended = (None if one is None else signer.read(one, case.site) for one in (case.begin, case.end))
    return Verification(
        event=case.event.id,
        sequence=row.sequence,
        hash=row.hash.hex(),
        sound=not case.problems,
        checked=len(case.run),
        first=case.run[0].sequence if case.run else 0,
        last=case.run[-1].sequence if case.run else 0,
        begun=None if begun is None else begun.time,
        ended=None if ended is None else ended.time,
        problems=[finding(problem) for problem in case.problems],
        site=case.site,
        key=signer.id,
        keys={name: key.hex() for name, key in signer.keys.items()},
        whole=case.whole,
        begin=None if case.begin is None else _signed(case.begin),
        end=_signed(case.end),
        statements=[_signed(one) for one in case.statements],
        records=[_record(one) for one in (case.run if case.whole else [row])],
    )


def _signed(signed: Signed) -> SignedText:
    return SignedText(signed.text.decode("utf-8", "replace"), signed.signature.hex())


def _record(row: Row) -> RecordText:
    body = None if row.body is None else row.body.decode("utf-8", "replace")
    return RecordText(row.sequence, row.previous.hex(), row.hash.hex(), body)

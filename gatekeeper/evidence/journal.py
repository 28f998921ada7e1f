"""The record of what happened, as the site writes it: told in a moment, stored in order, and then heard by all.

`record` never waits and never raises: doors and video go on whatever the database does. While it can't store, entries
wait in memory, bounded, and are tried again in their order; what has to give way is counted, and the record says so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.caller import ITSELF, Caller
from gatekeeper.errors import NoSuchEvent, Overloaded, StorageUnavailable
from gatekeeper.evidence.entry import Entry, Waiting
from gatekeeper.evidence.event import Drafts, Event, Query, event_of
from gatekeeper.evidence.follow import Following
from gatekeeper.evidence.pages import EventPage, everything, look
from gatekeeper.evidence.seal import ChainSeal
from gatekeeper.evidence.signing import Signer
from gatekeeper.evidence.tail import KEPT, Tail
from gatekeeper.storage import events as rows
from gatekeeper.storage.appender import Appender, End
from gatekeeper.storage.events import Row

__all__ = ["KEPT", "Entry", "Event", "EventPage", "Journal", "Query"]

BATCH = 100
"""Entries in one commit: all are told in one turn of the reactor, and doors and video come in between."""

RETRY = 1.0
"""Seconds until storing is tried again, if the database doesn't say before that it is well."""

CLOSE = 2.0
"""Seconds for what waits when the site stops; the whole stop has less than five."""

FOLLOWERS = 1000
"""At once: browsers and scripts; each costs a page of memory at most."""

T = TypeVar("T")


class Store(Protocol):
    """What is written to and read from: `storage.database.Database`."""

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]": ...

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]": ...

    def observe(self, observer: Callable[[Any], None]) -> None: ...


class Journal:
    """A site's record.

    :param database: where it is kept.
    :param signer: who signs it.
    :param reactor: the clock.
    :param wall: Unix seconds now.
    :ivar seal: what chains and signs, for whoever prunes.
    """

    log = Logger()

    def __init__(self, database: Store, signer: Signer, reactor: Any, wall: Callable[[], float]) -> None:
        self._database = database
        self._reactor = reactor
        self._drafts = Drafts(wall, reactor.seconds)
        self.seal = ChainSeal(signer, self._drafts)
        self._appender = Appender(self.seal)
        self._tail = Tail(database, reactor)
        self._waiting = Waiting()
        self._sending: list[Entry] = []
        self._ready = False
        self._again = False  # whether what is sent may have been stored before
        self._singly = 0  # entries to send one by one, to find the one that can't be stored
        self._pause: Any = None
        self._count = 0
        self._closing: Deferred[None] | None = None
        self._closed = False
        self._followers: set[Following] = set()
        self._tail.observe(self._wake)

    def start(self) -> None:
        """Begin to store; what was recorded before has waited."""
        self._database.observe(self._health_changed)
        self._tail.start(self._begin)

    @property
    def run(self) -> str:
        """The id of this run of the program, which stands in every event."""
        return self._drafts.run

    @property
    def waiting(self) -> int:
        """How many events wait to be stored."""
        return len(self._waiting) + len(self._sending)

    # --- telling ---

    def record(
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
        """Tell that something happened.

        :param cause: the id of the event that led to it.
        :returns: its id, and a Deferred for the stored event.
        """
        pending = self._drafts.draft(
            kind,
            text,
            subject=subject,
            caller=caller,
            cause=cause,
            outcome=outcome,
            reason=reason,
            details=details,
        )
        self._count += 1
        entry = Entry(pending, self._count)
        if self._closed or self._closing is not None:
            self.log.warn("told after the end, and not kept: {kind}: {text}", kind=kind, text=text)
            entry.failed(StorageUnavailable("the record is closed"))
            return entry
        self._waiting.put(entry)
        self._send()
        return entry

    # --- storing ---

    def _begin(self) -> None:
        self._ready = True
        self._send()

    def _send(self) -> None:
        if self._sending or self._pause is not None or not self._ready or self._closed or not len(self._waiting):
            return
        batch = self._sending = self._waiting.take(1 if self._singly else BATCH)
        pending, again = [entry.pending for entry in batch], self._again
        storing = self._database.write(lambda connection: self._appender(connection, pending, again=again))
        storing.addCallbacks(self._stored, self._not_stored)

    def _stored(self, stored: Sequence[Row]) -> None:
        batch, self._sending = self._sending, []
        self._again, self._singly = False, max(0, self._singly - 1)
        if self._closed:
            return
        newest = max(stored)
        self._appender.remember(End(newest.sequence, newest.hash))
        found = [event_of(row) for row in stored]
        for entry, event in zip(batch, found, strict=True):
            entry.done(event)
        self._tail.committed(found)
        self._tell_lost()
        self._send()
        self._end_if_done()

    def _not_stored(self, failure: Failure) -> None:
        batch, self._sending = self._sending, []
        if self._closed:
            return
        if failure.check(StorageUnavailable):
            self._waiting.put_back(batch)
            self._again = True
            self._pause = self._reactor.callLater(RETRY, self._resume)
            return
        self.log.failure("{count} events can't be stored", failure, count=len(batch))
        if len(batch) > 1:
            self._waiting.put_back(batch)
            self._singly = len(batch)
        else:
            self._singly = max(0, self._singly - 1)
            self._waiting.lost[batch[0].pending.kind] += 1
            batch[0].failed(StorageUnavailable("this event can't be stored"))
        self._pause = self._reactor.callLater(0, self._resume)  # not at once: this might go on for ever

    def _resume(self) -> None:
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
        self._pause = None
        self._send()
        self._end_if_done()

    def _health_changed(self, health: Any) -> None:
        if health.state == "ok" and self._pause is not None:
            self._resume()

    def _tell_lost(self) -> None:
        lost = self._waiting.lost
        if lost and self._closing is None:
            self._waiting.lost = type(lost)()
            count = lost.total()
            self.record(
                "events.lost",
                f"{count} event{'s' if count > 1 else ''} could not be kept while nothing could be stored",
                caller=ITSELF,
                outcome="alarm",
                details={"count": count, "kinds": dict(lost.most_common(100))},
            )

    # --- ending ---

    def close(self) -> "Deferred[None]":
        """Store what waits, for `CLOSE` seconds at most, and end; fires when that is done or given up."""
        if self._closed:
            return succeed(None)
        done: Deferred[None] = Deferred()
        if self._closing is None:
            self._closing = Deferred()
            late = self._reactor.callLater(CLOSE, self._end)
            self._closing.addBoth(lambda _: late.cancel() if late.active() else None)
        self._closing.addCallback(lambda _: done.callback(None))
        self._end_if_done()
        return done

    def _end_if_done(self) -> None:
        if self._closing is not None and not self.waiting and not self._closed:
            self._end()

    def _end(self) -> None:
        self._closed = True
        for following in tuple(self._followers):
            following.stop()
        self._tail.stop()
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
        left = [*self._sending, *self._waiting.take(len(self._waiting))]
        if left:
            self.log.error("{count} events could not be stored before the end", count=len(left))
        for entry in left:
            entry.failed(StorageUnavailable("the record was closed first (it may or may not be stored)"))
        if self._closing is not None:
            self._closing.callback(None)

    # --- asking ---

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Call `observer` with each event from now on: after its commit, in order, whichever process stored it."""
        self._tail.observe(observer)

    def recent(self) -> tuple[Event, ...]:
        """Return the newest events, oldest first."""
        return self._tail.recent()

    def list(self, query: Query, visible: Callable[[Event], bool] = everything) -> "Deferred[EventPage]":
        """Return the events that a query asks for and the caller may see, in pages read off the reactor thread."""
        return self._database.read(lambda connection: look(connection, query, visible))

    def get(self, event: str, visible: Callable[[Event], bool] = everything) -> "Deferred[Event]":
        """Return one event.

        :raises NoSuchEvent: if there is none that the caller may see.
        """

        def find(row: Row | None) -> Event:
            found = None if row is None else event_of(row)
            if found is None or not visible(found):
                raise NoSuchEvent("there is no event with this id, or it isn't kept any more")
            return found

        return self._database.read(lambda connection: rows.get(connection, event)).addCallback(find)

    def follow(
        self,
        after: int | None,
        deliver: Callable[[Event], Any],
        visible: Callable[[Event], bool] = everything,
    ) -> Following:
        """Deliver what came after a sequence, and then each event that happens, once and in order.

        :raises Overloaded: if too many follow.
        """
        if len(self._followers) >= FOLLOWERS:
            raise Overloaded("too many follow the record")
        following = Following(self._tail, self._database, self._reactor, after=after, deliver=deliver, visible=visible)
        if not following.ended.called:
            self._followers.add(following)
            following.ended.addBoth(self._unfollow, following)
        return following

    def _unfollow(self, result: Any, following: Following) -> Any:
        self._followers.discard(following)
        return result

    def _wake(self, event: Event) -> None:
        for following in tuple(self._followers):
            following.wake()

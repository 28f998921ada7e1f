"""The newest events, in the order of their sequences, whichever process stored them.

Events of this process come as they are committed. Where their sequences jump, another process (the command line) has
stored some in between: these are read first. A look every second finds them when nothing else happens. Everybody who
observes hears each event once, in order.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.errors import StorageUnavailable
from gatekeeper.evidence.event import Event, Query, event_of
from gatekeeper.storage import events as rows

KEPT = 500
"""Events in memory; at a few hundred bytes each that is a fraction of one camera frame's memory per camera."""

TURN = 100
"""Events read and told in one turn of the reactor: doors and video come in between."""

LOOK = 1.0
"""Seconds between looks for what other processes stored, and until a read that failed is tried again."""

T = TypeVar("T")


class Readable(Protocol):
    """What is read from: `storage.database.Database`."""

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]": ...


class Tail:
    """The end of the record as it grows.

    :param database: where events are read.
    :param reactor: the clock.
    :ivar last: the newest sequence that the observers have heard of; 0 before `start` has read.
    """

    log = Logger()

    def __init__(self, database: Readable, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._observers: list[Callable[[Event], None]] = []
        self._ready: Callable[[], None] = lambda: None
        self._reading = False
        self._behind = False
        self._call: Any = None
        self._stopped = False
        self.last = 0

    def start(self, ready: Callable[[], None]) -> None:
        """Read the newest events; call `ready` when they are there, however long it takes."""
        self._ready = ready
        self._reading = True
        self._read(lambda connection: rows.find(connection, Query(limit=KEPT)), self._loaded)

    def stop(self) -> None:
        """Tell nothing more."""
        self._stopped = True
        if self._call is not None and self._call.active():
            self._call.cancel()

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Call `observer` with each event from now on."""
        self._observers.append(observer)

    def recent(self) -> tuple[Event, ...]:
        """Return the newest events, oldest first."""
        return tuple(self._events)

    def after(self, sequence: int) -> list[Event] | None:
        """Return the events after a sequence if memory holds all of them, else None."""
        events = self._events
        if not events or events[0].sequence > sequence + 1:
            return None
        found: list[Event] = []
        for event in reversed(events):  # hundreds ask after each event, and mostly want the last
            if event.sequence <= sequence:
                break
            found.append(event)
        return found[::-1]

    def committed(self, events: Sequence[Event]) -> None:
        """Hear of events that this process has stored, after their commit, in order."""
        expected = range(self.last + 1, self.last + 1 + len(events))
        if self._reading or [event.sequence for event in events] != list(expected):
            self._catch_up()  # they are in the database: what is between is read with them
            return
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        self.last = event.sequence
        self._events.append(event)
        for observer in tuple(self._observers):
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - the boundary to whoever listens: the others must hear it all the same
                self.log.failure("an observer failed at event {sequence}", sequence=event.sequence)

    # --- reading ---

    def _loaded(self, found: list[rows.Row]) -> None:
        self._reading = False
        self._events.extend(event_of(row) for row in reversed(found))
        self.last = self._events[-1].sequence if self._events else 0
        self._ready()
        self._rest()

    def _rest(self) -> None:
        if not self._stopped and not self._reading and (self._call is None or not self._call.active()):
            self._call = self._reactor.callLater(LOOK, self._look)

    def _look(self) -> None:
        self._read(rows.newest, lambda newest: self._catch_up() if newest > self.last else self._rest())

    def _catch_up(self) -> None:
        if self._reading:
            self._behind = True
            return
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._reading = True
        wanted = Query(after=self.last, order="oldest", limit=TURN)
        self._read(lambda connection: rows.find(connection, wanted), self._caught_up)

    def _caught_up(self, found: list[rows.Row]) -> None:
        self._reading = False
        for row in found:
            self._tell(event_of(row))
        if len(found) == TURN or self._behind:
            self._behind = False
            self._catch_up()
        else:
            self._rest()

    def _read(self, work: Callable[[Connection], T], then: Callable[[T], None]) -> None:
        if not self._stopped:
            reading = self._database.read(work)
            reading.addCallback(lambda found: None if self._stopped else then(found))
            reading.addErrback(self._failed, work, then)

    def _failed(self, failure: Failure, work: Callable[[Connection], T], then: Callable[[T], None]) -> None:
        if not failure.check(StorageUnavailable):
            self.log.failure("the record can't be read", failure)
        if not self._stopped:
            self._call = self._reactor.callLater(LOOK, partial(self._read, work, then))

"""What waits to be stored: samples, in order, many in one commit; told to their senders when that is done.

Nothing is dropped. While the database can't store, what is here waits and is tried again; from `HIGH` on senders are
asked to pause (the socket isn't read, so the network holds them back), and who can be answered is told `overloaded`.
A sample with a sender and a number is stored once however often it comes; so is one without when it isn't known whether
a commit came through, since it is looked for before it is tried again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.errors import GatekeeperError, Overloaded, StorageUnavailable
from gatekeeper.measurements.session import Place
from gatekeeper.storage import measurements as rows
from gatekeeper.storage.measurements import Added, Ledger, Numbered, SampleRow

BATCH: Final = 500
"""Samples in one commit: 5 ms of the writer's time, which an event or a door's record then waits at most."""

HIGH, LOW = 8_000, 2_000
"""Samples from which senders pause, and from which they go on: a second of the most that was measured."""

MOST: Final = 60_000
"""Samples that may wait at all: what 100 sockets had read already when they were paused; 20 MB."""

RETRY: Final = 0.5
"""Seconds until storing is tried again."""

SENDERS: Final = 2_000
"""Senders whose numbers are known without a look; the one that was heard of first is forgotten for the next."""

T = TypeVar("T")
NOTHING_KNOWN: Final = Ledger({}, {})


class Store(Protocol):
    """What is written to: `storage.database.Database`."""

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]": ...

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]": ...


class Origin(Protocol):
    """Whoever a sample came from; hears what became of it."""

    def settled(self, entries: "Sequence[Entry]", error: GatekeeperError | None) -> None:
        """Hear that samples are stored, or with an error that they are not."""
        ...


class Entry:
    """One sample on its way."""

    __slots__ = ("late", "origin", "row")

    def __init__(self, origin: Origin, row: SampleRow, late: bool) -> None:
        self.origin = origin
        self.row = row
        self.late = late


class Receipt:
    """An origin for who asks once and waits for the answer.

    :ivar done: fires when all is stored; fails with the first error.
    """

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred(lambda _: None)
        self._expected = 0
        self._whole = False

    def expect(self) -> None:
        """One more is on its way."""
        self._expected += 1

    def complete(self) -> None:
        """No more will come."""
        self._whole = True
        self._look()

    def settled(self, entries: Sequence[Entry], error: GatekeeperError | None) -> None:
        self._expected -= len(entries)
        if error is not None and not self.done.called:
            self.done.errback(error)
        self._look()

    def _look(self) -> None:
        if self._whole and self._expected <= 0 and not self.done.called:
            self.done.callback(None)


class Intake:
    """The way into the database.

    :param stored: told the samples of each commit that are new, in order.
    :ivar taken: samples that came in; `kept` of them are stored, `again` were stored before, `failed` can't be.
    """

    log = Logger()

    def __init__(self, database: Store, reactor: Any, stored: Callable[[Sequence[Entry]], None]) -> None:
        self._database = database
        self._reactor = reactor
        self._stored = stored
        self._waiting: deque[Entry] = deque()
        self._flying: list[Entry] = []
        self._known: tuple[dict[Numbered, int], dict[Numbered, int]] = ({}, {})
        self._last = 0  # id of the newest sample that is known to be stored
        self._again = False
        self._singly = 0  # samples to store one by one, to find the one that can't be
        self._pause: Any = None
        self._turn: Any = None
        self._pausers: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._passed: list[tuple[int, Deferred[None]]] = []  # how many must have been settled, and who waits for it
        self._through = 0  # samples that were settled
        self.is_paused = False
        self.is_closed = False
        self.taken = self.kept = self.again = self.failed = 0

    @property
    def waiting(self) -> int:
        """Samples that aren't stored yet."""
        return len(self._waiting) + len(self._flying)

    def begin(self, last: int) -> None:
        """Know the newest sample of before."""
        self._last = last

    def observe(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Be told when senders should pause, and when they may go on."""
        self._pausers.append((pause, resume))

    # --- in ---

    def check(self, count: int = 1) -> None:
        """Pass if so many more may come from somebody who can be told no.

        :raises Overloaded: if too many wait.
        """
        if self.is_closed:
            raise StorageUnavailable("the site is stopping: nothing was stored")
        if self.waiting + count > HIGH:
            raise Overloaded("too many samples wait to be stored: send slower")

    def put(self, origin: Origin, row: SampleRow, place: Place) -> None:
        """Take in a sample.

        :raises Overloaded: if no more can wait at all.
        """
        if self.is_closed:
            raise StorageUnavailable("the site is stopping: nothing was stored")
        if len(self._waiting) >= MOST:
            raise Overloaded("too many samples wait to be stored: send slower")
        self.taken += 1
        self._waiting.append(Entry(origin, row, place.late))
        if not self.is_paused and len(self._waiting) >= HIGH:
            self.is_paused = True
            for pause, _ in self._pausers:
                pause()
        if self._turn is None and not self._flying and self._pause is None:
            # Not at once: what else this turn of the reactor brings goes into the same commit.
            self._turn = self._reactor.callLater(0, self._send)

    # --- storing ---

    def _send(self) -> None:
        self._turn = None
        if self._flying or self._pause is not None or not self._waiting:
            return
        take = self._waiting.popleft
        self._flying = [take() for _ in range(min(1 if self._singly else BATCH, len(self._waiting)))]
        given = [entry.row for entry in self._flying]
        ids, highest = self._known
        known = NOTHING_KNOWN if self._again else Ledger(dict(ids), dict(highest))
        again = self._last if self._again else None
        storing = self._database.write(lambda connection: rows.add(connection, given, known, again))
        storing.addCallbacks(self._done, self._not_done)

    def _done(self, added: Added) -> None:
        batch, self._flying = self._flying, []
        self._again, self._singly = False, max(0, self._singly - 1)
        self._last = max(self._last, added.last)
        self._remember(added.ledger)
        fresh = [entry for entry, is_new in zip(batch, added.new, strict=True) if is_new]
        self.kept += len(fresh)
        self.again += len(batch) - len(fresh)
        try:
            if fresh:
                self._stored(fresh)
        except Exception:  # noqa: BLE001 - what follows from samples is not their senders' concern: they are stored
            self.log.failure("samples were stored, and what follows from them failed")
        self._settle(batch, None)
        self._go_on()

    def _not_done(self, failure: Failure) -> None:
        batch, self._flying = self._flying, []
        if failure.check(StorageUnavailable):
            self._waiting.extendleft(reversed(batch))
            self._again = True
            if self.is_closed and self._pause is None:
                self._give_up(StorageUnavailable("the site is stopping: it may or may not be stored"))
                return
            self._pause = self._reactor.callLater(RETRY, self._retry)
            return
        self.log.failure("{count} samples can't be stored", failure, count=len(batch))
        if len(batch) > 1:
            self._waiting.extendleft(reversed(batch))
            self._singly = len(batch)
            self._turn = self._reactor.callLater(0, self._send)
            return
        self._singly = max(0, self._singly - 1)
        self.failed += 1
        self._settle(batch, StorageUnavailable("this can't be stored"))
        self._go_on()

    def _retry(self) -> None:
        self._pause = None
        self._send()

    def _go_on(self) -> None:
        if self.is_paused and len(self._waiting) <= LOW:
            self.is_paused = False
            for _, resume in self._pausers:
                resume()
        if self._waiting:
            self._send()
        while self._passed and self._passed[0][0] <= self._through:
            self._passed.pop(0)[1].callback(None)

    def _remember(self, ledger: Ledger) -> None:
        ids, highest = self._known
        ids.update(ledger.ids)
        highest.update(ledger.highest)
        while len(ids) > SENDERS:
            oldest = next(iter(ids))
            del ids[oldest]
            highest.pop(oldest, None)

    def _settle(self, batch: Sequence[Entry], error: GatekeeperError | None) -> None:
        by_origin: dict[Origin, list[Entry]] = {}
        for entry in batch:
            by_origin.setdefault(entry.origin, []).append(entry)
        self._through += len(batch)
        for origin, entries in by_origin.items():
            try:
                origin.settled(entries, error)
            except Exception:  # noqa: BLE001 - one sender's trouble is not the others': what is stored is stored
                self.log.failure("a sender could not be told of its samples")

    def settled(self) -> "Deferred[None]":
        """Return what fires when everything that was taken in until now is stored, or can't be."""
        done: Deferred[None] = Deferred()
        if self.waiting:
            self._passed.append((self.taken, done))
        else:
            done.callback(None)
        return done

    # --- the end ---

    def close(self) -> "Deferred[None]":
        """Take nothing more; fires when all that waits is stored, or can't be."""
        self.is_closed = True
        done = self.settled()
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
            self._retry()
        return done

    def _give_up(self, error: GatekeeperError) -> None:
        batch = list(self._waiting)
        self._waiting.clear()
        self.failed += len(batch)
        self.log.error("{count} samples could not be stored before the end", count=len(batch))
        self._settle(batch, error)
        self._go_on()

"""The database as the reactor sees it: Deferreds in, threads behind, never a wait in between.

`write` and `add` go through one writer (`writer.py`) and fire after the commit that holds them; `read` goes through a
few readers. What a commit answered is told in the reactor thread, in the order in which it was asked.

**What an error means.** `Overloaded`: too much waits already; nothing was stored. `StorageUnavailable`: the database is
full, locked or gone; nothing was stored, unless the message says that it may have been (the connection broke during the
commit, or no answer came in time): who must know looks whether it is there. Any other error is the work's own.

**A work** gets a connection in a transaction and only uses that: it may be run twice before it is committed once, and
it must be short, since all others wait for it. Cancelling a Deferred stops the waiting, not the storing.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gatekeeper.errors import ConfigurationError, Overloaded, StorageUnavailable
from gatekeeper.storage.connect import Blocking, backend_of, prepare
from gatekeeper.storage.readers import Readers
from gatekeeper.storage.writer import Fact, Outcome, Writer

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

READS = 1000
"""Reads that may wait: pages that people look at; more than that is a flood."""

PATIENCE = 30.0
"""Seconds without any answer of the writer, or for one read, after which the disk or the server counts as hanging."""

CLOSING = 10.0
"""Seconds for what is queued when the site ends; what a supervisor allows is mostly more."""

SLICE = 64
"""Deferreds fired in one turn of the reactor: their callbacks may do work, and doors and video come in between."""

HANGING = "it doesn't answer"

log = Logger()


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the database is.

    :ivar state: `ok`, `failing` (nothing can be stored now; it is tried again and again) or `closed`.
    :ivar reason: why it fails, in a phrase.
    :ivar since: Unix seconds of the last change of state.
    :ivar queued: facts that wait.
    :ivar written: facts stored since the start.
    """

    state: Literal["ok", "failing", "closed"]
    reason: str | None
    since: float
    queued: int
    written: int


class Database:
    """The site's database.

    :param url: SQLAlchemy's, `sqlite:////absolute/path` or `postgresql+psycopg://user:password@host/database`.
    :param reactor: an IReactorTime that is IReactorFromThreads, too.
    :param queue: facts that may wait to be stored.
    :param wall: Unix seconds now.
    """

    def __init__(self, url: str, reactor: Any, *, queue: int = 20_000, wall: Callable[[], float] = time.time) -> None:
        self._backend = backend_of(url)
        self._reactor = reactor
        self._queue = queue
        self._wall = wall
        self._state: Literal["ok", "failing", "closed"] = "ok"
        self._reason: str | None = None
        self._since = wall()
        self._written = 0
        self._observers: list[Callable[[Health], None]] = []
        self._started = False
        self._ended: Deferred[None] = Deferred()
        self._writer = Writer(self._backend, self._from_writer, self._became_from_writer, self._ended_from_writer)
        self._readers = Readers(self._backend)
        # In the order in which they were asked; those that were answered by the clock stay, without a Deferred.
        self._waiting: deque[Fact] = deque()
        self._settled: deque[Outcome] = deque()
        self._reading: set[Deferred[Any]] = set()
        self._turn: IDelayedCall | None = None
        self._closing: IDelayedCall | None = None
        self._watch: IDelayedCall | None = None
        self._watched: Fact | None = None

    @property
    def name(self) -> str:
        """Where the database is, without a password."""
        return self._backend.name

    @property
    def health(self) -> Health:
        """How it is now."""
        return Health(
            state=self._state,
            reason=self._reason,
            since=self._since,
            queued=len(self._waiting),
            written=self._written,
        )

    def observe(self, observer: Callable[[Health], None]) -> None:
        """Call the observer in the reactor thread after each change of state or reason."""
        self._observers.append(observer)

    def open(self) -> None:
        """Make the database ready: check it, copy and migrate an older one. Blocks; threads start at the first use.

        :raises ConfigurationError: with one line that says why it can't be used.
        """
        prepare(self._backend)

    def at_start(self, work: Callable[[Connection], T]) -> T:
        """Run work that changes nothing, and wait for it: only before the reactor runs.

        :raises ConfigurationError: with one line, if the database can't be read.
        """
        try:
            with Blocking(self._backend) as blocking:
                return blocking.read(work)
        except StorageUnavailable as error:
            raise ConfigurationError(f"{self._backend.name}: {error}") from error

    # --- asking ------------------------------------------------------------------------------------------------------

    def write(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """Run work in the writer's transaction; fire with its result after the commit.

        :raises Overloaded: through the Deferred, as all errors.
        """
        return self._put(None, work)

    def add(self, sink: Callable[[Connection, Sequence[I]], Sequence[R]], item: I) -> Deferred[R]:
        """Like `write`, but neighbours in the queue with the same sink are handed to it in one call.

        :param sink: stores items, and returns one result for each, in order.
        """
        return self._put(sink, item)

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """Run work in a transaction that sees one snapshot, beside the writer; fire with its result."""
        if self._state == "closed":
            return fail(StorageUnavailable("the database is closed"))
        if len(self._reading) >= READS:
            return fail(Overloaded("too many read from the database at once"))
        self._start()
        asked: Deferred[T] = Deferred()
        self._reading.add(asked)
        late = self._reactor.callLater(
            PATIENCE, self._read, asked, None, StorageUnavailable("the database doesn't answer")
        )

        def answer(value: Any, error: BaseException | None) -> None:
            self._tell(self._answered, asked, late, value, error)

        self._readers.put(work, answer)
        return asked

    def _answered(self, asked: Deferred[Any], late: IDelayedCall, value: Any, error: BaseException | None) -> None:
        if late.active():
            late.cancel()
        self._read(asked, value, error)

    def _read(self, asked: Deferred[Any], value: Any, error: BaseException | None) -> None:
        if asked in self._reading:
            self._reading.discard(asked)
            _fire(asked, value, error)

    def _put(self, sink: Callable[..., Any] | None, content: Any) -> Deferred[Any]:
        if self._state != "ok":
            return fail(StorageUnavailable(f"the database: {self._reason or 'closed'}"))
        if len(self._waiting) >= self._queue:
            return fail(Overloaded("too much waits to be stored"))
        self._start()
        asked: Deferred[Any] = Deferred()
        fact = Fact(sink, content, asked)
        self._waiting.append(fact)
        if self._watch is None:
            self._watched = fact
            self._watch = self._reactor.callLater(PATIENCE, self._look)
        self._writer.put(fact)
        return asked

    def _start(self) -> None:
        """Start the threads at the first use: a thread from before twistd goes to the background would be lost."""
        if not self._started:
            self._started = True
            self._writer.start()
            self._readers.start()

    # --- answers -----------------------------------------------------------------------------------------------------

    def _from_writer(self, outcomes: list[Outcome]) -> None:
        self._tell(self._settle, outcomes)

    def _became_from_writer(self, reason: str | None) -> None:
        self._tell(self._became, reason)

    def _ended_from_writer(self) -> None:
        self._tell(self._end)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call in the reactor thread, from another; nobody hears it any more once asyncio's loop is closed."""
        with suppress(RuntimeError):
            self._reactor.callFromThread(function, *arguments)

    def _settle(self, outcomes: list[Outcome]) -> None:
        if self._reason == HANGING:
            self._became(None)
        self._settled.extend(outcomes)
        if self._turn is None:
            self._fire_some()

    def _fire_some(self) -> None:
        self._turn = None
        self._fire_first(SLICE)
        if self._settled:
            self._turn = self._reactor.callLater(0, self._fire_some)

    def _fire_first(self, count: int) -> None:
        for _ in range(min(count, len(self._settled))):
            outcome = self._settled.popleft()
            fact = self._waiting.popleft()
            asked, fact.waiter = fact.waiter, None
            if outcome.error is None:
                self._written += 1
            if asked is not None:
                _fire(asked, outcome.value, outcome.error)

    def _became(self, reason: str | None) -> None:
        if self._state == "closed" or reason == self._reason:
            return
        if reason is None:
            log.info("the database takes facts again, after {seconds:.0f} s", seconds=self._wall() - self._since)
        else:
            log.error("the database can't store anything: {reason}", reason=reason)
        self._change("ok" if reason is None else "failing", reason)

    def _change(self, state: Literal["ok", "failing", "closed"], reason: str | None) -> None:
        if state != self._state:
            self._since = self._wall()
        self._state, self._reason = state, reason
        health = self.health
        for observer in self._observers:
            try:
                observer(health)
            except Exception:  # noqa: BLE001 - one observer's failure is not the others'
                log.failure("an observer of the database failed")

    # --- the clock ---------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Whoever waits since the last look waits for a disk or a server that hangs: tell all."""
        self._watch = None
        if not self._waiting:
            self._watched = None
            return
        if self._waiting[0] is self._watched and not self._settled:
            self._became(HANGING)
            self._give_up("the database doesn't answer (it may or may not be stored)")
        self._watched = self._waiting[0]
        self._watch = self._reactor.callLater(PATIENCE, self._look)

    def _give_up(self, message: str) -> None:
        """Answer everyone who waits; what the writer says of them later is not news any more."""
        for fact in list(self._waiting):
            asked, fact.waiter = fact.waiter, None
            if asked is not None:
                _fire(asked, None, StorageUnavailable(message))

    # --- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> Deferred[None]:
        """Store what is queued, for `CLOSING` seconds at most; fire when all is told. Nothing is taken from now on."""
        if self._state != "closed":
            self._change("closed", None)
            if self._started:
                self._writer.end()
                self._readers.end()
                self._closing = self._reactor.callLater(CLOSING, self._end)
            else:
                self._ended.callback(None)
        done: Deferred[None] = Deferred()
        self._ended.addCallback(lambda _: done.callback(None))
        return done

    def _end(self) -> None:
        """Tell whoever still waits; the threads that hang are the process's to end."""
        if self._ended.called:
            return
        self._fire_first(len(self._settled))
        self._give_up("the database was closed (it may or may not be stored)")
        for asked in list(self._reading):
            self._read(asked, None, StorageUnavailable("the database was closed"))
        for call in (self._watch, self._turn, self._closing):
            if call is not None and call.active():
                call.cancel()
        self._ended.callback(None)


def _fire(asked: Deferred[Any], value: Any, error: BaseException | None) -> None:
    """Fire a Deferred; one that was cancelled swallows it."""
    if error is None:
        asked.callback(value)
    else:
        asked.errback(error)

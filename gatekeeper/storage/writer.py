"""The one writer: a thread that takes all that waits, stores it in one transaction, and tells after the commit.

Group commit: while one batch is synced to the disk the next one gathers, so the cost of a commit is shared by as many
as wait for it, and nobody waits for a timer. A batch runs without savepoints first; if something in it raises, it is
rolled back and run again with one savepoint each, so that a failure is its own sender's only.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine
from twisted.logger import Logger

from gatekeeper.errors import StorageUnavailable
from gatekeeper.storage.backend import Backend
from gatekeeper.storage.tables import meta

BATCH = 128
"""Facts per transaction: enough to make a commit's price small; few enough that nobody waits long for the others'."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to get a lost database back; doubled each time."""

log = Logger()


class Fact:
    """Something to be stored, and whoever waits for it.

    :ivar sink: stores several at once; None if `content` is itself the work.
    :ivar waiter: what the owner keeps beside it; not touched here.
    """

    __slots__ = ("content", "sink", "waiter")

    def __init__(self, sink: Callable[..., Any] | None, content: Any, waiter: Any) -> None:
        self.sink = sink
        self.content = content
        self.waiter = waiter


class Outcome:
    """What became of a fact: a value, or the error that is its own."""

    __slots__ = ("error", "fact", "value")

    def __init__(self, fact: Fact, value: Any = None, error: BaseException | None = None) -> None:
        self.fact = fact
        self.value = value
        self.error = error


class Lost(Exception):
    """The database can't be had.

    :ivar unknown: the commit was under way: it may or may not have happened.
    :ivar broken: it was the connection that was lost; another one may do.
    """

    def __init__(self, reason: str, unknown: bool, broken: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.broken = broken


class Transactions:
    """Batches into one database, each in one transaction."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._engine: Engine = backend.writer()

    def store(self, batch: Sequence[Fact]) -> list[Outcome]:
        """Store a batch; return each one's outcome, after the commit.

        :raises Lost: if the database can't be had; nothing was stored, or that is unknown.
        """
        try:
            outcomes = self._attempt(batch, self._together)
        except Lost as lost:
            # A connection that broke while it was idle, as when the server restarted, says nothing about now.
            if lost.unknown or not lost.broken:
                raise
            self._engine.dispose()
            outcomes = self._attempt(batch, self._together)
        if outcomes is None:
            outcomes = self._attempt(batch, self._each_alone)
        assert outcomes is not None  # noqa: S101 - alone, everyone has an outcome
        return outcomes

    def probe(self) -> None:
        """Write something that changes nothing.

        :raises Lost: if that isn't possible.
        """

        def touch(connection: Connection, _batch: Sequence[Fact]) -> list[Outcome]:
            connection.execute(meta.update().where(meta.c.key == "site").values(value=meta.c.value))
            return []

        self._engine.dispose()
        self._attempt((), touch)

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def _attempt(
        self, batch: Sequence[Fact], run: Callable[[Connection, Sequence[Fact]], list[Outcome] | None]
    ) -> list[Outcome] | None:
        committing = False
        try:
            with self._engine.connect() as connection, connection.begin() as transaction:
                outcomes = run(connection, batch)
                if outcomes is None:
                    transaction.rollback()
                    return None
                self._backend.present(connection)
                committing = True
                transaction.commit()
                return outcomes
        except Exception as error:
            reason = self._backend.unavailable(error)
            if reason is None:
                raise
            raise Lost(reason, committing, self._backend.broken(error)) from error

    def _together(self, connection: Connection, batch: Sequence[Fact]) -> list[Outcome] | None:
        """Run a batch as it is; return None if anything in it raised."""
        outcomes: list[Outcome] = []
        for group in grouped(batch):
            try:
                outcomes.extend(_run(connection, group))
            except Exception as error:
                if self._backend.unavailable(error) is not None:
                    raise
                return None
        return outcomes

    def _each_alone(self, connection: Connection, batch: Sequence[Fact]) -> list[Outcome]:
        """Run each fact in its own savepoint."""
        outcomes: list[Outcome] = []
        for fact in batch:
            try:
                with connection.begin_nested():
                    outcomes.extend(_run(connection, [fact]))
            except Exception as error:
                if self._backend.unavailable(error) is not None:
                    raise
                outcomes.append(Outcome(fact, error=error))
        return outcomes


def grouped(batch: Sequence[Fact]) -> Iterator[list[Fact]]:
    """Yield the runs of facts that one call stores: neighbours with the same sink."""
    for sink, run in groupby(batch, key=lambda fact: fact.sink):
        if sink is None:
            yield from ([fact] for fact in run)
        else:
            yield list(run)


def _run(connection: Connection, group: list[Fact]) -> list[Outcome]:
    first = group[0]
    if first.sink is None:
        return [Outcome(first, first.content(connection))]
    values = first.sink(connection, [fact.content for fact in group])
    if len(values) != len(group):
        raise ValueError(f"{first.sink!r} returned {len(values)} results for {len(group)} items")
    return list(map(Outcome, group, values))


class Writer:
    """The thread. Its callbacks are called in it: the owner carries them to where they belong.

    :param settle: called with the outcomes of facts, in the order in which they came.
    :param became: called with None when the database is there, with the reason when it is lost.
    """

    def __init__(
        self,
        backend: Backend,
        settle: Callable[[list[Outcome]], None],
        became: Callable[[str | None], None],
        ended: Callable[[], None],
    ) -> None:
        self._transactions = Transactions(backend)
        self._settle, self._became, self._ended = settle, became, ended
        self._waiting: queue.SimpleQueue[Fact | None] = queue.SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="storage-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, fact: Fact) -> None:
        """Queue a fact; from any thread. The queue's bound is the owner's."""
        self._waiting.put(fact)

    def end(self) -> None:
        """Store what is queued, then end; while the database is lost, fail it instead."""
        self._waiting.put(None)

    def _take(self, timeout: float | None = None) -> list[Fact]:
        """Wait for facts; return all that there are, `BATCH` at most; none on time-out or at the end."""
        batch: list[Fact] = []
        try:
            fact = self._waiting.get(timeout=timeout)
            while fact is not None:
                batch.append(fact)
                if len(batch) == BATCH:
                    return batch
                fact = self._waiting.get_nowait()
        except queue.Empty:
            return batch
        self._closing = True
        return batch

    def _work(self) -> None:
        try:
            while not self._closing:
                batch = self._take()
                if batch:
                    self._store(batch)
        finally:
            self._transactions.close()
            self._ended()

    def _store(self, batch: list[Fact]) -> None:
        try:
            outcomes = self._transactions.store(batch)
        except Lost as lost:
            # First the state, so that whoever is told of the failure already sees it.
            self._became(lost.reason)
            self._refuse(batch, lost.reason, lost.unknown)
            self._recover(lost.reason)
        except Exception as error:  # noqa: BLE001 - a bug in a work that shows at the commit only; the thread must live
            log.failure("a batch of {count} facts could not be stored", count=len(batch))
            self._settle([Outcome(fact, error=error) for fact in batch])
        else:
            self._settle(outcomes)

    def _recover(self, reason: str) -> None:
        """Refuse what comes until the database takes something again."""
        pause = FIRST_PAUSE
        while not self._closing:
            self._refuse_for(pause, reason)
            try:
                self._transactions.probe()
            except Lost as lost:
                if lost.reason != reason:
                    reason = lost.reason
                    self._became(reason)
                pause = min(2 * pause, LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - whatever it is, the database can't be written to
                reason = str(error).partition("\n")[0]
                self._became(reason)
                pause = LONGEST_PAUSE
            else:
                self._became(None)
                return

    def _refuse_for(self, seconds: float, reason: str) -> None:
        until = time.monotonic() + seconds
        while not self._closing and (left := until - time.monotonic()) > 0:
            self._refuse(self._take(left), reason, False)

    def _refuse(self, batch: list[Fact], reason: str, unknown: bool) -> None:
        if batch:
            message = f"the database: {reason}" + (" (it may or may not be stored)" if unknown else "")
            self._settle([Outcome(fact, error=StorageUnavailable(message)) for fact in batch])

"""A database whose answers come at once: for tests of whoever writes to it, not of the database itself."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, StaticPool, create_engine, insert
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from gatekeeper.errors import StorageUnavailable
from gatekeeper.storage.database import Health
from gatekeeper.storage.tables import meta, metadata

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


class InlineDatabase:
    """`storage.database.Database` over SQLite in memory, in the caller's thread.

    :ivar failing: why nothing can be stored; None while all is well.
    """

    name = "memory"

    def __init__(self) -> None:
        self.failing: str | None = None
        self.written = 0
        self._observers: list[Callable[[Health], None]] = []
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(insert(meta), [{"key": "site", "value": uuid.uuid4().hex}])

    @property
    def health(self) -> Health:
        state: Any = "ok" if self.failing is None else "failing"
        return Health(state=state, reason=self.failing, since=0.0, queued=0, written=self.written)

    def observe(self, observer: Callable[[Health], None]) -> None:
        self._observers.append(observer)

    def fail(self, reason: str | None) -> None:
        """Store nothing from now on, or again."""
        self.failing = reason
        for observer in self._observers:
            observer(self.health)

    def open(self) -> None:
        pass

    def at_start(self, work: Callable[[Connection], T]) -> T:
        return self._run(work)

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        if self.failing is not None:
            return fail(StorageUnavailable(self.failing))
        return maybeDeferred(self._run, work)

    def add(self, sink: Callable[[Connection, Sequence[I]], Sequence[R]], item: I) -> "Deferred[R]":
        return self.write(lambda connection: sink(connection, [item])[0])

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        return maybeDeferred(self._run, work)

    def close(self) -> "Deferred[None]":
        return succeed(None)

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            result = work(connection)
        self.written += 1
        return result

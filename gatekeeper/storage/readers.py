"""Threads that read: each transaction sees one snapshot, and none waits for the writer."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from gatekeeper.errors import StorageUnavailable
from gatekeeper.storage.backend import READERS, Backend

Work = Callable[[Connection], Any]
Answer = Callable[[Any, BaseException | None], None]


class Readers:
    """A few threads with a connection each; `answer` is called in them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._engine = backend.reader()
        self._waiting: queue.SimpleQueue[tuple[Work, Answer] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"storage-reader-{number}", daemon=True)
            for number in range(READERS)
        ]
        self._working = len(self._threads)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, work: Work, answer: Answer) -> None:
        """Queue a work; its answer gets the value, or the error. The queue's bound is the owner's."""
        self._waiting.put((work, answer))

    def end(self) -> None:
        """End after what is queued."""
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            work, answer = item
            try:
                value = self._read(work)
            except Exception as error:  # noqa: BLE001 - whatever a work raises is its sender's
                answer(None, error)
            else:
                answer(value, None)
            del item, work, answer  # what they hold must not live until the next read
        with self._lock:
            self._working -= 1
            last = self._working == 0
        if last:  # a connection that a thread still has would go back to a pool that nobody closes
            self._engine.dispose()

    def _read(self, work: Work) -> Any:
        try:
            try:
                return self._once(work)
            except Exception as error:
                # A connection that broke while it was idle says nothing about now; the pool has dropped it.
                if not self._backend.broken(error):
                    raise
                return self._once(work)
        except Exception as error:
            reason = self._backend.unavailable(error)
            if reason is None:
                raise
            raise StorageUnavailable(f"the database: {reason}") from error

    def _once(self, work: Work) -> Any:
        with self._engine.connect() as connection, connection.begin():
            return work(connection)

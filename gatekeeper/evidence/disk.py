"""One thread that writes, reads and removes files, so that a slow disk delays nobody but who waits for it.

It is not Twisted's pool: a thread that hangs in a dead disk's fsync must not keep the process from ending.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from gatekeeper.errors import Overloaded

T = TypeVar("T")

MAX_JOBS = 8
"""Jobs that may wait: whoever uses it gives the next one when the last is done, and some give two."""


class DiskThread:
    """Work off the reactor's thread, one after the other.

    :param reactor: where the answers are given.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waiting = 0
        self._thread: threading.Thread | None = None

    def run(self, work: Callable[[], T]) -> "Deferred[T]":
        """Do it in the thread; the Deferred fires in the reactor's, with Overloaded at once if too much waits."""
        if self._waiting >= MAX_JOBS:
            return fail(Overloaded("too much waits for the disk"))
        self._waiting += 1
        answer: Deferred[T] = Deferred()

        def job() -> None:
            try:
                result: T | Failure = work()
            except Exception:  # noqa: BLE001 - a worker's loop: whoever asked is told
                result = Failure()
            self._reactor.callFromThread(self._answer, answer, result)

        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
        return answer

    def stop(self) -> None:
        """End the thread after what waits, without waiting for it."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _answer(self, answer: "Deferred[Any]", result: Any) -> None:
        self._waiting -= 1
        if isinstance(result, Failure):
            answer.errback(result)
        else:
            answer.callback(result)

    def _loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

"""A reactor whose time a test advances, and that runs what the storage's threads hand over when the test says so."""

import queue
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

T = TypeVar("T")
PATIENCE = 30.0  # seconds of a real thread's silence that fail a test


class Reactor(Clock):
    """Time by `advance`, threads by `result_of` and `until`."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.Queue[tuple[Callable[..., Any], tuple[Any, ...]]] = queue.Queue()

    def callFromThread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Keep a call for the thread of the test."""
        self._calls.put((function, arguments))

    def turn(self) -> None:
        """Run the next call of a thread, waiting for one, and what is due now."""
        function, arguments = self._calls.get(timeout=PATIENCE)
        function(*arguments)
        self.advance(0)

    def until(self, condition: Callable[[], bool]) -> None:
        """Turn until a condition holds."""
        while not condition():
            self.turn()

    def result_of(self, deferred: Deferred[T]) -> T:
        """Turn until the Deferred has fired; return its result, or raise its error."""
        found: list[Any] = []
        deferred.addBoth(found.append)
        self.until(lambda: bool(found))
        if isinstance(found[0], Failure):
            found[0].raiseException()
        result: T = found[0]
        return result

"""What waits to be stored: one entry for each event that was told, and a queue that is bounded whatever happens."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from gatekeeper.errors import Overloaded
from gatekeeper.evidence.event import Event
from gatekeeper.storage.appender import Pending

WAITING = 10_000
"""Entries that wait while nothing can be stored: ten a second, which is a busy site, for a quarter of an hour."""

WAITING_BYTES = 64_000_000
"""Bytes of their bodies: bundles of many pictures are large."""

IMPORTANT, ORDINARY, PASSING = 2, 1, 0

IMPORTANCE = {
    "door": IMPORTANT,
    "gate": IMPORTANT,
    "access": IMPORTANT,
    "evidence": IMPORTANT,
    "events": IMPORTANT,
    "system": IMPORTANT,
    "camera": PASSING,
    "device": PASSING,
    "measurement": PASSING,
}
"""By how the kind begins; the rest is ordinary. What flaps a thousand times an hour passes, who opened a door stays."""


def importance(kind: str) -> int:
    """Return how much an event matters when not all can be kept."""
    return IMPORTANCE.get(kind.partition(".")[0], ORDINARY)


class Entry:
    """An event that was told and isn't stored yet.

    :ivar id: its id, known at once.
    """

    __slots__ = ("_error", "_event", "_waiters", "id", "number", "pending")

    def __init__(self, pending: Pending, number: int) -> None:
        self.id = pending.id
        self.pending = pending
        self.number = number
        self._event: Event | None = None
        self._error: Exception | None = None
        self._waiters: list[Deferred[Event]] = []

    @property
    def stored(self) -> "Deferred[Event]":
        """A new Deferred, each time: the event once it is committed, or why it never will be."""
        if self._event is not None:
            return succeed(self._event)
        if self._error is not None:
            return fail(self._error)
        self._waiters.append(Deferred())
        return self._waiters[-1]

    def done(self, event: Event) -> None:
        """It is stored."""
        self._event = event
        self._fire(event)

    def failed(self, error: Exception) -> None:
        """It won't be stored."""
        self._error = error
        self._fire(error)

    def _fire(self, result: Any) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if isinstance(result, Exception):
                waiter.errback(result)
            else:
                waiter.callback(result)


class Waiting:
    """Entries in the order in which they were told, at most so many; the least important, oldest first, give way.

    :ivar lost: how many gave way, by kind.
    """

    def __init__(self, maximum: int = WAITING, maximum_bytes: int = WAITING_BYTES) -> None:
        self._maximum = maximum
        self._maximum_bytes = maximum_bytes
        self._lanes: tuple[deque[Entry], ...] = tuple(deque() for _ in range(3))
        self._bytes = 0
        self.lost: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._lanes))

    def put(self, entry: Entry) -> None:
        """Add the newest."""
        self._lanes[importance(entry.pending.kind)].append(entry)
        self._bytes += len(entry.pending.rest)
        while len(self) > self._maximum or self._bytes > self._maximum_bytes:
            self._give_way()

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Add what was taken, at the front."""
        for entry in reversed(entries):
            self._lanes[importance(entry.pending.kind)].appendleft(entry)
            self._bytes += len(entry.pending.rest)

    def take(self, maximum: int) -> list[Entry]:
        """Take the oldest, in their order."""
        taken: list[Entry] = []
        while len(taken) < maximum:
            lanes = [lane for lane in self._lanes if lane]
            if not lanes:
                break
            entry = min(lanes, key=lambda lane: lane[0].number).popleft()
            self._bytes -= len(entry.pending.rest)
            taken.append(entry)
        return taken

    def _give_way(self) -> None:
        entry = next(lane for lane in self._lanes if lane).popleft()
        self._bytes -= len(entry.pending.rest)
        self.lost[entry.pending.kind] += 1
        entry.failed(Overloaded("too much waits to be stored: this event gave way"))

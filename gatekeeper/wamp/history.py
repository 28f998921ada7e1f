"""Event history: the past events of topics and patterns that the embedding program picked.

    router = Router("example", …, history=[Kept("com.example.log", "prefix", limit=1000)])

The subscription of each exists from the start, so its history goes back before its first subscriber. Events for
particular sessions aren't kept, since session IDs mean nothing later; those for particular authids or authroles are
given only to them. The default store is a ring in memory; a durable one is a `Store`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from gatekeeper.wamp.audience import Audience
from gatekeeper.wamp.uris import Match

MAX_ANSWER = 1000  # events in one answer; more are asked for page by page


@dataclass(frozen=True, slots=True)
class Kept:
    """A topic or pattern whose events are kept.

    :ivar limit: how many.
    """

    topic: str
    match: Match = "exact"
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One event that was.

    :ivar time: seconds since 1970.
    :ivar lists: the publisher's black- and whitelists by option.
    """

    publication: int
    time: float
    topic: str
    details: dict[str, Any]
    args: list[Any]
    kwargs: dict[str, Any]
    lists: dict[str, list[Any]]

    @property
    def audience(self) -> Audience | None:
        """Who may see it; None for everybody."""
        return Audience(self.lists) if self.lists else None


@dataclass(frozen=True, slots=True)
class Query:
    """Which past events are asked for; None where nothing is asked.

    :ivar is_for: tells whether the caller may see an event.
    """

    is_for: Callable[[PastEvent], bool]
    reverse: bool = False
    limit: int = MAX_ANSWER
    from_time: float | None = None
    after_time: float | None = None
    before_time: float | None = None
    until_time: float | None = None
    topic: str | None = None
    from_publication: int | None = None
    after_publication: int | None = None
    before_publication: int | None = None
    until_publication: int | None = None

    def select(self, events: Iterable[PastEvent]) -> list[PastEvent]:
        """Return those of the events, given in the order in which they happened, that are asked for."""
        found = [event for event in self._between(events) if self._is_wanted(event)]
        return list(islice(reversed(found) if self.reverse else found, min(self.limit, MAX_ANSWER)))

    def _between(self, events: Iterable[PastEvent]) -> Iterable[PastEvent]:
        if self.from_publication is not None:
            events = _since(events, self.from_publication, skipped=0)
        if self.after_publication is not None:
            events = _since(events, self.after_publication, skipped=1)
        if self.before_publication is not None:
            events = _upto(events, self.before_publication, included=False)
        if self.until_publication is not None:
            events = _upto(events, self.until_publication, included=True)
        return events

    def _is_wanted(self, event: PastEvent) -> bool:
        return (
            (self.from_time is None or event.time >= self.from_time)
            and (self.after_time is None or event.time > self.after_time)
            and (self.before_time is None or event.time < self.before_time)
            and (self.until_time is None or event.time <= self.until_time)
            and (self.topic is None or event.topic == self.topic)
            and self.is_for(event)
        )


class Store(Protocol):
    """Where past events are."""

    def keep(self, kept: Kept, event: PastEvent) -> None:
        """Take an event, after all that were taken before; what it raises is reported."""
        ...

    def past(self, kept: Kept, query: Query) -> Any:
        """Return the PastEvents that a query asks for, at once or as a Deferred or another awaitable."""
        ...


class Ring:
    """The newest events in memory."""

    def __init__(self) -> None:
        self._events: dict[Kept, deque[PastEvent]] = {}

    def keep(self, kept: Kept, event: PastEvent) -> None:
        """Take an event; the oldest goes where there are too many."""
        self._events.setdefault(kept, deque(maxlen=kept.limit)).append(event)

    def past(self, kept: Kept, query: Query) -> list[PastEvent]:
        """Return the events that a query asks for."""
        return query.select(self._events.get(kept, ()))


def _since(events: Iterable[PastEvent], first: int, *, skipped: int) -> Iterable[PastEvent]:
    """Give the events from one on; none if it isn't there."""
    known = list(events)
    start = next((place for place, event in enumerate(known) if event.publication == first), len(known))
    return known[start + skipped :]


def _upto(events: Iterable[PastEvent], last: int, *, included: bool) -> Iterable[PastEvent]:
    """Give the events before one; none if it isn't there."""
    known = list(events)
    end = next((place for place, event in enumerate(known) if event.publication == last), -1)
    return known[: end + included] if end >= 0 else []

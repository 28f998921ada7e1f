"""Looking through the record for somebody who may see only part of it."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from gatekeeper.evidence.event import Event, Query, event_of
from gatekeeper.storage.events import PAGE, find

SCAN = 20
"""Pages that one look goes through for somebody who may see little of it; the answer says where to go on."""


class EventPage(msgspec.Struct, frozen=True):
    """Some events; `next` is the sequence to go on from (as `before`; as `after` with the oldest first), or None."""

    events: list[Event]
    next: int | None


def everything(event: Event) -> bool:
    """Whoever asks may see all."""
    return True


def look(connection: Connection, query: Query, visible: Callable[[Event], bool]) -> EventPage:
    """Return what a query asks for and the caller may see."""
    size = query.limit if visible is everything else PAGE
    side = "after" if query.order == "oldest" else "before"
    found: list[Event] = []
    for _ in range(SCAN):
        page = find(connection, msgspec.structs.replace(query, limit=size))
        for row in page:
            event = event_of(row)
            if visible(event):
                found.append(event)
            if len(found) == query.limit:
                more = row is not page[-1] or len(page) == size
                return EventPage(found, row.sequence if more else None)
        if len(page) < size:
            return EventPage(found, None)
        query = msgspec.structs.replace(query, **{side: page[-1].sequence})
    return EventPage(found, page[-1].sequence)

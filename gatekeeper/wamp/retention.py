"""Retained events: the last one of a topic whose publisher asked to keep it, for whoever subscribes later.

Of each topic the newest event for everybody is kept, and newer ones that were for some only; a subscriber gets the
newest that it would have got. A broker may decline: where there is no room, an event is simply not kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gatekeeper.wamp.audience import Audience
from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.errors import CodecError
from gatekeeper.wamp.members import Member, Subscription
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.patterns import matches

MAX_TOPICS = 10_000  # a site has some thousands
MAX_PER_TOPIC = 8  # events for some only; a topic knows a handful of roles
MAX_BYTES = 64 * 1024 * 1024  # what clients together may make the router hold


@dataclass(frozen=True, slots=True)
class Retained:
    """An event that is kept.

    :ivar tail: its publication, details and payload.
    :ivar publisher: the session that doesn't hear itself; 0 if it does.
    :ivar size: bytes, about.
    """

    tail: Message
    audience: Audience | None
    publisher: int
    size: int

    def is_for(self, member: Member) -> bool:
        """Tell whether the member would have received it."""
        return member.id != self.publisher and (self.audience is None or self.audience.admits(member))


class Retention:
    """The retained events of a realm."""

    def __init__(self) -> None:
        self._topics: dict[str, list[Retained]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._topics.values()))

    def keep(self, topic: str, tail: Message, audience: Audience | None, excluded: Member | None) -> None:
        """Keep an event in place of those that it supersedes."""
        try:
            size = len(CBOR.encode(tail)) + len(topic)
        except CodecError:
            return  # a local session's own values, which no other could be sent anyway
        older = [] if audience is None else [kept for kept in self._topics.get(topic, ()) if kept.audience != audience]
        replaced = sum(kept.size for kept in self._topics.get(topic, ())) - sum(kept.size for kept in older)
        if self._bytes - replaced + size > MAX_BYTES or (topic not in self._topics and len(self) >= MAX_TOPICS):
            return
        # The newest first; where there is no room the oldest of those that are for some only goes.
        kept = [Retained(tail, audience, excluded.id if excluded else 0, size), *older]
        if len(kept) > MAX_PER_TOPIC:
            dropped = kept.pop(-1 if kept[-1].audience is not None else -2)
            replaced += dropped.size
        self._topics[topic] = kept
        self._bytes += size - replaced

    def events(self, member: Member, subscription: Subscription) -> Iterator[Message]:
        """Give what a new subscriber gets: of each topic the newest event that is for it."""
        for topic in self._matching(subscription):
            for kept in self._topics[topic]:
                if kept.is_for(member):
                    publication, details, *payload = kept.tail
                    about: dict[str, Any] = {**details, "retained": True}
                    if subscription.match != "exact":
                        about["topic"] = topic
                    yield [publication, about, *payload]
                    break

    def _matching(self, subscription: Subscription) -> list[str]:
        if subscription.match == "exact":
            return [subscription.topic] if subscription.topic in self._topics else []
        return [topic for topic in self._topics if matches(subscription.match, subscription.topic, topic)]

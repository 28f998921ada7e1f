"""Keeps the history of the subscriptions that have one, and answers `wamp.subscription.get_events` from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gatekeeper.wamp.answers import Report, after
from gatekeeper.wamp.audience import Audience
from gatekeeper.wamp.errors import INVALID_ARGUMENT, WampError
from gatekeeper.wamp.history import MAX_ANSWER, Kept, PastEvent, Query, Store
from gatekeeper.wamp.ids import is_id
from gatekeeper.wamp.members import Member, Subscription
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.meta import Arguments
from gatekeeper.wamp.patterns import matches
from gatekeeper.wamp.subscriptions import Subscriptions
from gatekeeper.wamp.times import WallClock, rfc3339

TIMES = ("from_time", "after_time", "before_time", "until_time")
PUBLICATIONS = ("from_publication", "after_publication", "before_publication", "until_publication")


class Archive:
    """Knows which subscriptions are kept, and by which store."""

    def __init__(
        self, history: Sequence[Kept], store: Store, subscriptions: Subscriptions, now: WallClock, report: Report
    ) -> None:
        self._store = store
        self._now = now
        self._report = report
        self._kept: dict[int, Kept] = {}
        for kept in history:
            subscription = subscriptions.create(kept.topic, kept.match)
            subscription.kept = True
            self._kept[subscription.id] = kept

    def keep(self, topic: str, tail: Message, audience: Audience | None) -> None:
        """Keep an event for each history that it belongs to, unless it was for particular sessions."""
        if audience is not None and audience.by_session:
            return
        event = None
        for kept in self._kept.values():
            if matches(kept.match, kept.topic, topic):
                event = event or self._past_event(topic, tail, audience)
                try:
                    self._store.keep(kept, event)
                except Exception as error:  # noqa: BLE001 - the embedding program's store; the publisher isn't at fault
                    self._report("event history", error)

    def past(self, subscription: Subscription, query: Query) -> Any:
        """Return what a query asks for, as the meta API tells it; nothing of a subscription that isn't kept."""
        kept = self._kept.get(subscription.id)
        if kept is None:
            return []
        return after(self._store.past(kept, query), lambda events: [_told(event, subscription) for event in events])

    def _past_event(self, topic: str, tail: Message, audience: Audience | None) -> PastEvent:
        publication, details, *payload = tail
        args, kwargs = payload if len(payload) == 2 else (payload[0] if payload else [], {})
        lists = audience.lists if audience is not None else {}
        return PastEvent(publication, self._now(), topic, details, args, kwargs, lists)


def asked_events(about: Arguments, caller: Member) -> Query:
    """Return the query that a call asks; raise WampError if it is none."""
    times = {name: _time(about, name) for name in TIMES}
    publications = {name: _publication(about, name) for name in PUBLICATIONS}
    limit = about.named("limit", int, MAX_ANSWER)
    if limit < 1:
        raise WampError(INVALID_ARGUMENT, "limit is at least 1")
    return Query(
        is_for=lambda event: event.audience is None or event.audience.admits(caller),
        reverse=about.named("reverse", bool, False),
        limit=limit,
        topic=about.named("topic", str, None),
        **times,  # type: ignore[arg-type]  # mypy can't tell which fields a map holds
        **publications,
    )


def _publication(about: Arguments, name: str) -> int | None:
    value = about.kwargs.get(name)
    if value is not None and not is_id(value):
        raise WampError(INVALID_ARGUMENT, f"{name} is a publication ID")
    return value


def _time(about: Arguments, name: str) -> float | None:
    text = about.named(name, str, None)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no offset from UTC")
        return moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise WampError(INVALID_ARGUMENT, f"{name} is a time in RFC 3339") from error


def _told(event: PastEvent, subscription: Subscription) -> dict[str, Any]:
    details = event.details if subscription.match == "exact" else {**event.details, "topic": event.topic}
    return {
        "timestamp": rfc3339(event.time),
        "subscription": subscription.id,
        "publication": event.publication,
        "details": details,
        "args": event.args,
        "kwargs": event.kwargs,
    }

"""The subscription meta API, and the event history.

wamp.subscription.list                                  []                  IDs by way of matching
wamp.subscription.lookup                                [topic, {match?}]   an ID or null
wamp.subscription.match                                 [topic]             the IDs that an event goes to, or null
wamp.subscription.get                                   [subscription]      what it is
wamp.subscription.list_subscribers, count_subscribers   [subscription]      session IDs, their number
wamp.subscription.get_events                            [subscription]      past events (history.py)
"""

from typing import Any

from gatekeeper.wamp.archive import Archive, asked_events
from gatekeeper.wamp.broker import Broker, subscription_details
from gatekeeper.wamp.errors import NO_SUCH_SUBSCRIPTION, WampError
from gatekeeper.wamp.members import Member, Subscription
from gatekeeper.wamp.meta import Arguments, Procedure
from gatekeeper.wamp.meta_registrations import asked_match
from gatekeeper.wamp.permission import Permission
from gatekeeper.wamp.uris import MATCHES


class SubscriptionMeta:
    """The procedures; each answers one call."""

    def __init__(self, broker: Broker, permission: Permission, archive: Archive | None) -> None:
        self._permission = permission
        self._subscriptions = broker.subscriptions
        self._archive = archive

    def procedures(self) -> dict[str, Procedure]:
        """Return them by name."""
        return {
            "wamp.subscription.list": self._list,
            "wamp.subscription.lookup": self._lookup,
            "wamp.subscription.match": self._match,
            "wamp.subscription.get": lambda _, about: subscription_details(self._subscription(about)),
            "wamp.subscription.list_subscribers": lambda _, about: self._subscribers(about),
            "wamp.subscription.count_subscribers": lambda _, about: len(self._subscribers(about)),
            "wamp.subscription.get_events": self._events,
        }

    def _list(self, _caller: Member, _about: Arguments) -> dict[str, list[int]]:
        patterns = self._subscriptions.patterns
        return {match: [found.id for found in patterns.of(match).values()] for match in MATCHES}

    def _lookup(self, _caller: Member, about: Arguments) -> int | None:
        found = self._subscriptions.find(about.text(0), asked_match(about))
        return found.id if found else None

    def _match(self, _caller: Member, about: Arguments) -> Any:
        return [found.id for found in self._subscriptions.matching(about.text(0))] or None

    def _subscribers(self, about: Arguments) -> list[int]:
        return [member.id for member in self._subscription(about).members]

    def _events(self, caller: Member, about: Arguments) -> Any:
        subscription = self._subscription(about)
        query = asked_events(about, caller)
        # Who may not subscribe to it may not see what came before either.
        return self._permission.check_later(
            caller,
            "subscribe",
            subscription.topic,
            lambda _: self._archive.past(subscription, query) if self._archive else [],
            subscription.match,
        )

    def _subscription(self, about: Arguments) -> Subscription:
        subscription = self._subscriptions.get(about.id(0))
        if subscription is None:
            raise WampError(NO_SUCH_SUBSCRIPTION, "there is no subscription with this ID")
        return subscription

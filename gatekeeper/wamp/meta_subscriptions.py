"""The subscription meta API, and the event history.

wamp.subscription.list                                  []                  IDs by way of matching
wamp.subscription.lookup                                [topic, {match?}]   an ID or null
wamp.subscription.match                                 [topic]             the IDs that an event goes to, or null
wamp.subscription.get                                   [subscription]      what it is
wamp.subscription.list_subscribers, count_subscribers   [subscription]      session IDs, their number
wamp.subscription.get_events                            [subscription]      past events (history.py)
"""

from typing import Any

from gatekeeper.wamp.broker import Broker, subscription_details
from gatekeeper.wamp.errors import NO_SUCH_SUBSCRIPTION, WampError
from gatekeeper.wamp.members import Member, Subscription
from gatekeeper.wamp.meta import Arguments, Procedure
from gatekeeper.wamp.meta_registrations import asked_match
from gatekeeper.wamp.uris import MATCHES


class SubscriptionMeta:
    """The procedures; each answers one call."""

    def __init__(self, broker: Broker) -> None:
        self._subscriptions = broker.subscriptions

    def procedures(self) -> dict[str, Procedure]:
        """Return them by name."""
        return {
            "wamp.subscription.list": self._list,
            "wamp.subscription.lookup": self._lookup,
            "wamp.subscription.match": self._match,
            "wamp.subscription.get": lambda _, about: subscription_details(self._subscription(about)),
            "wamp.subscription.list_subscribers": lambda _, about: self._subscribers(about),
            "wamp.subscription.count_subscribers": lambda _, about: len(self._subscribers(about)),
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

    def _subscription(self, about: Arguments) -> Subscription:
        subscription = self._subscriptions.get(about.id(0))
        if subscription is None:
            raise WampError(NO_SUCH_SUBSCRIPTION, "there is no subscription with this ID")
        return subscription

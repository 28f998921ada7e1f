"""The table of subscriptions: which topics and patterns are subscribed to, and which of them an event goes to.

The way of a topic's events is worked out once and kept until a subscription comes or goes, so that patterns cost
nothing per event. Slow subscribers of a pattern get the newest event of each topic whose policy that is.
"""

from collections.abc import Callable, Iterator

from gatekeeper.wamp.answers import Report
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.ids import Sequence
from gatekeeper.wamp.members import Subscription
from gatekeeper.wamp.patterns import Patterns
from gatekeeper.wamp.uris import Match

MAX_ROUTES = 10_000  # topics whose way is kept; a site has some thousands
MAX_SLOTS = 1000  # topics of policy "newest" under one pattern; further ones share one slot

Route = tuple[tuple[Subscription, int], ...]
"""The subscriptions that a topic's events go to, each with the slot of its newest (0: every event counts)."""


class Subscriptions:
    """All subscriptions of a realm.

    :param policy_for: whether a topic's slow subscribers get every event or only the newest.
    :param timestamp: gives the time of day in RFC 3339.
    """

    def __init__(self, policy_for: Callable[[str], Policy], timestamp: Callable[[], str], report: Report) -> None:
        self._policy_for = policy_for
        self._timestamp = timestamp
        self._report = report
        self._ids = Sequence()
        self._by_id: dict[int, Subscription] = {}
        self._routes: dict[str, Route] = {}
        self.patterns: Patterns[Subscription] = Patterns()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._by_id.values())

    def get(self, subscription: int) -> Subscription | None:
        """Return a subscription by its ID."""
        return self._by_id.get(subscription)

    def find(self, topic: str, match: Match) -> Subscription | None:
        """Return the subscription to this topic or pattern."""
        return self.patterns.of(match).get(topic)

    def create(self, topic: str, match: Match) -> Subscription:
        """Add one that nobody has made yet."""
        newest = match == "exact" and self._policy_for(topic) == "newest"
        subscription = Subscription(self._ids.next(), topic, match, self._timestamp(), newest=newest)
        self._by_id[subscription.id] = subscription
        self.patterns.put(match, topic, subscription)
        self._routes.clear()
        return subscription

    def delete(self, subscription: Subscription) -> None:
        """Forget one that has no subscribers."""
        del self._by_id[subscription.id]
        self.patterns.remove(subscription.match, subscription.topic)
        self._routes.clear()

    def route(self, topic: str) -> Route:
        """Return where a topic's events go."""
        route = self._routes.get(topic)
        if route is None:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            route = self._routes[topic] = tuple((found, self._slot(found, topic)) for found in self.matching(topic))
        return route

    def matching(self, topic: str) -> Iterator[Subscription]:
        """Give all subscriptions that match a topic."""
        return self.patterns.matching(topic)

    def _slot(self, subscription: Subscription, topic: str) -> int:
        if subscription.match == "exact":
            return subscription.id if subscription.newest else 0
        if not self._is_newest(topic):
            return 0
        if topic not in subscription.slots:
            if len(subscription.slots) >= MAX_SLOTS:
                return subscription.id
            subscription.slots[topic] = self._ids.next()  # drawn from the same IDs, so it is nobody else's key
        return subscription.slots[topic]

    def _is_newest(self, topic: str) -> bool:
        try:
            return self._policy_for(topic) == "newest"
        except Exception as failure:  # noqa: BLE001 - the embedding program's code; the publisher isn't at fault
            self._report(f"policy of {topic}", failure)
            return False

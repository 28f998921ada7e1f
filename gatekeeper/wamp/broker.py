"""The broker: topics, their subscribers, and the fan-out of events (exact matching, the Basic Profile).

    SUBSCRIBE   → SUBSCRIBED   [33, request, subscription]       the same ID for every subscriber of a topic
    UNSUBSCRIBE → UNSUBSCRIBED [35, request]
    PUBLISH     → PUBLISHED    [17, request, publication]        only if `acknowledge`
                  EVENT        [36, subscription, publication, {}, args?, kwargs?]

An event is one list for all subscribers and one frame per wire. Sans-I/O.
"""

from collections.abc import Callable

from gatekeeper.wamp.answers import Report
from gatekeeper.wamp.errors import NO_SUCH_SUBSCRIPTION, UNAVAILABLE, WampError
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.ids import RandomBits, Sequence, random_id
from gatekeeper.wamp.limits import Limits, Tally
from gatekeeper.wamp.members import Frames, Member, Subscription, error
from gatekeeper.wamp.messages import EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBED, Message
from gatekeeper.wamp.permission import Permission, check_options

Watcher = Callable[[int], None]


class Broker:
    """Who subscribed to what.

    :param policy_for: whether a topic's slow subscribers get every event or only the newest.
    """

    def __init__(
        self,
        permission: Permission,
        *,
        limits: Limits,
        tally: Tally,
        random: RandomBits,
        policy_for: Callable[[str], Policy],
        report: Report,
    ) -> None:
        self._permission = permission
        self._limits = limits
        self._tally = tally
        self._random = random
        self._policy_for = policy_for
        self._report = report
        self._ids = Sequence()
        self._topics: dict[str, Subscription] = {}
        self._watchers: dict[str, list[Watcher]] = {}

    def subscribe(self, member: Member, message: Message) -> None:
        """Answer SUBSCRIBE; a second one to the same topic gives the same subscription."""
        _, request, options, topic = message
        check_options(SUBSCRIBE, options)
        self._permission.check(member, "subscribe", topic)
        subscription = self._topics.get(topic)
        if subscription is None or member not in subscription.members:
            if len(member.subscriptions) >= self._limits.subscriptions and not member.trusted:
                raise WampError(UNAVAILABLE, f"at most {self._limits.subscriptions} subscriptions per session")
            subscription = subscription or self._create(topic)
            subscription.members[member] = None
            member.subscriptions[subscription.id] = subscription
            # The reply goes first: a watcher may publish at once, and no EVENT may come before its SUBSCRIBED.
            member.send([SUBSCRIBED, request, subscription.id])
            self._tell_watchers(topic)
            return
        member.send([SUBSCRIBED, request, subscription.id])

    def unsubscribe(self, member: Member, message: Message) -> None:
        """Answer UNSUBSCRIBE."""
        subscription = member.subscriptions.get(message[2])
        if subscription is None:
            raise WampError(NO_SUCH_SUBSCRIPTION, "this session has no such subscription")
        self._remove(member, subscription)
        member.send([UNSUBSCRIBED, message[1]])
        self._tell_watchers(subscription.topic)

    def publish(self, member: Member, message: Message) -> None:
        """Answer PUBLISH; without `acknowledge` there is no answer, not even an ERROR."""
        options = message[2]
        acknowledge = bool(options.get("acknowledge"))
        try:
            check_options(PUBLISH, options)
            self._permission.check(member, "publish", message[3])
        except WampError as refusal:
            if acknowledge:
                member.send(error(PUBLISH, message[1], refusal.uri, *refusal.args))
            return
        excluded = member if options.get("exclude_me", True) else None
        publication = self._fan_out(message[3], message[4:], excluded)
        if acknowledge:
            member.send([PUBLISHED, message[1], publication])

    def leave(self, member: Member) -> None:
        """Forget a member."""
        held = list(member.subscriptions.values())
        for subscription in held:
            self._remove(member, subscription)
        for subscription in held:
            self._tell_watchers(subscription.topic)

    def watch(self, topic: str, watcher: Watcher) -> None:
        """Tell the watcher the number of the topic's subscribers, now and on each change."""
        self._watchers.setdefault(topic, []).append(watcher)
        watcher(self.count(topic))

    def unwatch(self, topic: str, watcher: Watcher) -> None:
        """Tell it no more."""
        watchers = self._watchers.get(topic, [])
        if watcher in watchers:
            watchers.remove(watcher)
        if not watchers:
            self._watchers.pop(topic, None)

    def count(self, topic: str) -> int:
        """Return the number of sessions subscribed to exactly this topic."""
        subscription = self._topics.get(topic)
        return len(subscription.members) if subscription else 0

    @property
    def subscriptions(self) -> int:
        """The number of topics with subscribers."""
        return len(self._topics)

    def _fan_out(self, topic: str, payload: Message, excluded: Member | None) -> int:
        self._tally.publications += 1
        publication = random_id(self._random)
        subscription = self._topics.get(topic)
        if subscription is not None:
            event = [EVENT, subscription.id, publication, {}, *payload]
            frames: Frames = {}
            # A copy: a subscriber may leave while it is served, and a local one may do anything.
            for subscriber in tuple(subscription.members):
                if subscriber is not excluded:
                    subscriber.event(subscription, event, frames)
        return publication

    def _create(self, topic: str) -> Subscription:
        newest = self._policy_for(topic) == "newest"
        subscription = self._topics[topic] = Subscription(self._ids.next(), topic, newest=newest)
        return subscription

    def _remove(self, member: Member, subscription: Subscription) -> None:
        del member.subscriptions[subscription.id]
        del subscription.members[member]
        member.forget(subscription)
        if not subscription.members:
            del self._topics[subscription.topic]

    def _tell_watchers(self, topic: str) -> None:
        for watcher in tuple(self._watchers.get(topic, ())):
            try:
                watcher(self.count(topic))
            except Exception as failure:  # noqa: BLE001 - the embedding program's code; the subscriber isn't at fault
                self._report(f"watcher of {topic}", failure)

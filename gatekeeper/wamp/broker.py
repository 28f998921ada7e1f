"""The broker: who subscribed to what, and the fan-out of events.

    SUBSCRIBE   → SUBSCRIBED   [33, request, subscription]       the same ID for every subscriber of a topic or pattern
    UNSUBSCRIBE → UNSUBSCRIBED [35, request]
    PUBLISH     → PUBLISHED    [17, request, publication]        only if `acknowledge`
                  EVENT        [36, subscription, publication, details, args?, kwargs?]
                  UNSUBSCRIBED [35, 0, {subscription, reason}]   a subscription that was revoked

An event is one list for all subscribers of a subscription and one frame per wire. Sans-I/O.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gatekeeper.wamp.answers import Report
from gatekeeper.wamp.archive import Archive
from gatekeeper.wamp.audience import Audience, audience_of
from gatekeeper.wamp.disclosure import publisher_details
from gatekeeper.wamp.errors import (
    DISCLOSE_ME_DISALLOWED,
    NO_SUCH_SUBSCRIPTION,
    OPTION_NOT_ALLOWED,
    UNAVAILABLE,
    WampError,
)
from gatekeeper.wamp.features import PUBLISHER_PASSES, SUBSCRIBER_IS_REVOKED
from gatekeeper.wamp.ids import RandomBits, random_id
from gatekeeper.wamp.limits import Limits, Tally
from gatekeeper.wamp.members import Frames, Member, Subscription, error
from gatekeeper.wamp.messages import EVENT, PUBLISH, PUBLISHED, SUBSCRIBED, UNSUBSCRIBED, Message
from gatekeeper.wamp.passthru import passed_through
from gatekeeper.wamp.patterns import matches
from gatekeeper.wamp.permission import Permission, Verdict
from gatekeeper.wamp.retention import Retention
from gatekeeper.wamp.subscriptions import Subscriptions
from gatekeeper.wamp.uris import Match, as_match

Watcher = Callable[[int], None]


class Broker:
    """Takes and answers what publishers and subscribers ask."""

    def __init__(
        self,
        permission: Permission,
        subscriptions: Subscriptions,
        *,
        limits: Limits,
        tally: Tally,
        random: RandomBits,
        report: Report,
        archive: Archive | None = None,
    ) -> None:
        self._permission = permission
        self.subscriptions = subscriptions
        self._limits = limits
        self._tally = tally
        self._random = random
        self._report = report
        self._watchers: dict[str, list[Watcher]] = {}
        self._is_silent = False
        self._retention = Retention()
        self._archive = archive

    def subscribe(self, member: Member, message: Message) -> None:
        """Answer SUBSCRIBE; a second one to the same topic gives the same subscription."""
        _, request, options, topic = message
        match = as_match(options.get("match") or "exact")
        if match is None:
            raise WampError(OPTION_NOT_ALLOWED, "match is exact, prefix or wildcard")
        self._permission.check(member, "subscribe", topic, match)
        subscription = self.subscriptions.find(topic, match)
        if subscription is None or member not in subscription.members:
            if len(member.subscriptions) >= self._limits.subscriptions and not member.trusted:
                raise WampError(UNAVAILABLE, f"at most {self._limits.subscriptions} subscriptions per session")
            is_new = subscription is None
            subscription = subscription or self.subscriptions.create(topic, match)
            subscription.members[member] = None
            member.subscriptions[subscription.id] = subscription
            # The reply goes first: a watcher may publish at once, and no EVENT may come before its SUBSCRIBED.
            member.send([SUBSCRIBED, request, subscription.id])
            if is_new:
                self.announce("wamp.subscription.on_create", member.id, subscription_details(subscription))
            self.announce("wamp.subscription.on_subscribe", member.id, subscription.id)
            self._tell_watchers(subscription)
        else:
            member.send([SUBSCRIBED, request, subscription.id])
        if options.get("get_retained"):
            self._send_retained(member, subscription)

    def unsubscribe(self, member: Member, message: Message) -> None:
        """Answer UNSUBSCRIBE."""
        subscription = member.subscriptions.get(message[2])
        if subscription is None:
            raise WampError(NO_SUCH_SUBSCRIPTION, "this session has no such subscription")
        self._remove(member, subscription)
        member.send([UNSUBSCRIBED, message[1]])
        self._announce_end(member, subscription)

    def revoke(self, member: Member, subscription: Subscription, reason: str) -> None:
        """End a member's subscription; it is told if it announced that it understands."""
        self._remove(member, subscription)
        if member.features & SUBSCRIBER_IS_REVOKED:
            member.send([UNSUBSCRIBED, 0, {"subscription": subscription.id, "reason": reason}])
        self._announce_end(member, subscription)

    def publish(self, member: Member, message: Message) -> None:
        """Answer PUBLISH; without `acknowledge` there is no answer, not even an ERROR."""
        options, topic = message[2], message[3]
        try:
            verdict = self._permission.check(member, "publish", topic)
            publication = self._publish(member, topic, options, message[4:], verdict)
        except WampError as refusal:
            if options.get("acknowledge"):
                member.send(error(PUBLISH, message[1], refusal.uri, *refusal.args))
            return
        if options.get("acknowledge"):
            member.send([PUBLISHED, message[1], publication])

    def announce(self, topic: str, *args: Any) -> None:
        """Publish a meta event of the router's own."""
        if not self._is_silent and self.subscriptions.route(topic):
            self._fan_out(topic, [random_id(self._random), {}, list(args)], None, None)

    def bequeath(self, member: Member) -> None:
        """Publish the testaments of a member that has left."""
        testaments, member.testaments = member.testaments, None
        if testaments is None or self._is_silent:
            return
        for will in (*testaments.detached, *testaments.destroyed):
            self._publish(member, will.topic, will.options, will.payload, will.verdict)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Publish neither meta events nor testaments meanwhile: everybody leaves, and nobody remains to be told."""
        was_silent, self._is_silent = self._is_silent, True
        try:
            yield
        finally:
            self._is_silent = was_silent

    def leave(self, member: Member) -> None:
        """Forget a member."""
        held = list(member.subscriptions.values())
        for subscription in held:
            self._remove(member, subscription)
        for subscription in held:
            self._announce_end(member, subscription)

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
        """Return the number of sessions that an event on this topic would reach, patterns included."""
        matching = list(self.subscriptions.matching(topic))
        if len(matching) == 1:
            return len(matching[0].members)
        return len({member for subscription in matching for member in subscription.members})

    def _publish(self, member: Member, topic: str, options: dict[str, Any], payload: Message, verdict: Verdict) -> int:
        details, audience, excluded = self.check_terms(member, options, verdict)
        self._tally.publications += 1
        publication = random_id(self._random)
        tail = [publication, details, *payload]
        if options.get("retain"):
            self._retention.keep(topic, tail, audience, excluded)
        if self._archive is not None:
            self._archive.keep(topic, tail, audience)
        self._fan_out(topic, tail, audience, excluded)
        return publication

    def _send_retained(self, member: Member, subscription: Subscription) -> None:
        for tail in self._retention.events(member, subscription):
            member.event(subscription, [EVENT, subscription.id, *tail], {}, 0)

    def check_terms(
        self, member: Member, options: dict[str, Any], verdict: Verdict
    ) -> tuple[dict[str, Any], Audience | None, Member | None]:
        """Return what the options of a PUBLISH come to: the details of its events, and who gets none."""
        if not options and verdict.disclosure != "force":
            return {}, None, member
        details = passed_through(options, member, PUBLISHER_PASSES)
        if verdict.disclosure == "force" or options.get("disclose_me"):
            if verdict.disclosure == "deny":
                raise WampError(DISCLOSE_ME_DISALLOWED, "this publisher may not disclose its identity")
            details.update(publisher_details(member))
        return details, audience_of(options), member if options.get("exclude_me", True) else None

    def _fan_out(self, topic: str, tail: Message, audience: Audience | None, excluded: Member | None) -> None:
        """Send events that end in this: publication, details, and the payload."""
        for subscription, slot in self.subscriptions.route(topic):
            event = [EVENT, subscription.id, *tail]
            if subscription.match != "exact":
                event[3] = {**tail[1], "topic": topic}
            frames: Frames = {}
            # A copy: a subscriber may leave while it is served, and a local one may do anything.
            for subscriber in tuple(subscription.members):
                if subscriber is not excluded and (audience is None or audience.admits(subscriber)):
                    subscriber.event(subscription, event, frames, slot)

    def _remove(self, member: Member, subscription: Subscription) -> None:
        del member.subscriptions[subscription.id]
        del subscription.members[member]
        member.forget(subscription)
        if not subscription.members and not subscription.kept:
            self.subscriptions.delete(subscription)

    def _announce_end(self, member: Member, subscription: Subscription) -> None:
        self.announce("wamp.subscription.on_unsubscribe", member.id, subscription.id)
        if not subscription.members and not subscription.kept:
            self.announce("wamp.subscription.on_delete", member.id, subscription.id)
        self._tell_watchers(subscription)

    def _tell_watchers(self, subscription: Subscription) -> None:
        if not self._watchers:
            return
        for topic in self._watched(subscription.match, subscription.topic):
            for watcher in tuple(self._watchers.get(topic, ())):
                try:
                    watcher(self.count(topic))
                except Exception as failure:  # noqa: BLE001 - the embedding program's code; no subscriber is at fault
                    self._report(f"watcher of {topic}", failure)

    def _watched(self, match: Match, pattern: str) -> list[str]:
        """Return the watched topics that a subscription concerns."""
        if match == "exact":
            return [pattern]
        return [topic for topic in self._watchers if matches(match, pattern, topic)]


def subscription_details(subscription: Subscription) -> dict[str, Any]:
    """Return what the meta API tells of a subscription."""
    return {
        "id": subscription.id,
        "created": subscription.created,
        "uri": subscription.topic,
        "match": subscription.match,
    }

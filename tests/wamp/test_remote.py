"""The session with a router elsewhere: what it publishes while its connection is full, and what watchers hear."""

from typing import Any

import pytest
from autobahn.wamp.exception import ApplicationError
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gatekeeper.wamp.errors import WampError
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.remote import META_TOPICS, RemoteSession, _as_error, _Flow, _Member


class Sent(_Member):
    """A member that writes down what it publishes and subscribes to, and answers calls from a table."""

    def __init__(self, owner: RemoteSession) -> None:
        super().__init__(owner)
        self.published: list[tuple[str, tuple[Any, ...]]] = []
        self.listened: list[str] = []
        self.registered: list[tuple[str, str | None]] = []
        self.answers: dict[str, Any] = {}
        self.full_after = 1_000_000

    def is_attached(self) -> bool:
        return True

    def publish(self, topic: str, *args: Any, **_: Any) -> None:
        self.published.append((topic, args))
        if len(self.published) >= self.full_after:
            self._flow.pauseProducing()

    def listen(self, topic: str, handler: Any, match: str) -> None:
        self.listened.append(topic)

    def offer(self, procedure: str, endpoint: Any, wants_details: bool, invoke: str | None) -> None:
        self.registered.append((procedure, invoke))

    def call(self, procedure: str, *_: Any) -> "Deferred[Any]":
        answer = self.answers.get(procedure, ApplicationError("wamp.error.no_such_procedure"))
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)

    @property
    def flow(self) -> _Flow:
        return self._flow


def policy(topic: str) -> Policy:
    return "newest" if topic.endswith("frame") else "all"


def session() -> tuple[RemoteSession, Sent]:
    reactor = MemoryReactorClock()
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", 1)
    owner = RemoteSession(reactor, "ws://127.0.0.1:1/ws", "realm", policies=policy, endpoint=endpoint)
    return owner, Sent(owner)


def test_of_frames_only_the_newest_waits_and_facts_do_not() -> None:
    owner, member = session()
    owner._entered(member)
    owner.publish("a.frame", 1)
    member.flow.pauseProducing()
    for n in (2, 3, 4):
        owner.publish("a.frame", n)
        owner.publish("b.frame", n)
    owner.publish("fact", "now")
    assert member.published == [("a.frame", (1,)), ("fact", ("now",))]
    member.flow.resumeProducing()
    assert member.published[2:] == [("a.frame", (4,)), ("b.frame", (4,))]
    assert member.flow.slots == {}


def test_a_connection_that_fills_again_keeps_the_rest() -> None:
    owner, member = session()
    owner._entered(member)
    member.flow.pauseProducing()
    owner.publish("a.frame", 1)
    owner.publish("b.frame", 1)
    member.full_after = 1
    member.flow.resumeProducing()
    assert (member.published, list(member.flow.slots)) == ([("a.frame", (1,))], ["b.frame"])


def test_without_a_connection_nothing_is_kept_and_calls_fail() -> None:
    owner, _ = session()
    owner.publish("fact", 1)
    failures: list[Failure] = []
    owner.call("procedure").addErrback(failures.append)
    assert failures[0].check(WampError)
    assert not owner.is_joined


def test_everything_is_offered_again_after_each_join() -> None:
    owner, first = session()
    owner.register(print, "a", invoke="first")
    owner.subscribe(print, "topic")
    owner._entered(first)
    owner.register(print, "b")
    owner._departed(first, "gone")
    second = Sent(owner)
    owner._entered(second)
    assert first.registered == second.registered == [("a", "first"), ("b", None)]
    assert second.listened == ["topic"]


def test_watchers_hear_of_subscribers_and_of_the_end() -> None:
    owner, member = session()
    member.answers = {"wamp.subscription.match": [7, 8], "wamp.subscription.count_subscribers": 2}
    counts: list[int] = []
    owner.watch_subscribers("a.frame", counts.append)
    owner._entered(member)
    assert set(member.listened) == set(META_TOPICS)
    owner._departed(member, "gone")
    assert counts == [0, 4, 0]


def test_where_the_router_does_not_count_somebody_is_assumed() -> None:
    owner, member = session()
    counts: list[int] = []
    owner.watch_subscribers("a.frame", counts.append)
    owner._entered(member)
    assert counts == [0, 1]


class Busy(Exception):
    uri = "gatekeeper.error.busy"


def test_errors_keep_their_uri_and_others_stay_here(logged_failures: list[Any]) -> None:
    with pytest.raises(ApplicationError) as raised:
        _as_error(Failure(Busy("in use")), "procedure")
    assert (raised.value.error, raised.value.args) == ("gatekeeper.error.busy", ("in use",))
    with pytest.raises(ApplicationError) as raised:
        _as_error(Failure(ValueError("a secret")), "procedure")
    assert (raised.value.error, "secret" in str(raised.value.args)) == ("wamp.error.runtime_error", False)
    logged_failures.clear()

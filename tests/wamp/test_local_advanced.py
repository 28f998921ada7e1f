"""The Advanced Profile through sessions of the embedding program."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.errors import WampError
from gatekeeper.wamp.local import TRUSTED, CallDetails, LocalSession
from gatekeeper.wamp.options import CallOptions, EventDetails, PublishOptions, procedure, topic
from gatekeeper.wamp.router import Router
from tests.wamp.advanced import able, plain, refusal, registered, subscribed, timed
from tests.wamp.helpers import open_router


def local(router: Router, authid: str = "server") -> LocalSession:
    return LocalSession(router, Identity(authid, TRUSTED, "internal"))


def test_patterns() -> None:
    router = open_router()
    session, client = local(router), plain(router)
    session.register(lambda *, details: details.procedure, "a.", match="prefix", details=True)
    seen: list[Any] = []
    subscription = session.subscribe(
        lambda *_, details: seen.append(details.topic), "b..c", match="wildcard", details=True
    )
    assert client.say(48, 1, {}, "a.b.c")[0][3] == ["a.b.c"]
    client.say(16, 1, {}, "b.x.c")
    subscription.unsubscribe()
    client.say(16, 2, {}, "b.x.c")
    assert seen == ["b.x.c"]


def test_shared_registration() -> None:
    router = open_router()
    for name in ("one", "two"):
        local(router).register(lambda name=name: name, "a.b", invoke="roundrobin")
    caller = local(router)
    answers: list[str] = []
    for _ in range(3):
        caller.call("a.b").addCallback(answers.append)
    assert answers == ["one", "two", "one"]


def test_progress_both_ways() -> None:
    def work(*, details: CallDetails) -> str:
        if details.progress:
            details.progress(1)
            details.progress(2, k=3)
        return "done"

    router = open_router()
    local(router).register(work, "a.b", details=True)
    parts: list[Any] = []
    answers: list[Any] = []
    options = CallOptions(on_progress=lambda *args, **kwargs: parts.append((args, kwargs)))
    local(router).call("a.b", options=options).addCallback(answers.append)
    local(router).call("a.b").addCallback(answers.append)
    assert (parts, answers) == ([((1,), {}), ((2,), {"k": 3})], ["done", "done"])
    remote = able(router).say(48, 1, {"receive_progress": True}, "a.b")
    assert remote == [
        [50, 1, {"progress": True}, [1]],
        [50, 1, {"progress": True}, [2], {"k": 3}],
        [50, 1, {}, ["done"]],
    ]


@pytest.mark.parametrize("mode", ["kill", "killnowait"])
def test_a_remote_cancel_cancels_the_deferred(mode: str) -> None:
    cancelled: list[bool] = []
    router = open_router()
    local(router).register(lambda: Deferred(lambda _: cancelled.append(True)), "a.b")
    client = plain(router)
    client.say(48, 1, {}, "a.b")
    assert refusal(client.say(49, 1, {"mode": mode})) == "wamp.error.canceled"
    assert cancelled == [True]


def test_call_options() -> None:
    router, clock = timed()
    callee, session = able(router), local(router)
    registered(callee, "a.b")
    failed: list[Any] = []
    session.call("a.b", options=CallOptions(timeout=50, disclose_me=True)).addErrback(failed.append)
    assert callee.take()[0][3]["caller_authid"] == "server"
    clock.advance(0.05)
    assert failed.pop().value.uri == "wamp.error.timeout"
    assert callee.take() == [[69, 1, {"mode": "killnowait"}]]
    session.call("a.b", options=CallOptions(cancel_mode="skip")).addErrback(failed.append).cancel()
    assert [message[0] for message in callee.take()] == [68]
    assert failed.pop().check(WampError, CancelledError)


def test_publish_options_and_retained_events() -> None:
    router = open_router()
    session, ann, joe = local(router), plain(router, authid="ann"), plain(router, authid="joe")
    for client in (ann, joe):
        subscribed(client, "a.b")
    session.publish("a.b", 1, options=PublishOptions(eligible_authid=["ann"], disclose_me=True, retain=True))
    session.publish("a.b", 2, options=PublishOptions(eligible=[]))
    assert [event[3]["publisher_authid"] for event in ann.take()] == ["server"]
    assert joe.take() == []
    joe.say(16, 1, {"retain": True}, "a.c", [7])
    seen: list[Any] = []
    session.subscribe(lambda *args, details: seen.append((args, details)), "a.c", get_retained=True, details=True)
    ((args, details),) = seen
    assert (args, type(details), details.retained, details.topic) == ((7,), EventDetails, True, "a.c")


def test_options_that_are_payload() -> None:
    router = open_router()
    session = local(router)
    session.register(lambda **kwargs: kwargs, "a.b")
    answers: list[Any] = []
    session.call("a.b", options=5).addCallback(answers.append)
    assert answers == [{"options": 5}]


def test_decorated_methods() -> None:
    class Sums:
        def __init__(self) -> None:
            self.seen: list[int] = []

        @procedure("a.add")
        def add(self, one: int, two: int) -> int:
            return one + two

        @topic("b.", match="prefix")
        def changed(self, value: int) -> None:
            self.seen.append(value)

    router = open_router()
    session, sums, client = local(router), Sums(), plain(router)
    assert [registration.procedure for registration in session.register_all(sums)] == ["a.add"]
    assert [subscription.topic for subscription in session.subscribe_all(sums)] == ["b."]
    assert client.say(48, 1, {}, "a.add", [1, 2]) == [[50, 1, {}, [3]]]
    client.say(16, 1, {}, "b.x", [4])
    assert sums.seen == [4]


def test_a_handler_may_subscribe_inside_a_subscription() -> None:
    router = open_router()
    session = local(router)
    session.subscribe(lambda *_: session.subscribe(print, "inner"), "wamp.subscription.on_create")
    outer = session.subscribe(print, "outer")
    outer.unsubscribe()
    assert router.broker.count("outer") == 0
    assert router.broker.count("inner") == 1


def test_the_meta_api() -> None:
    router = open_router()
    session, client = local(router), plain(router)
    answers: list[Any] = []
    session.call("wamp.session.count").addCallback(answers.append)
    session.call("wamp.session.kill", client.session.id).addCallback(answers.append)
    assert answers == [2, None]
    assert client.take() == [[6, {}, "wamp.close.killed"]]

"""Publish and subscribe beyond the Basic Profile, claim by claim."""

from typing import Any

import pytest

from gatekeeper.wamp.codecs import Codec
from tests.wamp.advanced import able, every_codec, plain, refusal, subscribed
from tests.wamp.helpers import Rules, open_router

PATTERNS = "Pattern-based Subscription"
LISTS = "Subscriber Black- and Whitelisting"
IDENTITY = "Publisher Identification"


@every_codec
@pytest.mark.spec(PATTERNS, "an event goes to every subscription that matches, with its concrete topic")
def test_matching_subscriptions_each_get_the_event(codec: Codec) -> None:
    router = open_router()
    publisher, subscriber = plain(router, codec), plain(router, codec)
    exact = subscribed(subscriber, "com.myapp.foo.userevent")
    prefix = subscribed(subscriber, "com.myapp", match="prefix")
    wildcard = subscribed(subscriber, "com.myapp..userevent", match="wildcard")
    ((_, _, publication),) = publisher.say(16, 1, {"acknowledge": True}, "com.myapp.foo.userevent", [1])
    about = {"topic": "com.myapp.foo.userevent"}
    assert sorted(subscriber.take()) == [
        [36, exact, publication, {}, [1]],
        [36, prefix, publication, about, [1]],
        [36, wildcard, publication, about, [1]],
    ]


@pytest.mark.spec(PATTERNS, "prefix matching takes the topic's first characters")
@pytest.mark.parametrize(
    ("topic", "matches"),
    [
        ("com.myapp.topic.emergency.11", True),
        ("com.myapp.topic.emergency-low", True),
        ("com.myapp.topic.emergency.category.severe", True),
        ("com.myapp.topic.emergency", True),
        ("com.myapp.topic.emerge", False),
    ],
)
def test_prefix_matching(topic: str, matches: bool) -> None:
    router = open_router()
    publisher, subscriber = plain(router), plain(router)
    subscribed(subscriber, "com.myapp.topic.emergency", match="prefix")
    publisher.say(16, 1, {}, topic)
    assert len(subscriber.take()) == matches


@pytest.mark.spec(PATTERNS, "wildcard matching takes whole components")
@pytest.mark.parametrize(
    ("topic", "matches"),
    [
        ("com.myapp.foo.userevent", True),
        ("com.myapp.bar.userevent", True),
        ("com.myapp.foo.userevent.bar", False),
        ("com.myapp.foo.user", False),
        ("com.myapp2.foo.userevent", False),
    ],
)
def test_wildcard_matching(topic: str, matches: bool) -> None:
    router = open_router()
    publisher, subscriber = plain(router), plain(router)
    subscribed(subscriber, "com.myapp..userevent", match="wildcard")
    publisher.say(16, 1, {}, topic)
    assert len(subscriber.take()) == matches


@pytest.mark.spec(PATTERNS, "patterns are subscriptions of their own, that end by themselves")
def test_a_pattern_ends_alone() -> None:
    router = open_router()
    publisher, subscriber = plain(router), plain(router)
    exact = subscribed(subscriber, "a.b")
    prefix = subscribed(subscriber, "a.b", match="prefix")
    assert exact != prefix
    assert subscriber.say(34, 2, prefix) == [[35, 2]]
    publisher.say(16, 1, {}, "a.b")
    assert [event[1] for event in subscriber.take()] == [exact]
    subscriber.say(34, 3, exact)
    assert router.metrics().subscriptions_now == 0


@pytest.mark.spec(PATTERNS, "an event is encoded once per subscription and serialization")
def test_a_pattern_shares_its_frame() -> None:
    router = open_router()
    publisher, one, two = plain(router), plain(router), plain(router)
    for subscriber in (one, two):
        subscribed(subscriber, "a", match="prefix")
    publisher.say(16, 1, {}, "a.b", ["x" * 500])
    assert one.link.frames[-1] is two.link.frames[-1]


@pytest.mark.spec("URIs", "empty components are for wildcards only")
def test_empty_components() -> None:
    client = plain(open_router())
    assert refusal(client.say(32, 1, {}, "a..b")) == "wamp.error.invalid_uri"
    assert refusal(client.say(32, 1, {"match": "prefix"}, "a..b")) == "wamp.error.invalid_uri"
    assert refusal(client.say(32, 1, {"match": "wildcard"}, "a. .b")) == "wamp.error.invalid_uri"
    assert client.say(32, 1, {"match": "wildcard"}, "a..b")[0][0] == 33
    assert client.say(32, 1, {"match": "prefix"}, "a.")[0][0] == 33


@pytest.mark.spec("Authorization", "a pattern is authorized as a pattern")
def test_the_authorizer_sees_the_pattern() -> None:
    rules = Rules(("subscribe", "a."))
    client = plain(open_router(authorizer=rules), authid="joe")
    assert refusal(client.say(32, 1, {"match": "prefix"}, "a.")) == "wamp.error.not_authorized"
    assert rules.asked == [("joe", "subscribe", "a.", "prefix")]


@every_codec
@pytest.mark.spec(LISTS, "an event reaches whom every whitelist names and no blacklist does")
@pytest.mark.parametrize(
    ("options", "reached"),
    [
        ({"eligible": []}, ""),
        ({"eligible_authid": []}, ""),
        ({"eligible_authrole": []}, ""),
        ({"eligible": ["joe"]}, "joe"),
        ({"eligible": ["joe", "ann"], "exclude": ["joe"]}, "ann"),
        ({"exclude": ["joe"]}, "ann"),
        ({"exclude": []}, "ann joe"),
        ({"eligible_authid": ["ann"]}, "ann"),
        ({"exclude_authid": ["ann"]}, "joe"),
        ({"eligible_authrole": ["visitor"]}, "ann joe"),
        ({"eligible_authrole": ["admin"]}, ""),
        ({"exclude_authrole": ["visitor"]}, ""),
        ({"eligible_authid": ["ann"], "eligible_authrole": ["admin"]}, ""),
        ({"eligible_authid": ["ann"], "exclude": ["ann"]}, ""),
    ],
    ids=str,
)
def test_lists(codec: Codec, options: dict[str, Any], reached: str) -> None:
    router = open_router()
    clients = {name: plain(router, codec, authid=name) for name in ("ann", "joe")}
    for client in clients.values():
        subscribed(client, "a.topic")
    for name in ("eligible", "exclude"):
        if name in options:
            options = {**options, name: [clients[who].session.id for who in options[name]]}
    assert plain(router, codec).say(16, 1, {"acknowledge": True, **options}, "a.topic")[0][0] == 17
    assert " ".join(name for name, client in clients.items() if client.take()) == reached


@pytest.mark.spec(LISTS, "a list of the wrong type is a protocol violation")
@pytest.mark.parametrize("options", [{"eligible": "joe"}, {"exclude": ["joe"]}, {"eligible_authid": [1]}], ids=str)
def test_lists_of_the_wrong_type(options: dict[str, Any]) -> None:
    assert plain(open_router()).say(16, 1, options, "a.b")[0][2] == "wamp.error.protocol_violation"


@pytest.mark.spec("Publisher Exclusion", "exclude_me false lets a publisher receive its own event")
def test_exclusion() -> None:
    client = plain(open_router())
    subscribed(client, "a", match="prefix")
    assert client.say(16, 1, {}, "a.b") == []
    assert client.say(16, 2, {"exclude_me": False}, "a.b")[0][0] == 36


@every_codec
@pytest.mark.spec(IDENTITY, "disclose_me tells the subscribers who published")
def test_disclosure_on_request(codec: Codec) -> None:
    router = open_router()
    publisher, subscriber = plain(router, codec, authid="joe"), plain(router, codec)
    subscribed(subscriber, "a.b")
    publisher.say(16, 1, {"disclose_me": True}, "a.b")
    publisher.say(16, 2, {"disclose_me": False}, "a.b")
    known = {"publisher": publisher.session.id, "publisher_authid": "joe", "publisher_authrole": "visitor"}
    assert [event[3] for event in subscriber.take()] == [known, {}]


@pytest.mark.spec(IDENTITY, "the broker may disclose by itself")
def test_forced_disclosure() -> None:
    router = open_router(disclosure=lambda action, uri, role: "force")
    publisher, subscriber = plain(router), plain(router)
    subscribed(subscriber, "a.b")
    publisher.say(16, 1, {}, "a.b")
    assert subscriber.take()[0][3]["publisher"] == publisher.session.id


@pytest.mark.spec(IDENTITY, "the broker may refuse to disclose")
def test_refused_disclosure() -> None:
    router = open_router(disclosure=lambda action, uri, role: "deny")
    publisher, subscriber = plain(router), plain(router)
    subscribed(subscriber, "a.b")
    answers = publisher.say(16, 1, {"disclose_me": True, "acknowledge": True}, "a.b")
    assert refusal(answers) == "wamp.error.option_disallowed.disclose_me"
    assert subscriber.take() == []


@pytest.mark.spec(IDENTITY, "what a client says of anybody's identity is never trusted")
def test_forged_identity() -> None:
    router = open_router()
    publisher, subscriber = plain(router), plain(router)
    subscribed(subscriber, "a.b")
    forged = {"forward_for": [{"session": 1, "authid": "admin", "authrole": "trusted"}], "publisher_authid": "admin"}
    publisher.say(16, 1, {**forged, "disclose_me": True}, "a.b")
    assert subscriber.take()[0][3]["publisher_authid"] == "somebody"


PPT = {"ppt_scheme": "x_mine", "ppt_serializer": "cbor", "ppt_cipher": "x", "ppt_keyid": "k"}


@every_codec
@pytest.mark.spec("Payload Passthru Mode", "PUBLISH hands its ppt attributes and payload on in EVENT")
def test_passthru(codec: Codec) -> None:
    router = open_router()
    publisher, subscriber = able(router, codec), able(router, codec)
    subscribed(subscriber, "a.b")
    publisher.say(16, 1, PPT, "a.b", [b"\x00\xff"])
    assert subscriber.take()[0][3:] == [PPT, [b"\x00\xff"]]


@pytest.mark.spec("Payload Passthru Mode", "PUBLISH with ppt attributes that weren't announced is a violation")
def test_passthru_unannounced() -> None:
    assert plain(open_router()).say(16, 1, PPT, "a.b", [b""])[0][2] == "wamp.error.protocol_violation"


@pytest.mark.spec("Subscription Revocation", "a subscriber that understands is told")
def test_revocation() -> None:
    router = open_router()
    knowing, other = able(router), plain(router)
    number = subscribed(knowing, "a.b")
    subscribed(other, "a.b")
    subscription = router.broker.subscriptions.get(number)
    assert subscription is not None
    for client in (knowing, other):
        router.broker.revoke(client.session, subscription, "moved")
    assert knowing.take() == [[35, 0, {"subscription": number, "reason": "moved"}]]
    assert other.take() == []
    assert router.metrics().subscriptions_now == 0


def test_a_slow_subscriber_of_a_pattern_gets_the_newest_of_each_topic() -> None:
    router = open_router(policies=lambda topic: "newest" if topic.startswith("frame") else "all")
    publisher, slow = plain(router), plain(router)
    subscribed(slow, "frame", match="prefix")
    slow.stall()
    for number in range(5):
        publisher.say(16, 1, {}, "frame.one", [number])
        publisher.say(16, 1, {}, "frame.two", [number])
    slow.drain()
    assert [event[4] for event in slow.take()] == [[0], [4], [4]]

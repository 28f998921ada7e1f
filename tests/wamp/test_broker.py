from typing import Any

import pytest

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.router import Limits, UriRule
from tests.wamp.helpers import EVERY_CODEC, Client, Reports, Rules, open_router

every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)


def error_of(answers: list[list[Any]]) -> str:
    """Return the URI of the one answer, an ERROR."""
    (answer,) = answers
    assert answer[0] == 8
    return str(answer[4])


@every_codec
def test_an_event_reaches_the_subscribers_of_its_topic(codec: Codec) -> None:
    router = open_router()
    publisher, one, two, other = (Client(router, codec).join() for _ in range(4))
    (subscribed,) = one.say(32, 1, {}, "a.topic")
    assert subscribed[:2] == [33, 1]
    assert two.say(32, 5, {}, "a.topic") == [[33, 5, subscribed[2]]]
    other.say(32, 1, {}, "another.topic")
    (published,) = publisher.say(16, 7, {"acknowledge": True}, "a.topic", [1, b"\xff"], {"k": None})
    assert published[:2] == [17, 7]
    event = [36, subscribed[2], published[2], {}, [1, b"\xff"], {"k": None}]
    assert (one.take(), two.take(), other.take()) == ([event], [event], [])


@pytest.mark.parametrize("payload", [[], [[]], [[1]], [[], {"k": 1}]])
def test_a_payload_arrives_as_it_was_sent(payload: list[Any]) -> None:
    router = open_router()
    publisher, subscriber = Client(router).join(), Client(router).join()
    subscriber.say(32, 1, {}, "a.topic")
    assert publisher.say(16, 1, {}, "a.topic", *payload) == []
    (event,) = subscriber.take()
    assert event[4:] == payload


def test_an_event_is_encoded_once_per_serialization() -> None:
    router = open_router()
    publisher = Client(router).join()
    subscribers = [Client(router, codec).join() for codec in (JSON, CBOR, MSGPACK) for _ in range(3)]
    for subscriber in subscribers:
        subscriber.say(32, 1, {}, "a.topic")
    publisher.say(16, 1, {}, "a.topic", ["x" * 1000])
    assert len({id(subscriber.link.frames[-1]) for subscriber in subscribers}) == 3


def test_a_publisher_does_not_hear_itself_unless_it_asks_to() -> None:
    client = Client(open_router()).join()
    client.say(32, 1, {}, "a.topic")
    assert client.say(16, 1, {}, "a.topic") == []
    assert [event[0] for event in client.say(16, 1, {"exclude_me": False}, "a.topic")] == [36]


def test_subscribing_twice_gives_the_same_subscription_and_one_event() -> None:
    router = open_router()
    publisher, subscriber = Client(router).join(), Client(router).join()
    first, second = subscriber.say(32, 1, {}, "a.topic"), subscriber.say(32, 2, {}, "a.topic")
    assert (first[0][2], second[0][1]) == (second[0][2], 2)
    publisher.say(16, 1, {}, "a.topic")
    assert len(subscriber.take()) == 1


def test_after_unsubscribing_no_event_comes() -> None:
    router = open_router()
    publisher, subscriber = Client(router).join(), Client(router).join()
    ((_, _, subscription),) = subscriber.say(32, 1, {}, "a.topic")
    assert subscriber.say(34, 2, subscription) == [[35, 2]]
    publisher.say(16, 1, {}, "a.topic")
    assert subscriber.take() == []
    assert router.metrics().subscriptions_now == 0
    assert error_of(subscriber.say(34, 3, subscription)) == "wamp.error.no_such_subscription"


def test_nobody_ends_another_sessions_subscription() -> None:
    router = open_router()
    subscriber, stranger = Client(router).join(), Client(router).join()
    ((_, _, subscription),) = subscriber.say(32, 1, {}, "a.topic")
    assert stranger.say(34, 1, subscription) == [[8, 34, 1, {}, "wamp.error.no_such_subscription", stranger_says()]]
    assert router.broker.count("a.topic") == 1


def stranger_says() -> list[str]:
    return ["this session has no such subscription"]


@pytest.mark.parametrize("topic", ["", "a..b", "a b", "a#b", ".a", "wamp.session.on_join"])
def test_an_invalid_topic_is_answered_and_the_session_lives_on(topic: str) -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(16, 1, {"acknowledge": True}, topic)) == "wamp.error.invalid_uri"
    assert client.say(16, 2, {}, topic) == []
    if not topic.startswith("wamp"):
        assert error_of(client.say(32, 3, {}, topic)) == "wamp.error.invalid_uri"
    assert not client.link.is_closed


def test_the_strict_rule() -> None:
    client = Client(open_router(uri_rule=UriRule.STRICT)).join()
    assert error_of(client.say(32, 1, {}, "a.Topic")) == "wamp.error.invalid_uri"


def test_what_the_authorizer_forbids() -> None:
    rules = Rules(("publish", "a.secret"), ("subscribe", "a.secret"))
    router = open_router(authorizer=rules)
    client, listener = Client(router).join(authid="joe"), Client(router).join()
    assert error_of(client.say(32, 1, {}, "a.secret")) == "wamp.error.not_authorized"
    assert error_of(client.say(16, 2, {"acknowledge": True}, "a.secret")) == "wamp.error.not_authorized"
    assert client.say(16, 3, {}, "a.secret") == []
    assert listener.take() == []
    assert rules.asked[0] == ("joe", "subscribe", "a.secret", "exact")


def test_an_authorizer_that_fails_forbids() -> None:
    reports = Reports()
    client = Client(open_router(authorizer=Rules(), report=reports)).join()
    assert error_of(client.say(32, 1, {}, "a.broken")) == "wamp.error.authorization_failed"
    assert [where for where, _ in reports.errors] == ["authorizer"]


def test_a_match_that_is_not_offered_is_refused() -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(32, 1, {"match": "nonsense"}, "a.topic")) == "wamp.error.option_not_allowed"
    assert client.say(32, 2, {"match": "exact"}, "a.topic")[0][0] == 33


def test_what_a_client_says_of_its_identity_goes_nowhere() -> None:
    router = open_router()
    publisher, subscriber = Client(router).join(), Client(router).join()
    subscriber.say(32, 1, {}, "a.topic")
    forged = {"forward_for": [{"session": 1, "authid": "admin", "authrole": "trusted"}], "publisher_authid": "admin"}
    publisher.say(16, 1, forged, "a.topic")
    assert subscriber.take()[0][3] == {}


def test_a_session_has_a_bounded_number_of_subscriptions() -> None:
    client = Client(open_router(limits=Limits(subscriptions=2))).join()
    for topic in ("a.one", "a.two"):
        assert client.say(32, 1, {}, topic)[0][0] == 33
    assert error_of(client.say(32, 1, {}, "a.three")) == "wamp.error.unavailable"
    assert client.say(32, 1, {}, "a.one")[0][0] == 33


def test_an_event_that_one_serialization_cannot_express_reaches_the_others() -> None:
    router = open_router()
    publisher, json, cbor = Client(router, CBOR).join(), Client(router, JSON).join(), Client(router, CBOR).join()
    for subscriber in (json, cbor):
        subscriber.say(32, 1, {}, "a.topic")
    publisher.say(16, 1, {}, "a.topic", [float("inf")])
    assert (len(json.take()), len(cbor.take())) == (0, 1)
    assert router.metrics().events_unencodable == 1
    publisher.say(16, 1, {}, "a.topic", [1])
    assert len(json.take()) == 1


def test_a_publisher_that_is_gone_is_no_reason_not_to_deliver() -> None:
    router = open_router()
    publisher, subscriber = Client(router).join(), Client(router).join()
    subscriber.say(32, 1, {}, "a.topic")
    publisher.say(16, 1, {}, "a.topic", ["last words"])
    publisher.session.lost()
    assert subscriber.take()[0][4] == ["last words"]

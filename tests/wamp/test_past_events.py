"""Event retention and event history, claim by claim."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gatekeeper.wamp import retention
from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.history import Kept, PastEvent, Query
from gatekeeper.wamp.router import Router
from tests.wamp.advanced import called, every_codec, plain, subscribed
from tests.wamp.helpers import Client, Reports, Rules, open_router

RETENTION = "Event Retention"
HISTORY = "Event History"


def retained(client: Client, topic: str, **options: Any) -> list[Any]:
    """Subscribe, and return the details and payloads of the retained events."""
    answers = client.say(32, 1, {"get_retained": True, **options}, topic)
    assert answers[0][0] == 33
    return [event[3:] for event in answers[1:]]


@every_codec
@pytest.mark.spec(RETENTION, "who asks for it gets the most recent retained event after SUBSCRIBED, marked as such")
@pytest.mark.parametrize(
    ("topic", "match", "about"),
    [
        ("a.b", "exact", {"retained": True}),
        ("a", "prefix", {"retained": True, "topic": "a.b"}),
        (".b", "wildcard", {"retained": True, "topic": "a.b"}),
    ],
)
def test_retention(codec: Codec, topic: str, match: str, about: dict[str, Any]) -> None:
    router = open_router()
    publisher = plain(router, codec)
    for number in (1, 2):
        publisher.say(16, number, {"retain": True}, "a.b", [number])
    publisher.say(16, 3, {}, "a.b", ["passing"])
    assert retained(plain(router, codec), topic, match=match) == [[about, [2]]]
    assert plain(router, codec).say(32, 1, {"match": match}, topic)[1:] == []


@pytest.mark.spec(RETENTION, "a subscriber never gets an event that it wasn't eligible for, but the one before it")
@pytest.mark.parametrize(
    "options", [{"exclude_authid": ["ann"]}, {"eligible_authid": ["joe"]}, {"eligible": []}], ids=str
)
def test_retention_is_filtered(options: dict[str, Any]) -> None:
    router = open_router()
    publisher = plain(router)
    publisher.say(16, 1, {"retain": True}, "a.b", ["for all"])
    publisher.say(16, 2, {"retain": True, **options}, "a.b", ["for some"])
    assert retained(plain(router, authid="ann"), "a.b") == [[{"retained": True}, ["for all"]]]
    expected = "for all" if options == {"eligible": []} else "for some"
    assert retained(plain(router, authid="joe"), "a.b") == [[{"retained": True}, [expected]]]


@pytest.mark.spec(RETENTION, "an event published with exclude doesn't stop a later SUBSCRIBE")
def test_retention_with_excluded_sessions() -> None:
    router = open_router()
    subscriber = plain(router)
    plain(router).say(16, 1, {"retain": True, "exclude": [subscriber.session.id]}, "a.b")
    assert retained(subscriber, "a.b") == []
    assert len(retained(plain(router), "a", match="prefix")) == 1


@pytest.mark.spec(RETENTION, "a publisher doesn't get its own unless it said so")
def test_retention_and_its_publisher() -> None:
    publisher = plain(open_router())
    publisher.say(16, 1, {"retain": True}, "a.b")
    assert retained(publisher, "a.b") == []
    publisher.say(16, 2, {"retain": True, "exclude_me": False}, "a.c")
    assert len(retained(publisher, "a.c")) == 1


def test_retention_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MAX_BYTES", 400)
    monkeypatch.setattr(retention, "MAX_TOPICS", 2)
    router = open_router()
    publisher = plain(router)
    publisher.say(16, 1, {"retain": True}, "a.large", ["x" * 500])
    for topic in ("a.one", "a.two", "a.three"):
        publisher.say(16, 1, {"retain": True}, topic)
    for number in range(20):
        publisher.say(16, 1, {"retain": True, "eligible_authid": [str(number)]}, "a.one")
    found = retained(plain(router, authid="19"), "a", match="prefix")
    assert [about["topic"] for about, *_ in found] == ["a.one", "a.two"]


def archived(**arguments: Any) -> tuple[Router, list[float]]:
    """Return a router with a history, and its clock."""
    times = [0.0]
    history = [Kept("a.log", "prefix"), Kept("a.log.auth"), Kept("b", limit=3)]
    return open_router(history=history, now=lambda: times[0], **arguments), times


def past(client: Client, uri: str, match: str = "exact", /, **asked: Any) -> Any:
    """Return the first arguments of the events that are told."""
    number = called(client, "wamp.subscription.lookup", uri, {"match": match})
    events = called(client, "wamp.subscription.get_events", number, **asked)
    return events if isinstance(events, str) else [event["args"][0] for event in events]


@every_codec
@pytest.mark.spec(HISTORY, "the history of a subscription holds what was published to it, as it was")
def test_history(codec: Codec) -> None:
    router, _ = archived()
    client = plain(router, codec)
    ((_, _, publication),) = client.say(16, 1, {"acknowledge": True}, "a.log.auth", [1], {"k": b"\x00"})
    client.say(16, 2, {}, "a.log.basket", [2])
    assert past(client, "a.log", "prefix") == [1, 2]
    number = called(client, "wamp.subscription.lookup", "a.log.auth")
    assert called(client, "wamp.subscription.get_events", number) == [
        {
            "timestamp": "1970-01-01T00:00:00.000Z",
            "subscription": number,
            "publication": publication,
            "details": {},
            "args": [1],
            "kwargs": {"k": b"\x00"},
        }
    ]


@pytest.mark.spec(HISTORY, "reverse, limit, topic, times and publications narrow it, all at once")
def test_history_is_narrowed() -> None:
    router, times = archived()
    client = plain(router)
    ids = []
    for number in range(5):
        times[0] = float(number)
        topic = "a.log.even" if number % 2 == 0 else "a.log.odd"
        ids.append(client.say(16, 1, {"acknowledge": True}, topic, [number])[0][2])

    def ask(**asked: Any) -> Any:
        return past(client, "a.log", "prefix", **asked)

    def at(seconds: int) -> str:
        return f"1970-01-01T00:00:0{seconds}Z"

    assert ask(reverse=True) == [4, 3, 2, 1, 0]
    assert ask(limit=2) == [0, 1]
    assert ask(reverse=True, limit=2) == [4, 3]
    assert ask(topic="a.log.odd") == [1, 3]
    assert ask(from_time=at(3)) == [3, 4]
    assert ask(after_time=at(3)) == [4]
    assert ask(before_time=at(1)) == [0]
    assert ask(until_time=at(1)) == [0, 1]
    assert ask(from_publication=ids[3]) == [3, 4]
    assert ask(after_publication=ids[3]) == [4]
    assert ask(before_publication=ids[1]) == [0]
    assert ask(until_publication=ids[1]) == [0, 1]
    assert ask(after_publication=ids[0], before_time=at(4), topic="a.log.even") == [2]
    assert ask(from_publication=7) == ask(until_publication=7) == []
    for wrong in ({"limit": 0}, {"limit": "x"}, {"from_time": "noon"}, {"from_publication": 0}, {"reverse": 1}):
        assert ask(**wrong) == "wamp.error.invalid_argument"


@pytest.mark.spec(HISTORY, "events for authids or authroles are told to them only, those for sessions aren't kept")
def test_history_is_filtered() -> None:
    router, _ = archived()
    ann, joe = plain(router, authid="ann"), plain(router, authid="joe")
    for number, options in enumerate(({"eligible_authid": ["ann"]}, {"exclude": [1]}, {"eligible": [ann.session.id]})):
        joe.say(16, 1, options, "b", [number])
    assert (past(ann, "b"), past(joe, "b")) == ([0], [])


@pytest.mark.spec(HISTORY, "who may not subscribe may not see the history")
def test_history_is_authorized() -> None:
    client = plain(archived(authorizer=Rules(("subscribe", "b")))[0])
    assert past(client, "b") == "wamp.error.not_authorized"


@pytest.mark.spec(HISTORY, "announced where there is any; a subscription without has none to tell")
def test_history_is_announced() -> None:
    router, _ = archived()
    (welcome,) = Client(router).say(1, "realm", {"roles": {"caller": {}}})
    assert welcome[2]["roles"]["broker"]["features"]["event_history"] is True
    client = plain(router)
    number = subscribed(client, "c")
    client.say(16, 1, {}, "c")
    assert called(client, "wamp.subscription.get_events", number) == []
    assert called(client, "wamp.subscription.get_events", 99) == "wamp.error.no_such_subscription"
    assert called(plain(open_router()), "wamp.subscription.get_events", 1) == "wamp.error.no_such_subscription"


def test_a_ring_holds_so_many() -> None:
    client = plain(archived()[0])
    for number in range(5):
        client.say(16, 1, {}, "b", [number])
    assert past(client, "b") == [2, 3, 4]


def test_a_store_may_take_its_time_or_fail() -> None:
    class Slow:
        def __init__(self) -> None:
            self.kept: list[PastEvent] = []
            self.answer: Deferred[list[PastEvent]] = Deferred()

        def keep(self, kept: Kept, event: PastEvent) -> None:
            self.kept.append(event)
            raise OSError("disk full")

        def past(self, kept: Kept, query: Query) -> Deferred[list[PastEvent]]:
            return self.answer

    store, reports = Slow(), Reports()
    router, _ = archived(history_store=store, report=reports)
    client = plain(router)
    client.say(16, 1, {}, "b", [7])
    assert [where for where, _ in reports.errors] == ["event history"]
    number = called(client, "wamp.subscription.lookup", "b")
    assert client.say(48, 5, {}, "wamp.subscription.get_events", [number]) == []
    store.answer.callback(store.kept)
    assert [event["args"] for event in client.take()[0][3][0]] == [[7]]

"""The meta API, claim by claim."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gatekeeper.wamp.auth import Identity, Permit
from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.local import TRUSTED, LocalSession
from tests.wamp.advanced import called, every_codec, plain, refusal, registered, subscribed
from tests.wamp.helpers import Reports, Rules, open_router

SESSIONS = "Session Meta API"
REGISTRATIONS = "Registration Meta API"
SUBSCRIPTIONS = "Subscriptions Meta API"
TESTAMENTS = "Session Testament"


def about(client: Any, authid: str = "somebody") -> dict[str, Any]:
    return {
        "session": client.session.id,
        "authid": authid,
        "authrole": "visitor",
        "authmethod": "anonymous",
        "authprovider": "static",
    }


@every_codec
@pytest.mark.spec(SESSIONS, "count, list and get")
def test_sessions(codec: Codec) -> None:
    router = open_router()
    one, two = plain(router, codec), plain(router, codec, authid="joe")
    assert called(one, "wamp.session.count") == 2
    assert called(one, "wamp.session.count", ["visitor"]) == 2
    assert called(one, "wamp.session.count", ["admin"]) == 0
    assert called(one, "wamp.session.list") == [one.session.id, two.session.id]
    assert called(one, "wamp.session.list", []) == []
    assert called(one, "wamp.session.get", two.session.id) == about(two, "joe")
    assert called(one, "wamp.session.get", 1) == "wamp.error.no_such_session"


@pytest.mark.spec(SESSIONS, "on_join and on_leave with three arguments")
@pytest.mark.parametrize("leaving", ["lost", "goodbye"])
def test_session_events(leaving: str) -> None:
    router = open_router()
    watcher = plain(router)
    subscribed(watcher, "wamp.session.on_join")
    subscribed(watcher, "wamp.session.on_leave")
    guest = plain(router, authid="joe")
    assert watcher.take()[0][4] == [about(guest, "joe")]
    number = guest.session.id
    if leaving == "lost":
        guest.session.lost()
    else:
        guest.say(6, {}, "wamp.close.close_realm")
    assert [event[4] for event in watcher.take()] == [[number, "joe", "visitor"]]


@every_codec
@pytest.mark.spec(SESSIONS, "kill sends GOODBYE with the reason and message given")
def test_kill(codec: Codec) -> None:
    router = open_router()
    admin, one, two = (plain(router, codec) for _ in range(3))
    assert called(admin, "wamp.session.kill", one.session.id) is None
    assert one.take() == [[6, {}, "wamp.close.killed"]]
    assert called(admin, "wamp.session.kill", two.session.id, reason="a.reason", message="bye") is None
    assert two.take() == [[6, {"message": "bye"}, "a.reason"]]
    assert called(admin, "wamp.session.count") == 1


@pytest.mark.spec(SESSIONS, "kill refuses the own session, an unknown one, and a reason that is no URI")
def test_kill_refuses() -> None:
    router = open_router()
    admin, other = plain(router), plain(router)
    assert called(admin, "wamp.session.kill", admin.session.id) == "wamp.error.no_such_session"
    assert called(admin, "wamp.session.kill", 12) == "wamp.error.no_such_session"
    for reason in ("", "not an uri", 5):
        assert called(admin, "wamp.session.kill", other.session.id, reason=reason) == "wamp.error.invalid_uri"
    assert called(admin, "wamp.session.kill", "x") == "wamp.error.invalid_argument"
    assert other.take() == []


@pytest.mark.spec(SESSIONS, "kill_by_authid, kill_by_authrole and kill_all spare the caller and count the others")
def test_kill_many() -> None:
    router = open_router()
    admin, joe, joes, ann = (plain(router, authid=name) for name in ("joe", "joe", "joe", "ann"))
    assert called(admin, "wamp.session.kill_by_authid", "joe") == [joe.session.id, joes.session.id]
    assert called(admin, "wamp.session.kill_by_authrole", "admin") == 0
    assert called(admin, "wamp.session.kill_by_authrole", "visitor") == 1
    assert ann.take() == [[6, {}, "wamp.close.killed"]]
    plain(router)
    subscribed(admin, "wamp.session.on_leave")
    assert called(admin, "wamp.session.kill_all") == 1
    assert admin.take() == []


@pytest.mark.spec(SESSIONS, "the embedding program's own sessions can't be killed")
def test_the_servers_own_session_stays() -> None:
    router = open_router()
    local = LocalSession(router, Identity("server", TRUSTED, "internal"))
    admin = plain(router)
    assert called(admin, "wamp.session.kill", local.id) == "wamp.error.no_such_session"
    assert called(admin, "wamp.session.kill_all") == 0
    assert router.has(local)


@pytest.mark.spec("Authorization", "meta procedures are authorized like any other")
def test_meta_procedures_are_authorized() -> None:
    admin = plain(open_router(authorizer=Rules(("call", "wamp.session.kill_all"))))
    assert called(admin, "wamp.session.kill_all") == "wamp.error.not_authorized"


@every_codec
@pytest.mark.spec(REGISTRATIONS, "list, lookup, match, get, list_callees and count_callees")
def test_registrations(codec: Codec) -> None:
    router = open_router(now=lambda: 0.0)
    client = plain(router, codec)
    exact = registered(client, "a.b")
    prefix = registered(client, "a", match="prefix", invoke="first")
    wildcard = registered(client, "..c", match="wildcard")
    assert called(client, "wamp.registration.list") == {"exact": [exact], "prefix": [prefix], "wildcard": [wildcard]}
    assert called(client, "wamp.registration.lookup", "a.b") == exact
    assert called(client, "wamp.registration.lookup", "a", {"match": "prefix"}) == prefix
    assert called(client, "wamp.registration.lookup", "a") is None
    assert called(client, "wamp.registration.match", "a.x") == prefix
    assert called(client, "wamp.registration.match", "x") is None
    assert called(client, "wamp.registration.get", prefix) == {
        "id": prefix,
        "created": "1970-01-01T00:00:00.000Z",
        "uri": "a",
        "match": "prefix",
        "invoke": "first",
    }
    assert called(client, "wamp.registration.list_callees", exact) == [client.session.id]
    assert called(client, "wamp.registration.count_callees", exact) == 1
    for procedure in ("get", "list_callees", "count_callees"):
        assert called(client, f"wamp.registration.{procedure}", 99) == "wamp.error.no_such_registration"


@every_codec
@pytest.mark.spec(SUBSCRIPTIONS, "list, lookup, match, get, list_subscribers and count_subscribers")
def test_subscriptions(codec: Codec) -> None:
    router = open_router(now=lambda: 0.0)
    client = plain(router, codec)
    exact = subscribed(client, "a.b")
    prefix = subscribed(client, "a", match="prefix")
    assert called(client, "wamp.subscription.list") == {"exact": [exact], "prefix": [prefix], "wildcard": []}
    assert called(client, "wamp.subscription.lookup", "a", {"match": "prefix"}) == prefix
    assert called(client, "wamp.subscription.lookup", "a") is None
    assert called(client, "wamp.subscription.match", "a.b") == [exact, prefix]
    assert called(client, "wamp.subscription.match", "x") is None
    assert called(client, "wamp.subscription.get", exact) == {
        "id": exact,
        "created": "1970-01-01T00:00:00.000Z",
        "uri": "a.b",
        "match": "exact",
    }
    assert called(client, "wamp.subscription.list_subscribers", exact) == [client.session.id]
    assert called(client, "wamp.subscription.count_subscribers", exact) == 1
    for procedure in ("get", "list_subscribers", "count_subscribers"):
        assert called(client, f"wamp.subscription.{procedure}", 99) == "wamp.error.no_such_subscription"


@pytest.mark.spec(REGISTRATIONS, "on_create before on_register, on_unregister before on_delete")
def test_registration_events() -> None:
    router = open_router()
    watcher, one, two = (plain(router) for _ in range(3))
    subscribed(watcher, "wamp.registration", match="prefix")
    number = registered(one, "a.b", invoke="first")
    registered(two, "a.b", invoke="first")
    one.say(66, 2, number)
    two.session.lost()
    events = [(event[3]["topic"].rsplit(".", 1)[1], event[4]) for event in watcher.take()]
    assert (events[0][0], events[0][1][0], events[0][1][1]["id"]) == ("on_create", one.session.id, number)
    assert events[1:] == [
        ("on_register", [one.session.id, number]),
        ("on_register", [two.session.id, number]),
        ("on_unregister", [one.session.id, number]),
        ("on_unregister", [two.session.id, number]),
        ("on_delete", [two.session.id, number]),
    ]


@pytest.mark.spec(SUBSCRIPTIONS, "on_create before on_subscribe, on_unsubscribe before on_delete")
def test_subscription_events() -> None:
    router = open_router()
    watcher, one, two = (plain(router) for _ in range(3))
    subscribed(watcher, "wamp.subscription", match="prefix")
    watcher.take()
    number = subscribed(one, "a.b")
    subscribed(two, "a.b")
    one.say(34, 2, number)
    two.session.lost()
    events = [(event[3]["topic"].rsplit(".", 1)[1], event[4]) for event in watcher.take()]
    assert (events[0][0], events[0][1][0], events[0][1][1]["id"]) == ("on_create", one.session.id, number)
    assert events[1:] == [
        ("on_subscribe", [one.session.id, number]),
        ("on_subscribe", [two.session.id, number]),
        ("on_unsubscribe", [one.session.id, number]),
        ("on_unsubscribe", [two.session.id, number]),
        ("on_delete", [two.session.id, number]),
    ]


@every_codec
@pytest.mark.spec(TESTAMENTS, "published when the session ends: detached ones first, each in the order it was made")
def test_testaments(codec: Codec) -> None:
    router = open_router()
    dying, heir = plain(router, codec), plain(router, codec)
    subscribed(heir, "a.will")
    add = "wamp.session.add_testament"
    assert called(dying, add, "a.will", [1], {}) is None
    assert called(dying, add, "a.will", [2], {"k": 1}, scope="destroyed") is None
    assert called(dying, add, "a.will", [3], {}, scope="detached", publish_options={"disclose_me": True}) is None
    assert called(dying, add, "a.will", [4], {}, publish_options={"eligible": []}) is None
    number = dying.session.id
    assert heir.take() == []
    dying.session.lost()
    events = heir.take()
    assert [event[4] for event in events] == [[3], [1], [2]]
    assert events[2][5] == {"k": 1}
    assert events[0][3]["publisher"] == number


@pytest.mark.spec(TESTAMENTS, "flush_testaments drops those of one scope")
def test_flushing() -> None:
    router = open_router()
    dying, heir = plain(router), plain(router)
    subscribed(heir, "a.will")
    for scope in ("detached", "destroyed"):
        called(dying, "wamp.session.add_testament", "a.will", [scope], {}, scope=scope)
    assert called(dying, "wamp.session.flush_testaments") is None
    dying.session.lost()
    assert [event[4] for event in heir.take()] == [["detached"]]


@pytest.mark.spec(TESTAMENTS, "a testament that its author may not publish is refused")
def test_testaments_refused() -> None:
    dying = plain(open_router(authorizer=Rules(("publish", "a.secret"))))
    add = "wamp.session.add_testament"
    assert called(dying, add, "a.secret", [], {}) == "wamp.error.not_authorized"
    assert called(dying, add, "not an uri", [], {}) == "wamp.error.invalid_uri"
    assert called(dying, add, "a.b", [], {}, scope="never") == "wamp.error.invalid_argument"
    assert called(dying, add, "a.b", 5, {}) == "wamp.error.invalid_argument"
    assert called(dying, add, "a.b", ["x" * 300_000], {}) == "wamp.error.unavailable"


class Slow:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[Any]]] = []

    def allow(self, identity: Identity, action: str, uri: str, match: str) -> Any:
        if not uri.startswith("slow"):
            return True
        self.asked.append((uri, Deferred()))
        return self.asked[-1][1]


def test_an_authorizer_may_take_its_time_and_nothing_overtakes() -> None:
    slow = Slow()
    router = open_router(authorizer=slow)
    client, subscriber = plain(router), plain(router)
    subscribed(subscriber, "s", match="prefix")
    ack = {"acknowledge": True}
    assert client.say(16, 1, ack, "slow.one") == []
    assert client.say(16, 2, ack, "s.two") == []
    assert client.say(16, 3, ack, "slow.three") == []
    assert client.say(6, {}, "wamp.close.close_realm") == []
    slow.asked[0][1].callback(True)
    assert [message[1] for message in client.take()] == [1, 2]
    slow.asked[1][1].callback(False)
    assert [message[0] for message in client.take()] == [8, 6]
    assert len(subscriber.take()) == 2


def test_an_answer_is_asked_for_once_per_role_until_it_is_forgotten() -> None:
    rules = Rules()
    router = open_router(authorizer=rules)
    for _ in range(2):
        client = plain(router)
        client.say(16, 1, {}, "a.b")
        client.say(16, 2, {}, "a.b")
    assert len(rules.asked) == 1
    rules.forbidden = (("publish", "a.b"),)
    router.forget_authorizations()
    assert refusal(client.say(16, 3, {"acknowledge": True}, "a.b")) == "wamp.error.not_authorized"
    assert len(rules.asked) == 2


def test_an_answer_that_was_given_before_all_were_forgotten_is_asked_for_again() -> None:
    slow = Slow()
    router = open_router(authorizer=slow)
    client = plain(router)
    client.say(16, 1, {"acknowledge": True}, "slow.one")
    router.forget_authorizations()
    slow.asked[0][1].callback(True)
    assert client.take() == []
    slow.asked[1][1].callback(False)
    assert refusal(client.take()) == "wamp.error.not_authorized"


def test_an_answer_for_one_session_only() -> None:
    class Personal:
        def allow(self, identity: Identity, action: str, uri: str, match: str) -> Permit:
            return Permit(identity.authid == "joe", cache=False)

    router = open_router(authorizer=Personal())
    for authid, kind in (("joe", 17), ("ann", 8), ("joe", 17)):
        assert plain(router, authid=authid).say(16, 1, {"acknowledge": True}, "a.b")[0][0] == kind


def test_an_authorizer_that_fails_late_or_answers_nonsense_forbids() -> None:
    slow, reports = Slow(), Reports()
    client = plain(open_router(authorizer=slow, report=reports))
    for answer in (LookupError("no table"), "yes"):
        client.say(16, 1, {"acknowledge": True}, "slow.one")
        deferred = slow.asked[-1][1]
        deferred.errback(answer) if isinstance(answer, Exception) else deferred.callback(answer)
        assert refusal(client.take()) == "wamp.error.authorization_failed"
    assert [where for where, _ in reports.errors] == ["authorizer", "authorizer"]

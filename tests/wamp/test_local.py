from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.errors import WampError
from gatekeeper.wamp.local import TRUSTED, CallDetails, CallResult, LocalSession
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import Client, Reports, Rules, open_router
from tests.wamp.test_broker import error_of

SERVER = Identity("server", TRUSTED, "internal")


def outcome(deferred: Deferred[Any]) -> Any:
    """Return what a Deferred has, a result or an exception, or fail if it has nothing yet."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.value))
    (result,) = results
    return result


class House:
    """A router with a local session and a remote client."""

    def __init__(self, **arguments: Any) -> None:
        self.reports = Reports()
        self.router: Router = open_router(report=self.reports, **arguments)
        self.local = LocalSession(self.router, SERVER)
        self.client = Client(self.router).join(authid="joe")


def test_a_remote_call_is_answered_before_it_returns() -> None:
    house = House()
    house.local.register(lambda a, b: a + b, "math.add")
    assert house.client.say(48, 1, {}, "math.add", [2, 3]) == [[50, 1, {}, [5]]]
    assert house.client.say(48, 2, {}, "math.add", [], {"a": "x", "b": "y"}) == [[50, 2, {}, ["xy"]]]


def test_a_local_call_reaches_a_local_endpoint_without_copying() -> None:
    house = House()
    picture = b"\xff\xd8" + bytes(1000)
    house.local.register(lambda frame: frame, "echo")
    assert outcome(LocalSession(house.router, SERVER).call("echo", picture)) is picture


def test_a_local_call_reaches_a_remote_callee() -> None:
    house = House()
    house.client.say(64, 1, {}, "remote.echo")
    answer = house.local.call("remote.echo", 1, k=2)
    assert house.client.take() == [[68, 1, 1, {}, [1], {"k": 2}]]
    assert not answer.called
    house.client.say(70, 1, {}, ["done"])
    assert outcome(answer) == "done"


@pytest.mark.parametrize(
    ("payload", "result"),
    [
        ([], None),
        ([[]], None),
        ([["one"]], "one"),
        ([[1, 2]], CallResult((1, 2), {})),
        ([[], {"k": 1}], CallResult((), {"k": 1})),
    ],
)
def test_what_a_call_gives(payload: list[Any], result: Any) -> None:
    house = House()
    house.client.say(64, 1, {}, "remote")
    answer = house.local.call("remote")
    house.client.say(70, 1, {}, *payload)
    assert outcome(answer) == result


def test_a_call_that_fails_remotely_is_a_wamp_error() -> None:
    house = House()
    house.client.say(64, 1, {}, "remote")
    answer = house.local.call("remote")
    house.client.say(8, 68, 1, {}, "com.jammed", ["the bolt"], {"uri": "a trap", "door": "front"})
    error = outcome(answer)
    assert (error.uri, error.args, error.kwargs) == ("com.jammed", ("the bolt",), {"uri": "a trap", "door": "front"})
    assert str(error) == "com.jammed: the bolt"


def test_a_call_to_nobody_is_a_wamp_error() -> None:
    assert outcome(House().local.call("no.such")).uri == "wamp.error.no_such_procedure"


def test_a_call_whose_callee_leaves_is_canceled() -> None:
    house = House()
    house.client.say(64, 1, {}, "remote")
    answer = house.local.call("remote")
    house.client.session.lost()
    assert outcome(answer).uri == "wamp.error.canceled"


def test_cancelling_the_deferred_cancels_the_call() -> None:
    house = House()
    house.client.say(64, 1, {}, "remote")
    answer = house.local.call("remote")
    answer.cancel()
    assert outcome(answer).uri == "wamp.error.canceled"
    house.client.take()
    assert house.client.say(70, 1, {}) == []


async def coroutine(value: Any) -> Any:
    return value


@pytest.mark.parametrize("make", [succeed, coroutine])
def test_an_endpoint_may_answer_later(make: Any) -> None:
    house = House()
    house.local.register(make, "later")
    assert house.client.say(48, 1, {}, "later", ["x"]) == [[50, 1, {}, ["x"]]]


def test_an_answer_that_takes_its_time() -> None:
    house = House()
    pending: Deferred[Any] = Deferred()
    house.local.register(lambda: pending, "slow")
    assert house.client.say(48, 1, {}, "slow") == []
    pending.callback(CallResult((1, 2), {"k": 3}))
    assert house.client.take() == [[50, 1, {}, [1, 2], {"k": 3}]]


def test_an_answer_to_a_caller_that_left_goes_nowhere() -> None:
    house = House()
    pending: Deferred[Any] = Deferred()
    house.local.register(lambda: pending, "slow")
    house.client.say(48, 1, {}, "slow")
    house.client.session.lost()
    pending.callback("done")
    assert house.reports.errors == []


class Jammed(Exception):
    uri = "com.example.jammed"


@pytest.mark.parametrize("later", [False, True])
def test_an_exception_with_a_uri_becomes_that_error(later: bool) -> None:
    def endpoint() -> Any:
        if later:
            return fail(Jammed("the bolt is stuck"))
        raise Jammed("the bolt is stuck")

    house = House()
    house.local.register(endpoint, "door.open")
    expected = [[8, 48, 1, {}, "com.example.jammed", ["the bolt is stuck"]]]
    assert house.client.say(48, 1, {}, "door.open") == expected
    assert house.reports.errors == []


def test_a_wamp_error_keeps_its_payload() -> None:
    def endpoint() -> None:
        raise WampError("com.jammed", "the bolt", door="front")

    house = House()
    house.local.register(endpoint, "door.open")
    assert house.client.say(48, 1, {}, "door.open") == [[8, 48, 1, {}, "com.jammed", ["the bolt"], {"door": "front"}]]


@pytest.mark.parametrize("later", [False, True])
def test_any_other_exception_is_reported_and_tells_the_caller_nothing(later: bool) -> None:
    def endpoint() -> Any:
        if later:
            return fail(KeyError("password of the database"))
        raise KeyError("password of the database")

    house = House()
    house.local.register(endpoint, "status")
    (error,) = house.client.say(48, 1, {}, "status")
    assert error[4] == "wamp.error.runtime_error"
    assert "password" not in str(error)
    ((where, reported),) = house.reports.errors
    assert (where, type(reported)) == ("procedure status", KeyError)


def test_arguments_that_do_not_fit_are_the_callers_mistake() -> None:
    def endpoint(door: str) -> int:
        return len(door)

    house = House()
    house.local.register(endpoint, "door.open")
    assert error_of(house.client.say(48, 1, {}, "door.open")) == "wamp.error.invalid_argument"
    assert error_of(house.client.say(48, 2, {}, "door.open", [], {"gate": 1})) == "wamp.error.invalid_argument"
    assert house.reports.errors == []


def test_a_type_error_inside_an_endpoint_is_not() -> None:
    def endpoint(door: Any) -> str:
        joined: str = "-".join(door)
        return joined

    def outer(door: Any) -> str:
        return endpoint(door)

    house = House()
    house.local.register(outer, "door.open")
    assert error_of(house.client.say(48, 1, {}, "door.open", [[1]])) == "wamp.error.runtime_error"


def test_an_endpoint_may_ask_who_calls_and_nobody_can_forge_it() -> None:
    calls: list[CallDetails] = []

    def endpoint(details: CallDetails) -> None:
        calls.append(details)

    house = House()
    house.local.register(endpoint, "door.open", details=True)
    forged = {"details": {"authid": "admin"}}
    assert house.client.say(48, 1, {"caller_authid": "admin"}, "door.open", [], forged) == [[50, 1, {}, [None]]]
    session = house.client.session
    assert calls == [CallDetails(session.id, "joe", "visitor", "door.open", "192.0.2.1", identity=session.identity)]


def test_a_keyword_named_details_is_the_callers_where_nobody_asked() -> None:
    house = House()
    house.local.register(lambda details: details, "echo")
    assert house.client.say(48, 1, {}, "echo", [], {"details": 5}) == [[50, 1, {}, [5]]]


def test_events_go_both_ways() -> None:
    house = House()
    heard: list[Any] = []
    house.local.subscribe(lambda *args, **kwargs: heard.append((args, kwargs)), "up")
    house.client.say(32, 1, {}, "down")
    house.client.say(16, 2, {}, "up", [1], {"k": 2})
    house.local.publish("down", 3, k=4)
    assert heard == [((1,), {"k": 2})]
    assert [event[4:] for event in house.client.take()] == [[[3], {"k": 4}]]


def test_a_publisher_does_not_hear_itself() -> None:
    house = House()
    heard: list[Any] = []
    house.local.subscribe(heard.append, "topic")
    house.local.publish("topic", 1)
    LocalSession(house.router, SERVER).publish("topic", 2)
    assert heard == [2]


def test_several_handlers_share_a_subscription() -> None:
    house = House()
    heard: list[str] = []
    one = house.local.subscribe(lambda: heard.append("one"), "topic")
    two = house.local.subscribe(lambda: heard.append("two"), "topic")
    house.client.say(16, 1, {}, "topic")
    one.unsubscribe()
    one.unsubscribe()
    house.client.say(16, 2, {}, "topic")
    assert heard == ["one", "two", "two"]
    two.unsubscribe()
    assert house.router.broker.count("topic") == 0


def test_a_handler_that_raises_disturbs_nobody() -> None:
    def broken() -> None:
        raise KeyError("x")

    house = House()
    heard: list[str] = []
    house.local.subscribe(broken, "topic")
    house.local.subscribe(lambda: fail(KeyError("later")), "topic")
    house.local.subscribe(lambda: heard.append("well"), "topic")
    house.client.say(32, 1, {}, "topic")
    assert house.client.say(16, 2, {"acknowledge": True, "exclude_me": False}, "topic")[0][0] == 36
    assert heard == ["well"]
    assert [where for where, _ in house.reports.errors] == ["event handler"] * 2


def test_a_handler_that_leaves_while_it_is_called() -> None:
    house = House()
    house.local.subscribe(house.local.leave, "topic")
    house.client.say(32, 1, {}, "topic")
    house.client.say(16, 2, {"exclude_me": False}, "topic")
    assert house.router.broker.count("topic") == 1


def test_no_event_follows_the_goodbye_of_a_session_that_an_earlier_subscriber_ended() -> None:
    house = House()
    house.local.subscribe(lambda: house.client.session.leave("wamp.close.killed"), "topic")
    house.client.say(32, 1, {}, "topic")
    assert [message[0] for message in house.client.say(16, 2, {"exclude_me": False}, "topic")] == [6]


def test_a_watcher_knows_whether_anybody_listens() -> None:
    house = House()
    counts: list[int] = []
    house.local.watch_subscribers("a.frame", counts.append)
    other = Client(house.router).join()
    house.client.say(32, 1, {}, "a.frame")
    other.say(32, 1, {}, "a.frame")
    other.say(32, 2, {}, "a.frame")
    other.say(32, 3, {}, "another.frame")
    house.client.say(34, 2, 1)
    other.session.lost()
    assert counts == [0, 1, 2, 1, 0]
    house.local.leave()
    house.client.say(32, 3, {}, "a.frame")
    assert counts == [0, 1, 2, 1, 0]


def test_a_watcher_may_publish_at_once_and_subscribed_comes_first() -> None:
    house = House()
    house.local.watch_subscribers("a.frame", lambda count: house.local.publish("a.frame", count))
    assert [message[0] for message in house.client.say(32, 1, {}, "a.frame")] == [33, 36]
    heard: list[int] = []
    LocalSession(house.router, SERVER).subscribe(heard.append, "a.frame")
    assert heard == [2]


def test_a_trusted_session_is_asked_nothing() -> None:
    rules = Rules(("publish", "a.topic"), ("register", "a.procedure"))
    house = House(authorizer=rules)
    house.local.publish("a.topic")
    house.local.register(lambda: None, "a.procedure")
    assert rules.asked == []


def test_any_other_local_session_is_asked() -> None:
    house = House(authorizer=Rules(("subscribe", "a.topic"), ("register", "a.procedure"), ("publish", "a.topic")))
    guest = LocalSession(house.router, Identity("plugin", "guest", "internal"))
    for attempt in (
        lambda: guest.subscribe(print, "a.topic"),
        lambda: guest.register(print, "a.procedure"),
        lambda: guest.publish("a.topic"),
    ):
        with pytest.raises(WampError, match="not_authorized"):
            attempt()
    assert guest._handlers == {}


def test_a_remote_session_with_the_role_trusted_is_asked_like_everybody() -> None:
    from gatekeeper.wamp.router import Accept
    from tests.wamp.helpers import Everybody

    class Careless(Everybody):
        def hello(self, *_about: Any) -> Accept:
            return Accept(Identity("mallory", TRUSTED, "anonymous"))

    router = open_router(authenticator=Careless(), authorizer=Rules(("call", "a.procedure")))
    assert error_of(Client(router).join().say(48, 1, {}, "a.procedure")) == "wamp.error.not_authorized"


def test_an_invalid_name_is_a_wamp_error() -> None:
    local = House().local
    for attempt in (
        lambda: local.subscribe(print, "a b"),
        lambda: local.publish("wamp.x"),
        lambda: local.register(print, ""),
    ):
        with pytest.raises(WampError, match="invalid_uri"):
            attempt()


def test_a_watcher_that_fails_disturbs_no_subscriber() -> None:
    house = House()

    def broken(count: int) -> None:
        if count:
            raise KeyError("x")

    house.local.watch_subscribers("a.frame", broken)
    assert house.client.say(32, 1, {}, "a.frame") == [[33, 1, 1]]
    assert [where for where, _ in house.reports.errors] == ["watcher of a.frame"]


def test_an_error_uri_that_is_none_is_the_endpoints_mistake_and_not_the_callers() -> None:
    def endpoint() -> None:
        raise WampError("not a uri", "why")

    house = House()
    house.local.register(endpoint, "door.open")
    assert error_of(house.client.say(48, 1, {}, "door.open")) == "wamp.error.runtime_error"
    assert len(house.reports.errors) == 1


def test_unregistering() -> None:
    house = House()
    registration = house.local.register(lambda: 1, "a.procedure")
    with pytest.raises(WampError, match="procedure_already_exists"):
        house.local.register(lambda: 2, "a.procedure")
    registration.unregister()
    registration.unregister()
    assert error_of(house.client.say(48, 1, {}, "a.procedure")) == "wamp.error.no_such_procedure"
    house.local.register(lambda: 2, "a.procedure")
    assert house.client.say(48, 2, {}, "a.procedure") == [[50, 2, {}, [2]]]


def test_after_leaving_nothing_is_left() -> None:
    house = House()
    pending: Deferred[Any] = Deferred()
    house.client.say(64, 1, {}, "remote")
    registration = house.local.register(lambda: pending, "slow")
    subscription = house.local.subscribe(print, "topic")
    house.client.say(48, 2, {}, "slow")
    call = house.local.call("remote")
    house.local.leave()
    house.local.leave()
    assert outcome(call).uri == "wamp.error.canceled"
    assert error_of([house.client.take()[-1]]) == "wamp.error.canceled"
    pending.callback("too late")
    registration.unregister()
    subscription.unsubscribe()
    house.local.publish("topic")
    assert outcome(house.local.call("remote")).uri == "wamp.error.canceled"
    with pytest.raises(WampError, match="has left"):
        house.local.register(print, "a.procedure")
    metrics = house.router.metrics()
    assert (metrics.sessions_now, metrics.registrations_now, metrics.subscriptions_now) == (1, 1, 0)

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.router import Metrics
from tests.wamp.helpers import ROLES, Client, Reports, open_router


def test_closing_says_goodbye_to_everybody_and_lets_nobody_in() -> None:
    router = open_router()
    local = LocalSession(router, Identity("server", TRUSTED, "internal"))
    local.register(print, "a.procedure")
    joined, early = Client(router).join(), Client(router)
    router.close()
    assert joined.take() == [[6, {}, "wamp.close.system_shutdown"]]
    assert early.take()[0][::2] == [3, "wamp.close.system_shutdown"]
    assert joined.say(48, 1, {}, "a.procedure") == []
    assert joined.say(6, {}, "wamp.close.goodbye_and_out") == []
    assert joined.link.is_closed
    assert early.link.is_closed
    late = Client(router)
    assert late.say(1, "realm", ROLES)[0][::2] == [3, "wamp.close.system_shutdown"]
    for client in (joined, early, late):
        client.session.lost()
    metrics = router.metrics()
    assert (metrics.connections_now, metrics.sessions_now, metrics.registrations_now) == (0, 0, 0)


def test_closing_twice_says_goodbye_once() -> None:
    router = open_router()
    client = Client(router).join()
    router.close()
    router.close()
    assert len(client.take()) == 1


def test_the_metrics_count() -> None:
    router = open_router()
    assert router.metrics() == Metrics()
    client, other = Client(router).join(), Client(router).join()
    client.say(32, 1, {}, "a.topic")
    client.say(64, 2, {}, "a.procedure")
    other.say(16, 1, {}, "a.topic")
    other.say(48, 2, {}, "a.procedure")
    client.say(70, 1, {})
    other.say(99)
    assert router.metrics() == Metrics(
        connections_now=2,
        sessions_now=1,
        subscriptions_now=1,
        registrations_now=1,
        sessions=2,
        messages_in=8,
        messages_out=8,
        publications=1,
        calls=1,
        violations=1,
    )


def test_a_policy_that_fails_ends_the_session_that_met_it_and_no_other() -> None:
    def broken(topic: str) -> Policy:
        raise KeyError(topic)

    reports = Reports()
    router = open_router(policies=broken, report=reports)
    client, other = Client(router).join(), Client(router).join()
    assert client.say(32, 1, {}, "a.topic")[0][::2] == [3, "wamp.error.runtime_error"]
    assert [where for where, _ in reports.errors] == ["session"]
    assert other.say(48, 1, {}, "no.such")[0][0] == 8

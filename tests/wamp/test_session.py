from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from gatekeeper.wamp.codecs import CBOR, JSON, Codec
from gatekeeper.wamp.features import roles
from gatekeeper.wamp.messages import Type
from gatekeeper.wamp.router import Accept, Challenge, Deny, Identity, Limits, Router
from gatekeeper.wamp.session import TABLE, State
from tests.wamp.helpers import EVERY_CODEC, ROLES, Client, Everybody, Reports, TicketOffice, Undecided, open_router

every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
VIOLATION = "wamp.error.protocol_violation"

# What each message does in each state, read from the specification and not from the table: . nothing, V violation.
EXPECTED = """
              OPENING    DECIDING    CHALLENGED    JOINED   LEAVING  CLOSED
HELLO         hello      V           V             V        V        .
WELCOME       V          V           V             V        V        .
ABORT         end        end         end           end      end      .
CHALLENGE     V          V           V             V        V        .
AUTHENTICATE  V          V           authenticate  V        V        .
GOODBYE       V          V           V             goodbye  end      .
ERROR         V          V           V             serve    .        .
PUBLISH       V          V           V             serve    .        .
PUBLISHED     V          V           V             V        V        .
SUBSCRIBE     V          V           V             serve    .        .
SUBSCRIBED    V          V           V             V        V        .
UNSUBSCRIBE   V          V           V             serve    .        .
UNSUBSCRIBED  V          V           V             V        V        .
EVENT         V          V           V             V        V        .
CALL          V          V           V             serve    .        .
CANCEL        V          V           V             serve    .        .
RESULT        V          V           V             V        V        .
REGISTER      V          V           V             serve    .        .
REGISTERED    V          V           V             V        V        .
UNREGISTER    V          V           V             serve    .        .
UNREGISTERED  V          V           V             V        V        .
INVOCATION    V          V           V             V        V        .
INTERRUPT     V          V           V             V        V        .
YIELD         V          V           V             serve    .        .
"""
_STATES, *_ROWS = (line.split() for line in EXPECTED.strip().splitlines())
PAIRS = [(State[s], Type[row[0]], row[1 + at]) for row in _ROWS for at, s in enumerate(_STATES)]

SAMPLES: dict[Type, list[Any]] = {
    Type.HELLO: ["realm", ROLES],
    Type.ABORT: [{}, "wamp.close.normal"],
    Type.AUTHENTICATE: ["secret", {}],
    Type.GOODBYE: [{}, "wamp.close.close_realm"],
    Type.ERROR: [68, 1, {}, "a.error"],
    Type.PUBLISH: [1, {"acknowledge": True}, "a.topic"],
    Type.SUBSCRIBE: [1, {}, "a.topic"],
    Type.UNSUBSCRIBE: [1, 1],
    Type.CALL: [1, {}, "a.procedure"],
    Type.CANCEL: [1, {}],
    Type.REGISTER: [1, {}, "a.procedure"],
    Type.UNREGISTER: [1, 1],
    Type.YIELD: [1, {}],
}
ANSWERS = {
    Type.ERROR: None,
    Type.PUBLISH: 17,
    Type.SUBSCRIBE: 33,
    Type.UNSUBSCRIBE: 8,
    Type.CALL: 8,
    Type.CANCEL: None,
    Type.REGISTER: 65,
    Type.UNREGISTER: 67,
    Type.YIELD: None,
}


def client_in(state: State) -> Client:
    """Return a client whose session is in a state, with a procedure and an invocation of its own if joined."""
    authenticator: Any = {State.DECIDING: Undecided(), State.CHALLENGED: TicketOffice()}.get(state, Everybody())
    router = open_router(authenticator=authenticator)
    client = Client(router)
    if state in (State.DECIDING, State.CHALLENGED):
        client.say(1, "realm", {**ROLES, "authmethods": ["ticket"]})
    elif state is not State.OPENING:
        client.join()
    if state is State.JOINED:
        (registered,) = client.say(64, 9, {}, "to.myself")
        assert client.say(48, 99, {}, "to.myself") == [[68, 1, registered[2], {}]]
    elif state is State.LEAVING:
        client.session.leave("wamp.close.normal")
    elif state is State.CLOSED:
        client.session.abort("wamp.error.timeout", "")
    client.take()
    assert client.session.state is state
    return client


def test_every_pair_of_state_and_message_is_decided() -> None:
    assert set(TABLE) == {(state, int(kind)) for state in State for kind in Type}
    assert len(PAIRS) == len(TABLE)


@pytest.mark.parametrize(("state", "kind", "expected"), PAIRS, ids=lambda value: getattr(value, "name", value))
def test_what_a_message_does_in_a_state(state: State, kind: Type, expected: str) -> None:
    client = client_in(state)
    was_closed = client.link.is_closed
    answers = client.say(int(kind), *SAMPLES.get(kind, [1, {}]))
    after = client.session.state
    if expected == "V":
        assert [(answer[0], answer[2]) for answer in answers] == [(3, VIOLATION)]
        assert (after, client.link.is_closed) == (State.CLOSED, True)
    elif expected == ".":
        assert (answers, after, client.link.is_closed) == ([], state, was_closed)
    elif expected == "end":
        assert (answers, after, client.link.is_closed) == ([], State.CLOSED, True)
    elif expected == "goodbye":
        assert (answers, after) == ([[6, {}, "wamp.close.goodbye_and_out"]], State.OPENING)
    elif expected == "serve":
        assert (after, client.link.is_closed) == (State.JOINED, False)
        if kind in (Type.ERROR, Type.YIELD):  # the invocation's caller is this client itself
            assert [answer[0] for answer in answers] == [8 if kind is Type.ERROR else 50]
        else:
            assert [answer[0] for answer in answers] == [code for code in [ANSWERS[kind]] if code]
    else:
        assert expected in ("hello", "authenticate")
        assert (answers[0][0], after) == (2, State.JOINED)


@every_codec
@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
@pytest.mark.parametrize("payload", [b"", b"{", b"5", b"\xff\xff", b"[99]"])
def test_what_is_no_message_is_a_violation_in_every_state(state: State, codec: Codec, payload: bytes) -> None:
    client = client_in(state)
    client.session.received(payload, client.codec.binary)
    assert [(answer[0], answer[2]) for answer in client.take()] == [(3, VIOLATION)]
    assert client.link.is_closed


@pytest.mark.parametrize("state", list(State))
def test_a_session_may_lose_its_connection_in_every_state(state: State) -> None:
    client = client_in(state)
    client.session.lost()
    client.session.lost()
    assert client.session.state is State.CLOSED
    assert client.say(1, "realm", ROLES) == []
    assert client.session._router.metrics().connections_now == 0
    assert client.session._router.metrics().sessions_now == 0


@every_codec
def test_a_frame_of_the_wrong_kind_is_a_violation(codec: Codec) -> None:
    client = Client(open_router(), codec)
    client.session.received(codec.encode([1, "realm", ROLES]), not codec.binary)
    assert client.take()[0][2] == VIOLATION


@every_codec
def test_welcome_says_who_the_session_is_and_what_the_router_can(codec: Codec) -> None:
    client = Client(open_router(random=lambda bits: 4711), codec)
    (welcome,) = client.say(1, "realm", {**ROLES, "authid": "joe"})
    assert welcome == [
        2,
        4712,
        {
            "realm": "realm",
            "roles": roles(history=False),
            "authid": "joe",
            "authrole": "visitor",
            "authmethod": "anonymous",
            "authprovider": "static",
        },
    ]


def test_another_realm_is_refused() -> None:
    (abort,) = Client(open_router()).say(1, "other", ROLES)
    assert abort[::2] == [3, "wamp.error.no_such_realm"]


@pytest.mark.parametrize("details", [{}, {"roles": {}}])
def test_hello_without_roles_is_a_violation(details: dict[str, Any]) -> None:
    (abort,) = Client(open_router()).say(1, "realm", details)
    assert abort[2] == VIOLATION


def test_nobody_gets_in_unless_the_program_says_who() -> None:
    (abort,) = Client(Router("realm")).say(1, "realm", ROLES)
    assert abort[2] == "wamp.error.no_matching_auth_method"


def test_the_right_ticket_gets_in() -> None:
    client = Client(open_router(authenticator=TicketOffice()))
    assert client.say(1, "realm", {**ROLES, "authmethods": ["ticket"], "authid": "joe"}) == [[4, "ticket", {}]]
    (welcome,) = client.say(5, "secret", {})
    assert (welcome[2]["authid"], welcome[2]["authmethod"]) == ("joe", "ticket")


def test_the_wrong_ticket_does_not() -> None:
    router = open_router(authenticator=TicketOffice())
    client = Client(router)
    client.say(1, "realm", {**ROLES, "authmethods": ["ticket"]})
    (abort,) = client.say(5, "guess", {})
    assert abort == [3, {"message": "wrong ticket"}, "wamp.error.authentication_failed"]
    assert client.link.is_closed
    assert client.say(5, "secret", {}) == []
    assert router.metrics().refused == 1


def test_the_authenticator_is_told_what_the_client_and_its_transport_say() -> None:
    asked: list[Any] = []

    class Curious(Everybody):
        def hello(self, *about: Any) -> Accept:
            asked.extend(about)
            return Accept(Identity("joe", "visitor", "cookie"), {"expires": 5})

    client = Client(open_router(authenticator=Curious()), headers={"cookie": "a=b"})
    (welcome,) = client.say(1, "realm", {**ROLES, "authmethods": ["cookie", "ticket"], "authextra": {"page": 1}})
    assert asked == ["realm", ("cookie", "ticket"), None, {"page": 1}, client.session.peer]
    assert client.session.peer.headers == {"cookie": "a=b"}
    assert welcome[2]["authextra"] == {"expires": 5}


def test_an_answer_that_comes_later() -> None:
    office = Undecided()
    client = Client(open_router(authenticator=office))
    assert client.say(1, "realm", ROLES) == []
    office.answer.callback(Accept(Identity("joe", "visitor", "cookie")))
    assert [message[0] for message in client.take()] == [2]


async def _accept() -> Accept:
    return Accept(Identity("joe", "visitor", "cookie"))


@pytest.mark.parametrize("make", [_accept, lambda: succeed(Accept(Identity("joe", "visitor", "cookie")))])
def test_an_answer_may_be_a_coroutine_or_a_deferred(make: Any) -> None:
    class Slow(Everybody):
        def hello(self, *_about: Any) -> Any:
            return make()

    Client(open_router(authenticator=Slow())).join()


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    office = Undecided()
    router = open_router(authenticator=office)
    client = Client(router)
    client.say(1, "realm", ROLES)
    client.session.overdue()
    office.answer.callback(Accept(Identity("joe", "visitor", "cookie")))
    assert [message[0] for message in client.take()] == [3]
    assert router.metrics().sessions_now == 0


class Failing(Everybody):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def hello(self, *_about: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("broken", [KeyError("password file"), "yes", None, Accept(Identity("\ud800", "", ""))])
def test_an_authenticator_that_fails_lets_nobody_in(broken: Any) -> None:
    reports = Reports()
    router = open_router(authenticator=Failing(broken), report=reports)
    client = Client(router)
    answers = client.say(1, "realm", ROLES)
    assert answers == [[3, {"message": "the authenticator failed"}, "wamp.error.authentication_failed"]]
    assert [where for where, _ in reports.errors] == ["authenticator"]
    assert router.metrics().sessions_now == 0


def test_an_authenticator_that_fails_later_lets_nobody_in() -> None:
    office, reports = Undecided(), Reports()
    client = Client(open_router(authenticator=office, report=reports))
    client.say(1, "realm", ROLES)
    office.answer.errback(KeyError("password file"))
    assert client.take()[0][2] == "wamp.error.authentication_failed"
    assert len(reports.errors) == 1


def test_a_second_challenge_is_a_failure_of_the_authenticator() -> None:
    class Insatiable(TicketOffice):
        def authenticate(self, *_about: Any) -> Any:
            return Challenge("ticket")

    client = Client(open_router(authenticator=Insatiable(), report=Reports()))
    client.say(1, "realm", {**ROLES, "authmethods": ["ticket"]})
    assert client.say(5, "secret", {})[0][2] == "wamp.error.authentication_failed"


def test_a_handshake_that_takes_too_long_is_ended() -> None:
    client = Client(open_router())
    client.session.overdue()
    assert client.take()[0][2] == "wamp.error.timeout"
    assert client.link.is_closed


def test_a_joined_session_is_never_overdue() -> None:
    client = Client(open_router()).join()
    client.session.overdue()
    assert (client.take(), client.session.state) == ([], State.JOINED)


def test_after_goodbye_the_connection_may_open_another_session() -> None:
    client = Client(open_router()).join()
    first = client.session.id
    client.say(32, 1, {}, "a.topic")
    client.say(6, {}, "wamp.close.normal")
    assert client.session._router.broker.count("a.topic") == 0
    client.join()
    assert client.session.id != first
    assert not client.link.is_closed


def test_a_client_that_does_not_answer_goodbye_is_closed() -> None:
    client = Client(open_router()).join()
    client.session.leave("wamp.close.system_shutdown", "good night")
    assert client.take() == [[6, {"message": "good night"}, "wamp.close.system_shutdown"]]
    assert not client.link.is_closed
    client.session.overdue()
    assert client.link.is_closed


def test_an_address_with_too_many_connections_gets_no_more_sessions() -> None:
    router = open_router(limits=Limits(sessions_per_address=2))
    first, _second = Client(router).join(), Client(router).join()
    assert Client(router).say(1, "realm", ROLES)[0][2] == "wamp.error.unavailable"
    Client(router, address="192.0.2.2").join()
    first.session.lost()
    crowd = Client(router)
    assert crowd.say(1, "realm", ROLES)[0][2] == "wamp.error.unavailable"
    crowd.session.lost()


def test_a_violation_is_counted_once() -> None:
    router = open_router()
    client = Client(router).join()
    client.session.violated("a message too large")
    client.session.violated("another one")
    assert len(client.take()) == 1
    assert router.metrics().violations == 1


def test_a_session_id_that_is_taken_is_drawn_again() -> None:
    drawn = iter([1, 1, 1, 2])
    router = open_router(random=lambda bits: next(drawn))
    assert [Client(router).join().session.id, Client(router).join().session.id] == [2, 3]


def test_sessions_of_different_serializations_meet() -> None:
    router = open_router()
    publisher, subscriber = Client(router, JSON).join(), Client(router, CBOR).join()
    subscriber.say(32, 1, {}, "a.topic")
    publisher.say(16, 1, {}, "a.topic", ["\0" + "/9j/"])
    publisher.session.received(b'[16,2,{},"a.topic",["\\u0000/9j/"]]', False)
    assert [event[4] for event in subscriber.take()][-1] == [b"\xff\xd8\xff"]


def test_deny_carries_its_reason() -> None:
    client = Client(open_router(authenticator=Failing(Deny("com.example.closed", "come back tomorrow"))))
    assert client.say(1, "realm", ROLES) == [[3, {"message": "come back tomorrow"}, "com.example.closed"]]


def test_a_pending_answer_of_a_lost_connection_does_no_harm() -> None:
    office = Undecided()
    client = Client(open_router(authenticator=office))
    client.say(1, "realm", ROLES)
    client.session.lost()
    assert isinstance(office.answer, Deferred)
    office.answer.callback(Accept(Identity("joe", "visitor", "cookie")))
    assert client.take() == []

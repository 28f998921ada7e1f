from typing import Any

import pytest

from gatekeeper.wamp.codecs import CBOR, JSON, Codec
from gatekeeper.wamp.router import Limits
from tests.wamp.helpers import EVERY_CODEC, Client, Rules, open_router
from tests.wamp.test_broker import error_of

every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
VIOLATION = "wamp.error.protocol_violation"


def pair(codec: Codec = JSON, **arguments: Any) -> tuple[Client, Client, int]:
    """Return a caller, a callee that offers a.procedure, and its registration."""
    router = open_router(**arguments)
    caller, callee = Client(router, codec).join(), Client(router, codec).join()
    ((_, _, registration),) = callee.say(64, 1, {}, "a.procedure")
    return caller, callee, registration


@every_codec
def test_a_call_goes_to_the_callee_and_its_result_comes_back(codec: Codec) -> None:
    caller, callee, registration = pair(codec)
    assert caller.say(48, 7, {}, "a.procedure", [1, b"\xff"], {"k": None}) == []
    assert callee.take() == [[68, 1, registration, {}, [1, b"\xff"], {"k": None}]]
    assert callee.say(70, 1, {}, ["done"], {"n": 1}) == []
    assert caller.take() == [[50, 7, {}, ["done"], {"n": 1}]]


@every_codec
def test_an_error_of_the_callee_comes_back(codec: Codec) -> None:
    caller, callee, _ = pair(codec)
    caller.say(48, 7, {}, "a.procedure")
    callee.say(8, 68, 1, {}, "a.error", ["why"], {"n": 1})
    assert caller.take() == [[8, 48, 7, {}, "a.error", ["why"], {"n": 1}]]


def test_invocations_are_numbered_for_each_callee() -> None:
    caller, callee, _ = pair()
    other = Client(caller.session._router).join()
    other.say(64, 1, {}, "another.procedure")
    for request, procedure in enumerate(["a.procedure", "another.procedure", "a.procedure"], 10):
        caller.say(48, request, {}, procedure)
    assert [message[1] for message in callee.take()] == [1, 2]
    assert [message[1] for message in other.take()] == [1]


def test_answers_may_come_in_any_order() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    caller.say(48, 2, {}, "a.procedure")
    callee.say(70, 2, {}, ["second"])
    callee.say(70, 1, {}, ["first"])
    assert caller.take() == [[50, 2, {}, ["second"]], [50, 1, {}, ["first"]]]


def test_a_procedure_that_nobody_offers() -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(48, 1, {}, "a.procedure")) == "wamp.error.no_such_procedure"
    assert error_of(client.say(48, 1, {}, "wamp.session.nonsense")) == "wamp.error.no_such_procedure"


@pytest.mark.parametrize("uri", ["", "a..b", "a b", "a#b"])
def test_an_invalid_procedure_is_answered_and_the_session_lives_on(uri: str) -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(48, 1, {}, uri)) == "wamp.error.invalid_uri"
    assert error_of(client.say(64, 2, {}, uri)) == "wamp.error.invalid_uri"
    assert not client.link.is_closed


def test_nobody_registers_the_protocols_own_names() -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(64, 1, {}, "wamp.session.count")) == "wamp.error.invalid_uri"


def test_a_procedure_has_one_callee() -> None:
    caller, callee, _ = pair()
    assert error_of(caller.say(64, 1, {}, "a.procedure")) == "wamp.error.procedure_already_exists"
    assert error_of(callee.say(64, 2, {}, "a.procedure")) == "wamp.error.procedure_already_exists"


def test_after_unregistering_the_procedure_is_free() -> None:
    caller, callee, registration = pair()
    assert error_of(caller.say(66, 1, registration)) == "wamp.error.no_such_registration"
    assert callee.say(66, 2, registration) == [[67, 2]]
    assert error_of(callee.say(66, 3, registration)) == "wamp.error.no_such_registration"
    assert error_of(caller.say(48, 2, {}, "a.procedure")) == "wamp.error.no_such_procedure"
    ((_, _, again),) = caller.say(64, 3, {}, "a.procedure")
    assert again != registration


def test_a_call_under_way_outlives_its_registration() -> None:
    caller, callee, registration = pair()
    caller.say(48, 1, {}, "a.procedure")
    callee.say(66, 2, registration)
    callee.say(70, 1, {})
    assert caller.take() == [[50, 1, {}]]


def test_a_callee_that_leaves_fails_its_calls() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    caller.say(48, 2, {}, "a.procedure")
    callee.session.lost()
    assert [message[:3] + message[4:5] for message in caller.take()] == [
        [8, 48, 1, "wamp.error.canceled"],
        [8, 48, 2, "wamp.error.canceled"],
    ]
    assert error_of(caller.say(48, 3, {}, "a.procedure")) == "wamp.error.no_such_procedure"


def test_an_answer_to_a_caller_that_left_is_dropped() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    caller.say(6, {}, "wamp.close.normal")
    callee.take()
    assert callee.say(70, 1, {}) == []
    assert not callee.link.is_closed
    assert caller.take() == []


def test_a_caller_that_calls_itself_and_leaves_gets_nothing_more() -> None:
    client = Client(open_router()).join()
    client.say(64, 1, {}, "a.procedure")
    client.say(48, 2, {}, "a.procedure")
    assert client.say(6, {}, "wamp.close.normal") == [[6, {}, "wamp.close.goodbye_and_out"]]


@pytest.mark.parametrize("mode", ["skip", "kill", "killnowait"])
def test_a_canceled_call_is_answered_once(mode: str) -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    assert error_of(caller.say(49, 1, {"mode": mode})) == "wamp.error.canceled"
    callee.take()
    assert callee.say(70, 1, {}, ["too late"]) == []
    assert caller.take() == []
    assert caller.say(49, 1, {}) == []


@pytest.mark.parametrize(
    "message",
    [
        (70, 5, {}),
        (8, 68, 5, {}, "a.error"),
        (8, 68, 1, {}, "not an uri"),
        (70, 1, {"progress": True}),
    ],
    ids=str,
)
def test_an_answer_that_fits_no_invocation_is_a_violation(message: tuple[Any, ...]) -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert callee.say(*message)[0][2] == VIOLATION
    assert error_of(caller.take()) == "wamp.error.canceled"


def test_answering_twice_is_a_violation() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    callee.say(70, 1, {})
    assert callee.say(70, 1, {})[0][2] == VIOLATION
    assert len(caller.take()) == 1


def test_a_request_id_that_is_in_use_is_a_violation() -> None:
    caller, _, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    assert caller.say(48, 1, {}, "a.procedure")[0][2] == VIOLATION


def test_what_the_authorizer_forbids() -> None:
    caller, callee, _ = pair(authorizer=Rules(("call", "a.procedure"), ("register", "a.secret")))
    assert error_of(caller.say(48, 1, {}, "a.procedure")) == "wamp.error.not_authorized"
    assert error_of(caller.say(64, 1, {}, "a.secret")) == "wamp.error.not_authorized"
    assert callee.take() == []


@pytest.mark.parametrize(
    ("kind", "options", "uri"),
    [
        (64, {"match": "nonsense"}, "wamp.error.option_not_allowed"),
        (64, {"invoke": "nonsense"}, "wamp.error.option_not_allowed"),
        (64, {"force_reregister": True}, "wamp.error.option_not_allowed"),
    ],
)
def test_what_is_not_offered_is_refused(kind: int, options: dict[str, Any], uri: str) -> None:
    client = Client(open_router()).join()
    assert error_of(client.say(kind, 1, options, "a.procedure")) == uri


def test_what_a_caller_says_of_its_identity_does_not_reach_the_callee() -> None:
    caller, callee, registration = pair()
    forged = {"forward_for": [{"session": 1, "authid": "admin"}], "caller": 1, "caller_authid": "admin"}
    caller.say(48, 1, forged, "a.procedure")
    assert callee.take() == [[68, 1, registration, {}]]


def test_arguments_that_the_callee_cannot_be_sent_are_an_invalid_argument() -> None:
    router = open_router()
    caller, callee = Client(router, CBOR).join(), Client(router, JSON).join()
    callee.say(64, 1, {}, "a.procedure")
    assert error_of(caller.say(48, 1, {}, "a.procedure", [float("nan")])) == "wamp.error.invalid_argument"
    assert callee.take() == []
    caller.say(48, 1, {}, "a.procedure", [1])
    assert callee.take()[0][1] == 1


def test_a_result_that_the_caller_cannot_be_sent_is_an_error() -> None:
    router = open_router()
    caller, callee = Client(router, JSON).join(), Client(router, CBOR).join()
    callee.say(64, 1, {}, "a.procedure")
    caller.say(48, 1, {}, "a.procedure")
    callee.say(70, 1, {}, [float("nan")])
    assert error_of(caller.take()) == "wamp.error.runtime_error"
    assert not callee.link.is_closed


def test_a_caller_has_a_bounded_number_of_calls_under_way() -> None:
    caller, callee, _ = pair(limits=Limits(pending_calls=2))
    for request in (1, 2):
        assert caller.say(48, request, {}, "a.procedure") == []
    assert error_of(caller.say(48, 3, {}, "a.procedure")) == "wamp.error.unavailable"
    callee.say(70, 1, {})
    caller.take()
    assert caller.say(48, 3, {}, "a.procedure") == []


def test_a_callee_that_never_answers_stops_collecting_calls() -> None:
    caller, _, _ = pair(limits=Limits(pending_invocations=2))
    for request in (1, 2):
        caller.say(48, request, {}, "a.procedure")
        caller.say(49, request, {})
    assert error_of(caller.say(48, 3, {}, "a.procedure")) == "wamp.error.unavailable"


def test_a_session_has_a_bounded_number_of_registrations() -> None:
    client = Client(open_router(limits=Limits(registrations=1))).join()
    assert client.say(64, 1, {}, "a.one")[0][0] == 65
    assert error_of(client.say(64, 2, {}, "a.two")) == "wamp.error.unavailable"

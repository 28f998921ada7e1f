"""Calls beyond the Basic Profile, claim by claim."""

from typing import Any

import pytest

from gatekeeper.wamp.codecs import CBOR, JSON, Codec
from tests.wamp.advanced import able, every_codec, plain, refusal, registered, timed
from tests.wamp.helpers import Client, open_router

VIOLATION = "wamp.error.protocol_violation"
PATTERNS = "Pattern-based Registrations"
SHARED = "Shared Registration"
CANCEL = "Call Canceling"
RESULTS = "Progressive Call Results"
PARTS = "Progressive Call Invocations"
TIMEOUT = "Call Timeouts"
PPT = {"ppt_scheme": "x_mine", "ppt_serializer": "cbor"}


def pair(codec: Codec = JSON, **arguments: Any) -> tuple[Client, Client, int]:
    """Return a caller, a callee that can everything, and its registration of a.procedure."""
    router = open_router(**arguments)
    caller, callee = able(router, codec), able(router, codec)
    return caller, callee, registered(callee, "a.procedure")


@every_codec
@pytest.mark.spec(PATTERNS, "exact goes before the longest prefix, and that before the most specific wildcard")
@pytest.mark.parametrize(
    ("procedure", "taker"),
    [
        ("a1.b2.c3.d4.e55", 1),
        ("a1.b2.c3.d98.e74", 2),
        ("a1.b2.c3.d4.e325", 3),
        ("a1.b2.c55.d4.e5", 4),
        # The specification's example says 5, since c33 isn't the component c3. But its text has a prefix match
        # `myobject1-mysubobject1` by `myobject1`, that is by characters, and so does every router.
        ("a1.b2.c33.d4.e5", 2),
        ("a1.b2.c88.d4.e5.f6.g7", 6),
        ("a2.b2.c2.d2.e2", None),
    ],
)
def test_precedence(codec: Codec, procedure: str, taker: int | None) -> None:
    router = open_router()
    caller, callee = plain(router, codec), plain(router, codec)
    patterns = [
        ("exact", "a1.b2.c3.d4.e55"),
        ("prefix", "a1.b2.c3"),
        ("prefix", "a1.b2.c3.d4"),
        ("wildcard", "a1.b2..d4.e5"),
        ("wildcard", "a1.b2.c33..e5"),
        ("wildcard", "a1.b2..d4.e5..g7"),
        ("wildcard", "a1.b2..d4..f6.g7"),
    ]
    numbers = [registered(callee, uri, match=match) for match, uri in patterns]
    answers = caller.say(48, 1, {}, procedure)
    if taker is None:
        assert refusal(answers) == "wamp.error.no_such_procedure"
    else:
        about = {} if taker == 1 else {"procedure": procedure}
        assert callee.take() == [[68, 1, numbers[taker - 1], about]]


@pytest.mark.spec(PATTERNS, "of two wildcards the one with the longer first portion is picked")
def test_precedence_of_wildcards() -> None:
    router = open_router()
    caller, callee = plain(router), plain(router)
    registered(callee, "a1.b2..d4.e5", match="wildcard")
    better = registered(callee, "a1.b2.c33..e5", match="wildcard")
    caller.say(48, 1, {}, "a1.b2.c33.d4.e5")
    assert callee.take()[0][2] == better


@pytest.mark.spec(PATTERNS, "no pattern takes the router's own procedures")
def test_patterns_and_reserved_names() -> None:
    router = open_router()
    caller, callee = plain(router), plain(router)
    registered(callee, "", match="prefix")
    assert refusal(callee.say(64, 2, {"match": "wildcard"}, "wamp..count")) == "wamp.error.invalid_uri"
    assert refusal(caller.say(48, 1, {}, "wamp.session.nonsense")) == "wamp.error.no_such_procedure"
    assert caller.say(48, 2, {}, "wamp.session.count") == [[50, 2, {}, [2]]]
    caller.say(48, 3, {}, "anything.else")
    assert callee.take()[0][3] == {"procedure": "anything.else"}


@pytest.mark.spec(SHARED, "the callees are picked by the policy")
@pytest.mark.parametrize(
    ("invoke", "order"),
    [("first", [0, 0, 0, 0]), ("last", [2, 2, 2, 2]), ("roundrobin", [0, 1, 2, 0]), ("random", [1, 1, 1, 1])],
)
def test_shared(invoke: str, order: list[int]) -> None:
    ids = iter(range(100, 200))
    router = open_router(random=lambda bits: next(ids) if bits == 53 else 1)
    caller = plain(router)
    callees = [plain(router) for _ in range(3)]
    assert len({registered(callee, "a.procedure", invoke=invoke) for callee in callees}) == 1
    took = []
    for request in range(1, 5):
        caller.say(48, request, {}, "a.procedure")
        took += [place for place, callee in enumerate(callees) if callee.take()]
    assert took == order


@pytest.mark.spec(SHARED, "who asks for another policy is refused, and with single everybody")
@pytest.mark.parametrize(
    ("first", "second"), [("single", "single"), ("single", "first"), ("first", "last"), ("random", "single")]
)
def test_shared_conflicts(first: str, second: str) -> None:
    router = open_router()
    registered(plain(router), "a.procedure", invoke=first)
    other = plain(router)
    assert refusal(other.say(64, 1, {"invoke": second}, "a.procedure")) == "wamp.error.procedure_already_exists"


@pytest.mark.spec(SHARED, "the registration lives until its last callee has left, and the turn stays in order")
def test_shared_leaving() -> None:
    router = open_router()
    caller = plain(router)
    one, two, three = (plain(router) for _ in range(3))
    for callee in (one, two, three):
        number = registered(callee, "a.procedure", invoke="roundrobin")
    caller.say(48, 1, {}, "a.procedure")
    one.session.lost()
    caller.take()
    caller.say(48, 2, {}, "a.procedure")
    assert len(two.take()) == 1
    two.say(66, 9, number)
    three.session.lost()
    assert refusal([caller.say(48, 3, {}, "a.procedure")[-1]]) == "wamp.error.no_such_procedure"


@every_codec
@pytest.mark.spec("Caller Identification", "disclose_me tells the callee who calls, disclose_caller asks for it")
def test_caller_identification(codec: Codec) -> None:
    router = open_router()
    caller, callee = plain(router, codec, authid="joe"), plain(router, codec)
    registered(callee, "a.procedure")
    registered(callee, "a.curious", disclose_caller=True)
    caller.say(48, 1, {"disclose_me": True}, "a.procedure")
    caller.say(48, 2, {"caller": 1, "caller_authid": "admin", "forward_for": [{"authid": "admin"}]}, "a.procedure")
    caller.say(48, 3, {}, "a.curious")
    known = {"caller": caller.session.id, "caller_authid": "joe", "caller_authrole": "visitor"}
    assert [message[3] for message in callee.take()] == [known, {}, known]


@pytest.mark.spec("Caller Identification", "the dealer may refuse to disclose, or do it by itself")
def test_caller_disclosure_policy() -> None:
    router = open_router(disclosure=lambda action, uri, role: "deny" if uri == "a.secret" else "force")
    caller, callee = plain(router), plain(router)
    registered(callee, "a.secret", disclose_caller=True)
    registered(callee, "a.procedure")
    assert refusal(caller.say(48, 1, {"disclose_me": True}, "a.secret")) == "wamp.error.disclose_me.not_allowed"
    caller.say(48, 2, {}, "a.secret")
    caller.say(48, 3, {}, "a.procedure")
    assert ["caller" in message[3] for message in callee.take()] == [False, True]


@pytest.mark.spec("Caller Identification", "a RESULT doesn't tell who answered")
def test_the_callee_is_not_disclosed() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    callee.say(70, 1, {})
    assert caller.take() == [[50, 1, {}]]


@every_codec
@pytest.mark.spec(CANCEL, "skip: the caller is answered at once, the callee is told nothing, its answer is dropped")
def test_skip(codec: Codec) -> None:
    caller, callee, _ = pair(codec)
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert refusal(caller.say(49, 1, {"mode": "skip"})) == "wamp.error.canceled"
    assert callee.take() == []
    assert callee.say(70, 1, {}, ["late"]) == []
    assert caller.take() == []
    assert callee.say(70, 1, {})[0][2] == VIOLATION


@every_codec
@pytest.mark.spec(CANCEL, "kill: INTERRUPT goes out, and the callee's answer is the answer")
@pytest.mark.parametrize("answer", [[70, 1, {}, ["made it"]], [8, 68, 1, {}, "wamp.error.canceled"]], ids=str)
def test_kill(codec: Codec, answer: list[Any]) -> None:
    caller, callee, _ = pair(codec)
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert caller.say(49, 1, {"mode": "kill"}) == []
    assert caller.say(49, 1, {"mode": "kill"}) == []
    assert callee.take() == [[69, 1, {"mode": "kill"}]]
    callee.say(*answer)
    assert caller.take() == [[50, 1, {}, ["made it"]] if answer[0] == 70 else [8, 48, 1, {}, "wamp.error.canceled"]]


@every_codec
@pytest.mark.spec(CANCEL, "killnowait: the caller is answered at once, INTERRUPT goes out, any answer is dropped")
@pytest.mark.parametrize("mode", [{"mode": "killnowait"}, {}], ids=str)
def test_killnowait(codec: Codec, mode: dict[str, Any]) -> None:
    caller, callee, _ = pair(codec)
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert refusal(caller.say(49, 1, mode)) == "wamp.error.canceled"
    assert callee.take() == [[69, 1, {"mode": "killnowait"}]]
    assert callee.session.invocations == {}
    assert callee.say(8, 68, 1, {}, "wamp.error.canceled") == []
    assert caller.take() == []


@pytest.mark.spec(CANCEL, "a callee without call_canceling makes every mode a skip")
@pytest.mark.parametrize("mode", ["skip", "kill", "killnowait"])
def test_a_callee_that_cannot_be_interrupted(mode: str) -> None:
    router = open_router()
    caller, callee = plain(router), plain(router)
    registered(callee, "a.procedure")
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert refusal(caller.say(49, 1, {"mode": mode})) == "wamp.error.canceled"
    assert callee.take() == []
    assert callee.say(70, 1, {}) == []
    assert caller.take() == []


@pytest.mark.spec(CANCEL, "another mode is a violation")
def test_an_unknown_mode() -> None:
    caller, _, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    assert caller.say(49, 1, {"mode": "nonsense"})[-1][2] == VIOLATION


@every_codec
@pytest.mark.spec("Caller Leaving During an RPC Invocation", "the callee is interrupted, and its answer dropped")
def test_the_caller_leaves(codec: Codec) -> None:
    caller, callee, _ = pair(codec)
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    caller.session.lost()
    assert callee.take() == [[69, 1, {"mode": "killnowait"}]]
    assert callee.say(70, 1, {}) == []


@pytest.mark.spec("Callee Leaving During an RPC Invocation", "the caller gets wamp.error.canceled, also while killing")
def test_the_callee_leaves_while_it_is_interrupted() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    caller.say(49, 1, {"mode": "kill"})
    callee.session.lost()
    assert refusal(caller.take()) == "wamp.error.canceled"


@every_codec
@pytest.mark.spec(RESULTS, "parts arrive as they come, then the last")
def test_progress(codec: Codec) -> None:
    caller, callee, registration = pair(codec)
    caller.say(48, 7, {"receive_progress": True}, "a.procedure")
    assert callee.take() == [[68, 1, registration, {"receive_progress": True}]]
    for part in (1, 2):
        callee.say(70, 1, {"progress": True}, [part])
        assert caller.take() == [[50, 7, {"progress": True}, [part]]]
    callee.say(70, 1, {})
    assert caller.take() == [[50, 7, {}]]


@pytest.mark.spec(RESULTS, "a callee that can't be canceled isn't asked for parts")
def test_progress_needs_canceling() -> None:
    router = open_router()
    caller = able(router)
    callee = Client(router).join(roles={"callee": {"features": {"progressive_call_results": True}}})
    registered(callee, "a.procedure")
    caller.say(48, 1, {"receive_progress": True}, "a.procedure")
    assert callee.take()[0][3] == {}


@pytest.mark.spec(RESULTS, "a caller that leaves stops the callee; what crosses it is dropped")
def test_progress_to_a_caller_that_left() -> None:
    caller, callee, _ = pair()
    caller.say(48, 1, {"receive_progress": True}, "a.procedure")
    caller.session.lost()
    callee.take()
    assert callee.say(70, 1, {"progress": True}, [1]) == []
    assert callee.say(70, 1, {"progress": True}, [2]) == []
    assert callee.say(70, 1, {}) == []
    assert callee.say(70, 1, {})[0][2] == VIOLATION


@pytest.mark.spec(RESULTS, "a part that the caller's serialization can't express ends the call once")
def test_a_part_that_cannot_be_sent() -> None:
    router = open_router()
    caller, callee = able(router, JSON), able(router, CBOR)
    registered(callee, "a.procedure")
    caller.say(48, 1, {"receive_progress": True}, "a.procedure")
    callee.take()
    assert callee.say(70, 1, {"progress": True}, [float("nan")]) == [[69, 1, {"mode": "killnowait"}]]
    callee.say(70, 1, {})
    assert refusal(caller.take()) == "wamp.error.runtime_error"


@every_codec
@pytest.mark.spec(PARTS, "every part goes to the same callee under the same IDs, with the options of the first")
def test_a_call_in_parts(codec: Codec) -> None:
    router = open_router()
    caller, callees = able(router, codec), [able(router, codec) for _ in range(2)]
    for callee in callees:
        registration = registered(callee, "a.procedure", invoke="roundrobin")
    caller.say(48, 5, {"progress": True, "disclose_me": True}, "a.procedure", [1])
    caller.say(48, 5, {"progress": True}, "a.procedure", [2])
    caller.say(48, 5, {"receive_progress": True}, "a.procedure", [3])
    known = {"caller": caller.session.id, "caller_authid": "somebody", "caller_authrole": "visitor"}
    assert callees[0].take() == [
        [68, 1, registration, {**known, "progress": True}, [1]],
        [68, 1, registration, {**known, "progress": True}, [2]],
        [68, 1, registration, known, [3]],
    ]
    assert callees[1].take() == []
    callees[0].say(70, 1, {}, ["all"])
    assert caller.take() == [[50, 5, {}, ["all"]]]
    assert caller.say(48, 5, {}, "a.procedure") == []  # the parts have ended: the ID is as good as any other


@pytest.mark.spec(PARTS, "parts of a call that has ended are dropped")
@pytest.mark.parametrize("answer", [[70, 1, {}], [8, 68, 1, {}, "an.error"]], ids=str)
def test_parts_that_come_too_late(answer: list[Any]) -> None:
    caller, callee, _ = pair()
    caller.say(48, 5, {"progress": True}, "a.procedure")
    callee.say(*answer)
    assert len(caller.take()) == 1
    callee.take()
    assert caller.say(48, 5, {"progress": True}, "a.procedure") == []
    assert caller.say(48, 5, {}, "a.procedure") == []
    assert callee.take() == []


@pytest.mark.spec(PARTS, "a refused call is answered once, whatever parts follow")
def test_parts_of_a_refused_call() -> None:
    caller = able(open_router())
    assert refusal(caller.say(48, 1, {"progress": True}, "no.such")) == "wamp.error.no_such_procedure"
    assert caller.say(48, 1, {"progress": True}, "no.such") == []
    assert caller.say(48, 1, {}, "no.such") == []


@pytest.mark.spec(PARTS, "a caller that didn't announce them breaks the protocol")
def test_parts_unannounced() -> None:
    router = open_router()
    registered(able(router), "a.procedure")
    assert plain(router).say(48, 1, {"progress": True}, "a.procedure")[0][2] == VIOLATION


@pytest.mark.spec(PARTS, "a callee without the feature: wamp.error.feature_not_supported")
def test_parts_to_a_callee_without() -> None:
    router = open_router()
    registered(plain(router), "a.procedure")
    answers = able(router).say(48, 1, {"progress": True}, "a.procedure")
    assert refusal(answers) == "wamp.error.feature_not_supported"


@pytest.mark.spec(PARTS, "a further CALL with the ID of one that doesn't come in parts is a violation")
def test_parts_of_a_whole_call() -> None:
    caller, _, _ = pair()
    caller.say(48, 1, {}, "a.procedure")
    assert caller.say(48, 1, {"progress": True}, "a.procedure")[-1][2] == VIOLATION


@every_codec
@pytest.mark.spec(TIMEOUT, "milliseconds; the caller gets wamp.error.timeout, the callee INTERRUPT killnowait")
def test_timeout(codec: Codec) -> None:
    router, clock = timed()
    caller, callee = able(router, codec), able(router, codec)
    registration = registered(callee, "a.procedure")
    caller.say(48, 1, {"timeout": 300}, "a.procedure")
    assert callee.take() == [[68, 1, registration, {}]]
    clock.advance(0.299)
    assert caller.take() == []
    clock.advance(0.001)
    assert refusal(caller.take()) == "wamp.error.timeout"
    assert callee.take() == [[69, 1, {"mode": "killnowait"}]]
    assert callee.say(70, 1, {}) == []
    assert caller.take() == []


@pytest.mark.spec(TIMEOUT, "a callee without call_canceling isn't interrupted")
def test_timeout_skips() -> None:
    router, clock = timed()
    caller, callee = plain(router), plain(router)
    registered(callee, "a.procedure")
    caller.say(48, 1, {"timeout": 1}, "a.procedure")
    callee.take()
    clock.advance(1)
    assert refusal(caller.take()) == "wamp.error.timeout"
    assert callee.take() == []
    assert callee.say(70, 1, {}) == []


@pytest.mark.spec(TIMEOUT, "0 is none, and an answer in time ends the timer")
@pytest.mark.parametrize("timeout", [0, 50])
def test_no_timeout(timeout: int) -> None:
    router, clock = timed()
    caller, callee = able(router), able(router)
    registered(callee, "a.procedure")
    caller.say(48, 1, {"timeout": timeout}, "a.procedure")
    assert len(clock.getDelayedCalls()) == bool(timeout)
    callee.say(70, 1, {})
    clock.advance(100)
    assert caller.take() == [[50, 1, {}]]
    assert clock.getDelayedCalls() == []


@pytest.mark.spec(RESULTS, "with a timeout each part starts it again")
def test_timeout_of_parts() -> None:
    router, clock = timed()
    caller, callee = able(router), able(router)
    registered(callee, "a.procedure")
    caller.say(48, 1, {"timeout": 100, "receive_progress": True}, "a.procedure")
    for _ in range(3):
        clock.advance(0.09)
        callee.say(70, 1, {"progress": True})
    assert len(caller.take()) == 3
    clock.advance(0.1)
    assert refusal(caller.take()) == "wamp.error.timeout"


@pytest.mark.spec(TIMEOUT, "forward_timeout leaves it to a callee that announced call_timeout")
def test_forwarded_timeout() -> None:
    router, clock = timed()
    caller, callee, other = able(router), able(router), plain(router)
    registered(callee, "a.procedure", forward_timeout=True)
    registered(other, "another.procedure", forward_timeout=True)
    caller.say(48, 1, {"timeout": 50}, "a.procedure")
    assert callee.take()[0][3] == {"timeout": 50}
    assert clock.getDelayedCalls() == []
    caller.say(48, 2, {"timeout": 50}, "another.procedure")
    assert other.take()[0][3] == {}
    assert len(clock.getDelayedCalls()) == 1


@pytest.mark.spec(TIMEOUT, "a timeout of the wrong type is a violation")
@pytest.mark.parametrize("timeout", [-1, 1.5, "1", True])
def test_timeout_of_the_wrong_type(timeout: Any) -> None:
    caller, _, _ = pair()
    assert caller.say(48, 1, {"timeout": timeout}, "a.procedure")[0][2] == VIOLATION


@pytest.mark.spec(TIMEOUT, "no timer outlives its caller or callee")
@pytest.mark.parametrize("who", [0, 1])
def test_timeout_and_leaving(who: int) -> None:
    router, clock = timed()
    clients = able(router), able(router)
    registered(clients[1], "a.procedure")
    clients[0].say(48, 1, {"timeout": 50}, "a.procedure")
    clients[who].session.lost()
    assert clock.getDelayedCalls() == []


@every_codec
@pytest.mark.spec("Payload Passthru Mode", "CALL, YIELD and ERROR hand their ppt attributes on")
def test_passthru(codec: Codec) -> None:
    caller, callee, registration = pair(codec)
    for request in (1, 2):
        caller.say(48, request, PPT, "a.procedure", [b"\xff"])
        assert callee.take() == [[68, request, registration, PPT, [b"\xff"]]]
    callee.say(70, 1, PPT, [b"\x01"])
    callee.say(8, 68, 2, PPT, "an.error", [b"\x02"])
    assert caller.take() == [[50, 1, PPT, [b"\x01"]], [8, 48, 2, PPT, "an.error", [b"\x02"]]]


@pytest.mark.spec("Payload Passthru Mode", "who didn't announce it breaks the protocol by sending it")
def test_passthru_unannounced() -> None:
    router = open_router()
    caller, callee = plain(router), plain(router)
    registered(callee, "a.procedure")
    assert plain(router).say(48, 1, PPT, "a.procedure", [b""])[0][2] == VIOLATION
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    assert callee.say(70, 1, PPT, [b""])[0][2] == VIOLATION
    assert refusal(caller.take()) == "wamp.error.canceled"


@pytest.mark.spec("Payload Passthru Mode", "a receiver without it: the caller gets feature_not_supported")
def test_passthru_unsupported() -> None:
    router = open_router()
    registered(plain(router), "a.procedure")
    answers = able(router).say(48, 1, PPT, "a.procedure", [b""])
    assert refusal(answers) == "wamp.error.feature_not_supported"
    caller, callee = plain(router), able(router)
    registered(callee, "b.procedure")
    caller.say(48, 1, {}, "b.procedure")
    callee.take()
    callee.say(70, 1, PPT, [b""])
    assert refusal(caller.take()) == "wamp.error.feature_not_supported"


@pytest.mark.spec("Registration Revocation", "a callee that understands is told; calls under way go on")
def test_revocation() -> None:
    router = open_router()
    caller, callee = able(router), able(router)
    number = registered(callee, "a.procedure")
    caller.say(48, 1, {}, "a.procedure")
    callee.take()
    registration = router.dealer.registrations.get(number)
    assert registration is not None
    router.dealer.revoke(callee.session, registration, "moved")
    assert callee.take() == [[67, 0, {"registration": number, "reason": "moved"}]]
    callee.say(70, 1, {})
    assert caller.take() == [[50, 1, {}]]
    assert refusal(caller.say(48, 2, {}, "a.procedure")) == "wamp.error.no_such_procedure"

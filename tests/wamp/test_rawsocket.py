"""The RawSocket protocol on a transport and a clock of the test's own: every timer, refusal and odd frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.rawsocket import RawSocketProtocol
from gatekeeper.wamp.router import Limits
from gatekeeper.wamp.transport import CLOSING_SECONDS, HANDSHAKE_SECONDS, LEAVING_SECONDS, PING_SECONDS
from tests.wamp.helpers import EVERY_CODEC, ROLES, Client, fuzz, open_router
from tests.wamp.rawsocket import RawBench, Socketless, framed, request

SECTION = "RawSocket Transport"
every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)


@pytest.mark.spec(SECTION, "the router echoes the serializer and sets its own length")
@every_codec
def test_a_session_from_handshake_to_goodbye(codec: Codec) -> None:
    bench = RawBench(codec)
    assert bench.shake() == bytes((0x7F, 11 << 4 | request(codec)[1] & 0x0F, 0, 0))
    (welcome,) = bench.say(1, "realm", ROLES)
    assert welcome[0] == 2
    (error,) = bench.say(48, 1, {}, "no.such", [b"\x00\xff"])
    assert error[4] == "wamp.error.no_such_procedure"
    assert bench.say(6, {}, "wamp.close.normal") == [[6, {}, "wamp.close.goodbye_and_out"]]
    bench.lose()
    bench.assert_nothing_is_left()


@every_codec
def test_handshake_and_hello_in_one_read_or_in_single_octets(codec: Codec) -> None:
    data = request(codec) + framed(codec.encode([1, "realm", ROLES]))
    whole = RawBench(codec).hear(data)
    assert whole[:4] == RawBench(codec).shake()
    bench = RawBench(codec)
    pieces = b"".join(bench.hear(bytes([octet])) for octet in data)
    assert len(pieces) > 100
    assert bench.router.metrics().sessions_now == 1


@pytest.mark.spec(SECTION, "error replies end the connection")
@pytest.mark.parametrize(
    ("asked", "reply"),
    [("7ff40000", "7f100000"), ("7ff00000", "7f100000"), ("7f010000", "7f200000"), ("7ff10001", "7f300000")],
)
def test_a_refused_handshake(asked: str, reply: str) -> None:
    bench = RawBench()
    assert bench.hear(bytes.fromhex(asked)) == bytes.fromhex(reply)
    assert bench.transport.disconnecting
    assert bench.hear(framed(CBOR.encode([1, "realm", ROLES]))) == b""
    assert bench.router.metrics().refused == 1
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


@pytest.mark.spec(SECTION, "a first octet other than 0x7F fails the connection")
def test_an_http_client_is_dropped_at_its_first_octet() -> None:
    bench = RawBench()
    assert bench.hear(b"G") == b""
    assert bench.transport.disconnecting
    assert bench.hear(b"ET / HTTP/1.1\r\n") == b""
    bench.lose()
    bench.assert_nothing_is_left()


@pytest.mark.spec(SECTION, "error reply 4: maximum connection count reached")
def test_too_many_connections_from_one_address() -> None:
    router = open_router(limits=Limits(sessions_per_address=2))
    benches = [RawBench(CBOR, router).join() for _ in range(2)]
    third = RawBench(CBOR, router)
    assert third.shake() == bytes((0x7F, 0x40, 0, 0))
    assert third.transport.disconnecting
    assert router.metrics().connections_now == 2
    benches[0].lose()
    RawBench(CBOR, router).join()


def test_connections_that_say_nothing_are_bounded_too() -> None:
    bench = RawBench(CBOR, open_router(limits=Limits(sessions_per_address=2)))
    more: list[tuple[RawSocketProtocol, Socketless]] = []
    for _ in range(5):
        built = bench.factory.buildProtocol(None)
        assert built is not None
        more.append((built, Socketless()))
        built.makeConnection(more[-1][1])
    assert [transport.disconnected for _, transport in more] == [False, False, False, True, True]
    bench.lose()
    for protocol, _ in more:
        protocol.connectionLost(Failure(connectionDone.value))
    bench.assert_nothing_is_left()
    assert not bench.factory._from


@pytest.mark.spec(SECTION, "a peer answers each PING with one PONG that echoes its payload")
@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 5])
def test_ping(payload: bytes) -> None:
    bench = RawBench().join()
    assert bench.frames(framed(payload, 1)) == [(2, payload)]
    assert bench.frames(framed(b"a", 1) + framed(b"b", 1)) == [(2, b"a"), (2, b"b")]


def test_a_pong_is_a_sign_of_life_and_no_more() -> None:
    bench = RawBench().join()
    for _ in range(20):
        bench.clock.advance(PING_SECONDS)
        for kind, _payload in bench.frames(b""):
            assert kind == 1
            assert bench.frames(framed(b"", 2)) == []
    assert not bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_silent_client_is_dropped() -> None:
    bench = RawBench().join()
    for _ in range(3):
        assert not bench.transport.disconnected
        bench.clock.advance(PING_SECONDS)
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_client_that_does_not_read_gets_no_pongs() -> None:
    bench = RawBench().join()
    bench.transport.producer.pauseProducing()
    assert bench.frames(framed(bytes(100), 1) * 100) == []


def test_a_ping_whose_pong_would_be_too_large_is_a_violation() -> None:
    bench = RawBench().join(exponent=11)
    bench.hear(framed(bytes(2049), 1))
    assert bench.transport.disconnecting
    assert bench.router.metrics().violations == 1


@pytest.mark.spec(SECTION, "a message that exceeds the limit fails the connection")
@pytest.mark.parametrize("is_joined", [False, True])
def test_a_message_too_large_is_a_violation_before_it_is_read(is_joined: bool) -> None:
    bench = RawBench(CBOR, open_router(limits=Limits(handshake_bytes=1024, message_bytes=4096)))
    assert bench.shake() == bytes((0x7F, 3 << 4 | 3, 0, 0))
    if is_joined:
        bench.say(1, "realm", ROLES)
    ((_, abort),) = bench.frames(framed(bytes(5000 if is_joined else 1025))[:4])
    assert CBOR.decode(abort)[::2] == [3, "wamp.error.protocol_violation"]
    assert bench.transport.disconnecting
    assert bench.hear(bytes(5000)) == b""
    bench.lose()
    bench.assert_nothing_is_left()


@pytest.mark.spec(SECTION, "a peer fails the connection when a message exceeds what it announced")
def test_what_was_announced_is_what_is_taken_where_the_limit_is_no_power_of_two() -> None:
    bench = RawBench(CBOR, open_router(limits=Limits(message_bytes=3000)))
    assert bench.shake()[1] >> 4 == 2  # 2048 octets
    bench.say(1, "realm", ROLES)
    assert bench.frames(framed(bytes(2049))[:4])[0][0] == 0
    assert bench.router.metrics().violations == 1


@pytest.mark.spec(SECTION, "reserved bits of a prefix are zero, and reserved types aren't used")
@pytest.mark.parametrize("prefix", ["03000000", "07000001", "10000000", "80000001", "08000001"])
def test_a_frame_against_the_rules(prefix: str) -> None:
    bench = RawBench(JSON).join()
    ((_, abort),) = bench.frames(bytes.fromhex(prefix))
    assert JSON.decode(abort)[::2] == [3, "wamp.error.protocol_violation"]
    assert bench.transport.disconnecting
    assert bench.router.metrics().sessions_now == 0


@every_codec
def test_an_empty_message_is_a_violation(codec: Codec) -> None:
    bench = RawBench(codec).join()
    ((_, abort),) = bench.frames(framed(b""))
    assert codec.decode(abort)[::2] == [3, "wamp.error.protocol_violation"]


# --- Messages that are too large for one client -----------------------------------------------------------------------


@pytest.mark.spec(SECTION, "an EVENT larger than a client takes may be dropped for it, and is counted")
@every_codec
def test_a_large_event_skips_who_cannot_take_it(codec: Codec) -> None:
    router = open_router()
    small, large = RawBench(codec, router).join(exponent=11), RawBench(codec, router).join(exponent=16)
    for bench in (small, large):
        bench.say(32, 1, {}, "a.topic")
    publisher = Client(router).join()
    for payload in ("x" * 3000, "short"):
        publisher.say(16, 1, {}, "a.topic", [payload])
    assert [event[4] for event in small.take()] == [["short"]]
    assert [event[4] for event in large.take()] == [["x" * 3000], ["short"]]
    assert router.metrics().events_unencodable == 1


@pytest.mark.spec(SECTION, "the router sends no message larger than the client takes")
@every_codec
def test_a_large_call_is_refused_to_its_caller(codec: Codec) -> None:
    router = open_router()
    callee, caller = RawBench(codec, router).join(exponent=11), Client(router).join()
    callee.say(64, 1, {}, "a.procedure")
    (error,) = caller.say(48, 1, {}, "a.procedure", ["x" * 3000])
    assert (error[0], error[2], error[4]) == (8, 1, "wamp.error.invalid_argument")
    assert callee.take() == []
    caller.say(48, 2, {}, "a.procedure", ["short"])
    assert [message[0] for message in callee.take()] == [68]


@pytest.mark.spec(SECTION, "the router sends no message larger than the client takes")
@every_codec
def test_a_large_result_is_an_error_to_a_caller_that_cannot_take_it(codec: Codec) -> None:
    router = open_router()
    caller, callee = RawBench(codec, router).join(exponent=11), Client(router).join()
    callee.say(64, 1, {}, "a.procedure")
    caller.say(48, 1, {}, "a.procedure")
    ((_, invocation, *_),) = callee.take()
    callee.say(70, invocation, {}, ["x" * 3000])
    ((code, _, request_id, _, uri, *_),) = caller.take()
    assert (code, request_id) == (8, 1)
    assert uri.startswith("wamp.error.")


# --- Time, and the end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", b"\x7f", b"\x7f\xf1\x00"])
def test_a_client_that_never_finishes_the_handshake_is_dropped(said: bytes) -> None:
    bench = RawBench()
    bench.hear(said)
    bench.clock.advance(HANDSHAKE_SECONDS)
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_client_that_never_says_hello_is_told_and_dropped() -> None:
    bench = RawBench()
    bench.shake()
    bench.clock.advance(HANDSHAKE_SECONDS)
    (abort,) = bench.take()
    assert abort[::2] == [3, "wamp.error.timeout"]
    assert bench.transport.disconnecting
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_client_that_does_not_answer_goodbye_is_dropped() -> None:
    bench = RawBench().join()
    bench.router.close()
    assert bench.take() == [[6, {}, "wamp.close.system_shutdown"]]
    bench.clock.advance(LEAVING_SECONDS)
    assert bench.transport.disconnecting
    bench.lose()
    bench.assert_nothing_is_left()


def test_closing_the_factory_says_goodbye_and_waits_for_the_last_connection() -> None:
    bench = RawBench().join()
    closed: list[None] = []
    bench.factory.close().addCallback(closed.append)
    assert bench.take() == [[6, {}, "wamp.close.system_shutdown"]]
    assert bench.factory.buildProtocol(None) is None
    assert bench.say(6, {}, "wamp.close.goodbye_and_out") == []
    assert bench.transport.disconnecting
    assert closed == []
    bench.lose()
    assert closed == [None]
    bench.assert_nothing_is_left()


def test_closing_the_factory_drops_connections_that_are_not_open_yet() -> None:
    bench = RawBench()
    bench.factory.close()
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


# --- Flow -------------------------------------------------------------------------------------------------------------


def test_a_full_transport_holds_frames_back_until_it_is_empty() -> None:
    router = open_router(policies=lambda topic: "newest")
    bench, publisher = RawBench(CBOR, router).join(), RawBench(CBOR, router).join()
    bench.say(32, 1, {}, "a.frame")
    bench.transport.producer.pauseProducing()
    for number in range(5):
        publisher.say(16, 1, {}, "a.frame", [number])
    assert [event[4] for event in bench.take()] == [[0]]
    bench.transport.producer.resumeProducing()
    assert [event[4] for event in bench.take()] == [[4]]
    assert router.metrics().events_replaced == 3


def test_a_client_that_reads_no_replies_is_given_up() -> None:
    router = open_router(limits=Limits(unsent_bytes=1000))
    bench = RawBench(CBOR, router).join()
    bench.transport.producer.pauseProducing()
    for number in range(1, 30):
        bench.say(48, number, {}, "no.such.procedure")
    assert router.metrics().over_budget == 1
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.transport.disconnected
    bench.lose()
    bench.assert_nothing_is_left()


# --- Every serializer with every other --------------------------------------------------------------------------------


@pytest.mark.spec("Serializers", "sessions with different serializers exchange binary values")
@pytest.mark.parametrize("to", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
@every_codec
def test_binary_crosses_between_serializers_and_transports(codec: Codec, to: Codec) -> None:
    router = open_router()
    raw, web = RawBench(codec, router).join(), Client(router, to).join()
    raw.say(32, 1, {}, "a.topic")
    web.say(16, 1, {}, "a.topic", [b"\x00\xff"], {"text": "\u00e9"})
    assert raw.take()[0][4:] == [[b"\x00\xff"], {"text": "\u00e9"}]
    web.say(64, 2, {}, "a.procedure")
    raw.say(48, 1, {}, "a.procedure", [b"\x01"])
    (invocation,) = web.take()
    assert invocation[4] == [b"\x01"]
    web.say(70, invocation[1], {}, [b"\x02\x00"])
    assert raw.take() == [[50, 1, {}, [b"\x02\x00"]]]


# --- Fuzz -------------------------------------------------------------------------------------------------------------


@fuzz
@given(codec=st.sampled_from([JSON, MSGPACK, CBOR]), data=st.lists(st.binary(max_size=60), max_size=5))
def test_arbitrary_frames_do_no_harm(codec: Codec, data: list[bytes]) -> None:
    bench = RawBench(codec).join()
    for payload in data:
        bench.hear(framed(payload))
    bench.lose()
    bench.assert_nothing_is_left()


@fuzz
@given(data=st.lists(st.binary(max_size=40), max_size=5), is_joined=st.booleans())
def test_arbitrary_octets_do_no_harm(data: list[bytes], is_joined: bool) -> None:
    bench = RawBench(JSON)
    if is_joined:
        bench.join()
    for octets in data:
        bench.hear(octets)
    bench.lose()
    bench.assert_nothing_is_left()


@fuzz
@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_it_makes_no_difference_how_tcp_cuts_the_bytes(cuts: list[int]) -> None:
    bench = RawBench(JSON).join()
    call = framed(JSON.encode([48, 1, {}, "no.such", ["x" * 150]]))
    data = call + framed(b"ping", 1) + call
    answer = b"".join(
        bench.hear(data[start:end]) for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True)
    )
    assert answer.count(b"no_such_procedure") == 2
    assert framed(b"ping", 2) in answer

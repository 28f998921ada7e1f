"""The WebSocket protocol on a transport and a clock of the test's own: its opening, every timer, and the end."""

import pytest
from twisted.internet.error import ConnectionLost

from gatekeeper.wamp.codecs import CBOR, JSON, Codec
from gatekeeper.wamp.router import Limits
from gatekeeper.wamp.session import State
from gatekeeper.wamp.transport import (
    CLOSING_SECONDS,
    HANDSHAKE_SECONDS,
    LEAVING_SECONDS,
    PING_SECONDS,
    is_allowed_origin,
)
from tests.wamp.bench import Bench
from tests.wamp.helpers import EVERY_CODEC, ROLES, open_router
from tests.wamp.wire import handshake


@pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
def test_the_subprotocol_picks_the_serialization(codec: Codec) -> None:
    bench = Bench(codec)
    bench.protocol.dataReceived(handshake(f"unknown, {codec.subprotocol}"))
    assert f"Sec-WebSocket-Protocol: {codec.subprotocol}\r\n".encode() in bench.transport.take()


@pytest.mark.parametrize("offered", ["wamp.2.smile", "mqtt"])
def test_a_client_of_no_known_subprotocol_is_told_which_there_are(offered: str) -> None:
    bench = Bench()
    bench.protocol.dataReceived(handshake(offered))
    assert bench.status.startswith("HTTP/1.1 400 subprotocol must be one of wamp.2.json, wamp.2.msgpack, wamp.2.cbor")
    assert bench.transport.disconnecting
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_client_of_no_subprotocol_at_all_is_told_too() -> None:
    bench = Bench()
    bench.protocol.dataReceived(handshake("x").replace(b"Sec-WebSocket-Protocol: x\r\n", b""))
    assert bench.status.startswith("HTTP/1.1 400 subprotocol must be one of")


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (None, True),
        ("http://localhost:8080", True),
        ("https://LOCALHOST:8080", True),
        ("http://localhost", False),
        ("http://localhost:8081", False),
        ("http://evil.example", False),
        ("http://localhost:8080.evil.example", False),
        ("http://evil.example/localhost:8080", False),
        ("null", False),
        ("file://", False),
        ("http://[", False),
        ("https://panel.example", True),
    ],
)
def test_which_pages_may_connect(origin: str | None, is_allowed: bool) -> None:
    headers = {"host": "localhost:8080", **({"origin": origin} if origin is not None else {})}
    assert is_allowed_origin(headers, {"https://panel.example"}) is is_allowed
    assert is_allowed_origin(headers, {"*"})


def test_a_page_without_a_host_to_compare_may_not() -> None:
    assert not is_allowed_origin({"origin": "null"}, ())
    assert not is_allowed_origin({"origin": "", "host": ""}, ())


def test_a_page_of_another_origin_is_refused() -> None:
    bench = Bench()
    assert bench.shake("Origin: http://evil.example\r\n").startswith("HTTP/1.1 403")
    assert Bench().shake("Origin: http://localhost:8080\r\n").startswith("HTTP/1.1 101")
    allowed = Bench(allowed_origins=["http://evil.example"])
    assert allowed.shake("Origin: http://evil.example\r\n").startswith("HTTP/1.1 101")


def test_the_session_knows_its_peer() -> None:
    bench = Bench()
    bench.shake("Cookie: a=b\r\nX-Thing: 5\r\n")
    (session,) = bench.router._attached
    assert session.peer.address == "192.168.1.1"
    assert session.peer.headers["cookie"] == "a=b"
    assert session.peer.headers["x-thing"] == "5"
    assert session.peer.headers["host"] == "localhost:8080"
    assert not session.peer.secure


def test_a_client_that_never_finishes_the_opening_handshake_is_dropped() -> None:
    bench = Bench()
    bench.protocol.dataReceived(b"GET / HTTP/1.1\r\n")
    bench.clock.advance(HANDSHAKE_SECONDS)
    assert bench.is_aborted
    bench.lose(ConnectionLost())
    bench.assert_nothing_is_left()


def test_a_client_that_never_says_hello_is_closed() -> None:
    bench = Bench()
    bench.shake()
    bench.clock.advance(HANDSHAKE_SECONDS)
    (abort,) = bench.take()
    assert abort[::2] == [3, "wamp.error.timeout"]
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.is_aborted
    bench.lose(ConnectionLost())
    bench.assert_nothing_is_left()


def test_a_joined_client_that_answers_pings_lives_on() -> None:
    bench = Bench().join()
    for _ in range(20):
        bench.clock.advance(PING_SECONDS)
        for opcode, _payload in bench.frames():
            assert opcode == 9
            bench.protocol.dataReceived(bytes.fromhex("8a8000000000"))
    assert not bench.is_aborted
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_client_that_talks_is_not_pinged() -> None:
    bench = Bench().join()
    for _ in range(5):
        bench.say(48, 1, {}, "no.such")
        bench.clock.advance(PING_SECONDS)
    assert bench.frames() == []


def test_a_silent_client_is_dropped() -> None:
    bench = Bench().join()
    for _ in range(3):
        assert not bench.is_aborted
        bench.clock.advance(PING_SECONDS)
    assert bench.is_aborted
    bench.lose(ConnectionLost())
    bench.assert_nothing_is_left()


def test_goodbye_leaves_the_connection_open_for_as_long_as_a_handshake_may_take() -> None:
    bench = Bench().join()
    assert bench.say(6, {}, "wamp.close.normal")[0][2] == "wamp.close.goodbye_and_out"
    (welcome,) = bench.say(1, "realm", ROLES)
    assert welcome[0] == 2
    bench.say(6, {}, "wamp.close.normal")
    bench.clock.advance(HANDSHAKE_SECONDS)
    assert bench.take()[-1][2] == "wamp.error.timeout"


def test_when_the_client_closes_the_session_is_gone_at_once() -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(bytes.fromhex("8880000000" + "00"))
    assert bench.frames()[-1][0] == 8
    assert bench.router.metrics().sessions_now == 0
    assert bench.transport.disconnecting
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.is_aborted
    bench.lose()
    bench.assert_nothing_is_left()


def test_closing_the_factory_says_goodbye_and_waits_for_the_last_connection() -> None:
    bench = Bench(JSON).join()
    closed: list[None] = []
    bench.factory.close().addCallback(closed.append)
    assert bench.take() == [[6, {}, "wamp.close.system_shutdown"]]
    assert bench.factory.buildProtocol(None) is None
    assert bench.say(6, {}, "wamp.close.goodbye_and_out") == []
    bench.protocol.dataReceived(bytes.fromhex("888000000000"))
    assert closed == []
    bench.lose()
    assert closed == [None]
    bench.assert_nothing_is_left()
    bench.factory.close().addCallback(closed.append)
    assert closed == [None, None]


def test_a_client_that_does_not_answer_goodbye_is_closed_and_then_dropped() -> None:
    bench = Bench(JSON).join()
    bench.router.close()
    bench.frames()
    bench.clock.advance(LEAVING_SECONDS)
    assert [opcode for opcode, _ in bench.frames()] == [8]
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.is_aborted
    bench.lose(ConnectionLost())
    bench.assert_nothing_is_left()


def test_closing_the_factory_drops_connections_that_are_not_open_yet() -> None:
    bench = Bench(JSON)
    bench.factory.close()
    assert bench.is_aborted
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_full_transport_holds_frames_back_until_it_is_empty() -> None:
    router = open_router(policies=lambda topic: "newest")
    bench = Bench(CBOR, router).join()
    bench.say(32, 1, {}, "a.frame")
    publisher = Bench(CBOR, router).join()
    bench.transport.producer.pauseProducing()
    for number in range(5):
        publisher.say(16, 1, {}, "a.frame", [number])
    assert [event[4] for event in bench.take()] == [[0]]
    bench.transport.producer.resumeProducing()
    assert [event[4] for event in bench.take()] == [[4]]
    assert router.metrics().events_replaced == 3


def test_a_full_transport_that_stays_full_is_given_up() -> None:
    router = open_router(limits=Limits(unsent_bytes=1000))
    bench = Bench(CBOR, router).join()
    bench.transport.producer.pauseProducing()
    for request in range(1, 30):
        bench.say(48, request, {}, "no.such.procedure")
    assert router.metrics().over_budget == 1
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.is_aborted
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_session_in_the_middle_of_leaving_may_be_lost() -> None:
    bench = Bench(JSON).join()
    (session,) = bench.router._attached
    session.leave("wamp.close.normal")
    assert session.state is State.LEAVING
    bench.lose(ConnectionLost())
    bench.assert_nothing_is_left()

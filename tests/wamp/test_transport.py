"""The WebSocket protocol on a transport and a clock of the test's own: every timer, refusal and odd frame."""

import socket
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import tcp
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import CBOR, JSON, Codec
from gatekeeper.wamp.framing import unmask
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.router import Limits, Router
from gatekeeper.wamp.session import State
from gatekeeper.wamp.transport import (
    CLOSING_SECONDS,
    HANDSHAKE_SECONDS,
    LEAVING_SECONDS,
    MAX_FRAGMENTS,
    PING_SECONDS,
    PONG_ROOM,
    WampFactory,
    is_allowed_origin,
    websocket_factory,
)
from tests.wamp.helpers import EVERY_CODEC, ROLES, fuzz, open_router
from tests.wamp.wire import handshake, masked, take_frames


class Socketless(StringTransport):
    """A transport without a socket of its own, as TLS is: its producer hears when it is full."""

    producer: Any

    def unregisterProducer(self) -> None:
        self.producer = None

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written: bytes = self.value()
        self.clear()
        return written


class Bench:
    """A connection that hasn't said anything yet."""

    def __init__(self, codec: Codec = JSON, router: Router | None = None, **arguments: Any) -> None:
        self.codec = codec
        self.clock = Clock()
        self.router = router or open_router()
        self.factory: WampFactory = websocket_factory(self.router, clock=self.clock, **arguments)
        built = self.factory.buildProtocol(None)
        assert built is not None
        self.protocol = built
        self.transport = Socketless()
        self.protocol.makeConnection(self.transport)

    def shake(self, headers: str = "") -> str:
        """Do the opening handshake and return the status line."""
        self.protocol.dataReceived(handshake(self.codec, headers))
        return self.status

    def say(self, *message: Any) -> list[Message]:
        self.protocol.dataReceived(masked(self.codec.encode(list(message)), binary=self.codec.binary))
        return self.take()

    def take(self) -> list[Message]:
        return [self.codec.decode(payload) for opcode, payload in self.frames() if opcode in (1, 2)]

    def frames(self) -> list[tuple[int, bytes]]:
        frames, rest = take_frames(self.transport.take())
        assert rest == b""
        return frames

    def join(self) -> "Bench":
        self.shake()
        self.say_hello()
        return self

    def say_hello(self) -> None:
        """Say HELLO on a connection that is open."""
        (welcome,) = self.say(1, "realm", ROLES)
        assert welcome[0] == 2

    def lose(self, error: Exception | None = None) -> None:
        self.protocol.connectionLost(Failure(error or ConnectionDone()))

    @property
    def is_aborted(self) -> bool:
        return bool(self.transport.disconnected)

    @property
    def status(self) -> str:
        """The status line of what was written since the last time."""
        return self.transport.take().partition(b"\r\n")[0].decode()

    def assert_nothing_is_left(self) -> None:
        assert self.clock.getDelayedCalls() == []
        assert self.factory.connections == set()
        assert self.router.metrics().connections_now == 0


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


@pytest.mark.parametrize("is_joined", [False, True])
def test_a_message_too_large_is_a_violation_before_it_is_read(is_joined: bool) -> None:
    limits = Limits(handshake_bytes=1000, message_bytes=2000)
    bench = Bench(CBOR, open_router(limits=limits))
    bench.shake()
    if is_joined:
        bench.say_hello()
    size = 2100 if is_joined else 1100
    frame = masked(bytes(size), binary=True)
    bench.protocol.dataReceived(frame[:500])
    (opcode, abort), close = bench.frames()
    assert CBOR.decode(abort)[::2] == [3, "wamp.error.protocol_violation"]
    assert (opcode, close[0]) == (2, 8)
    bench.protocol.dataReceived(frame[500:])
    assert bench.frames() == []


def test_fragments_that_are_too_large_together_are_a_violation() -> None:
    bench = Bench(JSON, open_router(limits=Limits(message_bytes=1000)))
    bench.join()
    fragment = masked(b"x" * 600, binary=False)
    bench.protocol.dataReceived(bytes([0x01]) + fragment[1:])
    assert bench.frames() == []
    bench.protocol.dataReceived(bytes([0x00]) + fragment[1:])
    assert [opcode for opcode, _ in bench.frames()] == [1, 8]


def test_the_wrong_kind_of_frame_is_a_violation() -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(masked(b'[6,{},"a"]', binary=True))
    assert bench.take()[0][2] == "wamp.error.protocol_violation"


@pytest.mark.parametrize("frame", ["8103616263", "c18300000000616263", "838300000000616263", "808300000000616263"])
def test_a_frame_against_the_rules_of_websocket_closes(frame: str) -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(bytes.fromhex(frame))
    assert bench.frames()[-1][0] == 8
    assert bench.router.metrics().sessions_now == 0
    bench.protocol.dataReceived(masked(JSON.encode([48, 1, {}, "no.such"]), binary=False))
    assert bench.frames() == []
    bench.clock.advance(CLOSING_SECONDS)
    assert bench.is_aborted
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_message_of_endless_empty_fragments_is_a_violation() -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(bytes.fromhex("018000000000"))
    bench.protocol.dataReceived(bytes.fromhex("008000000000") * (MAX_FRAGMENTS - 1))
    assert bench.frames() == []
    bench.protocol.dataReceived(bytes.fromhex("008000000000") * 10)
    (_, abort), close = bench.frames()
    assert JSON.decode(abort)[2] == "wamp.error.protocol_violation"
    assert close[0] == 8


def test_an_opening_handshake_without_end_is_dropped() -> None:
    bench = Bench(router=open_router(limits=Limits(handshake_bytes=1000)))
    bench.protocol.dataReceived(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100)
    assert not bench.is_aborted
    bench.protocol.dataReceived(b"X: y\r\n" * 100)
    assert bench.is_aborted


def test_a_client_that_does_not_read_gets_no_pongs() -> None:
    bench = Bench(JSON).join()
    ping = bytes.fromhex("898000000000")
    bench.protocol.dataReceived(ping)
    assert [opcode for opcode, _ in bench.frames()] == [10]
    bench.transport.producer.pauseProducing()
    bench.protocol.dataReceived(ping * 100)
    assert bench.frames() == []


def test_many_messages_in_one_read_are_answered_in_order() -> None:
    bench = Bench(JSON).join()
    calls = [masked(JSON.encode([48, n, {}, "no.such"]), binary=False) for n in range(1, 50)]
    ping = bytes.fromhex("898000000000")
    bench.protocol.dataReceived(b"".join([*calls[:20], ping, *calls[20:]]))
    frames = bench.frames()
    assert [opcode for opcode, _ in frames] == [1] * 20 + [10] + [1] * 29
    assert [JSON.decode(payload)[2] for opcode, payload in frames if opcode == 1] == list(range(1, 50))


@fuzz
@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_it_makes_no_difference_how_tcp_cuts_the_bytes(cuts: list[int]) -> None:
    bench = Bench(JSON).join()
    first = masked(JSON.encode([48, 1, {}, "no.such", ["x" * 150]]), binary=False)
    fragments = bytes([first[0] & 0x0F]) + first[1:], bytes.fromhex("808000000000")
    data = first + bytes.fromhex("898000000000") + b"".join(fragments) + first
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        bench.protocol.dataReceived(data[start:end])
    assert [opcode for opcode, _ in bench.frames()] == [1, 10, 1, 1]


@fuzz
@given(data=st.binary(max_size=60))
def test_arbitrary_bytes_after_the_handshake_do_no_harm(data: bytes) -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(data)
    bench.lose()
    bench.assert_nothing_is_left()


@fuzz
@given(data=st.binary(max_size=100))
def test_arbitrary_bytes_before_the_handshake_do_no_harm(data: bytes) -> None:
    bench = Bench(JSON)
    bench.protocol.dataReceived(data + b"\r\n\r\n")
    bench.lose()
    bench.assert_nothing_is_left()


def test_a_message_between_fragments_of_another_breaks_the_rules() -> None:
    bench = Bench(JSON).join()
    bench.protocol.dataReceived(bytes.fromhex("018000000000"))
    bench.protocol.dataReceived(masked(JSON.encode([48, 1, {}, "no.such"]), binary=False))
    assert [opcode for opcode, _ in bench.frames()] == [8]


@pytest.mark.parametrize(("first", "answer"), [(0x82, 2), (0x89, 10)], ids=["message", "ping"])
def test_a_payload_that_looks_like_a_frame_and_comes_by_itself_is_none(first: int, answer: int) -> None:
    bench = Bench(CBOR).join()
    payload = CBOR.encode([48, 1, {}, "no.such", ["x" * 20]])
    mask = bytes(a ^ b for a, b in zip(payload, bytes.fromhex("82840000"), strict=False))
    frame = bytes([first, 0x80 | len(payload)]) + mask + unmask(mask, payload)
    assert frame[6:8] == bytes.fromhex("8284")
    bench.protocol.dataReceived(frame[:6])
    bench.protocol.dataReceived(frame[6:])
    assert [opcode for opcode, _ in bench.frames()] == [answer]


def connected_by_a_socket() -> tuple[Any, socket.socket]:
    """Return a joined protocol on a real TCP transport that no reactor runs, and the client's end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    bench = Bench(CBOR)
    port: Any = SimpleNamespace(_realPortNumber=1)
    transport = tcp.Server(ours, bench.protocol, ("127.0.0.1", 1), port, 1, MemoryReactor())
    bench.protocol.makeConnection(transport)
    for data in (handshake(CBOR), masked(CBOR.encode([1, "realm", ROLES]), binary=True)):
        bench.protocol.dataReceived(data)
        transport.doWrite()
    theirs.recv(65536)
    return bench.protocol, theirs


def hang_up(protocol: Any, theirs: socket.socket) -> None:
    protocol.connectionLost(Failure(ConnectionDone()))
    protocol.transport.socket.close()
    theirs.close()


def test_what_is_unsent_goes_first_even_if_the_kernel_has_room_again() -> None:
    protocol, theirs = connected_by_a_socket()
    frames = [bytes([0x82, 126]) + (60_000).to_bytes(2, "big") + bytes([number]) * 60_000 for number in range(20)]
    unsent = [protocol.write(frame) for frame in frames[:10]]
    assert unsent[-1] > 0
    received = theirs.recv(1 << 20)
    for frame in frames[10:]:
        protocol.write(frame)
    while protocol.unsent_bytes():
        protocol.transport.doWrite()
        received += theirs.recv(1 << 20)
    with suppress(BlockingIOError):
        received += theirs.recv(1 << 20)
    assert received == b"".join(frames)
    hang_up(protocol, theirs)


def test_pongs_do_not_pile_up_on_a_socket() -> None:
    protocol, theirs = connected_by_a_socket()
    while not protocol.unsent_bytes():
        protocol.write(bytes(60_000))
    for _ in range(2000):
        protocol.dataReceived(bytes.fromhex("89fd00000000") + bytes(125))
    assert protocol.unsent_bytes() < PONG_ROOM + 60_000
    hang_up(protocol, theirs)


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

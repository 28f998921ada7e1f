"""What arrives on a WebSocket connection: large, odd, fragmented and cut messages, and frames against the rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import CBOR, JSON
from gatekeeper.wamp.framing import unmask
from gatekeeper.wamp.router import Limits
from gatekeeper.wamp.transport import (
    CLOSING_SECONDS,
    MAX_FRAGMENTS,
)
from tests.wamp.bench import Bench
from tests.wamp.helpers import fuzz, open_router
from tests.wamp.wire import masked


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

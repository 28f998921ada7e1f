"""RawSocket's handshake and frames, octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import JSON, Codec
from gatekeeper.wamp.errors import CodecError, ProtocolViolation
from gatekeeper.wamp.rawframing import (
    HandshakeError,
    RawWire,
    Reader,
    Refusal,
    accept,
    exponent_of,
    frame,
    read_handshake,
    refuse,
    wire,
)
from tests.wamp.helpers import EVERY_CODEC, fuzz
from tests.wamp.rawsocket import SERIALIZER, framed

SECTION = "RawSocket Transport"


@pytest.mark.spec(SECTION, "the second octet holds the length that the client takes and its serializer")
@pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
@pytest.mark.parametrize("length", range(2, 16))
def test_every_serializer_and_length(codec: Codec, length: int) -> None:
    made = read_handshake(bytes((0x7F, length << 4 | SERIALIZER[codec], 0, 0)))
    assert (made.codec, made.limit) == (codec, 2 ** (9 + length))


@pytest.mark.spec(SECTION, "error reply 1: serializer unsupported")
@pytest.mark.parametrize("serializer", [0, *range(4, 16)])
def test_an_unknown_serializer(serializer: int) -> None:
    with pytest.raises(HandshakeError) as raised:
        read_handshake(bytes((0x7F, 0xF0 | serializer, 0, 0)))
    assert raised.value.refusal is Refusal.SERIALIZER_UNSUPPORTED
    assert refuse(raised.value.refusal) == bytes((0x7F, 0x10, 0, 0))


@pytest.mark.spec(SECTION, "error reply 2: maximum message length unacceptable")
@pytest.mark.parametrize("length", [0, 1])
def test_a_client_that_takes_too_little_for_a_welcome(length: int) -> None:
    with pytest.raises(HandshakeError) as raised:
        read_handshake(bytes((0x7F, length << 4 | 1, 0, 0)))
    assert raised.value.refusal is Refusal.LENGTH_UNACCEPTABLE
    assert refuse(raised.value.refusal) == bytes((0x7F, 0x20, 0, 0))


@pytest.mark.spec(SECTION, "error reply 3: use of reserved bits")
@pytest.mark.parametrize("reserved", [(1, 0), (0, 1), (0x80, 0), (0, 0x80)])
def test_reserved_octets(reserved: tuple[int, int]) -> None:
    with pytest.raises(HandshakeError) as raised:
        read_handshake(bytes((0x7F, 0xF1, *reserved)))
    assert raised.value.refusal is Refusal.RESERVED_BITS
    assert refuse(raised.value.refusal) == bytes((0x7F, 0x30, 0, 0))


@pytest.mark.spec(SECTION, "error reply 4: maximum connection count reached")
def test_the_fourth_error() -> None:
    assert refuse(Refusal.TOO_MANY_CONNECTIONS) == bytes((0x7F, 0x40, 0, 0))


@pytest.mark.spec(SECTION, "a first octet other than 0x7F fails the connection")
@pytest.mark.parametrize("first", [0, 0x47, 0x16, 0x7E, 0x80, 0xFF])
def test_another_protocol(first: int) -> None:
    with pytest.raises(HandshakeError) as raised:
        read_handshake(bytes((first, 0xF1, 0, 0)))
    assert raised.value.refusal is None


@pytest.mark.spec(SECTION, "the router echoes the serializer and sets its own length")
@pytest.mark.parametrize(("limit", "length"), [(2**20, 11), (2**20 + 1, 11), (2**20 - 1, 10), (2**9, 0), (2**24, 15)])
def test_the_reply(limit: int, length: int) -> None:
    assert accept(bytes((0x7F, 0xF2, 0, 0)), limit) == bytes((0x7F, length << 4 | 2, 0, 0))


@pytest.mark.parametrize(("limit", "exponent"), [(1, 9), (2**30, 24)])
def test_a_limit_that_the_handshake_cannot_say(limit: int, exponent: int) -> None:
    assert exponent_of(limit) == exponent


@pytest.mark.spec(SECTION, "a frame is four octets of type and length, then the payload")
@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_536])
def test_a_frame(kind: int, size: int) -> None:
    assert frame(kind, bytes(size)) == framed(bytes(size), kind)


@pytest.mark.spec(SECTION, "the 25th bit of the length is set for exactly 16M octets")
def test_the_largest_frame() -> None:
    payload = bytes(2**24)
    assert frame(0, payload)[:4] == bytes((0x08, 0, 0, 0))
    assert frame(0, payload[1:])[:4] == bytes((0x00, 0xFF, 0xFF, 0xFF))
    reader = Reader(2**24)
    assert list(reader.read(frame(1, payload))) == [(1, payload)]
    assert list(Reader(2**24).read(frame(0, payload[1:]))) == [(0, payload[1:])]


@pytest.mark.spec(SECTION, "reserved bits of a prefix are zero, and reserved types aren't used")
@pytest.mark.parametrize("first", [0x03, 0x07, 0x10, 0x80, 0xF0, 0x0B])
def test_a_prefix_that_is_none(first: int) -> None:
    with pytest.raises(ProtocolViolation, match="reserved"):
        list(Reader(2**24).read(bytes((first, 0, 0, 0))))


def test_the_25th_bit_with_others_is_no_length() -> None:
    with pytest.raises(ProtocolViolation, match="reserved"):
        list(Reader(2**24).read(bytes((0x08, 0, 0, 1))))


@pytest.mark.spec(SECTION, "a message that exceeds the limit fails the connection")
def test_a_frame_too_large_is_known_by_its_prefix() -> None:
    reader = Reader(1000)
    assert list(reader.read(framed(bytes(1000)))) == [(0, bytes(1000))]
    with pytest.raises(ProtocolViolation, match="more than 1000"):
        list(reader.read(framed(bytes(1001))[:4]))


def test_the_limit_may_change_between_two_frames() -> None:
    reader = Reader(10)
    frames = reader.read(framed(bytes(10)) + framed(bytes(20)))
    assert next(frames) == (0, bytes(10))
    reader.limit = 20
    assert next(frames) == (0, bytes(20))


@pytest.mark.spec(SECTION, "the router sends no message larger than the client takes")
def test_a_message_too_large_for_the_client_cannot_be_expressed() -> None:
    small = wire(1, 11)
    room = 2048 - len(JSON.encode([""]))
    assert len(small.pack(["x" * room])) == 4 + 2048
    with pytest.raises(CodecError, match="2049 bytes for a client that takes 2048"):
        small.pack(["x" * (room + 1)])


def test_one_wire_for_all_who_speak_alike() -> None:
    assert wire(1, 24) is wire(1, 24)
    assert wire(1, 24) is not wire(1, 23)
    assert isinstance(read_handshake(bytes((0x7F, 0xF1, 0, 0))), RawWire)


payloads = st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=40)), max_size=6)


@fuzz
@given(frames=payloads, cuts=st.lists(st.integers(0, 300), max_size=10))
def test_it_makes_no_difference_how_tcp_cuts_the_bytes(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = b"".join(framed(payload, kind) for kind, payload in frames)
    reader = Reader(100)
    read: list[tuple[int, bytes]] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        read += reader.read(data[start:end])
    assert read == frames


@fuzz
@given(frames=payloads)
def test_byte_by_byte(frames: list[tuple[int, bytes]]) -> None:
    reader = Reader(100)
    data = b"".join(framed(payload, kind) for kind, payload in frames)
    assert [got for byte in data for got in reader.read(bytes([byte]))] == frames


@fuzz
@given(data=st.binary(max_size=200))
def test_whatever_comes_is_frames_or_a_violation_and_kept_within_bounds(data: bytes) -> None:
    reader = Reader(50)
    try:
        for _kind, payload in reader.read(data):
            assert len(payload) <= 50
    except ProtocolViolation:
        return
    assert len(reader._kept) < 54

"""WAMP over RawSocket (Advanced Profile, "RawSocket Transport"): its handshake and its frames. Sans-I/O.

    handshake  0111 1111  LLLL SSSS  0000 0000  0000 0000    both ways: at most 2**(9+L) octets, serializer S
    refusal    0111 1111  EEEE 0000  0000 0000  0000 0000    1 serializer, 2 length, 3 reserved bits, 4 connections
    frame      0000 XTTT  LLLL LLLL LLLL LLLL LLLL LLLL      type 0 message, 1 PING, 2 PONG; then L octets
               X is the 25th bit of the length, set for 2**24 octets alone

What a client takes is a property of its wire: a message that is larger can't be expressed on it, as a value can't that
a format lacks. So an EVENT is left out and counted, and a CALL or its answer becomes an ERROR.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cache
from typing import Any

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.errors import CodecError, ProtocolViolation
from gatekeeper.wamp.framing import Wire

MAGIC = 0x7F
HANDSHAKE_OCTETS = 4
PREFIX_OCTETS = 4
MESSAGE, PING, PONG = 0, 1, 2

MIN_EXPONENT, MAX_EXPONENT = 9, 24
# The smallest that a client may take: WELCOME with every feature that is announced is over 1 KiB.
SMALLEST_TAKEN = 11

_SERIALIZERS: dict[int, Codec] = {1: JSON, 2: MSGPACK, 3: CBOR}


class Refusal(IntEnum):
    """Why a handshake is refused."""

    SERIALIZER_UNSUPPORTED = 1
    LENGTH_UNACCEPTABLE = 2
    RESERVED_BITS = 3
    TOO_MANY_CONNECTIONS = 4


class HandshakeError(Exception):
    """The client's handshake can't be accepted.

    :ivar refusal: what the reply says; None where there is none, since the client speaks something else.
    """

    def __init__(self, refusal: Refusal | None) -> None:
        super().__init__(refusal.name.lower() if refusal else "not RawSocket")
        self.refusal = refusal


class RawWire(Wire):
    """One codec on RawSocket, to clients that take messages of one largest size.

    :ivar limit: that size, in octets.
    """

    __slots__ = ("limit",)

    def __init__(self, codec: Codec, limit: int) -> None:
        super().__init__(codec)
        self.limit = limit

    def pack(self, message: list[Any]) -> bytes:
        """Return the message as one frame; raise CodecError if it can't be encoded or is too large for the client."""
        payload = self.codec.encode(message)
        if len(payload) > self.limit:
            raise CodecError(f"a message of {len(payload)} bytes for a client that takes {self.limit}")
        return frame(MESSAGE, payload)

    def enclose(self, pieces: Sequence[bytes | memoryview]) -> bytes:
        """Return the frame of a message in pieces; raise CodecError if it is too large for the client."""
        size = sum(map(len, pieces))
        if size > self.limit:
            raise CodecError(f"a message of {size} bytes for a client that takes {self.limit}")
        return b"".join((_prefix(MESSAGE, size), *pieces))


@cache
def wire(serializer: int, exponent: int) -> RawWire:
    """Return the one wire of all connections of this serializer and largest size."""
    return RawWire(_SERIALIZERS[serializer], 1 << exponent)


def frame(kind: int, payload: bytes) -> bytes:
    """Return a frame of this type."""
    return _prefix(kind, len(payload)) + payload


def _prefix(kind: int, size: int) -> bytes:
    # At 2**24 the 25th bit of the length is bit X.
    prefix = (kind << 24) + (size if size < 1 << 24 else 0x08 << 24)
    return prefix.to_bytes(PREFIX_OCTETS, "big")


def read_handshake(request: bytes) -> RawWire:
    """Return how the client wants to speak; raise HandshakeError if that can't be."""
    if request[0] != MAGIC:
        raise HandshakeError(None)
    if request[2] or request[3]:
        raise HandshakeError(Refusal.RESERVED_BITS)
    serializer, exponent = request[1] & 0x0F, MIN_EXPONENT + (request[1] >> 4)
    if serializer not in _SERIALIZERS:
        raise HandshakeError(Refusal.SERIALIZER_UNSUPPORTED)
    if exponent < SMALLEST_TAKEN:
        raise HandshakeError(Refusal.LENGTH_UNACCEPTABLE)
    return wire(serializer, exponent)


def accept(request: bytes, limit: int) -> bytes:
    """Return the reply to a handshake that was read: the same serializer, and the most that this side takes."""
    return bytes((MAGIC, (exponent_of(limit) - MIN_EXPONENT) << 4 | request[1] & 0x0F, 0, 0))


def refuse(refusal: Refusal) -> bytes:
    """Return the reply that refuses a handshake."""
    return bytes((MAGIC, refusal << 4, 0, 0))


def exponent_of(limit: int) -> int:
    """Return the largest exponent that promises no more than `limit`, of those that the handshake can say."""
    return min(max(limit.bit_length() - 1, MIN_EXPONENT), MAX_EXPONENT)


class Reader:
    """Splits what arrives into frames, however TCP cuts it.

    :ivar limit: octets of payload above which a frame is a violation, known from its prefix alone.
    """

    __slots__ = ("_kept", "_needed", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept = bytearray()
        self._needed = PREFIX_OCTETS

    def read(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (type, payload) of each frame that is complete; raise ProtocolViolation for what isn't a frame."""
        if self._kept:
            self._kept += data
            if len(self._kept) < self._needed:
                return
            data = bytes(self._kept)
            self._kept.clear()
        start = 0
        self._needed = PREFIX_OCTETS
        while len(data) - start >= PREFIX_OCTETS:
            kind, size = self._prefix(data, start)
            end = start + PREFIX_OCTETS + size
            if end > len(data):
                self._needed = PREFIX_OCTETS + size
                break
            yield kind, data[start + PREFIX_OCTETS : end]
            start = end
        self._kept += data[start:]

    def _prefix(self, data: bytes, start: int) -> tuple[int, int]:
        first = data[start]
        kind = first & 0x07
        size = int.from_bytes(data[start + 1 : start + PREFIX_OCTETS], "big")
        if first & 0xF0 or kind > PONG or (first & 0x08 and size):
            raise ProtocolViolation("reserved bits in a frame's prefix")
        if first & 0x08:
            size = 1 << 24
        if size > self.limit:
            raise ProtocolViolation(f"a message of more than {self.limit} bytes")
        return kind, size

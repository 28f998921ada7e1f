"""WebSocket data frames (RFC 6455, section 5.2) as the router's fast paths need them: whole, unfragmented messages.

    FIN+opcode  MASK+length  length: 0, 2 or 8 bytes  mask: 4 bytes from a client, none from a server  payload

`pack` makes a finished frame once for all its receivers. `take_message` reads the frames that nearly every message
arrives as; what is unusual (fragments, control frames, an unmasked or half-received frame) it leaves to Autobahn.
"""

from collections.abc import Sequence
from typing import Any

from gatekeeper.wamp.codecs import CODECS, Codec
from gatekeeper.wamp.shared import Shared

_TEXT, _BINARY = 0x81, 0x82  # FIN set, opcode 1 or 2
_MASKED = 0x80


class Wire:
    """One codec on WebSocket: the key under which a message for many receivers is made once.

    :ivar codec: the serialization.
    :ivar first: the first byte of its frames.
    """

    __slots__ = ("codec", "first")

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.first = _BINARY if codec.binary else _TEXT

    def pack(self, message: list[Any]) -> bytes:
        """Return the message as one unmasked frame, ready for the socket; raise CodecError if it can't be encoded."""
        return frame(self.first, self.codec.encode(message))

    def pack_shared(self, head: list[Any], shared: Shared) -> bytes:
        """Return the message of this head and a payload for many; its bytes are put together once, here."""
        return self.enclose(shared.pieces(self.codec, head))

    def enclose(self, pieces: Sequence[bytes | memoryview]) -> bytes:
        """Return the frame of a message in pieces; raise CodecError if the client doesn't take it."""
        return b"".join((header(self.first, sum(map(len, pieces))), *pieces))


def frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked frame with this first byte."""
    return header(first, len(payload)) + payload


def header(first: int, size: int) -> bytes:
    """Return what stands before an unmasked payload of this size."""
    if size < 126:
        return bytes((first, size))
    if size < 0x10000:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")


def take_message(data: bytes, start: int, limit: int) -> tuple[bytes, bool, int] | None:
    """Read one complete masked data frame.

    :param start: where in `data` to look.
    :param limit: bytes of payload above which the frame is left alone.
    :returns: its unmasked payload, whether it is binary, and where the next frame begins; None if there is anything
        else at that place.
    """
    available = len(data) - start
    if available < 6 or data[start] not in (_TEXT, _BINARY) or data[start + 1] < _MASKED:
        return None
    size = data[start + 1] & 0x7F
    mask = start + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size = int.from_bytes(data[mask : mask + width], "big")
        mask += width
        if size < (126 if width == 2 else 0x10000):
            return None  # not the shortest form, an error that Autobahn words
    end = mask + 4 + size
    if size > limit or end > len(data):
        return None
    return unmask(data[mask : mask + 4], data[mask + 4 : end]), data[start] == _BINARY, end


def unmask(mask: bytes, payload: bytes) -> bytes:
    """Return the payload with the repeated mask XORed away, as one large integer: no loop over bytes in Python."""
    size = len(payload)
    key = mask * (size // 4) + mask[: size % 4]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


WIRES: dict[str, Wire] = {name: Wire(codec) for name, codec in CODECS.items()}
"""Every wire by its subprotocol, shared by all connections of the process."""

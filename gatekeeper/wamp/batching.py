"""Several WAMP messages in one WebSocket message (Advanced Profile, "Message Batching").

    wamp.2.json.batched      each message followed by the octet 0x1E
    wamp.2.msgpack.batched   each message preceded by its length as 32 bits, big-endian
    wamp.2.cbor.batched      the same

A client may batch; what the router sends are batches of one, since a message that leaves at once isn't worth a wait.
Autobahn|Python means 0x1E too but writes 0x18 (octal 30): the answer is in the client's own way, which is safe, as JSON
can hold neither. Sans-I/O.
"""

from collections.abc import Sequence
from typing import Any

from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.framing import WIRES, Wire, frame

# Of messages in a batch: serving them takes some ten milliseconds, in which nobody else is served.
MAX_BATCH = 1024

_SEPARATOR, _AUTOBAHNS = b"\x1e", b"\x18"
_LENGTH_OCTETS = 4


class BatchedWire(Wire):
    """One codec on batched WebSocket."""

    __slots__ = ()

    def spoken(self, _batch: bytes) -> "BatchedWire":
        """Return the wire on which this batch was made."""
        return self

    def split(self, batch: bytes) -> list[bytes]:
        """Return the messages of a batch; raise ProtocolViolation if it is none."""
        raise NotImplementedError


class SeparatedWire(BatchedWire):
    """JSON: a separator after each message."""

    __slots__ = ("_separator",)

    def __init__(self, codec: Codec, separator: bytes) -> None:
        super().__init__(codec)
        self._separator = separator

    def pack(self, message: list[Any]) -> bytes:
        """Return a batch of one."""
        return frame(self.first, self.codec.encode(message) + self._separator)

    def enclose(self, pieces: Sequence[bytes | memoryview]) -> bytes:
        """Return a batch of one."""
        return super().enclose((*pieces, self._separator))

    def spoken(self, batch: bytes) -> BatchedWire:
        """Return the wire of the separator that the batch ends with."""
        return _AUTOBAHNS_JSON if batch.endswith(_AUTOBAHNS) else self

    def split(self, batch: bytes) -> list[bytes]:
        """Return what precedes each separator."""
        *messages, rest = batch.split(self._separator, MAX_BATCH + 1)
        if rest or not 0 < len(messages) <= MAX_BATCH:
            raise ProtocolViolation("not a batch of messages that each end in 0x1E")
        return messages


class PrefixedWire(BatchedWire):
    """Binary formats: each message's length before it."""

    __slots__ = ()

    def pack(self, message: list[Any]) -> bytes:
        """Return a batch of one."""
        payload = self.codec.encode(message)
        return frame(self.first, len(payload).to_bytes(_LENGTH_OCTETS, "big") + payload)

    def enclose(self, pieces: Sequence[bytes | memoryview]) -> bytes:
        """Return a batch of one."""
        return super().enclose((sum(map(len, pieces)).to_bytes(_LENGTH_OCTETS, "big"), *pieces))

    def split(self, batch: bytes) -> list[bytes]:
        """Return the messages by their lengths."""
        messages: list[bytes] = []
        start = 0
        while start < len(batch) and len(messages) <= MAX_BATCH:
            begin = start + _LENGTH_OCTETS
            end = begin + int.from_bytes(batch[start:begin], "big")
            if end > len(batch) or begin > len(batch):
                raise ProtocolViolation("a batch that ends within a message")
            messages.append(batch[begin:end])
            start = end
        if not 0 < len(messages) <= MAX_BATCH:
            raise ProtocolViolation(f"a batch holds 1 to {MAX_BATCH} messages")
        return messages


def _batched(wire: Wire) -> BatchedWire:
    return PrefixedWire(wire.codec) if wire.codec.binary else SeparatedWire(wire.codec, _SEPARATOR)


SUBPROTOCOLS: dict[str, Wire] = {**WIRES, **{f"{name}.batched": _batched(wire) for name, wire in WIRES.items()}}
"""Every wire that WebSocket offers, by its subprotocol."""

_AUTOBAHNS_JSON = SeparatedWire(WIRES["wamp.2.json"].codec, _AUTOBAHNS)

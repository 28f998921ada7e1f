"""Batches: several WAMP messages in one WebSocket message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.batching import MAX_BATCH, SUBPROTOCOLS, BatchedWire
from gatekeeper.wamp.codecs import JSON, Codec
from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.router import Router
from tests.wamp.bench import Bench
from tests.wamp.helpers import EVERY_CODEC, ROLES, fuzz, open_router, payload_of
from tests.wamp.wire import handshake, masked

SECTION = "Message Batching"
every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)


def batch(codec: Codec, *messages: Message) -> bytes:
    """Return a batch, made apart from the code under test."""
    encoded = [codec.encode(message) for message in messages]
    if codec is JSON:
        return b"".join(one + b"\x1e" for one in encoded)
    return b"".join(len(one).to_bytes(4, "big") + one for one in encoded)


def batched(codec: Codec) -> BatchedWire:
    wire = SUBPROTOCOLS[f"{codec.subprotocol}.batched"]
    assert isinstance(wire, BatchedWire)
    return wire


class Batches(Bench):
    """A connection whose subprotocol is batched."""

    def __init__(self, codec: Codec, router: Router | None = None) -> None:
        super().__init__(codec, router)
        self.protocol.dataReceived(handshake(f"{codec.subprotocol}.batched"))
        assert self.status.startswith("HTTP/1.1 101")

    def send(self, payload: bytes) -> list[Message]:
        self.protocol.dataReceived(masked(payload, binary=self.codec.binary))
        assert self.protocol._session is not None
        wire = self.protocol._session.wire
        assert isinstance(wire, BatchedWire)
        return [self.codec.decode(part) for op, got in self.frames() if op in (1, 2) for part in wire.split(got)]


@pytest.mark.spec(
    SECTION, "negotiated by the subprotocols wamp.2.json.batched, wamp.2.msgpack.batched, wamp.2.cbor.batched"
)
@every_codec
def test_negotiated(codec: Codec) -> None:
    (welcome,) = Batches(codec).send(batch(codec, [1, "realm", ROLES]))
    assert welcome[0] == 2


@pytest.mark.spec(SECTION, "a sequence of WAMP messages is packed into one WebSocket message")
@every_codec
def test_several_messages_are_taken_in_order(codec: Codec) -> None:
    bench = Batches(codec)
    calls: list[Message] = [[48, number, {}, "no.such"] for number in range(1, 50)]
    welcome, *errors = bench.send(batch(codec, [1, "realm", ROLES], *calls))
    assert welcome[0] == 2
    assert [error[2] for error in errors] == list(range(1, 50))


@pytest.mark.spec(SECTION, "a single message is sent as a batch of length 1")
@every_codec
def test_a_batch_of_one(codec: Codec) -> None:
    wire = batched(codec)
    message = [36, 1, 2, {}, ["x"]]
    assert payload_of(wire.pack(message)) == batch(codec, message)
    assert wire.split(batch(codec, message)) == [codec.encode(message)]


@pytest.mark.spec(SECTION, "a batch of length 0 fails the transport")
@every_codec
def test_a_batch_of_none(codec: Codec) -> None:
    bench = Batches(codec)
    bench.send(batch(codec, [1, "realm", ROLES]))
    (abort,) = bench.send(b"")
    assert abort[::2] == [3, "wamp.error.protocol_violation"]
    assert bench.router.metrics().sessions_now == 0


@pytest.mark.parametrize("cut", range(1, 5))
@every_codec
def test_a_batch_that_ends_within_a_message(codec: Codec, cut: int) -> None:
    with pytest.raises(ProtocolViolation):
        batched(codec).split(batch(codec, [48, 1, {}, "a.b"], [48, 2, {}, "a.b"])[:-cut])


@every_codec
def test_what_follows_a_violation_in_its_batch_is_not_heard(codec: Codec) -> None:
    bench = Batches(codec)
    bench.send(batch(codec, [1, "realm", ROLES]))
    (abort,) = bench.send(batch(codec, [999], [48, 1, {}, "no.such"]))
    assert abort[0] == 3


@every_codec
def test_a_batch_has_a_largest_number_of_messages(codec: Codec) -> None:
    wire = batched(codec)
    assert len(wire.split(batch(codec, *[[1]] * MAX_BATCH))) == MAX_BATCH
    with pytest.raises(ProtocolViolation):
        wire.split(batch(codec, *[[1]] * (MAX_BATCH + 1)))


def test_autobahns_separator_is_answered_in_kind() -> None:
    bench = Batches(JSON)
    bench.protocol.dataReceived(masked(JSON.encode([1, "realm", ROLES]) + b"\x18", binary=False))
    ((opcode, welcome),) = bench.frames()
    assert (opcode, welcome[-1:]) == (1, b"\x18")


@every_codec
def test_batched_and_unbatched_sessions_share_topics(codec: Codec) -> None:
    router = open_router()
    plain, bench = Bench(codec, router).join(), Batches(codec, router)
    bench.send(batch(codec, [1, "realm", ROLES], [32, 1, {}, "a.topic"]))
    plain.say(16, 1, {}, "a.topic", [b"\x00\xff"])
    (event,) = bench.send(batch(codec, [34, 9, 9]))[:1]
    assert event[4] == [b"\x00\xff"]


@fuzz
@given(codec=st.sampled_from(EVERY_CODEC), data=st.binary(max_size=60))
def test_arbitrary_bytes_are_messages_or_a_violation(codec: Codec, data: bytes) -> None:
    try:
        messages = batched(codec).split(data)
    except ProtocolViolation:
        return
    assert 0 < len(messages) <= MAX_BATCH
    extra = 1 if codec is JSON else 4
    assert sum(map(len, messages)) + extra * len(messages) == len(data)


@fuzz
@given(codec=st.sampled_from(EVERY_CODEC), data=st.lists(st.binary(max_size=30), max_size=4))
def test_arbitrary_batches_do_no_harm(codec: Codec, data: list[bytes]) -> None:
    bench = Batches(codec)
    bench.send(batch(codec, [1, "realm", ROLES]))
    for payload in data:
        if bench.protocol.state == bench.protocol.STATE_OPEN:
            bench.protocol.dataReceived(masked(payload, binary=codec.binary))
    bench.lose()
    bench.assert_nothing_is_left()

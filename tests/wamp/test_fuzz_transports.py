"""Clients of RawSocket and of batched WebSocket that send anything, beside one that behaves: it must never notice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.errors import CodecError
from gatekeeper.wamp.router import Limits
from gatekeeper.wamp.session import State
from tests.wamp.helpers import Client, fuzz, open_router
from tests.wamp.rawsocket import RawBench, framed
from tests.wamp.test_batching import Batches, batch
from tests.wamp.test_fuzz import answer_invocations, messages
from tests.wamp.wire import masked

codecs = st.sampled_from([JSON, MSGPACK, CBOR])
what = messages | st.binary(max_size=20)


def encoded(codec: Codec, said: Any) -> bytes:
    """Return the message in this format, or what stands for one that the format lacks."""
    if isinstance(said, bytes):
        return said
    try:
        return codec.encode(said)
    except CodecError:
        return b""


@fuzz
@given(codec=codecs, frames=st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 2, 3, 8, 16]), what), max_size=15))
def test_frames_of_rawsocket(codec: Codec, frames: list[tuple[int, Any]]) -> None:
    router = open_router(limits=Limits(unsent_bytes=2000))
    bystander = Client(router).join()
    bystander.say(64, 1, {}, "by.stander")
    bench = RawBench(codec, router).join()
    for kind, said in frames:
        if not bench.transport.disconnecting:
            bench.hear(framed(encoded(codec, said), kind))
        answer_invocations(bystander)
    bench.lose()
    assert bystander.session.state is State.JOINED
    assert (router.metrics().sessions_now, router.metrics().connections_now) == (1, 1)
    assert bench.clock.getDelayedCalls() == []


@fuzz
@given(codec=codecs, batches=st.lists(st.lists(what, max_size=4), max_size=8))
def test_batches_of_websocket(codec: Codec, batches: list[list[Any]]) -> None:
    router = open_router(limits=Limits(unsent_bytes=2000))
    bystander = Client(router).join()
    bystander.say(64, 1, {}, "by.stander")
    bench = Batches(codec, router)
    bench.send(batch(codec, [1, "realm", {"roles": {"caller": {}}}]))
    for said in batches:
        parts = [encoded(codec, one) for one in said]
        made = b"".join(part + b"\x1e" if codec is JSON else len(part).to_bytes(4, "big") + part for part in parts)
        if bench.protocol.state == bench.protocol.STATE_OPEN:
            bench.protocol.dataReceived(masked(made, binary=codec.binary))
        answer_invocations(bystander)
    bench.lose()
    assert bystander.session.state is State.JOINED
    assert (router.metrics().sessions_now, router.metrics().connections_now) == (1, 1)
    assert bench.clock.getDelayedCalls() == []

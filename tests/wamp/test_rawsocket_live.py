"""RawSocket on real sockets (TCP, TLS, Unix): Autobahn's own client, and viewers that read slowly or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.rawsocket import WampRawSocketClientFactory
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import PublishOptions
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.transport import CLOSING_SECONDS, PING_SECONDS, rawsocket_factory, websocket_factory
from tests.wamp.helpers import open_router
from tests.wamp.rawsocket import RawSocketClient
from tests.wamp.test_live import FRAME, policy_for, self_signed, turn
from tests.wamp.wire import SERIALIZERS, Raw, Session

KINDS = ["tcp", "tls", "unix"]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_serializer = pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda made: made.__name__)


class House:
    """A router that listens for RawSocket and WebSocket, with the server's own session."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()  # stands still, so that only what a test does can end a session
        self.folder = folder
        self.router = open_router(policies=policy_for)
        self.local = LocalSession(self.router, Identity("server", TRUSTED, "internal"))
        self.raw = rawsocket_factory(self.router, clock=self.clock)
        self.web = websocket_factory(self.router, clock=self.clock)
        self.ports: list[Any] = []

    async def listen(self, kind: str, factory: Any = None) -> Any:
        """Return a client's endpoint of a new listening port."""
        factory = factory or self.raw
        if kind == "unix":
            path = str(self.folder / "router")
            self.ports.append(await UNIXServerEndpoint(reactor, path).listen(factory))
            return UNIXClientEndpoint(reactor, path)
        if kind == "tls":
            factory = TLSMemoryBIOFactory(self_signed(), False, factory)
        self.ports.append(await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory))
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", self.ports[-1].getHost().port)
        return wrapClientTLS(CertificateOptions(verify=False), client) if kind == "tls" else client

    async def close(self) -> None:
        for port in self.ports:
            await port.stopListening()
        for factory in (self.raw, self.web):
            closed = factory.close()
            for connection in tuple(factory.connections):
                connection.transport.abortConnection()
            await closed
        assert self.clock.getDelayedCalls() == []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    pytest_twisted.blockon(Deferred.fromCoroutine(house.close()))


async def joined(endpoint: Any, serializer: Any) -> Any:
    """Return Autobahn's session over RawSocket."""
    session = Session()
    await endpoint.connect(WampRawSocketClientFactory(lambda: session, serializer=serializer()))
    return await session.joined


async def viewer_of(endpoint: Any, topic: str) -> RawSocketClient:
    """Return a raw client that has subscribed."""
    viewer: RawSocketClient = await connectProtocol(endpoint, RawSocketClient())
    viewer.join()
    viewer.say(32, 1, {}, topic)
    await viewer.until(lambda: len(viewer.messages) == 2)
    return viewer


@pytest.mark.spec("RawSocket Transport", "runs over TCP, TLS and Unix sockets")
@every_kind
@every_serializer
async def test_autobahns_client(house: House, serializer: Any, kind: str) -> None:
    endpoint = await house.listen(kind)
    session, other = await joined(endpoint, serializer), await joined(endpoint, CBORSerializer)
    await session.register(lambda picture, end: picture + end, "picture.end")
    assert await other.call("picture.end", b"\xff", end=b"\xd9") == b"\xff\xd9"
    heard: Deferred[Any] = Deferred()
    await session.subscribe(lambda *args, **kwargs: heard.callback((args, kwargs)), "a.topic")
    await other.publish("a.topic", b"\x00\xff", door="front", options=PublishOptions(acknowledge=True))
    assert await heard == ((b"\x00\xff",), {"door": "front"})
    session.leave()
    assert (await session.left).reason == "wamp.close.goodbye_and_out"
    await session.disconnected


@every_kind
async def test_the_router_says_goodbye_when_it_closes(house: House, kind: str) -> None:
    session = await joined(await house.listen(kind), JsonSerializer)
    house.router.close()
    assert (await session.left).reason == "wamp.close.system_shutdown"
    await session.disconnected


@pytest.mark.parametrize("made", [JsonSerializer, MsgPackSerializer, CBORSerializer])
async def test_autobahns_client_on_batched_websocket(house: House, made: Any) -> None:
    endpoint = await house.listen("tcp", house.web)
    session = Session()
    port = house.ports[-1].getHost().port
    factory = WampWebSocketClientFactory(
        lambda: session, url=f"ws://127.0.0.1:{port}", serializers=[made(batched=True)]
    )
    await endpoint.connect(factory)
    await session.joined
    (connection,) = house.web.connections
    assert connection.websocket_protocol_in_use.endswith(".batched")  # type: ignore[attr-defined]
    house.local.register(lambda value: value, "echo")
    assert await session.call("echo", b"\x00\x1e\x18") == b"\x00\x1e\x18"
    session.leave()
    await session.disconnected


async def stream_until_dropping(house: House) -> int:
    """Publish frames until ten of them were replaced, and return how many there were."""
    published = 0
    while house.router.metrics().events_replaced < 10:
        published += 1
        house.local.publish("a.frame", published, bytes(FRAME))
        assert published < 5000, "memory takes 150 MB"
        await turn()
    return published


@every_kind
async def test_a_stalled_viewer_holds_little_and_the_others_get_all(house: House, kind: str) -> None:
    endpoint = await house.listen(kind)
    stalled, lively = await viewer_of(endpoint, "a.frame"), await viewer_of(endpoint, "a.frame")
    stalled.pause()
    published = 0
    while house.router.metrics().events_replaced < 10:
        published += 1
        house.local.publish("a.frame", published, bytes(FRAME))
        await lively.until(lambda: bool(lively.events) and lively.events[-1][4][0] == published)  # noqa: B023
        assert published < 5000, "memory takes 150 MB"
    assert [event[4][0] for event in lively.events] == list(range(1, published + 1))
    costs = sorted(metrics.unsent_bytes for metrics in house.router.session_metrics())
    assert costs[0] == 0
    # Over TLS what is in its buffer counts as 64 KiB and what came since; then the one frame that waits.
    assert costs[1] <= 64 * 1024 + 3 * FRAME
    stalled.resume()
    await stalled.until(lambda: bool(stalled.events) and stalled.events[-1][4][0] == published)
    assert len(stalled.events) < published
    assert house.router.metrics().over_budget == 0
    for viewer in (stalled, lively):
        viewer.abort()


@every_kind
async def test_a_viewer_that_reads_slowly_is_never_dropped(house: House, kind: str) -> None:
    viewer = await viewer_of(await house.listen(kind), "a.frame")
    viewer.pause()
    published = await stream_until_dropping(house)
    for _ in range(6):  # it never gets as far as a ping: each time it has read what waited, more has come
        seen = len(viewer.events)
        viewer.resume()
        await viewer.until(lambda: len(viewer.events) > seen + 3)  # noqa: B023
        viewer.pause()
        for _ in range(400):
            published += 1
            house.local.publish("a.frame", published, bytes(FRAME))
            await turn()
        house.clock.advance(PING_SECONDS)
    assert house.router.metrics().sessions_now == 2
    viewer.resume()
    await viewer.until(lambda: viewer.events[-1][4][0] == published)
    assert house.router.metrics().over_budget == 0
    viewer.abort()


@every_kind
async def test_a_viewer_that_reads_nothing_at_all_is_dropped_as_silent(house: House, kind: str) -> None:
    viewer = await viewer_of(await house.listen(kind), "a.frame")
    viewer.pause()
    await stream_until_dropping(house)
    for _ in range(3):
        house.clock.advance(PING_SECONDS)
    viewer.resume()  # it learns of it when it reads again
    await viewer.lost
    assert house.router.metrics().connections_now == 0


async def test_over_tls_a_connection_closes_without_waiting_for_time(house: House) -> None:
    endpoint = await house.listen("tls", house.web)
    client = await connectProtocol(endpoint, Raw(CBOR))
    client.join()
    await client.until(lambda: len(client.messages) == 1)
    client.say(6, {}, "wamp.close.normal")
    await client.until(lambda: len(client.messages) == 2)
    client.transport.write(bytes.fromhex("888000000000"))
    await client.lost
    # Nothing but the clock could have forced it, and that stood still.
    assert house.clock.seconds() < CLOSING_SECONDS

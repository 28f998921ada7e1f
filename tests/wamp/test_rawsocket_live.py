"""RawSocket on real sockets (TCP, TLS, Unix): Autobahn's own client, on each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.rawsocket import WampRawSocketClientFactory
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import PublishOptions
from twisted.internet.defer import Deferred

from tests.wamp.house import House
from tests.wamp.wire import SERIALIZERS, Session

KINDS = ["tcp", "tls", "unix"]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_serializer = pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda made: made.__name__)


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

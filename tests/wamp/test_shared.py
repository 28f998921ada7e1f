"""One payload for many: encoded once per codec, and on every wire the same bytes as a message of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import CBORSerializer
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.batching import SUBPROTOCOLS
from gatekeeper.wamp.codecs import CBOR, CODECS, JSON, MSGPACK
from gatekeeper.wamp.connection import PROBE
from gatekeeper.wamp.errors import CodecError
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.limits import Limits
from gatekeeper.wamp.local import TRUSTED, CallDetails, LocalSession
from gatekeeper.wamp.options import CallOptions
from gatekeeper.wamp.rawframing import PONG, frame, wire
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.shared import Shared
from tests.wamp.helpers import Client, Everybody
from tests.wamp.house import House
from tests.wamp.rawsocket import RawSocketClient
from tests.wamp.wire import Session

HEAD = [50, 4711, {"progress": True}]
WIRES = [*SUBPROTOCOLS.values(), wire(1, 24), wire(2, 24), wire(3, 24)]


@pytest.mark.parametrize("way", WIRES, ids=lambda way: f"{type(way).__name__} {way.codec.subprotocol}")
@pytest.mark.parametrize("size", [0, 90, 300, 70_000])
def test_it_is_packed_as_a_message_of_its_own_would_be(way: Wire, size: int) -> None:
    picture = bytes(index % 251 for index in range(size))
    shared = Shared(picture, camera="yard", received=1.5)
    for head in (HEAD, [50, 2**53, {}]):
        assert way.pack_shared(head, shared) == way.pack([*head, [picture], {"camera": "yard", "received": 1.5}])


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.subprotocol)
def test_its_bytes_are_encoded_once_for_all(codec: Any) -> None:
    shared = Shared(b"x" * 1000)
    first, again = (shared.pieces(codec, [50, request, {}])[-1 if codec is not JSON else -2] for request in (1, 2))
    assert first is again
    assert len(first) > 1000


def test_what_a_codec_cant_express_or_a_client_doesnt_take_is_refused_as_ever() -> None:
    with pytest.raises(CodecError):
        Shared(float("nan")).pieces(JSON, HEAD)
    with pytest.raises(CodecError):
        Shared(2**70).pieces(MSGPACK, HEAD)
    with pytest.raises(CodecError, match="takes 2048"):
        wire(3, 11).pack_shared(HEAD, Shared(b"x" * 2048))
    assert wire(3, 11).pack_shared(HEAD, Shared(b"x" * 2000))
    assert CBOR.decode(b"".join(Shared(1).pieces(CBOR, HEAD))) == [*HEAD, [1], {}]


class Site:
    """A router with a procedure that gives parts for many."""

    def __init__(self) -> None:
        self.router = Router("realm", Everybody(), limits=Limits(unsent_bytes=1000))
        self.server = LocalSession(self.router, Identity("server", TRUSTED, "local"))
        self.part: Any = None
        self.server.register(self.watch, "a.watch", details=True)

    def watch(self, *, details: CallDetails) -> Any:
        self.part = details.progress
        return Deferred()

    def client(self) -> Client:
        client = Client(self.router).join()
        client.say(48, 1, {"receive_progress": True}, "a.watch")
        return client


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_part_reaches_remote_and_local_callers_alike(site: Site) -> None:
    client = site.client()
    site.part(Shared(b"jpeg", camera="yard"))
    assert client.take() == [[50, 1, {"progress": True}, [b"jpeg"], {"camera": "yard"}]]
    got: list[Any] = []
    caller = LocalSession(site.router, Identity("x", TRUSTED, "local"))
    caller.call("a.watch", options=CallOptions(on_progress=lambda *args, **kwargs: got.append((args, kwargs))))
    site.part(Shared(b"jpeg", camera="yard"))
    assert got == [((b"jpeg",), {"camera": "yard"})]


def test_a_picture_larger_than_what_may_be_unsent_ends_nobody_and_leaves_events_their_room(site: Site) -> None:
    client = site.client()
    client.stall()
    site.part(Shared("x" * 5000))
    site.part("x" * 500)
    assert not client.link.is_closed
    site.part("x" * 500)
    assert client.link.is_closed


def test_who_waits_for_room_is_called_once_when_nothing_is_unsent(site: Site) -> None:
    client, called = site.client(), []
    client.stall()
    site.part(Shared("x" * 500))
    session = client.session.id
    site.router.when_drained(session, lambda: called.append(1))
    assert called == []
    client.drain()
    client.drain()
    assert called == [1]


def test_who_leaves_is_waited_for_no_more(site: Site) -> None:
    client, called = site.client(), []
    client.stall()
    site.part(Shared("x" * 500))
    site.router.when_drained(client.session.id, lambda: called.append(1))
    client.session.lost()
    client.drain()
    site.router.when_drained(4711, lambda: called.append(1))
    assert called == []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    pytest_twisted.blockon(Deferred.fromCoroutine(house.close()))


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_autobahns_client_answers_a_probe_by_itself(house: House, kind: str) -> None:
    endpoint = await house.listen(kind, house.web)
    session = Session()
    factory = WampWebSocketClientFactory(lambda: session, url="ws://127.0.0.1:1", serializers=[CBORSerializer()])
    await endpoint.connect(factory)
    await session.joined
    [member] = [member for member in house.router.members() if member is not house.local]
    for _ in range(2):
        answered: Deferred[None] = Deferred()
        house.router.probe(member.id, lambda answered=answered: answered.callback(None))  # type: ignore[misc]
        await answered
    session.leave()
    await session.disconnected


async def test_a_rawsocket_client_is_probed_too_and_another_pong_is_no_answer(house: House) -> None:
    client: Any = await connectProtocol(await house.listen("tcp"), RawSocketClient(CBOR))
    client.join()
    await client.until(lambda: len(client.messages) == 1)
    [member] = [member for member in house.router.members() if member is not house.local]
    answered: list[int] = []
    for number in (1, 2):
        house.router.probe(member.id, lambda number=number: answered.append(number))  # type: ignore[misc]
    client.transport.write(frame(PONG, b"") + frame(PONG, PROBE) + frame(PONG, PROBE))
    client.say(32, 1, {}, "a.topic")
    await client.until(lambda: len(client.messages) == 2)
    assert answered == [1, 2]

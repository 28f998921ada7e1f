"""The router on a live reactor and real sockets: Autobahn's own client, a web site, TLS, and a viewer that stalls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.resource import WebSocketResource
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import PublishOptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor, tcp
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.resource import Resource
from twisted.web.server import Site

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.codecs import CBOR, JSON
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.local import TRUSTED, CallDetails, LocalSession
from gatekeeper.wamp.router import Limits, Router
from gatekeeper.wamp.session import Session
from gatekeeper.wamp.transport import CLOSING_SECONDS, WampFactory, websocket_factory
from tests.wamp.helpers import TicketOffice, open_router
from tests.wamp.wire import SERIALIZERS, Raw, dial, start

every_serializer = pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda made: made.__name__)
FRAME = 30_000  # bytes, as of a VGA camera


def policy_for(topic: str) -> Policy:
    return "newest" if topic.endswith("frame") else "all"


class House:
    """A router that listens on loopback, with the server's own session."""

    def __init__(self, **arguments: Any) -> None:
        self.clock = Clock()  # stands still, so that only what a test does can end a session
        self.router: Router = open_router(policies=policy_for, **arguments)
        self.local = LocalSession(self.router, Identity("server", TRUSTED, "internal"))
        self.factory: WampFactory = websocket_factory(self.router, clock=self.clock)
        self.ports: list[Any] = []

    async def listen(self, factory: Any = None) -> int:
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.ports.append(await endpoint.listen(factory or self.factory))
        return int(self.ports[-1].getHost().port)

    async def close(self) -> None:
        for port in self.ports:
            await port.stopListening()
        closed = self.factory.close()
        for connection in tuple(self.factory.connections):
            connection.transport.abortConnection()
        await closed
        assert self.clock.getDelayedCalls() == []

    def stalled(self) -> Session:
        """Return the session of the connection that has something unsent."""
        (session,) = (it._session for it in self.factory.connections if it.unsent_bytes())
        assert session is not None
        return session


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    pytest_twisted.blockon(Deferred.fromCoroutine(house.close()))


@every_serializer
async def test_autobahns_client_calls_and_is_called(house: House, serializer: Any) -> None:
    calls: list[CallDetails] = []

    def add(a: int, b: int, details: CallDetails) -> int:
        calls.append(details)
        return a + b

    house.local.register(add, "math.add", details=True)
    session = await start(await house.listen(), serializer).joined
    assert await session.call("math.add", 2, b=3) == 5
    assert (calls[0].session, calls[0].address) == (session._session_id, "127.0.0.1")
    await session.register(lambda picture: picture + b"\xd9", "picture.end")
    assert await house.local.call("picture.end", b"\xff") == b"\xff\xd9"
    with pytest.raises(ApplicationError, match="no_such_procedure"):
        await session.call("no.such")
    with pytest.raises(ApplicationError, match="invalid_argument"):
        await session.call("math.add", 1)
    session.leave()
    assert (await session.left).reason == "wamp.close.goodbye_and_out"
    await session.disconnected


@every_serializer
async def test_autobahns_client_publishes_and_subscribes(house: House, serializer: Any) -> None:
    port = await house.listen()
    one, two = await start(port, serializer).joined, await start(port).joined
    heard: Deferred[Any] = Deferred()
    subscription = await one.subscribe(lambda *args, **kwargs: heard.callback((args, kwargs)), "a.topic")
    receipt = await two.publish("a.topic", b"\x00\xff", door="front", options=PublishOptions(acknowledge=True))
    assert receipt.id > 0
    assert await heard == ((b"\x00\xff",), {"door": "front"})
    await subscription.unsubscribe()
    assert house.router.broker.count("a.topic") == 0


async def test_a_wrong_ticket_is_refused_and_the_right_one_is_not() -> None:
    house = House(authenticator=TicketOffice())
    port = await house.listen()
    wrong = start(port, ticket="guess")
    assert (await wrong.left).reason == "wamp.error.authentication_failed"
    await wrong.disconnected
    right = await start(port, ticket="secret").joined
    assert right._authid == "joe"
    await house.close()


async def test_the_router_says_goodbye_when_it_closes(house: House) -> None:
    session = await start(await house.listen()).joined
    house.router.close()
    assert (await session.left).reason == "wamp.close.system_shutdown"
    await session.disconnected


async def test_inside_a_web_site(house: House) -> None:
    root = Resource()
    root.putChild(b"ws", WebSocketResource(house.factory))
    port = await house.listen(Site(root))
    viewer = await dial(port, Raw(CBOR, path="/ws"))
    viewer.join()
    viewer.say(32, 1, {}, "a.frame")
    await viewer.until(lambda: len(viewer.messages) == 2)
    await stall_and_catch_up(house, viewer, await start(port, path="/ws").joined)
    viewer.abort()


async def test_a_stalled_viewer_holds_one_frame_and_the_others_get_all(house: House) -> None:
    port = await house.listen()
    viewer = await dial(port, Raw(CBOR))
    viewer.join()
    viewer.say(32, 1, {}, "a.frame")
    await viewer.until(lambda: len(viewer.messages) == 2)
    await stall_and_catch_up(house, viewer, await start(port).joined)
    viewer.abort()


async def stall_and_catch_up(house: House, viewer: Raw, lively: Any) -> None:
    """Let one viewer stop reading, stream on until frames are dropped for it, and let it read again."""
    heard: list[int] = []
    waiting: list[Deferred[None]] = []

    def seen(number: int, _picture: bytes) -> None:
        heard.append(number)
        waiting.pop().callback(None)

    await lively.subscribe(seen, "a.frame")
    picture = bytes(FRAME)
    viewer.pause()
    published = 0
    while house.router.metrics().events_replaced < 10:
        shown: Deferred[None] = Deferred()
        waiting.append(shown)
        house.local.publish("a.frame", published, picture)
        published += 1
        await shown.addTimeout(20, reactor)
        assert published < 2000, "the kernel took 60 MB"
        for connection in house.factory.connections:
            assert connection._is_direct
            assert connection.unsent_bytes() <= FRAME + 100
    assert heard == list(range(published))
    assert house.stalled()._outbox.waiting_bytes <= FRAME + 100
    viewer.resume()
    await viewer.until(lambda: bool(viewer.events) and viewer.events[-1][4][0] == published - 1)
    numbers = [event[4][0] for event in viewer.events]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < published
    assert house.router.metrics().over_budget == 0


async def test_a_session_that_reads_no_facts_is_ended_and_the_others_go_on() -> None:
    house = House(limits=Limits(unsent_bytes=100_000))
    port = await house.listen()
    stalled = await dial(port, Raw(JSON))
    stalled.join()
    stalled.say(32, 1, {}, "a.fact")
    await stalled.until(lambda: len(stalled.messages) == 2)
    stalled.pause()
    lively = await start(port).joined
    count = 0
    while not house.router.metrics().over_budget:
        house.local.publish("a.fact", count, "x" * 10_000)
        count += 1
        assert count < 5000, "the kernel took 50 MB"
    house.local.register(lambda: "well", "status")
    assert await lively.call("status") == "well"
    # Given up, but told why if it reads in time.
    stalled.resume()
    await stalled.until(lambda: stalled.opcodes[-1] == 8)
    assert stalled.messages[-1][::2] == [6, "wamp.close.killed"]
    assert [event[4][0] for event in stalled.events] == list(range(count))
    house.clock.advance(CLOSING_SECONDS)
    await stalled.lost
    await house.close()


async def test_over_tls_the_transports_own_buffer_is_used_and_bounded(house: House) -> None:
    port = await house.listen(TLSMemoryBIOFactory(self_signed(), False, house.factory))
    viewer = Raw(CBOR)
    endpoint = wrapClientTLS(CertificateOptions(verify=False), TCP4ClientEndpoint(reactor, "127.0.0.1", port))
    await connectProtocol(endpoint, viewer)
    viewer.join()
    viewer.say(32, 1, {}, "a.frame")
    await viewer.until(lambda: len(viewer.messages) == 2)
    (connection,) = house.factory.connections
    assert connection._session is not None
    assert connection._session.peer.secure
    assert type(connection.transport) is not tcp.Server
    house.local.publish("a.frame", 1, bytes(FRAME))
    await viewer.until(lambda: len(viewer.events) == 1)
    viewer.pause()
    published = 1
    while house.router.metrics().events_replaced < 10:
        published += 1
        house.local.publish("a.frame", published, bytes(FRAME))
        assert published < 5000, "memory takes 150 MB"
        await turn()
    viewer.resume()
    await viewer.until(lambda: viewer.events[-1][4][0] == published)
    assert len(viewer.events) < published
    viewer.abort()


async def test_a_connection_that_breaks_leaves_nothing(house: House) -> None:
    port = await house.listen()
    client = await dial(port, Raw())
    client.join()
    client.say(64, 1, {}, "a.procedure")
    await client.until(lambda: len(client.messages) == 2)
    call = house.local.call("a.procedure")
    client.abort()
    with pytest.raises(Exception, match=r"wamp\.error\.canceled"):
        await call
    await turn()
    assert house.router.metrics().connections_now == 0


def turn() -> Deferred[None]:
    """Fire in the reactor's next turn."""
    fired: Deferred[None] = Deferred()
    reactor.callLater(0, fired.callback, None)
    return fired


def self_signed() -> CertificateOptions:
    """Return the options of a server with a certificate of this test's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    ).sign(key, hashes.SHA256())
    # pyOpenSSL takes these; Twisted's annotations still name pyOpenSSL's own, deprecated classes.
    return CertificateOptions(key, certificate)  # type: ignore[arg-type]

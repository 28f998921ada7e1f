"""A WebSocket connection on a transport and a clock of the test's own."""

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import JSON, Codec
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.transport import (
    WampFactory,
    websocket_factory,
)
from tests.wamp.helpers import ROLES, open_router
from tests.wamp.wire import handshake, masked, take_frames


class Socketless(StringTransport):
    """A transport without a socket of its own, as TLS is: its producer hears when it is full."""

    producer: Any

    def unregisterProducer(self) -> None:
        self.producer = None

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written: bytes = self.value()
        self.clear()
        return written


class Bench:
    """A connection that hasn't said anything yet."""

    def __init__(self, codec: Codec = JSON, router: Router | None = None, **arguments: Any) -> None:
        self.codec = codec
        self.clock = Clock()
        self.router = router or open_router()
        self.factory: WampFactory = websocket_factory(self.router, clock=self.clock, **arguments)
        built = self.factory.buildProtocol(None)
        assert built is not None
        self.protocol = built
        self.transport = Socketless()
        self.protocol.makeConnection(self.transport)

    def shake(self, headers: str = "") -> str:
        """Do the opening handshake and return the status line."""
        self.protocol.dataReceived(handshake(self.codec, headers))
        return self.status

    def say(self, *message: Any) -> list[Message]:
        self.protocol.dataReceived(masked(self.codec.encode(list(message)), binary=self.codec.binary))
        return self.take()

    def take(self) -> list[Message]:
        return [self.codec.decode(payload) for opcode, payload in self.frames() if opcode in (1, 2)]

    def frames(self) -> list[tuple[int, bytes]]:
        frames, rest = take_frames(self.transport.take())
        assert rest == b""
        return frames

    def join(self) -> "Bench":
        self.shake()
        self.say_hello()
        return self

    def say_hello(self) -> None:
        """Say HELLO on a connection that is open."""
        (welcome,) = self.say(1, "realm", ROLES)
        assert welcome[0] == 2

    def lose(self, error: Exception | None = None) -> None:
        self.protocol.connectionLost(Failure(error or ConnectionDone()))

    @property
    def is_aborted(self) -> bool:
        return bool(self.transport.disconnected)

    @property
    def status(self) -> str:
        """The status line of what was written since the last time."""
        return self.transport.take().partition(b"\r\n")[0].decode()

    def assert_nothing_is_left(self) -> None:
        assert self.clock.getDelayedCalls() == []
        assert self.factory.connections == set()
        assert self.router.metrics().connections_now == 0

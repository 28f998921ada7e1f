"""Raw clients of RawSocket: on a transport and clock of the test's own, and on real sockets."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.rawsocket import RawSocketFactory, rawsocket_factory
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import ROLES, open_router

SERIALIZER = {JSON: 1, MSGPACK: 2, CBOR: 3}


def request(codec: Codec, exponent: int = 24) -> bytes:
    """Return a client's handshake."""
    return bytes((0x7F, (exponent - 9) << 4 | SERIALIZER[codec], 0, 0))


def framed(payload: bytes, kind: int = 0) -> bytes:
    """Return a frame, made apart from the code under test."""
    return bytes([kind]) + len(payload).to_bytes(3, "big") + payload


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return (type, payload) of each whole frame, and the rest."""
    frames: list[tuple[int, bytes]] = []
    while len(data) >= 4 and len(data) >= (end := 4 + int.from_bytes(data[1:4], "big")):
        frames.append((data[0], data[4:end]))
        data = data[end:]
    return frames, data


class Socketless(StringTransport):
    """A transport without a socket of its own, as TLS is."""

    producer: Any

    def unregisterProducer(self) -> None:
        self.producer = None


class RawBench:
    """A RawSocket connection that hasn't said anything yet."""

    def __init__(self, codec: Codec = CBOR, router: Router | None = None) -> None:
        self.codec = codec
        self.clock = Clock()
        self.router = router or open_router()
        self.factory: RawSocketFactory = rawsocket_factory(self.router, clock=self.clock)
        built = self.factory.buildProtocol(None)
        assert built is not None
        self.protocol = built
        self.transport = Socketless()
        self.protocol.makeConnection(self.transport)

    def hear(self, data: bytes) -> bytes:
        """Let bytes arrive and return what is answered."""
        if data:
            self.protocol.dataReceived(data)
        answer: bytes = self.transport.value()
        self.transport.clear()
        return answer

    def shake(self, exponent: int = 24) -> bytes:
        return self.hear(request(self.codec, exponent))

    def frames(self, data: bytes) -> list[tuple[int, bytes]]:
        """Let bytes arrive and return the frames of the answer."""
        frames, rest = split(self.hear(data))
        assert rest == b""
        return frames

    def say(self, *message: Any) -> list[Message]:
        return self.decoded(self.frames(framed(self.codec.encode(list(message)))))

    def take(self) -> list[Message]:
        return self.decoded(self.frames(b""))

    def decoded(self, frames: list[tuple[int, bytes]]) -> list[Message]:
        return [self.codec.decode(payload) for kind, payload in frames if kind == 0]

    def join(self, exponent: int = 24) -> "RawBench":
        assert self.shake(exponent)[0] == 0x7F
        (welcome,) = self.say(1, "realm", ROLES)
        assert welcome[0] == 2, welcome
        return self

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(connectionDone.value))

    def assert_nothing_is_left(self) -> None:
        assert self.clock.getDelayedCalls() == []
        assert self.factory.connections == set()
        assert self.router.metrics().connections_now == 0


class RawSocketClient(Protocol):
    """A client on a real socket that reads only when told; the same surface as `tests.wamp.wire.Raw`."""

    transport: Any

    def __init__(self, codec: Codec = CBOR, exponent: int = 24) -> None:
        self.codec = codec
        self.exponent = exponent
        self.messages: list[Message] = []
        self.reply = b""
        self.lost: Deferred[None] = Deferred()
        self._data = b""
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def connectionMade(self) -> None:
        self.transport.write(request(self.codec, self.exponent))

    def say(self, *message: Any) -> None:
        self.transport.write(framed(self.codec.encode(list(message))))

    def join(self) -> None:
        self.say(1, "realm", ROLES)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if not self.reply:
            if len(self._data) < 4:
                return
            self.reply, self._data = self._data[:4], self._data[4:]
        frames, self._data = split(self._data)
        self.messages += [self.codec.decode(payload) for kind, payload in frames if kind == 0]
        for wait in tuple(self._waits):
            if wait[0]():
                self._waits.remove(wait)
                wait[1].callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fire once the condition is true of what was read."""
        fired: Deferred[None] = Deferred()
        if condition():
            fired.callback(None)
        else:
            self._waits.append((condition, fired))
        return fired.addTimeout(20, reactor)  # a busy machine is no failure

    @property
    def events(self) -> list[Message]:
        return [message for message in self.messages if message[0] == 36]

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()

    def abort(self) -> None:
        self.transport.abortConnection()

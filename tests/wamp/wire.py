"""Clients of the live router: Autobahn's own session, and a raw one that does as it is told."""

from collections.abc import Callable
from typing import Any

from autobahn.twisted.wamp import ApplicationSession
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import ComponentConfig
from autobahn.websocket.protocol import PreparedMessage
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import CODECS, Codec
from gatekeeper.wamp.messages import Message
from tests.wamp.helpers import ROLES

SERIALIZERS = [JsonSerializer, MsgPackSerializer, CBORSerializer]


class Session(ApplicationSession):  # type: ignore[misc]  # Autobahn is untyped
    """Autobahn's session; its Deferreds fire with the session, and with the CloseDetails."""

    ticket: str | None = None

    def __init__(self, ticket: str | None = None) -> None:
        super().__init__(ComponentConfig("realm"))
        self.ticket = ticket
        self.joined: Deferred[Session] = Deferred()
        self.left: Deferred[Any] = Deferred()
        self.disconnected: Deferred[None] = Deferred()

    def onConnect(self) -> None:
        if self.ticket is None:
            self.join("realm")
        else:
            self.join("realm", ["ticket"], "joe")

    def onChallenge(self, challenge: Any) -> str | None:
        return self.ticket

    def onJoin(self, details: Any) -> None:
        self.joined.callback(self)

    def onLeave(self, details: Any) -> None:
        self.left.callback(details)
        self.disconnect()

    def onDisconnect(self) -> None:
        self.disconnected.callback(None)


def start(port: int, serializer: Any = JsonSerializer, ticket: str | None = None, path: str = "") -> Session:
    """Dial a router on this machine and return the session, which isn't joined yet."""
    session = Session(ticket)
    factory = WampWebSocketClientFactory(
        lambda: session, url=f"ws://127.0.0.1:{port}{path}", serializers=[serializer()]
    )
    TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(factory)
    return session


def handshake(codec: Codec | str, headers: str = "", path: str = "/") -> bytes:
    """Return a WebSocket client's opening request."""
    subprotocol = codec if isinstance(codec, str) else codec.subprotocol
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\n{headers}\r\n"
    ).encode()


def masked(payload: bytes, *, binary: bool) -> bytes:
    """Return a client's frame."""
    framed: bytes = PreparedMessage(payload, binary, True, True).payloadHybi
    return framed


def take_frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Split a server's bytes into (opcode, payload) of each whole frame, and the rest."""
    frames: list[tuple[int, bytes]] = []
    while len(data) >= 2:
        width = {126: 2, 127: 8}.get(data[1], 0)
        size = int.from_bytes(data[2 : 2 + width], "big") if width else data[1]
        end = 2 + width + size
        if len(data) < end or len(data) < 2 + width:
            break
        frames.append((data[0] & 0x0F, data[2 + width : end]))
        data = data[end:]
    return frames, data


class Raw(Protocol):
    """A client that reads only when told, and keeps what it read.

    :ivar messages: the WAMP messages so far.
    :ivar heard: called after each read.
    """

    def __init__(self, codec: Codec = CODECS["wamp.2.cbor"], path: str = "/") -> None:
        self.codec = codec
        self.path = path
        self.messages: list[Message] = []
        self.opcodes: list[int] = []
        self.response = b""
        self.lost: Deferred[None] = Deferred()
        self._data = b""
        self._queued: list[bytes] = []  # a client may say nothing before the opening handshake is answered
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(handshake(self.codec, path=self.path))

    def say(self, *message: Any) -> None:
        """Send a message."""
        assert self.transport is not None
        frame = masked(self.codec.encode(list(message)), binary=self.codec.binary)
        if self.response:
            self.transport.write(frame)
        else:
            self._queued.append(frame)

    def join(self) -> None:
        """Send HELLO."""
        self.say(1, "realm", ROLES)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if not self.response:
            self.response, end, self._data = self._data.partition(b"\r\n\r\n")
            if not end:
                self._data, self.response = self.response, b""
                return
            assert self.transport is not None
            self.transport.writeSequence(self._queued)
        frames, self._data = take_frames(self._data)
        for opcode, payload in frames:
            self.opcodes.append(opcode)
            if opcode in (1, 2):
                self.messages.append(self.codec.decode(payload))
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
        """The EVENTs so far."""
        return [message for message in self.messages if message[0] == 36]

    def pause(self) -> None:
        """Read nothing more."""
        assert self.transport is not None
        self.transport.pauseProducing()  # type: ignore[attr-defined]

    def resume(self) -> None:
        """Read again."""
        assert self.transport is not None
        self.transport.resumeProducing()  # type: ignore[attr-defined]

    def abort(self) -> None:
        """Drop the connection."""
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]


def dial(port: int, client: Raw) -> Deferred[Raw]:
    """Connect a raw client."""
    connected: Deferred[Raw] = connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), client)
    return connected

"""WAMP over RawSocket on TCP, TLS and Unix sockets: the protocol around `rawframing`, joined to a session.

A connection is one handshake of four octets each way, then frames. There is no closing handshake: what was written
leaves, and the connection ends. A Unix socket's clients count as one peer address, "unix".
"""

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from gatekeeper.wamp.connection import (
    CLOSING_SECONDS,
    PONG_ROOM,
    PROBE,
    Connection,
    ConnectionFactory,
    log,
    running_clock,
)
from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.rawframing import (
    HANDSHAKE_OCTETS,
    MAGIC,
    MESSAGE,
    PING,
    PONG,
    HandshakeError,
    RawWire,
    Reader,
    Refusal,
    accept,
    exponent_of,
    frame,
    read_handshake,
    refuse,
)
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.session import Session


class RawSocketProtocol(Connection, Protocol):
    """One RawSocket connection."""

    factory: "RawSocketFactory"

    def connectionMade(self) -> None:
        self.begin()
        self._request = b""
        self._is_closing = False
        self._reader = Reader(self.factory.taken(self.factory.router.limits.handshake_bytes))
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._is_closing = True
        self.finish()

    # --- Receiving ---

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        if self._session is None and not self._is_closing:
            data = self._shake(data)
        if self._session is not None and not self._is_closing:
            self._take_frames(self._session, data)

    def _take_frames(self, session: Session, data: bytes) -> None:
        try:
            for kind, payload in self._reader.read(data):
                self._take(session, kind, payload)
                if self._is_closing:
                    return
        except ProtocolViolation as violation:
            session.violated(str(violation))

    def _take(self, session: Session, kind: int, payload: bytes) -> None:
        if kind == MESSAGE:
            session.received(payload, session.wire.codec.binary)
        elif kind == PING:
            self._pong(payload)
        else:
            self.answered(payload)

    def _pong(self, payload: bytes) -> None:
        if len(payload) > self._wire.limit:
            raise ProtocolViolation("a PING whose PONG is larger than the client takes")
        if self.unsent_bytes() < PONG_ROOM:
            self.write(frame(PONG, payload))

    # --- Opening ---

    def _shake(self, data: bytes) -> bytes:
        """Take the handshake, in whatever pieces it comes, and return what follows it."""
        missing = HANDSHAKE_OCTETS - len(self._request)
        self._request += data[:missing]
        if self._request[0] != MAGIC:  # an HTTP client, say: it needn't send four octets to be told
            self._drop()
        elif len(self._request) == HANDSHAKE_OCTETS:
            self._open()
            return data[missing:]
        return b""

    def _open(self) -> None:
        try:
            self._wire: RawWire = read_handshake(self._request)
        except HandshakeError as error:
            self._turn_away(error.refusal)
            return
        router = self.factory.router
        session = self.attach(self._wire, {})
        if router.is_crowded(session):
            session.lost()
            self._turn_away(Refusal.TOO_MANY_CONNECTIONS)
            return
        self.write(accept(self._request, router.limits.message_bytes))

    def _turn_away(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self.transport.write(refuse(refusal))
        self.factory.router.tally.refused += 1
        self._drop()

    # --- What `Connection` asks for ---

    def takes_messages(self) -> bool:
        return not self._is_closing

    def ping(self) -> None:
        self.write(frame(PING, b""))

    def probe(self) -> None:
        self.write(frame(PING, PROBE))

    def limit_messages(self, size: int) -> None:
        self._reader.limit = self.factory.taken(size)

    def close(self, reason: str) -> None:
        if not self._is_closing:
            log.info("closing the connection of {address}: {reason}", address=self._host, reason=reason)
            self._drop()

    def _drop(self) -> None:
        """Close the connection once its buffer is empty, but not later than the closing time."""
        self._is_closing = True
        if self._session is not None:
            self._session.lost()
        self.stop_producing()
        self.transport.loseConnection()
        self.arm(CLOSING_SECONDS, self.abort_connection)


class RawSocketFactory(ConnectionFactory, Factory):
    """Builds the protocol of each connection; works on any listening port of streams."""

    noisy = False

    def __init__(self, router: Router, clock: IReactorTime) -> None:
        self.serve(router, clock)
        self._announced = 1 << exponent_of(router.limits.message_bytes)

    def buildProtocol(self, addr: IAddress | None) -> RawSocketProtocol | None:  # type: ignore[override]  # narrower
        if self.is_closed:
            return None
        built = RawSocketProtocol()
        built.factory = self
        return built

    def taken(self, size: int) -> int:
        """Return the size, or what the handshake announces if that is less."""
        return min(size, self._announced)


def rawsocket_factory(router: Router, *, clock: IReactorTime | None = None) -> RawSocketFactory:
    """Return a factory of WAMP-over-RawSocket connections to this router, for TCP, TLS and Unix listening ports.

    :param clock: whose `callLater` runs the time-outs; the reactor if not given.
    """
    return RawSocketFactory(router, clock or running_clock())

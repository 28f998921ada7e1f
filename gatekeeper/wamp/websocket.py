"""WAMP over WebSocket: Autobahn's server protocol, joined to a session.

What Autobahn gives is the opening handshake, the control frames and every unusual frame. What it is bypassed for are
the two paths that every message takes: a complete frame is read here at once, and a finished frame leaves by
`Connection.write`. Its own timers are off.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.batching import SUBPROTOCOLS, BatchedWire
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
from gatekeeper.wamp.framing import frame, take_message
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.session import Session

_PROBE = frame(0x89, PROBE)  # FIN set, opcode 9: made once, and sent as messages are

MAX_FRAGMENTS = 1024  # of one message: empty ones cost memory too, which no limit of bytes bounds


@runtime_checkable
class CookieIssuer(Protocol):
    """An authenticator that wants a cookie to be set in the opening handshake (`methods.cookie` has one)."""

    def issue(self, headers: Mapping[str, str], *, secure: bool) -> Any:
        """Return (value, Set-Cookie header) for this handshake, or None: at once, or as an awaitable."""
        ...


class WampProtocol(WebSocketServerProtocol, Connection):  # type: ignore[misc]  # Autobahn is untyped
    """One WebSocket connection."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.begin()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.finish()

    # --- Opening ---------------------------------------------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> Any:
        self._request = request
        if not is_allowed_origin(request.headers, self.factory.allowed_origins):
            raise ConnectionDeny(ConnectionDeny.FORBIDDEN, "pages of this origin may not connect")
        for name in request.protocols:
            if name in SUBPROTOCOLS:
                return self._accept(str(name), request.headers)
        raise ConnectionDeny(ConnectionDeny.BAD_REQUEST, f"subprotocol must be one of {', '.join(SUBPROTOCOLS)}")

    def _accept(self, subprotocol: str, headers: Mapping[str, str]) -> Any:
        """Return Autobahn's answer to the handshake, with a cookie if the authenticator wants one."""
        authenticator = self.factory.router.authenticator
        self._issued_cookie: str | None = None
        if not isinstance(authenticator, CookieIssuer):
            return subprotocol

        def answered(issued: tuple[str, str] | None) -> tuple[str, dict[str, str]]:
            if issued is None:
                return subprotocol, {}
            self._issued_cookie, header = issued
            return subprotocol, {"Set-Cookie": header}

        return after(authenticator.issue(headers, secure=self.is_secure()), answered)

    def onOpen(self) -> None:
        headers = dict(self._request.headers)
        del self._request
        self._forget_handshake()
        self.attach(SUBPROTOCOLS[self.websocket_protocol_in_use], headers, self._issued_cookie)

    def _forget_handshake(self) -> None:
        """Let go of what Autobahn keeps of a handshake, and of counters that nobody reads: 2.5 KB a session."""
        self.http_headers: dict[str, str] = {}
        self.http_request_params: dict[str, list[str]] = {}
        self.http_request_data, self.http_response_data = b"", ""
        self.trafficStats = self.factory.traffic

    # --- Receiving -------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        if (
            self.state == self.STATE_CONNECTING
            and len(self.data) + len(data) > self.factory.router.limits.handshake_bytes
        ):
            self.abort_connection()  # Autobahn would collect header lines for as long as they come
            return
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._take_messages(data)
        if data:
            self._dataReceived(data)  # past Autobahn's own dataReceived, which formats log arguments for each read

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        session = self._session
        if session is None:
            return
        if isinstance(session.wire, BatchedWire):
            self._take_batch(session, session.wire, payload, isBinary)
        else:
            session.received(payload, isBinary)

    def _take_batch(self, session: Session, wire: BatchedWire, batch: bytes, binary: bool) -> None:
        session.wire = wire = wire.spoken(batch)
        try:
            messages = wire.split(batch)
        except ProtocolViolation as violation:
            session.violated(str(violation))
            return
        for message in messages:
            session.received(message, binary)

    def _take_messages(self, data: bytes) -> bytes:
        start = 0
        while self.state == self.STATE_OPEN:
            taken = take_message(data, start, self.maxMessagePayloadSize)
            if taken is None:
                break
            payload, binary, start = taken
            self.onMessage(payload, binary)
        return data[start:]

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._fragments = 0

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS:
            self._refuse(f"a message of more than {MAX_FRAGMENTS} fragments")

    def onPing(self, payload: bytes) -> None:
        if self.unsent_bytes() < PONG_ROOM:
            self.sendPong(payload)

    def onPong(self, payload: bytes) -> None:
        self.answered(payload)

    def _max_message_size_exceeded(self, _size: int, limit: int, _reason: str) -> None:
        self._refuse(f"a message of more than {limit} bytes")

    def _refuse(self, reason: str) -> None:
        self.failedByMe = True  # Autobahn then reads the rest of the message without keeping it
        if self._session is not None:
            self._session.violated(reason)

    # --- Time, and the end -----------------------------------------------------------------------------------------

    def takes_messages(self) -> bool:
        return bool(self.state == self.STATE_OPEN)

    def ping(self) -> None:
        self.sendPing()

    def probe(self) -> None:
        self.write(_PROBE)

    def limit_messages(self, size: int) -> None:
        self.maxMessagePayloadSize = size

    def close(self, reason: str) -> None:
        log.info("closing the connection of {address}: {reason}", address=self.peer, reason=reason)
        if self.state == self.STATE_OPEN:
            self.sendClose(1000, reason)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Begin or answer WebSocket's closing handshake; also what Autobahn does when the client breaks its rules."""
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if self._session is not None:
            self._session.lost()  # now: nothing may follow the close frame
        self.arm(CLOSING_SECONDS, self.abort_connection)

    def dropConnection(self, abort: bool = False) -> None:
        """Close the TCP connection once its buffer is empty, but not later than the closing time."""
        self.stop_producing()
        super().dropConnection(abort)
        if not abort:
            self.arm(CLOSING_SECONDS, self.abort_connection)


class WampFactory(WebSocketServerFactory, ConnectionFactory):  # type: ignore[misc]  # Autobahn is untyped
    """Builds the protocol of each connection; works on a listening port and inside a `WebSocketResource`."""

    protocol = WampProtocol

    def __init__(self, router: Router, clock: IReactorTime, url: str | None, allowed_origins: Iterable[str]) -> None:
        super().__init__(url=url, server="", reactor=clock)
        self.serve(router, clock)
        self.allowed_origins = frozenset(allowed_origins)
        self.traffic = TrafficStats()  # Autobahn's counters, one for all connections: see _forget_handshake
        self.setProtocolOptions(
            webStatus=False,
            utf8validateIncoming=False,  # the codecs do it
            failByDrop=False,
            openHandshakeTimeout=0,  # this and the next: our clock's, not Autobahn's
            closeHandshakeTimeout=0,
            tcpNoDelay=True,
            maxMessagePayloadSize=router.limits.handshake_bytes,
            allowedOrigins=["*"],  # is_allowed_origin decides
            allowNullOrigin=True,
        )

    def buildProtocol(self, addr: object) -> WampProtocol | None:
        if self.is_closed:
            return None
        built: WampProtocol = super().buildProtocol(addr)
        return built


def websocket_factory(
    router: Router,
    *,
    clock: IReactorTime | None = None,
    url: str | None = None,
    allowed_origins: Iterable[str] = (),
) -> WampFactory:
    """Return a factory of WAMP connections to this router.

    :param clock: whose `callLater` runs the time-outs; the reactor if not given.
    :param url: the address that clients dial, if the factory listens by itself ("ws://localhost:8080").
    :param allowed_origins: origins of web pages that may connect besides those of this very host, as browsers write
        them ("https://panel.example"); "*" allows every page, and with it cross-site use of a visitor's cookie.
    """
    return WampFactory(router, clock or running_clock(), url, allowed_origins)


def is_allowed_origin(headers: Mapping[str, str], allowed: Container[str]) -> bool:
    """Tell whether a handshake comes from a program, from a page of this host, or from one of an allowed origin."""
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False

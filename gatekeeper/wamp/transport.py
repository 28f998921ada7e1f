"""WAMP over WebSocket: Autobahn's server protocol, joined to a session. The only part of the package that does I/O.

What Autobahn gives is the opening handshake, the control frames and every unusual frame. What it is bypassed for are
the two paths that every message takes: a complete frame is read here at once, and a finished frame is handed to the
kernel at once when nothing waits before it, instead of one reactor turn later.

Every timer is one of the clock handed in: a deadline (to join, to answer GOODBYE, to close) and the supervision of a
silent client. Autobahn's own are off.
"""

import socket
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet import tcp
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPullProducer, IPushProducer, IReactorTime, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper.wamp.auth import Peer
from gatekeeper.wamp.errors import SYSTEM_SHUTDOWN
from gatekeeper.wamp.framing import WIRES, take_message
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.session import Session, State

HANDSHAKE_SECONDS = 10.0  # from the connection to WELCOME: a person isn't asked anything in between
PING_SECONDS = 10.0  # a silent client is pinged after this long and dropped after as long again: half a minute at most
LEAVING_SECONDS = 2.0  # for a client to answer GOODBYE; the shutdown of the whole process waits for it
CLOSING_SECONDS = 2.0  # for what was written to leave, and for the client's close frame

MAX_FRAGMENTS = 1024  # of one message: empty ones cost memory too, which no limit of bytes bounds
PONG_ROOM = 64 * 1024  # unsent bytes above which pings go unanswered: a client that doesn't read can't pile up pongs
_PAUSED_AT = 64 * 1024  # what is unsent, about, when Twisted tells a producer to pause

# Without it the kernel takes megabytes of frames that a slow viewer will see seconds late.
_UNSENT_IN_KERNEL = 16 * 1024
_NOTSENT_LOWAT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)

_log = Logger()


@implementer(IPullProducer)
class _Drained:
    """Asked by a TCP transport for more whenever its buffer has emptied: that is the news."""

    def __init__(self, protocol: "WampProtocol") -> None:
        self._protocol = protocol

    def resumeProducing(self) -> None:
        self._protocol.maybe_drained()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, of which the protocol hears too."""


@implementer(IPushProducer)
class _Paused:
    """Told by any other transport (TLS) when its buffer is full, and when it is empty again."""

    def __init__(self, protocol: "WampProtocol") -> None:
        self._protocol = protocol

    def pauseProducing(self) -> None:
        self._protocol.paused(is_paused=True)

    def resumeProducing(self) -> None:
        self._protocol.paused(is_paused=False)

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, of which the protocol hears too."""


class WampProtocol(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn is untyped
    """One WebSocket connection; the `Link` of its session."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._session: Session | None = None
        self._deadline: IDelayedCall | None = None
        self._pinging: IDelayedCall | None = None
        self._heard = self._pinged = False
        self._is_direct = type(self.transport) is tcp.Server and not getattr(self.transport, "TLS", False)
        self._awaits_drain = False
        self._is_paused = False
        self._unsent_since_pause = 0
        self._arm(HANDSHAKE_SECONDS, self._overdue)
        self.factory.connections.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._session is not None:
            self._session.lost()
        for call in (self._deadline, self._pinging):
            if call is not None and call.active():
                call.cancel()
        self.factory.forget(self)

    # --- Opening ---------------------------------------------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> str:
        self._request = request
        if not is_allowed_origin(request.headers, self.factory.allowed_origins):
            raise ConnectionDeny(ConnectionDeny.FORBIDDEN, "pages of this origin may not connect")
        for name in request.protocols:
            if name in WIRES:
                return str(name)
        raise ConnectionDeny(ConnectionDeny.BAD_REQUEST, f"subprotocol must be one of {', '.join(WIRES)}")

    def onOpen(self) -> None:
        peer = Peer(
            str(getattr(self.transport.getPeer(), "host", "unix")),
            dict(self._request.headers),
            ISSLTransport.providedBy(self.transport),
        )
        del self._request
        _keep_kernel_buffer_short(self.transport)
        # Within a twisted.web site the HTTP channel is still registered, and would pause reading instead of writing.
        self.transport.unregisterProducer()
        if not self._is_direct:
            self.transport.registerProducer(_Paused(self), True)
        self._session = self.factory.router.attach(self, WIRES[self.websocket_protocol_in_use], peer)
        self._pinging = self.factory.clock.callLater(PING_SECONDS, self._supervise)

    # --- Receiving -------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        if (
            self.state == self.STATE_CONNECTING
            and len(self.data) + len(data) > self.factory.router.limits.handshake_bytes
        ):
            self._abort()  # Autobahn would collect header lines for as long as they come
            return
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._take_messages(data)
        if data:
            self._dataReceived(data)  # past Autobahn's own dataReceived, which formats log arguments for each read

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._session is not None:
            self._session.received(payload, isBinary)

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
        if self._unsent_bytes() < PONG_ROOM:
            self.sendPong(payload)

    def _max_message_size_exceeded(self, _size: int, limit: int, _reason: str) -> None:
        self._refuse(f"a message of more than {limit} bytes")

    def _refuse(self, reason: str) -> None:
        self.failedByMe = True  # Autobahn then reads the rest of the message without keeping it
        if self._session is not None:
            self._session.violated(reason)

    # --- Sending ---------------------------------------------------------------------------------------------------

    def write(self, frame: bytes) -> int:
        """Send a finished frame: to the kernel at once if nothing waits before it."""
        transport = self.transport
        if not self._is_direct:
            transport.write(frame)
            if self._is_paused:
                self._unsent_since_pause += len(frame)
            return self._unsent_bytes()
        if transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting:
            transport.write(frame)
            return self._unsent()
        try:
            sent = transport.socket.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            transport.write(frame)  # Twisted meets the same error, and ends the connection by its rules
            return 0
        if sent == len(frame):
            return 0
        transport.write(frame[sent:])
        return self._unsent()

    def maybe_drained(self) -> None:
        """Tell the session if nothing is unsent."""
        if self._awaits_drain and not self._unsent_bytes():
            self._awaits_drain = False
            self.transport.unregisterProducer()
            if self._session is not None:
                self._session.drained()

    def paused(self, *, is_paused: bool) -> None:
        """Take note of whether a transport without a socket of its own is full."""
        self._is_paused = is_paused
        self._unsent_since_pause = _PAUSED_AT if is_paused else 0
        if not is_paused and self._session is not None:
            self._session.drained()

    def _unsent(self) -> int:
        """Return the bytes in the transport's buffer, and ask to hear when there are none."""
        if not self._awaits_drain and self.state == self.STATE_OPEN:
            self._awaits_drain = True
            self.transport.registerProducer(_Drained(self), False)
        return self._unsent_bytes()

    def _unsent_bytes(self) -> int:
        if not self._is_direct:
            return self._unsent_since_pause
        transport = self.transport
        return len(transport.dataBuffer) - int(transport.offset) + int(transport._tempDataLen)

    # --- Time, and the end -----------------------------------------------------------------------------------------

    def expect(self, state: State) -> None:
        """Set the limits of time and size of a session's new state."""
        limits = self.factory.router.limits
        self.maxMessagePayloadSize = limits.message_bytes if state is State.JOINED else limits.handshake_bytes
        if state is State.JOINED:
            self._disarm()
        elif state is State.OPENING:
            self._arm(HANDSHAKE_SECONDS, self._overdue)
        elif state is State.LEAVING:
            self._arm(LEAVING_SECONDS, self._overdue)

    def close(self, reason: str) -> None:
        """Close the connection in WebSocket's way, and by force if the client doesn't take part."""
        _log.info("closing the connection of {address}: {reason}", address=self.peer, reason=reason)
        if self.state == self.STATE_OPEN:
            self.sendClose(1000, reason)

    def leave(self) -> None:
        """Say that the system shuts down, and close."""
        if self._session is not None:
            self._session.leave(SYSTEM_SHUTDOWN)
        else:
            self._abort()

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Begin or answer WebSocket's closing handshake; also what Autobahn does when the client breaks its rules."""
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if self._session is not None:
            self._session.lost()  # now: nothing may follow the close frame
        self._arm(CLOSING_SECONDS, self._abort)

    def dropConnection(self, abort: bool = False) -> None:
        """Close the TCP connection once its buffer is empty, but not later than the closing time."""
        super().dropConnection(abort)
        if not abort:
            self._arm(CLOSING_SECONDS, self._abort)

    def _supervise(self) -> None:
        if not self._heard and self._pinged:
            _log.info("dropping the connection of {address}, which is silent", address=self.peer)
            self._abort()
            return
        self._pinged = not self._heard
        if self._pinged:
            self.sendPing()
        self._heard = False
        self._pinging = self.factory.clock.callLater(PING_SECONDS, self._supervise)

    def _overdue(self) -> None:
        if self._session is not None:
            self._session.overdue()
        else:
            self._abort()

    def _abort(self) -> None:
        self.transport.abortConnection()

    def _arm(self, seconds: float, callback: Callable[[], None]) -> None:
        self._disarm()
        self._deadline = self.factory.clock.callLater(seconds, callback)

    def _disarm(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


class WampFactory(WebSocketServerFactory):  # type: ignore[misc]  # Autobahn is untyped
    """Builds the protocol of each connection; works on a listening port and inside a `WebSocketResource`.

    :ivar connections: those that are open.
    """

    protocol = WampProtocol

    def __init__(self, router: Router, clock: IReactorTime, url: str | None, allowed_origins: Iterable[str]) -> None:
        super().__init__(url=url, server="", reactor=clock)
        self.router = router
        self.clock = clock
        self.allowed_origins = frozenset(allowed_origins)
        self.connections: set[WampProtocol] = set()
        self._is_closed = False
        self._closed: list[Deferred[None]] = []
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
        if self._is_closed:
            return None
        built: WampProtocol = super().buildProtocol(addr)
        return built

    def close(self) -> Deferred[None]:
        """Say GOODBYE on every connection and take no new ones; fires when the last is gone."""
        self._is_closed = True
        for connection in tuple(self.connections):
            connection.leave()
        if not self.connections:
            return succeed(None)
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        return closed

    def forget(self, connection: WampProtocol) -> None:
        """Take note of a connection that is gone."""
        self.connections.discard(connection)
        if not self.connections:
            waiting, self._closed = self._closed, []
            for closed in waiting:
                closed.callback(None)


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
    if clock is None:
        from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one, so only where it is needed

        clock = cast(IReactorTime, reactor)
    return WampFactory(router, clock, url, allowed_origins)


def is_allowed_origin(headers: Mapping[str, str], allowed: Container[str]) -> bool:
    """Tell whether a handshake comes from a program, from a page of this host, or from one of an allowed origin."""
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False


def _keep_kernel_buffer_short(transport: Any) -> None:
    if _NOTSENT_LOWAT is not None:
        # No socket (a Unix one, a test's): then there is no such buffer either.
        with suppress(OSError, AttributeError):
            transport.getHandle().setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, _UNSENT_IN_KERNEL)

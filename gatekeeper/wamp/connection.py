"""What every transport of the router does alike: send at once, tell when it is full or empty, keep time, and end.

A finished frame is handed to the kernel at once when nothing waits before it, instead of one reactor turn later. On a
transport without a socket of its own (TLS) its buffer is used, and its word on when that is full.

Every timer is one of the clock handed in: a deadline (to join, to answer GOODBYE, to close) and the supervision of a
silent client. Neither reads nor writes WAMP: that is the session's and the framing's.
"""

import socket
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from twisted.internet import tcp
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPullProducer, IPushProducer, IReactorTime, ISSLTransport
from twisted.logger import Logger
from zope.interface import implementer

from gatekeeper.wamp.auth import Peer
from gatekeeper.wamp.channel import channel_of
from gatekeeper.wamp.errors import SYSTEM_SHUTDOWN
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.session import Session, State

try:
    from twisted.internet import unix

    _WITH_SOCKET: tuple[type, ...] = (tcp.Server, unix.Server)
except ImportError:  # Windows
    _WITH_SOCKET = (tcp.Server,)

HANDSHAKE_SECONDS = 10.0  # from the connection to WELCOME: a person isn't asked anything in between
PING_SECONDS = 10.0  # a silent client is pinged after this long and dropped after as long again: half a minute at most
# Pings' time that a client gets which is behind with reading: its answer stands behind megabytes in kernels' buffers,
# and from a full one TCP tells nothing until a sixteenth is free again. What it costs meanwhile is bounded.
STALLED_PINGS = 12
LEAVING_SECONDS = 2.0  # for a client to answer GOODBYE; the shutdown of the whole process waits for it
CLOSING_SECONDS = 2.0  # for what was written to leave, and for the client's part in closing

# Times the sessions that an address may have: its connections that haven't said HELLO yet included. Beyond that one
# isn't even worth an answer: each holds memory until its handshake is overdue.
CONNECTIONS_PER_SESSION = 2
PROBE = b"probe"  # the payload of a ping that measures, by which its pong is told from others
PONG_ROOM = 64 * 1024  # unsent bytes above which pings go unanswered: a client that doesn't read can't pile up pongs
_PAUSED_AT = 64 * 1024  # what is unsent, about, when Twisted tells a producer to pause

# Without it the kernel takes megabytes of frames that a slow viewer will see seconds late.
_UNSENT_IN_KERNEL = 16 * 1024
_NOTSENT_LOWAT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)

log = Logger()


@implementer(IPullProducer)
class _Drained:
    """Asked by a transport with a socket for more whenever its buffer has emptied: that is the news."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def resumeProducing(self) -> None:
        self._connection.maybe_drained()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, of which the protocol hears too."""


@implementer(IPushProducer)
class _Paused:
    """Told by any other transport (TLS) when its buffer is full, and when it is empty again."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def pauseProducing(self) -> None:
        self._connection.paused(is_paused=True)

    def resumeProducing(self) -> None:
        self._connection.paused(is_paused=False)

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, of which the protocol hears too."""


class Connection:
    """The `Link` of a session; mixed into a protocol, which says how its framing opens, pings and closes."""

    transport: Any
    factory: Any

    # --- What the framing adds ---

    def takes_messages(self) -> bool:
        """Tell whether messages may be sent."""
        raise NotImplementedError

    def ping(self) -> None:
        """Ask the client for a sign of life."""
        raise NotImplementedError

    def probe(self) -> None:
        """Ping the client with `PROBE`, behind all that was written; its answer goes to `answered`."""
        raise NotImplementedError

    def limit_messages(self, size: int) -> None:
        """Take no message of more bytes from now on."""
        raise NotImplementedError

    def close(self, reason: str) -> None:
        """Close in the framing's way, and by force if the client doesn't take part."""
        raise NotImplementedError

    # --- Beginning and end ---

    def begin(self) -> None:
        """Take note of a new connection."""
        self._session: Session | None = None
        self._deadline: IDelayedCall | None = None
        self._pinging: IDelayedCall | None = None
        self._heard = self._progressed = self._is_behind = False
        self._silent = 0  # times in a row that the client gave no sign of life
        self._is_direct = type(self.transport) in _WITH_SOCKET and not getattr(self.transport, "TLS", False)
        self._awaits_drain = False
        self._is_paused = False
        self._unsent_since_pause = 0
        self._unsent_before = 0
        self.arm(HANDSHAKE_SECONDS, self._overdue)
        self.factory.connections.add(self)
        self._host = str(getattr(self.transport.getPeer(), "host", "unix"))
        if self.factory.is_flooded_from(self._host):
            self.abort_connection()

    def is_secure(self) -> bool:
        """Tell whether the connection is encrypted."""
        return bool(ISSLTransport.providedBy(self.transport))

    def attach(self, wire: Wire, headers: Mapping[str, str], issued_cookie: str | None = None) -> Session:
        """Give the connection its session, now that it is known how it speaks."""
        peer = Peer(
            self._host,
            headers,
            self.is_secure(),
            channel_of(self.transport),
            issued_cookie,
        )
        _keep_kernel_buffer_short(self.transport)
        # Within a twisted.web site the HTTP channel is still registered, and would pause reading instead of writing.
        self.transport.unregisterProducer()
        if not self._is_direct:
            self.transport.registerProducer(_Paused(self), True)
        self._session = self.factory.router.attach(self, wire, peer)
        self._pinging = self.factory.clock.callLater(PING_SECONDS, self._supervise)
        return self._session

    def finish(self) -> None:
        """Take note that the connection is gone."""
        if self._session is not None:
            self._session.lost()
        for call in (self._deadline, self._pinging):
            if call is not None and call.active():
                call.cancel()
        self.factory.forget(self, self._host)

    # --- Sending ---

    def write(self, frame: bytes) -> int:
        """Send a finished frame: to the kernel at once if nothing waits before it."""
        transport = self.transport
        if not self._is_direct:
            transport.write(frame)
            if self._is_paused:
                self._unsent_since_pause += len(frame)
            return self.unsent_bytes()
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

    def unsent_bytes(self) -> int:
        """Return the bytes that were written and haven't left."""
        if not self._is_direct:
            return self._unsent_since_pause
        transport = self.transport
        return len(transport.dataBuffer) - int(transport.offset) + int(transport._tempDataLen)

    def answered(self, payload: bytes) -> None:
        """Take a pong."""
        if payload == PROBE and self._session is not None:
            self._session.probed()

    def await_drain(self) -> None:
        """Ask to hear when nothing is unsent, also of what Autobahn wrote by itself."""
        if self._is_direct:
            self._unsent()

    def maybe_drained(self) -> None:
        """Tell the session if nothing is unsent."""
        if self._awaits_drain and not self.unsent_bytes():
            self._awaits_drain = False
            self._progressed = True
            self.transport.unregisterProducer()
            if self._session is not None:
                self._session.drained()

    def paused(self, *, is_paused: bool) -> None:
        """Take note of whether a transport without a socket of its own is full."""
        self._is_paused = is_paused
        self._unsent_since_pause = _PAUSED_AT if is_paused else 0
        self._progressed = self._progressed or not is_paused
        self._is_behind = self._is_behind or is_paused
        if not is_paused and self._session is not None:
            self._session.drained()

    def _unsent(self) -> int:
        """Return the bytes in the transport's buffer, and ask to hear when there are none."""
        if not self._awaits_drain and self.takes_messages():
            self._awaits_drain = self._is_behind = True
            self.transport.registerProducer(_Drained(self), False)
        return self.unsent_bytes()

    def stop_producing(self) -> None:
        """Let TLS close: it waits for as long as somebody may have more to send."""
        if not self._is_direct:
            self.transport.unregisterProducer()

    # --- Time ---

    def expect(self, state: State) -> None:
        """Set the limits of time and size of a session's new state."""
        limits = self.factory.router.limits
        self.limit_messages(limits.message_bytes if state is State.JOINED else limits.handshake_bytes)
        if state is State.JOINED:
            self.disarm()
        elif state is State.OPENING:
            self.arm(HANDSHAKE_SECONDS, self._overdue)
        elif state is State.LEAVING:
            self.arm(LEAVING_SECONDS, self._overdue)

    def leave(self) -> None:
        """Say that the system shuts down, and close."""
        if self._session is not None:
            self._session.leave(SYSTEM_SHUTDOWN)
        else:
            self.abort_connection()

    def abort_connection(self) -> None:
        """Drop the connection and all that is unsent."""
        self.transport.abortConnection()

    def arm(self, seconds: float, callback: Callable[[], None]) -> None:
        """Set the one deadline."""
        self.disarm()
        self._deadline = self.factory.clock.callLater(seconds, callback)

    def disarm(self) -> None:
        """Have no deadline."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _supervise(self) -> None:
        """Ping a client that was silent for a while, and drop it if it stays so.

        A client that takes what it is sent is alive, however slowly: its pong waits behind all that it hasn't read.
        """
        unsent = self.unsent_bytes()
        is_alive = self._heard or self._progressed or unsent < self._unsent_before
        self._silent = 0 if is_alive else self._silent + 1
        if self._silent > (STALLED_PINGS if self._is_behind else 1):
            log.info("dropping the connection of {address}, which is silent", address=self._host)
            self.abort_connection()
            return
        if self._silent == 1:
            self.ping()
        self._is_behind = unsent > 0 or (self._is_behind and not self._heard)
        self._heard = self._progressed = False
        self._unsent_before = self.unsent_bytes()
        self._pinging = self.factory.clock.callLater(PING_SECONDS, self._supervise)

    def _overdue(self) -> None:
        if self._session is not None:
            self._session.overdue()
        else:
            self.abort_connection()


class ConnectionFactory:
    """What the factories of every transport do alike; mixed into them.

    :ivar connections: those that are open.
    """

    def serve(self, router: Router, clock: IReactorTime) -> None:
        """Set what the connections belong to."""
        self.router = router
        self.clock = clock
        self.connections: set[Connection] = set()
        self._from: Counter[str] = Counter()
        self.is_closed = False
        self._closed: list[Deferred[None]] = []

    def close(self) -> Deferred[None]:
        """Say GOODBYE on every connection and take no new ones; fires when the last is gone."""
        self.is_closed = True
        for connection in tuple(self.connections):
            connection.leave()
        if not self.connections:
            return succeed(None)
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        return closed

    def is_flooded_from(self, address: str) -> bool:
        """Count a new connection from this address, and tell whether there are too many."""
        self._from[address] += 1
        return self._from[address] > CONNECTIONS_PER_SESSION * self.router.limits.sessions_per_address

    def forget(self, connection: Connection, address: str) -> None:
        """Take note of a connection that is gone."""
        self.connections.discard(connection)
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]
        if not self.connections:
            waiting, self._closed = self._closed, []
            for closed in waiting:
                closed.callback(None)


def running_clock() -> IReactorTime:
    """Return the reactor."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one, so only where it is needed

    return cast(IReactorTime, reactor)


def _keep_kernel_buffer_short(transport: Any) -> None:
    if _NOTSENT_LOWAT is not None:
        # No TCP socket (a Unix one, a test's): then there is no such buffer either.
        with suppress(OSError, AttributeError):
            transport.getHandle().setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, _UNSENT_IN_KERNEL)

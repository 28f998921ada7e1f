"""The one connection to a camera: dialled, held on to, counted, bounded and closed for certain.

Twisted's HTTP client keeps its connections to itself. Here they are remembered, because a camera serves one client: the
next one is dialled when the last one is gone. What is read before the answer's headers are whole is bounded; Twisted
bounds the length of a header line (16 KiB) but not their number.
"""

import socket
from typing import Any, Final

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.client import URI, BrowserLikePolicyForHTTPS
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from gatekeeper.elsewhere import Elsewhere, IsOwn, never

MAXIMUM_HEAD: Final = 64 * 1024  # bytes before the headers are whole: one read of Twisted's; real cameras send 500
MAXIMUM_LOW_WATER: Final = 64 * 1024  # bytes: Twisted reads no more at once
MINIMUM_LOW_WATER: Final = 2 * 1024  # bytes; for less, a system call costs more than the read that it saves

_SO_RCVLOWAT: Final = getattr(socket, "SO_RCVLOWAT", None)  # Windows has the name and refuses it; see `expect`


class _Line(Protocol):
    """What the transport talks to: it counts, and hands everything on to the HTTP client's protocol."""

    def __init__(self, dialler: "Dialler", inner: IProtocol) -> None:
        self._dialler = dialler
        self._read = 0
        self.inner = inner
        self.answered = False

    def connectionMade(self) -> None:
        assert self.transport is not None  # noqa: S101 - narrows the type
        self._dialler._made(self)
        self.inner.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self._dialler.reads += 1
        self.inner.dataReceived(data)
        if not self.answered:
            self._read += len(data)
            if self._read > MAXIMUM_HEAD:
                self._dialler._overran(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.answered and self._read > LineReceiver.MAX_LENGTH:
            self._dialler.overran = True  # Twisted closed it, for a line without end
        self._dialler._lost(self)
        self.inner.connectionLost(reason)


class _LineFactory(Factory):
    noisy = False

    def __init__(self, dialler: "Dialler", inner: IProtocolFactory) -> None:
        self._dialler = dialler
        self._inner = inner

    def buildProtocol(self, addr: IAddress | None) -> _Line | None:
        inner = self._inner.buildProtocol(addr)  # type: ignore[arg-type]  # Twisted itself passes None at times
        return _Line(self._dialler, inner) if inner is not None else None


@implementer(IStreamClientEndpoint)
class _Endpoint:
    def __init__(self, dialler: "Dialler", endpoint: IStreamClientEndpoint) -> None:
        self._dialler = dialler
        self._endpoint = endpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        connected: Deferred[Any] = self._endpoint.connect(_LineFactory(self._dialler, factory))
        return connected.addCallback(lambda line: line.inner)


@implementer(IAgentEndpointFactory)
class Dialler:
    """Makes the connections for an HTTP agent, and keeps hold of the one that is open.

    :param reactor: network, clock, name resolver.
    :param timeout: seconds for a connection.
    :param is_own: tells what is gatekeeper's own, and not dialled.
    :ivar connections: how many were made since the start.
    :ivar reads: how often a connection had something to read.
    :ivar overran: the last connection was cut because its headers did not end.
    """

    def __init__(self, reactor: Any, timeout: float, is_own: IsOwn = never) -> None:
        self.connections = 0
        self.reads = 0
        self.overran = False
        self._reactor = reactor
        self._timeout = timeout
        self._is_own = is_own
        self._tls = BrowserLikePolicyForHTTPS()
        self._line: _Line | None = None
        self._socket: socket.socket | None = None
        self._low_water = 1
        self._waiting: list[Deferred[None]] = []

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._line is not None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint of an http or https address; for the agent."""
        self.overran = False
        host = uri.host.decode("ascii")
        endpoint: Any = Elsewhere(self._tcp(host, uri.port), host, uri.port, self._is_own)
        if uri.scheme == b"https":
            endpoint = wrapClientTLS(self._tls.creatorForNetloc(uri.host, uri.port), endpoint)
        return _Endpoint(self, endpoint)

    def _tcp(self, host: str, port: int) -> Any:
        """Return the endpoint of a host; a number needs no resolver and no race between addresses."""
        if isIPAddress(host):
            return TCP4ClientEndpoint(self._reactor, host, port, timeout=self._timeout)
        if isIPv6Address(host):
            return TCP6ClientEndpoint(self._reactor, host, port, timeout=self._timeout)
        return HostnameEndpoint(self._reactor, host, port, timeout=self._timeout)

    def answered(self) -> None:
        """The headers are whole: from here on the body is somebody else's to bound."""
        if self._line is not None:
            self._line.answered = True

    def close(self) -> Deferred[None]:
        """Cut the connection; fires when it is gone, at once if there is none."""
        if self._line is None:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._waiting.append(gone)
        self._line.transport.abortConnection()  # type: ignore[union-attr]
        return gone

    def expect(self, needed: int) -> None:
        """Sleep until `needed` bytes are there, where the system can: 20 wake-ups per picture become two.

        It never sleeps longer than until the picture is whole, and wakes when the peer closes. A peer that stops in
        mid-picture is found by the puller's own timer. TLS is left alone: its records don't end with the picture.
        """
        low_water = min(needed, MAXIMUM_LOW_WATER) if needed >= MINIMUM_LOW_WATER else 1
        if low_water == self._low_water or self._socket is None or _SO_RCVLOWAT is None:
            return
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVLOWAT, low_water)
        except OSError:
            self._socket = None  # not on this system: read what comes
        else:
            self._low_water = low_water

    def _made(self, line: _Line) -> None:
        self.connections += 1
        self._line = line
        handle = getattr(line.transport, "getHandle", lambda: None)()
        self._socket = handle if isinstance(handle, socket.socket) else None
        self._low_water = 1

    def _overran(self, line: _Line) -> None:
        self.overran = True
        line.transport.abortConnection()  # type: ignore[union-attr]

    def _lost(self, line: _Line) -> None:
        if line is self._line:
            self._line = self._socket = None
            waiting, self._waiting = self._waiting, []
            for gone in waiting:
                gone.callback(None)

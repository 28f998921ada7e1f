"""One port for two: what opens with an upgrade to WebSocket goes to one factory, all other HTTP to another.

The request's head is read until that is known, within a time and a length; then the connection is the other's, with
all that was read.
"""

from typing import Any, Final

from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

HEAD_SECONDS: Final = 5.0  # for the head of the first request
MAXIMUM_HEAD: Final = 16 * 1024  # bytes; a browser's with its cookies has 2 KiB
MAXIMUM_UNDECIDED: Final = 100  # connections at once that have not said what they are


class Either(Factory):
    """Listens for both.

    :param clock: the reactor.
    :param websocket: of protocols that speak WebSocket; `http` of those that speak HTTP.
    """

    noisy = False

    def __init__(self, clock: Any, websocket: IProtocolFactory, http: IProtocolFactory) -> None:
        self.clock = clock
        self.websocket = websocket
        self.http = http
        self.undecided = 0

    def buildProtocol(self, addr: IAddress | None) -> "_Undecided | None":
        return _Undecided(self, addr) if self.undecided < MAXIMUM_UNDECIDED else None


class _Undecided(Protocol):
    """A connection that has not said what it is."""

    def __init__(self, either: Either, address: IAddress | None) -> None:
        self._either = either
        self._address = address
        self._read = b""
        self._timer: IDelayedCall | None = None
        self._inner: IProtocol | None = None

    def connectionMade(self) -> None:
        self._either.undecided += 1
        self._timer = self._either.clock.callLater(HEAD_SECONDS, self._abort)

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        self._read += data
        if b"\r\n\r\n" in self._read:
            self._decide()
        elif len(self._read) > MAXIMUM_HEAD:
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._settle()
        if self._inner is not None:
            self._inner.connectionLost(reason)

    def _decide(self) -> None:
        self._settle()
        factory = self._either.websocket if _is_upgrade(self._read) else self._either.http
        inner = factory.buildProtocol(self._address)  # type: ignore[arg-type]  # Twisted itself passes None at times
        if inner is None:
            self._abort()
            return
        self._inner = inner
        transport: Any = self.transport
        if hasattr(transport, "protocol"):
            transport.protocol = inner  # from now on the reactor's talk is with it alone
        read, self._read = self._read, b""
        inner.makeConnection(transport)
        inner.dataReceived(read)

    def _settle(self) -> None:
        """It is known what it is, or it is gone."""
        if self._timer is not None:
            self._either.undecided -= 1
            if self._timer.active():
                self._timer.cancel()
            self._timer = None

    def _abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


def _is_upgrade(head: bytes) -> bool:
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"upgrade":
            return b"websocket" in value.lower()
    return False

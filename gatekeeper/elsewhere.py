"""Connecting to anything but gatekeeper itself: what cameras and locks are dialled through.

A device's address, a redirect of a camera or what a name turns out to mean must not lead to the site's own ports: the
site would be asking itself, as the machine that it runs on.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

IsOwn: TypeAlias = Callable[[str, int], bool]
"""Tells of a host and a port whether a connection to them would reach gatekeeper itself."""


class LeadsBack(Exception):
    """The address is gatekeeper's own."""


def never(host: str, port: int) -> bool:
    """Say of every address that it is somebody else's: where there is no site."""
    return False


@implementer(IStreamClientEndpoint)
class Elsewhere:
    """An endpoint that connects to its host and port unless they are gatekeeper's own.

    Its `connect` fails with LeadsBack before a byte is sent, and where the host says it plainly before a connection.

    :param endpoint: what connects.
    """

    def __init__(self, endpoint: Any, host: str, port: int, is_own: IsOwn) -> None:
        self._endpoint = endpoint
        self._host = host
        self._port = port
        self._is_own = is_own

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        if self._is_own(self._host, self._port):
            return fail(LeadsBack(why(self._host, self._port)))
        connecting: Deferred[Any] = self._endpoint.connect(_Factory(protocolFactory, self._is_own))
        return connecting


@implementer(IProtocolFactory)
class _Factory:
    """Looks once more where the connection led: whoever answers for a name can answer what he likes."""

    def __init__(self, inner: IProtocolFactory, is_own: IsOwn) -> None:
        self._inner = inner
        self._is_own = is_own

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        host, port = getattr(addr, "host", ""), getattr(addr, "port", 0)
        if self._is_own(host, port):
            raise LeadsBack(why(host, port))  # the endpoint fails with it, and the connection is closed
        return self._inner.buildProtocol(addr)

    def doStart(self) -> None:
        self._inner.doStart()

    def doStop(self) -> None:
        self._inner.doStop()


def why(host: str, port: int) -> str:
    """Return what is wrong with an address, for people."""
    return f"{f'[{host}]' if ':' in host else host}:{port} is gatekeeper's own port"

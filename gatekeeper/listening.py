"""The ports of a site: opened all or none, TLS where the configuration says so, closed together.

TLS is 1.2 or 1.3, with Twisted's choice of ciphers. Certificates are read at the start, and again by a reload.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import SSL4ServerEndpoint, TCP4ServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall, IOpenSSLContextFactory, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper.access.certificate import Certificate
from gatekeeper.addresses import Place, is_own
from gatekeeper.errors import ConfigurationError

WARNED_BEFORE = timedelta(days=14)
"""How long before its end a certificate is warned of: time for somebody to be back from a holiday."""

WARNED_EVERY = 86400.0
"""Seconds between warnings: a site runs for months, and its log is read now and then."""


class Listening(Service):
    """Every place that a site listens on.

    :param places: as configured.
    :param folder: what relative paths of certificates are relative to.
    :param data: the data folder, whose `tls` holds the site's own certificate.
    :param wall: Unix seconds now.
    :param key: where the places stand in the configuration, for errors.
    :raises ConfigurationError: if a certificate is missing or can't be used.
    """

    log = Logger()

    def __init__(
        self,
        places: Sequence[Place],
        folder: Path,
        data: Path,
        reactor: Any,
        wall: Callable[[], float],
        *,
        interfaces: Callable[[], set[str]] | None = None,
        key: str = "listen",
    ) -> None:
        self._places = places
        self._key = key
        self._reactor = reactor
        self._wall = wall
        self._interfaces = interfaces or own_addresses
        self._folder, self._data = folder, data
        self._certificates = certificates(places, folder, data)
        self._contexts: dict[Place, _Context] = {}
        self._ports: list[tuple[Place, Any]] = []
        self._timer: IDelayedCall | None = None

    # --- opening and closing ---

    def open(self, factory: IProtocolFactory) -> None:
        """Listen on every place, or on none.

        :raises ConfigurationError: naming the place that can't be had.
        """
        for place in self._places:
            opened: list[Any] = []
            maybeDeferred(self._open, place, factory).addBoth(opened.append)
            if not opened or isinstance(opened[0], Failure):
                self.close()
                raise ConfigurationError(f"{self._key}: can't listen on {place.text}: {_why(opened)}")
            self._ports.append((place, opened[0]))

    def _open(self, place: Place, factory: IProtocolFactory) -> Any:
        reactor, interface = self._reactor, place.interface
        if place.port is None:
            return serverFromString(reactor, place.text).listen(factory)
        if place.scheme == "tcp":
            return TCP4ServerEndpoint(reactor, place.port, interface=interface).listen(factory)
        self._contexts[place] = context = _Context(self._certificates[place])
        return SSL4ServerEndpoint(reactor, place.port, context, interface=interface).listen(factory)

    def certificates(self) -> dict[Place, Certificate]:
        """Return the certificates as they stand in their files now.

        :raises ConfigurationError: if one is missing or can't be used.
        """
        return certificates(self._places, self._folder, self._data)

    def renew(self, renewed: dict[Place, Certificate]) -> None:
        """Speak TLS with these from the next connection on."""
        self._certificates = renewed
        for place, context in self._contexts.items():
            context.take(renewed[place])

    def close(self) -> Deferred[Any]:
        """Listen no more; fires when no port is left."""
        ports, self._ports = self._ports, []
        return DeferredList([maybeDeferred(port.stopListening) for _, port in ports], consumeErrors=True)

    def startService(self) -> None:
        super().startService()
        self._warn()

    def stopService(self) -> Deferred[Any]:
        """Close every port."""
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return self.close()

    def _warn(self) -> None:
        for place, certificate in self._certificates.items():
            left = certificate.ends - datetime.fromtimestamp(self._wall(), UTC)
            if left < WARNED_BEFORE:
                self.log.warn(
                    "the certificate of {place} {verb} on {ends}: renew it{how}, then reload with SIGHUP",
                    place=place.text,
                    verb="ends" if left > timedelta() else "ended",
                    ends=f"{certificate.ends:%Y-%m-%d %H:%M} UTC",
                    how=" with gatekeeper tls init" if place.key is None else "",
                )
        if self._certificates:
            self._timer = self._reactor.callLater(WARNED_EVERY, self._warn)

    # --- what is known of it ---

    @property
    def port(self) -> int:
        """The first TCP port, with TLS or without."""
        return next(number for _, _, number in self._bound())

    @property
    def numbers(self) -> list[int]:
        """Every TCP port, with TLS or without."""
        return [number for _, _, number in self._bound()]

    @property
    def base(self) -> str | None:
        """The address that a browser on this machine opens: with TLS where there is a place with it.

        None if there are only Unix sockets.
        """
        found = sorted(self._bound(), key=lambda one: one[0].scheme != "ssl")
        for place, host, number in found:
            scheme = "https" if place.scheme == "ssl" else "http"
            return f"{scheme}://{self._name(place, host)}:{number}"
        return None

    def _name(self, place: Place, host: str) -> str:
        certificate = self._certificates.get(place)
        if certificate is not None and place.key is not None and certificate.host is not None:
            return certificate.host  # a public certificate is for a name, not for an address
        name = place.interface or host
        name = {"0.0.0.0": "localhost", "::": "localhost"}.get(name, name)  # noqa: S104 - compared, not bound
        return f"[{name}]" if ":" in name else name

    def is_own(self, host: str, port: int) -> bool:
        """Return whether a connection to a host and port would reach this site itself."""
        bound = [(place.interface, number) for place, _, number in self._bound()]
        if port not in {number for _, number in bound}:
            return False  # nearly always, and without asking the system
        return is_own(host, port, bound, self._interfaces())

    def _bound(self) -> list[tuple[Place, str, int]]:
        """Return place, address and port of every TCP place that is open."""
        hosts = [(place, port.getHost()) for place, port in self._ports if place.port is not None]
        return [(place, host.host, host.port) for place, host in hosts]


@implementer(IOpenSSLContextFactory)
class _Context:
    """What Twisted asks for each connection: the newest certificate."""

    def __init__(self, certificate: Certificate) -> None:
        self.take(certificate)

    def take(self, certificate: Certificate) -> None:
        """Hand out this one from now on."""
        self._options = certificate.options()

    def getContext(self) -> Any:
        """Return the context of the next connection."""
        return self._options.getContext()


def certificates(places: Sequence[Place], folder: Path, data: Path) -> dict[Place, Certificate]:
    """Return the certificate of each place with TLS; for `--check`, too.

    :raises ConfigurationError: if one is missing or can't be used.
    """
    return {place: Certificate(place, folder, data) for place in places if place.scheme == "ssl"}


def own_addresses() -> set[str]:
    """Return the addresses of this machine's interfaces."""
    return {address.address for several in psutil.net_if_addrs().values() for address in several}


def _why(opened: list[Any]) -> object:
    reason = opened[0].value if opened else "it takes too long"
    return reason.socketError if isinstance(reason, CannotListenError) else reason

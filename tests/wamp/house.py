"""A router on real sockets of every kind."""

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    wrapClientTLS,
)
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.transport import rawsocket_factory, websocket_factory
from tests.wamp.helpers import open_router
from tests.wamp.test_live import policy_for, self_signed


class House:
    """A router that listens for RawSocket and WebSocket, with the server's own session."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()  # stands still, so that only what a test does can end a session
        self.folder = folder
        self.router = open_router(policies=policy_for)
        self.local = LocalSession(self.router, Identity("server", TRUSTED, "internal"))
        self.raw = rawsocket_factory(self.router, clock=self.clock)
        self.web = websocket_factory(self.router, clock=self.clock)
        self.ports: list[Any] = []

    async def listen(self, kind: str, factory: Any = None) -> Any:
        """Return a client's endpoint of a new listening port."""
        factory = factory or self.raw
        if kind == "unix":
            path = str(self.folder / "router")
            self.ports.append(await UNIXServerEndpoint(reactor, path).listen(factory))
            return UNIXClientEndpoint(reactor, path)
        if kind == "tls":
            factory = TLSMemoryBIOFactory(self_signed(), False, factory)
        self.ports.append(await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory))
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", self.ports[-1].getHost().port)
        return wrapClientTLS(CertificateOptions(verify=False), client) if kind == "tls" else client

    async def close(self) -> None:
        for port in self.ports:
            await port.stopListening()
        for factory in (self.raw, self.web):
            closed = factory.close()
            for connection in tuple(factory.connections):
                connection.transport.abortConnection()
            await closed
        assert self.clock.getDelayedCalls() == []

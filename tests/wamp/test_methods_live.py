"""Authentication with Autobahn's own client over loopback: each method, each serializer, WebSocket and RawSocket."""

import os
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.rawsocket import WampRawSocketClientFactory
from autobahn.twisted.wamp import ApplicationSession
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp import auth
from autobahn.wamp.types import ComponentConfig
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.task import Clock

from gatekeeper.wamp.methods import (
    Anonymous,
    AutobahnScram,
    Chooser,
    Cryptosign,
    Listed,
    Principal,
    Principals,
    Ticket,
    WampCra,
    autobahn_scram_credential,
    cra_credential,
    ticket_credential,
)
from gatekeeper.wamp.methods.wampcra import CraCredential
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.transport import rawsocket_factory, websocket_factory
from tests.wamp.wire import SERIALIZERS

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def principals() -> Principals:
    found = {
        "ticket": {"joe": Principal("joe", "user", ticket_credential("secret"))},
        "wampcra": {
            "joe": Principal("joe", "user", cra_credential("secret", iterations=100)),
            "jim": Principal("jim", "user", CraCredential(b"secret")),
        },
        "scram": {},
        "cryptosign": {KEY.public_key().public_bytes_raw().hex(): Principal("joe", "user")},
    }
    if pytest.importorskip("argon2"):
        found["scram"]["joe"] = Principal("joe", "user", autobahn_scram_credential("secret", bytes(16), 1, 64))
    return Listed(found)


class Proving(ApplicationSession):  # type: ignore[misc]  # Autobahn is untyped
    """Autobahn's session with one of Autobahn's own authenticators."""

    def __init__(self, proof: Any, authid: str | None) -> None:
        super().__init__(ComponentConfig("realm"))
        self.proof = proof
        self.asked_authid = authid
        self.ended: Deferred[Any] = Deferred()

    def onConnect(self) -> None:
        self.join("realm", [self.proof.name], self.asked_authid, authextra=self.proof.authextra)

    def onChallenge(self, challenge: Any) -> Any:
        return self.proof.on_challenge(self, challenge)

    def onWelcome(self, welcome: Any) -> Any:
        return self.proof.on_welcome(self, welcome.authextra)

    def onJoin(self, details: Any) -> None:
        self.ended.callback(details)

    def onLeave(self, details: Any) -> None:
        if not self.ended.called:
            self.ended.callback(details)
        self.disconnect()


class Ports:
    """A router on one port for each transport."""

    async def open(self) -> None:
        store = principals()
        methods = [method(store) for method in (Ticket, WampCra, AutobahnScram, Cryptosign)]
        router = Router("realm", Chooser([*methods, Anonymous()]))
        self.factories: dict[str, Any] = {
            "websocket": websocket_factory(router, clock=Clock()),
            "rawsocket": rawsocket_factory(router, clock=Clock()),
        }
        self.ports = {
            name: await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
            for name, factory in self.factories.items()
        }

    async def close(self) -> None:
        for port in self.ports.values():
            await port.stopListening()
        for factory in self.factories.values():
            await factory.close()

    async def present(self, transport: str, serializer: Any, proof: Any, authid: str | None) -> Any:
        """Connect and return what became of it: SessionDetails or CloseDetails."""
        session = Proving(proof, authid)
        port = self.ports[transport].getHost().port
        factory = (
            WampWebSocketClientFactory(lambda: session, url=f"ws://127.0.0.1:{port}", serializers=[serializer()])
            if transport == "websocket"
            else WampRawSocketClientFactory(lambda: session, serializer=serializer())
        )
        await TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(factory)
        return await session.ended


@pytest.fixture
def ports() -> Iterator[Ports]:
    ports = Ports()
    pytest_twisted.blockon(Deferred.fromCoroutine(ports.open()))
    yield ports
    pytest_twisted.blockon(Deferred.fromCoroutine(ports.close()))


@pytest.fixture
def scram_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Autobahn what it looks for when imported: passlib, for one function, is no more maintained."""
    low_level = pytest.importorskip("argon2.low_level")
    monkeypatch.setattr(auth, "HAS_ARGON", True)
    monkeypatch.setattr(auth, "Type", low_level.Type, raising=False)
    monkeypatch.setattr(auth, "hash_secret", low_level.hash_secret, raising=False)
    monkeypatch.setattr(auth, "saslprep", lambda name: unicodedata.normalize("NFKC", name), raising=False)


every_serializer = pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda made: made.__name__)
every_transport = pytest.mark.parametrize("transport", ["websocket", "rawsocket"])


BY_SECRET = {
    "ticket": lambda secret, _authid: auth.AuthTicket(ticket=secret),
    "wampcra": lambda secret, authid: auth.AuthWampCra(secret=secret, authid=authid),
    "scram": lambda secret, authid: auth.AuthScram(password=secret, authid=authid),
}


@every_transport
@every_serializer
@pytest.mark.parametrize("who", [("ticket", "joe"), ("wampcra", "joe"), ("wampcra", "jim"), ("scram", "joe")])
@pytest.mark.usefixtures("scram_client")
async def test_by_secret(ports: Ports, transport: str, serializer: Any, who: tuple[str, str]) -> None:
    method, authid = who
    right = await ports.present(transport, serializer, BY_SECRET[method]("secret", authid), authid)
    assert (right.authid, right.authrole, right.authmethod) == (authid, "user", method)
    wrong = await ports.present(transport, serializer, BY_SECRET[method]("wrong", authid), authid)
    assert wrong.reason == "wamp.error.authentication_failed"


@every_transport
@every_serializer
async def test_anonymously(ports: Ports, transport: str, serializer: Any) -> None:
    details = await ports.present(transport, serializer, auth.AuthAnonymous(), None)
    assert (details.authrole, details.authmethod) == ("anonymous", "anonymous")


@every_transport
@every_serializer
@pytest.mark.parametrize("is_known", [True, False])
async def test_by_key(ports: Ports, transport: str, serializer: Any, is_known: bool) -> None:
    for needed in ("nacl", "base58", "ecdsa"):
        pytest.importorskip(needed, reason="Autobahn signs with PyNaCl, and imports these beside it")
    private = (bytes(range(32)) if is_known else os.urandom(32)).hex()
    details = await ports.present(transport, serializer, auth.AuthCryptoSign(privkey=private), None)
    if is_known:
        assert (details.authid, details.authrole, details.authmethod) == ("joe", "user", "cryptosign")
    else:
        assert details.reason == "wamp.error.authentication_failed"

"""Proofs that are bound to one TLS connection: real TLS of both versions, over loopback."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory

from gatekeeper.wamp.channel import channel_of
from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.methods import Chooser, Cryptosign, Listed, Principal, Scram, scram_credential
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.transport import rawsocket_factory, websocket_factory
from tests.wamp.helpers import ROLES
from tests.wamp.proofs import ScramClient, cryptosign_signature, pubkey_of
from tests.wamp.rawsocket import RawSocketClient
from tests.wamp.test_live import self_signed
from tests.wamp.wire import Raw

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRINCIPALS = Listed(
    {
        "cryptosign": {pubkey_of(KEY): Principal("joe", "user")},
        "wamp-scram": {"joe": Principal("joe", "user", scram_credential("secret", "pbkdf2", iterations=10))},
    }
)
VERSIONS = [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3]
every_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
every_transport = pytest.mark.parametrize("transport", ["websocket", "rawsocket"])


def finished(connection: SSL.Connection) -> bytes:
    sent = connection.get_finished()
    assert sent is not None
    return sent


def exported(connection: SSL.Connection) -> bytes:
    return connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")


def certificate_hash(connection: SSL.Connection) -> bytes:
    certificate = connection.get_peer_certificate()
    assert certificate is not None
    return hashlib.sha256(certificate.to_cryptography().public_bytes(Encoding.DER)).digest()


BINDINGS: dict[str, Callable[[SSL.Connection], bytes]] = {
    "tls-unique": finished,
    "tls-exporter": exported,
    "tls-server-end-point": certificate_hash,
}


class House:
    """A router behind TLS."""

    def __init__(self) -> None:
        router = Router("realm", Chooser([Cryptosign(PRINCIPALS), Scram(PRINCIPALS)]))
        self.clock = Clock()
        self.factories: dict[str, Any] = {
            "websocket": websocket_factory(router, clock=self.clock),
            "rawsocket": rawsocket_factory(router, clock=self.clock),
        }
        self.ports: list[Any] = []

    async def connect(self, transport: str, version: TLSVersion) -> Any:
        """Return a raw client, connected by this version of TLS."""
        wrapped = TLSMemoryBIOFactory(self_signed(), False, self.factories[transport])
        self.ports.append(await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(wrapped))
        options = CertificateOptions(verify=False, insecurelyLowerMinimumTo=version, lowerMaximumSecurityTo=version)
        endpoint = wrapClientTLS(options, TCP4ClientEndpoint(reactor, "127.0.0.1", self.ports[-1].getHost().port))
        client: Protocol = Raw(CBOR) if transport == "websocket" else RawSocketClient(CBOR)
        return await connectProtocol(endpoint, client)

    async def close(self) -> None:
        for port in self.ports:
            await port.stopListening()
        for factory in self.factories.values():
            for connection in tuple(factory.connections):
                connection.transport.abortConnection()
            await factory.close()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    pytest_twisted.blockon(Deferred.fromCoroutine(house.close()))


async def exchange(client: Any, *message: Any) -> list[Any]:
    """Send a message and return the answer."""
    count = len(client.messages)
    client.say(*message)
    await client.until(lambda: len(client.messages) > count)
    answer: list[Any] = client.messages[count]
    return answer


def channel_id(client: Any, binding: str) -> bytes:
    given = BINDINGS[binding](client.transport.getHandle())
    return hashlib.sha256(given).digest() if binding == "tls-unique" else given


async def cryptosign(client: Any, binding: str, channel: Callable[[], bytes]) -> list[Any]:
    """Authenticate with a key, bound to this channel, and return the answer."""
    extra = {"pubkey": pubkey_of(KEY), "channel_binding": binding}
    hello = {**ROLES, "authmethods": ["cryptosign"], "authextra": extra}
    challenge = await exchange(client, 1, "realm", hello)
    assert challenge[:2] == [4, "cryptosign"], challenge
    assert challenge[2]["channel_binding"] == binding
    return await exchange(client, 5, cryptosign_signature(KEY, challenge[2], channel()), {})


@pytest.mark.spec("Cryptosign-based Authentication", "TLS channel binding by tls-unique and tls-exporter")
@pytest.mark.parametrize("binding", ["tls-unique", "tls-exporter"])
@every_version
@every_transport
async def test_a_key_on_its_own_connection(house: House, transport: str, version: TLSVersion, binding: str) -> None:
    client = await house.connect(transport, version)
    answer = await cryptosign(client, binding, lambda: channel_id(client, binding))
    assert (answer[0], answer[2]["authid"]) == (2, "joe")
    client.abort()


@pytest.mark.spec("Cryptosign-based Authentication", "a signature of one TLS connection is worth nothing on another")
@pytest.mark.parametrize("binding", ["tls-unique", "tls-exporter"])
@every_version
async def test_a_signature_made_on_another_connection(house: House, version: TLSVersion, binding: str) -> None:
    victim, attacker = await house.connect("rawsocket", version), await house.connect("rawsocket", version)
    answer = await cryptosign(attacker, binding, lambda: channel_id(victim, binding))
    assert answer[::2] == [3, "wamp.error.authentication_failed"]
    for client in (victim, attacker):
        client.abort()


@pytest.mark.spec("WAMP-SCRAM", "the channel binding data of both sides must be the same")
@pytest.mark.parametrize("binding", BINDINGS)
@every_version
async def test_a_password_on_its_own_connection(house: House, version: TLSVersion, binding: str) -> None:
    client = await house.connect("rawsocket", version)
    # The first octets of the handshake make sure that TLS's own is done, and with it the binding's data.
    await client.until(lambda: bool(client.reply))
    scram = ScramClient("joe", "secret", (binding, BINDINGS[binding](client.transport.getHandle())))
    hello = {**ROLES, "authmethods": ["wamp-scram"], "authid": "joe", "authextra": scram.authextra}
    challenge = await exchange(client, 1, "realm", hello)
    welcome = await exchange(client, 5, *scram.answer(challenge[2]))
    assert (welcome[0], welcome[2]["authextra"]) == (2, {"verifier": scram.verifier})
    client.abort()


@pytest.mark.parametrize("binding", [*BINDINGS, "nonsense"])
def test_without_tls_there_is_no_channel(binding: str) -> None:
    assert channel_of(StringTransport())(binding) is None


async def test_an_unknown_binding_of_a_tls_connection(house: House) -> None:
    client = await house.connect("rawsocket", VERSIONS[-1])
    extra = {"pubkey": pubkey_of(KEY), "channel_binding": "nonsense"}
    answer = await exchange(client, 1, "realm", {**ROLES, "authmethods": ["cryptosign"], "authextra": extra})
    assert answer[::2] == [3, "wamp.error.authentication_failed"]
    client.abort()


def test_the_test_certificate_is_hashed_with_sha256() -> None:
    certificate: Any = self_signed().certificate
    assert isinstance(certificate, x509.Certificate)
    algorithm = certificate.signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == "sha256"

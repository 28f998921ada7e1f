"""What binds a proof to one TLS connection (RFC 5929, RFC 9266), as Twisted's TLS by pyOpenSSL gives it.

    tls-unique             the client's Finished message of the handshake; sessions are never resumed here, since
                           Twisted's servers offer neither tickets nor a cache
    tls-exporter           32 octets of exported keying material, for TLS 1.3
    tls-server-end-point   the hash of the server's certificate

RFC 9266 leaves `tls-unique` undefined for TLS 1.3, where the Finished message authenticates the whole handshake all
the same; Autobahn's clients know no other, so it is given there too.
"""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import ISSLTransport

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection

_LABEL = b"EXPORTER-Channel-Binding"
_OCTETS = 32


def channel_of(transport: Any) -> Callable[[str], bytes | None]:
    """Return what gives this transport's binding data by the name of the binding, and None where there is none."""

    def channel(binding: str) -> bytes | None:
        give = _GIVEN.get(binding)
        # Where TLS is in use its libraries are imported already; a router without TLS spares them.
        is_encrypted: bool = ISSLTransport.providedBy(transport)
        return give(transport.getHandle()) if give and is_encrypted else None

    return channel


def _finished(connection: "Connection") -> bytes | None:
    return connection.get_peer_finished()


def _exported(connection: "Connection") -> bytes | None:
    return connection.export_keying_material(_LABEL, _OCTETS, b"")


def _certificate_hash(connection: "Connection") -> bytes | None:
    certificate = connection.get_certificate()
    if certificate is None:
        return None
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    made = certificate.to_cryptography()
    algorithm = made.signature_hash_algorithm
    if algorithm is None:  # Ed25519 and the like: the binding isn't defined
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return hashlib.new(name, made.public_bytes(Encoding.DER)).digest()


_GIVEN: dict[str, Callable[["Connection"], bytes | None]] = {
    "tls-unique": _finished,
    "tls-exporter": _exported,
    "tls-server-end-point": _certificate_hash,
}

"""SCRAM as Autobahn|Python's client and Crossbar.io speak it, which is an older draft: method "scram".

It differs from the specification in these: the derivation is named "argon2id-13", and its base64 text without padding
is the salted password; `c=` in the signed text is empty; AUTHENTICATE repeats nothing; WELCOME's verifier is
`scram_server_signature`. A credential of the one doesn't fit the other.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from gatekeeper.wamp.methods.principals import Principals, octets
from gatekeeper.wamp.methods.scram import Exchange, Scram, ScramCredential, argon2id, from_salted

KDF = "argon2id-13"
ITERATIONS, MEMORY_KIB = 4096, 512  # what Autobahn's `derive_scram_credential` takes


def autobahn_scram_credential(
    password: str, salt: bytes, iterations: int = ITERATIONS, memory: int = MEMORY_KIB
) -> ScramCredential:
    """Return the credential of a password, equal to that of Autobahn's own function."""
    salted = b64encode(argon2id(octets(password), salt, iterations, memory)).rstrip(b"=")
    return from_salted(salted, KDF, salt, iterations, memory)


class AutobahnScram(Scram):
    """Method "scram"; see `Scram`."""

    name = "scram"

    def __init__(self, principals: Principals, *, decoy_secret: bytes | None = None) -> None:
        form = ScramCredential(KDF, b"", ITERATIONS, MEMORY_KIB, b"", b"")
        super().__init__(principals, decoy=form, decoy_secret=decoy_secret)

    def client_final(self, exchange: Exchange, _extra: Mapping[str, Any]) -> str | None:
        """Return the client's last message but for its proof; this draft binds to no channel."""
        return f"c=,r={exchange.nonce}" if exchange.binding is None else None

    def proof_of_server(self, signature: str) -> dict[str, Any]:
        """Return the verifier under the draft's name."""
        return {"scram_server_signature": signature}

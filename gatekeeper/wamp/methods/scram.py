"""WAMP-SCRAM (Advanced Profile, "Salted Challenge Response Authentication"; RFC 5802, RFC 7677).

    HELLO         authid, authextra {nonce, channel_binding?}
    CHALLENGE     [4, "wamp-scram", {nonce, salt, kdf, iterations, memory?}]
    AUTHENTICATE  [5, base64(ClientProof), {nonce, channel_binding?, cbind_data?}]
    WELCOME       authextra {verifier: base64(ServerSignature)}

Neither the password nor anything that could stand for it is stored or sent. The key is derived by the client; here a
proof costs two HMACs, whatever the client's derivation costs. Only making a credential needs argon2-cffi.
"""

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Peer
from gatekeeper.wamp.errors import AUTHENTICATION_FAILED
from gatekeeper.wamp.methods.principals import DENIED, Decoy, Principal, Principals, not_this_way, octets, verdict
from gatekeeper.wamp.methods.saslprep import saslprep

ARGON2, PBKDF2 = "argon2id13", "pbkdf2"
ITERATIONS = {ARGON2: 3, PBKDF2: 100_000}
MEMORY_KIB = 64 * 1024  # of the client, for each derivation by Argon2
KEY_OCTETS = 32
MAX_NONCE = 256  # characters; 24 are recommended
_SALT_OCTETS = 16


@dataclass(frozen=True, slots=True)
class ScramCredential:
    """What a store keeps of a password.

    :ivar kdf: "argon2id13" or "pbkdf2".
    :ivar memory: KiB, of Argon2 only.
    """

    kdf: str
    salt: bytes
    iterations: int
    memory: int | None
    stored_key: bytes
    server_key: bytes

    def parameters(self) -> dict[str, Any]:
        """Return what the client needs to derive the key."""
        asked = {"salt": b64encode(self.salt).decode(), "kdf": self.kdf, "iterations": self.iterations}
        return asked if self.memory is None else {**asked, "memory": self.memory}


def scram_credential(
    password: str,
    kdf: str = ARGON2,
    *,
    salt: bytes | None = None,
    iterations: int | None = None,
    memory: int = MEMORY_KIB,
) -> ScramCredential:
    """Return the credential of a password, with a random salt unless one is given.

    :raises ValueError: the password holds what SASLprep prohibits.
    :raises ImportError: the key derivation is Argon2, and argon2-cffi isn't installed.
    """
    salt = salt if salt is not None else secrets.token_bytes(_SALT_OCTETS)
    iterations = iterations or ITERATIONS[kdf]
    secret = octets(saslprep(password))
    if kdf == ARGON2:
        return from_salted(argon2id(secret, salt, iterations, memory), kdf, salt, iterations, memory)
    salted = hashlib.pbkdf2_hmac("sha256", secret, salt, iterations, KEY_OCTETS)
    return from_salted(salted, kdf, salt, iterations, None)


def argon2id(secret: bytes, salt: bytes, iterations: int, memory: int) -> bytes:
    """Return 32 bytes of Argon2id, version 1.3, with one lane."""
    from argon2.low_level import Type, hash_secret_raw  # noqa: PLC0415 - an extra: only who makes credentials needs it

    return hash_secret_raw(secret, salt, iterations, memory, 1, KEY_OCTETS, Type.ID, 19)


def from_salted(salted: bytes, kdf: str, salt: bytes, iterations: int, memory: int | None) -> ScramCredential:
    """Return the credential of a salted password."""
    client_key = hmac.digest(salted, b"Client Key", hashlib.sha256)
    server_key = hmac.digest(salted, b"Server Key", hashlib.sha256)
    return ScramCredential(kdf, salt, iterations, memory, hashlib.sha256(client_key).digest(), server_key)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said in HELLO and CHALLENGE.

    :ivar binding: the channel binding that the client asked for, and its data.
    """

    principal: Principal | None
    credential: ScramCredential
    authid: str
    client_nonce: str
    nonce: str
    binding: tuple[str, bytes] | None

    @property
    def first_messages(self) -> str:
        """The client's and the server's first message, as RFC 5802 writes them."""
        name = self.authid.replace("=", "=3D").replace(",", "=2C")
        salt = b64encode(self.credential.salt).decode()
        return f"n={name},r={self.client_nonce},r={self.nonce},s={salt},i={self.credential.iterations}"


class Scram:
    """Method "wamp-scram".

    :param principals: whose credential is a ScramCredential.
    :param decoy: a credential whose form (derivation, iterations, memory) the challenge to unknown names has.
    :param decoy_secret: see `Decoy`.
    """

    name = "wamp-scram"

    def __init__(
        self, principals: Principals, *, decoy: ScramCredential | None = None, decoy_secret: bytes | None = None
    ) -> None:
        self._principals = principals
        self._decoy = decoy or ScramCredential(ARGON2, b"", ITERATIONS[ARGON2], MEMORY_KIB, b"", b"")
        self._made_up = Decoy(decoy_secret)

    def hello(
        self, _realm: str, _authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Any:
        """Answer with the salt, whether the name is known or not."""
        if not authid or "nonce" not in authextra:
            return not_this_way("SCRAM needs an authid and a nonce")
        nonce = authextra["nonce"]
        if not isinstance(nonce, str) or not 0 < len(nonce) <= MAX_NONCE or from_base64(nonce) is None:
            return Deny(AUTHENTICATION_FAILED, "SCRAM needs a nonce in base64")
        kind = authextra.get("channel_binding")
        data = peer.channel(kind) if isinstance(kind, str) else None
        if kind is not None and data is None:
            return Deny(AUTHENTICATION_FAILED, "this channel binding is not supported here")
        try:
            name = saslprep(authid)
        except ValueError:
            return DENIED
        binding = (kind, data) if isinstance(kind, str) and data is not None else None
        found = self._principals.find(self.name, name)
        return after(found, lambda principal: self._challenge(principal, authid, nonce, binding))

    def authenticate(self, challenge_state: Exchange, signature: str, extra: Mapping[str, Any]) -> Accept | Deny:
        """Check the proof."""
        exchange = challenge_state
        message = self.client_final(exchange, extra)
        proof = from_base64(signature)
        if message is None or proof is None or len(proof) != KEY_OCTETS:
            return DENIED
        spoken = octets(f"{exchange.first_messages},{message}")
        credential = exchange.credential
        client_signature = hmac.digest(credential.stored_key, spoken, hashlib.sha256)
        client_key = bytes(a ^ b for a, b in zip(client_signature, proof, strict=True))
        is_right = hmac.compare_digest(hashlib.sha256(client_key).digest(), credential.stored_key)
        verifier = b64encode(hmac.digest(credential.server_key, spoken, hashlib.sha256)).decode()
        return verdict(exchange.principal, self.name, self.proof_of_server(verifier), is_right=is_right)

    def client_final(self, exchange: Exchange, extra: Mapping[str, Any]) -> str | None:
        """Return the client's last message but for its proof; None if it isn't of this exchange."""
        kind, data = exchange.binding or (None, b"")
        sent = extra.get("cbind_data")
        cbind = b64encode(data).decode() if exchange.binding else None
        if extra.get("nonce") != exchange.nonce or extra.get("channel_binding") != kind or sent != cbind:
            return None
        flag = f"p={kind}" if kind else "n"
        return f"c={b64encode(octets(f'{flag},,') + data).decode()},r={exchange.nonce}"

    def proof_of_server(self, signature: str) -> dict[str, Any]:
        """Return what WELCOME carries for the client to know the server by."""
        return {"verifier": signature}

    def _challenge(
        self, principal: Principal | None, authid: str, client_nonce: str, binding: tuple[str, bytes] | None
    ) -> Challenge:
        credential = principal.credential if principal else self._made_up_credential(authid)
        nonce = client_nonce + b64encode(secrets.token_bytes(16)).decode()
        exchange = Exchange(principal, credential, authid, client_nonce, nonce, binding)
        return Challenge(self.name, {"nonce": nonce, **credential.parameters()}, exchange)

    def _made_up_credential(self, authid: str) -> ScramCredential:
        made_up, form = self._made_up, self._decoy
        salt, key = made_up.octets("salt", authid, _SALT_OCTETS), made_up.octets("key", authid, KEY_OCTETS)
        return ScramCredential(form.kdf, salt, form.iterations, form.memory, key, key)


def from_base64(text: str) -> bytes | None:
    """Return the octets of canonical base64, else None."""
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if b64encode(decoded).decode() == text else None

"""WAMP-Cryptosign (Advanced Profile, "Cryptosign-based Authentication"): a proof of an Ed25519 key.

    HELLO         authextra {pubkey, channel_binding?, challenge?}                   all in hexadecimal
    CHALLENGE     [4, "cryptosign", {challenge, channel_binding, pubkey?, signature?}]
    AUTHENTICATE  [5, signature + signed message, {}]

What is signed is the challenge, XORed with the channel's ID where the client asked for a binding, so that a signature
made on one connection is worth nothing on another. With a key of its own the router signs the client's challenge too.
Trustroots, certificates and attestation are not offered.
"""

import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Peer
from gatekeeper.wamp.errors import AUTHENTICATION_FAILED
from gatekeeper.wamp.methods.principals import DENIED, Principal, Principals, not_this_way, verdict

_OCTETS = 32  # of a key, a challenge and a channel's ID
_SIGNED_OCTETS = 96  # a signature and the message
_BINDINGS = ("tls-unique", "tls-exporter")


@dataclass(frozen=True, slots=True)
class _Asked:
    principal: Principal | None
    pubkey: bytes
    message: bytes


class Cryptosign:
    """Method "cryptosign".

    :param principals: asked for public keys; they need no credential.
    :param key: the router's own, to prove itself to clients that ask.
    """

    name = "cryptosign"

    def __init__(self, principals: Principals, key: Ed25519PrivateKey | None = None) -> None:
        self._principals = principals
        self._key = key

    def hello(
        self, _realm: str, _authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Any:
        """Ask for a signature, whether the key is known or not."""
        if "pubkey" not in authextra:
            return not_this_way("cryptosign needs a public key")
        pubkey = from_hex(authextra["pubkey"], _OCTETS)
        theirs = authextra.get("challenge")
        if pubkey is None or (theirs is not None and from_hex(theirs, _OCTETS) is None):
            return Deny(AUTHENTICATION_FAILED, "cryptosign needs 32 octets in hexadecimal")
        binding = authextra.get("channel_binding")
        channel = channel_id(peer, binding)
        if channel is None:
            return Deny(AUTHENTICATION_FAILED, "this channel binding is not supported here")
        found = self._principals.find(self.name, pubkey.hex())
        extra = {"channel_binding": binding, **self._own_proof(theirs, channel)}
        return after(found, lambda principal: self._challenge(_known_as(principal, authid), pubkey, channel, extra))

    def authenticate(self, challenge_state: _Asked, signature: str, _extra: Mapping[str, Any]) -> Accept | Deny:
        """Check the signature."""
        asked = challenge_state
        signed = from_hex(signature, _SIGNED_OCTETS)
        if signed is None or not hmac.compare_digest(signed[64:], asked.message):
            return DENIED
        try:
            Ed25519PublicKey.from_public_bytes(asked.pubkey).verify(signed[:64], asked.message)
        except (InvalidSignature, ValueError):
            return DENIED
        return verdict(asked.principal, self.name, is_right=True)

    def _challenge(
        self, principal: Principal | None, pubkey: bytes, channel: bytes, extra: Mapping[str, Any]
    ) -> Challenge:
        challenge = secrets.token_bytes(_OCTETS)
        asked = _Asked(principal, pubkey, xor(challenge, channel))
        return Challenge(self.name, {"challenge": challenge.hex(), **extra}, asked)

    def _own_proof(self, challenge: Any, channel: bytes) -> dict[str, str]:
        if self._key is None or challenge is None:
            return {}
        message = xor(bytes.fromhex(challenge), channel)
        signed = self._key.sign(message) + message
        return {"pubkey": self._key.public_key().public_bytes_raw().hex(), "signature": signed.hex()}


def channel_id(peer: Peer, binding: Any) -> bytes | None:
    """Return the 32 octets that a challenge is XORed with: zeros without a binding, None if it can't be had."""
    if binding is None:
        return bytes(_OCTETS)
    bound = peer.channel(binding) if binding in _BINDINGS else None
    if bound is None or binding == "tls-exporter":
        return bound
    return hashlib.sha256(bound).digest()  # a TLS Finished message, of whatever length


def xor(one: bytes, other: bytes) -> bytes:
    """Return the octets XORed."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def from_hex(text: Any, size: int) -> bytes | None:
    """Return exactly so many octets written in hexadecimal, else None."""
    if not isinstance(text, str) or len(text) != 2 * size:
        return None
    try:
        return binascii.unhexlify(text)
    except ValueError:  # its own error, and that of text beyond ASCII
        return None


def _known_as(principal: Principal | None, authid: str | None) -> Principal | None:
    """Return the principal unless the client says that it is somebody else."""
    return principal if principal is None or not authid or authid == principal.authid else None

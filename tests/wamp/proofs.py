"""The clients' halves of the authentication methods, written from the specification, apart from the router's."""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def cra_signature(secret: str, extra: dict[str, Any]) -> str:
    """Answer a WAMP-CRA challenge."""
    key = secret.encode()
    if "salt" in extra:
        derived = hashlib.pbkdf2_hmac("sha256", key, extra["salt"].encode(), extra["iterations"], extra["keylen"])
        key = b64encode(derived)
    return b64encode(hmac.new(key, extra["challenge"].encode(), "sha256").digest()).decode()


class ScramClient:
    """One WAMP-SCRAM exchange."""

    def __init__(self, authid: str, password: str, binding: tuple[str, bytes] | None = None) -> None:
        self.authid = authid
        self.password = password
        self.binding = binding
        self.nonce = b64encode(os.urandom(16)).decode()

    @property
    def authextra(self) -> dict[str, Any]:
        return {"nonce": self.nonce, "channel_binding": self.binding[0] if self.binding else None}

    def salted(self, extra: dict[str, Any]) -> bytes:
        salt = b64decode(extra["salt"])
        if extra["kdf"] == "argon2id13":
            from argon2.low_level import Type, hash_secret_raw

            return hash_secret_raw(
                self.password.encode(), salt, extra["iterations"], extra["memory"], 1, 32, Type.ID, 19
            )
        return hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, extra["iterations"])

    def answer(self, extra: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return AUTHENTICATE's signature and extra."""
        assert extra["nonce"].startswith(self.nonce)
        name, data = self.binding or (None, b"")
        cbind = b64encode((f"p={name}" if name else "n").encode() + b",," + data).decode()
        message = (
            f"n={self.authid.replace('=', '=3D').replace(',', '=2C')},r={self.nonce},"
            f"r={extra['nonce']},s={extra['salt']},i={extra['iterations']},c={cbind},r={extra['nonce']}"
        ).encode()
        salted = self.salted(extra)
        client_key = hmac.new(salted, b"Client Key", "sha256").digest()
        signature = hmac.new(hashlib.sha256(client_key).digest(), message, "sha256").digest()
        server_key = hmac.new(salted, b"Server Key", "sha256").digest()
        self.verifier = b64encode(hmac.new(server_key, message, "sha256").digest()).decode()
        proof = b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
        sent = b64encode(data).decode() if name else None
        return proof, {"nonce": extra["nonce"], "channel_binding": name, "cbind_data": sent}


def cryptosign_signature(key: Ed25519PrivateKey, extra: dict[str, Any], channel_id: bytes = bytes(32)) -> str:
    """Answer a cryptosign challenge."""
    message = bytes(a ^ b for a, b in zip(bytes.fromhex(extra["challenge"]), channel_id, strict=True))
    return (key.sign(message) + message).hex()


def pubkey_of(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()

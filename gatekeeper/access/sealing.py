"""The key file that what is password-equivalent is encrypted with: keys that sign tokens, WAMP-CRA's keys.

    <data>/keys/tokens.key    32 random bytes, 0600

A copy of the database alone then opens nothing. What is sealed for one purpose and owner can't be read as another's.
"""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatekeeper.errors import ConfigurationError

FILE = Path("keys") / "tokens.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """Encrypts and derives with one key.

    :param key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(hmac.digest(key, b"gatekeeper seal", hashlib.sha256))

    @classmethod
    def open(cls, data: Path) -> "Seal":
        """Read the key file of a data folder; make it if there is none.

        :raises ConfigurationError: if it can't be read or made, or is no such file.
        """
        file = data / FILE
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _made(file) or file.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"data: can't use {file}: {error.strerror or error}") from error
        if len(key) != _KEY_BYTES:
            raise ConfigurationError(f"data: {file} is not a key file: it has {len(key)} bytes, not {_KEY_BYTES}")
        return cls(key)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt.

        :param purpose: what for and whose; to open it, the same must be said.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)  # of 96 random bits: good for billions under one key
        return nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes | None:
        """Decrypt; return None if this key didn't seal it for this purpose."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            return None

    def seal_text(self, purpose: str, plain: bytes) -> str:
        """Encrypt into text, for a database's text and JSON columns."""
        return base64.b64encode(self.seal(purpose, plain)).decode()

    def unseal_text(self, purpose: str, sealed: str) -> bytes | None:
        """Decrypt what `seal_text` gave; None for anything else."""
        try:
            return self.unseal(purpose, base64.b64decode(sealed, validate=True))
        except ValueError:
            return None

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that are always the same for a purpose, and that nobody can tell without the key."""
        return hmac.digest(self._key, f"gatekeeper derive {purpose}".encode(), hashlib.sha256)


def _made(file: Path) -> bytes | None:
    """Make the file, whole or not at all, unless it is there; two that start at once agree on the first's."""
    if file.exists():
        return None
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(_KEY_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(new, file)  # fails where there is one, unlike a rename
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not file.exists():
                new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return file.read_bytes()

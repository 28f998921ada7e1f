"""The key that signs the record, and the statements that it makes.

The key is made at the first start and never leaves `<data>/keys/`: `evidence.key` (PKCS 8, PEM, for its owner's eyes
only). `evidence-keys.json` beside it keeps the public keys of before and who vouched for whom:
`{"keys": {key id: hex}, "rotations": [{"statement": text, "signature": hex}]}`.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.errors import ConfigurationError
from gatekeeper.evidence.chain import STATEMENT, ZERO, Refused, Signed, Statement, key_id, read, trust

KEY_FILE = "evidence.key"
KNOWN_FILE = "evidence-keys.json"


class Signer:
    """Whoever signs for a site.

    :param private: the key that signs now.
    :param wall: Unix seconds now.
    :param known: public keys of before by key id, and `rotations`, the statements by which they vouch for each other.
    :ivar id: the key's id; `public` its 32 raw bytes; `keys` every key that this site's statements may be signed by.
    """

    def __init__(
        self,
        private: Ed25519PrivateKey,
        wall: Callable[[], float],
        known: Mapping[str, bytes] | None = None,
        rotations: tuple[Signed, ...] = (),
    ) -> None:
        self._private = private
        self._wall = wall
        self.public = private.public_key().public_bytes_raw()
        self.id = key_id(self.public)
        self.rotations = rotations
        self.keys = trust(self.id, {**(known or {}), self.id: self.public}, rotations)

    def sign(self, kind: str, site: str, sequence: int, hash_: bytes, **more: Any) -> Signed:
        """Make a statement of this type about the record `sequence` with this hash."""
        fields = {
            "type": kind,
            "site": site,
            "sequence": sequence,
            "hash": hash_.hex(),
            "time": float(self._wall()),
            "key": self.id,
            **more,
        }
        text = msgspec.json.encode(fields)
        return Signed(text, self._private.sign(STATEMENT + text))

    def read(self, signed: Signed, site: str) -> Statement | None:
        """Return what a statement of this site says, or None if none of the keys signed it."""
        try:
            return read(signed, self.keys, site)
        except Refused:
            return None

    @property
    def pem(self) -> str:
        """The public key for people and other programs, PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._private.public_key().public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def load(folder: Path, wall: Callable[[], float]) -> Signer:
    """Return the signer of a data folder's `keys`; its key is made if there is none.

    :raises ConfigurationError: if the folder or the key can't be used.
    """
    file = folder / KEY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _write_new(file, _pem(Ed25519PrivateKey.generate()))
        file.chmod(0o600)  # a copy or a restore may have widened it
        private = serialization.load_pem_private_key(file.read_bytes(), None)
        known, rotations = _known(folder / KNOWN_FILE)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"{file}: the key of the record can't be used: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"{file}: the key of the record is no Ed25519 key")
    return Signer(private, wall, known, rotations)


def rotate(folder: Path, wall: Callable[[], float], site: str) -> Signer:
    """Make a new key; it and the one of now, which is forgotten, vouch for each other. The site must not be running.

    :raises ConfigurationError: if the folder or the key can't be used.
    """
    old, private = load(folder, wall), Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    rotations = [
        *old.rotations,
        old.sign("key", site, 0, ZERO, next=key_id(public), public=public.hex()),
        Signer(private, wall).sign("key", site, 0, ZERO, next=old.id, public=old.public.hex()),
    ]
    known = {
        "keys": {name: key.hex() for name, key in {**old.keys, key_id(public): public}.items()},
        "rotations": [{"statement": one.text.decode(), "signature": one.signature.hex()} for one in rotations],
    }
    try:
        # In this order: cut off in between, the old key still signs, and the new one is only a name.
        _replace(folder / KNOWN_FILE, json.dumps(known, indent=1).encode())
        _replace(folder / KEY_FILE, _pem(private))
    except OSError as error:
        raise ConfigurationError(f"{folder}: the new key can't be written: {error}") from error
    return load(folder, wall)


def _known(file: Path) -> tuple[dict[str, bytes], tuple[Signed, ...]]:
    if not file.exists():
        return {}, ()
    found = json.loads(file.read_bytes())
    rotations = tuple(Signed(one["statement"].encode(), bytes.fromhex(one["signature"])) for one in found["rotations"])
    return {name: bytes.fromhex(key) for name, key in found["keys"].items()}, rotations


def _pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_new(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, unless another process was first: then its file stands."""
    temporary = _write_beside(file, content)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink()
    _sync(file.parent)


def _replace(file: Path, content: bytes) -> None:
    _write_beside(file, content).replace(file)
    _sync(file.parent)


def _write_beside(file: Path, content: bytes) -> Path:
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(descriptor)
    return temporary


def _sync(folder: Path) -> None:
    if os.name == "nt":  # folders can't be opened there, and needn't be
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

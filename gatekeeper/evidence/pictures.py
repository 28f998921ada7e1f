"""The folder of pictures: a file is named by the SHA-256 of its bytes, `ab/<sha256>.jpg`, and there is one of a kind.

A file is whole before it has its name, and safe on the disk before anybody is told of it: bytes into `incoming/`,
fsync, rename, fsync of the folder. What is in the folder proves nothing: only what a row in the database names is
evidence. Everything here blocks: it runs in threads of its own, or in the database's.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SUFFIX = ".jpg"
UNFINISHED = ".part"
INCOMING = "incoming"


class FileState(StrEnum):
    """What is known of a picture's file."""

    INTACT = "intact"
    MISSING = "missing"
    DAMAGED = "damaged"  # there, and its bytes aren't those that were recorded
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture's bytes are safe on the disk under this hash."""

    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True)
class NotStored:
    """A picture's bytes could not be put on the disk.

    :ivar reason: a few words for people: `the disk is full`.
    """

    reason: str


class PictureFolder:
    """Files by their content.

    :param folder: made when the first picture comes, for the owner only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / INCOMING

    def path(self, sha256: bytes) -> Path:
        """Return where the file of a hash is, or would be."""
        name = sha256.hex()
        return self.folder / name[:2] / (name + SUFFIX)

    def has(self, sha256: bytes) -> bool:
        """Whether there is a file of this name."""
        return self.path(sha256).is_file()

    # --- in ---

    def store(self, pictures: Sequence[bytes]) -> list[Stored | NotStored]:
        """Put pictures on the disk, all of them safe when this returns; say of each what became of it.

        All bytes are written before the first fsync, so that the disk takes them in one go.
        """
        begun = [self._write(jpeg) for jpeg in pictures]
        placed = [self._place(item) if isinstance(item, _Begun) else item for item in begun]
        folders = {self.path(item.sha256).parent for item in placed if isinstance(item, Stored)}
        failed = {folder: why for folder in folders if (why := _sync_folder(folder)) is not None}
        return [
            NotStored(failed[place])
            if isinstance(item, Stored) and (place := self.path(item.sha256).parent) in failed
            else item
            for item in placed
        ]

    def _write(self, jpeg: bytes) -> "_Begun | NotStored":
        sha256 = hashlib.sha256(jpeg).digest()
        place = self.path(sha256)
        begun = _Begun(sha256, len(jpeg), None)
        with suppress(OSError):
            if place.read_bytes() == jpeg:
                return begun  # one that rotted is written anew
        try:
            self._prepare(place.parent)
            begun.file = self._incoming / (sha256.hex() + UNFINISHED)
            with open(os.open(begun.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0) as file:
                written = file.write(jpeg)
            if written != len(jpeg):
                raise OSError(f"{written} of {len(jpeg)} bytes were taken")
        except OSError as error:
            _discard(begun.file)
            return NotStored(why(error))
        return begun

    def _prepare(self, folder: Path) -> None:
        if folder.is_dir() and self._incoming.is_dir():
            return
        for place in (self.folder, self._incoming, folder):
            with suppress(FileExistsError):
                place.mkdir(mode=0o700, parents=True)
                _sync_folder(place.parent)

    def _place(self, begun: "_Begun") -> Stored | NotStored:
        if begun.file is not None:
            try:
                _sync(begun.file)
                os.replace(begun.file, self.path(begun.sha256))
            except FileNotFoundError:
                # The same picture twice in one go: the first has taken the file to its place.
                if not self.has(begun.sha256):
                    return NotStored("it was gone before it had its name")
            except OSError as error:
                _discard(begun.file)
                return NotStored(why(error))
        return Stored(begun.sha256, begun.size)

    def sweep(self) -> int:
        """Remove what a killed process left unfinished; return how many there were. Nobody else may be storing."""
        gone = 0
        for file in self._incoming.glob("*" + UNFINISHED):
            with suppress(OSError):
                file.unlink()
                gone += 1
        return gone

    # --- out ---

    def state(self, sha256: bytes) -> FileState:
        """Read a picture's file through and say whether it is what was recorded."""
        return self.read(sha256)[0]

    def read(self, sha256: bytes) -> tuple[FileState, bytes]:
        """Return a picture's bytes if they are what was recorded, else why not and nothing."""
        try:
            jpeg = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return FileState.MISSING, b""
        except OSError:
            return FileState.UNREADABLE, b""
        if hashlib.sha256(jpeg).digest() != sha256:
            return FileState.DAMAGED, b""
        return FileState.INTACT, jpeg

    def remove(self, hashes: Iterable[bytes]) -> list[tuple[bytes, str]]:
        """Remove the files of these hashes; return those that are still there, and why. A missing one is no failure."""
        failed = []
        for sha256 in hashes:
            try:
                self.path(sha256).unlink(missing_ok=True)
            except OSError as error:
                failed.append((sha256, why(error)))
        return failed

    def files(self) -> Iterator[tuple[bytes, int]]:
        """Yield the hash and the bytes of every file that is named like a picture."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for file in sorted(folder.glob("*" + SUFFIX)):
                try:
                    sha256 = bytes.fromhex(file.stem)
                    size = file.stat().st_size
                except (ValueError, OSError):
                    continue
                if len(sha256) == hashlib.sha256().digest_size:
                    yield sha256, size

    def older_than(self, hashes: Iterable[bytes], moment: float) -> list[bytes]:
        """Return those whose file was written before a moment, Unix seconds."""
        found = []
        for sha256 in hashes:
            with suppress(OSError):
                if self.path(sha256).stat().st_mtime < moment:
                    found.append(sha256)
        return found


@dataclass(slots=True)
class _Begun:
    sha256: bytes
    size: int
    file: Path | None


def why(error: OSError) -> str:
    """Return what went wrong with a disk, in words for people."""
    return WORDS.get(error.errno or 0, error.strerror or str(error))


WORDS = {
    28: "the disk is full",
    122: "the disk's quota is used up",
    5: "the disk fails",
    30: "the disk can only be read",
    13: "the folder can't be written to",
}
"""By errno: ENOSPC, EDQUOT, EIO, EROFS, EACCES."""


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> str | None:
    """Make the names in a folder safe; return why that failed. Windows has no such thing and does it by itself."""
    if os.name == "nt":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return why(error)
    return None


def _discard(file: Path | None) -> None:
    if file is not None:
        with suppress(OSError):
            file.unlink(missing_ok=True)

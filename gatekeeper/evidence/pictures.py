"""The folder of pictures: a file is named by the SHA-256 of its bytes, `ab/<sha256>.jpg`, and there is one of a kind.

A file is whole before it has its name, and safe on the disk before anybody is told of it: bytes into `incoming/`,
sync, rename, sync. What is in the folder proves nothing: only what a row in the database names is
evidence. Everything here blocks: it runs in threads of its own, or in the database's.
"""

import ctypes
import errno
import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SUFFIX = ".jpg"
UNFINISHED = ".part"
INCOMING = "incoming"


Sync = Callable[[str], str | None]
"""Makes everything on the disk of a folder safe; returns why that failed."""

SYNCFS_TELLS = (5, 8)
"""The first Linux whose syncfs says when bytes could not be written."""


def disk_sync() -> Sync | None:
    """Return what makes a whole disk safe in one go, as Linux can since 5.8; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if version is None or (int(version[1]), int(version[2])) < SYNCFS_TELLS:
        return None
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None

    def sync(folder: str) -> str | None:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError as error:
            return why(error)
        try:
            if syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                return why(OSError(number, os.strerror(number)))
        finally:
            os.close(descriptor)
        return None

    return sync


DISK_SYNC = disk_sync()


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
    :param sync: makes everything on the disk of a folder safe, and says why that failed; None: file by file.
    """

    def __init__(self, folder: Path, sync: "Sync | None" = DISK_SYNC) -> None:
        self.folder = folder
        self._text = str(folder)
        self._incoming = os.path.join(self._text, INCOMING)
        self._sync = sync
        self._made: set[str] = set()

    def path(self, sha256: bytes) -> Path:
        """Return where the file of a hash is, or would be."""
        return Path(self._place_of(sha256))

    def _place_of(self, sha256: bytes) -> str:
        name = sha256.hex()
        return f"{self._text}{os.sep}{name[:2]}{os.sep}{name}{SUFFIX}"

    def has(self, sha256: bytes) -> bool:
        """Whether there is a file of this name."""
        return os.path.isfile(self._place_of(sha256))

    # --- in ---

    def store(self, pictures: Sequence[bytes]) -> list[Stored | NotStored]:
        """Put pictures on the disk, all of them safe when this returns; say of each what became of it.

        All bytes are made safe in one go, then all names: one by one that took four times as long on a disk whose
        fsync takes 4 ms.
        """
        found = [self._write(jpeg) for jpeg in pictures]
        self._secure_bytes(found)
        for begun in found:
            self._name(begun)
        self._secure_names(found)
        return [
            NotStored(begun.failed) if begun.failed is not None else Stored(begun.sha256, begun.size) for begun in found
        ]

    def _write(self, jpeg: bytes) -> "_Begun":
        begun = _Begun(hashlib.sha256(jpeg).digest(), len(jpeg))
        begun.place = self._place_of(begun.sha256)
        if _holds(begun.place, jpeg):
            return begun
        begun.file = os.path.join(self._incoming, begun.sha256.hex() + UNFINISHED)
        try:
            try:
                self._prepare(os.path.dirname(begun.place))
                create(begun.file, jpeg)
            except FileNotFoundError:  # somebody removed the folder
                self._made.clear()
                self._prepare(os.path.dirname(begun.place))
                create(begun.file, jpeg)
        except OSError as error:
            begun.fail(why(error))
        return begun

    def _prepare(self, folder: str) -> None:
        if folder in self._made:
            return
        for place in (self._text, self._incoming, folder):
            if not os.path.isdir(place):
                os.makedirs(place, 0o700, exist_ok=True)
                sync_folder(os.path.dirname(place))
        self._made.add(folder)

    def _secure_bytes(self, found: "Sequence[_Begun]") -> None:
        fresh = [begun for begun in found if begun.file is not None]
        if self._sync is None:
            for begun in fresh:
                begun.fail(sync_file(begun.file or ""))
        elif fresh:
            failed = self._sync(self._text)
            for begun in fresh:
                begun.fail(failed)

    def _name(self, begun: "_Begun") -> None:
        if begun.file is None:
            return
        try:
            os.replace(begun.file, begun.place)
        except FileNotFoundError as error:
            # The same picture twice in one go: the first has taken the file to its place.
            if not os.path.isfile(begun.place):
                begun.fail(why(error))
        except OSError as error:
            begun.fail(why(error))

    def _secure_names(self, found: "Sequence[_Begun]") -> None:
        """Make the names safe, also of files that were there: whoever put them there may have been killed before."""
        there = [begun for begun in found if begun.failed is None]
        if self._sync is None:
            folders = {os.path.dirname(begun.place) for begun in there}
            failed = {folder: sync_folder(folder) for folder in folders}
            for begun in there:
                begun.fail(failed[os.path.dirname(begun.place)])
        elif there:
            reason = self._sync(self._text)
            for begun in there:
                begun.fail(reason)

    def sweep(self) -> int:
        """Remove what a killed process left unfinished; return how many there were. Nobody else may be storing."""
        gone = 0
        for file in (self.folder / INCOMING).glob("*" + UNFINISHED):
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
    """A picture on its way: `file` is where its bytes are until they have their name; None if they had it before."""

    sha256: bytes
    size: int
    place: str = ""
    file: str | None = None
    failed: str | None = None

    def fail(self, reason: str | None) -> None:
        if reason is not None and self.failed is None:
            self.failed = reason
            if self.file is not None:
                with suppress(OSError):
                    os.unlink(self.file)
                self.file = None


def _holds(place: str, jpeg: bytes) -> bool:
    """Whether a file is there and is this picture; one that rotted isn't, and is written anew."""
    try:
        if os.stat(place).st_size != len(jpeg):
            return False
        return Path(place).read_bytes() == jpeg
    except OSError:
        return False


def create(file: str, jpeg: bytes) -> None:
    """Write a file, for the owner only; it is not safe on the disk yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        written = os.write(descriptor, jpeg)
        if written != len(jpeg):
            raise OSError(errno.ENOSPC, f"{written} of {len(jpeg)} bytes were taken")
    finally:
        os.close(descriptor)


def why(error: OSError) -> str:
    """Return what went wrong with a disk, in words for people."""
    return WORDS.get(error.errno or 0, error.strerror or str(error))


WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EIO: "the disk fails",
    errno.EROFS: "the disk can only be read",
    errno.EACCES: "the folder can't be written to",
}
"""For people."""


def sync_file(file: str) -> str | None:
    """Make a file's bytes safe; return why that failed. One that isn't there is no failure."""
    try:
        descriptor = os.open(file, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None  # the same picture twice in one go
    except OSError as error:
        return why(error)
    return None


def sync_folder(folder: str) -> str | None:
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

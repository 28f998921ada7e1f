"""The folder of kept pictures: `2026-11-28/yard/<id>.jpg`, so that people find their way in it without us.

A file is whole before it has its name, and safe on the disk before there is a row of it: bytes into `incoming/`, sync,
rename, sync. Everything here blocks: it runs in threads of its own, or in the database's.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from gatekeeper.evidence.pictures import DISK_SYNC, FileState, Sync, create, sync_file, sync_folder, why
from gatekeeper.gallery.snapshot import DAY
from gatekeeper.storage.snapshots import SnapshotRow

INCOMING = "incoming"
UNFINISHED = ".part"
SUFFIX = ".jpg"
ID = re.compile(r"[0-9A-Z]{26}")


class Filed(Protocol):
    """What names a picture's file, and says what must be in it."""

    @property
    def id(self) -> str: ...
    @property
    def camera(self) -> str: ...
    @property
    def day(self) -> str: ...
    @property
    def sha256(self) -> bytes: ...


F = TypeVar("F", bound=Filed)


@dataclass(frozen=True, slots=True)
class Shot:
    """No more than that: of a whole day's pictures there may be many."""

    id: str
    camera: str
    day: str
    sha256: bytes


@dataclass(slots=True)
class _Begun:
    """A picture on its way from `file` to `place`."""

    file: str
    place: str
    failed: str | None = None

    def fail(self, reason: str | None) -> None:
        if reason is not None and self.failed is None:
            self.failed = reason
            for name in (self.file, self.place):  # nobody is told of it, so nothing of it stays
                with suppress(OSError):
                    os.unlink(name)


class SnapshotFolder:
    """Files by day and camera.

    :param folder: made when the first picture comes, for the owner only.
    :param sync: makes everything on the disk of a folder safe, and says why that failed; None: file by file.
    """

    def __init__(self, folder: Path, sync: Sync | None = DISK_SYNC) -> None:
        self.folder = folder
        self._incoming = folder / INCOMING
        self._sync = sync

    def path(self, row: Filed) -> Path:
        """Return where a picture's file is, or would be."""
        return self.folder / row.day / row.camera / f"{row.id}{SUFFIX}"

    def store(self, pictures: Sequence[tuple[SnapshotRow, bytes]]) -> list[str | None]:
        """Put pictures on the disk, all of them safe when this returns; return of each why it isn't, or None."""
        begun = [self._write(row, jpeg) for row, jpeg in pictures]
        self._secure(begun, lambda one: sync_file(one.file))
        for one in begun:
            if one.failed is None:
                try:
                    os.replace(one.file, one.place)
                except OSError as error:
                    one.fail(why(error))
        self._secure(begun, lambda one: sync_folder(os.path.dirname(one.place)))
        return [one.failed for one in begun]

    def _write(self, row: SnapshotRow, jpeg: bytes) -> _Begun:
        place = self.path(row)
        one = _Begun(str(self._incoming / f"{row.id}{UNFINISHED}"), str(place))
        try:
            self._prepare(place.parent)
            create(one.file, jpeg)
        except OSError as error:
            one.fail(why(error))
        return one

    def _prepare(self, folder: Path) -> None:
        for place in (self.folder, self._incoming, folder.parent, folder):
            if not place.is_dir():
                place.mkdir(0o700, parents=True, exist_ok=True)
                sync_folder(str(place.parent))

    def _secure(self, begun: Sequence[_Begun], singly: Callable[[_Begun], str | None]) -> None:
        there = [one for one in begun if one.failed is None]
        together = self._sync(str(self.folder)) if self._sync is not None and there else None
        for one in there:
            one.fail(together if self._sync is not None else singly(one))

    def sweep(self) -> int:
        """Remove what a killed process left unfinished; return how many there were. Nobody else may be storing."""
        gone = 0
        for file in self._incoming.glob("*" + UNFINISHED):
            with suppress(OSError):
                file.unlink()
                gone += 1
        return gone

    # --- out ---

    def read(self, row: Filed) -> tuple[FileState, bytes]:
        """Return a picture's bytes if they are what was kept, else why not and nothing."""
        try:
            jpeg = self.path(row).read_bytes()
        except FileNotFoundError:
            return FileState.MISSING, b""
        except OSError:
            return FileState.UNREADABLE, b""
        if hashlib.sha256(jpeg).digest() != row.sha256:
            return FileState.DAMAGED, b""
        return FileState.INTACT, jpeg

    def remove(self, rows: Iterable[F], *, tidy: bool = False) -> list[tuple[F, str]]:
        """Remove the files of these rows; return those that stay, and why. A missing one is no failure.

        :param tidy: remove folders that are empty then; only where nobody is storing.
        """
        failed = []
        for row in rows:
            path = self.path(row)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                failed.append((row, why(error)))
                continue
            if tidy:
                with suppress(OSError):  # not empty, as a rule
                    path.parent.rmdir()
                    path.parent.parent.rmdir()
        return failed

    def files(self) -> Iterator[tuple[str, int, float]]:
        """Yield id, bytes and time of writing (Unix seconds) of every file that is named like a kept picture."""
        for file in self.folder.glob(f"*/*/*{SUFFIX}"):
            if ID.fullmatch(file.stem) and re.fullmatch(DAY, file.parent.parent.name):
                with suppress(OSError):
                    found = file.stat()
                    yield file.stem, found.st_size, found.st_mtime

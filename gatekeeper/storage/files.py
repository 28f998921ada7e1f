"""Files that appear whole or not at all, and files that take others' places until that is final."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Self

from gatekeeper.storage.sqlite import sync


def made(folder: Path) -> Path:
    """Make a folder if there is none, for its owner alone; return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class Replacing:
    """A file that appears whole under its name, or not at all; only its owner may read it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")

    def __enter__(self) -> Self:
        descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self.file = open(descriptor, "w+b")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
        finally:
            self.file.close()
            if kind is not None:
                with suppress(FileNotFoundError):
                    self._partial.unlink()
        if kind is None:
            self._partial.replace(self._target)
            sync(self._target.parent)


class Placed:
    """Files moved to where they belong; while this is entered they can still be taken back.

    :param moves: from where, to where. What is there already is put back unless `keep` is called.
    """

    def __init__(self, moves: list[tuple[Path, Path]]) -> None:
        self._moves = moves
        self._replaced: list[tuple[Path, Path]] = []
        self._new: list[Path] = []
        self._kept = False

    def keep(self) -> None:
        """Let the new files stay."""
        self._kept = True

    def __enter__(self) -> Self:
        try:
            for file, target in self._moves:
                self._place(file, target)
        except BaseException:
            self._undo()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._undo()

    def _place(self, file: Path, target: Path) -> None:
        made(target.parent)
        if target.exists():
            before = file.with_name(file.name + ".before")
            shutil.copy2(target, before)
            self._replaced.append((before, target))
        else:
            self._new.append(target)
        shutil.move(file, target)  # the configuration may be on another disk
        sync(target.parent)

    def _undo(self) -> None:
        for before, target in self._replaced:
            shutil.move(before, target)
        for target in self._new:
            target.unlink(missing_ok=True)

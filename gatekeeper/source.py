"""The configuration file of a running site: where it is, how it is read again, and how it is written."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatekeeper import config
from gatekeeper.errors import ConfigurationError, Conflict

BEFORE: Final = ".bak"  # behind the file's name: what it held before the last change that was made here


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration file.

    :ivar overridden: returns a configuration with what the command line says instead.
    """

    file: Path
    overridden: Callable[[config.Site], config.Site]

    def load(self) -> config.Site:
        """Return what the file says now.

        :raises ConfigurationError: if it can't be read or used.
        """
        return self.overridden(config.load(self.file))

    def check(self, text: str) -> config.Site:
        """Return what the file would say if it held this text.

        :raises ConfigurationError: if it couldn't be used.
        """
        return self.overridden(config.parse(text.removeprefix("\ufeff"), str(self.file)))

    def text(self) -> str:
        """Return what the file holds, line breaks and byte order mark as they are.

        :raises ConfigurationError: if it can't be read.
        """
        try:
            return self.file.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self.file}: can't be read: {error}") from error

    def write(self, before: str, after: str) -> None:
        """Have the file hold another text: whole, or not at all. What it held is kept beside it.

        Who may read it stays as it was.

        :param before: what it must hold now.
        :raises Conflict: if it doesn't.
        :raises ConfigurationError: if it can't be written.
        """
        file = self.file.resolve()  # what a link leads to is replaced, not the link
        try:
            if self.text() != before:
                raise Conflict(f"{self.file} was changed meanwhile by somebody else; look at it and try again")
            _replace(file.with_name(file.name + BEFORE), before, file)
            _replace(file, after, file)
        except OSError as error:
            raise ConfigurationError(f"{self.file}: can't be written: {error.strerror or error}") from error


def _replace(target: Path, text: str, like: Path) -> None:
    """Write a file under another name, to the disk, and then give it the name; with the mode and owner of `like`."""
    status = like.stat()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as output:
            output.write(text.encode("utf-8"))
            output.flush()
            os.fsync(output.fileno())
        partial.chmod(status.st_mode & 0o7777)
        with suppress(OSError, AttributeError):  # only root can give a file to somebody else
            os.chown(partial, status.st_uid, status.st_gid)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system opens folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

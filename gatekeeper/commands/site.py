"""The site that a command is about: its configuration, and the folders that this leads to, as twistd finds them."""

import argparse
import getpass
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper import config
from gatekeeper.caller import Caller
from gatekeeper.errors import ConfigurationError, Conflict, NotFound
from gatekeeper.storage.connect import FILE, Blocking, connect, url_of

if TYPE_CHECKING:
    from gatekeeper.evidence.blocking import BlockingJournal
    from gatekeeper.evidence.signing import Signer

KEYS = "keys"
PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Opened:
    """A site's configuration, and where its paths lead.

    :ivar settings: the configuration; every default where there is no file, which is the demo site's data.
    :ivar file: the configuration file, or None without one.
    :ivar folder: what relative paths of the configuration are relative to.
    :ivar data: the data folder; it may not be there yet.
    """

    settings: config.Site
    file: Path | None
    folder: Path
    data: Path

    @property
    def url(self) -> str:
        """The database's URL; it holds the password.

        :raises ConfigurationError: if the password can't be read.
        """
        secret = self.settings.storage.password
        password = secret.read("storage.password", self.folder) if secret is not None else None
        return url_of(self.settings.storage, self.data, password)

    @property
    def exists(self) -> bool:
        """Whether there is a database, as far as that is seen without asking it."""
        return self.settings.storage.url is not None or (self.data / FILE).exists()

    def database(self) -> Blocking:
        """Open the database of a site that was started before.

        :raises NotFound: if there is none.
        :raises ConfigurationError: if it can't be used.
        """
        if not self.exists:
            raise NotFound(
                f"there is no site at {self.data} yet: start it once with twistd -n gatekeeper, or name its "
                "configuration with --config"
            )
        return connect(self.url)

    def signer(self) -> "Signer":
        """Return who signs the record.

        :raises ConfigurationError: if the key is missing: another one would vouch for nothing of what there is.
        """
        from gatekeeper.evidence import signing  # noqa: PLC0415 - most commands don't need it

        file = self.data / KEYS / signing.KEY_FILE
        if not file.exists():
            raise ConfigurationError(f"{file} is missing: put the key of the record back from a backup")
        return signing.load(self.data / KEYS, time.time)

    def journal(self, database: Blocking) -> "BlockingJournal":
        """Return the record, to write in it."""
        from gatekeeper.evidence.blocking import BlockingJournal  # noqa: PLC0415 - most commands don't need it

        return BlockingJournal(database, self.signer(), time.time, time.monotonic)


def opened(arguments: argparse.Namespace) -> Opened:
    """Return the site that `--config` and `--data` mean.

    :raises ConfigurationError: if the configuration can't be used.
    """
    file = file_of(arguments)
    exists = file.exists() or getattr(arguments, "config", None) is not None
    return of(arguments, file if exists else None, config.load(file) if exists else config.Site())


def file_of(arguments: argparse.Namespace) -> Path:
    """Return where the configuration file is, or would be."""
    return Path(getattr(arguments, "config", None) or config.DEFAULT_FILE)


def of(arguments: argparse.Namespace, file: Path | None, settings: config.Site) -> Opened:
    """Return the site with this configuration, and what the command line says instead."""
    settings = config.override(settings, data=getattr(arguments, "data", None), listen=None)
    folder = file_of(arguments).parent
    return Opened(settings, file, folder, config.resolve(folder, settings.data, "data"))


def here() -> Caller:
    """Return who does what a command does: somebody who may read the data folder, by the machine's own accounts."""
    try:
        session = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user has no name
        session = None
    return Caller(client="command line", method="machine", session=session)


def fresh(name: str) -> Path:
    """Return the path of a file that isn't there yet.

    :raises Conflict: if it is.
    """
    file = Path(name)
    if file.exists():
        raise Conflict(f"{file} is there already; choose another name, or remove it")
    return file

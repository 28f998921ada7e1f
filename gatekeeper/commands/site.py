"""The site that a command is about: its configuration, and the folders that this leads to, as twistd finds them."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from gatekeeper import config


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


def opened(arguments: argparse.Namespace) -> Opened:
    """Return the site that `--config` and `--data` mean.

    :raises ConfigurationError: if the configuration can't be used.
    """
    named: str | None = getattr(arguments, "config", None)
    file = Path(named or config.DEFAULT_FILE)
    exists = named is not None or file.exists()
    settings = config.load(file) if exists else config.Site()
    settings = config.override(settings, data=getattr(arguments, "data", None), listen=None)
    folder = file.parent
    return Opened(settings, file if exists else None, folder, config.resolve(folder, settings.data, "data"))

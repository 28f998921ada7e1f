"""The configuration file of a running site: where it is, and how it is read again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatekeeper import config


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
        return self.overridden(config.parse(text, str(self.file)))

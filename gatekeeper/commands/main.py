"""`gatekeeper COMMAND`: finds the command, runs it, and turns what went wrong into one line."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from gatekeeper import __version__
from gatekeeper.commands import evidence, lock, measure, openapi, retention, storage, tls, users
from gatekeeper.config import DEFAULT_FILE
from gatekeeper.errors import GatekeeperError

INTERRUPTED = 130
"""The exit code after Ctrl+C, as shells count: 128 and the signal's number."""

MODULES = (users, tls, lock, storage, retention, evidence, measure, openapi)
"""In the order that the help lists them."""

INTRODUCTION = f"""\
What one does to a gatekeeper site from its own machine: people and keys, certificates, backups, the record.
Works beside the running site and without it. The site itself is run by: twistd -n gatekeeper

Commands read the site's configuration, ./{DEFAULT_FILE} unless --config names another, to find its data folder.
"""

EXAMPLES = """\
examples:
  gatekeeper user add ana --role operator       a new account; asks for its password
  gatekeeper tls init                           a certificate for this machine, for listen = "ssl:8443"
  gatekeeper lock pair front                    a key that the lock of a door signs with
  gatekeeper backup site.backup                 configuration, database and keys in one file
  gatekeeper verify                             has anybody touched the record?
  gatekeeper export --event 01JD… --to case.zip
"""


class Command(argparse.ArgumentParser):
    """A parser whose complaints are one line, and that knows --config and --data wherever they stand."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})  # type: ignore[arg-type]
        # SUPPRESS: what stands before the command must not be forgotten when the command's own parser begins.
        self.add_argument(
            "-c",
            "--config",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help=f"configuration file in TOML; ./{DEFAULT_FILE} if that exists",
        )
        self.add_argument(
            "-d",
            "--data",
            metavar="FOLDER",
            default=argparse.SUPPRESS,
            help="folder of what outlives a restart; overrides the configuration",
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and where help is."""
        self.exit(1, f"gatekeeper: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    it = Command(
        prog="gatekeeper",
        description=INTRODUCTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--version", action="version", version=f"gatekeeper {__version__}")
    commands = it.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in MODULES:
        module.register(commands)
    return it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code.

    :param argv: without the program's name; `sys.argv` if None.
    """
    arguments = parser().parse_args(argv)
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()  # here, where a reader that is gone can be met
    except GatekeeperError as error:
        return _failed(str(error))
    except BrokenPipeError:
        sys.stdout = None  # or the interpreter complains of the pipe once more at its end
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}")
    except KeyboardInterrupt:
        return INTERRUPTED
    return int(code or 0)


def _failed(message: str) -> int:
    sys.stderr.write(f"gatekeeper: {' '.join(message.split())}\n")
    return 1

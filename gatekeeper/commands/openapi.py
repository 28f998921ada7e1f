"""`gatekeeper openapi`: the HTTP API's description, without a running site."""

import argparse
import sys
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gatekeeper.storage.files import Replacing

if TYPE_CHECKING:
    from gatekeeper.http.app import HttpApi

ABOUT = """\
Print the HTTP API's description, OpenAPI 3.1 in JSON: what a running site gives at /openapi.json. Client generators
and validators read it.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `openapi`."""
    it = commands.add_parser("openapi", help="print the HTTP API's description", description=ABOUT)
    it.add_argument("--to", metavar="FILE", help="write it there instead")
    it.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print it, or write it to a file."""
    text = msgspec.json.format(msgspec.json.encode(described().description.description), indent=2) + b"\n"
    if arguments.to is None:
        sys.stdout.write(text.decode())
    else:
        with Replacing(Path(arguments.to)) as output:
            output.file.write(text)


def described() -> "HttpApi":
    """Return every group of routes put together, with nothing behind them: enough to be described."""
    from gatekeeper.http.app import HttpApi  # noqa: PLC0415 - Klein takes a while to import
    from gatekeeper.http.groups import GROUPS  # noqa: PLC0415

    nobody: Any = None
    return HttpApi(nobody, [group(**_nothing(group)) for group in GROUPS])


def _nothing(group: Any) -> dict[str, Any]:
    """Return arguments for a group of which nothing but its routes is wanted."""
    return {name: 0.0 if one.annotation is float else None for name, one in signature(group).parameters.items()}

"""`gatekeeper lock pair`: a key that a lock with our own firmware and a site have in common."""

import argparse
import json
import os
import re
import secrets
import sys
from pathlib import Path

from gatekeeper.commands.site import opened
from gatekeeper.config import KEY_DIGITS
from gatekeeper.decoding import show
from gatekeeper.errors import InvalidArgument
from gatekeeper.uris import ID_PATTERN

ABOUT = """\
Make a key for a lock that runs our own firmware, and tell what to do with it. With the same key at both ends every
command is signed, and every answer: nobody else on the network opens the door, and nobody else says that it is locked.
Each lock has a key of its own.
"""

TOLD = """\
A key for the lock of door {door}. Whoever has it can open the door, and it is shown this once.

1. Into the lock, over its serial console (115200 baud):
  gk set key {key}
or built in, in firmware/include/secrets.h:
  #define GK_LOCK_KEY "{key}"

2. Into the site's configuration:
  [[doors]]
  id = "{door}"
  url = {url}
  key = {place}
{kept}
3. Let the site read its configuration again: send SIGHUP, or restart it. Between the first step and this one the door
can't be opened from here: a lock with a key takes no order without it, and a site with one uses no lock without.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `lock` with its command."""
    group = commands.add_parser("lock", help="keys that locks sign with", description="Keys that locks sign with.")
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    pair = below.add_parser("pair", help="make a key for a lock, and tell where it goes", description=ABOUT)
    pair.add_argument("door", metavar="DOOR", nargs="?", default="front", help="the door's id; front without")
    pair.add_argument(
        "--to", metavar="FILE", type=Path, help="write the key into a new file, which nobody else may read"
    )
    pair.set_defaults(run=pair_)


def pair_(arguments: argparse.Namespace) -> None:
    """Make a key, keep it in a file if asked to, and say what to do with it."""
    door = arguments.door
    if not re.fullmatch(ID_PATTERN, door):
        raise InvalidArgument(f"found {show(door)}; a door's id is lower-case letters, digits, - and _")
    site = opened(arguments)
    urls = [one.url for one in site.settings.doors if one.id == door]
    url = json.dumps(urls[0]) if urls else '"ws://<the address of the lock>/ws"'
    key = secrets.token_hex(KEY_DIGITS // 2)
    if arguments.to is not None:
        _keep(arguments.to, key)
        place = f"{{file = {json.dumps(_seen_from(site.folder, arguments.to), ensure_ascii=False)}}}"
        kept = f"The file is {arguments.to}; only its owner may read it, who must be the site's account.\n"
    else:
        name = f"GATEKEEPER_{re.sub('[^A-Z0-9]', '_', door.upper())}_KEY"
        place = f'{{env = "{name}"}}'
        kept = f"with this in the site's environment:\n  {name}={key}\n"
    sys.stdout.write(TOLD.format(door=door, key=key, url=url, place=place, kept=kept))


def _keep(file: Path, key: str) -> None:
    """Write a key into a file of its own; one that is there already may be another door's and stays.

    :raises OSError: if it is there, or can't be made.
    """
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as output:
        output.write(f"{key}\n")


def _seen_from(folder: Path, file: Path) -> str:
    """Return a path as the configuration in this folder says it: relative if it is below, whole if not."""
    whole, base = file.resolve(), folder.resolve()
    return whole.relative_to(base).as_posix() if whole.is_relative_to(base) else str(whole)

"""What people type and read at the command line: things, rows under headings, times."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from gatekeeper.access.names import check_grant
from gatekeeper.access.records import Grant
from gatekeeper.decoding import show
from gatekeeper.errors import InvalidArgument

THING = "KIND:ID, as in door:front; KIND:* for all"


def thing(text: str) -> Grant:
    """Return the grant that a text means.

    :raises InvalidArgument: if it isn't KIND:ID.
    """
    kind, colon, name = text.partition(":")
    if not colon:
        raise InvalidArgument(f"found {show(text)}; allowed: {THING}")
    return check_grant(kind, name)


def note(text: str) -> None:
    """Say something that a script needn't read."""
    sys.stderr.write(f"{text}\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their headings, in columns as wide as they must be."""
    lines = [headings, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def moment(seconds: float | None, never: str = "-") -> str:
    """Return Unix seconds to the minute, in UTC."""
    return never if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}Z"


def named(grants: Sequence[Grant] | None, everything: str) -> str:
    """Return grants as the command line takes them."""
    if grants is None:
        return everything
    return " ".join(f"{grant.kind}:{grant.thing}" for grant in grants) or "-"

"""What accounts may be called, and what grants may be on. Decides only."""

import re

from gatekeeper.access.records import EVERYTHING, Grant
from gatekeeper.access.roles import Role
from gatekeeper.decoding import choices, show
from gatekeeper.errors import InvalidArgument
from gatekeeper.uris import ID_PATTERN, KINDS

MAXIMUM_NAME = 40
"""Characters of a name or id, as in the configuration: they stand in tables, addresses and logs."""

RESERVED = {
    "gatekeeper": "the record calls the server itself so",
    "anonymous": "WAMP calls those so who have not logged in",
    "somebody": "the record calls those so who have not logged in",
    "nobody": "it reads as if nobody had done it",
    "unknown": "it reads as if it were not known who did it",
    "local": "the record means this machine by it",
    "unix": "the record means a local socket by it",
    "me": "addresses mean whoever asks by it",
}
"""Names that nobody gets, and why."""

_ID = re.compile(ID_PATTERN)


def check_name(name: str) -> str:
    """Return the name of an account to be, if it can be one.

    :raises InvalidArgument: saying why it can't.
    """
    _check_id("name", name)
    if name in RESERVED:
        raise InvalidArgument(f"name: {show(name)} is reserved: {RESERVED[name]}")
    return name


def check_role(role: str) -> Role:
    """Return the role of this name.

    :raises InvalidArgument: if there is none.
    """
    try:
        return Role(role)
    except ValueError as error:
        raise InvalidArgument(f"role: found {show(role)}; {choices(role, list(Role))}") from error


def check_grant(kind: str, thing: str) -> Grant:
    """Return the grant on a thing, which need not exist yet, or on all of its kind.

    :raises InvalidArgument: if there is no such kind, or nothing can have this id.
    """
    if kind not in KINDS:
        raise InvalidArgument(f"kind: found {show(kind)}; {choices(kind, KINDS)}")
    if thing != EVERYTHING:
        _check_id("thing", thing)
    return Grant(kind, thing)


def is_name(text: str) -> bool:
    """Return whether this can be the name or id of anything."""
    return len(text) <= MAXIMUM_NAME and _ID.fullmatch(text) is not None


def _check_id(what: str, text: str) -> None:
    if not is_name(text):
        raise InvalidArgument(
            f"{what}: found {show(text)}; allowed: lower-case letters and digits with single `-` or `_` between, "
            f"at most {MAXIMUM_NAME}{', or * for all' if what == 'thing' else ''}"
        )

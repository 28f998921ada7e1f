"""WAMP's URIs: components joined by dots.

    loose   a component is anything without white space, `.` and `#`
    strict  a component is lower-case letters, digits and `_`

No component of a complete URI may be empty. In a pattern an empty one is a wildcard; a prefix may end in a dot, or be
empty. The first component `wamp` is the protocol's own: a client may ask for such a name, but neither publish on it
nor register it.
"""

import re
from enum import Enum
from typing import Literal

MAX_URI_LENGTH = 1024  # characters; bounds what a table keyed by clients' names costs per entry

Match = Literal["exact", "prefix", "wildcard"]
MATCHES: tuple[Match, ...] = ("exact", "prefix", "wildcard")


def _forms(component: str) -> dict[str, re.Pattern[str]]:
    return {
        "exact": re.compile(rf"(?:{component}+\.)*{component}+"),
        "prefix": re.compile(rf"(?:{component}+\.)*{component}*"),
        "wildcard": re.compile(rf"(?:{component}*\.)*{component}*"),
    }


class UriRule(Enum):
    """How narrowly names are checked."""

    LOOSE = _forms(r"[^\s.#]")
    STRICT = _forms(r"[0-9a-z_]")

    def accepts(self, uri: str, match: Match = "exact") -> bool:
        """Tell whether this is a complete URI, or a pattern of this kind."""
        return len(uri) <= MAX_URI_LENGTH and self.value[match].fullmatch(uri) is not None


def as_match(value: str) -> Match | None:
    """Return the matching policy of this name."""
    return value if value in MATCHES else None


def is_reserved(uri: str) -> bool:
    """Tell whether the name belongs to the protocol itself."""
    return uri.startswith("wamp.") or uri == "wamp"

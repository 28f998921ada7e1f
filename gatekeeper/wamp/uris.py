"""WAMP's URIs: components joined by dots.

    loose   a component is anything without white space, `.` and `#`
    strict  a component is lower-case letters, digits and `_`

No component may be empty: empty ones mean something only to wildcard matching. The first component `wamp` is the
protocol's own: a client may ask for such a name, but neither publish on it nor register it.
"""

import re
from enum import Enum

MAX_URI_LENGTH = 1024  # characters; bounds what a table keyed by clients' names costs per entry


class UriRule(Enum):
    """How narrowly names are checked."""

    LOOSE = re.compile(r"(?:[^\s.#]+\.)*[^\s.#]+")
    STRICT = re.compile(r"(?:[0-9a-z_]+\.)*[0-9a-z_]+")

    def accepts(self, uri: str) -> bool:
        """Tell whether this is a complete URI."""
        return len(uri) <= MAX_URI_LENGTH and self.value.fullmatch(uri) is not None


def is_reserved(uri: str) -> bool:
    """Tell whether the name belongs to the protocol itself."""
    return uri.startswith("wamp.") or uri == "wamp"

"""What matches a URI: exact names, prefixes and wildcards, for topics and procedures alike.

    exact     the URI itself
    prefix    the first characters of the URI, also in the middle of a component
    wildcard  as many components as the URI, of which the empty ones fit any

A prefix is found by one look-up per length in use, a wildcard by one per shape (which of how many components are
empty): programs use a handful of each, so neither costs more where there are thousands of patterns.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from typing import Generic, TypeVar

from gatekeeper.wamp.uris import Match

T = TypeVar("T")

Shape = tuple[float, ...]
"""The places of a pattern's wildcards, negated, and minus infinity: the more specific shape sorts first."""


class Patterns(Generic[T]):
    """One value per URI and way of matching.

    :ivar exact: those that match one URI only.
    :ivar prefix: those that match what begins with them.
    :ivar wildcard: those with empty components.
    """

    __slots__ = ("_lengths", "_lengths_used", "_shapes", "_shapes_used", "exact", "prefix", "wildcard")

    def __init__(self) -> None:
        self.exact: dict[str, T] = {}
        self.prefix: dict[str, T] = {}
        self.wildcard: dict[str, T] = {}
        self._lengths_used: Counter[int] = Counter()
        self._lengths: list[int] = []  # of the prefixes, the longest first
        self._shapes_used: Counter[tuple[int, Shape]] = Counter()
        self._shapes: dict[int, list[Shape]] = {}  # by number of components, the most specific first

    def __len__(self) -> int:
        return len(self.exact) + len(self.prefix) + len(self.wildcard)

    def of(self, match: Match) -> dict[str, T]:
        """Return those of one way of matching, by URI."""
        found: dict[str, T] = getattr(self, match)
        return found

    def put(self, match: Match, uri: str, value: T) -> None:
        """Set the value of a pattern that has none."""
        self.of(match)[uri] = value
        if match == "prefix":
            self._lengths_used[len(uri)] += 1
            self._lengths = sorted(self._lengths_used, reverse=True)
        elif match == "wildcard":
            key = _shape(uri)
            self._shapes_used[key] += 1
            if self._shapes_used[key] == 1:
                insort(self._shapes.setdefault(key[0], []), key[1])

    def remove(self, match: Match, uri: str) -> None:
        """Forget a pattern."""
        del self.of(match)[uri]
        if match == "prefix":
            _uncount(self._lengths_used, len(uri))
            self._lengths = sorted(self._lengths_used, reverse=True)
        elif match == "wildcard":
            key = _shape(uri)
            if _uncount(self._shapes_used, key):
                self._shapes[key[0]].remove(key[1])
                if not self._shapes[key[0]]:
                    del self._shapes[key[0]]

    def matching(self, uri: str) -> Iterator[T]:
        """Give all that match, the best first: the exact one, the longest prefix, …, the most specific wildcard, …

        Of two wildcards the one is more specific whose first portion without a wildcard is longer, or if those are
        equal, whose second is, and so on.
        """
        if uri in self.exact:
            yield self.exact[uri]
        for length in self._lengths:
            if length <= len(uri) and uri[:length] in self.prefix:
                yield self.prefix[uri[:length]]
        if self._shapes:
            components = uri.split(".")
            for shape in self._shapes.get(len(components), ()):
                pattern = _with_wildcards(components, shape)
                if pattern in self.wildcard:
                    yield self.wildcard[pattern]

    def best(self, uri: str) -> T | None:
        """Return the one that a call of this URI goes to."""
        return next(self.matching(uri), None)


def matches(match: Match, pattern: str, uri: str) -> bool:
    """Tell whether one pattern matches a URI."""
    if match == "exact":
        return pattern == uri
    if match == "prefix":
        return uri.startswith(pattern)
    parts, components = pattern.split("."), uri.split(".")
    return len(parts) == len(components) and all(
        part in ("", component) for part, component in zip(parts, components, strict=True)
    )


def _shape(pattern: str) -> tuple[int, Shape]:
    components = pattern.split(".")
    return len(components), (*(-place for place, part in enumerate(components) if not part), float("-inf"))


def _with_wildcards(components: list[str], shape: Shape) -> str:
    parts = components.copy()
    for place in shape[:-1]:
        parts[-int(place)] = ""
    return ".".join(parts)


K = TypeVar("K")


def _uncount(counter: Counter[K], key: K) -> bool:
    """Count one down; tell whether none is left."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
        return True
    return False

"""One-time links: a code that logs in one browser, once, to choose a password.

The site's own, for its first start, live in memory and end with it. Those that `gatekeeper user link NAME` makes stand
in the database, as the hash of their code, where a running site finds them.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gatekeeper.access.tokens import digest, new_secret
from gatekeeper.errors import NotAuthenticated
from gatekeeper.storage import links as stored
from gatekeeper.storage.links import Link

LIFE = 86400.0
"""Seconds that a link waits for its use: one that is forgotten in a log opens nothing tomorrow."""

MAXIMUM_LINKS = 20
"""In memory: a start needs one; further ones take the place of the oldest."""

T = TypeVar("T")


class Database(Protocol):
    """What is needed of `storage.database.Database`."""

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        """Run work in a transaction; fires after the commit."""


def make(account: str | None, role: str, now: float) -> tuple[str, Link]:
    """Return a new code and what to keep of it, by `storage.links.add`.

    :param account: whom it logs in, or None for whoever follows it, with this role.
    """
    code = new_secret()
    return code, Link(hash=digest(code), account=account, role=role, created=now, expires=now + LIFE)


class Links:
    """Gives out and takes in codes.

    :param wall: Unix seconds now.
    """

    log = Logger()

    def __init__(self, database: Database, wall: Callable[[], float]) -> None:
        self._database = database
        self._wall = wall
        self._held: dict[bytes, Link] = {}

    def new(self, account: str, role: str) -> str:
        """Return the code of a new link, good for a day or until the process ends."""
        code, link = make(account, role, self._wall())
        while len(self._held) >= MAXIMUM_LINKS:
            del self._held[next(iter(self._held))]
        self._held[link.hash] = link
        return code

    def use(self, code: str) -> "Deferred[Link]":
        """Use a link up; fails with NotAuthenticated if it is unknown, used or too old."""
        held, now = self._held.pop(digest(code), None), self._wall()
        if held is not None and held.expires is not None and held.expires > now:
            return succeed(held)
        hash_ = digest(code)
        return self._database.write(lambda connection: stored.use(connection, hash_, now)).addCallback(_found)

    def give_back(self, link: Link) -> "Deferred[Any]":
        """Make a link good again, because whoever used it didn't get in after all."""
        if link.used is None:
            self._held[link.hash] = link
            return succeed(None)
        given_back = self._database.write(lambda connection: stored.give_back(connection, link.hash))
        return given_back.addErrback(lambda failure: self.log.failure("a link could not be given back", failure))


def _found(link: Link | None) -> Link:
    if link is None:
        raise NotAuthenticated("this link was used already or is too old; restart the server for a new one")
    return link

"""The SQL of one-time links. Only hashes of their codes are kept; whoever has the code has the link."""

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from gatekeeper.storage.tables import links

KEPT_AFTER_USE = 86400.0
"""Seconds: a link that was used already is told from one that never was."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that logs in once.

    :ivar hash: SHA-256 of its code.
    :ivar account: whom it logs in; None: whoever follows it becomes an account of this role.
    :ivar created: Unix seconds, like `expires` and `used` (None: not yet).
    """

    hash: bytes
    account: str | None
    role: str
    created: float
    expires: float | None = None
    used: float | None = None


def add(connection: Connection, link: Link) -> None:
    """Keep a new link; those that are over go."""
    over = or_(links.c.expires < link.created - KEPT_AFTER_USE, links.c.used < link.created - KEPT_AFTER_USE)
    connection.execute(delete(links).where(over))
    connection.execute(insert(links).values(**msgspec.structs.asdict(link)))


def use(connection: Connection, hash_: bytes, now: float) -> Link | None:
    """Use a link up; return it, or None if there is none that is good any more. Of two at once, one gets it."""
    good = (links.c.hash == hash_) & links.c.used.is_(None) & or_(links.c.expires.is_(None), links.c.expires > now)
    if connection.execute(update(links).where(good).values(used=now)).rowcount == 0:
        return None
    row = connection.execute(select(links).where(links.c.hash == hash_)).one()
    return Link(**row._asdict())


def give_back(connection: Connection, hash_: bytes) -> None:
    """Make a link good again: who used it didn't get in after all."""
    connection.execute(update(links).where(links.c.hash == hash_).values(used=None))

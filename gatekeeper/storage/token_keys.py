"""The SQL of the keys that sign tokens. The secrets come sealed: what a copy of the database holds signs nothing."""

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from gatekeeper.storage.tables import token_keys


class TokenKey(msgspec.Struct, frozen=True):
    """One key.

    :ivar secret: sealed.
    :ivar created: Unix seconds, like `retired`: since then it signs no more (None: it does).
    """

    id: str
    secret: bytes
    created: float
    retired: float | None = None


def load(connection: Connection) -> list[TokenKey]:
    """Return all keys, the oldest first."""
    return [TokenKey(**row._asdict()) for row in connection.execute(select(token_keys).order_by(token_keys.c.created))]


def replace(connection: Connection, new: TokenKey, forget_before: float) -> None:
    """Keep a new key, which signs from now on, retire the others, and forget those retired before a Unix time."""
    connection.execute(update(token_keys).where(token_keys.c.retired.is_(None)).values(retired=new.created))
    connection.execute(delete(token_keys).where(token_keys.c.retired < forget_before))
    connection.execute(insert(token_keys).values(**msgspec.structs.asdict(new)))

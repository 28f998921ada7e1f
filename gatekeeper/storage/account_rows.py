"""What is kept of accounts, as it leaves the database: whole accounts, each with all that hangs on it.

Nothing here decides. Roles and permissions are plain texts: what they mean is `access`'s to say.
"""

from typing import Any

import msgspec

EVERYTHING = "*"
"""The thing of a grant that holds on every thing of its kind."""


class Credentials(msgspec.Struct, frozen=True):
    """What a password is checked against, one by each way to log in; all made from the same password.

    :ivar password_hash: argon2id in its encoded form.
    :ivar wampcra: what WAMP-CRA needs, or None; `scram` what SCRAM needs.
    """

    password_hash: str
    wampcra: dict[str, Any] | None = None
    scram: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"  # a traceback or a log line must not carry what could be searched for a password


class Grant(msgspec.Struct, frozen=True, order=True):
    """Leave for one thing: `kind` is one of `uris.KINDS`, `thing` an id or `*` for all of the kind."""

    kind: str
    thing: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that stands for its account, within its scope.

    :ivar hash: SHA-256 of the secret, 32 bytes; the secret itself is nowhere.
    :ivar permissions: the most that it may, of what the account may; None for all of that.
    :ivar things: the only things that it reaches, of those that the account reaches; None for all of those.
    :ivar created: Unix seconds, like `expires` (None: never) and `last_used` (None: not yet).
    """

    id: str
    account: str
    label: str
    hash: bytes
    permissions: frozenset[str] | None = None
    things: frozenset[Grant] | None = None
    created: float
    expires: float | None = None
    last_used: float | None = None
    revoked: bool = False

    def is_active(self, now: float) -> bool:
        """Return whether it proves anything at this Unix time."""
        return not self.revoked and (self.expires is None or now < self.expires)


class LogIn(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in of an account; a cookie, or a refresh token, or both, stand for it. Hashes are SHA-256.

    :ivar previous_refresh_hash: of the token before the current one: who shows that stole it, or was stolen from.
    :ivar created: Unix seconds, like `last_used`, `expires` and `ended` (None: it wasn't ended).
    :ivar address: where it came from; `client` what it came with.
    """

    id: str
    account: str
    cookie_hash: bytes | None = None
    refresh_hash: bytes | None = None
    previous_refresh_hash: bytes | None = None
    created: float
    last_used: float
    expires: float
    address: str
    client: str
    ended: float | None = None

    def is_active(self, now: float) -> bool:
        """Return whether it is logged in at this Unix time."""
        return self.ended is None and now < self.expires


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, with grants, keys and log-ins, the ended ones included until they are cleaned away.

    :ivar credentials: None: no password was set, so none logs in.
    :ivar created: Unix seconds.
    """

    name: str
    role: str
    credentials: Credentials | None = None
    created: float
    disabled: bool = False
    grants: frozenset[Grant] = frozenset()
    keys: tuple[ApiKey, ...] = ()
    logins: tuple[LogIn, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """All accounts at one revision: it grows with each change, whichever process makes it."""

    revision: int
    accounts: tuple[Account, ...]


class Changed(msgspec.Struct, frozen=True):
    """One account as a change left it (None: removed), and the revision that the change made."""

    revision: int
    name: str
    account: Account | None

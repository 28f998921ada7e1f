"""Accounts and what hangs on them, as the rest of `access` knows them, and what tells that some of it ended."""

import msgspec

from gatekeeper.storage.account_rows import EVERYTHING, Account, ApiKey, Credentials, Grant, LogIn

__all__ = ["EVERYTHING", "Account", "ApiKey", "Credentials", "Ended", "Grant", "LogIn"]


class Ended(msgspec.Struct, frozen=True):
    """What must stop now: sessions and streams of one log-in, of one key, or with neither of the whole account.

    :ivar why: for people: "logged out".
    """

    name: str
    login: str | None = None
    key: str | None = None
    why: str = ""

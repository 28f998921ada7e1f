"""Everybody who may come in, in memory, at one revision of the database or just after it. Decides only.

Changes come in the order in which they were committed, each as the account that it left; between two of ours there can
be one of another process, which is then missing here until everything is read again (`is_complete`).
"""

import msgspec

from gatekeeper.access import ending
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Account, ApiKey, Ended, LogIn
from gatekeeper.access.roles import Role
from gatekeeper.caller import Caller
from gatekeeper.storage.account_rows import Changed, Stored

NOTHING_READ = -1
"""The revision before the first read; the database's own begin at 0."""


class Roster:
    """Accounts with their keys and log-ins, each found in one step.

    :param now: Unix seconds, here and everywhere.
    :ivar revision: up to which all changes are here.
    :ivar newest: of which any change is here.
    """

    def __init__(self, now: float) -> None:
        self.revision = NOTHING_READ
        self.newest = NOTHING_READ
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}
        self._logins: dict[str, LogIn] = {}
        self._cookies: dict[bytes, str] = {}
        self._refreshes: dict[bytes, str] = {}
        self._refused: set[str] = set()  # log-ins that were to end, as long as that isn't stored
        self._looked = now
        self._next_expiry = float("inf")

    @property
    def is_complete(self) -> bool:
        """Whether no change of another process is known to be missing."""
        return self.revision == self.newest

    # --- what is so ---

    def all(self) -> tuple[Account, ...]:
        """Return every account, by name."""
        return tuple(self._accounts[name] for name in sorted(self._accounts))

    def account(self, name: str) -> Account | None:
        """Return an account, also a disabled one, or None."""
        return self._accounts.get(name)

    def held_key(self, key: str) -> ApiKey | None:
        """Return the API key of this id, also one that proves nothing any more, or None."""
        return self._keys.get(key)

    def held_login(self, login: str) -> LogIn | None:
        """Return the log-in of this id, also one that is over, or None."""
        return self._logins.get(login)

    def key(self, key: str, now: float) -> ApiKey | None:
        """Return the API key of this id if it proves anything now."""
        found = self._keys.get(key)
        return found if found is not None and found.is_active(now) and self._is_enabled(found.account) else None

    def login(self, login: str, now: float) -> LogIn | None:
        """Return the log-in of this id if it is logged in now."""
        found = self._logins.get(login)
        if found is None or login in self._refused:
            return None
        return found if found.is_active(now) and self._is_enabled(found.account) else None

    def login_by_cookie(self, cookie_hash: bytes, now: float) -> LogIn | None:
        """Return the log-in that a cookie stands for now."""
        return self.login(self._cookies.get(cookie_hash, ""), now)

    def login_by_refresh(self, refresh_hash: bytes, now: float) -> LogIn | None:
        """Return the log-in of which this is the refresh token, or the one before, now."""
        return self.login(self._refreshes.get(refresh_hash, ""), now)

    def principal(
        self,
        name: str,
        now: float,
        *,
        caller: Caller,
        login: str | None = None,
        key: str | None = None,
        expires: float | None = None,
    ) -> Principal | None:
        """Return who proved to be this account by this log-in or key; None if that proves nothing any more."""
        account = self._accounts.get(name)
        if account is None or account.disabled or (expires is not None and expires <= now):
            return None
        by_login = None if login is None else self.login(login, now)
        by_key = None if key is None else self.key(key, now)
        for wanted, found in ((login, by_login), (key, by_key)):
            if wanted is not None and (found is None or found.account != name):
                return None
        ends = [expires, None if by_login is None else by_login.expires, None if by_key is None else by_key.expires]
        return Principal(
            name=name,
            role=account.role,
            grants=account.grants,
            scope=by_key.permissions if by_key is not None else None,
            things=by_key.things if by_key is not None else None,
            caller=caller,
            login=login,
            key=key,
            expires=min((end for end in ends if end is not None), default=None),
        )

    @property
    def has_owner_with_password(self) -> bool:
        """Whether somebody can log in and let others in."""
        return any(
            account.role == Role.OWNER and not account.disabled and account.credentials is not None
            for account in self._accounts.values()
        )

    # --- what changes; each returns what ended by it ---

    def load(self, everything: Stored, now: float) -> list[Ended]:
        """Take all that the database holds instead of what was here."""
        over = self.expire(now)
        before, self._accounts = self._accounts, {account.name: account for account in everything.accounts}
        for index in (self._keys, self._logins, self._cookies, self._refreshes):
            index.clear()
        for account in everything.accounts:
            self._index(account)
        self.revision = self.newest = everything.revision
        self._next_expiry = ending.next_expiry(everything.accounts, now)
        over += [one for name in before for one in ending.ended(before[name], self._accounts.get(name), now)]
        return self._unknown(over, now)

    def apply(self, changed: Changed, now: float, *, why: str | None = None, renewed: bool = False) -> list[Ended]:
        """Take one account as a change left it.

        :param why: what to say of what ended by it.
        :param renewed: whether the change only gave the same password another form, which ends nothing.
        """
        if changed.revision <= self.revision:
            return []  # what was read since then holds it already, and perhaps more
        over = self.expire(now)
        before, after = self._accounts.pop(changed.name, None), changed.account
        if before is not None:
            self._unindex(before)
        if after is not None:
            self._accounts[changed.name] = after
            self._index(after)
            self._next_expiry = min(self._next_expiry, ending.next_expiry([after], now))
        if before is not None and after is not None and renewed:
            before = msgspec.structs.replace(before, credentials=after.credentials)
        if changed.revision == self.revision + 1:
            self.revision = changed.revision
        self.newest = changed.revision
        return self._unknown([*over, *ending.ended(before, after, now, why)], now)

    def expire(self, now: float) -> list[Ended]:
        """Return what ran out since this was asked last."""
        over: list[Ended] = []
        if now >= self._next_expiry:
            over = list(ending.expired(self._accounts.values(), self._looked, now))
            self._next_expiry = ending.next_expiry(self._accounts.values(), now)
        self._looked = now
        return over

    def refuse(self, login: str, now: float, why: str) -> list[Ended]:
        """Let a log-in prove nothing from now on, whether or not its end can be stored."""
        found = self.login(login, now)
        if found is None:
            return []
        self._refused.add(login)
        return [Ended(found.account, login=login, why=why)]

    # --- within ---

    def _unknown(self, over: list[Ended], now: float) -> list[Ended]:
        """Return those of which nothing was said yet."""
        said = self._refused
        self._refused = {login for login in said if login in self._logins and self._logins[login].is_active(now)}
        return [one for one in over if one.login not in said]

    def _is_enabled(self, name: str) -> bool:
        account = self._accounts.get(name)
        return account is not None and not account.disabled

    def _index(self, account: Account) -> None:
        self._keys.update((key.id, key) for key in account.keys)
        for login in account.logins:
            self._logins[login.id] = login
            if login.cookie_hash is not None:
                self._cookies[login.cookie_hash] = login.id
            for token in (login.previous_refresh_hash, login.refresh_hash):
                if token is not None:
                    self._refreshes[token] = login.id

    def _unindex(self, account: Account) -> None:
        for key in account.keys:
            self._keys.pop(key.id, None)
        for login in account.logins:
            self._logins.pop(login.id, None)
            self._cookies.pop(login.cookie_hash or b"", None)
            self._refreshes.pop(login.refresh_hash or b"", None)
            self._refreshes.pop(login.previous_refresh_hash or b"", None)

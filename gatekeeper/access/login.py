"""Logging in and out: may it be tried, is it right, then a log-in that everything else hangs on.

password      looked at (attempts)  → log-in → cookie, or token with refresh token
API key       proof (guard)         → log-in, worth what the key is → cookie
link          used up (links)       → log-in that may only choose a password
refresh token exchanged (accounts)  → token and refresh token
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.logger import Logger

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.attempts import WRONG, Attempts
from gatekeeper.access.configured import ADMIN, KEY, Configured
from gatekeeper.access.guard import BY_LINK, SESSIONS, Channel, Guard
from gatekeeper.access.links import Links
from gatekeeper.access.passwords import Passwords, check_policy
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Account, Ended, LogIn
from gatekeeper.access.roles import Role
from gatekeeper.access.tokens import Tokens, digest, new_secret, parse_key
from gatekeeper.caller import Caller
from gatekeeper.errors import (
    AccessDenied,
    GatekeeperError,
    InvalidArgument,
    NotAuthenticated,
)
from gatekeeper.storage.links import Link

BY_BROWSER = "browser"
BY_PROGRAM = "program"
"""`LogIn.client` of those by password: what got a cookie, and what got a token."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a log-in gave; it is shown once, and only hashes are kept.

    :ivar cookie: the value of the browser's cookie.
    :ivar token: a JWT, `refresh` what gets the next one, and `expires` the Unix seconds at which the first ends.
    """

    principal: Principal
    cookie: str = ""
    token: str = ""
    refresh: str = ""

    def __repr__(self) -> str:
        return f"Given({self.principal.name})"  # a traceback must not carry a cookie


class LogIns:
    """Lets people in, and out.

    :param record: `Journal.record`.
    :param life: seconds that a log-in lasts without being used.
    :param wall: Unix seconds now.
    """

    log = Logger()

    def __init__(
        self,
        *,
        accounts: Accounts,
        attempts: Attempts,
        passwords: Passwords,
        tokens: Tokens,
        guard: Guard,
        links: Links,
        record: Callable[..., Any],
        life: float,
        configured: Configured | None = None,
        wall: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._attempts = attempts
        self._passwords = passwords
        self._tokens = tokens
        self._guard = guard
        self._links = links
        self._record = record
        self._life = life
        self._configured = configured
        self._wall = wall
        self._observers: list[Callable[[Ended], None]] = []

    def observe(self, observer: Callable[[Ended], None]) -> None:
        """Call the observer when all sessions of an account are to end that have neither log-in nor key."""
        self._observers.append(observer)

    # --- in ----------------------------------------------------------------------------------------------------------

    async def by_password(self, name: str, password: str, channel: Channel) -> Given:
        """Log a browser in.

        :raises InsecureChannel: if passwords aren't taken over this channel.
        :raises TooManyAttempts: if there were too many wrong ones.
        :raises NotAuthenticated: if it is wrong, or there is no such account.
        """
        account = await self._attempts.verify(name, password, channel)
        return await self._browser(account.name, BY_BROWSER, channel, "password")

    async def by_key(self, secret: str, channel: Channel) -> Given:
        """Log a browser in that is then worth what the key is, and no longer.

        :raises InsecureChannel: if cookies aren't given over this channel.
        :raises NotAuthenticated: if nothing is known of it, or it is no key.
        """
        self._attempts.check_channel(channel, "a log-in with a key")
        found = self._guard.prove(secret, channel)
        if found is None or found.key is None:
            raise self._attempts.refused(
                NotAuthenticated("that is no API key that is known here"), "a log-in with a key", channel
            )
        if found.key == KEY and self._configured is not None:
            await self._ensure(ADMIN, Role.OWNER, channel, "key")
            return await self._browser(ADMIN, f"{KEY} {self._configured.mark}", channel, "key")
        return await self._browser(found.name, f"key {found.key}", channel, "key")

    async def by_link(self, code: str, channel: Channel) -> Given:
        """Log a browser in that may then only choose a password.

        :raises InsecureChannel: if cookies aren't given over this channel; the link stays good.
        :raises NotAuthenticated: if the link is unknown, used or too old.
        """
        what = "a log-in by a one-time link"
        self._attempts.check_channel(channel, what)
        try:
            link = await self._links.use(code)
        except NotAuthenticated as error:
            raise self._attempts.refused(error, what, channel) from None
        try:
            account = await self._ensure(link.account or ADMIN, link.role, channel, "link")
            return await self._browser(account.name, BY_LINK, channel, "link")
        except GatekeeperError as error:
            await self._give_back(link, error)
            raise

    async def token(self, name: str, password: str, channel: Channel) -> Given:
        """Log a program in; raises what `by_password` does."""
        account = await self._attempts.verify(name, password, channel)
        number = _new_number()
        refresh = self._tokens.new_refresh(number)
        principal = await self._new_login(
            account.name, number, BY_PROGRAM, channel, "password", refresh=digest(refresh)
        )
        return self._with_token(principal, number, refresh)

    async def refresh(self, refresh: str, channel: Channel) -> Given:
        """Exchange a refresh token for a token and the next refresh token.

        :raises NotAuthenticated: if it is unknown or was used before; then the whole log-in is over.
        """
        what = "a refresh token"
        self._attempts.check_channel(channel, what)
        number = self._tokens.read_refresh(refresh)
        login = self._accounts.login(number) if number is not None else None
        if number is None or login is None:
            raise self._attempts.refused(
                NotAuthenticated("this refresh token is not good any more: log in again"), what, channel
            )
        following = self._tokens.new_refresh(number)
        caller = channel.caller(login.account, "token", session=number)
        expires = self._wall() + self._life
        await self._accounts.rotate_refresh(number, digest(refresh), digest(following), expires, caller=caller)
        principal = self._accounts.principal(login.account, caller=caller, login=number)
        if principal is None:
            raise NotAuthenticated("this log-in is over")
        return self._with_token(principal, number, following)

    async def session(self, name: str | None, ticket: str, channel: Channel, number: int) -> Principal:
        """Return who a WAMP session is by its ticket: a password, a token, an API key, or the admin token.

        :param name: as which it wants to come in; None for whoever the key or token stands for.
        :param number: the WAMP session's id.
        :raises GatekeeperError: what `by_password` raises.
        """
        found = self._guard.prove(ticket, channel)
        if found is not None and name in (None, found.name):
            self.tell_in(found.caller)
            return found
        if found is not None or name is None or parse_key(ticket) is not None:
            raise self._attempts.refused(NotAuthenticated("wrong name, key or token"), "a WAMP session", channel)
        account = await self._attempts.verify(name, ticket, channel, "a WAMP session")
        caller = channel.caller(account.name, "password", session=str(number))
        principal = self._accounts.principal(account.name, caller=caller)
        if principal is None:
            raise NotAuthenticated(WRONG)
        self.tell_in(caller)
        return principal

    def tell_in(self, caller: Caller) -> None:
        """Record that somebody came in."""
        text = f"{caller.name} logged in from {caller.address} by {_BY.get(caller.method or '', caller.method)}"
        self._record("access.login", text, subject=caller.name, caller=caller)

    # --- passwords ---------------------------------------------------------------------------------------------------

    async def choose(self, principal: Principal | None, name: str, password: str, channel: Channel) -> Given:
        """Set the first password, or a new one, of whoever came by a one-time link; the log-in is then a whole one.

        :param name: what the owner of a new site wants to be called; anybody else's own name.
        :raises NotAuthenticated: if nobody came by a link.
        """
        if principal is None or not self._guard.must_choose_password(principal):
            raise NotAuthenticated("open the one-time link first: it stands in the server's log")
        account = self._accounts.account(principal.name)
        if account is None:
            raise NotAuthenticated("this log-in is over")
        if name != account.name and account.credentials is not None:
            raise InvalidArgument(f'name: this link is for "{account.name}"')
        credentials = await self._passwords.make(name, password)
        if name == account.name:
            await self._accounts.set_credentials(name, credentials, caller=principal.caller)
        else:
            await self._accounts.add(name, account.role, credentials, account.grants, caller=principal.caller)
            await self._accounts.remove(account.name, caller=principal.caller)
        return await self._browser(name, BY_BROWSER, channel, "password")

    async def change(self, principal: Principal, old: str, new: str, channel: Channel) -> None:
        """Set somebody's own new password; every other log-in ends.

        :raises InvalidArgument: if it isn't taken; else what `by_password` raises.
        """
        check_policy(principal.name, new)
        if new == old:
            raise InvalidArgument("new: it is the old one")
        await self._attempts.verify(principal.name, old, channel, "a change of the password")
        credentials = await self._passwords.make(principal.name, new)
        await self._accounts.set_credentials(principal.name, credentials, caller=principal.caller, keep=principal.login)

    # --- out ---------------------------------------------------------------------------------------------------------

    async def out(self, principal: Principal | None) -> None:
        """End a log-in, and with it its cookie, tokens, sessions and streams. Without one there is nothing to end."""
        if principal is None or principal.login is None:
            return
        text = f"{principal.name} logged out from {principal.caller.address}"
        self._record("access.logout", text, subject=principal.name, caller=principal.caller)
        await self._accounts.end_login(principal.login)

    async def out_everywhere(self, principal: Principal, *, keep: bool = False) -> None:
        """End all log-ins of somebody's account, and the sessions that have none.

        :param keep: whether the one that asks stays.
        """
        text = f"{principal.name} logged out everywhere, from {principal.caller.address}"
        self._record("access.logout", text, subject=principal.name, caller=principal.caller)
        why = "logged out everywhere"
        for observer in tuple(self._observers):
            observer(Ended(principal.name, login=SESSIONS, why=why))
        await self._accounts.end_all(principal.name, keep=principal.login if keep else None, why=why)

    # --- within ------------------------------------------------------------------------------------------------------

    async def _ensure(self, name: str, role: str, channel: Channel, method: str) -> Account:
        account = self._accounts.account(name)
        if account is None:
            account = await self._accounts.add(name, role, caller=channel.caller(name, method))
        if account.disabled:
            raise AccessDenied(f'the account "{name}" is disabled')
        return account

    async def _browser(self, name: str, client: str, channel: Channel, method: str) -> Given:
        cookie = new_secret()
        principal = await self._new_login(name, _new_number(), client, channel, method, cookie=digest(cookie))
        return Given(principal, cookie=cookie)

    async def _new_login(
        self,
        name: str,
        number: str,
        client: str,
        channel: Channel,
        method: str,
        *,
        cookie: bytes | None = None,
        refresh: bytes | None = None,
    ) -> Principal:
        now = self._wall()
        login = LogIn(
            id=number,
            account=name,
            cookie_hash=cookie,
            refresh_hash=refresh,
            created=now,
            last_used=now,
            expires=now + self._life,
            address=channel.address,
            client=client,
        )
        await self._accounts.new_login(login)
        caller = channel.caller(name, method, session=number)
        principal = self._guard.renewed(Principal(name, "", caller=caller, login=number))
        if principal is None:
            raise NotAuthenticated("this log-in was ended at once")
        self.tell_in(caller)
        return principal

    def _with_token(self, principal: Principal, number: str, refresh: str) -> Given:
        now = self._wall()
        self._tokens.rotate(now)
        return Given(principal, token=self._tokens.issue(principal.name, number, now), refresh=refresh)

    async def _give_back(self, link: Link, error: GatekeeperError) -> None:
        self.log.warn("a one-time link stays good: {why}", why=str(error))
        await self._links.give_back(link)


_BY = {"password": "password", "key": "an API key", "link": "a one-time link", "token": "a token"}


def _new_number() -> str:
    return secrets.token_hex(8)

"""Routes of access: logging in and out, one's own password, log-ins and keys, and for owners the accounts.

What decides is `access.login` and `access.api`; here stand the shapes, and the cookie: `HttpOnly`, so that no script
reads it; `SameSite=Strict`, so that no other site's page sends it (the one-time link works all the same: what needs the
cookie is asked for by our own page); over TLS `Secure`, and with a name that browsers take from this very host only.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import decoding, uris
from gatekeeper.access.accounts import Accounts
from gatekeeper.access.api import Access, AddArguments, Arguments, Key, NewKey, NewKeyArguments, Text, User
from gatekeeper.access.guard import COOKIE, SECURE_COOKIE, Guard, cookie_of
from gatekeeper.access.login import Given, LogIns
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Grant, LogIn
from gatekeeper.errors import InvalidArgument, StorageUnavailable
from gatekeeper.http.query import query_of
from gatekeeper.http.requests import body_of, channel_of, headers_of
from gatekeeper.http.routes import Routes
from gatekeeper.uris import Permission

LONGEST_COOKIE = 400 * 86400.0
"""Seconds: browsers keep none for longer."""


# --- what comes in ---------------------------------------------------------------------------------------------------


class LogInBody(Arguments, frozen=True):
    """Who logs in: `name` and `password`, or an API key or the admin token as `key`."""

    name: Text | None = None
    password: str | None = None
    key: str | None = None


class TokenBody(Arguments, frozen=True):
    """Who wants a token: `name` and `password`, or the last answer's `refresh_token`."""

    name: Text | None = None
    password: str | None = None
    refresh_token: str | None = None


class SetupBody(Arguments, frozen=True):
    """What the owner of a new site is called, and the password that only the owner knows."""

    name: Text
    password: str


class PasswordBody(Arguments, frozen=True):
    """The password until now, and the one from now on."""

    old: str
    new: str


class EndLogInsBody(Arguments, frozen=True):
    """Whether the log-in that asks stays: `keep`."""

    keep: bool = False


class ChangeUserBody(Arguments, frozen=True):
    """Exactly one of them: what the account becomes."""

    role: Text | None = None
    password: str | None = None
    disabled: bool | None = None


class KeysQuery(Arguments, frozen=True):
    """Whose keys, if not one's own."""

    account: Text | None = None


class LinkQuery(msgspec.Struct, frozen=True):
    """The code of the one-time link."""

    code: str = ""


# --- what goes out ---------------------------------------------------------------------------------------------------


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is and what that allows.

    :ivar permissions: on anything at all; one that begins with a kind of thing holds on the granted things only.
    :ivar grants: what was granted; an owner needs none.
    :ivar things: what the API key reaches, of that; None where nothing narrows it.
    :ivar method: what proved it: "cookie", "token", "key", "password", "link".
    :ivar key: the id of the API key, if there is one behind it.
    :ivar expires: Unix seconds at which the log-in or the key ends if it isn't used; None: never.
    :ivar must_choose_password: whether nothing else may be done before a password is chosen.
    """

    name: str
    role: str
    permissions: list[str]
    grants: list[Grant]
    things: list[Grant] | None
    method: str | None
    key: str | None
    expires: float | None
    must_choose_password: bool


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and what gets the next one.

    :ivar token: goes as `Authorization: Bearer …`, or as a WAMP ticket.
    :ivar expires_in: seconds that the token is good for.
    :ivar refresh_token: good once; a second use ends the whole log-in.
    """

    token: str
    expires_in: float
    refresh_token: str
    name: str
    role: str


class LogInStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in of the account.

    :ivar created: Unix seconds, like `last_used` (to the minute) and `expires`.
    :ivar client: what came: "browser", "program", "link", "key …", "configured" for the admin token.
    :ivar current: whether it is the one that asks.
    """

    id: str
    created: float
    last_used: float
    expires: float
    address: str
    client: str
    current: bool


class Done(msgspec.Struct, frozen=True):
    """It is done; there is nothing to tell."""


# --- the routes ------------------------------------------------------------------------------------------------------


class AccessRoutes:
    """Access over HTTP.

    :param login_life: seconds that a log-in lasts without being used, and `token_life` that a token does.
    :param wall: Unix seconds now.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        logins: LogIns,
        accounts: Accounts,
        access: Access,
        login_life: float,
        token_life: float,
        wall: Callable[[], float],
    ) -> None:
        self._guard = guard
        self._logins = logins
        self._accounts = accounts
        self._access = access
        self._cookie_life = min(login_life, LONGEST_COOKIE)
        self._token_life = token_life
        self._wall = wall

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        add = routes.add
        add(uris.LOGIN_LINK, self._by_link, "Log in by the one-time link, once.", query=LinkQuery, gives="text/html")
        add(uris.LOGIN, self._log_in, "Log a browser in: the answer sets a cookie.", takes=LogInBody, gives=Identity)
        add(uris.LOGOUT, self._log_out, "Log out: end this log-in and all that hangs on it.", gives=Done)
        add(uris.SETUP, self._set_up, "Choose the password, after the one-time link.", takes=SetupBody, gives=Identity)
        add(uris.TOKEN, self._token, "Get a token, by password or refresh token.", takes=TokenBody, gives=Token)
        add(uris.WHOAMI, self._who, "Tell who is asking, and what that allows.", gives=Identity)
        add(uris.PASSWORD, self._password, "Change one's own password.", takes=PasswordBody, gives=Done)
        add(uris.LOGINS, self._list_logins, "List one's own log-ins.", gives=list[LogInStatus])
        add(uris.END_LOGINS, self._end_logins, "Log out everywhere.", takes=EndLogInsBody, gives=Done)
        add(uris.KEYS, self._list_keys, "List API keys, one's own or an account's.", query=KeysQuery, gives=list[Key])
        add(uris.NEW_KEY, self._new_key, "Make an API key; it is shown once.", takes=NewKeyArguments, gives=NewKey)
        add(uris.REVOKE_KEY, self._revoke_key, "Revoke an API key.", gives=Done)
        add(uris.USERS, self._users, "List the accounts.", gives=list[User])
        add(uris.NEW_USER, self._new_user, "Add an account.", takes=AddArguments, gives=User)
        add(uris.CHANGE_USER, self._change_user, "Change an account.", takes=ChangeUserBody, gives=User)
        add(uris.REVOKE_USER, self._revoke_user, "Remove an account and all that it has.", gives=Done)
        add(uris.GRANT, self._grant, "Give an account leave for a thing, or for all of a kind.", gives=User)
        add(uris.REVOKE_GRANT, self._revoke_grant, "Take that leave back.", gives=User)

    # --- in and out ---

    async def _by_link(self, request: Request, who: Principal | None) -> bytes:
        if request.method == b"HEAD":
            return b""  # a look at a link must not use it up
        [code] = request.args.get(b"code", [b""])[:1] or [b""]
        given = await self._logins.by_link(code.decode("latin-1"), channel_of(request))
        await self._leave(who)
        self._set_cookie(request, given.cookie, self._cookie_life)
        request.setHeader(b"cache-control", b"no-store")
        request.redirect(uris.INDEX.path.encode())
        return b""

    async def _log_in(self, request: Request, who: Principal | None) -> Identity:
        body, channel = _taken(request, LogInBody), channel_of(request)
        if body.key is not None and body.name is None and body.password is None:
            given = await self._logins.by_key(body.key.strip(), channel)
        elif body.name is not None and body.password is not None and body.key is None:
            given = await self._logins.by_password(body.name, body.password, channel)
        else:
            raise InvalidArgument("give name and password, or key")
        await self._leave(who)
        return self._with_cookie(request, given)

    async def _log_out(self, request: Request, who: Principal | None) -> Done:
        self._set_cookie(request, "", 0.0)
        await self._logins.out(who)
        return Done()

    async def _set_up(self, request: Request, who: Principal | None) -> Identity:
        body = _taken(request, SetupBody)
        return self._with_cookie(request, await self._logins.choose(who, body.name, body.password, channel_of(request)))

    async def _token(self, request: Request, who: Principal | None) -> Token:
        body, channel = _taken(request, TokenBody), channel_of(request)
        if body.refresh_token is not None and body.name is None and body.password is None:
            given = await self._logins.refresh(body.refresh_token, channel)
        elif body.name is not None and body.password is not None and body.refresh_token is None:
            given = await self._logins.token(body.name, body.password, channel)
        else:
            raise InvalidArgument("give name and password, or refresh_token")
        who = given.principal
        return Token(
            token=given.token,
            expires_in=self._token_life,
            refresh_token=given.refresh,
            name=who.name,
            role=who.role,
        )

    # --- oneself ---

    def _who(self, request: Request, who: Principal) -> Identity:
        cookie = cookie_of(headers_of(request), secure=channel_of(request).secure)
        if cookie is not None and who.caller.method == "cookie":
            self._set_cookie(request, cookie, self._cookie_life)  # each visit puts off the browser's end of it too
        return self._describe(who)

    async def _password(self, request: Request, who: Principal) -> Done:
        body = _taken(request, PasswordBody)
        await self._logins.change(who, body.old, body.new, channel_of(request))
        return Done()

    def _list_logins(self, request: Request, who: Principal) -> list[LogInStatus]:
        account, now = self._accounts.account(who.name), self._wall()
        logins = account.logins if account is not None else ()
        return [_status(login, who) for login in logins if login.is_active(now)]

    async def _end_logins(self, request: Request, who: Principal) -> Done:
        body = _taken(request, EndLogInsBody)
        await self._logins.out_everywhere(who, keep=body.keep)
        if not body.keep:
            self._set_cookie(request, "", 0.0)
        return Done()

    def _list_keys(self, request: Request, who: Principal) -> list[Key]:
        account = query_of(request, KeysQuery).account
        return self._access.keys(who, {} if account is None else {"account": account})

    def _new_key(self, request: Request, who: Principal) -> "Deferred[NewKey]":
        return self._access.new_key(who, body_of(request))

    def _revoke_key(self, request: Request, who: Principal, key: str) -> "Deferred[Done]":
        return self._access.revoke_key(who, {"key": key}).addCallback(_done)

    # --- accounts ---

    def _users(self, request: Request, who: Principal) -> list[User]:
        return self._access.users(who)

    def _new_user(self, request: Request, who: Principal) -> "Deferred[User]":
        return self._access.add(who, body_of(request))

    def _change_user(self, request: Request, who: Principal, user: str) -> "Deferred[User]":
        body = body_of(request)
        if "name" in body:
            raise InvalidArgument("name: it stands in the address, and doesn't change")
        return self._access.change(who, {**body, "name": user})

    def _revoke_user(self, request: Request, who: Principal, user: str) -> "Deferred[Done]":
        return self._access.revoke(who, {"name": user}).addCallback(_done)

    def _grant(self, request: Request, who: Principal, user: str, kind: str, thing: str) -> "Deferred[User]":
        return self._access.grant(who, {"name": user, "kind": kind, "thing": thing})

    def _revoke_grant(self, request: Request, who: Principal, user: str, kind: str, thing: str) -> "Deferred[User]":
        return self._access.revoke_grant(who, {"name": user, "kind": kind, "thing": thing})

    # --- within ---

    async def _leave(self, who: Principal | None) -> None:
        """End the log-in that a browser had before: its cookie is about to be replaced."""
        if who is not None and who.caller.method == "cookie":
            with suppress(StorageUnavailable):  # it is over here, and the new one must not be lost for that
                await self._logins.out(who)

    def _with_cookie(self, request: Request, given: Given) -> Identity:
        self._set_cookie(request, given.cookie, self._cookie_life)
        return self._describe(given.principal)

    def _set_cookie(self, request: Request, value: str, life: float) -> None:
        secure = channel_of(request).secure
        name = SECURE_COOKIE if secure else COOKIE
        request.addCookie(
            name, value, path="/", max_age=str(int(life)), httpOnly=True, sameSite="strict", secure=secure
        )

    def _describe(self, who: Principal) -> Identity:
        return Identity(
            name=who.name,
            role=who.role,
            permissions=sorted(who.permissions() - {Permission.NONE}),
            grants=sorted(who.grants),
            things=None if who.things is None else sorted(who.things),
            method=who.caller.method,
            key=who.key,
            expires=who.expires,
            must_choose_password=self._guard.must_choose_password(who),
        )


def _status(login: LogIn, who: Principal) -> LogInStatus:
    way, _, detail = login.client.partition(" ")
    return LogInStatus(
        id=login.id,
        created=login.created,
        last_used=login.last_used,
        expires=login.expires,
        address=login.address,
        client=f"key {detail}" if way == "key" else way,
        current=login.id == who.login,
    )


T = TypeVar("T", bound=msgspec.Struct)


def _taken(request: Request, to: type[T]) -> T:
    """Return a request's body as a struct; an error names the field and shows nothing of what stood there."""
    body = body_of(request)
    try:
        return msgspec.convert(body, to)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, body, to, noun="argument", hidden=lambda steps: True)) from None


def _done(_result: Any) -> Done:
    return Done()

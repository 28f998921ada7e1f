"""The one check: who a request or a session is, and whether it may; for HTTP, WAMP and what else comes in.

What proves it here is a random secret, so that an answer takes no time and needs no database: a token (JWT), an API
key, the configuration's admin token, a cookie. Passwords are `login`'s. Whoever was let in is asked about again at each
request and each WAMP action: what was revoked is over at once.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gatekeeper import uris
from gatekeeper.access import rules
from gatekeeper.access.accounts import Accounts
from gatekeeper.access.configured import ADMIN, KEY, Configured
from gatekeeper.access.principal import Principal, check
from gatekeeper.access.records import Ended, LogIn
from gatekeeper.access.refusals import Refusals
from gatekeeper.access.roles import Role
from gatekeeper.access.throttle import is_local
from gatekeeper.access.tokens import Tokens, digest, parse_key
from gatekeeper.caller import Caller
from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import Permission, Route
from gatekeeper.wamp.auth import Action, Identity, Permit

COOKIE = "gatekeeper"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Over TLS: browsers take this name only from this very host, over TLS, so that nobody else can plant one."""

BY_LINK = "link"
"""`LogIn.client` of one by a one-time link: it may only choose a password."""

SESSIONS = ""
"""`Ended.login` of what has neither log-in nor key: WAMP sessions by password, WAMP-CRA and SCRAM."""

BEFORE_A_PASSWORD = (uris.SETUP, uris.WHOAMI, uris.LOGOUT)
"""What a log-in by the one-time link may do before its password is chosen, besides what anybody may."""

_CHOOSE = "choose a password first: the page asks for it"


@dataclass(frozen=True, slots=True)
class Channel:
    """What a request or a session comes over.

    :ivar address: the peer's IP address; "unix" for a local socket.
    :ivar client: "http", "wamp", …: as in `Caller`.
    :ivar secure: whether it is encrypted.
    """

    address: str
    client: str = "http"
    secure: bool = False

    def caller(self, name: str | None = None, method: str | None = None, **more: str | None) -> Caller:
        """Return who asks over it, for the record."""
        return Caller(name=name, address=self.address, client=self.client, method=method, **more)


@dataclass(frozen=True, slots=True)
class Somebody(Identity):
    """Who a WAMP session is: the router's Identity, and whom our own code asks for by `Guard.principal_of`.

    :ivar principal: as it was when the session joined.
    """

    principal: Principal | None = None


class Guard:
    """Knows people by what they show.

    :param configured: the admin token of the configuration, if it has one.
    :param allow_plain_login: whether cookies are taken over plain HTTP from other machines.
    :param login_life: seconds that a log-in lasts without being used.
    :param wall: Unix seconds now.
    """

    def __init__(
        self,
        accounts: Accounts,
        tokens: Tokens,
        refusals: Refusals,
        *,
        configured: Configured | None = None,
        allow_plain_login: bool = False,
        login_life: float = 30 * 86400.0,
        wall: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._refusals = refusals
        self._configured = configured
        self._allow_plain_login = allow_plain_login
        self._login_life = login_life
        self._wall = wall

    # --- who it is ---------------------------------------------------------------------------------------------------

    def identify(self, headers: Mapping[str, str], address: str, *, secure: bool = False) -> Principal | None:
        """Return who sent a request, by its Bearer token or its cookie; None if that proves nothing.

        :param headers: by lower-case name.
        :param secure: whether it came over TLS.
        """
        channel = Channel(address, "http", secure)
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            found = self.prove(secret.strip(), channel)
            if found is None and not self._tokens.is_ours(secret.strip()):  # one that ran out is everyday
                wrong = NotAuthenticated("no such key or token")
                self._refusals.tell_some(wrong, "a request with a key or token", channel.caller())
            return found
        return self.by_cookie(headers, channel)

    def prove(self, secret: str, channel: Channel) -> Principal | None:
        """Return whom a random secret stands for: the admin token, an API key or a JWT; None if for nobody."""
        if self._configured is not None and self._configured.fits(secret):
            return self._owner(channel.caller(ADMIN, "key", key=KEY))
        key = parse_key(secret)
        return self._by_key(*key, channel) if key is not None else self._by_token(secret, channel)

    def by_cookie(self, headers: Mapping[str, str], channel: Channel) -> Principal | None:
        """Return whom a request's cookie stands for, or None."""
        cookie = cookie_of(headers, secure=channel.secure)
        if cookie is None or not self.is_private(channel):
            return None
        login = self._accounts.login_by_cookie(digest(cookie))
        return self._by_login(login, channel.caller(None, "cookie")) if login is not None else None

    def is_private(self, channel: Channel) -> bool:
        """Return whether passwords and cookies are taken over this: over TLS, from this machine, or as configured."""
        return channel.secure or self._allow_plain_login or is_local(channel.address)

    def must_choose_password(self, principal: Principal) -> bool:
        """Return whether somebody came by a one-time link and has chosen no password yet."""
        login = self._accounts.login(principal.login) if principal.login is not None else None
        return login is not None and login.client == BY_LINK

    # --- whether it still is -----------------------------------------------------------------------------------------

    def principal_of(self, identity: Identity) -> Principal:
        """Return who a WAMP session is, as the accounts are now.

        :raises NotAuthenticated: if what it came in by is over.
        """
        principal = getattr(identity, "principal", None)
        found = self.renewed(principal) if principal is not None else None
        if found is None:
            raise NotAuthenticated("this session is not logged in any more")
        return found

    def renewed(self, principal: Principal) -> Principal | None:
        """Return somebody as the accounts are now; None if what proved it is over."""
        caller = principal.caller
        if principal.login is not None:
            login = self._accounts.login(principal.login)
            return self._by_login(login, caller) if login is not None else None
        if principal.key == KEY:
            return self._owner(caller) if self._configured is not None else None
        if principal.key is not None:
            self._accounts.touch_key(principal.key)
        return self._accounts.principal(principal.name, caller=caller, key=principal.key)

    # --- whether it may ----------------------------------------------------------------------------------------------

    def authorise(self, principal: Principal | None, route: Route, ids: Mapping[str, str]) -> None:
        """Pass if somebody, or nobody, may use a route, on the thing that its path names.

        :raises NotAuthenticated: if nobody is logged in and somebody must be.
        :raises AccessDenied: if this somebody may not.
        """
        permission = route.permission
        if permission is Permission.NONE:
            return
        if principal is not None and route not in BEFORE_A_PASSWORD and self.must_choose_password(principal):
            raise AccessDenied(_CHOOSE)
        check(principal, permission, ids.get(permission.kind) if permission.kind is not None else None)

    def allow(self, identity: Identity, action: Action, uri: str, match: str) -> Permit:
        """Tell the router whether a session may do this; asked each time, since grants and log-ins end."""
        principal = getattr(identity, "principal", None)
        found = self.renewed(principal) if principal is not None else None
        return Permit(found is not None and rules.may(found, action, uri, match), cache=False)

    # --- within ------------------------------------------------------------------------------------------------------

    def _owner(self, caller: Caller, login: LogIn | None = None) -> Principal:
        if login is None:
            return Principal(ADMIN, Role.OWNER, caller=caller, key=KEY)
        return Principal(ADMIN, Role.OWNER, caller=caller, key=KEY, login=login.id, expires=login.expires)

    def _by_key(self, number: str, secret: str, channel: Channel) -> Principal | None:
        key = self._accounts.key(number)
        # What isn't there is compared too, so that the ids of keys can't be told by the time that it takes.
        fits = hmac.compare_digest(key.hash if key is not None else bytes(32), digest(secret))
        if key is None or not fits:
            return None
        self._accounts.touch_key(number)
        return self._accounts.principal(key.account, caller=channel.caller(key.account, "key", key=number), key=number)

    def _by_token(self, secret: str, channel: Channel) -> Principal | None:
        claims = self._tokens.read(secret, self._wall())
        login = self._accounts.login(claims.login) if claims is not None else None
        if claims is None or login is None or login.account != claims.name:
            return None
        return self._by_login(login, channel.caller(None, "token"))

    def _by_login(self, login: LogIn, caller: Caller) -> Principal | None:
        """Return whose log-in it is; one by an API key is worth what the key is, and goes with it."""
        self._accounts.touch_login(login.id, self._wall() + self._login_life)
        way, _, detail = login.client.partition(" ")
        key = detail if way in ("key", KEY) else None
        caller = Caller(
            name=login.account,
            address=caller.address,
            client=caller.client,
            method=caller.method,
            key=KEY if way == KEY else key,
            session=login.id,
        )
        if way == KEY:
            is_current = self._configured is not None and hmac.compare_digest(self._configured.mark, detail)
            return self._owner(caller, login) if is_current and login.account == ADMIN else None
        return self._accounts.principal(login.account, caller=caller, login=login.id, key=key)


def is_over(ended: Ended, principal: Principal) -> bool:
    """Return whether what ended is what somebody came in by, so that its sessions and streams end too."""
    if ended.name != principal.name:
        return False
    if ended.login is None and ended.key is None:
        return principal.key != KEY or principal.login is not None
    if ended.login == SESSIONS:
        return principal.login is None and principal.key is None
    return (ended.login is not None and ended.login == principal.login) or (
        ended.key is not None and ended.key == principal.key
    )


def cookie_of(headers: Mapping[str, str], *, secure: bool = False) -> str | None:
    """Return our cookie's value from a request's headers, or None.

    :param secure: whether it came over TLS; what a plain connection set isn't taken there, and the other way round.
    """
    wanted = SECURE_COOKIE if secure else COOKIE
    for pair in headers.get("cookie", "").split(";"):  # http.cookies drops all at the first odd one, ours or not
        name, _, value = pair.partition("=")
        if name.strip() == wanted:
            return value.strip()
    return None


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request comes from our own page, or not from a page at all (browsers always say)."""
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False

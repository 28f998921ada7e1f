"""The one check: who a request or a WAMP session is, and whether it may; used by HTTP and by the router."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.access.tokens import Tokens
from gatekeeper.wamp.auth import Accept, Action, Challenge, Deny, Identity, Peer

COOKIE = "gatekeeper"
RESERVED = "gatekeeper."
ADMIN = "admin"

_DENIED = "wamp.error.authentication_failed"
_NO_METHOD = "wamp.error.no_matching_auth_method"


class Guard:
    """Knows people by token or cookie.

    :param tokens: what proves it.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    # --- HTTP ---

    def identify(self, headers: Mapping[str, str], address: str) -> Principal | None:
        """Return who sent a request, by its Bearer token or its cookie; None if that proves nothing.

        :param headers: by lower-case name.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Principal(ADMIN, ADMIN, address) if self._tokens.check_token(token.strip()) else None
        cookie = cookie_of(headers)
        if cookie is not None and self._tokens.check_cookie(cookie):
            return Principal(ADMIN, ADMIN, address)
        return None

    # --- WAMP: the router's Authenticator and Authorizer ---

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Accept | Challenge | Deny:
        """Let in a browser of our own pages by its cookie; ask others for the admin token as a ticket."""
        cookie = cookie_of(peer.headers)
        if "cookie" in authmethods and cookie is not None and is_own_origin(peer.headers):
            if self._tokens.check_cookie(cookie):
                return Accept(Identity(ADMIN, ADMIN, "cookie"))
            if "ticket" not in authmethods:
                return Deny(_DENIED, "this browser is not logged in any more")
        if "ticket" in authmethods:
            return Challenge("ticket", state=authid)
        return Deny(_NO_METHOD, "log in with the admin token as a ticket, or from the dashboard with its cookie")

    def authenticate(self, challenge_state: Any, signature: str, extra: Mapping[str, Any]) -> Accept | Deny:
        """Check the ticket."""
        if challenge_state in (None, ADMIN) and self._tokens.check_token(signature):
            return Accept(Identity(ADMIN, ADMIN, "ticket"))
        return Deny(_DENIED, "wrong name or token")

    def allow(self, identity: Identity, action: Action, uri: str, match: str) -> bool:
        """Return whether a session may do this to this URI.

        Names that begin with `gatekeeper.` are the server's own: only what stands in `uris` can be called or
        subscribed to, and nobody else publishes or registers there. Other names are the scripts' to use.
        """
        if not uri.startswith(RESERVED) and match == "exact":
            return uris.Permission.ACCESS_ADMIN in _permissions(identity)
        if action not in ("call", "subscribe") or match != "exact":
            return False
        names = uris.PROCEDURES if action == "call" else uris.TOPICS
        return any(name.permission in _permissions(identity) for name in names if name.match(uri))


def _permissions(identity: Identity) -> frozenset[uris.Permission]:
    principal = Principal(identity.authid, identity.authrole)
    return frozenset(permission for permission in uris.Permission if principal.may(permission))


def cookie_of(headers: Mapping[str, str]) -> str | None:
    """Return our cookie's value from a request's headers, or None."""
    for pair in headers.get("cookie", "").split(";"):  # http.cookies drops all at the first odd one, ours or not
        name, _, value = pair.partition("=")
        if name.strip() == COOKIE:
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

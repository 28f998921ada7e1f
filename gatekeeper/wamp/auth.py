"""Who a session is and what it may do: the questions that the router asks, and the answers that it understands.

An `Authenticator` and an `Authorizer` are given to the router; here are their contracts and the two defaults. Whatever
the methods are ("ticket", "cookie", "anonymous", …), the router only carries them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from gatekeeper.wamp.errors import NO_MATCHING_AUTH_METHOD

Action = Literal["call", "register", "subscribe", "publish"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session is, as its authentication found."""

    authid: str
    authrole: str
    authmethod: str
    authprovider: str = "static"


def no_channel(_binding: str) -> bytes | None:
    """Return None: this connection has no channel to bind to."""
    return None


@dataclass(frozen=True, slots=True)
class Peer:
    """What the transport knows of a connection.

    :ivar address: the peer's IP address.
    :ivar headers: the HTTP headers of the WebSocket handshake by lower-case name (cookie, origin, host, …).
    :ivar secure: whether the connection is encrypted.
    :ivar channel: gives the 32 bytes that only the two ends of this TLS connection know, by the name of the binding
        ("tls-unique", "tls-exporter"); None where there are none.
    :ivar issued_cookie: the value of the cookie that this connection's WebSocket handshake set, if it set one.
    :ivar session: the ID that the session will have if it is let in.
    """

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False
    channel: Callable[[str], bytes | None] = no_channel
    issued_cookie: str | None = None
    session: int = 0


@dataclass(frozen=True, slots=True)
class Accept:
    """The session is who it says.

    :ivar authextra: what WELCOME tells the client besides, if anything.
    """

    identity: Identity
    authextra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """The session must prove it first.

    :ivar method: the authentication method that the router picked.
    :ivar extra: what CHALLENGE carries to the client.
    :ivar state: whatever `authenticate` needs to check the answer; it stays in the server.
    """

    method: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    state: Any = None


@dataclass(frozen=True, slots=True)
class Deny:
    """The session is refused, with the reason that ABORT carries."""

    reason_uri: str
    message: str


class Authenticator(Protocol):
    """Decides who a session is. Each answer may be given at once, or as a Deferred or another awaitable."""

    def hello(
        self,
        realm: str,
        authmethods: Sequence[str],
        authid: str | None,
        authextra: Mapping[str, Any],
        peer: Peer,
    ) -> Any:
        """Answer HELLO with Accept, Challenge or Deny. A client that names no method offers ("anonymous",)."""
        ...

    def authenticate(self, challenge_state: Any, signature: str, extra: Mapping[str, Any]) -> Any:
        """Answer AUTHENTICATE with Accept or Deny; `challenge_state` is the Challenge's own `state`."""
        ...


@dataclass(frozen=True, slots=True)
class Permit:
    """An authorizer's answer that says for whom it holds.

    :ivar cache: whether it holds for every session of the same role, until the router is told to forget it.
    """

    allowed: bool
    cache: bool = True


class Authorizer(Protocol):
    """Decides what a session may do.

    An answer of True or False is kept: it is taken for every session of the same role that does the same to the same
    URI, until `Router.forget_authorizations`. One that depends on more than the role is a Permit with `cache` off.
    An answer that takes time is a Deferred or another awaitable; the session's further requests wait behind it.
    """

    def allow(self, identity: Identity, action: Action, uri: str, match: str) -> Any:
        """Tell whether this identity may do this to this URI, or to all that match it.

        :param match: "exact", or "prefix" or "wildcard" when a pattern is subscribed to or registered.
        """
        ...


class DenyEverybody:
    """The default authenticator: nobody gets in until the embedding program says who may."""

    def hello(
        self,
        _realm: str,
        _authmethods: Sequence[str],
        _authid: str | None,
        _authextra: Mapping[str, Any],
        _peer: Peer,
    ) -> Deny:
        """Refuse."""
        return Deny(NO_MATCHING_AUTH_METHOD, "no authentication method is configured")

    def authenticate(self, _challenge_state: Any, _signature: str, _extra: Mapping[str, Any]) -> Deny:
        """Refuse."""
        return Deny(NO_MATCHING_AUTH_METHOD, "no authentication method is configured")


class AllowEverything:
    """The default authorizer: whoever was let in may do everything."""

    def allow(self, _identity: Identity, _action: Action, _uri: str, _match: str) -> bool:
        """Permit."""
        return True

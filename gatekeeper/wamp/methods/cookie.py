"""Cookie: a browser that was let in by another method comes in again without it.

    handshake   no cookie, or none that is known → Set-Cookie: <name>=<random>; HttpOnly; SameSite=Strict; …
    let in      by the other method → that cookie, and no other, is kept with who it is
    again       HELLO authmethods ["cookie", …] with a cookie that is known → WELCOME

Only a value that this very handshake issued is kept: one that somebody planted in a browser never opens anything.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Accept, Authenticator, Challenge, Identity, Peer
from gatekeeper.wamp.methods.principals import octets

KEPT_SECONDS = 7 * 24 * 3600  # a week without a password is what a wall panel bears
MAX_KEPT = 10_000  # cookies; each takes some 300 bytes


class Jar(Protocol):
    """Where cookies are kept; each answer may be given at once or as an awaitable."""

    def find(self, value: str) -> Any:
        """Return the Identity that was kept with this value, or None."""
        ...

    def keep(self, value: str, identity: Identity) -> Any:
        """Keep who this value stands for."""
        ...


class CookieJar:
    """A jar in memory; it keeps digests, for a time, and lets go of the oldest when it is full.

    :param now: gives the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, seconds: float = KEPT_SECONDS) -> None:
        self._now = now
        self._seconds = seconds
        self._kept: dict[bytes, tuple[float, Identity]] = {}

    def find(self, value: str) -> Identity | None:
        """Look it up."""
        kept_until, identity = self._kept.get(_digest(value), (0.0, None))
        return identity if identity is not None and self._now() < kept_until else None

    def keep(self, value: str, identity: Identity) -> None:
        """Keep it from now on."""
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[_digest(value)] = (self._now() + self._seconds, identity)

    def forget(self, authid: str) -> None:
        """Let go of everything that somebody was let in by."""
        self._kept = {digest: kept for digest, kept in self._kept.items() if kept[1].authid != authid}


class Cookie:
    """Method "cookie", before another authenticator.

    :param first: who lets in whom no cookie does.
    :param name: of the cookie.
    :param secure: whether browsers send it only over TLS; if not given, it is so for connections that are encrypted.
    """

    def __init__(
        self,
        first: Authenticator,
        jar: Jar,
        *,
        name: str = "wamp",
        secure: bool | None = None,
        seconds: int = KEPT_SECONDS,
    ) -> None:
        self._first = first
        self._jar = jar
        self._name = name
        self._secure = secure
        self._seconds = seconds

    def issue(self, headers: Mapping[str, str], *, secure: bool) -> Any:
        """Return a new cookie, unless the client has one that is known."""
        presented = self._presented(headers)
        found = self._jar.find(presented) if presented else None
        return after(found, lambda identity: None if identity else self._fresh(secure=secure))

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Any:
        """Let in by the cookie, else ask the other authenticator."""
        presented = self._presented(peer.headers) if "cookie" in authmethods else None
        found = self._jar.find(presented) if presented else None

        def looked_up(identity: Identity | None) -> Any:
            if identity is not None and authid in (None, identity.authid):
                return Accept(replace(identity, authmethod="cookie"))
            answer = self._first.hello(realm, authmethods, authid, authextra, peer)
            return after(answer, lambda answer: self._note(answer, peer))

        return after(found, looked_up)

    def authenticate(self, challenge_state: tuple[Peer, Any], signature: str, extra: Mapping[str, Any]) -> Any:
        """Answer as the other authenticator does, and keep whom it lets in."""
        peer, state = challenge_state
        return after(self._first.authenticate(state, signature, extra), lambda answer: self._note(answer, peer))

    def _note(self, answer: Any, peer: Peer) -> Any:
        if isinstance(answer, Challenge):
            return replace(answer, state=(peer, answer.state))
        if isinstance(answer, Accept) and peer.issued_cookie:
            return after(self._jar.keep(peer.issued_cookie, answer.identity), lambda _kept: answer)
        return answer

    def _presented(self, headers: Mapping[str, str]) -> str | None:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self._name)
        except CookieError:
            return None
        return morsel.value if morsel else None

    def _fresh(self, *, secure: bool) -> tuple[str, str]:
        value = secrets.token_urlsafe(32)
        flags = "; Secure" if (secure if self._secure is None else self._secure) else ""
        header = f"{self._name}={value}; Path=/; Max-Age={self._seconds}; HttpOnly; SameSite=Strict{flags}"
        return value, header


def _digest(value: str) -> bytes:
    return hashlib.sha256(octets(value)).digest()

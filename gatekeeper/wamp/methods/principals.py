"""Who may come in, as a store tells it, and what stands in for those that it doesn't know."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gatekeeper.wamp.auth import Accept, Deny, Identity
from gatekeeper.wamp.errors import AUTHENTICATION_FAILED, NO_MATCHING_AUTH_METHOD

# The one answer to a wrong name, a wrong secret and a broken proof.
DENIED = Deny(AUTHENTICATION_FAILED, "wrong name or proof")


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whom a store knows.

    :ivar credential: what the method checks the proof against; each method's module has a function that makes it.
    """

    authid: str
    authrole: str
    credential: Any = None
    authprovider: str = "static"

    def identity(self, method: str) -> Identity:
        """Return who the session is once this method has let it in."""
        return Identity(self.authid, self.authrole, method, self.authprovider)


class Principals(Protocol):
    """A store of principals."""

    def find(self, method: str, name: str) -> Any:
        """Return the Principal of this name, or None: at once, or as a Deferred or another awaitable.

        :param name: the authid; for "cryptosign" the public key in lower-case hexadecimal.
        """
        ...


class Listed:
    """A store in memory: method → name → principal."""

    def __init__(self, principals: Mapping[str, Mapping[str, Principal]]) -> None:
        self._principals = principals

    def find(self, method: str, name: str) -> Principal | None:
        """Look it up."""
        return self._principals.get(method, {}).get(name)


class Decoy:
    """Makes up salts and keys for names that nobody has: always the same for a name, and not to be told from real ones.

    :param secret: what they are derived from. One that outlives the process keeps them the same after a restart, from
        which an unknown name could be recognized otherwise.
    """

    def __init__(self, secret: bytes | None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def octets(self, purpose: str, name: str, size: int) -> bytes:
        """Return up to 32 bytes for this name."""
        return hmac.digest(self._secret, octets(f"{purpose}\0{name}"), hashlib.sha256)[:size]


def octets(text: str) -> bytes:
    """Return the text's bytes; a lone surrogate, which JSON can carry, is no error."""
    return text.encode("utf-8", "surrogatepass")


def not_this_way(why: str) -> Deny:
    """Return the refusal after which another method may still be tried."""
    return Deny(NO_MATCHING_AUTH_METHOD, why)


def verdict(
    principal: Principal | None, method: str, authextra: Mapping[str, Any] | None = None, *, is_right: bool
) -> Accept | Deny:
    """Return the answer to a proof."""
    if principal is None or not is_right:
        return DENIED
    return Accept(principal.identity(method), authextra)

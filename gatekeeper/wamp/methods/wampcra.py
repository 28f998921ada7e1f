"""WAMP-CRA (Advanced Profile, "Challenge Response Authentication"): a proof of a shared secret, which doesn't travel.

    HELLO authid    →    CHALLENGE [4, "wampcra", {challenge, salt?, keylen?, iterations?}]
    AUTHENTICATE [5, base64(HMAC-SHA256(key, challenge)), {}]

`challenge` is JSON that names the session, the identity, the time and a nonce. The key is the secret, or of a salted
one base64(PBKDF2-HMAC-SHA256(secret, salt, iterations, keylen)): the text, as all clients have it.
"""

import hashlib
import hmac
import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Peer
from gatekeeper.wamp.methods.principals import Decoy, Principal, Principals, not_this_way, octets, verdict

ITERATIONS = 100_000  # some 30 ms for a client in C; one in JavaScript wants fewer
KEY_OCTETS = 32
_SALT_OCTETS = 16


@dataclass(frozen=True, slots=True)
class CraCredential:
    """What a store keeps of a WAMP-CRA secret.

    :ivar key: what the challenge is signed with.
    :ivar salt: None where the key is the secret itself.
    """

    key: bytes
    salt: str | None = None
    iterations: int = ITERATIONS
    keylen: int = KEY_OCTETS

    def parameters(self) -> dict[str, Any]:
        """Return what the client needs to derive the key."""
        if self.salt is None:
            return {}
        return {"salt": self.salt, "iterations": self.iterations, "keylen": self.keylen}


SALTED = CraCredential(b"", "")
UNSALTED = CraCredential(b"")


def cra_credential(secret: str, salt: str | None = None, iterations: int = ITERATIONS) -> CraCredential:
    """Return the salted credential of a secret, with a random salt unless one is given."""
    salt = salt if salt is not None else b64encode(secrets.token_bytes(_SALT_OCTETS)).decode()
    derived = hashlib.pbkdf2_hmac("sha256", octets(secret), octets(salt), iterations, KEY_OCTETS)
    return CraCredential(b64encode(derived), salt, iterations)


@dataclass(frozen=True, slots=True)
class _Asked:
    principal: Principal | None
    key: bytes
    challenge: str


class WampCra:
    """Method "wampcra".

    :param principals: whose credential is a CraCredential.
    :param decoy: the form of the challenge to unknown names (`SALTED`, `UNSALTED`); that of the real ones.
    :param decoy_role: the role that a challenge to an unknown name mentions; one that real ones have.
    :param decoy_secret: see `Decoy`.
    :param now: gives the time that a challenge mentions.
    """

    name = "wampcra"

    def __init__(
        self,
        principals: Principals,
        *,
        decoy: CraCredential = SALTED,
        decoy_role: str = "user",
        decoy_secret: bytes | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._principals = principals
        self._decoy = decoy
        self._decoy_role = decoy_role
        self._made_up = Decoy(decoy_secret)
        self._now = now

    def hello(
        self, _realm: str, _authmethods: Sequence[str], authid: str | None, _authextra: Mapping[str, Any], peer: Peer
    ) -> Any:
        """Ask for a signature, whether the name is known or not."""
        if not authid:
            return not_this_way("WAMP-CRA needs an authid")
        found = self._principals.find(self.name, authid)
        return after(found, lambda principal: self._challenge(principal, authid, peer.session))

    def authenticate(self, challenge_state: _Asked, signature: str, _extra: Mapping[str, Any]) -> Accept | Deny:
        """Check the signature."""
        asked = challenge_state
        expected = b64encode(hmac.digest(asked.key, octets(asked.challenge), hashlib.sha256))
        return verdict(asked.principal, self.name, is_right=hmac.compare_digest(octets(signature), expected))

    def _challenge(self, principal: Principal | None, authid: str, session: int) -> Challenge:
        who = principal or Principal(authid, self._decoy_role)
        credential = principal.credential if principal else self._made_up_credential(authid)
        challenge = json.dumps(
            {
                "authid": who.authid,
                "authrole": who.authrole,
                "authmethod": self.name,
                "authprovider": who.authprovider,
                "nonce": secrets.token_urlsafe(24),
                "timestamp": self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "session": session,
            }
        )
        extra = {"challenge": challenge, **credential.parameters()}
        return Challenge(self.name, extra, _Asked(principal, credential.key, challenge))

    def _made_up_credential(self, authid: str) -> CraCredential:
        form = self._decoy
        salt = b64encode(self._made_up.octets("salt", authid, _SALT_OCTETS)).decode() if form.salt is not None else None
        return CraCredential(self._made_up.octets("key", authid, KEY_OCTETS), salt, form.iterations, form.keylen)

"""Ticket (Advanced Profile, "Ticket-based Authentication"): whoever presents the ticket is who it says.

    HELLO authid    →    CHALLENGE [4, "ticket", {}]    →    AUTHENTICATE [5, ticket, {}]

The ticket travels as it is, so the connection should be encrypted.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Peer
from gatekeeper.wamp.methods.principals import Decoy, Principal, Principals, not_this_way, octets, verdict


def ticket_credential(ticket: str) -> bytes:
    """Return what a store keeps of a random ticket. (Of a password it keeps a slow hash: see `Ticket`.)"""
    return hashlib.sha256(octets(ticket)).digest()


class Ticket:
    """Method "ticket".

    :param principals: whose credential is that of `ticket_credential`, or a callable that is given the ticket and
        answers whether it is right, at once or as an awaitable (a password, say, checked in a thread).
    :param decoy: the credential of unknown names: where real ones take time to check, one that takes as much.
    """

    name = "ticket"

    def __init__(self, principals: Principals, *, decoy: bytes | Callable[[str], Any] | None = None) -> None:
        self._principals = principals
        self._decoy = decoy or Decoy(None).octets("ticket", "", 32)

    def hello(
        self, _realm: str, _authmethods: Sequence[str], authid: str | None, _authextra: Mapping[str, Any], _peer: Peer
    ) -> Any:
        """Ask for the ticket, whether the name is known or not."""
        if not authid:
            return not_this_way("a ticket needs an authid")
        return after(self._principals.find(self.name, authid), self._challenge)

    def authenticate(self, challenge_state: Principal | None, signature: str, _extra: Mapping[str, Any]) -> Any:
        """Check the ticket."""
        principal = challenge_state
        credential = principal.credential if principal else self._decoy
        if callable(credential):
            return after(credential(signature), lambda is_right: self._verdict(principal, is_right=is_right is True))
        is_right = hmac.compare_digest(ticket_credential(signature), credential)
        return self._verdict(principal, is_right=is_right)

    def _challenge(self, principal: Principal | None) -> Challenge:
        return Challenge(self.name, {}, principal)

    def _verdict(self, principal: Principal | None, *, is_right: bool) -> Accept | Deny:
        return verdict(principal, self.name, is_right=is_right)

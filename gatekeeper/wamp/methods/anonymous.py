"""Anonymous: everybody comes in, under a role of the program's choosing and a name of the router's."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from gatekeeper.wamp.auth import Accept, Deny, Identity, Peer
from gatekeeper.wamp.methods.principals import DENIED


class Anonymous:
    """Method "anonymous"; the authid that the client asks for is not given to it."""

    name = "anonymous"

    def __init__(self, authrole: str = "anonymous") -> None:
        self._authrole = authrole

    def hello(
        self, _realm: str, _authmethods: Sequence[str], _authid: str | None, _authextra: Mapping[str, Any], _peer: Peer
    ) -> Accept:
        """Let it in."""
        return Accept(Identity(secrets.token_urlsafe(12), self._authrole, self.name))

    def authenticate(self, _challenge_state: Any, _signature: str, _extra: Mapping[str, Any]) -> Deny:
        """Refuse: nobody was challenged."""
        return DENIED

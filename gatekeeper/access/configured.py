"""The admin token of the configuration: a key that always stands for the owner `admin`, for scripts and containers."""

import hmac

from gatekeeper.access.sealing import Seal
from gatekeeper.access.tokens import digest
from gatekeeper.errors import ConfigurationError

ADMIN = "admin"
KEY = "configured"
"""What stands for the id of an API key, on the record too."""

SHORTEST = 20
"""Characters: a short one could be guessed."""


class Configured:
    """The token, as its hash.

    :raises ConfigurationError: if it is too short.
    :ivar mark: what tells a log-in by it from one by another token, and nothing else.
    """

    def __init__(self, token: str, seal: Seal) -> None:
        if len(token) < SHORTEST:
            raise ConfigurationError(f"access.admin_token: too short; at least {SHORTEST} characters")
        self._digest = digest(token)
        self.mark = seal.derive(f"admin token {self._digest.hex()}")[:8].hex()

    def fits(self, secret: str) -> bool:
        """Return whether this is the token; the time that it takes tells nothing."""
        return hmac.compare_digest(digest(secret), self._digest)

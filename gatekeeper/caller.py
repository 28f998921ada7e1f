"""Who asks for something, and from where: what the record keeps of it. No right follows from it (`access` decides)."""

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or something that caused an action.

    :ivar name: the account, or None where nobody has proved to be anybody.
    :ivar address: the IP address, "unix", or "local" for this machine's own command line and process.
    :ivar client: how it came: "http", "wamp", "socket.io", "command line", "gatekeeper".
    :ivar method: what proved it: "cookie", "token", "key", "password", "wampcra", "scram", "link"; None for nothing.
    :ivar key: the id of the API key, never the key.
    :ivar session: the id of the log-in, or the WAMP session's.
    """

    name: str | None = None
    address: str = "local"
    client: str = "gatekeeper"
    method: str | None = None
    key: str | None = None
    session: str | None = None

    def __str__(self) -> str:
        return self.name or "somebody"


ITSELF = Caller()
"""gatekeeper itself: a lease that ran out, a start, a stop."""

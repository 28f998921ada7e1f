"""What the WebSockets that devices open have in common: Autobahn's, with a bound on the pieces of a message."""

from collections.abc import Mapping

from autobahn.twisted.websocket import WebSocketServerProtocol


class BoundedSocket(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """A connection that is cut when a message comes in too many pieces.

    :cvar maximum_fragments: of a message: each costs memory, however small.
    """

    maximum_fragments: int

    def connectionMade(self) -> None:
        super().connectionMade()
        # Autobahn's own option is read before it is there: without this a command waits for the acknowledgement of
        # what was sent before it, 40 ms and more.
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)

    def abort(self) -> None:
        """Cut the connection, for good."""
        raise NotImplementedError

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._fragments = 0

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if self._fragments > self.maximum_fragments:
            self.abort()


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the token of an Authorization header, or None; names of headers are in lower case."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None

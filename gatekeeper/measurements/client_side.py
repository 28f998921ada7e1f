"""A sender's half of a WebSocket: wsproto's, in texts, with a bound on what a server may say. Bytes in, bytes out."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.utilities import ProtocolError

MAXIMUM: Final = 1024 * 1024
"""Characters of a message: what a server says to a sender has a hundred; a page's broadcast some thousand."""

_WHY: Final = {401: ": is the key right?", 403: ": is the key right?", 404: ": is the address right?"}


class BrokenProtocol(Exception):
    """The other side doesn't speak WebSocket, or not to us, or no more; the message says what it did."""


class Address(NamedTuple):
    """Where a `ws://` or `wss://` URL leads."""

    host: str
    port: int
    secure: bool
    target: str


def address_of(url: str) -> Address:
    """Return where a URL leads.

    :raises ValueError: if it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"{url.partition('?')[0]!r} is no ws:// or wss:// address")
    secure = parts.scheme == "wss"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.hostname, parts.port or (443 if secure else 80), secure, target)


class ClientSide:
    """One WebSocket, from its handshake on.

    :ivar out: bytes to be written; whoever writes takes them away.
    :ivar is_open: whether the server has taken it.
    """

    def __init__(self, address: Address, token: str | None = None) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        extra = [(b"authorization", f"Bearer {token}".encode("latin-1"))] if token else []
        self._socket = WSConnection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._size = 0
        self.is_open = False
        self.out = bytearray(
            self._socket.send(Request(host=f"{host}:{address.port}", target=address.target, extra_headers=extra))
        )

    def say(self, text: str) -> None:
        """Send a text."""
        self.out += self._socket.send(TextMessage(data=text))

    def ask(self) -> None:
        """Ask for a sign of life."""
        self.out += self._socket.send(Ping())

    def close(self) -> None:
        """Say that it is over."""
        self.out += self._socket.send(CloseConnection(code=1000))

    def feed(self, data: bytes) -> list[str]:
        """Take in bytes; return the texts that are whole.

        :raises BrokenProtocol: for what no server may send, and when it closes.
        """
        texts: list[str] = []
        if not data:
            return texts  # during the handshake it would mean the end of the connection
        try:
            self._socket.receive_data(data)
            for event in self._socket.events():
                if isinstance(event, TextMessage):
                    texts += self._text(event)
                elif isinstance(event, Ping):
                    self.out += self._socket.send(event.response())
                elif isinstance(event, AcceptConnection):
                    self.is_open = True
                elif isinstance(event, RejectConnection):
                    raise BrokenProtocol(f"the server answered {event.status_code}{_WHY.get(event.status_code, '')}")
                elif isinstance(event, CloseConnection):
                    raise BrokenProtocol(
                        f"the server closed the connection{f': {event.reason}' if event.reason else ''}"
                    )
        except ProtocolError as error:
            raise BrokenProtocol(f"the server does not speak WebSocket: {error}") from error
        return texts

    def _text(self, event: TextMessage) -> list[str]:
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > MAXIMUM:
            raise BrokenProtocol(f"the server sent a message of more than {MAXIMUM} characters")
        if not event.message_finished:
            return []
        whole = "".join(self._parts)
        self._parts, self._size = [], 0
        return [whole]

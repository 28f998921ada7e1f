"""The client's half of a WebSocket (RFC 6455), as far as a sender of short texts needs it. Bytes in, bytes out; no I/O.

Nothing but the standard library: a laptop that measures needs no package for it. Extensions and subprotocols aren't
asked for. What a client must not take (masked frames, reserved bits, control frames in pieces) ends the connection.
"""

import base64
import hashlib
import os
from typing import Final, NamedTuple
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_CONTINUATION: Final = 0x0

MAXIMUM: Final = 1024 * 1024
"""Bytes of a message: what a server says to a sender has a hundred; a page's broadcast some thousand."""

HEAD: Final = 16 * 1024
"""Bytes of the answer to the handshake."""

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class BrokenProtocol(Exception):
    """The other side doesn't speak WebSocket, or not to us; the message says what it did."""


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


def request(address: Address, key: str, token: str | None = None) -> bytes:
    """Return the opening handshake; `key` is `new_key()`."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = [
        f"GET {address.target} HTTP/1.1",
        f"Host: {host}:{address.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def new_key() -> str:
    """Return a handshake's key."""
    return base64.b64encode(os.urandom(16)).decode()


def answered(head: bytes, key: str) -> None:
    """Pass if the head of an answer opens the WebSocket that was asked for.

    :raises BrokenProtocol: if not.
    """
    status, *lines = head.decode("latin-1").split("\r\n")
    words = status.split(" ", 2)
    if len(words) < 2 or words[1] != "101":
        raise BrokenProtocol(f"the server answered: {status[:80]}")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    wanted = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest()).decode()  # noqa: S324 - RFC 6455's
    if fields.get("upgrade", "").lower() != "websocket" or fields.get("sec-websocket-accept") != wanted:
        raise BrokenProtocol("the server did not open a WebSocket")


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a masked frame that is a whole message."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 0x10000:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """Return a payload with its mask laid over it, or taken off."""
    size = len(payload)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


class Frames:
    """The messages in what comes, control frames among them."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._parts: list[bytes] = []
        self._opcode = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take in bytes; return the messages that are whole, as opcode and payload.

        :raises BrokenProtocol: for what no server may send.
        """
        self._data += data
        found: list[tuple[int, bytes]] = []
        while (one := self._next()) is not None:
            message = self._joined(*one)
            if message is not None:
                found.append(message)
        return found

    def _next(self) -> tuple[bool, int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        first, size = data[0], data[1]
        if first & 0x70 or size & 0x80:
            raise BrokenProtocol("the server sent a frame that none may send")
        start = 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(data) < start + width:
                return None
            size = int.from_bytes(data[start : start + width], "big")
            start += width
        if size > MAXIMUM:
            raise BrokenProtocol(f"the server sent a frame of {size} bytes")
        if len(data) < start + size:
            return None
        payload = bytes(data[start : start + size])
        del data[: start + size]
        return bool(first & 0x80), first & 0x0F, payload

    def _joined(self, final: bool, opcode: int, payload: bytes) -> tuple[int, bytes] | None:
        if opcode >= CLOSE:
            if not final:
                raise BrokenProtocol("the server sent a control frame in pieces")
            return opcode, payload
        if (opcode == _CONTINUATION) != bool(self._opcode):
            raise BrokenProtocol("the server sent a piece of no message")
        self._opcode = self._opcode or opcode
        self._parts.append(payload)
        if sum(map(len, self._parts)) > MAXIMUM:
            raise BrokenProtocol("the server sent a message that does not end")
        if not final:
            return None
        whole = self._opcode, b"".join(self._parts)
        self._opcode, self._parts = 0, []
        return whole

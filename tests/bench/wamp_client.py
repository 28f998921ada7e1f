"""A blocking WAMP caller over JSON and a blocking lock client, as small as the wire allows: they must cost nothing."""

import base64
import json
import os
import socket
import struct
from typing import Any


class WebSocket:
    """A WebSocket client that sends masked text frames and reads whole ones."""

    def __init__(self, port: int, path: str, protocol: str | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        offered = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{offered}\r\n".encode()
        )
        self._held = b""
        while b"\r\n\r\n" not in self._held:
            self._held += self._socket.recv(4096)
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head

    def send(self, text: str) -> None:
        self._send(b"\x81", text.encode())

    def send_binary(self, payload: bytes) -> None:
        self._send(b"\x82", payload)

    def _send(self, first: bytes, payload: bytes) -> None:
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self._socket.sendall(first + size + b"\0\0\0\0" + payload)  # a mask of zeros is a mask

    def receive(self) -> str:
        """Return the next text message; answers pings on the way."""
        return self._message(1).decode()

    def receive_binary(self) -> bytes:
        """Return the next binary message; answers pings on the way."""
        return self._message(2)

    def _message(self, wanted: int) -> bytes:
        while True:
            opcode, payload = self._frame()
            if opcode == wanted:
                return payload
            if opcode == 9:
                self._socket.sendall(bytes([0x8A, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)

    def _frame(self) -> tuple[int, bytes]:
        first, second = self._exactly(2)
        size = second & 127
        if size == 126:
            [size] = struct.unpack(">H", self._exactly(2))
        elif size == 127:
            [size] = struct.unpack(">Q", self._exactly(8))
        return first & 15, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self._held += more
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def close(self) -> None:
        self._socket.close()


class Caller:
    """A joined session that calls one procedure at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = WebSocket(port, "/ws", "wamp.2.json")
        hello = {"roles": {"caller": {}}, "authmethods": ["ticket"], "authid": "admin"}
        self._send([1, "gatekeeper", hello])
        assert self._receive()[0] == 4
        self._send([5, token, {}])
        assert self._receive()[0] == 2
        self._request = 0

    def call(self, procedure: str, **kwargs: Any) -> Any:
        self._request += 1
        self._send([48, self._request, {}, procedure, [], kwargs])
        answer = self._receive()
        assert answer[0] == 50, answer
        return answer[3][0]

    def _send(self, message: list[Any]) -> None:
        self._socket.send(json.dumps(message))

    def _receive(self) -> Any:
        return json.loads(self._socket.receive())

    def close(self) -> None:
        self._socket.close()

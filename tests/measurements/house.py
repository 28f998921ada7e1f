"""A whole site in memory with the seed's port, and laptops and pages that connect to it."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Request, TextMessage
from wsproto.frame_protocol import Opcode

from gatekeeper.measurements.intake import Intake
from tests.sites import TOKEN, Memory, Wire

SETTINGS = """
listen = "tcp:8000"
[access]
admin_token = {file = "token"}
[measurements]
listen = "tcp:8080"
"""


class Laptop:
    """One connection to the seed's port."""

    def __init__(self, house: "House", query: str = f"?token={TOKEN}") -> None:
        self._house = house
        factory: Any = next(server[1] for server in house.net.tcpServers if server[0] == 8080)
        self.protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.168.137.9", 50_000))
        self.wire = Wire("192.168.137.9")
        self.wire.protocol = self.protocol
        self.protocol.makeConnection(self.wire)
        self._socket = WSConnection(ConnectionType.CLIENT)
        self.protocol.dataReceived(self._socket.send(Request(host="h:8080", target=f"/{query}")))
        self._found: list[dict[str, Any]] = []
        self._text = ""
        self.closed: int | None = None
        self._read()

    def send(self, message: Any, opcode: Opcode = Opcode.TEXT) -> None:
        """Send bytes as they are, and anything else as JSON; also what no client's library would send."""
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        length = len(data)
        if length < 126:
            size = bytes((0x80 | length,))
        else:
            size = b"\xfe" + length.to_bytes(2, "big") if length < 0x10000 else b"\xff" + length.to_bytes(8, "big")
        self.protocol.dataReceived(bytes((0x80 | opcode,)) + size + bytes(4) + data)  # masked with zeros

    def heard(self) -> list[dict[str, Any]]:
        """Return the messages since the last look."""
        self._read()
        found, self._found = self._found, []
        return found

    def _read(self) -> None:
        if self.wire.value():
            self._socket.receive_data(self.wire.value())
        self.wire.clear()
        for event in self._socket.events():
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    self._found.append(json.loads(self._text))
                    self._text = ""
            elif isinstance(event, CloseConnection):
                self.closed = event.code

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))


class House(Memory):
    """The site, its clock, and what it stored."""

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder, SETTINGS + more)
        self.measuring = self.site.measuring
        self.measuring.start()

    @property
    def intake(self) -> Intake:
        return self.measuring.intake

    def turn(self, seconds: float = 0.05) -> None:
        """Let a moment pass: what came is stored and told."""
        self.net.advance(0)
        self.net.advance(seconds)
        self.net.advance(0.05)

    def laptop(self, query: str = f"?token={TOKEN}") -> Laptop:
        return Laptop(self, query)

    def stored(self) -> list[Any]:
        from gatekeeper.storage import measurements as rows

        return self.database._run(lambda connection: rows.page(connection, rows.Wanted()))

    def call(self, path: str, body: Any = None, method: str = "POST", token: str | None = None) -> Any:
        """Ask over HTTP as the administrator, or by another key."""
        headers = {"Authorization": f"Bearer {token}"} if token else dict(self.bearer)
        if method in ("POST", "PUT"):
            headers["Content-Type"] = "application/json"
        data = b"" if body is None else json.dumps(body).encode()
        if method == "PUT":
            headers["Content-Length"] = str(len(data))
        wire = self.send(method, path, headers, data)
        self.turn()
        from tests.sites import answers

        [answer] = answers(wire.value())
        return answer


def sample(team: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "camera_data", "laptop_id": team, "dista": 1.5, "distb": -2.5, "is_a_detected": True,
        "is_b_detected": True, **more,
    }  # fmt: skip

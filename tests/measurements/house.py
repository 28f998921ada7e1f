"""A whole site in memory with the seed's port, and laptops and pages that connect to it."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gatekeeper.measurements import client_frames
from gatekeeper.measurements.client_frames import CLOSE, TEXT, Frames
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
        key = client_frames.new_key()
        self.protocol.dataReceived(client_frames.request(client_frames.address_of(f"ws://h:8080/{query}"), key))
        head, _, rest = self.wire.value().partition(b"\r\n\r\n")
        client_frames.answered(head, key)
        self.wire.clear()
        self._frames = Frames()
        self._found = self._frames.feed(rest)

    def send(self, message: Any, opcode: int = TEXT) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.protocol.dataReceived(client_frames.frame(opcode, data))

    def heard(self) -> list[dict[str, Any]]:
        """Return the messages since the last look."""
        found = self._found + self._frames.feed(self.wire.value())
        self._found = []
        self.wire.clear()
        self.closed = next((int.from_bytes(payload[:2], "big") for opcode, payload in found if opcode == CLOSE), None)
        return [json.loads(payload) for opcode, payload in found if opcode == TEXT]

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

"""A virtual laptop of seed 002: a raw WebSocket client that measures a virtual tower and sends five fields.

It hears from the server when a session starts, as a person beside the table would see it shake, and sends while one
runs or the master tap is open; otherwise it costs nothing.
"""

import json
import random
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall

from gatekeeper.simulators.tower import Tower

RATE: Final = 20.0  # samples a second, as a laptop's camera and its OpenCV reach
JITTER: Final = 0.1  # of a period, by which a camera's pictures come early or late
REDIAL: Final = 3.0  # seconds between tries

HEARD: Final = (b'{"type":"session_', b'{"type":"realtime_saving_')  # all that it reads of what the pages are told


class LaptopFault(StrEnum):
    """What is wrong with a virtual laptop."""

    NONE = "none"
    SILENT = "silent"  # connected, and sends nothing
    BLIND = "blind"  # its points are never detected
    NAN = "nan"  # sends what Python calls JSON and nobody else does
    TEAM = "team"  # says that it is a team that there isn't
    CUT = "cut"  # loses its connection after every few samples


class _Socket(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    laptop: "VirtualLaptop"

    def onOpen(self) -> None:
        self.laptop._joined(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if payload.startswith(HEARD):
            self.laptop._heard(json.loads(payload))
        elif payload.startswith(b'{"type":"error"'):
            self.laptop.errors += 1

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.laptop._left(self)


class _Dialled(WebSocketClientFactory):  # type: ignore[misc]  # Autobahn has no types here
    """One try; whatever becomes of it, the laptop dials again."""

    noisy = False
    laptop: "VirtualLaptop"

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.laptop._redial()

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.laptop._redial()


class VirtualLaptop(Service):
    """One team's laptop.

    :param url: `ws://` address of the server's port, with the token in it; None waits for `dial`.
    :param always: send also while nothing is recorded, as the real ones do.
    :ivar sent: samples.
    :ivar errors: that the server told it.
    """

    def __init__(
        self, reactor: Any, team: int, url: str | None = None, *, rate: float = RATE, always: bool = False
    ) -> None:
        self.team = team
        self.fault = LaptopFault.NONE
        self.sent = self.errors = self.connections = 0
        self._reactor = reactor
        self._url = url
        self._rate = rate
        self._always = always
        self._tower = Tower(team)
        self._chance = random.Random(team)  # noqa: S311 - a camera's jitter
        self._frequency: float | None = None
        self._tap = False
        self._socket: _Socket | None = None
        self._connector: Any = None
        self._next: IDelayedCall | None = None
        self._redialling: IDelayedCall | None = None
        self._last = 0.0

    @property
    def port(self) -> int:
        """The TCP port that it dials."""
        return urlsplit(self._url or "").port or 80

    def dial(self, url: str) -> None:
        """Let it know where the server listens; it connects there from now on."""
        self._url = url
        if self._socket is not None:
            self._socket.transport.abortConnection()
        elif self.running and self._connector is None:
            self._connect()

    def startService(self) -> None:
        super().startService()
        if self._url is not None:
            self._connect()

    def stopService(self) -> None:
        """End its connection."""
        super().stopService()
        for call in (self._next, self._redialling):
            if call is not None and call.active():
                call.cancel()
        if self._connector is not None:
            self._connector.disconnect()

    def _connect(self) -> None:
        self._redialling = None
        factory = _Dialled(self._url, reactor=self._reactor)
        factory.protocol = type("_Of", (_Socket,), {"laptop": self})
        factory.laptop = self
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        self._connector = self._reactor.connectTCP(factory.host, factory.port, factory)

    def _redial(self) -> None:
        self._connector = None
        if self.running:
            self._redialling = self._reactor.callLater(REDIAL, self._connect)

    def _joined(self, socket: _Socket) -> None:
        self.connections += 1
        self._socket = socket
        self._frequency, self._tap = None, False  # what runs it is told now
        self._go_on()

    def _left(self, socket: _Socket) -> None:
        if self._socket is socket:
            self._socket = None

    def _heard(self, told: dict[str, Any]) -> None:
        kind = told["type"]
        if kind == "session_started":
            self._tower = Tower(self.team, str(told["category"]))
            self._frequency = float(told["frequency"])
        elif kind == "session_stopped":
            self._frequency = None
        else:
            self._tap = kind == "realtime_saving_started"
        self._go_on()

    def _go_on(self) -> None:
        if self._next is None:
            self._last = self._reactor.seconds()
            self._next = self._reactor.callLater(0, self._send)

    def _send(self) -> None:
        self._next = None
        socket = self._socket
        if socket is None or not self.running or not (self._frequency or self._tap or self._always):
            return
        now = self._reactor.seconds()
        elapsed, self._last = now - self._last, now
        a, b = self._tower.measured(min(elapsed, 1.0), self._frequency)
        if self.fault is not LaptopFault.SILENT:
            socket.sendMessage(self._text(a, b))
            self.sent += 1
            if self.fault is LaptopFault.CUT and self.sent % 20 == 0:
                socket.transport.abortConnection()
        pause = (1 + self._chance.uniform(-JITTER, JITTER)) / self._rate
        self._next = self._reactor.callLater(pause, self._send)

    def _text(self, a: float, b: float) -> bytes:
        seen = self.fault is not LaptopFault.BLIND
        fields = {
            "type": "camera_data",
            "laptop_id": 99 if self.fault is LaptopFault.TEAM else self.team,
            "dista": float("nan") if self.fault is LaptopFault.NAN else round(a, 3),
            "distb": round(b, 3),
            "is_a_detected": seen,
            "is_b_detected": seen,
        }
        return json.dumps(fields).encode()

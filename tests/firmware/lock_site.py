"""A board with the lock's core, the server's own link to it, strangers on the network, and one time for all of them."""

import ctypes
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.task import deferLater

from gatekeeper import config
from gatekeeper.doors.executor import Nobody
from gatekeeper.doors.link import DoorLink, Recorded
from gatekeeper.doors.states import DoorState
from tests.firmware.own_lock import STEP, Board, Driven


class Stranger:
    """Any other client: a plain socket, and just enough WebSocket to say texts and read them."""

    def __init__(self, port: int) -> None:
        self.received = b""
        self.closed = False
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)

    def ask(self, target: str = "/ws", headers: str = "") -> "Stranger":
        """Ask for a WebSocket."""
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        upgrade = f"Host: lock\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}{headers}"
        self.send(f"GET {target} HTTP/1.1\r\n{upgrade}\r\n".encode())
        return self

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def say(self, text: str) -> None:
        """Say a text in one frame, masked with zeros."""
        data = text.encode()
        assert len(data) < 126
        self.send(bytes((0x81, 0x80 | len(data), 0, 0, 0, 0)) + data)

    def read(self) -> None:
        """Read what is there."""
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:  # reset by the board, or closed by us
            data = b""
        self.received += data
        self.closed = self.closed or not data

    @property
    def status(self) -> int:
        return int(self.received.split(b" ", 2)[1])

    @property
    def texts(self) -> list[str]:
        """Every text that was heard."""
        rest = self.received.partition(b"\r\n\r\n")[2]
        texts = []
        while len(rest) >= 2:
            size = rest[1]
            if rest[0] == 0x81:
                texts.append(rest[2 : 2 + size].decode())
            rest = rest[2 + size :]
        return texts

    def close(self) -> None:
        self._socket.close()


class Site:
    """What is tested, together.

    :param settings: of the door, for the server.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        *,
        key: bytes | None = None,
        server_key: bytes | None = None,
        settings: dict[str, Any] | None = None,
        **board: Any,
    ) -> None:
        self.clock = Driven()
        self.board = Board(library, key, **board)
        self.strangers: list[Stranger] = []
        self.recorded: list[Recorded] = []
        self.answers: list[Any] = []
        quick = {"retry_minimum": 0.05, "retry_maximum": 0.5, **(settings or {})}
        door = config.Door(id="front", url=self.board.url, **quick)
        self.link = DoorLink(
            door, self.clock, lambda _: None, self.recorded.append, Nobody(), jitter=lambda: 0.0, key=server_key
        )
        self.link.startService()

    @property
    def state(self) -> DoorState:
        return self.link.door.state

    def open(self, duration: float = 5.0) -> None:
        """Open by the server; what comes of it is the next of `answers`."""
        self.link.open(duration, "ana", None).addBoth(self.answers.append)

    def lock(self) -> None:
        """Lock by the server; what comes of it is the next of `answers`."""
        self.link.lock("ana", None).addBoth(self.answers.append)

    def stranger(self) -> Stranger:
        stranger = Stranger(self.board.port)
        self.strangers.append(stranger)
        return stranger

    async def pass_(self, seconds: float, step: int = STEP, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass in turns of `step` milliseconds; `each` is called after each of them."""
        for _ in range(round(seconds * 1000 / step)):
            self.board.turn(step)
            self.clock.advance(step / 1000)
            await deferLater(reactor, 0)
            for stranger in self.strangers:
                stranger.read()
            each()

    async def until(self, condition: Callable[[], bool], patience: float = 60.0, step: int = STEP) -> None:
        """Let time pass until something is so; `patience` is seconds of the driven clock."""
        for _ in range(round(patience * 1000 / step)):
            if condition():
                return
            await self.pass_(step / 1000, step)
        raise AssertionError(f"it did not come to be: {self.state}, {self.link.door.reason}, {self.board.said[-5:]}")

    async def ready(self, step: int = STEP) -> None:
        """Wait until the link is up and knows what the relay is."""
        await self.until(lambda: self.link.door.ready, step=step)

    def stop(self) -> Deferred[Any]:
        self.board.is_reachable = True
        self.board.is_hung = False
        for stranger in self.strangers:
            stranger.close()
        self.board.cut()
        stopped = maybeDeferred(self.link.stopService)
        self.clock.advance(5)
        return gatherResults([stopped, self.board.stop()])

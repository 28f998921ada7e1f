"""A page's socket without the page: tiles by credit or topic over MsgPack; and a slow line for it."""

import contextlib
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it ships no types

from tests.bench.wamp_client import WebSocket

REPAINT = 1 / 60
"""Seconds between repaints, whose pictures' credit goes back in one message."""

PATIENCE = 20.0
"""Seconds for an answer."""


@dataclass(slots=True)
class Got:
    """What came for one tile: sequences in order, ages in seconds when they came."""

    sequences: list[int] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)


class TileClient:
    """A joined session whose thread reads; pictures are painted 60 times a second, and calls can be made beside them.

    :ivar got: tile -> what came; `ended`: tile -> the URI of the error that it ended with.
    """

    def __init__(self, port: int, token: str, authid: str = "admin") -> None:
        self._socket = WebSocket(port, "/ws", "wamp.2.msgpack")
        self._lock = threading.Lock()
        self._request = 1000
        self._answers: dict[int, Any] = {}
        self._came = threading.Condition()
        self._tiles: dict[int, int] = {}  # the call's request -> tile
        self._topics: dict[int, int] = {}  # subscription -> tile
        self._asked: dict[int, int] = {}  # SUBSCRIBE's request -> tile
        self._painted: dict[int, int] = {}  # tile -> sequence, until the next repaint
        self.got: dict[int, Got] = defaultdict(Got)
        self.ended: dict[int, str] = {}
        self.bytes = 0
        features = {"progressive_call_results": True, "call_canceling": True}
        roles = {"caller": {"features": features}, "subscriber": {}}
        self._send([1, "gatekeeper", {"roles": roles, "authmethods": ["ticket"], "authid": authid}])
        self._receive()
        self._send([5, token, {}])
        welcome = self._receive()
        assert welcome[0] == 2, welcome
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._repaint, daemon=True).start()

    def watch(self, tile: int, camera: str, **more: Any) -> None:
        """Begin a tile by credit."""
        self._tiles[tile] = tile
        asked = {"camera": camera, "tile": tile, **more}
        self._send([48, tile, {"receive_progress": True}, "gatekeeper.camera.watch", [], asked])

    def subscribe(self, tile: int, camera: str) -> None:
        """Begin a tile by topic."""
        self._asked[tile] = tile
        self._send([32, tile, {}, f"gatekeeper.camera.{camera}.frame"])

    def cancel(self, tile: int) -> None:
        """End a tile."""
        self._send([49, tile, {"mode": "kill"}])

    def call(self, procedure: str, **kwargs: Any) -> Any:
        """Return a call's answer: its result, or the URI of its error."""
        with self._came:
            self._request += 1
            request = self._request
        self._send([48, request, {}, procedure, [], kwargs])
        with self._came:
            assert self._came.wait_for(lambda: request in self._answers, PATIENCE), procedure
            return self._answers.pop(request)

    def close(self) -> None:
        """Go, without a word."""
        self._socket.close()
        self._reader.join(PATIENCE)

    def _read(self) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while True:
                self._take(self._receive())

    def _repaint(self) -> None:
        with contextlib.suppress(OSError):
            while self._reader.is_alive():
                time.sleep(REPAINT)
                with self._came:
                    painted, self._painted = self._painted, {}
                    self._request += 1
                    request = self._request
                if painted:
                    given = [*map(list, painted.items())]
                    self._send([48, request, {}, "gatekeeper.camera.credit", [], {"painted": given}])

    def _take(self, message: list[Any]) -> None:
        kind = message[0]
        if kind == 50 and message[1] in self._tiles:
            tile, facts = self._tiles[message[1]], message[4]
            self._came_picture(tile, message[3][0], facts)
            with self._came:
                self._painted[tile] = facts["sequence"]
        elif kind == 36:
            self._came_picture(self._topics[message[1]], message[4][0], message[5])
        elif kind == 33:
            self._topics[message[2]] = self._asked[message[1]]
        elif kind == 8 and message[2] in self._tiles:
            self.ended[message[2]] = message[4]
        elif kind in (50, 8):
            request = message[1] if kind == 50 else message[2]
            with self._came:
                self._answers[request] = message[4] if kind == 8 else (message[3] or [None])[0] if message[3:] else None
                self._came.notify_all()

    def _came_picture(self, tile: int, jpeg: bytes, facts: dict[str, Any]) -> None:
        assert len(jpeg) == facts["size"]
        self.bytes += len(jpeg)
        got = self.got[tile]
        got.sequences.append(facts["sequence"])
        got.ages.append(time.time() - facts["received"])

    def _send(self, message: list[Any]) -> None:
        with self._lock:
            self._socket.send_binary(msgpack.packb(message))

    def _receive(self) -> Any:
        return msgpack.unpackb(self._socket.receive_binary())


class SlowLine:
    """A line to a port of this machine that carries so many bytes a second this way, and holds few.

    :param speed: bytes a second from the server to the client.
    :param held: bytes that the line takes before it is full, as a router's buffer does.
    """

    def __init__(self, target: int, speed: float, held: int = 256 * 1024) -> None:
        self._target = target
        self._speed = speed
        self._held = held
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._held // 2)  # the kernel doubles it
                server.connect(("127.0.0.1", self._target))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
                self._open += [client, server]
                threading.Thread(target=self._carry, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, self._speed), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket, speed: float | None) -> None:
        free = time.monotonic()
        with contextlib.suppress(OSError):
            while data := source.recv(8192):
                if speed is not None:
                    free = max(free, time.monotonic() - 0.01) + len(data) / speed
                    time.sleep(max(0.0, free - time.monotonic()))
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Carry nothing more."""
        for end in (self._listener, *self._open):
            end.close()

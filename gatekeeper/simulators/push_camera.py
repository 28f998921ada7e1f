"""The virtual ESP32-S3 camera: a real WebSocket client that dials the server as the real one does, and every 3 s again.

`Origin: file://`, subprotocol `arduino`, everything on one socket; with `control` the documented split, commands on a
socket of their own. Pictures are drawn in a thread of its own, one at a time, when the last one is sent.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper.simulators.lens import Lens
from gatekeeper.simulators.push_device import Cure, PushDevice, PushFault

__all__ = ["Cure", "PushDevice", "PushFault", "VirtualPushCamera"]

REDIAL: Final = 3.0  # seconds between tries
HEALTH: Final = 10.0  # seconds between words about itself
REBOOT: Final = 1.0  # seconds from the order to the restart
REMEMBERED: Final = 16  # pictures that tests can look back on

_F = PushFault


class _Socket(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """One connection of the camera's."""

    camera: "VirtualPushCamera"
    role: str

    def onOpen(self) -> None:
        self.camera._joined(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary:
            self.camera._heard(self, payload.decode("utf-8", "replace"))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.camera._left(self, code)


class _Dialled(WebSocketClientFactory):  # type: ignore[misc]  # Autobahn has no types here
    """One try; whatever becomes of it, the camera dials again."""

    noisy = False

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.camera._redial(self.role)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.camera._redial(self.role)


class VirtualPushCamera(Service):
    """A camera that dials.

    :param reactor: its clock, network and threads.
    :param url: `ws://` address of the server's port, with the camera's path; `control` that of the port for commands
        alone. None waits for `dial`.
    :param device: what it decides.
    :param seed: gives its scene colours and pace of its own.
    :param wall: Unix seconds, for the clock in the picture.
    :ivar connections: how many WebSockets were ever opened.
    :ivar closed: the last codes that the server closed with.
    :ivar pictures: the last pictures' bytes, whole or not on the wire.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        url: str | None = None,
        device: PushDevice | None = None,
        *,
        control: str | None = None,
        seed: int = 3,
        redial: float = REDIAL,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.device = device or PushDevice()
        self.connections = 0
        self.closed: deque[int | None] = deque(maxlen=REMEMBERED)
        self.pictures: deque[bytes] = deque(maxlen=REMEMBERED)
        self._reactor = reactor
        self._urls = {"stream": url, "control": control}
        self._seed = seed
        self._wait = redial
        self._wall = wall
        self._sockets: dict[str, _Socket] = {}
        self._connectors: dict[str, Any] = {}
        self._calls: set[IDelayedCall] = set()
        self._started = 0.0
        self._generation = 0  # one more for each stream socket: pictures of an earlier one end
        self._telling = LoopingCall(self._tell)
        self._telling.clock = reactor
        self._pool: ThreadPool | None = None
        self._drawing: Deferred[None] | None = None
        self._lens = Lens(seed)

    # --- what tests and the command line use ---

    @property
    def port(self) -> int:
        """The port that it dials; 0 before there is one."""
        url = self._urls["stream"]
        return int(url.split(":")[2].split("/")[0]) if url is not None else 0

    @property
    def fault(self) -> PushFault:
        """What is wrong with it; setting it takes effect with the next picture, or command."""
        return self.device.fault

    @fault.setter
    def fault(self, fault: PushFault) -> None:
        before, self.device.fault = self.device.fault, fault
        for socket in self._sockets.values():
            if fault is _F.SEVERED:
                socket.transport.pauseProducing()
            elif before is _F.SEVERED:
                socket.transport.resumeProducing()

    def dial(self, url: str) -> None:
        """Connect to a server, from now on to this one."""
        self._urls["stream"] = url
        if self.running and "stream" not in self._connectors:
            self._connect("stream")

    def second(self) -> None:
        """Connect once more as the same camera, beside the connection that there is."""
        self._connect("second")

    def cut(self, *, reset: bool = False) -> None:
        """End every connection, with a FIN or with a RST; it dials again."""
        for socket in tuple(self._sockets.values()):
            if reset:
                socket.transport.abortConnection()
            else:
                socket.transport.loseConnection()

    # --- start and stop ---

    def startService(self) -> None:
        super().startService()
        self._started = self._reactor.seconds()
        self._telling.start(HEALTH, now=False)
        for role, url in self._urls.items():
            if url is not None:
                self._connect(role)

    def stopService(self) -> "Deferred[Any]":
        """Hang up; fires when timers and thread are gone."""
        super().stopService()
        if self._telling.running:
            self._telling.stop()
        for call in self._calls:
            call.cancel()
        self._calls.clear()
        for connector in tuple(self._connectors.values()):
            connector.stopConnecting() if connector.state == "connecting" else connector.disconnect()
        for socket in tuple(self._sockets.values()):
            socket.transport.abortConnection()
        waits = [self._drawing] if self._drawing is not None else []
        return DeferredList(waits).addCallback(self._stopped)

    def _stopped(self, _: object) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool = None

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        def run() -> None:
            self._calls.discard(delayed)
            call()

        delayed: IDelayedCall = self._reactor.callLater(delay, run)
        self._calls.add(delayed)

    # --- its connections ---

    def _connect(self, role: str) -> None:
        url = self._urls[role] if role != "second" else self._urls["stream"]
        factory = _Dialled(
            url,
            origin="file://",
            protocols=["arduino"],
            useragent="arduino-WebSocket-Client",
            reactor=self._reactor,
        )
        factory.camera, factory.role = self, role
        factory.protocol = type("Socket", (_Socket,), {"camera": self, "role": role})
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        self._connectors[role] = self._reactor.connectTCP(factory.host, factory.port, factory)

    def _redial(self, role: str) -> None:
        self._connectors.pop(role, None)
        if self.running and role != "second":
            self._later(self._wait, lambda: self._connect(role))

    def _joined(self, socket: _Socket) -> None:
        if not self.running:
            socket.transport.abortConnection()
            return
        self.connections += 1
        self._sockets[socket.role] = socket
        for text in self.device.greeting(self._reactor.seconds() - self._started):
            self._say(socket, text)
        if socket.role == "stream":
            self._generation += 1
            self.device.joined()
            self._next_picture(self._generation)

    def _left(self, socket: _Socket, code: int | None) -> None:
        self.closed.append(code)
        if self._sockets.get(socket.role) is socket:
            del self._sockets[socket.role]

    def _say(self, socket: _Socket, message: str | bytes) -> None:
        if self.device.fault is not _F.SEVERED:
            is_binary = isinstance(message, bytes)
            socket.sendMessage(message if isinstance(message, bytes) else message.encode(), is_binary)

    def _heard(self, socket: _Socket, text: str) -> None:
        answers, restarts = self.device.heard(text)
        for answer in answers:
            self._say(socket, answer)
        if restarts:
            self._later(REBOOT, self._reboot)

    def _reboot(self) -> None:
        self.device.boot()
        self._started = self._reactor.seconds()
        self.cut(reset=True)

    def _tell(self) -> None:
        socket = self._sockets.get("control") or self._sockets.get("stream")
        if socket is not None:
            self._say(socket, self.device.health(self._reactor.seconds() - self._started))

    # --- pictures ---

    def _next_picture(self, generation: int) -> None:
        if generation != self._generation or "stream" not in self._sockets or not self.running:
            return
        if self.device.fault in (_F.SILENT, _F.SEVERED) or self._drawing is not None:
            self._later(0.1, lambda: self._next_picture(generation))
            return
        if self._pool is None:
            self._pool = ThreadPool(1, 1, f"virtual push camera {self._seed}")
            self._pool.start()
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._wall()))
        elapsed = self._reactor.seconds() - self._started
        looks = self.device.size, self.device.sight, elapsed, clock
        drawn = deferToThreadPool(self._reactor, self._pool, self._lens.picture, *looks)
        self._drawing = drawn.addCallback(self._send_picture, generation).addErrback(self._failed)
        self._drawing.addBoth(self._drawn)

    def _drawn(self, _: object) -> None:
        self._drawing = None

    def _failed(self, failure: Failure) -> None:
        self._log.failure("the virtual camera could not draw", failure)

    def _send_picture(self, jpeg: bytes, generation: int) -> None:
        self.pictures.append(jpeg)
        self._send(self.device.picture(jpeg, self._wall()), generation, 0)

    def _send(self, messages: Iterator[tuple[str | bytes, float]], generation: int, sent: int) -> None:
        """Send up to the next pause, and on after it."""
        socket = self._sockets.get("stream")
        if generation != self._generation or socket is None or not self.running:
            return
        for message, pause in messages:
            sent += 1
            self._say(socket, message)
            if sent > 3 and self.device.fault is _F.CUT:
                self._later(0.01, socket.transport.abortConnection)
                return
            if pause:
                self._later(pause, partial(self._send, messages, generation, sent))
                return
        self._later(self.device.rest, lambda: self._next_picture(generation))

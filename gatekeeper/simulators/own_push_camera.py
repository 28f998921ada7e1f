"""The virtual ESP32-S3 camera with our own firmware: a real WebSocket client around `OwnPushDevice`.

It is the board: it dials when the device asks, carries texts and pictures, and sets a sensor that obeys. Pictures are
drawn in a thread of its own, one at a time. The seed's firmware is `push_camera`, with what can go wrong on its wire;
here the faults are the lens's and the sensor's, and a sensor that refuses.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from gatekeeper.simulators.camera_faults import CameraFault
from gatekeeper.simulators.lens import Lens
from gatekeeper.simulators.own_push_device import Link, OwnPushDevice
from gatekeeper.simulators.own_push_telling import Identity, Readings
from gatekeeper.simulators.push_device import RESOLUTIONS

TURN: Final = 0.01  # seconds from one turn of the board's loop to the next
FULL: Final = 256 * 1024  # bytes that a socket holds, from which on it takes no picture: two of the largest
REMEMBERED: Final = 16  # pictures that tests can look back on


class _Socket(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """One of the board's connections."""

    camera: "VirtualOwnPushCamera"
    link: Link
    is_full = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.setTcpNoDelay(True)
        self.transport.bufferSize = FULL
        self.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self.is_full = True

    def resumeProducing(self) -> None:
        self.is_full = False

    def stopProducing(self) -> None:
        pass

    def onOpen(self) -> None:
        self.camera._connections += 1
        self.camera._happened(self, "opened")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary:
            self.camera._happened(self, "text", payload)

    def onPing(self, payload: bytes) -> None:
        self.sendPong(payload)
        self.camera._happened(self, "alive")

    def onPong(self, payload: bytes) -> None:
        self.camera._happened(self, "alive")

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.camera._happened(self, "lost")


class _Dialled(WebSocketClientFactory):  # type: ignore[misc]  # Autobahn has no types here
    noisy = False
    socket: _Socket

    def buildProtocol(self, addr: object) -> _Socket:
        return self.socket

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.socket.camera._happened(self.socket, "lost")


class VirtualOwnPushCamera(Service):
    """A camera that dials.

    :param reactor: its clock, network and threads.
    :param url: `ws://` address of the server's port, with the camera's path; `control` that of the port for commands.
        Without `control` everything goes over one connection. A `url` of None waits for `dial`.
    :param name: what it registers as.
    :param seed: gives its scene colours and pace of its own.
    :param boot: settings that differ from the firmware's own at the start, as numbers.
    :ivar fault: what is wrong with its lens; `refuses`: the sensor does, whatever it is told.
    :ivar pictures: the last pictures' bytes that went out.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        url: str | None = None,
        *,
        control: str | None = None,
        name: str = "",
        seed: int = 3,
        boot: Mapping[str, int] = MappingProxyType({}),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.fault = CameraFault.NONE
        self.refuses = False
        self.pictures: deque[bytes] = deque(maxlen=REMEMBERED)
        self._connections = 0
        self._reactor = reactor
        self._urls = {Link.STREAM: url, Link.CONTROL: control}
        self._name = name
        self._seed = seed
        self._boot_settings = boot
        self._wall = wall
        self._lens = Lens(seed)
        self._luck = random.Random(seed)  # noqa: S311 - no secret
        self._sockets: dict[Link, _Socket] = {}
        self._pool: ThreadPool | None = None
        self._drawing: Deferred[None] | None = None
        self._turning = LoopingCall(self._turn)
        self._turning.clock = reactor
        self._boot("POWERON")

    def _boot(self, reset: str) -> None:
        identity = Identity(self._name, reset=reset)
        has_control = self._urls[Link.CONTROL] is not None
        self.device = OwnPushDevice(self, identity, has_control=has_control, boot=self._boot_settings)
        self._started = self._reactor.seconds()
        self._is_up = False

    # --- what tests and the command line use ---

    @property
    def port(self) -> int:
        """The port that it dials; 0 before there is one."""
        url = self._urls[Link.STREAM]
        return int(url.split(":")[2].split("/")[0]) if url is not None else 0

    @property
    def connections(self) -> int:
        """How many WebSockets were ever opened."""
        return self._connections

    def dial(self, url: str) -> None:
        """Connect to a server, from now on to this one."""
        self._urls[Link.STREAM] = url

    def cut(self, *, reset: bool = False) -> None:
        """End every connection, with a FIN or with a RST; it dials again."""
        for socket in tuple(self._sockets.values()):
            if socket.transport is not None:
                (socket.transport.abortConnection if reset else socket.transport.loseConnection)()

    # --- start and stop ---

    def startService(self) -> None:
        super().startService()
        self._boot("POWERON")
        self._turning.start(TURN, now=False)

    def stopService(self) -> "Deferred[Any]":
        """Hang up; fires when timers and thread are gone."""
        super().stopService()
        self._turning.stop()
        for link in tuple(self._sockets):
            self.drop(link)
        waits = [self._drawing] if self._drawing is not None else []
        return DeferredList(waits).addCallback(self._stopped)

    def _stopped(self, _: object) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool = None

    # --- its loop ---

    @property
    def _now(self) -> int:
        return int((self._reactor.seconds() - self._started) * 1000)

    def _turn(self) -> None:
        if not self._is_up and self._urls[Link.STREAM] is not None:
            self._is_up = True
            self.device.network(True, self._now)
        heap = 201_344 - 512 * (self.device.frames % 29)  # the real one's goes up and down with its buffers
        self.device.tick(self._now, Readings(heap, 180_112, 8_257_536, -58, self._now, "127.0.0.1"))
        if self._drawing is None and self.device.wants_picture(self._now):
            self._draw()

    def _draw(self) -> None:
        if self._pool is None:
            self._pool = ThreadPool(1, 1, f"virtual own push camera {self._seed}")
            self._pool.start()
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._wall()))
        size = RESOLUTIONS[self.device.settings["resolution"]][1:]
        looks = size, self.fault, self._now / 1000, clock
        drawn = deferToThreadPool(self._reactor, self._pool, self._lens.picture, *looks)
        self._drawing = drawn.addCallback(self._drawn).addErrback(
            lambda failure: self._log.failure("the virtual camera could not draw", failure)
        )
        self._drawing.addBoth(self._rested)

    def _drawn(self, jpeg: bytes) -> None:
        if self.running and self.device.picture(jpeg, int(self._wall() * 1000), self._now):
            self.pictures.append(jpeg)

    def _rested(self, _: object) -> None:
        self._drawing = None

    def _happened(self, socket: _Socket, event: str, *more: Any) -> None:
        if self._sockets.get(socket.link) is not socket:
            return
        if event == "lost":
            del self._sockets[socket.link]
        getattr(self.device, event)(socket.link, *more, self._now)

    # --- the board, as the device asks ---

    def connect(self, link: Link) -> None:
        factory = _Dialled(self._urls[link], origin="file://", useragent="gatekeeper-push", reactor=self._reactor)
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        socket = _Socket()
        socket.factory, socket.camera, socket.link = factory, self, link
        factory.socket = self._sockets[link] = socket
        socket.connector = self._reactor.connectTCP(factory.host, factory.port, factory, timeout=30)

    def drop(self, link: Link) -> None:
        socket = self._sockets.pop(link, None)
        if socket is not None and socket.transport is not None:
            socket.transport.abortConnection()
        elif socket is not None:
            socket.connector.stopConnecting()

    def ping(self, link: Link) -> None:
        self._sockets[link].sendPing()

    def text(self, link: Link, text: str) -> bool:
        if link in self._sockets:
            self._sockets[link].sendMessage(text.encode())
        return link in self._sockets

    def frame(self, header: bytes, jpeg: bytes) -> bool:
        socket = self._sockets.get(Link.STREAM)
        if socket is None or socket.is_full:
            return False
        socket.sendMessage(header + jpeg, True)
        return True

    def apply(self, setting: str, value: int) -> bool:
        return not self.refuses

    def reboot(self) -> None:
        for link in tuple(self._sockets):
            self.drop(link)
        self._boot("SW")

    def random(self) -> int:
        return self._luck.getrandbits(32)

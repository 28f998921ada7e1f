"""The push camera's own core and the server's own reception, over real TCP, on a driven clock.

What the board does is done here: it dials when the core asks, carries texts and pictures, and sets a sensor that obeys.
"""

import ctypes
import json
import random
from collections.abc import Callable
from typing import Any, Final

from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import deferLater
from zope.interface import implementer

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.camera import Port, PushCamera
from gatekeeper.cameras.push.identity import Known
from gatekeeper.cameras.push.reception import Reception
from gatekeeper.simulators.own_push_device import Link
from gatekeeper.simulators.own_push_telling import Readings
from gatekeeper.simulators.push_device import RESOLUTIONS
from tests.cameras.pictures import picture
from tests.firmware.own_camera import Driven
from tests.firmware.push_cameras import LINKS, Core, CoreCamera

STEP: Final = 20  # milliseconds from one turn of the board's loop to the next, unless a test makes it another
WALL: Final = 1_700_000_000.0  # Unix seconds at the start


class _Budget:
    """A transport that is cut after so many bytes; everything else is the real one's."""

    def __init__(self, transport: Any, left: int) -> None:
        self._transport = transport
        self._left = left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._transport.write(data[: self._left])
        self._left -= min(len(data), self._left)
        if not self._left:
            self._transport.loseConnection()  # what was written before is sent, and nothing after it

    def writeSequence(self, pieces: list[bytes]) -> None:
        self.write(b"".join(pieces))


@implementer(IPushProducer)
class _Socket(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """One of the board's connections."""

    board: "Board"
    link: Link
    budget: int | None
    is_full = False  # the socket takes no more for now

    def makeConnection(self, transport: Any) -> None:
        super().makeConnection(_Budget(transport, self.budget) if self.budget is not None else transport)

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.setTcpNoDelay(True)  # as the board's
        if not self.board.owns(self):
            self.transport.abortConnection()
            return
        self.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self.is_full = True

    def resumeProducing(self) -> None:
        self.is_full = False

    def stopProducing(self) -> None:
        pass

    def onOpen(self) -> None:
        self.board.happened(self, "opened")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.board.happened(self, "text", payload)

    def onPing(self, payload: bytes) -> None:
        self.sendPong(payload)
        self.board.happened(self, "alive")

    def onPong(self, payload: bytes) -> None:
        self.board.happened(self, "alive")

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.board.happened(self, "lost")


class _Dialled(WebSocketClientFactory):  # type: ignore[misc]  # Autobahn has no types here
    noisy = False

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.failed()


class Board:
    """The board around the core.

    :param now: milliseconds, where the 32-bit clock stands at the start.
    :ivar sent: the pictures that went out, from all its starts.
    :ivar budgets: bytes after which the next connections are cut, one each.
    :ivar is_reachable: there is radio; without it nothing comes in, and what is sent waits.
    :ivar refuses: the sensor does, everything.
    :ivar sensor: what the sensor was set to since its last start.
    """

    def __init__(
        self, core: Core, clock: Driven, *, now: int = 0, path: str = "/", has_control: bool = True, largest: int = 12
    ) -> None:
        self.now = now
        self.path = path
        self.ports: dict[Link, int] = {}
        self.sent: list[bytes] = []
        self.budgets: list[int] = []
        self.dialled: list[Link] = []
        self.pinged = 0
        self.starts = 0
        self.step = STEP
        self.every = 1  # turns of the loop in which the sensor has a picture
        self.size = 300  # bytes of a picture's scan
        self.refuses = False
        self.is_reachable = True
        self.sensor: dict[str, int] = {}
        self._core = core
        self._clock = clock
        self._options: dict[str, Any] = {"has_control": has_control, "largest": largest}
        self._sockets: dict[Link, _Socket] = {}
        self._waiting: list[tuple[Any, ...]] = []  # what happened, to be told in the loop
        self._connectors: list[Any] = []
        self._luck = random.Random(1)  # noqa: S311 - no secret
        self._start()

    # --- power ---

    def _start(self) -> None:
        self.camera = CoreCamera(self._core, **self._options)
        self.sensor = {}
        self.starts += 1
        self._born = self.now
        self._waiting = []
        self._is_up = False

    def restart(self, *, silent: bool = False) -> None:
        """Start anew; `silent`: as with power lost, the other side isn't told."""
        for socket in tuple(self._sockets.values()):
            if socket.transport is None:
                continue  # it is cut when it is made
            if silent:
                socket.transport.pauseProducing()
            else:
                socket.transport.abortConnection()
        self._sockets.clear()
        self.camera.free()
        self._start()

    def stop(self) -> None:
        for connector in self._connectors:
            connector.disconnect()
        self.camera.free()

    # --- network ---

    def reach(self, whether: bool) -> None:
        """Let the radio come or go; the board doesn't notice by itself."""
        self.is_reachable = whether
        for socket in self._sockets.values():
            assert socket.transport is not None, "not while it dials"
            (socket.transport.resumeProducing if whether else socket.transport.pauseProducing)()

    def again(self) -> None:
        """Let Wi-Fi go and come: it dials at once."""
        self.camera.network(False, self.now)
        self._carry_out()
        self._is_up = False

    def owns(self, socket: _Socket) -> bool:
        """Return whether this is one of its connections still."""
        return self._sockets.get(socket.link) is socket

    def happened(self, socket: _Socket, event: str, *more: Any) -> None:
        if self.owns(socket):
            self._waiting.append((event, socket.link, *more))
            if event == "lost":
                del self._sockets[socket.link]

    def _connect(self, link: Link) -> None:
        self.dialled.append(link)
        if not self.is_reachable:
            return  # and it never hears of it
        factory = _Dialled(f"ws://127.0.0.1:{self.ports[link]}{self.path}", reactor=self._clock)
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        socket = _Socket()
        socket.factory, socket.board, socket.link = factory, self, link
        socket.budget = self.budgets.pop(0) if self.budgets else None
        factory.buildProtocol = lambda address: socket
        factory.failed = lambda: self.happened(socket, "lost")
        self._sockets[link] = socket
        self._connectors.append(reactor.connectTCP("127.0.0.1", self.ports[link], factory, timeout=30))

    def _drop(self, link: Link) -> None:
        socket = self._sockets.pop(link, None)
        if socket is not None and socket.transport is not None:
            socket.transport.abortConnection()

    # --- its loop ---

    def turn(self) -> None:
        """One turn of the loop, a step later."""
        self.now += self.step
        self.camera.mood(frames=self._has_room(), settings=not self.refuses, luck=self._luck.randrange(2**32))
        if not self._is_up:
            self._is_up = True
            self.camera.network(True, self.now)
        waiting, self._waiting = self._waiting, []
        for event, *more in waiting:
            getattr(self.camera, event)(*more, self.now)
        self.camera.tick(self.now, Readings(200_000, 180_000, 8_000_000, -58, self.now - self._born, "127.0.0.1"))
        self._carry_out()
        if self.now // self.step % self.every == 0 and self.camera.wants_picture(self.now):
            _, width, height = RESOLUTIONS[self.sensor.get("resolution", 7)]
            jpeg = picture(self.size + len(self.sent) % 7, seed=len(self.sent), width=width, height=height)
            if self.camera.picture(jpeg + bytes(5), self.now - self._born, self.now, is_unix=False):
                self.sent.append(jpeg)
            self._carry_out(jpeg)

    def _has_room(self) -> bool:
        stream = self._sockets.get(Link.STREAM)
        return stream is not None and not stream.is_full and self.is_reachable

    def _carry_out(self, jpeg: bytes = b"") -> None:
        for line in self.camera.asked():
            order, _, rest = line.partition(" ")
            self._orders[order](self, rest, jpeg)

    def _text(self, rest: str, jpeg: bytes) -> None:
        link, _, text = rest.partition(" ")
        if Link(link) in self._sockets and self.is_reachable:
            self._sockets[Link(link)].sendMessage(text.encode())

    def _frame(self, rest: str, jpeg: bytes) -> None:
        header, _, size = rest.partition(" ")
        if self._has_room():
            whole = bytes.fromhex(header.replace("-", "")) + jpeg[: int(size)]
            self._sockets[Link.STREAM].sendMessage(whole, True)

    def _apply(self, rest: str, jpeg: bytes) -> None:
        setting, _, value = rest.partition(" ")
        if not self.refuses:
            self.sensor[setting] = int(value)

    def _ping(self, rest: str, jpeg: bytes) -> None:
        self.pinged += 1
        if Link(rest) in self._sockets and self.is_reachable:
            self._sockets[Link(rest)].sendPing()

    _orders: Final[dict[str, Callable[["Board", str, bytes], None]]] = {
        "connect": lambda self, rest, _: self._connect(Link(rest)),
        "drop": lambda self, rest, _: self._drop(Link(rest)),
        "text": _text,
        "frame": _frame,
        "apply": _apply,
        "ping": _ping,
        "reboot": lambda self, rest, _: self.restart(),
    }


class _SeedSocket(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """As the seed's server answers: it knows no header, and sends numbers as text or not."""

    def onOpen(self) -> None:
        self.factory.sockets.append(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.factory.heard.append(payload if isBinary else json.loads(payload))
        if not isBinary and json.loads(payload)["type"] == "register":
            self.sendMessage(b'{"status": "ok", "message": "Camera registered", "server_time": "2026-01-01"}')


class SeedServer(WebSocketServerFactory):  # type: ignore[misc]  # Autobahn has no types here
    """One port for everything, in the seed's way."""

    protocol = _SeedSocket
    noisy = False

    def __init__(self, clock: Driven) -> None:
        super().__init__(reactor=clock)
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        self.heard: list[Any] = []
        self.sockets: list[_SeedSocket] = []


class Site:
    """A board, the server, and one time for both.

    :ivar taken: the pictures that the server took.
    :ivar states: each state of the camera with its reason.
    :ivar restarted: whether each restart was ordered.
    """

    def __init__(self, library: ctypes.CDLL, *, known: dict[str, Any] | None = None, **board: Any) -> None:
        self.clock = Driven()
        self.feed = Feed("garden", WALL)
        self.taken: list[bytes] = []
        self.states: list[tuple[CameraState, str | None]] = []
        self.restarted: list[bool] = []
        self._subscription = self.feed.subscribe(self._framed)
        self.feed.observe(lambda condition: self.states.append((condition.state, condition.reason)))
        asked = known if known is not None else {"device": "garden"}
        self.camera = PushCamera(
            self.clock,
            config.Camera(id="garden", push=config.Push(**asked)),
            self.feed,
            lambda: WALL + self.clock.seconds(),
            lambda text, ordered: self.restarted.append(ordered),
        )
        self.recorded: list[str] = []
        self.reception = Reception(
            self.clock,
            cameras={"garden": self.camera},
            known=(Known("garden", **asked),),
            maximum=8,
            wall=lambda: WALL + self.clock.seconds(),
            record=lambda camera, text: self.recorded.append(text),
        )
        self._listening: list[Any] = []
        self.board = Board(Core(library), self.clock, **board)
        self.camera.startService()
        self.listen()

    def listen(self) -> None:
        """Open the server's ports, the same as before."""
        self.reception.startService()
        for link, port in zip(LINKS, (Port.STREAM, Port.CONTROL), strict=True):
            factory = self.reception.factory(port)
            factory.noisy = False
            listening: Any = reactor.listenTCP(self.board.ports.get(link, 0), factory, interface="127.0.0.1")
            self.board.ports[link] = listening.getHost().port
            self._listening.append(listening)

    async def close(self) -> None:
        """End the server, its connections with it."""
        self.reception.stopService()
        listening, self._listening = self._listening, []
        await gatherResults([maybeDeferred(one.stopListening) for one in listening])

    @property
    def state(self) -> CameraState:
        return self.feed.condition.state

    def _framed(self) -> None:
        frame = self._subscription.take()
        assert frame is not None
        self.taken.append(frame.jpeg)

    async def step(self, count: int = 1) -> None:
        """Let some steps of time pass."""
        for _ in range(count):
            self.board.turn()
            self.clock.advance(self.board.step / 1000)
            await deferLater(reactor, 0)

    async def pass_(self, seconds: float) -> None:
        """Let time pass."""
        await self.step(round(seconds * 1000 / self.board.step))

    async def until(self, condition: Callable[[], bool], patience: float = 60.0) -> None:
        """Let time pass until something is so; `patience` is seconds of the driven clock."""
        for _ in range(round(patience * 1000 / self.board.step)):
            if condition():
                return
            await self.step()
        raise AssertionError(f"it did not come to be; {self.states[-3:]}, {self.board.camera.seen()}")

    async def live(self) -> None:
        """Wait for the camera to show pictures, and the server to know how it is."""
        await self.until(lambda: self.state is CameraState.LIVE and self.camera.is_connected)
        await self.until(lambda: self.camera.device is not None and self.camera.device.firmware is not None)

    async def set(self, commands: Any) -> Any:
        """Set the camera; returns what it says it took, or the failure."""
        outcome: list[Any] = []
        setting = self.camera.set(commands)
        setting.addBoth(outcome.append)
        await self.until(lambda: bool(outcome))
        return outcome[0]

    def stop(self) -> "Deferred[Any]":
        self.board.stop()
        self.camera.stopService()
        if self.reception.running:
            self.reception.stopService()
        return gatherResults([maybeDeferred(one.stopListening) for one in self._listening])

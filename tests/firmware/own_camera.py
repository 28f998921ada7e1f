"""The ESP32-CAM's own core behind a real TCP server, on a clock that is driven, with the server's pulls beside it.

What the board does is done here: an HTTP server hands requests over and keeps the sockets, a loop pumps. The sockets
are as small as the board's, and written to without blocking.
"""

import ctypes
import socket
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.pull import CameraPull
from tests.cameras.pictures import picture

SEND_BUFFER: Final = 5744  # bytes: the board's, per socket
LONGEST_HEAD: Final = 1024  # bytes: as the board's server takes
STEP: Final = 10  # milliseconds from one turn of the board's loop to the next
WRAP: Final = 1 << 32

WRITE: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)
CLOSE: Final = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int)


class Ending(IntEnum):
    """Why the core ended a viewer."""

    SERVED = 0
    NO_PICTURE = 1
    STALLED = 2
    SLOW = 3
    GONE = 4


class Put(IntEnum):
    """What became of a picture."""

    STORED = 0
    NOT_JPEG = 1
    TOO_LARGE = 2
    BUSY = 3


class Core:
    """One start of the camera's core.

    :param write: takes a viewer's id and bytes; returns how many the socket took, -1 if it failed.
    :param close: takes a viewer's id and the reason.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        write: Callable[[int, bytes], int],
        close: Callable[[int, Ending], None],
        *,
        slots: int = 5,
        capacity: int = 64 * 1024,
        token: str = "",
    ) -> None:
        self._library = library
        self._write = WRITE(lambda viewer, start, size: write(viewer, ctypes.string_at(start, size)))
        self._close = CLOSE(lambda viewer, why: close(viewer, Ending(why)))
        library.gk_cam_new.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_char_p, WRITE, CLOSE)
        library.gk_cam_new.restype = ctypes.c_void_p
        for name in ("delete", "pump", "gone", "request", "picture", "streams", "taken", "cut", "refused", "held",
                     "stored", "dropped", "wanted"):  # fmt: skip
            getattr(library, f"gk_cam_{name}").argtypes = {
                "pump": (ctypes.c_void_p, ctypes.c_uint32),
                "gone": (ctypes.c_void_p, ctypes.c_int),
                "request": (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32),
                "picture": (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint32),
            }.get(name, (ctypes.c_void_p,))
        self._camera = library.gk_cam_new(slots, capacity, token.encode(), self._write, self._close)

    def __getattr__(self, name: str) -> int:
        """Return one of its counts: `streams`, `taken`, `cut`, `refused`, `held`, `stored`, `dropped`, `wanted`."""
        count: int = getattr(self._library, f"gk_cam_{name}")(self._camera)
        return count

    def request(self, method: str, target: str, authorization: str, now: int) -> int:
        """Return the viewer's id, -1 if there is no place for it."""
        id_: int = self._library.gk_cam_request(
            self._camera, method.encode(), target.encode(), authorization.encode(), now % WRAP
        )
        return id_

    def picture(self, jpeg: bytes, uptime: int, now: int) -> Put:
        """Hand over what the camera took."""
        return Put(self._library.gk_cam_picture(self._camera, jpeg, len(jpeg), uptime, now % WRAP))

    def pump(self, now: int) -> None:
        """Give every viewer what its socket takes."""
        self._library.gk_cam_pump(self._camera, now % WRAP)

    def gone(self, viewer: int) -> None:
        """The other side closed."""
        self._library.gk_cam_gone(self._camera, viewer)

    def delete(self) -> None:
        """Free its memory."""
        self._library.gk_cam_delete(self._camera)


def text(library: ctypes.CDLL, name: str, *arguments: Any) -> bytes:
    """Return what a function `gk_mjpeg_<name>` writes."""
    out = ctypes.create_string_buffer(2048)
    function = getattr(library, f"gk_mjpeg_{name}")
    function.restype = ctypes.c_size_t
    size = function(*arguments, out, ctypes.c_size_t(len(out)))
    return out.raw[:size]


class _Connection(Protocol):
    """What the board's HTTP server knows of one connection."""

    def __init__(self, board: "OwnCamera") -> None:
        self._board = board
        self._head = b""
        self.asked = False
        self.sent = 0  # bytes
        self.last = 0  # milliseconds, when the socket took some of them
        self.cut_after: int | None = None  # bytes
        self.handle: socket.socket | None = None

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.handle = transport.getHandle()
        self.handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        transport.setTcpNoDelay(True)
        self._board.connections.append(self)

    def dataReceived(self, data: bytes) -> None:
        self._head += data
        if self.asked or b"\r\n\r\n" not in self._head:
            if len(self._head) > LONGEST_HEAD:
                self.abort()
            return
        self.asked = True
        lines = self._head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self._board.asked(self, method, target, headers.get("authorization", ""))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.handle = None
        self._board.lost(self)

    def write(self, data: bytes) -> int:
        """Give the socket what it takes at once."""
        if self.handle is None:
            return -1
        if self.cut_after is not None:
            data = data[: self.cut_after - self.sent]
            if not data:
                self.abort()
                return -1
        try:
            count = self.handle.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            return -1
        self.sent += count
        self.last = self._board.now
        return count

    def close(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()

    def abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


class OwnCamera:
    """A board: its core, its sockets, its clock. Time passes by `turn`.

    :param now: milliseconds, where the 32-bit clock stands at the start.
    :ivar endings: how the core ended viewers, and how many milliseconds after the socket had last taken something.
    :ivar is_reachable: there is radio; without it nothing is taken or accepted.
    :ivar cuts: bytes after which the next connections are cut, one each.
    """

    def __init__(self, library: ctypes.CDLL, *, now: int = 0, slots: int = 5, token: str = "") -> None:
        self.now = now
        self.shown: list[bytes] = []
        self.endings: list[tuple[Ending, int]] = []
        self.connections: list[_Connection] = []
        self.is_reachable = True
        self.cuts: deque[int] = deque()
        self.port = 0
        self._born = now
        self._library = library
        self._settings: dict[str, Any] = {"slots": slots, "token": token}
        self._viewers: dict[int, _Connection] = {}
        self._listening: Any = None
        self.core = self._boot()
        self._listen()

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"http://127.0.0.1:{self.port}/stream"

    @property
    def uptime(self) -> int:
        """Milliseconds since the last start, of any size."""
        return self.now - self._born

    def picture(self, jpeg: bytes) -> Put:
        """Take a picture."""
        put = self.core.picture(jpeg, self.uptime, self.now)
        if put is Put.STORED:
            self.shown.append(jpeg)
        return put

    def turn(self) -> None:
        """One turn of the loop, a step later."""
        self.now += STEP
        self.core.pump(self.now)

    def restart(self) -> None:
        """Lose power for a moment: nobody is told, and the clock begins anew."""
        self.core.delete()
        self._viewers.clear()
        self.now = self._born = 0
        self.core = self._boot()

    def stop(self) -> Deferred[Any]:
        """Close everything."""
        for connection in tuple(self.connections):
            connection.abort()
        self.core.delete()
        self._viewers.clear()
        return maybeDeferred(self._listening.stopListening)

    def _boot(self) -> Core:
        return Core(self._library, self._write, self._close, **self._settings)

    def _listen(self) -> None:
        factory: Any = ServerFactory.forProtocol(lambda: _Connection(self))
        factory.noisy = False
        self._listening = reactor.listenTCP(self.port, factory, interface="127.0.0.1")
        self.port = self._listening.getHost().port

    def asked(self, connection: _Connection, method: str, target: str, authorization: str) -> None:
        """A request's head is whole."""
        if not self.is_reachable:
            return
        connection.cut_after = self.cuts.popleft() if self.cuts else None
        viewer = self.core.request(method, target, authorization, self.now)
        if viewer < 0:
            connection.write(text(self._library, "busy"))
            connection.close()
        else:
            assert viewer not in self._viewers
            self._viewers[viewer] = connection

    def lost(self, connection: _Connection) -> None:
        """A connection is gone."""
        self.connections.remove(connection)
        for viewer, its in tuple(self._viewers.items()):
            if its is connection:
                del self._viewers[viewer]
                self.core.gone(viewer)

    def _write(self, viewer: int, data: bytes) -> int:
        return self._viewers[viewer].write(data) if self.is_reachable else 0

    def _close(self, viewer: int, why: Ending) -> None:
        connection = self._viewers.pop(viewer)
        self.endings.append((why, self.now - connection.last))
        if why is Ending.SERVED or why is Ending.NO_PICTURE:
            connection.close()
        else:
            connection.abort()


class Driven(Clock):
    """The real reactor's network, and a time that is driven."""

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class Watcher:
    """The server's own pull, and every picture that came by it.

    :ivar states: each state with its reason.
    """

    def __init__(self, clock: Driven, url: str, password: str | None = None, **settings: Any) -> None:
        self.feed = Feed("front", 0.0)
        self.frames: list[Frame] = []
        self.states: list[tuple[CameraState, str | None]] = []
        self._subscription = self.feed.subscribe(self._framed)
        self.feed.observe(lambda condition: self.states.append((condition.state, condition.reason)))
        if password is not None:
            settings["username"] = "camera"
        camera = config.Camera(id="front", url=url, **settings)
        self.pull = CameraPull(clock, camera, password, self.feed, clock.seconds, jitter=lambda: 0.0)
        self.pull.startService()

    @property
    def state(self) -> CameraState:
        return self.feed.condition.state

    @property
    def pictures(self) -> list[bytes]:
        return [frame.jpeg for frame in self.frames]

    def _framed(self) -> None:
        frame = self._subscription.take()
        assert frame is not None
        self.frames.append(frame)


class Stranger:
    """Any other viewer: a plain socket that reads when it is told to."""

    def __init__(self, port: int, target: str, *, buffer: int | None = None, headers: str = "", method: str = "GET"):
        self.received = b""
        self.closed = False
        self._socket = socket.socket()
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: camera\r\n{headers}\r\n".encode())
        self._socket.setblocking(False)

    def read(self, most: int = 1 << 20) -> None:
        """Read what is there."""
        try:
            data = self._socket.recv(most)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.received += data
        self.closed = self.closed or not data

    def close(self) -> None:
        self._socket.close()

    @property
    def status(self) -> int:
        return int(self.received.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.received.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.received.partition(b"\r\n\r\n")[2]


class Site:
    """A board, the server's pulls, strangers, and one time for all of them.

    :param interval: milliseconds from picture to picture; 0 for none.
    """

    def __init__(self, library: ctypes.CDLL, *, interval: int = 80, size: int = 3000, **board: Any) -> None:
        self.clock = Driven()
        self.camera = OwnCamera(library, **board)
        self.interval = interval
        self.size = size
        self.watchers: list[Watcher] = []
        self.strangers: list[Stranger] = []
        self._due = 0
        self._passed = 0
        self._taken = 0

    def watch(self, password: str | None = None, **settings: Any) -> Watcher:
        watcher = Watcher(self.clock, self.camera.url, password, **settings)
        self.watchers.append(watcher)
        return watcher

    def ask(self, target: str, **settings: Any) -> Stranger:
        stranger = Stranger(self.camera.port, target, **settings)
        self.strangers.append(stranger)
        return stranger

    async def pass_(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass, with a picture when it is due; `each` is called after each turn."""
        for _ in range(round(seconds * 1000 / STEP)):
            self._passed += STEP
            if self.interval and self._passed >= self._due:
                self._due = self._passed + self.interval
                self._taken += 1
                self.camera.picture(picture(self.size + self._taken % 7, seed=self._taken))
            self.camera.turn()
            self.clock.advance(STEP / 1000)
            await deferLater(reactor, 0)
            each()

    async def until(self, condition: Callable[[], bool], patience: float = 60.0) -> None:
        """Let time pass until something is so; `patience` is seconds of the driven clock."""
        for _ in range(round(patience * 1000 / STEP)):
            if condition():
                return
            await self.pass_(STEP / 1000)
        raise AssertionError("it did not come to be")

    def stop(self) -> Deferred[Any]:
        for stranger in self.strangers:
            stranger.close()
        stops = [watcher.pull.stopService() for watcher in self.watchers if watcher.pull.running]
        return gatherResults([*stops, self.camera.stop()])

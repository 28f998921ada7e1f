"""The virtual ESP32-CAM: a real HTTP server on a real socket that behaves, and misbehaves, as the real one does.

    GET /stream   200, multipart/x-mixed-replace; boundary=frame, parts with Content-Length, about 12 a second, VGA
    GET /capture  200, image/jpeg: one picture
    GET /         a page

The real one runs Arduino's blocking `WebServer`: **while one client streams, nobody else is answered**; a second one
waits. Pictures are drawn in a thread of its own, and only while somebody streams. A fault is a switch.
"""

import base64
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from twisted.application.service import Service
from twisted.cred.credentials import DigestCredentialFactory
from twisted.cred.error import LoginFailed
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ServerFactory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper.simulators.camera_client import CameraClient
from gatekeeper.simulators.camera_faults import AT_REQUEST, CameraFault
from gatekeeper.simulators.lens import Lens

__all__ = ["CameraFault", "VirtualCamera"]

MAXIMUM_WAITING: Final = 16  # connections behind the one that is served; more are closed
REMEMBERED: Final = 64  # requests and pictures that tests can look back on

_PAGE: Final = b"<!doctype html><title>Virtual camera</title><h1>Virtual camera</h1><img src=/stream>"

_F = CameraFault


class VirtualCamera(Service):
    """A camera on a loopback port.

    :param reactor: its clock, network and threads.
    :param port: 0 lets the system choose; see `port` after the start.
    :param fps: pictures per second; the real one pauses 80 ms between two.
    :param size: width and height in pixels.
    :param seed: gives its scene colours and pace of its own.
    :param serve_all: answer every client at once, which the real one can't: for benches.
    :param wall: Unix seconds, for the clock in the picture.
    :ivar connections: how many were ever accepted; `most_open`: how many at once.
    :ivar frames_sent: parts written, whole or not.
    :ivar requests: the last requests: method, path, headers.
    :ivar pictures: the last parts' bytes.
    :ivar username: what the faults BASIC and DIGEST ask for; also `password`.
    :ivar redirect_from: the path that the fault REDIRECT sends elsewhere: to `redirect_to`.
    :ivar surplus: bytes that the fault LENGTH_TOO_LARGE adds.
    :ivar on_request: called after each request.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *,
        port: int = 0,
        interface: str = "127.0.0.1",
        fps: float = 12.5,
        size: tuple[int, int] = (640, 480),
        seed: int = 0,
        serve_all: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.port = port
        self.fps = fps
        self.connections = 0
        self.most_open = 0
        self.frames_sent = 0
        self.requests: deque[tuple[str, str, dict[str, str]]] = deque(maxlen=REMEMBERED)
        self.pictures: deque[bytes] = deque(maxlen=REMEMBERED)
        self.username, self.password = "admin", "virtual"
        self.redirect_from, self.redirect_to = "/stream", "/"
        self.surplus = 1000
        self.on_request: Callable[[], None] = lambda: None
        self._reactor = reactor
        self._interface = interface
        self._size = size
        self._seed = seed
        self._serve_all = serve_all
        self._wall = wall
        self._fault = CameraFault.NONE
        self._digest = DigestCredentialFactory(b"md5", b"virtual camera")
        self._clients: list[CameraClient] = []
        self._listening: Any = None
        self._closing: Deferred[None] | None = None
        self._gone: Deferred[None] | None = None
        self._calls: set[IDelayedCall] = set()
        self._ticking = False
        self._rendering: Deferred[None] | None = None
        self._pool: ThreadPool | None = None
        self._lens = Lens(seed)
        self._started = 0.0

    # --- what tests and the command line use -------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"http://{self._interface}:{self.port}/stream"

    @property
    def snapshot(self) -> str:
        """The address of one picture."""
        return f"http://{self._interface}:{self.port}/capture"

    @property
    def open_now(self) -> int:
        """How many connections are open."""
        return len(self._clients)

    @property
    def streaming(self) -> int:
        """How many clients are being sent pictures."""
        return sum((client.streams or client.captures) and not client.done for client in self._clients)

    @property
    def fault(self) -> CameraFault:
        """What is wrong with it; setting it takes effect at once, also on open connections."""
        return self._fault

    @fault.setter
    def fault(self, fault: CameraFault) -> None:
        if fault is self._fault:
            return
        self._fault = fault
        if fault is _F.REFUSE:
            self._stop_listening()
        elif self.running:
            self._listen()
        if fault is _F.REFUSE or fault in AT_REQUEST:
            for client in tuple(self._clients):
                if client.streams or client.captures or fault is _F.REFUSE:
                    client.abort()
        self._serve()

    # --- start and stop ----------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """Open the port."""
        super().startService()
        self._started = self._reactor.seconds()
        self._listen()

    def stopService(self) -> Deferred[None]:
        """Close the port and every connection; fires when these, the timers and the thread are gone."""
        super().stopService()
        self._stop_listening()
        for call in self._calls:
            call.cancel()
        self._calls.clear()
        self._ticking = False
        waits = [_watch(wait) for wait in (self._closing, self._rendering) if wait is not None]
        if self._clients:
            self._gone = Deferred()
            waits.append(self._gone)
            for client in tuple(self._clients):
                client.abort()
        return DeferredList(waits).addCallback(self._stopped)

    def _stopped(self, _: object) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool = None

    def _listen(self) -> None:
        if self._listening is not None or not self.running or self._fault is _F.REFUSE:
            return
        if self._closing is not None:
            return  # and again when it is closed
        factory = ServerFactory.forProtocol(lambda: CameraClient(self))
        factory.noisy = False
        self._listening = self._reactor.listenTCP(self.port, factory, interface=self._interface)
        self.port = self._listening.getHost().port

    def _stop_listening(self) -> None:
        if self._listening is not None:
            listening, self._listening = self._listening, None
            self._closing = maybeDeferred(listening.stopListening)
            self._closing.addBoth(self._closed)

    def _closed(self, _: object) -> None:
        self._closing = None
        self._listen()

    def later(self, call: Callable[[], None], delay: float = 0.01) -> None:
        """Call in `delay` seconds, unless the camera is stopped before."""

        def run() -> None:
            self._calls.discard(delayed)
            call()

        delayed: IDelayedCall = self._reactor.callLater(delay, run)
        self._calls.add(delayed)

    # --- connections -------------------------------------------------------------------------------------------------

    def accepted(self, client: CameraClient) -> None:
        """Take in a connection, or close it if too many wait."""
        self.connections += 1
        self._clients.append(client)
        self.most_open = max(self.most_open, len(self._clients))
        if not self._serve_all and len(self._clients) > MAXIMUM_WAITING:
            client.abort()

    def lost(self, client: CameraClient) -> None:
        """Forget a connection that is gone; the next one's turn comes."""
        self._clients.remove(client)
        client.done = True
        if self._gone is not None and not self._clients:
            gone, self._gone = self._gone, None
            gone.callback(None)
        self._serve()

    def asked(self, client: CameraClient) -> None:
        """Answer a request, now or when its turn comes."""
        self.requests.append(client.request)
        self._serve()
        self.on_request()

    def _serve(self) -> None:
        """Answer whoever waits, one at a time as the real one does."""
        for client in tuple(self._clients):
            if self._fault is _F.SILENT_ACCEPT or not self.running:
                return
            busy = not self._serve_all and any(other.answered for other in self._clients)
            if client.asked and not client.answered and not busy:
                client.answered = True
                self._answer(client)

    def _answer(self, client: CameraClient) -> None:
        method, path, headers = client.request
        if path.partition("?")[0] == "/":
            client.answer("200 OK", _PAGE)
        elif path.partition("?")[0] not in ("/stream", "/capture") or self._fault is _F.NOT_FOUND:
            client.answer("404 Not Found", b"<h1>Not found</h1>")
        elif self._fault is _F.HTML:
            client.answer("200 OK", _PAGE)
        elif self._fault is _F.WRONG_TYPE:
            client.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(1000))
        elif self._fault is _F.REDIRECT_LOOP or (self._fault is _F.REDIRECT and path == self.redirect_from):
            target = self.redirect_to if self._fault is _F.REDIRECT else "/stream?again"
            client.answer("302 Found", b"elsewhere", f"Location: {target}\r\n".encode())
        elif self._fault in self._CHALLENGES and not self._admits(method, headers.get("authorization", "")):
            client.answer("401 Unauthorized", b"who are you?", self._CHALLENGES[self._fault](self))
        elif path.partition("?")[0] == "/capture":
            client.captures = True
            self._start_ticking()
        else:
            client.begin_stream()
            self._start_ticking()

    def _admits(self, method: str, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        if self._fault is _F.BASIC and scheme.lower() == "basic":
            return base64.b64decode(rest) == f"{self.username}:{self.password}".encode()
        if self._fault is _F.DIGEST and scheme.lower() == "digest":
            try:
                credentials = self._digest.decode(rest.encode(), method.encode(), b"")
            except LoginFailed:
                return False
            return bool(
                credentials.username == self.username.encode() and credentials.checkPassword(self.password.encode())
            )
        return False

    def _challenge_basic(self) -> bytes:
        return b'WWW-Authenticate: Basic realm="virtual camera"\r\n'

    def _challenge_digest(self) -> bytes:
        challenge = self._digest.getChallenge(b"")
        pairs = ", ".join(f'{name}="{value.decode()}"' for name, value in challenge.items())
        return f"WWW-Authenticate: Digest {pairs}\r\n".encode()

    _CHALLENGES: dict[CameraFault, Callable[["VirtualCamera"], bytes]] = {
        _F.UNAUTHORIZED: _challenge_basic,
        _F.BASIC: _challenge_basic,
        _F.DIGEST: _challenge_digest,
    }

    # --- pictures ----------------------------------------------------------------------------------------------------

    def _start_ticking(self) -> None:
        if not self._ticking:
            self._ticking = True
            self._tick(self._reactor.seconds())

    def _tick(self, due: float) -> None:
        """Draw and send a picture; `due` is when it should have been, so that the rate doesn't drift."""
        if not self.streaming:
            self._ticking = False
            return
        now = self._reactor.seconds()
        following = max(due + 1 / self.fps, now)
        self.later(lambda: self._tick(following), following - now)
        if self._rendering is None:
            if self._pool is None:
                self._pool = ThreadPool(1, 1, f"virtual camera {self._seed}")
                self._pool.start()
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._wall()))
            moment = now - self._started
            drawn = deferToThreadPool(self._reactor, self._pool, self._render, moment, clock, self._fault)
            self._rendering = drawn.addCallback(self._show).addErrback(self._failed)
            self._rendering.addBoth(self._rendered)

    def _render(self, elapsed: float, clock: str, fault: CameraFault) -> bytes:
        """Draw, in the camera's own thread, which alone touches the lens."""
        return self._lens.picture(self._size, fault, elapsed, clock)

    def _show(self, jpeg: bytes) -> None:
        for client in tuple(self._clients):
            if (client.streams or client.captures) and self.running:
                client.show(jpeg)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("the virtual camera could not draw", failure)

    def _rendered(self, _: object) -> None:
        self._rendering = None

    def sent(self, jpeg: bytes) -> None:
        """Count a part, and remember its bytes for a while."""
        self.frames_sent += 1
        self.pictures.append(jpeg)


def _watch(original: Deferred[None]) -> Deferred[None]:
    """Return a Deferred that fires with another one, which keeps its result."""
    watcher: Deferred[None] = Deferred()

    def fired(result: None) -> None:
        watcher.callback(None)

    original.addBoth(fired)
    return watcher

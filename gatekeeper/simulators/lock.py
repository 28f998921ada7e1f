"""The virtual door lock: the seed's firmware, or ours, behind a real WebSocket server on a loopback port.

`ws://127.0.0.1:<port>/ws`, and, as on the seed's real one, `GET /open`, `/lock` and `/status` for anybody; ours has no
doors of that kind.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import NoResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from gatekeeper.simulators.lock_device import Drop, LockDevice, LockFault, Say
from gatekeeper.simulators.own_lock_device import OwnLockDevice

TICK = 0.1
"""Seconds between turns of the device's loop."""

LATE = 3.0
"""Seconds by which a late lock answers after the deadline of two."""


class _Client(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    lock: "VirtualLock"
    number = 0
    address = ""

    def onConnect(self, request: Any) -> None:
        self.address = request.peer.partition(":")[2].rpartition(":")[0]
        origin = request.headers.get("origin")  # Autobahn's own `origin` reads "null" where there is none
        refusal = self.lock.device.refusal(self.address, origin)
        if refusal is not None:
            raise ConnectionDeny(refusal)

    def onOpen(self) -> None:
        self.number = self.lock._joined(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary:
            self.lock._heard(self, payload.decode("utf-8", "replace"))

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        self.lock._left(self)


class _Upgrade(WebSocketResource):  # type: ignore[misc]  # Autobahn has no types here
    def __init__(self, factory: Any, lock: "VirtualLock") -> None:
        super().__init__(factory)
        self._lock = lock

    def render(self, request: Request) -> Any:
        if self._lock.fault is LockFault.NOT_FOUND:
            return NoResource().render(request)
        if self._lock.fault is LockFault.MUTE:
            return NOT_DONE_YET
        return super().render(request)


class _Unguarded(Resource):
    """`GET /open`, `/lock`, `/status`: no authentication, and the WebSocket clients hear nothing of it."""

    isLeaf = True

    def __init__(self, lock: "VirtualLock") -> None:
        super().__init__()
        self._lock = lock

    def render_GET(self, request: Request) -> bytes:
        name = (request.prepath or [b""])[-1]
        request.setHeader(b"content-type", b"text/plain")
        if name == b"status":
            return b"OPEN" if self._lock.device.relay else b"LOCKED"
        self._lock.press(name == b"open")
        return b"Door opened" if name == b"open" else b"Door locked"


class VirtualLock(Service):
    """A lock on a loopback port.

    :param reactor: its clock and its network.
    :param port: 0 lets the system choose; see `port` after the start.
    :param device: the firmware; the seed's without one.
    :param result_delay: seconds from a command to its OK: line; 0.0125 is the real lock's median.
    :param acknowledge_delay: seconds from a command to its ACK: line; 0.108 is the real lock's median.
    :ivar connections: how many WebSockets were ever opened; `open_now` and `most_open`: how many at once.
    """

    def __init__(
        self,
        reactor: Any,
        port: int = 0,
        *,
        device: "LockDevice | OwnLockDevice | None" = None,
        result_delay: float = 0.0125,
        acknowledge_delay: float = 0.108,
    ) -> None:
        self.device = device if device is not None else LockDevice()
        self.port = port
        self.connections = 0
        self.most_open = 0
        self.result_delay = result_delay
        self.acknowledge_delay = acknowledge_delay
        self._reactor = reactor
        self._clients: dict[int, _Client] = {}
        self._listening: Any = None
        self._loop = LoopingCall(self._tick)
        self._loop.clock = reactor
        self._pending: set[IDelayedCall] = set()
        self._queue: deque[Say | Drop] = deque()  # what our firmware says leaves in its order: its counters rise
        self._last_due = 0.0
        self._site: WrappingFactory | None = None

    # --- what tests and the command line use ---

    @property
    def url(self) -> str:
        """The WebSocket address."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def open_now(self) -> int:
        """How many WebSockets are open."""
        return len(self._clients)

    @property
    def fault(self) -> LockFault:
        """What is wrong with it; setting it takes effect at once, also on an open connection."""
        return self.device.fault

    @fault.setter
    def fault(self, fault: LockFault) -> None:
        before, self.device.fault = self.device.fault, fault
        if fault is LockFault.REFUSE:
            self._stop_listening()
            self.cut(reset=False)
        elif before is LockFault.REFUSE and self.running:
            self._listen()
        for connection in self._connections():
            if fault is LockFault.SEVERED:
                connection.transport.pauseProducing()
            elif before is LockFault.SEVERED:
                connection.transport.resumeProducing()

    def press(self, energised: bool) -> None:
        """Switch the relay behind everybody's back, as `GET /open` and `GET /lock` do."""
        self.device.switch(energised, self._reactor.seconds())

    def stray_open(self) -> None:
        """Open as if another client had ordered it: everybody hears the answer."""
        self.press(True)
        if not self.device.is_own:
            self._say([Say("OK:Door opened"), Say("ACK:OPEN_DOOR", acknowledges=True)], 0.0)

    def cut(self, reset: bool) -> None:
        """Close every connection, with a FIN or with a RST."""
        for connection in self._connections():
            if reset:
                connection.transport.abortConnection()
            else:
                connection.transport.loseConnection()

    def _connections(self) -> list[Any]:
        return list(self._site.protocols) if self._site is not None else []

    # --- the service ---

    def startService(self) -> None:
        super().startService()
        self._listen()
        self._loop.start(TICK, now=False)

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        for call in self._pending:
            if call.active():
                call.cancel()
        self._pending.clear()
        self._queue.clear()
        for connection in self._connections():
            connection.transport.abortConnection()
        return maybeDeferred(self._stop_listening)

    def _listen(self) -> None:
        sockets = WebSocketServerFactory(reactor=self._reactor)
        sockets.protocol = type("Client", (_Client,), {"lock": self})
        if self.device.is_own:  # its deadlines: handshake 5 s, PING frame at 15 s, dropped at 45 s, closed within 2 s
            sockets.setProtocolOptions(
                openHandshakeTimeout=5, autoPingInterval=15, autoPingTimeout=30, closeHandshakeTimeout=2
            )
        else:
            sockets.setProtocolOptions(autoPingInterval=0, closeHandshakeTimeout=1)
        root = Resource()
        root.putChild(b"ws", _Upgrade(sockets, self))
        for name in (b"open", b"lock", b"status") if not self.device.is_own else ():
            root.putChild(name, _Unguarded(self))
        site = Site(root, reactor=self._reactor)
        site.noisy = False
        self._site = WrappingFactory(site)
        self._site.noisy = False
        self._listening = self._reactor.listenTCP(self.port, self._site, interface="127.0.0.1")
        self.port = self._listening.getHost().port

    def _stop_listening(self) -> Any:
        listening, self._listening = self._listening, None
        return listening.stopListening() if listening is not None else None

    # --- the device's network ---

    def _joined(self, client: _Client) -> int:
        self.connections += 1
        self._clients[self.connections] = client
        self.most_open = max(self.most_open, len(self._clients))
        self._say(self.device.connected(self.connections, self._reactor.seconds(), client.address), 0.0)
        return self.connections

    def _left(self, client: _Client) -> None:
        if self._clients.pop(client.number, None) is not None:
            self.device.disconnected(client.number)

    def _heard(self, client: _Client, text: str) -> None:
        if self.fault in (LockFault.SILENT, LockFault.SEVERED):
            return
        says = self.device.text(text, self._reactor.seconds(), client.number)
        if self.fault in (LockFault.HANG_UP, LockFault.RESET) and text.endswith("OPEN_DOOR"):
            self.cut(reset=self.fault is LockFault.RESET)
            return
        self._say(says, LATE if self.fault is LockFault.LATE and text.endswith("OPEN_DOOR") else 0.0)

    def _tick(self) -> None:
        self._say(self.device.tick(self._reactor.seconds()), 0.0)

    def _say(self, says: Sequence[Say | Drop], late: float) -> None:
        for say in says:
            answer = isinstance(say, Say) and say.text.startswith(("OK:Door", "ACK:"))
            slow = isinstance(say, Say) and say.acknowledges
            delay = late + (self.acknowledge_delay if slow else self.result_delay if answer else 0.0)
            if self.device.is_own:
                self._in_order(delay, say)
            elif delay > 0:
                self._later(delay, say)
            else:
                self._write(say)

    def _in_order(self, delay: float, say: Say | Drop) -> None:
        due = max(self._last_due, self._reactor.seconds() + delay)
        if not self._queue and delay == 0:
            self._write(say)
            return
        self._last_due = due
        self._queue.append(say)
        self._later(max(0.0, due - self._reactor.seconds()), None)

    def _later(self, delay: float, say: Say | Drop | None) -> None:
        def write() -> None:
            self._pending.discard(call)
            self._write(say if say is not None else self._queue.popleft())

        call = self._reactor.callLater(delay, write)
        self._pending.add(call)

    def _write(self, say: Say | Drop) -> None:
        if self.fault in (LockFault.SILENT, LockFault.SEVERED):
            return
        to = self._clients.values() if say.client is None else [self._clients.get(say.client)]
        for client in [one for one in to if one is not None]:
            if isinstance(say, Drop):
                client.sendCloseFrame(say.code)  # sendClose() takes no code below 3000 from a program
            else:
                client.sendMessage(say.text.encode())

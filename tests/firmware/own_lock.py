"""The door lock's own core: called directly, and behind a real WebSocket server on a clock that is driven.

What the board does is done here: an HTTP server takes connections, upgrades them and keeps the sockets; a loop hands
over what came, and ticks. All deadlines are the core's: Autobahn has none of its own.
"""

import ctypes
from enum import IntEnum
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.task import Clock
from zope.interface import implementer

from gatekeeper.simulators.lock_device import Drop, Say

WRAP: Final = 1 << 32
STEP: Final = 10  # milliseconds from one turn of the board's loop to the next
LONGEST_MESSAGE: Final = 256  # bytes
NORMAL, POLICY, TRY_LATER = 1000, 1008, 1013

Deed = str | Say | Drop
"""What the core did: `relay on`, `relay off`, `<client> (ping)`, `<client> (cut)`, or as its Python twin."""


class Kind(IntEnum):
    """As in `firmware/host/capi_lock.cpp`."""

    RELAY = 1
    TEXT = 2
    PING = 3
    CLOSE = 4
    CUT = 5


class _Deed(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("client", ctypes.c_int),
        ("code", ctypes.c_int),
        ("size", ctypes.c_uint),
        ("text", ctypes.c_char * 192),
    )


_VOID, _INT, _U32 = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32
_CALLS: dict[str, tuple[Any, ...]] = {
    "accepted": (_VOID, _INT, _U32),
    "refusal": (_VOID, _U32, _INT),
    "connected": (_VOID, _INT, _U32, _U32, _INT),
    "heard": (_VOID, _INT, _U32),
    "text": (_VOID, _INT, ctypes.c_char_p, ctypes.c_uint, _U32),
    "disconnected": (_VOID, _INT),
    "tick": (_VOID, _U32, _INT),
    "trip": (_VOID, _U32),
    "chance": (_VOID, ctypes.c_char_p, ctypes.c_uint),
    "relay": (_VOID,),
    "free": (_VOID,),
    "next": (_VOID, ctypes.POINTER(_Deed)),
}


class Core:
    """One start of the lock's core. Times are milliseconds of any size; the core sees their lowest 32 bits.

    :param max_open: milliseconds; 0 for no limit.
    :ivar relay: what the board's pin is.
    """

    def __init__(self, library: ctypes.CDLL, key: bytes | None = None, *, max_open: int = 60_000) -> None:
        self.rssi = -58
        self._library = library
        self._addresses = {"": 0}
        library.gk_lock_new.argtypes = (ctypes.c_char_p, _U32)
        library.gk_lock_new.restype = _VOID
        for name, arguments in _CALLS.items():
            getattr(library, f"gk_lock_{name}").argtypes = arguments
        library.gk_lock_state.argtypes = (_VOID,)
        library.gk_lock_state.restype = ctypes.c_char_p
        self._lock = library.gk_lock_new(key, max_open)
        self.boot = self.deeds()

    def __del__(self) -> None:
        self._library.gk_lock_free(self._lock)

    def _call(self, name: str, *arguments: Any) -> int:
        result: int = getattr(self._library, f"gk_lock_{name}")(self._lock, *arguments)
        return result

    def _address(self, address: str) -> int:
        return self._addresses.setdefault(address, len(self._addresses))

    @property
    def relay(self) -> bool:
        return self._call("relay") != 0

    @property
    def state(self) -> str:
        return bytes(self._library.gk_lock_state(self._lock)).decode()

    def chance(self, data: bytes) -> None:
        """Say what the next nonces are made of; then it is 0, 1, 2, …"""
        self._call("chance", data, len(data))

    def accepted(self, client: int, now: int) -> bool:
        return self._call("accepted", client, now % WRAP) != 0

    def refusal(self, address: str, origin: str | None) -> int | None:
        return self._call("refusal", self._address(address), origin is not None) or None

    def connected(self, client: int, now: int, address: str = "") -> list[Deed]:
        self._call("connected", client, self._address(address), now % WRAP, self.rssi)
        return self.deeds()

    def heard(self, client: int, now: int) -> None:
        self._call("heard", client, now % WRAP)

    def text(self, client: int, text: str | bytes, now: int) -> list[Deed]:
        data = text.encode() if isinstance(text, str) else text
        self._call("text", client, data, len(data), now % WRAP)
        return self.deeds()

    def disconnected(self, client: int) -> None:
        self._call("disconnected", client)

    def tick(self, now: int) -> list[Deed]:
        self._call("tick", now % WRAP, self.rssi)
        return self.deeds()

    def trip(self, now: int) -> list[Deed]:
        self._call("trip", now % WRAP)
        return self.deeds()

    def deeds(self) -> list[Deed]:
        """Return what it did since the last look, in order."""
        deeds: list[Deed] = []
        deed = _Deed()
        while self._library.gk_lock_next(self._lock, ctypes.byref(deed)):
            match Kind(deed.kind):
                case Kind.RELAY:
                    deeds.append("relay on" if deed.code else "relay off")
                case Kind.TEXT:
                    text = bytes(deed.text[: deed.size]).decode("ascii")
                    said = text.split(":", 3)[3] if text.startswith("R:") else text
                    deeds.append(Say(text, deed.client, said.startswith("ACK:")))
                case Kind.PING:
                    deeds.append(f"{deed.client} (ping)")
                case Kind.CLOSE:
                    deeds.append(Drop(deed.client, deed.code))
                case Kind.CUT:
                    deeds.append(f"{deed.client} (cut)")
        return deeds


def told(deeds: list[Deed]) -> list[str]:
    """Return deeds as the vectors write them."""
    return [
        f"{deed.client} {deed.text}"
        if isinstance(deed, Say)
        else f"{deed.client} (close {deed.code})"
        if isinstance(deed, Drop)
        else deed
        for deed in deeds
    ]


# --- the board ---


class _Connection(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    board: "Board"
    number = 0
    sent = 0
    cut_after: int | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.setTcpNoDelay(True)  # Autobahn 26 asks before it knows
        self.board._accepted(self)

    def dataReceived(self, data: bytes) -> None:
        if self.board.is_reachable:
            super().dataReceived(data)

    def onConnect(self, request: Any) -> None:
        address = request.peer.partition(":")[2].rpartition(":")[0]
        refusal = self.board.core.refusal(address, request.headers.get("origin"))
        if refusal is not None:
            raise ConnectionDeny(refusal)
        self.address = address

    def onOpen(self) -> None:
        self.board._opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary:
            self.board._heard(self, payload)

    def onPong(self, payload: bytes) -> None:
        self.board.core.heard(self.number, self.board.now)

    def onPing(self, payload: bytes) -> None:
        self.board.core.heard(self.number, self.board.now)
        super().onPing(payload)

    def sendData(self, data: bytes, *arguments: Any) -> None:
        """All bytes that Autobahn sends pass here: `cut_after` of them, and the cable is cut."""
        if not self.board.is_reachable:
            return
        if self.cut_after is not None:
            data = data[: max(0, self.cut_after - self.sent)]
        self.sent += len(data)
        super().sendData(data, *arguments)
        if self.cut_after is not None and self.sent >= self.cut_after:
            self.cut_after = None
            self.board.shortened += 1
            self.board.is_lost(self)

    def connectionLost(self, reason: Any) -> None:
        self.board._lost(self)
        super().connectionLost(reason)


class Board:
    """A board: its core, its sockets, its clock. Time passes by `turn`.

    :param now: milliseconds, where the clock stands at the start.
    :ivar history: every change of the relay as (milliseconds, energised).
    :ivar heard: every text that came, and `said`: every text that left, in order.
    :ivar is_reachable: there is radio; without it nothing is taken or sent, and nobody is told.
    :ivar is_hung: the main loop hangs: what comes waits for it in vain.
    :ivar cuts: bytes after which the next connections are cut, one each; `shortened`: how many were.
    """

    def __init__(self, library: ctypes.CDLL, key: bytes | None = None, *, now: int = 0, max_open: int = 60_000) -> None:
        self.now = now
        self.history: list[tuple[int, bool]] = []
        self.heard: list[str] = []
        self.said: list[str] = []
        self.is_reachable = True
        self.is_hung = False
        self.cuts: list[int] = []
        self.shortened = 0
        self.port = 0
        self.opened = 0
        self.connections: dict[int, _Connection] = {}
        self._library = library
        self._settings: dict[str, Any] = {"key": key, "max_open": max_open}
        self._numbers = 0
        self._boots = 0
        self._guard = 0
        self._tripped = False
        self._energised = False  # the pin: the guard can drop it, too
        self.core = self._boot()
        self._listen()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def relay(self) -> bool:
        return self._energised

    def turn(self, step: int = STEP) -> None:
        """One turn of the loop, `step` milliseconds later; the guard runs beside it."""
        self.now += step
        if self._energised and self.now - self._guard >= 2000:
            self._drive(False)
            self._tripped = True
        if self.is_hung:
            return
        if self._tripped:
            self._tripped = False
            self._do(self.core.trip(self.now))
        self._do(self.core.tick(self.now))
        if self.core.state != "locked":
            self._guard = self.now

    def restart(self) -> None:
        """Lose power for a moment: nobody is told, and the clock begins anew."""
        for connection in tuple(self.connections.values()):
            connection.number = -1
            connection.transport.abortConnection()
        self.connections.clear()
        self._drive(False)
        self.now = 0
        self.core = self._boot()

    def cut(self) -> None:
        """Reset every connection."""
        for connection in tuple(self.connections.values()):
            connection.transport.abortConnection()

    def is_lost(self, connection: _Connection) -> None:
        """The cable is cut: what was written arrives, and nothing follows."""
        connection.transport.loseConnection()

    def stop(self) -> Deferred[Any]:
        self.cut()
        return maybeDeferred(self._listening.stopListening)

    def _boot(self) -> Core:
        self._boots += 1
        core = Core(self._library, **self._settings)
        assert core.boot == ["relay off"]
        core.chance(bytes((self._boots * 37 + place) % 256 for place in range(16)))
        return core

    def _listen(self) -> None:
        factory = WebSocketServerFactory()
        factory.protocol = type("Connection", (_Connection,), {"board": self})
        factory.noisy = False
        factory.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            maxMessagePayloadSize=LONGEST_MESSAGE,
            maxFramePayloadSize=LONGEST_MESSAGE,
        )
        self._listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        host: Any = self._listening.getHost()
        self.port = host.port

    # --- what the sockets tell ---

    def _accepted(self, connection: _Connection) -> None:
        self._numbers += 1
        connection.number = self._numbers
        connection.cut_after = self.cuts.pop(0) if self.cuts else None
        self.connections[connection.number] = connection
        if not self.core.accepted(connection.number, self.now):
            connection.transport.abortConnection()

    def _opened(self, connection: _Connection) -> None:
        self.opened += 1
        self._do(self.core.connected(connection.number, self.now, connection.address))

    def _heard(self, connection: _Connection, payload: bytes) -> None:
        if self.is_hung or connection.number < 0:
            return
        self.heard.append(payload.decode("utf-8", "replace"))
        self._do(self.core.text(connection.number, payload, self.now))

    def _lost(self, connection: _Connection) -> None:
        if self.connections.pop(connection.number, None) is not None:
            self.core.disconnected(connection.number)

    # --- what the core does ---

    def _drive(self, energised: bool) -> None:
        if energised is not self._energised:
            self.history.append((self.now, energised))
        self._energised = energised

    def _do(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            if isinstance(deed, Say):
                self.said.append(deed.text)
                self._with(deed.client, lambda it, text=deed.text: it.sendMessage(text.encode()))
            elif isinstance(deed, Drop):
                self._with(deed.client, lambda it, code=deed.code: it.sendCloseFrame(code))
            elif deed.startswith("relay"):
                if deed == "relay on":
                    self._guard = self.now
                self._drive(deed == "relay on")
            elif deed.endswith("(ping)"):
                self._with(int(deed.split(" ")[0]), lambda it: it.sendPing())
            else:
                self._with(int(deed.split(" ")[0]), lambda it: it.transport.abortConnection())

    def _with(self, number: int | None, deed: Any) -> None:
        connection = self.connections.get(number if number is not None else -1)
        if connection is not None:
            deed(connection)


class _AtOnce:
    """Resolves what is an address already, without a thread: threads know no driven clock."""

    def resolveHostName(self, receiver: Any, host: str, portNumber: int = 0, *_: Any, **__: Any) -> Any:
        receiver.resolutionBegan(self)
        receiver.addressResolved(IPv4Address("TCP", host, portNumber))
        receiver.resolutionComplete()
        return receiver


@implementer(IReactorPluggableNameResolver)
class Driven(Clock):
    """The real reactor's network, and a time that is driven."""

    nameResolver = _AtOnce()

    def installNameResolver(self, resolver: Any) -> Any:
        """Do nothing."""
        return self.nameResolver

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

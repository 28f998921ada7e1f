"""Where cameras connect: their WebSockets, who each is, and what becomes of it.

    handshake -> who is it? -> seated | refused (the camera is there already) | stranger (listed, shown to nobody)

There is no Origin check: the real camera sends `Origin: file://`. A second connection of a camera that is alive is
refused; the one that is there is asked at once whether it is alive, and makes room if it isn't: the real camera dials
again every three seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, ISSLTransport
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.assembly import Assembly, Outcome, Whole
from gatekeeper.cameras.push.camera import Port, PushCamera
from gatekeeper.cameras.push.identity import Facts, Known, Strangers, identify, registered
from gatekeeper.errors import AccessDenied, GatekeeperError
from gatekeeper.sockets import BoundedSocket, bearer

MAXIMUM_MESSAGE: Final = 5 * 1024 * 1024  # bytes, as the seed's server has it
MAXIMUM_FRAGMENTS: Final = 8192  # of a message: 5 MiB in pieces of 1 KiB are 5120; each costs memory, however small
STRANGERS_PICTURE: Final = 2 * 1024 * 1024  # bytes of a picture that nobody sees
SHAKING_SECONDS: Final = 5.0  # for the handshake, and for the closing one
PING_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0  # without a byte, three pings without an answer: the connection is dead
PROOF_SECONDS: Final = 2.0  # for a connection to show that it is alive when a second one comes
RECORDED_EVERY: Final = 60.0  # seconds between records of the same camera's second connection: it tries every three
SECOND = 4409  # close code: the camera is there already
REFUSED = 4000  # close code, and the HTTP status of why: 4401 log in, 4403 not allowed, 4404 no such camera

Recorder = Callable[[str, str], None]
"""Told the camera's id and what happened, for the record."""


class Visitor(Protocol):
    """A browser that was let in at a camera's port."""

    def heard(self, text: bytes) -> None:
        """Take in what it says."""

    def gone(self) -> None:
        """Forget it."""


class Visitors(Protocol):
    """Who comes to a camera's port and is no camera."""

    def announced(self, request: Any, address: str, *, secure: bool) -> Any:
        """Return what is known of a visitor by its handshake; None if it may be a camera."""

    def admit(self, socket: "DeviceSocket") -> Visitor:
        """Let a browser in.

        :raises GatekeeperError: if it may not come in.
        """

    def told(self, camera: str) -> None:
        """Hear that a camera has said how it is."""


class NoVisitors:
    """Nobody but cameras."""

    def announced(self, request: Any, address: str, *, secure: bool) -> Any:
        return None

    def admit(self, socket: "DeviceSocket") -> Visitor:
        raise AccessDenied("only cameras connect here")

    def told(self, camera: str) -> None:
        pass


class DeviceSocket(BoundedSocket):
    """One connection; what comes goes to the reception."""

    factory: "DeviceFactory"
    maximum_fragments = MAXIMUM_FRAGMENTS

    def connectionMade(self) -> None:
        self.reception = self.factory.reception
        self.port = self.factory.port
        self.facts = Facts("", "/")
        self.announced: Any = None  # what its handshake said of it, if it isn't a camera's
        self.visitor: Visitor | None = None
        self.camera: PushCamera | None = None
        self.registered = False
        self.speaks = False
        self.dropped = False  # by us, so that it dials anew
        self.heard = self.reception.now
        self.reads = 0
        self.until: float | None = self.heard + SHAKING_SECONDS  # then it is cut
        self.assembly = Assembly(STRANGERS_PICTURE)
        self.reception.sockets.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.reception._gone(self)

    def dataReceived(self, data: bytes) -> None:
        self.heard = self.reception.now
        self.reads += 1
        super().dataReceived(data)

    def onConnect(self, request: Any) -> None:
        peer = getattr(self.transport.getPeer(), "host", "")
        given = request.params.get("token") or [bearer(request.headers)]
        path = wire.shown(str(request.path)) or "/"
        self.facts = Facts(str(peer), path, given[0])
        self.announced = self.reception._announced(self, request)
        # returns None: 101 without a subprotocol, although the camera asks for `arduino`

    def onOpen(self) -> None:
        self.until = None
        self.speaks = True
        self.reception._opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not self.speaks:
            return  # it was refused, and still talks
        if self.visitor is not None:
            if not isBinary:
                self.visitor.heard(payload)
        elif isBinary:
            self.reception._binary(self, payload)
        else:
            self.reception._text(self, wire.parse(payload))

    # --- for the camera ---

    @property
    def address(self) -> str:
        return self.facts.address

    def say(self, text: bytes) -> None:
        self.sendMessage(text)

    def expire(self) -> list[Outcome]:
        return self.assembly.expire(self.reception.now)

    def in_picture(self) -> bool:
        return self.assembly.in_picture

    # --- for the reception ---

    def refuse(self, code: int, reason: str) -> None:
        """Close with a reason; what still comes isn't heard."""
        self.speaks = False
        self.until = self.reception.now + SHAKING_SECONDS
        self.sendClose(code, reason)

    def drop(self) -> None:
        self.dropped = True
        self.abort()

    def abort(self) -> None:
        self.speaks = False
        if self.transport is not None:
            self.transport.abortConnection()


class DeviceFactory(WebSocketServerFactory):  # type: ignore[misc]  # Autobahn has no types here
    """Builds the connections of one port, as many as there may be."""

    protocol = DeviceSocket

    def __init__(self, reception: "Reception", port: Port, reactor: Any) -> None:
        super().__init__(server="gatekeeper", reactor=reactor)
        self.noisy = False
        self.reception = reception
        self.port = port
        self.setProtocolOptions(
            webStatus=False,
            utf8validateIncoming=False,  # a camera's odd letter must not end its pictures
            openHandshakeTimeout=0,  # this and the next: the reception's clock, not Autobahn's
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            tcpNoDelay=True,
            maxMessagePayloadSize=MAXIMUM_MESSAGE,
            maxFramePayloadSize=MAXIMUM_MESSAGE,
            allowedOrigins=["*"],
            allowNullOrigin=True,
        )

    def buildProtocol(self, addr: object) -> Any:
        if not self.reception.running or len(self.reception.sockets) >= self.reception.maximum:
            return None
        return super().buildProtocol(addr)


class Reception(Service):
    """Everything that connects as a camera.

    :param reactor: clock.
    :param cameras: by id, as they are now; `known` says how each is told.
    :param maximum: connections at once, over both ports.
    :param wall: Unix seconds now.
    :param record: told of second connections.
    :ivar strangers: who is in no configuration.
    :ivar visitors: who else comes; nobody, until the site says so.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *,
        cameras: Mapping[str, PushCamera],
        known: Sequence[Known],
        maximum: int,
        wall: Callable[[], float],
        record: Recorder,
    ) -> None:
        self.maximum = maximum
        self.sockets: set[DeviceSocket] = set()
        self.strangers = Strangers()
        self.visitors: Visitors = NoVisitors()
        self._reactor = reactor
        self._cameras = cameras
        self._known = known
        self._wall = wall
        self._record = record
        self._recorded: dict[str, float] = {}  # camera -> when its second connection was last recorded
        self._proofs: dict[DeviceSocket, IDelayedCall] = {}  # who must show that he is alive
        self._keeping = LoopingCall(self._keep)
        self._keeping.clock = reactor

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return float(self._reactor.seconds())

    def factory(self, port: Port) -> DeviceFactory:
        """Return what to listen with."""
        return DeviceFactory(self, port, self._reactor)

    def know(self, known: Sequence[Known]) -> None:
        """Tell cameras so from now on, after `cameras` changed.

        Who is seated where he doesn't belong any more is cut, and dials again; who was a stranger may have a seat.
        """
        self._known = known
        for socket in tuple(self.sockets):
            camera = socket.camera
            if camera is None:
                if socket.speaks and self._seat(socket):
                    self.strangers.forget(socket.facts)
                    if socket.registered and socket.camera is not None:
                        socket.camera.registered(socket)
            elif self._cameras.get(camera.camera.id) is not camera or identify(known, socket.facts) != camera.camera.id:
                socket.abort()

    # --- start and stop ---

    def startService(self) -> None:
        super().startService()
        self._keeping.start(PING_SECONDS, now=False)

    def stopService(self) -> None:
        """Cut every connection."""
        super().stopService()
        if self._keeping.running:
            self._keeping.stop()
        for proof in self._proofs.values():
            proof.cancel()
        self._proofs.clear()
        for socket in tuple(self.sockets):
            socket.abort()

    def _keep(self) -> None:
        """Ask everybody whether he is alive, and cut who isn't."""
        now = self.now
        for socket in tuple(self.sockets):
            if (socket.until is not None and now >= socket.until) or now - socket.heard >= SILENCE_SECONDS:
                socket.abort()
            elif socket.speaks:
                socket.sendPing()

    # --- what happens on a connection ---

    def _announced(self, socket: DeviceSocket, request: Any) -> Any:
        """Return what is known of a visitor; who brings a camera's token is a camera, whatever else it brings."""
        if any(one.token is not None and one.fits(socket.facts) for one in self._known):
            return None
        secure = ISSLTransport.providedBy(socket.transport)
        return self.visitors.announced(request, socket.facts.address, secure=secure)

    def _opened(self, socket: DeviceSocket) -> None:
        if socket.announced is None:
            self._seat(socket)  # or not yet, or never: it is listed when it says something

    def _gone(self, socket: DeviceSocket) -> None:
        self.sockets.discard(socket)
        if socket.visitor is not None:
            socket.visitor.gone()
        if socket.camera is not None:
            socket.camera.unseat(socket, self._why_gone(socket))

    def _why_gone(self, socket: DeviceSocket) -> str:
        if socket.dropped:
            return "the connection was dropped, for the camera to make a new one"
        silent = self.now - socket.heard >= PROOF_SECONDS and not socket.speaks
        return "the connection went silent" if silent else "the connection was closed"

    def _text(self, socket: DeviceSocket, message: wire.Message | wire.Unheard) -> None:
        match message:
            case wire.Register():
                self._registered(socket, message)
            case _ if socket.announced is not None:
                pass  # a browser that didn't say that it is one
            case wire.FrameStart() | wire.FrameEnd() | wire.ImageStart() | wire.ImageEnd():
                self._outcomes(socket, socket.assembly.text(message, self.now))
                if isinstance(message, wire.ImageStart):
                    self._began_in_pieces(socket)
            case _:
                if socket.camera is not None:
                    socket.camera.heard(message)
                    if isinstance(message, wire.Health):
                        self.visitors.told(socket.camera.camera.id)
                else:
                    self.strangers.seen(socket.facts, self._wall())

    def _began_in_pieces(self, socket: DeviceSocket) -> None:
        socket.say(wire.acknowledged(self._wall()))
        if socket.camera is not None:
            socket.camera.chunked += 1

    def _binary(self, socket: DeviceSocket, payload: bytes) -> None:
        if socket.port is Port.STREAM and socket.announced is None:  # pictures on the control port are nobody's
            self._outcomes(socket, socket.assembly.binary(payload, self.now))

    def _outcomes(self, socket: DeviceSocket, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if socket.camera is not None:
                socket.camera.outcome(outcome)
            elif isinstance(outcome, Whole):
                self.strangers.pictured(socket.facts, outcome.width, outcome.height, len(outcome.jpeg), self._wall())

    def _registered(self, socket: DeviceSocket, message: wire.Register) -> None:
        if message.device != "camera" or socket.announced is not None:
            self._admit(socket, message)
            return
        socket.facts = registered(socket.facts, wire.shown(message.id) if message.id is not None else None)
        if socket.camera is None and not self._seat(socket) and not socket.speaks:
            return  # it was refused
        socket.registered = True
        socket.say(wire.registered(self._wall(), wire.FRAMED in message.frames))
        if socket.camera is not None:
            socket.camera.registered(message)

    def _admit(self, socket: DeviceSocket, message: wire.Register) -> None:
        """Let a browser in; nobody else, and a page that says that it is a camera isn't one."""
        try:
            if message.device != "browser":
                raise AccessDenied("only cameras and browsers connect here, and each as what it is")
            socket.visitor = self.visitors.admit(socket)
        except GatekeeperError as error:
            socket.refuse(REFUSED + error.status, str(error))

    # --- who it is ---

    def _seat(self, socket: DeviceSocket) -> bool:
        """Give a connection its camera, if it has one whose seat is free."""
        found = identify(self._known, socket.facts)
        if found is None:
            if socket.facts.registered:
                self.strangers.seen(socket.facts, self._wall())
            return False
        camera = self._cameras[found]
        there = camera.seated(socket.port)
        if there is not None:
            self._refuse(socket, there, found)
            return False
        socket.camera = camera
        socket.assembly = Assembly(camera.camera.maximum_frame_bytes)
        camera.seat(socket)
        return True

    def _refuse(self, socket: DeviceSocket, there: Any, camera: str) -> None:
        """Keep the one that is there, unless it is dead: that shows at once."""
        asked = self.now
        if there not in self._proofs:
            there.sendPing()
            self._proofs[there] = self._reactor.callLater(PROOF_SECONDS, self._prove, there, there.reads)
        socket.refuse(SECOND, f"camera {camera} is connected already")
        if asked - self._recorded.get(camera, -RECORDED_EVERY) >= RECORDED_EVERY:
            self._recorded[camera] = asked
            text = f"camera {camera}: a second connection, from {socket.facts.address}, was refused"
            self._log.warn("{text}: the first, from {first}, is there", text=text, first=there.facts.address)
            self._record(camera, text)

    def _prove(self, there: DeviceSocket, reads: int) -> None:
        del self._proofs[there]
        if there in self.sockets and there.reads == reads:
            there.abort()

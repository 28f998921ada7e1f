"""One connection of a laptop or page: bytes in and out, at the pace of whoever reads. What it means is `listener`'s."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory

from gatekeeper.access.guard import Channel
from gatekeeper.access.principal import Principal
from gatekeeper.errors import GatekeeperError
from gatekeeper.measurements import wire
from gatekeeper.measurements.broadcast import TEXT, Audience
from gatekeeper.measurements.intake import Entry
from gatekeeper.measurements.sample import MAXIMUM_MESSAGE
from gatekeeper.sockets import BoundedSocket, bearer
from gatekeeper.wamp.framing import frame, take_message

if TYPE_CHECKING:
    from gatekeeper.measurements.listener import MeasurementListener

SHAKING_SECONDS: Final = 5.0  # for the handshake, and for the closing one
MAXIMUM_UNREAD: Final = 1024 * 1024  # bytes that a page may leave unread: half a minute of eight teams at 20 a second
MAXIMUM_FRAGMENTS: Final = 64  # of a message: each costs memory, however small
ERRORS: Final = 20  # told to one connection in a second; more are only counted, so that nobody is echoed to death
SLOW: Final = 4408  # a close code: you don't read


class MeasurementSocket(BoundedSocket):
    """One laptop or page."""

    factory: "MeasurementFactory"
    maximum_fragments = MAXIMUM_FRAGMENTS

    def connectionMade(self) -> None:
        self.listener = self.factory.listener
        self.heard = self.listener.now
        self.until: float | None = self.heard + SHAKING_SECONDS
        self.who: Principal | None = None
        self.speaks = False
        self.team: int | None = None  # that it sent for last
        self._may: dict[int, bool] = {}
        self._seen: tuple[float, Audience] | None = None
        self._full = False
        self._owed = 0  # bytes written since the system took no more
        self._errors = (0, 0)  # the second, and how many were told in it
        self.listener.sockets.add(self)
        super().connectionMade()
        if self.listener.is_paused:
            self.pause()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.listener.gone(self)

    def dataReceived(self, data: bytes) -> None:
        self.heard = self.listener.now
        # Nearly all that comes is whole texts, many in one read: Autobahn's way costs ten times what they do.
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._take_messages(data)
        if data:
            super().dataReceived(data)

    def _take_messages(self, data: bytes) -> bytes:
        """Take in the messages that are whole; return what else there is."""
        start = 0
        while self.state == self.STATE_OPEN:
            taken = take_message(data, start, MAXIMUM_MESSAGE)
            if taken is None:
                break
            payload, is_binary, start = taken
            self.onMessage(payload, is_binary)
        return data[start:] if start else data

    def onConnect(self, request: Any) -> None:
        peer = str(getattr(self.transport.getPeer(), "host", "unix"))
        given = request.params.get("token") or request.params.get("key") or [bearer(request.headers)]
        self.who = self.listener.known(given[0], Channel(peer, "websocket", secure=bool(self.factory.isSecure)))

    def onOpen(self) -> None:
        self.until = None
        self.speaks = True
        self.transport.registerProducer(self, True)
        self.listener.opened(self)

    def _max_message_size_exceeded(self, msg_size: int, max_size: int, reason: str) -> None:
        self.listener.too_large(self)
        super()._max_message_size_exceeded(msg_size, max_size, reason)

    def _fail_connection(self, code: int, reason: str) -> None:
        self.speaks = False
        self.until = self.listener.now + SHAKING_SECONDS
        super()._fail_connection(code, reason)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.speaks:
            self.listener.message(self, payload, isBinary)

    # --- for the intake ---

    def settled(self, entries: Sequence[Entry], error: GatekeeperError | None) -> None:
        """Acknowledge what has a number."""
        numbers: dict[str, list[int]] = {}
        for entry in entries:
            if entry.row.sender is not None and entry.row.seq is not None:
                numbers.setdefault(entry.row.sender, []).append(entry.row.seq)
        if error is None:
            for sender, some in numbers.items():
                self.say(wire.acknowledged(sender, some))
        elif self.speaks:
            self.complain(error)  # not as `ack`: whoever numbers sends them again

    # --- for the broadcast ---

    @property
    def audience(self) -> Audience:
        """The teams that it may see, as the accounts are now."""
        now = self.listener.now
        if self._seen is None or now - self._seen[0] >= 1.0:
            self._seen = (now, self.listener.audience(self))
        return self._seen[1]

    def tell(self, frames: Sequence[bytes]) -> None:
        """Send frames; whoever leaves too much unread is cut, so that it dials again and begins anew."""
        if not self.speaks or self.state != self.STATE_OPEN:
            return
        if self._full:
            self._owed += sum(map(len, frames))
            if self._owed > MAXIMUM_UNREAD:
                self.listener.slow += 1
                self.abort()
                return
        for one in frames:
            self.transport.write(one)

    def pauseProducing(self) -> None:
        """Hear that the system takes no more for now."""
        self._full = True

    def resumeProducing(self) -> None:
        """Hear that everything was taken."""
        self._full, self._owed = False, 0

    def stopProducing(self) -> None:
        """Hear that the connection is gone."""

    # --- for the listener ---

    def say(self, text: bytes) -> None:
        """Send a text; to one that is gone, or going, nothing."""
        if self.speaks and self.state == self.STATE_OPEN:
            self.transport.write(frame(TEXT, text))

    def complain(self, error: GatekeeperError, **more: Any) -> None:
        """Tell what was wrong, a bounded number of times a second."""
        second = int(self.listener.now)
        told = self._errors[1] if self._errors[0] == second else 0
        self._errors = (second, told + 1)
        if told < ERRORS:
            self.say(wire.message("error", code=error.code, message=str(error), **more))

    def may_send(self, team: int) -> bool:
        """Return whether it may send for a team; looked up once a second."""
        found = self._may.get(team)
        if found is None:
            found = self._may[team] = self.listener.may_send(self, team)
        return found

    def forget(self) -> None:
        """Look up again what it may."""
        self._may.clear()

    def refuse(self, code: int, reason: str) -> None:
        """Close with a reason; what still comes isn't heard."""
        self.speaks = False
        self.until = self.listener.now + SHAKING_SECONDS
        self.sendClose(code, reason)

    def pause(self) -> None:
        """Read no more for now."""
        if self.transport is not None:
            self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        self.heard = self.listener.now  # it could not be heard meanwhile
        if self.transport is not None:
            self.transport.resumeProducing()

    def abort(self) -> None:
        """Cut the connection."""
        self.speaks = False
        if self.transport is not None:
            self.transport.abortConnection()


class MeasurementFactory(WebSocketServerFactory):  # type: ignore[misc]  # Autobahn has no types here
    """Builds the connections, as many as there may be."""

    protocol = MeasurementSocket

    def __init__(self, listener: "MeasurementListener", reactor: Any) -> None:
        super().__init__(server="gatekeeper", reactor=reactor)
        self.noisy = False
        self.listener = listener
        self.setProtocolOptions(
            webStatus=False,
            failByDrop=False,  # who sends too much is told so, and then closed
            utf8validateIncoming=False,  # msgspec does it
            openHandshakeTimeout=0,  # this and the next: the listener's clock, not Autobahn's
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            tcpNoDelay=True,
            maxMessagePayloadSize=MAXIMUM_MESSAGE,
            maxFramePayloadSize=MAXIMUM_MESSAGE,
            allowedOrigins=["*"],
            allowNullOrigin=True,
        )

    def buildProtocol(self, addr: object) -> Any:
        listener = self.listener
        if not listener.running or len(listener.sockets) >= listener.maximum:
            return None
        return super().buildProtocol(addr)

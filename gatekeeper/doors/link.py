"""The link to one door lock: a ClientService, an Autobahn WebSocket, a timer; `door` decides, this carries it out.

There is never a second connection to a lock: the seed's firmware disarms its dead-man switch when any client goes.
"Connected" means that the WebSocket is open and the first STATUS is answered. ClientService's `prepareConnection` isn't
used for it: a connection lost while preparing ends in `NoTransition` (Twisted 26.10), so the pause before the next try
is counted here. Where the door has a key, `signing` comes first: until the lock has proven that it has it, the door
knows of no link and nothing is sent, and a lock that can't is left again. Nothing falls back to the unsigned protocol.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import Service
from twisted.internet import tcp
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper import config
from gatekeeper.doors import wire
from gatekeeper.doors.actions import Action, Answer, Changed, Drop, Locked, Note, Opened, Send, Times
from gatekeeper.doors.door import Door
from gatekeeper.doors.executor import Executor
from gatekeeper.doors.signing import Doubtful, Outcome, Proven, Said, Session, Transmit, Unproven
from gatekeeper.doors.states import DoorState
from gatekeeper.elsewhere import Elsewhere, IsOwn, LeadsBack, never
from gatekeeper.errors import GatekeeperError

MAX_MESSAGE = 64 * 1024
"""Largest message taken from a lock, bytes: its texts have 26, and a broken one must not cost memory."""

JITTER = 0.25
"""Most that chance adds to a pause between connections, seconds."""

CLOSE_TIMEOUT = 0.5
"""Seconds for the WebSocket's closing handshake, after the lock acknowledged LOCK_DOOR: the stop has five in all."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something about a door that belongs on the record."""

    door: str
    kind: str
    text: str
    alarm: bool


class _Lock(WebSocketClientProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """Hands everything to its link; a lock that speaks binary or invalid UTF-8 is heard as an unknown line.

    :ivar session: signed mode's, where the door has a key; `given_up`: whether the link has ended on our word.
    """

    session: Session | None = None
    given_up = False

    def connectionMade(self) -> None:
        super().connectionMade()
        # Autobahn 26 asks for its own option before it knows it, and a command waits for the ACK of the one before.
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)

    def onOpen(self) -> None:
        self.factory.link._opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.factory.link._received(self, payload.decode("utf-8", "replace"))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.factory.link._lost(self, "the lock closed the connection" if wasClean else _plainly(reason))


@implementer(ILogObserver)
class _Unheard:
    def __call__(self, event: LogEvent) -> None:
        pass


def _flush(transport: Any) -> None:
    """Hand a command to the kernel now, not a reactor turn later: whoever holds the button waits for it.

    An error is met again, and dealt with, by the reactor: the transport still waits for a chance to write. A transport
    that closes with its last byte is left alone: only the reactor, writing that byte, closes it.
    """
    if type(transport) is tcp.Client and not transport.disconnecting:
        transport.doWrite()


def _plainly(reason: str | None) -> str:
    """Return Autobahn's reason for an unclean end without its frame: `connection was closed uncleanly ("…")`."""
    inner = (reason or "").partition('("')[2].removesuffix('")') or reason or "the connection was lost"
    return "the lock dropped the connection" if inner.startswith("peer dropped") else inner


class _Patient(ClientService):
    """A ClientService that leaves the words about retries to the link, which says each reason once."""

    _log = Logger(namespace="gatekeeper.doors.retries", observer=_Unheard())


class DoorLink(Service):
    """One door and the link to its lock.

    :param door: the door's configuration.
    :param reactor: clock and network.
    :param changed: called with the link after every change of what is known.
    :param record: called with what belongs on the record.
    :param executor: told of the connection and of what is left to do if this process is killed.
    :param is_own: tells what is gatekeeper's own, and no lock.
    :param key: of signed mode, 32 bytes; without it everything goes unsigned.
    """

    log = Logger()

    def __init__(
        self,
        door: config.Door,
        reactor: Any,
        changed: Callable[["DoorLink"], None],
        record: Callable[[Recorded], None],
        executor: Executor,
        *,
        jitter: Callable[[], float] = random.random,
        is_own: IsOwn = never,
        key: bytes | None = None,
    ) -> None:
        self.config = door
        self._key = key
        self._unproven: str | None = None  # why, as it stands on the record already
        times = Times(door.command_timeout, door.ping_interval, door.ping_timeout, door.silence_timeout)
        self.door = Door(times, reactor.seconds())
        self._reactor = reactor
        self._changed = changed
        self._record = record
        self._executor = executor
        self._calls: dict[int, Deferred[Any]] = {}
        self._next_call = 0
        self._timer: IDelayedCall | None = None
        self._protocol: _Lock | None = None
        self._failures = 0
        self._pause = backoffPolicy(
            door.retry_minimum / 2,
            max(door.retry_maximum - JITTER, door.retry_minimum),
            2.0,
            jitter=lambda: JITTER * jitter(),
        )
        self._client = _Patient(_Endpoint(door, reactor, self, is_own), self._factory(), self._retry_after, reactor)

    @property
    def is_signed(self) -> bool:
        """Whether all that is known of the door came signed: there is a key."""
        return self._key is not None

    # --- calls ---

    def open(self, duration: float, holder: str, reason: str | None) -> "Deferred[Opened]":
        """Open for `duration` seconds.

        The Deferred fires when the lock acknowledged, or fails with one of Busy, NotConnected, Rejected and
        Indeterminate within the command's deadline.
        """
        call, answer = self._call()
        self._act(self.door.open(self._now, call, duration, holder, reason))
        return answer

    def lock(self, holder: str, reason: str | None) -> "Deferred[Locked]":
        """Lock: accepted whenever there is a link. Fires when the lock acknowledged."""
        call, answer = self._call()
        self._act(self.door.lock(self._now, call, holder, reason))
        return answer

    def _call(self) -> tuple[int, "Deferred[Any]"]:
        self._next_call += 1
        answer: Deferred[Any] = Deferred()
        self._calls[self._next_call] = answer
        return self._next_call, answer

    # --- the service ---

    def startService(self) -> None:
        super().startService()
        self._client.startService()

    @inlineCallbacks
    def stopService(self) -> Any:
        """Lock, wait for the acknowledgement, then close; a lock that doesn't answer is left with a loud line."""
        super().stopService()
        if self.door.linked:
            was_open = self.door.state is not DoorState.LOCKED
            call, answer = self._call()
            self._act(self.door.close(self._now, call))
            try:
                yield answer
            except (GatekeeperError, CancelledError) as error:
                self.log.error(
                    "door {door} could not be locked before leaving: {reason}", door=self.config.id, reason=str(error)
                )
                self._note("door.left_unlocked", f"could not be locked before leaving: {error}", True)
            else:
                if was_open:
                    self._note("door.locked", "locked before leaving", False)
        self._executor.drop(self.config.id)
        yield self._client.stopService()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- what the WebSocket says ---

    def _opened(self, protocol: _Lock) -> None:
        if not self.running:
            protocol.transport.abortConnection()
            return
        self._protocol = protocol
        self._executor.hold(self.config.id, protocol.transport)
        if self._key is None:
            self._act(self.door.link_opened(self._now))
        else:
            protocol.session = Session(self._key, self._now, self.config.connect_timeout)
            self._set_timer()

    def _received(self, protocol: _Lock, text: str) -> None:
        if protocol is not self._protocol:
            return
        if protocol.session is not None:
            self._come_of(protocol, protocol.session.received(text))
        else:
            self._said(text)

    def _come_of(self, protocol: _Lock, outcome: Outcome | None) -> None:
        """Do what signed mode wants."""
        match outcome:
            case Transmit(text):
                protocol.sendMessage(text.encode())
            case Proven() if self.running:
                self._act(self.door.link_opened(self._now))
            case Said(text):
                self._said(text)
            case Doubtful() if not self.door.ready:
                self._give_up(protocol, "the lock proved that it has the key, and does not sign what it says")
            case Doubtful() if protocol.session is not None and protocol.session.doubted == 1:
                text = "the lock's link carries lines that are not signed, or not for now; they count for nothing"
                self._note("door.unsigned", text, True)
            case Unproven(reason):
                self._give_up(protocol, reason)

    def _give_up(self, protocol: _Lock, reason: str) -> None:
        """End a link that can't be used as it should be: the next try comes after the usual pause."""
        self._cut(protocol)
        self._act(self.door.link_lost(self._now, reason))
        if self._unproven != reason:
            self._unproven = reason
            self._note("door.unproven", reason, True)

    def _cut(self, protocol: _Lock) -> None:
        self._protocol = None
        protocol.given_up = True
        self._executor.drop(self.config.id)
        protocol.transport.abortConnection()

    def _said(self, text: str) -> None:
        line = wire.parse(text)
        if isinstance(line, wire.Unheard):
            self.log.debug("door {door} said something unknown: {text!r}", door=self.config.id, text=line.text)
        self._act(self.door.received(self._now, line))
        if self.door.ready:
            self._failures = 0
            self._unproven = None

    def _lost(self, protocol: _Lock, reason: str) -> None:
        if protocol.given_up:
            return  # and why is said already
        if not self.running:
            reason = "gatekeeper closed it"
        if protocol is self._protocol:
            self._protocol = None
            self._executor.drop(self.config.id)
            if self.door.linked or not self.running:
                self._act(self.door.link_lost(self._now, reason))
            else:
                self._failed(f"{reason}, before it proved that it has the key")
        elif self._protocol is None and not self.door.linked:
            self._failed(reason)

    def _failed(self, reason: str) -> None:
        """A try to connect failed."""
        before = self.door.reason
        self._act(self.door.link_lost(self._now, reason))
        if before != reason:
            self.log.warn("door {door} can't be reached: {reason}", door=self.config.id, reason=reason)

    # --- what the door decides ---

    @property
    def _now(self) -> float:
        return float(self._reactor.seconds())

    def _act(self, actions: list[Action]) -> None:
        changed = False
        for action in actions:
            match action:
                case Send(command):
                    if self._protocol is not None:
                        session = self._protocol.session
                        text = session.seal(command) if session is not None else command.value
                        self._protocol.sendMessage(text.encode())
                        _flush(self._protocol.transport)
                case Drop():
                    if self._protocol is not None:
                        self._cut(self._protocol)
                case Answer(call, result):
                    self._answer(call, result)
                case Note(kind, text, alarm):
                    self._note(kind, text, alarm)
                case Changed():
                    changed = True
        self._set_timer()
        if changed:
            if self._protocol is not None:
                self._executor.tell(self.config.id, self.door.state is DoorState.LOCKED)
            self._changed(self)

    def _answer(self, call: int, result: Opened | Locked | GatekeeperError) -> None:
        answer = self._calls.pop(call)
        if isinstance(result, GatekeeperError):
            answer.errback(Failure(result))
        else:
            answer.callback(result)

    def _note(self, kind: str, text: str, alarm: bool) -> None:
        log = self.log.warn if alarm else self.log.info
        log("door {door}: {text}", door=self.config.id, text=text, kind=kind)
        self._record(Recorded(self.config.id, kind, text, alarm))

    def _set_timer(self) -> None:
        deadline = self.door.deadline
        session = self._protocol.session if self._protocol is not None else None
        if session is not None and session.deadline is not None:
            deadline = session.deadline  # the door has none before there is a link
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if deadline is not None:
            self._timer = self._reactor.callLater(max(0.0, deadline - self._now), self._tick)

    def _tick(self) -> None:
        self._timer = None
        protocol = self._protocol
        if protocol is not None and protocol.session is not None:
            self._come_of(protocol, protocol.session.tick(self._now))
        self._act(self.door.tick(self._now))

    # --- connecting ---

    def _factory(self) -> Any:
        factory = WebSocketClientFactory(self.config.url, reactor=self._reactor, useragent="gatekeeper")
        factory.protocol = _Lock
        factory.noisy = False
        factory.link = self
        factory.setProtocolOptions(
            openHandshakeTimeout=self.config.connect_timeout,
            closeHandshakeTimeout=CLOSE_TIMEOUT,
            serverConnectionDropTimeout=CLOSE_TIMEOUT,
            maxMessagePayloadSize=MAX_MESSAGE,
            maxFramePayloadSize=MAX_MESSAGE,
            autoPingInterval=0,
            tcpNoDelay=True,
        )
        return factory

    def _retry_after(self, attempt: int) -> float:
        self._failures += 1
        return self._pause(self._failures)


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Where the lock is; a failed try is told to the link before ClientService counts it."""

    def __init__(self, door: config.Door, reactor: Any, link: DoorLink, is_own: IsOwn) -> None:
        url = WebSocketClientFactory(door.url, reactor=reactor)
        lock: Any = HostnameEndpoint(reactor, url.host, url.port, timeout=door.connect_timeout)
        endpoint: Any = Elsewhere(lock, url.host, url.port, is_own)
        self._endpoint = wrapClientTLS(optionsForClientTLS(url.host), endpoint) if url.isSecure else endpoint
        self._where = f"{url.host}:{url.port}"
        self._link = link

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[Any]":
        connecting: Deferred[Any] = self._endpoint.connect(protocolFactory)
        return connecting.addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        if self._link.running and failure.check(LeadsBack):
            self._link._failed(failure.getErrorMessage())
        elif self._link.running:
            self._link._failed(f"{self._where}: {failure.getErrorMessage().rstrip('.')}")
        return failure

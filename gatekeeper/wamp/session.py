"""A remote session: the state machine between one connection and the realm. Sans-I/O.

    opening     HELLO → the authenticator is asked        answers: WELCOME, CHALLENGE or ABORT
    deciding    its answer is awaited                     the client has nothing to say
    challenged  AUTHENTICATE → it is asked again
    joined      GOODBYE → GOODBYE, and the connection may open another session; all else goes to broker and dealer
    leaving     GOODBYE was sent, the client's is awaited; what crossed it on the way is dropped
    closed      nothing is heard or said any more

Whatever a state doesn't expect, and whatever isn't a message, ends in ABORT `wamp.error.protocol_violation`. `TABLE`
decides every pair of state and message type.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from gatekeeper.wamp.answers import on_answer
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Identity, Peer
from gatekeeper.wamp.calls import Invocation
from gatekeeper.wamp.errors import (
    AUTHENTICATION_FAILED,
    GOODBYE_AND_OUT,
    KILLED,
    NO_SUCH_REALM,
    PROTOCOL_VIOLATION,
    RUNTIME_ERROR,
    SYSTEM_SHUTDOWN,
    TIMEOUT,
    UNAVAILABLE,
    CodecError,
    ProtocolViolation,
)
from gatekeeper.wamp.features import features_of
from gatekeeper.wamp.flow import Outbox, Socket
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.limits import SessionMetrics
from gatekeeper.wamp.members import Frames, Member, Subscription
from gatekeeper.wamp.messages import ABORT, CHALLENGE, GOODBYE, INTERRUPT, INVOCATION, WELCOME, Message, Type, check
from gatekeeper.wamp.shared import Shared

if TYPE_CHECKING:
    from gatekeeper.wamp.router import Router

NOBODY = Identity("", "", "")


class State(Enum):
    """Where a session is."""

    OPENING = auto()
    DECIDING = auto()
    CHALLENGED = auto()
    JOINED = auto()
    LEAVING = auto()
    CLOSED = auto()


class Step(Enum):
    """What a message does in a state."""

    HELLO = auto()
    AUTHENTICATE = auto()
    GOODBYE = auto()
    SERVE = auto()  # broker and dealer
    END = auto()  # the client's ABORT, or its answer to our GOODBYE: the connection has no further use
    IGNORE = auto()
    VIOLATION = auto()


_REQUESTS = (
    Type.ERROR,
    Type.PUBLISH,
    Type.SUBSCRIBE,
    Type.UNSUBSCRIBE,
    Type.CALL,
    Type.CANCEL,
    Type.REGISTER,
    Type.UNREGISTER,
    Type.YIELD,
)

_DECIDED: dict[State, dict[Type, Step]] = {
    State.OPENING: {Type.HELLO: Step.HELLO, Type.ABORT: Step.END},
    State.DECIDING: {Type.ABORT: Step.END},
    State.CHALLENGED: {Type.AUTHENTICATE: Step.AUTHENTICATE, Type.ABORT: Step.END},
    State.JOINED: {Type.GOODBYE: Step.GOODBYE, Type.ABORT: Step.END, **dict.fromkeys(_REQUESTS, Step.SERVE)},
    State.LEAVING: {Type.GOODBYE: Step.END, Type.ABORT: Step.END, **dict.fromkeys(_REQUESTS, Step.IGNORE)},
    State.CLOSED: dict.fromkeys(Type, Step.IGNORE),
}

TABLE: dict[tuple[State, int], Step] = {
    (state, int(kind)): _DECIDED[state].get(kind, Step.VIOLATION) for state in State for kind in Type
}
"""What each message type does in each state."""


class Link(Socket, Protocol):
    """A connection, as its session needs it."""

    def close(self, reason: str) -> None:
        """Close once what was written has left, or after a time of the transport's choosing."""
        ...

    def await_drain(self) -> None:
        """See to `drained` being called, whatever it is that is unsent: a ping, too."""
        ...

    def probe(self) -> None:
        """Ping the client behind all that was written; the session is told by `probed` of its answer."""
        ...

    def expect(self, state: State) -> None:
        """Take note of a new state; the transport calls `overdue` if one other than JOINED lasts too long."""
        ...


class Session(Member):
    """One connection's session.

    :param link: the connection.
    :param wire: how messages look on it.
    """

    __slots__ = ("_awaiting", "_challenge", "_link", "_outbox", "_probing", "_router", "peer", "state", "wire")

    def __init__(self, router: "Router", link: Link, wire: Wire, peer: Peer) -> None:
        super().__init__(NOBODY, peer.address)
        self._router = router
        self._link = link
        self.wire = wire
        self.peer = peer
        self.state = State.OPENING
        self._challenge: Challenge | None = None
        self._awaiting: list[Callable[[], None]] = []
        self._probing: list[Callable[[], None]] = []
        self._outbox = Outbox(link, router.limits.unsent_bytes, router.tally, self._overflowed)

    # --- What the transport tells ----------------------------------------------------------------------------------

    def received(self, payload: bytes, binary: bool) -> None:
        """Take one WebSocket message; never raises."""
        if self.state is State.CLOSED:
            return
        self._router.tally.messages_in += 1
        try:
            if binary != self.wire.codec.binary:
                raise ProtocolViolation("the wrong kind of frame for this serialization")
            message = check(self.wire.codec.decode(payload))
        except (CodecError, ProtocolViolation) as violation:
            self.violated(str(violation))
        else:
            self.resume(message)

    def resume(self, message: Message) -> None:
        """Take a message, now or after it had to wait for an authorizer; never raises."""
        try:
            self._take(message)
        except (CodecError, ProtocolViolation) as violation:
            self.violated(str(violation))
        except Exception as error:  # noqa: BLE001 - the boundary of a session: its failure must not reach another
            self._router.report("session", error)
            self.abort(RUNTIME_ERROR, "the router failed")

    def violated(self, reason: str) -> None:
        """End the session for breaking the protocol, also below WAMP (a message too large)."""
        if self.state is not State.CLOSED:
            self._router.tally.violations += 1
            self.abort(PROTOCOL_VIOLATION, reason)

    def overdue(self) -> None:
        """End a handshake that takes too long, or a connection whose client doesn't answer GOODBYE."""
        if self.state is State.LEAVING:
            self._end("no answer to GOODBYE")
        elif self.state is not State.JOINED:
            self._router.tally.refused += 1
            self.abort(TIMEOUT, "the handshake took too long")

    def drained(self) -> None:
        """Go on sending: the connection has nothing unsent."""
        self._outbox.drained()
        if self._awaiting and not self.unsent_bytes():
            awaiting, self._awaiting = self._awaiting, []
            for callback in awaiting:
                callback()

    def lost(self) -> None:
        """Forget everything: the connection is gone."""
        self._awaiting.clear()
        self._probing.clear()
        self._depart(State.CLOSED)
        self._outbox.close()
        self._router.detached(self)

    # --- What the router tells -------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Send a reply; raise CodecError if this serialization can't express it."""
        if type(message[-1]) is Shared:
            self._outbox.send_paced(self.wire.pack_shared(message[:-1], message[-1]))
        else:
            self._outbox.send(self.wire.pack(message))

    def event(self, subscription: Subscription, message: Message, frames: Frames, slot: int) -> None:
        """Send an event, made into a frame only if no other receiver of the same wire has done it."""
        if self.state is not State.JOINED:
            return
        frame = frames.get(self.wire)
        if frame is None:
            frame = frames[self.wire] = self._pack_event(message)
        if not frame:
            self._router.tally.events_unencodable += 1
        elif slot:
            self._outbox.offer(slot, frame)
        else:
            self._outbox.send(frame)

    def invoke(self, invocation: Invocation, details: dict[str, Any], payload: Message) -> None:
        """Send an INVOCATION."""
        self.send([INVOCATION, invocation.id, invocation.registration.id, details, *payload])

    def interrupt(self, invocation: Invocation, mode: str) -> None:
        """Send an INTERRUPT."""
        self.send([INTERRUPT, invocation.id, {"mode": mode}])

    def forget(self, subscription: Subscription) -> None:
        """Drop the events that wait for an ended subscription."""
        self._outbox.forget(subscription.id)
        for slot in subscription.slots.values():
            self._outbox.forget(slot)

    def leave_for(self, reason: str, message: str) -> None:
        """Say GOODBYE, because somebody who may has said so."""
        self.leave(reason, message)

    def metrics(self) -> SessionMetrics:
        """Return what the session costs now."""
        unsent, replaced = self.unsent_bytes(), self._outbox.replaced
        return SessionMetrics(self.id, self.identity.authid, self.address, unsent, replaced)

    def unsent_bytes(self) -> int:
        """Return what waits in memory for the client to read."""
        return self._link.unsent_bytes() + self._outbox.waiting_bytes

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, when nothing is unsent any more."""
        self._awaiting.append(callback)
        self._link.await_drain()

    def probe(self, callback: Callable[[], None]) -> None:
        """Call back once, when the client has answered a ping behind all that it was sent until now."""
        self._probing.append(callback)
        if len(self._probing) == 1:
            self._link.probe()

    def probed(self) -> None:
        """Take the client's answer; of whoever asked meanwhile, too, who then hears a little early."""
        probing, self._probing = self._probing, []
        for callback in probing:
            callback()

    def leave(self, reason: str, message: str = "") -> None:
        """Say GOODBYE to a joined session, ABORT to one on its way in, and close when it has answered."""
        if self.state is State.JOINED:
            self._depart(State.LEAVING)
            self.send([GOODBYE, {"message": message} if message else {}, reason])
        elif self.state is not State.LEAVING:
            self.abort(reason, message)

    def abort(self, reason: str, message: str) -> None:
        """Send ABORT and close."""
        if self.state is State.CLOSED:
            return
        self._depart(State.CLOSED)
        self.send([ABORT, {"message": message}, reason])
        self._shut(f"{reason}: {message}")

    # --- Steps -----------------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        step = TABLE[self.state, message[0]]
        if step is Step.SERVE:
            self._router.serve(self, message)
        elif step is Step.HELLO:
            self._hello(message)
        elif step is Step.AUTHENTICATE:
            self._authenticate(message)
        elif step is Step.GOODBYE:
            if self.waiting is not None and self.waiting.add(message):
                return  # what was asked before it is still to be done
            self._depart(State.OPENING)
            self.send([GOODBYE, {}, GOODBYE_AND_OUT])
        elif step is Step.END:
            self._end("the client left")
        elif step is Step.VIOLATION:
            raise ProtocolViolation(f"{Type(message[0]).name} while {self.state.name.lower()}")

    def _hello(self, message: Message) -> None:
        _, realm, details = message
        if not details.get("roles"):
            raise ProtocolViolation("HELLO without roles")
        self.features = features_of(details["roles"])
        if self._router.closed:
            self.abort(SYSTEM_SHUTDOWN, "the router is shutting down")
        elif realm != self._router.realm:
            self._refuse(Deny(NO_SUCH_REALM, "there is no such realm here"))
        elif self._router.is_crowded(self):
            self._refuse(Deny(UNAVAILABLE, "too many connections from this address"))
        else:
            self.peer = replace(self.peer, session=self._router.draw_id())
            self._ask("hello", realm, _methods(details), details.get("authid"), _extra(details), self.peer)

    def _authenticate(self, message: Message) -> None:
        challenge = self._challenge
        self._ask("authenticate", challenge.state if challenge else None, message[1], message[2])

    def _ask(self, question: str, *about: Any) -> None:
        self._enter(State.DECIDING)
        try:
            answer = getattr(self._router.authenticator, question)(*about)
        except Exception as error:  # noqa: BLE001 - the embedding program's code; its failure must close, not open
            self._undecided(error)
        else:
            on_answer(answer, self._decided, self._undecided)

    def _decided(self, answer: Any) -> None:
        if self.state is not State.DECIDING:
            return  # the client left, or time ran out, before the answer came
        if isinstance(answer, Accept):
            self._welcome(answer)
        elif isinstance(answer, Challenge) and self._challenge is None:
            self._challenge = answer
            self._enter(State.CHALLENGED)
            self._say([CHALLENGE, answer.method, dict(answer.extra)])
        elif isinstance(answer, Deny):
            self._refuse(answer)
        else:
            self._undecided(TypeError(f"the authenticator answered {type(answer).__name__}"))

    def _undecided(self, error: BaseException) -> None:
        self._router.report("authenticator", error)
        if self.state is State.DECIDING:
            self._refuse(Deny(AUTHENTICATION_FAILED, "the authenticator failed"))

    def _refuse(self, answer: Deny) -> None:
        self._router.tally.refused += 1
        self.abort(answer.reason_uri, answer.message)

    def _welcome(self, answer: Accept) -> None:
        self.identity = answer.identity
        self._challenge = None  # it may hold a secret
        self._router.join(self, self.peer.session)
        self._enter(State.JOINED)
        self._say([WELCOME, self.id, _welcome_details(self._router, answer)])
        self._router.joined(self)

    def _say(self, message: Message) -> None:
        try:
            self.send(message)
        except CodecError as error:  # the authenticator's own values
            self._router.report("authenticator", error)
            self.abort(AUTHENTICATION_FAILED, "the authenticator failed")

    def _pack_event(self, message: Message) -> bytes:
        try:
            return self.wire.pack(message)
        except CodecError:
            return b""

    # --- Endings ---------------------------------------------------------------------------------------------------

    def _enter(self, state: State) -> None:
        self.state = state
        self._link.expect(state)

    def _depart(self, state: State) -> None:
        """Leave the realm, if joined, for another state."""
        was_joined = self.state is State.JOINED
        self._challenge = None
        self._enter(state)
        if was_joined:
            self._router.left(self)
            self.identity = NOBODY

    def _end(self, reason: str) -> None:
        self._depart(State.CLOSED)
        self._shut(reason)

    def _shut(self, reason: str) -> None:
        self._outbox.close()
        self._link.close(reason)

    def _overflowed(self, unsent: int) -> None:
        """End a session that doesn't read: the reason stands behind what it hasn't read, and the close is bounded."""
        self._router.tally.over_budget += 1
        self._depart(State.CLOSED)
        message = f"{unsent} bytes unsent"
        self._link.write(self.wire.pack([GOODBYE, {"message": message}, KILLED]))
        self._link.close(message)


def _methods(details: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(details.get("authmethods") or ("anonymous",))


def _extra(details: Mapping[str, Any]) -> Mapping[str, Any]:
    return details.get("authextra") or {}


def _welcome_details(router: "Router", answer: Accept) -> dict[str, Any]:
    who = answer.identity
    details: dict[str, Any] = {
        "realm": router.realm,
        "roles": router.roles,
        "authid": who.authid,
        "authrole": who.authrole,
        "authmethod": who.authmethod,
        "authprovider": who.authprovider,
    }
    if answer.authextra is not None:
        details["authextra"] = dict(answer.authextra)
    return details

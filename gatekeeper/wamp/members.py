"""A member of the realm, and what it holds there: the records that the broker and the dealer share.

A member is a joined session, remote or local. Broker and dealer see only this much of it, so neither knows of
serializations, sockets or Python callables.
"""

from typing import Any

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.ids import Sequence
from gatekeeper.wamp.messages import ERROR, Message

Frames = dict[Wire, bytes]
"""One event's frames so far: made once per wire, whoever asks first; empty where the wire can't express it."""


class Member:
    """A session that may join the realm; subclasses say how a message reaches it.

    :ivar id: the session ID, of the global scope; 0 before it joins.
    :ivar trusted: whether it bypasses authorization; only the embedding program's own sessions can.
    :ivar calls: its unanswered calls by request ID.
    :ivar invocations: what it was asked and hasn't answered, by invocation ID.
    """

    __slots__ = (
        "address",
        "calls",
        "id",
        "identity",
        "invocation_ids",
        "invocations",
        "registrations",
        "subscriptions",
        "trusted",
    )

    def __init__(self, identity: Identity, address: str, *, trusted: bool = False) -> None:
        self.id = 0
        self.identity = identity
        self.address = address
        self.trusted = trusted
        self.clear()

    def clear(self) -> None:
        """Hold nothing, as when joining."""
        self.subscriptions: dict[int, Subscription] = {}
        self.registrations: dict[int, Registration] = {}
        self.calls: dict[int, Invocation] = {}
        self.invocations: dict[int, Invocation] = {}
        self.invocation_ids = Sequence()

    def send(self, message: Message) -> None:
        """Take a reply; raise CodecError if the member's serialization can't express it."""
        raise NotImplementedError

    def event(self, subscription: "Subscription", message: Message, frames: Frames) -> None:
        """Take an EVENT of one of its subscriptions; never raises."""
        raise NotImplementedError

    def invoke(self, invocation: "Invocation", payload: Message) -> None:
        """Take an INVOCATION; raise CodecError if the member's serialization can't express it."""
        raise NotImplementedError

    def forget(self, subscription: "Subscription") -> None:
        """Drop what still waits to be sent for a subscription that ended."""

    def gone(self) -> None:
        """Take note that it is no member any more; whatever it held is settled."""


class Subscription:
    """A topic that somebody subscribed to.

    :ivar newest: whether a receiver that can't keep up gets only the newest event.
    :ivar members: the subscribers, in the order in which they came.
    """

    __slots__ = ("id", "members", "newest", "topic")

    def __init__(self, id_: int, topic: str, *, newest: bool) -> None:
        self.id = id_
        self.topic = topic
        self.newest = newest
        self.members: dict[Member, None] = {}


class Registration:
    """A procedure that a callee offers."""

    __slots__ = ("callee", "id", "procedure")

    def __init__(self, id_: int, procedure: str, callee: Member) -> None:
        self.id = id_
        self.procedure = procedure
        self.callee = callee


class Invocation:
    """A call under way.

    :ivar caller: who waits for it; None once nobody does, so that a late answer is recognized and dropped.
    :ivar request: the caller's request ID.
    """

    __slots__ = ("caller", "id", "registration", "request")

    def __init__(self, id_: int, registration: Registration, caller: Member, request: int) -> None:
        self.id = id_
        self.registration = registration
        self.caller: Member | None = caller
        self.request = request


def error(kind: int, request: int, uri: str, *args: Any) -> Message:
    """Return an ERROR message that answers a request of this type."""
    return [ERROR, kind, request, {}, uri, list(args)]

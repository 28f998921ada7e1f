"""A member of the realm, and what it holds there: the records that the broker and the dealer share.

A member is a joined session, remote or local. Broker and dealer see only this much of it, so neither knows of
serializations, sockets or Python callables.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.ids import Sequence
from gatekeeper.wamp.messages import ERROR, Message
from gatekeeper.wamp.uris import Match

if TYPE_CHECKING:
    from gatekeeper.wamp.calls import Ended, Invocation
    from gatekeeper.wamp.registrations import Registration
    from gatekeeper.wamp.testaments import Testaments
    from gatekeeper.wamp.waiting import Waiting

Frames = dict[Wire, bytes]
"""One event's frames so far: made once per wire, whoever asks first; empty where the wire can't express it."""


class Member:
    """A session that may join the realm; subclasses say how a message reaches it.

    :ivar id: the session ID, of the global scope; 0 before it joins.
    :ivar trusted: whether it bypasses authorization; only the embedding program's own sessions can.
    :ivar features: the bits of what it announced (features.py).
    :ivar calls: its unanswered calls by request ID.
    :ivar invocations: what it was asked and hasn't answered, by invocation ID.
    :ivar ended: what is remembered of calls that ended early, if there were any.
    :ivar waiting: its messages that wait for an authorizer's answer, if there are any.
    :ivar granted: such an answer, for the message that is served again because of it.
    :ivar testaments: what is published when it leaves.
    """

    __slots__ = (
        "address",
        "calls",
        "ended",
        "features",
        "granted",
        "id",
        "identity",
        "invocation_ids",
        "invocations",
        "registrations",
        "subscriptions",
        "testaments",
        "trusted",
        "waiting",
    )

    def __init__(self, identity: Identity, address: str, *, trusted: bool = False) -> None:
        self.id = 0
        self.identity = identity
        self.address = address
        self.trusted = trusted
        self.features = 0
        self.clear()

    def clear(self) -> None:
        """Hold nothing, as when joining."""
        self.subscriptions: dict[int, Subscription] = {}
        self.registrations: dict[int, Registration] = {}
        self.calls: dict[int, Invocation] = {}
        self.invocations: dict[int, Invocation] = {}
        self.invocation_ids = Sequence()
        self.ended: Ended | None = None
        self.waiting: Waiting | None = None
        self.granted: tuple[Any, Any] | None = None
        self.testaments: Testaments | None = None

    def send(self, message: Message) -> None:
        """Take a reply; raise CodecError if the member's serialization can't express it."""
        raise NotImplementedError

    def event(self, subscription: "Subscription", message: Message, frames: Frames, slot: int) -> None:
        """Take an EVENT of one of its subscriptions; never raises.

        :param slot: where it waits as the newest of its topic if the member can't keep up; 0 if it must not be lost.
        """
        raise NotImplementedError

    def invoke(self, invocation: "Invocation", details: dict[str, Any], payload: Message) -> None:
        """Take an INVOCATION; raise CodecError if the member's serialization can't express it."""
        raise NotImplementedError

    def interrupt(self, invocation: "Invocation", mode: str) -> None:
        """Take an INTERRUPT; called only if its features say that it understands one."""
        raise NotImplementedError

    def resume(self, message: Message) -> None:
        """Serve a message that had to wait."""
        raise NotImplementedError

    def unsent_bytes(self) -> int:
        """Return what waits in memory for it to read; nothing for a session of this process."""
        return 0

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, when nothing waits for it to read any more; never, if it leaves before."""
        raise NotImplementedError

    def probe(self, callback: Callable[[], None]) -> None:
        """Call back once, when its other end has had all that it was sent until now; never, if it leaves before."""
        raise NotImplementedError

    def leave_for(self, reason: str, message: str) -> None:
        """Leave the realm, because somebody who may has said so."""
        raise NotImplementedError

    def forget(self, subscription: "Subscription") -> None:
        """Drop what still waits to be sent for a subscription that ended."""

    def gone(self) -> None:
        """Take note that it is no member any more; whatever it held is settled."""


class Subscription:
    """A topic or pattern that somebody subscribed to.

    :ivar newest: whether a receiver that can't keep up gets only the newest event.
    :ivar members: the subscribers, in the order in which they came.
    :ivar created: when, in RFC 3339.
    :ivar slots: of a pattern, the keys under which the newest events of its topics wait.
    :ivar kept: whether it lives on without subscribers, since its history is kept.
    """

    __slots__ = ("created", "id", "kept", "match", "members", "newest", "slots", "topic")

    def __init__(self, id_: int, topic: str, match: Match, created: str, *, newest: bool) -> None:
        self.id = id_
        self.topic = topic
        self.match = match
        self.created = created
        self.newest = newest
        self.kept = False
        self.members: dict[Member, None] = {}
        self.slots: dict[str, int] = {}


def error(kind: int, request: int, uri: str, *args: Any) -> Message:
    """Return an ERROR message that answers a request of this type."""
    return [ERROR, kind, request, {}, uri, list(args)]

"""A recording transport, a raw client on it, and the answers that tests give for the embedding program."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import settings
from twisted.internet.defer import Deferred

from gatekeeper.wamp.codecs import CODECS, JSON, Codec
from gatekeeper.wamp.framing import WIRES
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.router import Accept, Action, Challenge, Deny, Identity, Peer, Router
from gatekeeper.wamp.session import State

ROLES: dict[str, Any] = {"roles": {"caller": {}, "callee": {}, "publisher": {}, "subscriber": {}}}
# No deadline: a shared machine may take its time over any one example.
fuzz = settings(deadline=None)
EVERY_CODEC = list(CODECS.values())


class RecordingLink:
    """A transport that writes down, in order, what its session does with it.

    :ivar record: (name, argument) of each call.
    :ivar stalled: while true, what is written stays unsent.
    """

    def __init__(self) -> None:
        self.record: list[tuple[str, Any]] = []
        self.stalled = False
        self.unsent = 0

    def write(self, frame: bytes) -> int:
        self.record.append(("write", frame))
        if self.stalled:
            self.unsent += len(frame)
        return self.unsent

    def unsent_bytes(self) -> int:
        return self.unsent

    def close(self, reason: str) -> None:
        self.record.append(("close", reason))

    def await_drain(self) -> None:
        self.record.append(("await_drain", None))

    def probe(self) -> None:
        self.record.append(("probe", None))

    def expect(self, state: State) -> None:
        self.record.append(("expect", state))

    @property
    def frames(self) -> list[bytes]:
        return [argument for name, argument in self.record if name == "write"]

    @property
    def is_closed(self) -> bool:
        return any(name == "close" for name, _ in self.record)


class Client:
    """A raw client: lists go in, the lists that come out are kept until taken."""

    def __init__(
        self,
        router: Router,
        codec: Codec = JSON,
        address: str = "192.0.2.1",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.codec = codec
        self.link = RecordingLink()
        self.session = router.attach(self.link, WIRES[codec.subprotocol], Peer(address, headers or {}))
        self._taken = 0

    def say(self, *message: Any) -> list[Message]:
        """Send a message and take what came back."""
        self.session.received(self.codec.encode(list(message)), self.codec.binary)
        return self.take()

    def take(self) -> list[Message]:
        """Take the messages that came since the last time."""
        fresh = self.link.frames[self._taken :]
        self._taken += len(fresh)
        return [self.codec.decode(payload_of(frame)) for frame in fresh]

    def join(self, **details: Any) -> "Client":
        """Say HELLO and check that WELCOME is the answer."""
        (welcome,) = self.say(1, "realm", {**ROLES, **details})
        assert welcome[0] == 2, welcome
        return self

    def stall(self) -> None:
        """Read no more."""
        self.link.stalled = True

    def drain(self) -> None:
        """Read everything."""
        self.link.stalled = False
        self.link.unsent = 0
        self.session.drained()


class Everybody:
    """Lets everybody in, under the name given."""

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Accept:
        return Accept(Identity(authid or "somebody", "visitor", authmethods[0]))

    def authenticate(self, challenge_state: Any, signature: str, extra: Mapping[str, Any]) -> Deny:
        raise AssertionError("nobody was challenged")


class TicketOffice:
    """Lets in whoever presents the ticket "secret"."""

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Challenge | Deny:
        if "ticket" not in authmethods:
            return Deny("wamp.error.no_matching_auth_method", "bring a ticket")
        return Challenge("ticket", {}, authid)

    def authenticate(self, challenge_state: Any, signature: str, extra: Mapping[str, Any]) -> Accept | Deny:
        if signature != "secret":
            return Deny("wamp.error.authentication_failed", "wrong ticket")
        return Accept(Identity(challenge_state, "visitor", "ticket"))


class Undecided:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.answer: Deferred[Any] = Deferred()

    def hello(self, *_about: Any) -> Deferred[Any]:
        return self.answer

    def authenticate(self, *_about: Any) -> Deferred[Any]:
        return self.answer


class Rules:
    """Allows what isn't on its list, and fails for URIs that end in "broken"."""

    def __init__(self, *forbidden: tuple[Action, str]) -> None:
        self.forbidden = forbidden
        self.asked: list[tuple[str, Action, str, str]] = []

    def allow(self, identity: Identity, action: Action, uri: str, match: str) -> bool:
        self.asked.append((identity.authid, action, uri, match))
        if uri.endswith("broken"):
            raise LookupError("no such table")
        return (action, uri) not in self.forbidden


class Reports:
    """Writes down the errors of handed-in code instead of logging them."""

    def __init__(self) -> None:
        self.errors: list[tuple[str, BaseException]] = []

    def __call__(self, where: str, error: BaseException) -> None:
        self.errors.append((where, error))


def open_router(**arguments: Any) -> Router:
    """Return a router of the realm "realm" that lets everybody in."""
    return Router("realm", **{"authenticator": Everybody(), **arguments})


def payload_of(frame: bytes) -> bytes:
    """Return the payload of a server's frame."""
    size = frame[1]
    assert size < 128, "a server's frame is not masked"
    start = {126: 4, 127: 10}.get(size, 2)
    if start > 2:
        size = int.from_bytes(frame[2:start], "big")
    assert len(frame) == start + size
    return frame[start:]

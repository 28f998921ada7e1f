"""The router: one realm, its members, its broker and its dealer.

    router = Router("example", authenticator, authorizer, policies=policy_for)
    factory = websocket_factory(router)          # remote sessions (transport.py)
    session = LocalSession(router, identity)     # the program's own (local.py)

It owns no socket, clock or thread. A message takes `Session.received` → `Router.serve` → a method of broker or dealer
→ `Session.send` of whoever is concerned, all before it returns.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypedDict

from gatekeeper.wamp.answers import Report, log_failure, on_answer
from gatekeeper.wamp.archive import Archive
from gatekeeper.wamp.auth import (
    Accept,
    Action,
    AllowEverything,
    Authenticator,
    Authorizer,
    Challenge,
    Deny,
    DenyEverybody,
    Identity,
    Peer,
    Permit,
)
from gatekeeper.wamp.broker import Broker
from gatekeeper.wamp.calls import Calls
from gatekeeper.wamp.dealer import Dealer
from gatekeeper.wamp.disclosure import Disclosure, DisclosurePolicy, as_asked
from gatekeeper.wamp.errors import SYSTEM_SHUTDOWN, UNAVAILABLE, WampError
from gatekeeper.wamp.features import roles
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.framing import Wire
from gatekeeper.wamp.history import Kept, Ring, Store
from gatekeeper.wamp.ids import RandomBits, random_id, secure_bits
from gatekeeper.wamp.limits import Limits, Metrics, SessionMetrics, Tally
from gatekeeper.wamp.members import Member, error
from gatekeeper.wamp.messages import CANCEL, ERROR, PUBLISH, YIELD, Message, Type
from gatekeeper.wamp.meta import MetaCallee
from gatekeeper.wamp.meta_registrations import RegistrationMeta
from gatekeeper.wamp.meta_sessions import SessionMeta, session_details
from gatekeeper.wamp.meta_subscriptions import SubscriptionMeta
from gatekeeper.wamp.permission import Awaited, Permission
from gatekeeper.wamp.registrations import Registrations
from gatekeeper.wamp.session import Link, Session, State
from gatekeeper.wamp.subscriptions import Subscriptions
from gatekeeper.wamp.times import Clock, ReactorClock, WallClock, rfc3339
from gatekeeper.wamp.uris import UriRule
from gatekeeper.wamp.waiting import Waiting

__all__ = [
    "Accept",
    "Action",
    "AllowEverything",
    "Authenticator",
    "Authorizer",
    "Challenge",
    "Deny",
    "DenyEverybody",
    "Disclosure",
    "Identity",
    "Kept",
    "Limits",
    "Metrics",
    "Peer",
    "Permit",
    "Policy",
    "Router",
    "UriRule",
]


_ANSWERS = (YIELD, ERROR)


class _Counts(TypedDict):
    limits: Limits
    tally: Tally
    random: RandomBits


def every_event(_topic: str) -> Policy:
    """The default policy: no event is dropped, and a session that doesn't read is ended."""
    return "all"


class Router:
    """One realm.

    :param realm: its name.
    :param random: gives session and publication IDs.
    :param policies: which topics are of policy "newest"; asked once for each new subscription, and for each topic
        that a pattern matches.
    :param disclosure: whose identity reaches the others.
    :param history: the topics and patterns whose past events can be asked for.
    :param history_store: where those are; in memory if not given.
    :param uri_rule: which names are well-formed.
    :param clock: whose `callLater` runs call timeouts; the reactor, when the first is needed, if not given.
    :param now: gives the time of day.
    :param report: told when code that was handed in fails.
    """

    def __init__(
        self,
        realm: str,
        authenticator: Authenticator | None = None,
        authorizer: Authorizer | None = None,
        *,
        random: RandomBits = secure_bits,
        limits: Limits | None = None,
        policies: Callable[[str], Policy] = every_event,
        disclosure: DisclosurePolicy = as_asked,
        history: Sequence[Kept] = (),
        history_store: Store | None = None,
        uri_rule: UriRule = UriRule.LOOSE,
        clock: Clock | None = None,
        now: WallClock = time.time,
        report: Report = log_failure,
    ) -> None:
        self.realm = realm
        self.roles = roles(history=bool(history))
        self.authenticator: Authenticator = authenticator or DenyEverybody()
        self.limits = limits or Limits()
        self.report = report
        self.tally = Tally()
        self.closed = False
        self.is_uri = uri_rule.accepts
        self.permission = Permission(authorizer or AllowEverything(), uri_rule, disclosure, report)
        counts: _Counts = {"limits": self.limits, "tally": self.tally, "random": random}
        timestamp = lambda: rfc3339(now())  # noqa: E731
        subscriptions = Subscriptions(policies, timestamp, report)
        archive = Archive(history, history_store or Ring(), subscriptions, now, report) if history else None
        self.broker = Broker(self.permission, subscriptions, report=report, archive=archive, **counts)
        calls = Calls(clock or ReactorClock())
        self.dealer = Dealer(
            self.permission,
            Registrations(timestamp),
            calls,
            announce=self.broker.announce,
            **counts,
        )
        procedures = {
            **SessionMeta(self).procedures(),
            **RegistrationMeta(self.dealer).procedures(),
            **SubscriptionMeta(self.broker, self.permission, archive).procedures(),
        }
        self.dealer.own.update(MetaCallee(procedures, calls, report).offered(timestamp()))
        self._random = random
        self._attached: dict[Session, None] = {}
        self._addresses: Counter[str] = Counter()
        self._members: dict[int, Member] = {}
        self._serve: dict[int, Callable[[Member, Message], None]] = {
            Type.PUBLISH: self.broker.publish,
            Type.SUBSCRIBE: self.broker.subscribe,
            Type.UNSUBSCRIBE: self.broker.unsubscribe,
            Type.CALL: self.dealer.call,
            Type.CANCEL: self.dealer.cancel,
            Type.REGISTER: self.dealer.register,
            Type.UNREGISTER: self.dealer.unregister,
            Type.YIELD: self.dealer.yielded,
            Type.ERROR: self.dealer.failed,
        }

    def attach(self, link: Link, wire: Wire, peer: Peer) -> Session:
        """Return the session of a new connection; its transport tells it what happens."""
        session = Session(self, link, wire, peer)
        self._attached[session] = None
        self._addresses[peer.address] += 1
        return session

    def detached(self, session: Session) -> None:
        """Forget a connection that is gone."""
        if session in self._attached:
            del self._attached[session]
            self._addresses[session.peer.address] -= 1
            if not self._addresses[session.peer.address]:
                del self._addresses[session.peer.address]

    def is_crowded(self, session: Session) -> bool:
        """Tell whether this session's address has more connections than it may."""
        return self._addresses[session.peer.address] > self.limits.sessions_per_address

    def draw_id(self) -> int:
        """Return a session ID that no member has."""
        number = random_id(self._random)
        while number in self._members:
            number = random_id(self._random)
        return number

    def join(self, member: Member, drawn: int = 0) -> None:
        """Let a session take part, under the ID that was drawn for it if that is still free."""
        member.clear()
        member.id = drawn if drawn and drawn not in self._members else self.draw_id()
        self._members[member.id] = member
        self.tally.sessions += 1

    def joined(self, member: Member) -> None:
        """Tell the others who is there; the session's WELCOME has gone out."""
        if self.has(member):
            self.broker.announce("wamp.session.on_join", session_details(member))

    def has(self, member: Member) -> bool:
        """Tell whether this session is a member now."""
        return self._members.get(member.id) is member

    def member(self, session: int) -> Member | None:
        """Return the member with this session ID."""
        return self._members.get(session)

    def unsent_bytes(self, session: int) -> int:
        """Return what waits for a session to read; 0 if there is none of this ID."""
        member = self._members.get(session)
        return member.unsent_bytes() if member is not None else 0

    def when_drained(self, session: int, callback: Callable[[], None]) -> None:
        """Call back once, when nothing waits for a session to read any more; for who has something unsent only.

        Never, if it leaves before.
        """
        member = self._members.get(session)
        if member is not None:
            member.when_drained(callback)

    def probe(self, session: int, callback: Callable[[], None]) -> None:
        """Call back once, when a session's other end has had all that it was sent until now; never, if it leaves."""
        member = self._members.get(session)
        if member is not None:
            member.probe(callback)

    def members(self) -> list[Member]:
        """Return all members, in the order in which they came."""
        return list(self._members.values())

    def left(self, member: Member) -> None:
        """Take a session out of the realm and settle what it leaves behind."""
        if self._members.pop(member.id, None) is not None:
            self.broker.leave(member)
            self.dealer.leave(member)
            self.broker.bequeath(member)
            who = member.identity
            self.broker.announce("wamp.session.on_leave", member.id, who.authid, who.authrole)
            member.waiting = None
            member.gone()

    def serve(self, member: Member, message: Message) -> None:
        """Do what a checked message of a joined session asks; raise ProtocolViolation if that may not be asked."""
        kind = message[0]
        if member.waiting is not None and kind not in _ANSWERS:
            self._queue(member, message)
            return
        try:
            self._serve[kind](member, message)
        except WampError as refusal:
            member.send(error(kind, message[1], refusal.uri, *refusal.args))
        except Awaited as question:
            self._await(member, message, question)

    def forget_authorizations(self) -> None:
        """Ask the authorizer and the disclosure policy again from now on."""
        self.permission.forget()

    def close(self, reason: str = SYSTEM_SHUTDOWN) -> None:
        """Say GOODBYE to every session and let no more in. The transports close when their clients have answered."""
        self.closed = True
        with self.broker.silence():
            for session in tuple(self._attached):
                session.leave(reason)
            for member in self.members():
                self.left(member)

    def session_metrics(self) -> list[SessionMetrics]:
        """Return what each remote session that has joined costs now."""
        return [session.metrics() for session in self._attached if session.state is State.JOINED]

    def metrics(self) -> Metrics:
        """Return the counters as they are now."""
        tally = self.tally
        return Metrics(
            connections_now=len(self._attached),
            sessions_now=len(self._members),
            subscriptions_now=len(self.broker.subscriptions),
            registrations_now=len(self.dealer.registrations),
            unsent_bytes_now=sum(session.metrics().unsent_bytes for session in self._attached),
            **{name: getattr(tally, name) for name in Tally.__slots__},
        )

    # --- Answers of the authorizer that take time ------------------------------------------------------------------

    def _await(self, member: Member, message: Message, question: Awaited) -> None:
        """Let a message wait, and with it all that its session asks after it."""
        session = member.id
        member.waiting = Waiting(message)

        def answered(answer: object) -> None:
            self.permission.learn(question, member, answer)
            self._go_on(member, session)

        def failed(error: BaseException) -> None:
            self.permission.failed(question, member, error)
            self._go_on(member, session)

        on_answer(question.answer, answered, failed)

    def _go_on(self, member: Member, session: int) -> None:
        """Serve what waited, up to the next message that has to."""
        waiting = member.waiting
        if waiting is None or member.id != session or not self.has(member):
            return  # it left, and the answer is for nobody
        member.waiting = None
        while waiting.messages and self.has(member):
            member.resume(waiting.messages.popleft())
            if member.waiting is not None:
                member.waiting.messages.extend(waiting.messages)
                return

    def _queue(self, member: Member, message: Message) -> None:
        if member.waiting is None or member.waiting.add(message) or message[0] == CANCEL:
            return
        if message[0] != PUBLISH or message[2].get("acknowledge"):
            member.send(error(message[0], message[1], UNAVAILABLE, "too many requests wait for their authorization"))

"""What one client can cost: every bound of the router, with its reason, and the counters that show them at work."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one router.

    :ivar message_bytes: the largest message taken from a client. Decoding runs on the reactor thread: a mebibyte of
        JSON holds it for some 10 ms, which a door call beside it can bear.
    :ivar handshake_bytes: the same before WELCOME, when anybody can send; a HELLO takes some hundred bytes.
    :ivar unsent_bytes: what may wait in memory for one session's socket. Enough for a burst of thousands of events,
        small enough that a hundred stalled sessions cost 100 MiB at worst.
    :ivar subscriptions: per session; a page that shows every door and camera of a large site has some hundreds.
    :ivar registrations: per session; a component offers some tens of procedures.
    :ivar pending_calls: per caller, unanswered at once; further ones are refused, not queued.
    :ivar pending_invocations: per callee, unanswered at once, whoever called: a callee that hangs stops collecting.
    :ivar sessions_per_address: connections from one IP address. An office behind one NAT address with some tabs
        each fits; a loop that only connects doesn't fill the process. Behind a reverse proxy all come from its one.
    """

    message_bytes: int = MIB
    handshake_bytes: int = 64 * KIB
    unsent_bytes: int = MIB
    subscriptions: int = 1000
    registrations: int = 1000
    pending_calls: int = 1000
    pending_invocations: int = 10_000
    sessions_per_address: int = 256


@dataclass(frozen=True, slots=True)
class Metrics:
    """A router's counters at one moment; those named `…_now` rise and fall, the others only rise.

    :ivar connections_now: transports attached, joined or not.
    :ivar sessions_now: joined sessions, local ones included.
    :ivar unsent_bytes_now: what waits in memory for clients to read, of all connections together.
    :ivar sessions: all that ever joined.
    :ivar messages_in: messages taken from remote sessions.
    :ivar messages_out: messages handed to remote sessions' sockets.
    :ivar publications: PUBLISH messages accepted.
    :ivar calls: CALL messages that reached a callee.
    :ivar events_replaced: events of policy "newest" that a newer one replaced, or that had no room, before they left.
    :ivar events_unencodable: events that one receiver's serialization couldn't express.
    :ivar violations: sessions ended for breaking the protocol.
    :ivar over_budget: sessions ended because they didn't read what they were sent.
    :ivar refused: HELLOs denied and handshakes that ran out of time.
    """

    connections_now: int = 0
    sessions_now: int = 0
    subscriptions_now: int = 0
    registrations_now: int = 0
    unsent_bytes_now: int = 0
    sessions: int = 0
    messages_in: int = 0
    messages_out: int = 0
    publications: int = 0
    calls: int = 0
    events_replaced: int = 0
    events_unencodable: int = 0
    violations: int = 0
    over_budget: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class SessionMetrics:
    """What one remote session costs at one moment.

    :ivar unsent_bytes: what waits in memory for it to read, in its socket's buffer and in the slots of policy "newest".
    :ivar events_replaced: events of policy "newest" that it didn't get, since newer ones came before it had read.
    """

    session: int
    authid: str
    address: str
    unsent_bytes: int
    events_replaced: int


class Tally:
    """The counters while they count; shared by the parts of one router."""

    __slots__ = (
        "calls",
        "events_replaced",
        "events_unencodable",
        "messages_in",
        "messages_out",
        "over_budget",
        "publications",
        "refused",
        "sessions",
        "violations",
    )

    def __init__(self) -> None:
        self.sessions = 0
        self.messages_in = 0
        self.messages_out = 0
        self.publications = 0
        self.calls = 0
        self.events_replaced = 0
        self.events_unencodable = 0
        self.violations = 0
        self.over_budget = 0
        self.refused = 0

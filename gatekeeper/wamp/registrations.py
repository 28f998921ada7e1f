"""The table of registrations: who offers which procedures and patterns, and whose turn it is.

    single      one callee, all others are refused
    first       the callee that has been there the longest
    last        the one that came last
    roundrobin  one after the other, in the order in which they came
    random      any

The first callee decides on the policy; whoever comes later must ask for the same.
"""

from collections.abc import Callable
from typing import Literal

from gatekeeper.wamp.ids import RandomBits, Sequence
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.patterns import Patterns
from gatekeeper.wamp.uris import Match

Invoke = Literal["single", "first", "last", "roundrobin", "random"]
INVOKES: tuple[Invoke, ...] = ("single", "first", "last", "roundrobin", "random")


def as_invoke(value: str) -> Invoke | None:
    """Return the invocation policy of this name."""
    return value if value in INVOKES else None


class Endpoint:
    """One callee's part in a registration.

    :ivar discloses: whether it asked to be told who calls.
    :ivar times: whether it ends calls by their timeout itself.
    """

    __slots__ = ("discloses", "member", "times")

    def __init__(self, member: Member, *, discloses: bool, times: bool) -> None:
        self.member = member
        self.discloses = discloses
        self.times = times


class Registration:
    """A procedure, or pattern of procedures, that at least one callee offers.

    :ivar created: when, in RFC 3339.
    :ivar endpoints: its callees, in the order in which they came.
    """

    __slots__ = ("_turn", "created", "endpoints", "id", "invoke", "match", "procedure")

    def __init__(self, id_: int, procedure: str, match: Match, invoke: Invoke, created: str) -> None:
        self.id = id_
        self.procedure = procedure
        self.match = match
        self.invoke = invoke
        self.created = created
        self.endpoints: list[Endpoint] = []
        self._turn = 0

    def pick(self, random: RandomBits) -> Endpoint:
        """Return whose call the next one is."""
        if self.invoke == "roundrobin":
            self._turn %= len(self.endpoints)
            self._turn += 1
            return self.endpoints[self._turn - 1]
        if self.invoke == "random":
            return self.endpoints[random(32) % len(self.endpoints)]
        return self.endpoints[-1 if self.invoke == "last" else 0]

    def has(self, member: Member) -> bool:
        """Tell whether this member is one of its callees."""
        return any(endpoint.member is member for endpoint in self.endpoints)

    def drop(self, member: Member) -> None:
        """Take out a callee; the turn stays with whose it was."""
        place = next(place for place, endpoint in enumerate(self.endpoints) if endpoint.member is member)
        del self.endpoints[place]
        if place < self._turn:
            self._turn -= 1


class Registrations:
    """All registrations of a realm.

    :param timestamp: gives the time of day in RFC 3339.
    """

    def __init__(self, timestamp: Callable[[], str]) -> None:
        self._timestamp = timestamp
        self._ids = Sequence()
        self._by_id: dict[int, Registration] = {}
        self.patterns: Patterns[Registration] = Patterns()

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, registration: int) -> Registration | None:
        """Return a registration by its ID."""
        return self._by_id.get(registration)

    def find(self, procedure: str, match: Match) -> Registration | None:
        """Return the registration of this procedure or pattern."""
        return self.patterns.of(match).get(procedure)

    def best(self, procedure: str) -> Registration | None:
        """Return the registration that a call of this procedure goes to."""
        return self.patterns.exact.get(procedure) or self.patterns.best(procedure)

    def create(self, procedure: str, match: Match, invoke: Invoke) -> Registration:
        """Add one that nobody has made yet."""
        registration = Registration(self._ids.next(), procedure, match, invoke, self._timestamp())
        self._by_id[registration.id] = registration
        self.patterns.put(match, procedure, registration)
        return registration

    def delete(self, registration: Registration) -> None:
        """Forget one that has no callees."""
        del self._by_id[registration.id]
        self.patterns.remove(registration.match, registration.procedure)

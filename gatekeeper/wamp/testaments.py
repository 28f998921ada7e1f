"""What sessions leave behind to be published: `wamp.session.add_testament` and `flush_testaments`.

    detached   published first; the router doesn't resume sessions, so at the same moment as
    destroyed  the default

A testament is checked when it is made, by what its author may do then. Sans-I/O.
"""

from dataclasses import dataclass
from typing import Any, Literal

from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.permission import Verdict

Scope = Literal["detached", "destroyed"]

MAX_TESTAMENTS = 100  # per session and scope; a component has one or two
MAX_BYTES = 256 * 1024  # of all of a session's; they are held for as long as it lasts


@dataclass(frozen=True, slots=True)
class Testament:
    """One publication to be made.

    :ivar verdict: what was decided about its author.
    :ivar size: bytes, about.
    """

    topic: str
    options: dict[str, Any]
    payload: Message
    verdict: Verdict
    size: int


class Testaments:
    """One session's."""

    __slots__ = ("destroyed", "detached")

    def __init__(self) -> None:
        self.detached: list[Testament] = []
        self.destroyed: list[Testament] = []

    def of(self, scope: Scope) -> list[Testament]:
        """Return those of a scope, in the order in which they were made."""
        return self.detached if scope == "detached" else self.destroyed

    def add(self, scope: Scope, testament: Testament) -> bool:
        """Keep one more; tell whether there was room."""
        held = sum(kept.size for kept in (*self.detached, *self.destroyed))
        if len(self.of(scope)) >= MAX_TESTAMENTS or held + testament.size > MAX_BYTES:
            return False
        self.of(scope).append(testament)
        return True

"""Whose identity reaches the others: the policy, and the details that carry it.

    allow   as the session asks with `disclose_me`, or the callee with `disclose_caller`
    force   always
    deny    never; who asks for it is refused

What a client itself says of anybody's identity (`caller…`, `publisher…`, `forward_for`) is never looked at.
"""

from collections.abc import Callable
from typing import Any, Literal

from gatekeeper.wamp.members import Member

Disclosure = Literal["allow", "force", "deny"]

DisclosurePolicy = Callable[[Literal["call", "publish"], str, str], Disclosure]
"""Given the action, the URI and the role of who does it; the answer is kept together with the authorizer's."""


def as_asked(_action: Literal["call", "publish"], _uri: str, _authrole: str) -> Disclosure:
    """The default policy: sessions decide for themselves."""
    return "allow"


def publisher_details(member: Member) -> dict[str, Any]:
    """Return what an EVENT tells of its publisher."""
    who = member.identity
    return {"publisher": member.id, "publisher_authid": who.authid, "publisher_authrole": who.authrole}


def caller_details(member: Member) -> dict[str, Any]:
    """Return what an INVOCATION tells of its caller."""
    who = member.identity
    return {"caller": member.id, "caller_authid": who.authid, "caller_authrole": who.authrole}

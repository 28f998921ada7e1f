"""Whom a publisher lets an event reach: black- and whitelists by session, authid and authrole.

A subscriber receives it only if it stands in every whitelist that is there, and in no blacklist. An empty whitelist is
there: it means nobody.
"""

from typing import Any

from gatekeeper.wamp.members import Member

WHITELISTS = ("eligible", "eligible_authid", "eligible_authrole")
BLACKLISTS = ("exclude", "exclude_authid", "exclude_authrole")


class Audience:
    """One publication's lists.

    :ivar by_session: whether it names sessions, whose IDs mean nothing to later ones.
    :ivar lists: what the publisher asked, by option, for whoever stores the event.
    """

    __slots__ = ("_eligible", "_excluded", "by_session", "lists")

    def __init__(self, lists: dict[str, list[Any]]) -> None:
        self.lists = lists
        self.by_session = "eligible" in lists or "exclude" in lists
        self._eligible = tuple(_as_set(lists.get(name)) for name in WHITELISTS)
        self._excluded = tuple(_as_set(lists.get(name)) or frozenset() for name in BLACKLISTS)

    def admits(self, member: Member) -> bool:
        """Tell whether this member may receive it."""
        who = (member.id, member.identity.authid, member.identity.authrole)
        return all(
            (eligible is None or value in eligible) and value not in excluded
            for value, eligible, excluded in zip(who, self._eligible, self._excluded, strict=True)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Audience) and self._eligible == other._eligible and self._excluded == other._excluded

    def __hash__(self) -> int:
        return hash((self._eligible, self._excluded))


def audience_of(options: dict[str, Any]) -> Audience | None:
    """Return the audience that PUBLISH options ask for; None if everybody may receive the event."""
    lists = {name: options[name] for name in WHITELISTS if options.get(name) is not None}
    lists.update({name: options[name] for name in BLACKLISTS if options.get(name)})
    return Audience(lists) if lists else None


def _as_set(values: list[Any] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)

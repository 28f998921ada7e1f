"""Who somebody is, and what that allows: the role says which permissions, the grants on which things.

An API key narrows both: what it may is what its scope *and* its account allow, judged at each question, so that a key
never outlives a right of its account. A Principal is a moment's copy: whoever holds one for longer than a request asks
`Accounts.principal` anew.
"""

from dataclasses import dataclass

from gatekeeper.access.records import EVERYTHING, Grant
from gatekeeper.access.roles import Role, permissions_of
from gatekeeper.caller import ITSELF, Caller
from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import KINDS, Permission

ALL_THINGS = frozenset(Grant(kind, EVERYTHING) for kind in KINDS)
"""What an owner has without being granted it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proved who it is.

    :ivar role: one of `roles.Role`; `grants` those of the account, none for an owner, who needs none.
    :ivar scope: the permissions of the API key that was shown; None without a key, or for a key without that bound.
    :ivar things: the things of that key; None likewise.
    :ivar caller: for the record: who asks, from where, how.
    :ivar login: the id of the log-in, `key` of the API key, that proved it; None where it was neither.
    :ivar expires: Unix seconds at which the proof ends, or None.
    """

    name: str
    role: str
    grants: frozenset[Grant] = frozenset()
    scope: frozenset[str] | None = None
    things: frozenset[Grant] | None = None
    caller: Caller = ITSELF
    login: str | None = None
    key: str | None = None
    expires: float | None = None

    @property
    def is_owner(self) -> bool:
        """Whether the account is an owner's; a key of it may still be allowed little."""
        return self.role == Role.OWNER

    def may(self, permission: Permission, thing: str | None = None) -> bool:
        """Return whether this may be done to a thing, or with None to anything at all."""
        if permission is Permission.NONE:
            return True
        if permission not in permissions_of(self.role) or (self.scope is not None and permission not in self.scope):
            return False
        return permission.kind is None or self._reaches(permission.kind, thing)

    def may_all(self, permission: Permission) -> bool:
        """Return whether this may be done to every thing of its kind, those that come tomorrow included."""
        return self.may(permission, EVERYTHING)

    def permissions(self) -> frozenset[Permission]:
        """Return what this may do to anything at all."""
        return frozenset(permission for permission in Permission if self.may(permission))

    def sees(self, subject: str | None, kind: str, of: str | None = None) -> bool:
        """Return whether an event may be shown: one of this kind (`door.opened`) on this subject (a door's id).

        :param of: the kind of thing that the subject is, where the event's own kind doesn't say it (`evidence.stored`).
        """
        if not self.may(Permission.EVENT_VIEW):
            return False
        noun = kind.partition(".")[0]
        rule = SEEN.get(noun) or SEEN.get(of or "")
        if rule is None:
            return all(self.may_all(permission) for permission in SEEN_OTHERWISE)
        return self.may(rule, subject if subject is not None else EVERYTHING)

    def _reaches(self, kind: str, thing: str | None) -> bool:
        granted = ALL_THINGS if self.is_owner else self.grants
        if self.things is None:
            return _covers(granted, kind, thing)
        if thing is not None:
            return _covers(granted, kind, thing) and _covers(self.things, kind, thing)
        return any(_meet(one, other) for one in granted if one.kind == kind for other in self.things)


SEEN: dict[str, Permission] = {
    "door": Permission.DOOR_VIEW,
    "camera": Permission.CAMERA_VIEW,
    "measurement": Permission.MEASUREMENT_VIEW,
    "access": Permission.ACCESS_ADMIN,
    "system": Permission.ACCESS_ADMIN,
}
"""First part of an event's kind -> what one must be allowed, on its subject, to see it."""

SEEN_OTHERWISE = (Permission.DOOR_VIEW, Permission.CAMERA_VIEW)
"""What one must be allowed on all things to see an event that tells of no one thing."""


def check(principal: Principal | None, permission: Permission, thing: str | None = None) -> None:
    """Pass if this somebody, or nobody, may.

    :raises NotAuthenticated: if nobody is logged in and somebody must be.
    :raises AccessDenied: if this somebody may not.
    """
    if permission is Permission.NONE:
        return
    if principal is None:
        raise NotAuthenticated(f"{permission} needs a log-in, an API key or a token")
    if not principal.may(permission, thing):
        raise AccessDenied(_refusal(principal, permission, thing))


def _refusal(principal: Principal, permission: Permission, thing: str | None) -> str:
    who = f"{principal.name}, by the key {principal.key}," if principal.key is not None else principal.name
    if permission.kind is None:
        return f"{who} may not {permission}"
    if thing == EVERYTHING:
        return f"{who} may not {permission} on every {permission.kind}"
    if thing is None:
        return f"{who} may not {permission} on any {permission.kind}"
    return f'{who} may not {permission} on the {permission.kind} "{thing[:40]}"'


def _covers(grants: frozenset[Grant], kind: str, thing: str | None) -> bool:
    if thing is None:
        return any(one.kind == kind for one in grants)
    return Grant(kind, EVERYTHING) in grants or Grant(kind, thing) in grants


def _meet(one: Grant, other: Grant) -> bool:
    return one.kind == other.kind and (one.thing == other.thing or EVERYTHING in (one.thing, other.thing))

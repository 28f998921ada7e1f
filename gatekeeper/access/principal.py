"""Who somebody is, and what that allows. One role so far: the administrator may everything."""

from dataclasses import dataclass

from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import Permission

ROLES: dict[str, frozenset[Permission]] = {"admin": frozenset(Permission)}
"""Role -> what it may."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proved who it is.

    :ivar authid: the name.
    :ivar role: a key of `ROLES`.
    :ivar address: where the request came from, an IP address.
    """

    authid: str
    role: str
    address: str = ""

    def may(self, permission: Permission) -> bool:
        """Return whether the role has the permission."""
        return permission is Permission.NONE or permission in ROLES.get(self.role, frozenset())


def check(principal: Principal | None, permission: Permission) -> None:
    """Pass if this somebody, or nobody, may.

    :raises NotAuthenticated: if nobody is logged in and somebody must be.
    :raises AccessDenied: if this somebody may not.
    """
    if permission is Permission.NONE:
        return
    if principal is None:
        raise NotAuthenticated("log in first: the address in the server's log does it once, the admin token always")
    if not principal.may(permission):
        raise AccessDenied(f"{principal.authid} may not {permission}")

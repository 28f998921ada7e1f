"""The four roles: which permissions each has at all. On which things is for the grants to say; see `principal`."""

from collections.abc import Mapping
from enum import StrEnum

from gatekeeper.uris import Permission


class Role(StrEnum):
    """What somebody is."""

    OWNER = "owner"  # everything on everything, with no grant; manages the others
    OPERATOR = "operator"  # works the doors and sees the cameras that were granted
    VIEWER = "viewer"  # sees what was granted
    DEVICE = "device"  # sends


_SELF = frozenset({Permission.NONE, Permission.SELF})
_VIEWER = _SELF | {
    Permission.SYSTEM_VIEW,
    Permission.CAMERA_VIEW,
    Permission.DOOR_VIEW,
    Permission.MEASUREMENT_VIEW,
    Permission.EVENT_VIEW,
}
_OPERATOR = _VIEWER | {
    Permission.CAMERA_CONTROL,
    Permission.DOOR_OPEN,
    Permission.DOOR_LOCK,
    Permission.MEASUREMENT_SEND,
    Permission.MEASUREMENT_CONTROL,
    Permission.EVENT_HOLD,
    Permission.EVENT_EXPORT,
}

ROLES: Mapping[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.OPERATOR: _OPERATOR,
    Role.VIEWER: _VIEWER,
    Role.DEVICE: _SELF | {Permission.MEASUREMENT_SEND},
}
"""Role -> its permissions; a role that isn't here, from a newer version's database, has none."""


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what a role may; nothing but what anybody may, if there is no such role."""
    return ROLES.get(role, frozenset({Permission.NONE}))

"""The four roles: written out here once more, so that no edit of the table goes unseen."""

import pytest

from gatekeeper.access.roles import ROLES, Role, permissions_of
from gatekeeper.storage.accounts import OWNER
from gatekeeper.uris import Permission

VIEWS = {"none", "self", "system.view", "camera.view", "door.view", "measurement.view", "event.view"}
EXPECTED = {
    "owner": VIEWS
    | {
        "camera.control",
        "camera.erase",
        "door.open",
        "door.lock",
        "measurement.send",
        "measurement.control",
        "event.hold",
        "event.export",
        "event.erase",
        "system.change",
        "script",
        "access.admin",
    },
    "operator": VIEWS
    | {
        "camera.control",
        "door.open",
        "door.lock",
        "measurement.send",
        "measurement.control",
        "event.hold",
        "event.export",
    },
    "viewer": VIEWS,
    "device": {"none", "self", "measurement.send"},
}


def test_there_are_four_roles_and_each_may_what_is_written_here() -> None:
    assert {str(role): {str(one) for one in permissions} for role, permissions in ROLES.items()} == EXPECTED


def test_every_permission_is_somebodys_and_an_owner_has_all() -> None:
    assert EXPECTED["owner"] == {str(permission) for permission in Permission}


@pytest.mark.parametrize("role", ["", "admin", "Owner", "superuser", "*"])
def test_a_role_that_this_version_does_not_know_may_nothing(role: str) -> None:
    assert permissions_of(role) == {Permission.NONE}


def test_the_database_means_the_same_role_by_owner() -> None:
    assert Role.OWNER == OWNER

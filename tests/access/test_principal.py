"""What somebody may: every role, grant, key and permission against rules that are written here a second time."""

import itertools

import pytest

from gatekeeper.access.principal import ALL_THINGS, Principal, check
from gatekeeper.access.records import Grant
from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import KINDS, Permission

# By hand: what a role may at all, and on what kind of thing each permission is given.
MAY = {
    "owner": "none self system.view camera.view camera.control camera.erase door.view door.open door.lock event.view "
    "event.hold measurement.view measurement.send measurement.control event.export event.erase system.change "
    "script access.admin",
    "operator": "none self system.view camera.view camera.control door.view door.open door.lock event.view event.hold "
    "measurement.view measurement.send measurement.control event.export",
    "viewer": "none self system.view camera.view door.view measurement.view event.view",
    "device": "none self measurement.send",
    "unheard-of": "none",
}
ON = {
    "camera.view": "camera",
    "camera.control": "camera",
    "camera.erase": "camera",
    "door.view": "door",
    "door.open": "door",
    "door.lock": "door",
    "measurement.view": "team",
    "measurement.send": "team",
    "measurement.control": "team",
}

GRANTS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("door", "front"),),
    (("door", "*"),),
    (("camera", "front"),),  # the same id, another kind
    (("camera", "*"), ("door", "front")),
    (("door", "front"), ("door", "back")),
    (("gate", "*"), ("session", "*")),
)
SCOPES: tuple[frozenset[str] | None, ...] = (
    None,
    frozenset(),
    frozenset({"door.open"}),
    frozenset({"self", "camera.view", "door.view", "event.view"}),
    frozenset({"access.admin", "unheard.of"}),
)
THINGS = (None, *GRANTS)
ASKED = (None, "*", "front", "back", "")


def names(grants: tuple[tuple[str, str], ...] | None) -> frozenset[Grant] | None:
    return None if grants is None else frozenset(Grant(kind, thing) for kind, thing in grants)


def covers(grants: tuple[tuple[str, str], ...], kind: str, thing: str) -> bool:
    return (kind, "*") in grants or (kind, thing) in grants


def expected(
    role: str,
    grants: tuple[tuple[str, str], ...],
    scope: frozenset[str] | None,
    things: tuple[tuple[str, str], ...] | None,
    *,
    permission: str,
    asked: str | None,
) -> bool:
    """Say it another way: is there a thing of the world on which both the account and its key reach?"""
    if permission == "none":
        return True
    if permission not in MAY[role].split() or (scope is not None and permission not in scope):
        return False
    kind = ON.get(permission)
    if kind is None:
        return True
    # "elsewhere" stands for every thing that nobody named: only who has all of a kind reaches it.
    world = ["front", "back", "elsewhere"] if asked is None else ["elsewhere" if asked in ("*", "") else asked]
    return any(
        (role == "owner" or covers(grants, kind, thing)) and (things is None or covers(things, kind, thing))
        for thing in world
    )


def test_the_whole_table_of_roles_grants_keys_and_permissions() -> None:
    walked, allowed = 0, 0
    for role, grants, scope, things in itertools.product(MAY, GRANTS, SCOPES, THINGS):
        who = Principal("ana", role, names(grants) or frozenset(), scope, names(things))
        for permission, asked in itertools.product(Permission, ASKED):
            want = expected(role, grants, scope, things, permission=permission, asked=asked)
            assert who.may(permission, asked) is want, (role, grants, scope, things, permission, asked)
            walked, allowed = walked + 1, allowed + want
        for permission in Permission:
            assert who.may_all(permission) is expected(role, grants, scope, things, permission=permission, asked="*")
    assert walked == 5 * 7 * 5 * 8 * len(Permission) * 5
    assert 0.1 < allowed / walked < 0.4  # neither wall nor open door


def test_each_permission_on_a_thing_names_a_kind_that_grants_are_given_on() -> None:
    assert {str(one): one.kind for one in Permission if one.kind is not None} == ON
    assert {Grant(kind, "*") for kind in KINDS} == ALL_THINGS


def test_a_key_never_may_what_its_account_may_not() -> None:
    for role, grants, scope, things in itertools.product(MAY, GRANTS, SCOPES, THINGS):
        account = Principal("ana", role, names(grants) or frozenset())
        key = Principal("ana", role, names(grants) or frozenset(), scope, names(things), key="k")
        for permission, asked in itertools.product(Permission, ASKED):
            assert not key.may(permission, asked) or account.may(permission, asked)


def test_a_grant_on_a_thing_called_like_the_star_is_no_grant_on_all() -> None:
    who = Principal("ana", "operator", frozenset({Grant("door", "front")}))
    assert not who.may(Permission.DOOR_OPEN, "*")


def test_what_somebody_may_at_all_is_listed() -> None:
    who = Principal("ana", "operator", frozenset({Grant("door", "front")}))
    assert {str(one) for one in who.permissions()} == {
        "none", "self", "system.view", "door.view", "door.open", "door.lock", "event.view", "event.hold",
        "event.export",
    }  # fmt: skip


# --- which events ---

EVENTS = (
    # kind, subject, of               viewer of door front, of all cameras, of all cameras and doors, owner
    ("door.opened", "front", None, (True, False, True, True)),
    ("door.opened", "back", None, (False, False, True, True)),
    ("door.open_failed", None, None, (False, False, True, True)),
    ("camera.offline", "yard", None, (False, True, True, True)),
    ("camera.offline", "front", None, (False, True, True, True)),
    ("evidence.stored", "front", "door", (True, False, True, True)),
    ("evidence.stored", "front", "camera", (False, True, True, True)),
    ("evidence.stored", "front", None, (False, False, True, True)),
    ("evidence.erased", None, None, (False, False, True, True)),
    ("events.lost", None, None, (False, False, True, True)),
    ("nothing.known", "front", "unheard-of", (False, False, True, True)),
    ("", None, None, (False, False, True, True)),
    ("access.refused", "ana", None, (False, False, False, True)),
    ("access.granted", "front", "door", (False, False, False, True)),
    ("system.started", None, None, (False, False, False, True)),
)


@pytest.mark.parametrize(("kind", "subject", "of", "seen"), EVENTS)
def test_who_sees_which_events(
    kind: str, subject: str | None, of: str | None, seen: tuple[bool, bool, bool, bool]
) -> None:
    front, cameras, doors = Grant("door", "front"), Grant("camera", "*"), Grant("door", "*")
    several = [
        Principal("ana", "viewer", frozenset({front})),
        Principal("ana", "operator", frozenset({cameras})),
        Principal("ana", "viewer", frozenset({cameras, doors})),
        Principal("admin", "owner"),
    ]
    assert tuple(who.sees(subject, kind, of) for who in several) == seen
    nobodies = [
        Principal("lock", "device", frozenset({cameras, doors})),
        Principal("ana", "viewer"),
        Principal("admin", "owner", scope=frozenset({"door.view", "camera.view", "access.admin"})),
    ]
    assert not any(who.sees(subject, kind, of) for who in nobodies)


def test_an_owners_narrow_key_sees_only_its_things_and_nothing_of_access() -> None:
    key = Principal(
        "admin",
        "owner",
        scope=frozenset({"event.view", "door.view"}),
        things=frozenset({Grant("door", "front")}),
        key="k1",
    )
    seen = [(kind, subject) for kind, subject, _, _ in EVENTS if key.sees(subject, kind)]
    assert seen == [("door.opened", "front")]


# --- the sentence ---


@pytest.mark.parametrize(
    ("permission", "thing", "sentence"),
    [
        (Permission.DOOR_OPEN, "front", 'ana may not door.open on the door "front"'),
        (Permission.DOOR_OPEN, None, "ana may not door.open on any door"),
        (Permission.CAMERA_VIEW, "*", "ana may not camera.view on every camera"),
        (Permission.ACCESS_ADMIN, None, "ana may not access.admin"),
        (Permission.DOOR_OPEN, "x" * 100, f'ana may not door.open on the door "{"x" * 40}"'),
    ],
)
def test_who_may_not_is_told_what_and_on_what(permission: Permission, thing: str | None, sentence: str) -> None:
    with pytest.raises(AccessDenied) as caught:
        check(Principal("ana", "viewer"), permission, thing)
    assert str(caught.value) == sentence


def test_a_refused_key_is_named_by_its_id() -> None:
    with pytest.raises(AccessDenied, match=r"^ana, by the key 17ab, may not door\.open on the door \"front\"$"):
        check(Principal("ana", "owner", scope=frozenset(), key="17ab"), Permission.DOOR_OPEN, "front")


def test_nobody_is_asked_to_log_in_where_somebody_must_be() -> None:
    for permission in Permission:
        if permission is Permission.NONE:
            check(None, permission)
        else:
            with pytest.raises(NotAuthenticated, match=str(permission)):
                check(None, permission)


def test_who_may_passes() -> None:
    check(Principal("ana", "viewer", frozenset({Grant("door", "*")})), Permission.DOOR_VIEW, "front")

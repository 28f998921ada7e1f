"""What a new configuration changes: decided without a site."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper import config
from gatekeeper.reloading import AT_ONCE, Effect, Moves, Plan, applied, moves, plan
from gatekeeper.wanted import Wanted, WantedDoor

YARD = config.Camera(id="yard", url="http://10.0.0.1/", doors=("front",))
HALL = config.Camera(id="hall", url="http://10.0.0.2/")
FRONT = config.Door(id="front", url="ws://10.0.0.3/")


def effect(*things: Any, secrets: dict[str, str] | None = None, **keys: Any) -> Effect:
    wanted = [WantedDoor(one) if isinstance(one, config.Door) else one for one in things]
    wanted = [Wanted(one) if isinstance(one, config.Camera) else one for one in wanted]
    cameras = {one.id: one for one in wanted if isinstance(one, Wanted)}
    doors = {one.id: one for one in wanted if isinstance(one, WantedDoor)}
    site = config.Site(
        cameras=tuple(one.camera for one in cameras.values()), doors=tuple(one.door for one in doors.values()), **keys
    )
    return Effect(site, cameras, doors, secrets or {})


def test_the_same_configuration_is_nothing_to_do() -> None:
    todo = plan(effect(YARD, FRONT), effect(YARD, FRONT))
    assert todo == Plan(Moves(), Moves())
    assert (todo.told(), todo.text()) == ({}, "nothing changed")


def test_what_came_went_and_changed_is_told_by_key_path() -> None:
    moved = msgspec.structs.replace(FRONT, url="ws://10.0.0.9/")
    todo = plan(effect(YARD, FRONT), effect(HALL, moved))
    assert todo.cameras == Moves(added=("hall",), removed=("yard",))
    assert todo.doors == Moves(changed=("front",))
    assert todo.text() == "added cameras.hall; removed cameras.yard; changed doors.front"


def test_a_name_and_a_tie_to_a_door_interrupt_nothing() -> None:
    called = msgspec.structs.replace(YARD, name="The yard", doors=())
    door = msgspec.structs.replace(FRONT, name="The front")
    todo = plan(effect(YARD, FRONT, name="a"), effect(called, door, name="b"))
    assert (todo.cameras, todo.doors) == (Moves(renamed=("yard",)), Moves(renamed=("front",)))
    assert todo.told() == {"changed": ["cameras.yard", "doors.front", "name"]}


def test_how_long_a_door_may_stand_open_is_no_mere_name() -> None:
    todo = plan(effect(FRONT), effect(msgspec.structs.replace(FRONT, maximum_open_duration=20.0)))
    assert todo.doors == Moves(changed=("front",))


def test_a_secret_that_was_turned_changes_its_camera() -> None:
    todo = plan(effect(Wanted(YARD, password="a")), effect(Wanted(YARD, password="b")))
    assert todo.cameras == Moves(changed=("yard",))
    assert "password" not in repr(todo)
    assert "'a'" not in repr(Wanted(YARD, password="a"))


def test_a_key_that_was_turned_changes_its_door() -> None:
    before, after = WantedDoor(FRONT, b"a" * 32), WantedDoor(FRONT, b"b" * 32)
    assert plan(effect(before), effect(after)).doors == Moves(changed=("front",))
    assert plan(effect(FRONT), effect(after)).doors == Moves(changed=("front",))
    assert "aaaa" not in repr(before)


def test_what_only_a_restart_can_do_is_named_by_its_key() -> None:
    before = effect(listen="tcp:8000", secrets={"access.admin_token": "a", "storage.password": "p"})
    after = effect(
        listen="tcp:8001",
        access=config.Access(token_life=5.0),
        router=config.Router(url="ws://router/"),
        secrets={"access.admin_token": "b", "storage.password": "p"},
    )
    todo = plan(before, after)
    assert todo.later == ("listen", "access.token_life", "router", "access.admin_token")
    assert todo.told() == {}
    assert todo.text() == "listen, access.token_life, router, access.admin_token take effect after a restart"
    assert plan(before, effect(listen="tcp:8001")).text() == "listen takes effect after a restart"


def test_what_waits_for_a_restart_is_not_in_effect() -> None:
    before, after = effect(YARD, listen="tcp:8000"), effect(HALL, listen="tcp:8001", name="new")
    site = applied(before.site, after.site)
    assert (site.listen, site.name, site.cameras) == ("tcp:8000", "new", (HALL,))
    assert plan(Effect(site, after.cameras, after.doors, {}), after).later == ("listen",), "and is told again"


def test_every_key_is_either_applied_or_waits_for_a_restart() -> None:
    assert set(AT_ONCE) <= {field.name for field in msgspec.structs.fields(config.Site)}


things = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@given(things, things)
def test_following_the_moves_leads_from_any_set_to_any_other(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    found = moves(before, after, lambda thing: thing[0])
    now = dict(before)
    for one in found.removed:
        del now[one]
    for one in (*found.added, *found.changed, *found.renamed):
        now[one] = after[one]
    assert now == after
    every = [*found.added, *found.removed, *found.changed, *found.renamed]
    assert len(every) == len(set(every))
    untouched = set(before) - set(every)
    assert all(before[one] == after[one] for one in untouched)
    assert all(before[one][0] == after[one][0] for one in found.renamed)
    assert all(before[one][0] != after[one][0] for one in found.changed)

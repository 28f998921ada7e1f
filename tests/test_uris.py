"""The table of addresses: names match what they should, and the pages use the same ones."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper import uris
from gatekeeper.uris import Name, Permission, Route

ROOT = Path(__file__).parent.parent
DOOR_STATE = uris.TOPIC_DOOR_STATE


def test_a_path_and_a_name_are_filled_in() -> None:
    assert uris.SNAPSHOT.format(camera="yard") == "/cameras/yard/snapshot.jpg"
    assert uris.ASSETS.format(name="index-1.js") == "/assets/index-1.js"
    assert DOOR_STATE.format(door="front") == "gatekeeper.door.front.state"
    assert uris.HEALTH.format() == "/healthz"
    with pytest.raises(KeyError):
        uris.DOOR.format(camera="yard")


def test_a_name_gives_back_its_id() -> None:
    found = DOOR_STATE.match("gatekeeper.door.front-door_2.state")
    assert found is not None
    assert found["door"] == "front-door_2"


@pytest.mark.parametrize(
    "uri",
    [
        "", "gatekeeper.door.front", "gatekeeper.door..state", "gatekeeper.door.a.b.state",
        "gatekeeper.door.Front.state",
        "gatekeeper.door.front.state.x", "gatekeeper.door.front.state\n", "xgatekeeper.door.front.state",
        "gatekeeper.door.-.state", "gatekeeper.door.front-.state", "gatekeeper.door.<door>.state",
        "gatekeeperXdoorXfrontXstate", "gatekeeper.camera.front.state", "gatekeeper.door.fr*nt.state",
    ],
)  # fmt: skip
def test_a_name_that_only_resembles_does_not_match(uri: str) -> None:
    assert DOOR_STATE.match(uri) is None


@given(st.from_regex(uris.ID_PATTERN, fullmatch=True))
def test_every_id_that_is_allowed_makes_a_name_that_matches(door: str) -> None:
    found = DOOR_STATE.match(DOOR_STATE.format(door=door))
    assert found is not None
    assert found["door"] == door


def test_the_tables_hold_everything_that_is_defined() -> None:
    assert set(uris.ROUTES) == {value for value in vars(uris).values() if isinstance(value, Route)}
    names = {name: value for name, value in vars(uris).items() if isinstance(value, Name)}
    assert set(uris.PROCEDURES) == {value for name, value in names.items() if name.startswith("CALL_")}
    assert set(uris.TOPICS) == {value for name, value in names.items() if name.startswith("TOPIC_")}
    between_sites = {
        "AT_SITE"
    }  # sites ask each other on a shared realm; never at /ws, where the guard knows no such name
    assert len(uris.PROCEDURES) + len(uris.TOPICS) + len(between_sites) == len(names)


def test_no_two_addresses_are_the_same() -> None:
    assert len({(route.method, route.path) for route in uris.ROUTES}) == len(uris.ROUTES)
    templates = [name.template for name in (*uris.PROCEDURES, *uris.TOPICS)]
    assert len(set(templates)) == len(templates)


def test_no_door_is_worked_by_get_and_only_access_itself_needs_no_permission() -> None:
    acts = (Permission.DOOR_OPEN, Permission.DOOR_LOCK, Permission.CAMERA_CONTROL)
    assert {route.method for route in uris.ROUTES if route.permission in acts} == {"POST"}
    changes = (Permission.ACCESS_ADMIN, Permission.EVENT_HOLD)
    asked = [route for route in uris.ROUTES if route.permission in changes and route.method == "GET"]
    assert asked == [uris.USERS, uris.STRANGERS]
    open_to_all = {route.path for route in uris.ROUTES if route.permission is Permission.NONE}
    pages = {"/healthz", "/", "/assets/<path:name>", "/openapi.json", "/api"}
    samples = {"/measurements/samples", "/api/receive_camera_data.php"}  # which ask for the team themselves
    assert open_to_all == pages | samples | {"/login", "/logout", "/api/access/setup", "/api/access/token"}
    assert all(name.permission is not Permission.NONE for name in (*uris.PROCEDURES, *uris.TOPICS))


def test_the_pages_use_names_of_the_same_value() -> None:
    script = (ROOT / "web" / "src" / "uris.ts").read_text(encoding="utf-8")
    [table] = re.findall(r"export const uris = \{(.*?)\} as const;", script, re.DOTALL)
    entries = [line.strip() for line in table.splitlines() if line.strip()]
    found = [re.fullmatch(r'([A-Z_]+): "([^"]+)",', entry) for entry in entries]
    assert len(found) > 10
    for entry, match in zip(entries, found, strict=True):
        assert match, f"not a plain literal: {entry}"
        ours = getattr(uris, match[1])
        value = ours.path if isinstance(ours, Route) else ours.template if isinstance(ours, Name) else ours
        assert match[2] == value

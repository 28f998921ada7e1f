"""The page about the API names everything that there is with what it needs, and the table behind it."""

import re
from pathlib import Path

import msgspec
import pytest

from gatekeeper import errors, uris
from gatekeeper.access.api import AddArguments, ChangeArguments, NewKeyArguments
from gatekeeper.access.roles import ROLES
from gatekeeper.cameras.api import CameraStatus
from gatekeeper.doors.structs import DoorStatus, OpenArguments, OpenResult
from gatekeeper.evidence.event import Event, Query
from gatekeeper.evidence.pages import EventPage
from gatekeeper.uris import Permission

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]


def row_of(code: str) -> list[str]:
    """Return the one row of a table with a name in its first two cells."""
    [row] = [row for row in ROWS if any(re.match(re.escape(f"`{code}`"), cell) for cell in row[:2])]
    return row


@pytest.mark.parametrize("name", uris.PROCEDURES, ids=lambda name: name.template)
def test_every_procedure_is_on_the_page_with_what_it_needs(name: uris.Name) -> None:
    assert row_of(name.template)[2] == f"`{name.permission}`"


@pytest.mark.parametrize("name", uris.TOPICS, ids=lambda name: name.template)
def test_every_topic_is_on_the_page_with_what_it_needs(name: uris.Name) -> None:
    lines = [line for line in PAGE.splitlines() if f"`{name.template}`" in line]
    assert any(f"`{name.permission}`" in line for line in lines)


@pytest.mark.parametrize("route", uris.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_on_the_page_with_what_it_needs(route: uris.Route) -> None:
    path = route.path.replace("<path:name>", "<name>")
    assert row_of(f"{route.method} {path}")[2] == f"`{route.permission}`"


def test_a_procedure_and_a_route_in_one_row_need_the_same() -> None:
    procedures = {name.template: name.permission for name in uris.PROCEDURES}
    routes = {f"{route.method} {route.path}": route.permission for route in uris.ROUTES}
    both = [(row[0].strip("`"), row[1].strip("`")) for row in ROWS if row[0].strip("`") in procedures and row[1]]
    assert len(both) > 15
    for procedure, route in both:
        assert procedures[procedure] == routes[route]


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_on_the_page_with_the_roles_that_have_it(permission: Permission) -> None:
    row = row_of(permission.value)
    for role, cell in zip(ROLES, row[2:], strict=True):
        granted = "granted" if permission.kind is not None and role != "owner" else "yes"
        assert cell == (granted if permission in ROLES[role] else ""), role


@pytest.mark.parametrize(
    ("struct", "section"),
    [
        (Event, "Events"),
        (Query, "Events"),
        (EventPage, "Events"),
        (DoorStatus, "Doors"),
        (OpenResult, "Doors"),
        (OpenArguments, "Doors"),
        (CameraStatus, "Cameras"),
        (AddArguments, "Access"),
        (ChangeArguments, "Access"),
        (NewKeyArguments, "Access"),
    ],
)
def test_every_field_of_what_goes_in_and_out_is_on_the_page(struct: type[msgspec.Struct], section: str) -> None:
    _, _, text = PAGE.partition(f"\n## {section}\n")
    text, _, _ = text.partition("\n## ")
    for field in struct.__struct_fields__:
        assert f"`{field}`" in text, field


def test_every_error_that_a_caller_can_meet_is_on_the_page_with_its_status_and_meaning() -> None:
    inside = {"configuration", "protocol", "device", "camera_content_type"}  # never an answer to a caller
    for error in errors.all_errors():
        if error.code not in inside:
            about = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
            assert f"| `{error.code}` | {error.status} | {about} |" in PAGE, error


def test_no_error_is_on_the_page_that_there_is_not() -> None:
    _, _, section = PAGE.partition("\n## Errors\n")
    codes = re.findall(r"^\| `(\w+)` \| \d{3} \|", section, re.MULTILINE)
    assert set(codes) <= {error.code for error in errors.all_errors()}
    assert len(set(codes)) == len(codes)

"""The page about the API names everything that there is, and the table behind it."""

from pathlib import Path

import pytest

from gatekeeper import errors, uris

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*uris.PROCEDURES, *uris.TOPICS], ids=lambda name: name.template)
def test_every_wamp_name_is_on_the_page(name: uris.Name) -> None:
    assert f"`{name.template}`" in PAGE


@pytest.mark.parametrize("route", uris.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_on_the_page(route: uris.Route) -> None:
    path = route.path.replace("<path:name>", "<name>")
    assert f"{route.method} {path}" in PAGE or f"`{path}`" in PAGE


def test_every_error_that_a_caller_can_meet_is_on_the_page_with_its_status() -> None:
    inside = {"configuration", "protocol", "device", "camera_content_type"}  # never an answer to a caller
    for error in errors.all_errors():
        if error.code not in inside:
            assert f"| `{error.code}` | {error.status} |" in PAGE, error

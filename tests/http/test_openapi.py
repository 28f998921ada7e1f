"""The description of the API: valid OpenAPI 3.1, complete, and no more than the truth."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import pytest
from schemathesis.specs.openapi import definitions

from gatekeeper import errors, uris
from gatekeeper.commands.openapi import described
from gatekeeper.http import docstrings, openapi
from gatekeeper.http.openapi_tables import ERRORS, MISSING, PARAMETERS, SUCCESSES, TAGS
from gatekeeper.http.routes import Operation
from gatekeeper.uris import Permission, Route

API = described()
DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(API.description.description))
METHODS = ("get", "put", "post", "patch", "delete")
OPERATIONS = {
    (method, path): item[method] for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
}
SEEDS_OWN = (("post", "/api/receive_camera_data.php"), "400")
"""Seed 002's laptops read another shape there."""

NAMES = [f"{method} {path}" for method, path in OPERATIONS]


def template(path: str) -> str:
    return re.sub(r"<(?:path:)?(\w+)>", r"{\1}", path)


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for below in node.values():
            yield from walk(below)
    elif isinstance(node, list):
        for below in node:
            yield from walk(below)


def test_it_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [str(error) for error in definitions.OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


def test_the_validator_can_say_no() -> None:
    broken = {**DOCUMENT, "paths": {"/doors": {"get": {"responses": {"200": {}}}}}}
    assert list(definitions.OPENAPI_31_VALIDATOR.iter_errors(broken))


def test_every_reference_leads_somewhere() -> None:
    references = {node["$ref"] for node in walk(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert len(references) > 10
    for reference in references:
        target: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


@pytest.mark.parametrize("route", uris.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_described_with_the_permission_that_it_needs(route: Route) -> None:
    operation = OPERATIONS[route.method.lower(), template(route.path)]
    assert operation["x-permission"] == route.permission
    assert operation["security"] == ([] if route.permission is Permission.NONE else [{"bearer": []}, {"cookie": []}])
    assert all(set(need) <= set(DOCUMENT["components"]["securitySchemes"]) for need in operation["security"])


def test_nothing_else_is_described_but_the_websocket() -> None:
    ours = {(route.method.lower(), template(route.path)) for route in uris.ROUTES}
    assert set(OPERATIONS) - ours == {("get", uris.WEBSOCKET_PATH)}
    wamp = DOCUMENT["x-wamp"]
    assert [name["uri"] for name in wamp["procedures"]] == [name.template for name in uris.PROCEDURES]
    assert [name["uri"] for name in wamp["topics"]] == [name.template for name in uris.TOPICS]


def test_a_door_is_worked_by_post_alone() -> None:
    acts = {Permission.DOOR_OPEN.value, Permission.DOOR_LOCK.value}
    found = {key for key, operation in OPERATIONS.items() if operation["x-permission"] in acts}
    assert found == {("post", "/doors/{door}/open"), ("post", "/doors/{door}/lock")}
    for _, path in found:
        assert set(METHODS) & set(DOCUMENT["paths"][path]) == {"post"}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=NAMES)
def test_every_operation_is_told_in_a_sentence(operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", operation["summary"])
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}


@pytest.mark.parametrize(("key", "operation"), OPERATIONS.items(), ids=NAMES)
def test_what_stands_in_a_path_is_told(key: tuple[str, str], operation: dict[str, Any]) -> None:
    told = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "path"}
    assert set(told) == set(re.findall(r"\{(\w+)\}", key[1]))
    assert all(one["required"] and one["description"] and one["schema"] for one in told.values())


@pytest.mark.parametrize(("key", "operation"), OPERATIONS.items(), ids=NAMES)
def test_every_failure_is_told_in_the_one_shape(key: tuple[str, str], operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])
    assert len([status for status in statuses if status < "400"]) == 1
    for status in statuses:
        answer = operation["responses"][status]
        assert answer["description"]
        if status >= "400" and (key, status) != SEEDS_OWN:
            assert answer["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    guarded = operation["x-permission"] != "none"
    assert not guarded or statuses >= {"401", "403"}
    assert key[0] == "get" or "403" in statuses  # a page of another origin
    assert "requestBody" not in operation or statuses >= {"400", "413"}
    assert "{" not in key[1] or "404" in statuses
    assert key[0] != "get" or "requestBody" not in operation


def test_errors_are_told_with_their_codes() -> None:
    answers = OPERATIONS["post", "/doors/{door}/open"]["responses"]
    assert set(answers) == {"200", "400", "401", "403", "404", "409", "413", "502", "503", "504"}
    for error in (errors.Busy, errors.Rejected, errors.NotConnected, errors.Indeterminate, errors.NoSuchDoor):
        assert f"`{error.code}`" in answers[str(error.status)]["description"]


def test_the_error_of_the_description_is_the_one_that_is_sent() -> None:
    error = DOCUMENT["components"]["schemas"]["Error"]
    details = DOCUMENT["components"]["schemas"]["ErrorDetails"]
    assert (set(error["properties"]), set(details["properties"])) == ({"error"}, {"code", "message"})


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_explained(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert len(schema["description"]) > 10
    assert ":ivar" not in str(schema)


def test_a_field_is_explained_by_the_docstring_of_its_struct() -> None:
    door = DOCUMENT["components"]["schemas"]["DoorStatus"]["properties"]
    assert door["since"]["description"] == "Unix seconds at which the state was entered"
    system = DOCUMENT["components"]["schemas"]["SiteStatus"]["properties"]
    assert (system["started"]["description"], system["uptime"]["description"]) == ("Unix seconds", "seconds")


def test_what_the_tables_add_is_about_what_there_is() -> None:
    assert set(ERRORS) | set(SUCCESSES) <= set(uris.ROUTES)
    named = {name for route in uris.ROUTES for name in openapi.ids_of(route)}
    assert named == set(PARAMETERS)
    assert set(MISSING) <= named
    assert [openapi.tag_of(route) for route in (uris.DOOR_OPEN, uris.VIDEO_FEED, uris.LOGIN, uris.API_PAGE)] == [
        "doors", "cameras", "access", "system",
    ]  # fmt: skip
    assert len(TAGS) == 7


# --- queries and bodies ---


class Wanted(msgspec.Struct):
    """What is wanted.

    :ivar after: only above.
    """

    after: int | None = None
    order: Literal["newest", "oldest"] = "newest"
    name: str = msgspec.field(name="n", default="")


def test_in_a_query_nothing_is_null_and_a_default_is_told() -> None:
    [operation] = [
        item["get"]
        for path, item in openapi.describe(
            [Operation(uris.EVENTS, "List.", query=Wanted, gives=list[str])], version="1"
        )["paths"].items()
        if path == "/events"
    ]
    assert operation["parameters"] == [
        {
            "name": "after", "in": "query", "required": False, "description": "only above",
            "schema": {"type": "integer"},
        },
        {
            "name": "order", "in": "query", "required": False,
            "schema": {"enum": ["newest", "oldest"], "default": "newest"},
        },
        {"name": "n", "in": "query", "required": False, "schema": {"type": "string", "default": ""}},
    ]  # fmt: skip
    assert "400" in operation["responses"]


def test_a_body_without_a_field_that_must_be_there_may_be_left_out() -> None:
    assert OPERATIONS["post", "/doors/{door}/lock"]["requestBody"]["required"] is False


# --- docstrings ---


class Thing(msgspec.Struct):
    """A thing.

    More of it.

    :ivar one: what it is,
        on two lines; `two`: another; `nothing`: no field.
    :ivar three: the last, and `two` in passing.
    """

    one: int
    two: int
    three: int


def test_a_docstring_gives_a_text_and_the_fields_texts() -> None:
    assert docstrings.describe(Thing) == (
        "A thing. More of it.",
        {
            "one": "what it is, on two lines",
            "two": "another; `nothing`: no field",
            "three": "the last, and `two` in passing",
        },
    )


def test_a_class_without_a_docstring_says_nothing() -> None:
    class Silent(msgspec.Struct):
        one: int

    assert docstrings.describe(Silent) == ("", {})

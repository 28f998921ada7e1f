"""Everybody is told of the cameras and doors that are theirs to see, and of no others."""

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.web.resource import Resource
from twisted.web.server import Request

from gatekeeper import config
from gatekeeper.access.principal import Principal
from gatekeeper.access.roles import Role
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Feed
from gatekeeper.doors.states import DoorState
from gatekeeper.doors.structs import DoorStatus
from gatekeeper.errors import NoSuchDoor
from gatekeeper.http.cameras import CameraRoutes
from gatekeeper.http.doors import DoorRoutes
from gatekeeper.http.system import SystemRoutes
from gatekeeper.system.api import System
from tests.http.small import OLGA, Small, viewer

NAMES = ("yard", "hall", "shed")
DOORS = ("front", "back")
JSON = {"Content-Type": "application/json"}


class Doors:
    """Doors that do what they are told, and remember it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any, dict[str, Any]]] = []

    def list(self) -> list[DoorStatus]:
        return [self.status(door) for door in DOORS]

    def status(self, door: str) -> DoorStatus:
        if door not in DOORS:
            raise NoSuchDoor(f'there is no door "{door}"; there are: {", ".join(DOORS)}')
        return DoorStatus(
            id=door, name=door, virtual=True, signed=False, state=DoorState.LOCKED, since=1.0, confirmed=None, age=None,
            source="status", reason=None, connected=True, signal=None, lease=None, default_duration=5.0,
            maximum_duration=60.0, cameras=(),
        )  # fmt: skip

    def has(self, door: str) -> bool:
        return door in DOORS

    def refuse(self, verb: str, caller: Any, door: str, error: Exception) -> "Deferred[Any]":
        self.told.append((f"{verb} refused", caller, {"door": door}))
        return fail(error)

    def open(self, caller: Any, arguments: dict[str, Any]) -> Any:
        self.told.append(("open", caller, arguments))
        return succeed({})

    def lock(self, caller: Any, arguments: dict[str, Any]) -> Any:
        self.told.append(("lock", caller, arguments))
        return succeed({})


class Stream(Resource):
    isLeaf = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def render(self, request: Request) -> bytes:
        return f"{self.name} for {request.principal.name}".encode()  # type: ignore[attr-defined]


@pytest.fixture
def locks() -> Doors:
    return Doors()


@pytest.fixture
def small(locks: Any) -> Small:
    cameras = Cameras(
        tuple(config.Camera(id=name, url="http://192.168.137.20/") for name in NAMES),
        {name: Feed(name, 0.0) for name in NAMES},
        lambda: 0.0,
        lambda camera: 0,
    )
    system = System(
        name="shop", demo=True, reactor=SimpleNamespace(seconds=lambda: 0.0), wall=lambda: 1.0,
        cameras=cameras.list, doors=locks.list, router=dict, storage=dict,
    )  # fmt: skip
    streams = {name: Stream(name) for name in NAMES}
    return Small(CameraRoutes(cameras), DoorRoutes(locks), SystemRoutes(system, cast("Any", None)), streams=streams)


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in found]


WHO_SEES = [
    (OLGA, ["yard", "hall", "shed"], ["front", "back"]),
    (viewer("camera:*", "door:*"), ["yard", "hall", "shed"], ["front", "back"]),
    (viewer("camera:hall", "door:back"), ["hall"], ["back"]),
    (viewer("camera:shed", "camera:hall"), ["hall", "shed"], None),
    (viewer("door:front"), None, ["front"]),
    (viewer("camera:gone", "door:gone"), [], []),
    (viewer(), None, None),
    (viewer("camera:*", "door:*", role=Role.DEVICE), None, None),
]


@pytest.mark.parametrize(("who", "cameras", "doors"), WHO_SEES)
def test_lists_hold_what_is_theirs(
    small: Small, who: Principal, cameras: list[str] | None, doors: list[str] | None
) -> None:
    small.as_(who)
    for path, theirs in (("/cameras", cameras), ("/doors", doors)):
        answer = small.ask("GET", path)
        if theirs is None:
            assert (answer.status, answer.code) == (403, "denied")
        else:
            assert ids(answer.json) == theirs
    status = small.ask("GET", "/api/system/status")
    if who.role == Role.DEVICE:
        assert status.code == "denied"
    else:
        assert (ids(status.json["cameras"]), ids(status.json["doors"])) == (cameras or [], doors or [])


@pytest.mark.parametrize(("who", "cameras", "doors"), WHO_SEES)
def test_one_by_one_they_are_told_the_same(
    small: Small, who: Principal, cameras: list[str] | None, doors: list[str] | None
) -> None:
    small.as_(who)
    for path, names, theirs in (("/cameras", NAMES, cameras), ("/doors", DOORS, doors)):
        for name in names:
            answer = small.ask("GET", f"{path}/{name}")
            assert (answer.status == 200) is (name in (theirs or []))
            assert answer.status == 200 or answer.code == "denied"
    for name in NAMES:
        assert (small.ask("GET", f"/cameras/{name}/stream.mjpg").status == 200) is (name in (cameras or []))
        answer = small.ask("GET", f"/cameras/{name}/snapshot.jpg")
        assert answer.code == ("no_picture" if name in (cameras or []) else "denied")


@pytest.mark.parametrize(("who", "cameras", "doors"), WHO_SEES)
def test_the_first_camera_is_the_first_of_theirs(
    small: Small, who: Principal, cameras: list[str] | None, doors: list[str] | None
) -> None:
    answer = small.as_(who).ask("GET", "/video_feed")
    if cameras:
        assert answer.body == f"{cameras[0]} for {who.name}".encode()
    else:
        assert answer.code == ("denied" if cameras is None else "no_such_camera")


def test_what_is_not_theirs_is_not_named_by_a_refusal(small: Small) -> None:
    small.as_(viewer("camera:hall", "door:back"))
    for path in ("/cameras/none", "/cameras/none/stream.mjpg", "/cameras/none/snapshot.jpg", "/doors/none"):
        answer = small.ask("GET", path)
        assert (answer.status, answer.code) == (403, "denied")
        assert not any(name in answer.body.decode() for name in (*NAMES, *DOORS))


def test_nobody_is_asked_to_log_in(small: Small) -> None:
    small.as_(None)
    for path in ("/cameras", "/doors/front", "/video_feed", "/cameras/yard/stream.mjpg", "/api/system/status"):
        assert (small.ask("GET", path).code, small.ask("HEAD", path).status) == ("not_authenticated", 401)


@pytest.mark.parametrize("verb", ["open", "lock"])
def test_a_door_is_worked_by_who_may_and_hears_who_it_was(small: Small, locks: Doors, verb: str) -> None:
    operator = viewer("door:back", role=Role.OPERATOR)
    small.as_(operator)
    assert small.ask("POST", f"/doors/back/{verb}", JSON, b'{"reason": "parcel"}').status == 200
    assert locks.told == [(verb, operator.caller, {"door": "back", "reason": "parcel"})]


@pytest.mark.parametrize("verb", ["open", "lock"])
def test_who_may_not_work_a_door_is_on_the_record_with_it(small: Small, locks: Doors, verb: str) -> None:
    others = viewer("door:back", role=Role.OPERATOR)
    for who in (others, viewer("door:front")):
        assert small.as_(who).ask("POST", f"/doors/front/{verb}", JSON).code == "denied"
    assert small.as_(OLGA).ask("POST", f"/doors/front/{verb}", {"Origin": "http://evil.example"}).code == "denied"
    assert locks.told == [(f"{verb} refused", who.caller, {"door": "front"}) for who in (others, viewer(), OLGA)]


@pytest.mark.parametrize("verb", ["open", "lock"])
def test_what_nobody_tries_and_a_door_that_is_not_there_fill_no_record(small: Small, locks: Doors, verb: str) -> None:
    assert small.as_(None).ask("POST", f"/doors/front/{verb}").code == "not_authenticated"
    assert small.ask("POST", f"/doors/front/{verb}", {"Origin": "http://evil.example"}).code == "denied"
    assert small.as_(viewer("door:front")).ask("POST", f"/doors/none/{verb}", JSON).code == "denied"
    assert locks.told == []


def test_no_other_method_works_a_door(small: Small, locks: Doors) -> None:
    for verb in ("open", "lock"):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = small.ask(method, f"/doors/front/{verb}")
            assert (answer.status, answer.fields["allow"]) == (405, "POST")
    assert locks.told == []


def test_a_head_is_a_get_without_its_body(small: Small) -> None:
    for path in (
        "/healthz",
        "/cameras",
        "/cameras/yard",
        "/doors/front",
        "/api/system/status",
        "/openapi.json",
        "/api",
    ):
        got, looked = small.ask("GET", path), small.ask("HEAD", path)
        assert (got.status, got.fields["content-type"]) == (looked.status, looked.fields["content-type"])
        assert looked.body == b""
        assert got.body != b""


def test_the_description_is_given_to_anybody(small: Small) -> None:
    small.as_(None)
    described = small.ask("GET", "/openapi.json")
    assert described.fields["content-type"] == "application/json"
    assert described.json["paths"]["/cameras/{camera}/stream.mjpg"]["get"]["x-permission"] == "camera.view"
    page = small.ask("GET", "/api")
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    assert b"/doors/{door}/open" in page.body
    told = described.body + page.body
    assert not any(re.search(rb"\b%s\b" % name.encode(), told) for name in NAMES)

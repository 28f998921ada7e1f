"""What a camera can be set to, setting it, and its telemetry, over HTTP; who may not is not told."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from gatekeeper import config
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.push.abilities import SEED
from gatekeeper.cameras.push.settings import Command
from gatekeeper.cameras.push.wishes import Wishes
from gatekeeper.cameras.telemetry import Telemetry
from gatekeeper.http.cameras import CameraRoutes
from tests.http.small import Small, viewer

START = 1_700_000_000.0


class Pushed:
    """A camera that takes whatever it is told."""

    device = None
    abilities = SEED
    is_connected = True

    def __init__(self) -> None:
        self.wishes = Wishes()

    @property
    def settings(self) -> Any:
        return self.wishes.settings(self.abilities)

    def set(self, commands: tuple[Command, ...]) -> "Deferred[dict[str, str]]":
        for command in commands:
            self.wishes.took(command, f"{command.val} (actual: 8.5)", START)
        return succeed({command.cmd: f"{command.val} (actual: 8.5)" for command in commands})


@pytest.fixture
def small() -> Small:
    samples = {name: Telemetry(name, device=name == "s3", now=0.0) for name in ("s3", "hall")}
    for number in range(3):
        samples["s3"].sample({"heap": 7}, number * 5.0, START + number * 5)
    cameras = Cameras(
        (config.Camera(id="s3", push=config.Push(path="/s3")), config.Camera(id="hall", url="http://x/")),
        {name: Feed(name, 0.0) for name in samples},
        lambda: 0.0,
        lambda camera: 0,
        telemetry=samples,
        pushed={"s3": Pushed()},  # type: ignore[dict-item]
    )
    return Small(CameraRoutes(cameras))


def test_a_page_learns_all_that_it_needs_to_draw_controls(small: Small) -> None:
    assert small.ask("POST", "/cameras/s3/settings", {"Content-Type": "application/json"}, b'{"fps": 9}').status == 200
    told = small.ask("GET", "/cameras/s3/settings").json
    settings = {one["name"]: one for one in told["settings"]}
    assert (told["camera"], told["device"], told["reason"]) == ("s3", "ESP32-S3 camera", None)
    assert settings["fps"] == {
        "name": "fps", "label": "Pictures per second", "kind": "number", "minimum": 1, "maximum": 30, "unit": "1/s",
        "note": "what the camera aims at", "options": [], "wished": 9, "taken": 9, "said": "9 (actual: 8.5)",
        "told": START,
    }  # fmt: skip
    assert settings["resolution"]["options"][5] == {"value": 5, "label": "VGA 640x480", "note": None}
    assert [one["kind"] for one in told["settings"]].count("switch") == 5
    assert (settings["vflip"]["wished"], settings["vflip"]["taken"]) == (None, None)


def test_a_camera_that_takes_none_says_so(small: Small) -> None:
    why = "camera hall takes no settings: its address gives pictures and nothing else"
    told = small.ask("GET", "/cameras/hall/settings")
    assert (told.status, told.json["settings"], told.json["reason"]) == (200, [], why)
    answer = small.ask("POST", "/cameras/hall/settings", {"Content-Type": "application/json"}, b'{"fps": 9}')
    assert (answer.status, answer.json["error"]["message"]) == (400, why)


def test_telemetry_comes_in_columns_since_a_moment(small: Small) -> None:
    page = small.ask("GET", "/cameras/s3/telemetry").json
    assert page["time"] == [START, START + 5, START + 10]
    assert page["columns"]["heap"] == [7, 7, 7]
    assert page["columns"]["psram"] == [None, None, None]
    later = small.ask("GET", f"/cameras/s3/telemetry?since={START + 5}").json
    assert (later["time"], later["columns"]["heap"]) == ([START + 10], [7])
    assert "heap" not in small.ask("GET", "/cameras/hall/telemetry").json["columns"]
    for query in ("since=soon", "since=inf", "since=1&since=2", "until=5", "since=1e99"):
        assert small.ask("GET", f"/cameras/s3/telemetry?{query}").code == "invalid_argument"


def test_who_may_not_view_a_camera_learns_nothing_of_it(small: Small) -> None:
    for path in ("settings", "telemetry"):
        small.as_(viewer("camera:s3"))
        assert small.ask("GET", f"/cameras/s3/{path}").status == 200
        theirs = [small.ask("GET", f"/cameras/{camera}/{path}") for camera in ("hall", "nowhere")]
        assert [(answer.status, answer.code) for answer in theirs] == [(403, "denied")] * 2
        assert theirs[0].json["error"]["message"].replace("hall", "") == theirs[1].json["error"]["message"].replace(
            "nowhere", ""
        )
        small.as_(None)
        assert small.ask("GET", f"/cameras/s3/{path}").status == 401

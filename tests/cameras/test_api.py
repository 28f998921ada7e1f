"""Cameras for callers: a status that tells its age, and a picture only while it is live."""

from typing import Any

import pytest

from gatekeeper import config
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.errors import InvalidArgument, NoPicture, NoSuchCamera


class Bench:
    """Two cameras and a clock."""

    def __init__(self) -> None:
        self.now = 10.0
        self.feeds = {name: Feed(name, 1000.0) for name in ("yard", "hall")}
        settings = (
            config.Camera(id="yard", url="http://x/", name="The yard", doors=("front",)),
            config.Camera(id="hall", url="http://y/"),
        )
        self.cameras = Cameras(settings, self.feeds, lambda: self.now, len, virtual=True)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_before_the_first_frame_there_is_no_age(bench: Bench) -> None:
    status = bench.cameras.status("yard")
    assert (status.state, status.age, status.width, status.sequence, status.fps) == (
        CameraState.CONNECTING, None, None, 0, 0.0,
    )  # fmt: skip
    assert (status.name, status.doors, status.virtual, status.viewers) == ("The yard", ("front",), True, 4)
    assert bench.cameras.status("hall").name == "hall"


def test_the_age_goes_on_when_the_camera_is_gone(bench: Bench) -> None:
    bench.feeds["yard"].put(b"jpeg", 640, 480, 10.0, 1000.0)
    bench.now = 12.5
    bench.feeds["yard"].change(CameraState.OFFLINE, "gone", 1002.0)
    status = bench.cameras.status("yard")
    assert (status.state, status.reason, status.since, status.age) == (CameraState.OFFLINE, "gone", 1002.0, 2.5)
    assert (status.width, status.height, status.frames, status.fps) == (640, 480, 1, 0.0)


def test_the_list_keeps_the_configurations_order(bench: Bench) -> None:
    assert [status.id for status in bench.cameras.list()] == ["yard", "hall"]


def test_a_live_camera_gives_its_newest_frame_itself(bench: Bench) -> None:
    bench.feeds["yard"].put(b"older", 1, 1, 10.0, 1000.0)
    newest = bench.feeds["yard"].put(b"newest", 1, 1, 10.1, 1000.1)
    assert bench.cameras.snapshot("yard") is newest


@pytest.mark.parametrize("state", [CameraState.CONNECTING, CameraState.STALLED, CameraState.OFFLINE])
def test_an_old_picture_is_never_given_as_a_new_one(bench: Bench, state: CameraState) -> None:
    with pytest.raises(NoPicture, match=r"^camera yard is connecting: not asked yet$"):
        bench.cameras.snapshot("yard")
    bench.feeds["yard"].put(b"jpeg", 1, 1, 10.0, 1000.0)
    bench.feeds["yard"].change(state, None, 1002.0)
    with pytest.raises(NoPicture, match=f"^camera yard is {state}: no frame yet$"):
        bench.cameras.snapshot("yard")


def test_an_unknown_camera_is_told_which_there_are(bench: Bench) -> None:
    for ask in (bench.cameras.status, bench.cameras.snapshot):
        with pytest.raises(NoSuchCamera, match=r'^there is no camera "x+"; there are: yard, hall$') as caught:
            ask("x" * 1000)
        assert len(str(caught.value)) < 100


@pytest.mark.parametrize("camera", [5, None, ["yard"], {}, b"yard"])
def test_a_camera_that_is_no_text_is_a_wrong_argument(bench: Bench, camera: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^camera: found .*; allowed: text$"):
        bench.cameras.status(camera)

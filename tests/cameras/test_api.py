"""Cameras for callers: a status that tells its age, and a picture only while it is live."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from gatekeeper import config
from gatekeeper.caller import Caller
from gatekeeper.cameras.api import Cameras, SetResult
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.abilities import OWN, SEED, Abilities
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.push.settings import Command
from gatekeeper.cameras.push.wishes import Setting, Wishes
from gatekeeper.cameras.telemetry import Telemetry
from gatekeeper.errors import (
    AccessDenied,
    GatekeeperError,
    InvalidArgument,
    NoPicture,
    NoSuchCamera,
    NotConnected,
    Rejected,
)


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


# --- settings ---


class Record:
    """What was recorded: kind, subject, outcome, text."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, str]] = []

    def __call__(self, kind: str, text: str, **about: Any) -> None:
        self.events.append((kind, about["subject"], about.get("outcome", "ok"), text))


class Pushed:
    """A camera that takes settings, or fails as it is told."""

    device = DeviceHealth(received=1000.0, heap=5)
    abilities: Abilities = SEED
    is_connected = True

    @property
    def settings(self) -> tuple[Setting, ...]:
        return Wishes().settings(self.abilities)

    def __init__(self) -> None:
        self.answer: Deferred[dict[str, str]] = Deferred()
        self.error: GatekeeperError | None = None
        self.sent: list[tuple[str, str]] = []

    def set(self, commands: tuple[Command, ...]) -> "Deferred[dict[str, str]]":
        if self.error is not None:
            raise self.error
        self.sent += [(command.cmd, command.val) for command in commands]
        return self.answer


class SettingBench:
    """A camera that connects to us, one that doesn't, and a record."""

    def __init__(self) -> None:
        self.record, self.pushed = Record(), Pushed()
        feeds = {name: Feed(name, 1000.0) for name in ("s3", "hall")}
        settings = (
            config.Camera(id="s3", push=config.Push(path="/s3")),
            config.Camera(id="hall", url="http://y/"),
        )
        pushed: Any = {"s3": self.pushed}
        telemetry = {name: Telemetry(name, device=name == "s3", now=0.0) for name in feeds}
        self.cameras = Cameras(
            settings, feeds, lambda: 10.0, len, telemetry=telemetry, pushed=pushed, record=self.record
        )
        self.ana = Caller(name="ana")


def test_which_way_a_camera_connects_and_how_it_is_stands_in_its_status() -> None:
    cameras = SettingBench().cameras
    assert [(one.id, one.kind) for one in cameras.list()] == [("s3", "push"), ("hall", "pull")]
    assert cameras.status("s3").device == Pushed.device
    assert cameras.status("hall").device is None


def test_what_a_camera_took_is_the_result_and_on_the_record() -> None:
    bench = SettingBench()
    found: list[Any] = []
    bench.cameras.set(bench.ana, "s3", {"quality": 12, "vflip": True}).addCallback(found.append)
    assert (bench.pushed.sent, found) == ([("quality", "12"), ("vflip", "1")], [])
    bench.pushed.answer.callback({"quality": "12", "vflip": "on"})
    assert found == [SetResult(camera="s3", taken={"quality": "12", "vflip": "on"})]
    assert bench.record.events == [("camera.set", "s3", "ok", "ana set camera s3: quality 12, vflip on")]


def test_who_gives_up_waiting_does_not_take_it_off_the_record() -> None:
    bench = SettingBench()
    answer = bench.cameras.set(bench.ana, "s3", {"quality": 12})
    answer.addErrback(lambda failure: failure.trap(CancelledError))
    answer.cancel()
    bench.pushed.answer.callback({"quality": "12"})
    assert [event[0] for event in bench.record.events] == ["camera.set"]


def test_what_could_not_be_set_is_on_the_record_with_why() -> None:
    bench = SettingBench()
    failed: list[Any] = []
    bench.cameras.set(bench.ana, "s3", {"quality": 12}).addErrback(lambda failure: failed.append(failure.value))
    bench.pushed.answer.errback(Rejected("quality: no"))
    assert isinstance(failed[0], Rejected)
    bench.pushed.error = NotConnected("not there")
    with pytest.raises(NotConnected):
        bench.cameras.set(bench.ana, "s3", {"quality": 12})
    bench.cameras.refused(bench.ana, "s3", AccessDenied("ana may not"))
    bench.cameras.refused(bench.ana, "nowhere", AccessDenied("ana may not"))
    assert [event[:3] for event in bench.record.events] == [
        ("camera.set_failed", "s3", "rejected"),
        ("camera.set_failed", "s3", "not_connected"),
        ("camera.set_failed", "s3", "denied"),
    ]


def test_a_wrong_setting_or_camera_sends_nothing() -> None:
    bench = SettingBench()
    with pytest.raises(InvalidArgument, match=r"^quality: found 99"):
        bench.cameras.set(bench.ana, "s3", {"quality": 99})
    with pytest.raises(InvalidArgument, match=r"^camera hall takes no settings: its address gives pictures"):
        bench.cameras.set(bench.ana, "hall", {"quality": 12})
    with pytest.raises(NoSuchCamera):
        bench.cameras.set(bench.ana, "nowhere", {"quality": 12})
    assert bench.pushed.sent == []


def test_what_a_camera_can_be_set_to_is_told_with_its_ranges_also_while_it_is_away() -> None:
    bench = SettingBench()
    told = bench.cameras.settings("s3")
    assert (told.device, told.reason) == ("ESP32-S3 camera", None)
    assert [one.name for one in told.settings][:2] == ["resolution", "quality"]
    bench.pushed.is_connected = False
    assert bench.cameras.settings("s3").reason == "camera s3 is not connected"
    with pytest.raises(NoSuchCamera):
        bench.cameras.settings("nowhere")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"url": "http://x/"}, "its address gives pictures and nothing else"),
        ({"snapshot": "http://x/"}, "its address gives pictures and nothing else"),
        ({"url": "rtsp://x/"}, "RTSP carries its pictures and nothing else"),
        ({"url": "v4l2:///dev/video0"}, "nothing is set on a device of this machine"),
        ({"video": "a.mp4"}, "it is a file"),
    ],
)
def test_a_camera_of_another_kind_says_that_it_takes_no_settings(source: dict[str, str], why: str) -> None:
    camera = config.Camera(id="hall", **source)  # type: ignore[arg-type]
    cameras = Cameras((camera,), {"hall": Feed("hall", 0.0)}, lambda: 0.0, len)
    told = cameras.settings("hall")
    assert (told.device, told.settings, told.reason) == (None, (), f"camera hall takes no settings: {why}")
    with pytest.raises(InvalidArgument, match=f"^{told.reason}$"):
        cameras.set(Caller(name="ana"), "hall", {"quality": 12})


def test_what_another_kind_of_device_takes_is_not_refused() -> None:
    bench = SettingBench()
    with pytest.raises(InvalidArgument, match=r"^quality: found 3; allowed: 5 to 63 by an ESP32-S3 camera$"):
        bench.cameras.set(bench.ana, "s3", {"quality": 3})
    bench.pushed.abilities = OWN
    bench.cameras.set(bench.ana, "s3", {"quality": 3})
    assert bench.pushed.sent == [("quality", "3")]


@pytest.mark.parametrize("since", ["1", True, [], float("nan"), float("inf"), -(10**300)])
def test_samples_since_what_is_no_moment_is_a_wrong_argument(since: Any) -> None:
    cameras = SettingBench().cameras
    with pytest.raises(InvalidArgument, match=r"^since: found .*; allowed: Unix seconds$"):
        cameras.telemetry("s3", since)
    assert cameras.telemetry("s3", 5).time == []
    assert cameras.telemetry("s3").columns["heap"] == []
    assert "heap" not in cameras.telemetry("hall").columns

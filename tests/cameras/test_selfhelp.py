"""The ladder at work: on a camera that we connect to, on one that connects to us, and what is told of it."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.cameras.recovery import ALERT_AFTER, PATIENCE, TIMES, Step
from gatekeeper.cameras.selfhelp import Note, SelfHelp
from gatekeeper.cameras.sight import Sight, Watch
from gatekeeper.errors import Indeterminate, NotConnected
from gatekeeper.simulators.push_device import Cure, PushFault
from tests.cameras.pictures import picture
from tests.cameras.push.test_detection import Virtual, quick
from tests.cameras.push.test_reception import Device
from tests.cameras.test_pull_timing import PART
from tests.cameras.test_pull_timing import Bench as PullBench

SETTLE = 20.0
ALL = frozenset(Step) - {Step.ALERT}


class Source:
    """A camera that does as it is told, or doesn't."""

    def __init__(self) -> None:
        self.can = ALL
        self.done: list[str] = []
        self.answer: Deferred[Any] = succeed(None)
        self.raises: Exception | None = None

    def repairs(self) -> frozenset[Step]:
        return self.can

    def redial(self) -> None:
        self.done.append("redial")

    def reboot(self) -> "Deferred[Any]":
        self.done.append("reboot")
        if self.raises is not None:
            raise self.raises
        return self.answer


class Bench:
    def __init__(self, self_help: Any = "reboot") -> None:
        self.clock = Clock()
        self.feed = Feed("yard", 0.0)
        self.watch = Watch(0.0)
        self.source = Source()
        self.notes: list[Note] = []
        camera = config.Camera(id="yard", url="http://10.0.0.7/", self_help=self_help)
        self.help = SelfHelp(
            self.clock, camera, self.feed, self.watch, self.source, wall=self.wall, told=self.notes.append
        )

    def wall(self) -> float:
        return float(1000.0 + self.clock.seconds())

    def turn(self, state: CameraState, sight: Sight = Sight.UNKNOWN, reason: str | None = None) -> None:
        self.watch.sight = sight
        self.feed.change(state, reason, self.wall())
        self.help.look()

    @property
    def kinds(self) -> list[str]:
        return [note.kind for note in self.notes]


def test_each_step_is_told_with_its_cause_and_what_it_came_to() -> None:
    bench = Bench()
    bench.turn(CameraState.STALLED, reason="no picture for 6 s")
    bench.clock.pump([1.0] * 300)
    assert bench.source.done == ["redial", "redial", "reboot"]
    assert bench.kinds == [
        "camera.reconnecting", "camera.not_helped", "camera.backing_off", "camera.not_helped",
        "camera.rebooting", "camera.not_helped", "camera.needs_help",
    ]  # fmt: skip
    first, last = bench.notes[0], bench.notes[-1]
    assert first.text == "camera yard: stalled: no picture for 6 s; connecting anew"
    assert (first.outcome, first.reason) == ("ok", "stalled: no picture for 6 s")
    assert first.details == {"step": "reconnect", "trouble": "stalled"}
    assert bench.notes[1].details == {"step": "reconnect", "helped": False, "seconds": 30.0}
    assert (last.outcome, last.text) == (
        "alarm",
        "camera yard: stalled: no picture for 6 s; somebody must look after it",
    )
    assert bench.help.help is not None
    assert (bench.help.help.step, bench.help.help.since) == (Step.ALERT, 1000.0 + PATIENCE + sum(TIMES.values()))
    bench.turn(CameraState.LIVE)
    bench.clock.advance(SETTLE)
    assert bench.help.help is None
    assert bench.notes[-1].kind == "camera.helped"
    assert bench.notes[-1].text == "camera yard shows pictures again after that, 300 s after the trouble began"
    assert not bench.clock.getDelayedCalls()


@pytest.mark.parametrize(("allowed", "done"), [("reconnect", ["redial", "redial"]), ("none", [])])
def test_no_more_is_done_than_the_configuration_allows_and_the_alert_comes_all_the_same(
    allowed: str, done: list[str]
) -> None:
    bench = Bench(allowed)
    bench.turn(CameraState.LIVE, Sight.FROZEN)
    bench.clock.pump([1.0] * 200)
    assert bench.source.done == done
    assert bench.kinds[-1] == "camera.needs_help"


def test_a_night_is_no_reason_to_touch_the_camera() -> None:
    bench = Bench()
    bench.turn(CameraState.LIVE, Sight.BLACK)
    bench.clock.pump([60.0] * 480)
    assert bench.source.done == []
    [alert] = bench.notes
    assert (alert.kind, alert.reason) == ("camera.needs_help", "the picture is black")


@pytest.mark.parametrize("raised", [True, False])
def test_a_reboot_that_is_not_taken_is_not_waited_for(raised: bool) -> None:
    bench = Bench()
    bench.source.can = frozenset((Step.REBOOT,))
    if raised:
        bench.source.raises = NotConnected("gone")
    else:
        bench.source.answer = fail(Indeterminate("no answer"))
    bench.turn(CameraState.LIVE, Sight.FROZEN)
    bench.clock.advance(ALERT_AFTER)
    assert bench.kinds == ["camera.rebooting", "camera.not_helped", "camera.needs_help"]


def test_a_camera_that_is_taken_away_is_helped_no_more() -> None:
    bench = Bench()
    bench.turn(CameraState.LIVE, Sight.FROZEN)
    assert bench.help.help is not None
    bench.help.stop()
    bench.turn(CameraState.OFFLINE, reason="stopped")
    bench.clock.advance(1000)
    assert bench.kinds == ["camera.reconnecting"]
    assert bench.help.help is None
    assert not bench.clock.getDelayedCalls()


# --- with what brings the pictures ---


def test_a_frozen_camera_that_we_connect_to_is_dialled_anew() -> None:
    pull = PullBench()
    watch, notes = Watch(0.0), list[Note]()
    camera = config.Camera(id="front", url="http://10.0.0.7/")
    helping = SelfHelp(pull.reactor, camera, pull.feed, watch, pull.pull, wall=pull.reactor.seconds, told=notes.append)
    wire = pull.stream()
    wire.protocol.dataReceived(PART)
    watch.sight = Sight.FROZEN
    helping.look()
    pull.turn()
    assert wire.aborted
    assert pull.feed.condition.reason == "the connection was dropped, to make a new one"
    pull.turn(1.0)
    assert pull.dialled == 2
    pull.stream().protocol.dataReceived(PART)
    assert pull.state == "live"
    watch.sight = Sight.OK
    helping.look()
    for _ in range(int(SETTLE) + 1):
        pull.reactor.advance(1.0)
        pull.feed.put(picture(), 640, 480, pull.reactor.seconds(), 0.0)
    assert [note.kind for note in notes] == ["camera.reconnecting", "camera.helped"]
    helping.stop()
    assert isinstance(pull.pull, CameraPull)
    assert pull.stop()


class Helped(Virtual):
    """The virtual ESP32-S3 camera with a ladder; it dials again three seconds after it was cut off, as the real one."""

    def __init__(self) -> None:
        super().__init__(quick())
        self.notes: list[tuple[float, Note]] = []
        camera = self.bench.s3
        self.helping = SelfHelp(
            self.bench.net,
            camera.camera,
            camera.feed,
            self.lookout.watches["s3"],
            camera,
            wall=self.bench.wall,
            told=lambda note: self.notes.append((self.now, note)),
        )
        camera.feed.observe(lambda _: self.helping.look())

    def _tell(self, camera: str, finding: object) -> None:
        super()._tell(camera, finding)
        self.helping.look()

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        for message in self._end.heard():
            if message.get("type") == "command":
                answers, restarts = self.device.heard(str(message).replace("'", '"'))
                for answer in answers:
                    self._end.client.sendMessage(answer.encode())
                if restarts:
                    super().wait(1.0)
                    self.device.boot()
                    self._end.lose()
                    self._dial(8.0)
        if self._end.theirs.aborted:
            self._end.lose()
            self._dial(3.0)

    def _dial(self, after: float) -> None:
        self.bench.net.advance(after)
        self._end = Device(self.bench)
        self.device.joined()
        self.device.settings["fps"] = 1  # a start sets it to 20, which is but slow to simulate
        for text in self.device.greeting(0.0):
            self._end.client.sendMessage(text.encode())
        self._end.carry()

    def suffer(self, fault: PushFault, cure: Cure, seconds: float) -> None:
        """Play a fault until it is cured, and on."""
        end = self.now + seconds
        self.device.fault, self.device.cure = fault, cure
        while self.now < end:
            self.play(1.0, self.device.fault)

    def steps(self) -> list[str]:
        return [note.kind.removeprefix("camera.") for _, note in self.notes]


@pytest.mark.parametrize(
    ("fault", "cure", "steps", "most"),
    [
        (PushFault.SILENT, Cure.RECONNECT, ["reconnecting", "helped"], 20),
        (PushFault.FREEZE, Cure.RECONNECT, ["reconnecting", "helped"], 20),
        (
            PushFault.FREEZE,
            Cure.REBOOT,
            ["reconnecting", "not_helped", "backing_off", "not_helped", "rebooting", "helped"],
            150,
        ),
        (
            PushFault.SILENT,
            Cure.NONE,
            ["reconnecting", "not_helped", "backing_off", "not_helped", "rebooting", "not_helped", "needs_help"],
            250,
        ),
    ],
)
def test_the_virtual_camera_is_helped_by_what_helps_it(
    fault: PushFault, cure: Cure, steps: list[str], most: float
) -> None:
    camera = Helped()
    camera.play(14)
    begin = camera.now
    camera.suffer(fault, cure, most + 30)
    assert camera.steps() == steps
    assert [command for command, _ in camera.device.commands] == ["reboot"] * steps.count("rebooting")
    if cure is not Cure.NONE:
        [*_, (at, note)] = camera.notes
        assert at - begin <= most + SETTLE
        assert note.details["seconds"] <= most
        assert camera.bench.state()[0] is CameraState.LIVE
        assert camera.helping.help is None
    camera.helping.stop()
    camera.stop()

"""Each failure, played by the virtual ESP32-S3 camera in simulated time, over its own wire: when it is found."""

import time

import pytest
from twisted.internet.defer import Deferred, succeed

from gatekeeper.cameras.looking import Look, look
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.push.assembly import SET_TIMEOUT
from gatekeeper.cameras.sight import FROZEN_AFTER, LOOP_GAP, MOVED_AFTER, RECOVER_AFTER, REPETITIONS, SOON, Sight
from gatekeeper.simulators.lens import LOOP, Lens
from gatekeeper.simulators.push_device import SIGHTS, PushDevice, PushFault
from tests.cameras.push.test_reception import Bench, Device

STALL = 6.0  # seconds: `push.stall_timeout` as it is if nobody says otherwise

FOUND = {  # seconds until it is found, a picture's own time aside
    PushFault.BLACK: (Sight.BLACK, SOON),
    PushFault.OVEREXPOSED: (Sight.OVEREXPOSED, SOON),
    PushFault.COVERED: (Sight.COVERED, SOON),
    PushFault.MOVED: (Sight.MOVED, MOVED_AFTER),
    PushFault.FREEZE: (Sight.FROZEN, FROZEN_AFTER),
    PushFault.LOOPING: (Sight.LOOPING, REPETITIONS),  # and the loop once through, until its pictures are known
}
STALLED = {
    PushFault.SILENT: "no picture for 6 s",
    PushFault.GARBAGE: "nothing but parts that are no JPEG for 6 s",
    PushFault.TRUNCATED: "nothing but pictures without their end for 6 s",
    PushFault.WRONG_SIZE: "nothing but pictures of another size than announced for 6 s",
    PushFault.ENDLESS: "nothing but pictures that were begun anew for 6 s",
}


class Virtual:
    """The virtual camera `s3`, with what it decides and what it sees, and no network but memory."""

    def __init__(self, device: PushDevice, seed: int = 1) -> None:
        self.bench = Bench()
        self.device = device
        self.told: list[tuple[float, Sight]] = []
        self._lens = Lens(seed)
        self._end = Device(self.bench)
        camera = self.bench.s3
        self.lookout = Lookout(self.bench.net, wall=self.bench.wall, told=self._tell, looking=looking)
        self.lookout.watch(camera.camera, camera.feed)
        self.lookout.startService()
        camera.feed.observe(lambda _: self.states.append((self.now, *self.bench.state())))
        self.states: list[tuple[float, str, str | None]] = []
        for text in device.greeting(0.0):
            self._end.client.sendMessage(text.encode())

    @property
    def now(self) -> float:
        return float(self.bench.net.seconds())

    def _tell(self, camera: str, finding: object) -> None:
        self.told.append((self.now, self.lookout.watches[camera].sight))

    def wait(self, seconds: float) -> None:
        self._end.carry()
        self.bench.net.advance(seconds)
        self._end.carry()

    def play(self, seconds: float, fault: PushFault = PushFault.NONE, rest: float | None = None) -> float:
        """Send pictures at the camera's own pace, or with a rest of seconds between two; return when that began."""
        self.device.fault, begin = fault, self.now
        while self.now < begin + seconds:
            if fault is PushFault.SILENT:
                self.wait(0.1)
                continue
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1.8e9 + self.now))
            jpeg = self._lens.picture(self.device.size, self.device.sight, self.now, clock)
            for message, pause in self.device.picture(jpeg, self.now):
                is_binary = isinstance(message, bytes)
                self._end.client.sendMessage(message if isinstance(message, bytes) else message.encode(), is_binary)
                if pause:
                    self.wait(pause)
            self.wait(self.device.rest if rest is None else rest)
        return begin

    def stop(self) -> None:
        self.lookout.stopService()
        self.bench.stop()


def looking(jpeg: bytes) -> "Deferred[Look | None]":
    return succeed(look(jpeg))


def quick() -> PushDevice:
    """A camera at QVGA in speed mode, two pictures a second."""
    device = PushDevice(speed=True, resolution=3)
    device.settings["fps"] = 2
    return device


def test_every_fault_of_the_sight_is_played_here() -> None:
    assert set(FOUND) == SIGHTS


@pytest.mark.parametrize(
    ("fault", "pace"),
    [*((fault, "speed") for fault in FOUND), (PushFault.FREEZE, "stability"), (PushFault.MOVED, "stability")],
)
def test_a_camera_that_sees_nothing_is_found_in_its_time(fault: PushFault, pace: str) -> None:
    device = quick() if pace == "speed" else PushDevice()  # the other: XGA, a picture in two seconds
    a_picture = 0.5 if pace == "speed" else 2.2
    camera = Virtual(device)
    camera.play(14 * max(1.0, a_picture))  # ten looks until the usual scene is known
    assert [sight for _, sight in camera.told] == [Sight.OK]
    begin = camera.play(24, fault)
    sight, after = FOUND[fault]
    [(at, found)] = camera.told[1:]
    assert found is sight
    pictures = LOOP if fault is PushFault.LOOPING else 2
    assert at - begin <= after + pictures * a_picture + 1.0  # the next look
    healed = camera.play(20 + 5 * a_picture)
    at, found = camera.told[-1]
    assert found is Sight.OK
    assert at - healed <= RECOVER_AFTER + LOOP_GAP + 4 * a_picture
    camera.stop()


@pytest.mark.parametrize("fault", STALLED)
def test_a_camera_that_sends_no_pictures_is_stalled_in_its_time(fault: PushFault) -> None:
    camera = Virtual(quick())
    camera.play(5)
    begin = camera.play(12, fault)
    [(at, state, reason)] = camera.states[1:]
    assert (state, reason) == ("stalled", STALLED[fault])
    assert STALL - 0.5 <= at - begin <= STALL + 0.5
    most = SET_TIMEOUT if fault is PushFault.ENDLESS else 0.5  # of the last set: what comes till then is taken for it
    healed = camera.play(most + 1)
    assert camera.states[-1][1] == "live"
    assert camera.states[-1][0] - healed <= most
    camera.stop()


def test_an_hour_of_a_slow_camera_is_no_stall_and_no_alarm() -> None:
    camera = Virtual(PushDevice(resolution=3))
    camera.play(3600, rest=5.0)
    assert [state for _, state, _ in camera.states] == ["live"]
    assert [sight for _, sight in camera.told] == [Sight.OK]
    camera.stop()

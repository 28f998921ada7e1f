"""A day of cameras that come and go, in simulated time: what is kept does not grow, nor what is done about it."""

import gc
import random
from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred, succeed

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.looking import Look
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.recovery import DAY, REBOOTS_A_DAY, Step
from gatekeeper.cameras.sampling import Sampling
from gatekeeper.cameras.selfhelp import Note, Repairs, SelfHelp
from tests.cameras.push.test_reception import Bench as PushBench
from tests.cameras.push.test_reception import Device
from tests.cameras.test_lookout import RELIEF
from tests.cameras.test_pull_timing import PART, Wire
from tests.cameras.test_pull_timing import Bench as PullBench

HOUR = 3600.0
STEP = 5.0  # seconds: a picture each, and a look; the cameras' stall time is longer
LARGEST_GROWTH = 150  # objects, from the second hour to the last, in over 250 connections each: one left by each shows


class Flapping:
    """Two cameras on one clock, each with its watch, its telemetry and its ladder; how they fail is drawn by lot."""

    def __init__(self) -> None:
        self.chance = random.Random(5)  # noqa: S311 - a lot, not a secret
        self.push = PushBench()
        self.net: Any = self.push.net
        self.pull = PullBench.__new__(PullBench)
        self.pull.reactor = self.net
        self.looks = 0
        self.frozen = False
        self.steps: Counter[str] = Counter()
        self.lookout = Lookout(self.net, wall=self.push.wall, told=self._seen, looking=self._look)
        self.lookout.startService()
        self.helps: dict[str, SelfHelp] = {}
        self.samplings: list[Sampling] = []
        self._start_pull()
        self._add(self.push.s3.camera, self.push.s3.feed, self.push.s3)
        self.wire: Wire | None = None
        self.device: Device | None = None

    def _start_pull(self) -> None:
        from gatekeeper.cameras.pull import CameraPull

        feed = self.pull.feed = Feed("front", 0.0)
        camera = config.Camera(id="front", url="http://10.0.0.7/stream", stall_timeout=6.0, retry_minimum=5.0)
        self.pull.pull = CameraPull(self.net, camera, None, feed, self.push.wall, jitter=lambda: 0.5)
        self._add(camera, feed, self.pull.pull)
        self.pull.pull.startService()

    def _add(self, camera: config.Camera, feed: Feed, source: Repairs) -> None:
        self.lookout.watch(camera, feed)
        watch = self.lookout.watches[camera.id]
        self.helps[camera.id] = helping = SelfHelp(
            self.net, camera, feed, watch, source, wall=self.push.wall, told=self._note
        )
        feed.observe(lambda _: helping.look())
        sampling = Sampling(self.net, feed, wall=self.push.wall, publish=lambda point: None)
        sampling.startService()
        self.samplings.append(sampling)

    def _seen(self, camera: str, finding: object) -> None:
        self.helps[camera].look()

    def _look(self, jpeg: bytes) -> "Deferred[Look | None]":
        self.looks += not self.frozen
        return succeed(Look(self.looks.to_bytes(8, "big"), 200.0, 0.0, 10.0, RELIEF))

    def _note(self, note: Note) -> None:
        self.steps[note.kind] += 1

    def run(self, seconds: float) -> None:
        """Let them come and go for a while."""
        end = self.net.seconds() + seconds
        while self.net.seconds() < end:
            self._turn(self.chance.choice(["well", "well", "silent", "away", "frozen", "cut"]), self.chance.choice(
                [100, 300, 900]))  # fmt: skip
        self._lose()

    def _turn(self, what: str, seconds: float) -> None:
        self.frozen = what == "frozen"
        for number in range(int(seconds / STEP)):
            if what == "away" or (what == "cut" and number % 12 == 0):
                self._lose()
            self._answer(refuse=what == "away")
            if what not in ("silent", "away"):
                self._show()
            self.net.advance(STEP)
            self._carry()

    def _answer(self, *, refuse: bool) -> None:
        """Take, or refuse, what is dialled; the camera that dials us does so if it is there."""
        if self.net.tcpClients and refuse:
            self.pull.refuse()
        elif self.net.tcpClients:
            self.wire = Wire(self.net)
            self.wire.protocol = self.net.tcpClients[-1][2].buildProtocol(None)
            self.wire.protocol.makeConnection(self.wire)
            self.wire.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; "
                                            b"boundary=frame\r\n\r\n")  # fmt: skip
        self.net.tcpClients.clear()
        self.net.connectors.clear()
        if self.device is None and not refuse:
            self.device = Device(self.push).send({"type": "register", "device": "camera"})

    def _show(self) -> None:
        if self.wire is not None and not self.wire.lost and not self.wire.aborted:
            self.wire.protocol.dataReceived(PART)
        if self.device is not None:
            self.device.send(PART[PART.index(b"\xff\xd8") : -2])

    def _carry(self) -> None:
        if self.device is None:
            return
        for command in self.device.commands():
            self.device.answer(command[0], "reiniciando")
        if self.device.theirs.aborted:
            self.device.lose()
            self.device = None

    def _lose(self) -> None:
        if self.wire is not None and not self.wire.lost:
            self.wire.lose()
        if self.device is not None:
            self.device.lose()
        self.wire = self.device = None

    def stop(self) -> None:
        for ending in (*self.samplings, self.lookout):
            ending.stopService()
        for helping in self.helps.values():
            helping.stop()
        self.pull.pull.stopService()
        self.push.stop()


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def test_a_day_of_flapping_cameras_leaves_memory_flat() -> None:
    flapping = Flapping()
    flapping.run(2 * HOUR)  # a ring of an hour is full, what is loaded once is loaded
    before = objects()
    flapping.run(DAY - 2 * HOUR)
    after = objects()
    assert after - before < LARGEST_GROWTH
    assert flapping.pull.feed.reconnects > 100
    assert flapping.push.s3.feed.reconnects > 100
    assert 0 < flapping.steps["camera.rebooting"] <= REBOOTS_A_DAY + 1  # the last hour reaches into the next day
    assert flapping.steps["camera.helped"] > 20
    assert flapping.steps["camera.needs_help"] > 0
    assert {step for help_ in flapping.helps.values() for step in help_._ladder._left} <= set(Step)
    flapping.stop()

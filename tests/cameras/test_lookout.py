"""Who looks, at what, and when: live cameras, once a second, each picture once."""

from collections.abc import Iterator

import numpy as np
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.looking import Look
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.sight import Finding, Sight
from tests.cameras.pictures import picture
from tests.sites import Log

RELIEF = np.random.default_rng(1).normal(0, 10, (24, 32)).astype(np.float32)


class Bench:
    """Two cameras with a lookout, by a clock of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.cameras = (config.Camera(id="front", url="http://x/"), config.Camera(id="yard", url="http://y/"))
        self.feeds = {camera.id: Feed(camera.id, 0.0) for camera in self.cameras}
        self.looked: list[bytes] = []
        self.told: list[tuple[str, Finding | None]] = []
        self.pending: list[Deferred[Look | None]] = []
        self.waits = False
        self.darkness = 200.0
        self.lookout = Lookout(
            self.clock,
            wall=self.clock.seconds,
            told=lambda camera, finding: self.told.append((camera, finding)),
            looking=self.looking,
        )
        for camera in self.cameras:
            self.lookout.watch(camera, self.feeds[camera.id])
        self.lookout.startService()

    def looking(self, jpeg: bytes) -> "Deferred[Look | None]":
        self.looked.append(jpeg)
        if self.waits:
            self.pending.append(Deferred())
            return self.pending[-1]
        return succeed(Look(len(self.looked).to_bytes(4, "big"), self.darkness, 0.0, 10.0, RELIEF))

    def play(self, seconds: int, camera: str = "front") -> None:
        for _ in range(seconds):
            self.feeds[camera].put(picture(), 16, 16, self.clock.seconds(), self.clock.seconds())
            self.clock.advance(1.0)

    def sight(self, camera: str = "front") -> Sight:
        return self.lookout.watches[camera].sight


@pytest.fixture
def bench() -> Iterator[Bench]:
    it = Bench()
    yield it
    it.lookout.stopService()


def test_only_live_cameras_are_looked_at_and_each_picture_once(bench: Bench) -> None:
    bench.clock.advance(5.0)
    assert bench.looked == []
    bench.play(1)
    bench.clock.pump([1.0] * 5)
    assert len(bench.looked) == 1
    bench.play(1)
    bench.feeds["front"].change(CameraState.STALLED, "no picture", 9.0)
    bench.play(3, "yard")
    assert len(bench.looked) == 5


def test_what_is_found_is_told_of_its_camera_once(bench: Bench) -> None:
    bench.play(10)
    bench.darkness = 0.0
    bench.play(10)
    bench.darkness = 200.0
    bench.play(10)
    assert [(camera, finding.sight if finding else None) for camera, finding in bench.told] == [
        ("front", None),  # it sees, and was never said not to: the state is published, nothing recorded
        ("front", Sight.BLACK),
        ("front", Sight.OK),
    ]
    assert bench.sight("yard") is Sight.UNKNOWN


def test_a_camera_that_is_not_live_is_not_known_to_see(bench: Bench) -> None:
    bench.play(10)
    assert bench.sight() is Sight.OK
    bench.feeds["front"].change(CameraState.OFFLINE, "gone", 11.0)
    assert bench.sight() is Sight.UNKNOWN


def test_a_slow_look_is_waited_for_and_its_result_dropped_if_the_camera_went(bench: Bench) -> None:
    bench.waits = True
    bench.play(5)
    assert len(bench.looked) == 1
    bench.feeds["front"].change(CameraState.OFFLINE, "gone", 6.0)
    bench.pending[0].callback(Look(b"1", 0.0, 0.0, 0.0, RELIEF))
    assert bench.sight() is Sight.UNKNOWN
    bench.play(1)
    assert len(bench.looked) == 2


def test_a_look_that_fails_is_logged_and_no_end_of_looking(bench: Bench) -> None:
    bench.waits = True
    bench.play(1)
    with Log() as log:
        bench.pending[0].errback(ZeroDivisionError())
    assert "could not be looked at" in str(log.lines)
    bench.play(1)
    assert len(bench.looked) == 2


async def test_a_look_is_taken_off_the_reactor_and_told_on_it() -> None:
    from twisted.python.threadable import isInIOThread

    from gatekeeper.cameras import lookout as module

    feed = Feed("front", 0.0)
    found: Deferred[bool] = Deferred()
    lookout = Lookout(reactor, wall=lambda: 0.0, told=lambda *_: None)
    lookout.watch(config.Camera(id="front", url="http://x/"), feed)
    lookout.startService()
    try:
        looked = lookout._look_in_thread(b"no picture")
        looked.addCallback(lambda result: found.callback(result is None and isInIOThread()))
        assert await found
    finally:
        lookout.stopService()
    assert module.INTERVAL == 1.0

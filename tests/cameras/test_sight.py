"""What is wrong with pictures is found in its time, ends when it is over, and nothing is found that isn't there."""

import time
from collections.abc import Callable, Iterator
from itertools import count

import cv2
import numpy as np
import pytest

from gatekeeper.cameras.looking import Look, look
from gatekeeper.cameras.sight import (
    ADOPT_AFTER,
    FROZEN_AFTER,
    FROZEN_AFTER_VIDEO,
    MOVED_AFTER,
    RECOVER_AFTER,
    SOON,
    Finding,
    Sight,
    Watch,
)
from gatekeeper.simulators.camera_faults import CameraFault
from gatekeeper.simulators.lens import seen
from gatekeeper.simulators.scene import Scene

NOON = 1_800_000_000.0
FPS = 12.5
LOOP = 25  # pictures that the virtual camera repeats

Moment = Callable[[float], bytes]


def clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOON + moment))


class Watched:
    """A virtual camera in simulated time, and what is found: (seconds, finding) each."""

    def __init__(self, seed: int = 1, size: tuple[int, int] = (640, 480), **settings: bool | float) -> None:
        self.scene = Scene(*size, seed)
        self.watch = Watch(NOON, **settings)  # type: ignore[arg-type]
        self.now = 0.0
        self.found: list[tuple[float, Finding]] = []
        self._frozen = b""
        self._loop: list[bytes] = []

    def play(self, seconds: float, fault: CameraFault = CameraFault.NONE, step: float = 1.0) -> None:
        """Look once a second at what the camera shows."""
        begin = self.now
        self._loop = []
        while self.now < begin + seconds:
            self.show(self._picture(fault, self.now - begin), step)

    def show(self, jpeg: bytes, step: float = 1.0) -> None:
        found = look(jpeg)
        assert found is not None
        finding = self.watch.see(found, self.now, NOON + self.now)
        if finding is not None:
            self.found.append((self.now, finding))
        self.now += step

    def _picture(self, fault: CameraFault, since: float) -> bytes:
        if fault is CameraFault.FREEZE:
            self._frozen = self._frozen if since else self._render(CameraFault.NONE, self.now)
            return self._frozen
        if fault is CameraFault.LOOPING:
            if not self._loop:
                self._loop = [self._render(CameraFault.NONE, self.now + number / FPS) for number in range(LOOP)]
            return self._loop[round(since * FPS) % LOOP]
        return self._render(fault, self.now)

    def _render(self, fault: CameraFault, moment: float) -> bytes:
        return seen(self.scene, fault, moment, clock(moment))

    def fault_until_found(self, fault: CameraFault, most: float) -> float:
        """Return after how many seconds the fault is found."""
        begin = self.now
        self.play(most, fault)
        assert self.found, f"{fault} was not found within {most} s"
        return self.found[0][0] - begin


# --- each failure, by the virtual camera ---

DETECTED = {  # seconds until it is found, looked at once a second
    CameraFault.BLACK: (Sight.BLACK, SOON),
    CameraFault.OVEREXPOSED: (Sight.OVEREXPOSED, SOON),
    CameraFault.FREEZE: (Sight.FROZEN, FROZEN_AFTER),
    CameraFault.LOOPING: (Sight.LOOPING, 12.0),
    CameraFault.COVERED: (Sight.COVERED, SOON),
    CameraFault.MOVED: (Sight.MOVED, MOVED_AFTER),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("fault", DETECTED)
def test_a_failure_is_found_in_its_time_and_its_end_too(fault: CameraFault, seed: int) -> None:
    sight, most = DETECTED[fault]
    camera = Watched(seed)
    camera.play(30)
    assert camera.watch.sight is Sight.OK
    assert camera.found == []
    took = camera.fault_until_found(fault, most + 5)
    assert took <= most
    assert [finding.sight for _, finding in camera.found] == [sight]
    assert camera.watch.since == NOON + camera.found[0][0]
    healed = camera.now
    camera.play(30)
    _, (at, finding) = camera.found
    assert finding == Finding(Sight.OK, None)
    assert at - healed <= RECOVER_AFTER + 10


@pytest.mark.parametrize(("seed", "size"), [(1, (640, 480)), (2, (320, 240))])
def test_an_hour_of_an_ordinary_scene_raises_no_alarm(seed: int, size: tuple[int, int]) -> None:
    camera = Watched(seed, size)
    camera.play(3600)
    assert camera.found == []
    assert camera.watch.sight is Sight.OK


@pytest.mark.parametrize("size", [(160, 120), (1280, 720)])
def test_a_small_and_a_large_picture_are_looked_at_alike(size: tuple[int, int]) -> None:
    camera = Watched(1, size)
    camera.play(60)
    assert camera.found == []
    camera.play(10, CameraFault.COVERED)
    assert [finding.sight for _, finding in camera.found] == [Sight.COVERED]


# --- what is no failure ---


@pytest.mark.parametrize("fault", [CameraFault.BLACK, CameraFault.OVEREXPOSED, CameraFault.COVERED, CameraFault.MOVED])
def test_what_is_over_at_once_is_not_told(fault: CameraFault) -> None:
    camera = Watched()
    camera.play(30)
    for _ in range(10):
        camera.play(2, fault)
        camera.play(5)
    assert camera.found == []


def darkened(jpeg: bytes, by: float) -> bytes:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.imencode(".jpg", cv2.convertScaleAbs(image, alpha=by))[1].tobytes()


def test_a_light_that_goes_out_is_no_covered_camera() -> None:
    camera = Watched()
    camera.play(30)
    for _ in range(60):
        camera.show(darkened(camera._picture(CameraFault.NONE, 0.0), 0.25))
    assert camera.found == []


def test_video_that_repeats_a_still_scene_exactly_is_frozen_only_after_longer() -> None:
    camera = Watched(frozen_after=FROZEN_AFTER_VIDEO)
    camera.play(30)
    camera.play(FROZEN_AFTER_VIDEO - 5, CameraFault.FREEZE)
    assert camera.found == []
    camera.play(1)
    camera.play(FROZEN_AFTER_VIDEO + 2, CameraFault.FREEZE)
    assert [finding.sight for _, finding in camera.found] == [Sight.FROZEN]


def test_a_clip_that_is_meant_to_be_repeated_is_not_looping() -> None:
    camera = Watched(may_loop=True)
    camera.play(120, CameraFault.LOOPING)
    assert camera.found == []


def test_a_camera_that_is_rarely_looked_at_is_frozen_by_the_third_picture_and_no_sooner() -> None:
    camera = Watched()
    camera.play(600, step=60.0)
    camera.play(120, CameraFault.FREEZE, step=60.0)
    assert camera.found == []
    camera.show(camera._frozen, 60.0)
    assert [finding.sight for _, finding in camera.found] == [Sight.FROZEN]


# --- one after the other ---


def test_a_camera_that_starts_black_is_never_said_to_see() -> None:
    camera = Watched()
    sights = []
    for _ in range(10):
        camera.play(1, CameraFault.BLACK)
        sights.append(camera.watch.sight)
    assert Sight.OK not in sights
    assert sights[-1] is Sight.BLACK


def test_the_heaviest_of_several_failures_is_told() -> None:
    camera = Watched()
    camera.play(30)
    camera.play(60, CameraFault.BLACK)  # always the same picture, and nothing in it
    assert [finding.sight for _, finding in camera.found] == [Sight.BLACK]


def test_a_failure_that_becomes_another_is_told_as_that() -> None:
    camera = Watched()
    camera.play(30)
    camera.play(10, CameraFault.COVERED)
    camera.play(10, CameraFault.BLACK)
    camera.play(10)
    assert [finding.sight for _, finding in camera.found] == [Sight.COVERED, Sight.BLACK, Sight.OK]


def test_a_camera_that_was_moved_while_it_was_gone_is_found() -> None:
    camera = Watched()
    camera.play(30)
    camera.watch.lose(NOON + camera.now)
    assert camera.watch.sight is Sight.UNKNOWN
    camera.now += 3600
    camera.play(10, CameraFault.MOVED)
    assert [finding.sight for _, finding in camera.found] == [Sight.MOVED]


def test_a_failure_that_outlives_a_reconnect_is_told_with_its_end() -> None:
    camera = Watched()
    camera.play(30)
    camera.play(10, CameraFault.BLACK)
    camera.watch.lose(NOON + camera.now)
    camera.play(10)
    assert [finding.sight for _, finding in camera.found] == [Sight.BLACK, Sight.OK]


def test_a_new_scene_that_stays_is_taken_for_the_usual_one() -> None:
    camera = Watched(1, (320, 240))
    camera.play(60)
    camera.play(ADOPT_AFTER + 30, CameraFault.MOVED)
    assert [finding.sight for _, finding in camera.found] == [Sight.MOVED, Sight.OK]
    camera.play(20)
    assert camera.found[-1][1].sight is Sight.MOVED


# --- the table's edges, by looks of our own ---


def looks(digests: Iterator[int], **changes: float) -> Iterator[Look]:
    relief = np.random.default_rng(1).normal(0, 10, (24, 32)).astype(np.float32)
    for number in digests:
        yield Look(number.to_bytes(8, "big"), changes.get("darkness", 200.0), changes.get("white", 0.0), 10.0, relief)


@pytest.mark.parametrize(
    ("entered", "held", "sight"),
    [
        ({"darkness": 19.0}, {"darkness": 27.0}, Sight.BLACK),
        ({"white": 0.71}, {"white": 0.55}, Sight.OVEREXPOSED),
    ],
)
def test_a_failure_is_held_by_a_laxer_measure_than_it_began_by(
    entered: dict[str, float], held: dict[str, float], sight: Sight
) -> None:
    watch, digests, now = Watch(0.0), count(), count()
    for changes, expected in (({}, Sight.OK), (held, Sight.OK), (entered, sight), (held, sight), ({}, Sight.OK)):
        for found, _ in zip(looks(digests, **changes), range(10), strict=False):
            moment = float(next(now))
            watch.see(found, moment, moment)
        assert watch.sight is expected


def test_memory_of_pictures_is_bounded() -> None:
    watch = Watch(0.0)
    for now, found in enumerate(looks(iter(range(3000)))):
        watch.see(found, float(now), float(now))
    assert len(watch._repetitions._order) == len(watch._repetitions._known) == 900


def test_what_is_no_picture_is_not_looked_at() -> None:
    assert look(b"no picture") is None

"""Pictures and their times, from files and from cameras that come and go."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gatekeeper.errors import GatekeeperError, InvalidArgument
from gatekeeper.measurements import video
from gatekeeper.measurements.preview import Preview
from gatekeeper.measurements.video import FileVideo, LiveVideo

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Capture:
    """What OpenCV gives: pictures with positions (ms); None is a picture that doesn't come."""

    def __init__(self, positions: list[float | None], fps: float = 25.0, backend: str = "FFMPEG") -> None:
        self.positions, self.fps, self.backend = list(positions), fps, backend
        self.position = 0.0
        self.released = False

    def isOpened(self) -> bool:
        return bool(self.positions)

    def grab(self) -> bool:
        if not self.positions:
            return False
        position = self.positions.pop(0)
        self.position = position if position is not None else -1
        return position is not None

    def retrieve(self) -> tuple[bool, Any]:
        return True, PICTURE

    def read(self) -> tuple[bool, Any]:
        return (True, PICTURE) if self.grab() else (False, None)

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FPS: self.fps, cv2.CAP_PROP_POS_MSEC: self.position}[what]

    def getBackendName(self) -> str:
        return self.backend

    def release(self) -> None:
        self.released = True


class Now:
    """A clock that sleeping moves, and each look by a tick."""

    def __init__(self, t: float = 100.0, tick: float = 0.0) -> None:
        self.t, self.tick = t, tick
        self.slept: list[float] = []

    def __call__(self) -> float:
        self.t += self.tick
        return self.t

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.t += seconds


def times(taken: Iterator[Any], count: int) -> list[float]:
    return [one.t for one in islice(taken, count)]


# --- files ---


def test_a_file_says_when_its_pictures_belong() -> None:
    it = FileVideo(Capture([0.0, 33.0, 70.0, 400.0]), "film")
    assert times(iter(it), 9) == [0.0, 0.033, 0.07, 0.4]
    assert it.invented == 0


def test_times_that_do_not_grow_are_made_up_and_counted() -> None:
    it = FileVideo(Capture([0.0, 0.0, 0.0, 500.0]), "film")
    assert times(iter(it), 9) == pytest.approx([0.0, 0.04, 0.08, 0.5])
    assert it.invented == 2


def test_a_file_without_a_rate_is_taken_for_30() -> None:
    it = FileVideo(Capture([0.0, 0.0], fps=0.0), "film")
    assert times(iter(it), 9) == pytest.approx([0.0, 1 / 30])


def test_at_its_own_pace_a_file_takes_as_long_as_it_is() -> None:
    now = Now()
    it = FileVideo(Capture([0.0, 40.0, 80.0]), "film", paced=True, clock=now, sleep=now.sleep)
    assert times(iter(it), 9) == [0.0, 0.04, 0.08]
    assert now.slept == pytest.approx([0.04, 0.04])


@pytest.mark.parametrize("options", [None, "fflags;nobuffer|flags;low_delay"])
def test_a_real_file_has_the_time_stamps_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str | None
) -> None:
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    monkeypatch.delenv(name, raising=False) if options is None else monkeypatch.setenv(name, options)
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 48))
    for _ in range(4):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    it = video.file(path)
    assert os.environ.get(name) == options
    assert times(iter(it), 9) == pytest.approx([0, 1 / 24, 2 / 24, 3 / 24])
    it.close()


@pytest.mark.parametrize(("name", "why"), [("nothing.mp4", "there is no file"), ("text.mp4", "no video that OpenCV")])
def test_what_is_no_video_is_refused(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InvalidArgument, match=why):
        video.file(str(tmp_path / name))


# --- cameras ---


def live(*captures: Capture, now: Now) -> LiveVideo:
    left = list(captures)
    return LiveVideo(lambda: left.pop(0) if left else Capture([]), "camera 0", now, now.sleep)


def test_a_picture_of_a_camera_belongs_to_the_moment_of_its_arrival() -> None:
    it = live(Capture([0.0, 1.0, 2.0]), now=Now(tick=0.1))
    assert times(iter(it), 3) == pytest.approx([100.2, 100.3, 100.4])
    assert not it.stamped


def test_the_time_stamps_of_video_for_linux_are_used_when_they_are_of_this_clock() -> None:
    it = live(Capture([99_950.0, 100_010.0], backend="V4L2"), now=Now(tick=0.05))
    assert times(iter(it), 2) == pytest.approx([99.95, 100.01])
    assert it.stamped


@pytest.mark.parametrize("stamp", [0.0, 1.7e12, 100_500.0])
def test_time_stamps_of_another_clock_are_not(stamp: float) -> None:
    it = live(Capture([stamp], backend="V4L2"), now=Now())
    assert times(iter(it), 1) == [100.0]
    assert not it.stamped


def test_two_pictures_of_one_moment_are_one() -> None:
    it = live(Capture([1.0, 1.0, 1.0]), now=Now())
    assert times(iter(it), 1) == [100.0]


def test_a_camera_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(GatekeeperError, match="camera 0 can't be opened"):
        live(Capture([]), now=Now())


def test_a_camera_that_went_away_is_opened_again() -> None:
    now = Now()
    first, third = Capture([1.0]), Capture([1.0])
    it = iter(live(first, Capture([None]), third, now=now))
    assert next(it).t == 100.0
    assert next(it).t == 102.0
    assert first.released
    assert now.slept == [video.PAUSE, video.PAUSE]


def test_a_camera_that_stays_away_ends_it() -> None:
    it = iter(live(Capture([1.0]), now=Now()))
    next(it)
    with pytest.raises(GatekeeperError, match="camera 0 has sent no picture for 60 seconds"):
        next(it)


def test_a_camera_number_that_nothing_has_is_one_sentence() -> None:
    with pytest.raises(
        GatekeeperError, match="there is no camera 97 on this machine, or another program has it; found: "
    ):
        video.camera(97)


@pytest.mark.parametrize("url", ["ftp://host/", "/dev/video0", "file:///etc/passwd", ""])
def test_an_address_is_http_or_rtsp(url: str) -> None:
    with pytest.raises(InvalidArgument, match="an address begins with http://"):
        video.address(url)


def test_a_password_in_an_address_is_not_said() -> None:
    with pytest.raises(GatekeeperError, match=r"^http://127.0.0.1:9/video can't be opened$"):
        video.address("http://ana:secret@127.0.0.1:9/video?token=secret")


def test_an_address_that_streams_is_read() -> None:
    """The preview's own stream, read as any camera's."""
    shown = Preview()
    image = np.full((48, 64, 3), 77, np.uint8)
    try:
        feeding = _Feeding(shown, image)
        with feeding:
            it = video.address(f"{shown.address}stream")
            first, second = islice(iter(it), 2)
            it.close()
    finally:
        shown.close()
    assert first.picture.shape == (48, 64, 3)
    assert abs(int(first.picture.mean()) - 77) < 3
    assert second.t > first.t


class _Feeding:
    """Gives a preview pictures until it is left."""

    def __init__(self, shown: Preview, image: Any) -> None:
        import threading

        self._over = threading.Event()
        self._thread = threading.Thread(target=self._feed, args=(shown, image))

    def _feed(self, shown: Preview, image: Any) -> None:
        while not self._over.wait(0.02):
            shown.take(image)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

"""Pictures with the time that each was taken: from a file, a camera of this machine, or an address.

A file says when each picture belongs. A camera's own time stamp is used where it has one on this machine's clock (Video
for Linux); otherwise a picture's time is that of its arrival, which is a few ms uneven: `pace` says how much.
OpenCV reads; it blocks, so this belongs in a script's loop or a thread of its own.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatekeeper.errors import GatekeeperError, InvalidArgument

OPENING: Final = 5_000  # ms that an address may take to answer, and
STALLING: Final = 5_000  # ms between two pictures; OpenCV's own bound is half a minute
PATIENCE: Final = 60.0  # s that a camera which was there may be gone
PAUSE: Final = 1.0  # s between two attempts to open it again

_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_SAME_CLOCK: Final = 1.0  # s that a stamp may be from now to be of the same clock
_FROM: Final = ("http://", "https://", "rtsp://", "rtsps://")

Capture = Any
"""What `cv2.VideoCapture` is."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture (height x width x 3, BGR, or grey) and when it was taken (s, on a clock that only grows)."""

    picture: Any
    t: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a camera is asked for; it may give something else."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None


class FileVideo:
    """The pictures of a file, with the file's time stamps, as fast as they are asked for or at their own pace."""

    def __init__(
        self,
        capture: Capture,
        name: str,
        paced: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._capture, self._paced, self._clock, self._sleep = capture, paced, clock, sleep
        self.name: Final = name
        self.invented = 0
        """Pictures whose time stamp isn't later than the one before: theirs is a usual interval later."""

    def __iter__(self) -> Iterator[Taken]:
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        fps = self._capture.get(cv2.CAP_PROP_FPS)
        usual = 1 / fps if fps and fps > 0 else 1 / 30
        last, began = None, self._clock()
        while True:
            there, picture = self._capture.read()
            if not there or picture is None:
                return
            t = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if last is not None and not t > last:
                self.invented += 1
                t = last + usual
            last = t
            if self._paced and (early := began + t - self._clock()) > 0:
                self._sleep(early)
            yield Taken(picture, t)

    def close(self) -> None:
        """Let the file go."""
        self._capture.release()


class LiveVideo:
    """The pictures of a camera, as they come; one that goes away is opened again for a minute."""

    def __init__(
        self,
        open_: Callable[[], Capture],
        name: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open it.

        :raises GatekeeperError: if it isn't there.
        """
        self._open, self._clock, self._sleep = open_, clock, sleep
        self.name: Final = name
        self.stamped = False
        """Whether the camera's own time stamps are used."""
        self._capture = open_()
        if not self._capture.isOpened():
            self._capture.release()
            raise GatekeeperError(f"{name} can't be opened")

    def __iter__(self) -> Iterator[Taken]:
        seen, last = self._clock(), None
        while True:
            if not self._capture.grab():
                self._again(seen)
                continue
            arrived = self._clock()
            there, picture = self._capture.retrieve()
            if not there or picture is None:
                continue
            seen = arrived
            t = self._moment(arrived)
            if last is None or t > last:
                last = t
                yield Taken(picture, t)

    def _moment(self, arrived: float) -> float:
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        # a network stream's position counts from its own beginning: near to now only by chance, so only V4L2 is asked
        if self._capture.getBackendName() != "V4L2":
            return arrived
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        self.stamped = 0 <= arrived - stamp < _SAME_CLOCK
        return stamp if self.stamped else arrived

    def _again(self, seen: float) -> None:
        """Open it again after a pause.

        :raises GatekeeperError: if it has been gone for too long.
        """
        self._capture.release()
        if self._clock() - seen > PATIENCE:
            raise GatekeeperError(f"{self.name} has sent no picture for {PATIENCE:.0f} seconds")
        self._sleep(PAUSE)
        self._capture = self._open()

    def close(self) -> None:
        """Let the camera go."""
        self._capture.release()


Video = FileVideo | LiveVideo


def file(path: str, paced: bool = False) -> FileVideo:
    """Return the video in a file.

    :raises InvalidArgument: if it is none that can be read.
    """
    cv2 = _quiet()
    if not Path(path).is_file():
        raise InvalidArgument(f"there is no file {path}")
    # options for a stream (`fflags;nobuffer`), which this process or its environment may have set, cost a file its
    # first picture: they are put aside
    options = os.environ.pop(_OPTIONS, None)
    try:
        capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    finally:
        if options is not None:
            os.environ[_OPTIONS] = options
    if not capture.isOpened():
        raise InvalidArgument(f"{path} is no video that OpenCV can read")
    return FileVideo(capture, path, paced)


def camera(number: int, wish: Wish = Wish()) -> LiveVideo:
    """Return the video of a camera of this machine; 0 is the first.

    :raises GatekeeperError: if there is none with this number, or another program has it.
    """
    cv2 = _quiet()

    def open_() -> Capture:
        capture = cv2.VideoCapture(number)
        if wish != Wish():
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # what reaches more than VGA over USB 2
        for what, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, wish.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, wish.height),
            (cv2.CAP_PROP_FPS, wish.fps),
        ):
            if value is not None:
                capture.set(what, value)
        return capture

    try:
        return LiveVideo(open_, f"camera {number}")
    except GatekeeperError:
        raise GatekeeperError(
            f"there is no camera {number} on this machine, or another program has it; found: {_cameras()}"
        ) from None


def address(url: str) -> LiveVideo:
    """Return the video at an HTTP or RTSP address.

    :raises GatekeeperError: if it doesn't answer with video.
    """
    cv2 = _quiet()
    if not url.startswith(_FROM):
        raise InvalidArgument(f"an address begins with {', '.join(_FROM)}; found {url.partition(':')[0][:20]!r}")
    bounds = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPENING, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STALLING]
    shown = url.rpartition("@")[2].partition("?")[0]  # a password and a token stay out of what is said
    name = shown if "://" in shown else f"{url.partition(':')[0]}://{shown}"
    return LiveVideo(lambda: cv2.VideoCapture(url, cv2.CAP_FFMPEG, bounds), name)


def _cameras() -> str:
    found = sorted(int(path.name[5:]) for path in Path("/dev").glob("video[0-9]*") if path.name[5:].isdigit())
    return ", ".join(map(str, found)) or "none"


def _quiet() -> Any:
    """Return OpenCV, which otherwise warns on the terminal of what is said here in a sentence; so does its FFmpeg."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2

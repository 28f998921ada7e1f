"""Opens what has to be decoded, an RTSP stream, a video device or a video file, and gives its pictures one by one.

Everything here blocks, and belongs in a reader's thread. Each call of FFmpeg ends on its own time-out. PyAV is used
where it is installed (the extra `rtsp`): it says why it failed. OpenCV does the rest, and all devices. Neither may say
anything itself: addresses carry passwords, and so do their messages.
"""

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from gatekeeper.cameras import reasons
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.tries import Ending
from gatekeeper.config_addresses import PORTS
from gatekeeper.elsewhere import IsOwn, LeadsBack, why

Image: TypeAlias = NDArray[np.uint8]
Shot: TypeAlias = Callable[[], Image]
"""A decoded picture that is made into blue, green and red only if it is wanted."""

DEFAULT_RATE: Final = 25.0  # pictures per second of a video file that doesn't say
QUIET: Final = -8  # FFmpeg's AV_LOG_QUIET

_RTSP: Final = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "fpsprobesize": "0",  # nobody asks how many pictures a second there are: it would take a second to learn
}


@dataclass(frozen=True, slots=True)
class Source:
    """What is opened.

    :ivar kind: `rtsp`, `v4l2` or `video`.
    :ivar address: URL or path, as configured.
    :ivar credentials: user name and password, for RTSP.
    :ivar open_timeout: seconds to connect, and once more to learn what is sent.
    :ivar read_timeout: seconds without a picture until it is given up.
    :ivar is_own: tells what is gatekeeper's own, and no camera.
    """

    kind: str
    address: str
    credentials: tuple[str, str] | None
    open_timeout: float
    read_timeout: float
    is_own: IsOwn


Open: TypeAlias = Callable[[Source, threading.Event], Iterator[Shot]]
"""Opens a source and gives its pictures until the event is set; ends with Ending, which says why."""


def shots(source: Source, stopped: threading.Event) -> Iterator[Shot]:
    """Open a source and give its pictures as they come.

    :raises Ending: when there are no more, or none.
    """
    if source.kind == "v4l2":
        yield from _device(source, stopped)
    elif source.kind == "video":
        yield from _file(source, stopped)
    else:
        yield from _stream(source, stopped)


def has_pyav() -> bool:
    """Return whether PyAV is installed."""
    return find_spec("av") is not None


# --- RTSP ---


def _stream(source: Source, stopped: threading.Event) -> Iterator[Shot]:
    play = _play_by_pyav if has_pyav() else _play_by_opencv
    refused: Ending | None = None
    for address in _resolved(source):
        try:
            yield from play(source, _with(source, address), stopped)
        except _Refused as error:
            refused = error  # nobody answers there: the name's next address may be the camera's
        else:
            return
    raise refused or _offline(f"host name {urlsplit(source.address).hostname} not found")


class _Refused(Ending):
    """The connection was refused, at once."""


def _resolved(source: Source) -> list[str]:
    """Return the addresses that a host's name has now, none of which is gatekeeper's own.

    FFmpeg gets a number: it would ask again, and could be told something else.
    """
    parts = urlsplit(source.address)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _offline(f"host name {host} not found") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in (host, *addresses):
        if source.is_own(address, port):
            raise Ending(CameraState.OFFLINE, why(address, port)) from LeadsBack(why(address, port))
    return addresses


def _with(source: Source, address: str) -> str:
    """Return the URL with a number for its host, and the credentials in it, as FFmpeg wants it."""
    parts = urlsplit(source.address)
    host = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    before = f"{':'.join(quote(word, safe='') for word in source.credentials)}@" if source.credentials else ""
    return urlunsplit((parts.scheme, f"{before}{host}{port}", parts.path, parts.query, ""))


def _play_by_pyav(source: Source, url: str, stopped: threading.Event) -> Iterator[Shot]:
    import av  # noqa: PLC0415 - an extra, and 35 MB

    timeouts = (source.open_timeout, source.read_timeout)
    began = time.monotonic()
    try:
        container = av.open(url, options=dict(_RTSP), timeout=timeouts)
    except av.error.FFmpegError as error:
        late = time.monotonic() - began >= source.open_timeout
        raise _not_opened(source, error, late) from None  # its message holds the address
    with container:
        for frame in _decoded(source, container, stopped):
            yield lambda frame=frame: frame.to_ndarray(format="bgr24")  # type: ignore[misc]


def _decoded(source: Source, container: Any, stopped: threading.Event) -> Iterator[Any]:
    """Give the frames of a container's first video, in the order in which they are shown."""
    import av  # noqa: PLC0415

    if not container.streams.video:
        raise _offline("answered with no video")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # more would hold back as many pictures
    last = time.monotonic()
    try:
        for packet in container.demux(stream):
            if stopped.is_set():
                return
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                frames = []  # damaged, or the key frame is still to come
            if frames:
                last = time.monotonic()
            elif time.monotonic() - last > source.read_timeout:
                raise Ending(
                    CameraState.STALLED, f"nothing but video that can't be decoded for {source.read_timeout:g} s"
                )
            yield from frames
    except (av.error.ExitError, av.error.TimeoutError):
        raise _stalled(source) from None
    except av.error.FFmpegError:
        raise _offline("the video file is damaged" if source.kind == "video" else "the connection was cut") from None


def _not_opened(source: Source, error: Any, late: bool) -> Ending:
    import av  # noqa: PLC0415

    where = reasons.place(source.address)
    worded: tuple[tuple[Any, str], ...] = (
        (av.error.HTTPUnauthorizedError, _refused_password(source)),
        (av.error.HTTPForbiddenError, "answered 403 Forbidden"),
        (av.error.HTTPNotFoundError, f"answered 404 Not Found for {reasons.path(source.address)}"),
        (av.error.HTTPError, f"refused to play {reasons.path(source.address)}"),
        (av.error.DecoderNotFoundError, "sends a kind of video that can't be decoded here"),
        (av.error.InvalidDataError, f"what answers at {where} does not speak RTSP"),
        (av.error.EOFError, f"camera at {where} closed the connection without an answer"),
    )
    if isinstance(error, av.error.ConnectionRefusedError):
        return _Refused(CameraState.OFFLINE, f"camera at {where} refused the connection")
    if late or isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return _offline(f"camera at {where} did not answer within {source.open_timeout:g} s")
    for kinds, wording in worded:
        if isinstance(error, kinds):
            return _offline(wording)
    detail = os.strerror(error.errno) if 0 < error.errno < 256 else type(error).__name__
    return _offline(f"can't connect to {where}: {detail}")


def _refused_password(source: Source) -> str:
    if source.credentials is None:
        return "asks for a user name and a password; none is configured"
    return "wrong user name or password"


def _play_by_opencv(source: Source, url: str, stopped: threading.Event) -> Iterator[Shot]:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "|".join(f"{key};{value}" for key, value in _RTSP.items())
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(1000 * source.open_timeout),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(1000 * source.read_timeout),
    ]
    where = reasons.place(source.address)
    began = time.monotonic()
    capture = _capture(url, cv2.CAP_FFMPEG, timeouts)
    if not capture.isOpened():
        late = time.monotonic() - began >= source.open_timeout
        what = f"did not answer within {source.open_timeout:g} s" if late else "gave no video"
        raise _offline(f"camera at {where} {what}; gatekeeper-server[rtsp] would tell why")
    yield from _captured(source, capture, stopped)


# --- devices and files ---


def _device(source: Source, stopped: threading.Event) -> Iterator[Shot]:
    import cv2  # noqa: PLC0415

    path = urlsplit(source.address).path
    try:
        if not stat.S_ISCHR(os.stat(path).st_mode):
            raise _offline(f"{path} is no device")
    except OSError as error:
        raise _offline(f"there is no device {path}") from error
    if not os.access(path, os.R_OK | os.W_OK):
        raise _offline(f"gatekeeper may not use {path}; its group is video, as a rule")
    capture = _capture(path, cv2.CAP_V4L2, [])
    if not capture.isOpened():
        raise _offline(f"{path} gives no video, or another program uses it")
    yield from _captured(source, capture, stopped)


def _file(source: Source, stopped: threading.Event) -> Iterator[Shot]:
    """Play a file for ever, at its own pace."""
    if not os.path.isfile(source.address):
        raise _offline("the video file is missing")
    once = _file_by_pyav if has_pyav() else _file_by_opencv
    while not stopped.is_set():
        began, shown = time.monotonic(), 0
        for at, shot in once(source, stopped):
            shown += 1
            if stopped.wait(max(0.0, began + at - time.monotonic())):
                return
            yield shot
        if not shown:
            raise _offline("the video file holds no video that can be decoded")
        stopped.wait(max(0.0, 1 / DEFAULT_RATE))  # the last picture's own time


def _file_by_pyav(source: Source, stopped: threading.Event) -> Iterator[tuple[float, Shot]]:
    import av  # noqa: PLC0415

    try:
        container = av.open(source.address)
    except av.error.FFmpegError:
        return
    with container:
        first: float | None = None
        for count, frame in enumerate(_decoded(source, container, stopped)):
            at = frame.time if frame.time is not None else count / DEFAULT_RATE
            first = at if first is None else first
            yield at - first, lambda frame=frame: frame.to_ndarray(format="bgr24")  # type: ignore[misc]


def _file_by_opencv(source: Source, stopped: threading.Event) -> Iterator[tuple[float, Shot]]:
    import cv2  # noqa: PLC0415

    capture = _capture(source.address, cv2.CAP_FFMPEG, [])
    try:
        rate = capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE
        count = 0
        while not stopped.is_set():
            found, image = capture.read()
            if not found:
                return
            yield count / rate, lambda image=image: image  # type: ignore[misc]
            count += 1
    finally:
        capture.release()


# --- what OpenCV's ways have in common ---


def _capture(name: str, by: int, parameters: list[int]) -> Any:
    import cv2  # noqa: PLC0415

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", str(QUIET))
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2.VideoCapture(name, by, parameters)


def _captured(source: Source, capture: Any, stopped: threading.Event) -> Iterator[Shot]:
    try:
        while not stopped.is_set():
            asked = time.monotonic()
            found, image = capture.read()
            if not found:
                late = time.monotonic() - asked >= 0.9 * source.read_timeout
                raise _stalled(source) if late else _offline("the connection was cut")
            yield lambda image=image: image  # type: ignore[misc]
    finally:
        capture.release()


def _stalled(source: Source) -> Ending:
    return Ending(CameraState.STALLED, f"no picture for {source.read_timeout:g} s")


def _offline(reason: str) -> Ending:
    return Ending(CameraState.OFFLINE, reason)

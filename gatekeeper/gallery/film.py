"""A film of pictures: JPEGs in, an MP4 file out, one picture in memory at a time. It blocks for long: see `timelapse`.

With PyAV the film is H.264, which browsers and all else play. Without it OpenCV makes MPEG-4 part 2, which VLC and
the systems' own players play and browsers don't; its VP9, which they would, takes twenty times as long.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from gatekeeper.errors import NotFound

SMALLEST, LARGEST = 16, 3840
"""Pixels in each direction: what is larger is reduced, since players give up beyond 4K."""

QUALITY: Final = "23"
"""x264's constant rate factor, its own default: half a megabyte for a hundred pictures at 640x480."""

KEY_EVERY: Final = 2.0
"""Seconds between key pictures, at which a player can begin."""


_MPEG4: Final = int.from_bytes(b"mp4v", "little")


class Cancelled(Exception):
    """Nobody wants the film any more."""


class Writer(Protocol):
    """What writes a film."""

    def write(self, image: Any) -> None:
        """Append a picture: BGR, of the film's own size."""

    def close(self) -> None:
        """Write the end."""


def has_pyav() -> bool:
    """Return whether films can be H.264. Imports what it takes: some tenths of a second."""
    try:
        import av  # noqa: PLC0415 - an extra, and 35 MB

        av.codec.Codec("libx264", "w")
    except (ImportError, ValueError):
        return False
    return True


def make(
    pictures: Iterable[bytes | None],
    target: Path,
    fps: int,
    *,
    shown: Callable[[int], None] = lambda count: None,
    pyav: bool | None = None,
) -> int:
    """Write a film; return how many pictures it has. All get the size of the first that can be decoded.

    :param pictures: JPEGs; None and what can't be decoded are left out. May raise to end it.
    :param shown: told after each picture how many were looked at.
    :param pyav: whether to write by PyAV; None: if it is there.
    :raises NotFound: if no picture could be decoded.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second, and is seldom needed
    import numpy as np  # noqa: PLC0415

    writer: Writer | None = None
    size = (0, 0)
    count = 0
    try:
        for looked, jpeg in enumerate(pictures, 1):
            image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
            if image is not None:
                if writer is None:
                    size = size_of(image.shape[1], image.shape[0])
                    by_pyav = has_pyav() if pyav is None else pyav
                    writer = _ByPyav(target, fps, size) if by_pyav else _ByOpencv(target, fps, size)
                writer.write(fitted(image, size))
                count += 1
            shown(looked)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise NotFound("none of the pictures can be shown any more")
    return count


def size_of(width: int, height: int) -> tuple[int, int]:
    """Return a film's width and height for a picture's: even, as video needs it, and within bounds."""
    scale = min(1.0, LARGEST / max(width, height))
    wide, high = (max(SMALLEST, round(side * scale) // 2 * 2) for side in (width, height))
    return wide, high


def fitted(image: Any, size: tuple[int, int]) -> Any:
    """Return a picture of exactly this size: scaled to fit, with black beside it where its shape is another."""
    import cv2  # noqa: PLC0415 - as above
    import numpy as np  # noqa: PLC0415

    high, wide = image.shape[:2]
    if (wide, high) == size:
        return image
    scale = min(size[0] / wide, size[1] / high)
    inner = max(1, min(size[0], round(wide * scale))), max(1, min(size[1], round(high * scale)))
    scaled = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas


class _ByPyav:
    def __init__(self, target: Path, fps: int, size: tuple[int, int]) -> None:
        import av  # noqa: PLC0415 - an extra, and 35 MB

        self._av = av
        # The index in front: a browser plays while it loads.
        self._container = av.open(str(target), "w", format="mp4", options={"movflags": "faststart"})
        self._stream = self._container.add_stream("libx264", rate=fps)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "veryfast", "crf": QUALITY, "g": str(max(1, round(KEY_EVERY * fps)))}
        self._stream.codec_context.thread_count = 1  # the other cores are the doors' and the viewers'

    def write(self, image: Any) -> None:
        frame = self._av.VideoFrame.from_ndarray(image, format="bgr24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class _ByOpencv:
    def __init__(self, target: Path, fps: int, size: tuple[int, int]) -> None:
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        self._writer = cv2.VideoWriter(str(target), cv2.CAP_FFMPEG, _MPEG4, float(fps), size)
        if not self._writer.isOpened():
            raise NotFound("no film can be made here: gatekeeper-server[rtsp] brings what it takes")

    def write(self, image: Any) -> None:
        self._writer.write(image)

    def close(self) -> None:
        self._writer.release()

"""A JPEG made of a JPEG: narrower, of another quality, with text burnt in. OpenCV, in a thread of its own."""

from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

from gatekeeper.config_pictures import SecondFeed
from gatekeeper.errors import ProtocolError

LETTERS: Final = 0.04
"""Of the picture's height that a letter takes, and no less than can be read."""

SMALLEST: Final = 8.0  # pixels that a capital letter is high
WIDEST: Final = 0.96  # of the width that a text may take

_CAPITAL: Final = 21.0  # pixels of OpenCV's own letters at scale 1


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was made; width and height in pixels."""

    jpeg: bytes
    width: int
    height: int


def transcode(jpeg: bytes, source_width: int, wanted: SecondFeed, text: str | None) -> Made:
    """Return a picture as a feed wants it. Blocks: some milliseconds.

    :param source_width: pixels, as the JPEG says.
    :param text: what is burnt in; ASCII, anything else becomes a question mark.
    :raises ProtocolError: if the JPEG can't be decoded.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second, and is needed only where such a feed is
    import numpy as np  # noqa: PLC0415

    width = min(wanted.width or source_width, source_width)
    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    step = next((step for step in (8, 4, 2) if source_width // step >= width), 1)  # what nobody sees isn't decoded
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags.get(step, cv2.IMREAD_COLOR))
    if image is None:
        raise ProtocolError("a picture that can't be decoded")
    high, wide = image.shape[:2]
    if wide > width:
        image = cv2.resize(image, (width, max(1, round(high * width / wide))), interpolation=cv2.INTER_AREA)
    if text is not None:
        _burn(image, text)
    _, made = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, wanted.quality])
    return Made(made.tobytes(), image.shape[1], image.shape[0])


def _burn(image: Any, text: str) -> None:
    """Write text into the lower left corner: white with a black rim, readable on anything."""
    import cv2  # noqa: PLC0415 - as above

    high, wide = image.shape[:2]
    font, shown = cv2.FONT_HERSHEY_SIMPLEX, text.encode("ascii", "replace").decode()
    scale = max(SMALLEST, high * LETTERS) / _CAPITAL
    thick = max(1, round(scale * 1.5))
    (length, _), below = cv2.getTextSize(shown, font, scale, thick)
    scale *= min(1.0, wide * WIDEST / max(1, length))
    place = (round(wide * (1 - WIDEST) / 2), high - below - max(2, round(high * 0.01)))
    cv2.putText(image, shown, place, font, scale, (0, 0, 0), thick + 2 + thick // 2, cv2.LINE_AA)
    cv2.putText(image, shown, place, font, scale, (255, 255, 255), thick, cv2.LINE_AA)


class Transcoder:
    """The thread in which the feeds of a site are made: one core at most, and of each feed one picture at a time."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=1, name="feeds")

    def start(self) -> None:
        """Begin."""
        self._pool.start()

    def stop(self) -> None:
        """End; what is being made is thrown away."""
        self._pool.stop()

    def __call__(self, jpeg: bytes, source_width: int, wanted: SecondFeed, text: str | None) -> "Deferred[Made]":
        """Make a picture; fails with ProtocolError if it can't be decoded."""
        making: Deferred[Made] = Deferred()

        def done(succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(making.callback if succeeded else making.errback, result)

        self._pool.callInThreadWithCallback(done, transcode, jpeg, source_width, wanted, text)
        return making

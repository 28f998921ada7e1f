"""A picture for when there is none: a few calm lines on plain grey, which nobody takes for what a camera sees.

OpenCV draws and encodes it, some milliseconds long: call it off the reactor's thread.
"""

from collections.abc import Sequence
from typing import Final

MAXIMUM_LINES: Final = 8  # more can't be read
MAXIMUM_LENGTH: Final = 80  # characters of a line

_BACKGROUND: Final = (58.0, 52.0, 48.0)  # blue, green, red
_FIRST: Final = (245.0, 245.0, 245.0)
_OTHERS: Final = (190.0, 186.0, 182.0)
_WIDEST: Final = 0.86  # of the picture's width that a line may take
_TALLEST: Final = 0.11  # of the picture's height, for the first line; the others get two thirds of that
_QUALITY: Final = 80


def notice(lines: Sequence[str], width: int = 640, height: int = 480) -> bytes:
    """Return a JPEG of `width` x `height` pixels that says `lines`, the first one large."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second, and is needed only when a camera is gone
    import numpy as np  # noqa: PLC0415

    image = np.full((height, width, 3), _BACKGROUND, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    shown = [_ascii(line) for line in lines[:MAXIMUM_LINES]] or [""]
    tall = [height * _TALLEST * (1 if index == 0 else 2 / 3) for index in range(len(shown))]
    shrink = min(1.0, height * _WIDEST / (1.8 * sum(tall)))
    y = height / 2 - 0.9 * shrink * sum(tall)
    for index, line in enumerate(shown):
        thick = max(1, round(tall[index] * shrink / 14))
        (wide, high), _ = cv2.getTextSize(line or " ", font, 1.0, thick)
        scale = min(tall[index] * shrink / high, width * _WIDEST / wide)
        x = (width - wide * scale) / 2
        y += 1.8 * shrink * tall[index]
        place = (round(x), round(y - 0.5 * shrink * tall[index]))
        cv2.putText(image, line, place, font, scale, _FIRST if index == 0 else _OTHERS, thick, cv2.LINE_AA)
    cv2.rectangle(image, (0, 0), (width - 1, height - 1), _OTHERS, max(1, height // 240))
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    encoded: bytes = jpeg.tobytes()
    return encoded


def _ascii(line: str) -> str:
    """OpenCV's strokes know ASCII only."""
    return line[:MAXIMUM_LENGTH].encode("ascii", "replace").decode()

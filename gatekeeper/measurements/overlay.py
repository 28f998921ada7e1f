"""A picture with what was measured in it drawn over it."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.measurements.frequency import Tone
from gatekeeper.measurements.pace import Rhythm
from gatekeeper.measurements.reading import Point, Reading

Colour = tuple[int, int, int]

_A: Final = (0, 170, 255)  # blue, green, red
_B: Final = (255, 190, 60)
_GONE: Final = (150, 150, 150)
_WARNING: Final = (60, 60, 255)
_SHADE: Final = (0, 0, 0)
_LINE: Final = 22  # pixels of a line of text in a VGA picture


def drawn(
    picture: Any, reading: Reading, rhythm: Rhythm | None, tones: tuple[Tone | None, Tone | None]
) -> NDArray[np.uint8]:
    """Return a BGR copy of a picture with both points, their displacement, and what there is to warn of."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    colours = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture[:, :, :3].copy()
    image: NDArray[np.uint8] = np.asarray(colours, np.uint8)
    size = max(0.5, image.shape[0] / 480)
    rows = [
        (_said("A", reading.a, tones[0]), _A if reading.a.detected else _GONE),
        (_said("B", reading.b, tones[1]), _B if reading.b.detected else _GONE),
    ]
    if rhythm is not None:
        rows.append((f"{rhythm.fps:.1f} pictures/s, {rhythm.jitter * 1000:.1f} ms uneven", _GONE))
        if rhythm.warning:
            rows.append((rhythm.warning.partition(":")[0] + ": too few", _WARNING))
    for n, (text, colour) in enumerate(rows, start=1):
        _write(image, text, (round(8 * size), round(n * _LINE * size)), colour, size)
    for point, colour, name in ((reading.a, _A, "A"), (reading.b, _B, "B")):
        _cross(image, point, colour, name, size)
    return image


def _said(name: str, point: Point, tone: Tone | None) -> str:
    if point.mm is None:
        return f"{name}  {point.why}"
    swing = f"  {tone.hertz:.3f} Hz, +-{tone.amplitude:.2f} mm" if tone else ""
    return f"{name} {point.mm:+8.2f} mm{swing}"


def _cross(image: NDArray[np.uint8], point: Point, colour: Colour, name: str, size: float) -> None:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    if point.place is None:
        return
    at = round(point.place.x), round(point.place.y)
    for ink, thick in ((_SHADE, 3), (colour, 1)):
        cv2.drawMarker(image, at, ink, cv2.MARKER_CROSS, round(28 * size), max(1, round(thick * size)))
    _write(image, name, (at[0] + round(10 * size), at[1] - round(10 * size)), colour, size)


def _write(image: NDArray[np.uint8], text: str, at: tuple[int, int], colour: Colour, size: float) -> None:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    for ink, thick in ((_SHADE, 3), (colour, 1)):
        cv2.putText(
            image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * size, ink, max(1, round(thick * size)), cv2.LINE_AA
        )

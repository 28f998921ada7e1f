"""What a virtual camera sees: an entrance, a sun, and somebody who walks past. It says VIRTUAL, with date and time.

Drawing only: no Twisted, no clock. A seed picks colours and pace, so that two cameras differ. OpenCV encodes.
"""

import colorsys
import math
import random
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

QUALITY: Final = 70  # with the grain below: 20 to 35 KB at 640x480, as an ESP32-CAM sends at its default quality
GRAIN: Final = 4.5  # standard deviation of the wall's texture, in grey levels

Image = NDArray[np.uint8]
Colour = tuple[float, float, float]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_WHITE: Final = (250.0, 250.0, 250.0)
_SHADOW: Final = (40.0, 40.0, 40.0)


class Scene:
    """One virtual place.

    :param width: pixels.
    :param height: pixels.
    :param seed: picks colours and pace.
    """

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width, self.height = width, height
        chance = random.Random(seed)  # noqa: S311 - colours, not secrets
        hue = chance.uniform(0.42, 0.68)  # green to blue
        self._coat = _bgr(chance.random(), 0.6, 0.85)
        self._pace = chance.uniform(0.06, 0.12)  # widths per second
        self._name = f"VIRTUAL {seed}"
        self._unit = height / 480
        self._backdrop = self._paint_backdrop(hue, seed)

    def render(self, elapsed: float, clock: str) -> bytes:
        """Return the JPEG of the moment `elapsed` seconds after the start, with `clock` written on it."""
        return _encode(self._written(self._painted(elapsed), clock))

    def black(self) -> bytes:
        """Return the JPEG of a dark room."""
        return _encode(np.zeros((self.height, self.width, 3), np.uint8))

    def overexposed(self, elapsed: float, clock: str) -> bytes:
        """Return the JPEG of the same moment, with a lamp held into the lens."""
        image = np.clip(self._painted(elapsed) * 2.5 + 110, 0, 255).astype(np.uint8)
        return _encode(self._written(image, clock))

    def covered(self, clock: str) -> bytes:
        """Return the JPEG of a cloth before the lens: nothing but folds, and noise that is never the same."""
        columns = np.linspace(0.0, 3.0, self.width)[None, :, None]
        noise = np.random.default_rng().normal(0.0, 3.0, (self.height, self.width, 1))
        cloth = np.clip(90 + 3 * np.sin(columns) + noise, 0, 255).astype(np.uint8)
        return _encode(self._written(np.repeat(cloth, 3, axis=2), clock))

    def moved(self, elapsed: float, clock: str) -> bytes:
        """Return the JPEG of the same moment, by a camera that was turned by a third of its view."""
        return _encode(self._written(np.roll(self._painted(elapsed), self.width // 3, axis=1), clock))

    def _painted(self, elapsed: float) -> Image:
        image = self._backdrop.copy()
        self._paint_sun(image, elapsed)
        self._paint_walker(image, elapsed)
        return image

    def _written(self, image: Image, clock: str) -> Image:
        """Write on a picture what the camera itself writes, whatever it sees."""
        self._write(image, self._name, (0.03, 0.08), 0.9)
        self._write(image, clock, (0.03, 0.96), 0.8)
        return image

    def _paint_backdrop(self, hue: float, seed: int) -> Image:
        horizon = round(self.height * 0.7)
        rows = np.linspace(0.0, 1.0, self.height)[:, None, None]
        light, dark = np.array(_bgr(hue, 0.25, 0.92)), np.array(_bgr(hue, 0.45, 0.6))
        canvas = np.ones((self.height, self.width, 1)) * (light * (1 - rows) + dark * rows)
        canvas[horizon:] = canvas[horizon:] * 0.6 + 50
        grain = np.random.default_rng(seed).normal(0.0, GRAIN, (self.height, self.width, 1))
        image: Image = np.clip(canvas + grain, 0, 255).astype(np.uint8)
        self._paint_door(image, horizon, _bgr(hue + 0.45, 0.55, 0.45))
        return image

    def _paint_door(self, image: Image, horizon: int, colour: Colour) -> None:
        left, right = round(self.width * 0.62), round(self.width * 0.8)
        top = round(self.height * 0.24)
        frame = max(2, round(8 * self._unit))
        cv2.rectangle(image, (left - frame, top - frame), (right + frame, horizon), _WHITE, -1)
        cv2.rectangle(image, (left, top), (right, horizon), colour, -1)
        knob = (left + round((right - left) * 0.14), (top + horizon) // 2)
        cv2.circle(image, knob, max(2, round(7 * self._unit)), (90, 200, 230), -1, cv2.LINE_AA)

    def _paint_sun(self, image: Image, elapsed: float) -> None:
        angle = elapsed * 0.2
        centre = (
            round(self.width * (0.3 + 0.16 * math.cos(angle))),
            round(self.height * (0.26 + 0.07 * math.sin(angle))),
        )
        cv2.circle(image, centre, round(34 * self._unit), (120, 220, 250), -1, cv2.LINE_AA)

    def _paint_walker(self, image: Image, elapsed: float) -> None:
        unit = self._unit
        x = round(((elapsed * self._pace) % 1.3 - 0.15) * self.width)
        step = math.sin(elapsed * 7)
        foot = round(self.height * 0.86 - abs(step) * 6 * unit)
        hip, neck = foot - round(70 * unit), foot - round(150 * unit)
        for side in (-1, 1):
            end = (x + round(side * step * 26 * unit), foot)
            cv2.line(image, (x, hip), end, _SHADOW, max(2, round(12 * unit)), cv2.LINE_AA)
        cv2.line(image, (x, hip), (x, neck + round(16 * unit)), self._coat, max(4, round(42 * unit)), cv2.LINE_AA)
        cv2.circle(image, (x, neck - round(26 * unit)), round(22 * unit), (160, 190, 230), -1, cv2.LINE_AA)

    def _write(self, image: Image, text: str, place: tuple[float, float], scale: float) -> None:
        x, y = round(place[0] * self.width), round(place[1] * self.height)
        size, thick = scale * self._unit, max(1, round(2 * self._unit))
        cv2.putText(image, text, (x + thick, y + thick), _FONT, size, _SHADOW, thick, cv2.LINE_AA)
        cv2.putText(image, text, (x, y), _FONT, size, _WHITE, thick, cv2.LINE_AA)


def _encode(image: Image) -> bytes:
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()


def _bgr(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (255 * blue, 255 * green, 255 * red)

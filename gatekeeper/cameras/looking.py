"""Looks at a picture: a JPEG in, a few numbers about what it shows out.

OpenCV decodes an eighth of it in each direction, half a millisecond long at 640x480: call it off the reactor's thread.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Relief: TypeAlias = NDArray[np.float32]

RELIEF: Final = (32, 24)  # columns and rows in which scenes are compared: what matters is still seen, noise isn't
LEAST_ROWS: Final = 24  # of a reduced picture; a smaller one is looked at whole
WHITE: Final = 250  # grey levels; sensors that are blinded end here, JPEG's rounding included
WRITTEN: Final = 0.2  # share of the picture, its strongest part, that a camera's own clock and name may be
DARKEST: Final = 98.0  # percent of the pixels that must be dark: a status light or a clock in the picture is none


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a picture gave.

    :ivar digest: of the reduced picture: two sensors' pictures never agree in it, a repeated one always does.
    :ivar darkness: grey level, 0 to 255, that 98 % of the pixels are under.
    :ivar white: share of the pixels that are blinded, 0 to 1.
    :ivar detail: how much there is to see: the relief's root mean square, grey levels, without what is written on it.
    :ivar relief: brightness against its surroundings, 24 rows of 32 columns: where things are, whatever the light.
    """

    digest: bytes
    darkness: float
    white: float
    detail: float
    relief: Relief = field(repr=False)


def look(jpeg: bytes) -> Look | None:
    """Look at a JPEG; None if it can't be decoded."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second, off the reactor

    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    if grey is not None and grey.shape[0] < LEAST_ROWS:
        grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    small = cv2.resize(grey, RELIEF, interpolation=cv2.INTER_AREA).astype(np.float32)
    relief: Relief = small - cv2.GaussianBlur(small, (0, 0), 4.0)
    return Look(
        digest=hashlib.blake2b(grey.tobytes(), digest_size=16).digest(),
        darkness=float(np.percentile(grey, DARKEST)),
        white=float(np.count_nonzero(grey >= WHITE)) / grey.size,
        detail=_detail(relief),
        relief=relief,
    )


def _detail(relief: Relief) -> float:
    squares = np.sort((relief * relief).ravel())
    return float(np.sqrt(np.mean(squares[: round(len(squares) * (1 - WRITTEN))])))


def likeness(relief: Relief, other: Relief) -> float:
    """Return how alike two scenes are: 1 the same, 0 nothing in common."""
    norm = float(np.linalg.norm(relief) * np.linalg.norm(other))
    return float(np.vdot(relief, other)) / norm if norm > 0 else 0.0

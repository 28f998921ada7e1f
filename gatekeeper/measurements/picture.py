"""A picture as it comes from anywhere, made the grey one that is measured on."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import InvalidArgument

Grey = NDArray[np.uint8]
"""Height x width, 0 black to 255 white."""

MAXIMUM_PIXELS: Final = 64_000_000  # more than any camera has; a search would take seconds

_DEEP: Final = 8  # bits that a 16-bit picture has more than an 8-bit one


def grey(picture: Any) -> Grey:
    """Return the grey picture of a grey, BGR or BGRA one, of 8 or 16 bits.

    :raises InvalidArgument: if it is anything else; the message says what was found.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    if not isinstance(picture, np.ndarray):
        raise InvalidArgument(f"a picture is a NumPy array; found {type(picture).__name__}")
    found = f"found {picture.dtype} of shape {picture.shape}"
    if picture.dtype not in (np.uint8, np.uint16):
        raise InvalidArgument(f"a picture's values are uint8 or uint16; {found}")
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[:, :, 0]
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (3, 4)):
        raise InvalidArgument(f"a picture is height x width, with 3 or 4 colours or none; {found}")
    if not 0 < picture.shape[0] * picture.shape[1] <= MAXIMUM_PIXELS:
        raise InvalidArgument(f"a picture has 1 to {MAXIMUM_PIXELS:,} pixels; {found}")
    if picture.dtype == np.uint16:
        picture = (picture >> _DEEP).astype(np.uint8)
    if picture.ndim == 2:
        return np.ascontiguousarray(picture)
    code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), code), np.uint8)

"""A page with the two markers to print, so that their size in mm is known."""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements import markers
from gatekeeper.measurements.displacement import A, B

SMALLEST: Final = 10.0  # mm
LARGEST: Final = 90.0  # mm: two of them with their margins fill a page
USUAL: Final = 60.0  # mm: 20 pixels, the least that is measured well, are reached at 3 mm a pixel

_PAGE: Final = (210, 297)  # mm, A4; on US Letter the margins are cut
_DOTS: Final = 300 / 25.4  # per mm, about
_RULER: Final = 100  # mm
_SIGNATURE_AND_HEADER: Final = 8 + 25  # bytes of a PNG before which nothing may stand


def sheet(side: float = USUAL) -> bytes:
    """Return a PNG of an A4 page with A's and B's marker, each `side` mm without its white margin.

    :raises InvalidArgument: if they don't fit on a page.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    if not SMALLEST <= side <= LARGEST:
        raise InvalidArgument(f"a printed marker is {SMALLEST:.0f} to {LARGEST:.0f} mm wide; found {side:g}")
    cell = round(side / markers.CELLS * _DOTS)
    dots = cell * markers.CELLS / side  # per mm, exactly: a cell is a whole number of dots
    page: NDArray[np.uint8] = np.full((round(_PAGE[1] * dots), round(_PAGE[0] * dots)), 255, np.uint8)
    room = cell * (markers.CELLS + 2)
    for n, (name, target) in enumerate((("A", A), ("B", B))):
        top = round(18 * dots) + n * (room + round(10 * dots))
        left = (page.shape[1] - room) // 2
        page[top : top + room, left : left + room] = markers.drawn(target.identity, cell, cell)
        _corners(page, left, top, room, round(3 * dots))
        _write(
            page,
            f"{name}   marker {target.identity}   {side:g} mm",
            (left + round(6 * dots), top - round(2.5 * dots)),
            dots,
        )
    _ruler(page, dots)
    _, png = cv2.imencode(".png", page)
    return _sized(png.tobytes(), round(dots * 1000))


def _corners(page: NDArray[np.uint8], left: int, top: int, room: int, length: int) -> None:
    """Mark where to cut: the white margin is part of the marker."""
    for x in (left, left + room):
        for y in (top, top + room):
            page[max(0, y - 1) : y + 2, max(0, x - length) : x + length] = 170
            page[max(0, y - length) : y + length, max(0, x - 1) : x + 2] = 170


def _ruler(page: NDArray[np.uint8], dots: float) -> None:
    high, wide = page.shape
    left, y = round((wide - _RULER * dots) / 2), high - round(22 * dots)
    page[y : y + 4, left : left + round(_RULER * dots) + 1] = 0
    for tick in range(0, _RULER + 1, 10):
        x = left + round(tick * dots)
        page[y - round(2 * dots) : y, x - 1 : x + 2] = 0
    _write(page, f"Print at 100 %. This line must be {_RULER} mm long; else tell", (left, y + round(6 * dots)), dots)
    _write(page, "gatekeeper measure what a marker's black square measures.", (left, y + round(12 * dots)), dots)


def _write(page: NDArray[np.uint8], text: str, at: tuple[int, int], dots: float) -> None:
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, dots / 7.5, 0.0, max(1, round(dots / 5)), cv2.LINE_AA)


def _sized(png: bytes, dots: int) -> bytes:
    """Return a PNG that says how many dots a metre has (pHYs): programs print it at that size."""
    body = b"pHYs" + struct.pack(">IIB", dots, dots, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_SIGNATURE_AND_HEADER] + chunk + png[_SIGNATURE_AND_HEADER:]

"""Is this a whole JPEG, and how large is its picture? Bytes in, an answer out; nothing is decoded.

    SOI FF D8 | segments FF <marker> <length, 2 bytes, counts itself> ... | SOF: length, precision, height, width |
    SOS and entropy-coded data, in which FF is followed by 00 or by RST0-RST7 only | EOI FF D9

ITU-T T.81, annex B. Segments are walked, never searched: an EXIF thumbnail is a JPEG inside APP1, with an SOI, SOF
and EOI of its own. Behind SOS only the end is looked at, so a picture costs the same whatever its size.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SOI: Final = b"\xff\xd8"
EOI: Final = b"\xff\xd9"

MAXIMUM_PADDING: Final = 128  # bytes behind EOI: ESP32 drivers leave some of their last DMA block there
MAXIMUM_SEGMENTS: Final = 256  # before SOS; real cameras send 8 to 30, and a walk must not hold the reactor

_SOS: Final = 0xDA
_FILL: Final = 0xFF
_STANDALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))  # TEM and RST0-RST7 carry no length
_NOT_HERE: Final = frozenset((0x00, 0xD8, 0xD9))  # a stuffed byte, SOI, EOI: no place for them before SOS
_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # without DHT, JPG and DAC


class Flaw(StrEnum):
    """Why bytes are no usable picture; the values complete "nothing but ..."."""

    NOT_JPEG = "parts that are no JPEG"
    TRUNCATED = "pictures without their end"
    NO_SIZE = "pictures without a size"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the headers of a whole JPEG say.

    :ivar width: pixels.
    :ivar height: pixels.
    :ivar end: index behind EOI: what follows is padding.
    """

    width: int
    height: int
    end: int


def inspect(jpeg: bytes) -> Picture | Flaw:
    """Return the picture's size and end, or why it can't be used."""
    return Inspector().inspect(jpeg)


class Inspector:
    """`inspect` for the pictures of one camera.

    From one picture to the next everything before the scan is nearly always the same: it isn't walked again.
    """

    def __init__(self) -> None:
        self._head = b""  # the last picture's bytes before its scan
        self._size = (0, 0)

    def inspect(self, jpeg: bytes) -> Picture | Flaw:
        """Return the picture's size and end, or why it can't be used."""
        head = self._head
        if not head or not jpeg.startswith(head):
            found = _walk(jpeg) if jpeg.startswith(SOI) else Flaw.NOT_JPEG
            if isinstance(found, Flaw):
                return found
            width, height, scan = found
            self._head = head = jpeg[:scan]
            self._size = width, height
        eoi = jpeg.rfind(EOI, max(len(head), len(jpeg) - MAXIMUM_PADDING - len(EOI)))
        if eoi < 0:
            return Flaw.TRUNCATED
        return Picture(*self._size, eoi + len(EOI))


def _walk(jpeg: bytes) -> tuple[int, int, int] | Flaw:
    """Return width, height and where the first scan begins."""
    at, size = len(SOI), None
    for _ in range(MAXIMUM_SEGMENTS):
        if at + 4 > len(jpeg):
            return Flaw.TRUNCATED
        marker = jpeg[at + 1]
        if jpeg[at] != _FILL or marker in _NOT_HERE:
            return Flaw.TRUNCATED if jpeg[at : at + 2] == EOI else Flaw.NOT_JPEG
        if marker == _FILL or marker in _STANDALONE:  # B.1.1.2: any marker may be preceded by fill bytes
            at += 1 if marker == _FILL else 2
            continue
        following = at + 2 + (jpeg[at + 2] << 8 | jpeg[at + 3])
        if following > len(jpeg):
            return Flaw.TRUNCATED
        if marker == _SOS:
            return (*size, following) if size else Flaw.NO_SIZE
        if marker in _SOF:
            size = _size(jpeg[at + 5 : at + 9])
            if size is None:
                return Flaw.NO_SIZE
        at = max(following, at + 4)
    return Flaw.NO_SIZE


def _size(field: bytes) -> tuple[int, int] | None:
    height, width = int.from_bytes(field[:2], "big"), int.from_bytes(field[2:4], "big")
    return (width, height) if width and height else None  # height 0: DNL names it behind the scan; no camera does

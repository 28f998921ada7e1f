"""One picture as a camera sent it, and the state that a camera can be in."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Frame:
    """One JPEG, byte-identical to what the camera sent, with when and as what it arrived.

    Of a camera that sends video, or is a device, it is the JPEG that was made of its picture here, once.

    :ivar camera: the camera's id.
    :ivar sequence: 1 for the camera's first frame since the start, then one more for each.
    :ivar received: monotonic seconds at receipt of the last byte: for ages and intervals.
    :ivar wall: Unix seconds at the same instant: for people.
    :ivar width: pixels, from the JPEG's own SOF segment.
    :ivar height: pixels, from the same.
    :ivar jpeg: the bytes from SOI to EOI, COM and APP segments included.
    """

    camera: str
    sequence: int
    received: float
    wall: float
    width: int
    height: int
    jpeg: bytes


class CameraState(StrEnum):
    """Whether the newest picture may be taken for what is in front of the camera now."""

    CONNECTING = "connecting"  # asked, no frame yet
    LIVE = "live"  # a frame arrived within the stall time
    STALLED = "stalled"  # connected, and nothing for longer than that
    OFFLINE = "offline"  # no connection; the reason says why

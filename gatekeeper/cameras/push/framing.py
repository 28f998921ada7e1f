"""The framed mode of our own firmware: one binary message is a header and a picture. Bytes in, a frame out.

    "GKF1" | version=1 | header_len=32 | flags | format=1 (JPEG) | sequence u32 | timestamp_ms u64 | width u16 |
    height u16 | payload_len u32 | crc32 u32                                                       big-endian, 32 bytes
    flags: 1 the CRC (zlib's, of the payload) is given; 2 the time is Unix time, else uptime; 4 a snapshot

`header_len` lets the header grow: what is behind the 32 bytes is skipped. A JPEG begins with FF, a framed one with 47.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAGIC: Final = b"GKF1"
JPEG: Final = 1
HAS_CRC: Final = 1
IS_UNIX_TIME: Final = 2

_HEADER: Final = struct.Struct(">4sBBBBIQHHII")
SIZE: Final = _HEADER.size


class FrameFlaw(StrEnum):
    """Why a framed message can't be used; the values complete "nothing but ..."."""

    HEADER = "framed pictures with a header that can't be read"
    LENGTH = "framed pictures of another length than their header says"
    CHECKSUM = "framed pictures that were damaged on the way"


@dataclass(frozen=True, slots=True)
class Framed:
    """One message.

    :ivar sequence: one more for each picture that the camera made, sent or not.
    :ivar milliseconds: when it was taken: Unix time if `is_unix`, else since the camera's start.
    """

    sequence: int
    milliseconds: int
    is_unix: bool
    payload: bytes


def unpack(message: bytes) -> Framed | FrameFlaw:
    """Return the frame in a message that begins with MAGIC, or why there is none."""
    if len(message) < SIZE:
        return FrameFlaw.HEADER
    magic, version, header, flags, kind, sequence, milliseconds, _, _, length, crc = _HEADER.unpack_from(message)
    if magic != MAGIC or version < 1 or header < SIZE or kind != JPEG:
        return FrameFlaw.HEADER
    if length != len(message) - header:
        return FrameFlaw.LENGTH
    payload = message[header:]
    if flags & HAS_CRC and zlib.crc32(payload) != crc:
        return FrameFlaw.CHECKSUM
    return Framed(sequence, milliseconds, bool(flags & IS_UNIX_TIME), payload)

"""Small JPEGs built segment by segment, as the devices lay them out. They have every structure and no real image."""

import struct

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def sof(width: int, height: int, marker: int = 0xC0) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, 3) + bytes(9))


SOS = segment(0xDA, bytes((3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)))
APP0 = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
DQT = segment(0xDB, bytes(65))
DHT = segment(0xC4, bytes(29))


def picture(
    size: int = 400, *, width: int = 640, height: int = 480, seed: int = 1, extra: bytes = b"", marker: int = 0xC0
) -> bytes:
    """Return a JPEG with about `size` bytes of entropy-coded data: FF only before 00 and RST markers."""
    data = bytes((seed * 31 + index * 7) % 251 for index in range(size))
    return SOI + APP0 + extra + DQT + sof(width, height, marker) + DHT + SOS + data + b"\xff\x00\xff\xd0" + EOI


def exif(thumbnail: bytes) -> bytes:
    return segment(0xE1, b"Exif\x00\x00" + thumbnail)

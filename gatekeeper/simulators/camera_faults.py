"""What can be wrong with a virtual camera: each a real one's misbehaviour, or a network's, as a switch."""

from enum import StrEnum
from typing import Final


class CameraFault(StrEnum):
    """What is wrong with a virtual camera."""

    NONE = "none"
    REFUSE = "refuse"  # the port is closed
    NOT_FOUND = "not_found"
    HTML = "html"  # a page where the stream should be
    WRONG_TYPE = "wrong_type"  # one image/jpeg, and the connection stays open
    REDIRECT = "redirect"  # to `redirect_to`
    REDIRECT_LOOP = "redirect_loop"
    UNAUTHORIZED = "unauthorized"  # whatever the credentials
    BASIC = "basic"  # asks for `username` and `password`
    DIGEST = "digest"  # the same, with a digest
    SILENT_ACCEPT = "silent_accept"  # takes the connection and never answers
    SILENT = "silent"  # falls silent in the middle of a picture, connection open
    SLOW_DRIP = "slow_drip"  # bytes come, pictures don't
    CUT = "cut"  # closes in the middle of a picture
    RESET = "reset"  # resets in the middle of a picture
    ENDLESS_HEADERS = "endless_headers"
    HUGE_FRAME = "huge_frame"  # a picture of 100 MiB
    GARBAGE = "garbage"  # parts that are no JPEG
    TRUNCATED = "truncated"  # pictures without their second half, the length to match
    NO_LENGTH = "no_length"  # no Content-Length
    LENGTH_TOO_SMALL = "length_too_small"
    LENGTH_TOO_LARGE = "length_too_large"
    FREEZE = "freeze"  # the same picture for ever
    BLACK = "black"
    OVEREXPOSED = "overexposed"  # blinded
    LOOPING = "looping"  # the last two seconds again and again
    COVERED = "covered"  # by a cloth
    MOVED = "moved"  # turned to the side
    EMPTY_PARTS = "empty_parts"
    JUNK = "junk"  # bytes between the parts


_F = CameraFault

# The answer to a request is what is wrong: whoever streams is closed, to ask again and see it.
AT_REQUEST: Final = frozenset(
    (_F.NOT_FOUND, _F.HTML, _F.WRONG_TYPE, _F.REDIRECT, _F.REDIRECT_LOOP, _F.UNAUTHORIZED, _F.BASIC, _F.DIGEST,
     _F.SILENT_ACCEPT)
)  # fmt: skip

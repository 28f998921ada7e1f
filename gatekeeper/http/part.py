r"""One picture framed once for all who watch it, and the slot that holds the newest.

    --frame\r\n                                  (sent with the response's headers, then at the end of every part)
    Content-Type: image/jpeg\r\n
    Content-Length: <n>\r\n
    X-Timestamp: <unix seconds, 6 decimals>\r\n
    X-Sequence: <the camera's number of the frame; 0 for a notice>\r\n
    \r\n
    <n bytes of JPEG>\r\n
    --frame\r\n

A part ends with the next part's delimiter, because parsers that ignore Content-Length know only from it that a picture
is whole. That isn't enough for the image loader of Blink and WebKit (seen in Chromium 156): it shows a picture when
the *headers* of the next part are there. For it the stream is cut elsewhere, behind the next part's headers, which
then can't tell a length or a time that isn't known yet. Both cuts are stretches of the same bytes:

    [headers with length][JPEG][delimiter][headers without length]
    |<------------ Cut.DELIMITER -------->|
                         |<----------------- Cut.HEADERS -------->|
"""

import os
from enum import IntEnum
from typing import Final

BOUNDARY: Final = b"frame"
CONTENT_TYPE: Final = b"multipart/x-mixed-replace; boundary=" + BOUNDARY
NOTICE_SEQUENCE: Final = 0  # a camera's own frames start at 1

_BARE_HEADERS: Final = b"Content-Type: image/jpeg\r\n\r\n"
_FIRST_DELIMITER: Final = b"--" + BOUNDARY + b"\r\n"
_DELIMITER: Final = b"\r\n" + _FIRST_DELIMITER

_NOT_OPENED: Final = -1
_REFUSED: Final = -2


class Cut(IntEnum):
    """Where a viewer's stream is cut into parts; the index into a part's `starts` and `ends`."""

    DELIMITER = 0  # every part with its headers in full: for parsers
    HEADERS = 1  # the next part's headers in advance: for browsers that show a picture only then


OPENINGS: Final = (_FIRST_DELIMITER, _FIRST_DELIMITER + _BARE_HEADERS)  # by Cut: what comes before the first part


class Part:
    """A framed picture: in a memory file for `sendfile`, or as bytes; closed when nobody holds it any more.

    Made with one holder: its maker.

    :ivar serial: rises by one with every part of a stream, notices included.
    :ivar starts: by Cut, the offset of the first byte to send.
    :ivar ends: by Cut, the offset behind the last one.
    :ivar fd: the memory file's descriptor; negative before `open`, and if the system refused one.
    """

    __slots__ = ("_data", "_holders", "_pieces", "ends", "fd", "serial", "starts")

    def __init__(self, serial: int, jpeg: bytes, wall: float, sequence: int) -> None:
        head = (
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %.6f\r\nX-Sequence: %d\r\n\r\n"
            % (len(jpeg), wall, sequence)
        )  # fmt: skip
        whole = len(head) + len(jpeg) + len(_DELIMITER)
        self.serial = serial
        self.starts = (0, len(head))
        self.ends = (whole, whole + len(_BARE_HEADERS))
        self._pieces: tuple[bytes, ...] = (head, jpeg, _DELIMITER, _BARE_HEADERS)
        self._data = b""
        self.fd = _NOT_OPENED
        self._holders = 1

    @property
    def data(self) -> bytes:
        """All the bytes, joined at the first use."""
        if not self._data:
            self._data = b"".join(self._pieces) if self._pieces else os.pread(self.fd, self.ends[Cut.HEADERS], 0)
            self._pieces = ()
        return self._data

    @property
    def closed(self) -> bool:
        """Whether nobody holds it any more."""
        return self._holders == 0

    def hold(self) -> None:
        """Keep the bytes until a `release` of one's own."""
        self._holders += 1

    def release(self) -> None:
        """Let go; with the last holder the bytes and the descriptor go too."""
        self._holders -= 1
        if self._holders == 0:
            if self.fd >= 0:
                os.close(self.fd)
            self.fd, self._pieces, self._data = _REFUSED, (), b""

    def open(self) -> int:
        """Return the descriptor of the memory file, made at the first call; negative if the system refuses one."""
        if self.fd != _NOT_OPENED:
            return self.fd
        # A file per frame, not a pool: 10 us once per frame. Written to again, it would change pictures under way:
        # sockets refer to its pages until the peer has acknowledged them.
        try:
            self.fd = os.memfd_create("frame")
        except OSError:  # out of descriptors or memory: this frame goes out as bytes
            self.fd = _REFUSED
            return _REFUSED
        try:
            if os.writev(self.fd, self._pieces or (self._data,)) != self.ends[Cut.HEADERS]:
                raise OSError("short write")
        except OSError:
            os.close(self.fd)
            self.fd = _REFUSED
            return _REFUSED
        self._pieces = ()
        return self.fd


class Slot:
    """The newest part of a stream, where a viewer looks when it has room; holds that one and no other."""

    __slots__ = ("part",)

    def __init__(self) -> None:
        self.part: Part | None = None

    def put(self, part: Part | None) -> None:
        """Take over the maker's hold on `part`; let go of the one before."""
        before, self.part = self.part, part
        if before is not None:
            before.release()

"""A viewer of a stream over a plain socket: any byte that is out of place fails the test."""

import re
import socket
from dataclasses import dataclass

from tests.integration.processes import PATIENCE, TOKEN

HEAD = re.compile(
    rb"Content-Type: image/jpeg\r\n"
    rb"Content-Length: (0|[1-9]\d*)\r\n"
    rb"X-Timestamp: (\d+\.\d{6})\r\n"
    rb"X-Sequence: (0|[1-9]\d*)\r\n\r\n"
)
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment


@dataclass(frozen=True)
class Picture:
    """One part; sequence 0 is a generated picture. `timestamp`: Unix seconds."""

    jpeg: bytes
    timestamp: float
    sequence: int


class Viewer:
    """Opens a stream and reads its parts.

    :param receive_buffer: bytes of the socket's buffer, for a viewer that is to stall soon.
    """

    def __init__(self, port: int, path: str, *, receive_buffer: int | None = None) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        self._socket.sendall(request.encode())
        self.headers: dict[str, str] = {}

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def begin(self) -> "Viewer":
        """Read the headers of the answer."""
        assert self._file.readline() == b"HTTP/1.1 200 OK\r\n"
        while (line := self._file.readline()) != b"\r\n":
            name, value = line.decode("ascii").removesuffix("\r\n").split(": ", 1)
            assert name.lower() not in self.headers
            self.headers[name.lower()] = value
        assert self.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        assert self.headers["cache-control"] == "no-store"
        assert "transfer-encoding" not in self.headers
        assert "content-length" not in self.headers
        return self

    def read(self) -> Picture:
        """Read the next part whole."""
        assert self._file.readline() == b"--frame\r\n"
        head = b"".join(self._file.readline() for _ in range(5))
        found = HEAD.fullmatch(head)
        assert found is not None, head
        length = int(found[1])
        jpeg = self._file.read(length)
        assert len(jpeg) == length
        assert self._file.read(2) == b"\r\n"
        assert_whole(jpeg)
        return Picture(jpeg, float(found[2]), int(found[3]))

    def read_pictures(self, count: int) -> list[Picture]:
        """Read parts whose order is checked: they are the camera's own, and each is newer than the last."""
        pictures = [self.read() for _ in range(count)]
        sequences = [picture.sequence for picture in pictures]
        assert sequences[0] > 0
        assert sequences == sorted(set(sequences))
        assert [picture.timestamp for picture in pictures] == sorted(picture.timestamp for picture in pictures)
        return pictures


def assert_whole(jpeg: bytes) -> None:
    """Walk through a JPEG from SOI to EOI: nothing missing, nothing behind it."""
    assert jpeg[:2] == b"\xff\xd8"
    at = 2
    while True:
        assert jpeg[at] == 0xFF
        marker = jpeg[at + 1]
        assert marker not in STANDALONE
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
    end = jpeg.index(b"\xff\xd9", at)  # in the scan, FF is followed by 00 or a restart marker
    assert end == len(jpeg) - 2

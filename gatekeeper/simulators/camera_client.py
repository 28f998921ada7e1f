"""One connection to the virtual camera: it collects a request and writes pictures, or what a fault makes of them.

What is answered, and when, is the camera's to decide.
"""

from collections.abc import Callable
from typing import Final
from typing import Protocol as Interface

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper.simulators.camera_faults import CameraFault

MAXIMUM_REQUEST: Final = 16 * 1024  # bytes; the real one takes less
HUGE: Final = 100 * 1024 * 1024  # bytes in a huge part
HUGE_BLOCK: Final = 1024 * 1024  # bytes of it per picture time
DRIP: Final = 20  # bytes per picture time: a picture would take minutes

_STREAM: Final = b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n"
_PART: Final = b"--frame\r\nContent-Type: image/jpeg\r\n"
_FILLER: Final = b"X-Filler: " + b"x" * 500 + b"\r\n"

_F = CameraFault


class Camera(Interface):
    """What a connection asks of its camera and tells it.

    :ivar surplus: bytes that the fault LENGTH_TOO_LARGE adds.
    """

    surplus: int

    @property
    def fault(self) -> CameraFault:
        """What is wrong with it now."""

    def accepted(self, client: "CameraClient") -> None:
        """There is a connection."""

    def asked(self, client: "CameraClient") -> None:
        """Its request is whole."""

    def sent(self, jpeg: bytes) -> None:
        """A part with these bytes was written."""

    def lost(self, client: "CameraClient") -> None:
        """The connection is gone."""

    def later(self, call: Callable[[], None], delay: float = 0.01) -> None:
        """Call in a moment, unless the camera is stopped before."""


@implementer(IPushProducer)
class CameraClient(Protocol):
    """One connection: it collects a request, then writes what the camera's fault makes of the answer."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.head = b""
        self.asked = False  # the request is whole
        self.answered = False  # or being answered
        self.streams = False
        self.captures = False  # asked for one picture
        self.full = False  # the socket takes no more: pictures are skipped
        self.done = False  # answered, or cut: nothing more is written
        self._filling = False
        self._rest = b""  # of a part that drips
        self._huge = 0  # bytes to come of a huge part

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]
        self.camera.accepted(self)

    def dataReceived(self, data: bytes) -> None:
        if self.asked or len(self.head) > MAXIMUM_REQUEST:
            return
        self.head += data
        self.asked = b"\r\n\r\n" in self.head
        if self.asked:
            self.camera.asked(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.camera.lost(self)

    def pauseProducing(self) -> None:
        self.full = True

    def resumeProducing(self) -> None:
        self.full = False

    def stopProducing(self) -> None:
        self.full = True

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def close(self) -> None:
        self.done = True
        self.transport.unregisterProducer()  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def abort(self) -> None:
        self.done = True
        self.transport.abortConnection()  # type: ignore[union-attr]

    # --- the answer --------------------------------------------------------------------------------------------------

    @property
    def request(self) -> tuple[str, str, dict[str, str]]:
        """Method, path and headers, their names in lower case."""
        lines = self.head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, path, *_ = [*lines[0].split(" "), "", ""]
        pairs = (line.partition(":") for line in lines[1:])
        return method, path, {name.strip().lower(): value.strip() for name, _, value in pairs}

    def answer(self, status: str, body: bytes = b"", headers: bytes = b"Content-Type: text/html\r\n") -> None:
        """Write a whole answer and close."""
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        self.write(f"HTTP/1.1 {status}\r\n".encode() + headers + length + body)
        self.close()

    def begin_stream(self) -> None:
        self.streams = True
        self.write(b"HTTP/1.1 200 OK\r\n")
        self._filling = self.camera.fault is _F.ENDLESS_HEADERS
        if not self._filling:
            self.write(_STREAM + b"\r\n")

    # --- pictures ----------------------------------------------------------------------------------------------------

    def show(self, jpeg: bytes) -> None:
        """It is time for this picture: write it, or what the fault makes of it."""
        if self.full or self.done:
            return
        fault = self.camera.fault
        if self.captures:
            self._capture(jpeg, fault)
            return
        if (self._filling and fault is not _F.ENDLESS_HEADERS) or (self._huge and fault is not _F.HUGE_FRAME):
            self.close()  # what was begun can't become a stream again
            return
        if self._rest and fault not in (_F.SLOW_DRIP, _F.SILENT):
            self.write(self._rest)
            self._rest = b""
        self._SHOW.get(fault, CameraClient._whole)(self, jpeg)

    def _capture(self, jpeg: bytes, fault: CameraFault) -> None:
        """Answer with one picture, or what the fault makes of it."""
        shown = {_F.TRUNCATED: jpeg[: len(jpeg) // 2], _F.GARBAGE: b"no picture", _F.EMPTY_PARTS: b""}.get(fault, jpeg)
        self.captures = fault in (_F.SILENT, _F.CUT)
        if not self.captures:
            self.answer("200 OK", shown, b"Content-Type: image/jpeg\r\n")
            self.camera.sent(shown)
        elif not self._rest:
            self._rest = jpeg[len(jpeg) // 2 :]
            head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
            self.write(head + jpeg[: len(jpeg) // 2])
            if fault is _F.CUT:
                self.close()

    def _send(self, jpeg: bytes, length: int | None) -> None:
        head = _PART if length is None else _PART + b"Content-Length: %d\r\n" % length
        self.write(head + b"\r\n" + jpeg + b"\r\n")
        self.camera.sent(jpeg)

    def _whole(self, jpeg: bytes) -> None:
        self._send(jpeg, len(jpeg))

    def _no_length(self, jpeg: bytes) -> None:
        self._send(jpeg, None)

    def _length_too_small(self, jpeg: bytes) -> None:
        self._send(jpeg, len(jpeg) // 2)

    def _length_too_large(self, jpeg: bytes) -> None:
        self._send(jpeg, len(jpeg) + self.camera.surplus)

    def _truncated(self, jpeg: bytes) -> None:
        self._whole(jpeg[: len(jpeg) // 2])

    def _garbage(self, jpeg: bytes) -> None:
        self._whole(b"no picture " * (len(jpeg) // 11))

    def _empty(self, jpeg: bytes) -> None:
        self._whole(b"")

    def _junk(self, jpeg: bytes) -> None:
        self._whole(jpeg)
        self.write(b"E (12345) cam_hal: FB-OVF\r\n")

    def _half(self, jpeg: bytes) -> None:
        self.write(_PART + b"Content-Length: %d\r\n\r\n" % len(jpeg) + jpeg[: len(jpeg) // 2])

    def _fall_silent(self, jpeg: bytes) -> None:
        if not self._rest:
            self._half(jpeg)
            self._rest = jpeg[len(jpeg) // 2 :] + b"\r\n"

    def _cut(self, jpeg: bytes) -> None:
        self._half(jpeg)
        self.close()

    def _reset(self, jpeg: bytes) -> None:
        self._half(jpeg)
        self.done = True
        self.camera.later(self.abort)  # the half must be on the wire first

    def _drip(self, jpeg: bytes) -> None:
        if not self._rest:
            self._rest = _PART + b"Content-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
        self.write(self._rest[:DRIP])
        self._rest = self._rest[DRIP:]

    def _fill(self, jpeg: bytes) -> None:
        self.write((b"" if self._filling else _PART) + _FILLER * 100)

    def _swell(self, jpeg: bytes) -> None:
        if not self._huge:
            self._huge = HUGE
            self.write(_PART + b"Content-Length: %d\r\n\r\n" % HUGE + jpeg[:2])
        self._huge -= HUGE_BLOCK
        self.write(bytes(HUGE_BLOCK))

    _SHOW: dict[CameraFault, Callable[["CameraClient", bytes], None]] = {
        _F.NO_LENGTH: _no_length,
        _F.LENGTH_TOO_SMALL: _length_too_small,
        _F.LENGTH_TOO_LARGE: _length_too_large,
        _F.TRUNCATED: _truncated,
        _F.GARBAGE: _garbage,
        _F.EMPTY_PARTS: _empty,
        _F.JUNK: _junk,
        _F.SILENT: _fall_silent,
        _F.CUT: _cut,
        _F.RESET: _reset,
        _F.SLOW_DRIP: _drip,
        _F.ENDLESS_HEADERS: _fill,
        _F.HUGE_FRAME: _swell,
    }

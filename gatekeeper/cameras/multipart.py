r"""The endless body of `multipart/x-mixed-replace` in, whole JPEG pictures out.

    --<boundary>\r\n
    Content-Type: image/jpeg\r\n
    Content-Length: <n>\r\n            (often missing, sometimes wrong)
    \r\n
    <n bytes of JPEG>\r\n
    --<boundary>\r\n ... --<boundary>--\r\n

RFC 2046, section 5.1, as cameras practise it: bare LF, any header case, boundaries declared with or without their
dashes, junk between the parts. With a Content-Length the picture is there with its last byte; without one, or once
a length was found wrong, it ends at the next boundary.

Every byte is looked at once, but for a length found wrong: what was read too far is read again, and lengths aren't
believed again before several times as much has come under right ones. No picture is kept in a growing buffer: its
chunks are collected and joined once. At most `maximum_part` and `MAXIMUM_HEADERS` bytes are kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from gatekeeper.cameras.content_type import MAXIMUM_BOUNDARY, InvalidContentType
from gatekeeper.cameras.jpeg import Flaw, Inspector, Picture

MAXIMUM_HEADERS: Final = 8 * 1024  # bytes per part; real devices send under 300
MAXIMUM_PART: Final = 2 * 1024 * 1024  # bytes; a UXGA picture of an ESP32-CAM at its best quality is under 600 KB

_LOOSE_CHUNKS: Final = (
    256  # then they are joined among themselves: a picture in single bytes must not cost 60 times its size
)
_SAFE_BOUNDARY: Final = 4  # bytes; shorter ones turn up inside pictures, so they must follow a line break
_LENGTH_NAME: Final = len("content-length")
_LENGTH_DIGITS: Final = 12  # a terabyte; int() of endless digits is quadratic
_DISTRUST: Final = 4  # bytes under right lengths, for each byte of a wrong one, until lengths are believed again
_DISTRUST_MINIMUM: Final = 64 * 1024  # bytes; two pictures or so
_HEAD: Final = re.compile(rb"[ \t]*\r?\n((?:[A-Za-z][^\n]*\n)*)\r?\n")  # a delimiter's line end and a whole part's head
_LINE_START: Final = b"\n"  # stands for the line break that a delimiter follows, where it was read already
_BLANK: Final = b"\r\n\t \x00-"  # what devices put around delimiters and isn't worth counting
_PADDING: Final = b"\r\n \x00\xff"  # what may follow EOI inside a part without a doubt about the part's length


class Fault(StrEnum):
    """Why a part was rejected although its bytes may be fine; `jpeg.Flaw` names the other reasons."""

    EMPTY = "empty parts"
    TOO_LARGE = "pictures over the size limit"
    HEADERS_TOO_LONG = "parts with endless headers"


@dataclass(frozen=True, slots=True)
class Part:
    """A whole picture, from SOI to EOI, as the camera sent it; width and height in pixels."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A part that is no usable picture."""

    reason: Fault | Flaw


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes between a part and the next delimiter that belong to neither."""

    size: int


@dataclass(frozen=True, slots=True)
class WrongLength:
    """A part's Content-Length was not its length; both in bytes."""

    declared: int
    found: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The closing boundary: no more parts will come."""


Event = Part | Rejected | Skipped | WrongLength | Ended


class State(Enum):
    """What the parser expects next."""

    IGNORED = auto()  # a delimiter, behind the preamble (RFC 2046) or the rest of a part that is too large
    DELIMITER = auto()  # a delimiter, at once: what comes before it is counted
    LINE_END = auto()  # the rest of the delimiter's line: nothing, or the dashes of the closing one
    HEADERS = auto()
    COUNTED = auto()  # a body with a Content-Length that is believed
    SEARCHED = auto()  # a body that ends at the next delimiter
    ENDED = auto()


class Parser:
    """Feed it the body in any pieces; it answers with the events that they complete.

    :param boundary: as declared, with or without leading dashes.
    :param maximum_part: bytes; a larger part is rejected and skipped.
    :param distrust: bytes that must come under right lengths before a Content-Length is believed.
    :ivar rejected: parts that were no usable picture.
    :ivar skipped: times that bytes between parts had to be skipped.
    :ivar wrong_lengths: parts whose Content-Length was not their length.
    """

    def __init__(self, boundary: str, maximum_part: int = MAXIMUM_PART, distrust: int = 0) -> None:
        self._name = boundary.strip().lstrip("-").encode("latin-1", "replace")
        if not self._name or len(boundary) > MAXIMUM_BOUNDARY:
            raise InvalidContentType("a multipart stream without a usable boundary")
        self._delimiter = (b"--" if len(self._name) >= _SAFE_BOUNDARY else b"\n--") + self._name
        self._maximum_part = maximum_part
        self._distrust = distrust
        self.rejected = 0
        self.skipped = 0
        self.wrong_lengths = 0
        self._state = State.IGNORED
        self._inspector = Inspector()
        self._events: list[Event] = []
        self._chunk = b""
        self._at = 0  # index of the next byte in the chunk
        self._base = 0  # offset in the stream of the chunk's first byte
        self._tail = _LINE_START  # the last bytes before the next one, where a delimiter may have begun
        self._blank = True  # nothing but blanks was skipped before the delimiter
        self._line = bytearray()  # a line that isn't whole yet
        self._header_room = MAXIMUM_HEADERS
        self._length: int | None = None  # declared
        self._start = 0  # offset in the stream of the body, or of what is skipped
        self._pieces: list[bytes | memoryview] = []
        self._missing = 0  # bytes of a counted body to come
        self._loose = 0  # pieces at the end of the list that weren't joined among themselves
        self._steps: dict[State, Callable[[], None]] = {
            State.IGNORED: self._ignore,
            State.DELIMITER: self._await_delimiter,
            State.LINE_END: self._end_line,
            State.HEADERS: self._read_header,
            State.COUNTED: self._count,
            State.SEARCHED: self._search,
            State.ENDED: self._discard,
        }

    @property
    def state(self) -> State:
        """What is expected next."""
        return self._state

    @property
    def needed(self) -> int:
        """Bytes that the current picture surely still needs; 0 if that isn't known."""
        return self._missing

    @property
    def in_part(self) -> bool:
        """Whether a part has begun and isn't whole."""
        return self._state in (State.HEADERS, State.COUNTED, State.SEARCHED)

    def receive_data(self, data: bytes) -> list[Event]:
        """Take in the next bytes; return what they completed, in order."""
        self._base += len(self._chunk)
        self._chunk, self._at = data, 0
        while self._at < len(self._chunk):
            self._steps[self._state]()
        events, self._events = self._events, []
        return events

    # --- between parts -----------------------------------------------------------------------------------------------

    def _find(self) -> int | None:
        """Go behind the next delimiter and return its offset, or consume all and return None."""
        chunk, at, delimiter = self._chunk, self._at, self._delimiter
        reach = len(delimiter) - 1
        if self._tail:
            seam = self._tail + chunk[at : at + reach]
            hit = seam.find(delimiter)
            if hit >= 0:
                offset = self._base + at - len(self._tail) + hit
                self._at = offset + len(delimiter) - self._base
                return offset
        hit = chunk.find(delimiter, at)
        if hit >= 0:
            self._at = hit + len(delimiter)
            return self._base + hit
        left = len(chunk) - at
        self._tail = chunk[-reach:] if left >= reach else (self._tail + chunk[at:])[-reach:]
        self._at = len(chunk)
        return None

    def _ignore(self) -> None:
        if self._find() is not None:
            self._begin_part()

    def _await_delimiter(self) -> None:
        at, tail = self._at, self._tail
        offset = self._find()
        if self._blank:
            end = offset if offset is not None else self._base + self._at - len(self._tail)
            size = end - (self._base + at - len(tail))  # of what surely belongs to no delimiter
            self._blank = not (tail + self._chunk[at : at + size])[:size].strip(_BLANK)
        if offset is not None:
            if not self._blank:
                self.skipped += 1
                self._events.append(Skipped(offset - self._start))
            self._begin_part()

    def _leave_body(self) -> None:
        self._state, self._start = State.DELIMITER, self._base + self._at
        self._tail, self._blank = _LINE_START, True

    # --- a part's head -----------------------------------------------------------------------------------------------

    def _begin_part(self) -> None:
        self._state = State.LINE_END
        self._header_room = MAXIMUM_HEADERS
        self._length = None
        self._line.clear()

    def _end_line(self) -> None:
        if not self._line and (head := _HEAD.match(self._chunk, self._at, self._at + MAXIMUM_HEADERS - 1)):
            self._at = head.end()  # the usual case, the whole head in one chunk, without a step for each line
            for line in head[1].split(b"\n"):
                self._take_header(line)
            self._begin_body()
            return
        mark = (bytes(self._line[:2]) + self._chunk[self._at : self._at + 2])[:2]
        if mark == b"--":
            self._end()
        elif self._read_line() is not None:
            self._state = State.HEADERS

    def _read_line(self) -> bytes | None:
        """Return the next line without its end, or None if it isn't whole, or the part's head grew too long."""
        at = self._at
        stop = at + self._header_room
        end = self._chunk.find(b"\n", at, stop)
        if end >= 0:
            line = bytes(self._line) + self._chunk[at:end]
            self._line.clear()
            self._at = end + 1
            self._header_room -= self._at - at
            return line.removesuffix(b"\r")
        piece = self._chunk[at:stop]
        self._line += piece
        self._at += len(piece)
        self._header_room -= len(piece)
        if not self._header_room:
            self._reject(Fault.HEADERS_TOO_LONG)
            self._state, self._tail = State.IGNORED, b""
        return None

    def _read_header(self) -> None:
        line = self._read_line()
        if line is None:
            return
        if not line.strip():
            self._begin_body()
        elif line.startswith(b"--") and line.lstrip(b"-").startswith(self._name):
            self._reject(Fault.EMPTY)
            self._begin_part()
            if line.lstrip(b"-").removeprefix(self._name).startswith(b"--"):
                self._end()
            else:
                self._state = State.HEADERS
        else:
            self._take_header(line)

    def _take_header(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if len(name) >= _LENGTH_NAME and name.strip().lower() == b"content-length" and value.strip().isdigit():
            self._length = int(value.strip()[:_LENGTH_DIGITS])

    def _end(self) -> None:
        self._state = State.ENDED
        self._events.append(Ended())

    def _discard(self) -> None:
        self._at = len(self._chunk)

    # --- a part's body -----------------------------------------------------------------------------------------------

    def _begin_body(self) -> None:
        believed = self._length is not None and 0 < self._length <= self._maximum_part and not self._distrust
        self._state = State.COUNTED if believed else State.SEARCHED
        self._start = self._base + self._at
        self._tail = _LINE_START
        self._missing = self._length or 0 if believed else 0
        self._pieces, self._loose = [], 0

    def _collect(self, stop: int) -> None:
        """Keep the chunk's bytes from here to index `stop`."""
        at, chunk = self._at, self._chunk
        self._at = stop
        self._pieces.append(chunk if at == 0 and stop == len(chunk) else memoryview(chunk)[at:stop])
        self._loose += 1
        if self._loose == _LOOSE_CHUNKS:
            self._pieces[-_LOOSE_CHUNKS:] = [b"".join(self._pieces[-_LOOSE_CHUNKS:])]
            self._loose = 0

    def _count(self) -> None:
        at = self._at
        self._collect(min(at + self._missing, len(self._chunk)))
        self._missing -= self._at - at
        if self._missing:
            return
        body = b"".join(self._pieces)
        self._pieces = []
        found = self._inspector.inspect(body)
        if isinstance(found, Picture) and not body[found.end :].strip(_PADDING):
            self._events.append(Part(body[: found.end], found.width, found.height))
            self._leave_body()
        else:
            self._doubt(body)

    def _doubt(self, body: bytes) -> None:
        """No picture ends where the Content-Length says: look for the delimiter, within the body and behind it."""
        self._state = State.SEARCHED
        hit = body.find(self._delimiter)
        if hit < 0:
            self._pieces, self._loose = [body], 1
            self._tail = body[1 - len(self._delimiter) :]
            return
        self._pieces = [memoryview(body)[:hit]]
        self._chunk = body[hit + len(self._delimiter) :] + self._chunk[self._at :]
        self._base, self._at = self._start + hit + len(self._delimiter), 0
        self._close(self._start + hit)

    def _search(self) -> None:
        at = self._at
        offset = self._find()
        behind, self._at = self._at, at
        if offset is None:
            self._collect(behind)
            if self._base + behind - self._start > self._maximum_part + 2 * MAXIMUM_BOUNDARY:
                self._pieces = []
                self._reject(Fault.TOO_LARGE)
                self._state = State.IGNORED
            return
        self._collect(max(at, offset - self._base))
        self._at = behind
        self._close(offset)

    def _close(self, offset: int) -> None:
        """The body ends before the delimiter at `offset`."""
        body = b"".join(self._pieces)[: max(0, offset - self._start)]
        self._pieces = []
        self._compare_length(body)
        self._judge(body)
        self._begin_part()

    def _compare_length(self, body: bytes) -> None:
        """Learn from the length that was declared whether the next one can be believed."""
        declared, found = self._length, _length(body)
        if declared is None:
            return
        if found <= declared <= len(body):
            self._distrust = max(0, self._distrust - found)
            return
        self.wrong_lengths += 1
        self._events.append(WrongLength(declared, found))
        self._distrust = _DISTRUST * max(min(declared, self._maximum_part), _DISTRUST_MINIMUM)

    def _judge(self, body: bytes) -> None:
        if _length(body) > self._maximum_part:
            self._reject(Fault.TOO_LARGE)
            return
        if body[:1] in (b"\r", b"\n"):  # some write one empty line too many before the picture
            body = body.lstrip(b"\r\n")
        if not body.strip(_BLANK):
            self._reject(Fault.EMPTY)
            return
        found = self._inspector.inspect(body)
        if isinstance(found, Picture):
            self._events.append(Part(body[: found.end], found.width, found.height))
        else:
            self._reject(found)

    def _reject(self, reason: Fault | Flaw) -> None:
        self.rejected += 1
        self._events.append(Rejected(reason))


def _length(body: bytes) -> int:
    """Return a searched body's length without the line break and the dashes that belong to the delimiter."""
    end = body[-MAXIMUM_BOUNDARY:]
    return len(body) - len(end) + len(end.rstrip(b"-").removesuffix(b"\n").removesuffix(b"\r"))

"""Pictures out of the messages of one connection, whichever of the three transports, or framed. No I/O, no clock.

    at rest    a binary message is a picture, plain or framed
    whole      after `frame_start`: the next binary message is a picture of the size that was told
    pieces     after `img_start`: binary messages are pieces, until `img_end`
    astray     the set of pieces is lost: what still comes of it is dropped, until an end, a new start, or 10 s

Other texts may come between the pieces and don't reach this file. What a camera sends is never trusted: sizes are
bounded before anything is kept, a set ends within 10 s, and whatever is no picture is told as `Rejected`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatekeeper.cameras.jpeg import Flaw, Inspector
from gatekeeper.cameras.push import framing
from gatekeeper.cameras.push.framing import Framed, FrameFlaw
from gatekeeper.cameras.push.wire import FrameEnd, FrameStart, ImageEnd, ImageStart

SET_TIMEOUT: Final = 10.0  # seconds from `img_start` to `img_end`, as the seed's server has it
MAXIMUM_PIECES: Final = 16384  # 5 MiB in the smallest pieces, 1 KiB, are 5120: a list must not cost more than its bytes


class Loss(StrEnum):
    """Why a picture was lost on the way; the values complete "nothing but ..."."""

    TOO_LARGE = "pictures that are larger than allowed"
    WRONG_SIZE = "pictures of another size than announced"
    RESTARTED = "pictures that were begun anew"
    UNFINISHED = "pictures that did not end"
    GIVEN_UP = "pictures that the camera gave up"
    WRONG_END = "pictures whose end belongs to another one"


Reason = Loss | Flaw | FrameFlaw


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole picture.

    :ivar jpeg: from SOI to EOI, byte for byte.
    :ivar lost: pictures that are missing between the framed one before and this; 0 if it isn't framed.
    """

    jpeg: bytes
    width: int
    height: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that should have been a picture."""

    reason: Reason


Outcome = Whole | Rejected


class Assembly:
    """The pictures of one connection.

    :param limit: most bytes of a picture.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inspector = Inspector()
        self._announced: int | None = None  # whole: the size
        self._start: ImageStart | None = None  # pieces
        self._pieces: list[bytes] = []
        self._held = 0
        self._astray = False
        self._until = 0.0  # of pieces and astray
        self._sequence: int | None = None  # of the last framed picture

    @property
    def in_picture(self) -> bool:
        """Whether a picture has begun and isn't whole yet."""
        return self._start is not None

    @property
    def held(self) -> int:
        """Bytes kept of a picture that isn't whole."""
        return self._held

    # --- what comes ---

    def text(self, message: FrameStart | FrameEnd | ImageStart | ImageEnd, now: float) -> list[Outcome]:
        """Take in a text that tells of a picture."""
        late = self.expire(now)
        match message:
            case FrameStart():
                return [*late, *self._frame_started(message)]
            case ImageStart():
                return [*late, *self._image_started(message, now)]
            case ImageEnd():
                return [*late, *self._image_ended(message)]
            case FrameEnd():
                self._announced = None
                return late

    def binary(self, payload: bytes, now: float) -> list[Outcome]:
        """Take in a binary message."""
        late = self.expire(now)
        if self._astray:
            return late
        if self._start is not None:
            return [*late, *self._piece(self._start, payload)]
        announced, self._announced = self._announced, None
        if announced is not None and announced != len(payload):
            return [*late, Rejected(Loss.WRONG_SIZE)]
        if payload.startswith(framing.MAGIC):
            return [*late, self._framed(payload)]
        return [*late, self._picture(payload)]

    def expire(self, now: float) -> list[Outcome]:
        """Give up a set of pieces whose time is over."""
        if now < self._until or not (self._astray or self._start is not None):
            return []
        lost = self._start is not None
        self._rest()
        return [Rejected(Loss.UNFINISHED)] if lost else []

    # --- what it does ---

    def _rest(self) -> None:
        self._start, self._astray, self._announced = None, False, None
        self._pieces, self._held = [], 0

    def _go_astray(self) -> None:
        self._rest()
        self._astray = True

    def _begun_anew(self) -> list[Outcome]:
        lost = self._start is not None
        self._rest()
        return [Rejected(Loss.RESTARTED)] if lost else []

    def _frame_started(self, start: FrameStart) -> list[Outcome]:
        outcomes = self._begun_anew()
        self._announced = start.size
        return outcomes

    def _image_started(self, start: ImageStart, now: float) -> list[Outcome]:
        outcomes = self._begun_anew()
        self._until = now + SET_TIMEOUT
        if start.size > self._limit or start.chunks > MAXIMUM_PIECES:
            self._go_astray()
            return [*outcomes, Rejected(Loss.TOO_LARGE)]
        if start.size < 1 or start.chunks < 1:
            self._go_astray()
            return [*outcomes, Rejected(Loss.WRONG_SIZE)]
        self._start = start
        return outcomes

    def _piece(self, start: ImageStart, payload: bytes) -> list[Outcome]:
        if self._held + len(payload) > start.size or len(self._pieces) >= start.chunks:
            self._go_astray()
            return [Rejected(Loss.WRONG_SIZE)]
        self._pieces.append(payload)
        self._held += len(payload)
        return []

    def _image_ended(self, end: ImageEnd) -> list[Outcome]:
        start, pieces, held = self._start, self._pieces, self._held
        self._rest()
        if start is None:
            return []  # of a set that is lost, and was counted then
        if end.id != start.id:
            return [Rejected(Loss.WRONG_END)]
        if not end.success:
            return [Rejected(Loss.GIVEN_UP)]
        if held != start.size or len(pieces) != start.chunks:
            return [Rejected(Loss.WRONG_SIZE)]
        return [self._picture(b"".join(pieces))]

    def _framed(self, payload: bytes) -> Outcome:
        frame = framing.unpack(payload)
        if not isinstance(frame, Framed):
            return Rejected(frame)
        before, self._sequence = self._sequence, frame.sequence
        lost = frame.sequence - before - 1 if before is not None and frame.sequence > before else 0
        return self._picture(frame.payload, lost)

    def _picture(self, jpeg: bytes, lost: int = 0) -> Outcome:
        if len(jpeg) > self._limit:
            return Rejected(Loss.TOO_LARGE)
        found = self._inspector.inspect(jpeg)
        if isinstance(found, Flaw):
            return Rejected(found)
        return Whole(jpeg[: found.end] if found.end < len(jpeg) else jpeg, found.width, found.height, lost)

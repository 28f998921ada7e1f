"""Frames on their way to the disk: a queue that is bounded in bytes and thins out before it is full. No I/O."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from gatekeeper.evidence.bundle import Bundle
from gatekeeper.evidence.ring import Frame

WAITING_BYTES = 64_000_000
"""The least that may wait to be written: seven actions before two usual cameras (15 fps, 30 KB, 10 s)."""

RINGS = 4
"""Or so many times one camera's ring, where rings are large: a door with two cameras gives two at once."""

BATCH_FRAMES = 64
"""Frames written in one go: a second and more of what two cameras send, a tenth of a second of a usual disk's time."""

BATCH_BYTES = 4_000_000
"""The same in bytes, so that a stop has to wait for little."""

STRIDES = ((0.5, 1), (0.75, 2), (0.9, 4), (1.0, 8))
"""How full (share of the bound) it may be for every frame, every second, … to be taken; beyond the last none is."""


@dataclass(frozen=True, slots=True)
class Item:
    """A frame, and the bundle that it belongs to."""

    bundle: Bundle
    frame: Frame

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.frame.jpeg)


def stride(waiting: int, more: int, limit: int) -> int:
    """Return which share of `more` bytes of frames can be taken: every n-th frame; 0 for none.

    :param waiting: bytes that wait already.
    :param limit: bytes that may wait.
    """
    for share, every in STRIDES:
        if waiting + more / every <= share * limit:
            return every
    return 0


class Intake:
    """Frames that wait, oldest first.

    :param limit: bytes that may wait, those being written included.
    :ivar size: bytes that do.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Item] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def room(self, more: int) -> int:
        """Return which share of `more` bytes of frames may be put: every n-th frame; 0 for none."""
        return stride(self.size, more, self._limit)

    def put(self, bundle: Bundle, frame: Frame) -> None:
        """Take in a frame, for which there is room."""
        self._waiting.append(Item(bundle, frame))
        self.size += len(frame.jpeg)
        bundle.taken()

    def batch(self) -> list[Item]:
        """Take out what is written next; its bytes count until they are `done`."""
        found: list[Item] = []
        size = 0
        while self._waiting and len(found) < BATCH_FRAMES:
            if found and size + self._waiting[0].size > BATCH_BYTES:
                break
            item = self._waiting.popleft()
            size += item.size
            found.append(item)
        return found

    def done(self, batch: list[Item]) -> None:
        """Say that what was taken out isn't in memory for the disk's sake any more."""
        self.size -= sum(item.size for item in batch)

    def drain(self) -> Iterator[Item]:
        """Take out everything that waits and give it up."""
        while self._waiting:
            item = self._waiting.popleft()
            self.size -= item.size
            yield item

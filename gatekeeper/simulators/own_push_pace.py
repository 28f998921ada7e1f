"""When our own firmware's push camera takes its next picture, and which bytes are one. No I/O.

The same as `gk/pacer.hpp` and `gk/jpeg_info.hpp`. Times are whole milliseconds.
"""

from collections import deque
from typing import Final

MOST_EASE: Final = 1_000  # what a narrow link adds to an interval at most
REMEMBERED: Final = 16  # pictures over which the rate is measured
RECENT: Final = 5_000  # without a picture for so long, the rate is nought
PADDING: Final = 128  # bytes behind a picture's end
SEGMENTS: Final = 256  # of a JPEG before its scan


class Pacer:
    """So many pictures a second, evenly, and without a burst after a pause.

    :ivar yields: whether the interval grows when a picture could not be sent, and shrinks with those that could.
    """

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._yields = False
        self.restart(0)

    def aim(self, fps: int) -> None:
        """Set the rate, 1 to 30."""
        self._fps, self._remainder = fps, 0

    @property
    def yields(self) -> bool:
        return self._yields

    @yields.setter
    def yields(self, whether: bool) -> None:
        self._yields, self._ease = whether, 0

    def restart(self, now: int) -> None:
        """Let the first one be due at once."""
        self._slot = now
        self._remainder = self._ease = 0
        self._is_first = True
        self._times: deque[int] = deque(maxlen=REMEMBERED)

    @property
    def _carried(self) -> int:
        return self._remainder + 1000 % self._fps

    @property
    def _interval(self) -> int:
        return 1000 // self._fps + (self._carried >= self._fps) + self._ease

    def due(self, now: int) -> bool:
        """Return whether it is time."""
        return self._is_first or now - self._slot >= self._interval

    def sent(self, now: int) -> None:
        """One was made, and went out."""
        self._pass(now)
        if self._ease > 0:
            self._ease -= max(1, self._ease // 8)
        self._times.append(now)

    def dropped(self, now: int) -> None:
        """One was made, and could not go."""
        self._pass(now)
        if self._yields:
            self._ease = min(self._ease + self._interval, MOST_EASE)

    def _pass(self, now: int) -> None:
        interval = self._interval
        if self._is_first or not interval <= now - self._slot < 2 * interval:
            self._is_first, self._slot, self._remainder = False, now, 0
        else:
            self._slot += interval
            self._remainder = self._carried % self._fps

    def measured(self, now: int) -> int:
        """Return the tenths of a picture a second that went out of late."""
        if len(self._times) < 2 or now - self._times[-1] > RECENT:
            return 0
        took = self._times[-1] - self._times[0]
        return (len(self._times) - 1) * 10_000 // took if took else 0


def measure(jpeg: bytes) -> tuple[int, int, int] | None:
    """Return width, height, and the size from SOI to EOI; None if this is no whole JPEG."""
    found = _walk(jpeg) if jpeg.startswith(b"\xff\xd8") else None
    if found is None:
        return None
    width, height, scan = found
    end = jpeg.rfind(b"\xff\xd9", max(scan, len(jpeg) - PADDING - 2))
    return (width, height, end + 2) if end >= 0 else None


def _walk(jpeg: bytes) -> tuple[int, int, int] | None:
    at, width, height = 2, 0, 0
    for _ in range(SEGMENTS):
        head = jpeg[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0x00, 0xD8, 0xD9):
            return None
        if head[1] == 0xFF:
            at += 1
        elif head[1] == 0x01 or 0xD0 <= head[1] <= 0xD7:
            at += 2
        else:
            following = at + 2 + int.from_bytes(head[2:])
            if following > len(jpeg):
                return None
            if head[1] == 0xDA:
                return (width, height, following) if width else None
            if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
                height, width = int.from_bytes(jpeg[at + 5 : at + 7]), int.from_bytes(jpeg[at + 7 : at + 9])
                if not width or not height:
                    return None
            at = max(following, at + 4)
    return None

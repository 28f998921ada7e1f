"""The newest frames of one camera as it sent them, and the times at which it sent none. No I/O, no clock.

A ring holds references to frames that exist anyway: what it costs is that they live longer.
"""

from collections import deque
from typing import Protocol

MAX_SPANS = 64
"""Blind spans remembered per camera: one that comes and goes each second fills a minute; more are merged."""


class Frame(Protocol):
    """What evidence needs of a camera's frame: immutable, `jpeg` byte-identical to what the camera sent.

    `received` in monotonic seconds, `wall` in Unix seconds at the same instant, `width` and `height` in pixels.
    """

    @property
    def camera(self) -> str: ...
    @property
    def received(self) -> float: ...
    @property
    def wall(self) -> float: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def jpeg(self) -> bytes: ...


class Ring:
    """Frames of the last `seconds`, oldest first, of at most `limit` bytes together.

    :param seconds: how far back from the newest frame it reaches.
    :param limit: bytes; when they don't suffice, the oldest frames go first.
    :ivar size: bytes held.
    :ivar short_of: monotonic seconds of the newest frame that went for want of bytes; None while none did.
    """

    __slots__ = ("_frames", "_limit", "_seconds", "short_of", "size")

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._limit = limit
        self._frames: deque[Frame] = deque()
        self.size = 0
        self.short_of: float | None = None

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Take in a frame; frames come in the order in which they were received."""
        frames = self._frames
        frames.append(frame)
        self.size += len(frame.jpeg)
        oldest = frame.received - self._seconds
        while frames and frames[0].received < oldest:
            self.size -= len(frames.popleft().jpeg)
        while self.size > self._limit:
            gone = frames.popleft()
            self.size -= len(gone.jpeg)
            self.short_of = gone.received

    def between(self, start: float, end: float) -> list[Frame]:
        """Return the frames received from `start` to `end`, both included, oldest first."""
        return [frame for frame in self._frames if start <= frame.received <= end]


Span = tuple[float, float, str]
"""From when to when a camera was blind, monotonic seconds, and why."""


class Sight:
    """When a camera saw nothing: from its last frame before that to the first one after.

    :param now: monotonic seconds from which on it is watched.
    :param seconds: how far back it must be able to tell.
    :param gap: seconds without a frame that count as blind even if nothing else says so.
    :ivar last: monotonic seconds of the newest frame, or None.
    """

    __slots__ = ("_begun", "_gap", "_reason", "_seconds", "_since", "_spans", "last")

    def __init__(self, now: float, seconds: float, gap: float, reason: str) -> None:
        self._begun = now
        self._seconds = seconds
        self._gap = gap
        self._spans: deque[Span] = deque()
        self._since: float | None = now
        self._reason = _Reason(reason, firm=False)
        self.last: float | None = None

    @property
    def blind(self) -> bool:
        """Whether it is known to see nothing now."""
        return self._since is not None

    def seen(self, received: float) -> None:
        """Note a frame: whatever blindness there was ends with it."""
        if self._since is not None:
            self._end(self._since, received, self._reason.text)
            self._since = None
        elif self.last is not None and received - self.last > self._gap:
            self._end(self.last, received, _silence(received - self.last))
        self.last = received

    def lost(self, now: float, reason: str, *, firm: bool = True) -> None:
        """Note that the camera gives no picture any more: blind since its last frame.

        :param firm: whether the reason explains; one that doesn't (`connecting`) gives way to the next that does.
        """
        if self._since is None:
            self._since = now if self.last is None else min(self.last, now)
            self._reason = _Reason(reason, firm)
        elif firm and not self._reason.firm:
            self._reason = _Reason(reason, firm)

    def settled(self, moment: float) -> bool:
        """Whether it is certain by now what was seen until `moment`."""
        return self.blind or (self.last is not None and self.last >= moment)

    def between(self, start: float, end: float, now: float) -> list[Span]:
        """Return the blind spans that reach into `start` to `end`, cut to it, oldest first; `now` is past `end`."""
        spans = list(self._spans)
        if self._since is not None:
            spans.append((self._since, end, self._reason.text))
        elif self.last is not None and self.last < end and now - self.last > self._gap:
            spans.append((self.last, end, _silence(now - self.last)))
        if start < self._begun:
            spans.insert(0, (start, self._begun, "not watched yet"))
        cut = [(max(since, start), min(until, end), why) for since, until, why in spans]
        return [span for span in cut if span[0] < span[1]]

    def _end(self, since: float, until: float, reason: str) -> None:
        spans = self._spans
        while spans and spans[0][1] < until - self._seconds:
            spans.popleft()
        if len(spans) >= MAX_SPANS:
            since, _, reason = spans.pop()
        spans.append((since, until, reason))


class _Reason:
    __slots__ = ("firm", "text")

    def __init__(self, text: str, firm: bool) -> None:
        self.text = text
        self.firm = firm


def _silence(seconds: float) -> str:
    return f"no picture came for {seconds:.1f} s"

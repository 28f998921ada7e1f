"""The newest events, in memory: what the dashboard lists. Nothing here survives the process."""

from collections import deque
from collections.abc import Callable

import msgspec

KEPT = 500
"""Events kept; at a few hundred bytes each that is a fraction of one camera frame's memory per camera."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    :ivar sequence: 1 for the first event since the start, then one more for each.
    :ivar time: Unix seconds.
    :ivar kind: a stable name for programs: `door.opened`, `camera.offline`.
    :ivar subject: the id of the door or camera, or None.
    :ivar actor: who did it, or None if nobody did.
    :ivar outcome: `ok`, `alarm`, or an error's code.
    :ivar text: one sentence for people, without secrets.
    """

    sequence: int
    time: float
    kind: str
    subject: str | None
    actor: str | None
    outcome: str
    text: str


class Journal:
    """The newest events and whoever wants to hear of the next.

    :param wall: Unix seconds now.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._sequence = 0
        self._observers: list[Callable[[Event], None]] = []

    def record(
        self, kind: str, text: str, *, subject: str | None = None, actor: str | None = None, outcome: str = "ok"
    ) -> Event:
        """Add an event and tell the observers."""
        self._sequence += 1
        event = Event(
            sequence=self._sequence,
            time=self._wall(),
            kind=kind,
            subject=subject,
            actor=actor,
            outcome=outcome,
            text=text,
        )
        self._events.append(event)
        for observer in tuple(self._observers):
            observer(event)
        return event

    def recent(self) -> tuple[Event, ...]:
        """Return the newest events, oldest first."""
        return tuple(self._events)

    def observe(self, observer: Callable[[Event], None]) -> None:
        """Call `observer` with each event from now on."""
        self._observers.append(observer)

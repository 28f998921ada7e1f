"""The one session that runs, or none: who may start what, when it ends by itself, and where a sample belongs.

    idle --start--> starting --stored--> running --stop, time--> ending --stored--> idle
                    starting --failed--> idle

Decides only: `now` is monotonic seconds, wall times come in beside it. A session counts from the moment at which it was
asked for, and takes samples once it is stored. It ends in memory at once and for all; storing that is tried until it
succeeds, and a restart finishes it. What a laptop kept while its network was away comes late, with its age, and belongs
to the session in which it was measured, also for `LATE` seconds after the end.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from gatekeeper.errors import Busy, Conflict

LATE: Final = 120.0
"""Seconds after its end in which a session takes what was measured in it: laptops dial again within some seconds."""


class State(StrEnum):
    """What there is."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"


class Outcome(StrEnum):
    """How a session ended; `running` while it hasn't."""

    RUNNING = "running"
    COMPLETED = "completed"  # its time was over
    STOPPED = "stopped"  # somebody stopped it
    INTERRUPTED = "interrupted"  # the server was away when its time was over


class Unrecorded(Exception):
    """A sample that nobody wants kept: no session runs, and the master tap is closed."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session, of all teams.

    :ivar frequency: hertz of the shaking table.
    :ivar started: Unix seconds; `stopped` likewise, None while it runs.
    :ivar duration: seconds that it may last.
    :ivar attempt: how often this frequency was tried with this category, this time included.
    :ivar gaps: from and to, in its seconds, where the server was away.
    """

    id: int
    frequency: float
    category: str
    started: float
    duration: float
    attempt: int = 1
    outcome: Outcome = Outcome.RUNNING
    stopped: float | None = None
    gaps: tuple[tuple[float, float], ...] = ()

    @property
    def length(self) -> float:
        """Seconds that it lasted, or may last."""
        return self.duration if self.stopped is None else max(0.0, self.stopped - self.started)

    @property
    def is_partial(self) -> bool:
        """Whether something of its time is missing."""
        return self.outcome not in (Outcome.RUNNING, Outcome.COMPLETED) or bool(self.gaps)


@dataclass(frozen=True, slots=True)
class Wish:
    """A session that was asked for; `at` is monotonic, `started` Unix seconds."""

    frequency: float
    category: str
    duration: float
    at: float
    started: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample belongs.

    :ivar session: None in free mode.
    :ivar elapsed: seconds of the session at which it was measured; None in free mode.
    :ivar late: whether that session is over.
    """

    session: int | None
    elapsed: float | None
    late: bool = False


FREE: Final = Place(None, None)


@dataclass(slots=True)
class Sessions:
    """The course of sessions.

    :ivar category: of the next session, and of what comes in free mode.
    :ivar tap: whether samples are kept while no session runs.
    :ivar current: what runs or is ending; `last` what ended before, while it still takes late samples.
    """

    category: str
    tap: bool = False
    state: State = State.IDLE
    current: Session | None = None
    last: Session | None = None
    _wish: Wish | None = None
    _origin: float = 0.0  # monotonic second 0 of the current session
    _last_origin: float = field(default=0.0)

    # --- start ---

    def start(self, frequency: float, category: str, duration: float, now: float, wall: float) -> Wish:
        """Return what is to be stored; `started` or `failed` follows.

        :raises Conflict: if a session runs; Busy if one is just being started or ended.
        """
        if self.state is State.RUNNING and self.current is not None:
            raise Conflict(f"session {self.current.id} is running: stop it first")
        if self.state is not State.IDLE:
            raise Busy(f"a session is {self.state}: try again in a moment")
        self.state = State.STARTING
        self._wish = Wish(frequency, category, duration, now, wall)
        return self._wish

    def started(self, session: Session) -> None:
        """Begin: the session is stored."""
        assert self._wish is not None  # noqa: S101 - only after `start`
        self.current, self.category = session, session.category
        self.state, self._origin, self._wish = State.RUNNING, self._wish.at, None

    def failed(self) -> None:
        """Forget what was asked for: it could not be stored."""
        self.state, self._wish = State.IDLE, None

    # --- end ---

    def elapsed(self, now: float) -> float | None:
        """Return the seconds of the session that runs, never more than it lasts; None if none runs."""
        if self.state is not State.RUNNING or self.current is None:
            return None
        return min(max(0.0, now - self._origin), self.current.duration)

    def left(self, now: float) -> float | None:
        """Return the seconds until the session that runs ends by itself; None if none runs."""
        elapsed = self.elapsed(now)
        return None if elapsed is None or self.current is None else self.current.duration - elapsed

    def stop(self, now: float) -> Session:
        """End the session that runs, by somebody's wish; return it as it is to be stored.

        :raises Conflict: if none runs.
        """
        elapsed = self.elapsed(now)
        if elapsed is None or self.current is None:
            raise Conflict("no session is running")
        whole = elapsed >= self.current.duration
        return self._end(Outcome.COMPLETED if whole else Outcome.STOPPED, elapsed)

    def expire(self, now: float) -> Session | None:
        """End the session whose time is over; return it as it is to be stored, or None if there is none."""
        left = self.left(now)
        if left is None or left > 0 or self.current is None:
            return None
        return self._end(Outcome.COMPLETED, self.current.duration)

    def _end(self, outcome: Outcome, elapsed: float) -> Session:
        assert self.current is not None  # noqa: S101 - its callers know
        self.current = replace(self.current, outcome=outcome, stopped=self.current.started + elapsed)
        self.state = State.ENDING
        return self.current

    def ended(self) -> None:
        """The end is stored."""
        self.last, self.current = self.current, None
        self._last_origin = self._origin
        self.state = State.IDLE

    # --- after a restart ---

    def resume(self, session: Session, now: float, wall: float, last: float) -> Session:
        """Take up what ran when the server went; return it as it is to be stored: running, or over.

        :param last: its second of the last sample that is stored, 0 if there is none.
        """
        gone = max(0.0, wall - session.started)
        self.category, self._origin = session.category, now - gone
        gap = (last, min(gone, session.duration))
        session = replace(session, gaps=(*session.gaps, gap) if gap[1] > gap[0] else session.gaps)
        if gone < session.duration:
            self.state, self.current = State.RUNNING, session
            return session
        session = replace(session, outcome=Outcome.INTERRUPTED, stopped=session.started + session.duration)
        self.remember(session, now, wall)
        return session

    def remember(self, session: Session, now: float, wall: float) -> None:
        """Take late samples for a session that ended before the server went."""
        self.last, self._last_origin = session, now - (wall - session.started)

    # --- samples ---

    def place(self, now: float, age: float = 0.0) -> Place:
        """Return where a sample belongs that came now and was measured `age` seconds ago.

        :raises Unrecorded: if nobody wants it kept.
        """
        taken = now - age
        if self.current is not None and self.state in (State.RUNNING, State.ENDING):
            elapsed = taken - self._origin
            # Without an age it was measured now: a session that ended a moment ago has nothing of it.
            if 0 <= elapsed <= self.current.length and (self.state is State.RUNNING or age > 0):
                return Place(self.current.id, elapsed, self.state is State.ENDING)
        if self.last is not None and age > 0:
            elapsed = taken - self._last_origin
            if 0 <= elapsed <= self.last.length and now - self._last_origin <= self.last.length + LATE:
                return Place(self.last.id, elapsed, late=True)
        if self.tap:
            return FREE
        raise Unrecorded

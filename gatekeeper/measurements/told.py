"""What callers are told of measurements: structs, the same over every wire."""

import msgspec

from gatekeeper.measurements.chart import Column
from gatekeeper.measurements.session import Session
from gatekeeper.measurements.statistics import RunStatistics


class TeamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One team now.

    :ivar name: in the category that holds.
    :ivar last: Unix seconds of the newest sample that was taken in since the start; None before the first.
    :ivar heard: the same of the newest sample that came at all: while nothing is recorded it tells that the laptop
        measures.
    :ivar samples: in the session that runs, or the last one in memory.
    :ivar collapsed: second of that session at which its tower fell.
    """

    team: int
    name: str
    last: float | None
    heard: float | None
    samples: int
    collapsed: float | None


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One session.

    :ivar frequency: hertz of the table; `started` and `stopped`: Unix seconds; `duration`: seconds that it may last.
    :ivar attempt: how often this frequency was tried with this category, from 1.
    :ivar outcome: `running`, `completed` (its time was over), `stopped` (by somebody), `interrupted` (the server was
        away at its end).
    :ivar partial: whether something of its time is missing; `length` its seconds, `gaps` from and to in these seconds,
        where the server was away.
    """

    id: int
    frequency: float
    category: str
    started: float
    stopped: float | None
    duration: float
    length: float
    attempt: int
    outcome: str
    partial: bool
    gaps: tuple[tuple[float, float], ...]


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One team in one session.

    :ivar collapsed: second at which its tower fell; None if it stands.
    :ivar statistics: None where there were no samples.
    """

    team: int
    name: str
    collapsed: float | None
    statistics: RunStatistics | None


class SessionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A session with the runs that one may view."""

    session: SessionStatus
    runs: tuple[RunStatus, ...]


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, the newest first; `next` goes into `before`, and is None at the end."""

    sessions: tuple[SessionDetails, ...]
    next: int | None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Samples since the start.

    :ivar taken: that came in; `stored` of them are new, `again` were stored before, `failed` could not be.
    :ivar unrecorded: that nobody wanted kept; `refused`: that were none, by the error's code.
    :ivar waiting: that aren't stored yet; `paused`: whether senders are held back.
    """

    taken: int
    stored: int
    again: int
    failed: int
    unrecorded: int
    refused: dict[str, int]
    waiting: int
    paused: bool


class MeasurementStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment.

    :ivar time: Unix seconds now, by the clock that everything here is in.
    :ivar state: `idle`, `starting`, `running` or `ending`.
    :ivar session: that runs, or is ending; `elapsed` and `left` in seconds, while it runs.
    :ivar last: that ended before.
    :ivar tap: whether samples are kept while no session runs (free mode).
    """

    time: float
    state: str
    session: SessionStatus | None
    elapsed: float | None
    left: float | None
    last: SessionStatus | None
    category: str
    tap: bool
    duration: float
    categories: tuple[str, ...]
    frequencies: tuple[float, ...]
    teams: tuple[TeamStatus, ...]
    counts: Counts


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A run for a chart: of each point the samples in which it was detected, thinned out with peaks kept."""

    session: SessionStatus
    team: int
    samples: int
    a: Column
    b: Column


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of samples: all that are `stored` were committed before this was said.

    :ivar unrecorded: the numbers, or places from 0 where there are none, of those that nobody wanted kept.
    """

    stored: int
    unrecorded: tuple[int, ...] = ()


def status_of(session: Session) -> SessionStatus:
    """Return a session for callers."""
    return SessionStatus(
        id=session.id,
        frequency=session.frequency,
        category=session.category,
        started=session.started,
        stopped=session.stopped,
        duration=session.duration,
        length=session.length,
        attempt=session.attempt,
        outcome=session.outcome.value,
        partial=session.is_partial,
        gaps=session.gaps,
    )

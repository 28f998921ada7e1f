"""Measurements in the database: sessions, runs, and samples, each of which is stored once however often it is sent.

Every function works in the transaction that it is given and may be run again before that is committed. There is one
writer at a time (`writer.py`), so what is looked up here is still so when it is written; the unique index on sender and
number holds it to that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from gatekeeper.storage import rows
from gatekeeper.storage.tables import measurement_runs as runs
from gatekeeper.storage.tables import measurement_senders as senders
from gatekeeper.storage.tables import measurement_sessions as sessions
from gatekeeper.storage.tables import samples

PAGE: Final = 5000
"""Samples that are read in one go: 400 KB in memory, some milliseconds."""

SESSIONS: Final = 500
"""Sessions of one answer at most: a contest has a hundred."""

COLUMNS: Final = ("session", "team", "time", "elapsed", "a", "b", "a_detected", "b_detected", "sender", "seq")

Numbered = tuple[int, str]
"""A sender: team and the name that it gave itself."""


class SampleRow(NamedTuple):
    """A sample to be stored; `sender` is its name, and with it `seq` its number there."""

    session: int | None
    team: int
    time: float
    elapsed: float | None
    a: float
    b: float
    a_detected: bool
    b_detected: bool
    sender: str | None = None
    seq: int | None = None


class StoredSample(NamedTuple):
    """A sample as it is kept."""

    id: int
    session: int | None
    team: int
    time: float
    elapsed: float | None
    a: float
    b: float
    a_detected: bool
    b_detected: bool


class SessionRow(NamedTuple):
    """A session as it is kept; see `tables.measurement_sessions`."""

    id: int
    frequency: float
    category: str
    started: float
    stopped: float | None
    duration: float
    attempt: int
    outcome: str
    gaps: list[list[float]] | None


class RunRow(NamedTuple):
    """A run as it is kept."""

    session: int
    team: int
    collapsed: float | None
    statistics: bytes | None


class Ledger(NamedTuple):
    """What is known of senders without a look: their ids, and the highest number of each that is stored."""

    ids: Mapping[Numbered, int]
    highest: Mapping[Numbered, int]


class Added(NamedTuple):
    """What became of rows.

    :ivar new: of each whether it is new; what isn't was stored before.
    :ivar ledger: of the senders that occurred, as it is once this is committed.
    :ivar last: id of the newest sample; 0 if there is none.
    """

    new: list[bool]
    ledger: Ledger
    last: int


# --- samples in ------------------------------------------------------------------------------------------------------


def add(connection: Connection, given: Sequence[SampleRow], known: Ledger, again: int | None = None) -> Added:
    """Store samples, each once.

    :param known: from commits before.
    :param again: id of the newest sample that was known to be stored when these were tried before, and it isn't known
        whether they were; None at the first try.
    """
    ids, highest = dict[Numbered, int](), dict[Numbered, int]()
    there = _numbers(connection, given, known, ids, highest)
    unnumbered = _since(connection, again) if again is not None else set()
    new: list[bool] = []
    kept: list[tuple[Any, ...]] = []
    for row in given:
        if row.sender is None or row.seq is None:
            is_new = not unnumbered or (row.team, row.time, row.a, row.b) not in unnumbered
            number = None
        else:
            who = (row.team, row.sender)
            is_new = row.seq not in there[who]
            there[who].add(row.seq)
            number = ids[who]
            highest[who] = max(highest[who], row.seq)
        new.append(is_new)
        if is_new:
            kept.append((*row[:8], number, row.seq))
    rows.insert(connection, samples, COLUMNS, kept)
    last = connection.execute(_LAST).scalar() if kept or again is not None else again
    return Added(new, Ledger(ids, highest), last or 0)


_LAST = select(func.max(samples.c.id))


def _numbers(
    connection: Connection,
    given: Iterable[SampleRow],
    known: Ledger,
    ids: dict[Numbered, int],
    highest: dict[Numbered, int],
) -> dict[Numbered, set[int]]:
    """Return which of the numbers that occur are stored already, by sender; fill in ids and highest numbers."""
    asked: dict[Numbered, list[int]] = {}
    for row in given:
        if row.sender is not None and row.seq is not None:
            asked.setdefault((row.team, row.sender), []).append(row.seq)
    there: dict[Numbered, set[int]] = {}
    for who, numbers in asked.items():
        ids[who] = known.ids[who] if who in known.ids else _sender(connection, who)
        top = known.highest.get(who)
        if top is None:
            top = connection.execute(_HIGHEST, {"who": ids[who]}).scalar()
            top = -1 if top is None else top
        highest[who] = top
        low, high = min(numbers), max(numbers)
        there[who] = set()
        if low <= top:
            wanted = samples.c.sender == ids[who], samples.c.seq >= low, samples.c.seq <= high
            there[who].update(connection.scalars(select(samples.c.seq).where(*wanted)))
    return there


def _sender(connection: Connection, who: Numbered) -> int:
    team, name = who
    found = connection.scalar(select(senders.c.id).where(senders.c.team == team, senders.c.name == name))
    if found is None:
        found = _key(connection.execute(insert(senders).values(team=team, name=name)))
    return int(found)


_HIGHEST = select(func.max(samples.c.seq)).where(samples.c.sender == bindparam("who"))


def _key(result: Any) -> int:
    """Return the number that a row got."""
    return int(result.inserted_primary_key[0])


def _since(connection: Connection, after: int) -> set[tuple[int, float, float, float]]:
    columns = (samples.c.team, samples.c.time, samples.c.a, samples.c.b)
    found = connection.execute(select(*columns).where(samples.c.id > after, samples.c.sender.is_(None)))
    return {(row[0], row[1], row[2], row[3]) for row in found}


# --- sessions --------------------------------------------------------------------------------------------------------

_SESSION = tuple(sessions.c[name] for name in SessionRow._fields)


def start(connection: Connection, frequency: float, category: str, started: float, duration: float) -> SessionRow:
    """Store a session that begins; one that is still there as running was left by an accident, and is closed."""
    left = update(sessions).where(sessions.c.outcome == "running")
    connection.execute(left.values(outcome="interrupted", stopped=started))
    before = select(func.count()).where(sessions.c.frequency == frequency, sessions.c.category == category)
    values = {
        "frequency": frequency,
        "category": category,
        "started": started,
        "stopped": None,
        "duration": duration,
        "attempt": (connection.scalar(before) or 0) + 1,
        "outcome": "running",
        "gaps": None,
    }
    number = _key(connection.execute(insert(sessions).values(**values)))
    return SessionRow(id=number, **values)  # type: ignore[arg-type]  # the same columns by name


def save(
    connection: Connection,
    session: int,
    *,
    outcome: str,
    stopped: float | None,
    gaps: Sequence[Sequence[float]],
    statistics: Mapping[int, bytes],
) -> None:
    """Store how a session stands, and the figures of its runs by team."""
    values = {"outcome": outcome, "stopped": stopped, "gaps": [list(gap) for gap in gaps] or None}
    connection.execute(update(sessions).where(sessions.c.id == session).values(**values))
    for team, figures in statistics.items():
        _set(connection, session, team, {"statistics": figures})


def collapse(connection: Connection, session: int, team: int, second: float | None) -> None:
    """Store at which second a run's tower fell, or with None that it didn't."""
    _set(connection, session, team, {"collapsed": second})


def _set(connection: Connection, session: int, team: int, values: Mapping[str, Any]) -> None:
    which = (runs.c.session == session, runs.c.team == team)
    if connection.execute(update(runs).where(*which).values(**values)).rowcount == 0:
        connection.execute(insert(runs).values(session=session, team=team, **values))


def newest(connection: Connection) -> SessionRow | None:
    """Return the session that began last."""
    found = connection.execute(select(*_SESSION).order_by(sessions.c.id.desc()).limit(1)).one_or_none()
    return None if found is None else SessionRow(*found)


def get(connection: Connection, session: int) -> SessionRow | None:
    """Return the session of this id, or None."""
    found = connection.execute(select(*_SESSION).where(sessions.c.id == session)).one_or_none()
    return None if found is None else SessionRow(*found)


def find(
    connection: Connection,
    *,
    frequency: float | None = None,
    category: str | None = None,
    before: int | None = None,
    limit: int = SESSIONS,
) -> list[SessionRow]:
    """Return sessions, the newest first; `before` is the id of one that isn't included any more."""
    wanted = []
    if frequency is not None:
        wanted.append(sessions.c.frequency == frequency)
    if category is not None:
        wanted.append(sessions.c.category == category)
    if before is not None:
        wanted.append(sessions.c.id < before)
    found = select(*_SESSION).where(*wanted).order_by(sessions.c.id.desc()).limit(min(limit, SESSIONS))
    return [SessionRow(*row) for row in connection.execute(found)]


def runs_of(connection: Connection, ids: Sequence[int]) -> list[RunRow]:
    """Return what is kept of the runs of some sessions."""
    columns = (runs.c.session, runs.c.team, runs.c.collapsed, runs.c.statistics)
    wanted = select(*columns).where(runs.c.session.in_(ids)).order_by(runs.c.session, runs.c.team)
    return [RunRow(*row) for row in connection.execute(wanted)]


# --- samples out -----------------------------------------------------------------------------------------------------

_SAMPLE = tuple(samples.c[name] for name in StoredSample._fields)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which samples are wanted.

    :ivar session: of this one; `free`: also those that belong to none.
    :ivar teams: of these; None of all.
    """

    session: int | None = None
    free: bool = True
    teams: tuple[int, ...] | None = None


def page(connection: Connection, wanted: Wanted, after: int = 0, limit: int = PAGE) -> list[StoredSample]:
    """Return the samples after an id, in the order in which they were stored."""
    conditions = [samples.c.id > after]
    if wanted.teams is not None:
        conditions.append(samples.c.team.in_(wanted.teams))
    if wanted.session is not None:
        conditions.append(samples.c.session == wanted.session)
    elif not wanted.free:
        conditions.append(samples.c.session.is_not(None))
    found = select(*_SAMPLE).where(*conditions).order_by(samples.c.id).limit(limit)
    return [StoredSample(*row) for row in connection.execute(found)]


def all_of(connection: Connection, session: int, team: int | None = None) -> Iterator[StoredSample]:
    """Give every sample of a session, or of one run, unsorted."""
    wanted = [samples.c.session == session] + ([samples.c.team == team] if team is not None else [])
    result = connection.execution_options(yield_per=PAGE).execute(select(*_SAMPLE).where(*wanted))
    for row in result:
        yield StoredSample(*row)


def newest_id(connection: Connection) -> int:
    """Return the id of the newest sample, 0 if there is none."""
    return connection.execute(_LAST).scalar() or 0

"""Measurements for callers, whatever wire they come by: who asks → may this one → ask; structs out, errors raised.

An **admin** (an owner, or an operator with a grant on all teams) starts, stops and marks; a **team** (a device or an
operator with a grant on its team) sends for it, and as operator sees it; a **spectator** (a viewer) sees the teams that
were granted, or all. A team that somebody may not view isn't there for them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gatekeeper import decoding
from gatekeeper.access.principal import Principal, check
from gatekeeper.caller import Caller
from gatekeeper.config_measurements import Measurements as Settings
from gatekeeper.errors import AccessDenied, GatekeeperError, InvalidArgument, NoSuchSession
from gatekeeper.measurements import sample as samples
from gatekeeper.measurements.chart import MOST, POINTS, Column, column
from gatekeeper.measurements.course import Course, session_of
from gatekeeper.measurements.intake import Intake, Origin, Receipt, Store
from gatekeeper.measurements.sample import Sample
from gatekeeper.measurements.session import Session, Sessions, Unrecorded
from gatekeeper.measurements.statistics import RunStatistics
from gatekeeper.storage import measurements as rows
from gatekeeper.storage.measurements import RunRow, SampleRow, SessionRow, Wanted
from gatekeeper.uris import Permission

BATCH: Final = 250
"""Samples in one call or request: 50 KB."""

SHOWN: Final = 100
"""Sessions in one answer if nobody asks for another number."""

CLOSED: Final = "no session is running and the master tap is closed: nothing is kept"


class TeamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One team now.

    :ivar name: in the category that holds.
    :ivar last: Unix seconds of the newest sample that was taken in since the start; None before the first.
    :ivar samples: in the session that runs, or the last one in memory.
    :ivar collapsed: second of that session at which its tower fell.
    """

    team: int
    name: str
    last: float | None
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


class StartBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is started: `frequency` in hertz, one of the site's; the category that holds if none is given."""

    frequency: Annotated[float, Meta(gt=0, le=100)]
    category: Annotated[str, Meta(max_length=20)] | None = None


class TapBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether samples are kept while no session runs."""

    open: bool


class CategoryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The category that holds from now on."""

    category: Annotated[str, Meta(max_length=20)]


class CollapseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At which second of the session the tower fell; now, if the session runs and none is given."""

    second: Annotated[float, Meta(ge=0, le=3600)] | None = None


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions: of a frequency and category; `before` is the id of one that isn't included any more."""

    frequency: Annotated[float, Meta(gt=0, le=100)] | None = None
    category: Annotated[str, Meta(max_length=20)] | None = None
    before: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    limit: Annotated[int, Meta(ge=1, le=rows.SESSIONS)] = SHOWN


class ChartQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many points a column has at most."""

    points: Annotated[int, Meta(ge=2, le=MOST)] = POINTS


class Told(Protocol):
    """Whoever is told that something changed: pages and topics."""

    def __call__(self, what: str, session: Session | None) -> None: ...


Recorder = Callable[..., Any]


class Measurements:
    """All of it.

    :param teams: how many there are.
    :param record: `Journal.record`.
    :param told: told what changed: `started`, `ended`, `stored`, `tap`, `category`, `collapsed`.
    """

    log = Logger()

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        intake: Intake,
        course: Course,
        *,
        database: Store,
        reactor: Any,
        wall: Callable[[], float],
        record: Recorder,
        told: Told,
    ) -> None:
        self.settings = settings
        self.sessions = sessions
        self.course = course
        self.intake = intake
        self._database = database
        self._reactor = reactor
        self._wall = wall
        self._record = record
        self._told = told
        self._last: dict[int, float] = {}
        self.unrecorded = 0
        self.refused: Counter[str] = Counter()

    @property
    def teams(self) -> range:
        """Every team."""
        return range(1, self.settings.teams + 1)

    def now(self) -> float:
        """Return Unix seconds now."""
        return self._wall()

    # --- samples ---

    def may_send(self, who: Principal | None, team: int) -> None:
        """Pass if somebody, or nobody, may send for a team.

        :raises NotAuthenticated: if nobody is known and somebody must be; AccessDenied if this somebody may not.
        """
        if not self.settings.open_sending:
            check(who, Permission.MEASUREMENT_SEND, str(team))

    def take(self, found: Sample, origin: Origin) -> None:
        """Take in a sample that somebody may send.

        :raises Unrecorded: if nobody wants it kept; Overloaded if it can't even wait.
        """
        try:
            place = self.sessions.place(self._reactor.seconds(), found.age)
        except Unrecorded:
            self.unrecorded += 1
            raise
        measured = self._wall() - found.age
        self._last[found.team] = measured
        row = SampleRow(
            place.session,
            found.team,
            measured,
            place.elapsed,
            found.a,
            found.b,
            found.a_detected,
            found.b_detected,
            found.sender,
            found.seq,
        )
        self.intake.put(origin, row, place)

    def count_refusal(self, error: GatekeeperError) -> None:
        """Count something that should have been a sample."""
        self.refused[error.code] += 1  # a key per error class

    def send(self, who: Principal | None, given: Any) -> "Deferred[Sent]":
        """Take in samples of one call; fires when they are stored.

        :raises InvalidArgument: if any is none: then nothing is stored.
        """
        try:
            found = self._samples(who, given)
            self.intake.check(len(found))
        except GatekeeperError as error:
            self.count_refusal(error)
            raise
        receipt, unrecorded = Receipt(), []
        for place, one in enumerate(found):
            try:
                self.take(one, receipt)
                receipt.expect()
            except Unrecorded:
                unrecorded.append(one.seq if one.seq is not None else place)
        receipt.complete()
        sent = Sent(stored=len(found) - len(unrecorded), unrecorded=tuple(unrecorded))
        return receipt.done.addCallback(lambda _: sent)

    def _samples(self, who: Principal | None, given: Any) -> list[Sample]:
        if not isinstance(given, list | tuple):
            raise InvalidArgument(f"samples: found {decoding.kind_of(given)}; allowed: a list of samples")
        if not 0 < len(given) <= BATCH:
            raise InvalidArgument(f"samples: found {len(given)}; allowed: 1 to {BATCH}")
        found = []
        for place, fields in enumerate(given):
            try:
                found.append(samples.convert(fields, self.settings.teams))
            except InvalidArgument as error:
                raise InvalidArgument(f"samples[{place}]: {error}") from error
        for team in {one.team for one in found}:
            self.may_send(who, team)
        return found

    # --- the session ---

    def status(self, who: Principal | None) -> MeasurementStatus:
        """Return everything that somebody may view."""
        now = self._reactor.seconds()
        sessions = self.sessions
        shown = sessions.current or sessions.last
        return MeasurementStatus(
            time=self._wall(),
            state=sessions.state.value,
            session=status_of(sessions.current) if sessions.current is not None else None,
            elapsed=sessions.elapsed(now),
            left=sessions.left(now),
            last=status_of(sessions.last) if sessions.last is not None else None,
            category=sessions.category,
            tap=sessions.tap,
            duration=self.settings.duration,
            categories=self.settings.categories,
            frequencies=self.settings.frequencies,
            teams=tuple(self._team(team, shown) for team in self.seen(who)),
            counts=Counts(
                taken=self.intake.taken,
                stored=self.intake.kept,
                again=self.intake.again,
                failed=self.intake.failed,
                unrecorded=self.unrecorded,
                refused=dict(self.refused),
                waiting=self.intake.waiting,
                paused=self.intake.is_paused,
            ),
        )

    def _team(self, team: int, session: Session | None) -> TeamStatus:
        run = self.course.run(session.id, team) if session is not None else None
        return TeamStatus(
            team=team,
            name=self.settings.name_of(team, self.sessions.category),
            last=self._last.get(team),
            samples=run.samples if run is not None else 0,
            collapsed=self.course.collapsed.get(session.id, {}).get(team) if session is not None else None,
        )

    def seen(self, who: Principal | None) -> list[int]:
        """Return the teams that somebody may view; nobody (None) stands for the site itself, which may view all."""
        return [team for team in self.teams if who is None or who.may(Permission.MEASUREMENT_VIEW, str(team))]

    def start(self, who: Principal, given: Mapping[str, Any]) -> "Deferred[MeasurementStatus]":
        """Start a session; fires with the status when it is stored, and runs.

        :raises Conflict: if one runs.
        """
        self._control(who, "start a session")
        body = decoded(given, StartBody)
        if body.frequency not in self.settings.frequencies:
            allowed = ", ".join(f"{one:g}" for one in self.settings.frequencies)
            raise InvalidArgument(f"frequency: found {body.frequency:g}; allowed: one of {allowed}")
        category = self._category(body.category) if body.category is not None else self.sessions.category
        starting = self.course.start(body.frequency, category, self.settings.duration)

        def started(session: Session) -> MeasurementStatus:
            text = f"{who.caller} started session {session.id}: {session.frequency:g} Hz, {session.category}"
            self._tell("measurement.started", text, who.caller, session)
            return self.status(who)

        return starting.addCallback(started)

    def stop(self, who: Principal) -> "Deferred[SessionDetails]":
        """Stop the session that runs; fires with it when its end is stored.

        :raises Conflict: if none runs.
        """
        self._control(who, "stop a session")
        stopping = self.course.stop()

        def stopped(session: Session) -> "Deferred[SessionDetails]":
            text = f"{who.caller} stopped session {session.id} after {session.length:.1f} s"
            self._tell("measurement.stopped", text, who.caller, session)
            return self.session(who, session.id)

        return stopping.addCallback(stopped)

    def tap(self, who: Principal, given: Mapping[str, Any]) -> MeasurementStatus:
        """Open or close the master tap: whether samples are kept while no session runs."""
        self._control(who, "turn the master tap")
        is_open = decoded(given, TapBody).open
        if is_open != self.sessions.tap:
            self.sessions.tap = is_open
            self._told("tap", None)
            kind, verb = ("measurement.tap_opened", "opened") if is_open else ("measurement.tap_closed", "closed")
            self._tell(kind, f"{who.caller} {verb} the master tap", who.caller, None)
        return self.status(who)

    def categorise(self, who: Principal, given: Mapping[str, Any]) -> MeasurementStatus:
        """Set the category that holds while no session runs, and for the next one."""
        self._control(who, "change the category")
        category = self._category(decoded(given, CategoryBody).category)
        if self.sessions.current is not None:
            raise InvalidArgument("category: a session is running, and has one")
        if category != self.sessions.category:
            self.sessions.category = category
            self._told("category", None)
        return self.status(who)

    def collapse(
        self, who: Principal, session: Any, team: Any, given: Mapping[str, Any], *, stands: bool = False
    ) -> "Deferred[SessionDetails]":
        """Mark at which second a tower fell, or that it stands; fires with the session when that is stored."""
        self._control(who, "mark a tower as collapsed")
        second = decoded(given, CollapseBody).second
        number = self._team_of(team)

        def found(details: SessionDetails) -> "Deferred[None]":
            at = None if stands else self._second(details, second)
            return self.course.collapse(details.session.id, number, at).addCallback(lambda _: marked(at))

        def marked(at: float | None) -> None:
            what = "stands" if at is None else f"collapsed at {at:.1f} s"
            text = f"{who.caller} marked that the tower of team {number} {what} in session {session}"
            self._tell("measurement.collapsed", text, who.caller, None, team=number)
            self._told("collapsed", None)

        return self.session(who, session).addCallback(found).addCallback(lambda _: self.session(who, session))

    def _second(self, details: SessionDetails, second: float | None) -> float:
        current = self.sessions.current
        if second is None:
            elapsed = self.sessions.elapsed(self._reactor.seconds())
            if current is None or current.id != details.session.id or elapsed is None:
                raise InvalidArgument("second: missing; the session is over, so say when it was")
            return elapsed
        if second > details.session.length:
            raise InvalidArgument(f"second: found {second:g}; allowed: to {details.session.length:g}, its length")
        return second

    # --- what was ---

    def sessions_of(self, who: Principal, query: SessionQuery) -> "Deferred[SessionPage]":
        """Return past sessions with their runs, the newest first; the one that runs stands among them."""
        seen = self.seen(who)

        def look(connection: Connection) -> tuple[list[SessionRow], list[RunRow]]:
            found = rows.find(
                connection,
                frequency=query.frequency,
                category=query.category,
                before=query.before,
                limit=query.limit,
            )
            return found, rows.runs_of(connection, [row.id for row in found])

        def shown(found: tuple[list[SessionRow], list[RunRow]]) -> SessionPage:
            some, runs = found
            details = tuple(self._details(row, [run for run in runs if run.session == row.id], seen) for row in some)
            return SessionPage(sessions=details, next=some[-1].id if len(some) == query.limit else None)

        return self._database.read(look).addCallback(shown)

    def session(self, who: Principal | None, session: Any) -> "Deferred[SessionDetails]":
        """Return one session with its runs.

        :raises NoSuchSession: through the Deferred, if there is none of this id.
        """
        number, seen = number_of("session", session), self.seen(who)

        def look(connection: Connection) -> tuple[SessionRow | None, list[RunRow]]:
            return rows.get(connection, number), rows.runs_of(connection, [number])

        def shown(found: tuple[SessionRow | None, list[RunRow]]) -> SessionDetails:
            row, runs = found
            if row is None:
                raise NoSuchSession(f"there is no session {number}")
            return self._details(row, runs, seen)

        return self._database.read(look).addCallback(shown)

    def _details(self, row: SessionRow, runs: Sequence[RunRow], seen: Iterable[int]) -> SessionDetails:
        current = self.sessions.current
        kept = {run.team: run for run in runs}
        is_current = current is not None and current.id == row.id
        live = {team: run.statistics() for team, run in self.course.runs(row.id).items()} if is_current else {}
        shown = []
        for team in seen:
            run = kept.get(team)
            figures = live.get(team)
            if figures is None and run is not None and run.statistics is not None:
                figures = msgspec.json.decode(run.statistics, type=RunStatistics)
            if figures is not None or run is not None:
                shown.append(
                    RunStatus(
                        team=team,
                        name=self.settings.name_of(team, row.category),
                        collapsed=run.collapsed if run is not None else None,
                        statistics=figures,
                    )
                )
        session = current if is_current and current is not None else session_of(row)
        return SessionDetails(session=status_of(session), runs=tuple(shown))

    def statistics(self, who: Principal) -> list[RunStatistics]:
        """Return the figures of the session that runs, as they were told last; of the last one, if none runs."""
        current, last = self.sessions.current, self.sessions.last
        found: Mapping[int, RunStatistics] = {}
        if current is not None:
            found = {team: run.statistics() for team, run in self.course.runs(current.id).items()}
            found = {**found, **self.course.live}
        elif last is not None:
            found = self.course.final.get(last.id, {})
        return [found[team] for team in self.seen(who) if team in found]

    def chart(self, who: Principal, session: Any, team: Any, points: int = POINTS) -> "Deferred[Chart]":
        """Return a run as columns for a chart."""
        number = self._team_of(team)
        check(who, Permission.MEASUREMENT_VIEW, str(number))
        if not isinstance(points, int) or isinstance(points, bool) or not 2 <= points <= MOST:
            raise InvalidArgument(f"points: found {decoding.show(points)}; allowed: a whole number from 2 to {MOST}")

        def look(connection: Connection, session: int) -> tuple[int, Column, Column]:
            times_a: list[float] = []
            times_b: list[float] = []
            values_a: list[float] = []
            values_b: list[float] = []
            count = 0
            found = [row for row in rows.all_of(connection, session, number) if row.elapsed is not None]
            for row in sorted(found, key=lambda row: (row.elapsed, row.id)):
                count += 1
                if row.a_detected:
                    times_a.append(row.elapsed or 0.0)
                    values_a.append(row.a)
                if row.b_detected:
                    times_b.append(row.elapsed or 0.0)
                    values_b.append(row.b)
            return count, column(times_a, values_a, points), column(times_b, values_b, points)

        def read(details: SessionDetails) -> "Deferred[Chart]":
            reading = self._database.read(partial(look, session=details.session.id))
            return reading.addCallback(
                lambda found: Chart(session=details.session, team=number, samples=found[0], a=found[1], b=found[2])
            )

        return self.session(who, session).addCallback(read)

    def wanted(self, who: Principal, session: int | None, team: int | None) -> Wanted:
        """Return which samples an export for somebody may hold.

        :raises AccessDenied: if the team isn't theirs to view.
        """
        if team is not None:
            check(who, Permission.MEASUREMENT_VIEW, str(self._team_of(team)))
            return Wanted(session=session, teams=(team,))
        seen = tuple(self.seen(who))
        return Wanted(session=session, teams=None if len(seen) == len(self.teams) else seen)

    # --- within ---

    def _team_of(self, team: Any) -> int:
        number = number_of("team", team)
        if number not in self.teams:
            raise InvalidArgument(f"team: found {number}; allowed: a whole number from 1 to {self.settings.teams}")
        return number

    def _category(self, category: str) -> str:
        if category not in self.settings.categories:
            raise InvalidArgument(
                f"category: found {decoding.show(category)}; {decoding.choices(category, self.settings.categories)}"
            )
        return category

    def _control(self, who: Principal, what: str) -> None:
        """Pass if somebody may do what concerns all teams; a refusal is recorded."""
        try:
            check(who, Permission.MEASUREMENT_CONTROL, "*")
        except AccessDenied as error:
            self.denied(who.caller, what, error)
            raise

    def denied(self, caller: Caller, what: str, error: GatekeeperError) -> None:
        """Record that somebody was not let."""
        text = f"{caller} could not {what}: {error}"
        self._record("measurement.refused", text, caller=caller, outcome=error.code, reason=str(error))

    def _tell(self, kind: str, text: str, caller: Caller, session: Session | None, team: int | None = None) -> None:
        details: dict[str, Any] = {"session": session.id} if session is not None else {}
        self._record(kind, text, subject=str(team) if team is not None else None, caller=caller, details=details)


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


def decoded(given: Mapping[str, Any], to: Any) -> Any:
    """Return named arguments as a struct.

    :raises InvalidArgument: if they are none.
    """
    try:
        return msgspec.convert(dict(given), to)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), to, noun="argument")) from error


def number_of(name: str, value: Any) -> int:
    """Return a whole number from 1, which may stand as text in a path.

    :raises InvalidArgument: if it is none.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2**53:
        raise InvalidArgument(f"{name}: found {decoding.show(value)}; allowed: a whole number from 1")
    return value

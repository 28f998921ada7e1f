"""Measurements for callers, whatever wire they come by: who asks → may this one → ask; structs out, errors raised.

An **admin** (an owner, or an operator with a grant on all teams) starts, stops and marks; a **team** (a device or an
operator with a grant on its team) sends for it, and as operator sees it; a **spectator** (a viewer) sees the teams that
were granted, or all. A team that somebody may not view isn't there for them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gatekeeper import decoding
from gatekeeper.access.principal import Principal, check
from gatekeeper.caller import Caller
from gatekeeper.config_measurements import Measurements as Settings
from gatekeeper.errors import AccessDenied, GatekeeperError, InvalidArgument
from gatekeeper.measurements import sample as samples
from gatekeeper.measurements.asked import CategoryBody, CollapseBody, StartBody, TapBody, decoded
from gatekeeper.measurements.course import Course
from gatekeeper.measurements.intake import Intake, Origin, Receipt, Store
from gatekeeper.measurements.past import Past
from gatekeeper.measurements.sample import Sample
from gatekeeper.measurements.session import Session, Sessions, Unrecorded
from gatekeeper.measurements.told import Counts, MeasurementStatus, Sent, SessionDetails, TeamStatus, status_of
from gatekeeper.storage.measurements import SampleRow
from gatekeeper.uris import Permission

BATCH: Final = 250
"""Samples in one call or request: 50 KB."""

CLOSED: Final = "no session is running and the master tap is closed: nothing is kept"


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
        self.past = Past(settings, sessions, course, database)
        self._reactor = reactor
        self._wall = wall
        self._record = record
        self._told = told
        self._last: dict[int, float] = {}
        self._heard: dict[int, float] = {}
        self.unrecorded = 0
        self.refused: Counter[str] = Counter()

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
        measured = self._heard[found.team] = self._wall() - found.age
        try:
            place = self.sessions.place(self._reactor.seconds(), found.age)
        except Unrecorded:
            self.unrecorded += 1
            raise
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
            teams=tuple(self._team(team, shown) for team in self.past.seen(who)),
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
            heard=self._heard.get(team),
            samples=run.samples if run is not None else 0,
            collapsed=self.course.collapsed.get(session.id, {}).get(team) if session is not None else None,
        )

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
            return self.past.session(who, session.id)

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
        number = self.past.team_of(team)

        def found(details: SessionDetails) -> "Deferred[None]":
            at = None if stands else self._second(details, second)
            return self.course.collapse(details.session.id, number, at).addCallback(lambda _: marked(at))

        def marked(at: float | None) -> None:
            what = "stands" if at is None else f"collapsed at {at:.1f} s"
            text = f"{who.caller} marked that the tower of team {number} {what} in session {session}"
            self._tell("measurement.collapsed", text, who.caller, None, team=number)
            self._told("collapsed", None)

        return self.past.session(who, session).addCallback(found).addCallback(lambda _: self.past.session(who, session))

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

    # --- within ---

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

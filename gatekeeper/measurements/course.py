"""Sessions as they run: the server's timer, what is stored of them, and the figures of their runs, live and final.

`session.py` decides, this file waits and stores. A session that ended is stored as ended once all its samples are;
while the database is away that is tried again, and a restart finishes it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.errors import Conflict, StorageUnavailable
from gatekeeper.measurements.intake import Entry, Intake, Store
from gatekeeper.measurements.session import LATE, Outcome, Session, Sessions, State
from gatekeeper.measurements.statistics import Run, RunStatistics, Series, dominant
from gatekeeper.storage import measurements as rows
from gatekeeper.storage.measurements import SessionRow

LIVE: Final = 1.0
"""Seconds between live figures: a person reads no faster."""

WINDOW: Final = 10.0
"""Seconds, the last, whose frequency is told live: 15 periods of the slowest table, and it follows a change."""

RETRY: Final = 1.0
"""Seconds until storing an end is tried again."""

DEBOUNCE: Final = 1.0
"""Seconds after a late sample until final figures are made anew, with all the others that come late."""

T = TypeVar("T")
Runs = dict[int, Run]


class Thread(Protocol):
    """Where what takes milliseconds is computed: `evidence.disk.DiskThread`."""

    def run(self, work: Callable[[], T]) -> "Deferred[T]": ...

    def stop(self) -> None: ...


class Course:
    """The session that runs, and what ended just before.

    :param changed: told that something is otherwise: a session started or ended.
    :param figures: told live figures, by team.
    :ivar collapsed: second at which a tower fell, by session and team, of sessions in memory.
    """

    log = Logger()

    def __init__(
        self,
        sessions: Sessions,
        intake: Intake,
        *,
        database: Store,
        reactor: Any,
        wall: Callable[[], float],
        thread: Thread,
        changed: Callable[[Session], None],
        figures: Callable[[Mapping[int, RunStatistics]], None],
    ) -> None:
        self.sessions = sessions
        self._intake = intake
        self._database = database
        self._reactor = reactor
        self._wall = wall
        self._thread = thread
        self._changed = changed
        self._figures = figures
        self._runs: dict[int, Runs] = {}
        self._dirty: set[int] = set()  # teams whose live figures are old
        self._stale: set[int] = set()  # sessions whose final figures are
        self._computing = False
        self.collapsed: dict[int, dict[int, float]] = {}
        self.final: dict[int, dict[int, RunStatistics]] = {}
        self.live: dict[int, RunStatistics] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._ending: list[Deferred[Session]] = []
        self._stopped = False

    # --- start of the site ---

    def load(self, connection: Connection) -> "Callable[[], None]":
        """Read what ran, or ended, when the server went; return what takes it up."""
        newest = rows.newest(connection)
        last = rows.newest_id(connection)
        if newest is None:
            return lambda: self._intake.begin(last)
        runs: Runs = {}
        is_recent = newest.stopped is None or self._wall() - newest.stopped <= LATE
        for row in rows.all_of(connection, newest.id) if is_recent else ():
            if row.elapsed is not None:
                _run(runs, row.team).add(row.elapsed, row.a, row.b, row.a_detected, row.b_detected)
        kept = {run.team: run.collapsed for run in rows.runs_of(connection, [newest.id]) if run.collapsed is not None}

        def take_up() -> None:
            self._intake.begin(last)
            self.collapsed[newest.id] = {team: second for team, second in kept.items() if second is not None}
            self._runs[newest.id] = runs
            self._take_up(session_of(newest))

        return take_up

    def _take_up(self, session: Session) -> None:
        now, wall = self._reactor.seconds(), self._wall()
        if session.outcome is not Outcome.RUNNING:
            self.sessions.category = session.category
            self.sessions.remember(session, now, wall)
            return
        newest = max((run.statistics().last or 0.0 for run in self._runs[session.id].values()), default=0.0)
        session = self.sessions.resume(session, now, wall, newest)
        if session.outcome is Outcome.RUNNING:
            self.log.info("session {id} goes on where it was", id=session.id)
            self._store(session, {}).addErrback(self._log)
            self._arm()
        else:
            self.log.warn("session {id} ended while the server was away", id=session.id)
            self._figure_out(session).addCallback(partial(self._store, session)).addErrback(self._log)

    # --- start and end of a session ---

    def start(self, frequency: float, category: str, duration: float) -> "Deferred[Session]":
        """Start a session; fires with it when it is stored, and runs."""
        now, wall = self._reactor.seconds(), self._wall()
        wish = self.sessions.start(frequency, category, duration, now, wall)

        def store(connection: Connection) -> SessionRow:
            return rows.start(connection, wish.frequency, wish.category, wish.started, wish.duration)

        def started(row: SessionRow) -> Session:
            session = session_of(row)
            self.sessions.started(session)
            self._forget()
            self._runs[session.id] = {}
            self.live = {}
            self._arm()
            self._changed(session)
            return session

        def failed(failure: Failure) -> Failure:
            self.sessions.failed()
            return failure

        return self._database.write(store).addCallbacks(started, failed)

    def stop(self) -> "Deferred[Session]":
        """End the session that runs; fires with it when that is stored.

        :raises Conflict: if none runs.
        """
        return self._end(self.sessions.stop(self._reactor.seconds()))

    def _expire(self) -> None:
        self._timers.pop("end", None)
        session = self.sessions.expire(self._reactor.seconds())
        if session is not None:
            self._end(session).addErrback(self._log)
        else:
            self._arm()

    def _arm(self) -> None:
        left = self.sessions.left(self._reactor.seconds())
        if left is not None and not self._stopped:
            self._later("end", left, self._expire)
            if "live" not in self._timers:
                self._later("live", LIVE, self._tick)

    def _end(self, session: Session) -> "Deferred[Session]":
        self._cancel("end")
        waiter: Deferred[Session] = Deferred(lambda _: None)
        self._ending.append(waiter)
        self._changed(session)
        self._finish()
        return waiter

    def _finish(self) -> None:
        """Store the end once every sample of it is stored; as often as it takes."""
        session = self.sessions.current
        if session is None or self.sessions.state is not State.ENDING or self._stopped:
            return

        def stored(_: Any) -> None:
            self.sessions.ended()
            waiters, self._ending = self._ending, []
            self._changed(session)
            self._look_for_late()
            for waiter in waiters:
                if not waiter.called:
                    waiter.callback(session)

        def failed(failure: Failure) -> None:
            if failure.check(StorageUnavailable) is None:
                self.log.failure("the end of session {id} can't be stored", failure, id=session.id)
            self._later("finish", RETRY, self._finish)

        settled: Deferred[Any] = self._intake.settled()
        settled.addCallback(lambda _: self._figure_out(session))
        settled.addCallback(lambda final: self._store(session, final)).addCallbacks(stored, failed)
        settled.addErrback(self._log)

    def _store(self, session: Session, final: Mapping[int, RunStatistics]) -> "Deferred[None]":
        figures = {team: msgspec.json.encode(one) for team, one in final.items()}
        save = partial(
            rows.save,
            session=session.id,
            outcome=session.outcome.value,
            stopped=session.stopped,
            gaps=session.gaps,
            statistics=figures,
        )
        return self._database.write(save)

    # --- samples and figures ---

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in samples that are stored."""
        for entry in entries:
            row = entry.row
            if row.session is None or row.elapsed is None or row.session not in self._runs:
                continue
            _run(self._runs[row.session], row.team).add(row.elapsed, row.a, row.b, row.a_detected, row.b_detected)
            self._dirty.add(row.team)
            if entry.late:
                self._stale.add(row.session)
        self._look_for_late()

    def _look_for_late(self) -> None:
        last = self.sessions.last
        if last is not None and last.id in self._stale and "late" not in self._timers and not self._stopped:
            self._later("late", DEBOUNCE, self._renew)

    def run(self, session: int, team: int) -> Run | None:
        """Return a run of a session that is in memory."""
        return self._runs.get(session, {}).get(team)

    def runs(self, session: int) -> Mapping[int, Run]:
        """Return the runs of a session, none if it isn't in memory."""
        return self._runs.get(session, {})

    def _renew(self) -> None:
        """Make the final figures anew with what came late."""
        self._timers.pop("late", None)
        session = self.sessions.last
        if session is None or self._stopped:
            return
        self._stale.discard(session.id)
        done = self._figure_out(session).addCallback(lambda final: self._store(session, final))
        done.addCallback(lambda _: self._changed(session))

        def failed(failure: Failure) -> None:
            failure.trap(StorageUnavailable)
            self._stale.add(session.id)
            self._later("late", RETRY, self._renew)

        done.addErrback(failed).addErrback(self._log)

    def _figure_out(self, session: Session) -> "Deferred[dict[int, RunStatistics]]":
        """Compute the final figures of every run, in the thread, from copies."""
        runs = self._runs.get(session.id, {})
        given = {team: (run.motions(), run.statistics) for team, run in runs.items()}
        plain = {team: statistics() for team, (_, statistics) in given.items()}
        motions = {team: pair for team, (pair, _) in given.items()}

        def taken(found: "dict[int, tuple[Motion, Motion]]") -> dict[int, RunStatistics]:
            final = {team: with_motions(plain[team], *found[team]) for team in plain}
            self.final[session.id] = final
            return final

        return self._thread.run(partial(_motions, motions)).addCallback(taken)

    def _tick(self) -> None:
        """Tell live figures of the teams that sent something."""
        self._timers.pop("live", None)
        current = self.sessions.current
        if current is None or self._stopped:
            return
        self._later("live", LIVE, self._tick)
        runs = {team: run for team, run in self.runs(current.id).items() if team in self._dirty}
        if self._computing or not runs:
            return
        self._computing = True
        self._dirty -= runs.keys()
        plain = {team: run.statistics() for team, run in runs.items()}
        motions = {team: run.motions(WINDOW) for team, run in runs.items()}

        def told(found: "dict[int, tuple[Motion, Motion]]") -> None:
            figures = {team: with_motions(plain[team], *found[team]) for team in plain}
            if self.sessions.current is not None and self.sessions.current.id == current.id:
                self.live.update(figures)
            self._figures(figures)

        def done(_: Any) -> None:
            self._computing = False

        self._thread.run(partial(_motions, motions)).addCallback(told).addErrback(self._log).addBoth(done)

    def collapse(self, session: int, team: int, second: float | None) -> "Deferred[None]":
        """Store at which second a tower fell."""

        def stored(_: None) -> None:
            if session in self._runs:
                known = self.collapsed.setdefault(session, {})
                if second is None:
                    known.pop(team, None)
                else:
                    known[team] = second

        return self._database.write(partial(rows.collapse, session=session, team=team, second=second)).addCallback(
            stored
        )

    def _forget(self) -> None:
        """Keep the session before, which may still get late samples, and none before that."""
        last = self.sessions.last
        for known in (self._runs, self.collapsed, self.final):
            for number in [number for number in known if last is None or number != last.id]:
                del known[number]

    # --- timers ---

    def _later(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._reactor.callLater(max(0.0, seconds), work)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.active():
            timer.cancel()

    def close(self) -> None:
        """Wait for nothing more: a session that runs goes on after the restart."""
        self._stopped = True
        for name in tuple(self._timers):
            self._cancel(name)
        waiters, self._ending = self._ending, []
        for waiter in waiters:
            if not waiter.called:
                waiter.errback(StorageUnavailable("the site is stopping; the end is stored after its restart"))

    def _log(self, failure: Failure) -> None:
        if failure.check(StorageUnavailable, Conflict) is None:
            self.log.failure("a session's figures could not be made or stored", failure)


Motion = tuple[float, float] | None


def _motions(series: "Mapping[int, tuple[Series, Series]]") -> "dict[int, tuple[Motion, Motion]]":
    return {team: (dominant(*a), dominant(*b)) for team, (a, b) in series.items()}


def with_motions(plain: RunStatistics, a: Motion, b: Motion) -> RunStatistics:
    """Return figures with frequency and amplitude of each point."""
    replace = msgspec.structs.replace
    found = [
        replace(point, frequency=motion[0], amplitude=motion[1]) if motion is not None else point
        for point, motion in ((plain.a, a), (plain.b, b))
    ]
    return replace(plain, a=found[0], b=found[1])


def session_of(row: SessionRow) -> Session:
    """Return a session as it is kept."""
    return Session(
        id=row.id,
        frequency=row.frequency,
        category=row.category,
        started=row.started,
        duration=row.duration,
        attempt=row.attempt,
        outcome=Outcome(row.outcome),
        stopped=row.stopped,
        gaps=tuple((gap[0], gap[1]) for gap in row.gaps or ()),
    )


def _run(runs: Runs, team: int) -> Run:
    found = runs.get(team)
    if found is None:
        found = runs[team] = Run(team)
    return found

"""Sessions and runs, the one that runs among them, for who may view which teams."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from gatekeeper import decoding
from gatekeeper.access.principal import Principal, check
from gatekeeper.config_measurements import Measurements as Settings
from gatekeeper.errors import InvalidArgument, NoSuchSession
from gatekeeper.measurements.asked import SessionQuery, number_of
from gatekeeper.measurements.chart import MOST, POINTS, Column, column
from gatekeeper.measurements.course import Course, session_of
from gatekeeper.measurements.intake import Store
from gatekeeper.measurements.session import Sessions
from gatekeeper.measurements.statistics import RunStatistics
from gatekeeper.measurements.told import Chart, RunStatus, SessionDetails, SessionPage, status_of
from gatekeeper.storage import measurements as rows
from gatekeeper.storage.measurements import RunRow, SessionRow, Wanted
from gatekeeper.uris import Permission


class Past:
    """What was measured."""

    def __init__(self, settings: Settings, sessions: Sessions, course: Course, database: Store) -> None:
        self.settings = settings
        self.sessions = sessions
        self.course = course
        self._database = database

    @property
    def teams(self) -> range:
        """Every team."""
        return range(1, self.settings.teams + 1)

    def seen(self, who: Principal | None) -> list[int]:
        """Return the teams that somebody may view; nobody (None) stands for the site itself, which may view all."""
        return [team for team in self.teams if who is None or who.may(Permission.MEASUREMENT_VIEW, str(team))]

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
        number = self.team_of(team)
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
            check(who, Permission.MEASUREMENT_VIEW, str(self.team_of(team)))
            return Wanted(session=session, teams=(team,))
        seen = tuple(self.seen(who))
        return Wanted(session=session, teams=None if len(seen) == len(self.teams) else seen)

    def team_of(self, team: Any) -> int:
        """Return the number of a team that there is.

        :raises InvalidArgument: if there is none.
        """
        number = number_of("team", team)
        if number not in self.teams:
            raise InvalidArgument(f"team: found {number}; allowed: a whole number from 1 to {self.settings.teams}")
        return number

"""Measurements, composed: what comes in, what is stored, who is told.

Part of the composition root, apart from `site` because none of it knows of doors and cameras.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gatekeeper import uris
from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal
from gatekeeper.addresses import place
from gatekeeper.caller import ITSELF
from gatekeeper.calls import Server
from gatekeeper.config_measurements import Measurements as Settings
from gatekeeper.evidence.outside import Disk
from gatekeeper.http.measurements import MeasurementRoutes
from gatekeeper.listening import Listening
from gatekeeper.measurements import wire
from gatekeeper.measurements.api import Measurements
from gatekeeper.measurements.asked import SessionQuery, decoded
from gatekeeper.measurements.broadcast import Broadcast
from gatekeeper.measurements.chart import POINTS
from gatekeeper.measurements.course import Course
from gatekeeper.measurements.exports import Exports
from gatekeeper.measurements.intake import Intake
from gatekeeper.measurements.listener import MeasurementListener
from gatekeeper.measurements.session import Outcome, Session, Sessions, State
from gatekeeper.measurements.statistics import RunStatistics
from gatekeeper.realm import Presence
from gatekeeper.storage.database import Database

CLOSING: Final = 2.0
"""Seconds for samples that wait when the site stops; the whole stop has less than five."""


class Measuring:
    """Everything about measurements.

    :param data: the data folder.
    :param session: the site's own, for topics.
    :param record: `Journal.record`.
    :param disk: makes a thread for work of this name.
    """

    log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        folder: Path,
        data: Path,
        reactor: Any,
        wall: Callable[[], float],
        database: Database,
        session: Presence,
        record: Callable[..., Any],
        guard: Guard,
        disk: Callable[[str], Disk],
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._wall = wall
        self._database = database
        self._session = session
        self._record = record
        self._threads = [disk("measurements"), disk("measurement exports")]
        sessions = Sessions(settings.categories[0] if settings.categories else "")
        self.broadcast = Broadcast(
            reactor,
            form=settings.broadcast,
            wall=wall,
            publish=session.publish,
            session_of=self._known,
            category=lambda: sessions.category,
        )
        self.intake = Intake(database, reactor, self._stored)
        self.course = Course(
            sessions,
            self.intake,
            database=database,
            reactor=reactor,
            wall=wall,
            thread=self._threads[0],
            changed=self._changed,
            figures=self._figures,
        )
        self.measurements = Measurements(
            settings,
            sessions,
            self.intake,
            self.course,
            database=database,
            reactor=reactor,
            wall=wall,
            record=record,
            told=self._told,
        )
        self.exports = Exports(settings, database=database, thread=self._threads[1], folder=data / "exports")
        self.listener = MeasurementListener(
            reactor,
            measurements=self.measurements,
            broadcast=self.broadcast,
            guard=guard,
            wall=wall,
            maximum=settings.maximum_connections,
        )
        where = (place(settings.listen),) if settings.listen is not None else ()
        self._listening = Listening(where, folder, data, reactor, wall, key="measurements.listen")
        for topic in (
            uris.TOPIC_MEASUREMENT_SAMPLES.template,
            *(uris.TOPIC_MEASUREMENT_SAMPLE.format(team=str(team)) for team in self.measurements.past.teams),
        ):
            session.watch_subscribers(topic, self.broadcast.listened(topic))

    def routes(self) -> MeasurementRoutes:
        """Return what answers over HTTP."""
        return MeasurementRoutes(self.measurements, self.exports, self._reactor)

    def offer(self, serve: Server) -> None:
        """Register what is answered over WAMP."""
        it, past = self.measurements, self.measurements.past
        serve(uris.CALL_MEASUREMENT_STATUS, it.status)
        serve(uris.CALL_MEASUREMENT_SEND, self._send)
        serve(uris.CALL_MEASUREMENT_START, lambda who, **given: it.start(who, given))
        serve(uris.CALL_MEASUREMENT_STOP, it.stop)
        serve(uris.CALL_MEASUREMENT_TAP, lambda who, **given: it.tap(who, given))
        serve(uris.CALL_MEASUREMENT_CATEGORY, lambda who, **given: it.categorise(who, given))
        serve(uris.CALL_MEASUREMENT_COLLAPSE, self._collapse)
        serve(uris.CALL_MEASUREMENT_SESSIONS, lambda who, **query: past.sessions_of(who, decoded(query, SessionQuery)))
        serve(uris.CALL_MEASUREMENT_SESSION, past.session)
        serve(uris.CALL_MEASUREMENT_STATISTICS, past.statistics)
        serve(
            uris.CALL_MEASUREMENT_CHART,
            lambda who, session, team, points=POINTS: past.chart(who, session, team, points),
        )

    def _send(self, who: Principal, samples: Any) -> "Deferred[Any]":
        return self.measurements.send(who, samples)

    def _collapse(
        self, who: Principal, session: Any, team: Any, second: Any = None, stands: Any = False
    ) -> "Deferred[Any]":
        given = {"second": second} if second is not None else {}
        return self.measurements.collapse(who, session, team, given, stands=stands is True)

    # --- start and stop ---

    def open(self) -> None:
        """Listen where the configuration says.

        :raises ConfigurationError: naming the place that can't be had.
        """
        self._listening.open(self.listener.factory())

    def close(self) -> None:
        """Listen no more, at a site that was never started."""
        self._listening.close()

    def is_own(self, host: str, port: int) -> bool:
        """Return whether a connection to a host and port would reach this."""
        return self._listening.is_own(host, port)

    @property
    def port(self) -> int | None:
        """The TCP port that laptops connect to; None where nothing listens."""
        return self._listening.port if self._settings.listen is not None else None

    def load(self) -> None:
        """Read what ran when the server went; blocks, at the start."""
        self._take_up = self._database.at_start(self.course.load)

    def start(self) -> None:
        """Take up what ran, and let laptops in."""
        self._take_up()
        self._listening.startService()
        self.listener.startService()
        settings = self._settings
        if self.port is not None:
            self.log.info("measurements: laptops and pages connect to port {port}", port=self.port)
        for is_open, what in ((settings.open_sending, "send"), (settings.open_viewing, "view")):
            if is_open:
                self.log.warn("measurements: open to whoever reaches the port, to {what}, as configured", what=what)

    def stop_listening(self) -> "Deferred[Any]":
        """Let nobody in any more, and hear nobody; fires when the port is closed."""
        self.listener.stopService()
        return self._listening.stopService()

    def stop(self) -> "Deferred[Any]":
        """Store what waits, in bounded time. A session that runs goes on after a restart."""
        self.broadcast.flush()
        self.course.close()
        closing = self.intake.close().addTimeout(CLOSING, self._reactor)

        def late(failure: Any) -> None:
            self.log.error("{count} samples were not stored before the end", count=self.intake.waiting)

        def ended(_: Any) -> None:
            for thread in self._threads:
                thread.stop()

        return closing.addErrback(late).addBoth(ended)

    # --- what happens, and who is told ---

    def _known(self, number: int) -> Session | None:
        sessions = self.course.sessions
        return next((one for one in (sessions.current, sessions.last) if one is not None and one.id == number), None)

    def _stored(self, entries: Any) -> None:
        self.course.add(entries)
        self.broadcast.add([entry.row for entry in entries])

    def _changed(self, session: Session) -> None:
        """Tell of a session that started or ended, and again when its end is stored."""
        state = self.course.sessions.state
        if state is State.RUNNING:
            self.broadcast.tell(wire.session_started(session, 0.0, self._wall()))
        elif state is State.ENDING:
            self.broadcast.tell(wire.session_stopped(session, self._wall()))
            if session.outcome is Outcome.COMPLETED:
                text = f"session {session.id} ended after {session.duration:g} s"
                self._record("measurement.completed", text, caller=ITSELF, details={"session": session.id})
        self._publish_state()

    def _told(self, what: str, session: Session | None) -> None:
        sessions, now = self.course.sessions, wire.stamp(self._wall())
        if what == "category":
            self.broadcast.tell(wire.message("category_change", category=sessions.category, timestamp=now))
        elif what == "tap":
            kind = "realtime_saving_started" if sessions.tap else "realtime_saving_stopped"
            number = sessions.current.id if sessions.current is not None else None
            self.broadcast.tell(wire.message(kind, session_id=number, timestamp=now))
        self._publish_state()

    def _publish_state(self) -> None:
        """Tell what everybody may know who may view any team: nothing of teams."""
        status = msgspec.to_builtins(self.measurements.status(None))
        del status["teams"], status["counts"]
        self._session.publish(uris.TOPIC_MEASUREMENT_STATE.template, status)

    def _figures(self, figures: Mapping[int, RunStatistics]) -> None:
        for team, one in figures.items():
            topic = uris.TOPIC_MEASUREMENT_STATISTICS.format(team=str(team))
            self._session.publish(topic, msgspec.to_builtins(one))

"""Routes of measurements: sessions and what was measured; and samples in, also as seed 002's laptops post them."""

from typing import Annotated, Any, BinaryIO, Final

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.errors import AccessDenied, GatekeeperError, InvalidArgument, NotFound
from gatekeeper.http.download import Download
from gatekeeper.http.query import query_of
from gatekeeper.http.requests import body_of
from gatekeeper.http.routes import Routes
from gatekeeper.measurements import sample as samples
from gatekeeper.measurements import wire
from gatekeeper.measurements.api import Measurements
from gatekeeper.measurements.asked import CategoryBody, ChartQuery, CollapseBody, SessionQuery, StartBody, TapBody
from gatekeeper.measurements.exports import TYPES, Exports
from gatekeeper.measurements.intake import Receipt
from gatekeeper.measurements.sample import REQUIRED, CameraData, Sample
from gatekeeper.measurements.session import Unrecorded
from gatekeeper.measurements.told import Chart, MeasurementStatus, Sent, SessionDetails, SessionPage

REJECTED: Final = "Data rejected - Realtime saving is disabled by admin"
"""The seed's own words, which its laptops may look for."""


class SendBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Samples, 1 to 250."""

    samples: list[CameraData]


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which samples: of a session, a team, both, or all."""

    session: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    team: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class SeedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the seed's laptops read."""

    success: bool
    message: str
    realtime_enabled: bool
    laptop_id: int | None = None
    mode: str | None = None
    saved_to_database: bool | None = None
    data: dict[str, Any] | None = None


class SeedRefusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the seed's laptops read if a sample was none.

    :ivar error: one sentence for people.
    :ivar required: the fields that must be there.
    :ivar received: those that were.
    """

    error: str
    required: tuple[str, ...] = ()
    received: tuple[str, ...] = ()


class MeasurementRoutes:
    """Measurements over HTTP.

    :param clock: the reactor, for who takes a file too slowly.
    """

    def __init__(self, measurements: Measurements, exports: Exports, clock: Any) -> None:
        self._measurements = measurements
        self._exports = exports
        self._clock = clock

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        add = routes.add
        add(uris.MEASUREMENTS, self._status, "Tell what runs, and how the teams are.", gives=MeasurementStatus)
        add(
            uris.MEASUREMENT_START, self._start, "Start a session; it ends by itself.",
            takes=StartBody, gives=MeasurementStatus, refused=self._refused("start a session"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_STOP, self._stop, "Stop the session that runs.",
            gives=SessionDetails, refused=self._refused("stop a session"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_TAP, self._tap, "Open or close the master tap: whether samples are kept with no session.",
            takes=TapBody, gives=MeasurementStatus, refused=self._refused("turn the master tap"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_CATEGORY, self._category, "Set the category that holds.",
            takes=CategoryBody, gives=MeasurementStatus, refused=self._refused("change the category"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_SESSIONS, self._sessions, "List sessions with their runs, the newest first.",
            query=SessionQuery, gives=SessionPage,
        )  # fmt: skip
        add(uris.MEASUREMENT_SESSION, self._session, "Tell everything about a session.", gives=SessionDetails)
        add(uris.MEASUREMENT_CHART, self._chart, "Give a run as columns for a chart.", query=ChartQuery, gives=Chart)
        add(
            uris.MEASUREMENT_COLLAPSE, self._collapse, "Mark that a tower fell.",
            takes=CollapseBody, gives=SessionDetails, refused=self._refused("mark a tower as collapsed"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_STANDS, self._stands, "Mark that a tower did not fall after all.",
            gives=SessionDetails, refused=self._refused("mark a tower as collapsed"),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_EXPORT, self._export, "Give samples as a file: csv, json or xlsx.",
            query=ExportQuery, gives=tuple(TYPES.values()),
        )  # fmt: skip
        add(
            uris.MEASUREMENT_SEND, self._send, "Take in samples; answers when they are stored.",
            takes=SendBody, gives=Sent,
        )  # fmt: skip
        add(
            uris.SEED_CAMERA_DATA, self._receive, "Take in one sample, as the laptops of seed 002 post it.",
            takes=CameraData, gives=SeedAnswer, refuses=SeedRefusal,
        )  # fmt: skip

    def _refused(self, what: str) -> Any:
        def refused(who: Principal, error: AccessDenied, **ids: str) -> None:
            self._measurements.denied(who.caller, what, error)

        return refused

    # --- the session ---

    def _status(self, request: Request, who: Principal) -> MeasurementStatus:
        return self._measurements.status(who)

    def _start(self, request: Request, who: Principal) -> "Deferred[MeasurementStatus]":
        return self._measurements.start(who, body_of(request))

    def _stop(self, request: Request, who: Principal) -> "Deferred[SessionDetails]":
        return self._measurements.stop(who)

    def _tap(self, request: Request, who: Principal) -> MeasurementStatus:
        return self._measurements.tap(who, body_of(request))

    def _category(self, request: Request, who: Principal) -> MeasurementStatus:
        return self._measurements.categorise(who, body_of(request))

    def _sessions(self, request: Request, who: Principal) -> "Deferred[SessionPage]":
        return self._measurements.past.sessions_of(who, query_of(request, SessionQuery))

    def _session(self, request: Request, who: Principal, session: str) -> "Deferred[SessionDetails]":
        return self._measurements.past.session(who, _number(session))

    def _chart(self, request: Request, who: Principal, session: str, team: str) -> "Deferred[Chart]":
        points = query_of(request, ChartQuery).points
        return self._measurements.past.chart(who, _number(session), _number(team), points)

    def _collapse(self, request: Request, who: Principal, session: str, team: str) -> "Deferred[SessionDetails]":
        return self._measurements.collapse(who, _number(session), _number(team), body_of(request))

    def _stands(self, request: Request, who: Principal, session: str, team: str) -> "Deferred[SessionDetails]":
        return self._measurements.collapse(who, _number(session), _number(team), {}, stands=True)

    # --- files ---

    def _export(self, request: Request, who: Principal, extension: str) -> "Deferred[bytes]":
        if extension not in TYPES:
            raise NotFound("there is nothing at this address")
        query = query_of(request, ExportQuery)
        wanted = self._measurements.past.wanted(who, query.session, query.team)
        name = "-".join(
            ["samples"]
            + ([f"session-{query.session}"] if query.session is not None else [])
            + ([f"team-{query.team}"] if query.team is not None else [])
        )
        headers = (
            (b"content-type", TYPES[extension].encode()),
            (b"cache-control", b"no-store"),
            (b"content-disposition", f'attachment; filename="{name}.{extension}"'.encode()),
        )
        if request.method == b"HEAD":  # a look makes no file
            _set(request, headers)
            request.write(b"")
            done: Deferred[bytes] = Deferred()
            done.callback(b"")
            return done
        download = Download(request, self._clock)

        def made(file: BinaryIO) -> None:
            _set(request, headers)
            download.send(file)

        maybeDeferred(self._exports.make, wanted, extension).addCallback(made).addErrback(download.fail)
        return download.done

    # --- samples in ---

    def _send(self, request: Request, who: Principal | None) -> "Deferred[Sent]":
        body = body_of(request)
        unknown = [name for name in body if name != "samples"]
        if unknown or "samples" not in body:
            raise InvalidArgument(f"{unknown[0] if unknown else 'samples: missing'}; allowed: samples, a list")
        return self._measurements.send(who, body["samples"])

    def _receive(self, request: Request, who: Principal | None) -> Any:
        """Answer in the seed's own shapes, its errors too."""
        measurements = self._measurements
        try:
            body = body_of(request)
            found = self._seed_sample(request, body)
            if isinstance(found, bytes):
                return found
            measurements.may_send(who, found.team)
            measurements.intake.check()
        except GatekeeperError as error:
            measurements.count_refusal(error)
            raise
        receipt = Receipt()
        try:
            measurements.take(found, receipt)
        except Unrecorded:
            return SeedAnswer(success=False, message=REJECTED, realtime_enabled=False, laptop_id=found.team)
        receipt.expect()
        receipt.complete()
        session = measurements.sessions.current
        place = measurements.sessions.elapsed(self._clock.seconds())
        return receipt.done.addCallback(lambda _: self._received(found, session if place is not None else None, place))

    def _received(self, found: Sample, session: Any, elapsed: float | None) -> SeedAnswer:
        measurements = self._measurements
        category = session.category if session is not None else measurements.sessions.category
        seconds = int(elapsed) if session is not None and elapsed is not None else None
        return SeedAnswer(
            success=True,
            message="Data received and stored",
            mode="recording" if session is not None else "free",
            realtime_enabled=True,
            saved_to_database=True,
            data={
                "laptop_id": found.team,
                "dista": found.a,
                "distb": found.b,
                "is_a_detected": found.a_detected,
                "is_b_detected": found.b_detected,
                "category": category,
                "nama_tim": measurements.settings.name_of(found.team, category),
                "frequency": session.frequency if session is not None else None,
                "session_id": session.id if session is not None else None,
                "relative_time": seconds,
                "elapsed_seconds": seconds,
                "timestamp": wire.stamp(measurements.now()),
            },
        )

    def _seed_sample(self, request: Request, body: dict[str, Any]) -> Sample | bytes:
        """Return the sample, or the seed's own answer to what is none."""
        teams = self._measurements.settings.teams
        if any(name not in body for name in REQUIRED):
            self._measurements.count_refusal(InvalidArgument("missing"))
            missing = SeedRefusal(error="Missing required fields", required=tuple(REQUIRED), received=tuple(body)[:20])
            return _seed_error(request, missing)
        number = body["laptop_id"]
        if isinstance(number, int) and not isinstance(number, bool) and not 1 <= number <= teams:
            self._measurements.count_refusal(InvalidArgument("laptop_id"))
            return _seed_error(request, SeedRefusal(error=f"Invalid laptop_id. Must be 1-{teams}."))
        return samples.convert(body, teams)


def _seed_error(request: Request, refusal: SeedRefusal) -> bytes:
    request.setResponseCode(400)
    request.setHeader(b"content-type", b"application/json")
    return msgspec.json.encode(refusal)


def _set(request: Request, headers: Any) -> None:
    for name, value in headers:
        request.setHeader(name, value)


def _number(text: str) -> int:
    """Return the number in a path.

    :raises NotFound: if it is none: the address leads nowhere.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) > 0):
        raise NotFound("there is nothing at this address")
    return int(text)

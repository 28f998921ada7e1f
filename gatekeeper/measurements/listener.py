"""Where the laptops and pages of seed 002 connect: raw WebSocket, JSON texts, one port.

    -> {"type": "camera_data", …}                       a sample; with `sender` and `seq` it is acknowledged
    -> {"action": "get_all" | "get_team" | "ping"}      what pages ask
    <- {"type": "new_data", "data": […]}                samples that are stored, and the other messages of `wire`
    <- {"type": "ack", "sender", "seq": […], "stored"}  after the commit, and never before
    <- {"type": "error", "code", "message"}             to whoever sent what can't be used, and to nobody else

Who connects brings an API key or a token along, in the address (`?token=…`) or as a Bearer; nobody does where the
configuration leaves the door open. There is no Origin check, since nothing that a browser adds by itself lets anybody
in. The seed's `broadcast`, which relays anything from anyone to everyone, is not here.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gatekeeper.access.guard import Channel, Guard
from gatekeeper.access.principal import Principal
from gatekeeper.errors import GatekeeperError, InvalidArgument, TooLarge
from gatekeeper.measurements import sample as samples
from gatekeeper.measurements import wire
from gatekeeper.measurements.api import CLOSED, Measurements
from gatekeeper.measurements.broadcast import Audience, Broadcast
from gatekeeper.measurements.connection import MeasurementFactory, MeasurementSocket
from gatekeeper.measurements.sample import MAXIMUM_MESSAGE
from gatekeeper.measurements.session import Unrecorded
from gatekeeper.uris import Permission

PING_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 35.0  # without a byte, three pings without an answer: the connection is dead
NOBODY, WRONG = 4401, 4403  # close codes: who are you? you may not

CAMERA_DATA: Final = b'"camera_data"'


class MeasurementListener(Service):
    """Everything that connects.

    :param guard: who knows people by what they show.
    :param maximum: connections at once.
    :ivar slow: pages that were cut because they didn't read.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *,
        measurements: Measurements,
        broadcast: Broadcast,
        guard: Guard,
        wall: Callable[[], float],
        maximum: int,
    ) -> None:
        self.maximum = maximum
        self.sockets: set[MeasurementSocket] = set()
        self.is_paused = False
        self.slow = 0
        self._reactor = reactor
        self._measurements = measurements
        self._broadcast = broadcast
        self._guard = guard
        self._wall = wall
        self._keeping = LoopingCall(self._keep)
        self._keeping.clock = reactor
        self._looked = 0.0
        measurements.intake.observe(self._pause, self._resume)

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return float(self._reactor.seconds())

    def factory(self) -> MeasurementFactory:
        """Return what to listen with."""
        return MeasurementFactory(self, self._reactor)

    # --- start and stop ---

    def startService(self) -> None:
        super().startService()
        self._keeping.start(1.0, now=False)

    def stopService(self) -> None:
        """Cut every connection."""
        super().stopService()
        if self._keeping.running:
            self._keeping.stop()
        for socket in tuple(self.sockets):
            socket.abort()

    def _keep(self) -> None:
        now = self.now
        ping = now - self._looked >= PING_SECONDS
        for socket in tuple(self.sockets):
            is_silent = now - socket.heard >= SILENCE_SECONDS and not self.is_paused
            if is_silent or (socket.until is not None and now >= socket.until):
                socket.abort()
            elif socket.speaks:
                socket.forget()
                if ping:
                    socket.sendPing()
        if ping:
            self._looked = now

    def _pause(self) -> None:
        self.is_paused = True
        for socket in self.sockets:
            socket.pause()

    def _resume(self) -> None:
        self.is_paused = False
        for socket in tuple(self.sockets):
            socket.resume()

    # --- who it is ---

    def known(self, secret: str | None, channel: Channel) -> Principal | None:
        """Return whom a key or token stands for, or None."""
        return self._guard.prove(secret, channel) if secret else None

    def _renewed(self, socket: MeasurementSocket) -> Principal | None:
        return self._guard.renewed(socket.who) if socket.who is not None else None

    def may_send(self, socket: MeasurementSocket, team: int) -> bool:
        """Return whether a connection may send for a team."""
        try:
            self._measurements.may_send(self._renewed(socket), team)
        except GatekeeperError:
            return False
        return True

    def audience(self, socket: MeasurementSocket) -> Audience:
        """Return the teams that a connection may see."""
        if self._measurements.settings.open_viewing:
            return None
        who = self._renewed(socket)
        if who is None:
            return frozenset()
        if who.may_all(Permission.MEASUREMENT_VIEW):
            return None
        return frozenset(self._measurements.past.seen(who))

    def opened(self, socket: MeasurementSocket) -> None:
        """Let a connection in that may do anything here."""
        settings = self._measurements.settings
        who = socket.who
        sends = settings.open_sending or (who is not None and who.may(Permission.MEASUREMENT_SEND))
        views = settings.open_viewing or (who is not None and who.may(Permission.MEASUREMENT_VIEW))
        if not sends and not views:
            code, why = (NOBODY, "bring an API key: ws://…/?token=KEY") if who is None else (WRONG, "you may not")
            socket.say(wire.message("error", code="not_authenticated" if who is None else "denied", message=why))
            socket.refuse(code, why)
            return
        if views:
            self._broadcast.viewers.add(socket)
            socket.say(wire.message("initial_data", data=[]))
            self._tell_session(socket)

    def _tell_session(self, socket: MeasurementSocket) -> None:
        sessions = self._measurements.sessions
        elapsed = sessions.elapsed(self.now)
        if sessions.current is not None and elapsed is not None:
            socket.say(wire.session_started(sessions.current, elapsed, self._wall()))

    def gone(self, socket: MeasurementSocket) -> None:
        """Forget a connection."""
        socket.speaks = False
        self.sockets.discard(socket)
        self._broadcast.viewers.discard(socket)

    # --- what it says ---

    def message(self, socket: MeasurementSocket, payload: bytes, is_binary: bool) -> None:
        """Take in a message."""
        try:
            if is_binary:
                raise InvalidArgument("found a binary message; allowed: JSON texts")
            if CAMERA_DATA in payload:
                self._sample(socket, payload)
            else:
                self._asked(socket, samples.document(payload))
        except GatekeeperError as error:
            self._measurements.count_refusal(error)
            socket.complain(error)

    def _sample(self, socket: MeasurementSocket, payload: bytes) -> None:
        measurements = self._measurements
        found = samples.parse(payload, measurements.settings.teams)
        if not socket.may_send(found.team):
            measurements.may_send(self._renewed(socket), found.team)  # which says why not
        socket.team = found.team
        try:
            measurements.take(found, socket)
        except Unrecorded:
            if found.sender is not None and found.seq is not None:
                socket.say(wire.acknowledged(found.sender, [found.seq], CLOSED))
            else:
                socket.complain(InvalidArgument(CLOSED))

    def _asked(self, socket: MeasurementSocket, asked: dict[str, Any]) -> None:
        action, kind = asked.get("action"), asked.get("type")
        if action == "ping" or kind == "ping":
            socket.say(wire.message("pong", timestamp=int(self._wall())))
        elif action == "get_all":
            socket.say(wire.message("all_teams", teams=self._teams(socket)))
        elif action == "get_team":
            number = asked.get("laptop_id")
            found = [team for team in self._teams(socket) if team["laptop_id"] == number]
            if not found:
                raise InvalidArgument("laptop_id: there is no such team that you may view")
            socket.say(wire.message("team_data", **found[0]))
        else:
            raise InvalidArgument("allowed: type camera_data, or action get_all, get_team or ping")

    def _teams(self, socket: MeasurementSocket) -> list[dict[str, Any]]:
        """Return teams as the seed's pages read them, with the figures of the session in memory."""
        measurements, audience = self._measurements, socket.audience
        session = measurements.sessions.current or measurements.sessions.last
        category = session.category if session is not None else measurements.sessions.category
        teams = []
        for team in measurements.past.teams:
            if audience is not None and team not in audience:
                continue
            run = measurements.course.run(session.id, team) if session is not None else None
            figures = run.statistics() if run is not None else None
            teams.append(
                {
                    "laptop_id": team,
                    "nama_tim": measurements.settings.name_of(team, category),
                    "category": category,
                    "data": {f"{frequency:g}": [] for frequency in measurements.settings.frequencies},
                    "statistics": {
                        "max_dista": figures.a.maximum if figures is not None else None,
                        "max_distb": figures.b.maximum if figures is not None else None,
                        "avg_dista": figures.a.mean_absolute if figures is not None else None,
                        "avg_distb": figures.b.mean_absolute if figures is not None else None,
                    },
                }
            )
        return teams

    def too_large(self, socket: MeasurementSocket) -> None:
        """Tell; the connection is closed with 1009 after that."""
        error = TooLarge(f"a message has more than {MAXIMUM_MESSAGE} bytes")
        self._measurements.count_refusal(error)
        socket.complain(error)

"""The composition root: the only place where objects meet.

One `Site` is one configuration, started and stopped whole.
"""

import secrets
import time
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import msgspec
from autobahn.twisted.resource import WebSocketResource
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper import config, uris
from gatekeeper.access.guard import Guard
from gatekeeper.access.tokens import Tokens
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.picture import notice
from gatekeeper.cameras.publisher import FramePublisher
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.doors.api import Doors
from gatekeeper.doors.executor import LastWill, Nobody, can_leave_a_will
from gatekeeper.doors.link import DoorLink, Recorded
from gatekeeper.errors import ConfigurationError, InvalidArgument
from gatekeeper.evidence.journal import Event, Journal
from gatekeeper.http.app import HttpApi
from gatekeeper.http.dashboard_files import DashboardFiles
from gatekeeper.http.mjpeg import Seats, Stream, Terms
from gatekeeper.http.requests import HttpSite
from gatekeeper.http.root import Root
from gatekeeper.realm import CAMERA, DOOR, Presence, SharedRealm
from gatekeeper.system.api import System
from gatekeeper.uris import Name
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, CallDetails, LocalSession
from gatekeeper.wamp.remote import RemoteSession
from gatekeeper.wamp.router import Policy, Router
from gatekeeper.wamp.transport import websocket_factory

STOP_TIMEOUT = 4.8
"""Seconds for everything to end: a lock may take two to answer what is in flight and two to lock."""


class Site(Service):
    """A whole site: access, doors, cameras, router and web side, made of one configuration.

    :param settings: the configuration.
    :param folder: what its relative paths are relative to.
    :param reactor: clock, network and threads.
    :param demo: whether its devices are virtual.
    :raises ConfigurationError: if a secret or the data folder can't be used.
    """

    log = Logger()

    def __init__(
        self,
        settings: config.Site,
        folder: Path,
        reactor: Any,
        *,
        demo: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._demo = demo
        self._wall = wall
        fixed = settings.access.admin_token
        token = fixed.read("access.admin_token", folder) if fixed is not None else None
        self.tokens = Tokens(config.resolve(folder, settings.data, "data"), token, wall)
        self.journal = Journal(wall)
        self._pictures = ThreadPool(minthreads=0, maxthreads=1, name="pictures")
        self._devices = MultiService()
        self._compose_router(folder)
        self._compose_cameras(folder)
        self._compose_doors()
        self._compose_http()
        self._serve_calls()
        self._listening: Any = None

    # --- composing ---

    def _compose_router(self, folder: Path) -> None:
        self._guard = Guard(self.tokens)
        self._router = Router(uris.REALM, self._guard, self._guard, policies=_policy, clock=self._reactor)
        local = LocalSession(self._router, Identity("gatekeeper", TRUSTED, "local"))
        self._shared = self._share(local, self._settings.router, folder) if self._settings.router else None
        self._session: Presence = self._shared or local
        self._sockets = websocket_factory(self._router, clock=self._reactor)
        self.journal.observe(self._publish_event)

    def _share(self, local: LocalSession, router: config.Router, folder: Path) -> SharedRealm:
        ticket = router.ticket.read("router.ticket", folder) if router.ticket is not None else None
        remote = RemoteSession(
            self._reactor,
            router.url,
            router.realm,
            authid=router.authid,
            ticket=ticket,
            policies=_policy,
        )
        has = {
            CAMERA: [camera.id for camera in self._settings.cameras],
            DOOR: [door.id for door in self._settings.doors],
        }
        return SharedRealm(
            local,
            remote,
            reactor=self._reactor,
            wall=self._wall,
            name=secrets.token_hex(4),
            has=has,
            refresh=self._publish_states,
        )

    def _compose_cameras(self, folder: Path) -> None:
        seats = Seats(self._settings.media.maximum_viewers)
        terms = Terms(self._reactor, self._draw, self._settings.media.viewer_timeout, seats, self._wall)
        self._feeds: dict[str, Feed] = {}
        self._streams: dict[str, Stream] = {}
        self._publishers: dict[str, FramePublisher] = {}
        for index, camera in enumerate(self._settings.cameras):
            feed = self._feeds[camera.id] = Feed(camera.id, self._wall())
            self._streams[camera.id] = Stream(feed, terms)
            self._publishers[camera.id] = FramePublisher(self._session, feed)
            secret = camera.password
            password = secret.read(f"cameras[{index}].password", folder) if secret is not None else None
            CameraPull(self._reactor, camera, password, feed, self._wall).setServiceParent(self._devices)
            feed.observe(partial(self._camera_changed, camera.id))
        self._cameras = Cameras(
            self._settings.cameras, self._feeds, self._reactor.seconds, self._viewers, virtual=self._demo
        )

    def _compose_doors(self) -> None:
        self._last_will = LastWill() if self._settings.doors and can_leave_a_will() else None
        links: dict[str, DoorLink] = {}
        watching: dict[str, tuple[str, ...]] = {}
        for door in self._settings.doors:
            link = DoorLink(door, self._reactor, self._door_changed, self._door_recorded, self._last_will or Nobody())
            link.setServiceParent(self._devices)
            links[door.id] = link
            watching[door.id] = tuple(camera.id for camera in self._settings.cameras if door.id in camera.doors)
        self._doors = Doors(
            links=links,
            clock=self._reactor.seconds,
            wall=self._wall,
            cameras=watching,
            record=self._call_recorded,
            virtual=self._demo,
        )

    def _compose_http(self) -> None:
        self._system = System(
            name=self._settings.name,
            demo=self._demo,
            reactor=self._reactor,
            wall=self._wall,
            cameras=self._cameras.list,
            doors=self._doors.list,
            router=self._router.metrics,
        )
        api = HttpApi(
            guard=self._guard,
            tokens=self.tokens,
            cameras=self._cameras,
            doors=self._doors,
            system=self._system,
            dashboard=DashboardFiles(),
            record=self._access_recorded,
        )
        root = Root(self._guard, WebSocketResource(self._sockets), self._streams, api.app.resource())
        self._http = HttpSite(root, self._reactor)

    def _serve_calls(self) -> None:
        """Register what the table of procedures promises."""
        self._serve(uris.CALL_SYSTEM_STATUS, lambda who: self._system.status())
        self._serve(uris.CALL_SYSTEM_TIME, lambda who: self._system.time())
        self._serve(uris.CALL_CAMERA_LIST, lambda who: self._cameras.list())
        self._serve(uris.CALL_CAMERA_STATUS, lambda who, camera: self._cameras.status(camera))
        self._serve(uris.CALL_DOOR_LIST, lambda who: self._doors.list())
        self._serve(uris.CALL_DOOR_STATUS, lambda who, door=None: self._doors.status(door))
        self._serve(uris.CALL_DOOR_OPEN, lambda who, door=None, **more: self._doors.open(who, _named(door, more)))
        self._serve(uris.CALL_DOOR_LOCK, lambda who, door=None, **more: self._doors.lock(who, _named(door, more)))
        self._serve(uris.CALL_EVENT_RECENT, lambda who: list(self.journal.recent()))

    def _serve(self, name: Name, answer: Callable[..., Any]) -> None:
        takes = signature(answer)

        def endpoint(*args: Any, details: CallDetails, **kwargs: Any) -> Any:
            try:
                takes.bind(details.authid, *args, **kwargs)
            except TypeError as error:
                raise InvalidArgument(f"{name.template}: {error}") from error
            return _plain(answer(details.authid, *args, **kwargs))

        self._session.register(endpoint, name.template, details=True)

    # --- start and stop ---

    def privilegedStartService(self) -> None:
        """Listen first: a port that is taken must be known before any device is touched.

        :raises ConfigurationError: if the port can't be had.
        """
        super().privilegedStartService()
        listening: list[Any] = []
        maybeDeferred(self._listen).addBoth(listening.append)
        self._listening = listening[0] if listening else None
        if isinstance(self._listening, Failure):
            reason = self._listening.value
            why = reason.socketError if isinstance(reason, CannotListenError) else reason
            raise ConfigurationError(f"listen: can't listen on {self._settings.listen}: {why}")

    def _listen(self) -> Any:
        return serverFromString(self._reactor, self._settings.listen).listen(self._http)

    def startService(self) -> None:
        super().startService()
        self._pictures.start()
        if self._last_will is not None:
            self._last_will.startService()
        self._devices.startService()
        if self._shared is not None:
            self._shared.start()
        self.journal.record("system.started", f"{self._settings.name} started")
        for camera in self._settings.cameras:
            self.log.info("camera {id}: {kind}{url}", id=camera.id, kind=self._kind, url=camera.url.partition("?")[0])
        for door in self._settings.doors:
            self.log.info("door {id}: {kind}{url}", id=door.id, kind=self._kind, url=door.url.partition("?")[0])
        if self._demo:
            self.log.info("demo site: every camera and lock here is virtual; give --config FILE for real ones")
        self.log.info("open {address} (the link logs in one browser, once)", address=self._login_address())

    @inlineCallbacks
    def stopService(self) -> Any:
        """End everything, side by side and in bounded time; doors are locked before their links close."""
        super().stopService()
        self.log.info("stopping: doors are locked first")
        parts = [
            maybeDeferred(self._devices.stopService),
            *(stream.stop() for stream in self._streams.values()),
            maybeDeferred(self._sockets.close),
        ]
        if self._listening is not None:
            parts.append(maybeDeferred(self._listening.stopListening))
        ended = DeferredList(parts, consumeErrors=True)
        ended.addTimeout(STOP_TIMEOUT, self._reactor)
        try:
            results = yield ended
        except Exception as error:  # noqa: BLE001 - the boundary of the whole site: the rest must end all the same
            self.log.error("not everything ended in time: {error!r}", error=error)
        else:
            for succeeded, result in results:
                if not succeeded:
                    self.log.failure("a part failed while stopping", result)
        if self._last_will is not None:
            self._last_will.stopService()
        self._http.abort()
        yield self._session.leave()
        self._router.close()
        self._pictures.stop()
        self.log.info("stopped")

    @property
    def _kind(self) -> str:
        return "VIRTUAL device at " if self._demo else ""

    @property
    def port(self) -> int:
        """The TCP port that is listened on."""
        return int(self._listening.getHost().port)

    def _login_address(self) -> str:
        host = self._listening.getHost()
        where = getattr(host, "host", None)
        path = f"{uris.LOGIN_LINK.path}?code={self.tokens.new_link()}"
        if where is None:
            return path
        name = {"0.0.0.0": "localhost", "::": "localhost"}.get(where, where)  # noqa: S104 - compared, not bound
        return f"http://{f'[{name}]' if ':' in name else name}:{host.port}{path}"

    # --- what happens, and who is told ---

    def _camera_changed(self, camera: str, condition: Condition) -> None:
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), _plain(self._cameras.status(camera)))
        if condition.state is not CameraState.CONNECTING:
            why = f": {condition.reason}" if condition.reason else ""
            outcome = "ok" if condition.state is CameraState.LIVE else "alarm"
            text = f"camera {camera} is {condition.state}{why}"
            self.journal.record(f"camera.{condition.state}", text, subject=camera, outcome=outcome)

    def _publish_states(self) -> None:
        """Say again what everything is: who heard the last word may have missed some."""
        for camera in self._cameras.list():
            self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera.id), _plain(camera))
        for door in self._doors.list():
            self._session.publish(uris.TOPIC_DOOR_STATE.format(door=door.id), _plain(door))

    def _door_changed(self, link: DoorLink) -> None:
        door = link.config.id
        self._session.publish(uris.TOPIC_DOOR_STATE.format(door=door), _plain(self._doors.status(door)))

    def _door_recorded(self, note: Recorded) -> None:
        self.journal.record(note.kind, note.text, subject=note.door, outcome="alarm" if note.alarm else "ok")

    def _call_recorded(self, kind: str, text: str, door: str, actor: str, outcome: str) -> None:
        self.journal.record(kind, text, subject=door, actor=actor, outcome=outcome)
        # The line is written when the caller has its answer: a slow terminal must not keep a person at the door.
        self._reactor.callLater(0, self.log.info, "door {door}: {text}", door=door, text=text)

    def _access_recorded(self, kind: str, text: str, actor: str | None, outcome: str) -> None:
        self.log.info("{text}", text=text)
        self.journal.record(kind, text, actor=actor, outcome=outcome)

    def _publish_event(self, event: Event) -> None:
        self._session.publish(uris.TOPIC_EVENT.template, _plain(event))

    def _viewers(self, camera: str) -> int:
        return self._streams[camera].metrics.viewers + self._publishers[camera].subscribers

    # --- pictures ---

    def _draw(self, condition: Condition) -> "Deferred[bytes]":
        """Draw the picture for a camera that isn't live, off the reactor thread, in a pool that nothing else uses."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(condition.since))
        drawing: Deferred[bytes] = Deferred()

        def drawn(succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(drawing.callback if succeeded else drawing.errback, result)

        lines = [condition.state.upper(), f"since {since}", *([condition.reason] if condition.reason else [])]
        self._pictures.callInThreadWithCallback(drawn, notice, lines)
        return drawing


def _policy(topic: str) -> Policy:
    """Of frames only the newest matters; states and events are never dropped."""
    return "newest" if uris.TOPIC_CAMERA_FRAME.match(topic) else "all"


def _named(door: str | None, more: dict[str, Any]) -> dict[str, Any]:
    return more if door is None else {**more, "door": door}


def _plain(value: Any) -> Any:
    """Return structs as what every WAMP serializer knows; a Deferred gives the same later."""
    if isinstance(value, Deferred):
        return value.addCallback(_plain)
    return msgspec.to_builtins(value)

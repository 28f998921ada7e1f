"""The composition root: the only place where objects meet.

One `Site` is one configuration, started and stopped whole.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autobahn.twisted.resource import WebSocketResource
from twisted.application.service import MultiService, Service
from twisted.internet.defer import DeferredList, inlineCallbacks, maybeDeferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from gatekeeper import __version__, changes, config, uris
from gatekeeper.access.guard import is_over
from gatekeeper.access.passwords import Cost, Runner
from gatekeeper.access.records import Ended
from gatekeeper.caller import ITSELF
from gatekeeper.calls import Calls, Server, plain
from gatekeeper.cameras.frame import Frame
from gatekeeper.cameras.push.camera import Port
from gatekeeper.cameras.push.panel import Panel
from gatekeeper.cameras.relay import Relay
from gatekeeper.doorways import Doorways
from gatekeeper.editing import Editing
from gatekeeper.entrance import Entrance
from gatekeeper.errors import ConfigurationError
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.outside import Disk
from gatekeeper.http.app import HttpApi
from gatekeeper.http.browsers import Browsers
from gatekeeper.http.cameras import CameraRoutes
from gatekeeper.http.dashboard_files import DashboardFiles
from gatekeeper.http.doors import DoorRoutes
from gatekeeper.http.editing import EditingRoutes
from gatekeeper.http.either import Either
from gatekeeper.http.events import EventRoutes
from gatekeeper.http.pages import PageRoutes
from gatekeeper.http.panel import PanelRoutes
from gatekeeper.http.panel_root import PanelRoot
from gatekeeper.http.pictures import PictureRoutes
from gatekeeper.http.requests import HttpSite
from gatekeeper.http.root import Root
from gatekeeper.http.system import SystemRoutes
from gatekeeper.keeping import Keeping
from gatekeeper.measuring import Measuring
from gatekeeper.ports import Ports
from gatekeeper.realm import CAMERA, DOOR, Presence, SharedRealm
from gatekeeper.renewing import Renewing
from gatekeeper.source import Source
from gatekeeper.storage.database import Database
from gatekeeper.system.api import System
from gatekeeper.trying import Trying
from gatekeeper.viewing import Viewing
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.errors import KILLED
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.remote import RemoteSession
from gatekeeper.wamp.router import Policy, Router
from gatekeeper.wamp.transport import websocket_factory

STOP_TIMEOUT = 4.8
"""Seconds for everything to end: a lock may take two to answer what is in flight and two to lock."""


LOGGED = ("door.", "camera.", "system.started", "system.stopped")
"""Kinds of events that have a line in the log of their own, when they happen and not when they are stored."""


class Site(Service):
    """A whole site: access, doors, cameras, router and web side, made of one configuration.

    :param settings: the configuration.
    :param folder: what its relative paths are relative to.
    :param reactor: clock, network and threads.
    :param demo: whether its devices are virtual.
    :param source: the file that the configuration is from, to be read again; None where there is none.
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
        source: Source | None = None,
        wall: Callable[[], float] = time.time,
        database: Database | None = None,
        runner: Runner | None = None,
        cost: Cost | None = None,
        disk: Callable[[str], Disk] | None = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._demo = demo
        self._wall = wall
        data = config.resolve(folder, settings.data, "data")
        self.keeping = Keeping(
            settings,
            folder=folder,
            data=data,
            reactor=reactor,
            wall=wall,
            snapshot=self._snapshot,
            database=database,
            disk=disk,
        )
        self.journal = self.keeping.journal
        self.entrance = Entrance(
            settings.access,
            folder=folder,
            data=data,
            database=self.keeping.database,
            record=self.journal.record,
            reactor=reactor,
            wall=wall,
            runner=runner,
            cost=cost,
        )
        self.entrance.observe(self._ended)
        self.ports = Ports(settings, folder, data, reactor, wall)
        self.listening = self.ports.main
        self._devices = MultiService()
        self._compose_router(folder)
        self.viewing = Viewing(
            settings,
            folder=folder,
            reactor=reactor,
            wall=wall,
            session=self._session,
            record=self.journal.record,
            is_own=self._is_own,
            unsent=self._router.unsent_bytes,
            when_drained=self._router.when_drained,
            probe=self._router.probe,
            kept=self.keeping.rooms,
            virtual=demo,
        )
        self.doorways = Doorways(
            settings,
            folder=folder,
            reactor=reactor,
            wall=wall,
            session=self._session,
            record=self.keeping.record_door,
            is_own=self._is_own,
            virtual=demo,
        )
        if self._shared is not None:
            # A session of its own: what this site's passes on from the others doesn't come back to itself.
            pages = LocalSession(self._router, Identity("pages", TRUSTED, "local"))
            self.viewing.watching.relay = Relay(pages.subscribe, self._shared.has_camera, reactor.seconds, wall)
        self.keeping.watch(self.viewing.feeds, self.doorways.watching)
        for part in (self.viewing, self.doorways):
            part.devices.setServiceParent(self._devices)
        self.renewing = Renewing(
            settings,
            folder=folder,
            source=source,
            viewing=self.viewing,
            doorways=self.doorways,
            ports=self.ports,
            told=self._renewed,
            record=self.journal.record,
            fingerprint_key=lambda: self.entrance.fingerprint_key,
        )
        trying = Trying(reactor, wall, self._is_own, self.viewing.viewed, self.viewing.reception.strangers.list)
        self.editing = Editing(self.renewing, folder=folder, data=data, trying=trying, record=self.journal.record)
        self.measuring = Measuring(
            settings.measurements,
            folder=folder,
            data=data,
            reactor=reactor,
            wall=wall,
            database=self.keeping.database,
            session=self._session,
            record=self.journal.record,
            guard=self.entrance.guard,
            disk=self.keeping.disk,
        )
        self._compose_http()

    # --- composing ---

    def _compose_router(self, folder: Path) -> None:
        self._router = Router(
            uris.REALM, self.entrance.wamp, self.entrance.guard, policies=_policy, clock=self._reactor
        )
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
        return SharedRealm(
            local,
            remote,
            reactor=self._reactor,
            wall=self._wall,
            name=secrets.token_hex(4),
            refresh=self._publish_states,
        )

    def _compose_http(self) -> None:
        self._system = System(
            name=self._settings.name,
            demo=self._demo,
            teams=self._settings.measurements.teams if self._settings.measurements.is_configured else 0,
            reactor=self._reactor,
            wall=self._wall,
            cameras=self.viewing.cameras.list,
            doors=self.doorways.doors.list,
            router=self._router.metrics,
            storage=lambda: self.keeping.database.health,
        )
        guard, records = self.entrance.guard, self.keeping.records
        calls = Calls(
            guard=guard,
            cameras=self.viewing.cameras,
            watching=self.viewing.watching,
            doors=self.doorways.doors,
            system=self._system,
            renewing=self.renewing,
            editing=self.editing,
            records=records,
            access=self.entrance.api,
            pictures=self.keeping.rooms.gallery,
            unsent=self._router.unsent_bytes,
            clock=self._reactor,
        )
        if self._shared is not None:
            self._shared.admission = calls
            self._shared.has = {CAMERA: self.viewing.feeds, DOOR: self.doorways.links}
        calls.offer(self._session)
        self.measuring.offer(Server(self._session, calls))
        panel = self._compose_panel()
        api = HttpApi(
            guard,
            (
                PageRoutes(DashboardFiles()),
                self.entrance.routes(),
                SystemRoutes(self._system, self.renewing),
                CameraRoutes(self.viewing.cameras),
                EditingRoutes(self.editing),
                DoorRoutes(self.doorways.doors),
                EventRoutes(records, self._reactor),
                PictureRoutes(self.keeping.rooms.gallery, self._reactor),
                self.measuring.routes(),
                PanelRoutes(panel, self.viewing.cameras, self.keeping.rooms.gallery),
            ),
        )
        streams, feed = self.viewing.streams, self.viewing.feed_stream
        root = Root(guard, WebSocketResource(self._sockets), streams, api.resource(), panel, feeds=feed)
        self._http = HttpSite(root, self._reactor)
        self._panel_http = HttpSite(PanelRoot(root, lambda: self.listening.port), self._reactor)

    def _compose_panel(self) -> Panel:
        """Compose what the browsers of seed 004 find, on the site's own port and on those that cameras connect to."""
        viewing = self.viewing
        panel = Panel(viewing.pushed, viewing.browsers, self._wall, __version__)
        self._browsers = Browsers(
            self.entrance.guard,
            panel,
            cameras=viewing.cameras,
            pushed=viewing.pushed,
            seats=viewing.seats,
            ports=lambda: self.ports.numbers,
        )
        viewing.reception.visitors = self._browsers
        return panel

    def _push_factory(self, port: Port) -> IProtocolFactory:
        """Return what is listened for with where cameras connect: on the control port also who asks over HTTP."""
        cameras = self.viewing.reception.factory(port)
        return Either(self._reactor, cameras, self._panel_http) if port is Port.CONTROL else cameras

    # --- start and stop ---

    def privilegedStartService(self) -> None:
        """Listen, then open the database: what is taken or broken must be known before any device is touched.

        :raises ConfigurationError: if a port or the database can't be had.
        """
        super().privilegedStartService()
        self.ports.open(self._http, self._push_factory)
        try:
            self.measuring.open()
            self.keeping.open()
            self.entrance.load()
            self.measuring.load()
        except ConfigurationError:
            self.ports.close()
            self.measuring.close()
            raise

    def startService(self) -> None:
        super().startService()
        self.viewing.start()
        self.doorways.start()
        self.ports.start()
        self.keeping.start()
        self.entrance.start()
        self.measuring.start()
        self._devices.startService()
        if self._shared is not None:
            self._shared.start()
        self._record_start()
        for camera in self._settings.cameras:
            self.log.info("camera {id}: {where}", id=camera.id, where=self.viewing.where(camera))
        for door in self._settings.doors:
            self.log.info("door {id}: {where}", id=door.id, where=self.doorways.where(door))
        if self._demo:
            self.log.info("demo site: every camera and lock here is virtual; give --config FILE for real ones")
        code = self.entrance.first_link()
        address = self.listening.base or ""
        if code is None:
            self.log.info("open {address}/", address=address)
        else:
            link = f"{address}{uris.LOGIN_LINK.path}?code={code}"
            self.log.info("open {link} (once, in one browser: it asks for the owner's password)", link=link)

    @inlineCallbacks
    def stopService(self) -> Any:
        """End everything, side by side and in bounded time; doors are locked before their links close."""
        super().stopService()
        self.log.info("stopping: doors are locked first")
        self.viewing.stop_looking()  # before the record ends
        parts = [
            self.measuring.stop_listening(),
            self.renewing.stop(),
            maybeDeferred(self._devices.stopService),
            *self.viewing.stop_streams(),
            maybeDeferred(self._sockets.close),
            *self.ports.stop(),
        ]
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
        self.doorways.stop()
        self._http.abort()
        yield self.measuring.stop()
        self._panel_http.abort()
        self.journal.record("system.stopped", f"{self._settings.name} stopped", caller=ITSELF)
        yield self.keeping.stop()
        yield self._session.leave()
        self._router.close()
        self.entrance.stop()
        self.viewing.stop()
        self.log.info("stopped")

    def _is_own(self, host: str, port: int) -> bool:
        return self.ports.is_own(host, port) or self.measuring.is_own(host, port)

    @property
    def push_port(self) -> int:
        """The TCP port that cameras connect to for pictures."""
        return self.ports.push_port

    @property
    def measuring_port(self) -> int | None:
        """The TCP port that the laptops of seed 002 connect to; None where there is none."""
        return self.measuring.port

    @property
    def port(self) -> int:
        """The first TCP port that is listened on."""
        return self.listening.port

    # --- what happens, and who is told ---

    def _record_start(self) -> None:
        """Record the start, and what was changed in the configuration since the one before."""
        now = changes.fingerprints(self._settings, self.entrance.fingerprint_key)
        before = self.keeping.last_start()
        details = {"version": __version__, "configuration": now}
        started = self.journal.record(
            "system.started", f"{self._settings.name} started", caller=ITSELF, details=details
        )
        found = changes.differences(before, now) if before is not None else {}
        if found:
            text = changes.told(found)
            self.journal.record("system.configured", text, caller=ITSELF, cause=started.id, details=dict(found))

    def _snapshot(self, camera: str) -> Frame:
        """Return the newest frame of a live camera: cameras are composed after what keeps their pictures."""
        return self.viewing.cameras.snapshot(camera)

    def _renewed(self, settings: config.Site) -> None:
        """Let everybody know of what is in effect now."""
        self._settings = settings
        self._system.rename(settings.name)
        if self.keeping.recorder is not None:
            self.keeping.recorder.refresh()
        if self._shared is not None:
            self._shared.changed()
        self._publish_states()
        self._session.publish(uris.TOPIC_CHANGED.template)

    def _ended(self, ended: Ended) -> None:
        """End the sessions and streams of whoever is logged out, disabled or changed: now, not at the next request."""
        for member in self._router.members():
            principal = getattr(member.identity, "principal", None)
            if principal is not None and is_over(ended, principal):
                member.leave_for(KILLED, ended.why)
        self.viewing.end_streams(lambda principal: principal is not None and is_over(ended, principal))
        self._browsers.end(lambda principal: is_over(ended, principal))

    def _publish_states(self) -> None:
        """Say again what everything is: who heard the last word may have missed some."""
        for camera in self.viewing.cameras.list():
            self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera.id), plain(camera))
        for door in self.doorways.doors.list():
            self._session.publish(uris.TOPIC_DOOR_STATE.format(door=door.id), plain(door))

    def _publish_event(self, event: Event) -> None:
        if not event.kind.startswith(LOGGED):
            log = self.log.warn if event.outcome == "alarm" else self.log.info
            where = f"{event.subject}: " if event.kind.startswith("evidence.") and event.subject else ""
            log("{where}{text}", where=where, text=event.text, kind=event.kind, event=event.id)
        self._session.publish(uris.TOPIC_EVENT.template, plain(event))


def _policy(topic: str) -> Policy:
    """Of frames only the newest matters; states and events are never dropped."""
    return "newest" if uris.TOPIC_CAMERA_FRAME.match(topic) or uris.TOPIC_FEED_FRAME.match(topic) else "all"

"""Routes of the process: whether it is there, and everything that it watches at once."""

from typing import Any, Literal

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.cameras.api import CameraStatus
from gatekeeper.doors.structs import DoorStatus
from gatekeeper.errors import AccessDenied
from gatekeeper.http import cameras, doors
from gatekeeper.http.routes import Routes
from gatekeeper.reloading import Reloaded, Renewal
from gatekeeper.storage.database import Health
from gatekeeper.system.api import System, SystemStatus


class Alive(msgspec.Struct, frozen=True):
    """The process answers; nothing follows from it for any device."""

    status: Literal["ok"] = "ok"


class SiteStatus(SystemStatus, frozen=True, kw_only=True):
    """The whole site at one moment, as far as the caller may see it.

    :ivar demo: whether every device is virtual.
    :ivar started: Unix seconds; `uptime`: seconds; `time`: Unix seconds now.
    :ivar cpu: percent of one processor since the last question.
    :ivar memory: resident bytes.
    :ivar descriptors: open files and sockets.
    :ivar reactor: what kind of reactor runs, with its loop.
    :ivar versions: of Python and of the libraries that matter.
    :ivar router: the WAMP router's counters.
    :ivar storage: whether the database takes what happens.
    """

    cameras: list[CameraStatus]
    doors: list[DoorStatus]
    router: dict[str, Any]
    storage: Health


class SystemRoutes:
    """The process over HTTP."""

    def __init__(self, system: System, renewing: Renewal) -> None:
        self._system = system
        self._renewing = renewing

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.HEALTH, self._health, "Say that the process is alive.", gives=Alive)
        routes.add(uris.SYSTEM_STATUS, self._status, "Tell everything at once.", gives=SiteStatus)
        routes.add(
            uris.SYSTEM_RELOAD, self._reload, "Take cameras and doors from the configuration file anew.",
            gives=Reloaded, refused=self._refused,
        )  # fmt: skip

    def _health(self, request: Request, who: Principal | None) -> Alive:
        return Alive()

    def _reload(self, request: Request, who: Principal) -> "Deferred[Reloaded]":
        return Deferred.fromCoroutine(self._renewing.reload(who.caller))

    def _refused(self, who: Principal, error: AccessDenied) -> None:
        self._renewing.refused(who.caller, error)

    def _status(self, request: Request, who: Principal) -> SystemStatus:
        return visible(self._system.status(), who)


def visible(status: SystemStatus, who: Principal) -> SystemStatus:
    """Return the status with those of its cameras and doors that somebody may view."""
    return msgspec.structs.replace(
        status, cameras=cameras.visible(status.cameras, who), doors=doors.visible(status.doors, who)
    )

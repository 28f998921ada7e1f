"""Routes of the configuration's cameras: tried, added, changed and removed."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.errors import AccessDenied
from gatekeeper.http.requests import body_of
from gatekeeper.http.routes import Routes
from gatekeeper.reloading import Reloaded
from gatekeeper.tried import CameraGiven, Editor, Tried


class EditingRoutes:
    """The configuration's cameras over HTTP."""

    def __init__(self, editing: Editor) -> None:
        self._editing = editing

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(
            uris.CAMERA_TRY, self._try, "Connect to a camera once: a picture, or the exact reason why not.",
            takes=CameraGiven, gives=Tried, refused=self._refused("tried"),
        )  # fmt: skip
        routes.add(
            uris.CAMERA_ADD, self._add, "Add a camera to the configuration file.",
            takes=CameraGiven, gives=Reloaded, refused=self._refused("added"),
        )  # fmt: skip
        routes.add(
            uris.CAMERA_CHANGE, self._change, "Change keys of a camera in the configuration file.",
            takes=CameraGiven, gives=Reloaded, refused=self._refused("changed"),
        )  # fmt: skip
        routes.add(
            uris.CAMERA_REMOVE, self._remove, "Remove a camera from the configuration file.",
            gives=Reloaded, refused=self._refused("removed"),
        )  # fmt: skip

    def _try(self, request: Request, who: Principal) -> "Deferred[Tried]":
        return Deferred.fromCoroutine(self._editing.try_(who.caller, body_of(request)))

    def _add(self, request: Request, who: Principal) -> "Deferred[Reloaded]":
        return Deferred.fromCoroutine(self._editing.add(who.caller, body_of(request)))

    def _change(self, request: Request, who: Principal, camera: str) -> "Deferred[Reloaded]":
        return Deferred.fromCoroutine(self._editing.change(who.caller, camera, body_of(request)))

    def _remove(self, request: Request, who: Principal, camera: str) -> "Deferred[Reloaded]":
        return Deferred.fromCoroutine(self._editing.remove(who.caller, camera))

    def _refused(self, what: str) -> Any:
        def refused(who: Principal, error: AccessDenied, camera: str | None = None) -> None:
            self._editing.refused(who.caller, error, what, camera)

        return refused

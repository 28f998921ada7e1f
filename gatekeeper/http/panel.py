"""Routes of seed 004's control panel: the same addresses and shapes, with log-in, and commands by POST alone.

Each is about the first camera that connects to us and that the caller may view, or about the one in `?camera=`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal, check
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.push.panel import (
    Panel,
    PanelCommands,
    PanelDone,
    PanelHealth,
    PanelResolutions,
    PanelSaved,
    PanelStats,
    setting,
)
from gatekeeper.errors import AccessDenied
from gatekeeper.gallery.api import Gallery
from gatekeeper.gallery.snapshot import Snapshot
from gatekeeper.http.query import query_of
from gatekeeper.http.routes import Routes
from gatekeeper.uris import ID_PATTERN, Permission


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which camera is meant.

    :ivar camera: id of a camera that connects to us; the first that you may view if left out.
    """

    camera: Annotated[str, Meta(pattern=f"^{ID_PATTERN}$", max_length=40)] | None = None


class PanelRoutes:
    """The panel over HTTP."""

    def __init__(self, panel: Panel, cameras: Cameras, gallery: Gallery) -> None:
        self._panel = panel
        self._cameras = cameras
        self._gallery = gallery

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(
            uris.PANEL_STATS, self._stats, "Count what came of a camera that connects to us.",
            query=Which, gives=PanelStats,
        )  # fmt: skip
        routes.add(
            uris.PANEL_HEALTH, self._health, "Say that the server answers, and since when.", gives=PanelHealth
        )  # fmt: skip
        routes.add(
            uris.PANEL_RESOLUTIONS, self._resolutions, "List what a camera's pictures can measure.",
            query=Which, gives=PanelResolutions,
        )  # fmt: skip
        routes.add(
            uris.PANEL_COMMANDS, self._commands, "List the commands that a camera takes.",
            query=Which, gives=PanelCommands,
        )  # fmt: skip
        routes.add(
            uris.PANEL_COMMAND, self._command, "Give a camera a command that has no value.",
            query=Which, gives=PanelDone,
        )  # fmt: skip
        routes.add(
            uris.PANEL_COMMAND_VALUE, self._command, "Give a camera a command with its value.",
            query=Which, gives=PanelDone,
        )  # fmt: skip

        routes.add(
            uris.PANEL_LATEST, self._latest, "Give the newest picture of a live camera that connects to us.",
            query=Which, gives="image/jpeg",
        )  # fmt: skip
        routes.add(
            uris.PANEL_SAVE, self._save, "Keep the newest picture of a live camera that connects to us.",
            query=Which, gives=PanelSaved,
        )  # fmt: skip

    def _latest(self, request: Request, who: Principal) -> bytes:
        frame = self._cameras.snapshot(which(self._panel, request, who))
        request.setHeader(b"content-type", b"image/jpeg")
        request.setHeader(b"cache-control", b"no-store")
        return frame.jpeg

    def _save(self, request: Request, who: Principal) -> "Deferred[PanelSaved]":
        camera = which(self._panel, request, who)
        try:
            check(who, Permission.CAMERA_CONTROL, camera)
        except AccessDenied as error:
            self._gallery.refused(who, camera, error)
            raise
        keeping: Deferred[Any] = self._gallery.keep(who, camera)
        return keeping.addCallback(saved)

    def _stats(self, request: Request, who: Principal) -> PanelStats:
        return self._panel.stats(which(self._panel, request, who))

    def _health(self, request: Request, who: Principal) -> PanelHealth:
        return self._panel.health()

    def _resolutions(self, request: Request, who: Principal) -> PanelResolutions:
        return self._panel.resolutions(which(self._panel, request, who))

    def _commands(self, request: Request, who: Principal) -> PanelCommands:
        return self._panel.commands(which(self._panel, request, who))

    def _command(self, request: Request, who: Principal, cmd: str, val: str = "") -> "Deferred[PanelDone]":
        camera = which(self._panel, request, who)
        try:
            check(who, Permission.CAMERA_CONTROL, camera)
        except AccessDenied as error:
            self._cameras.refused(who.caller, camera, error)
            raise
        name = cmd.lower()
        setting_ = self._cameras.set(who.caller, camera, setting(name, val))
        return setting_.addCallback(lambda done: PanelDone(command=name, value=val, taken=done.taken[name]))


def saved(kept: Snapshot) -> PanelSaved:
    """Return the panel's answer for a picture that was kept."""
    path = uris.PICTURE.format(picture=kept.id)
    return PanelSaved(message=f"kept as {path}", path=path, filename=f"{kept.id}.jpg")


def which(panel: Panel, request: Request, who: Principal) -> str:
    """Return the camera that a request means.

    :raises AccessDenied: if it names one that may not be viewed, whether there is one or not.
    :raises NoSuchCamera: if there is none.
    """
    asked = query_of(request, Which).camera
    if asked is not None:
        check(who, Permission.CAMERA_VIEW, asked)
    return panel.choose(asked, lambda camera: who.may(Permission.CAMERA_VIEW, camera))

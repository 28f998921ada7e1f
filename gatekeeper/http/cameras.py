"""Routes of cameras: their state, the newest picture, their settings. Streams are resources of their own (`root`)."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.cameras.api import Cameras, CameraSettings, CameraStatus, SetResult
from gatekeeper.cameras.frame import Frame
from gatekeeper.cameras.push.identity import Stranger
from gatekeeper.cameras.push.settings import Settings
from gatekeeper.cameras.telemetry import TelemetryPage
from gatekeeper.errors import AccessDenied
from gatekeeper.http.query import query_of
from gatekeeper.http.requests import body_of
from gatekeeper.http.routes import Routes
from gatekeeper.uris import Permission


class TelemetryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which samples.

    :ivar since: Unix seconds; only what came later.
    """

    since: Annotated[float, Meta(ge=-(2.0**53), le=2.0**53)] | None = None


class CameraRoutes:
    """Cameras over HTTP."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.CAMERAS, self._list, "List the cameras that you may view.", gives=list[CameraStatus])
        routes.add(uris.CAMERA, self._status, "Tell the state of a camera.", gives=CameraStatus)
        routes.add(
            uris.FEED_SNAPSHOT, self._feed_snapshot, "Give a picture of a feed that is made of a camera's.",
            gives="image/jpeg",
        )  # fmt: skip
        routes.add(uris.SNAPSHOT, self._snapshot, "Give the newest picture of a live camera.", gives="image/jpeg")
        routes.add(
            uris.CAMERA_SETTINGS, self._settings, "Tell what a camera can be set to, and what it is set to.",
            gives=CameraSettings,
        )  # fmt: skip
        routes.add(
            uris.CAMERA_TELEMETRY, self._telemetry, "Give the samples of a camera over the last hour.",
            query=TelemetryQuery, gives=TelemetryPage,
        )  # fmt: skip
        routes.add(
            uris.CAMERA_SET, self._set, "Set a camera that connects to us; answers with what it says it took.",
            takes=Settings, gives=SetResult, refused=self._refused,
        )  # fmt: skip
        routes.add(
            uris.STRANGERS, self._strangers, "List the cameras that connect and are in no configuration.",
            gives=list[Stranger],
        )  # fmt: skip

    def _list(self, request: Request, who: Principal) -> list[CameraStatus]:
        return visible(self._cameras.list(), who)

    def _status(self, request: Request, who: Principal, camera: str) -> CameraStatus:
        return self._cameras.status(camera)

    def _settings(self, request: Request, who: Principal, camera: str) -> CameraSettings:
        return self._cameras.settings(camera)

    def _telemetry(self, request: Request, who: Principal, camera: str) -> TelemetryPage:
        return self._cameras.telemetry(camera, query_of(request, TelemetryQuery).since)

    def _set(self, request: Request, who: Principal, camera: str) -> "Deferred[SetResult]":
        return self._cameras.set(who.caller, camera, body_of(request))

    def _refused(self, who: Principal, error: AccessDenied, camera: str) -> None:
        """Put on the record that somebody tried what they may not."""
        self._cameras.refused(who.caller, camera, error)

    def _strangers(self, request: Request, who: Principal) -> Sequence[Stranger]:
        return self._cameras.strangers()

    def _snapshot(self, request: Request, who: Principal, camera: str) -> bytes:
        return _send(self._cameras.snapshot(camera), request)

    def _feed_snapshot(self, request: Request, who: Principal, camera: str, feed: str) -> "Deferred[bytes]":
        return self._cameras.feed_snapshot(camera, feed).addCallback(_send, request)


def _send(frame: Frame, request: Request) -> bytes:
    request.setHeader(b"content-type", b"image/jpeg")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"x-timestamp", f"{frame.wall:.6f}".encode())
    request.setHeader(b"x-sequence", str(frame.sequence).encode())
    return frame.jpeg


def visible(cameras: list[CameraStatus], who: Principal) -> list[CameraStatus]:
    """Return those of the cameras that somebody may view."""
    return [camera for camera in cameras if who.may(Permission.CAMERA_VIEW, camera.id)]

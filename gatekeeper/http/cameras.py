"""Routes of cameras: their state and the newest picture. Streams are resources of their own (`root.py`)."""

from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.cameras.api import Cameras, CameraStatus
from gatekeeper.http.routes import Routes
from gatekeeper.uris import Permission


class CameraRoutes:
    """Cameras over HTTP."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.CAMERAS, self._list, "List the cameras that you may view.", gives=list[CameraStatus])
        routes.add(uris.CAMERA, self._status, "Tell the state of a camera.", gives=CameraStatus)
        routes.add(uris.SNAPSHOT, self._snapshot, "Give the newest picture of a live camera.", gives="image/jpeg")

    def _list(self, request: Request, who: Principal) -> list[CameraStatus]:
        return visible(self._cameras.list(), who)

    def _status(self, request: Request, who: Principal, camera: str) -> CameraStatus:
        return self._cameras.status(camera)

    def _snapshot(self, request: Request, who: Principal, camera: str) -> bytes:
        frame = self._cameras.snapshot(camera)
        request.setHeader(b"content-type", b"image/jpeg")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-timestamp", f"{frame.wall:.6f}".encode())
        request.setHeader(b"x-sequence", str(frame.sequence).encode())
        return frame.jpeg


def visible(cameras: list[CameraStatus], who: Principal) -> list[CameraStatus]:
    """Return those of the cameras that somebody may view."""
    return [camera for camera in cameras if who.may(Permission.CAMERA_VIEW, camera.id)]

"""What answers at the top: the WebSocket and the streams are resources of their own, all else is Klein's."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.guard import Guard
from gatekeeper.errors import GatekeeperError, MethodNotAllowed, NoSuchCamera, NotFound, UpgradeRequired
from gatekeeper.http.errors import ErrorResource
from gatekeeper.http.requests import authorise


class Root(Resource):
    """Routes by path.

    :param websocket: the resource at `/ws`.
    :param streams: camera id -> its MJPEG stream, in the configuration's order.
    :param api: Klein's resource.
    """

    def __init__(
        self,
        guard: Guard,
        websocket: IResource,
        streams: Mapping[str, IResource],
        api: IResource,
    ) -> None:
        super().__init__()
        self._guard = guard
        self._websocket = websocket
        self._streams = streams
        self._api = api

    def getChild(self, path: bytes, request: Request) -> Any:
        if request.path == uris.WEBSOCKET_PATH.encode():
            return self._upgraded(request)
        stream = self._find(request.path.decode("latin-1"))
        if stream is not None:
            return self._authorised(request, stream)
        request.prepath, request.postpath = [], [path, *(request.postpath or [])]
        if not _is_text(b"/".join(request.postpath)) or not _is_text(request.method):
            return ErrorResource(NotFound("there is nothing at this address"))
        return self._api

    def _upgraded(self, request: Request) -> IResource:
        if (request.getHeader(b"upgrade") or b"").lower() == b"websocket":
            return self._websocket
        request.setHeader(b"upgrade", b"websocket")
        return ErrorResource(UpgradeRequired("this address speaks WebSocket, with WAMP in it"))

    def _find(self, path: str) -> Callable[[], IResource] | None:
        """Return what finds the stream at a path, or None if it isn't a stream's."""
        if path == uris.VIDEO_FEED.path:
            return self._first
        head, tail = uris.STREAM.path.split("<camera>")
        if path.startswith(head) and path.endswith(tail) and len(path) > len(head) + len(tail):
            camera = path[len(head) : -len(tail)]
            return lambda: self._stream(camera)
        return None

    def _first(self) -> IResource:
        if not self._streams:
            raise NoSuchCamera("this site has no camera")
        return next(iter(self._streams.values()))

    def _stream(self, camera: str) -> IResource:
        if camera not in self._streams:
            raise NoSuchCamera(f'there is no camera "{camera[:40]}"; there are: {", ".join(self._streams) or "none"}')
        return self._streams[camera]

    def _authorised(self, request: Request, stream: Callable[[], IResource]) -> Any:
        try:
            authorise(self._guard, request, uris.STREAM.permission)
            if request.method not in (b"GET", b"HEAD"):
                request.setHeader(b"allow", b"GET, HEAD")
                raise MethodNotAllowed("this address answers GET, HEAD")
            return stream()
        except GatekeeperError as error:
            return ErrorResource(error)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

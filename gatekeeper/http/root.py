"""What answers at the top: the WebSocket and the streams are resources of their own, all else is Klein's."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal
from gatekeeper.cameras.push.panel import Panel
from gatekeeper.errors import GatekeeperError, MethodNotAllowed, NoSuchCamera, NoSuchFeed, NotFound, UpgradeRequired
from gatekeeper.http.errors import ErrorResource
from gatekeeper.http.panel import Which, which
from gatekeeper.http.requests import authorise
from gatekeeper.http.routes import Operation
from gatekeeper.uris import Permission, Route

READING: Final = (b"GET", b"HEAD")
_FEED: Final = re.compile(r"/cameras/(?P<camera>[^/]+)/feeds/(?P<feed>[^/]+)/stream\.mjpg")
MJPEG: Final = "multipart/x-mixed-replace"

STREAMS: Final = (
    Operation(uris.STREAM, "Stream the pictures of a camera, for ever.", gives=MJPEG),
    Operation(uris.FEED_STREAM, "Stream a feed that is made of a camera's pictures, for ever.", gives=MJPEG),
    Operation(uris.VIDEO_FEED, "Stream the first camera that you may view, for ever.", gives=MJPEG),
    Operation(uris.MJPEG, "Stream a camera that connects to us, for ever.", query=Which, gives=MJPEG),
)
"""What answers here and not among Klein's routes, for the description."""


class Root(Resource):
    """Routes by path.

    :param websocket: the resource at `/ws`.
    :param streams: camera id -> its MJPEG stream, in the configuration's order.
    :param api: Klein's resource.
    :param panel: which camera is meant by seed 004's `/mjpeg`.
    :param feeds: returns the stream of a camera's feed by their names, or None.
    """

    def __init__(
        self,
        guard: Guard,
        websocket: IResource,
        streams: Mapping[str, IResource],
        api: IResource,
        panel: Panel,
        *,
        feeds: Callable[[str, str], IResource | None] = lambda camera, feed: None,
    ) -> None:
        super().__init__()
        self._guard = guard
        self._websocket = websocket
        self._streams = streams
        self._api = api
        self._panel = panel
        self._feeds = feeds

    def getChild(self, path: bytes, request: Request) -> Any:
        if request.path == uris.WEBSOCKET_PATH.encode():
            return self._upgraded(request)
        asked = self._find(request.path.decode("latin-1"))
        if asked is not None:
            return self._stream(request, *asked)
        request.prepath, request.postpath = [], [path, *(request.postpath or [])]
        if not _is_text(b"/".join(request.postpath)) or not _is_text(request.method):
            return ErrorResource(NotFound("there is nothing at this address"))
        return self._api

    def _upgraded(self, request: Request) -> IResource:
        if request.method not in READING:
            return _wrong_method(request)
        if (request.getHeader(b"upgrade") or b"").lower() == b"websocket":
            return self._websocket
        request.setHeader(b"upgrade", b"websocket")
        return ErrorResource(UpgradeRequired("this address speaks WebSocket, with WAMP in it"))

    def _find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the stream's route and ids that a path means, or None if it isn't a stream's."""
        if path == uris.VIDEO_FEED.path:
            return uris.VIDEO_FEED, {}
        if path == uris.MJPEG.path:
            return uris.MJPEG, {}
        found = _FEED.fullmatch(path)
        if found is not None:
            return uris.FEED_STREAM, found.groupdict()
        head, tail = uris.STREAM.path.split("<camera>")
        if path.startswith(head) and path.endswith(tail) and len(path) > len(head) + len(tail):
            return uris.STREAM, {"camera": path[len(head) : -len(tail)]}
        return None

    def _stream(self, request: Request, route: Route, ids: dict[str, str]) -> Any:
        try:
            who = authorise(self._guard, request, route, ids)
            if request.method not in READING:
                return _wrong_method(request)
            request.principal = who  # type: ignore[attr-defined]  # for the stream, which ends when that is logged out
            if route is uris.MJPEG:
                assert who is not None  # noqa: S101 - narrows the type: the route needs a permission
                return self._of(which(self._panel, request, who))
            if route is uris.FEED_STREAM:
                return self._feed(**ids)
            return self._of(ids["camera"]) if ids else self._first(who)
        except GatekeeperError as error:
            return ErrorResource(error)

    def _of(self, camera: str) -> IResource:
        if camera not in self._streams:
            raise NoSuchCamera(f'there is no camera "{camera[:40]}"; there are: {", ".join(self._streams) or "none"}')
        return self._streams[camera]

    def _feed(self, camera: str, feed: str) -> IResource:
        self._of(camera)
        found = self._feeds(camera, feed)
        if found is None:
            raise NoSuchFeed(f'camera {camera} has no feed "{feed[:40]}"')
        return found

    def _first(self, who: Principal | None) -> IResource:
        for camera, stream in self._streams.items():
            if who is not None and who.may(Permission.CAMERA_VIEW, camera):
                return stream
        raise NoSuchCamera("this site has no camera that you may view" if self._streams else "this site has no camera")


def _wrong_method(request: Request) -> IResource:
    request.setHeader(b"allow", b", ".join(READING))
    return ErrorResource(MethodNotAllowed("this address answers GET, HEAD"))


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

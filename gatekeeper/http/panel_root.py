"""What answers over HTTP where cameras connect for control, port 6971: seed 004's panel, and nothing else of the site.

That port may be open to a network of cameras where the site's own isn't: no door, no log-in form and no account is
reached through it, and what is answers only to a key or to the cookie of a log-in at the site's own port.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.web.resource import IResource, Resource
from twisted.web.server import Request
from twisted.web.util import Redirect

from gatekeeper import uris
from gatekeeper.errors import NotFound
from gatekeeper.http.errors import ErrorResource

ANSWERED: Final = tuple(
    route.path.partition("<")[0]
    for route in uris.ROUTES
    if route is uris.MJPEG or route.path.startswith(("/api/stats", "/api/health", "/api/resolutions", "/api/command"))
)
IMAGES: Final = (uris.PANEL_LATEST.path, uris.PANEL_SAVE.path)


class PanelRoot(Resource):
    """Routes by path.

    :param root: the site's own, which knows who may.
    :param port: where the site's pages are.
    """

    def __init__(self, root: IResource, port: Callable[[], int]) -> None:
        super().__init__()
        self._root = root
        self._port = port

    def getChild(self, path: bytes, request: Request) -> Any:
        asked = request.path.decode("latin-1")
        if asked in ANSWERED or asked in IMAGES or asked.startswith(uris.PANEL_COMMAND.path.partition("<")[0]):
            return self._root.getChildWithDefault(path, request)
        if asked == uris.INDEX.path and request.method in (b"GET", b"HEAD"):
            return Redirect(self._pages(request))
        return ErrorResource(NotFound("cameras connect here; the site's own pages are at another port"))

    def _pages(self, request: Request) -> bytes:
        """Return the address of the site's pages: the same host, at their port."""
        try:
            host = urlsplit(f"//{(request.getHeader(b'host') or b'').decode('ascii')}").hostname
        except ValueError:
            host = None
        host = f"[{host}]" if host is not None and ":" in host else host or "localhost"
        return f"http{'s' if request.isSecure() else ''}://{host}:{self._port()}/".encode()

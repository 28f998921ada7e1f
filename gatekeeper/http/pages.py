"""Routes of the pages: the dashboard's files, the API's description, and the page that shows it to people."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

import msgspec
from twisted.web.server import Request

import gatekeeper
from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.http import api_page, openapi
from gatekeeper.http.api_style import STYLE, STYLE_NAME
from gatekeeper.http.dashboard_files import DashboardFiles
from gatekeeper.http.openapi_tables import Object
from gatekeeper.http.routes import Operation, Routes

IMMUTABLE: Final = b"public, max-age=31536000, immutable"  # the name carries a hash of what it names


class PageRoutes:
    """The dashboard over HTTP; holds nothing but files."""

    def __init__(self, dashboard: DashboardFiles) -> None:
        self._dashboard = dashboard

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.INDEX, self._index, "Give the dashboard.", gives="text/html")
        routes.add(uris.ASSETS, self._asset, "Give a script, style or picture of the pages.", gives="*/*")

    def _index(self, request: Request, who: Principal | None) -> bytes:
        return self._dashboard.index(request)

    def _asset(self, request: Request, who: Principal | None, name: str) -> bytes:
        if name == STYLE_NAME:
            request.setHeader(b"content-type", b"text/css; charset=utf-8")
            request.setHeader(b"cache-control", IMMUTABLE)
            return STYLE
        return self._dashboard.asset(request, name)


class DescriptionRoutes:
    """The description of all routes, its own too, as JSON and as a page.

    :param operations: returns what answers; asked once, at the first request.
    """

    def __init__(self, operations: Callable[[], Sequence[Operation]]) -> None:
        self._operations = operations

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.OPENAPI, self._openapi, "Give this description for programs.", gives=Object)
        routes.add(uris.API_PAGE, self._page, "Show this description to people.", gives="text/html")

    def _openapi(self, request: Request, who: Principal | None) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-cache")
        return self._encoded

    def _page(self, request: Request, who: Principal | None) -> bytes:
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        request.setHeader(b"cache-control", b"no-cache")
        return self._shown

    @cached_property
    def description(self) -> Object:
        """The OpenAPI document."""
        return openapi.describe(self._operations(), version=gatekeeper.__version__)

    @cached_property
    def _encoded(self) -> bytes:
        return msgspec.json.encode(self.description)

    @cached_property
    def _shown(self) -> bytes:
        return api_page.render(self.description).encode()

"""The HTTP API: groups of routes put together, and the description of them all."""

from collections.abc import Iterable
from typing import Any, Protocol

from gatekeeper.access.guard import Guard
from gatekeeper.http.pages import DescriptionRoutes
from gatekeeper.http.root import STREAMS
from gatekeeper.http.routes import Operation, Routes


class Group(Protocol):
    """Routes that belong together: `CameraRoutes`, `DoorRoutes`, …"""

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""


class HttpApi:
    """The HTTP side of a site.

    :param guard: who knows people and what they may.
    :param groups: what answers, besides the description of all of it.
    """

    def __init__(self, guard: Guard, groups: Iterable[Group]) -> None:
        self._routes = Routes(guard)
        self.description = DescriptionRoutes(lambda: self.operations)
        for group in (*groups, self.description):
            group.add_to(self._routes)

    @property
    def operations(self) -> list[Operation]:
        """Everything that answers, the streams beside the routes too."""
        return [*self._routes.operations, *STREAMS]

    def resource(self) -> Any:
        """Return what answers at every path but the streams' and the WebSocket's."""
        return self._routes.app.resource()

"""The HTTP API without a site behind it: enough to be described."""

from typing import Any, cast

from gatekeeper.http.access import AccessRoutes
from gatekeeper.http.app import Group, HttpApi
from gatekeeper.http.cameras import CameraRoutes
from gatekeeper.http.doors import DoorRoutes
from gatekeeper.http.editing import EditingRoutes
from gatekeeper.http.events import EventRoutes
from gatekeeper.http.measurements import MeasurementRoutes
from gatekeeper.http.pages import PageRoutes
from gatekeeper.http.panel import PanelRoutes
from gatekeeper.http.pictures import PictureRoutes
from gatekeeper.http.system import SystemRoutes

NOBODY: Any = cast("Any", None)


def described() -> HttpApi:
    """Return every group put together; nothing in it answers."""
    access = AccessRoutes(
        guard=NOBODY, logins=NOBODY, accounts=NOBODY, access=NOBODY, login_life=1.0, token_life=1.0, wall=NOBODY
    )
    groups: list[Group] = [
        DoorRoutes(NOBODY),
        CameraRoutes(NOBODY),
        EditingRoutes(NOBODY),
        EventRoutes(NOBODY, NOBODY),
        PictureRoutes(NOBODY, NOBODY),
        MeasurementRoutes(NOBODY, NOBODY, NOBODY),
        PanelRoutes(NOBODY, NOBODY, NOBODY),
        access,
        SystemRoutes(NOBODY, NOBODY),
        PageRoutes(NOBODY),
    ]
    return HttpApi(NOBODY, groups)

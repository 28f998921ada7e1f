"""Every group of routes; `site.py` gives each what it asks."""

from typing import Any, Final

from gatekeeper.http.access import AccessRoutes
from gatekeeper.http.cameras import CameraRoutes
from gatekeeper.http.doors import DoorRoutes
from gatekeeper.http.editing import EditingRoutes
from gatekeeper.http.events import EventRoutes
from gatekeeper.http.measurements import MeasurementRoutes
from gatekeeper.http.pages import PageRoutes
from gatekeeper.http.panel import PanelRoutes
from gatekeeper.http.pictures import PictureRoutes
from gatekeeper.http.system import SystemRoutes

GROUPS: Final[tuple[Any, ...]] = (
    PageRoutes,
    AccessRoutes,
    SystemRoutes,
    CameraRoutes,
    EditingRoutes,
    PictureRoutes,
    DoorRoutes,
    EventRoutes,
    PanelRoutes,
    MeasurementRoutes,
)

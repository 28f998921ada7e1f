"""The HTTP API without a site behind it: enough to be described."""

from typing import Any, cast

from gatekeeper.http.app import Group, HttpApi
from gatekeeper.http.cameras import CameraRoutes
from gatekeeper.http.doors import DoorRoutes
from gatekeeper.http.pages import PageRoutes
from gatekeeper.http.system import SystemRoutes

NOBODY: Any = cast("Any", None)


def described() -> HttpApi:
    """Return every group put together; nothing in it answers."""
    groups: list[Group] = [CameraRoutes(NOBODY), DoorRoutes(NOBODY), SystemRoutes(NOBODY), PageRoutes(NOBODY)]
    return HttpApi(NOBODY, groups)

"""Every HTTP path, WAMP procedure and topic, each with the permission that it needs: one table, used by all.

Paths are templates in werkzeug's form (`/cameras/<camera>/stream.mjpg`), WAMP names likewise with `<camera>` for one
component. The dashboard reads the same names from `web/src/uris.ts`, which a test holds to this table.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

REALM = "gatekeeper"
WEBSOCKET_PATH = "/ws"
ID_PATTERN = r"[a-z0-9]+(?:[_-][a-z0-9]+)*"


class Permission(StrEnum):
    """What a caller must be allowed before an address answers."""

    NONE = "none"  # anybody who can reach the port
    CAMERA_VIEW = "camera.view"
    DOOR_VIEW = "door.view"
    DOOR_OPEN = "door.open"
    DOOR_LOCK = "door.lock"
    SYSTEM_VIEW = "system.view"
    ACCESS_ADMIN = "access.admin"


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP method on one path template."""

    method: str
    path: str
    permission: Permission

    def format(self, **ids: str) -> str:
        """Return the path with its ids filled in."""
        return _fill(self.path, ids)


@dataclass(frozen=True, slots=True)
class Name:
    """A WAMP procedure or topic."""

    template: str
    permission: Permission

    def format(self, **ids: str) -> str:
        """Return the URI with its ids filled in."""
        return _fill(self.template, ids)

    def match(self, uri: str) -> re.Match[str] | None:
        """Return the match of a concrete URI, its groups the ids, or None."""
        return _pattern(self.template).fullmatch(uri)


def _fill(template: str, ids: dict[str, str]) -> str:
    return re.sub(r"<(?:path:)?(\w+)>", lambda found: ids[found[1]], template)


def _pattern(template: str) -> re.Pattern[str]:
    literal = re.escape(template)
    return re.compile(re.sub(r"<(\w+)>", rf"(?P<\1>{ID_PATTERN})", literal))


# --- HTTP ---------------------------------------------------------------------------------------------------------

HEALTH = Route("GET", "/healthz", Permission.NONE)
INDEX = Route("GET", "/", Permission.NONE)  # the page itself holds nothing: without log-in it shows the log-in form
ASSETS = Route("GET", "/assets/<path:name>", Permission.NONE)
LOGIN_LINK = Route("GET", "/login", Permission.NONE)  # ?code=…, once
LOGIN = Route("POST", "/login", Permission.NONE)  # {"token": …}
LOGOUT = Route("POST", "/logout", Permission.NONE)
WHOAMI = Route("GET", "/api/access/me", Permission.SYSTEM_VIEW)
NEW_TOKEN = Route("POST", "/api/access/token", Permission.ACCESS_ADMIN)
SYSTEM_STATUS = Route("GET", "/api/system/status", Permission.SYSTEM_VIEW)
CAMERAS = Route("GET", "/cameras", Permission.CAMERA_VIEW)
CAMERA = Route("GET", "/cameras/<camera>", Permission.CAMERA_VIEW)
SNAPSHOT = Route("GET", "/cameras/<camera>/snapshot.jpg", Permission.CAMERA_VIEW)
STREAM = Route("GET", "/cameras/<camera>/stream.mjpg", Permission.CAMERA_VIEW)
VIDEO_FEED = Route("GET", "/video_feed", Permission.CAMERA_VIEW)  # seed 000: the first camera
DOORS = Route("GET", "/doors", Permission.DOOR_VIEW)
DOOR = Route("GET", "/doors/<door>", Permission.DOOR_VIEW)
DOOR_OPEN = Route("POST", "/doors/<door>/open", Permission.DOOR_OPEN)
DOOR_LOCK = Route("POST", "/doors/<door>/lock", Permission.DOOR_LOCK)

ROUTES = (
    HEALTH, INDEX, ASSETS, LOGIN_LINK, LOGIN, LOGOUT, WHOAMI, NEW_TOKEN, SYSTEM_STATUS, CAMERAS, CAMERA, SNAPSHOT,
    STREAM, VIDEO_FEED, DOORS, DOOR, DOOR_OPEN, DOOR_LOCK,
)  # fmt: skip

# --- WAMP procedures ----------------------------------------------------------------------------------------------

CALL_SYSTEM_STATUS = Name("gatekeeper.system.status", Permission.SYSTEM_VIEW)
CALL_SYSTEM_TIME = Name("gatekeeper.system.time", Permission.SYSTEM_VIEW)
CALL_CAMERA_LIST = Name("gatekeeper.camera.list", Permission.CAMERA_VIEW)
CALL_CAMERA_STATUS = Name("gatekeeper.camera.status", Permission.CAMERA_VIEW)
CALL_DOOR_LIST = Name("gatekeeper.door.list", Permission.DOOR_VIEW)
CALL_DOOR_STATUS = Name("gatekeeper.door.status", Permission.DOOR_VIEW)
CALL_DOOR_OPEN = Name("gatekeeper.door.open", Permission.DOOR_OPEN)
CALL_DOOR_LOCK = Name("gatekeeper.door.lock", Permission.DOOR_LOCK)
CALL_EVENT_RECENT = Name("gatekeeper.event.recent", Permission.SYSTEM_VIEW)

PROCEDURES = (
    CALL_SYSTEM_STATUS, CALL_SYSTEM_TIME, CALL_CAMERA_LIST, CALL_CAMERA_STATUS, CALL_DOOR_LIST, CALL_DOOR_STATUS,
    CALL_DOOR_OPEN, CALL_DOOR_LOCK, CALL_EVENT_RECENT,
)  # fmt: skip

# --- WAMP topics (only gatekeeper itself publishes on them) ----------------------------------------------------------

TOPIC_CAMERA_FRAME = Name("gatekeeper.camera.<camera>.frame", Permission.CAMERA_VIEW)
TOPIC_CAMERA_STATE = Name("gatekeeper.camera.<camera>.state", Permission.CAMERA_VIEW)
TOPIC_DOOR_STATE = Name("gatekeeper.door.<door>.state", Permission.DOOR_VIEW)
TOPIC_EVENT = Name("gatekeeper.event", Permission.SYSTEM_VIEW)

TOPICS = (TOPIC_CAMERA_FRAME, TOPIC_CAMERA_STATE, TOPIC_DOOR_STATE, TOPIC_EVENT)

# --- between sites on a realm that they share (realm.py); no page's or script's to use ------------------------------

TOPIC_SITE = "gatekeeper.site"
AT_SITE = Name("gatekeeper.site.<site>.<procedure>", Permission.ACCESS_ADMIN)

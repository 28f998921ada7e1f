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
    """What a caller must be allowed before an address answers.

    One whose name begins with a kind of thing, `camera.view`, is given per thing: by a grant on it, or on all.
    """

    NONE = "none"  # anybody who can reach the port
    SELF = "self"  # anybody who has proved to be somebody: what concerns only that account
    CAMERA_VIEW = "camera.view"
    CAMERA_CONTROL = "camera.control"  # and keeping its pictures, which takes room on the disk
    CAMERA_ERASE = "camera.erase"  # pictures that are kept of it
    DOOR_VIEW = "door.view"
    DOOR_OPEN = "door.open"
    DOOR_LOCK = "door.lock"
    MEASUREMENT_VIEW = "measurement.view"  # per team
    MEASUREMENT_SEND = "measurement.send"  # per team
    MEASUREMENT_CONTROL = "measurement.control"  # sessions are all teams': with a grant on all of them
    EVENT_VIEW = "event.view"  # of the things that one may view; what concerns no thing, only with a grant on all
    EVENT_HOLD = "event.hold"
    EVENT_EXPORT = "event.export"
    EVENT_ERASE = "event.erase"  # pictures; the statement that they were there stays
    SYSTEM_VIEW = "system.view"
    SYSTEM_CHANGE = "system.change"  # what the configuration says: cameras, and taking the file anew
    SCRIPT = "script"  # names outside `gatekeeper.`: call, register, publish and subscribe as one likes
    ACCESS_ADMIN = "access.admin"

    @property
    def kind(self) -> str | None:
        """The kind of thing that it is given per: `camera`, `door`, `gate`, `session`, `team`; None if it isn't."""
        kind = self.value.partition(".")[0]
        kind = THINGS.get(kind, kind)
        return kind if kind in KINDS else None


THINGS = {"measurement": "team"}
"""What permissions are given per, where their name doesn't begin with it."""

KINDS = ("camera", "door", "gate", "session", "team")
"""The kinds of things that grants are given on."""


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
LOGIN = Route("POST", "/login", Permission.NONE)  # {"name", "password"} or {"key"}: a cookie
LOGOUT = Route("POST", "/logout", Permission.NONE)  # this log-in and all that hangs on it
SETUP = Route("POST", "/api/access/setup", Permission.NONE)  # {"name", "password"} with the one-time link's cookie
TOKEN = Route("POST", "/api/access/token", Permission.NONE)  # {"name", "password"} or {"refresh_token"}: a JWT
WHOAMI = Route("GET", "/api/access/me", Permission.SELF)
PASSWORD = Route("POST", "/api/access/password", Permission.SELF)  # {"old", "new"}
LOGINS = Route("GET", "/api/access/logins", Permission.SELF)
END_LOGINS = Route("POST", "/api/access/logins/end", Permission.SELF)  # log out everywhere
KEYS = Route("GET", "/api/access/keys", Permission.SELF)
NEW_KEY = Route("POST", "/api/access/keys", Permission.SELF)  # shown once
REVOKE_KEY = Route("DELETE", "/api/access/keys/<key>", Permission.SELF)
USERS = Route("GET", "/api/access/users", Permission.ACCESS_ADMIN)
NEW_USER = Route("POST", "/api/access/users", Permission.ACCESS_ADMIN)
CHANGE_USER = Route("PATCH", "/api/access/users/<user>", Permission.ACCESS_ADMIN)
REVOKE_USER = Route("DELETE", "/api/access/users/<user>", Permission.ACCESS_ADMIN)
GRANT = Route("PUT", "/api/access/users/<user>/grants/<kind>/<thing>", Permission.ACCESS_ADMIN)  # thing `*` is all
REVOKE_GRANT = Route("DELETE", "/api/access/users/<user>/grants/<kind>/<thing>", Permission.ACCESS_ADMIN)
SYSTEM_STATUS = Route("GET", "/api/system/status", Permission.SYSTEM_VIEW)
SYSTEM_RELOAD = Route("POST", "/api/system/reload", Permission.SYSTEM_CHANGE)
CAMERAS = Route("GET", "/cameras", Permission.CAMERA_VIEW)
CAMERA = Route("GET", "/cameras/<camera>", Permission.CAMERA_VIEW)
SNAPSHOT = Route("GET", "/cameras/<camera>/snapshot.jpg", Permission.CAMERA_VIEW)
CAMERA_SETTINGS = Route("GET", "/cameras/<camera>/settings", Permission.CAMERA_VIEW)
CAMERA_SET = Route("POST", "/cameras/<camera>/settings", Permission.CAMERA_CONTROL)
CAMERA_TELEMETRY = Route("GET", "/cameras/<camera>/telemetry", Permission.CAMERA_VIEW)  # ?since=…
STRANGERS = Route("GET", "/api/cameras/strangers", Permission.ACCESS_ADMIN)  # who connects and is in no configuration
PICTURES = Route("GET", "/pictures", Permission.CAMERA_VIEW)  # kept ones, of the cameras that one may view
PICTURE_DAYS = Route("GET", "/pictures/days", Permission.CAMERA_VIEW)
PICTURE = Route("GET", "/pictures/<picture>.jpg", Permission.CAMERA_VIEW)
PICTURE_DELETE = Route("DELETE", "/pictures/<picture>.jpg", Permission.CAMERA_ERASE)
PICTURE_SMALL = Route("GET", "/pictures/<picture>/thumbnail.jpg", Permission.CAMERA_VIEW)
PICTURE_KEEP = Route("POST", "/cameras/<camera>/pictures", Permission.CAMERA_CONTROL)  # the newest, now
TIMELAPSE = Route("GET", "/cameras/<camera>/timelapse/<day>.mp4", Permission.CAMERA_VIEW)
TIMELAPSE_STATE = Route("GET", "/cameras/<camera>/timelapse/<day>", Permission.CAMERA_VIEW)
CAMERA_TRY = Route("POST", "/api/cameras/try", Permission.SYSTEM_CHANGE)  # a camera's table: a picture, or why not
CAMERA_ADD = Route("POST", "/api/cameras", Permission.SYSTEM_CHANGE)
CAMERA_CHANGE = Route("PATCH", "/api/cameras/<camera>", Permission.SYSTEM_CHANGE)
CAMERA_REMOVE = Route("DELETE", "/api/cameras/<camera>", Permission.SYSTEM_CHANGE)
STREAM = Route("GET", "/cameras/<camera>/stream.mjpg", Permission.CAMERA_VIEW)
FEED_STREAM = Route("GET", "/cameras/<camera>/feeds/<feed>/stream.mjpg", Permission.CAMERA_VIEW)
FEED_SNAPSHOT = Route("GET", "/cameras/<camera>/feeds/<feed>/snapshot.jpg", Permission.CAMERA_VIEW)
VIDEO_FEED = Route("GET", "/video_feed", Permission.CAMERA_VIEW)  # seed 000: the first camera
MJPEG = Route("GET", "/mjpeg", Permission.CAMERA_VIEW)  # this to the last: seed 004, the first camera that connects
PANEL_STATS = Route("GET", "/api/stats", Permission.CAMERA_VIEW)
PANEL_HEALTH = Route("GET", "/api/health", Permission.CAMERA_VIEW)
PANEL_RESOLUTIONS = Route("GET", "/api/resolutions", Permission.CAMERA_VIEW)
PANEL_COMMANDS = Route("GET", "/api/commands", Permission.CAMERA_VIEW)
PANEL_COMMAND = Route("POST", "/api/command/<cmd>", Permission.CAMERA_CONTROL)  # the seed's own takes GET, too
PANEL_COMMAND_VALUE = Route("POST", "/api/command/<cmd>/<val>", Permission.CAMERA_CONTROL)
PANEL_LATEST = Route("GET", "/api/images/latest", Permission.CAMERA_VIEW)
PANEL_SAVE = Route("POST", "/api/images/save", Permission.CAMERA_CONTROL)
DOORS = Route("GET", "/doors", Permission.DOOR_VIEW)
DOOR = Route("GET", "/doors/<door>", Permission.DOOR_VIEW)
DOOR_OPEN = Route("POST", "/doors/<door>/open", Permission.DOOR_OPEN)
DOOR_LOCK = Route("POST", "/doors/<door>/lock", Permission.DOOR_LOCK)
EVENTS = Route("GET", "/events", Permission.EVENT_VIEW)
EVENT = Route("GET", "/events/<event>", Permission.EVENT_VIEW)
EVENT_FRAME = Route("GET", "/events/<event>/frames/<number>.jpg", Permission.EVENT_VIEW)
EVENT_ERASE = Route("DELETE", "/events/<event>/frames/<number>.jpg", Permission.EVENT_ERASE)
EVENT_EXPORT = Route("GET", "/events/<event>/export.zip", Permission.EVENT_EXPORT)
EVENT_VERIFY = Route("GET", "/events/<event>/verification", Permission.EVENT_VIEW)
EVENT_HOLD = Route("PUT", "/events/<event>/hold", Permission.EVENT_HOLD)
EVENT_RELEASE = Route("DELETE", "/events/<event>/hold", Permission.EVENT_HOLD)
MEASUREMENTS = Route("GET", "/measurements", Permission.MEASUREMENT_VIEW)
MEASUREMENT_START = Route("POST", "/measurements/start", Permission.MEASUREMENT_CONTROL)  # {"frequency", "category"}
MEASUREMENT_STOP = Route("POST", "/measurements/stop", Permission.MEASUREMENT_CONTROL)
MEASUREMENT_TAP = Route("POST", "/measurements/tap", Permission.MEASUREMENT_CONTROL)  # {"open"}
MEASUREMENT_CATEGORY = Route("POST", "/measurements/category", Permission.MEASUREMENT_CONTROL)  # {"category"}
MEASUREMENT_SESSIONS = Route("GET", "/measurements/sessions", Permission.MEASUREMENT_VIEW)
MEASUREMENT_SESSION = Route("GET", "/measurements/sessions/<session>", Permission.MEASUREMENT_VIEW)
MEASUREMENT_CHART = Route("GET", "/measurements/sessions/<session>/teams/<team>/chart", Permission.MEASUREMENT_VIEW)
MEASUREMENT_COLLAPSE = Route(
    "PUT", "/measurements/sessions/<session>/teams/<team>/collapse", Permission.MEASUREMENT_CONTROL
)  # {"second"}
MEASUREMENT_STANDS = Route(
    "DELETE", "/measurements/sessions/<session>/teams/<team>/collapse", Permission.MEASUREMENT_CONTROL
)
MEASUREMENT_EXPORT = Route("GET", "/measurements/samples.<extension>", Permission.MEASUREMENT_VIEW)  # csv, json, xlsx
MEASUREMENT_SEND = Route("POST", "/measurements/samples", Permission.NONE)  # {"samples"}; closed unless `open_sending`
SEED_CAMERA_DATA = Route("POST", "/api/receive_camera_data.php", Permission.NONE)  # seed 002: likewise
OPENAPI = Route("GET", "/openapi.json", Permission.NONE)
API_PAGE = Route("GET", "/api", Permission.NONE)

ROUTES = (
    HEALTH, INDEX, ASSETS, LOGIN_LINK, LOGIN, LOGOUT, SETUP, TOKEN, WHOAMI, PASSWORD, LOGINS, END_LOGINS, KEYS, NEW_KEY,
    REVOKE_KEY,
    USERS, NEW_USER, CHANGE_USER, REVOKE_USER, GRANT, REVOKE_GRANT, SYSTEM_STATUS, SYSTEM_RELOAD, CAMERAS, CAMERA,
    CAMERA_SETTINGS, CAMERA_SET, CAMERA_TELEMETRY,
    CAMERA_TRY, CAMERA_ADD, CAMERA_CHANGE, CAMERA_REMOVE, STRANGERS, SNAPSHOT, STREAM, FEED_STREAM, FEED_SNAPSHOT,
    VIDEO_FEED,
    MJPEG, PANEL_STATS, PANEL_HEALTH, PANEL_RESOLUTIONS, PANEL_COMMANDS, PANEL_COMMAND, PANEL_COMMAND_VALUE,
    PANEL_LATEST, PANEL_SAVE,
    PICTURES, PICTURE_DAYS, PICTURE, PICTURE_DELETE, PICTURE_SMALL, PICTURE_KEEP, TIMELAPSE, TIMELAPSE_STATE,
    DOORS, DOOR, DOOR_OPEN, DOOR_LOCK, EVENTS, EVENT, EVENT_FRAME, EVENT_ERASE,
    EVENT_EXPORT,
    EVENT_VERIFY, EVENT_HOLD, EVENT_RELEASE,
    MEASUREMENTS, MEASUREMENT_START, MEASUREMENT_STOP, MEASUREMENT_TAP, MEASUREMENT_CATEGORY, MEASUREMENT_SESSIONS,
    MEASUREMENT_SESSION, MEASUREMENT_CHART, MEASUREMENT_COLLAPSE, MEASUREMENT_STANDS, MEASUREMENT_EXPORT,
    MEASUREMENT_SEND, SEED_CAMERA_DATA,
    OPENAPI, API_PAGE,
)  # fmt: skip

# --- WAMP procedures ----------------------------------------------------------------------------------------------

CALL_SYSTEM_STATUS = Name("gatekeeper.system.status", Permission.SYSTEM_VIEW)
CALL_SYSTEM_TIME = Name("gatekeeper.system.time", Permission.SYSTEM_VIEW)
CALL_SYSTEM_RELOAD = Name("gatekeeper.system.reload", Permission.SYSTEM_CHANGE)
CALL_CAMERA_LIST = Name("gatekeeper.camera.list", Permission.CAMERA_VIEW)
CALL_CAMERA_STATUS = Name("gatekeeper.camera.status", Permission.CAMERA_VIEW)
CALL_CAMERA_SETTINGS = Name("gatekeeper.camera.settings", Permission.CAMERA_VIEW)
CALL_CAMERA_TELEMETRY = Name("gatekeeper.camera.telemetry", Permission.CAMERA_VIEW)
CALL_CAMERA_SET = Name("gatekeeper.camera.set", Permission.CAMERA_CONTROL)
CALL_CAMERA_WATCH = Name("gatekeeper.camera.watch", Permission.CAMERA_VIEW)  # progressive: pictures, by credit
CALL_CAMERA_CREDIT = Name("gatekeeper.camera.credit", Permission.CAMERA_VIEW)
CALL_CAMERA_STRANGERS = Name("gatekeeper.camera.strangers", Permission.ACCESS_ADMIN)
CALL_CAMERA_KEEP = Name("gatekeeper.camera.keep", Permission.CAMERA_CONTROL)  # its newest picture
CALL_PICTURE_LIST = Name("gatekeeper.picture.list", Permission.CAMERA_VIEW)
CALL_PICTURE_DAYS = Name("gatekeeper.picture.days", Permission.CAMERA_VIEW)
CALL_PICTURE_DELETE = Name("gatekeeper.picture.delete", Permission.CAMERA_ERASE)
CALL_CAMERA_TRY = Name("gatekeeper.camera.try", Permission.SYSTEM_CHANGE)
CALL_CAMERA_ADD = Name("gatekeeper.camera.add", Permission.SYSTEM_CHANGE)
CALL_CAMERA_CHANGE = Name("gatekeeper.camera.change", Permission.SYSTEM_CHANGE)
CALL_CAMERA_REMOVE = Name("gatekeeper.camera.remove", Permission.SYSTEM_CHANGE)
CALL_DOOR_LIST = Name("gatekeeper.door.list", Permission.DOOR_VIEW)
CALL_DOOR_STATUS = Name("gatekeeper.door.status", Permission.DOOR_VIEW)
CALL_DOOR_OPEN = Name("gatekeeper.door.open", Permission.DOOR_OPEN)
CALL_DOOR_LOCK = Name("gatekeeper.door.lock", Permission.DOOR_LOCK)
CALL_EVENT_RECENT = Name("gatekeeper.event.recent", Permission.EVENT_VIEW)
CALL_EVENT_LIST = Name("gatekeeper.event.list", Permission.EVENT_VIEW)
CALL_EVENT_GET = Name("gatekeeper.event.get", Permission.EVENT_VIEW)
CALL_EVENT_FOLLOW = Name("gatekeeper.event.follow", Permission.EVENT_VIEW)  # progressive: what was missed, then live
CALL_EVENT_VERIFY = Name("gatekeeper.event.verify", Permission.EVENT_VIEW)
CALL_EVENT_HOLD = Name("gatekeeper.event.hold", Permission.EVENT_HOLD)
CALL_EVENT_RELEASE = Name("gatekeeper.event.release", Permission.EVENT_HOLD)
CALL_EVENT_ERASE = Name("gatekeeper.event.erase", Permission.EVENT_ERASE)
CALL_MEASUREMENT_STATUS = Name("gatekeeper.measurement.status", Permission.MEASUREMENT_VIEW)
CALL_MEASUREMENT_SEND = Name("gatekeeper.measurement.send", Permission.MEASUREMENT_SEND)
CALL_MEASUREMENT_START = Name("gatekeeper.measurement.start", Permission.MEASUREMENT_CONTROL)
CALL_MEASUREMENT_STOP = Name("gatekeeper.measurement.stop", Permission.MEASUREMENT_CONTROL)
CALL_MEASUREMENT_TAP = Name("gatekeeper.measurement.tap", Permission.MEASUREMENT_CONTROL)
CALL_MEASUREMENT_CATEGORY = Name("gatekeeper.measurement.category", Permission.MEASUREMENT_CONTROL)
CALL_MEASUREMENT_COLLAPSE = Name("gatekeeper.measurement.collapse", Permission.MEASUREMENT_CONTROL)
CALL_MEASUREMENT_SESSIONS = Name("gatekeeper.measurement.sessions", Permission.MEASUREMENT_VIEW)
CALL_MEASUREMENT_SESSION = Name("gatekeeper.measurement.session", Permission.MEASUREMENT_VIEW)
CALL_MEASUREMENT_STATISTICS = Name("gatekeeper.measurement.statistics", Permission.MEASUREMENT_VIEW)
CALL_MEASUREMENT_CHART = Name("gatekeeper.measurement.chart", Permission.MEASUREMENT_VIEW)
CALL_ACCESS_USERS = Name("gatekeeper.access.users", Permission.ACCESS_ADMIN)
CALL_ACCESS_ADD = Name("gatekeeper.access.add", Permission.ACCESS_ADMIN)
CALL_ACCESS_CHANGE = Name("gatekeeper.access.change", Permission.ACCESS_ADMIN)
CALL_ACCESS_REVOKE = Name("gatekeeper.access.revoke", Permission.ACCESS_ADMIN)
CALL_ACCESS_GRANT = Name("gatekeeper.access.grant", Permission.ACCESS_ADMIN)
CALL_ACCESS_REVOKE_GRANT = Name("gatekeeper.access.revoke_grant", Permission.ACCESS_ADMIN)
CALL_ACCESS_KEYS = Name("gatekeeper.access.keys", Permission.SELF)
CALL_ACCESS_NEW_KEY = Name("gatekeeper.access.new_key", Permission.SELF)
CALL_ACCESS_REVOKE_KEY = Name("gatekeeper.access.revoke_key", Permission.SELF)

PROCEDURES = (
    CALL_SYSTEM_STATUS, CALL_SYSTEM_TIME, CALL_SYSTEM_RELOAD, CALL_CAMERA_LIST, CALL_CAMERA_STATUS,
    CALL_CAMERA_SETTINGS, CALL_CAMERA_SET, CALL_CAMERA_TELEMETRY,
    CALL_CAMERA_WATCH, CALL_CAMERA_CREDIT, CALL_CAMERA_STRANGERS,
    CALL_CAMERA_TRY, CALL_CAMERA_ADD, CALL_CAMERA_CHANGE, CALL_CAMERA_REMOVE,
    CALL_CAMERA_KEEP, CALL_PICTURE_LIST, CALL_PICTURE_DAYS, CALL_PICTURE_DELETE, CALL_DOOR_LIST, CALL_DOOR_STATUS,
    CALL_DOOR_OPEN, CALL_DOOR_LOCK, CALL_EVENT_RECENT, CALL_EVENT_LIST, CALL_EVENT_GET, CALL_EVENT_FOLLOW,
    CALL_EVENT_VERIFY, CALL_EVENT_HOLD, CALL_EVENT_RELEASE, CALL_EVENT_ERASE,
    CALL_MEASUREMENT_STATUS, CALL_MEASUREMENT_SEND, CALL_MEASUREMENT_START, CALL_MEASUREMENT_STOP,
    CALL_MEASUREMENT_TAP, CALL_MEASUREMENT_CATEGORY, CALL_MEASUREMENT_COLLAPSE, CALL_MEASUREMENT_SESSIONS,
    CALL_MEASUREMENT_SESSION, CALL_MEASUREMENT_STATISTICS, CALL_MEASUREMENT_CHART,
    CALL_ACCESS_USERS, CALL_ACCESS_ADD, CALL_ACCESS_CHANGE,
    CALL_ACCESS_REVOKE, CALL_ACCESS_GRANT, CALL_ACCESS_REVOKE_GRANT, CALL_ACCESS_KEYS, CALL_ACCESS_NEW_KEY,
    CALL_ACCESS_REVOKE_KEY,
)  # fmt: skip

# --- WAMP topics (only gatekeeper itself publishes on them) ----------------------------------------------------------

TOPIC_CAMERA_FRAME = Name("gatekeeper.camera.<camera>.frame", Permission.CAMERA_VIEW)
TOPIC_FEED_FRAME = Name("gatekeeper.camera.<camera>.feed.<feed>.frame", Permission.CAMERA_VIEW)
TOPIC_CAMERA_STATE = Name("gatekeeper.camera.<camera>.state", Permission.CAMERA_VIEW)
TOPIC_CAMERA_TELEMETRY = Name("gatekeeper.camera.<camera>.telemetry", Permission.CAMERA_VIEW)
TOPIC_DOOR_STATE = Name("gatekeeper.door.<door>.state", Permission.DOOR_VIEW)
TOPIC_EVENT = Name("gatekeeper.event", Permission.EVENT_VIEW)  # every event: an owner's; others follow
TOPIC_CHANGED = Name("gatekeeper.system.changed", Permission.SELF)  # cameras or doors came or went: list them anew
TOPIC_MEASUREMENT_STATE = Name("gatekeeper.measurement.state", Permission.MEASUREMENT_VIEW)
TOPIC_MEASUREMENT_SAMPLE = Name("gatekeeper.measurement.team.<team>.sample", Permission.MEASUREMENT_VIEW)
TOPIC_MEASUREMENT_STATISTICS = Name("gatekeeper.measurement.team.<team>.statistics", Permission.MEASUREMENT_VIEW)
TOPIC_MEASUREMENT_SAMPLES = Name("gatekeeper.measurement.samples", Permission.MEASUREMENT_VIEW)  # of all teams

TOPICS = (
    TOPIC_CAMERA_FRAME, TOPIC_FEED_FRAME, TOPIC_CAMERA_STATE, TOPIC_CAMERA_TELEMETRY, TOPIC_DOOR_STATE, TOPIC_EVENT,
    TOPIC_CHANGED, TOPIC_MEASUREMENT_STATE, TOPIC_MEASUREMENT_SAMPLE, TOPIC_MEASUREMENT_STATISTICS,
    TOPIC_MEASUREMENT_SAMPLES,
)  # fmt: skip

# --- between sites on a realm that they share (realm.py); no page's or script's to use ------------------------------

TOPIC_SITE = "gatekeeper.site"
AT_SITE = Name("gatekeeper.site.<site>.<procedure>", Permission.ACCESS_ADMIN)

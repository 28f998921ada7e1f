"""What the API's description says beyond what the code says by itself: texts, paths' ids, errors by route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatekeeper import errors, uris
from gatekeeper.errors import GatekeeperError
from gatekeeper.uris import ID_PATTERN, Route

Object = dict[str, Any]

ABOUT: Final = """\
Cameras, doors, the record of what happened, and who may do what.

Log in with `POST /login` (a browser: a cookie) or `POST /api/access/token` (a token), or have an API key; a token and a
key go as `Authorization: Bearer …`. What each operation needs stands at it as `x-permission`; a permission that begins
with a kind of thing is given per thing.

HEAD works where GET does. Every error has the one shape of the schema `Error`, but for what the seed's own
`POST /api/receive_camera_data.php` says of samples that are none; `500 internal` is a fault of ours, and the server's
log says which. All moments are Unix seconds of the server's clock, all durations seconds.

The same and more is there in real time: WAMP over WebSocket at `/ws`, listed under `x-wamp`.
"""

LONGEST_ID: Final = 40
"""Characters of an id and of a name: `config.Id` and `access.names` have the same."""

TAGS: Final = (
    ("doors", "Doors: their state, opening and locking; actions are POST only.", ("/doors",)),
    (
        "cameras",
        "Cameras: their state, pictures and streams.",
        (
            "/cameras",
            "/api/cameras/",
            "/video_feed",
            "/mjpeg",
            "/api/stats",
            "/api/health",
            "/api/resolutions",
            "/api/command",
            "/api/images/",
        ),
    ),
    ("pictures", "Pictures that are kept by themselves, and films of days.", ("/pictures",)),
    ("events", "What happened, the pictures of it, and the proof.", ("/events",)),
    (
        "measurements",
        "Measurement sessions, their samples and figures.",
        ("/measurements", "/api/receive_camera_data.php"),
    ),
    ("access", "Logging in and out, accounts, grants and keys.", ("/login", "/logout", "/api/access/")),
    ("system", "The process, its pages and this description.", ("/",)),
)
"""Name, description and the beginnings of the paths; the first that fits."""

_ID: Final[Object] = {"type": "string", "pattern": f"^{ID_PATTERN}$", "maxLength": LONGEST_ID}

PARAMETERS: Final[Mapping[str, Object]] = {
    "camera": {"description": "id of a camera", "schema": _ID},
    "door": {"description": "id of a door", "schema": _ID},
    "event": {
        "description": "id of an event: 26 characters, in the order of time",
        "schema": {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"},
    },
    "feed": {"description": "name of a feed that is made of the camera's pictures", "schema": _ID},
    "picture": {
        "description": "id of a kept picture: 26 characters, in the order of time",
        "schema": {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"},
    },
    "day": {
        "description": "a day of the server's calendar",
        "schema": {"type": "string", "format": "date"},
    },
    "number": {"description": "number of a picture of the event, from 1", "schema": {"type": "integer", "minimum": 1}},
    "user": {"description": "name of an account", "schema": _ID},
    "key": {"description": "id of an API key, not the key itself", "schema": {"type": "string", "minLength": 1}},
    "kind": {"description": "kind of thing", "schema": {"type": "string", "enum": list(uris.KINDS)}},
    "thing": {
        "description": "id of a thing of that kind; `*` is all of them",
        "schema": {**_ID, "pattern": rf"^(\*|{ID_PATTERN})$"},
    },
    "session": {"description": "id of a measurement session", "schema": {"type": "integer", "minimum": 1}},
    "team": {"description": "number of a team", "schema": {"type": "integer", "minimum": 1}},
    "extension": {"description": "kind of file", "schema": {"type": "string", "enum": ["csv", "json", "xlsx"]}},
    "cmd": {"description": "name of a command", "schema": {"type": "string", "minLength": 1}},
    "val": {"description": "its value", "schema": {"type": "string", "minLength": 1}},
    "name": {"description": "name of a file of the pages", "schema": {"type": "string", "minLength": 1}},
}
"""What stands in a path, by its name in `uris`."""

MISSING: Final[Mapping[str, type[GatekeeperError]]] = {
    "camera": errors.NoSuchCamera,
    "door": errors.NoSuchDoor,
    "event": errors.NoSuchEvent,
    "feed": errors.NoSuchFeed,
    "picture": errors.NoSuchPicture,
    "user": errors.NoSuchUser,
    "key": errors.NoSuchKey,
    "name": errors.NotFound,
    "session": errors.NoSuchSession,
    "team": errors.NotFound,
    "extension": errors.NotFound,
}
"""The error for an id in a path that means nothing."""

_DEVICE = (errors.Busy, errors.Rejected, errors.NotConnected, errors.Indeterminate)
_STORED = (errors.StorageUnavailable, errors.Overloaded)
_LOG_IN = (errors.NotAuthenticated, errors.InsecureChannel, errors.TooManyAttempts)

ERRORS: Final[Mapping[Route, Sequence[type[GatekeeperError]]]] = {
    uris.DOOR_OPEN: _DEVICE,
    uris.DOOR_LOCK: _DEVICE,
    uris.CAMERA_SET: _DEVICE,
    uris.SNAPSHOT: (errors.NoPicture,),
    uris.FEED_SNAPSHOT: (errors.NoPicture,),
    uris.PICTURES: _STORED,
    uris.PICTURE_DAYS: _STORED,
    uris.PICTURE: _STORED,
    uris.PICTURE_SMALL: _STORED,
    uris.PICTURE_DELETE: _STORED,
    uris.PICTURE_KEEP: (errors.NoPicture, *_STORED),
    uris.TIMELAPSE: (errors.NoSuchPicture, *_STORED),
    uris.TIMELAPSE_STATE: _STORED,
    uris.VIDEO_FEED: (errors.NoSuchCamera,),
    uris.MJPEG: (errors.NoSuchCamera,),
    uris.PANEL_STATS: (errors.NoSuchCamera,),
    uris.PANEL_RESOLUTIONS: (errors.NoSuchCamera,),
    uris.PANEL_COMMANDS: (errors.NoSuchCamera,),
    uris.PANEL_COMMAND: (errors.NoSuchCamera, *_DEVICE),
    uris.PANEL_COMMAND_VALUE: (errors.NoSuchCamera, *_DEVICE),
    uris.PANEL_LATEST: (errors.NoSuchCamera, errors.NoPicture),
    uris.PANEL_SAVE: (errors.NoSuchCamera, errors.NoPicture, *_STORED),
    uris.EVENTS: _STORED,
    uris.EVENT: _STORED,
    uris.EVENT_FRAME: _STORED,
    uris.EVENT_EXPORT: _STORED,
    uris.EVENT_VERIFY: _STORED,
    uris.EVENT_HOLD: _STORED,
    uris.EVENT_ERASE: (*_STORED, errors.Conflict),
    uris.EVENT_RELEASE: _STORED,
    uris.MEASUREMENT_START: (errors.Conflict, errors.Busy, *_STORED),
    uris.MEASUREMENT_STOP: (errors.Conflict, *_STORED),
    uris.MEASUREMENT_SESSIONS: _STORED,
    uris.MEASUREMENT_SESSION: _STORED,
    uris.MEASUREMENT_CHART: (errors.InvalidArgument, *_STORED),
    uris.MEASUREMENT_COLLAPSE: _STORED,
    uris.MEASUREMENT_STANDS: (errors.InvalidArgument, *_STORED),
    uris.MEASUREMENT_EXPORT: (errors.Busy, errors.NoSuchSession, *_STORED),
    uris.MEASUREMENT_SEND: (errors.NotAuthenticated, errors.AccessDenied, *_STORED),
    uris.SEED_CAMERA_DATA: (errors.NotAuthenticated, errors.AccessDenied, *_STORED),
    uris.LOGIN_LINK: (*_LOG_IN, *_STORED),
    uris.LOGIN: (*_LOG_IN, *_STORED),
    uris.LOGOUT: _STORED,
    uris.SETUP: (*_LOG_IN, errors.Conflict, *_STORED),
    uris.TOKEN: (*_LOG_IN, *_STORED),
    uris.PASSWORD: (*_LOG_IN, errors.NoSuchUser, errors.Conflict, *_STORED),
    uris.END_LOGINS: (errors.NoSuchUser, *_STORED),
    uris.KEYS: (errors.NoSuchUser,),
    uris.NEW_KEY: (errors.NoSuchUser, errors.Conflict, *_STORED),
    uris.REVOKE_KEY: _STORED,
    uris.NEW_USER: (errors.Conflict, *_STORED),
    uris.CHANGE_USER: (errors.Conflict, *_STORED),
    uris.REVOKE_USER: (errors.Conflict, *_STORED),
    uris.GRANT: (errors.InvalidArgument, errors.Conflict, *_STORED),
    uris.REVOKE_GRANT: (errors.InvalidArgument, errors.Conflict, *_STORED),
}
"""What can go wrong besides what permission, body, query and path bring with them."""


@dataclass(frozen=True, slots=True)
class Success:
    """An answer that isn't 200 with a body alone.

    :ivar headers: name -> description, of headers that tell something.
    """

    status: int = 200
    description: str = "done"
    headers: tuple[tuple[str, str], ...] = ()


_MOMENT = ("X-Timestamp", "Unix seconds at which the picture was received")

SUCCESSES: Final[Mapping[Route, Success]] = {
    uris.LOGIN_LINK: Success(302, "logged in: to the page, with a cookie", (("Location", "the page"),)),
    uris.SNAPSHOT: Success(
        description="the newest picture, as the camera sent it",
        headers=(_MOMENT, ("X-Sequence", "the picture's number since the start")),
    ),
    uris.FEED_SNAPSHOT: Success(
        description="the newest picture, as the feed makes it",
        headers=(_MOMENT, ("X-Sequence", "the number of the camera's picture since the start")),
    ),
    uris.FEED_STREAM: Success(description="pictures without end; X-Timestamp and X-Sequence stand in each part"),
    uris.STREAM: Success(description="pictures without end; X-Timestamp and X-Sequence stand in each part"),
    uris.VIDEO_FEED: Success(description="pictures without end"),
    uris.MJPEG: Success(description="pictures without end"),
    uris.PANEL_LATEST: Success(description="the newest picture, as the camera sent it"),
    uris.EVENT_FRAME: Success(
        description="a picture, as the camera sent it", headers=(_MOMENT, ("X-Camera", "id of the camera"))
    ),
    uris.PICTURE: Success(
        description="a picture, as the camera sent it", headers=(_MOMENT, ("X-Camera", "id of the camera"))
    ),
    uris.PICTURE_SMALL: Success(description="a picture in small", headers=(_MOMENT, ("X-Camera", "id of the camera"))),
    uris.TIMELAPSE: Success(description="an MP4 file"),
    uris.MEASUREMENT_EXPORT: Success(description="samples, as the address ends"),
    uris.EVENT_EXPORT: Success(description="one file that proves itself, offline"),
}

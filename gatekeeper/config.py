"""TOML text in, a frozen configuration out. Every default of the program lives here.

A site is one TOML file. An error is one sentence that names the key path, what was found, what is allowed and the
nearest right name. `config_page` writes `docs/configuration.md` from these structs.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import hexdigits
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.addresses import Place, place
from gatekeeper.config_addresses import (
    check_address,
    check_database,
    check_device,
    check_listen,
    check_measurements,
    check_not_own,
    check_push_ports,
    check_url,
    is_device,
)
from gatekeeper.config_measurements import Measurements
from gatekeeper.config_pictures import KeptPictures, SecondFeed
from gatekeeper.config_recovery import SelfHelp
from gatekeeper.errors import ConfigurationError
from gatekeeper.uris import ID_PATTERN, REALM

DEFAULT_FILE = "gatekeeper.toml"

KEY_DIGITS = 64  # of a door's key: 32 bytes

PUSH_STREAM, PUSH_CONTROL = "tcp:6972", "tcp:6971"  # where the ESP32-S3 cameras of seed 004 connect

Id = Annotated[
    str,
    Meta(
        pattern=f"^{ID_PATTERN}$(?!\n)",  # `$` alone lets a line break stand at the end
        max_length=40,
        description="lower-case letters, digits, `-` and `_`: `front-door`",
    ),
]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration: frozen, and a key that isn't known is an error."""


class Secret(Record, frozen=True):
    """Where a secret stands: an environment variable or a file, never the configuration itself.

    A file's trailing line break is not part of the secret.
    """

    env: Annotated[str | None, Meta(description="name of an environment variable")] = None
    file: Annotated[str | None, Meta(description="path of a file, relative to the configuration file")] = None

    def read(self, path: str, folder: Path) -> str:
        """Return the secret; `path` is the key path, for errors, which never carry the secret.

        :raises ConfigurationError: if the variable or the file is missing or empty.
        """
        if (self.env is None) == (self.file is None):
            raise ConfigurationError(f'{path}: give exactly one of {{env = "NAME"}} and {{file = "path"}}')
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value:
                raise ConfigurationError(f"{path}: the environment variable {self.env} is not set")
            return value
        assert self.file is not None  # noqa: S101 - narrows the type: exactly one is set
        file = resolve(folder, self.file, path)
        try:
            value = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: can't read {file}: {_why(error)}") from error
        if not value:
            raise ConfigurationError(f"{path}: {file} is empty")
        return value


class Push(Record, frozen=True):
    """How a camera that connects to us is told from others: by all of the first four that are given, one at least."""

    path: Annotated[
        Annotated[str, Meta(pattern="^/", max_length=100)] | None,
        Meta(description="of the address that it dials: `/s3`"),
    ] = None
    token: Annotated[Secret | None, Meta(description="that it brings along: `/?token=…`, or as a bearer token")] = None
    device: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None, Meta(description="the `id` that it registers with")
    ] = None
    address: Annotated[str | None, Meta(description="the IP address that it comes from")] = None
    stall_timeout: Annotated[
        Seconds,
        Meta(
            description="seconds without a whole frame until the camera is stalled; the real firmware's default mode "
            "takes 1.6 s for a picture of 40 kB"
        ),
    ] = 6.0
    command_timeout: Annotated[Seconds, Meta(description="seconds for the camera to answer a setting")] = 2.0


class Camera(Record, frozen=True):
    """A camera that we connect to: an ESP32-CAM or whatever else serves multipart JPEG over HTTP, an RTSP camera, a
    video device, a snapshot address or, for tests and demos, a video file; or, by `push`, one that connects to us. It
    has one of `url`, `snapshot`, `video` and `push`.
    """

    id: Id
    url: Annotated[
        str | None,
        Meta(
            description="address of the stream: `http://` or `https://` for multipart JPEG, `rtsp://` or `rtsps://` "
            "(encrypted; the certificate isn't checked; the extra `rtsp` makes reasons of failures exact), "
            "`v4l2:///dev/video0` for a device of this machine"
        ),
    ] = None
    snapshot: Annotated[
        str | None, Meta(description="`http://` or `https://` address of one picture, asked for again and again")
    ] = None
    video: Annotated[
        str | None, Meta(description="file that is played for ever, relative to the configuration file")
    ] = None
    push: Annotated[
        Push | None,
        Meta(
            description="instead of `url`, with `name`, `doors`, `self_help` and `maximum_frame_bytes` alone: "
            '`{path = "/s3"}`'
        ),
    ] = None
    name: Annotated[str, Meta(max_length=80, description="what people call it; the id if empty")] = ""
    doors: Annotated[tuple[str, ...], Meta(description="ids of the doors that it looks at")] = ()
    username: Annotated[str | None, Meta(description="for basic or digest authentication")] = None
    password: Annotated[Secret | None, Meta(description="for basic or digest authentication")] = None
    snapshot_interval: Annotated[Seconds, Meta(description="seconds from one question for `snapshot` to the next")] = (
        1.0
    )
    frame_rate: Annotated[
        float, Meta(gt=0, le=60, description="the most pictures per second that RTSP, a device or a video is made into")
    ] = 10.0
    jpeg_quality: Annotated[
        int, Meta(ge=1, le=100, description="of the pictures that RTSP, a device or a video is made into")
    ] = 80
    connect_timeout: Annotated[Seconds, Meta(description="seconds to connect and to begin the answer")] = 5.0
    stall_timeout: Annotated[
        Seconds, Meta(description="seconds without a whole frame until the camera is stalled and asked anew")
    ] = 2.0
    retry_minimum: Annotated[Seconds, Meta(description="first pause before connecting again, seconds")] = 0.5
    retry_maximum: Annotated[Seconds, Meta(description="longest pause before connecting again, seconds")] = 30.0
    self_help: SelfHelp = "reboot"
    maximum_frame_bytes: Annotated[
        int, Meta(ge=1024, le=64 * 1024 * 1024, description="a larger picture is refused and counted")
    ] = 2 * 1024 * 1024
    pictures: Annotated[
        KeptPictures | None,
        Meta(description='when pictures are kept by themselves: `{every = 60, on = ["door.opened", "camera.moved"]}`'),
    ] = None
    feeds: Annotated[tuple[SecondFeed, ...], Meta(description="feeds that are made of its pictures")] = ()

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name or self.id

    @property
    def address(self) -> str:
        """Where its pictures come from; `check` has seen that there is one place."""
        return self.url or self.snapshot or self.video or ""

    @property
    def kind(self) -> str:
        """What it takes to get its pictures: `mjpeg`, `rtsp`, `v4l2`, `snapshot`, `video` or `push`."""
        if self.push is not None:
            return "push"
        if self.url is None:
            return "snapshot" if self.snapshot is not None else "video"
        scheme = self.url.partition(":")[0].lower()
        return {"http": "mjpeg", "https": "mjpeg", "rtsps": "rtsp"}.get(scheme, scheme)


class Door(Record, frozen=True):
    """A door lock that we connect to, speaking the lock's text protocol over WebSocket."""

    id: Id
    url: Annotated[str, Meta(description="`ws://` or `wss://` address of the lock")]
    name: Annotated[str, Meta(max_length=80, description="what people call it; the id if empty")] = ""
    key: Annotated[
        Secret | None,
        Meta(
            description="signs what is said and proves who says it, with our own firmware: 64 hexadecimal digits, as "
            "`gatekeeper lock pair` makes them; a lock without it is not used then"
        ),
    ] = None
    open_duration: Annotated[Seconds, Meta(description="seconds until it relocks, if the caller gives none")] = 10.0
    maximum_open_duration: Annotated[Seconds, Meta(description="the most that a caller may ask for, seconds")] = 60.0
    command_timeout: Annotated[
        Seconds, Meta(description="seconds for the lock to acknowledge; eight times the slowest seen on real hardware")
    ] = 2.0
    ping_interval: Annotated[
        float, Meta(gt=0, le=9, description="seconds between PINGs; under the lock's own dead-man time of 10 s")
    ] = 3.0
    ping_timeout: Annotated[Seconds, Meta(description="seconds for the lock's PONG, then the link is dead")] = 2.0
    silence_timeout: Annotated[
        Seconds, Meta(description="seconds without any text, then the link is dead; a lock reports every 5 s")
    ] = 12.0
    connect_timeout: Annotated[
        Seconds, Meta(description="seconds to connect and shake hands, and once more as many to prove the key")
    ] = 5.0
    retry_minimum: Annotated[Seconds, Meta(description="first pause before connecting again, seconds")] = 0.5
    retry_maximum: Annotated[Seconds, Meta(description="longest pause before connecting again, seconds")] = 10.0

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name or self.id


class Access(Record, frozen=True):
    """Who may come in."""

    admin_token: Annotated[
        Secret | None, Meta(description="a key that always stands for the owner `admin`; for scripts and containers")
    ] = None
    allow_plain_login: Annotated[
        bool, Meta(description="take passwords and cookies over plain HTTP from other machines too")
    ] = False
    token_life: Annotated[Seconds, Meta(description="seconds that a token (JWT) is good for")] = 900.0
    login_life: Annotated[float, Meta(gt=0, le=366, description="days that a log-in lasts without being used")] = 30.0


class Storage(Record, frozen=True):
    """Where facts are kept: a SQLite file in the data folder, unless another database is named."""

    url: Annotated[
        str | None, Meta(description="`postgresql://user@host/database`; a SQLite file in the data folder without")
    ] = None
    password: Annotated[Secret | None, Meta(description="of the database's user")] = None
    queue: Annotated[
        int, Meta(ge=100, le=1_000_000, description="facts that may wait to be stored; beyond that senders are refused")
    ] = 20_000


class Kept(Record, frozen=True):
    """How long and how much of one class is kept; what is older, or over the bytes, goes, oldest first."""

    days: Annotated[Annotated[float, Meta(gt=0, le=36_500)] | None, Meta(description="days; for ever if absent")] = None
    bytes: Annotated[
        Annotated[int, Meta(ge=1_000_000)] | None, Meta(description="bytes; without a bound if absent")
    ] = None


class Retention(Record, frozen=True):
    """What is kept for how long. What is on hold is never touched."""

    events: Annotated[Kept, Meta(description="the record of what happened")] = Kept(days=365)
    pictures: Annotated[Kept, Meta(description="frames stored with events")] = Kept(days=30, bytes=10_000_000_000)
    snapshots: Annotated[Kept, Meta(description="pictures that are kept on demand or by a camera's table")] = Kept(
        days=30, bytes=10_000_000_000
    )
    clips: Annotated[Kept, Meta(description="videos")] = Kept(days=30, bytes=10_000_000_000)
    samples: Annotated[Kept, Meta(description="measurements")] = Kept()


class Evidence(Record, frozen=True):
    """The pictures that are kept with a door's actions."""

    before: Annotated[float, Meta(ge=0, le=60, description="seconds of pictures from before the action")] = 5.0
    after: Annotated[float, Meta(ge=0, le=60, description="seconds of pictures from after it")] = 5.0
    ring_bytes: Annotated[
        int, Meta(ge=1_000_000, le=1_000_000_000, description="memory for the newest pictures, bytes per camera")
    ] = 32_000_000


class Media(Record, frozen=True):
    """How pictures are sent to those who watch."""

    viewer_timeout: Annotated[
        Seconds, Meta(description="seconds that a viewer may take nothing, then it is closed")
    ] = 10.0
    maximum_viewers: Annotated[int, Meta(ge=1, le=100_000, description="streams at once, over all cameras")] = 2000


class PushPorts(Record, frozen=True):
    """Where cameras connect to us: ESP32-S3 cameras, over WebSocket. Open if a camera has `push`, or if it is set."""

    listen: Annotated[
        str | None,
        Meta(
            description="Twisted endpoint for pictures and texts, `tcp:6972`, every interface, if a camera has `push`; "
            "`tcp:6972` without one shows which cameras there are to adopt"
        ),
    ] = None
    control: Annotated[
        str | None,
        Meta(description="the same for cameras that take commands on a port of their own; `tcp:6971` likewise"),
    ] = None
    maximum_connections: Annotated[int, Meta(ge=1, le=10_000, description="at once, over both ports")] = 100


class Router(Record, frozen=True):
    """A WAMP router elsewhere, on which this site shares a realm with others; `router = "wss://host/ws"` is enough."""

    url: Annotated[str, Meta(description="`ws://` or `wss://` address of the router")]
    realm: Annotated[str, Meta(min_length=1, max_length=255, description="the realm to join")] = REALM
    authid: Annotated[str | None, Meta(description="who this site is there; anonymous without")] = None
    ticket: Annotated[Secret | None, Meta(description="what proves it, by WAMP's ticket authentication")] = None


class Site(Record, frozen=True):
    """A whole site: the top level of the file."""

    name: Annotated[str, Meta(max_length=80, description="shown on the page")] = "gatekeeper"
    listen: Annotated[
        str | tuple[str, ...],
        Meta(
            description="Twisted endpoint to serve on, or a list of them; `tcp:8000` is every interface, `ssl:8443` "
            "TLS with the certificate of `gatekeeper tls init`, port 0 any free one"
        ),
    ] = "tcp:8000:interface=127.0.0.1"
    data: Annotated[
        str, Meta(min_length=1, description="folder for what outlives a restart, relative to this file")
    ] = "gatekeeper-data"
    access: Access = Access()
    storage: Storage = Storage()
    retention: Retention = Retention()
    evidence: Evidence = Evidence()
    media: Media = Media()
    push: PushPorts = PushPorts()
    measurements: Measurements = Measurements()
    router: Router | None = None
    cameras: tuple[Camera, ...] = ()
    doors: tuple[Door, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Where to listen; `check` has seen that each can be meant."""
        return tuple(map(place, (self.listen,) if isinstance(self.listen, str) else self.listen))

    @property
    def push_places(self) -> tuple[Place | None, Place | None]:
        """Where cameras connect to, for pictures and for control alone; None where nothing listens."""
        expected = any(camera.push is not None for camera in self.cameras)
        stream = self.push.listen if self.push.listen is not None else PUSH_STREAM if expected else None
        control = self.push.control if self.push.control is not None else PUSH_CONTROL if expected else None
        return place(stream) if stream else None, place(control) if control else None


def parse(text: str, source: str = DEFAULT_FILE) -> Site:
    """Decode and check TOML text.

    :param source: what to call the text in errors.
    :raises ConfigurationError: one sentence that starts with `source`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source}: not TOML: {error}") from error
    except ValueError as error:  # from int(): tomllib lets it pass
        raise ConfigurationError(f"{source}: found a number of too many digits") from error
    except RecursionError as error:
        raise ConfigurationError(f"{source}: found lists or tables nested too deeply") from error
    try:
        return check(data)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: {error}") from error


def check(data: Mapping[str, Any]) -> Site:
    """Return the configuration that TOML's tables hold.

    :raises ConfigurationError: one sentence that starts with the key path.
    """
    if isinstance(data.get("router"), str):  # the short form
        data = {**data, "router": {"url": data["router"]}}
    try:
        site = msgspec.convert(data, Site)
    except msgspec.ValidationError as error:
        raise ConfigurationError(decoding.explain(error, data, Site, hidden=_is_secret)) from error
    _check(site)
    return site


def load(file: Path) -> Site:
    """Read and check a configuration file.

    :raises ConfigurationError: if it can't be read or used.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # Windows' editors begin with a byte order mark
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be read: {_why(error)}") from error
    return parse(text, str(file))


def resolve(folder: Path, text: str, path: str) -> Path:
    """Return the file or folder that a text of the configuration means; `path` is its key path, for errors.

    :param folder: what a relative one is relative to.
    :raises ConfigurationError: if there can't be one of this name.
    """
    try:
        place = folder / Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"{path}: found {decoding.show(text)}; there is no such home directory") from error
    if "\0" in text:
        raise ConfigurationError(f"{path}: found {decoding.show(text)}; no file's name holds a zero byte")
    return place


def override(site: Site, *, data: str | None, listen: str | None) -> Site:
    """Return the configuration with what the command line says instead.

    :raises ConfigurationError: if `listen` isn't an endpoint.
    """
    changes = {key: value for key, value in (("data", data), ("listen", listen)) if value is not None}
    site = msgspec.structs.replace(site, **changes)
    _check(site)  # whole: a device may stand at the port that is listened on now
    return site


def secrets(site: Site, folder: Path) -> dict[str, str]:
    """Return key path -> secret, of those that are no camera's.

    :raises ConfigurationError: naming the first that isn't there.
    """
    held = {"access.admin_token": site.access.admin_token}
    held["storage.password"] = site.storage.password
    held["router.ticket"] = site.router.ticket if site.router is not None else None
    return {path: secret.read(path, folder) for path, secret in held.items() if secret is not None}


def read_secrets(site: Site, folder: Path) -> None:
    """Read every secret, to learn whether each is there.

    :raises ConfigurationError: naming the first that isn't.
    """
    secrets(site, folder)
    held = {f"cameras[{index}].password": camera.password for index, camera in enumerate(site.cameras)}
    held |= {
        f"cameras[{index}].push.token": camera.push.token
        for index, camera in enumerate(site.cameras)
        if camera.push is not None
    }
    for path, secret in held.items():
        if secret is not None:
            secret.read(path, folder)
    for index, door in enumerate(site.doors):
        read_key(door, f"doors[{index}]", folder)


def read_key(door: Door, where: str, folder: Path) -> bytes | None:
    """Return the 32 bytes of a door's key, or None if it has none; `where` is the door's key path, for errors.

    :raises ConfigurationError: if it isn't there, or isn't 64 hexadecimal digits.
    """
    if door.key is None:
        return None
    text = door.key.read(f"{where}.key", folder).strip()
    if len(text) != KEY_DIGITS or not set(text) <= set(hexdigits):
        raise ConfigurationError(
            f"{where}.key: found no {KEY_DIGITS} hexadecimal digits, which a key is; `gatekeeper lock pair` makes one"
        )
    return bytes.fromhex(text)


# --- what msgspec can't say in the types -----------------------------------------------------------------------------


def _check(site: Site) -> None:
    check_listen(site.listen)
    check_push_ports(site.push.listen, site.push.control, site.places)
    check_measurements(site.measurements, site.places)
    cameras = [camera.id for camera in site.cameras]
    doors = [door.id for door in site.doors]
    for noun, ids in (("cameras", cameras), ("doors", doors)):
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise ConfigurationError(
                    f'{noun}[{index}].id: "{name}" is already the id of {noun}[{ids.index(name)}]; ids must differ'
                )
    for index, camera in enumerate(site.cameras):
        _check_camera(f"cameras[{index}]", camera, site, doors)
        if camera.push is not None:
            _check_push(f"cameras[{index}]", camera, camera.push, site.cameras[:index])
    for index, lock in enumerate(site.doors):
        where = f"doors[{index}]"
        check_url(f"{where}.url", lock.url, ("ws", "wss"))
        check_not_own(f"{where}.url", lock.url, site.places)
        _check_order(where, "open_duration", lock.open_duration, "maximum_open_duration", lock.maximum_open_duration)
        _check_order(where, "retry_minimum", lock.retry_minimum, "retry_maximum", lock.retry_maximum)
        for other, earlier in enumerate(site.doors[:index]):
            if earlier.url == lock.url:
                why = f"already the lock of doors[{other}]; one lock takes one connection"
                raise ConfigurationError(f"{where}.url: {why}")
    if site.storage.url is not None:
        check_database(site.storage.url)
    if site.router is not None:
        check_url("router.url", site.router.url, ("ws", "wss"))
        if (site.router.authid is None) != (site.router.ticket is None):
            raise ConfigurationError("router: authid and ticket belong together; one of them is missing")


def _check_camera(where: str, camera: Camera, site: Site, doors: Sequence[str]) -> None:
    if camera.push is None:
        _check_source(where, camera, site.places)
    for index, door in enumerate(camera.doors):
        if door not in doors:
            raise ConfigurationError(
                f"{where}.doors[{index}]: there is no door {decoding.show(door)}; {decoding.choices(door, doors)}"
            )
    names = [feed.name for feed in camera.feeds]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigurationError(f'{where}.feeds[{index}].name: "{name}" is already the name of another one')
    if (camera.username is None) != (camera.password is None):
        raise ConfigurationError(f"{where}: username and password belong together; one of them is missing")
    _check_order(where, "retry_minimum", camera.retry_minimum, "retry_maximum", camera.retry_maximum)


def _check_source(where: str, camera: Camera, places: Sequence[Place]) -> None:
    """Pass if there is one place that pictures come from, and it can be meant."""
    given = [key for key in ("url", "snapshot", "video") if getattr(camera, key) is not None]
    if not given:
        raise ConfigurationError(f"{where}.url: missing; give it, or snapshot, video or push instead")
    if len(given) > 1:
        raise ConfigurationError(f"{where}: found {' and '.join(given)}; give one of url, snapshot, video and push")
    [key] = given
    if key == "url" and is_device(camera.address):
        check_device(f"{where}.url", camera.address)
    elif key == "video":
        if not camera.address:
            raise ConfigurationError(f"{where}.video: found an empty text; allowed is the name of a file")
    else:
        schemes = ("http", "https", "rtsp", "rtsps") if key == "url" else ("http", "https")
        check_url(f"{where}.{key}", camera.address, schemes, ", with username and password beside it")
        check_not_own(f"{where}.{key}", camera.address, places)
    if camera.username is not None and camera.kind in ("v4l2", "video"):
        raise ConfigurationError(f"{where}.username: found one; nobody asks for it where pictures come from {key}")


def _check_push(where: str, camera: Camera, push: Push, earlier: Sequence[Camera]) -> None:
    told = ("path", "token", "device", "address")
    for source in ("url", "snapshot", "video"):
        if getattr(camera, source) is not None:
            raise ConfigurationError(f"{where}: found {source} and push; a camera has one of them")
    for field in msgspec.structs.fields(Camera):
        is_for_push = field.name in (
            "id", "url", "push", "name", "doors", "self_help", "maximum_frame_bytes", "pictures", "feeds",
        )  # fmt: skip
        if not is_for_push and getattr(camera, field.name) != field.default:
            better = f"; {where}.push.{field.name} is" if hasattr(push, field.name) else ""
            raise ConfigurationError(f"{where}.{field.name}: is not for a camera that connects to us{better}")
    if all(getattr(push, name) is None for name in told):
        raise ConfigurationError(f"{where}.push: give at least one of {', '.join(told)}")
    if push.address is not None:
        check_address(f"{where}.push.address", push.address)
    for index, other in enumerate(earlier):
        if other.push is not None and all(getattr(other.push, name) == getattr(push, name) for name in told):
            raise ConfigurationError(f"{where}.push: is told as cameras[{index}] is; something must differ")


def _is_secret(steps: decoding.Steps) -> bool:
    return any(step in ("password", "admin_token", "username", "ticket", "token", "key") for step in steps)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else f"not UTF-8 at byte {error.start}"


def _check_order(where: str, low: str, low_value: float, high: str, high_value: float) -> None:
    if low_value > high_value:
        raise ConfigurationError(f"{where}.{low}: found {low_value:g}; at most {high}, which is {high_value:g}")

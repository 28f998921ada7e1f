"""The control panel of seed 004, as its own browser side asks and is answered. Values in, structs out; no I/O.

    {"status":"ok","camera_connected":true,"stats":{…},"browsers_connected":1,"image_saver":{…}}     /api/stats
    {"type":"status","camera_connected":true,"stats":{…}}                        to a browser, when that changes
    {"type":"server_stats","data":{…},"timestamp":1700000000.0}                  on {"type":"request_stats"}
    {"type":"camera_health","data":{"type":"health",…},"server_time":"<iso>"}    with each word of the camera's

The seed has one camera; here each of these is about one of those that connect to us. Nothing waits for an absent
camera, so `pending_commands` is always 0.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from gatekeeper import decoding
from gatekeeper.cameras.push.abilities import SIZES
from gatekeeper.cameras.push.camera import Port, PushCamera
from gatekeeper.errors import InvalidArgument, NoSuchCamera

BOOT_RESOLUTION: Final = 7  # XGA: what the seed's firmware starts with

NUMBERS: Final = ("quality", "fps", "brightness", "contrast")
SWITCHES: Final = ("exposure", "gain", "whitebalance", "hmirror", "vflip")
ON, OFF = ("1", "true", "on"), ("0", "false", "off")

_WHOLE: Final = re.compile(r"[+-]?\d{1,6}")


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What has come of a camera since the server's start.

    :ivar connected: whether it is connected.
    :ivar frames_received: whole pictures; `frames_chunked` those begun in pieces; `frames_failed` what was no picture.
    :ivar total_bytes: of the whole ones.
    :ivar fps: pictures per second, a running mean.
    :ivar last_frame_time: when the newest came, ISO 8601 in UTC.
    :ivar camera_ip: where it connects from.
    :ivar browsers_connected: browsers on the camera's port that watch it.
    :ivar start_time: Unix seconds; `uptime` seconds since then, `uptime_formatted` the same for people.
    :ivar pending_commands: 0: nothing waits for a camera that isn't there.
    """

    connected: bool
    frames_received: int
    frames_chunked: int
    frames_failed: int
    total_bytes: int
    fps: float
    last_frame_time: str | None
    camera_ip: str | None
    browsers_connected: int
    start_time: float
    uptime: float
    uptime_formatted: str
    pending_commands: int = 0


class PanelStats(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's counts, in the shape of seed 004."""

    status: Literal["ok"] = "ok"
    camera_connected: bool
    stats: Stats
    browsers_connected: int


class PanelHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The server answers; in the shape of seed 004.

    :ivar uptime: seconds.
    :ivar timestamp: now, ISO 8601 in UTC.
    :ivar version: of gatekeeper.
    """

    status: Literal["healthy"] = "healthy"
    uptime: float
    timestamp: str
    version: str


class PanelResolutions(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera's pictures can measure; in the shape of seed 004.

    :ivar resolutions: number, as text -> name with width and height.
    :ivar default: the number that the camera starts with.
    """

    status: Literal["ok"] = "ok"
    resolutions: dict[str, str]
    default: int = BOOT_RESOLUTION


class PanelCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command.

    :ivar type: of its value; `trigger` has none.
    :ivar range: the least and the most.
    :ivar description: what it does.
    """

    type: Literal["int", "bool", "trigger"]
    description: str
    range: tuple[int, int] | None = None


class PanelCommands(msgspec.Struct, frozen=True, kw_only=True):
    """The commands that a camera takes, by name; in the shape of seed 004."""

    status: Literal["ok"] = "ok"
    commands: dict[str, PanelCommand]


class PanelDone(msgspec.Struct, frozen=True, kw_only=True):
    """A camera has taken a command; in the shape of seed 004.

    :ivar value: as it was given.
    :ivar taken: the camera's own words for what it took.
    """

    status: Literal["success"] = "success"
    command: str
    value: str
    taken: str


class PanelSaved(msgspec.Struct, frozen=True, kw_only=True):
    """A picture was kept; in the shape of seed 004.

    :ivar message: one sentence for people.
    :ivar path: where it can be had; `filename` its name.
    """

    status: Literal["success"] = "success"
    message: str
    path: str
    filename: str


class Panel:
    """What the panel is told.

    :param pushed: the cameras that connect to us, by id, in order.
    :param browsers: how many watch a camera on its own port, by id; whoever lets them in counts.
    :param wall: Unix seconds now.
    :param version: the program's.
    """

    def __init__(
        self,
        pushed: Mapping[str, PushCamera],
        browsers: Counter[str],
        wall: Callable[[], float],
        version: str,
    ) -> None:
        self._pushed = pushed
        self.browsers = browsers
        self._wall = wall
        self._version = version
        self._began = wall()

    def choose(self, asked: str | None, may: Callable[[str], bool]) -> str:
        """Return the camera that is meant: the one that was asked for, or the first that may be viewed.

        :param may: whether the caller may view a camera; of one that is asked for its caller has seen to that.
        :raises NoSuchCamera: if there is none.
        """
        if asked is not None:
            if asked not in self._pushed:
                raise NoSuchCamera(f"no camera {decoding.show(asked)} connects to this site")
            return asked
        for camera in self._pushed:
            if may(camera):
                return camera
        raise NoSuchCamera("no camera that you may view connects to this site")

    def numbers(self, camera: str) -> Stats:
        """Return a camera's counts."""
        it = self._pushed[camera]
        newest, uptime = it.feed.newest, max(0.0, self._wall() - self._began)
        hours, rest = divmod(int(uptime), 3600)
        return Stats(
            connected=it.seated(Port.STREAM) is not None,
            frames_received=it.feed.frames,
            frames_chunked=it.chunked,
            frames_failed=it.feed.rejected,
            total_bytes=it.feed.bytes,
            fps=round(it.feed.fps, 2),
            last_frame_time=iso(newest.wall) if newest is not None else None,
            camera_ip=it.address,
            browsers_connected=self.browsers[camera],
            start_time=self._began,
            uptime=round(uptime, 3),
            uptime_formatted=f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}",
        )

    def stats(self, camera: str) -> PanelStats:
        """Return the answer of `/api/stats`."""
        numbers = self.numbers(camera)
        return PanelStats(
            camera_connected=numbers.connected, stats=numbers, browsers_connected=numbers.browsers_connected
        )

    def health(self) -> PanelHealth:
        """Return the answer of `/api/health`."""
        now = self._wall()
        return PanelHealth(uptime=round(max(0.0, now - self._began), 3), timestamp=iso(now), version=self._version)

    def resolutions(self, camera: str) -> PanelResolutions:
        """Return the answer of `/api/resolutions`: those that this camera's sensor has."""
        known = self._pushed[camera].abilities.resolutions
        return PanelResolutions(resolutions={str(number): _size(number) for number in known})

    def commands(self, camera: str) -> PanelCommands:
        """Return the answer of `/api/commands`."""
        abilities = self._pushed[camera].abilities
        ranges = {
            "resolution": (abilities.resolutions[0], abilities.resolutions[-1]),
            "quality": abilities.quality,
            "fps": (1, 30),
            "mode": (0, 1),
            "brightness": (-2, 2),
            "contrast": (-2, 2),
        }
        told = {
            name: PanelCommand(type="int", range=range_, description=ABOUT[name]) for name, range_ in ranges.items()
        }
        told |= {name: PanelCommand(type="bool", range=(0, 1), description=ABOUT[name]) for name in SWITCHES}
        return PanelCommands(commands={**told, "reboot": PanelCommand(type="trigger", description=ABOUT["reboot"])})

    # --- to a browser on the camera's port ---

    def status(self, camera: str) -> bytes:
        """Return what a browser is told when it comes, and when the camera's state changes."""
        numbers = self.numbers(camera)
        return msgspec.json.encode({"type": "status", "camera_connected": numbers.connected, "stats": numbers})

    def server_stats(self, camera: str) -> bytes:
        """Return the answer to `request_stats`."""
        return msgspec.json.encode({"type": "server_stats", "data": self.numbers(camera), "timestamp": self._wall()})

    def camera_health(self, camera: str) -> bytes | None:
        """Return what a camera last said of itself, or None if it said nothing yet."""
        health = self._pushed[camera].device
        if health is None:
            return None
        told: dict[str, Any] = {
            "frames": health.sent, "dropped": health.dropped, "heap": health.heap, "minHeap": health.minimum_heap,
            "psram": health.psram, "rssi": health.rssi,
            "uptime": words(health.uptime) if health.uptime is not None else None,
            "ip": health.ip or self._pushed[camera].address, "model": health.model, "resolution": health.resolution,
            "quality": health.quality,
        }  # fmt: skip
        data = {"type": "health", **{name: value for name, value in told.items() if value is not None}}
        return msgspec.json.encode({"type": "camera_health", "data": data, "server_time": iso(self._wall())})


ABOUT: Final = {
    "resolution": "size of the pictures, by number",
    "quality": "JPEG's compression: lower is better, and larger",
    "fps": "pictures per second that the camera aims at",
    "mode": "0 is speed, 1 stability",
    "brightness": "brightness",
    "contrast": "contrast",
    "exposure": "automatic exposure",
    "gain": "automatic gain",
    "whitebalance": "automatic white balance",
    "hmirror": "mirrored left to right",
    "vflip": "upside down",
    "reboot": "start the camera anew",
}


def setting(cmd: str, val: str) -> dict[str, Any]:
    """Return the named argument of `gatekeeper.camera.set` that a command of the panel's means.

    :raises InvalidArgument: if there is no such command, or its value is none of its kind; ranges are looked at later.
    """
    if cmd in ("resolution", "mode"):
        return {cmd: val}
    if cmd in NUMBERS:
        if not _WHOLE.fullmatch(val):
            raise InvalidArgument(f"{cmd}: found {decoding.show(val)}; allowed: a whole number")
        return {cmd: int(val)}
    if cmd in SWITCHES:
        if val.lower() not in ON + OFF:
            raise InvalidArgument(f"{cmd}: found {decoding.show(val)}; allowed: {_either((*ON, *OFF))}")
        return {cmd: val.lower() in ON}
    if cmd == "reboot":
        return {"reboot": True}
    raise InvalidArgument(f"found the command {decoding.show(cmd)}; allowed: {_either(ABOUT)}")


def words(uptime: float) -> str:
    """Return seconds as the camera says them: `1h 2m 3s`."""
    hours, rest = divmod(int(uptime), 3600)
    return f"{hours}h {rest // 60}m {rest % 60}s"


def iso(wall: float) -> str:
    """Return Unix seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(wall, UTC).isoformat()


def _size(number: int) -> str:
    name, width, height = SIZES[number]
    return f"{name} ({width}x{height})"


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"

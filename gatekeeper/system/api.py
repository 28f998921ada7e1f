"""The state of the process and of everything that it watches (seed 001: `GET /api/system/status`)."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import msgspec
import psutil

import gatekeeper

LIBRARIES = ("twisted", "autobahn", "klein", "treq", "opencv-python-headless", "msgspec")


class SystemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The whole site at one moment.

    :ivar started: Unix seconds; `uptime`: seconds; `time`: Unix seconds now.
    :ivar teams: how many teams measure; 0 where nothing is configured of measurements.
    :ivar cpu: percent of one processor since the last question.
    :ivar memory: resident bytes.
    :ivar cameras: `cameras.api.CameraStatus` each; `doors`: `doors.api.DoorStatus` each.
    :ivar router: the WAMP router's counters.
    """

    name: str
    version: str
    demo: bool
    teams: int
    started: float
    uptime: float
    time: float
    cpu: float
    memory: int
    threads: int
    descriptors: int
    reactor: str
    versions: dict[str, str]
    cameras: list[Any]
    doors: list[Any]
    router: Any
    storage: Any


class System:
    """The process.

    :param name: the site's name.
    :param reactor: clock, and whose kind is told.
    :param wall: Unix seconds now.
    :param cameras: returns the cameras' status; `doors` the doors', `router` the router's counters,
        `storage` the database's health.
    """

    def __init__(
        self,
        *,
        name: str,
        demo: bool,
        teams: int = 0,
        reactor: Any,
        wall: Callable[[], float],
        cameras: Callable[[], list[Any]],
        doors: Callable[[], list[Any]],
        router: Callable[[], Any],
        storage: Callable[[], Any],
    ) -> None:
        self._name = name
        self._demo = demo
        self._teams = teams
        self._reactor = reactor
        self._wall = wall
        self._cameras = cameras
        self._doors = doors
        self._router = router
        self._storage = storage
        self._started = reactor.seconds()
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first answer is always 0: it has nothing to compare with
        self._versions = {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}

    def rename(self, name: str) -> None:
        """Be called otherwise."""
        self._name = name

    def time(self) -> dict[str, float]:
        """Return the server's Unix time, for clients whose clock differs."""
        return {"time": self._wall()}

    def status(self) -> SystemStatus:
        """Return everything at once."""
        uptime = self._reactor.seconds() - self._started
        with self._process.oneshot():
            return SystemStatus(
                name=self._name,
                version=gatekeeper.__version__,
                demo=self._demo,
                teams=self._teams,
                started=self._wall() - uptime,
                uptime=uptime,
                time=self._wall(),
                cpu=self._process.cpu_percent(),
                memory=self._process.memory_info().rss,
                threads=self._process.num_threads(),
                descriptors=self._process.num_fds() if hasattr(self._process, "num_fds") else 0,
                reactor=reactor_name(self._reactor),
                versions=self._versions,
                cameras=self._cameras(),
                doors=self._doors(),
                router=self._router(),
                storage=self._storage(),
            )


def reactor_name(reactor: Any) -> str:
    """Return what kind of reactor runs, with its loop: `asyncio (uvloop)`."""
    name = type(reactor).__name__
    loop = getattr(reactor, "_asyncioEventloop", None)
    return f"asyncio ({type(loop).__module__.partition('.')[0]})" if loop is not None else name

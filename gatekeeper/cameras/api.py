"""Cameras for callers, whatever wire they come by: structs out, errors raised.

What a camera is set to is recorded, and so is who tried to and was not let.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from twisted.internet.defer import Deferred

from gatekeeper import config, decoding
from gatekeeper.caller import Caller
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.made import MadeFeed
from gatekeeper.cameras.push.camera import PushCamera
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.push.identity import Stranger
from gatekeeper.cameras.push.settings import decode
from gatekeeper.cameras.push.wishes import Setting
from gatekeeper.cameras.selfhelp import Help
from gatekeeper.cameras.sight import Sight, Watch
from gatekeeper.cameras.telemetry import Telemetry, TelemetryPage
from gatekeeper.errors import GatekeeperError, InvalidArgument, NoPicture, NoSuchCamera, NoSuchFeed


class CameraStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's state and counts.

    :ivar kind: whether we connect to it (`pull`) or it to us (`push`).
    :ivar since: Unix seconds at which the state was entered.
    :ivar reason: one sentence; None while live.
    :ivar fps: frames per second, a running mean; 0 unless live.
    :ivar age: seconds since the newest frame was received, also when it is not live any more; None before the first.
    :ivar frames: good frames since the start; `rejected`: parts that were none; `reconnects`: connections after the
        first.
    :ivar viewers: who takes this camera's frames now, all ways together.
    :ivar sight: what its pictures are worth; `sight_since`: Unix seconds at which that began.
    :ivar feeds: names of the feeds that are made of its pictures.
    :ivar device: how it says it is; None where it says nothing.
    :ivar help: what is being done about it while it shows nothing; None while nothing is.
    """

    id: str
    name: str
    virtual: bool
    kind: Literal["pull", "push"]
    state: CameraState
    since: float
    reason: str | None
    fps: float
    width: int | None
    height: int | None
    sequence: int
    age: float | None
    frames: int
    rejected: int
    reconnects: int
    viewers: int
    sight: Sight
    sight_since: float
    doors: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    device: DeviceHealth | None = None
    help: Help | None = None


class SetResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera was set to.

    :ivar taken: setting -> the camera's own words for what it took.
    """

    camera: str
    taken: dict[str, str]


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera can be set to, was set to, and says that it is.

    :ivar device: what it is, for people; None of one that takes no settings.
    :ivar reason: why it takes no settings, or none now; None if it takes them.
    :ivar settings: in the order in which they are sent; none of a camera that takes no settings.
    """

    camera: str
    device: str | None
    reason: str | None
    settings: tuple[Setting, ...]


_NO_SETTINGS: Final = {
    "mjpeg": "its address gives pictures and nothing else",
    "snapshot": "its address gives pictures and nothing else",
    "rtsp": "RTSP carries its pictures and nothing else",
    "v4l2": "nothing is set on a device of this machine",
    "video": "it is a file",
}
"""Why, by the kind of camera."""


def _no_help(camera: str) -> None:
    """Do nothing about any camera."""


def _unrecorded(kind: str, text: str, **about: Any) -> None:
    """Record nothing: where there is no record."""


class Cameras:
    """All cameras of a site.

    :param cameras: their configuration, in order.
    :param feeds: by camera id, as they are now; so `watches`, `telemetry` and `pushed`.
    :param clock: monotonic seconds now.
    :param viewers: how many watch a camera now.
    :param watches: what judges the pictures, by camera id.
    :param telemetry: the samples of each, by id.
    :param pushed: those that connect to us, by id; `strangers` lists those that do and are in no configuration.
    :param helped: what is being done about a camera that shows nothing.
    :param made: the feed that is made of a camera's pictures, by their names.
    :param record: takes what belongs on the record.
    """

    def __init__(
        self,
        cameras: tuple[config.Camera, ...],
        feeds: Mapping[str, Feed],
        clock: Callable[[], float],
        viewers: Callable[[str], int],
        *,
        virtual: bool = False,
        watches: Mapping[str, Watch] | None = None,
        telemetry: Mapping[str, Telemetry] | None = None,
        pushed: Mapping[str, PushCamera] | None = None,
        strangers: Callable[[], list[Stranger]] = list,
        helped: Callable[[str], Help | None] = _no_help,
        made: Callable[[str, str], MadeFeed | None] = lambda camera, feed: None,
        record: Callable[..., Any] = _unrecorded,
    ) -> None:
        self._cameras = {camera.id: camera for camera in cameras}
        self._feeds = feeds
        self._clock = clock
        self._viewers = viewers
        self._virtual = virtual
        self._watches = watches if watches is not None else {}
        self._telemetry = telemetry if telemetry is not None else {}
        self._pushed = pushed if pushed is not None else {}
        self._strangers = strangers
        self._helped = helped
        self._made = made
        self._record = record

    def configure(self, cameras: "Sequence[config.Camera]") -> None:
        """Have these cameras from now on, in this order; feeds, watches and the rest must be there already."""
        self._cameras = {camera.id: camera for camera in cameras}

    def list(self) -> list[CameraStatus]:
        """Return the status of every camera, in the configuration's order."""
        return [self.status(camera) for camera in self._cameras]

    def status(self, camera: str) -> CameraStatus:
        """Return the status of one camera.

        :raises NoSuchCamera: if there is none of this id.
        """
        known = self._find(camera)
        feed = self._feeds[camera]
        newest = feed.newest
        watch = self._watches.get(camera)
        return CameraStatus(
            id=camera,
            name=known.label,
            virtual=self._virtual,
            kind="pull" if known.push is None else "push",
            state=feed.condition.state,
            since=feed.condition.since,
            reason=feed.condition.reason,
            fps=round(feed.fps, 2),
            width=newest.width if newest else None,
            height=newest.height if newest else None,
            sequence=newest.sequence if newest else 0,
            age=max(0.0, self._clock() - newest.received) if newest else None,
            frames=feed.frames,
            rejected=feed.rejected,
            reconnects=feed.reconnects,
            viewers=self._viewers(camera),
            sight=watch.sight if watch else Sight.UNKNOWN,
            sight_since=watch.since if watch else feed.condition.since,
            doors=known.doors,
            feeds=tuple(one.name for one in known.feeds),
            device=self._pushed[camera].device if camera in self._pushed else None,
            help=self._helped(camera),
        )

    def snapshot(self, camera: str) -> Frame:
        """Return the newest frame of a live camera.

        :raises NoSuchCamera: if there is none of this id.
        :raises NoPicture: if it isn't live: an old picture would look like a new one.
        """
        self._find(camera)
        feed = self._feeds[camera]
        if feed.condition.state is not CameraState.LIVE or feed.newest is None:
            reason = feed.condition.reason or "no frame yet"
            raise NoPicture(f"camera {camera} is {feed.condition.state}: {reason}")
        return feed.newest

    def feed_snapshot(self, camera: str, feed: str) -> "Deferred[Frame]":
        """Return a frame of a feed that is made of a live camera's pictures; fails with NoPicture if it isn't live.

        :raises NoSuchCamera: if there is none of this id.
        :raises NoSuchFeed: if it has none of this name.
        """
        self._find(camera)
        found = self._made(camera, feed)
        if found is None:
            raise NoSuchFeed(f'camera {camera} has no feed "{feed[:40]}"')
        return found.snapshot()

    def strangers(self) -> "Sequence[Stranger]":
        """Return the cameras that connect to us and are in no configuration, the last seen first."""
        return self._strangers()

    def settings(self, camera: str) -> CameraSettings:
        """Return what a camera can be set to, with ranges, wishes and what it took; empty if it takes no settings.

        :raises NoSuchCamera: if there is none of this id.
        """
        known = self._find(camera)
        pushed = self._pushed.get(camera)
        if pushed is None:
            return CameraSettings(camera=camera, device=None, reason=_no_settings(known), settings=())
        away = None if pushed.is_connected else f"camera {camera} is not connected"
        kind = pushed.abilities.kind
        return CameraSettings(camera=camera, device=kind, reason=away, settings=pushed.settings)

    def telemetry(self, camera: str, since: float | None = None) -> TelemetryPage:
        """Return the samples of a camera, of the last hour at most.

        :param since: Unix seconds; only what came later.
        :raises NoSuchCamera: if there is none of this id.
        :raises InvalidArgument: if `since` is no moment.
        """
        self._find(camera)
        is_number = isinstance(since, int | float) and not isinstance(since, bool)
        if since is not None and not (is_number and -(2.0**53) <= since <= 2.0**53):
            raise InvalidArgument(f"since: found {decoding.show(since)}; allowed: Unix seconds")
        return self._telemetry[camera].since(since)

    def set(self, caller: Caller, camera: str, given: Mapping[str, Any]) -> "Deferred[SetResult]":
        """Set a camera; fires with what it says it took, one setting after the other.

        Fails with InvalidArgument, NoSuchCamera, NotConnected, Busy, Rejected or Indeterminate. Who gives up waiting
        doesn't take it off the record.
        """
        known = self._find(camera)
        pushed = self._pushed.get(camera)
        if pushed is None:
            raise InvalidArgument(_no_settings(known))
        commands = decode(given, pushed.abilities)
        wanted = {command.cmd: command.val for command in commands}
        told: Deferred[SetResult] = Deferred()

        def succeeded(taken: dict[str, str]) -> None:
            shown = ", ".join(f"{name} {value}".strip() for name, value in taken.items())
            self._record(
                "camera.set",
                f"{caller} set camera {camera}: {shown}",
                subject=camera,
                caller=caller,
                details={"wanted": wanted, "taken": taken},
            )
            told.callback(SetResult(camera=camera, taken=taken))

        def failed(failure: Any) -> None:
            self._not_set(caller, camera, failure.value, wanted)
            told.errback(failure)

        try:
            pushed.set(commands).addCallbacks(succeeded, failed)
        except GatekeeperError as error:
            self._not_set(caller, camera, error, wanted)
            raise
        return told

    def refused(self, caller: Caller, camera: str, error: GatekeeperError) -> None:
        """Record that somebody was not let: nothing was sent to the camera."""
        if camera in self._cameras:
            self._not_set(caller, camera, error, {})

    def _not_set(self, caller: Caller, camera: str, error: BaseException, wanted: Mapping[str, str]) -> None:
        self._record(
            "camera.set_failed",
            f"{caller} could not set camera {camera}: {error}",
            subject=camera,
            caller=caller,
            outcome=error.code if isinstance(error, GatekeeperError) else "internal",
            details={"wanted": dict(wanted)},
        )

    def _find(self, camera: str) -> config.Camera:
        if not isinstance(camera, str):
            raise InvalidArgument(f"camera: found {decoding.kind_of(camera)}; allowed: text")
        known = self._cameras.get(camera)
        if known is None:
            names = ", ".join(self._cameras) or "none"
            raise NoSuchCamera(f'there is no camera "{camera[:40]}"; there are: {names}')
        return known


def _no_settings(camera: config.Camera) -> str:
    return f"camera {camera.id} takes no settings: {_NO_SETTINGS[camera.kind]}"

"""Cameras for callers, whatever wire they come by: structs out, errors raised."""

from collections.abc import Callable, Mapping

import msgspec

from gatekeeper import config, decoding
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.sight import Sight, Watch
from gatekeeper.errors import InvalidArgument, NoPicture, NoSuchCamera


class CameraStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's state and counts.

    :ivar since: Unix seconds at which the state was entered.
    :ivar reason: one sentence; None while live.
    :ivar fps: frames per second, a running mean; 0 unless live.
    :ivar age: seconds since the newest frame was received, also when it is not live any more; None before the first.
    :ivar frames: good frames since the start; `rejected`: parts that were none; `reconnects`: connections after the
        first.
    :ivar viewers: who takes this camera's frames now, all ways together.
    :ivar sight: what its pictures are worth; `sight_since`: Unix seconds at which that began.
    """

    id: str
    name: str
    virtual: bool
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


class Cameras:
    """All cameras of a site.

    :param cameras: their configuration, in order.
    :param feeds: by camera id.
    :param clock: monotonic seconds now.
    :param viewers: how many watch a camera now.
    :param watches: what judges the pictures, by camera id.
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
    ) -> None:
        self._cameras = {camera.id: camera for camera in cameras}
        self._feeds = feeds
        self._clock = clock
        self._viewers = viewers
        self._virtual = virtual
        self._watches = watches or {}

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

    def _find(self, camera: str) -> config.Camera:
        if not isinstance(camera, str):
            raise InvalidArgument(f"camera: found {decoding.kind_of(camera)}; allowed: text")
        known = self._cameras.get(camera)
        if known is None:
            names = ", ".join(self._cameras) or "none"
            raise NoSuchCamera(f'there is no camera "{camera[:40]}"; there are: {names}')
        return known

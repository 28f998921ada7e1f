"""Looks at the newest picture of every live camera once a second, in a thread of its own, and tells what it found."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper import config
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.looking import Look, look
from gatekeeper.cameras.sight import FROZEN_AFTER, FROZEN_AFTER_VIDEO, Finding, Watch

INTERVAL: Final = 1.0  # seconds between two looks at a camera: half a millisecond each at 640x480

Told: TypeAlias = Callable[[str, Finding | None], None]
Looking: TypeAlias = Callable[[bytes], "Deferred[Look | None]"]


class Lookout(Service):
    """Keeps a watch over each camera that it is given.

    :param reactor: clock, and the way back from the thread.
    :param wall: Unix seconds now.
    :param told: called with a camera's id when its sight changed, and what is to be recorded of it, if anything.
    :param looking: looks at a JPEG; in a thread of its own unless another way is given.
    :ivar watches: by camera id.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *,
        wall: Callable[[], float],
        told: Told,
        looking: Looking | None = None,
    ) -> None:
        self._reactor = reactor
        self._feeds: dict[str, Feed] = {}
        self._ends: dict[str, Callable[[], None]] = {}
        self._wall = wall
        self._told = told
        self._pool = ThreadPool(minthreads=0, maxthreads=1, name="sight")
        self._looking = looking or self._look_in_thread
        self._busy: set[str] = set()  # a camera's next look waits for its last one: at most one each is queued
        self._seen: dict[str, int] = {}
        self._call = LoopingCall(self._look)
        self._call.clock = reactor
        self.watches: dict[str, Watch] = {}

    def watch(self, camera: config.Camera, feed: Feed) -> None:
        """Look at a camera from now on; at one that was looked at already, anew, by what it is now."""
        untouched = camera.kind in {"mjpeg", "snapshot", "push"}  # each picture is a sensor's own, and no encoder's
        after = FROZEN_AFTER if untouched else FROZEN_AFTER_VIDEO
        self.watches[camera.id] = Watch(self._wall(), frozen_after=after, may_loop=camera.kind == "video")
        if camera.id not in self._feeds:
            self._feeds[camera.id] = feed
            self._ends[camera.id] = feed.observe(lambda condition: self._changed(camera.id, condition))

    def forget(self, camera: str) -> None:
        """Look at a camera no more."""
        del self.watches[camera], self._feeds[camera]
        self._ends.pop(camera)()
        self._seen.pop(camera, None)

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._pool.start()
        self._call.start(INTERVAL, now=False)

    def stopService(self) -> None:
        """Look no more; a look that is being taken ends within milliseconds."""
        super().stopService()
        if self._call.running:
            self._call.stop()
            self._pool.stop()

    def _changed(self, camera: str, condition: Condition) -> None:
        if condition.state is not CameraState.LIVE:
            self.watches[camera].lose(self._wall())

    def _look(self) -> None:
        for camera, feed in self._feeds.items():
            frame = feed.newest
            if frame is None or feed.condition.state is not CameraState.LIVE or camera in self._busy:
                continue
            if self._seen.get(camera) != frame.sequence:  # the same once more would look frozen
                self._seen[camera] = frame.sequence
                self._busy.add(camera)
                self._take(camera, frame.jpeg)

    def _take(self, camera: str, jpeg: bytes) -> None:
        def free(result: None) -> None:
            self._busy.discard(camera)

        looked = self._looking(jpeg).addCallback(self._looked, camera, self.watches[camera])
        looked.addErrback(self._failed, camera).addCallback(free)

    def _looked(self, found: Look | None, camera: str, watch: Watch) -> None:
        if found is None or not self.running or self.watches.get(camera) is not watch:
            return
        if self._feeds[camera].condition.state is not CameraState.LIVE:
            return
        before = watch.sight
        finding = watch.see(found, self._reactor.seconds(), self._wall())
        if watch.sight is not before:
            self._told(camera, finding)

    def _failed(self, failure: Failure, camera: str) -> None:
        self._log.failure("camera {camera} could not be looked at", failure, camera=camera)

    def _look_in_thread(self, jpeg: bytes) -> "Deferred[Look | None]":
        looked: Deferred[Look | None] = Deferred()

        def done(succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(looked.callback if succeeded else looked.errback, result)

        self._pool.callInThreadWithCallback(done, look, jpeg)
        return looked

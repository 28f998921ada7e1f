"""The cameras of a site, composed: who brings their pictures, who takes them, who looks whether they see anything.

Part of the composition root, apart from `site` because none of it knows of doors.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from gatekeeper import config, uris
from gatekeeper.caller import ITSELF
from gatekeeper.calls import plain
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.decoded import DecodedPull
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.picture import notice
from gatekeeper.cameras.publisher import FramePublisher
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.cameras.push.camera import PushCamera
from gatekeeper.cameras.push.identity import Known
from gatekeeper.cameras.push.reception import Reception
from gatekeeper.cameras.sampling import Sampling
from gatekeeper.cameras.sight import Finding, Sight
from gatekeeper.cameras.snapshots import SnapshotPull
from gatekeeper.cameras.watching import Watching
from gatekeeper.elsewhere import IsOwn
from gatekeeper.http.mjpeg import Seats, Stream, Terms
from gatekeeper.realm import Presence


class Viewing:
    """Every camera of a site.

    :param session: the site's own, for frames and states.
    :param record: `Journal.record`.
    :param is_own: tells what is gatekeeper's own port, and no camera.
    :param unsent: `Router.unsent_bytes`; `when_drained` likewise.
    :ivar devices: what runs while the site does; `streams` and `feeds` by camera id, in the configuration's order.
    """

    log = Logger()

    def __init__(
        self,
        settings: config.Site,
        *,
        folder: Path,
        reactor: Any,
        wall: Callable[[], float],
        session: Presence,
        record: Callable[..., Any],
        is_own: IsOwn,
        unsent: Callable[[int], int],
        when_drained: Callable[[int, Callable[[], None]], None],
        virtual: bool,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._wall = wall
        self._session = session
        self._record = record
        self._is_own = is_own
        self._virtual = virtual
        self._pictures = ThreadPool(minthreads=0, maxthreads=1, name="pictures")
        self.devices = MultiService()
        self._compose(folder)
        self.watching = Watching(self.feeds, reactor, unsent, when_drained)

    def start(self) -> None:
        """Draw and look; `devices` is the site's to start."""
        self._pictures.start()
        self._lookout.startService()

    def stop_looking(self) -> None:
        """Look no more whether cameras see, nor show anybody: they are about to be stopped."""
        self._lookout.stopService()
        self.watching.stop()

    def stop(self) -> None:
        """Draw no more."""
        self._pictures.stop()

    def where(self, camera: config.Camera) -> str:
        """Return where a camera is, for the log; never what its address carries behind a `?`."""
        if camera.push is not None:
            return "VIRTUAL device that connects to us" if self._virtual else "connects to us"
        return f"{'VIRTUAL device at ' if self._virtual else ''}{camera.address.partition('?')[0]}"

    def _compose(self, folder: Path) -> None:
        seats = Seats(self._settings.media.maximum_viewers)
        terms = Terms(self._reactor, self._draw, self._settings.media.viewer_timeout, seats, self._wall)
        self.feeds: dict[str, Feed] = {}
        self.streams: dict[str, Stream] = {}
        self._publishers: dict[str, FramePublisher] = {}
        pushed: dict[str, PushCamera] = {}
        samplings: dict[str, Sampling] = {}
        for index, camera in enumerate(self._settings.cameras):
            feed = self.feeds[camera.id] = Feed(camera.id, self._wall())
            self.streams[camera.id] = Stream(feed, terms)
            self._publishers[camera.id] = FramePublisher(self._session, feed)
            if camera.push is not None:
                pushed[camera.id] = PushCamera(
                    self._reactor, camera, feed, self._wall, partial(self._restarted, camera.id)
                )
                pushed[camera.id].setServiceParent(self.devices)
            else:
                secret = camera.password
                password = secret.read(f"cameras[{index}].password", folder) if secret is not None else None
                self._pull(index, camera, password, folder).setServiceParent(self.devices)
            samplings[camera.id] = self._sampling(camera, feed, pushed.get(camera.id))
            samplings[camera.id].setServiceParent(self.devices)
        self._lookout = Lookout(
            self._reactor, self._settings.cameras, self.feeds, wall=self._wall, told=self._sight_changed
        )
        for name, feed in self.feeds.items():
            feed.observe(partial(self._camera_changed, name))  # behind the lookout, whose word is part of the status
        self.reception = Reception(
            self._reactor,
            cameras=pushed,
            known=known(self._settings.cameras, folder),
            maximum=self._settings.push.maximum_connections,
            wall=self._wall,
            record=self._second_connection,
        )
        self.reception.setServiceParent(self.devices)
        self.cameras = Cameras(
            self._settings.cameras,
            self.feeds,
            self._reactor.seconds,
            self.viewers,
            virtual=self._virtual,
            watches=self._lookout.watches,
            telemetry={name: sampling.telemetry for name, sampling in samplings.items()},
            pushed=pushed,
            strangers=self.reception.strangers.list,
            record=self._camera_recorded,
        )

    def _pull(self, index: int, camera: config.Camera, password: str | None, folder: Path) -> Service:
        """Return what brings a camera's pictures to its feed."""
        feed, is_own = self.feeds[camera.id], self._is_own
        if camera.kind == "mjpeg":
            return CameraPull(self._reactor, camera, password, feed, self._wall, is_own=is_own)
        if camera.kind == "snapshot":
            return SnapshotPull(self._reactor, camera, password, feed, self._wall, is_own=is_own)
        path = config.resolve(folder, camera.video, f"cameras[{index}].video") if camera.video is not None else None
        return DecodedPull(
            self._reactor, camera, password, feed, self._wall, path=str(path) if path else None, is_own=is_own
        )

    def _sampling(self, camera: config.Camera, feed: Feed, pushed: PushCamera | None) -> Sampling:
        """Return what counts a camera's pictures and samples its device."""
        topic = uris.TOPIC_CAMERA_TELEMETRY.format(camera=camera.id)
        return Sampling(
            self._reactor,
            feed,
            wall=self._wall,
            publish=partial(self._session.publish, topic),
            wanted=wanted(camera),
            device=(lambda: pushed.device) if pushed is not None else None,
        )

    def _restarted(self, camera: str, text: str, was_ordered: bool) -> None:
        outcome, log = ("ok", self.log.info) if was_ordered else ("alarm", self.log.warn)
        log("{text}", text=text)
        self._record("camera.restarted", text, subject=camera, caller=ITSELF, outcome=outcome)

    def _camera_changed(self, camera: str, condition: Condition) -> None:
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(self.cameras.status(camera)))
        if condition.state is not CameraState.CONNECTING:
            why = f": {condition.reason}" if condition.reason else ""
            outcome = "ok" if condition.state is CameraState.LIVE else "alarm"
            text = f"camera {camera} is {condition.state}{why}"
            self._record(f"camera.{condition.state}", text, subject=camera, outcome=outcome, reason=condition.reason)

    def _sight_changed(self, camera: str, finding: Finding | None) -> None:
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(self.cameras.status(camera)))
        if finding is None:
            return
        if finding.sight is Sight.OK:
            kind, text, outcome, log = "camera.sees_again", f"camera {camera} sees again", "ok", self.log.info
        else:
            kind, text = f"camera.{finding.sight}", f"camera {camera} does not see: {finding.why}"
            outcome, log = "alarm", self.log.warn
        log("{text}", text=text)
        self._record(kind, text, subject=camera, outcome=outcome, reason=finding.why)

    def _second_connection(self, camera: str, text: str) -> None:
        self._record("camera.second", text, subject=camera, caller=ITSELF, outcome="alarm")

    def _camera_recorded(self, kind: str, text: str, **about: Any) -> None:
        self.log.info("{text}", text=text)
        self._record(kind, text, **about)

    def viewers(self, camera: str) -> int:
        """Return how many take a camera's pictures now, all ways together."""
        streams, topics = self.streams[camera].metrics.viewers, self._publishers[camera].subscribers
        return streams + topics + self.watching.viewers(camera)

    # --- pictures ---

    def _draw(self, condition: Condition) -> "Deferred[bytes]":
        """Draw the picture for a camera that isn't live, off the reactor thread, in a pool that nothing else uses."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(condition.since))
        drawing: Deferred[bytes] = Deferred()

        def drawn(succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(drawing.callback if succeeded else drawing.errback, result)

        lines = [condition.state.upper(), f"since {since}", *([condition.reason] if condition.reason else [])]
        self._pictures.callInThreadWithCallback(drawn, notice, lines)
        return drawing


def known(cameras: Sequence[config.Camera], folder: Path) -> list[Known]:
    """Return how each camera that connects to us is told, with its secret read."""
    known = []
    for index, camera in enumerate(cameras):
        push = camera.push
        if push is not None:
            token = push.token.read(f"cameras[{index}].push.token", folder) if push.token is not None else None
            known.append(Known(camera.id, push.path, token, push.device, push.address))
    return known


def wanted(camera: config.Camera) -> float | None:
    """Return the pictures per second that we ask a camera for; None where it sends as it likes."""
    if camera.kind == "snapshot":
        return 1 / camera.snapshot_interval
    return camera.frame_rate if camera.kind in {"rtsp", "v4l2", "video"} else None

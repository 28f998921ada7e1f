"""One camera of a site, with all that lives as long as it does.

feed, stream, publisher, watch      as long as the camera is in the configuration: who looks at it goes on looking
parts                               until its configuration changes: what brings the pictures, and whatever else
                                    depends on how the camera is configured
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper import config, uris
from gatekeeper.cameras.decoded import DecodedPull
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.made import Transcode
from gatekeeper.cameras.publisher import FramePublisher
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.cameras.push.camera import PushCamera
from gatekeeper.cameras.push.identity import Known
from gatekeeper.cameras.sampling import Sampling
from gatekeeper.cameras.selfhelp import Note, SelfHelp
from gatekeeper.cameras.snapshots import SnapshotPull
from gatekeeper.cameras.tries import Tries
from gatekeeper.cameras.watching import Watching
from gatekeeper.elsewhere import IsOwn
from gatekeeper.errors import NoSuchCamera
from gatekeeper.gallery.rooms import Rooms
from gatekeeper.http.mjpeg import Stream, Terms
from gatekeeper.realm import Presence
from gatekeeper.viewed_feed import ViewedFeeds
from gatekeeper.wanted import Wanted

FAREWELL: Final = 1.0  # seconds that those who watch a removed camera are shown why, before their streams end
END_TIMEOUT: Final = 3.0  # seconds for what brings pictures to end: a decoder in its thread gives up within two
REMOVED: Final = "it was removed from this site"


def known(of: Wanted) -> Known | None:
    """Return how a camera is told if it connects to us."""
    push = of.camera.push
    return Known(of.id, push.path, of.token, push.device, push.address) if push is not None else None


def puller(reactor: Any, of: Wanted, feed: Feed, wall: Callable[[], float], is_own: IsOwn) -> Tries:
    """Return what brings the pictures of a camera that we connect to."""
    if of.camera.kind == "mjpeg":
        return CameraPull(reactor, of.camera, of.password, feed, wall, is_own=is_own)
    if of.camera.kind == "snapshot":
        return SnapshotPull(reactor, of.camera, of.password, feed, wall, is_own=is_own)
    return DecodedPull(reactor, of.camera, of.password, feed, wall, path=of.path, is_own=is_own)


def rate(camera: config.Camera) -> float | None:
    """Return the pictures per second that we ask a camera for; None where it sends as it likes."""
    if camera.kind == "snapshot":
        return 1 / camera.snapshot_interval
    return camera.frame_rate if camera.kind in {"rtsp", "v4l2", "video"} else None


@dataclass(frozen=True, slots=True)
class Common:
    """What the cameras of a site share.

    :ivar changed: told of a camera's id and of each new condition.
    :ivar restarted: told of its id when its device has started anew: in a sentence, and whether that was ordered here.
    :ivar helped: told of its id and of each step that was taken to help it.
    """

    reactor: Any
    wall: Callable[[], float]
    terms: Terms
    session: Presence
    lookout: Lookout
    watching: Watching
    kept: Rooms
    transcode: Transcode
    is_own: IsOwn
    changed: Callable[[str, Condition], None]
    restarted: Callable[[str, str, bool], None]
    helped: Callable[[str, Note], None]


class Viewed:
    """A camera that can be looked at.

    :ivar wanted: what it is made of now; `push` is it as the reception knows it, None if we connect to it.
    :ivar help: what is done about it when it shows nothing.
    """

    _log = Logger()

    def __init__(self, made: Wanted, common: Common) -> None:
        self._common = common
        self.feed = Feed(made.id, common.wall())
        self.stream = Stream(self.feed, common.terms)
        self.publisher = FramePublisher(common.session, self.feed)
        self.wanted = made
        self.feeds = ViewedFeeds(
            self.feed,
            label=lambda: self.wanted.camera.label,
            transcode=common.transcode,
            terms=common.terms,
            session=common.session,
        )
        self._compose(made)
        self.feed.observe(partial(common.changed, made.id))  # behind the lookout, whose word is part of the status

    def _compose(self, made: Wanted) -> None:
        """Make what depends on the configuration."""
        common, camera = self._common, made.camera
        self.wanted = made
        self.parts = MultiService()
        self.push: PushCamera | None = None
        source: PushCamera | Tries
        common.lookout.watch(camera, self.feed)
        if camera.push is not None:
            restarted = partial(common.restarted, made.id)
            source = self.push = PushCamera(common.reactor, camera, self.feed, common.wall, restarted)
        else:
            source = puller(common.reactor, made, self.feed, common.wall, common.is_own)
        source.setServiceParent(self.parts)
        self.help = SelfHelp(
            common.reactor,
            camera,
            self.feed,
            common.lookout.watches[made.id],
            source,
            wall=common.wall,
            told=partial(common.helped, made.id),
        )
        self.sampling = self._sampling(camera, self.push)
        self.sampling.setServiceParent(self.parts)
        self._use_pictures()

    def _use_pictures(self) -> None:
        """Keep pictures, and make feeds of them, as the configuration says."""
        camera = self.wanted.camera
        self.feeds.configure(camera.feeds)
        self._common.kept.watch(camera.id, camera.pictures, camera.doors, self.feed)

    def _sampling(self, camera: config.Camera, push: PushCamera | None) -> Sampling:
        """Return what counts the pictures and samples the device."""
        topic = uris.TOPIC_CAMERA_TELEMETRY.format(camera=camera.id)
        return Sampling(
            self._common.reactor,
            self.feed,
            wall=self._common.wall,
            publish=partial(self._common.session.publish, topic),
            wanted=rate(camera),
            device=(lambda: push.device) if push is not None else None,
        )

    @property
    def viewers(self) -> int:
        """How many take its pictures now, all ways together."""
        tiles = self._common.watching.viewers(self.wanted.id)
        return self.stream.metrics.viewers + self.publisher.subscribers + tiles + self.feeds.viewers

    @property
    def streams(self) -> list[Stream]:
        """Its own stream, and those of the feeds that are made of its pictures."""
        return [self.stream, *self.feeds.streams]

    def rename(self, made: Wanted) -> None:
        """Be called otherwise, or be tied to other doors: what brings the pictures doesn't depend on it."""
        self.wanted = made
        self._use_pictures()

    async def change(self, made: Wanted) -> None:
        """Be this from now on, when what there was has ended: a camera never has two connections."""
        parent = self.parts.parent
        await self._end_parts()
        self._compose(made)
        if parent is not None:
            self.parts.setServiceParent(parent)

    async def remove(self) -> None:
        """End; returns when it has no connection any more, but for those who watch: for them there is `farewell`."""
        self._common.kept.unwatch(self.wanted.id)
        await self._end_parts()
        self.feed.change(CameraState.OFFLINE, REMOVED, self._common.wall())
        self._common.lookout.forget(self.wanted.id)
        self._common.watching.end(self.wanted.id, NoSuchCamera(f"camera {self.wanted.id}: {REMOVED}"))
        self.publisher.close()

    async def farewell(self) -> None:
        """Show those who watch why, and end their streams; returns when the last is gone."""
        if any(stream.metrics.viewers for stream in self.streams):
            await deferLater(self._common.reactor, FAREWELL, lambda: None)
        ended = [*self.feeds.end(), self.stream.stop()]
        await DeferredList(ended)

    def _end_parts(self) -> "Deferred[None]":
        self.help.stop()  # what ends now ends on purpose
        ended: Deferred[None] = Deferred()
        ending = maybeDeferred(self.parts.disownServiceParent)
        ending.addTimeout(END_TIMEOUT, self._common.reactor).addErrback(self._did_not_end)
        ending.addBoth(lambda _: ended.callback(None))
        return ended

    def _did_not_end(self, failure: Failure) -> None:
        self._log.failure("camera {camera} did not end in good order", failure, camera=self.wanted.id)

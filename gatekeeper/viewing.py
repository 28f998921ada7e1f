"""The cameras of a site, together: they come, change and go while it runs, and share what they have in common.

Part of the composition root, apart from `site` because none of it knows of doors.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper import config, uris
from gatekeeper.caller import ITSELF
from gatekeeper.calls import plain
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.lookout import Lookout
from gatekeeper.cameras.made import MadeFeed
from gatekeeper.cameras.picture import notice
from gatekeeper.cameras.push.camera import PushCamera
from gatekeeper.cameras.push.reception import Reception
from gatekeeper.cameras.selfhelp import Help, Note
from gatekeeper.cameras.sight import Finding, Sight
from gatekeeper.cameras.telemetry import Telemetry
from gatekeeper.cameras.transcoding import Transcoder
from gatekeeper.cameras.watching import Watching
from gatekeeper.elsewhere import IsOwn
from gatekeeper.gallery.rooms import Rooms
from gatekeeper.http.mjpeg import Seats, Stream, Terms
from gatekeeper.realm import Presence
from gatekeeper.viewed import REMOVED, Common, Viewed, known
from gatekeeper.wanted import Wanted, wanted


class Viewing:
    """Every camera of a site.

    :param session: the site's own, for frames and states.
    :param record: `Journal.record`.
    :param is_own: tells what is gatekeeper's own port, and no camera.
    :param kept: keeps pictures of cameras.
    :param unsent: `Router.unsent_bytes`; `when_drained` and `probe` likewise.
    :ivar watching: pictures for the tiles of sessions.
    :ivar devices: what runs while the site does; `viewed`, `streams`, `feeds` and, of cameras that connect to us,
        `pushed` by camera id, in the configuration's order, as they are now.
    :ivar browsers: how many browsers watch a camera at its own port.
    :ivar seats: how many may watch.
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
        probe: Callable[[int, Callable[[], None]], None],
        kept: Rooms,
        virtual: bool,
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._session = session
        self._record = record
        self._virtual = virtual
        self._pictures = ThreadPool(minthreads=0, maxthreads=1, name="pictures")
        self._transcoder = Transcoder(reactor)
        self.devices = MultiService()
        self.viewed: dict[str, Viewed] = {}
        self.feeds: dict[str, Feed] = {}
        self.streams: dict[str, Stream] = {}
        self.pushed: dict[str, PushCamera] = {}
        self.browsers: Counter[str] = Counter()
        self._telemetry: dict[str, Telemetry] = {}
        self._leaving: set[Viewed] = set()
        self._causes: dict[str, str] = {}  # camera -> the event that the next step for it follows from
        self._quiet: set[str] = set()  # cameras whose state changes because they are being changed
        self.watching = Watching(self.feeds, reactor, unsent, when_drained, probe)
        self.seats = Seats(settings.media.maximum_viewers)
        self._common = Common(
            reactor=reactor,
            wall=wall,
            terms=Terms(reactor, self._draw, settings.media.viewer_timeout, self.seats, wall),
            session=session,
            lookout=Lookout(reactor, wall=wall, told=self._sight_changed),
            watching=self.watching,
            kept=kept,
            transcode=self._transcoder,
            is_own=is_own,
            changed=self._camera_changed,
            restarted=self._restarted,
            helped=self._helped,
        )
        self.reception = Reception(
            reactor,
            cameras=self.pushed,
            known=(),
            maximum=settings.push.maximum_connections,
            wall=wall,
            record=self._second_connection,
        )
        self.cameras = Cameras(
            (),
            self.feeds,
            reactor.seconds,
            self.viewers,
            virtual=virtual,
            watches=self._common.lookout.watches,
            telemetry=self._telemetry,
            pushed=self.pushed,
            strangers=self.reception.strangers.list,
            helped=self._help,
            made=self.made,
            record=self._camera_recorded,
        )
        for one in wanted(settings, folder).values():
            self._compose(one)
        self.settle(list(self.viewed))
        self.reception.setServiceParent(self.devices)

    def start(self) -> None:
        """Draw and look; `devices` is the site's to start."""
        self._pictures.start()
        self._transcoder.start()
        self._common.lookout.startService()

    def stop_looking(self) -> None:
        """Look no more whether cameras see, nor show anybody: they are about to be stopped."""
        self._common.lookout.stopService()
        for viewed in self.viewed.values():
            viewed.help.stop()
        self.watching.stop()

    def stop_streams(self) -> "list[Deferred[None]]":
        """Close all viewers, those of cameras that are leaving too."""
        return [stream.stop() for viewed in (*self.viewed.values(), *self._leaving) for stream in viewed.streams]

    def end_streams(self, is_meant: Callable[[Any], bool]) -> None:
        """Close the viewers of whom this is true, of every stream."""
        for viewed in (*self.viewed.values(), *self._leaving):
            for stream in viewed.streams:
                stream.end(is_meant)

    def feed_stream(self, camera: str, feed: str) -> Stream | None:
        """Return the stream of a feed that is made of a camera's pictures, or None."""
        found = self.viewed[camera].feeds.get(feed) if camera in self.viewed else None
        return found.stream if found is not None else None

    def made(self, camera: str, feed: str) -> MadeFeed | None:
        """Return a feed that is made of a camera's pictures, or None."""
        found = self.viewed[camera].feeds.get(feed) if camera in self.viewed else None
        return found.feed if found is not None else None

    def stop(self) -> None:
        """Draw no more."""
        self._pictures.stop()
        self._transcoder.stop()

    def where(self, camera: config.Camera) -> str:
        """Return where a camera is, for the log; never what its address carries behind a `?`."""
        if camera.push is not None:
            return "VIRTUAL device that connects to us" if self._virtual else "connects to us"
        return f"{'VIRTUAL device at ' if self._virtual else ''}{camera.address.partition('?')[0]}"

    # --- cameras come and go; `settle` ends each round of it ---

    def add(self, made: Wanted) -> None:
        """Have one more camera."""
        self._compose(made)
        self.log.info("camera {id}: {where}", id=made.id, where=self.where(made.camera))

    async def change(self, made: Wanted) -> None:
        """Have a camera made of something else: its viewers stay, and see it go and come."""
        self._quiet.add(made.id)
        try:
            await self.viewed[made.id].change(made)
        finally:
            self._quiet.discard(made.id)
        self._keep(self.viewed[made.id])
        self.settle(list(self.viewed))
        self.log.info("camera {id}: {where}", id=made.id, where=self.where(made.camera))

    def rename(self, made: Wanted) -> None:
        """Have a camera called otherwise, or tied to other doors: that interrupts nothing."""
        self.viewed[made.id].rename(made)

    async def remove(self, camera: str) -> None:
        """Have a camera no more, from now on; returns when it is disconnected. Who watches is told, and let go."""
        gone = {"state": CameraState.OFFLINE, "since": self._wall(), "reason": REMOVED, "fps": 0.0, "viewers": 0}
        last = msgspec.structs.replace(self.cameras.status(camera), **gone)
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(last))
        viewed = self.viewed.pop(camera)
        del self.feeds[camera], self.streams[camera], self._telemetry[camera]
        self._causes.pop(camera, None)
        self.pushed.pop(camera, None)
        self.settle(list(self.viewed))
        self._leaving.add(viewed)
        try:
            await viewed.remove()
        finally:
            self._part(viewed)

    def _part(self, viewed: Viewed) -> None:
        def gone(result: Any) -> None:
            self._leaving.discard(viewed)
            if isinstance(result, Failure):
                self.log.failure("a removed camera's viewers could not be let go", result)

        Deferred.fromCoroutine(viewed.farewell()).addBoth(gone)

    def settle(self, order: Sequence[str]) -> None:
        """Put the cameras into this order, and let everybody know who is there."""
        by_id: tuple[dict[str, Any], ...] = (self.viewed, self.feeds, self.streams)
        for table in by_id:
            ordered = {camera: table[camera] for camera in order}
            table.clear()
            table.update(ordered)
        pushed = {camera: self.pushed[camera] for camera in order if camera in self.pushed}
        self.pushed.clear()
        self.pushed.update(pushed)
        self.cameras.configure([viewed.wanted.camera for viewed in self.viewed.values()])
        told = [known(viewed.wanted) for viewed in self.viewed.values()]
        self.reception.know([one for one in told if one is not None])

    def _compose(self, made: Wanted) -> None:
        viewed = Viewed(made, self._common)
        self._keep(viewed)
        self.cameras.configure([one.wanted.camera for one in self.viewed.values()])
        viewed.parts.setServiceParent(self.devices)

    def _keep(self, viewed: Viewed) -> None:
        camera = viewed.wanted.id
        self.viewed[camera], self.feeds[camera], self.streams[camera] = viewed, viewed.feed, viewed.stream
        self._telemetry[camera] = viewed.sampling.telemetry
        self.pushed.pop(camera, None)
        if viewed.push is not None:
            self.pushed[camera] = viewed.push

    # --- what happens, and who is told ---

    def _restarted(self, camera: str, text: str, was_ordered: bool) -> None:
        outcome, log = ("ok", self.log.info) if was_ordered else ("alarm", self.log.warn)
        log("{text}", text=text)
        self._record("camera.restarted", text, subject=camera, caller=ITSELF, outcome=outcome)

    def _camera_changed(self, camera: str, condition: Condition) -> None:
        if camera not in self.viewed:
            return  # it is leaving
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(self.cameras.status(camera)))
        if condition.state is not CameraState.CONNECTING and camera not in self._quiet:
            why = f": {condition.reason}" if condition.reason else ""
            outcome = "ok" if condition.state is CameraState.LIVE else "alarm"
            text = f"camera {camera} is {condition.state}{why}"
            kind, reason = f"camera.{condition.state}", condition.reason
            entry = self._record(kind, text, subject=camera, outcome=outcome, reason=reason)
            self._note_cause(camera, entry.id, is_trouble=outcome != "ok")
        self.viewed[camera].help.look()

    def _sight_changed(self, camera: str, finding: Finding | None) -> None:
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(self.cameras.status(camera)))
        if finding is not None:
            self._record_sight(camera, finding)
        self.viewed[camera].help.look()

    def _record_sight(self, camera: str, finding: Finding) -> None:
        if finding.sight is Sight.OK:
            kind, text, outcome, log = "camera.sees_again", f"camera {camera} sees again", "ok", self.log.info
        else:
            kind, text = f"camera.{finding.sight}", f"camera {camera} does not see: {finding.why}"
            outcome, log = "alarm", self.log.warn
        log("{text}", text=text)
        entry = self._record(kind, text, subject=camera, outcome=outcome, reason=finding.why)
        self._note_cause(camera, entry.id, is_trouble=outcome != "ok")

    def _helped(self, camera: str, note: Note) -> None:
        """Record a step of self-help, or what one came to, after what it follows from."""
        log = self.log.warn if note.outcome == "alarm" else self.log.info
        log("{text}", text=note.text)
        entry = self._record(
            note.kind,
            note.text,
            subject=camera,
            caller=ITSELF,
            cause=self._causes.get(camera),
            outcome=note.outcome,
            reason=note.reason,
            details=note.details,
        )
        self._causes[camera] = entry.id
        self._session.publish(uris.TOPIC_CAMERA_STATE.format(camera=camera), plain(self.cameras.status(camera)))

    def _help(self, camera: str) -> Help | None:
        return self.viewed[camera].help.help

    def _note_cause(self, camera: str, event: str, *, is_trouble: bool) -> None:
        """Remember what began a trouble; while something is done about it, the steps follow from each other."""
        if is_trouble and self._help(camera) is None:
            self._causes[camera] = event

    def _second_connection(self, camera: str, text: str) -> None:
        self._record("camera.second", text, subject=camera, caller=ITSELF, outcome="alarm")

    def _camera_recorded(self, kind: str, text: str, **about: Any) -> None:
        self.log.info("{text}", text=text)
        self._record(kind, text, **about)

    def viewers(self, camera: str) -> int:
        """Return how many take a camera's pictures now, all ways together."""
        return self.viewed[camera].viewers + self.browsers[camera]

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

"""Gets a camera's pictures from a decoder, which blocks and so has a thread of its own, and puts them into its feed.

The thread decodes everything, makes JPEG of what is wanted and keeps the newest for the reactor. It ends by itself,
within the decoder's time-outs, and nobody waits for it to stop; but it is gone before the next one begins.
"""

import random
import threading
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.decoders import Open, Source, shots
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.tries import ANEW, Ending, Tries, after
from gatekeeper.elsewhere import IsOwn, never

FEWEST: Final = 2.0  # pictures that are due before none of them came: a low rate is no stall


class Reader:
    """One thread with one decoder.

    :param reactor: its clock, and the way back from the thread.
    :param read: opens the source.
    :param source: what is opened.
    :param camera: its configuration: how many pictures are made into JPEG, and of which quality.
    :param show: called on the reactor with JPEG, width and height; only the newest waits for it.
    :ivar ended: fires on the reactor with how it ended, or fails with an error of ours.
    :ivar gone: fires after that, stopped or not, when the thread does nothing any more.
    """

    def __init__(
        self, reactor: Any, read: Open, source: Source, camera: config.Camera, show: Callable[[bytes, int, int], None]
    ) -> None:
        self.ended: Deferred[Ending] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._reactor = reactor
        self._read = read
        self._source = source
        self._interval = 1 / camera.frame_rate
        self._quality = camera.jpeg_quality
        self._show = show
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._newest: tuple[bytes, int, int] | None = None
        # A daemon: a decoder that is stuck for good must not hold up the end of the process either.
        self._thread = threading.Thread(target=self._work, name="camera reader", daemon=True)

    def start(self) -> None:
        """Open the source."""
        self._thread.start()

    def stop(self) -> None:
        """End it soon, and take nothing from it any more; returns at once."""
        self._stopped.set()

    # --- in the thread ---

    def _work(self) -> None:
        ending: Ending | Failure = Ending(CameraState.OFFLINE, "the camera ended the stream")
        try:
            self._take()
        except Ending as told:
            ending = told
        except Exception:  # noqa: BLE001 - the boundary of a worker: it is logged on the reactor
            ending = Failure()
        try:
            self._reactor.callFromThread(self._end, ending)
        except RuntimeError:
            if not self._stopped.is_set():
                raise  # else the reactor is gone, and nobody waits

    def _take(self) -> None:
        due = self._reactor.seconds()
        for shot in self._read(self._source, self._stopped):
            now = self._reactor.seconds()
            if self._stopped.is_set():
                return
            if now >= due:
                due = max(due + self._interval, now - self._interval)  # a late one doesn't slow the rate
                self._offer(*self._encoded(shot()))

    def _encoded(self, image: Any) -> tuple[bytes, int, int]:
        import cv2  # noqa: PLC0415 - in the thread: it takes a fifth of a second

        height, width = image.shape[:2]
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return jpeg.tobytes(), width, height

    def _offer(self, jpeg: bytes, width: int, height: int) -> None:
        with self._lock:
            waiting, self._newest = self._newest is not None, (jpeg, width, height)
        if not waiting:
            self._reactor.callFromThread(self._deliver)

    # --- on the reactor ---

    def _deliver(self) -> None:
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is not None and not self._stopped.is_set():
            self._show(*newest)

    def _end(self, ending: Ending | Failure) -> None:
        if not self.ended.called:
            self.ended.callback(ending)
        self.gone.callback(None)


class DecodedPull(Tries):
    """Takes one camera's video in: RTSP, a device, or a file.

    :param reactor: clock, and the way back from threads.
    :param camera: its configuration.
    :param password: as read from the configured place; None if there is none.
    :param feed: where pictures, the state and the counts go.
    :param wall: Unix seconds now.
    :param path: the video file, where that is what is played.
    :param read: opens the source; in a thread.
    """

    def __init__(
        self,
        reactor: Any,
        camera: config.Camera,
        password: str | None,
        feed: Feed,
        wall: Callable[[], float],
        *,
        path: str | None = None,
        jitter: Callable[[], float] = random.random,
        is_own: IsOwn = never,
        read: Open = shots,
    ) -> None:
        super().__init__(reactor, camera, feed, wall, jitter)
        credentials = (camera.username, password or "") if camera.username is not None else None
        self._source = Source(
            kind=camera.kind,
            address=path or camera.address,
            credentials=credentials,
            open_timeout=camera.connect_timeout,
            read_timeout=camera.stall_timeout,
            is_own=is_own,
        )
        self._read = read
        self._reader: Reader | None = None
        self._timer: IDelayedCall | None = None
        self._shown: float | None = None  # when the last picture of this try came

    def redial(self) -> None:
        if self._shown is not None and self._reader is not None and not self._reader.ended.called:
            self._reader.ended.callback(Ending(CameraState.OFFLINE, ANEW))

    async def _try(self) -> Ending:
        if self._reader is not None:
            await after(self._reader.gone)
            self.feed.reconnects += 1
        camera = self._camera
        reader = self._reader = Reader(self._reactor, self._read, self._source, camera, self._show)
        self._watch(reader, 2 * camera.connect_timeout + self._patience)
        reader.start()
        try:
            ending = await reader.ended
        except CancelledError:
            raise  # by stopService
        except Exception:  # noqa: BLE001 - whatever a decoder does: the camera must be tried again
            self._log_bug(Failure())
            ending = Ending(CameraState.OFFLINE, "could not be read")
        finally:
            reader.stop()
            self._unwatch()
        return ending

    def _show(self, jpeg: bytes, width: int, height: int) -> None:
        now = self._reactor.seconds()
        if self._shown is None and self._timer is not None and self._timer.active():
            self._timer.reset(self._patience)  # the first: to open takes longer
        self._shown = now
        self.feed.put(jpeg, width, height, now, self._wall())

    @property
    def _patience(self) -> float:
        """Seconds without a picture until the camera is stalled."""
        return max(self._camera.stall_timeout, FEWEST / self._camera.frame_rate)

    def _watch(self, reader: Reader, patience: float) -> None:
        """End the try of a decoder that neither gives pictures nor gives up, whatever its time-outs."""
        self._shown = None

        def check() -> None:
            left = self._shown + self._patience - self._reactor.seconds() if self._shown is not None else 0.0
            if left > 0:
                self._timer = self._reactor.callLater(left, check)
            else:
                waited = self._patience if self._shown is not None else patience
                reader.ended.callback(Ending(CameraState.STALLED, f"no picture for {waited:g} s"))

        self._timer = self._reactor.callLater(patience, check)

    def _unwatch(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

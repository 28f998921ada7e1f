"""Asks a camera for one picture again and again: those that have an address for a snapshot, and no stream.

    GET /capture   200, image/jpeg

Every picture has a connection of its own, which is gone before the next one is dialled. The camera is live while the
answers are pictures; the first that isn't ends the try.
"""

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.jpeg import Flaw, Inspector
from gatekeeper.cameras.tries import Ending, HttpTries

_WHOLE: Final = (
    ResponseDone,
    PotentialDataLoss,
)  # the second: an answer without a length


class _Body(Protocol):
    """The body of one answer, of at most `maximum` bytes, within `timeout` seconds."""

    def __init__(self, clock: Any, maximum: int, timeout: float) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._maximum = maximum
        self._timeout = timeout
        self._timer: IDelayedCall = clock.callLater(timeout, self._late)
        self.read: Deferred[bytes] = Deferred(lambda _: self._stop())

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._maximum:
            self._end(Ending(CameraState.STALLED, "a picture over the size limit"))
        elif not self.read.called:
            self._chunks.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(*_WHOLE):
            self._end(b"".join(self._chunks))
        else:
            self._end(Ending(CameraState.OFFLINE, "the connection was cut in the middle of a picture"))

    def _late(self) -> None:
        self._end(Ending(CameraState.STALLED, f"a picture began and did not end within {self._timeout:g} s"))

    def _end(self, result: bytes | Ending) -> None:
        self._stop()
        if not self.read.called:
            self._chunks = []
            self.read.callback(result) if isinstance(result, bytes) else self.read.errback(result)

    def _stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()


class SnapshotPull(HttpTries):
    """Puts one camera's snapshots into its feed, one each `snapshot_interval` seconds."""

    _tried = False

    async def _try(self) -> Ending:
        if self._tried:
            self.feed.reconnects += 1
        self._tried = True
        inspector = Inspector()
        try:
            while True:
                due = self._reactor.seconds() + self._camera.snapshot_interval
                await self._take(inspector)
                await self._dialler.close()
                await deferLater(self._reactor, max(0.0, due - self._reactor.seconds()))
        except Ending as ending:
            return ending
        finally:
            await self._dialler.close()

    async def _take(self, inspector: Inspector) -> None:
        """Ask for a picture and put it into the feed.

        :raises Ending: if there is none.
        """
        response = await self._answer(Deferred.fromCoroutine(self._inquiry.answer()))
        body = _Body(self._reactor, self._camera.maximum_frame_bytes, self._camera.stall_timeout)
        response.deliverBody(body)
        jpeg = await body.read
        found = inspector.inspect(jpeg)
        if isinstance(found, Flaw):
            self.feed.rejected += 1
            raise Ending(CameraState.STALLED, f"nothing but {found.value}" if jpeg else "nothing but empty answers")
        self.feed.put(jpeg[: found.end], found.width, found.height, self._reactor.seconds(), self._wall())

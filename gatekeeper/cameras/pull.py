"""Keeps one connection to a camera that streams multipart JPEG, takes its pictures in, and says what is wrong when
there are none. A connection is gone before the next one is dialled.
"""

from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.inquiry import Stream
from gatekeeper.cameras.multipart import Ended, Parser, Part, Rejected
from gatekeeper.cameras.tries import ANEW, Ending, HttpTries

DISTRUST: Final = 256 * 1024  # bytes: after a stall in mid-picture, Content-Length must prove itself on some pictures


class _Intake(Protocol):
    """The body of one answer: pictures go into the feed; it ends when there are none for too long."""

    def __init__(self, pull: "CameraPull", parser: Parser) -> None:
        self._pull = pull
        self._parser = parser
        self._clock = pull._reactor
        self._stall = pull._camera.stall_timeout
        self._last = self._clock.seconds()  # when the last picture came, or the body began
        self._rejected: str | None = None  # why the last part since then was
        self._timer: IDelayedCall = self._clock.callLater(self._stall, self._check)
        self.ended: Deferred[Ending] = Deferred(lambda _: self._stop())

    def dataReceived(self, data: bytes) -> None:
        if self.ended.called:
            return  # the rest of what was read; the connection is being cut
        for event in self._parser.receive_data(data):
            if isinstance(event, Part):
                self._last, self._rejected = self._clock.seconds(), None
                self._pull.feed.put(event.jpeg, event.width, event.height, self._last, self._pull._wall())
            elif isinstance(event, Rejected):
                self._rejected = event.reason.value
                self._pull.feed.rejected += 1
            elif isinstance(event, Ended):
                self._end(CameraState.OFFLINE, "the camera ended the stream")
                return
        self._pull._dialler.expect(self._parser.needed)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        within = " in the middle of a picture" if self._parser.in_part else ""
        self._end(CameraState.OFFLINE, f"the connection was cut{within}")

    def drop(self) -> None:
        """End it, to begin anew."""
        self._end(CameraState.OFFLINE, ANEW)

    def _check(self) -> None:
        left = self._last + self._stall - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._check)
        elif self._rejected is not None:
            self._end(CameraState.STALLED, f"nothing but {self._rejected} for {self._stall:g} s")
        elif self._parser.in_part:
            self._end(CameraState.STALLED, f"a picture began and did not end within {self._stall:g} s")
        else:
            self._end(CameraState.STALLED, f"no picture for {self._stall:g} s")

    def _end(self, state: CameraState, reason: str) -> None:
        self._stop()
        if not self.ended.called:
            self.ended.callback(Ending(state, reason))

    def _stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()


class CameraPull(HttpTries):
    """Pulls one camera's stream into its feed."""

    _distrust = 0
    _intake: _Intake | None = None

    def redial(self) -> None:
        if self._intake is not None:
            self._intake.drop()

    async def _try(self) -> Ending:
        """Ask once and stream as long as it lasts."""
        try:
            stream = await self._ask()
            parser = Parser(stream.boundary, self._camera.maximum_frame_bytes, self._distrust)
            intake = self._intake = _Intake(self, parser)
            stream.response.deliverBody(intake)
            ending = await intake.ended
            self._distrust = DISTRUST if ending.state is CameraState.STALLED and parser.needed else 0
        except Ending as refused:
            ending = refused
        finally:
            self._intake = None
            await self._dialler.close()
        return ending

    async def _ask(self) -> Stream:
        """Return the stream if it begins in time.

        :raises Ending: if it doesn't.
        """
        before = self._dialler.connections
        try:
            stream: Stream = await self._answer(Deferred.fromCoroutine(self._inquiry.ask()))
        finally:
            if before and self._dialler.connections > before:
                self.feed.reconnects += 1
        return stream

"""A file as the answer to a request: sent piece by piece as the connection takes it, never whole in memory."""

import os
from typing import Any, BinaryIO, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

PIECE: Final = 64 * 1024
"""Bytes read and written at once: as much as a transport buffers before it asks for a pause."""

STALL: Final = 60.0
"""Seconds that a connection may take nothing, then it is cut: who went away without a word holds a file open."""


@implementer(IPushProducer)
class Download:
    """Sends a file that is still being made, and closes it whatever happens.

    Read on the reactor thread: a file that was just written is in the system's memory.

    :param clock: the reactor.
    :ivar done: fires with b"", what is left to be written, when everything was; cancelled when the client goes.
    """

    def __init__(self, request: Request, clock: Any) -> None:
        self._request = request
        self._clock = clock
        self._file: BinaryIO | None = None
        self._left = 0
        self._paused = False
        self._stall: IDelayedCall | None = None
        self.done: Deferred[bytes] = Deferred(lambda _: self.stopProducing())

    def send(self, file: BinaryIO) -> None:
        """Send an open file, from its start to the size that it has now; the other headers are set already."""
        if self.done.called:  # the client went while it was made
            file.close()
            return
        self._file = file
        self._left = os.fstat(file.fileno()).st_size
        file.seek(0)
        self._request.setHeader(b"content-length", str(self._left).encode())
        self._request.registerProducer(self, True)
        self.resumeProducing()

    def fail(self, failure: Failure) -> None:
        """Hear that there will be no file."""
        if not self.done.called:
            self.done.errback(failure)

    # --- the connection's side ---

    def pauseProducing(self) -> None:
        """Hear that the connection has enough for now."""
        self._paused = True
        if self._stall is None and self._file is not None:
            self._stall = self._clock.callLater(STALL, self._stalled)

    def resumeProducing(self) -> None:
        """Hear that the connection takes more."""
        self._paused = False
        self._calm()
        while not self._paused and self._file is not None:
            piece = self._file.read(min(PIECE, self._left))
            if not piece and self._left:
                self._cut()  # the length was promised: a short body must not look whole
                return
            self._left -= len(piece)
            self._request.write(piece)
            if not self._left:
                self._end()

    def stopProducing(self) -> None:
        """Hear that the connection is gone."""
        self._calm()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _end(self) -> None:
        if self._file is None:  # the last write found the connection gone
            return
        self.stopProducing()
        self._request.unregisterProducer()
        self.done.callback(b"")

    def _cut(self) -> None:
        """End without looking whole; the request hears that its connection is lost, and cancels what waits."""
        self.stopProducing()
        transport: Any = self._request.transport
        transport.abortConnection()

    def _stalled(self) -> None:
        self._stall = None
        self._cut()

    def _calm(self) -> None:
        stall, self._stall = self._stall, None
        if stall is not None:
            stall.cancel()

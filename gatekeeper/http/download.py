"""A file as the answer to a request: sent piece by piece as the connection takes it, never whole in memory."""

import os
from typing import Any, BinaryIO, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

PIECE: Final = 64 * 1024
"""Bytes read and written at once: as much as a transport buffers before it asks for a pause."""

STALL: Final = 60.0
"""Seconds that a connection may take nothing, then it is cut: who went away without a word holds a file open."""


@implementer(IPushProducer)
class Download:
    """Sends an open file, from its start to the size that it has now, and closes it whatever happens.

    Read on the reactor thread: a file that was just written is in the system's memory.
    """

    def __init__(self, request: Request, file: BinaryIO, clock: Any) -> None:
        self._request = request
        self._file = file
        self._clock = clock
        self._left = os.fstat(file.fileno()).st_size
        self._paused = False
        self._stall: IDelayedCall | None = None
        self._done: Deferred[bytes] = Deferred(lambda _: self.stopProducing())

    def start(self) -> "Deferred[bytes]":
        """Begin; fire with b"", what is left to be written, when everything was. Cancelled, it ends at once."""
        self._file.seek(0)
        self._request.setHeader(b"content-length", str(self._left).encode())
        self._request.registerProducer(self, True)
        self.resumeProducing()
        return self._done

    def pauseProducing(self) -> None:
        """Hear that the connection has enough for now."""
        self._paused = True
        self._wait()

    def resumeProducing(self) -> None:
        """Hear that the connection takes more."""
        self._paused = False
        self._go_on()
        while not self._paused and not self._file.closed:
            piece = self._file.read(min(PIECE, self._left))
            self._left -= len(piece)
            if piece:
                self._request.write(piece)
            elif self._left:
                self._cut()  # the length was promised: a short body must not look whole
            else:
                self._end()

    def stopProducing(self) -> None:
        """Hear that the connection is gone."""
        self._go_on()
        self._file.close()

    def _end(self) -> None:
        self._file.close()
        self._request.unregisterProducer()
        self._done.callback(b"")

    def _cut(self) -> None:
        """End without looking whole; the request hears of it and cancels what waits."""
        self.stopProducing()
        transport: Any = self._request.transport
        transport.abortConnection()

    def _wait(self) -> None:
        if self._stall is None and not self._file.closed:
            self._stall = self._clock.callLater(STALL, self._stalled)

    def _go_on(self) -> None:
        stall, self._stall = self._stall, None
        if stall is not None:
            stall.cancel()

    def _stalled(self) -> None:
        self._stall = None
        self._cut()


def send(request: Request, file: BinaryIO, clock: Any) -> "Deferred[bytes]":
    """Send an open file as the body; the other headers are set already.

    :param clock: the reactor.
    """
    return Download(request, file, clock).start()

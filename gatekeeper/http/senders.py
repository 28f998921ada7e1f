"""Three ways to get bytes to a viewer, with one interface: `os.sendfile`, `socket.send`, `transport.write`.

The first two go around the transport's buffer: one system call, tried at once. What a full socket doesn't take waits
as an offset, not as a copy; the transport is only asked to say when there is room again. That needs the socket for
ourselves: nothing else may write to the transport after `start`.
"""

import contextlib
import errno
import functools
import os
import socket
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, Protocol

from twisted.internet import tcp
from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from gatekeeper.http.part import Part

NOTSENT_LOWAT: Final = 16 * 1024  # bytes; a kernel that queues more shows a viewer of 200 KB/s pictures 8.7 s old
WRITE_CHUNK: Final = 64 * 1024  # bytes handed to a transport at once: what it buffers for one viewer at most
_SHORTEST_CHUNK: Final = 1024  # bytes; every chunk is longer than _BUFFER_MARK, so it pauses us and its end resumes us
_BUFFER_MARK: Final = 32  # bytes in the transport's buffer above which it pauses us: below any part; reads are as long

# The socket lives, it has no room: EAGAIN is BlockingIOError; Windows and BSD also lack buffers for a moment.
_NO_ROOM: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)


class Way(StrEnum):
    """How a viewer's bytes are sent."""

    SENDFILE = "sendfile"
    SEND = "send"
    WRITE = "write"


class Sender(Protocol):
    """A connection to one viewer."""

    def start(self, writable: Callable[[], None]) -> None:
        """Call `writable` when the response's headers are on their way, then after each `wait`, when there is room."""

    def attempt(self, part: Part, start: int, end: int) -> int:
        """Send what is possible now of the part's bytes from `start` to `end`; return how many were taken.

        :raises OSError: if the connection is dead.
        """

    def wait(self) -> None:
        """Ask for a call of `writable`; `attempt` took less than it was given."""

    def finish(self) -> None:
        """Close in good order; nothing is under way."""

    def abort(self) -> None:
        """Close at once, whatever is under way."""


@implementer(IPullProducer)
class SendSender:
    """`socket.send` on a plain TCP (or Unix) connection."""

    __slots__ = ("_starting", "_transport", "_writable", "attempt")

    def __init__(self, transport: tcp.Connection) -> None:
        self._transport = transport
        self._starting = False
        self._writable: Callable[[], None] = _nothing
        self.attempt = self._bind(transport.getHandle())

    def start(self, writable: Callable[[], None]) -> None:
        self._writable = writable
        self._starting = True
        self._transport.registerProducer(self, False)  # which asks for bytes at once, before the headers left
        self._starting = False
        self._transport.startWriting()

    def wait(self) -> None:
        self._transport.startWriting()

    def finish(self) -> None:
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def abort(self) -> None:
        self._transport.abortConnection()

    def resumeProducing(self) -> None:
        """Hear from the transport that its buffer is empty and the socket writable."""
        if not self._starting:
            self._writable()

    def stopProducing(self) -> None:
        """Hear that the connection is lost; the protocol hears it too, and ends the viewer."""

    def _bind(self, handle: socket.socket) -> Callable[[Part, int, int], int]:
        send = handle.send  # after close it raises EBADF: it can't reach a stranger who got the same descriptor

        def attempt(part: Part, start: int, end: int) -> int:
            try:
                return send(memoryview(part.data)[start:end])
            except OSError as error:
                if error.errno in _NO_ROOM:
                    return 0
                raise

        return attempt


class SendfileSender(SendSender):
    """`os.sendfile` from the part's memory file: no copy in this process, one for all viewers in the kernel.

    The descriptor's number is good while the connection is: `Viewer.close` comes before anyone could reuse it.
    """

    __slots__ = ()

    def _bind(self, handle: socket.socket) -> Callable[[Part, int, int], int]:
        send_bytes = super()._bind(handle)
        sendfile: Callable[[int, int, int, int], int] = os.sendfile
        number = handle.fileno()

        def attempt(part: Part, start: int, end: int) -> int:
            source = part.fd
            if source < 0:
                source = part.open()
                if source < 0:
                    return send_bytes(part, start, end)
            try:
                return sendfile(number, source, start, end - start)
            except BlockingIOError:
                return 0

        return attempt


@implementer(IPushProducer)
class WriteSender:
    """`transport.write`, a chunk at a time: TLS, and whatever else isn't a bare socket.

    A push producer, not a pull producer: TLS asks a pull producer for bytes without end while there are none. Its one
    chunk counts as taken when the transport's buffer is empty again; a transport whose buffer can't be watched that
    closely pauses us as it likes.
    """

    __slots__ = ("_inner", "_paused", "_pending", "_transport", "_writable")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._inner = underlying(transport)
        self._pending = 0  # bytes of the chunk that the transport holds
        self._paused = False
        self._writable: Callable[[], None] = _nothing

    def start(self, writable: Callable[[], None]) -> None:
        self._writable = writable
        if self._inner is not None:
            self._inner.bufferSize = _BUFFER_MARK
        self._transport.registerProducer(self, True)
        self._writable()

    def attempt(self, part: Part, start: int, end: int) -> int:
        if self._paused:
            return 0
        taken, self._pending = self._pending, 0
        size = end - start - taken
        if size > 0:
            if self._inner is not None and size > WRITE_CHUNK + _SHORTEST_CHUNK:
                size = WRITE_CHUNK
            self._pending = size
            at = start + taken
            self._transport.write(part.data[at : at + size])
            if self._inner is None and not self._paused:
                taken, self._pending = taken + size, 0
        return taken

    def wait(self) -> None:
        """Do nothing: the transport resumes us by itself once its buffer is empty."""

    def finish(self) -> None:
        self.abort()  # a TLS close waits for the peer's answer, for ever

    def abort(self) -> None:
        self._transport.abortConnection()

    def pauseProducing(self) -> None:
        """Hear that the transport's buffer is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Hear that the transport's buffer is empty."""
        self._paused = False
        self._writable()

    def stopProducing(self) -> None:
        """Hear that the connection is lost; the protocol hears it too, and ends the viewer."""


def choose(transport: Any, forced: Way | None = None) -> Sender:
    """Return the best sender that the transport and the system allow, or at most `forced`; tune its socket."""
    inner = underlying(transport)
    if inner is not None:
        _tune(inner)
    if forced is Way.WRITE or not isinstance(transport, tcp.Connection) or transport.TLS:
        return WriteSender(transport)
    return SendfileSender(transport) if forced is not Way.SEND and has_sendfile() else SendSender(transport)


def underlying(transport: Any) -> tcp.Connection | None:
    """Return the socket's own transport below TLS and other wrappers, if it is one that we know."""
    for _ in range(4):  # TLS over a policy over TCP is three
        if isinstance(transport, tcp.Connection):
            return transport
        transport = getattr(transport, "transport", None)
    return None


@functools.cache
def has_sendfile() -> bool:
    """Try once whether the system sends a memory file to a socket; sandboxes forbid what the platform has."""
    if sys.platform != "linux":
        return False
    try:
        file = os.memfd_create("probe")
        try:
            os.write(file, b"x")
            ours, theirs = socket.socketpair()
            with ours, theirs:
                return os.sendfile(ours.fileno(), file, 0, 1) == 1
        finally:
            os.close(file)
    except OSError:
        return False


def _tune(transport: tcp.Connection) -> None:
    """Keep the kernel's queue short; Unix sockets and older systems have no such option, and need none."""
    handle = transport.socket
    lowat = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    with contextlib.suppress(OSError):
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if lowat is not None:
            handle.setsockopt(socket.IPPROTO_TCP, lowat, NOTSENT_LOWAT)


def _nothing() -> None:
    """Stand in until `start`."""

"""Both ends of a stream for tests: senders with room by the byte, and a viewer that takes every part apart."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from gatekeeper.http.part import Part

PATIENCE = 20.0  # seconds until a test gives up: a busy machine is no failure


class FakeSender:
    """A socket with `room` bytes; keeps what it took."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.sent = b""
        self.calls: list[str] = []
        self.dead = False
        self.writable: Callable[[], None] = lambda: None

    def start(self, writable: Callable[[], None]) -> None:
        self.writable = writable

    def attempt(self, part: Part, start: int, end: int) -> int:
        if self.dead:
            raise ConnectionResetError
        taken = min(self.room, end - start)
        self.room -= taken
        self.sent += part.data[start : start + taken]
        return taken

    def wait(self) -> None:
        self.calls.append("wait")

    def finish(self) -> None:
        self.calls.append("finish")

    def abort(self) -> None:
        self.calls.append("abort")


@dataclass(frozen=True)
class Shown:
    """A part as a viewer got it."""

    headers: dict[str, str]
    jpeg: bytes

    @property
    def sequence(self) -> int:
        return int(self.headers["x-sequence"])

    @property
    def timestamp(self) -> float:
        return float(self.headers["x-timestamp"])


class PartReader:
    """Takes apart a body that was cut at delimiters; strict: any other byte is an error."""

    def __init__(self) -> None:
        self.parts: list[Shown] = []
        self._buffer = b""
        self._opened = False

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if not self._opened and len(self._buffer) >= 9:
            assert self._buffer.startswith(b"--frame\r\n")
            self._buffer, self._opened = self._buffer[9:], True
        while self._opened and b"\r\n\r\n" in self._buffer:
            head, rest = self._buffer.split(b"\r\n\r\n", 1)
            headers = {name.lower(): value for name, value in (x.split(": ") for x in head.decode().split("\r\n"))}
            assert headers["content-type"] == "image/jpeg"
            size = int(headers["content-length"])
            if len(rest) < size + 11:
                return
            assert rest[size : size + 11] == b"\r\n--frame\r\n"
            self.parts.append(Shown(headers, rest[:size]))
            self._buffer = rest[size + 11 :]


class Watcher(Protocol):
    """A viewer over a real connection.

    :ivar status: of the response, once its headers are there; `fields` are the headers, names in lower case.
    :ivar received: bytes of the body.
    """

    def __init__(self, request: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") -> None:
        self.status = 0
        self.fields: dict[str, str] = {}
        self.reader = PartReader()
        self.body = b""
        self.received = 0
        self.lost: Failure | None = None
        self._request = request
        self._head = b""
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []

    @property
    def parts(self) -> list[Shown]:
        """The parts so far."""
        return self.reader.parts

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        if not self.status:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, data = self._head.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            self.status = int(lines[0].split()[1])
            self.fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        self.received += len(data)
        if "multipart" in self.fields.get("content-type", ""):
            self.reader.feed(data)
        else:
            self.body += data
        self.check()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason
        self.check()

    def pause(self) -> None:
        """Read nothing from now on."""
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def resume(self) -> None:
        """Read again."""
        self.transport.resumeProducing()  # type: ignore[union-attr]

    def leave(self) -> None:
        """Reset the connection."""
        self.transport.abortConnection()  # type: ignore[union-attr]

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Wait until something that this viewer got makes the condition true."""
        if condition():
            return succeed(None)
        wait: Deferred[None] = Deferred()
        self._waits.append((condition, wait))
        return wait.addTimeout(PATIENCE, reactor)

    def shown(self, sequence: int) -> Deferred[None]:
        """Wait for a part with this number."""
        return self.until(lambda: bool(self.parts) and self.parts[-1].sequence == sequence)

    def gone(self) -> Deferred[None]:
        """Wait for the end of the connection."""
        return self.until(lambda: self.lost is not None)

    def check(self) -> None:
        for wait in tuple(self._waits):
            if wait[0]():
                self._waits.remove(wait)
                reactor.callLater(0, wait[1].callback, None)

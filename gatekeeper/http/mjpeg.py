"""The MJPEG stream of one camera over HTTP: `multipart/x-mixed-replace`, for any number of viewers.

A plain twisted.web resource that takes its connections over. It authorizes nobody: whoever routes a request here
has done that. While nobody watches it has no subscription, no frame and no timer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from gatekeeper.cameras.feed import Condition, Feed, Subscription
from gatekeeper.cameras.frame import CameraState
from gatekeeper.http.fanout import Clock, Fanout, Metrics
from gatekeeper.http.notices import Notices
from gatekeeper.http.part import CONTENT_TYPE, NOTICE_SEQUENCE, OPENINGS, Cut, Part
from gatekeeper.http.senders import Way, choose
from gatekeeper.http.takeover import CannotTakeOver, Takeover, write_headers
from gatekeeper.http.viewer import Viewer

MAXIMUM_UPSTREAM: Final = 4 * 1024  # bytes after the request; a viewer has nothing to say, and reading costs
RETRY_AFTER: Final = b"5"  # seconds, for those who found no seat

HEADERS: Final = (
    (b"Content-Type", CONTENT_TYPE),
    (b"Cache-Control", b"no-store"),
    (b"Connection", b"close"),
    (b"X-Content-Type-Options", b"nosniff"),
)


class Seats:
    """How many may watch at once, over all streams that share this object."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.taken = 0

    def take(self) -> bool:
        """Take a seat if one is free."""
        if self.taken >= self.maximum:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        """Free a seat."""
        self.taken -= 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What the streams of a site have in common.

    :ivar clock: the reactor.
    :ivar notice: draws the picture that stands for a camera that isn't live, off the reactor thread.
    :ivar viewer_timeout: seconds that a viewer may take no byte.
    :ivar seats: shared by all streams.
    :ivar wall: Unix seconds, for the notices' X-Timestamp.
    :ivar way: the best way of sending to use, for tests and benches; None for what the system allows.
    """

    clock: Clock
    notice: Callable[[Condition], Deferred[bytes]]
    viewer_timeout: float
    seats: Seats
    wall: Callable[[], float] = time.time
    way: Way | None = None


class Stream(Resource):
    """The stream of one camera."""

    isLeaf = True

    def __init__(self, feed: Feed, terms: Terms) -> None:
        super().__init__()
        self._feed = feed
        self._terms = terms
        self._fanout = Fanout(terms.clock, terms.viewer_timeout)
        self._notices = Notices(terms.clock, terms.notice, self._show_notice)
        self._serial = 0
        self._subscription: Subscription | None = None
        self._unobserve: Callable[[], None] | None = None
        self._watching: set[Watching] = set()
        self._stopped: Deferred[None] | None = None

    @property
    def metrics(self) -> Metrics:
        """The counts, now."""
        return self._fanout.metrics

    def render(self, request: Request) -> int | bytes:
        """Answer a request: HEAD with the headers, GET with the stream, anything else with 405."""
        if request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(405)
            request.setHeader(b"Allow", b"GET, HEAD")
            return b""
        if request.method == b"HEAD":
            _set_headers(request)
            return b""
        if self._stopped is not None or not self._terms.seats.take():
            return _refuse(request, 503, b"too many viewers")
        _set_headers(request)
        try:
            write_headers(request)
            self._open(request)
        except CannotTakeOver:
            self._terms.seats.give_back()
            return _refuse(request, 505, b"a stream needs HTTP/1.1") if request.channel is not None else NOT_DONE_YET
        return NOT_DONE_YET

    def stop(self) -> Deferred[None]:
        """Close all viewers and take no new ones; fires when the last connection is gone."""
        if self._stopped is None:
            self._stopped = Deferred()
            self._fanout.finish()
            self._rest()
            self._report_stopped()
        return self._stopped

    def end(self, is_meant: Callable[[Any], bool]) -> None:
        """Close the viewers of whom this is true: they were logged out, or may not watch any more.

        :param is_meant: given the `principal` that whoever authorized the request left on it.
        """
        for watching in tuple(self._watching):
            if is_meant(watching.principal):
                watching.viewer.finish()

    # --- viewers come and go ----------------------------------------------------------------------------------------

    def _open(self, request: Request) -> None:
        watching = Watching(request, self)
        self._watching.add(watching)
        cut = cut_for(request)
        watching.transport.write(OPENINGS[cut])
        sender = choose(watching.transport, self._terms.way)
        viewer = Viewer(sender, cut, self._fanout.slot, self._fanout.tally)
        watching.viewer = viewer
        self._fanout.add(viewer)
        if self._subscription is None:
            self._wake()
        viewer.start()

    def left(self, watching: "Watching") -> None:
        """Hear from a connection that it is gone."""
        self._watching.discard(watching)
        self._terms.seats.give_back()
        self._fanout.remove(watching.viewer)
        if self._fanout.viewers == 0:
            self._rest()
        self._report_stopped()

    def _wake(self) -> None:
        self._subscription = self._feed.subscribe(self._frame_arrived)
        self._unobserve = self._feed.observe(self._condition_changed)
        if self._feed.condition.state is CameraState.LIVE:
            self._frame_arrived()
        else:
            self._notices.begin(self._feed.condition)

    def _rest(self) -> None:
        self._notices.end()
        self._fanout.clear()
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        if self._unobserve is not None:
            self._unobserve()
            self._unobserve = None

    def _report_stopped(self) -> None:
        if self._stopped is not None and not self._stopped.called and not self._watching:
            self._stopped.callback(None)

    # --- pictures ---------------------------------------------------------------------------------------------------

    def _frame_arrived(self) -> None:
        frame = self._subscription.take() if self._subscription is not None else None
        if frame is not None:
            self._show(frame.jpeg, frame.wall, frame.sequence)

    def _condition_changed(self, condition: Condition) -> None:
        self._fanout.withdraw()  # a frozen frame must not look alive, nor a notice blind
        if condition.state is CameraState.LIVE:
            self._notices.end()
        else:
            self._notices.begin(condition)

    def _show_notice(self, jpeg: bytes) -> None:
        self._show(jpeg, self._terms.wall(), NOTICE_SEQUENCE)

    def _show(self, jpeg: bytes, wall: float, sequence: int) -> None:
        self._serial += 1
        self._fanout.show(Part(self._serial, jpeg, wall, sequence))


class Watching(Takeover):
    """A viewer's connection: has nothing to hear but its end.

    :ivar principal: who watches, as the request was authorized; None where nobody was asked.
    """

    viewer: Viewer

    def __init__(self, request: Request, stream: Stream) -> None:
        super().__init__(request)
        self.principal = getattr(request, "principal", None)
        self._stream = stream
        self._received = 0

    def dataReceived(self, data: bytes) -> None:
        """Ignore a little: a pipelined request that never gets an answer; more is abuse."""
        self._received += len(data)
        if self._received > MAXIMUM_UPSTREAM:
            self.viewer.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave the stream."""
        self._stream.left(self)
        super().connectionLost(reason)


def cut_for(request: Request) -> Cut:
    """Return where to cut: before the headers for an `<img>` in Blink or WebKit, which say so in what they accept."""
    agent = request.getHeader(b"User-Agent") or b""
    accepted = request.getHeader(b"Accept") or b""
    return Cut.HEADERS if b"AppleWebKit/" in agent and b"image/" in accepted else Cut.DELIMITER


def _set_headers(request: Request) -> None:
    for name, value in HEADERS:
        request.setHeader(name, value)


def _refuse(request: Request, status: int, reason: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
    if status == 503:
        request.setHeader(b"Retry-After", RETRY_AFTER)
    return reason + b"\n"

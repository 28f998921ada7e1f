"""The pull on a clock and a network of our own: pauses, deadlines, stops in any state."""

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.error import ConnectionRefusedError as Refusal
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.cameras.tries import BACKOFF
from tests.cameras.pictures import picture
from tests.sites import Log

JPEG = picture(100)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
PART = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG + b"\r\n"


class Wire(StringTransport):
    """A transport that is lost once, by the peer or, in the reactor's next turn, by an abort."""

    def __init__(self, reactor: MemoryReactorClock) -> None:
        super().__init__()
        self._reactor = reactor
        self.protocol: Any = None
        self.aborted = False
        self.lost = False
        self.lingers = False  # an abort takes its time

    def abortConnection(self) -> None:
        if not self.aborted and not self.lost:
            self.aborted = True
            if not self.lingers:
                self._reactor.callLater(0, self.lose)

    def lose(self) -> None:
        """The connection is gone."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(ConnectionLost()))


class Bench:
    def __init__(self, **settings: Any) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.feed = Feed("front", 0.0)
        camera = config.Camera(id="front", url="http://10.0.0.7/stream", **settings)
        self.pull = CameraPull(self.reactor, camera, None, self.feed, lambda: 1000.0, jitter=lambda: 0.5)
        self.pull.startService()

    @property
    def state(self) -> str:
        return self.feed.condition.state.value

    @property
    def dialled(self) -> int:
        return len(self.reactor.tcpClients)

    @property
    def timers(self) -> int:
        return len(self.reactor.getDelayedCalls())

    def turn(self, seconds: float = 0.0) -> None:
        self.reactor.advance(seconds)

    def refuse(self) -> None:
        self.reactor.tcpClients[-1][2].clientConnectionFailed(None, Failure(Refusal()))

    def connect(self) -> Wire:
        wire = Wire(self.reactor)
        wire.protocol = self.reactor.tcpClients[-1][2].buildProtocol(None)
        wire.protocol.makeConnection(wire)
        return wire

    def stream(self) -> Wire:
        wire = self.connect()
        wire.protocol.dataReceived(HEAD)
        return wire

    def stop(self) -> bool:
        """Stop, take a turn of the reactor, and return whether everything is gone."""
        gone: list[object] = []
        self.pull.stopService().addCallback(gone.append)
        self.turn()
        return bool(gone) and self.timers == 0 and not self.pull.connected


def test_pauses_grow_to_the_longest_and_begin_anew_after_a_picture() -> None:
    bench = Bench(retry_minimum=1.0, retry_maximum=5.0)
    pauses = []
    for tries in range(1, 8):
        assert bench.dialled == tries
        bench.refuse()
        pause = min(BACKOFF ** (tries - 1), 5.0) + 0.5
        bench.turn(pause - 0.01)
        assert bench.dialled == tries
        bench.turn(0.02)
        pauses.append(pause)
    assert pauses[-1] == 5.5
    wire = bench.stream()
    wire.protocol.dataReceived(PART)
    assert bench.state == "live"
    wire.lose()
    assert bench.state == "offline"
    tries = bench.dialled
    bench.turn(1.49)
    assert bench.dialled == tries
    bench.turn(0.02)
    assert bench.dialled == tries + 1
    assert bench.stop()


def test_the_answer_has_the_connect_timeout_from_the_first_syn_to_the_last_header() -> None:
    bench = Bench(connect_timeout=5.0)
    bench.turn(3.0)
    wire = bench.connect()
    wire.protocol.dataReceived(b"HTTP/1.1 200 OK\r\n")
    bench.turn(1.9)
    assert bench.state == "connecting"
    bench.turn(0.2)
    bench.turn()
    assert wire.aborted
    assert bench.state == "offline"
    assert bench.feed.condition.reason == "camera at 10.0.0.7:80 took the connection, and did not answer within 5 s"
    assert bench.stop()


def test_an_address_that_swallows_the_syn_is_given_up_in_time() -> None:
    bench = Bench(connect_timeout=5.0)
    bench.turn(5.1)
    assert bench.feed.condition.reason == "camera at 10.0.0.7:80 did not answer within 5 s"
    assert bench.stop()


def test_a_stall_is_counted_from_the_last_whole_picture() -> None:
    bench = Bench(stall_timeout=2.0)
    wire = bench.stream()
    for _ in range(5):
        bench.turn(1.9)
        wire.protocol.dataReceived(PART)
    bench.turn(1.9)
    wire.protocol.dataReceived(PART[:-30])
    assert bench.state == "live"
    bench.turn(0.11)
    bench.turn()
    assert bench.state == "stalled"
    assert bench.feed.condition.reason == "a picture began and did not end within 2 s"
    assert wire.aborted
    assert bench.stop()


def test_a_picture_that_comes_after_the_stall_was_declared_changes_nothing() -> None:
    bench = Bench(stall_timeout=2.0)
    wire = bench.stream()
    bench.turn(2.1)
    wire.protocol.dataReceived(PART)
    bench.turn()
    assert bench.state == "stalled"
    assert bench.feed.frames == 0
    assert bench.stop()


def test_the_next_connection_is_dialled_when_the_last_one_is_gone() -> None:
    bench = Bench(retry_minimum=0.001, stall_timeout=2.0)
    wire = bench.stream()
    wire.lingers = True
    bench.turn(2.0)
    bench.turn(10.0)
    assert wire.aborted
    assert bench.dialled == 1
    wire.lose()
    bench.turn(0.01)
    assert bench.dialled == 2


@pytest.mark.parametrize("moment", ["dialling", "asking", "streaming", "in a picture", "stalled", "waiting"])
def test_it_stops_in_any_state_and_leaves_nothing(moment: str) -> None:
    bench = Bench(stall_timeout=2.0)
    wire = None
    if moment == "asking":
        wire = bench.connect()
    elif moment == "waiting":
        bench.refuse()
    elif moment != "dialling":
        wire = bench.stream()
        wire.protocol.dataReceived(PART if moment == "streaming" else PART[:-20])
        if moment == "stalled":
            bench.turn(2.1)
    assert bench.stop()
    assert wire is None or wire.aborted
    assert bench.state == "offline"
    assert bench.feed.condition.reason == "stopped"
    bench.turn(100.0)
    assert bench.dialled == 1 or moment == "stalled"


def test_stopping_twice_and_before_the_start_is_fine() -> None:
    bench = Bench()
    assert bench.stop()
    assert bench.stop()
    idle = CameraPull(bench.reactor, config.Camera(id="a", url="http://h/"), None, Feed("a", 0.0), lambda: 0.0)
    assert idle.stopService().called


def test_it_can_be_started_while_it_is_still_stopping() -> None:
    bench = Bench()
    wire = bench.stream()
    gone = bench.pull.stopService()
    bench.pull.startService()
    assert bench.dialled == 1
    bench.turn()
    assert gone.called
    assert wire.aborted
    assert bench.dialled == 2
    assert bench.stop()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", "answered 503 Busy for /stream"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "answered 204 No Content for /stream"),
        (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), "answered with a compressed stream"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "answered no content type, not a multipart/x-mixed-replace stream"),
        (b"HTTP/1.1 302 Found\r\nLocation: rtsp://x/\r\n\r\n", "redirects to an address that is not http or https"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "redirects in a loop"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "answered with headers that do not end"),
        (b"", "camera at 10.0.0.7:80 closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "answered with headers that do not end"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "what answers at 10.0.0.7:80 does not speak HTTP"),
        (b"\xff\xd8\xff\xe0\r\n\r\n", "what answers at 10.0.0.7:80 does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\n", "what answers at 10.0.0.7:80 does not speak HTTP"),
    ],
)
def test_odd_answers_have_a_reason(answer: bytes, reason: str) -> None:
    bench = Bench()
    wire = bench.connect()
    for at in range(0, len(answer), 1000):
        wire.protocol.dataReceived(answer[at : at + 1000])
        if wire.aborted or wire.disconnecting:
            break
    if wire.disconnecting or not answer:
        wire.lose()
    bench.turn()
    assert bench.state == "offline"
    assert bench.feed.condition.reason == reason
    assert bench.stop()


def test_a_chunked_stream_is_read() -> None:
    bench = Bench()
    wire = bench.connect()
    wire.protocol.dataReceived(HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"))
    for _ in range(3):
        wire.protocol.dataReceived(b"%x\r\n" % len(PART) + PART + b"\r\n")
    assert bench.feed.frames == 3
    assert bench.stop()


def test_the_end_of_a_stream_is_told_from_a_cut() -> None:
    bench = Bench()
    wire = bench.stream()
    wire.protocol.dataReceived(PART + b"--frame--\r\n")
    assert bench.feed.frames == 1
    bench.turn()
    assert bench.feed.condition.reason == "the camera ended the stream"
    assert wire.aborted
    assert bench.stop()


def test_a_stop_while_connecting_is_no_error_of_ours() -> None:
    with Log() as log:
        assert Bench().stop()
    assert log.count("error of ours") == 0

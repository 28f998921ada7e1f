"""The pull against the virtual camera over loopback: every fault ends in a named state, and heals."""

import datetime
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.pull import CameraPull
from gatekeeper.simulators.camera import CameraFault, VirtualCamera
from tests.cameras.pictures import picture

PATIENCE = 20.0  # seconds until a test gives up: a busy machine is no failure
STALL = 0.25


class Bench:
    """A virtual camera, a pull, its feed, and everything that they said."""

    def __init__(self) -> None:
        self.camera = VirtualCamera(reactor, fps=50, size=(320, 240))
        self.camera.startService()
        self.feed = Feed("front", time.time())
        self.frames: list[Frame] = []
        self.conditions: list[tuple[CameraState, str | None]] = []
        self.subscription = self.feed.subscribe(self._framed)
        self.feed.observe(lambda condition: self.conditions.append((condition.state, condition.reason)))
        self.pull: CameraPull | None = None
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self.feed.observe(lambda _: self._check())

    def start(self, url: str | None = None, password: str | None = None, **settings: Any) -> CameraPull:
        settings = {"stall_timeout": STALL, "retry_minimum": 0.02, "retry_maximum": 0.1, **settings}
        if password is not None:
            settings.setdefault("username", "admin")
        camera = config.Camera(id="front", url=url or self.camera.url, **settings)
        self.pull = CameraPull(reactor, camera, password, self.feed, time.time, jitter=lambda: 0.0)
        self.pull.startService()
        return self.pull

    def stop(self) -> Deferred[Any]:
        stops: list[Deferred[None]] = [self.camera.stopService()] if self.camera.running else []
        if self.pull is not None and self.pull.running:
            stops.append(self.pull.stopService())
        return gatherResults(stops)

    def _framed(self) -> None:
        frame = self.subscription.take()
        assert frame is not None
        self.frames.append(frame)
        self._check()

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        if condition():
            return succeed(None)
        wait: Deferred[None] = Deferred()
        self._waits.append((condition, wait))
        return wait.addTimeout(PATIENCE, reactor)

    def _check(self) -> None:
        for wait in tuple(self._waits):
            if wait[0]():
                self._waits.remove(wait)
                reactor.callLater(0, wait[1].callback, None)

    def recheck(self) -> None:
        """Look again at what is waited for."""
        self._check()

    def live(self, more: int = 2) -> Deferred[None]:
        """Wait for some more pictures."""
        target = len(self.frames) + more
        return self.until(lambda: len(self.frames) >= target and self.feed.condition.state is CameraState.LIVE)

    def state(self, state: CameraState, reason: str) -> Deferred[None]:
        """Wait for a state whose reason contains `reason`."""
        return self.until(lambda: self.feed.condition.state is state and reason in (self.feed.condition.reason or ""))


@pytest.fixture
def bench() -> Iterator[Bench]:
    it = Bench()
    yield it
    pytest_twisted.blockon(it.stop())


@implementer(ILogObserver)
class Listener:
    """What was logged about cameras, as a person reads it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if str(event.get("log_namespace", "")).startswith("gatekeeper.cameras"):
            self.lines.append(formatEvent(event))


@pytest.fixture
def said() -> Iterator[list[str]]:
    listener = Listener()
    globalLogPublisher.addObserver(listener)
    yield listener.lines
    globalLogPublisher.removeObserver(listener)


async def test_pictures_arrive_as_they_were_sent(bench: Bench) -> None:
    bench.start()
    await bench.live(10)
    sent = list(bench.camera.pictures)
    received = [frame.jpeg for frame in bench.frames]
    assert received == sent[: len(received)]
    assert [frame.sequence for frame in bench.frames] == list(range(1, len(received) + 1))
    assert (bench.frames[0].width, bench.frames[0].height) == (320, 240)
    assert bench.conditions == [(CameraState.CONNECTING, "asked, no picture yet"), (CameraState.LIVE, None)]
    assert (bench.camera.connections, bench.feed.reconnects, bench.feed.rejected) == (1, 0, 0)


async def test_stopping_leaves_nothing_and_it_starts_again(bench: Bench) -> None:
    pull = bench.start()
    await bench.live()
    await pull.stopService()
    assert not pull.connected
    assert bench.feed.condition.state is CameraState.OFFLINE
    pull.startService()
    await bench.live()
    stopped = pull.stopService()
    pull.startService()
    await stopped
    await bench.live()
    assert bench.camera.most_open == 1


# --- what is wrong with the camera, the state that it leads to, and the reason ---------------------------------------

BEFORE_PICTURES = {
    CameraFault.REFUSE: (CameraState.OFFLINE, "refused the connection"),
    CameraFault.NOT_FOUND: (CameraState.OFFLINE, "answered 404 Not Found for /stream"),
    CameraFault.HTML: (CameraState.OFFLINE, "answered text/html, not a multipart/x-mixed-replace stream"),
    CameraFault.WRONG_TYPE: (CameraState.OFFLINE, "answered image/jpeg, not a multipart/x-mixed-replace stream"),
    CameraFault.REDIRECT_LOOP: (CameraState.OFFLINE, "redirects in a loop"),
    CameraFault.UNAUTHORIZED: (CameraState.OFFLINE, "asks for a user name and a password; none is configured"),
    CameraFault.BASIC: (CameraState.OFFLINE, "asks for a user name and a password; none is configured"),
    CameraFault.DIGEST: (CameraState.OFFLINE, "asks for a user name and a password; none is configured"),
    CameraFault.SILENT_ACCEPT: (CameraState.OFFLINE, "took the connection, and did not answer within 0.5 s"),
    CameraFault.ENDLESS_HEADERS: (CameraState.OFFLINE, "answered with headers that do not end"),
}

AMONG_PICTURES = {
    CameraFault.SILENT: (CameraState.STALLED, "a picture began and did not end within 0.25 s"),
    CameraFault.SLOW_DRIP: (CameraState.STALLED, "a picture began and did not end within 0.25 s"),
    CameraFault.CUT: (CameraState.OFFLINE, "the connection was cut in the middle of a picture"),
    CameraFault.RESET: (CameraState.OFFLINE, "the connection was cut in the middle of a picture"),
    CameraFault.HUGE_FRAME: (CameraState.STALLED, "nothing but pictures over the size limit for 0.25 s"),
    CameraFault.GARBAGE: (CameraState.STALLED, "nothing but parts that are no JPEG for 0.25 s"),
    CameraFault.TRUNCATED: (CameraState.STALLED, "nothing but pictures without their end for 0.25 s"),
    CameraFault.EMPTY_PARTS: (CameraState.STALLED, "nothing but empty parts for 0.25 s"),
    CameraFault.ENDLESS_HEADERS: (CameraState.STALLED, "nothing but parts with endless headers for 0.25 s"),
}

FAULTS = BEFORE_PICTURES | AMONG_PICTURES

HARMLESS = (
    CameraFault.NO_LENGTH,
    CameraFault.LENGTH_TOO_SMALL,
    CameraFault.LENGTH_TOO_LARGE,
    CameraFault.FREEZE,
    CameraFault.BLACK,
    CameraFault.JUNK,
)


async def healed(bench: Bench) -> None:
    bench.camera.fault = CameraFault.NONE
    await bench.live()
    assert {frame.jpeg for frame in bench.frames[-2:]} <= set(bench.camera.pictures)
    assert bench.camera.most_open == 1


@pytest.mark.parametrize("fault", BEFORE_PICTURES)
async def test_a_camera_that_gives_no_stream_is_offline_with_the_reason(bench: Bench, fault: CameraFault) -> None:
    bench.camera.fault = fault
    pull = bench.start(connect_timeout=0.5)
    await bench.state(*BEFORE_PICTURES[fault])
    assert bench.frames == []
    await healed(bench)
    assert pull.connections >= 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_camera_that_fails_while_it_streams_is_named_and_taken_up_again(
    bench: Bench, fault: CameraFault
) -> None:
    bench.start(connect_timeout=0.5)
    await bench.live()
    bench.camera.fault = fault
    await bench.state(*FAULTS[fault])
    await healed(bench)
    assert bench.feed.reconnects >= 1 or fault is CameraFault.REFUSE


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_camera_with_odd_manners_is_live(bench: Bench, fault: CameraFault) -> None:
    bench.start()
    await bench.live()
    bench.camera.fault = fault
    await bench.live(6)
    assert [state for state, _ in bench.conditions] == [CameraState.CONNECTING, CameraState.LIVE]
    await healed(bench)


async def test_a_camera_that_declares_far_too_much_is_shown_from_the_second_connection_on(bench: Bench) -> None:
    """Its first picture seems never to end; after that stall its lengths aren't believed."""
    bench.camera.surplus = 1_000_000
    bench.camera.fault = CameraFault.LENGTH_TOO_LARGE
    bench.start()
    await bench.state(CameraState.STALLED, "a picture began and did not end")
    await bench.live(5)
    assert bench.camera.connections == 2


async def test_pictures_over_the_configured_limit_are_counted(bench: Bench) -> None:
    bench.start(maximum_frame_bytes=2000)
    await bench.state(CameraState.STALLED, "nothing but pictures over the size limit")
    assert bench.feed.rejected > 0
    assert bench.frames == []


async def test_a_host_without_a_name_and_an_address_without_a_camera(bench: Bench) -> None:
    bench.start("http://no-such-camera.invalid/stream")
    await bench.state(CameraState.OFFLINE, "host name no-such-camera.invalid not found")


async def test_what_is_no_http_is_said(bench: Bench) -> None:
    class Greeter(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.write(b"220 mail.example ESMTP\r\n")

    port: Any = reactor.listenTCP(0, Factory.forProtocol(Greeter), interface="127.0.0.1")  # type: ignore[arg-type]
    pull = bench.start(f"http://127.0.0.1:{port.getHost().port}/stream")
    await bench.state(CameraState.OFFLINE, "does not speak HTTP")
    await pull.stopService()
    await port.stopListening()


async def test_a_change_is_logged_once_and_not_with_every_try(bench: Bench, said: list[str]) -> None:
    bench.camera.fault = CameraFault.NOT_FOUND
    pull = bench.start()
    await bench.state(CameraState.OFFLINE, "404")
    seen = bench.camera.connections
    bench.camera.on_request = bench.recheck
    await bench.until(lambda: bench.camera.connections >= seen + 3)
    bench.camera.fault = CameraFault.NONE
    await bench.live()
    await pull.stopService()
    assert said == [
        "camera front is connecting: asked, no picture yet",
        "camera front is offline: answered 404 Not Found for /stream",
        "camera front is live",
        "camera front is offline: stopped",
    ]


# --- passwords and redirects -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [CameraFault.BASIC, CameraFault.DIGEST])
async def test_a_password_is_given_when_it_is_asked_for(bench: Bench, fault: CameraFault) -> None:
    bench.camera.fault = fault
    bench.start(password="virtual")
    await bench.live()
    first, second = bench.camera.requests
    assert "authorization" not in first[2]
    assert second[2]["authorization"].lower().startswith(fault.value)
    bench.camera.fault = CameraFault.CUT
    await bench.until(lambda: bench.feed.condition.state is CameraState.OFFLINE)
    bench.camera.fault = fault
    await bench.live()
    assert bench.camera.most_open == 1


@pytest.mark.parametrize("fault", [CameraFault.BASIC, CameraFault.DIGEST, CameraFault.UNAUTHORIZED])
async def test_a_wrong_password_is_said_and_never_shown(bench: Bench, said: list[str], fault: CameraFault) -> None:
    bench.camera.fault = fault
    bench.start(password="hunter2-hunter2")
    await bench.state(CameraState.OFFLINE, "wrong user name or password")
    bench.camera.password = "hunter2-hunter2"
    await healed(bench)
    told = " ".join(said) + str(bench.conditions)
    assert "hunter2" not in told
    assert "admin" not in told


async def test_a_redirect_is_followed_without_a_second_connection(bench: Bench) -> None:
    bench.camera.fault = CameraFault.REDIRECT
    bench.camera.redirect_to = "/stream?profile=2"
    bench.camera.redirect_from = "/stream"
    bench.start()
    await bench.live()
    assert [path for _, path, _ in bench.camera.requests] == ["/stream", "/stream?profile=2"]
    assert bench.camera.most_open == 1


@pytest.mark.parametrize("fault", [CameraFault.BASIC, CameraFault.DIGEST])
async def test_a_redirect_to_elsewhere_takes_no_password_along(bench: Bench, fault: CameraFault) -> None:
    elsewhere = VirtualCamera(reactor, size=(320, 240), seed=1)
    elsewhere.startService()
    elsewhere.fault = fault
    bench.camera.fault = fault
    bench.start(password="virtual")
    await bench.live()  # it knows by now how it is asked
    bench.camera.redirect_to = elsewhere.url
    bench.camera.fault = CameraFault.REDIRECT
    await bench.state(CameraState.OFFLINE, f"redirects to 127.0.0.1:{elsewhere.port}, which asks for a password")
    assert all("authorization" not in headers for _, _, headers in elsewhere.requests)
    bench.camera.fault = fault
    await bench.live()
    await elsewhere.stopService()


# --- what the socket is told, and what it can't hide -----------------------------------------------------------------


def low_water(pull: CameraPull) -> int:
    handle = pull._dialler._socket
    assert handle is not None
    return handle.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it may be refused")
async def test_the_socket_sleeps_for_what_a_picture_needs_and_the_stall_is_still_seen(bench: Bench) -> None:
    pull = bench.start(stall_timeout=1.0)
    await bench.live()
    bench.camera.fault = CameraFault.SILENT
    while low_water(pull) == 1:
        await deferLater(reactor, 0.01)
    jpeg = len(bench.frames[-1].jpeg)
    assert 0.3 * jpeg < low_water(pull) < 0.7 * jpeg  # the half that doesn't come
    await bench.state(CameraState.STALLED, "a picture began and did not end")
    await healed(bench)


async def test_a_camera_that_closes_while_the_socket_sleeps_is_seen_at_once(bench: Bench) -> None:
    bench.start(stall_timeout=PATIENCE)
    await bench.live()
    bench.camera.fault = CameraFault.CUT
    await bench.state(CameraState.OFFLINE, "the connection was cut in the middle of a picture")
    await healed(bench)


class Trickle(Protocol):
    """A stream in pieces, as a camera's radio sends it: one picture at a time, each piece a packet."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.setTcpNoDelay(True)  # type: ignore[attr-defined]
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        jpeg = picture(30_000)
        part = b"--frame\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
        self.pieces = deque(part[at : at + 1400] for at in range(0, len(part), 1400))
        self.step()

    def step(self) -> None:
        assert self.transport is not None
        if self.pieces:
            self.transport.write(self.pieces.popleft())
            reactor.callLater(0.002, self.step)


async def test_a_picture_in_packets_is_complete_with_its_last_packet_and_takes_few_reads(bench: Bench) -> None:
    """The stream holds nothing behind the picture that could wake the socket."""
    port: Any = reactor.listenTCP(0, Factory.forProtocol(Trickle), interface="127.0.0.1")  # type: ignore[arg-type]
    pull = bench.start(f"http://127.0.0.1:{port.getHost().port}/stream", stall_timeout=PATIENCE)
    await bench.live(1)
    assert bench.frames[0].jpeg == picture(30_000)
    if sys.platform.startswith("linux"):
        assert pull.reads <= 6
    await pull.stopService()
    await port.stopListening()


async def test_a_certificate_that_nobody_signed_is_said(bench: Bench) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    options = CertificateOptions(privateKey=key, certificate=certificate)  # type: ignore[arg-type]  # what pyOpenSSL wants
    network: Any = reactor
    port = network.listenSSL(0, Factory.forProtocol(Protocol), options, interface="127.0.0.1")
    pull = bench.start(f"https://127.0.0.1:{port.getHost().port}/stream")
    await bench.state(CameraState.OFFLINE, "has no certificate that can be trusted")
    await pull.stopService()
    await port.stopListening()


@pytest.mark.parametrize("fault", [CameraFault.SILENT, CameraFault.GARBAGE, CameraFault.SLOW_DRIP])
async def test_a_camera_without_pictures_is_stalled_after_two_seconds(bench: Bench, fault: CameraFault) -> None:
    bench.start(stall_timeout=config.Camera(id="any").stall_timeout)
    await bench.live(3)
    bench.camera.fault = fault
    await bench.until(lambda: bench.feed.condition.state is CameraState.STALLED)
    assert 2.0 <= reactor.seconds() - bench.frames[-1].received < 3.0

"""The stream over real connections: what arrives is what the camera sent, whoever is slow, gone or blind."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults, succeed
from twisted.internet.endpoints import SSL4ClientEndpoint, TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import deferLater
from twisted.web.server import Site
from zope.interface import implementer

from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.http.mjpeg import MAXIMUM_UPSTREAM, Seats, Stream, Terms
from gatekeeper.http.senders import Way, has_sendfile
from tests.http.mjpeg_viewers import PATIENCE, Watcher

reactor: Any = global_reactor
DESCRIPTORS = Path("/proc/self/fd")
PLAIN = [
    pytest.param(Way.SENDFILE, marks=pytest.mark.skipif(not has_sendfile(), reason="no sendfile from memory files")),
    Way.SEND,
    Way.WRITE,
]


def jpeg(number: int, size: int = 20_000) -> bytes:
    return b"\xff\xd8" + number.to_bytes(4, "big") + os.urandom(size) + b"\xff\xd9"


class Cinema:
    """A feed filled by hand, its stream on a port, and those who watch."""

    def __init__(self) -> None:
        self.feed = Feed("front", time.time())
        self.jpegs: list[bytes] = []
        self.drawn: list[Condition] = []
        self.draw: Callable[[Condition], Deferred[bytes]] = lambda condition: succeed(
            b"NOTICE " + condition.state.encode()
        )
        self.seats = Seats(100)
        self.watchers: list[Watcher] = []
        self.stream: Stream
        self.tls = False
        self._port: Any = None

    def open(self, way: Way | None = None, timeout: float = 30.0, context: Any = None) -> None:
        self.stream = Stream(self.feed, Terms(reactor, self._notice, timeout, self.seats, way=way))
        site = Site(self.stream)
        self.tls = context is not None
        self._port = (
            reactor.listenSSL(0, site, context, interface="127.0.0.1")
            if self.tls
            else reactor.listenTCP(0, site, interface="127.0.0.1")
        )

    def put(self, size: int = 20_000) -> bytes:
        self.jpegs.append(jpeg(len(self.jpegs) + 1, size))
        self.feed.put(self.jpegs[-1], 640, 480, reactor.seconds(), time.time())
        return self.jpegs[-1]

    async def watch(self, *headers: str, method: str = "GET") -> Watcher:
        """Connect, and wait for the response's headers."""
        lines = (f"{method} / HTTP/1.1", "Host: localhost", *headers, "", "")
        watcher = Watcher("\r\n".join(lines).encode())
        self.watchers.append(watcher)
        at = ("127.0.0.1", self._port.getHost().port)
        endpoint: Any = TCP4ClientEndpoint(reactor, *at)
        if self.tls:
            endpoint = SSL4ClientEndpoint(reactor, *at, CertificateOptions(verify=False))
        await connectProtocol(endpoint, watcher)
        await watcher.until(lambda: watcher.status != 0)
        return watcher

    async def close(self) -> None:
        stopped = gatherResults([self.stream.stop(), self._port.stopListening()])
        await stopped.addTimeout(PATIENCE, reactor)
        for watcher in self.watchers:
            if watcher.lost is None:
                watcher.leave()
        await DeferredList([watcher.gone() for watcher in self.watchers])

    def _notice(self, condition: Condition) -> Deferred[bytes]:
        self.drawn.append(condition)
        return self.draw(condition)


@implementer(IOpenSSLServerConnectionCreator)
class SelfSigned:
    """A server's TLS context with a certificate of its own making."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .sign(key, hashes.SHA256())
        )
        self._context = SSL.Context(SSL.TLS_METHOD)
        self._context.use_certificate(certificate)
        self._context.use_privatekey(key)

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """Return the server's end of a new connection."""
        return SSL.Connection(self._context)


def descriptors() -> list[str]:
    """Return the open sockets and memory files, where the system tells; Twisted keeps a spare of another kind."""
    found = [os.readlink(link) for link in DESCRIPTORS.iterdir() if link.is_symlink()] if DESCRIPTORS.exists() else []
    return sorted(name for name in found if name.startswith(("socket:", "/memfd:")))


@pytest.fixture
def cinema() -> Iterator[Cinema]:
    before = descriptors()
    calls = set(reactor.getDelayedCalls())
    it = Cinema()
    yield it
    pytest_twisted.blockon(Deferred.fromCoroutine(it.close()))
    pytest_twisted.blockon(deferLater(reactor, 0))
    assert it.seats.taken == 0
    assert it.stream.metrics.viewers == 0
    assert it.feed.subscribers == 0
    assert set(reactor.getDelayedCalls()) <= calls
    assert descriptors() == before


@pytest.mark.parametrize("way", PLAIN)
async def test_pictures_arrive_byte_for_byte_with_time_and_number(cinema: Cinema, way: Way) -> None:
    cinema.open(way)
    cinema.put()
    viewer = await cinema.watch()
    for number in range(1, 20):
        await viewer.shown(number)
        cinema.put()
    await viewer.shown(20)
    assert [part.jpeg for part in viewer.parts] == cinema.jpegs
    assert [part.sequence for part in viewer.parts] == list(range(1, 21))
    assert all(abs(part.timestamp - time.time()) < PATIENCE for part in viewer.parts)
    assert viewer.status == 200
    assert viewer.fields["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    assert viewer.fields["cache-control"] == "no-store"
    assert viewer.fields["connection"] == "close"
    assert viewer.fields["x-content-type-options"] == "nosniff"
    assert not {"transfer-encoding", "content-length"} & set(viewer.fields)
    assert cinema.stream.metrics.frames == 20


@pytest.mark.parametrize("way", PLAIN)
async def test_a_big_picture_goes_out_in_many_pieces(cinema: Cinema, way: Way) -> None:
    cinema.open(way)
    cinema.put(3_000_000)
    viewer = await cinema.watch()
    await viewer.shown(1)
    cinema.put(10)
    await viewer.shown(2)
    assert [part.jpeg for part in viewer.parts] == cinema.jpegs


async def test_over_tls(cinema: Cinema) -> None:
    cinema.open(context=SelfSigned())
    cinema.put(300_000)
    viewers = [await cinema.watch() for _ in range(3)]
    for number in range(1, 6):
        await gatherResults([viewer.shown(number) for viewer in viewers])
        cinema.put(300 if number % 2 else 300_000)
    await gatherResults([viewer.shown(6) for viewer in viewers])
    assert all([part.jpeg for part in viewer.parts] == cinema.jpegs for viewer in viewers)


async def test_thirty_viewers_see_the_same(cinema: Cinema) -> None:
    cinema.open()
    viewers = [await cinema.watch() for _ in range(30)]
    for number in range(1, 11):
        cinema.put()
        await gatherResults([viewer.shown(number) for viewer in viewers])
    assert all([p.jpeg for p in viewer.parts if p.sequence] == cinema.jpegs for viewer in viewers)
    assert cinema.stream.metrics.viewers == 30
    assert cinema.feed.subscribers == 1


async def fill(cinema: Cinema, viewer: Watcher) -> int:
    """Put frames until a paused viewer is behind by some; return how many frames there are."""
    before = cinema.stream.metrics.skipped
    deadline = reactor.seconds() + PATIENCE
    while cinema.stream.metrics.skipped == before:
        assert reactor.seconds() < deadline
        for _ in range(4):
            cinema.put(500_000)
        viewer.resume()  # it takes a little, so that what it skipped is counted
        await deferLater(reactor, 0)
        viewer.pause()
        await deferLater(reactor, 0)
    return len(cinema.jpegs)


@pytest.mark.parametrize("way", PLAIN)
async def test_a_slow_viewer_skips_and_ends_with_the_newest(cinema: Cinema, way: Way) -> None:
    cinema.open(way)
    cinema.put()
    viewer = await cinema.watch()
    await viewer.shown(1)
    viewer.pause()
    last = await fill(cinema, viewer)
    viewer.resume()
    await viewer.shown(last)
    seen = [part.sequence for part in viewer.parts]
    assert seen == sorted(set(seen))
    assert len(seen) < last
    assert all(part.jpeg == cinema.jpegs[part.sequence - 1] for part in viewer.parts)


async def stuff(cinema: Cinema, viewer: Watcher, enough: int = 40) -> None:
    """Put frames that a paused viewer doesn't take, more than the kernel's buffers hold."""
    viewer.pause()
    for _ in range(enough):
        cinema.put(1_000_000)
        await deferLater(reactor, 0)


@pytest.mark.parametrize("way", PLAIN)
async def test_a_viewer_that_takes_nothing_is_closed(cinema: Cinema, way: Way) -> None:
    cinema.open(way, timeout=0.2)
    cinema.put()
    stalled, other = await cinema.watch(), await cinema.watch()
    await gatherResults([stalled.shown(1), other.shown(1)])
    await stuff(cinema, stalled)
    await other.shown(len(cinema.jpegs))
    deadline = reactor.seconds() + PATIENCE
    while cinema.stream.metrics.timeouts == 0:
        assert reactor.seconds() < deadline
        await deferLater(reactor, 0.02)
    assert cinema.stream.metrics.viewers == 1
    cinema.put()
    await other.shown(len(cinema.jpegs))
    assert other.lost is None


@pytest.mark.parametrize("way", PLAIN)
async def test_leaving_within_a_picture_harms_nobody_else(cinema: Cinema, way: Way) -> None:
    cinema.open(way)
    cinema.put()
    leaving, staying = await cinema.watch(), await cinema.watch()
    await gatherResults([leaving.shown(1), staying.shown(1)])
    await stuff(cinema, leaving)
    leaving.leave()
    await leaving.gone()
    cinema.put()
    await staying.shown(len(cinema.jpegs))
    deadline = reactor.seconds() + PATIENCE
    while cinema.stream.metrics.viewers > 1:
        assert reactor.seconds() < deadline
        await deferLater(reactor, 0.01)


async def test_a_blind_camera_is_shown_as_blind_at_once_and_every_second_until_it_is_back(cinema: Cinema) -> None:
    cinema.open()
    cinema.put()
    viewer = await cinema.watch()
    await viewer.shown(1)
    cinema.feed.change(CameraState.OFFLINE, "no route", time.time())
    await viewer.until(lambda: len(viewer.parts) == 2)
    began = reactor.seconds()
    await viewer.until(lambda: len(viewer.parts) == 4)
    assert 1.5 < reactor.seconds() - began < PATIENCE
    assert [(part.sequence, part.jpeg) for part in viewer.parts[1:]] == [(0, b"NOTICE offline")] * 3
    stamps = [part.timestamp for part in viewer.parts[1:]]
    assert stamps == sorted(set(stamps))
    late = await cinema.watch()
    await late.until(lambda: len(late.parts) >= 1)
    assert late.parts[0].jpeg == b"NOTICE offline"
    cinema.put()
    await gatherResults([viewer.shown(2), late.shown(2)])
    assert [condition.state for condition in cinema.drawn] == [CameraState.OFFLINE]


async def test_a_frozen_picture_is_shown_to_nobody_while_the_notice_is_drawn(cinema: Cinema) -> None:
    drawing: Deferred[bytes] = Deferred()
    cinema.draw = lambda condition: drawing
    cinema.open()
    cinema.put()
    first = await cinema.watch()
    await first.shown(1)
    cinema.feed.change(CameraState.STALLED, "nothing for 2 s", time.time())
    late = await cinema.watch()
    assert late.parts == []
    drawing.callback(b"NOTICE")
    await late.until(lambda: bool(late.parts))
    assert late.parts[0].jpeg == b"NOTICE"


async def test_a_camera_that_was_never_there(cinema: Cinema) -> None:
    cinema.open()
    viewer = await cinema.watch()
    await viewer.until(lambda: bool(viewer.parts))
    assert (viewer.parts[0].sequence, viewer.parts[0].jpeg) == (0, b"NOTICE connecting")


async def test_no_seat_no_stream_until_somebody_leaves(cinema: Cinema) -> None:
    cinema.seats = Seats(2)
    cinema.open()
    cinema.put()
    first, _ = await cinema.watch(), await cinema.watch()
    refused = await cinema.watch()
    assert (refused.status, refused.fields["retry-after"]) == (503, "5")
    await refused.until(lambda: refused.body == b"too many viewers\n")
    first.leave()
    deadline = reactor.seconds() + PATIENCE
    while cinema.seats.taken == 2:
        assert reactor.seconds() < deadline
        await deferLater(reactor, 0.01)
    assert (await cinema.watch()).status == 200


async def test_head_answers_the_headers_only(cinema: Cinema) -> None:
    cinema.open()
    viewer = await cinema.watch(method="HEAD")
    assert viewer.status == 200
    assert viewer.fields["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    assert (viewer.received, cinema.stream.metrics.viewers) == (0, 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(cinema: Cinema, method: str) -> None:
    cinema.open()
    viewer = await cinema.watch(method=method)
    assert (viewer.status, viewer.fields["allow"]) == (405, "GET, HEAD")


async def test_a_browsers_image_gets_the_next_headers_in_advance(cinema: Cinema) -> None:
    cinema.open()
    shown = cinema.put()
    agent = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
    image = await cinema.watch(agent, "Accept: image/avif,image/webp,image/*,*/*;q=0.8")
    script = await cinema.watch(agent, "Accept: */*")
    wanted = len(
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + shown + b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    )
    await image.until(lambda: image.received == wanted)
    await script.shown(1)


async def test_a_viewer_that_talks_too_much_is_closed(cinema: Cinema) -> None:
    cinema.open()
    viewer = await cinema.watch()
    assert viewer.transport is not None
    viewer.transport.write(bytes(MAXIMUM_UPSTREAM + 1))
    await viewer.gone()


async def test_stopping_closes_everybody_and_takes_nobody_new(cinema: Cinema) -> None:
    cinema.open()
    cinema.put()
    viewers = [await cinema.watch() for _ in range(5)]
    await gatherResults([viewer.shown(1) for viewer in viewers])
    await stuff(cinema, viewers[0])
    await cinema.stream.stop()
    await gatherResults([viewer.gone() for viewer in viewers[1:]])
    assert (await cinema.watch()).status == 503


async def test_the_request_hears_of_the_end(cinema: Cinema) -> None:
    ended: Deferred[None] = Deferred()

    class Told(Stream):
        def render(self, request: Any) -> int | bytes:
            request.notifyFinish().addBoth(lambda _: ended.callback(None))
            return super().render(request)

    cinema.open()
    cinema.stream.__class__ = Told
    viewer = await cinema.watch()
    viewer.leave()
    await ended.addTimeout(PATIENCE, reactor)


async def test_those_who_may_not_watch_any_more_are_closed_and_the_others_stay(cinema: Cinema) -> None:
    class Named(Stream):
        def render(self, request: Any) -> int | bytes:
            request.principal = request.getHeader("x-name")
            return super().render(request)

    cinema.open()
    cinema.stream.__class__ = Named
    cinema.put()
    ana = await cinema.watch("X-Name: ana")
    ben = await cinema.watch("X-Name: ben")
    await gatherResults([ana.shown(1), ben.shown(1)])
    cinema.stream.end(lambda principal: principal == "ana")
    await ana.gone()
    cinema.put()
    await ben.shown(2)

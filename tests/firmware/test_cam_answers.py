"""The ESP32-CAM's own core beside the virtual camera, which plays the seed's: where they say the same, they agree."""

import ctypes
import json
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from gatekeeper import config
from gatekeeper.cameras import content_type
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.jpeg import Inspector, Picture
from gatekeeper.cameras.multipart import Parser, Part
from gatekeeper.cameras.snapshots import SnapshotPull
from gatekeeper.simulators.camera import VirtualCamera
from tests.firmware.own_camera import Site, Stranger


@pytest.fixture
def site(core: ctypes.CDLL) -> Iterator[Site]:
    it = Site(core)
    yield it
    pytest_twisted.blockon(it.stop())


@pytest.fixture
def virtual() -> Iterator[VirtualCamera]:
    it = VirtualCamera(reactor, fps=50, size=(320, 240), serve_all=True)
    it.startService()
    yield it
    pytest_twisted.blockon(it.stopService())


def parts(stranger: Stranger) -> list[Part]:
    parser = Parser(content_type.boundary(stranger.headers["content-type"]), 1 << 20)
    return [event for event in parser.receive_data(stranger.body) if isinstance(event, Part)]


async def both(site: Site, virtual: VirtualCamera, target: str) -> tuple[Stranger, Stranger]:
    """Ask both cameras, and read for as long as it takes."""
    own, other = site.ask(target), Stranger(virtual.port, target)
    site.strangers.append(other)
    for _ in range(1000):
        await site.pass_(0.01)
        await deferLater(reactor, 0.002)
        own.read()
        other.read()
        streams = target.startswith("/stream")
        if all(b"\r\n\r\n" in it.received and (it.closed or (streams and len(parts(it)) >= 3)) for it in (own, other)):
            return own, other
    raise AssertionError(target)


@pytest.mark.parametrize("target", ["/stream", "/stream?anything"])
async def test_the_stream_is_the_same_kind_of_stream(site: Site, virtual: VirtualCamera, target: str) -> None:
    own, other = await both(site, virtual, target)
    assert own.status == other.status == 200
    assert own.headers["content-type"] == other.headers["content-type"]
    for stranger in (own, other):
        assert len(parts(stranger)) >= 3
        assert stranger.body.startswith(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ")
    assert parts(own)[0].jpeg in site.camera.shown


async def test_a_capture_is_one_picture(site: Site, virtual: VirtualCamera) -> None:
    own, other = await both(site, virtual, "/capture")
    for stranger in (own, other):
        assert (stranger.status, stranger.headers["content-type"]) == (200, "image/jpeg")
        assert int(stranger.headers["content-length"]) == len(stranger.body)
        assert isinstance(Inspector().inspect(stranger.body), Picture)


@pytest.mark.parametrize(("target", "status", "kind"), [("/", 200, "text/html"), ("/open", 404, "text/")])
async def test_what_is_no_picture(site: Site, virtual: VirtualCamera, target: str, status: int, kind: str) -> None:
    for stranger in await both(site, virtual, target):
        assert stranger.status == status
        assert stranger.headers["content-type"].startswith(kind)
        assert int(stranger.headers["content-length"]) == len(stranger.body)


async def test_snapshots_are_taken_by_the_server(site: Site) -> None:
    feed = Feed("front", 0.0)
    camera = config.Camera(id="front", snapshot=site.camera.url.replace("stream", "capture"), snapshot_interval=0.5)
    pull = SnapshotPull(site.clock, camera, None, feed, site.clock.seconds, jitter=lambda: 0.0)
    pull.startService()
    await site.pass_(5)
    assert (feed.condition.state, feed.rejected) == (CameraState.LIVE, 0)
    assert feed.frames >= 8
    site.interval = 0
    await site.until(lambda: feed.condition.state is CameraState.OFFLINE)
    assert feed.condition.reason == "answered 503 Service Unavailable for /capture"
    await pull.stopService()


async def test_health_is_json(site: Site) -> None:
    site.ask("/stream")
    await site.pass_(1)
    health = site.ask("/health")
    await site.pass_(0.1)
    health.read()
    told = json.loads(health.body)
    assert (told["device"], told["firmware"], told["reset"], told["rssi"]) == ("mjpeg_cam", "test", "POWERON", -58)
    assert (told["viewers"], told["cut"], told["dropped"], told["broken"]) == (1, 0, 0, 0)
    assert told["frames"] == len(site.camera.shown) - 1 or told["frames"] == len(site.camera.shown)
    assert 900 <= told["uptime"] <= 1100


async def test_nothing_but_get(site: Site) -> None:
    for method in ("HEAD", "POST", "OPTIONS"):
        stranger = site.ask("/stream", method=method)
        await site.pass_(0.05)
        stranger.read()
        assert (stranger.status, stranger.headers["allow"]) == (405, "GET")


async def test_a_page_of_another_site_may_not_show_it(site: Site) -> None:
    for target in ("/", "/capture", "/health", "/nothing", "/stream"):
        stranger = site.ask(target, headers="Origin: http://elsewhere\r\n")
        await site.pass_(0.2)
        stranger.read()
        assert "access-control-allow-origin" not in stranger.headers
        assert stranger.headers["cross-origin-resource-policy"] == "same-origin"

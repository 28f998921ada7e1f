"""RTSP cameras and video files, against a real RTSP server and real files; and decoders that misbehave."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras import decoders
from gatekeeper.cameras.decoded import DecodedPull
from gatekeeper.cameras.decoders import Image, Shot, Source
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState, Frame
from gatekeeper.cameras.jpeg import Picture, inspect
from gatekeeper.cameras.tries import Ending
from tests.rtsp import RtspServer

PATIENCE = 30.0  # seconds until a test gives up: a busy machine is no failure
SIZE = (320, 240)  # of what the server shows


class Bench:
    """A pull with its feed, and everything that they said."""

    def __init__(self) -> None:
        self.feed = Feed("front", time.time())
        self.frames: list[Frame] = []
        self.reasons: list[str | None] = []
        self.pulls: list[DecodedPull] = []
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self.subscription = self.feed.subscribe(self._framed)
        self.feed.observe(lambda condition: self.reasons.append(condition.reason))
        self.feed.observe(lambda _: self.check())

    def start(self, password: str | None = None, **settings: Any) -> DecodedPull:
        given = {"connect_timeout": 5.0, "retry_minimum": 0.05, "retry_maximum": 0.2, "stall_timeout": 1.0, **settings}
        only = {key: given.pop(key) for key in ("is_own", "read", "path") if key in given}
        if password is not None:
            given.setdefault("username", "admin")
        camera = config.Camera(id="front", **given)
        pull = DecodedPull(reactor, camera, password, self.feed, time.time, jitter=lambda: 0.0, **only)
        self.pulls.append(pull)
        pull.startService()
        return pull

    async def stop(self) -> None:
        for pull in self.pulls:
            if pull.running:
                await pull.stopService()
            if pull._reader is not None and not pull._reader.gone.called:
                await pull._reader.gone

    def _framed(self) -> None:
        frame = self.subscription.take()
        assert frame is not None
        self.frames.append(frame)
        self.check()

    def check(self) -> None:
        for wait in tuple(self._waits):
            if wait[0]():
                self._waits.remove(wait)
                reactor.callLater(0, wait[1].callback, None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        if condition():
            return succeed(None)
        wait: Deferred[None] = Deferred()
        self._waits.append((condition, wait))
        return wait.addTimeout(PATIENCE, reactor)

    def live(self, more: int = 3) -> Deferred[None]:
        target = len(self.frames) + more
        return self.until(lambda: len(self.frames) >= target)

    def state(self, state: CameraState, reason: str) -> Deferred[None]:
        return self.until(lambda: self.feed.condition.state is state and reason in (self.feed.condition.reason or ""))


@pytest.fixture
def bench() -> Iterator[Bench]:
    it = Bench()
    yield it
    pytest_twisted.blockon(Deferred.fromCoroutine(it.stop()))


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    it = RtspServer()
    yield it
    it.end()


@pytest.fixture(scope="module")
def guarded() -> Iterator[RtspServer]:
    """A server that asks for a password of the awkward kind."""
    it = RtspServer("p@ss:w/ö rd")
    yield it
    it.end()


@pytest.fixture(params=["PyAV", "OpenCV"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(decoders, "has_pyav", lambda: request.param == "PyAV")
    return str(request.param)


# --- RTSP ---


@pytest.mark.usefixtures("by")
@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_video_becomes_whole_jpeg_pictures_of_its_size(bench: Bench, server: RtspServer, codec: str) -> None:
    bench.start(url=server.url(codec))
    await bench.live(5)
    for frame in bench.frames:
        found = inspect(frame.jpeg)
        assert isinstance(found, Picture)
        assert (found.width, found.height) == (frame.width, frame.height) == SIZE
    assert len({frame.jpeg for frame in bench.frames}) == len(bench.frames)
    assert bench.feed.condition.state is CameraState.LIVE


async def test_pictures_are_made_at_the_configured_rate_and_quality(bench: Bench, server: RtspServer) -> None:
    bench.start(url=server.url(), frame_rate=5)
    await bench.live(11)
    took = bench.frames[-1].received - bench.frames[-6].received
    assert 0.8 < took < 2.0  # the server sends fifteen pictures a second
    fine = sum(len(frame.jpeg) for frame in bench.frames[:5])
    coarse = Bench()
    coarse.start(url=server.url(), jpeg_quality=10)
    await coarse.live(5)
    assert sum(len(frame.jpeg) for frame in coarse.frames[:5]) < 0.95 * fine
    await coarse.stop()


@pytest.mark.usefixtures("by")
async def test_a_password_lets_us_in(bench: Bench, guarded: RtspServer) -> None:
    bench.start(url=guarded.url(), password="p@ss:w/ö rd")
    await bench.live()


async def test_a_wrong_password_and_none_are_told_apart_and_shown_nowhere(bench: Bench, guarded: RtspServer) -> None:
    pull = bench.start(url=guarded.url(), password="hunter2")
    await bench.state(CameraState.OFFLINE, "wrong user name or password")
    await pull.stopService()
    bench.start(url=guarded.url())
    await bench.state(CameraState.OFFLINE, "asks for a user name and a password; none is configured")
    assert "hunter2" not in repr(bench.reasons)


@pytest.mark.usefixtures("by")
async def test_opencv_and_pyav_say_nothing_of_a_password(
    bench: Bench, guarded: RtspServer, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.start(url=guarded.url(), password="hunter2")
    await bench.state(CameraState.OFFLINE, "")
    assert "hunter2" not in "".join(capfd.readouterr()) + repr(bench.reasons)


async def test_a_path_that_is_not_there_is_named_without_its_query(bench: Bench, server: RtspServer) -> None:
    bench.start(url=server.url("none?pw=hunter2"))
    await bench.state(CameraState.OFFLINE, "answered 404 Not Found for /none")
    assert "hunter2" not in repr(bench.reasons)


@pytest.mark.usefixtures("by")
async def test_a_server_that_freezes_is_stalled_and_heals(bench: Bench, server: RtspServer) -> None:
    bench.start(url=server.url())
    await bench.live()
    server.freeze()
    before = time.monotonic()
    await bench.state(CameraState.STALLED, "no picture for 1 s")
    took = time.monotonic() - before
    server.thaw()
    assert took < 2.5
    await bench.live()
    assert bench.feed.reconnects >= 1


async def test_a_server_that_goes_is_offline_with_its_reason_and_heals(bench: Bench) -> None:
    server = RtspServer()
    bench.start(url=server.url())
    await bench.live()
    server.end()
    await bench.state(CameraState.OFFLINE, "refused the connection")
    assert "the camera ended the stream" in bench.reasons or "the connection was cut" in bench.reasons


async def test_who_takes_the_connection_and_says_nothing_is_given_up(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        bench.start(url=f"rtsp://127.0.0.1:{port}/", connect_timeout=0.5)
        await bench.state(CameraState.OFFLINE, f"camera at 127.0.0.1:{port} did not answer within 0.5 s")


async def test_a_name_that_leads_to_gatekeeper_is_not_connected_to(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.3)
        port = listening.getsockname()[1]
        bench.start(url=f"rtsp://localhost:{port}/", is_own=lambda host, its: (host, its) == ("127.0.0.1", port))
        await bench.state(CameraState.OFFLINE, f"127.0.0.1:{port} is gatekeeper's own port")
        with pytest.raises(TimeoutError):
            listening.accept()


async def test_an_unknown_host_is_named(bench: Bench) -> None:
    bench.start(url="rtsp://camera.invalid/h264")
    await bench.state(CameraState.OFFLINE, "host name camera.invalid not found")


# --- stopping ---


async def test_a_stop_does_not_wait_for_a_decoder_that_hangs(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pull = bench.start(url=f"rtsp://127.0.0.1:{listening.getsockname()[1]}/", connect_timeout=2.0)
        await deferLater(reactor, 0.2)
        before = time.monotonic()
        await pull.stopService()
        assert time.monotonic() - before < 0.5
        assert pull._reader is not None
        await pull._reader.gone.addTimeout(PATIENCE, reactor)  # and the thread ends by itself
        assert bench.reasons[-1] == "stopped"


class Decoder:
    """A decoder that does what a test wants; `release` lets it go on where it hangs."""

    def __init__(self, *, pictures: int, failure: Exception | None = None, hangs: bool = False) -> None:
        self.release = threading.Event()
        self.open_now = self.most_open = self.opened = 0
        self._pictures = pictures
        self._failure = failure
        self._hangs = hangs

    def __call__(self, source: Source, stopped: threading.Event) -> Iterator[Shot]:
        self.open_now += 1
        self.opened += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            for number in range(self._pictures):
                yield lambda number=number: image(number)  # type: ignore[misc]
            if self._hangs:
                self.release.wait(PATIENCE)
            if self._failure is not None:
                raise self._failure
        finally:
            self.open_now -= 1


def image(number: int) -> Image:
    return np.full((48, 64, 3), number % 256, np.uint8)


async def test_a_decoder_that_hangs_for_good_is_stalled_and_never_joined_by_a_second(bench: Bench) -> None:
    decoder = Decoder(pictures=1, hangs=True)
    bench.start(url="v4l2:///dev/video0", read=decoder, stall_timeout=0.2)
    await bench.state(CameraState.STALLED, "no picture for 0.2 s")
    await deferLater(reactor, 0.5)
    assert decoder.opened == 1
    decoder.release.set()
    await bench.until(lambda: len(bench.frames) >= 2)
    assert decoder.most_open == 1


async def test_an_error_of_ours_is_no_end_of_trying(bench: Bench) -> None:
    decoder = Decoder(pictures=1, failure=ZeroDivisionError())
    bench.start(url="v4l2:///dev/video0", read=decoder)
    await bench.state(CameraState.OFFLINE, "could not be read")
    await bench.live(1)


async def test_pauses_grow_while_nothing_comes(bench: Bench) -> None:
    decoder = Decoder(pictures=0, failure=Ending(CameraState.OFFLINE, "gone"))
    bench.start(url="v4l2:///dev/video0", read=decoder, retry_minimum=0.05, retry_maximum=0.4)
    await deferLater(reactor, 1.0)
    assert 3 <= decoder.opened <= 8


async def test_only_the_newest_picture_waits_for_a_busy_reactor(bench: Bench) -> None:
    decoder = Decoder(pictures=200, hangs=True)
    bench.start(url="v4l2:///dev/video0", read=decoder, frame_rate=60)
    time.sleep(0.5)  # noqa: ASYNC251 - the reactor is busy: that is the situation
    await bench.live(1)
    assert len(bench.frames) <= 3
    decoder.release.set()


# --- files and devices ---


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """One second of video, 20 pictures that get brighter."""
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
    for number in range(20):
        writer.write(image(10 * number))
    writer.release()
    return file


@pytest.mark.usefixtures("by")
async def test_a_video_file_is_played_for_ever_at_its_own_pace(bench: Bench, clip: Path) -> None:
    bench.start(video="clip.avi", path=str(clip), frame_rate=60)
    await bench.live(45)
    took = bench.frames[44].received - bench.frames[0].received
    assert 1.8 < took < 4.0  # 44 pictures at 20 a second
    assert bench.feed.condition.state is CameraState.LIVE
    assert bench.feed.reconnects == 0


@pytest.mark.parametrize(("content", "reason"), [(None, "the video file is missing"), (b"no video", "holds no video")])
@pytest.mark.usefixtures("by")
async def test_a_file_that_is_no_video_is_named(
    bench: Bench, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "clip.mp4"
    if content is not None:
        file.write_bytes(content)
    bench.start(video="clip.mp4", path=str(file))
    await bench.state(CameraState.OFFLINE, reason)


@pytest.mark.parametrize(
    ("device", "reason"),
    [("/dev/video-none", "there is no device /dev/video-none"), ("/dev/null", "/dev/null gives no video")],
)
async def test_a_device_that_is_none_is_named(bench: Bench, device: str, reason: str) -> None:
    bench.start(url=f"v4l2://{device}")
    await bench.state(CameraState.OFFLINE, reason)


def test_an_ending_carries_no_secret_of_what_failed() -> None:
    def read() -> None:
        source = Source("rtsp", "rtsp://127.0.0.1:1/", ("admin", "hunter2"), 0.5, 0.5, lambda host, port: False)
        list(decoders.shots(source, threading.Event()))

    with pytest.raises(Ending) as caught:
        read()
    assert "hunter2" not in Failure(caught.value, Ending, caught.tb).getTraceback()

"""The virtual ESP32-CAM over loopback: pictures as the real one sends them, one client at a time, nothing left over."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from gatekeeper.cameras import multipart
from gatekeeper.cameras.multipart import Part
from gatekeeper.simulators.camera import CameraFault, VirtualCamera

PATIENCE = 20.0  # seconds until a test gives up: a busy machine is no failure


class Client(Protocol):
    """Asks, collects, and tells when what it collected satisfies somebody."""

    def __init__(self, path: str = "/stream") -> None:
        self.path = path
        self.received = b""
        self.closed = False
        self._waits: list[tuple[Callable[[Client], bool], Deferred[None]]] = []

    def connectionMade(self) -> None:
        self.transport.write(f"GET {self.path} HTTP/1.1\r\nHost: camera\r\n\r\n".encode())  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._check()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True
        self._check()

    def until(self, condition: "Callable[[Client], bool]") -> Deferred[None]:
        if condition(self):
            return succeed(None)
        wait: Deferred[None] = Deferred()
        self._waits.append((condition, wait))
        return wait.addTimeout(PATIENCE, reactor)

    def _check(self) -> None:
        ready = [wait for condition, wait in self._waits if condition(self)]
        self._waits = [(condition, wait) for condition, wait in self._waits if not condition(self)]
        for wait in ready:
            wait.callback(None)

    @property
    def parts(self) -> list[bytes]:
        _, _, body = self.received.partition(b"\r\n\r\n")
        return [event.jpeg for event in multipart.Parser("frame").receive_data(body) if isinstance(event, Part)]

    def close(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


def ask(camera: VirtualCamera, path: str = "/stream") -> Any:
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", camera.port)
    return connectProtocol(endpoint, Client(path))


@pytest.fixture
def camera() -> Iterator[VirtualCamera]:
    import pytest_twisted

    virtual = VirtualCamera(reactor, fps=50)
    virtual.startService()
    yield virtual
    if virtual.running:
        pytest_twisted.blockon(virtual.stopService())


async def test_a_stream_is_what_the_real_one_sends(camera: VirtualCamera) -> None:
    client = await ask(camera)
    await client.until(lambda it: len(it.parts) >= 3)
    head, _, body = client.received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: multipart/x-mixed-replace; boundary=frame" in head
    assert body.startswith(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ")
    assert list(camera.pictures)[:3] == client.parts[:3]
    assert 15_000 < len(client.parts[0]) < 40_000
    client.close()
    await client.until(lambda it: it.closed)


async def test_only_one_client_is_answered_at_a_time(camera: VirtualCamera) -> None:
    first = await ask(camera)
    await first.until(lambda it: len(it.parts) >= 1)
    second = await ask(camera, "/")
    await first.until(lambda it: len(it.parts) >= 4)
    assert second.received == b""
    first.close()
    await second.until(lambda it: it.closed)
    assert second.received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (camera.connections, camera.most_open) == (2, 2)


async def test_a_bench_may_have_many_clients(camera: VirtualCamera) -> None:
    camera._serve_all = True
    clients = [await ask(camera) for _ in range(20)]
    for client in clients:
        await client.until(lambda it: len(it.parts) >= 1)
    assert camera.streaming == 20
    for client in clients:
        client.close()


async def test_nothing_is_drawn_while_nobody_watches(camera: VirtualCamera) -> None:
    assert camera._pool is None
    client = await ask(camera)
    await client.until(lambda it: len(it.parts) >= 1)
    client.close()
    await client.until(lambda it: it.closed)
    while camera._ticking or camera.open_now:
        await deferLater(reactor, 0.01)
    assert camera.streaming == 0
    assert not camera._calls


async def test_a_fault_reaches_a_running_stream_and_goes_again(camera: VirtualCamera) -> None:
    client = await ask(camera)
    await client.until(lambda it: len(it.parts) >= 1)
    camera.fault = CameraFault.EMPTY_PARTS
    await client.until(lambda it: b"Content-Length: 0\r\n" in it.received)
    seen = len(client.parts)
    camera.fault = CameraFault.NONE
    await client.until(lambda it: len(it.parts) > seen + 1)
    camera.fault = CameraFault.NOT_FOUND
    await client.until(lambda it: it.closed)


async def test_a_closed_port_opens_again_at_the_same_number(camera: VirtualCamera) -> None:
    port = camera.port
    camera.fault = CameraFault.REFUSE
    camera.fault = CameraFault.NONE
    camera.fault = CameraFault.REFUSE
    await deferLater(reactor, 0.01)
    with pytest.raises(Exception, match="refused"):
        await ask(camera)
    camera.fault = CameraFault.NONE
    client = await ask(camera)
    assert camera.port == port
    client.close()


@pytest.mark.parametrize("fault", list(CameraFault))
async def test_it_stops_with_nothing_left_whatever_its_fault(camera: VirtualCamera, fault: CameraFault) -> None:
    threads = threading.active_count()
    client = None
    if fault is not CameraFault.REFUSE:
        camera.fault = fault
        client = await ask(camera)
        waiting = await ask(camera)
        await deferLater(reactor, 0.05)
        assert not waiting.received or camera.connections == 2
    camera.fault = fault
    await camera.stopService()
    if client is not None:
        await client.until(lambda it: it.closed)
        await waiting.until(lambda it: it.closed)
    assert camera.open_now == 0
    assert not camera._calls
    assert threading.active_count() <= threads


async def test_two_cameras_differ() -> None:
    from gatekeeper.simulators.scene import Scene

    one, other = Scene(160, 120, 1), Scene(160, 120, 2)
    assert one.render(0, "now") == one.render(0, "now")
    assert one.render(0, "now") != other.render(0, "now")
    assert one.render(0, "now") != one.render(1, "now")


async def test_a_camera_that_loops_repeats_its_last_two_seconds(camera: VirtualCamera) -> None:
    client = await ask(camera)
    await client.until(lambda it: len(it.parts) >= 30)
    camera.fault = CameraFault.LOOPING
    already = len(client.parts)
    await client.until(lambda it: len(it.parts) >= already + 60)
    repeated = client.parts[-50:]
    assert repeated[:25] == repeated[25:]
    assert len(set(repeated)) > 2
    client.close()


@pytest.mark.parametrize("fault", [CameraFault.OVEREXPOSED, CameraFault.COVERED, CameraFault.MOVED])
async def test_a_lens_with_a_fault_shows_other_pictures_in_a_stream_like_any(
    camera: VirtualCamera, fault: CameraFault
) -> None:
    client = await ask(camera)
    await client.until(lambda it: len(it.parts) >= 2)
    before = client.parts[-1]
    camera.fault = fault
    await client.until(lambda it: len(it.parts) >= 10)
    assert client.parts[-1] != before
    client.close()


async def test_one_picture_is_answered_whole_and_the_connection_closed(camera: VirtualCamera) -> None:
    client = await ask(camera, "/capture")
    await client.until(lambda it: it.closed)
    head, _, body = client.received.partition(b"\r\n\r\n")
    assert b"Content-Type: image/jpeg" in head
    assert body == camera.pictures[-1]

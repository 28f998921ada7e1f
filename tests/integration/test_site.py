"""A site started and stopped inside this process, in every state it can be caught in: nothing of it is left."""

import base64
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.simulators.camera import CameraFault, VirtualCamera
from gatekeeper.simulators.lock import VirtualLock
from gatekeeper.simulators.lock_device import LockFault
from gatekeeper.site import Site

reactor: Any = installed
PATIENCE = 20.0  # seconds until a test gives up: a busy machine is no failure
STOPPED_IN = 5.0  # seconds: what is promised
FOLDER = Path("/proc/self/fd")


async def until(look: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until `look` returns something true."""
    end = reactor.seconds() + patience
    while not look():
        assert reactor.seconds() < end, f"waited {patience:g} s for {what}"
        await deferLater(reactor, 0.01)


class Client(Protocol):
    """Says one thing, and collects what comes back, or reads nothing at all."""

    def __init__(self, says: bytes, reads: bool) -> None:
        self.received = b""
        self.closed = False
        self._says = says
        self._reads = reads

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if not self._reads:
            transport.pauseProducing()
        transport.write(self._says)

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True

    def read(self) -> None:
        """Read from now on."""
        transport: Any = self.transport
        if not self._reads and not self.closed:
            transport.resumeProducing()

    def abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


class House:
    """A site, a virtual camera and a virtual lock in this process."""

    def __init__(self, folder: Path) -> None:
        self.camera = VirtualCamera(reactor, fps=50, size=(320, 240))
        self.lock = VirtualLock(reactor)
        self.camera.startService()
        self.lock.startService()
        settings = config.Site(
            listen="tcp:0:interface=127.0.0.1",
            access=config.Access(admin_token=config.Secret(file="token")),
            cameras=(config.Camera(id="yard", url=self.camera.url),),
            doors=(config.Door(id="front", url=self.lock.url),),
        )
        self.token = "integration-tests-in-one-process"
        (folder / "token").write_text(self.token)
        self.site = Site(settings, folder, reactor)
        self.clients: list[Client] = []

    def start(self) -> None:
        self.site.privilegedStartService()
        self.site.startService()

    async def live(self) -> None:
        """Start, and wait until camera and lock are there."""
        self.start()
        await until(lambda: self.camera.streaming and self.lock.connections, "camera and lock")
        answer = await self.ask("GET", "/doors/front")
        while b'"connected":true' not in answer.received:
            answer = await self.ask("GET", "/doors/front")

    async def connect(self, says: str, *, reads: bool = True) -> Client:
        """Open a connection to the site that says `says`."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.site.port)
        client: Client = await connectProtocol(endpoint, Client(says.encode(), reads))
        self.clients.append(client)
        return client

    async def request(self, method: str, path: str, headers: str = "", *, reads: bool = True) -> Client:
        """Open a connection and send a request."""
        authorization = f"Authorization: Bearer {self.token}\r\n"
        return await self.connect(
            f"{method} {path} HTTP/1.1\r\nHost: site\r\n{authorization}{headers}\r\n", reads=reads
        )

    async def ask(self, method: str, path: str) -> Client:
        """Send a request and wait for the whole answer."""
        client = await self.request(method, path, "Connection: close\r\n")
        await until(lambda: client.closed, f"the answer to {method} {path}")
        return client

    def stop_devices(self) -> Deferred[Any]:
        """Stop the devices, and the clients that are still there."""
        for client in self.clients:
            if not client.closed:
                client.abort()
        return self.camera.stopService().addCallback(lambda _: self.lock.stopService())


def descriptors() -> Counter[str]:
    """Return what this process has open, each as the system names it."""
    found = []
    for descriptor in os.listdir(FOLDER):
        try:
            found.append(os.readlink(FOLDER / descriptor))
        except FileNotFoundError:  # of the listing itself
            continue
    return Counter(name for name in found if not name.startswith("/"))


def delayed() -> set[Any]:
    return {call for call in reactor.getDelayedCalls() if call.active()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    if house.site.running:
        pytest_twisted.blockon(house.site.stopService())
    if house.camera.running:
        pytest_twisted.blockon(house.stop_devices())


# --- the states ---


async def not_started(house: House) -> None:
    house.site.privilegedStartService()


async def before_it_connects(house: House) -> None:
    house.start()


async def connecting(house: House) -> None:
    house.camera.fault, house.lock.fault = CameraFault.SILENT_ACCEPT, LockFault.MUTE
    house.start()
    await until(lambda: house.camera.open_now, "the camera's connection")


async def refused(house: House) -> None:
    house.camera.fault, house.lock.fault = CameraFault.REFUSE, LockFault.REFUSE
    house.start()
    await until(lambda: house.site.viewing.feeds["yard"].condition.reason != "not asked yet", "a reason")
    await until(lambda: "refused" in (house.site.viewing.feeds["yard"].condition.reason or ""), "the refusal")


async def live(house: House) -> None:
    await house.live()


async def stalled(house: House) -> None:
    await house.live()
    house.camera.fault, house.lock.fault = CameraFault.SILENT, LockFault.SILENT


async def door_open(house: House) -> None:
    await house.live()
    answer = await house.ask("POST", "/doors/front/open")
    assert b" 200 " in answer.received
    assert house.lock.device.relay


async def command_in_flight(house: House) -> None:
    await house.live()
    house.lock.fault = LockFault.NO_ACK
    await house.request("POST", "/doors/front/open")
    await until(lambda: house.lock.device.relay, "the lock to act")


async def lock_that_does_not_answer(house: House) -> None:
    await door_open(house)
    house.lock.fault = LockFault.SEVERED


async def viewer_attached(house: House) -> None:
    await house.live()
    viewer = await house.request("GET", "/cameras/yard/stream.mjpg")
    await until(lambda: viewer.received.count(b"--frame") > 3, "pictures")


async def viewer_that_reads_nothing(house: House) -> None:
    await house.live()
    await house.request("GET", "/cameras/yard/stream.mjpg", reads=False)
    await until(lambda: house.site.viewing.viewers("yard") == 1, "the viewer")
    sent = house.camera.frames_sent
    await until(lambda: house.camera.frames_sent > sent + 20, "pictures to pile up")


async def viewer_of_a_camera_that_is_gone(house: House) -> None:
    house.camera.fault = CameraFault.REFUSE
    house.start()
    viewer = await house.request("GET", "/video_feed")
    await until(lambda: viewer.received.count(b"--frame") > 1, "the generated picture")


async def picture_being_drawn(house: House) -> None:
    house.camera.fault = CameraFault.REFUSE
    house.start()
    await house.request("GET", "/video_feed")
    await until(lambda: house.site.viewing.viewers("yard") == 1, "the viewer")


async def socket_attached(house: House) -> None:
    await house.live()
    key = base64.b64encode(bytes(16)).decode()
    headers = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: wamp.2.json\r\n"
    )
    client = await house.request("GET", "/ws", headers)
    await until(lambda: b"\r\n\r\n" in client.received, "the handshake")
    assert b" 101 " in client.received  # from here on it says nothing, not even on GOODBYE


async def browsers_with_nothing_to_say(house: House) -> None:
    await house.live()
    idle = await house.request("GET", "/healthz")
    await until(lambda: idle.received, "the answer")
    await house.connect("")
    await house.connect("POST /doors/front/open HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")


STATES = (
    not_started,
    before_it_connects,
    connecting,
    refused,
    live,
    stalled,
    door_open,
    command_in_flight,
    lock_that_does_not_answer,
    viewer_attached,
    viewer_that_reads_nothing,
    viewer_of_a_camera_that_is_gone,
    picture_being_drawn,
    socket_attached,
    browsers_with_nothing_to_say,
)


@pytest.fixture
def clean() -> Iterator[None]:
    """Nothing more is open and no call is due after a test than before it."""
    pytest_twisted.blockon(deferLater(reactor, 0))  # a reactor that has begun: its own descriptors don't count
    before, calls = descriptors(), delayed()

    async def gone() -> None:
        end = reactor.seconds() + STOPPED_IN
        while (left := [*(delayed() - calls), *(descriptors() - before)]) and reactor.seconds() < end:
            await deferLater(reactor, 0.01)
        assert left == []

    yield
    pytest_twisted.blockon(Deferred.fromCoroutine(gone()))


@pytest.mark.skipif(not FOLDER.is_dir(), reason="counts descriptors in /proc")
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_a_stop_leaves_nothing(clean: None, house: House, state: Callable[[House], Any]) -> None:
    await state(house)
    silent = house.lock.fault is LockFault.SEVERED
    begin = reactor.seconds()
    await house.site.stopService()
    assert reactor.seconds() - begin < STOPPED_IN
    for client in house.clients:
        client.read()  # or it doesn't see the end
    await until(lambda: all(client.closed for client in house.clients), "the clients' connections", STOPPED_IN)
    await until(lambda: house.camera.open_now == house.lock.open_now == 0 or silent, "the devices'", STOPPED_IN)
    assert not house.lock.device.relay or silent


@pytest.mark.skipif(not FOLDER.is_dir(), reason="counts descriptors in /proc")
async def test_a_site_starts_again_and_again(clean: None, tmp_path: Path) -> None:
    for _ in range(3):
        house = House(tmp_path)
        await viewer_attached(house)
        await house.site.stopService()
        await house.stop_devices()

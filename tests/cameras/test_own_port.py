"""A camera that is gatekeeper itself: by address, after a redirect, by what its name means. Also: other schemes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.pull import CameraPull
from tests.cameras.test_pull_timing import HEAD, PART, Bench, Wire

OWN = ("127.0.0.1", 8000)
SELF = "127.0.0.1:8000 is gatekeeper's own port"


class Home(Bench):
    """A pull on the machine whose port 8000 is gatekeeper's."""

    def __init__(self, url: str) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.feed = Feed("front", 0.0)
        camera = config.Camera(id="front", url=url)
        self.pull = CameraPull(
            self.reactor, camera, None, self.feed, lambda: 1000.0, is_own=lambda host, port: (host, port) == OWN
        )
        self.pull.startService()

    def reach(self, host: str, port: int) -> Wire | None:
        """Let the newest attempt reach an address; return its wire, or None if it isn't wanted."""
        protocol: Any = self.reactor.tcpClients[-1][2].buildProtocol(IPv4Address("TCP", host, port))
        if protocol is None:
            return None
        wire = Wire(self.reactor)
        wire.protocol = protocol
        protocol.makeConnection(wire)
        return wire

    def redirect(self, to: str) -> None:
        wire = self.reach("10.0.0.7", 80)
        assert wire is not None
        wire.protocol.dataReceived(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())
        self.turn()

    @property
    def reason(self) -> str | None:
        return self.feed.condition.reason


Homes = Callable[[str], Home]


@pytest.fixture
def at() -> Iterator[Homes]:
    homes: list[Home] = []

    def make(url: str) -> Home:
        homes.append(Home(url))
        return homes[-1]

    yield make
    assert all(home.stop() for home in homes)


def test_its_own_port_is_never_dialled(at: Homes) -> None:
    home = at("http://127.0.0.1:8000/cameras/front/stream.mjpg")
    assert (home.dialled, home.state, home.reason) == (0, "offline", SELF)


def test_a_redirect_there_is_not_followed(at: Homes) -> None:
    home = at("http://10.0.0.7/stream")
    home.redirect("http://127.0.0.1:8000/api/system/status")
    assert (home.dialled, home.state, home.reason) == (1, "offline", SELF)


def test_a_name_that_means_it_gets_no_byte(at: Homes) -> None:
    home = at("http://rebound.example:8000/stream")
    assert home.reach(*OWN) is None
    home.turn(1)
    assert (home.state, home.reason) == ("offline", SELF)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "FILE:/etc/passwd", "gopher://h/", "ftp://h/", "data:,x"])
def test_a_redirect_to_another_scheme_is_not_followed(at: Homes, to: str) -> None:
    home = at("http://10.0.0.7/stream")
    home.redirect(to)
    assert home.dialled == 1
    assert home.reason == "redirects to an address that is not http or https"


def test_another_port_of_this_machine_is_a_camera_like_any(at: Homes) -> None:
    home = at("http://10.0.0.7/stream")
    home.redirect("http://127.0.0.1:8081/stream")
    wire = home.reach("127.0.0.1", 8081)
    assert wire is not None
    wire.protocol.dataReceived(HEAD + PART)
    assert home.state == "live"

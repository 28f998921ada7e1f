"""A lock whose address is gatekeeper's own port: told as that, and nothing is sent."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock

from gatekeeper import config
from gatekeeper.doors.executor import Nobody
from gatekeeper.doors.link import DoorLink

OWN = ("127.0.0.1", 8000)


def link(net: Any, url: str) -> DoorLink:
    door = config.Door(id="front", url=url)
    it = DoorLink(door, net, lambda _: None, lambda _: None, Nobody(), is_own=lambda host, port: (host, port) == OWN)
    it.startService()
    return it


def test_its_own_port_is_never_dialled() -> None:
    net: Any = MemoryReactorClock()
    it = link(net, "ws://127.0.0.1:8000/ws")
    assert net.tcpClients == []
    assert it.door.reason == "127.0.0.1:8000 is gatekeeper's own port"


def test_a_name_that_means_it_is_told_by_what_it_means() -> None:
    net: Any = MemoryReactorClock()
    it = link(net, "wss://rebound.example:8000/ws")
    assert net.tcpClients[-1][2].buildProtocol(IPv4Address("TCP", *OWN)) is None
    net.advance(0.3)
    assert it.door.reason == "127.0.0.1:8000 is gatekeeper's own port"


def test_it_is_looked_at_again_with_each_try() -> None:
    net: Any = MemoryReactorClock()
    link(net, "ws://127.0.0.1:8000/ws")
    own, here = OWN, globals()
    try:
        here["OWN"] = ("127.0.0.1", 9)
        net.advance(1)
        assert len(net.tcpClients) == 1
    finally:
        here["OWN"] = own

"""What dials devices never dials gatekeeper itself: not by address, not by a name that means it."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gatekeeper.elsewhere import Elsewhere, LeadsBack, never
from tests.sites import Wire

OWN = ("127.0.0.1", 8000)


def is_own(host: str, port: int) -> bool:
    return (host, port) == OWN


class Made(Factory):
    def __init__(self) -> None:
        self.made = 0

    def buildProtocol(self, addr: Any) -> Protocol:
        self.made += 1
        return Protocol()


def dial(net: Any, endpoint: Any, host: str, port: int, own: Any = is_own) -> tuple[list[Any], Made]:
    factory, result = Made(), list[Any]()
    Elsewhere(endpoint, host, port, own).connect(factory).addBoth(result.append)
    return result, factory


def reached(net: Any, host: str, port: int) -> Any:
    """Let the newest attempt reach an address."""
    protocol = net.tcpClients[-1][2].buildProtocol(IPv4Address("TCP", host, port))
    if protocol is not None:
        protocol.makeConnection(Wire())
    return protocol


@pytest.fixture
def net() -> Any:
    return MemoryReactorClock()


def test_its_own_address_is_not_dialled(net: Any) -> None:
    result, factory = dial(net, TCP4ClientEndpoint(net, *OWN), *OWN)
    assert isinstance(result[0], Failure)
    assert result[0].check(LeadsBack)
    assert result[0].getErrorMessage() == "127.0.0.1:8000 is gatekeeper's own port"
    assert (net.tcpClients, factory.made) == ([], 0)


def test_a_name_that_means_it_is_found_out_when_it_is_reached(net: Any) -> None:
    result, factory = dial(net, HostnameEndpoint(net, "rebound.example", 8000), "rebound.example", 8000)
    assert reached(net, *OWN) is None
    net.advance(1)
    assert isinstance(result[0], Failure)
    assert result[0].check(LeadsBack)
    assert factory.made == 0


def test_tls_around_it_changes_nothing(net: Any) -> None:
    inner = Elsewhere(HostnameEndpoint(net, "rebound.example", 8000), "rebound.example", 8000, is_own)
    result: list[Any] = []
    wrapClientTLS(optionsForClientTLS("rebound.example"), inner).connect(Made()).addBoth(result.append)
    assert reached(net, *OWN) is None
    net.advance(1)
    assert result[0].check(LeadsBack)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 8001), ("192.168.1.20", 8000)])
def test_everybody_else_is_reached(net: Any, host: str, port: int) -> None:
    result, factory = dial(net, TCP4ClientEndpoint(net, host, port), host, port)
    assert reached(net, host, port) is not None
    assert isinstance(result[0], Protocol)
    assert factory.made == 1


def test_without_a_site_nothing_is_its_own(net: Any) -> None:
    dial(net, TCP4ClientEndpoint(net, *OWN), *OWN, own=never)
    assert len(net.tcpClients) == 1


def test_the_factory_is_started_and_stopped_like_any(net: Any) -> None:
    result, factory = dial(net, TCP4ClientEndpoint(net, "192.168.1.20", 80), "192.168.1.20", 80)
    wrapped = net.tcpClients[-1][2]
    assert IProtocolFactory.providedBy(wrapped)
    wrapped.doStart()
    assert factory.numPorts == 1
    wrapped.doStop()
    assert (factory.numPorts, result) == (0, [])

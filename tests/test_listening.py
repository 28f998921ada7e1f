"""The ports of a site: all or none, TLS of this decade, and who is warned when."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread

from gatekeeper.access import tls
from gatekeeper.addresses import place
from gatekeeper.errors import ConfigurationError
from gatekeeper.listening import WARNED_EVERY, Listening, own_addresses
from tests.sites import Log

reactor: Any = installed
MADE = datetime.now(UTC).replace(microsecond=0)
LIFE = tls.CERTIFICATE_LIFE - tls.SLACK


class Bench:
    """A site's ports on a network in memory."""

    def __init__(self, folder: Path, *texts: str, now: datetime = MADE) -> None:
        self.net: Any = MemoryReactorClock()
        self.now = now
        self.listening = Listening(
            tuple(map(place, texts)),
            folder,
            folder,
            self.net,
            lambda: self.now.timestamp() + self.net.seconds(),
            interfaces=lambda: {"192.168.1.2"},
        )

    def open(self) -> "Bench":
        self.listening.open(Factory())
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tls.issue(tmp_path / "tls", tls.names_of(["porch", "localhost", "127.0.0.1"]), tls.Names(), MADE)
    return tmp_path


# --- all or none ---


def test_every_place_is_opened_and_closed(folder: Path) -> None:
    bench = Bench(folder, "ssl:8443", "tcp:8000:interface=127.0.0.1", "unix:gate.sock").open()
    assert [(port, interface) for port, _, _, interface in bench.net.tcpServers] == [(8000, "127.0.0.1")]
    assert [(port, interface) for port, _, _, _, interface in bench.net.sslServers] == [(8443, "")]
    assert len(bench.net.unixServers) == 1


def test_one_that_cannot_be_had_closes_those_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    bench = Bench(folder, "tcp:8000", "ssl:8443")

    class Port:
        def stopListening(self) -> None:
            closed.append(1)

    def taken(*_: Any, **__: Any) -> None:
        raise CannotListenError("", 8443, OSError(98, "Address already in use"))

    monkeypatch.setattr(bench.net, "listenTCP", lambda *_, **__: Port())
    monkeypatch.setattr(bench.net, "listenSSL", taken)
    with pytest.raises(ConfigurationError, match=r"^listen: can't listen on ssl:8443: .*Address already in use"):
        bench.open()
    assert closed == [1]


def test_a_certificate_that_is_missing_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make one with: gatekeeper tls init"):
        Bench(tmp_path, "tcp:8000", "ssl:8443")


# --- what is said of it ---


@pytest.mark.parametrize(
    ("texts", "base"),
    [
        (["tcp:8000:interface=127.0.0.1"], "http://127.0.0.1:8000"),
        (["tcp:8000:interface=\\:\\:1"], "http://[::1]:8000"),
        (["tcp:8000"], "http://localhost:8000"),
        (["ssl:8443"], "https://localhost:8443"),
        (["tcp:8000", "ssl:8443"], "https://localhost:8443"),
        (["ssl:443:privateKey=tls/server.key:certKey=tls/server.pem"], "https://porch:443"),
        (["unix:gate.sock"], None),
    ],
)
def test_the_address_to_open(folder: Path, texts: list[str], base: str | None) -> None:
    bench = Bench(folder, *texts).open()
    assert bench.listening.base == base


def test_its_own_ports_are_known_once_they_are_open(folder: Path) -> None:
    bench = Bench(folder, "ssl:8443", "tcp:8000:interface=127.0.0.1")
    assert not bench.listening.is_own("127.0.0.1", 8443)
    bench.open()
    assert bench.listening.is_own("192.168.1.2", 8443)
    assert bench.listening.is_own("localhost", 8000)
    assert not bench.listening.is_own("192.168.1.2", 8000)
    assert not bench.listening.is_own("192.168.1.3", 8443)


def test_the_machines_addresses_are_asked_for_only_when_the_port_is_its_own(folder: Path) -> None:
    bench = Bench(folder, "tcp:8000").open()
    bench.listening._interfaces = pytest.fail
    assert not bench.listening.is_own("10.0.0.1", 80)
    assert "127.0.0.1" in own_addresses()


# --- warnings ---


def warned(bench: Bench) -> list[str]:
    with Log() as log:
        bench.listening.startService()
    bench.listening.stopService()
    return [line for line in log.lines if line.startswith("the certificate")]


def test_a_certificate_is_warned_of_two_weeks_before_its_end(folder: Path) -> None:
    assert warned(Bench(folder, "ssl:8443", now=MADE + LIFE - timedelta(days=14))) == []
    [line] = warned(Bench(folder, "ssl:8443", now=MADE + LIFE - timedelta(days=13.9)))
    assert line.startswith(
        f"the certificate of ssl:8443 ends on {MADE + LIFE:%Y-%m-%d %H:%M} UTC: renew it with gatekee"
    )
    assert warned(Bench(folder, "tcp:8000", now=MADE + LIFE)) == []


def test_one_that_has_ended_is_told_and_served_all_the_same(folder: Path) -> None:
    bench = Bench(folder, "ssl:8443", now=MADE + LIFE + timedelta(days=1)).open()
    [line] = warned(bench)
    assert line.startswith("the certificate of ssl:8443 ended on ")


def test_peoples_own_certificates_are_not_said_to_be_renewed_by_us(folder: Path) -> None:
    text = "ssl:8443:privateKey=tls/server.key:certKey=tls/server.pem"
    [line] = warned(Bench(folder, text, now=MADE + LIFE))
    assert "renew it, then reload" in line


def test_the_warning_comes_again_each_day_until_the_stop(folder: Path) -> None:
    bench = Bench(folder, "ssl:8443", now=MADE + LIFE - timedelta(days=15))
    with Log() as log:
        bench.listening.startService()
        assert log.count("the certificate of") == 0
        for _ in range(3):
            bench.net.advance(WARNED_EVERY)
        assert log.count("the certificate of") == 2  # 13 and 12 days before, the first on the second day exactly 14
    bench.listening.stopService()
    assert bench.net.getDelayedCalls() == []


# --- real sockets ---


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


@pytest.fixture
def served(folder: Path) -> Iterator[Listening]:
    places = (place("ssl:0:interface=127.0.0.1"), place("tcp:0:interface=127.0.0.1"))
    listening = Listening(places, folder, folder, reactor, MADE.timestamp)
    listening.open(Factory.forProtocol(Echo))
    listening.startService()
    yield listening
    pytest_twisted.blockon(listening.stopService())


def speak(listening: Listening, folder: Path, change: Callable[[ssl.SSLContext], None] = lambda _: None) -> Any:
    """Say something over TLS in a thread; the Deferred gives TLS version, cipher and the echo."""

    def say() -> tuple[str | None, str, bytes]:
        context = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
        change(context)
        with (
            socket.create_connection(("127.0.0.1", listening.port), 10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(b"hello")
            cipher = secure.cipher()
            return secure.version(), cipher[0] if cipher else "", secure.recv(5)

    assert threading.current_thread() is threading.main_thread()
    answer: Deferred[Any] = deferToThread(say)
    return answer


async def test_whoever_trusts_the_authority_speaks_tls_1_3(served: Listening, folder: Path) -> None:
    version, _, echo = await speak(served, folder)
    assert (version, echo) == ("TLSv1.3", b"hello")


async def test_tls_1_2_is_spoken_with_forward_secrecy(served: Listening, folder: Path) -> None:
    def older(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    version, cipher, echo = await speak(served, folder, older)
    assert (version, echo) == ("TLSv1.2", b"hello")
    assert cipher.startswith("ECDHE-")


async def test_what_is_older_is_refused(served: Listening, folder: Path) -> None:
    def ancient(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await speak(served, folder, ancient)


async def test_a_client_that_does_not_know_the_authority_turns_away(served: Listening, folder: Path) -> None:
    def say() -> None:
        with socket.create_connection(("127.0.0.1", served.port), 10) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")

    with pytest.raises(ssl.SSLCertVerificationError):
        await deferToThread(say)


async def test_every_port_that_is_open_is_its_own(served: Listening) -> None:
    ports = [port.getHost().port for _, port in served._ports]
    assert len(set(ports)) == 2
    assert all(served.is_own("127.0.0.1", port) for port in ports)
    assert served.base == f"https://127.0.0.1:{ports[0]}"

"""`gatekeeper tls init`: what it says, and what it finds of the machine."""

import socket
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from gatekeeper.access.tls import names_of
from gatekeeper.commands import tls
from tests.commands.line import good, run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, on a machine called porch."""
    monkeypatch.chdir(tmp_path)
    nic = namedtuple("nic", ["family", "address"])
    found = {
        "lo": [nic(socket.AF_INET, "127.0.0.1"), nic(socket.AF_INET6, "::1")],
        "eth0": [
            nic(socket.AF_INET, "192.168.1.2"),
            nic(socket.AF_INET6, "fe80::1%eth0"),
            nic(17, "00:11:22:33:44:55"),
        ],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: found)
    monkeypatch.setattr(socket, "gethostname", lambda: "Porch")
    monkeypatch.setattr(socket, "getfqdn", lambda: "porch.lan")
    return tmp_path


def test_the_first_time_it_says_what_to_trust_and_how(here: Path) -> None:
    text = good("tls", "init")
    assert "the authority was made: gatekeeper-data/tls/ca.pem\n" in text
    assert "for porch, porch.lan, porch.local, localhost, 127.0.0.1, ::1, 192.168.1.2, fe80::1\n" in text
    assert 'listen = "ssl:8443"' in text
    for system in ("Debian", "macOS", "Windows", "Firefox", "Android", "iPhone", "curl"):
        assert system in text
    assert "SHA-256" in text
    assert (here / "gatekeeper-data").stat().st_mode & 0o777 == 0o700


def test_again_it_says_that_the_authority_stays() -> None:
    good("tls", "init", "--name", "gate.lan")
    text = good("tls", "init")
    assert "the authority stays as it was" in text
    assert "gate.lan" in text


def test_names_that_people_type_come_first() -> None:
    assert "for gate.lan, 10.0.0.1, " not in good("tls", "init", "-n", "gate.lan", "--name", "10.0.0.1")
    assert "for gate.lan, porch, " in good("tls", "init", "-n", "gate.lan")


def test_what_is_no_name_is_told_before_anything_is_made(here: Path) -> None:
    assert run("tls", "init", "--name", "a b").why == '"a b" is no host name and no IP address'
    assert list(here.iterdir()) == []


def test_a_name_that_came_later_and_is_public_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    good("tls", "init")
    monkeypatch.setattr(socket, "getfqdn", lambda: "porch.example")
    assert "left out, because this authority may not certify it: porch.example\n" in good("tls", "init")


@pytest.mark.parametrize("odd", ["my_laptop's name", "", "ä" * 70])
def test_a_machine_with_an_odd_name_has_a_certificate_all_the_same(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: odd)
    monkeypatch.setattr(socket, "getfqdn", lambda: odd)
    assert tls.machine().hosts == ("localhost",)


def test_a_machine_called_localhost_is_not_told_by_mdns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost.localdomain")
    monkeypatch.setattr(socket, "getfqdn", lambda: "localhost")
    expected = names_of(["localhost.localdomain", "localhost"])
    assert tls.machine().hosts == expected.hosts

"""Endpoint strings, and whether an address is the site's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import _parseServer  # the reference

from gatekeeper.addresses import NotAnEndpoint, Place, is_own, place

LAN = {"192.168.1.2", "fe80::1%eth0", "2001:db8::2"}

# --- where it listens ---


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("tcp:8000", Place("", "tcp", 8000)),
        ("tcp:port=8000", Place("", "tcp", 8000)),
        ("tcp:8000:interface=127.0.0.1", Place("", "tcp", 8000, "127.0.0.1")),
        (r"tcp:8000:interface=\:\:1", Place("", "tcp", 8000, "::1")),
        ("tcp:8000:interface=::1", Place("", "tcp", 8000, "::1")),
        ("ssl:8443", Place("", "ssl", 8443)),
        ("ssl:0:interface=10.0.0.1", Place("", "ssl", 0, "10.0.0.1")),
        ("ssl:443:privateKey=both.pem", Place("", "ssl", 443, "", "both.pem", "both.pem")),
        (
            r"ssl:443:privateKey=C\:/k.pem:certKey=c.pem:extraCertChain=a b.pem:interface=::",
            Place("", "ssl", 443, "::", "C:/k.pem", "c.pem", "a b.pem"),
        ),
        ("unix:/run/gatekeeper.sock:mode=660", Place("", "unix")),
    ],
)
def test_an_endpoint_is_understood(text: str, meant: Place) -> None:
    assert place(text) == Place(
        text, meant.scheme, meant.port, meant.interface, meant.key, meant.certificate, meant.chain
    )


@pytest.mark.parametrize(
    "text",
    ["", "ssl", "tcp:x", "tcp:80:x", "tcp:80:interface=", "tcp:80:interface=a:", "ssl:1:interface=a::b:", "tls:443",
     "tcp:80 ", "ssl:443:privateKey=a\nb", "tcp:65536", "unix:", "unix:a\nb"],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(NotAnEndpoint):
        place(text)


VALUES = st.text(st.sampled_from("ab/.:\\ =-"), min_size=1, max_size=8)


@given(st.integers(0, 65535), VALUES)
def test_values_are_quoted_as_twisted_quotes_them(port: int, value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace(":", "\\:")
    assert place(f"ssl:{port}:privateKey={quoted}").key == value
    assert place(f"ssl:{port}:privateKey={quoted}:interface=127.0.0.1").key == value


@given(st.text(max_size=40))
def test_whatever_is_taken_twisted_would_take_too_and_nothing_else_comes_out(rest: str) -> None:
    for scheme in ("tcp", "ssl"):
        try:
            meant = place(f"{scheme}:{rest}")
        except NotAnEndpoint:
            continue
        assert meant.port is not None
        assert 0 <= meant.port <= 65535


def test_twisted_means_the_same_by_a_tcp_endpoint() -> None:
    _, (port, _), options = _parseServer(r"tcp:8000:interface=\:\:1", None)
    assert (port, options["interface"]) == (8000, place(r"tcp:8000:interface=\:\:1").interface)


# --- what is its own ---


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST.", "cam.localhost", "192.168.1.2",
     "::ffff:127.0.0.1", "[::ffff:192.168.1.2]", "0.0.0.0"],  # noqa: S104
)  # fmt: skip
def test_a_site_on_every_interface_is_met_at_each_of_the_machines_addresses(host: str) -> None:
    assert is_own(host, 8000, [("", 8000)], LAN)
    assert not is_own(host, 8001, [("", 8000)], LAN)


@pytest.mark.parametrize("host", ["192.168.1.3", "gate.example", "2001:db8::2", "::1", "", "127.0.0.1.evil.example"])
def test_other_machines_and_families_are_not_its_own(host: str) -> None:
    assert not is_own(host, 8000, [("", 8000)], LAN)


@pytest.mark.parametrize("host", ["::1", "[::1]", "2001:db8::2", "fe80::1", "fe80::1%eth0", "127.0.0.1", "192.168.1.2"])
def test_a_site_on_every_ipv6_interface_takes_both_families(host: str) -> None:
    assert is_own(host, 8000, [("::", 8000)], LAN)


@pytest.mark.parametrize(
    ("interface", "host", "own"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "192.168.1.2", False),  # another server may listen there on the same port
        ("127.0.0.1", "127.0.0.2", False),
        ("192.168.1.2", "192.168.1.2", True),
        ("192.168.1.2", "127.0.0.1", False),
        ("localhost", "127.0.0.1", True),
        ("gate.example", "gate.example", False),  # for whoever resolves it
        ("0.0.0.0", "192.168.1.2", True),  # noqa: S104
    ],
)
def test_a_site_on_one_interface_is_met_only_there(interface: str, host: str, own: bool) -> None:
    assert is_own(host, 8000, [(interface, 8000)], LAN) is own


def test_each_of_several_places_counts() -> None:
    assert is_own("127.0.0.1", 8443, [("", 8000), ("127.0.0.1", 8443)])
    assert not is_own("127.0.0.1", 8443, [])


@given(st.text(), st.integers(0, 65535))
def test_whatever_a_host_is_called_there_is_an_answer(host: str, port: int) -> None:
    assert is_own(host, port, [("", port)]) in (True, False)

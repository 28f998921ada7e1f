"""Where the site listens, as the configuration says it, and whether an address leads back there. No I/O.

`listen` takes Twisted's endpoint strings: `tcp:PORT`, `ssl:PORT:privateKey=…:certKey=…`, `unix:PATH`, with
`interface=` for the first two, and a backslash before a colon that is part of a value. `ssl:PORT` by itself uses the
certificate that `gatekeeper tls init` makes.

A camera or a lock whose address is the site's own port would let the site ask itself: as the machine that it runs on,
which is trusted more than others, and in a circle.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

LAST_PORT = 65535

_IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_OPTION = re.compile(r"(?P<key>[A-Za-z]+)=(?P<value>(?:[^:\\]|\\.)+)", re.DOTALL)
_PORT = re.compile(r"(?:port=)?(?P<port>[0-9]{1,5})(?::|\Z)")
_INTERFACE6 = re.compile(r"interface=(?P<value>[0-9a-fA-F]*:[0-9a-fA-F:]+)\Z")  # with its colons as they are
_OPTIONS = {"tcp": {"interface"}, "ssl": {"interface", "privateKey", "certKey", "extraCertChain"}}


class NotAnEndpoint(ValueError):
    """The text is no endpoint to listen on; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Place:
    """One endpoint to listen on.

    :ivar text: as it was written.
    :ivar port: 0 for any free one; None for a Unix socket.
    :ivar interface: an IP address or a name; empty for every IPv4 interface.
    :ivar key: file of the private key (PEM), or None for the site's own certificate.
    :ivar certificate: file of the certificate, with or without its chain.
    :ivar chain: file of the chain, if it stands apart.
    """

    text: str
    scheme: Literal["tcp", "ssl", "unix"]
    port: int | None = None
    interface: str = ""
    key: str | None = None
    certificate: str | None = None
    chain: str | None = None


def place(text: str) -> Place:
    """Return what an endpoint string means.

    :raises NotAnEndpoint: if it means nothing that can be listened on.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest and text.isprintable():
        return Place(text, "unix")
    found = _PORT.match(rest)
    if scheme not in ("tcp", "ssl") or not found or int(found["port"]) > LAST_PORT:
        raise NotAnEndpoint(
            'a Twisted endpoint such as "tcp:8000", "tcp:8000:interface=127.0.0.1", "ssl:8443" or '
            '"unix:/run/gatekeeper.sock", with a port to 65535'
        )
    options = _options(scheme, rest[found.end() :], ended=rest[: found.end()].endswith(":"))
    key, certificate = options.get("privateKey"), options.get("certKey")
    if certificate is not None and key is None:
        raise NotAnEndpoint("certKey=FILE together with privateKey=FILE")
    if key is None and "extraCertChain" in options:
        raise NotAnEndpoint("extraCertChain=FILE together with privateKey=FILE and certKey=FILE")
    return Place(
        text,
        "ssl" if scheme == "ssl" else "tcp",
        int(found["port"]),
        options.get("interface", ""),
        key,
        certificate or key,  # one file for both, as with Twisted's own
        options.get("extraCertChain"),
    )


def _options(scheme: str, text: str, *, ended: bool) -> dict[str, str]:
    options: dict[str, str] = {}
    allowed = f"with {' and '.join(f'{key}=…' for key in sorted(_OPTIONS[scheme]))} after the port of {scheme}:"
    while text or ended:
        whole = _INTERFACE6.match(text)
        found = _OPTION.match(text)
        key = "interface" if whole else found["key"] if found else ""
        if key not in _OPTIONS[scheme] or key in options:
            raise NotAnEndpoint(allowed)
        value = whole["value"] if whole else re.sub(r"\\(.)", r"\1", found["value"]) if found else ""
        if not value.isprintable() or (whole and _address(value) is None):
            raise NotAnEndpoint(allowed)
        options[key] = value
        text = "" if whole or not found else text[found.end() :]
        ended = text.startswith(":")
        if text and not ended:
            raise NotAnEndpoint(allowed)
        text = text[1:]
    return options


# --- what is its own -------------------------------------------------------------------------------------------------


def is_own(host: str, port: int, listening: Iterable[tuple[str, int]], interfaces: Collection[str] = ()) -> bool:
    """Return whether a connection to a host and port would reach one of the places that the site listens on.

    Names other than `localhost` are for whoever resolves them: ask again with the address that was connected to.

    :param host: a name or an address, as in a URL.
    :param listening: interface ("" for every IPv4 interface) and port of each place.
    :param interfaces: this machine's own addresses.
    """
    reached = _reached(host)
    own = {address for text in interfaces if (address := _address(text)) is not None}
    return any(
        port == its and any(_meets(address, interface, own) for address in reached) for interface, its in listening
    )


def _reached(host: str) -> list[_IPAddress]:
    """Return the addresses that a host means here, as far as that is known without asking anybody."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
    address = _address(name)
    if address is None:
        return []
    if address.is_unspecified:  # connecting to 0.0.0.0 reaches the machine itself
        return [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
    return [address]


def _meets(address: _IPAddress, interface: str, own: Collection[_IPAddress]) -> bool:
    bound = _address(interface)
    if interface and bound is None:  # a name
        return address in _reached(interface)
    if bound is not None and not bound.is_unspecified:
        return address == bound
    takes_both = bound is not None and bound.version == 6  # Linux: a socket on :: takes IPv4 too
    return (address.version == 4 or takes_both) and (address.is_loopback or address in own)


def _address(text: str) -> _IPAddress | None:
    """Return the address that a text is, IPv4 in IPv6's clothes as IPv4, or None if it is a name."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

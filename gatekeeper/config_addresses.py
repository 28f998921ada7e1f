"""What the configuration says of addresses: where to listen, where devices and the database are."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gatekeeper import decoding
from gatekeeper.addresses import NotAnEndpoint, Place, is_own, place
from gatekeeper.config_measurements import Measurements
from gatekeeper.errors import ConfigurationError

PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "rtsp": 554, "rtsps": 322}
"""The port of each scheme where an address names none."""

_DEVICE = re.compile(r"v4l2:///dev/[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._:-]*)*")
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?")


def check_listen(listen: str | Sequence[str]) -> None:
    """Pass if every text is an endpoint, and no two are the same port."""
    if isinstance(listen, str):
        _check_endpoint("listen", listen)
        return
    if not listen:
        raise ConfigurationError("listen: found an empty list; allowed is one Twisted endpoint or more")
    for index, text in enumerate(listen):
        _check_endpoint(f"listen[{index}]", text)
    ports = [(one.port, one.interface) for one in map(place, listen)]
    for index, one in enumerate(ports):
        if one[0] and one in ports[:index]:
            raise ConfigurationError(f"listen[{index}]: port {one[0]} is already that of listen[{ports.index(one)}]")


def _check_endpoint(path: str, listen: str) -> None:
    try:
        place(listen)
    except NotAnEndpoint as error:
        raise ConfigurationError(f"{path}: found {decoding.show(listen)}; allowed is {error}") from error


def check_push_ports(stream: str | None, control: str | None, places: Sequence[Place]) -> None:
    """Pass if the ports for cameras, empty for none, are plain TCP and nobody else's."""
    taken = {one.port: "listen" for one in places if one.port}
    for path, text in (("push.listen", stream), ("push.control", control)):
        if not text:
            continue
        _check_endpoint(path, text)
        port = place(text)
        if port.scheme != "tcp":
            raise ConfigurationError(f"{path}: found {decoding.show(text)}; allowed is tcp:, cameras know no other")
        if port.port in taken:
            raise ConfigurationError(f"{path}: port {port.port} is already that of {taken[port.port]}")
        if port.port:
            taken[port.port] = path


def check_measurements(settings: Measurements, places: Sequence[Place]) -> None:
    """Pass if measurements have a port of their own, or none, and their lists hold something, once each."""
    if settings.listen is not None:
        _check_endpoint("measurements.listen", settings.listen)
        port = place(settings.listen).port
        if port and port in {one.port for one in places}:
            raise ConfigurationError(f"measurements.listen: port {port} is already that of listen")
    for key, values in (("categories", settings.categories), ("frequencies", settings.frequencies)):
        if not values:
            raise ConfigurationError(f"measurements.{key}: found an empty list; allowed is one or more")
        if len(set(values)) < len(values):
            raise ConfigurationError(f"measurements.{key}: found the same twice")
    for index, name in enumerate(settings.names):
        where = f"measurements.names[{index}]"
        if name.team > settings.teams:
            raise ConfigurationError(f"{where}.team: found {name.team}; allowed: 1 to {settings.teams}")
        if name.category and name.category not in settings.categories:
            raise ConfigurationError(
                f"{where}.category: found {decoding.show(name.category)}; "
                f"{decoding.choices(name.category, settings.categories)}"
            )


def check_address(path: str, text: str) -> None:
    """Pass if a text is an IP address, as connections show theirs."""
    try:
        shown = str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ConfigurationError(f"{path}: found {decoding.show(text)}; allowed is an IP address") from error
    if shown != text:
        raise ConfigurationError(f'{path}: found {decoding.show(text)}; allowed is "{shown}"')


def check_url(path: str, url: str, schemes: Sequence[str], credentials: str = "") -> None:
    """Pass if a device's address has one of the schemes, a host that can be dialled, and no password in it."""
    allowed = " or ".join(f"{scheme}://host[:port]/path" for scheme in schemes)
    parts = _split(url)
    sound = parts is not None and parts.scheme in schemes and not parts.fragment
    if "@" in url and (not sound or (parts is not None and "@" in parts.netloc)):
        raise ConfigurationError(f"{path}: found credentials in the address; allowed is {allowed}{credentials}")
    if not sound:
        shown = decoding.show(url.partition("?")[0])  # cameras carry passwords in the query
        raise ConfigurationError(f"{path}: found {shown}; allowed is {allowed}")


def is_device(url: str) -> bool:
    """Return whether an address means a video device of this machine."""
    return url.lower().startswith("v4l2:")


def check_device(path: str, url: str) -> None:
    """Pass if a video device's address names one under /dev."""
    if not _DEVICE.fullmatch(url):
        raise ConfigurationError(f"{path}: found {decoding.show(url)}; allowed is v4l2:///dev/video0 or its like")


def check_not_own(path: str, url: str, places: Iterable[Place]) -> None:
    """Refuse what is plain to see; what a name leads to shows when it is dialled."""
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
    if is_own(parts.hostname or "", port, [(place.interface, place.port) for place in places if place.port]):
        raise ConfigurationError(f"{path}: port {port} of this machine is gatekeeper's own port, see listen")


def check_database(url: str) -> None:
    """Pass if a database's address is PostgreSQL's, without the password."""
    parts = _split(url)
    if parts is None or parts.scheme != "postgresql" or parts.password is not None:
        found = "credentials in the address" if parts is not None and parts.password else decoding.show(url)
        raise ConfigurationError(
            f"storage.url: found {found}; allowed is postgresql://user@host[:port]/database, with password beside it"
        )


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address, or None if it can't be one."""
    if not url.isprintable() or " " in url:  # urlsplit would drop line breaks, and what connects later would not
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        return None
    return parts if port != 0 and (":" in host or _HOST.fullmatch(host)) else None

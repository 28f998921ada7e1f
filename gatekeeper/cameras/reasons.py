"""Why a camera shows nothing, worded for people: "camera front is offline: <reason>". Never an address's secrets."""

import re
from typing import Final
from urllib.parse import urlsplit

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error

from gatekeeper.config_addresses import PORTS

LONGEST_PATH: Final = 80  # characters of a path that are shown

_SECRET: Final = re.compile(r"pass|pwd|user|usr|login|token|secret|key|auth", re.IGNORECASE)


def place(url: str) -> str:
    """Return host and port of an address, for people."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or PORTS[parts.scheme]}"


def path(url: str) -> str:
    """Return an address's path without its query: cameras carry passwords in both."""
    shown = urlsplit(url).path or "/"
    if _SECRET.search(shown):
        return "its address"
    return shown if len(shown) <= LONGEST_PATH else shown[:LONGEST_PATH] + "…"


def of_failure(failure: BaseException, url: str, timeout: float) -> str | None:
    """Return why a request to `url` failed, or None if that is no failure of the network's or the camera's.

    :param timeout: seconds that the request had.
    """
    where = place(url)
    cause = _cause(failure)
    for kinds, wording in _WORDINGS:
        if isinstance(cause, kinds):
            return wording.format(where=where, host=urlsplit(url).hostname, timeout=timeout)
    if isinstance(cause, error.ConnectError):
        detail = getattr(cause.osError, "strerror", None) or type(cause).__name__
        return f"can't connect to {where}: {detail}"
    return f"what answers at {where} does not speak HTTP" if cause is not failure else None


def too_late(url: str, timeout: float, connected: bool) -> str:
    """Return that nobody answered in time."""
    if connected:
        return f"camera at {place(url)} took the connection, and did not answer within {timeout:g} s"
    return f"camera at {place(url)} did not answer within {timeout:g} s"


def _cause(failure: BaseException) -> BaseException:
    """Return what is inside the wrappers of Twisted's HTTP client."""
    while reasons := getattr(failure, "reasons", None):
        failure = reasons[-1].value
    return failure


_WORDINGS: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (
    ((error.DNSLookupError,), "host name {host} not found"),
    ((error.ConnectionRefusedError,), "camera at {where} refused the connection"),
    ((error.TimeoutError, error.TCPTimedOutError), "camera at {where} did not answer within {timeout:g} s"),
    ((error.NoRouteError,), "there is no route to {where}"),
    ((VerificationError, SSL.Error), "camera at {where} has no certificate that can be trusted"),
    (
        (error.ConnectionDone, error.ConnectionLost, error.ConnectionAborted),
        "camera at {where} closed the connection without an answer",
    ),
)

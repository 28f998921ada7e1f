"""What every request goes through: a bound on its body, its headers, and the headers of every answer."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import msgspec
from twisted.web.server import Request, Site

from gatekeeper.access.guard import Channel, Guard, is_own_origin
from gatekeeper.access.principal import Principal
from gatekeeper.errors import AccessDenied, InvalidArgument, TooLarge
from gatekeeper.http.errors import encode_error
from gatekeeper.uris import Route

MAXIMUM_BODY = 64 * 1024
"""Largest request body, bytes: the largest real one is a door call of a few hundred."""

IDLE_TIMEOUT = 60.0
"""Seconds that a connection may stand between requests, or take to send one."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # Not same-origin: a page on another port of this machine (a person's own, Home Assistant's) may show a picture.
    (b"cross-origin-resource-policy", b"same-site"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        b"frame-ancestors 'none'; form-action 'self'",
    ),
)
"""On every answer: the pages load nothing from elsewhere and run nothing inline."""


class BoundedRequest(Request):
    """A request whose body can't fill memory or disk."""

    _refused = False

    def gotLength(self, length: int | None) -> None:
        for name, value in HEADERS:
            self.setHeader(name, value)
        if length is not None and length > MAXIMUM_BODY:
            self._refuse()
            length = 0
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        if self.content is not None and self.content.tell() + len(data) > MAXIMUM_BODY:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._refused:  # the end of a body that was too large can stand in the same packet
            super().requestReceived(command, path, version)

    def render(self, resrc: Any) -> None:
        self.setHeader(b"server", b"gatekeeper")  # over Twisted's, which tells its version
        super().render(resrc)

    def getRequestHostname(self) -> bytes:
        """Return a name that Klein can read: it fails on an odd one, and no answer depends on it."""
        return b"gatekeeper"

    def _refuse(self) -> None:
        """Answer before the request is whole, so by the channel; what still comes is not kept."""
        if self._refused:
            return
        self._refused = True
        body = encode_error(self, TooLarge(f"the body has more than {MAXIMUM_BODY} bytes"))
        self.setHeader(b"connection", b"close")
        self.channel.writeHeaders(b"HTTP/1.1", b"413", b"Content Too Large", self.responseHeaders)
        self.channel.write(body)
        self.channel.loseConnection()


class HttpSite(Site):
    """A twisted.web site that knows its connections, so that a stop leaves none open."""

    def __init__(self, resource: Any, reactor: Any) -> None:
        super().__init__(resource, requestFactory=BoundedRequest, timeout=IDLE_TIMEOUT, reactor=reactor)
        self.displayTracebacks = False
        self.noisy = False
        self._open: WeakSet[Any] = WeakSet()

    def acceptableProtocols(self) -> list[bytes]:
        """Return what TLS may agree on: no HTTP/2, whose connections no stream or WebSocket can take over."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        self._open.add(channel)
        return channel

    def log(self, request: Any) -> None:
        """Write no access log: twisted.web's would hold one-time codes, and a line per request says little."""

    def abort(self) -> None:
        """Cut every connection that still speaks HTTP; streams and WebSockets were taken over by others."""
        for channel in list(self._open):
            transport = channel._channel.transport  # what buildProtocol returns is a shell around HTTP/1 or 2
            if transport is not None:
                transport.abortConnection()


def headers_of(request: Request) -> Mapping[str, str]:
    """Return a request's headers by lower-case name, the last of each."""
    return {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }


def channel_of(request: Request) -> Channel:
    """Return what a request came over."""
    address = str(getattr(request.getClientAddress(), "host", "unix"))
    return Channel(address, "http", secure=bool(request.isSecure()))


def authorise(guard: Guard, request: Request, route: Route, ids: Mapping[str, str]) -> Principal | None:
    """Return who sent a request, if that may use the route, on the thing that its path names.

    :param ids: what stands in the path, by name.
    :raises NotAuthenticated: if nobody is logged in and somebody must be.
    :raises AccessDenied: if that somebody may not, or a page of another origin sent it with the browser's cookie.
    """
    headers = headers_of(request)
    if request.method not in (b"GET", b"HEAD") and not is_own_origin(headers):
        raise AccessDenied("a page of another origin may not do this")
    channel = channel_of(request)
    principal = guard.identify(headers, channel.address, secure=channel.secure)
    guard.authorise(principal, route, ids)
    return principal


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request's body; an empty body is an empty object.

    :raises InvalidArgument: if it is anything else, or a form: a form of another site needs no leave to be sent.
    """
    content = request.content
    raw = content.read() if content is not None else b""
    if not raw:
        return {}
    kind = headers_of(request).get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidArgument(f'the body must be application/json, not "{kind[:40]}"')
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except RecursionError as error:
        raise InvalidArgument("the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"the body is not a JSON object: {error}") from error

"""Asking a camera for its stream, through redirects and passwords, until a multipart body begins or a reason is known.

Each request has a connection of its own, and the last one is gone before the next is dialled. Redirects are followed
here because Twisted's agents leave the bodies of redirecting answers unread, and their connections open. Credentials
are sent when they are asked for, the strongest way that is offered, and to the configured origin only.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.web.client import URI, Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from gatekeeper import config
from gatekeeper.cameras import content_type, reasons
from gatekeeper.cameras.connection import Dialler
from gatekeeper.cameras.digest import Digest, challenges

MAXIMUM_REDIRECTS: Final = 5  # real ones need one: to https, or to a path with a slash
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_PLAIN: Final = ("", "identity")


class Refused(Exception):
    """There is no stream; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is the stream.

    :ivar boundary: as the answer declares it.
    """

    response: Any
    boundary: str


@implementer(IAgent)
class _Agent:
    """What treq sends its requests through: no compression, and a digest where one was asked for."""

    def __init__(self, agent: Agent, authorize: Callable[[bytes, bytes], bytes | None]) -> None:
        self._agent = agent
        self._authorize = authorize

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        sent = headers.copy() if headers is not None else Headers()
        sent.removeHeader(b"accept-encoding")
        authorization = self._authorize(method, URI.fromBytes(uri).originForm)
        if authorization is not None:
            sent.setRawHeaders(b"authorization", [authorization])
        return self._agent.request(method, uri, sent, bodyProducer).addCallback(_uncompressed)


def _uncompressed(response: IResponse) -> IResponse:
    """Let plain answers through: a few bytes of gzip can be gigabytes, and no camera compresses JPEG."""
    if _header(response, "content-encoding").lower() not in _PLAIN:
        raise Refused("answered with a compressed stream")
    return response


class Inquiry:
    """Asks one camera, as often as needed, and remembers how it wants to be told who asks.

    :param reactor: network and clock.
    :param dialler: makes the connections.
    :param camera: its configuration.
    :param password: as read from the configured place; None without a user name.
    """

    def __init__(self, reactor: Any, dialler: Dialler, camera: config.Camera, password: str | None) -> None:
        self._dialler = dialler
        self._camera = camera
        self._password = password
        self._scheme: Digest | str | None = None  # "basic", or a challenge; None until somebody asks
        self._trusted = False  # the request goes to the configured origin
        self._agent = _Agent(Agent.usingEndpointFactory(reactor, dialler), self._authorize)
        self._reactor = reactor
        self.url = camera.address  # what is being asked, for the reasons

    async def ask(self) -> Stream:
        """Return the stream, whose connection stays open.

        :raises Refused: if there is none.
        """
        return self._stream(await self.answer())

    async def answer(self) -> Any:
        """Return the answer with status 200, whose body is still to come.

        :raises Refused: if there is none.
        """
        self.url, visited, challenged = self._camera.address, set[str](), False
        while True:
            response = await self._request()
            self._dialler.answered()
            if response.code in _REDIRECTS:
                visited.add(self.url)
                self.url = self._follow(response, visited)
            elif response.code == 401:
                self._scheme = self._choose(response, challenged)
                challenged = True
            else:
                return self._found(response)
            await self._dialler.close()

    async def _request(self) -> Any:
        self._trusted = _origin(self.url) == _origin(self._camera.address)
        basic = None
        if self._scheme == "basic" and self._trusted:
            basic = (self._camera.username or "", self._password or "")
        client = HTTPClient(self._agent)  # a new one each time: it keeps cookies
        return await client.get(
            self.url,
            headers=Headers({"User-Agent": ["gatekeeper"]}),
            auth=basic,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )

    def _authorize(self, method: bytes, target: bytes) -> bytes | None:
        if not isinstance(self._scheme, Digest) or not self._trusted:
            return None
        username, password = self._camera.username or "", self._password or ""
        value = self._scheme.authorization(
            username, password, method.decode(), target.decode("latin-1"), secrets.token_hex(16)
        )
        return value.encode("utf-8")

    def _follow(self, response: Any, visited: set[str]) -> str:
        parts = urlsplit(urljoin(self.url, _header(response, "location")))
        netloc = parts.netloc.rpartition("@")[2]  # credentials in an address that a camera names are not ours to send
        target = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
        if parts.scheme not in ("http", "https") or not netloc:
            raise Refused("redirects to an address that is not http or https")
        if target in visited or len(visited) > MAXIMUM_REDIRECTS:
            raise Refused("redirects in a loop")
        return target

    def _choose(self, response: Any, challenged: bool) -> Digest | str:
        """Return how to authenticate, digest before basic."""
        if not self._trusted:
            raise Refused(f"redirects to {reasons.place(self.url)}, which asks for a password; ours is not for it")
        if self._camera.username is None or self._password is None:
            raise Refused("asks for a user name and a password; none is configured")
        if challenged:
            self._scheme = None
            raise Refused("wrong user name or password")
        offered = challenges(response.headers.getRawHeaders("www-authenticate", []))
        for challenge in offered:
            if (digest := Digest.of(challenge)) is not None:
                return digest
        if any(challenge.type == "basic" for challenge in offered):
            return "basic"
        raise Refused("asks for a kind of authentication that is not known here")

    def _found(self, response: Any) -> Any:
        if response.code != 200:
            phrase = "".join(char for char in response.phrase.decode("latin-1")[:40] if char.isprintable())
            raise Refused(f"answered {response.code} {phrase} for {reasons.path(self.url)}".replace("  ", " "))
        return response

    def _stream(self, response: Any) -> Stream:
        try:
            return Stream(response, content_type.boundary(_header(response, "content-type")))
        except content_type.InvalidContentType as error:
            raise Refused(f"answered {error}") from error


def _header(response: Any, name: str) -> str:
    values: list[str] = response.headers.getRawHeaders(name, [])
    return values[-1].strip() if values else ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)

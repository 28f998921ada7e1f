"""A whole site in memory: real routes, router, doors and cameras; no socket, and a clock that stands still."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper import config
from gatekeeper.access.guard import Channel
from gatekeeper.access.login import Given
from gatekeeper.access.passwords import Cost, Inline
from gatekeeper.access.wamp import identity
from gatekeeper.site import Site
from gatekeeper.source import Source
from gatekeeper.storage.database import Database
from gatekeeper.wamp.local import LocalSession
from tests.databases import InlineDatabase

TOKEN = "correct-horse-battery-staple"
SETTINGS = """
listen = "tcp:8000"
[access]
admin_token = {file = "token"}
allow_plain_login = true
[[cameras]]
id = "yard"
url = "http://192.168.137.20/stream?pwd=secret"
doors = ["front"]
[[cameras]]
id = "hall"
url = "http://192.168.137.22/stream"
[[doors]]
id = "front"
url = "ws://192.168.137.21/ws"
"""


class Wire(StringTransport):
    """A connection in memory that remembers how it ended."""

    def __init__(self, peer: str = "192.168.137.2") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", peer, 50_000))
        self.protocol: Any = None
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    def unregisterProducer(self) -> None:
        self.producer = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass

    def getTcpKeepAlive(self) -> bool:
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it stood on the wire; `fields` by lower-case name, cookies joined by line breaks."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The error's code; the shape is checked on the way."""
        assert self.fields["content-type"] == "application/json"
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message"}
        assert self.json["error"]["message"]
        return str(self.json["error"]["code"])


def answers(received: bytes) -> list[Answer]:
    """Take apart what came back over one connection."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            known = fields.get(name.lower())
            fields[name.lower()] = value if known is None else f"{known}\n{value}"
        assert fields.get("transfer-encoding") is None, "an answer is known before it is sent"
        size = int(fields.get("content-length", len(received)))
        found.append(Answer(int(status.split()[1]), fields, received[:size]))
        received = received[size:]
    return found


@implementer(ILogObserver)
class Log:
    """Everything that is logged while it listens, with all that each event carries."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        self.lines.append(f"{formatEvent(event)} {event!r}")

    def __enter__(self) -> "Log":
        globalLogPublisher.addObserver(self)
        return self

    def __exit__(self, *_: object) -> None:
        globalLogPublisher.removeObserver(self)

    def count(self, text: str) -> int:
        """Return how many events carry a text."""
        return sum(text in line for line in self.lines)


class InlineDisk:
    """Works with files at once, in the caller's thread."""

    def __init__(self, name: str) -> None:
        pass

    def run(self, work: Callable[[], Any]) -> "Deferred[Any]":
        return execute(work)

    def stop(self) -> None:
        pass


class Memory:
    """A site, and whoever calls it by HTTP."""

    def __init__(self, folder: Path, settings: str = SETTINGS, *, token: str = TOKEN) -> None:
        (folder / "token").write_text(token)
        self.file = folder / "site.toml"
        self.file.write_text(settings)
        self.net = MemoryReactorClock()
        self.database = InlineDatabase()
        self.site = Site(
            config.parse(settings),
            folder,
            self.net,
            source=Source(self.file, lambda site: site),
            wall=lambda: 1_800_000_000.0 + self.net.seconds(),
            database=cast(Database, self.database),
            runner=Inline(),
            cost=Cost(memory=8, passes=1, cra_iterations=1),
            disk=InlineDisk,
        )
        self.site.privilegedStartService()
        self.site.journal.start()
        self.bearer = {"Authorization": f"Bearer {token}"}

    def raw(self, data: bytes) -> Wire:
        """Send bytes over a new connection; return its wire."""
        channel: Any = self.net.tcpServers[0][1].buildProtocol(IPv4Address("TCP", "192.168.137.2", 50_000))
        wire = Wire()
        wire.protocol = channel
        channel.makeConnection(wire)
        channel.dataReceived(data)
        return wire

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Wire:
        """Send one request; return the wire, for what isn't answered at once."""
        fields = {"Host": "gate.local:8000", **(headers or {})}
        if body or method == "POST":
            fields.setdefault("Content-Length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send one request; return its answer."""
        received = self.send(method, path, headers, body).value()
        if method == "HEAD":
            received, _, rest = received.partition(b"\r\n\r\n")
            assert rest == b"", "HEAD has no body"
            received = b"\r\n".join(line for line in received.split(b"\r\n") if not line.startswith(b"Content-Length"))
        [answer] = answers(received)
        return answer

    def post(self, path: str, arguments: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """POST a JSON body as the administrator, or as the headers say."""
        body = b"" if arguments is None else json.dumps(arguments).encode()
        fields = {"Content-Type": "application/json", **(self.bearer if headers is None else headers)}
        return self.ask("POST", path, fields, body)

    def session(self) -> LocalSession:
        """Return a session of the administrator's, as if it had come in over a WebSocket with the token."""
        found = self.site.entrance.guard.prove(TOKEN, Channel("192.168.137.2", "wamp"))
        assert found is not None
        return LocalSession(self.site._router, identity(found, "ticket"))

    def cookie(self) -> str:
        """Log a browser in with the admin token; return its cookie."""
        given: list[Any] = []
        logging_in = self.site.entrance.logins.by_key(TOKEN, Channel("192.168.137.2"))
        Deferred.fromCoroutine(logging_in).addBoth(given.append)
        assert isinstance(given[0], Given), given
        return f"gatekeeper={given[0].cookie}"


class Lock(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """A lock by hand: says what it is told, keeps what it heard."""

    def onOpen(self) -> None:
        self.heard: list[str] = []

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.heard.append(payload.decode())


class Plug:
    """Puts a lock at the end of the connection that a link asked for, and carries bytes between the two."""

    def __init__(self, net: Any, attempt: int = -1) -> None:
        host, port, factory, *_ = net.tcpClients[attempt]
        self.address = (host, port)
        server = WebSocketServerFactory(reactor=net)
        server.protocol = Lock
        server.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        self.ours, self.theirs = Wire(), Wire()
        self.client = factory.buildProtocol(IPv4Address("TCP", host, port))
        self.lock: Lock = server.buildProtocol(IPv4Address("TCP", host, port))
        self.lock.makeConnection(self.theirs)
        self.client.makeConnection(self.ours)
        self.carry()

    def carry(self) -> None:
        """Carry bytes both ways until nothing is left."""
        while self.ours.value() or self.theirs.value():
            up, down = self.ours.value(), self.theirs.value()
            self.ours.clear()
            self.theirs.clear()
            if up:
                self.lock.dataReceived(up)
            if down:
                self.client.dataReceived(down)

    def says(self, *lines: str) -> None:
        """Let the lock send lines."""
        for line in lines:
            self.lock.sendMessage(line.encode())
        self.carry()

    def heard(self) -> list[str]:
        """Return what the lock was sent since the last look."""
        self.carry()
        heard, self.lock.heard = self.lock.heard, []
        return heard

    def greet(self, relay: str = "LOCKED") -> "Plug":
        """Let the lock greet and answer the first STATUS."""
        self.says("Connected to Door Lock", f"OK:{relay}", f"OK:{relay}", "ACK:STATUS")
        assert self.heard() == ["STATUS"]
        return self

    def lose(self, reason: BaseException | None = None) -> None:
        """Lose the connection, on our side."""
        self.client.connectionLost(Failure(reason or ConnectionLost()))

"""Gatekeeper's stream as a process for benches: a camera in, `/stream` and `/ping` out.

`python -m tests.bench.server <camera port> <way> <reactor> [profile file]` prints its port.
"""

import asyncio
import cProfile
import sys
import time
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory, Protocol

from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.multipart import Parser, Part


class Intake(Protocol):
    """Reads the bench's camera; stands for `cameras/pull`, of which only the parser matters here."""

    def __init__(self, feed: Feed, clock: Any) -> None:
        self._feed = feed
        self._clock = clock
        self._parser = Parser("frame")
        self._in_body = False

    def connectionMade(self) -> None:
        """Ask for the stream."""
        assert self.transport is not None
        self.transport.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        """Put whole pictures into the feed."""
        for event in self._parser.receive_data(data):
            if isinstance(event, Part):
                self._feed.put(event.jpeg, event.width, event.height, self._clock.seconds(), time.time())


def install(name: str) -> Any:
    """Install a reactor: `epoll`, `asyncio`, or `uvloop` for asyncio's with uvloop."""
    if name == "epoll":
        from twisted.internet import epollreactor

        epollreactor.install()
    else:
        from twisted.internet import asyncioreactor

        loop = asyncio.new_event_loop()
        if name == "uvloop":
            import uvloop

            loop = uvloop.new_event_loop()
        asyncioreactor.install(loop)
    from twisted.internet import reactor

    return reactor


def main() -> None:
    """Run until terminated."""
    camera, way, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    reactor = install(name)
    from twisted.internet.endpoints import TCP4ClientEndpoint
    from twisted.web.resource import Resource
    from twisted.web.server import Site
    from twisted.web.static import Data

    from gatekeeper.http.mjpeg import Seats, Stream, Terms
    from gatekeeper.http.senders import Way

    def notice(condition: Condition) -> Deferred[bytes]:
        return succeed(b"\xff\xd8no picture\xff\xd9")

    feed = Feed("bench", time.time())
    root: Any = Resource()
    root.putChild(b"stream", Stream(feed, Terms(reactor, notice, 600.0, Seats(10_000), way=Way(way))))
    root.putChild(b"ping", Data(b"pong", "text/plain"))
    port = reactor.listenTCP(0, Site(root), backlog=1024, interface="127.0.0.1")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", camera)
    endpoint.connect(Factory.forProtocol(lambda: Intake(feed, reactor)))
    print(port.getHost().port, flush=True)
    if len(sys.argv) > 4:
        profile = cProfile.Profile()
        profile.runcall(reactor.run)
        profile.dump_stats(sys.argv[4])
    else:
        reactor.run()


if __name__ == "__main__":
    main()

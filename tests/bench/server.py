"""Gatekeeper's stream as a process for benches: a camera pulled in, `/stream` and `/ping` out.

`python -m tests.bench.server <camera port> <way> <reactor>` prints its port.
"""

import asyncio
import sys
import time
from typing import Any

from twisted.internet.defer import Deferred, succeed

from gatekeeper.cameras.feed import Condition, Feed


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
    from twisted.web.resource import Resource
    from twisted.web.server import Site
    from twisted.web.static import Data

    from gatekeeper import config
    from gatekeeper.cameras.pull import CameraPull
    from gatekeeper.http.mjpeg import Seats, Stream, Terms
    from gatekeeper.http.senders import Way

    def notice(condition: Condition) -> Deferred[bytes]:
        return succeed(b"\xff\xd8no picture\xff\xd9")

    feed = Feed("bench", time.time())
    root: Any = Resource()
    root.putChild(b"stream", Stream(feed, Terms(reactor, notice, 600.0, Seats(10_000), way=Way(way))))
    root.putChild(b"ping", Data(b"pong", "text/plain"))
    port = reactor.listenTCP(0, Site(root), backlog=1024, interface="127.0.0.1")
    settings = config.Camera(id="bench", url=f"http://127.0.0.1:{camera}/stream", stall_timeout=60.0)
    CameraPull(reactor, settings, None, feed, time.time).startService()
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    main()

"""The floor for cameras that connect: a bare Autobahn server that takes their messages and counts pictures.

`python -m tests.bench.push_counter` prints its port; a line on its standard input is answered with the count.
"""

import sys
import threading
from typing import Any

from twisted.internet import asyncioreactor

asyncioreactor.install()

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol  # noqa: E402
from twisted.internet import reactor  # noqa: E402

COUNT = [0]


class Counter(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    """Counts ends of pictures."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not isBinary and b"_end" in payload:
            COUNT[0] += 1


def main() -> None:
    """Listen on a free port of the loopback."""
    factory = WebSocketServerFactory()
    factory.protocol = Counter
    listening: Any = reactor
    port = listening.listenTCP(0, factory, interface="127.0.0.1")

    def answer() -> None:
        for _ in sys.stdin:
            print(COUNT[0], flush=True)

    threading.Thread(target=answer, daemon=True).start()
    print(port.getHost().port, flush=True)
    listening.run()


if __name__ == "__main__":
    main()

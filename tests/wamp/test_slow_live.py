"""Viewers that read slowly or not at all, on real sockets of every kind: nobody else notices, and memory is bounded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    connectProtocol,
)
from twisted.internet.protocol import Protocol

from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.connection import STALLED_PINGS
from gatekeeper.wamp.transport import CLOSING_SECONDS, PING_SECONDS
from tests.wamp.house import House
from tests.wamp.rawsocket import RawSocketClient
from tests.wamp.test_live import FRAME, turn
from tests.wamp.wire import Raw

# Transport and socket of the viewers.
KINDS = ["raw-tcp", "raw-tls", "raw-unix", "web-tcp", "web-tls"]
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    pytest_twisted.blockon(Deferred.fromCoroutine(house.close()))


async def viewers_of(house: House, kind: str, count: int) -> list[Any]:
    """Return raw clients that have subscribed to the frames; none of them ever answers a ping."""
    framing, socket = kind.split("-")
    endpoint = await house.listen(socket, house.web if framing == "web" else house.raw)
    viewers: list[Any] = []
    for _ in range(count):
        made: Protocol = Raw(CBOR) if framing == "web" else RawSocketClient(CBOR)
        viewer: Any = await connectProtocol(endpoint, made)
        viewer.join()
        viewer.say(32, 1, {}, "a.frame")
        await viewer.until(lambda viewer=viewer: len(viewer.messages) == 2)
        viewers.append(viewer)
    return viewers


class Camera:
    """Publishes frames.

    :ivar published: how many so far; the number that each carries.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.published = 0

    async def stream(self, is_enough: Callable[[], bool]) -> None:
        """Publish a frame in each turn of the reactor until this is true."""
        while not is_enough():
            self.published += 1
            self.house.local.publish("a.frame", self.published, bytes(FRAME))
            assert self.published < 20_000, "memory takes 600 MB"
            await turn()

    async def stream_until_dropping(self) -> None:
        """Publish until ten more frames were replaced."""
        enough = self.house.router.metrics().events_replaced + 10
        await self.stream(lambda: self.house.router.metrics().events_replaced >= enough)


@every_kind
async def test_a_stalled_viewer_holds_little_and_the_others_get_all(house: House, kind: str) -> None:
    stalled, lively = await viewers_of(house, kind, 2)
    stalled.pause()
    published = 0
    while house.router.metrics().events_replaced < 10:
        published += 1
        house.local.publish("a.frame", published, bytes(FRAME))
        await lively.until(lambda: bool(lively.events) and lively.events[-1][4][0] == published)  # noqa: B023
        assert published < 5000, "memory takes 150 MB"
    assert [event[4][0] for event in lively.events] == list(range(1, published + 1))
    costs = sorted(metrics.unsent_bytes for metrics in house.router.session_metrics())
    assert costs[0] == 0
    # Over TLS what is in its buffer counts as 64 KiB and what came since; then the one frame that waits.
    assert costs[1] <= 64 * 1024 + 3 * FRAME
    stalled.resume()
    await stalled.until(lambda: bool(stalled.events) and stalled.events[-1][4][0] == published)
    assert len(stalled.events) < published
    assert house.router.metrics().over_budget == 0
    for viewer in (stalled, lively):
        viewer.abort()


@every_kind
async def test_a_viewer_that_reads_slowly_is_never_dropped(house: House, kind: str) -> None:
    (viewer,) = await viewers_of(house, kind, 1)
    camera = Camera(house)
    for _ in range(6):  # it never gets as far as a ping: each time it has read what waited, more has come
        viewer.pause()
        await camera.stream_until_dropping()
        seen = len(viewer.events)
        viewer.resume()
        await camera.stream(lambda: len(viewer.events) > seen + 3)  # noqa: B023
        house.clock.advance(PING_SECONDS)
    assert house.router.metrics().sessions_now == 2
    await viewer.until(lambda: viewer.events[-1][4][0] == camera.published)
    assert house.router.metrics().over_budget == 0
    viewer.abort()


@every_kind
async def test_a_viewer_that_reads_nothing_at_all_is_dropped_as_silent(house: House, kind: str) -> None:
    (viewer,) = await viewers_of(house, kind, 1)
    viewer.pause()
    await Camera(house).stream_until_dropping()
    for _ in range(STALLED_PINGS + 2):
        assert house.router.metrics().connections_now == 1
        house.clock.advance(PING_SECONDS)
    viewer.resume()  # it learns of it when it reads again
    await viewer.lost.addTimeout(20, reactor)
    assert house.router.metrics().connections_now == 0


async def test_over_tls_a_connection_closes_without_waiting_for_time(house: House) -> None:
    endpoint = await house.listen("tls", house.web)
    client = await connectProtocol(endpoint, Raw(CBOR))
    client.join()
    await client.until(lambda: len(client.messages) == 1)
    client.say(6, {}, "wamp.close.normal")
    await client.until(lambda: len(client.messages) == 2)
    client.transport.write(bytes.fromhex("888000000000"))
    await client.lost.addTimeout(20, reactor)
    # Nothing but the clock could have forced it, and that stood still.
    assert house.clock.seconds() < CLOSING_SECONDS

"""Tiles of another site's camera: its pictures come by its topic, while somebody here watches."""

from typing import Any

from twisted.internet.task import Clock

from gatekeeper.cameras.relay import Relay
from gatekeeper.cameras.tile import Asked, painted_of
from gatekeeper.cameras.watching import Watching
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.shared import Shared

FACTS = {"camera": "far", "sequence": 700, "received": 1000.5, "width": 640, "height": 480, "size": 4}


def test_pictures_of_another_site_come_by_credit_while_they_are_watched() -> None:
    router, clock = Router("realm"), Clock()
    site, pages = (LocalSession(router, Identity(name, TRUSTED, "local")) for name in ("site", "pages"))
    watchers: list[int] = []
    site.watch_subscribers("gatekeeper.camera.far.frame", watchers.append)
    watching = Watching({}, clock, router.unsent_bytes, router.when_drained, router.probe)
    watching.relay = Relay(pages.subscribe, lambda camera: camera == "far", clock.seconds, lambda: 1000.0)
    got: list[Any] = []

    def part(shared: Shared) -> None:
        got.append((shared.args[0], shared.kwargs["received"], shared.kwargs["sequence"]))

    tiles = [watching.watch(4711, part, Asked(camera="far", tile=tile)) for tile in (1, 2)]
    assert watchers == [0, 1]
    for jpeg in (b"one", b"two"):
        site.publish("gatekeeper.camera.far.frame", jpeg, **FACTS)
    assert got == [(b"one", 1000.5, 1)] * 2
    watching.credit(4711, painted_of([[2, 1]]), lambda camera: True)
    assert got[2:] == [(b"two", 1000.5, 2)]
    for tile in tiles:
        tile.addErrback(lambda failure: None)
        tile.cancel()
    assert watchers == [0, 1, 0]

"""The state of the process."""

from typing import Any

import msgspec
from twisted.internet.task import Clock

import gatekeeper
from gatekeeper.system.api import LIBRARIES, System, reactor_name

WALL = 1_800_000_000.0


def system(clock: Clock) -> System:
    return System(
        name="shop",
        demo=True,
        teams=8,
        reactor=clock,
        wall=lambda: WALL + float(clock.seconds()),
        cameras=lambda: ["yard"],
        doors=lambda: ["front"],
        router=lambda: {"sessions": 1},
        storage=lambda: {"state": "ok"},
    )


def test_uptime_is_counted_from_when_it_was_made() -> None:
    clock = Clock()
    clock.advance(100.0)
    it = system(clock)
    clock.advance(12.5)
    status = it.status()
    assert (status.uptime, status.started, status.time) == (12.5, WALL + 100.0, WALL + 112.5)
    assert it.time() == {"time": WALL + 112.5}


def test_the_status_tells_what_runs_and_what_it_costs() -> None:
    status = system(Clock()).status()
    assert (status.name, status.demo, status.version) == ("shop", True, gatekeeper.__version__)
    assert (status.cameras, status.doors, status.router) == (["yard"], ["front"], {"sessions": 1})
    assert status.teams == 8
    assert status.storage == {"state": "ok"}
    assert set(status.versions) == {"python", *LIBRARIES}
    assert status.memory > 1_000_000
    assert status.threads >= 1
    assert status.cpu >= 0
    assert msgspec.json.decode(msgspec.json.encode(status))["name"] == "shop"


def test_the_reactor_is_named_with_its_loop() -> None:
    class Loop:
        __module__ = "uvloop.loop"

    class Reactor:
        _asyncioEventloop: Any = Loop()

    assert reactor_name(Reactor()) == "asyncio (uvloop)"
    assert reactor_name(Clock()) == "Clock"

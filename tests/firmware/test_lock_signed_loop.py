"""Signed mode in the loop: the server's link with its key against the lock's own core, and whoever listens between."""

import ctypes
from collections.abc import Callable

import pytest

from gatekeeper.doors.actions import Opened
from gatekeeper.doors.states import DoorState
from tests.firmware.conftest import Stopped
from tests.firmware.lock_site import Site
from tests.firmware.own_lock import WRAP

KEY = bytes(range(32))
LOCKED, UNLOCKED = DoorState.LOCKED, DoorState.UNLOCKED

Building = Callable[..., Site]


@pytest.fixture
def build(core: ctypes.CDLL, stopped: Stopped) -> Building:
    return lambda **settings: stopped(Site(core, **{"key": KEY, "server_key": KEY, **settings}))


@pytest.mark.parametrize("now", [0, WRAP - 3_000], ids=["start", "wrap"])
async def test_everything_in_a_session_is_signed_both_ways(build: Building, now: int) -> None:
    site = build(now=now)
    await site.ready()
    site.open(12.0)
    await site.until(lambda: site.state is UNLOCKED)
    await site.pass_(11, 50)
    assert site.board.relay  # signed PINGs are heartbeats
    await site.until(lambda: site.state is LOCKED, step=50)
    assert isinstance(site.answers[0], Opened)
    assert [text[:2] for text in site.board.heard] == ["HE", *["C:"] * (len(site.board.heard) - 1)]
    ready = next(place for place, text in enumerate(site.board.said) if text.startswith("READY:"))
    assert {text[:2] for text in site.board.said[ready + 1 :]} == {"R:"}
    assert site.board.opened == 1


async def test_whoever_listened_and_says_it_again_opens_nothing(build: Building) -> None:
    site = build()
    await site.ready()
    site.open(0.5)
    await site.until(lambda: len(site.board.history) == 2 and site.state is LOCKED)
    overheard = [text for text in site.board.heard if text.startswith(("HELLO:", "C:"))]
    for _ in range(len(overheard)):
        listener = site.stranger().ask()
        await site.pass_(0.1)
        for text in overheard[:3]:
            if not listener.closed:
                listener.say(text)
                await site.pass_(0.05)
        overheard = overheard[1:] + overheard[:1]
        assert not any(text.startswith(("READY:", "R:")) for text in listener.texts)
        assert "ERR:AUTH" in listener.texts
        listener.close()
        await site.pass_(0.1)
    assert len(site.board.history) == 2
    assert site.link.door.ready


async def test_a_lock_that_starts_anew_is_greeted_anew(build: Building) -> None:
    site = build()
    await site.ready()
    site.open(30.0)
    await site.until(lambda: site.state is UNLOCKED)
    before = list(site.board.heard)
    site.board.restart()
    await site.until(lambda: site.board.opened == 2 and site.link.door.ready)
    assert site.state is LOCKED
    hellos = [text for text in site.board.heard if text.startswith("HELLO:")]
    assert len(set(hellos)) == 2
    site.board.heard.clear()
    site.open(5.0)
    await site.until(lambda: site.state is UNLOCKED)
    assert not set(before) & set(site.board.heard)  # the counter begins anew, the tags do not


async def test_with_another_key_nothing_is_said_and_nothing_opens(build: Building) -> None:
    site = build(server_key=bytes(32))
    await site.pass_(10, 50)
    assert not site.link.door.ready
    assert site.link.door.reason
    assert not any(text.startswith(("C:", "OPEN", "PING", "STATUS")) for text in site.board.heard)
    assert site.board.history == []


async def test_a_server_without_the_key_opens_nothing_and_can_lock(build: Building) -> None:
    site = build(server_key=None)
    await site.pass_(2, 50)
    if site.link.door.ready:
        site.open(5.0)
        await site.pass_(2, 50)
    assert site.board.history == []
    assert "ERR:AUTH" in site.board.said


async def test_a_server_with_a_key_does_not_fall_back_to_a_lock_without_one(build: Building) -> None:
    site = build(key=None)
    await site.pass_(8, 50)
    assert not site.link.door.ready
    assert not any("OPEN" in text for text in site.board.heard)
    assert site.link.door.reason


async def test_strangers_make_room_for_the_server_and_never_it_for_them(build: Building) -> None:
    site = build(settings={"retry_minimum": 0.5})
    for _ in range(2):
        site.stranger().ask()
        await site.pass_(0.1)
    await site.until(lambda: site.link.door.ready, step=50)
    for _ in range(4):
        site.stranger().ask()
        await site.pass_(0.1)
    await site.pass_(2.5, 50)  # who does not take its leave is cut
    assert [stranger.closed for stranger in site.strangers].count(False) == 1
    assert site.link.door.ready
    site.open(1.0)
    await site.until(lambda: site.state is UNLOCKED)
    assert site.board.opened >= 5


async def test_a_cable_that_is_pulled_with_the_door_open(build: Building) -> None:
    site = build(now=WRAP - 5_000)
    await site.ready()
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    site.board.is_reachable = False
    await site.until(lambda: not site.board.relay, 10.1, 50)
    site.board.is_reachable = True
    await site.until(lambda: site.link.door.ready and site.state is LOCKED, step=50)


async def test_a_link_that_is_cut_within_the_session_never_leaves_a_door_open(build: Building) -> None:
    site = build(settings={"retry_minimum": 0.01, "retry_maximum": 0.01})
    await site.ready()
    for byte in range(190, 700, 13):
        site.board.cuts.append(byte)
        site.board.cut()
        await site.until(lambda: not site.board.cuts, step=50)
        await site.ready(50)
        before = len(site.answers)
        site.open(0.1)
        await site.until(lambda count=before: len(site.answers) > count, step=50)  # type: ignore[misc]
        await site.until(lambda: site.link.door.ready and site.state is LOCKED and not site.board.relay, 12, 50)
    assert site.board.shortened >= 35

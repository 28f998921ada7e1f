"""The lock's own core in the loop: the server's link against it, over real TCP, on a driven clock."""

import ctypes
from collections.abc import Callable

import pytest
from twisted.python.failure import Failure

from gatekeeper.doors.actions import Opened
from gatekeeper.doors.states import DoorState
from tests.firmware.conftest import Stopped
from tests.firmware.lock_site import Site
from tests.firmware.own_lock import WRAP

LOCKED, UNLOCKED = DoorState.LOCKED, DoorState.UNLOCKED

Building = Callable[..., Site]


@pytest.fixture
def build(core: ctypes.CDLL, stopped: Stopped) -> Building:
    return lambda **settings: stopped(Site(core, **settings))


def spans(site: Site) -> list[int]:
    """Return how long the relay was energised, each time, milliseconds."""
    history = site.board.history
    assert [energised for _, energised in history] == [True, False] * (len(history) // 2)
    return [off - on for (on, _), (off, _) in zip(history[::2], history[1::2], strict=True)]


@pytest.mark.parametrize("now", [0, WRAP - 3_000, WRAP // 2 - 3_000], ids=["start", "wrap", "sign"])
async def test_it_opens_stays_open_and_locks(build: Building, now: int) -> None:
    site = build(now=now)
    await site.ready()
    assert site.state is LOCKED
    site.open(15.0)
    await site.until(lambda: len(site.answers) == 1)
    assert isinstance(site.answers[0], Opened)
    assert site.board.relay
    await site.pass_(14, 50)
    assert (site.board.relay, site.state) == (True, UNLOCKED)  # the server's PINGs keep it open past ten seconds
    await site.until(lambda: site.state is LOCKED)
    assert 14_900 <= spans(site)[0] <= 15_200
    assert site.board.opened == 1


async def test_no_command_waits_for_the_network_s_word_on_the_one_before(build: Building) -> None:
    site = build()
    await site.ready()
    assert site.link._protocol is not None
    assert site.link._protocol.transport.getTcpNoDelay()


async def test_the_cap_is_the_lock_s_own(build: Building) -> None:
    site = build(now=WRAP - 9_000, max_open=20_000)
    await site.ready()
    site.open(40.0)
    await site.until(lambda: site.board.relay)
    await site.until(lambda: not site.board.relay, step=50)
    assert 20_000 <= spans(site)[0] <= 20_050
    await site.until(lambda: site.state is LOCKED, 1.0)
    assert site.board.said.count("TIMEOUT:AUTO_LOCKED") == 1
    assert site.board.opened == 1


@pytest.mark.parametrize("now", [0, WRAP - 5_000], ids=["start", "wrap"])
async def test_a_cable_that_is_pulled_with_the_door_open(build: Building, now: int) -> None:
    site = build(now=now)
    await site.ready()
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    await site.pass_(6, 50)
    site.board.is_reachable = False
    pulled = site.board.now
    await site.until(lambda: not site.board.relay, step=50)
    assert site.board.now - pulled <= 10_000
    assert site.state is not UNLOCKED  # nobody says that it is open when nobody knows
    await site.pass_(3, 50)
    site.board.is_reachable = True
    await site.until(lambda: site.link.door.ready, step=50)
    await site.until(lambda: site.state is LOCKED, step=50)
    assert len(spans(site)) == 1


async def test_a_link_that_is_cut_at_any_byte_never_leaves_a_door_open(build: Building) -> None:
    site = build(settings={"retry_minimum": 0.01, "retry_maximum": 0.01})
    await site.ready()
    byte = uncertain = 0
    shortened = -1
    while shortened < site.board.shortened:  # until a connection was long enough to end the whole story
        shortened = site.board.shortened
        site.board.cuts.append(byte)
        site.board.cut()
        await site.until(lambda: not site.board.cuts, step=50)
        await site.ready(50)
        before = len(site.answers)
        site.open(0.1)
        await site.until(lambda count=before: len(site.answers) > count, step=50)  # type: ignore[misc]
        uncertain += isinstance(site.answers[-1], Failure)
        await site.until(lambda: site.link.door.ready and site.state is LOCKED and not site.board.relay, 12, 50)
        byte += 1 if byte > 110 else 10  # the handshake's first bytes are all alike
    assert byte > 250
    assert uncertain > 20
    assert max(spans(site)) <= 10_000


async def test_a_lock_that_hangs_lets_go_by_its_guard(build: Building) -> None:
    site = build()
    await site.ready()
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    await site.pass_(3)
    site.board.is_hung = True
    await site.pass_(2.0)
    assert not site.board.relay
    await site.until(lambda: not site.link.door.linked, step=50)
    site.board.is_hung = False
    await site.until(lambda: site.link.door.ready and site.state is LOCKED, step=50)
    assert not site.board.relay
    assert len(spans(site)) == 1


async def test_a_lock_that_hangs_for_a_moment_says_that_it_let_go(build: Building) -> None:
    site = build(settings={"ping_timeout": 9.0, "silence_timeout": 30.0})
    await site.ready()
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    site.board.is_hung = True
    await site.pass_(2.5)
    site.board.is_hung = False
    await site.until(lambda: site.state is LOCKED)
    assert site.board.said.count("TIMEOUT:AUTO_LOCKED") == 1
    site.open(5.0)
    await site.until(lambda: site.board.relay)


async def test_a_lock_that_starts_anew_is_locked_and_found_again(build: Building) -> None:
    site = build(now=WRAP - 2_000)
    await site.ready()
    site.open(30.0)
    await site.until(lambda: site.state is UNLOCKED)
    await site.pass_(1)
    site.board.restart()
    assert not site.board.relay
    await site.until(lambda: site.board.opened == 2 and site.link.door.ready)
    assert site.state is LOCKED
    await site.pass_(12, 50)
    assert not site.board.relay


# --- strangers ---


async def test_no_page_and_no_link_opens_a_door(build: Building) -> None:
    site = build()
    await site.ready()
    page = site.stranger().ask(headers="Origin: http://127.0.0.1\r\n")
    await site.pass_(0.2)
    assert page.status == 403
    link = site.stranger()
    link.send(b"GET /open HTTP/1.1\r\nHost: lock\r\n\r\n")
    link.send(b"POST /open HTTP/1.1\r\nHost: lock\r\n\r\n")
    await site.pass_(0.2)
    assert b"Door" not in link.received
    assert not site.board.relay
    assert site.board.core.state == "locked"


async def test_one_address_has_two_connections_and_the_server_keeps_its_own(build: Building) -> None:
    site = build()
    await site.ready()
    first, second = site.stranger().ask(), site.stranger()
    await site.pass_(0.2)
    second.ask()
    await site.pass_(0.2)
    assert (first.status, second.status) == (101, 503)
    first.close()
    await site.pass_(0.2)
    third = site.stranger().ask()
    await site.pass_(0.2)
    assert third.status == 101
    assert site.board.opened == 3


async def test_who_says_nothing_loses_its_place(build: Building) -> None:
    site = build()
    await site.ready()
    mute, deaf = site.stranger(), site.stranger().ask()
    await site.pass_(4.9, 50)
    assert not mute.closed
    await site.pass_(0.3, 50)
    assert mute.closed
    await site.pass_(39, 100)
    assert not deaf.closed
    assert deaf.received.count(b"\x89\x00") == 2  # it was asked twice
    await site.pass_(2, 100)
    assert deaf.closed
    assert site.state is LOCKED
    assert site.board.opened == 2


async def test_a_bystander_can_lock_and_cannot_keep_it_open(build: Building) -> None:
    site = build(settings={"retry_minimum": 30.0, "retry_maximum": 30.0})
    await site.ready()
    other = site.stranger().ask()
    await site.pass_(0.2)
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    other.say("LOCK_DOOR")
    await site.until(lambda: not site.board.relay)
    await site.until(lambda: site.state is LOCKED)
    site.open(60.0)
    await site.until(lambda: site.state is UNLOCKED)
    site.board.connections[1].transport.abortConnection()  # the server is gone for half a minute

    def ping() -> None:
        if site.board.now % 500 == 0:
            other.say("PING")

    await site.pass_(9.5, each=ping)
    assert site.board.relay
    await site.pass_(0.6, each=ping)
    assert not site.board.relay
    assert other.texts.count("PONG") >= 19
    assert other.texts.count("OK:OPEN") == 2
    assert other.texts[-1] in ("TIMEOUT:AUTO_LOCKED", "PONG")


async def test_many_bytes_one_by_one_are_the_same_as_at_once(build: Building) -> None:
    site = build()
    await site.ready()
    other = site.stranger()
    head = b"GET /ws HTTP/1.1\r\nHost: lock\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    for byte in head + bytes((0x81, 0x86, 0, 0, 0, 0)) + b"STATUS":
        other.send(bytes((byte,)))
        await site.pass_(0.01)
    await site.pass_(0.1)
    assert other.texts[:3] == ["Connected to Door Lock", "OK:LOCKED", "SIGNAL:GOOD:-58"]
    assert other.texts[3:5] == ["OK:LOCKED", "ACK:STATUS"]

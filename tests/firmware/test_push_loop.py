"""The push camera's own core in the loop: the server's reception against it, over real TCP, on a driven clock."""

import ctypes
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.python.failure import Failure

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.settings import REBOOT, decode
from gatekeeper.errors import Busy, NotConnected, Rejected
from gatekeeper.simulators.own_push_device import Link
from gatekeeper.simulators.own_push_link import State
from tests.firmware.conftest import Stopped
from tests.firmware.own_push import SeedServer, Site
from tests.firmware.push_cameras import WRAP

LIVE, OFFLINE = CameraState.LIVE, CameraState.OFFLINE

Building = Callable[..., Site]


@pytest.fixture
def build(core: ctypes.CDLL, stopped: Stopped) -> Building:
    return lambda **settings: stopped(Site(core, **settings))


def in_order(taken: list[bytes], sent: list[bytes]) -> bool:
    """Whether all that was taken was sent, in this order."""
    rest = iter(sent)
    return all(jpeg in rest for jpeg in taken)


async def test_two_connections_carry_pictures_and_word_apart(build: Building) -> None:
    site = build()
    await site.live()
    await site.pass_(11)
    assert (site.feed.rejected, site.feed.reconnects, site.restarted) == (0, 0, [])
    assert len(site.taken) >= 200
    assert site.taken == site.board.sent[: len(site.taken)]
    device = site.camera.device
    assert device is not None
    assert (device.firmware, device.reset, device.model, device.psram) == ("1.0", "POWERON", "OV3660", 8_000_000)
    assert (device.rssi, device.mode, device.fps, device.lost) == (-58, "Estabilidad", 20, 0)
    assert device.uptime is not None
    assert 9 <= device.uptime <= 12
    assert device.sent is not None
    assert device.sent > 150
    assert site.camera.abilities.quality == (0, 63)
    assert set(site.board.dialled) == set(Link)
    assert all(socket.transport.getTcpNoDelay() for socket in site.reception.sockets)  # commands wait for nothing


async def test_one_connection_carries_everything(build: Building) -> None:
    site = build(has_control=False)
    await site.live()
    assert await site.set(decode({"vflip": True}, site.camera.abilities)) == {"vflip": "on"}
    await site.pass_(2)
    assert site.board.dialled == [Link.STREAM]
    assert (site.feed.rejected, len(site.taken) > 30) == (0, True)


async def test_the_cameras_token_in_the_path_seats_it_at_once(build: Building) -> None:
    site = build(known={"token": "a-token-of-sixteen"}, path="/?token=a-token-of-sixteen")
    await site.live()
    stranger = build(known={"token": "a-token-of-sixteen"}, path="/?token=another")
    await stranger.pass_(3)
    assert stranger.taken == []
    assert stranger.state is CameraState.CONNECTING
    assert stranger.reception.strangers.list()[0].id == "garden"


async def test_it_is_set_between_two_pictures_and_tells_what_it_took(build: Building) -> None:
    site = build()
    await site.live()
    wanted = {"resolution": "VGA", "quality": 0, "fps": 10, "mode": "speed", "brightness": -2, "vflip": True}
    taken = await site.set(decode(wanted, site.camera.abilities))
    assert taken.pop("fps").startswith("10 (actual: ")
    assert taken == {
        "resolution": "5 (VGA (640x480))", "quality": "0", "mode": "Velocidad", "brightness": "-2", "vflip": "on"
    }  # fmt: skip
    assert site.board.sensor == {"resolution": 5, "quality": 0, "brightness": -2, "vflip": 1}
    before = len(site.taken)
    await site.pass_(2)
    assert 19 <= len(site.taken) - before <= 21
    frame = site.feed.newest
    assert frame is not None
    assert (frame.width, frame.height) == (640, 480)
    assert site.feed.rejected == 0


async def test_what_the_sensor_refuses_is_told(build: Building) -> None:
    site = build()
    await site.live()
    site.board.refuses = True
    failure = await site.set(decode({"quality": 5}, site.camera.abilities))
    assert isinstance(failure, Failure)
    assert failure.check(Rejected)
    assert str(failure.value) == 'quality: the camera answered "the sensor refused it"'


async def test_an_ordered_restart_comes_and_what_it_was_set_to_is_set_again(build: Building) -> None:
    site = build()
    await site.live()
    taken = await site.set(decode({"resolution": "VGA", "hmirror": True}, site.camera.abilities))
    assert taken == {"resolution": "5 (VGA (640x480))", "hmirror": "on"}
    await site.pass_(5)
    assert await site.set((REBOOT,)) == {"reboot": "reiniciando"}
    await site.until(lambda: site.board.starts == 2)
    await site.until(lambda: site.board.sensor == {"resolution": 5, "hmirror": 1})
    await site.until(lambda: site.state is LIVE)
    assert site.restarted == [True]
    assert site.board.starts == 2


async def test_a_camera_that_lost_its_power_is_back_although_its_connection_seems_to_stand(build: Building) -> None:
    site = build()
    await site.live()
    await site.pass_(12)
    site.board.restart(silent=True)
    await site.until(lambda: site.state is OFFLINE)
    await site.until(lambda: site.state is LIVE, 10)
    await site.until(lambda: site.restarted == [False])
    assert len(site.recorded) == 1
    assert "a second connection" in site.recorded[0]


async def test_a_link_that_is_cut_at_any_byte_harms_nothing_and_is_made_again(build: Building) -> None:
    site = build(has_control=False)
    await site.live()
    for budget in range(1, 1500, 5):
        site.board.budgets.append(budget)
        site.board.again()
        await site.until(lambda: not site.board.budgets)
        await site.until(lambda: site.board.camera.seen()[11] == State.WAITING)  # it saw the end
    assert (site.feed.rejected, site.restarted) == (0, [])
    assert in_order(site.taken, site.board.sent)
    site.board.again()
    await site.until(lambda: site.state is LIVE)


async def test_without_radio_both_sides_give_up_and_meet_again(build: Building) -> None:
    site = build()
    await site.live()
    site.board.reach(False)
    await site.pass_(14)
    assert site.board.pinged == 2
    await site.until(lambda: site.state is OFFLINE)
    await site.until(lambda: site.board.camera.seen()[11] != State.IN_USE)
    assert site.board.pinged == 2
    site.board.reach(True)
    await site.live()
    await site.until(lambda: site.state is LIVE)
    assert (site.feed.rejected, site.restarted) == (0, [])


async def test_a_server_that_was_away_is_found_within_half_a_minute(build: Building) -> None:
    site = build()
    await site.live()
    await site.close()
    await site.pass_(90)
    tries = len(site.board.dialled)
    assert 8 <= tries <= 20  # over both connections, in a minute and a half
    site.listen()
    await site.until(lambda: site.state is LIVE and site.camera.is_connected, 31)


async def test_a_server_that_reads_nothing_gets_fewer_pictures_and_is_told_how_many_are_missing(
    build: Building,
) -> None:
    site = build(has_control=False)
    site.board.size = 60_000
    await site.live()
    (socket,) = site.reception.sockets
    socket.transport.pauseProducing()
    await site.until(lambda: site.board.camera.seen()[-1] > 0, 13)
    full = len(site.board.sent)
    await site.pass_(1.5)
    sent, dropped = len(site.board.sent) - full, site.board.camera.seen()[-1]
    assert sent == 0
    assert 2 <= dropped <= 6  # 31, were it to try twenty times a second
    socket.transport.resumeProducing()
    await site.until(lambda: site.camera.device is not None and site.camera.device.lost == dropped)
    assert (site.feed.rejected, site.feed.reconnects) == (0, 0)
    await site.pass_(10)
    assert in_order(site.taken, site.board.sent)
    before = len(site.taken)
    await site.pass_(2)
    assert len(site.taken) - before >= 35  # as many as before


async def test_the_wrap_of_the_clock_is_not_noticed(build: Building) -> None:
    site = build(now=WRAP - 8000)
    await site.live()
    await site.pass_(16)
    assert site.board.now > WRAP
    assert (site.feed.rejected, site.feed.reconnects, site.restarted, site.board.pinged) == (0, 0, [], 0)
    assert len(site.taken) >= 300
    assert [state for state, _ in site.states].count(LIVE) == 1
    assert (await site.set(decode({"fps": 5}, site.camera.abilities)))["fps"][:14] in (
        "5 (actual: 19.",
        "5 (actual: 20.",
    )


async def test_a_server_of_the_seeds_kind_gets_whole_pictures_and_may_send_numbers(build: Building) -> None:
    site = build(has_control=False)
    server = SeedServer(site.clock)
    listening: Any = reactor.listenTCP(0, server, interface="127.0.0.1")
    site.board.ports[Link.STREAM] = listening.getHost().port
    await site.until(lambda: sum(isinstance(one, bytes) for one in server.heard) >= 3)
    texts = [one["type"] for one in server.heard if isinstance(one, dict)]
    assert texts == ["register", "info", "health"]
    pictures = [one for one in server.heard if isinstance(one, bytes)]
    assert pictures == site.board.sent[: len(pictures)]
    server.sockets[0].sendMessage(b'{"type": "command", "cmd": "resolution", "val": 5}')
    server.sockets[0].sendMessage(b'{"type": "command", "cmd": "resolution", "val": "abc"}')
    await site.until(lambda: sum(one.get("type") == "response" for one in server.heard if isinstance(one, dict)) == 2)
    assert [one for one in server.heard if isinstance(one, dict)][-2:] == [
        {"type": "response", "cmd": "resolution", "status": "ok", "value": "5 (VGA (640x480))"},
        {
            "type": "response", "cmd": "resolution", "status": "error",
            "value": "val is no whole number; allowed is 0 to 12",
        },
    ]  # fmt: skip
    await listening.stopListening()


def _meddle(site: Site, rng: random.Random) -> None:
    match rng.randrange(7):
        case 0:
            site.board.again()
        case 1:
            site.board.budgets.append(rng.randrange(1, 3000))
        case 2:
            site.board.restart(silent=rng.random() < 0.5)
        case 3:
            for socket in tuple(site.reception.sockets):
                socket.abort()
        case 4:
            site.board.refuses = rng.random() < 0.5
        case _:
            wanted = {"fps": rng.randrange(1, 31), "quality": rng.randrange(5, 64), "resolution": rng.randrange(13)}
            with suppress(NotConnected, Busy):
                site.camera.set(decode(wanted, site.camera.abilities)).addErrback(lambda failure: None)


async def _course(site: Site, rng: random.Random) -> None:
    site.board.step, site.board.size, site.board.every = 100, 40, 4
    for _ in range(6):
        await site.step(rng.randrange(1, 20))
        _meddle(site, rng)
    site.board.refuses = False
    site.board.budgets.clear()
    await site.pass_(16)  # a connection that only seems to stand is found out
    await site.until(lambda: site.state is LIVE and site.camera.is_connected, 90)
    assert in_order(site.taken, site.board.sent)
    assert site.feed.rejected == 0
    assert await site.set(decode({"quality": 7}, site.camera.abilities)) == {"quality": "7"}
    assert site.board.sensor["quality"] == 7


@pytest.mark.parametrize("batch", range(4))
async def test_a_hundred_seeds_of_random_traffic_end_in_a_live_camera_that_obeys(build: Building, batch: int) -> None:
    for seed in range(25 * batch, 25 * (batch + 1)):
        rng = random.Random(seed)  # noqa: S311 - no secret
        site = build(has_control=rng.random() < 0.5, now=rng.choice((0, WRAP - 3000)))
        await _course(site, rng)
        await site.close()

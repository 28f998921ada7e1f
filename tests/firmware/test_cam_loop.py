"""The ESP32-CAM's own core in the loop: the server's pull against it, over real TCP, on a driven clock."""

import ctypes
from collections.abc import Callable

import pytest

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.multipart import Parser, Part
from tests.cameras.pictures import picture
from tests.firmware.conftest import Stopped
from tests.firmware.own_camera import STEP, WRAP, Ending, Site, Watcher, text
from tests.firmware.own_wifi import Wifi, WifiState

LIVE, OFFLINE, STALLED = CameraState.LIVE, CameraState.OFFLINE, CameraState.STALLED
TOKEN = "a-token-of-sixteen-or-more"

Building = Callable[..., Site]


@pytest.fixture
def build(core: ctypes.CDLL, stopped: Stopped) -> Building:
    return lambda **settings: stopped(Site(core, **settings))


def has_all(watcher: Watcher, shown: list[bytes]) -> bool:
    """Whether from its first picture on it missed none but those still under way."""
    first = shown.index(watcher.pictures[0])
    return watcher.pictures == shown[first : first + len(watcher.pictures)] and len(shown) - first <= (
        len(watcher.pictures) + 1
    )


async def test_pictures_arrive_as_they_were_taken(build: Building) -> None:
    site = build(size=20_000)
    watcher = site.watch()
    await site.pass_(4)
    assert len(watcher.frames) >= 45
    assert has_all(watcher, site.camera.shown)
    assert (watcher.frames[0].width, watcher.frames[0].height) == (640, 480)
    assert [state for state, _ in watcher.states] == [CameraState.CONNECTING, LIVE]
    assert (watcher.feed.reconnects, watcher.feed.rejected) == (0, 0)


async def test_three_watch_while_a_fourth_stalls_and_is_cut(build: Building) -> None:
    site = build(size=9000)
    stalled = site.ask("/stream", buffer=4096)
    watchers = [site.watch() for _ in range(3)]
    await site.pass_(1.0)
    page = site.ask("/")
    await site.pass_(0.1)
    page.read()
    assert page.status == 200  # and the seed's camera answers nobody while it streams
    await site.until(lambda: site.camera.core.streams == 3)
    assert site.camera.endings == [(Ending.SERVED, 0), (Ending.STALLED, 5000)]
    assert (site.camera.core.cut, site.camera.core.dropped) == (1, 0)
    await site.pass_(1)
    for watcher in watchers:
        assert has_all(watcher, site.camera.shown)
        assert (watcher.state, watcher.feed.reconnects) == (LIVE, 0)
    assert stalled.received == b""


async def test_a_slow_viewer_gets_whole_pictures_each_newer_than_the_last(build: Building) -> None:
    site = build(size=9000)
    slow = site.ask("/stream", buffer=4096)
    watcher = site.watch()
    await site.pass_(12, each=lambda: slow.read(350))  # a third of what comes
    parser = Parser("frame", 1 << 20)
    seen = [event.jpeg for event in parser.receive_data(slow.body) if isinstance(event, Part)]
    places = [site.camera.shown.index(jpeg) for jpeg in seen]
    assert len(places) >= 25
    assert places == sorted(set(places))
    assert places[-1] - places[0] >= 2 * len(places)  # it jumped over those that it was too slow for
    assert has_all(watcher, site.camera.shown)
    assert site.camera.core.cut == 0


async def test_a_fifth_viewer_is_told_that_the_camera_is_full(build: Building) -> None:
    site = build()
    for _ in range(4):
        site.ask("/stream")
    await site.pass_(0.1)
    watcher = site.watch()
    await site.until(lambda: watcher.state is OFFLINE)
    assert watcher.states[-1] == (OFFLINE, "answered 503 Service Unavailable for /stream")
    site.strangers[0].close()
    await site.until(lambda: watcher.state is LIVE)


async def test_more_than_there_are_places_for_are_told_so_and_closed(build: Building) -> None:
    site = build(interval=0)
    strangers = [site.ask("/capture" if i > 3 else "/stream") for i in range(9)]
    await site.pass_(0.2)
    for stranger in strangers[7:]:
        stranger.read()
        stranger.read()
        assert (stranger.status, stranger.closed) == (503, True)
    assert site.camera.core.refused == 2


async def test_a_link_that_is_cut_at_any_byte_leaves_nothing_and_is_made_again(
    build: Building, core: ctypes.CDLL
) -> None:
    site = build(size=60, interval=STEP)
    length = len(text(core, "stream_head")) + 2 * (len(text(core, "part_head", 60, 1000)) + len(picture(60)) + 20)
    site.camera.cuts.extend(range(length))
    watcher = site.watch(retry_minimum=0.01, retry_maximum=0.01)
    await site.until(lambda: not site.camera.cuts)
    assert watcher.pull.connections >= length
    assert set(watcher.pictures) <= set(site.camera.shown)
    assert watcher.feed.rejected == 0
    await site.until(lambda: watcher.state is LIVE)
    await site.pass_(0.5)
    assert watcher.state is LIVE
    assert (site.camera.core.taken, site.camera.core.cut) == (1, 0)


async def test_silence_ends_the_stream_in_form(build: Building) -> None:
    site = build()
    watcher = site.watch(stall_timeout=60)
    await site.pass_(1)
    site.interval = 0  # the sensor died
    await site.pass_(9.5)
    assert watcher.state is LIVE
    await site.until(lambda: watcher.state is OFFLINE, 1.0)
    assert watcher.states[-1] == (OFFLINE, "the camera ended the stream")
    assert [why for why, _ in site.camera.endings] == [Ending.NO_PICTURE]
    site.interval = 80
    await site.until(lambda: watcher.state is LIVE)


async def test_a_silent_sensor_is_no_picture_not_half_of_one(build: Building) -> None:
    site = build()
    watcher = site.watch()
    await site.pass_(1)
    site.interval = 0
    await site.until(lambda: watcher.state is STALLED)
    assert watcher.states[-1] == (STALLED, "no picture for 2 s")
    site.interval = 80
    await site.until(lambda: watcher.state is LIVE)


async def test_a_restart_is_found_and_the_stream_asked_for_again(build: Building) -> None:
    site = build(now=WRAP - 500)
    watcher = site.watch()
    await site.pass_(2)
    for _ in range(3):
        site.camera.restart()  # the old connection is dead, and nobody said so
        await site.until(lambda: watcher.state is STALLED)
        await site.until(lambda: watcher.state is LIVE)
    assert site.camera.core.taken == 1
    assert watcher.feed.rejected == 0
    count = len(watcher.frames)
    await site.pass_(1)
    assert len(watcher.frames) - count >= 11


async def test_the_wrap_of_the_clock_is_nothing(build: Building) -> None:
    site = build(now=WRAP - 3000, size=9000)
    site.ask("/stream", buffer=4096)  # will have stalled for five seconds after the wrap
    watchers = [site.watch() for _ in range(3)]
    await site.until(lambda: site.camera.core.cut == 1)
    assert site.camera.now > WRAP
    assert site.camera.endings == [(Ending.STALLED, 5000)]
    for watcher in watchers:
        assert has_all(watcher, site.camera.shown)
        assert watcher.feed.reconnects == 0


async def test_the_time_of_a_picture_does_not_wrap(build: Building) -> None:
    site = build(interval=0)
    site.camera.now += WRAP - 90  # 49.7 days up
    stranger = site.ask("/stream")
    await site.pass_(0.1)
    site.camera.picture(picture(50))
    await site.pass_(0.1)
    stranger.read()
    assert b"\r\nX-Timestamp: 4294967.306\r\n" in stranger.received


async def test_without_the_token_there_is_nothing_and_with_it_there_is(build: Building) -> None:
    site = build(token=TOKEN)
    nobody, wrong, right = site.watch(), site.watch(TOKEN[:-1] + "E"), site.watch(TOKEN)
    await site.until(lambda: right.state is LIVE)
    await site.until(lambda: nobody.state is OFFLINE and wrong.state is OFFLINE)
    assert nobody.states[-1] == (OFFLINE, "asks for a user name and a password; none is configured")
    assert wrong.states[-1] == (OFFLINE, "wrong user name or password")
    assert not nobody.frames
    assert not wrong.frames
    bearer = site.ask("/capture", headers=f"Authorization: Bearer {TOKEN}\r\n")
    await site.pass_(0.2)
    bearer.read()
    assert (bearer.status, bearer.body in site.camera.shown) == (200, True)
    for target in ("/", "/stream", "/capture", "/health", "/nothing"):
        refused = site.ask(target)
        await site.pass_(0.05)
        refused.read()
        assert (refused.status, refused.body) == (401, b"Unauthorized\n")


async def test_wifi_is_lost_and_comes_back_without_a_restart(build: Building, core: ctypes.CDLL) -> None:
    site = build(size=9000)
    wifi = Wifi(core)
    joins = [site.camera.now]  # milliseconds
    is_there = True

    def radio(event: str) -> None:
        for said in wifi.event(event, site.camera.now).split(";"):
            assert said != "reboot"
            if said.startswith("join"):
                joins.append(site.camera.now)

    def turn() -> None:
        radio("tick")
        if wifi.state is WifiState.JOINING and site.camera.now - joins[-1] >= 1500:
            radio("address" if is_there else "disconnected")
        site.camera.is_reachable = wifi.state is WifiState.UP

    radio("start")
    await site.pass_(2, turn)
    watchers = [site.watch() for _ in range(3)]
    await site.pass_(1, turn)
    assert [watcher.state for watcher in watchers] == [LIVE] * 3
    before = len(joins)
    is_there = False
    radio("disconnected")
    await site.pass_(20, turn)
    assert wifi.state is not WifiState.UP
    assert [watcher.state is LIVE for watcher in watchers] == [False] * 3
    assert site.camera.core.streams == 0  # each was cut when it had taken nothing for five seconds, or closed
    assert 3 <= len(joins) - before <= 5  # more and more seldom
    is_there = True
    for _ in range(60):  # its own pause, and then the server's
        await site.pass_(1, turn)
        if all(watcher.state is LIVE for watcher in watchers):
            break
    assert [watcher.state for watcher in watchers] == [LIVE] * 3
    assert site.camera.core.streams == 3
    wifi.delete()


async def test_a_hundred_strangers_come_and_go_beside_a_pull(build: Building) -> None:
    site = build(size=6000)
    watcher = site.watch()
    await site.pass_(0.3)
    targets = ("/stream", "/capture", "/", "/health", "/open", "/stream")
    for i in range(100):
        site.ask(targets[i % 6], buffer=4096 if i % 3 else None)
        await site.pass_(0.05)
        if i >= 3:
            stranger = site.strangers[i - 3]
            if i % 4:
                stranger.read()
            stranger.close()
    await site.pass_(6)
    assert has_all(watcher, site.camera.shown)
    assert (watcher.state, watcher.feed.reconnects) == (LIVE, 0)
    assert (site.camera.core.taken, site.camera.core.held) == (1, 0)

"""Tiles by credit from a real server, over a slow line: fewer pictures, never older ones, and doors beside them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.tile_client import SlowLine, TileClient
from tests.integration.processes import TOKEN, Device, Lock, Server, wait_for

pytestmark = pytest.mark.process

TILES = 12
FPS = 10.0
SPEED = 300_000.0
"""Bytes a second of the slow line: a tenth of what the tiles would take."""

SECONDS = 3.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("tiles")
    camera = Device("camera", folder, "--serve-all", "--fps", str(FPS))
    lock = Lock(folder)
    lines = ['listen = "tcp:0:interface=127.0.0.1"', "[access]", 'admin_token = {env = "GATEKEEPER_TEST_TOKEN"}']
    for number in range(TILES):
        lines += ["[[cameras]]", f'id = "c{number}"', f'url = "{camera.url}?{number}"']
    lines += ["[[doors]]", 'id = "front"', f'url = "{lock.url}"']
    started = Server(folder, "\n".join(lines) + "\n")
    wait_for(lambda: all(one["state"] == "live" for one in started.ask("GET", "/cameras")[1]), "every camera")
    started.until_door("locked")
    yield started
    started.stop()
    for device in (camera, lock):
        device.end()


def viewers(server: Server) -> int:
    return sum(camera["viewers"] for camera in server.ask("GET", "/cameras")[1])


def watched(server: Server, page: TileClient) -> None:
    for tile in range(1, TILES + 1):
        page.watch(tile, f"c{tile - 1}", ahead=2)
    wait_for(lambda: len(page.got) == TILES, "a picture on every tile")


def test_over_a_slow_line_come_fewer_pictures_none_old_and_doors_do_not_wait(server: Server) -> None:
    line = SlowLine(server.port, SPEED)
    page = TileClient(line.port, TOKEN)
    try:
        watched(server, page)
        assert viewers(server) == TILES
        time.sleep(SECONDS / 2)  # the window finds the line's speed
        counts, before, began = {tile: len(got.ages) for tile, got in page.got.items()}, page.bytes, time.monotonic()
        took = []
        while time.monotonic() - began < SECONDS:
            asked = time.monotonic()
            assert page.call("gatekeeper.door.status", door="front")["state"] == "locked"
            took.append(time.monotonic() - asked)
            time.sleep(0.05)
        carried = (page.bytes - before) / (time.monotonic() - began)
        assert page.call("gatekeeper.door.open", door="front", reason="beside the tiles")["state"] == "unlocked"
    finally:
        page.close()
        line.close()
    for got in page.got.values():
        assert got.sequences == sorted(set(got.sequences))
    late = [age for tile, got in page.got.items() for age in got.ages[counts[tile] :]]
    assert carried < 1.2 * SPEED
    assert carried > 0.3 * SPEED
    assert len(late) < 0.5 * TILES * FPS * SECONDS
    # Without a bound on what is under way all tiles' pictures would stand in line: over two seconds.
    assert sorted(late)[len(late) // 2] < 1.0
    assert sorted(took)[len(took) // 2] < 0.7
    wait_for(lambda: viewers(server) == 0, "the server to see that the page is gone")
    server.until_door("locked")


def test_a_tile_ends_by_cancel_and_credit_that_is_a_lie_is_refused(server: Server) -> None:
    page = TileClient(server.port, TOKEN)
    page.watch(1, "c0")
    wait_for(lambda: len(page.got[1].sequences) >= 3, "three pictures")
    assert page.call("gatekeeper.camera.credit", painted=[[1, 10**9]]) == "gatekeeper.error.invalid_argument"
    assert page.call("gatekeeper.camera.credit", painted=[[2, 1]]) == "gatekeeper.error.invalid_argument"
    page.cancel(1)
    wait_for(lambda: page.ended == {1: "wamp.error.canceled"}, "the tile's end")
    assert viewers(server) == 0
    page.watch(2, "none")
    wait_for(lambda: page.ended.get(2) == "gatekeeper.error.no_such_camera", "the refusal")
    page.close()


def test_who_may_view_one_camera_learns_of_no_other_and_of_none_once_that_is_over(server: Server) -> None:
    who = {"name": "vera", "role": "viewer", "password": "a-long-enough-password"}
    status, answer = server.ask("POST", "/api/access/users", {**who, "grants": [{"kind": "camera", "thing": "c0"}]})
    assert status < 300, answer
    page = TileClient(server.port, who["password"], who["name"])
    for tile, camera in enumerate(("c0", "c1", "none"), 1):
        page.watch(tile, camera)
    wait_for(lambda: len(page.got[1].sequences) >= 2, "pictures of the granted one")
    denied = "gatekeeper.error.denied"
    wait_for(lambda: page.ended == {2: denied, 3: denied}, "the same refusal for both")
    status, answer = server.ask("DELETE", "/api/access/users/vera/grants/camera/c0")
    assert status < 300, answer
    wait_for(lambda: viewers(server) == 0, "the end of what is over")
    assert list(page.got) == [1]
    page.close()

"""A site takes a new configuration while it runs: twistd, a lock, cameras, and people who look meanwhile."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import Device, Lock, Server, site
from tests.integration.viewer import Picture, Viewer

pytestmark = pytest.mark.process


class House:
    """A site with a door, a camera that stays, and one that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.start = Started(folder)
        self.file = folder / "site.toml"
        self.lock: Lock = self.start.lock()
        self.stays: Device = self.start.camera()
        self.guest: Device = self.start.camera()
        self.server: Server = self.start.server(site(self.lock, self.stays))
        self.server.until_door("locked", connected=True)

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def hang_up(self, expected: str) -> None:
        since = len(self.server.lines)
        self.server.signal(signal.SIGHUP)
        self.server.expect(expected, since)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    try:
        yield house
        house.server.stop()
    finally:
        house.start.end()


def watching(house: House, camera: str) -> Viewer:
    """Return somebody who sees a camera's own pictures."""
    viewer = Viewer(house.server.port, f"/cameras/{camera}/stream.mjpg").begin()
    while viewer.read().sequence == 0:
        pass
    return viewer


def last_of(viewer: Viewer) -> Picture:
    """Read a stream to its end, and return the last picture."""
    last = viewer.read()
    with contextlib.suppress(AssertionError), viewer:
        while True:
            last = viewer.read()
    return last


def test_what_did_not_change_goes_on_while_a_camera_comes_and_goes(house: House) -> None:
    viewer = watching(house, "camera1")
    assert house.server.ask("POST", "/doors/front/open", {"duration": 60})[0] == 200
    lease = house.server.door()["lease"]
    house.write(site(house.lock, house.stays, house.guest))
    house.hang_up("reloaded: added cameras.camera2")
    guest = watching(house, "camera2")
    house.write(site(house.lock, house.stays))
    status, answer = house.server.ask("POST", "/api/system/reload")
    assert (status, answer["removed"]) == (200, ["cameras.camera2"])
    assert last_of(guest).sequence == 0, "the last picture says why"
    assert house.server.ask("GET", "/cameras/camera2")[0] == 404
    viewer.read_pictures(5)
    assert house.server.door()["lease"]["ends"] == pytest.approx(lease["ends"], abs=0.01)
    assert house.lock.relay
    assert house.stays.ask("status")["connections"] == 1
    viewer.close()


def test_a_file_that_can_not_be_used_changes_nothing(house: House) -> None:
    house.write(site(house.lock, house.stays) + "lease = 5\n")
    house.hang_up(r"not reloaded, the site runs on as it was: site.toml: doors\[0\].lease: no such key")
    house.write(site(house.lock, house.stays))
    assert house.server.door()["state"] == "unlocked"


def test_an_open_door_that_changes_is_locked_first_and_its_lock_has_one_connection(house: House) -> None:
    assert house.lock.relay, "as the first test left it"
    house.write(site(house.lock, house.stays) + "open_duration = 5\n")
    status, answer = house.server.ask("POST", "/api/system/reload")
    assert (status, answer["changed"]) == (200, ["doors.front"])
    assert house.lock.commands.count("LOCK_DOOR") == 1
    assert not house.lock.relay
    door = house.server.until_door("locked", connected=True)
    assert door["default_duration"] == 5
    assert house.lock.ask("status")["most_open"] == 1

"""Virtual towers move as driven oscillators do, and a virtual laptop sends what it sees while something is recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twisted.internet.address import IPv4Address

from gatekeeper.measurements.statistics import dominant
from gatekeeper.simulators.laptop import LaptopFault, VirtualLaptop
from gatekeeper.simulators.tower import Tower
from tests.measurements.house import House, Laptop
from tests.sites import Wire


def motion(tower: Tower, seconds: float, frequency: float | None, rate: float = 50.0) -> Any:
    return np.array([tower.advance(1 / rate, frequency) for _ in range(int(seconds * rate))])


@pytest.mark.parametrize("frequency", [1.5, 2.5, 3.5, 4.5, 5.5])
@pytest.mark.parametrize("category", ["baja", "beton"])
def test_a_tower_moves_at_the_tables_frequency_once_it_swung_in(frequency: float, category: str) -> None:
    tower = Tower(3, category)
    motion(tower, 15, frequency)
    moved = motion(tower, 20, frequency)
    times = np.arange(len(moved)) / 50
    for point in (0, 1):
        found = dominant(times, moved[:, point])
        assert found is not None
        assert found[0] == pytest.approx(frequency, abs=0.002)
    assert 0.3 < np.abs(moved[:, 1]).max() < 60.0
    assert np.abs(moved[:, 1]).max() > np.abs(moved[:, 0]).max() or frequency > 4


def test_a_tower_swings_out_when_the_table_stops_and_stands_before_it_starts() -> None:
    tower = Tower(1)
    assert np.abs(motion(tower, 1, None)).max() == 0.0
    most = np.abs(motion(tower, 10, 2.5)).max()
    motion(tower, 10, None)
    assert np.abs(motion(tower, 1, None)).max() < most / 100


def test_each_team_built_another_tower_and_the_same_one_each_time() -> None:
    ends = [Tower(team).measured(1.0, 3.5) for team in (1, 2, 1)]
    assert ends[0] == ends[2]
    assert ends[0] != ends[1]


class Line:
    """Carries bytes between a virtual laptop and the house's port."""

    def __init__(self, house: House, laptop: VirtualLaptop) -> None:
        dialled: Any = house.net.tcpClients[-1][2]
        self.client: Any = dialled.buildProtocol(IPv4Address("TCP", "127.0.0.1", 8080))
        factory: Any = next(one[1] for one in house.net.tcpServers if one[0] == 8080)
        self.server: Any = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50_000))
        self.up, self.down = Wire(), Wire()
        self.server.makeConnection(self.down)
        self.client.makeConnection(self.up)
        self.carry()

    def carry(self) -> None:
        while self.up.value() or self.down.value():
            up, down = self.up.value(), self.down.value()
            self.up.clear()
            self.down.clear()
            if up:
                self.server.dataReceived(up)
            if down:
                self.client.dataReceived(down)


def test_a_laptop_sends_while_a_session_runs_and_costs_nothing_otherwise(tmp_path: Path) -> None:
    house = House(tmp_path, "open_sending = true\nopen_viewing = true\n")
    laptop = VirtualLaptop(house.net, 5, "ws://127.0.0.1:8080/")
    laptop.startService()
    line = Line(house, laptop)

    def live(seconds: float) -> None:
        for _ in range(int(seconds * 50)):
            house.net.advance(0.02)
            line.carry()

    live(2.0)
    assert laptop.sent == 0
    house.call("/measurements/start", {"frequency": 3.5})
    live(3.0)
    assert 50 <= laptop.sent <= 65
    assert {row.team for row in house.stored()} == {5}
    laptop.fault = LaptopFault.NAN
    live(0.5)
    assert laptop.errors > 5
    laptop.fault = LaptopFault.BLIND
    live(0.5)
    assert not house.stored()[-1].a_detected
    house.call("/measurements/stop")
    line.carry()
    sent = laptop.sent
    live(2.0)
    assert laptop.sent <= sent + 1
    laptop.stopService()
    assert isinstance(Laptop(house, ""), Laptop)

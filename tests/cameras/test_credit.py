"""Who gets a picture: at most as many under way as allowed, always the newest, everybody in turn."""

from collections import Counter, deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatekeeper.cameras.credit import INITIAL_WINDOW, MAX_TILES, MAX_WINDOW, MIN_WINDOW, QUEUE, QUEUED, Tiles, Window
from gatekeeper.errors import InvalidArgument

SIZE = 20_000


def opened(*tiles: int, **how: Any) -> Tiles:
    made = Tiles()
    for tile in tiles:
        made.open(tile, **how)
    return made


def test_a_tile_has_one_picture_under_way_and_gets_the_next_when_that_was_painted() -> None:
    tiles = opened(1)
    assert tiles.next(0.0) is None
    tiles.arrived(1, 0.0)
    assert tiles.next(0.0) == 1
    tiles.sent(1, 7, SIZE, 0.0)
    tiles.arrived(1, 0.1)  # it has no credit: nothing happens
    assert (tiles.next(0.1), tiles.has_credit(1)) == (None, False)
    tiles.credited(1, 7)
    tiles.arrived(1, 0.2)
    assert (tiles.next(0.2), tiles.under_way) == (1, 0)


def test_two_ahead_are_two_and_the_later_ones_credit_is_the_earliers_too() -> None:
    tiles = opened(1, ahead=2)
    for sequence in (3, 5):
        tiles.arrived(1, 0.0)
        assert tiles.next(0.0) == 1
        tiles.sent(1, sequence, SIZE, 0.0)
    assert not tiles.has_credit(1)
    tiles.credited(1, 5)
    assert (tiles.under_way, tiles.has_credit(1)) == (0, True)


@pytest.mark.parametrize(
    ("tile", "sequence", "why"),
    [
        (2, 7, "found tile 2; allowed: one that this session watches"),
        (1, 6, "found picture 6 of tile 1"),
        (1, 8, "found picture 8 of tile 1"),
    ],
)
def test_credit_that_is_a_lie_is_refused_and_changes_nothing(tile: int, sequence: int, why: str) -> None:
    tiles = opened(1)
    tiles.arrived(1, 0.0)
    tiles.sent(1, 7, SIZE, 0.0)
    with pytest.raises(InvalidArgument, match=why):
        tiles.credited(tile, sequence)
    assert (tiles.under_way, tiles.has_credit(1)) == (SIZE, False)


def test_credit_counts_once() -> None:
    tiles = opened(1)
    tiles.arrived(1, 0.0)
    tiles.sent(1, 7, SIZE, 0.0)
    tiles.credited(1, 7)
    with pytest.raises(InvalidArgument, match="picture 7"):
        tiles.credited(1, 7)


def test_there_is_a_most_of_tiles_and_a_number_is_taken_once() -> None:
    tiles = opened(*range(MAX_TILES))
    with pytest.raises(InvalidArgument, match="one more than 200"):
        tiles.open(MAX_TILES)
    with pytest.raises(InvalidArgument, match="found 3, which is watched already"):
        tiles.open(3)
    tiles.close(3)
    tiles.open(3)


def test_they_take_turns_in_the_order_in_which_they_got_in_line() -> None:
    tiles = opened(1, 2, 3)
    for tile in (2, 3, 1):
        tiles.arrived(tile, 0.0)
    order = []
    for sequence in range(1, 10):
        first = tiles.next(0.0)
        assert first is not None
        order.append(first)
        tiles.sent(first, sequence, SIZE, 0.0)
        tiles.credited(first, sequence)
        tiles.arrived(first, 0.0)
    assert order == [2, 3, 1] * 3


def test_beyond_the_window_one_waits_for_credit_of_any_tile() -> None:
    tiles = opened(*range(10))
    for tile in range(10):
        tiles.arrived(tile, 0.0)
    sent = 0
    while (first := tiles.next(0.0)) is not None:
        tiles.sent(first, 1, SIZE, 0.0)
        sent += 1
    assert sent == -(-INITIAL_WINDOW // SIZE) < 10
    assert tiles.wakes(0.0) is None
    tiles.credited(0, 1)
    assert tiles.next(0.01) is not None


def test_a_picture_larger_than_any_window_leaves_when_nothing_is_under_way() -> None:
    tiles = opened(1, 2)
    for tile in (1, 2):
        tiles.arrived(tile, 0.0)
    tiles.sent(1, 1, 50 * MAX_WINDOW, 0.0)
    assert tiles.next(0.0) is None
    tiles.credited(1, 1)
    assert tiles.next(9.0) == 2


def test_what_is_under_way_to_a_tile_that_is_closed_is_not_waited_for() -> None:
    tiles = opened(1, 2)
    for tile in (1, 2):
        tiles.arrived(tile, 0.0)
    tiles.sent(1, 1, 50 * MAX_WINDOW, 0.0)
    tiles.close(1)
    assert (tiles.under_way, tiles.next(0.0), len(tiles)) == (0, 2, 1)


def test_a_tile_that_is_closed_while_it_stands_in_line_is_passed_over() -> None:
    tiles = opened(1, 2)
    for tile in (1, 2):
        tiles.arrived(tile, 0.0)
    tiles.close(1)
    assert tiles.next(0.0) == 2


def test_a_rate_is_kept_on_average_and_by_fresh_pictures() -> None:
    tiles = opened(1, rate=10.0)
    taken = []
    for number in range(150):  # ten seconds at 15 a second
        now = number / 15
        tiles.arrived(1, now)
        if tiles.next(now) == 1:
            tiles.sent(1, number, SIZE, now)
            tiles.credited(1, number)
            taken.append(now)
    assert 98 <= len(taken) <= 102


def test_a_picture_that_came_too_early_for_its_rate_is_not_forgotten_if_it_is_the_last() -> None:
    tiles = opened(1, rate=10.0)
    for sequence in (1, 2, 3):
        now = sequence / 1000
        tiles.arrived(1, now)
        if tiles.next(now) == 1:
            tiles.sent(1, sequence, SIZE, now)
            tiles.credited(1, sequence)
    tiles.arrived(1, 0.004)
    assert tiles.next(0.004) is None
    wakes = tiles.wakes(0.004)
    assert wakes is not None
    assert 0.1 <= wakes <= 0.3
    assert tiles.next(wakes) == 1


def test_a_window_grows_while_it_is_short_and_probes_are_quick() -> None:
    window = Window()
    window.probed(0.02)
    assert window.bytes == INITIAL_WINDOW  # there was room enough
    window.is_short = True
    for _ in range(10):
        window.probed(0.02 + QUEUE / 3)
    assert window.bytes == MAX_WINDOW


def test_a_window_is_cut_when_probes_queue_and_grows_slowly_afterwards() -> None:
    window = Window()
    window.is_short = True
    window.probed(0.02)
    before = window.bytes
    for _ in range(QUEUED):
        window.probed(0.02 + QUEUE * 1.1)
    cut = window.bytes
    assert cut < before
    window.probed(0.02)
    assert cut < window.bytes < 1.3 * cut
    for _ in range(100):
        window.probed(9.0)
    assert window.bytes == MIN_WINDOW


def test_a_machine_that_is_busy_now_and_then_is_not_taken_for_a_slow_connection() -> None:
    window = Window()
    window.is_short = True
    for _ in range(20):
        for trip in (0.02, 0.5, 0.3):
            window.probed(trip)
    assert window.bytes == MAX_WINDOW


class Slow:
    """A connection of so many bytes a second, a fixed delay each way, and a receiver that paints at once."""

    def __init__(self, speed: float, delay: float, tiles: int, fps: float) -> None:
        self.tiles = opened(*range(tiles), ahead=2)
        self.now = self.free = 0.0
        self.under_way: deque[tuple[float, int, int, float]] = deque()
        self.is_probing = False
        self.ages: list[float] = []
        self.got: Counter[int] = Counter()
        self.shown: Counter[int] = Counter()
        self._speed, self._delay, self._count, self._fps = speed, delay, tiles, fps

    def run(self, seconds: float) -> None:
        step = 0
        while self.now < seconds:
            self.now = step / 1000
            while self.under_way and self.under_way[0][0] <= self.now:
                _, tile, sequence, made = self.under_way.popleft()
                if tile < 0:
                    self.tiles.window.probed(self.now - made)
                    self.is_probing = False
                    continue
                self.tiles.credited(tile, sequence)
                if self.now > 3.0:  # the window has found the connection's speed
                    self.ages.append(self.now - made)
                self.got[tile] += 1
            for tile in range(self._count):
                if self._newest(tile) > self.shown[tile]:
                    self.tiles.arrived(tile, self.now)
            while (chosen := self.tiles.next(self.now)) is not None:
                sequence = self.shown[chosen] = self._newest(chosen)
                self.tiles.sent(chosen, sequence, SIZE, self.now)
                self.free = max(self.now, self.free) + SIZE / self._speed
                made = (sequence - chosen / self._count) / self._fps
                self.under_way.append((self.free + 2 * self._delay, chosen, sequence, made))
                if not self.is_probing:
                    self.is_probing = True
                    self.under_way.append((self.free + 2 * self._delay, -1, 0, self.now))
            step += 1

    def _newest(self, tile: int) -> int:
        return int(self.now * self._fps + tile / self._count)


@pytest.mark.parametrize(("speed", "delay"), [(1e6, 0.005), (1e6, 0.1), (2e5, 0.03), (2e7, 0.001)])
def test_on_a_slow_connection_pictures_do_not_queue_and_none_starves(speed: float, delay: float) -> None:
    link = Slow(speed, delay, tiles=20, fps=10.0)
    link.run(10.0)
    ages = sorted(link.ages)
    demanded, carried = 20 * 10.0 * SIZE, len(ages) * SIZE / 7.0
    # The time of one picture on the wire, the way, and the queue that is allowed; as much again while it is cut.
    fair = SIZE / speed + 2 * delay + QUEUE
    assert ages[len(ages) * 98 // 100] < 2 * fair + 0.1  # and what a picture waited at the camera's pace
    assert carried > 0.8 * min(speed, demanded)
    assert min(link.got.values()) * 2 >= max(link.got.values())
    assert len(link.got) == 20


class Machine(RuleBasedStateMachine):
    """Feeds, tiles and a receiver that gives credit when it likes; the model knows what is under way."""

    @initialize(ahead=st.lists(st.integers(1, 2), min_size=1, max_size=6))
    def begin(self, ahead: list[int]) -> None:
        self.now = 0.0
        self.tiles = Tiles()
        self.ahead = dict(enumerate(ahead))
        self.newest = dict.fromkeys(self.ahead, 0)
        self.shown = dict.fromkeys(self.ahead, 0)
        self.flight: dict[int, deque[int]] = {tile: deque() for tile in self.ahead}
        for tile, count in self.ahead.items():
            self.tiles.open(tile, None, count)

    def pump(self) -> None:
        waited: Counter[int] = Counter()
        while (tile := self.tiles.next(self.now)) is not None:
            assert len(self.flight[tile]) < self.ahead[tile]
            assert self.newest[tile] > self.shown[tile]
            self.shown[tile] = self.newest[tile]
            self.flight[tile].append(self.newest[tile])
            self.tiles.sent(tile, self.newest[tile], SIZE, self.now)
            waited[tile] += 1
            assert waited[tile] == 1  # nothing newer came meanwhile

    @rule(data=st.data(), seconds=st.floats(0.0, 2.0))
    def arrive(self, data: st.DataObject, seconds: float) -> None:
        self.now += seconds
        tile = data.draw(st.sampled_from(list(self.ahead)))
        self.newest[tile] += 1
        self.tiles.arrived(tile, self.now)
        self.pump()

    @precondition(lambda self: any(self.flight.values()))
    @rule(data=st.data(), seconds=st.floats(0.0, 2.0))
    def paint(self, data: st.DataObject, seconds: float) -> None:
        self.now += seconds
        tile = data.draw(st.sampled_from([tile for tile, flight in self.flight.items() if flight]))
        sequence = data.draw(st.sampled_from(list(self.flight[tile])))
        self.tiles.credited(tile, sequence)
        while self.flight[tile] and self.flight[tile][0] <= sequence:
            self.flight[tile].popleft()
        if self.newest[tile] > self.shown[tile]:
            self.tiles.arrived(tile, self.now)
        self.pump()

    @rule(data=st.data(), sequence=st.integers(-1, 50))
    def lie(self, data: st.DataObject, sequence: int) -> None:
        tile = data.draw(st.sampled_from([*self.ahead, 99]))
        if sequence not in self.flight.get(tile, ()):
            with pytest.raises(InvalidArgument):
                self.tiles.credited(tile, sequence)

    @precondition(lambda self: len(self.ahead) > 1)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        tile = data.draw(st.sampled_from(list(self.ahead)))
        self.tiles.close(tile)
        for known in (self.ahead, self.newest, self.shown, self.flight):
            del known[tile]
        self.pump()

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "tiles"):
            assert self.tiles.under_way == SIZE * sum(map(len, self.flight.values()))
            assert self.tiles.under_way < self.tiles.window.bytes + SIZE or self.tiles.window.bytes < INITIAL_WINDOW
            if not self.tiles.under_way:  # nobody waits while nothing is under way
                assert self.newest == self.shown


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

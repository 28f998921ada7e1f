"""Rounds, slots and the sweep, with hand-made time and sockets that take bytes by the count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from gatekeeper.http.fanout import BATCH, Fanout
from gatekeeper.http.part import OPENINGS, Cut, Part
from gatekeeper.http.viewer import Viewer
from tests.http.mjpeg_viewers import FakeSender, PartReader

TIMEOUT = 10.0


class Hall:
    """A fan-out with its clock and the senders of its viewers."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.fanout = Fanout(self.clock, TIMEOUT)
        self.parts: list[Part] = []

    def enter(self, room: int = 1 << 30) -> tuple[Viewer, FakeSender]:
        """Add a viewer whose headers are out."""
        sender = FakeSender(room)
        viewer = Viewer(sender, Cut.DELIMITER, self.fanout.slot, self.fanout.tally)
        self.fanout.add(viewer)
        viewer.start()
        sender.writable()
        return viewer, sender

    def turn(self) -> None:
        """Let the reactor turn once: what is due now is called, what that makes due is not."""
        due = [call for call in self.clock.calls if call.getTime() <= self.clock.seconds()]
        for call in due:
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def show(self, size: int = 1000) -> Part:
        """Show the next part."""
        serial = len(self.parts) + 1
        part = Part(serial, bytes([serial % 256]) * size, float(serial), serial)
        self.parts.append(part)
        self.fanout.show(part)
        return part


def sequences(sender: FakeSender) -> list[int]:
    reader = PartReader()
    reader.feed(OPENINGS[Cut.DELIMITER] + sender.sent)
    return [part.sequence for part in reader.parts]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_round_gives_way_to_the_reactor(hall: Hall) -> None:
    senders = [hall.enter()[1] for _ in range(2 * BATCH + 5)]
    hall.show()
    served = [sum(bool(sender.sent) for sender in senders)]
    for _ in range(3):
        hall.turn()
        served.append(sum(bool(sender.sent) for sender in senders))
    assert served == [BATCH, 2 * BATCH, 2 * BATCH + 5, 2 * BATCH + 5]


def test_a_newer_part_replaces_the_older_for_those_not_served_yet(hall: Hall) -> None:
    senders = [hall.enter()[1] for _ in range(2 * BATCH)]
    hall.show()
    hall.show()
    hall.clock.pump([0, 0, 0])
    assert [sequences(sender) for sender in senders] == [[1, 2]] * BATCH + [[2]] * BATCH


def test_all_are_served_when_others_leave_during_the_round(hall: Hall) -> None:
    entered = [hall.enter() for _ in range(3 * BATCH)]
    hall.show()
    for viewer, _ in entered[BATCH - 5 : BATCH + 5]:
        hall.fanout.remove(viewer)
    hall.clock.pump([0, 0, 0])
    assert all(sequences(sender) == [1] for _, sender in entered[BATCH + 5 :])


def test_a_slow_viewer_finishes_its_part_then_jumps_to_the_newest(hall: Hall) -> None:
    _, slow = hall.enter(room=400)
    _, fast = hall.enter()
    for _ in range(5):
        hall.show()
    assert sequences(slow) == []
    assert slow.calls == ["wait"]
    slow.room = 1 << 30
    slow.writable()
    assert sequences(slow) == [1, 5]
    assert sequences(fast) == [1, 2, 3, 4, 5]
    metrics = hall.fanout.metrics
    assert (metrics.viewers, metrics.frames, metrics.skipped) == (2, 7, 3)
    assert metrics.bytes == len(slow.sent) + len(fast.sent)


def test_only_the_part_under_way_and_the_newest_are_kept(hall: Hall) -> None:
    hall.enter(room=10)
    for _ in range(5):
        hall.show()
    assert [part.serial for part in hall.parts if not part.closed] == [1, 5]


def test_a_viewer_that_comes_later_gets_the_newest_at_once(hall: Hall) -> None:
    hall.enter()
    hall.show()
    hall.show()
    assert sequences(hall.enter()[1]) == [2]


def test_what_was_withdrawn_is_shown_to_nobody_else(hall: Hall) -> None:
    senders = [hall.enter()[1] for _ in range(2 * BATCH)]
    hall.show()
    hall.fanout.withdraw()
    hall.clock.pump([0, 0])
    assert sum(bool(sender.sent) for sender in senders) == BATCH
    assert hall.enter()[1].sent == b""


def test_a_viewer_that_takes_nothing_is_aborted_after_the_timeout(hall: Hall) -> None:
    _, stuck = hall.enter(room=10)
    _, idle = hall.enter()
    hall.show()
    hall.clock.pump([1.0] * 10)
    assert "abort" not in stuck.calls
    hall.clock.pump([1.0] * 2)
    assert stuck.calls == ["wait", "abort"]
    assert idle.calls == []
    assert (hall.fanout.metrics.timeouts, hall.fanout.metrics.viewers) == (1, 1)


def test_a_viewer_that_takes_a_byte_now_and_then_stays(hall: Hall) -> None:
    _, slow = hall.enter(room=1)
    hall.show()
    for _ in range(10):
        hall.clock.pump([1.0] * 6)
        slow.room = 1
        slow.writable()
    assert slow.calls.count("wait") == 11
    assert "abort" not in slow.calls


def test_a_viewer_whose_headers_never_leave_is_aborted(hall: Hall) -> None:
    sender = FakeSender()
    viewer = Viewer(sender, Cut.DELIMITER, hall.fanout.slot, hall.fanout.tally)
    hall.fanout.add(viewer)
    viewer.start()
    hall.clock.pump([1.0] * 12)
    assert sender.calls == ["abort"]


def test_a_dead_connection_ends_its_viewer_only(hall: Hall) -> None:
    _, dead = hall.enter()
    _, alive = hall.enter()
    dead.dead = True
    hall.show()
    hall.show()
    assert dead.calls == ["abort"]
    assert sequences(alive) == [1, 2]


def test_a_connection_that_dies_within_a_part_lets_go_of_it(hall: Hall) -> None:
    _, dying = hall.enter(room=10)
    first = hall.show()
    hall.show()
    dying.dead = True
    dying.writable()
    assert dying.calls == ["wait", "abort"]
    assert first.closed


def test_no_timer_runs_while_nobody_watches(hall: Hall) -> None:
    entered = [hall.enter()[0] for _ in range(2 * BATCH)]
    hall.show()
    assert len(hall.clock.getDelayedCalls()) == 2
    for viewer in entered:
        hall.fanout.remove(viewer)
    assert hall.clock.getDelayedCalls() == []
    assert hall.fanout.slot.part is None


def test_finishing_is_orderly_between_parts_and_at_once_within_one(hall: Hall) -> None:
    _, between = hall.enter()
    _, within = hall.enter(room=10)
    part = hall.show()
    hall.fanout.finish()
    assert between.calls == ["finish"]
    assert within.calls == ["wait", "abort"]
    assert part.closed
    assert hall.clock.getDelayedCalls() == []


@given(
    st.lists(
        st.one_of(
            st.just("show"),
            st.just("turn"),
            st.tuples(st.integers(0, 3), st.integers(1, 700)),
        ),
        max_size=60,
    )
)
def test_every_stream_is_well_formed_and_rising_however_room_comes(events: list[str | tuple[int, int]]) -> None:
    hall = Hall()
    entered = [hall.enter(room=0) for _ in range(4)]
    for event in events:
        if event == "show":
            hall.show(300)
        elif event == "turn":
            hall.turn()
        elif isinstance(event, tuple):
            sender = entered[event[0]][1]
            sender.room += event[1]
            sender.writable()
    for _, sender in entered:
        sender.room = 1 << 30
        sender.writable()
        seen = sequences(sender)
        assert seen == sorted(set(seen))
        assert not hall.parts or seen[-1] == len(hall.parts)
    for viewer, _ in entered:
        hall.fanout.remove(viewer)
    assert all(part.closed for part in hall.parts)

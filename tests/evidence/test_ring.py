"""The newest frames, bounded in seconds and bytes, and when a camera saw nothing."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.evidence.ring import MAX_SPANS, Ring, Sight


@dataclass(frozen=True)
class Shot:
    received: float
    jpeg: bytes = b"x" * 10
    camera: str = "c"
    wall: float = 0.0
    width: int = 1
    height: int = 1


def shots(*moments: float) -> list[Shot]:
    return [Shot(moment) for moment in moments]


def filled(ring: Ring, frames: list[Shot]) -> Ring:
    for frame in frames:
        ring.add(frame)
    return ring


def test_what_is_older_than_the_seconds_goes_and_the_very_edge_stays() -> None:
    ring = filled(Ring(5.0, 10**6), shots(0.0, 4.999, 5.0, 9.999, 10.0))
    assert [frame.received for frame in ring.between(0, 99)] == [5.0, 9.999, 10.0]
    assert ring.size == 30
    assert ring.short_of is None


def test_when_bytes_do_not_suffice_the_oldest_go_and_it_is_known_from_when_on_all_are_there() -> None:
    ring = filled(Ring(5.0, 25), shots(1, 2, 3, 4))
    assert [frame.received for frame in ring.between(0, 99)] == [3, 4]
    assert ring.size == 20
    assert ring.short_of == 2


def test_a_frame_larger_than_the_whole_ring_is_not_kept() -> None:
    ring = filled(Ring(5.0, 5), shots(1))
    assert len(ring) == 0
    assert ring.size == 0
    assert ring.short_of == 1


def test_between_takes_both_ends_and_the_frames_themselves() -> None:
    frames = shots(1, 2, 3, 4)
    ring = filled(Ring(9.0, 10**6), frames)
    found = ring.between(2, 3)
    assert [frame is frames[place] for frame, place in zip(found, (1, 2), strict=True)] == [True, True]


@given(
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 50)), max_size=80),
    st.floats(0.1, 10),
    st.integers(1, 500),
)
def test_it_always_keeps_what_falls_in_the_seconds_if_bytes_allow(
    steps: list[tuple[float, int]], seconds: float, limit: int
) -> None:
    ring = Ring(seconds, limit)
    sent: list[Shot] = []
    now = 0.0
    for step, size in steps:
        now += step
        sent.append(Shot(now, b"x" * size))
        ring.add(sent[-1])
        assert ring.size <= limit
        wanted = [frame for frame in sent if frame.received >= now - seconds]
        while sum(len(frame.jpeg) for frame in wanted) > limit:
            wanted.pop(0)
        held = ring.between(-1, now + 1)
        assert held[len(held) - len(wanted) :] == wanted
        assert ring.size == sum(len(frame.jpeg) for frame in held)
        assert held == sent[len(sent) - len(held) :]


# --- blindness -------------------------------------------------------------------------------------------------------


def test_a_camera_that_never_sent_is_blind_from_the_start_and_before_it_nobody_watched() -> None:
    sight = Sight(10.0, 20.0, 2.0, "no picture yet")
    assert sight.between(5, 15, 15) == [(5, 10.0, "not watched yet"), (10.0, 15, "no picture yet")]


def test_it_is_blind_from_its_last_frame_to_the_next_one_whenever_that_was_noticed() -> None:
    sight = Sight(0.0, 20.0, 2.0, "no picture yet")
    for moment in (0.0, 1.0, 2.0):
        sight.seen(moment)
    sight.lost(3.9, "stalled: no picture for 2 s")
    assert sight.blind
    sight.lost(4.5, "offline: refused")
    sight.seen(6.0)
    assert not sight.blind
    assert sight.between(0, 10, 6.5) == [(2.0, 6.0, "stalled: no picture for 2 s")]
    assert sight.between(5, 5.5, 6.5) == [(5, 5.5, "stalled: no picture for 2 s")]
    assert sight.between(6.0, 10, 6.5) == []


def test_a_reason_that_explains_nothing_gives_way_to_one_that_does() -> None:
    sight = Sight(0.0, 20.0, 2.0, "no picture yet")
    sight.seen(1.0)
    sight.lost(1.5, "connecting", firm=False)
    sight.lost(2.0, "offline: refused")
    sight.lost(2.5, "connecting", firm=False)
    assert sight.between(1, 3, 3) == [(1.0, 3, "offline: refused")]


def test_a_gap_that_nobody_complained_of_is_blindness_too() -> None:
    sight = Sight(0.0, 20.0, 2.0, "no picture yet")
    sight.seen(0.0)
    sight.seen(2.0)
    sight.seen(5.5)
    assert sight.between(0, 9, 6) == [(2.0, 5.5, "no picture came for 3.5 s")]


def test_silence_that_lasts_is_counted_up_to_now_not_to_the_end_of_what_is_asked_for() -> None:
    sight = Sight(0.0, 20.0, 2.0, "no picture yet")
    sight.seen(0.0)
    sight.seen(4.0)
    assert sight.between(4, 5, 5.5) == []
    assert sight.between(4, 5, 7.5) == [(4.0, 5, "no picture came for 3.5 s")]


def test_what_was_seen_is_certain_once_a_later_frame_came_or_the_camera_is_known_to_be_blind() -> None:
    sight = Sight(0.0, 20.0, 2.0, "no picture yet")
    assert sight.settled(1.0)
    sight.seen(0.5)
    assert not sight.settled(1.0)
    sight.lost(0.9, "offline")
    assert sight.settled(1.0)
    sight.seen(1.0)
    assert sight.settled(1.0)


def test_a_camera_that_comes_and_goes_costs_bounded_memory_and_no_blindness_is_forgotten() -> None:
    sight = Sight(0.0, 10_000.0, 2.0, "no picture yet")
    for second in range(500):
        sight.seen(float(second))
        sight.lost(second + 0.5, "offline")
    spans = sight.between(0, 500, 500)
    assert len(spans) <= MAX_SPANS + 1
    assert spans[-1][1] == 500
    assert all(before[1] >= after[0] for before, after in pairwise(spans))


def test_what_is_older_than_it_must_remember_goes() -> None:
    sight = Sight(0.0, 5.0, 2.0, "no picture yet")
    for second in range(0, 100, 10):
        sight.seen(float(second))
        sight.lost(second + 1.0, "offline")
    assert sight.between(0, 50, 95) == []

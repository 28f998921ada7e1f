"""Whether a lock still lives."""

import pytest

from gatekeeper.doors.actions import Times
from gatekeeper.doors.liveness import STATUS_INTERVAL, Liveness

TIMES = Times(command=2.0, ping_interval=3.0, ping_answer=2.0, silence=12.0)


@pytest.fixture
def liveness() -> Liveness:
    it = Liveness(TIMES)
    it.opened(100.0)
    return it


def test_a_new_link_is_asked_after_one_interval(liveness: Liveness) -> None:
    assert not liveness.ping_due(102.99, True)
    assert liveness.ping_due(103.0, True)
    assert not liveness.status_due(100.0 + STATUS_INTERVAL - 0.01)
    assert liveness.status_due(100.0 + STATUS_INTERVAL)
    assert not liveness.status_due(100.0 + STATUS_INTERVAL)


def test_a_ping_that_is_not_allowed_passes_its_turn(liveness: Liveness) -> None:
    assert not liveness.ping_due(103.0, False)
    assert not liveness.ping_due(105.99, True)
    assert liveness.ping_due(106.0, True)


def test_a_second_ping_waits_for_the_first_ones_pong(liveness: Liveness) -> None:
    assert liveness.ping_due(103.0, True)
    assert not liveness.ping_due(106.0, True)
    assert liveness.answered()
    assert liveness.ping_due(109.0, True)


def test_a_pong_that_nobody_asked_for_is_told(liveness: Liveness) -> None:
    assert not liveness.answered()
    liveness.ping_due(103.0, True)
    assert liveness.answered()
    assert not liveness.answered()


def test_a_missing_pong_means_dead_although_the_lock_talks(liveness: Liveness) -> None:
    liveness.ping_due(103.0, True)
    liveness.heard(104.9)
    assert liveness.dead(104.99) is None
    assert liveness.dead(105.0) == "the lock did not answer PING within 2 s"


def test_a_long_silence_means_dead(liveness: Liveness) -> None:
    assert liveness.dead(111.99) is None
    assert liveness.dead(112.0) == "nothing was heard from the lock for 12 s"
    liveness.heard(112.0)
    assert liveness.dead(123.99) is None


def test_a_new_link_knows_nothing_of_the_old_ones_ping(liveness: Liveness) -> None:
    liveness.ping_due(103.0, True)
    liveness.opened(200.0)
    assert liveness.dead(205.0) is None
    assert not liveness.answered()


def test_the_deadline_is_what_is_due_first(liveness: Liveness) -> None:
    assert liveness.deadline == 103.0
    liveness.ping_due(103.0, True)
    liveness.status_due(103.0)
    assert liveness.deadline == 105.0
    liveness.answered()
    assert liveness.deadline == 106.0
    quiet = Liveness(Times(ping_interval=9.0, silence=1.0))
    quiet.opened(10.0)
    assert quiet.deadline == 11.0

"""Frames on their way to the disk: the queue that thins out, and the thread that a dead disk may hold."""

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gatekeeper.errors import Overloaded
from gatekeeper.evidence.bundle import Bundle
from gatekeeper.evidence.disk import MAX_JOBS, DiskThread
from gatekeeper.evidence.intake import BATCH_BYTES, BATCH_FRAMES, Intake, stride
from gatekeeper.evidence.ring import Sight
from tests.evidence.stores import result
from tests.evidence.test_ring import Shot


class Reactor:
    """Takes calls from threads, and makes them when it is told to."""

    def __init__(self) -> None:
        self.calls: queue.Queue[tuple[Callable[..., Any], tuple[Any, ...]]] = queue.Queue()

    def callFromThread(self, what: Callable[..., Any], *arguments: Any) -> None:
        self.calls.put((what, arguments))

    def turn(self) -> None:
        what, arguments = self.calls.get(timeout=10)
        what(*arguments)


def test_work_is_done_in_another_thread_one_after_the_other_and_answered_in_the_reactors() -> None:
    reactor = Reactor()
    disk = DiskThread(reactor, "disk")

    def work(number: int) -> tuple[int, int]:
        return number, threading.get_ident()

    asked = [disk.run(partial(work, number)) for number in range(3)]
    assert not any(one.called for one in asked)
    for _ in asked:
        reactor.turn()
    found = [result(one) for one in asked]
    assert [number for number, _ in found] == [0, 1, 2]
    assert {thread for _, thread in found} != {threading.get_ident()}
    assert len({thread for _, thread in found}) == 1
    disk.stop()


def test_an_error_is_the_askers_and_the_next_work_is_done() -> None:
    reactor = Reactor()
    disk = DiskThread(reactor, "disk")

    def fails() -> None:
        raise OSError("dead")

    failing, fine = disk.run(fails), disk.run(lambda: "fine")
    reactor.turn()
    reactor.turn()
    with pytest.raises(OSError, match="dead"):
        result(failing)
    assert result(fine) == "fine"
    disk.stop()


def test_a_disk_that_hangs_refuses_more_than_may_wait_and_is_not_waited_for_at_the_end() -> None:
    reactor = Reactor()
    disk = DiskThread(reactor, "one that hangs")
    goes_on = threading.Event()
    waiting = [disk.run(goes_on.wait) for _ in range(MAX_JOBS)]
    with pytest.raises(Overloaded):
        result(disk.run(lambda: None))
    (thread,) = [one for one in threading.enumerate() if one.name == "one that hangs"]
    assert thread.daemon
    disk.stop()
    goes_on.set()
    for _ in waiting:
        reactor.turn()
    assert [result(one) for one in waiting] == [True] * MAX_JOBS
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("waiting", "more", "every"),
    [(0, 1, 1), (50, 0, 1), (51, 0, 2), (0, 100, 2), (75, 0, 2), (76, 0, 4), (90, 0, 4), (91, 0, 8), (100, 0, 8)],
)
def test_the_fuller_it_is_the_fewer_are_taken(waiting: int, more: int, every: int) -> None:
    assert stride(waiting, more, 100) == every


@pytest.mark.parametrize(("waiting", "more"), [(101, 0), (100, 1), (0, 1000)])
def test_what_does_not_fit_even_thinned_out_is_not_taken(waiting: int, more: int) -> None:
    assert stride(waiting, more, 100) == 0


def test_batches_are_bounded_in_number_and_bytes_and_count_until_they_are_done() -> None:
    bundle = Bundle("E", "front", 0.0, 0.0, before=1, after=1, sights={"c": Sight(0.0, 1.0, 1.0, "")})
    intake = Intake(10**9)
    for _ in range(BATCH_FRAMES + 1):
        intake.put(bundle, Shot(0.0, b"x"))
    first = intake.batch()
    assert (len(first), len(intake), intake.size) == (BATCH_FRAMES, 1, BATCH_FRAMES + 1)
    intake.done(first)
    assert intake.size == 1
    assert bundle.waiting == BATCH_FRAMES + 1
    big = b"x" * (BATCH_BYTES - 1)
    intake.put(bundle, Shot(0.0, big))
    intake.put(bundle, Shot(0.0, big + b"xx"))
    assert [item.size for item in intake.batch()] == [1, BATCH_BYTES - 1]
    assert [item.size for item in intake.batch()] == [BATCH_BYTES + 1]
    assert intake.batch() == []


def test_what_is_given_up_does_not_count_any_more() -> None:
    bundle = Bundle("E", "front", 0.0, 0.0, before=1, after=1, sights={"c": Sight(0.0, 1.0, 1.0, "")})
    intake = Intake(100)
    intake.put(bundle, Shot(0.0, b"xx"))
    assert [item.frame.jpeg for item in intake.drain()] == [b"xx"]
    assert (len(intake), intake.size) == (0, 0)

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.flow import Outbox, Policy
from gatekeeper.wamp.limits import Limits, Tally
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import Client, RecordingLink, fuzz, open_router


class Narrow(RecordingLink):
    """A socket that takes so many bytes at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, frame: bytes) -> int:
        super().write(frame)
        took = min(self.room, len(frame)) if not self.unsent else 0
        self.room -= took
        self.unsent += len(frame) - took
        return self.unsent


def box(link: RecordingLink, budget: int = 1000) -> tuple[Outbox, list[int]]:
    overflows: list[int] = []
    return Outbox(link, budget, Tally(), overflows.append), overflows


def test_while_the_socket_takes_everything_nothing_waits() -> None:
    link = RecordingLink()
    outbox, _ = box(link)
    for number in range(5):
        outbox.offer(1, b"%d" % number)
    assert link.frames == [b"0", b"1", b"2", b"3", b"4"]
    assert outbox.replaced == 0


def test_one_frame_in_the_socket_is_all_that_a_stream_queues() -> None:
    link = Narrow(room=150)
    outbox, _ = box(link)
    for number in range(10):
        outbox.offer(1, b"%d" % number * 100)
    assert link.frames == [b"0" * 100, b"1" * 100]
    assert (outbox.waiting_bytes, outbox.replaced) == (100, 7)
    link.unsent, link.room = 0, 1000
    outbox.drained()
    assert link.frames[2:] == [b"9" * 100]
    assert outbox.waiting_bytes == 0


def test_the_newest_of_each_subscription_leaves_in_turn() -> None:
    link = Narrow(room=0)
    outbox, _ = box(link)
    outbox.offer(1, b"old")
    for key, frame in [(1, b"a1"), (2, b"b1"), (1, b"a2"), (3, b"c1"), (2, b"b2")]:
        outbox.offer(key, frame)
    link.unsent, link.room = 0, 3
    outbox.drained()
    assert link.frames[1:] == [b"a2", b"b2"]
    link.unsent, link.room = 0, 100
    outbox.drained()
    assert link.frames[3:] == [b"c1"]


def test_a_reply_overtakes_the_frames_that_wait() -> None:
    link = Narrow(room=0)
    outbox, _ = box(link)
    for frame in (b"frame 1", b"frame 2"):
        outbox.offer(1, frame)
    outbox.send(b"reply")
    assert link.frames == [b"frame 1", b"reply"]


def test_more_than_the_budget_unsent_ends_the_session_once() -> None:
    link = Narrow(room=0)
    outbox, overflows = box(link, budget=100)
    outbox.send(b"x" * 100)
    assert overflows == []
    outbox.send(b"x")
    outbox.send(b"x")
    outbox.offer(1, b"x")
    outbox.drained()
    assert overflows == [101]
    assert len(link.frames) == 2


def test_what_waits_in_slots_is_bounded_too_and_the_longest_waiting_gives_way() -> None:
    link = Narrow(room=0)
    outbox, overflows = box(link, budget=250)
    outbox.send(b"first")
    for key in range(5):
        outbox.offer(key, b"%d" % key * 100)
    assert (outbox.waiting_bytes, outbox.replaced, overflows) == (200, 3, [])
    link.unsent, link.room = 0, 1000
    outbox.drained()
    assert link.frames[1:] == [b"3" * 100, b"4" * 100]


def test_a_closed_outbox_lets_go_of_everything_and_says_nothing_more() -> None:
    link = Narrow(room=0)
    outbox, _ = box(link)
    outbox.offer(1, b"sent")
    outbox.offer(1, b"waits")
    outbox.close()
    assert (outbox.waiting_bytes, outbox._slots) == (0, {})
    outbox.send(b"x")
    outbox.offer(1, b"x")
    outbox.drained()
    assert link.frames == [b"sent"]


def test_a_frame_larger_than_the_budget_is_sent_if_the_socket_takes_it_and_dropped_if_not() -> None:
    link = Narrow(room=1000)
    outbox, overflows = box(link, budget=10)
    outbox.offer(1, b"x" * 1500)
    outbox.offer(1, b"y" * 1500)
    assert (len(link.frames), outbox.waiting_bytes, overflows) == (1, 0, [])


def test_a_frame_larger_than_the_budget_ends_nobody_who_reads_it_slowly() -> None:
    link = Narrow(room=0)
    outbox, overflows = box(link, budget=100)
    outbox.offer(1, b"x" * 500)
    outbox.send(b"y" * 100)
    assert overflows == []
    outbox.send(b"z")
    assert overflows == [601]


def test_the_allowance_for_a_frame_ends_when_it_has_left() -> None:
    link = Narrow(room=0)
    outbox, overflows = box(link, budget=100)
    outbox.offer(1, b"x" * 500)
    link.unsent = 0
    outbox.drained()
    outbox.send(b"y" * 101)
    assert overflows == [101]


steps = st.lists(
    st.tuples(st.sampled_from(["send", "offer", "drain", "forget"]), st.integers(0, 3), st.integers(0, 60)),
    max_size=60,
)


@fuzz
@given(steps=steps, room=st.integers(0, 200))
def test_whatever_happens_memory_is_bounded_and_the_last_frame_arrives(
    steps: list[tuple[str, int, int]], room: int
) -> None:
    link = Narrow(room)
    outbox, overflows = box(link, budget=100)
    newest: dict[int, bytes] = {}
    for number, (step, key, size) in enumerate(steps):
        frame = b"%03d" % number + b"." * size
        if step == "send":
            outbox.send(frame)
        elif step == "offer":
            outbox.offer(key, frame)
            newest[key] = frame
        elif step == "forget":
            outbox.forget(key)
            newest.pop(key, None)
        else:
            link.unsent, link.room = 0, room
            outbox.drained()
        assert outbox.waiting_bytes <= 100
        assert sum(map(len, outbox._slots.values())) == outbox.waiting_bytes
    if not overflows and not outbox.replaced:
        link.unsent, link.room = 0, 10_000
        outbox.drained()
        assert set(newest.values()) <= set(link.frames)


# --- The same, seen from a router ---------------------------------------------------------------------------------


def stream_policy(topic: str) -> Policy:
    return "newest" if topic.endswith(".frame") else "all"


def viewers(count: int, **arguments: Any) -> tuple[Router, Client, list[Client]]:
    router = open_router(policies=stream_policy, **arguments)
    publisher = Client(router).join()
    clients = [Client(router).join() for _ in range(count)]
    for client in clients:
        client.say(32, 1, {}, "a.frame")
        client.say(32, 2, {}, "a.fact")
    return router, publisher, clients


def test_a_stalled_viewer_costs_one_frame_and_the_others_nothing() -> None:
    router, publisher, (stalled, lively) = viewers(2)
    stalled.stall()
    for number in range(1000):
        publisher.say(16, 1, {}, "a.frame", [number])
    assert [event[4] for event in lively.take()] == [[number] for number in range(1000)]
    assert [event[4] for event in stalled.take()] == [[0]]
    assert router.metrics().events_replaced == 998
    stalled.drain()
    assert [event[4] for event in stalled.take()] == [[999]]


def test_facts_are_queued_for_a_stalled_session_until_its_budget_is_spent() -> None:
    router, publisher, (stalled, lively) = viewers(2, limits=Limits(unsent_bytes=2000))
    stalled.stall()
    for number in range(100):
        publisher.say(16, 1, {}, "a.fact", [number, "x" * 100])
    assert len(lively.take()) == 100
    assert stalled.link.is_closed
    events = stalled.take()
    goodbye = events.pop()
    assert (goodbye[0], goodbye[2]) == (6, "wamp.close.killed")
    assert [event[4][0] for event in events] == list(range(len(events)))
    assert stalled.link.unsent < 2500
    metrics = router.metrics()
    assert (metrics.over_budget, metrics.sessions_now) == (1, 2)


def test_a_client_that_reads_no_replies_is_ended_too() -> None:
    router, _publisher, (client,) = viewers(1, limits=Limits(unsent_bytes=2000))
    client.stall()
    for request in range(1000):
        client.say(48, request + 1, {}, "no.such.procedure")
    assert client.link.is_closed
    assert client.link.unsent < 2500
    assert router.metrics().over_budget == 1


def test_a_callee_that_reads_nothing_fails_its_callers() -> None:
    router, caller, (callee,) = viewers(1, limits=Limits(unsent_bytes=2000))
    callee.say(64, 3, {}, "a.procedure")
    callee.stall()
    answers = [answer for request in range(1, 21) for answer in caller.say(48, request, {}, "a.procedure", ["x" * 200])]
    assert {answer[4] for answer in answers} == {"wamp.error.canceled", "wamp.error.no_such_procedure"}
    assert sorted(answer[2] for answer in answers) == list(range(1, 21))
    assert router.metrics().over_budget == 1


def test_no_frame_follows_unsubscribed() -> None:
    _router, publisher, (viewer,) = viewers(1)
    viewer.stall()
    for number in range(3):
        publisher.say(16, 1, {}, "a.frame", [number])
    viewer.take()
    assert viewer.say(34, 3, 1) == [[35, 3]]
    viewer.drain()
    assert viewer.take() == []


def test_a_reply_does_not_wait_behind_frames() -> None:
    _router, publisher, (viewer,) = viewers(1)
    viewer.stall()
    for number in range(3):
        publisher.say(16, 1, {}, "a.frame", [number])
    assert [message[0] for message in viewer.say(32, 9, {}, "another.topic")] == [36, 33]


@pytest.mark.parametrize("end", ["lost", "abort"])
def test_what_waits_is_let_go_with_the_session(end: str) -> None:
    _router, publisher, (viewer,) = viewers(1)
    viewer.stall()
    for _ in range(3):
        publisher.say(16, 1, {}, "a.frame")
    if end == "lost":
        viewer.session.lost()
    else:
        viewer.session.abort("wamp.error.timeout", "")
    assert viewer.session._outbox.waiting_bytes == 0
    assert viewer.session._outbox._slots == {}
    viewer.take()
    viewer.drain()
    assert viewer.take() == []


DIGITS = 16  # by which the random publication IDs of two frames may differ in length


def test_what_each_session_costs_is_seen() -> None:
    router, publisher, (stalled, _lively) = viewers(2)
    stalled.stall()
    for number in range(10):
        publisher.say(16, 1, {}, "a.frame", [number, "x" * 100])
    frame = len(stalled.link.frames[-1])
    seen = {metrics.session: metrics for metrics in router.session_metrics()}
    assert len(seen) == 3
    costs = seen[stalled.session.id]
    assert (costs.authid, costs.address) == ("somebody", "192.0.2.1")
    assert abs(costs.unsent_bytes - 2 * frame) <= DIGITS
    assert costs.events_replaced == 8
    assert [metrics.events_replaced for metrics in seen.values() if metrics is not costs] == [0, 0]
    assert router.metrics().unsent_bytes_now == costs.unsent_bytes
    stalled.drain()
    assert router.metrics().unsent_bytes_now == 0

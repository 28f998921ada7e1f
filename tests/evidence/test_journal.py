"""What is told is stored in order, whatever the database does, and heard after its commit."""

import pytest
from twisted.internet.defer import Deferred

from gatekeeper.caller import Caller
from gatekeeper.errors import NoSuchEvent, Overloaded, StorageUnavailable
from gatekeeper.evidence import journal as journal_module
from gatekeeper.evidence.entry import IMPORTANT, ORDINARY, PASSING, Entry, Waiting, importance
from gatekeeper.evidence.event import Drafts, Event, Query
from gatekeeper.evidence.journal import KEPT
from gatekeeper.storage import appender, events
from gatekeeper.storage.pruning import prune
from tests.evidence.chains import NOW
from tests.evidence.stores import ANA, Bench, Store, result


def test_an_event_is_stored_and_then_heard() -> None:
    bench = Bench()
    bench.store.by_hand = True
    [entry] = bench.record("opened", subject="front", caller=ANA, cause="x", reason="parcel", details={"a": [1, 2.5]})
    stored = entry.stored
    assert (bench.heard, result(stored), bench.journal.recent()) == ([], None, ())
    bench.store.answer("write")
    [event] = bench.heard
    assert result(entry.stored) is event
    assert bench.journal.recent() == (event,)
    assert (event.id, event.sequence, event.time, event.subject) == (entry.id, 1, NOW, "front")
    assert (event.actor, event.caller, event.cause, event.reason) == ("ana", ANA, "x", "parcel")
    assert (event.details, event.outcome, event.held, event.pictures) == ({"a": [1, 2.5]}, "ok", False, 0)
    assert len(event.hash) == 64


def test_what_is_told_while_one_is_stored_goes_in_the_next_commit() -> None:
    bench = Bench()
    bench.store.by_hand = True
    bench.record("1", "2", "3")
    bench.store.answer("write")
    assert bench.texts == ["1"]
    bench.store.answer("write")
    assert bench.texts == ["1", "2", "3"]
    assert [event.sequence for event in bench.heard] == [1, 2, 3]


def test_a_journal_goes_on_where_the_last_ended_and_knows_its_newest() -> None:
    store = Store()
    Bench(store).record("1", "2")
    bench = Bench(store)
    assert ([event.text for event in bench.journal.recent()], bench.heard) == (["1", "2"], [])
    bench.record("3")
    assert [(event.sequence, event.text) for event in bench.heard] == [(3, "3")]


def test_what_is_told_before_the_start_waits_for_it() -> None:
    bench = Bench(start=False)
    [entry] = bench.record("1")
    assert result(entry.stored) is None
    bench.journal.start()
    assert bench.texts == ["1"]


def test_a_start_without_a_database_tries_again() -> None:
    bench = Bench(start=False)
    bench.store.failing = True
    bench.journal.start()
    bench.record("1")
    bench.clock.advance(1)
    bench.store.failing = False
    bench.clock.advance(1)
    assert bench.texts == ["1"]


def test_only_the_newest_are_kept_in_memory() -> None:
    bench = Bench()
    bench.record(*map(str, range(KEPT + 10)))
    assert [event.sequence for event in bench.journal.recent()] == list(range(11, KEPT + 11))
    again = Bench(bench.store)
    assert [event.sequence for event in again.journal.recent()] == list(range(11, KEPT + 11))


# --- failure ---


def test_what_can_not_be_stored_is_tried_again_in_order() -> None:
    bench = Bench()
    bench.store.failing = True
    entries = bench.record("1", "2")
    bench.clock.advance(1)
    entries += bench.record("3")
    assert (bench.texts, bench.journal.waiting) == ([], 3)
    bench.store.failing = False
    bench.clock.advance(1)
    assert bench.texts == ["1", "2", "3"]
    assert [result(entry.stored).text for entry in entries] == ["1", "2", "3"]
    assert bench.journal.waiting == 0


def test_a_database_that_is_well_again_is_used_at_once() -> None:
    bench = Bench()
    bench.store.failing = True
    bench.record("1")
    bench.store.recovers()
    assert bench.texts == ["1"]
    bench.store.recovers()


def test_what_was_stored_without_an_answer_is_not_stored_twice() -> None:
    bench = Bench()
    bench.store.failing = bench.store.lies = True
    [first] = bench.record("1")
    bench.record("2")
    bench.store.recovers()
    assert [event.text for event in bench.heard] == ["1", "2"]
    assert [event.sequence for event in bench.heard] == [1, 2]
    assert result(first.stored).sequence == 1
    assert bench.store.blocking(events.newest) == 2


def test_an_event_that_can_not_be_stored_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    link = bench.journal.seal.link

    def picky(site: str, sequence: int, previous: bytes, pending: appender.Pending) -> tuple[bytes, bytes]:
        if b"poison" in pending.rest:
            raise ZeroDivisionError
        return link(site, sequence, previous, pending)

    monkeypatch.setattr(bench.journal.seal, "link", picky)
    bench.store.by_hand = True
    entries = bench.record("1", "2", "poison", "3")
    bench.store.by_hand = False
    bench.store.answer("write")
    for _ in range(5):
        bench.clock.advance(0)
    with pytest.raises(StorageUnavailable):
        result(entries[2].stored)
    assert bench.texts == ["1", "2", "3", "1 event could not be kept while nothing could be stored"]
    assert bench.heard[-1].details == {"count": 1, "kinds": {"door.opened": 1}}


def test_when_too_much_waits_the_least_important_and_oldest_gives_way() -> None:
    bench = Bench()
    bench.journal._waiting = Waiting(maximum=4)
    bench.store.failing = True
    flaps = bench.record("flap 1", "flap 2", kind="camera.offline")
    bench.record("opened 1", kind="door.opened")
    bench.record("odd 1", kind="other")
    bench.record("opened 2", "opened 3", "opened 4", kind="door.opened")
    bench.record("opened 5", kind="access.login")
    for flap in flaps:
        with pytest.raises(Overloaded):
            result(flap.stored)
    bench.store.recovers()
    assert bench.texts[:4] == ["opened 2", "opened 3", "opened 4", "opened 5"]
    [lost] = [event for event in bench.heard if event.kind == "events.lost"]
    assert lost.details == {"count": 4, "kinds": {"camera.offline": 2, "other": 1, "door.opened": 1}}
    assert (lost.outcome, lost.actor) == ("alarm", None)


def test_the_bytes_that_wait_are_bounded_too() -> None:
    waiting = Waiting(maximum_bytes=5000)
    drafts = Drafts(lambda: NOW, lambda: 0.0)
    for number in range(10):
        waiting.put(Entry(drafts.draft("camera.offline", "x" * 1500), number))
    assert len(waiting) == 2
    assert [entry.number for entry in waiting.take(9)] == [8, 9]


def test_a_bulky_event_alone_waits_all_the_same() -> None:
    waiting = Waiting(maximum_bytes=100)
    waiting.put(Entry(Drafts(lambda: NOW, lambda: 0.0).draft("door.opened", "x" * 1500), 1))
    assert len(waiting) in (0, 1)


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("door.opened", IMPORTANT),
        ("access.denied", IMPORTANT),
        ("events.lost", IMPORTANT),
        ("camera.offline", PASSING),
        ("doorbell", ORDINARY),
        ("", ORDINARY),
    ],
)
def test_what_matters_how_much(kind: str, weight: int) -> None:
    assert importance(kind) == weight


# --- it never raises ---


@pytest.mark.parametrize(
    "more",
    [
        {"details": {"a": object(), "b": {1, 2}}},
        {"details": {"half": "\ud800"}},
        {"details": {"much": 2**80}},
        {"details": {(1, 2): "key"}},
        {"details": {"x": "y" * 5_000_000}},
        {"details": [1, 2]},
        {"details": 7},
        {"subject": "a\0b\ud800", "outcome": "x" * 999, "reason": "\x1b[31m"},
        {"caller": Caller(name="who\0\ud800" * 100, address="a\nb")},
        {"cause": 5},
        {"kind": None},
    ],
)
def test_whatever_is_told_is_recorded(more: dict) -> None:  # type: ignore[type-arg]
    bench = Bench()
    entry = bench.journal.record(**{"kind": "door.opened", "text": "it \ud800 \0 \n happened " + "x" * 5000, **more})
    event = result(entry.stored)
    assert bench.heard == [event]
    for told in (event.text, event.subject or "", event.outcome, event.reason or "", event.actor or ""):
        assert told.replace("\n", "").isprintable()
        assert len(told) <= 2000


def test_an_observer_that_fails_does_not_keep_it_from_others() -> None:
    bench = Bench()

    def breaks(event: Event) -> None:
        raise ZeroDivisionError

    heard: list[str] = []
    bench.journal._tail._observers.insert(0, breaks)
    bench.journal.observe(lambda event: heard.append(event.text))
    bench.record("1")
    assert heard == ["1"]


def test_an_observer_may_record_and_observe_while_it_hears() -> None:
    bench = Bench()

    def echo(event: Event) -> None:
        if event.kind == "knock":
            bench.record("echo", kind="echo")

    bench.journal.observe(echo)
    bench.record("knock", kind="knock")
    assert bench.texts == ["knock", "echo"]
    assert [event.sequence for event in bench.heard] == [1, 2]


# --- the end ---


def test_closing_waits_for_what_waits() -> None:
    bench = Bench()
    bench.store.by_hand = True
    bench.record("1", "2")
    ended = bench.journal.close()
    told: list[None] = []
    ended.addCallback(told.append)
    bench.store.answer("write")
    assert told == []
    bench.store.answer("write")
    assert told == [None]
    assert bench.texts == ["1", "2"]
    assert bench.clock.getDelayedCalls() == []


def test_closing_is_bounded_and_says_what_is_lost() -> None:
    bench = Bench()
    bench.store.failing = True
    [entry] = bench.record("1")
    ended = bench.journal.close()
    again = bench.journal.close()
    bench.clock.pump([0.5] * 5)
    assert ended.called
    assert again.called
    with pytest.raises(StorageUnavailable):
        result(entry.stored)
    assert bench.clock.getDelayedCalls() == []


def test_a_write_that_ends_after_the_close_is_no_error() -> None:
    for failing in (False, True):
        bench = Bench()
        bench.store.by_hand = True
        bench.record("1")
        bench.journal.close()
        bench.clock.advance(3)
        bench.store.failing = failing
        bench.store.answer("write")
        assert bench.texts == []


def test_a_late_word_is_not_kept_and_raises_nothing() -> None:
    bench = Bench()
    result(bench.journal.close())
    [entry] = bench.record("late")
    with pytest.raises(StorageUnavailable):
        result(entry.stored)
    assert result(bench.journal.close()) is None


# --- other processes ---


def other_process(store: Store, *texts: str) -> None:
    """Another process records, beside this one."""
    other = Bench(store, start=True)
    other.record(*texts)


def test_what_another_process_stored_is_heard_within_a_second() -> None:
    bench = Bench()
    bench.record("1")
    other_process(bench.store, "2", "3")
    assert bench.texts == ["1"]
    bench.clock.advance(1)
    assert bench.texts == ["1", "2", "3"]
    bench.clock.advance(1)
    bench.record("4")
    assert [event.sequence for event in bench.heard] == [1, 2, 3, 4]


def test_what_another_process_stored_in_between_is_heard_in_its_place() -> None:
    bench = Bench()
    bench.record("1")
    other_process(bench.store, "2")
    bench.record("3")
    assert bench.texts == ["1", "2", "3"]


def test_what_is_stored_while_a_gap_is_read_is_heard_once() -> None:
    bench = Bench()
    bench.record("1")
    other_process(bench.store, "2")
    bench.store.by_hand = True
    bench.record("3")
    bench.store.answer("write")
    bench.record("4")
    bench.store.answer("write")
    assert bench.texts == ["1"]
    while bench.store.waiting:
        bench.store.answer("read")
    assert bench.texts == ["1", "2", "3", "4"]


def test_a_look_under_way_does_not_keep_an_event_back() -> None:
    bench = Bench()
    bench.store.by_hand = True
    bench.clock.advance(1)
    bench.record("1")
    bench.store.answer("write")
    assert bench.texts == ["1"]
    bench.store.answer("read")
    assert bench.texts == ["1"]
    assert len(bench.clock.getDelayedCalls()) == 1


def test_a_gap_that_can_not_be_read_is_read_later() -> None:
    bench = Bench()
    other_process(bench.store, "1")
    bench.store.by_hand = True
    bench.record("2")
    bench.store.answer("write")
    bench.store.failing = True
    bench.store.answer("read")
    bench.store.failing = bench.store.by_hand = False
    bench.clock.advance(1)
    assert bench.texts == ["1", "2"]
    assert len(bench.clock.getDelayedCalls()) == 1


# --- following ---


def test_a_follower_gets_what_it_missed_and_then_what_happens() -> None:
    bench = Bench()
    bench.record("1", "2", "3")
    got: list[int] = []
    following = bench.journal.follow(1, lambda event: got.append(event.sequence))
    assert got == [2, 3]
    bench.record("4")
    other_process(bench.store, "5")
    bench.record("6")
    assert got == [2, 3, 4, 5, 6]
    assert following.position == 6


def test_a_follower_without_a_past_gets_only_what_happens() -> None:
    bench = Bench()
    bench.record("1")
    got: list[str] = []
    bench.journal.follow(None, lambda event: got.append(event.text))
    bench.record("2")
    assert got == ["2"]


def test_a_long_past_is_read_in_pages_without_a_gap() -> None:
    bench = Bench()
    bench.record(*map(str, range(KEPT + 350)))
    got: list[int] = []
    bench.journal.follow(0, lambda event: got.append(event.sequence))
    assert got == list(range(1, 101)), "others come in between"
    bench.turn(10)
    assert got == list(range(1, KEPT + 351))


def test_a_slow_follower_holds_back_the_reading_and_misses_nothing() -> None:
    bench = Bench()
    bench.record("1")
    waiting: list[tuple[int, Deferred[None]]] = []

    def slowly(event: Event) -> "Deferred[None]":
        waiting.append((event.sequence, Deferred()))
        return waiting[-1][1]

    bench.journal.follow(0, slowly)
    bench.record(*map(str, range(2, KEPT + 300)))
    asked = len(bench.store.done)
    assert [sequence for sequence, _ in waiting] == [1]
    index = 0
    while index < len(waiting):
        waiting[index][1].callback(None)
        index += 1
        bench.clock.advance(0)
    assert [sequence for sequence, _ in waiting] == list(range(1, KEPT + 300))
    assert bench.store.done[asked:].count("read") <= 5


def test_a_follower_sees_only_what_it_may() -> None:
    bench = Bench()
    bench.record("1", subject="front")
    bench.record("2", subject="back")
    got: list[str] = []
    bench.journal.follow(0, lambda event: got.append(event.text), lambda event: event.subject == "front")
    bench.record("3", subject="back")
    bench.record("4", subject="front")
    assert got == ["1", "4"]


def test_a_follower_that_stops_gets_nothing_more() -> None:
    bench = Bench()
    got: list[str] = []
    following = bench.journal.follow(0, lambda event: got.append(event.text))
    bench.record("1")
    following.stop()
    following.stop()
    bench.record("2")
    assert (got, result(following.ended)) == (["1"], None)
    assert not bench.journal._followers


def test_a_follower_may_stop_while_it_is_given_something() -> None:
    bench = Bench()
    bench.record("1", "2")
    got: list[str] = []

    def once(event: Event) -> None:
        got.append(event.text)
        bench.clock.callLater(0, lambda: None)
        following.stop()

    following = bench.journal.follow(2, once)
    bench.record("3", "4")
    assert got == ["3"]
    assert following.ended.called


def test_a_follower_that_fails_ends_and_the_others_go_on() -> None:
    bench = Bench()

    def breaks(event: Event) -> None:
        raise ZeroDivisionError

    got: list[str] = []
    following = bench.journal.follow(0, breaks)
    bench.journal.follow(0, lambda event: got.append(event.text))
    bench.record("1")
    with pytest.raises(ZeroDivisionError):
        result(following.ended)
    assert got == ["1"]


def test_a_place_in_the_future_is_another_record() -> None:
    bench = Bench()
    bench.record("1")
    following = bench.journal.follow(7, lambda event: None)
    with pytest.raises(Exception, match="found 7; the newest event is 1"):
        result(following.ended)


def test_a_place_that_another_process_has_just_made_is_not_the_future() -> None:
    bench = Bench()
    other_process(bench.store, "1", "2")
    got: list[str] = []
    bench.journal.follow(2, lambda event: got.append(event.text))
    bench.record("3")
    assert got == ["3"]


def test_a_follower_waits_for_a_database_that_fails() -> None:
    bench = Bench()
    bench.record(*map(str, range(KEPT + 5)))
    bench.store.failing = True
    got: list[int] = []
    bench.journal.follow(0, lambda event: got.append(event.sequence))
    assert got == []
    bench.store.failing = False
    bench.clock.advance(1)
    bench.turn(6)
    assert got == list(range(1, KEPT + 6))


def test_a_follower_passes_over_what_was_pruned() -> None:
    bench = Bench()
    bench.record(*map(str, range(KEPT + 50)))
    bench.store.blocking(lambda connection: prune(connection, bench.journal.seal, 1, 20, "old"))
    got: list[int] = []
    bench.journal.follow(0, lambda event: got.append(event.sequence))
    bench.turn(10)
    assert got == list(range(21, KEPT + 51))


def test_too_many_followers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "FOLLOWERS", 1)
    bench = Bench()
    bench.journal.follow(0, lambda event: None)
    with pytest.raises(Overloaded):
        bench.journal.follow(0, lambda event: None)


def test_closing_ends_the_followers() -> None:
    bench = Bench()
    following = bench.journal.follow(0, lambda event: None)
    result(bench.journal.close())
    assert following.ended.called


# --- asking ---


def test_one_event_is_got_by_its_id_by_whoever_may_see_it() -> None:
    bench = Bench()
    [entry] = bench.record("1", subject="front")
    assert result(bench.journal.get(entry.id)).text == "1"
    with pytest.raises(NoSuchEvent):
        result(bench.journal.get(entry.id, lambda event: False))
    with pytest.raises(NoSuchEvent):
        result(bench.journal.get("nothing"))


def test_a_list_goes_on_where_it_ended_for_somebody_who_sees_half() -> None:
    bench = Bench()
    bench.record(*map(str, range(1, 1201)))
    got: list[int] = []
    query = Query(limit=100)
    while True:
        page = result(bench.journal.list(query, lambda event: event.sequence % 2 == 0))
        got += [event.sequence for event in page.events]
        if page.next is None:
            break
        query = Query(limit=100, before=page.next)
    assert got == list(range(1200, 0, -2))


def test_a_list_for_somebody_who_sees_nothing_is_bounded() -> None:
    bench = Bench()
    bench.record(*map(str, range(30)))
    found = result(bench.journal.list(Query(), lambda event: False))
    assert (found.events, found.next) == ([], None)


def test_the_run_stands_in_every_event_and_the_sequence_of_elapsed_grows() -> None:
    bench = Bench()
    bench.record("1")
    bench.clock.advance(5)
    bench.record("2")
    bodies = [row.body or b"" for row in bench.store.blocking(lambda connection: events.between(connection, 1, 9))]
    assert all(f'"run":"{bench.journal.run}"'.encode() in body for body in bodies)
    assert b'"elapsed":0.0' in bodies[0]
    assert b'"elapsed":5.0' in bodies[1]

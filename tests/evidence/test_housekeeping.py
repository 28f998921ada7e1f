"""Retention at work on a real record: what goes leaves its trace, what is on hold stays, and nothing is wiped."""

import hashlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from twisted.internet.defer import Deferred, succeed

from gatekeeper.caller import Caller
from gatekeeper.errors import Conflict, NoSuchEvent, NotFound, StorageUnavailable
from gatekeeper.evidence.chain import Check, Signed, erased_from, read
from gatekeeper.evidence.event import Event, record_of
from gatekeeper.evidence.housekeeping import (
    CHECK,
    EVERY,
    FIRST,
    GRACE,
    STEP,
    Housekeeping,
    Orphans,
    dry_run,
    free_bytes,
    steps,
)
from gatekeeper.evidence.kept import ERASURES, Class, Events, Pictures, ranges
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.retention import DAY, Going, Piece, Policy, Why
from gatekeeper.storage import events, keeping, pictures
from gatekeeper.storage.pictures import PictureRow, State
from gatekeeper.storage.tables import bundles, meta, tombstones
from gatekeeper.storage.tables import events as records
from gatekeeper.storage.tables import pictures as table
from tests.evidence.chains import NOW, SITE
from tests.evidence.recording import Thread
from tests.evidence.stores import Bench, Store, result

ANA = Caller(name="ana", address="192.0.2.7", client="http")
FOR_EVER = Policy()
PLENTY = 10**12


class House:
    """A site's record, pictures and files, and who looks after them."""

    def __init__(
        self, folder: Path, *, events: Policy = FOR_EVER, pictures: Policy = FOR_EVER, store: Store | None = None
    ) -> None:
        self.bench = Bench(store)
        self.store = self.bench.store
        self.clock = self.bench.clock
        self.journal = self.bench.journal
        self.folder = PictureFolder(folder)
        self.disk = Thread()
        self.rations: list[int] = []
        self.free = PLENTY
        seal = self.journal.seal
        self.pictures = Pictures(pictures, self.store, seal, self.journal.record, self.folder)
        self.classes: list[Class] = [self.pictures, Events(events, self.store, seal)]
        self.keeper = Housekeeping(
            classes=self.classes,
            pictures=self.pictures,
            folder=self.folder,
            database=self.store,
            record=self.journal.record,
            reactor=self.clock,
            wall=self.wall,
            disk=self.disk,
            ration=self.rations.append,
            free=lambda: self.free,
            minimum=1_000_000,
        )

    def wall(self) -> float:
        return NOW + self.clock.seconds()

    def do(self, work: Any) -> Any:
        return self.store.blocking(work)

    def action(self, *shots: str, days_ago: float = 0.0, state: State = "complete") -> str:
        """An action of so many days ago, with these pictures; return its event's id."""
        event: str = self.bench.record("opened")[0].id
        jpegs = [shot.encode() for shot in shots]
        self.folder.store(jpegs)
        rows = [
            PictureRow(event, 0, "yard", self.wall() - days_ago * DAY + place / 10, 1, 1, len(jpeg), sha(jpeg))
            for place, jpeg in enumerate(jpegs)
        ]
        adding = partial(
            pictures.add, event=event, started=0.0, manifest=b"", after=0, rows=rows, present=self.folder.has
        )
        self.do(adding)
        if state != "open":
            self.do(partial(pictures.close, event=event, state=state, ended=0.0, manifest=b""))
        self.age(event, days_ago)
        return event

    def age(self, event: str, days: float) -> None:
        """Make an event's row older; its body keeps the truth, which retention doesn't read."""
        moment = self.wall() - days * DAY
        self.do(lambda c: c.execute(records.update().where(records.c.id == event).values(time=moment)))

    def hold(self, event: str) -> None:
        self.do(lambda connection: events.hold(connection, event, True))

    def run(self) -> None:
        """Let one run of retention go through."""
        done: list[Any] = []
        self.keeper.run().addBoth(done.append)
        self.let_go_on(done)
        assert done == [None]

    def let_go_on(self, done: list[Any]) -> None:
        for _ in range(2000):
            if done:
                return
            self.clock.advance(0.05)
        raise AssertionError("it doesn't end")

    def left(self, event: str) -> list[int]:
        rows = self.do(lambda connection: pictures.frames(connection, event))
        return [row.number for row in rows if not row.erased]

    def files(self) -> set[bytes]:
        return {found for found, _ in self.folder.files()}

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.bench.heard if event.kind == kind]

    def problems(self) -> list[Any]:
        """Check the chain, but for the columns of time, which `age` bent."""
        checking, found = Check(SITE, self.bench.signer.keys), []
        page = self.do(lambda connection: events.page(connection, 0, 10_000))
        found += [one for text in page.statements for one in checking.statement(Signed(*text))]
        found += [one for row in page.rows for one in checking.record(record_of(row))]
        found += checking.finish(Signed(*page.head))
        self.pruned = checking.pruned
        self.said = [read(Signed(*text), self.bench.signer.keys, SITE) for text in page.statements]
        return [problem for problem in found if problem.fault != "columns"]


def sha(jpeg: bytes) -> bytes:
    return hashlib.sha256(jpeg).digest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


# --- pictures --------------------------------------------------------------------------------------------------------


def test_old_pictures_go_with_a_signed_statement_and_an_event_that_names_them(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    old = house.action("a", "b", days_ago=40)
    new = house.action("c", days_ago=10)
    house.run()
    assert (house.left(old), house.left(new)) == ([], [1])
    assert house.files() == {sha(b"c")}
    [told] = house.told("evidence.erased")
    assert told.reason == "older than 30 days"
    assert told.text == "2 pictures of 1 event erased: older than 30 days"
    assert told.details["erased"] == [{"event": old, "pictures": [[1, sha(b"a").hex()], [2, sha(b"b").hex()]]}]
    assert house.problems() == []
    erased = erased_from(old, house.said)
    assert set(erased) == {sha(b"a").hex(), sha(b"b").hex()}
    statement = erased[sha(b"a").hex()]
    assert (statement.fields["event"], statement.fields["by"]) == (old, "retention")


def test_more_bytes_than_may_be_go_oldest_first(folder: Path) -> None:
    house = House(folder, pictures=Policy(bytes=250))
    actions = [house.action(f"{day}" * 100, days_ago=day) for day in (5, 4, 3, 2, 1)]
    house.run()
    assert [house.left(event) for event in actions] == [[], [], [], [1], [1]]
    assert house.told("evidence.erased")[0].reason == "more than 250 bytes"


def test_what_is_on_hold_stays_whatever_its_age(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30), events=Policy(days=30))
    held, free = house.action("a", days_ago=40), house.action("b", days_ago=40)
    house.hold(held)
    house.run()
    assert (house.left(held), house.left(free)) == ([1], [])
    assert house.files() == {sha(b"a")}
    assert house.do(lambda connection: events.get(connection, held)) is not None


def test_what_is_put_on_hold_after_the_plan_was_made_stays(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    event = house.action("a", days_ago=40)
    page = house.do(lambda connection: house.pictures.page(connection, None, 10))
    house.hold(event)
    result(house.pictures.discard([Going(page[0], Why.AGE)], "too old"))
    assert house.left(event) == [1]
    assert house.files() == {sha(b"a")}
    assert house.told("evidence.erased") == []


def test_a_file_goes_with_its_last_reference(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    first = house.action("a", "shared", days_ago=40)
    second = house.action("shared", "b", days_ago=10)
    house.run()
    assert (house.left(first), house.left(second)) == ([], [1, 2])
    assert house.files() == {sha(b"shared"), sha(b"b")}


def test_what_is_still_being_recorded_stays(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    event = house.action("a", days_ago=40, state="open")
    house.run()
    assert house.left(event) == [1]


def test_a_bound_that_can_not_be_kept_is_an_alarm_once(folder: Path) -> None:
    house = House(folder, pictures=Policy(bytes=50))
    event = house.action("a" * 100)
    house.hold(event)
    house.run()
    house.run()
    [told] = house.told("storage.over_bound")
    assert told.outcome == "alarm"
    assert told.text == "pictures take 50 bytes more than they may, and nothing more can go: 1 on hold"
    house.do(lambda connection: events.hold(connection, event, False))
    house.run()
    house.hold(house.action("b" * 100))
    house.run()
    assert len(house.told("storage.over_bound")) == 2


def test_files_go_only_after_rows_statement_and_event_are_committed(folder: Path) -> None:
    house = House(folder)
    event = house.action("a")
    house.store.by_hand = True
    done: list[Any] = []
    house.pictures.erase([(event, 1)], "asked", ANA).addBoth(done.append)
    house.store.answer("write")
    assert house.left(event) == []
    assert house.files() == {sha(b"a")}
    house.store.answer("write")  # the event
    assert house.files() == {sha(b"a")}
    assert house.do(lambda c: c.execute(select(records).where(records.c.kind == "evidence.erased")).all())
    house.store.answer("write")
    assert house.files() == set()
    assert done[0].pictures == ((event, 1, sha(b"a")),)


@pytest.mark.parametrize("told", [False, True])
def test_an_erasure_that_a_crash_cut_off_is_finished_at_the_next_start(folder: Path, told: bool) -> None:
    house = House(folder)
    event = house.action("a", "b")
    house.store.by_hand = True
    house.pictures.erase([(event, 1)], "asked", ANA)
    house.store.answer("write")
    if told:
        house.store.answer("write")
    house.store.by_hand = False
    after = House(folder, store=house.store)
    result(after.pictures.resume())
    assert after.files() == {sha(b"b")}
    count = after.do(lambda c: len(c.execute(select(records).where(records.c.kind == "evidence.erased")).all()))
    assert count == 1
    result(after.pictures.resume())
    assert after.do(lambda connection: keeping.note(connection, ERASURES)) == "1"
    assert len(after.told("evidence.erased")) == (0 if told else 1)


def test_a_file_that_can_not_be_removed_is_an_alarm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(folder)
    event = house.action("a")
    monkeypatch.setattr(house.folder, "remove", lambda hashes: [(one, "the disk can only be read") for one in hashes])
    result(house.pictures.erase([(event, 1)], "asked", ANA))
    [told] = house.told("evidence.not_removed")
    assert (told.outcome, told.reason) == ("alarm", "the disk can only be read")


# --- events ----------------------------------------------------------------------------------------------------------


def test_old_events_go_and_the_chain_still_verifies(folder: Path) -> None:
    house = House(folder, events=Policy(days=365))
    ids = [house.bench.record(f"event {number}")[0].id for number in range(10)]
    for event in ids[:6]:
        house.age(event, 400)
    house.hold(ids[3])
    house.run()
    left = [row.id for row in house.do(lambda connection: events.between(connection, 1, 100))]
    assert left == [ids[3], *ids[6:]]
    assert house.problems() == []
    assert house.pruned == 5
    assert len(house.do(lambda c: c.execute(select(tombstones)).all())) == 2


def test_an_event_stays_as_long_as_its_pictures_and_what_was_kept_about_them_goes_with_it(folder: Path) -> None:
    house = House(folder, events=Policy(days=30), pictures=Policy(days=60))
    event = house.action("a", days_ago=40)
    house.run()
    assert house.do(lambda connection: events.get(connection, event)) is not None
    house.do(lambda c: c.execute(table.update().values(received=house.wall() - 70 * DAY)))
    house.run()
    assert house.do(lambda connection: events.get(connection, event)) is None
    assert house.do(lambda c: c.execute(select(table)).all()) == []
    assert house.do(lambda c: c.execute(select(bundles)).all()) == []
    assert house.problems() == []


def test_many_go_in_small_steps_with_pauses_in_between(folder: Path) -> None:
    house = House(folder, events=Policy(days=30))
    for entry in house.bench.record(*(f"event {number}" for number in range(3 * STEP))):
        house.age(entry.id, 40)
    done: list[Any] = []
    house.keeper.run().addBoth(done.append)
    assert done == []
    house.let_go_on(done)
    assert len(house.do(lambda c: c.execute(select(tombstones)).all())) == 4  # the page of 500 ends in between
    assert house.problems() == []


def test_a_stop_ends_it_after_the_step_that_is_under_way(folder: Path) -> None:
    house = House(folder, events=Policy(days=30))
    for entry in house.bench.record(*(f"event {number}" for number in range(3 * STEP))):
        house.age(entry.id, 40)
    done: list[Any] = []
    house.keeper.run().addBoth(done.append)
    house.keeper.stop()
    house.let_go_on(done)
    house.clock.pump([0.1] * 10)
    assert len(house.do(lambda c: c.execute(select(tombstones)).all())) == 1


def test_ranges_are_cut_where_something_stays_or_was_gone() -> None:
    assert list(ranges([1, 2, 3, 5, 8, 9])) == [(1, 3), (5, 5), (8, 9)]
    assert list(ranges([])) == []


def test_steps_are_of_one_reason_and_small() -> None:
    def going(number: int, why: Why, size: int = 1) -> Going:
        return Going(Piece(number, 0.0, size), why)

    many = [going(number, Why.AGE) for number in range(STEP + 1)]
    assert [len(step) for step in steps([*many, going(0, Why.BYTES)])] == [STEP, 1, 1]
    assert [len(step) for step in steps([going(number, Why.AGE, 3_000_000) for number in range(3)])] == [1, 1, 1]
    assert list(steps([])) == []


# --- nothing is wiped ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["empty", "another site's"])
def test_a_database_that_is_empty_or_another_wipes_nothing(folder: Path, database: str) -> None:
    before = House(folder, pictures=Policy(days=30))
    before.action("a", "b", days_ago=1)
    for file in folder.glob("??/*.jpg"):
        os.utime(file, (NOW - 400 * DAY, NOW - 400 * DAY))
    after = House(folder, pictures=Policy(days=30, bytes=1_000_000), events=Policy(days=30))
    if database != "empty":
        after.action("c", days_ago=40)
    after.run()
    assert {sha(b"a"), sha(b"b")} <= after.files()
    assert result(after.keeper.count_orphans()) == Orphans(2, 2)
    assert {sha(b"a"), sha(b"b")} <= after.files()
    assert after.told("storage.orphans")[0].details == {"count": 2, "bytes": 2}


def test_a_file_that_is_just_being_stored_is_no_orphan_yet(folder: Path) -> None:
    house = House(folder)
    house.folder.store([b"new"])
    file = house.folder.path(sha(b"new"))
    os.utime(file, (NOW - 60, NOW - 60))
    assert result(house.keeper.count_orphans()) == Orphans(0, 0)
    assert house.files() == {sha(b"new")}


def test_a_count_removes_what_a_crash_left_of_erased_pictures(folder: Path) -> None:
    house = House(folder)
    event = house.action("a", "b")
    house.do(lambda connection: keeping.flag_erased(connection, [(event, 1)]))
    assert result(house.keeper.count_orphans()) == Orphans(0, 0)
    assert house.files() == {sha(b"b")}


def test_a_database_without_tables_wipes_nothing(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    house.action("a", days_ago=40)
    house.do(table.drop)
    failed: list[Any] = []
    house.keeper.run().addErrback(failed.append)
    assert len(failed) == 1
    assert house.files() == {sha(b"a")}


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumped_takes_nothing_for_its_age_for_a_day(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30, bytes=150))
    house.run()
    old, new = house.action("a" * 100, days_ago=20), house.action("b" * 100, days_ago=10)
    third = house.action("c" * 100, days_ago=0)
    house.do(lambda c: c.execute(meta.update().where(meta.c.key == "retention_at").values(value=repr(NOW - 400 * DAY))))
    house.do(lambda c: c.execute(table.update().values(received=table.c.received - 400 * DAY)))
    house.run()
    assert [house.left(event) for event in (old, new, third)] == [[], [], [1]]  # the bytes count all the same
    assert len(house.told("storage.clock_jumped")) == 1
    house.run()
    assert house.left(third) == [1]
    assert len(house.told("storage.clock_jumped")) == 1
    house.clock.advance(GRACE)
    house.run()
    assert house.left(third) == []


# --- on demand -------------------------------------------------------------------------------------------------------


def test_erasing_on_demand_names_who_and_why_and_hangs_on_the_event(folder: Path) -> None:
    house = House(folder)
    event = house.action("a", "b", "c")
    erased = result(house.keeper.erase(event, [2], ANA, "a child is on it"))
    assert erased.pictures == ((event, 2, sha(b"b")),)
    assert house.left(event) == [1, 3]
    [told] = house.told("evidence.erased")
    assert (told.actor, told.cause, told.reason) == ("ana", event, "a child is on it")
    assert house.problems() == []
    assert erased_from(event, house.said)[sha(b"b").hex()].fields["by"] == "ana"
    result(house.keeper.erase(event, None, ANA, "the rest"))
    assert house.left(event) == []
    assert house.files() == set()


def test_what_can_not_be_erased_says_why(folder: Path) -> None:
    house = House(folder)
    plain = house.bench.record("nothing to see")[0].id
    held, busy, free = house.action("a"), house.action("b", state="open"), house.action("c")
    house.hold(held)

    def asked(event: str, numbers: list[int] | None = None) -> Any:
        return result(house.keeper.erase(event, numbers, ANA, "asked"))

    with pytest.raises(NoSuchEvent, match="no event with this id"):
        asked("nowhere")
    with pytest.raises(NoSuchEvent, match="no pictures belong"):
        asked(plain)
    with pytest.raises(Conflict, match="on hold"):
        asked(held)
    with pytest.raises(Conflict, match="still being recorded"):
        asked(busy)
    with pytest.raises(NotFound, match="picture 2 isn't kept"):
        asked(free, [1, 2])
    assert house.left(free) == [1]
    asked(free)
    with pytest.raises(NotFound, match="no picture is kept"):
        asked(free)
    assert house.files() == {sha(b"a"), sha(b"b")}


def test_erasing_while_nothing_can_be_stored_is_an_error_and_the_next_one_is_not_held_up(folder: Path) -> None:
    house = House(folder)
    event = house.action("a")
    house.store.failing = True
    with pytest.raises(StorageUnavailable):
        result(house.keeper.erase(event, None, ANA, "asked"))
    house.store.recovers()
    result(house.keeper.erase(event, None, ANA, "asked"))
    assert house.left(event) == []


# --- the disk --------------------------------------------------------------------------------------------------------


def test_a_disk_that_fills_up_thins_pictures_old_and_new_and_says_so_once(folder: Path) -> None:
    house = House(folder)
    shots = [f"{number}" * 100_000 for number in range(1, 9)]
    event = house.action(*shots, days_ago=3)
    fresh = house.action("now" * 100_000)
    house.free = 900_000
    house.keeper.start()
    house.clock.pump([0.1] * 20)
    assert house.rations == [4]
    [told] = house.told("storage.low")
    assert told.outcome == "alarm"
    house.clock.advance(1)
    assert house.left(event) == [1, 5, 6, 7, 8]  # 300,000 bytes were wanted
    assert house.left(fresh) == [1]
    assert house.told("evidence.erased")[0].reason == "the disk is nearly full"
    house.free = 1_100_000
    house.clock.advance(CHECK)
    assert house.rations == [4]  # not yet: it would come and go
    house.clock.advance(CHECK)
    house.free = 1_300_000
    house.clock.advance(CHECK)
    assert house.rations == [4, 1]
    assert len(house.told("storage.recovered")) == 1
    assert len(house.told("storage.low")) == 1
    house.keeper.stop()


def test_when_thinning_is_not_enough_whole_ones_go_but_never_those_on_hold_nor_events(folder: Path) -> None:
    house = House(folder)
    old, held = house.action("a", "b", "c", days_ago=9), house.action("d", days_ago=9)
    house.hold(held)
    house.free = 100
    house.keeper.start()
    house.clock.advance(1)
    assert house.rations == [0]
    assert "no picture is stored" in house.told("storage.low")[0].text
    for _ in range(10):
        house.clock.advance(0.1)
    assert (house.left(old), house.left(held)) == ([], [1])
    assert house.do(lambda connection: events.get(connection, old)) is not None
    house.keeper.stop()


def test_the_free_bytes_of_a_folder_that_is_not_made_yet_are_those_of_its_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


# --- as a service ----------------------------------------------------------------------------------------------------


def test_it_looks_a_minute_after_the_start_and_then_each_hour(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    house.keeper.start()
    first = house.action("a", days_ago=40)
    house.clock.advance(FIRST - 1)
    assert house.left(first) == [1]
    house.clock.advance(2)
    house.clock.pump([0.1] * 10)
    assert house.left(first) == []
    second = house.action("b", days_ago=40)
    house.clock.advance(EVERY)
    house.clock.pump([0.1] * 10)
    assert house.left(second) == []
    house.keeper.stop()
    assert house.disk.stopped


def test_a_database_that_is_away_is_asked_again_an_hour_later(folder: Path) -> None:
    house = House(folder, pictures=Policy(days=30))
    event = house.action("a", days_ago=40)
    house.store.failing = True
    house.keeper.start()
    house.clock.advance(FIRST + 1)
    house.store.recovers()
    house.clock.advance(EVERY)
    house.clock.pump([0.1] * 10)
    assert house.left(event) == []
    house.keeper.stop()


class Clips:
    """What a later part adds."""

    name = "clips"
    policy = Policy(days=1)

    def __init__(self) -> None:
        self.gone: list[object] = []

    def total(self, connection: Connection) -> int:
        return 10

    def page(self, connection: Connection, after: Any, limit: int) -> list[Piece]:
        return [Piece("clip", NOW - 9 * DAY, 10)] if after is None else []

    def discard(self, goes: Sequence[Going], reason: str) -> "Deferred[None]":
        self.gone += [going.piece.key for going in goes]
        return succeed(None)


def test_a_later_part_adds_its_class_and_nothing_else_has_to_know(folder: Path) -> None:
    house, clips = House(folder), Clips()
    house.keeper.add(clips)
    house.run()
    assert clips.gone == ["clip"]


def test_a_dry_run_says_what_would_go_and_changes_nothing(folder: Path) -> None:
    house = House(folder, events=Policy(days=365), pictures=Policy(days=30))
    old = house.action("a", days_ago=40)
    held = house.action("b", days_ago=40)
    house.hold(held)
    text = house.do(lambda c: dry_run(c, house.classes, house.wall(), lambda time: f"{(NOW - time) / DAY:.0f} d ago"))
    assert (
        text
        == [
            "pictures: 2 bytes kept; at most 30 days",
            "  1 go (older than 30 days), of 40 d ago to 40 d ago",
            "  1 bytes become free, 1 bytes stay",
            "  1 stay: on hold",
            f"events: {house.do(keeping.events_total)} bytes kept; at most 365 days",
            "  nothing goes",
        ]
        or "KB" in text[4]
    )
    assert (house.left(old), house.left(held)) == ([1], [1])

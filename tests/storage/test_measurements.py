"""Samples and sessions in both databases: stored once however often they come."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.exc import IntegrityError

from gatekeeper.storage import Database
from gatekeeper.storage import measurements as rows
from gatekeeper.storage import sample_blocks as blocks
from gatekeeper.storage.connect import Blocking, backend_of, prepare
from gatekeeper.storage.measurements import Ledger, SampleRow, Wanted
from gatekeeper.storage.tables import measurement_runs, measurement_senders, measurement_sessions, samples
from tests.postgresql import shared
from tests.storage.reactor import Reactor

NOTHING = Ledger({}, {})


def sample(seq: int | None = None, team: int = 1, sender: str = "s", **changes: Any) -> SampleRow:
    row = SampleRow(None, team, 1000.0 + (seq or 0), None, 1.5, -2.5, True, False)
    return row._replace(**changes) if seq is None else row._replace(sender=sender, seq=seq, **changes)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database for all of these tests: making one costs more than any of them."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('measurements')}/gatekeeper.sqlite"
        else:
            url = stack.enter_context(shared().database())
        prepare(backend_of(url))
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Blocking]:
    """The database, with nothing measured in it."""
    with Blocking(backend_of(url)) as database:
        for table in (samples, measurement_senders, measurement_runs, measurement_sessions):
            database.write(partial(_empty, table=table))
        yield database


def _empty(connection: Connection, table: Table) -> None:
    connection.execute(table.delete())


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(samples)) or 0


def test_a_sample_comes_back_as_it_went_in(database: Blocking) -> None:
    row = SampleRow(None, 3, 1_800_000_000.123456, None, 0.1 + 0.2, -1e-300, True, False)
    database.write(lambda c: rows.add(c, [row], NOTHING))
    [found] = database.read(lambda c: rows.page(c, Wanted()))
    assert found[1:] == row[:8]


def test_what_is_sent_again_is_stored_once(database: Blocking) -> None:
    first = database.write(lambda c: rows.add(c, [sample(1), sample(2), sample(2)], NOTHING))
    assert first.new == [True, True, False]
    for known in (NOTHING, first.ledger):
        again = database.write(partial(rows.add, given=[sample(2), sample(3 if known else 1)], known=known))
        assert again.new[0] is False
    assert database.read(count) == 3


def test_a_number_between_two_that_are_stored_is_new(database: Blocking) -> None:
    ledger = database.write(lambda c: rows.add(c, [sample(1), sample(9)], NOTHING)).ledger
    assert database.write(lambda c: rows.add(c, [sample(5), sample(9)], ledger)).new == [True, False]


def test_the_same_number_of_another_sender_or_team_is_another_sample(database: Blocking) -> None:
    given = [sample(1), sample(1, sender="t"), sample(1, team=2)]
    assert database.write(lambda c: rows.add(c, given, NOTHING)).new == [True, True, True]


def test_the_database_itself_refuses_a_number_twice(database: Blocking) -> None:
    ledger = database.write(lambda c: rows.add(c, [sample(1)], NOTHING)).ledger
    wrong = Ledger(ledger.ids, dict.fromkeys(ledger.highest, 0))  # says that nothing is there
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the driver's own
        database.write(lambda c: rows.add(c, [sample(1)], wrong))
    assert isinstance(refusal.value, IntegrityError) or "unique" in str(refusal.value).lower()


def test_without_numbers_nothing_is_stored_twice_when_a_commit_was_in_doubt(database: Blocking) -> None:
    before = database.write(lambda c: rows.add(c, [sample(team=4)], NOTHING)).last
    given = [sample(), sample(team=2)]
    database.write(lambda c: rows.add(c, given, NOTHING))
    again = database.write(lambda c: rows.add(c, [*given, sample(team=3), sample(team=4)], NOTHING, before))
    assert again.new == [False, False, True, True]
    assert database.read(count) == 5


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_sent_in_whatever_order_is_there_once(database: Blocking, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - to repeat a failure by
    known: Ledger = NOTHING
    seen: set[tuple[int, int]] = set()
    for _ in range(6):
        batch = [(chance.randint(1, 2), chance.randint(0, 12)) for _ in range(chance.randint(0, 8))]
        given = [sample(seq, team) for team, seq in batch]
        added = database.write(partial(rows.add, given=given, known=known))
        for key, is_new in zip(batch, added.new, strict=True):
            assert is_new == (key not in seen)
            seen.add(key)
        if chance.random() < 0.7:
            known = Ledger({**known.ids, **added.ledger.ids}, {**known.highest, **added.ledger.highest})
        else:  # a restart forgets
            known = NOTHING
    assert database.read(count) == len(seen)


def test_pages_follow_each_other_and_hold_what_is_wanted(database: Blocking) -> None:
    given = [sample(session=1 + number % 2, elapsed=number / 10, team=1 + number % 3) for number in range(30)]
    given += [sample(team=1)]
    database.write(lambda c: rows.add(c, given, NOTHING))

    def read(wanted: Wanted) -> list[tuple[int | None, int]]:
        found, after = [], 0
        while page := database.read(partial(rows.page, wanted=wanted, after=after, limit=4)):
            found += [(row.session, row.team) for row in page]
            after = page[-1].id
        return found

    assert len(read(Wanted())) == 31
    assert len(read(Wanted(free=False))) == 30
    assert read(Wanted(session=2, teams=(1,))) == [(2, 1)] * 5
    assert len(read(Wanted(teams=()))) == 0
    assert len(database.read(lambda c: list(rows.all_of(c, 1, 3)))) == 5


# --- sessions ---


def test_attempts_are_counted_per_frequency_and_category(database: Blocking) -> None:
    def run(frequency: float, category: str) -> int:
        row = database.write(lambda c: rows.start(c, frequency, category, 5.0, 60.0))
        database.write(
            lambda c: rows.save(c, row.id, outcome="completed", stopped=65.0, gaps=(), statistics={2: b"{}"})
        )
        return row.attempt

    assert [run(1.5, "baja"), run(1.5, "baja"), run(1.5, "beton"), run(2.5, "baja")] == [1, 2, 1, 1]
    newest = database.read(rows.newest)
    assert newest is not None
    assert (newest.frequency, newest.outcome, newest.stopped) == (2.5, "completed", 65.0)
    found = database.read(lambda c: rows.find(c, frequency=1.5, limit=2))
    assert [(row.category, row.attempt) for row in found] == [("beton", 1), ("baja", 2)]


def test_a_session_that_an_accident_left_running_is_closed_by_the_next(database: Blocking) -> None:
    left = database.write(lambda c: rows.start(c, 1.5, "baja", 5.0, 60.0))
    database.write(lambda c: rows.start(c, 1.5, "baja", 9.0, 60.0))
    closed = database.read(lambda c: rows.get(c, left.id))
    assert closed is not None
    assert (closed.outcome, closed.stopped) == ("interrupted", 9.0)


def test_a_fall_and_figures_are_kept_beside_each_other(database: Blocking) -> None:
    row = database.write(lambda c: rows.start(c, 1.5, "baja", 5.0, 60.0))
    database.write(lambda c: rows.collapse(c, row.id, 3, 41.5))
    database.write(
        lambda c: rows.save(c, row.id, outcome="stopped", stopped=9.0, gaps=[(1.0, 2.0)], statistics={3: b"x"})
    )
    [run] = database.read(lambda c: rows.runs_of(c, [row.id]))
    assert (run.team, run.collapsed, run.statistics) == (3, 41.5, b"x")
    found = database.read(lambda c: rows.get(c, row.id))
    assert found is not None
    assert found.gaps == [[1.0, 2.0]]


@pytest.mark.usefixtures("database")
def test_a_thread_stores_them_like_any_fact(url: str, reactor: Reactor) -> None:
    database = Database(url, reactor, wall=reactor.seconds)
    added = reactor.result_of(database.write(lambda c: rows.add(c, [sample(1)], NOTHING)))
    assert added.new == [True]
    assert reactor.result_of(database.read(rows.newest_id)) == added.last
    reactor.result_of(database.close())


# --- retention: blocks of neighbours ----------------------------------------------------------------------------------


def test_blocks_cover_every_sample_once_whatever_the_page_and_go_whole(database: Blocking) -> None:
    given = [sample(time=float(number)) for number in range(3 * blocks.BLOCK + 7)]
    database.write(lambda c: rows.add(c, given, NOTHING))

    def all_blocks(c: Connection, limit: int) -> list[blocks.Block]:
        found: list[blocks.Block] = []
        while page := blocks.page(c, found[-1].number if found else None, limit):
            found += page
        return found

    found = database.read(lambda c: all_blocks(c, 2))
    assert found == database.read(lambda c: all_blocks(c, 100))
    assert sum(block.samples for block in found) == len(given)
    assert max(block.samples for block in found) <= blocks.BLOCK
    assert [block.time for block in found] == sorted(block.time for block in found)
    assert found[-1].time == given[-1].time
    assert database.read(blocks.total) == len(given) * blocks.SIZE
    assert database.write(lambda c: blocks.discard(c, found[0].number)) == found[0].samples
    assert database.read(lambda c: all_blocks(c, 100)) == found[1:]
    assert database.read(count) == len(given) - found[0].samples


def test_no_samples_are_no_blocks(database: Blocking) -> None:
    assert database.read(lambda c: blocks.page(c, None, 10)) == []
    assert database.read(blocks.total) == 0


def test_a_long_gap_between_samples_is_stepped_over(database: Blocking) -> None:
    database.write(lambda c: rows.add(c, [sample(time=1.0)], NOTHING))
    first = database.read(rows.newest_id)
    far = {"id": first + 100 * blocks.BLOCK, "team": 1, "time": 2.0, "a": 0.0, "b": 0.0, "a_detected": True}
    database.write(lambda c: c.execute(samples.insert().values(**far, b_detected=True)))
    [near] = database.read(lambda c: blocks.page(c, None, 10))
    [distant] = database.read(lambda c: blocks.page(c, near.number, 10))
    assert (near.time, distant.time) == (1.0, 2.0)

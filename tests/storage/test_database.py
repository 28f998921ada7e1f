"""The one writer and the readers, against SQLite and a real PostgreSQL."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from gatekeeper.errors import Overloaded, StorageUnavailable
from gatekeeper.storage import Database, Health
from gatekeeper.storage import database as module
from gatekeeper.storage.tables import checkpoints, meta
from gatekeeper.storage.writer import BATCH
from tests.storage.reactor import Reactor


def row(number: int) -> dict[str, Any]:
    return {"sequence": number, "statement": b"s", "signature": b"g", "key_id": "k"}


def storing(number: int) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.execute(checkpoints.insert(), row(number))
        return number

    return work


def stored(connection: Connection) -> list[int]:
    return list(connection.scalars(select(checkpoints.c.sequence).order_by(checkpoints.c.sequence)))


def sink(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
    connection.execute(checkpoints.insert(), [row(number) for number in numbers])
    return [-number for number in numbers]


def failing(_connection: Connection) -> None:
    raise LookupError("nothing there")


@contextmanager
def writer_held(database: Database) -> Iterator[Deferred[None]]:
    """Hold the writer in a work, so that what is asked meanwhile gathers in one batch."""
    reached, go = threading.Event(), threading.Event()

    def work(_connection: Connection) -> None:
        reached.set()
        assert go.wait(30)

    held = database.write(work)
    assert reached.wait(30)
    try:
        yield held
    finally:
        go.set()


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_write_is_answered_with_its_result_after_the_commit(database: Database, reactor: Reactor) -> None:
    answered: list[int] = []
    with writer_held(database):
        database.write(storing(1)).addCallback(answered.append)
        assert reactor.result_of(database.read(stored)) == []  # another connection doesn't see it yet
        assert answered == []
    reactor.until(lambda: bool(answered))
    assert answered == [1]
    assert reactor.result_of(database.read(stored)) == [1]


def test_answers_come_in_the_thread_of_the_reactor_in_the_order_of_the_questions(
    database: Database, reactor: Reactor
) -> None:
    order: list[int] = []
    threads: set[threading.Thread] = set()

    def note(number: int) -> None:
        order.append(number)
        threads.add(threading.current_thread())

    count = 3 * BATCH + 7
    asked = [database.write(storing(number)).addCallback(note) for number in range(1, count)]
    reactor.result_of(gatherResults(asked))
    assert order == list(range(1, count))
    assert threads == {threading.current_thread()}


def test_neighbours_of_one_sink_are_stored_by_one_call(database: Database, reactor: Reactor) -> None:
    calls: list[list[int]] = []

    def noting(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
        calls.append(list(numbers))
        return sink(connection, numbers)

    with writer_held(database):
        asked = [database.add(noting, number) for number in (1, 2, 3)]
        asked.append(database.write(storing(4)))
        asked += [database.add(noting, number) for number in (5, 6)]
    assert reactor.result_of(gatherResults(asked)) == [-1, -2, -3, 4, -5, -6]
    assert calls == [[1, 2, 3], [5, 6]]


def test_what_waits_is_committed_together_and_bounded(database: Database, reactor: Reactor) -> None:
    calls: list[int] = []

    def noting(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
        calls.append(len(numbers))
        return sink(connection, numbers)

    with writer_held(database):
        asked = [database.add(noting, number) for number in range(BATCH + 10)]
    reactor.result_of(gatherResults(asked))
    assert calls == [BATCH, 10]


def test_a_long_row_of_answers_leaves_the_reactor_its_turns(database: Database, reactor: Reactor) -> None:
    answered: list[int] = []
    with writer_held(database):
        for number in range(BATCH):
            database.add(sink, number).addCallback(answered.append)
    reactor.until(lambda: database.health.written == 1)  # the work that held the writer
    while not answered:
        function, arguments = reactor._calls.get(timeout=30)
        function(*arguments)
    assert len(answered) == module.SLICE
    reactor.advance(0)
    assert len(answered) == min(2 * module.SLICE, BATCH)


# --- errors of works -------------------------------------------------------------------------------------------------


def test_a_work_that_raises_fails_only_itself(database: Database, reactor: Reactor) -> None:
    with writer_held(database):
        before, wrong, after = database.write(storing(1)), database.write(failing), database.write(storing(2))
    assert reactor.result_of(before) == 1
    with pytest.raises(LookupError):
        reactor.result_of(wrong)
    assert reactor.result_of(after) == 2
    assert reactor.result_of(database.read(stored)) == [1, 2]
    assert database.health.state == "ok"


def test_an_item_that_does_not_fit_fails_only_itself(database: Database, reactor: Reactor) -> None:
    with writer_held(database):
        asked = [database.add(sink, number) for number in (1, 2, 2, 3)]
    results: list[Any] = []
    for one in asked:
        try:
            results.append(reactor.result_of(one))
        except IntegrityError:
            results.append("refused")
    assert results == [-1, -2, "refused", -3]
    assert reactor.result_of(database.read(stored)) == [1, 2, 3]


def test_half_of_a_work_is_nothing(database: Database, reactor: Reactor) -> None:
    def half(connection: Connection) -> None:
        connection.execute(checkpoints.insert(), row(1))
        raise LookupError

    with pytest.raises(LookupError):
        reactor.result_of(database.write(half))
    assert reactor.result_of(database.read(stored)) == []


def test_a_sink_that_answers_too_little_fails(database: Database, reactor: Reactor) -> None:
    def mute(_connection: Connection, _numbers: Sequence[int]) -> Sequence[int]:
        return []

    with pytest.raises(ValueError, match="0 results for 1 items"):
        reactor.result_of(database.add(mute, 1))


def test_whoever_stops_waiting_disturbs_nobody(database: Database, reactor: Reactor) -> None:
    with writer_held(database):
        gone, other = database.write(storing(1)), database.write(storing(2))
        gone.addErrback(lambda failure: failure.trap(CancelledError))
        gone.cancel()
    assert reactor.result_of(other) == 2
    assert reactor.result_of(database.read(stored)) == [1, 2]  # it was asked for, and is stored


# --- reads -----------------------------------------------------------------------------------------------------------


def test_a_read_does_not_wait_for_the_writer(database: Database, reactor: Reactor) -> None:
    with writer_held(database) as held:
        assert reactor.result_of(database.read(stored)) == []
        assert not held.called


def test_a_read_cannot_write(database: Database, reactor: Reactor) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only"):
        reactor.result_of(database.read(storing(1)))
    assert reactor.result_of(database.write(storing(1))) == 1


def test_a_read_sees_one_moment(database: Database, reactor: Reactor) -> None:
    reached, go = threading.Event(), threading.Event()

    def twice(connection: Connection) -> tuple[list[int], list[int]]:
        before = stored(connection)
        reached.set()
        assert go.wait(30)
        return before, stored(connection)

    asked = database.read(twice)
    assert reached.wait(30)
    reactor.result_of(database.write(storing(1)))
    go.set()
    assert reactor.result_of(asked) == ([], [])


def test_an_error_of_a_read_is_the_readers(database: Database, reactor: Reactor) -> None:
    with pytest.raises(LookupError):
        reactor.result_of(database.read(failing))


def test_too_many_reads_are_refused(database: Database, reactor: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READS", 1)
    first = database.read(stored)
    with pytest.raises(Overloaded):
        reactor.result_of(database.read(stored))
    assert reactor.result_of(first) == []


def test_a_read_that_gets_no_answer_ends(database: Database, reactor: Reactor) -> None:
    reached, go = threading.Event(), threading.Event()

    def hang(_connection: Connection) -> None:
        reached.set()
        go.wait(30)

    asked = database.read(hang)
    assert reached.wait(30)
    reactor.advance(module.PATIENCE)
    with pytest.raises(StorageUnavailable):
        reactor.result_of(asked)
    go.set()


# --- bounds, the clock, the end --------------------------------------------------------------------------------------


def test_more_than_may_wait_is_refused_at_once(database_url: str, reactor: Reactor) -> None:
    database = Database(database_url, reactor, queue=3)
    database.open()
    with writer_held(database):
        waiting = [database.write(storing(number)) for number in (1, 2)]
        with pytest.raises(Overloaded):
            reactor.result_of(database.write(storing(3)))
        assert database.health.queued == 3
    assert reactor.result_of(gatherResults(waiting)) == [1, 2]
    assert reactor.result_of(database.write(storing(3))) == 3
    reactor.result_of(database.close())


def test_a_disk_that_hangs_is_told_and_forgiven(database: Database, reactor: Reactor) -> None:
    seen: list[Health] = []
    database.observe(seen.append)
    with writer_held(database) as held:
        other = database.write(storing(1))
        for deferred in (held, other):
            deferred.addErrback(lambda failure: failure.trap(StorageUnavailable))
        reactor.advance(module.PATIENCE)
        assert held.called
        assert other.called
        with pytest.raises(StorageUnavailable):
            reactor.result_of(database.write(storing(2)))
    reactor.until(lambda: database.health.state == "ok")
    assert [health.state for health in seen] == ["failing", "ok"]
    assert reactor.result_of(database.write(storing(3))) == 3


def test_a_slow_disk_is_not_a_hanging_one(database: Database, reactor: Reactor) -> None:
    for number in range(5):
        with writer_held(database):
            asked = database.write(storing(number))
            reactor.advance(module.PATIENCE * 0.6)
        assert reactor.result_of(asked) == number
    assert database.health.state == "ok"


def test_the_end_stores_what_waits_and_takes_no_more(database_url: str, reactor: Reactor) -> None:
    database = Database(database_url, reactor)
    database.open()
    with writer_held(database):
        asked = [database.write(storing(number)) for number in range(300)]
        closed = database.close()
        with pytest.raises(StorageUnavailable):
            reactor.result_of(database.write(storing(1000)))
        with pytest.raises(StorageUnavailable):
            reactor.result_of(database.read(stored))
    reactor.result_of(closed)
    assert all(one.called for one in asked)
    assert database.health == Health(state="closed", reason=None, since=database.health.since, queued=0, written=301)
    assert reactor.getDelayedCalls() == []
    reactor.result_of(database.close())  # again is harmless

    again = Database(database_url, reactor)
    again.open()
    assert reactor.result_of(again.read(stored)) == list(range(300))
    reactor.result_of(again.close())


def test_the_end_does_not_wait_for_a_disk_that_hangs(database_url: str, reactor: Reactor) -> None:
    database = Database(database_url, reactor)
    database.open()
    with writer_held(database) as held:
        held.addErrback(lambda failure: failure.trap(StorageUnavailable))
        closed = database.close()
        reactor.advance(module.CLOSING)
        assert closed.called
        assert held.called
    assert reactor.getDelayedCalls() == []


def test_a_database_that_nobody_used_ends_at_once(database_url: str, reactor: Reactor) -> None:
    database = Database(database_url, reactor)
    database.open()
    assert database.close().called


def test_an_observer_that_fails_disturbs_nobody(database_url: str, reactor: Reactor) -> None:
    database = Database(database_url, reactor)
    database.open()
    seen: list[Health] = []
    database.observe(lambda _: 1 / 0)  # type: ignore[arg-type]
    database.observe(seen.append)
    reactor.result_of(database.close())
    assert [health.state for health in seen] == ["closed"]


def test_a_site_has_one_id_for_ever(database: Database, reactor: Reactor, database_url: str) -> None:
    def site(connection: Connection) -> str:
        return str(connection.scalars(select(meta.c.value).where(meta.c.key == "site")).one())

    first = reactor.result_of(database.read(site))
    database.open()
    assert len(first) == 32
    assert reactor.result_of(database.read(site)) == first


def test_the_command_line_writes_beside_the_site(database: Database, reactor: Reactor, database_url: str) -> None:
    from gatekeeper.storage import connect

    def count(connection: Connection) -> None:
        """Read and write the same row, as whoever appends to a chain does: a lost update would show."""
        value = connection.scalars(select(meta.c.value).where(meta.c.key == "accounts_revision")).one()
        connection.execute(meta.update().where(meta.c.key == "accounts_revision").values(value=str(int(value) + 1)))

    def beside() -> None:
        with connect(database_url) as blocking:
            for _ in range(20):
                blocking.write(count)

    thread = threading.Thread(target=beside)
    thread.start()
    for _ in range(20):
        reactor.result_of(database.write(count))
    thread.join(30)
    found = reactor.result_of(
        database.read(lambda c: c.scalars(select(meta.c.value).where(meta.c.key == "accounts_revision")).one())
    )
    assert found == "40"


def test_the_blocking_use_answers_as_the_other_does(database_url: str, tmp_path: Path) -> None:
    from gatekeeper.storage import connect

    with connect(database_url) as blocking:
        assert blocking.write(storing(1)) == 1
        assert blocking.read(stored) == [1]
        with pytest.raises(LookupError):
            blocking.write(failing)
        with pytest.raises(IntegrityError):
            blocking.write(storing(1))

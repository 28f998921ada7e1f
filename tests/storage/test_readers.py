"""The threads that read: what they opened they close, in whatever order they end."""

import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from gatekeeper.storage.readers import Readers
from gatekeeper.storage.sqlite import SQLite


def test_a_read_that_outlasts_the_other_threads_closes_its_connection(tmp_path: Path) -> None:
    backend = SQLite(tmp_path / "gatekeeper.db")
    backend.create()
    readers = Readers(backend)
    opened: list[Any] = []
    closed: list[Any] = []
    event.listen(readers._engine, "connect", lambda connection, _record: opened.append(connection))
    event.listen(readers._engine, "close", lambda connection, _record: closed.append(connection))
    reading, may_end, answered = threading.Event(), threading.Event(), threading.Event()

    def slow(connection: Connection) -> Any:
        reading.set()
        assert may_end.wait(10)
        return connection.scalar(text("SELECT 1"))

    answers: list[tuple[Any, BaseException | None]] = []

    def answer(value: Any, error: BaseException | None) -> None:
        answers.append((value, error))
        answered.set()

    readers.start()
    readers.put(slow, answer)
    assert reading.wait(10)
    readers.end()
    busy = [thread for thread in readers._threads if thread.is_alive()]
    while len(busy) > 1:  # the others end; the one that reads can't
        for thread in busy:
            thread.join(0.01)
        busy = [thread for thread in busy if thread.is_alive()]
    may_end.set()
    assert answered.wait(10)
    busy[0].join(10)

    assert answers == [(1, None)]
    assert opened
    assert closed == opened

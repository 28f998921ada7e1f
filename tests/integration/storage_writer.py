"""A process that starts writers: for each line `url first` on its input it forks one, which stores facts until killed.

Everything is imported before the fork, so a writer is there in milliseconds. It prints its pid, `open` once the
database is, and then the number of each fact whose commit was acknowledged; when it is dead its parent prints `gone`.
"""

import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from twisted.internet import asyncioreactor

from gatekeeper.storage import Database, migrate, rows
from gatekeeper.storage.tables import events

CALLERS = 64
BODY = b"x" * 300
COLUMNS = ("sequence", "id", "time", "kind", "outcome", "body", "previous", "hash", "size")

assert migrate  # imported for the children


def say(what: object) -> None:
    """Print a line at once: what was said before the kill must have arrived."""
    os.write(1, f"{what}\n".encode())


def store(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
    """Store facts; the record's end is read and moved on as the chain does it."""
    none = bytes(32)
    given = [(n, str(n), 0.0, "test", "ok", BODY, none, none, len(BODY)) for n in numbers]
    rows.insert(connection, events, COLUMNS, given)
    return numbers


def write(url: str, first: int) -> None:
    """Store facts, numbered from `first`, for ever."""
    asyncioreactor.install()
    from twisted.internet import reactor

    running: Any = reactor
    database = Database(url, running)
    database.open()
    say("open")
    numbers = itertools.count(first)

    def again(number: int | None) -> None:
        if number is not None:
            say(number)
        database.add(store, next(numbers)).addCallback(again)

    for _ in range(CALLERS):
        running.callWhenRunning(again, None)
    running.run()


def main() -> None:
    """Fork a writer for each line."""
    for line in sys.stdin:
        url, first = line.split()
        child = os.fork()
        if child == 0:
            say(os.getpid())
            write(url, int(first))
            os._exit(1)
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main()

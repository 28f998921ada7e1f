"""A process is killed while it stores facts, a hundred times: what was acknowledged is there, and nobody helped."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select as rows_of

from gatekeeper.storage import Blocking, connect
from gatekeeper.storage.connect import backend_of
from gatekeeper.storage.tables import events
from tests.bench.processes import ROOT
from tests.postgresql import database_url

__all__ = ["database_url"]

pytestmark = pytest.mark.process

KILLS = {"sqlite": 100, "postgresql": 20}
STARTS = 5  # every so many is killed while it starts
STARTING, WRITING = 0.15, 0.1  # seconds until the kill, at most: a start, and some dozen commits
ROOM = 1_000_000  # numbers that a run may use
PATIENCE = 60.0


class Writers:
    """The process that starts writers (`storage_writer.py`)."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.integration.storage_writer"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=ROOT)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._said = b""
        self._alive: int | None = None

    def start(self, url: str, first: int) -> int:
        """Start a writer; return its pid."""
        self._input.write(f"{url} {first}\n".encode())
        self._alive = int(self.line())
        return self._alive

    def line(self) -> str:
        """Return what the writer, or its parent, says next."""
        while b"\n" not in self._said:
            assert select.select([self._output], [], [], PATIENCE)[0], "the process said nothing"
            piece = os.read(self._output.fileno(), 65536)
            assert piece, "the process ended"
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def killed(self, pid: int) -> list[str]:
        """Kill a writer; return what it had said."""
        os.kill(pid, signal.SIGKILL)
        said = []
        while (line := self.line()) != "gone":
            said.append(line)
        self._alive = None
        return said

    def close(self) -> None:
        """End, with the writer that a failed test left."""
        if self._alive is not None:
            os.kill(self._alive, signal.SIGKILL)
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture
def writers() -> Iterator[Writers]:
    writers = Writers()
    yield writers
    writers.close()


def numbers(said: list[str]) -> set[int]:
    return {int(line) for line in said if line != "open"}


def stored(url: str, least: int) -> set[int]:
    """Return the facts from `least` on that the database has."""
    database = Blocking(backend_of(url))
    try:
        return set(
            database.read(lambda c: c.scalars(rows_of(events.c.sequence).where(events.c.sequence >= least)).all())
        )
    finally:
        database.close()


def test_what_was_acknowledged_survives_every_kill(database_url: str, writers: Writers) -> None:
    kind = database_url.partition("+")[0].partition(":")[0]
    seed = random.randrange(2**32)  # noqa: S311 - to repeat a failure by
    moments = random.Random(seed)  # noqa: S311 - moments, not keys
    acknowledged: set[int] = set()
    under_load = 0
    for run in range(KILLS[kind]):
        first = 1 + run * ROOM
        pid = writers.start(database_url, first)
        if run % STARTS == 0:
            time.sleep(moments.uniform(0, STARTING))
            acknowledged |= numbers(writers.killed(pid))
            continue
        # The writer itself opened what the one before left; nobody else has touched it.
        assert writers.line() == "open"
        missing = {number for number in acknowledged if number >= first - 2 * ROOM} - stored(
            database_url, first - 2 * ROOM
        )
        assert missing == set(), f"seed {seed}, run {run}"
        one = int(writers.line())
        time.sleep(moments.uniform(0, WRITING))
        new = numbers(writers.killed(pid)) | {one}
        under_load += len(new) > 1
        acknowledged |= new
    connect(database_url).close()
    assert acknowledged - stored(database_url, 0) == set(), f"seed {seed}"
    assert under_load > KILLS[kind] / 2
    print(f"{len(acknowledged)} facts acknowledged, {under_load} kills while more were written")

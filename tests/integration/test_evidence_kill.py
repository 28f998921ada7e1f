"""Killed at any moment while pictures are stored: what the next start makes of it is whole, or clearly in part."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.chain import Check, Signed
from gatekeeper.evidence.event import record_of
from gatekeeper.evidence.signing import load
from gatekeeper.storage import events, pictures
from gatekeeper.storage.connect import Blocking, connect
from gatekeeper.storage.tables import bundles

KILLS = 24
LONGEST = 0.4
"""Seconds that a process lives: a bundle takes 0.3, so that most are killed in the middle of some."""


class Writers:
    """Forks writers and the next starts."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.evidence_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def write_and_be_killed(self, folder: Path, after: float) -> None:
        child = self._ask(f"write {folder}")
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        assert self._answer() == signal.SIGKILL

    def recover(self, folder: Path) -> None:
        self._ask(f"recover {folder}")
        assert self._answer() == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.mark.process
def test_a_bundle_is_whole_or_clearly_in_part_however_often_it_is_killed(tmp_path: Path) -> None:
    writers = Writers()
    chance = random.Random(4)  # noqa: S311 - moments, no secrets
    states: Counter[str] = Counter()
    seen: set[str] = set()
    try:
        for _ in range(KILLS):
            writers.write_and_be_killed(tmp_path, chance.uniform(0.0, LONGEST))
            writers.recover(tmp_path)
            with connect(f"sqlite:///{tmp_path}/gatekeeper.sqlite") as database:
                states += check(database, tmp_path, seen)
    finally:
        writers.close()
    # Without this the test might have seen nothing.
    assert states["complete"] >= 5
    assert states["partial with pictures"] >= KILLS
    with connect(f"sqlite:///{tmp_path}/gatekeeper.sqlite") as database:
        is_chained(database, tmp_path)
    assert not list((tmp_path / "pictures" / "incoming").iterdir())


def check(database: Blocking, folder: Path, seen: set[str]) -> Counter[str]:
    """Hold what is there since the last look to what must be true; count what was found."""
    found: Counter[str] = Counter()
    for bundle in database.read(lambda connection: connection.execute(bundles.select()).all()):
        if bundle.event in seen:
            continue
        seen.add(bundle.event)
        kept = database.read(partial(pictures.frames, event=bundle.event))
        assert bundle.state in ("complete", "partial")
        assert bundle.ended is not None
        for row in kept:
            jpeg = (folder / "pictures" / row.sha256.hex()[:2] / f"{row.sha256.hex()}.jpg").read_bytes()
            assert hashlib.sha256(jpeg).digest() == row.sha256
            assert len(jpeg) == row.size
        assert [row.number for row in kept] == list(range(1, len(kept) + 1))
        consequences = database.read(partial(events.consequences, event=bundle.event))
        (event,) = [row for row in consequences if row.kind in ("evidence.stored", "evidence.partial")]
        assert event.kind == {"complete": "evidence.stored", "partial": "evidence.partial"}[bundle.state]
        details = json.loads(event.body or b"")["details"]
        assert [one["sha256"] for one in details["pictures"]] == [row.sha256.hex() for row in kept]
        assert (details["reasons"] == []) is (bundle.state == "complete")
        assert sum(one["frames"] for one in details["cameras"].values()) == len(kept)
        found[bundle.state] += 1
        found["partial with pictures"] += bundle.state == "partial" and bool(kept)
    return found


def everything(connection: Connection) -> list[events.Row]:
    found: list[events.Row] = []
    while page := events.between(connection, len(found) + 1, 10**9):
        found += page
    return found


def is_chained(database: Blocking, folder: Path) -> None:
    signer = load(folder / "keys", time.time)
    journal = BlockingJournal(database, signer, time.time, time.monotonic)
    journal.record("test.ended", "and it goes on")
    site = database.read(events.site_of)
    checking, problems = Check(site, signer.keys), []
    for row in database.read(everything):
        problems += checking.record(record_of(row))
    head = database.read(events.head_of)
    problems += checking.finish(None if head is None else Signed(*head))
    assert problems == []

"""The record on the real database with a real reactor: threads, commits, another process, the end."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.task import deferLater

from gatekeeper.evidence.api import Events
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.case import kept_in
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.inspect import Inspector, inspect
from gatekeeper.evidence.journal import Journal
from gatekeeper.evidence.pages import everything
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.signing import load
from gatekeeper.evidence.verify import verify
from gatekeeper.storage import Database, connect
from tests.evidence.stores import ANA


def until(condition: Callable[[], bool]) -> "Deferred[None]":
    """Wait for something that the reactor does; or fail after 20 s."""

    @inlineCallbacks
    def waiting() -> Any:
        ends = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < ends
            yield deferLater(reactor, 0.01)

    return waiting()


@pytest_twisted.inlineCallbacks  # type: ignore[untyped-decorator]
def test_a_site_records_beside_the_command_line_and_proves_it(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path / 'gatekeeper.sqlite'}"
    signer = load(tmp_path / "keys", time.time)
    database = Database(url, reactor)
    database.open()
    journal = Journal(database, signer, reactor, time.time)
    journal.start()
    heard: list[Event] = []
    journal.observe(heard.append)
    followed: list[int] = []
    journal.follow(0, lambda event: deferLater(reactor, 0, followed.append, event.sequence))
    entries = [journal.record("door.opened", f"opened {number}", subject="front", caller=ANA) for number in range(300)]
    with connect(url) as other:
        command = BlockingJournal(other, signer, time.time, time.monotonic)
        for number in range(5):
            command.record("access.user_added", f"user {number}")
            entries += [journal.record("door.locked", "locked", cause=entries[0].id) for _ in range(20)]
            yield deferLater(reactor, 0.01)
    stored = yield gatherResults([entry.stored for entry in entries])
    assert len({event.sequence for event in stored}) == 400
    yield until(lambda: len(followed) == 405)
    assert followed == [event.sequence for event in heard] == list(range(1, 406))
    found = yield inspect(database, Inspector(signer.keys, signer.id))
    assert (found.sound, found.records) == (True, 405)
    events = Events(
        journal=journal,
        database=database,
        signer=signer,
        reactor=reactor,
        wall=time.time,
        frames=kept_in(PictureFolder(tmp_path / "pictures")),
        folder=tmp_path / "exports",
    )
    events.start()
    exported = yield events.export(entries[0].id, ANA, everything)
    verdict = verify(exported.path, signer.id)
    assert (verdict.problems, verdict.records) == ([], 101)
    journal.record("system.stopped", "stopped")
    yield journal.close()
    events.stop()
    yield database.close()
    with connect(url) as after:
        found = after.read(lambda connection: Inspector(signer.keys, signer.id, page=1000).step(connection))
        assert found

"""Following a long record over WAMP: everything arrives, once and in order, at the pace of who reads."""

import time
from pathlib import Path

import pytest

from gatekeeper.caller import ITSELF
from gatekeeper.evidence import signing
from gatekeeper.evidence.event import Drafts
from gatekeeper.evidence.seal import ChainSeal
from gatekeeper.storage import connect
from gatekeeper.storage.appender import Appender
from tests.bench.wamp_client import Caller
from tests.integration.conftest import Started
from tests.integration.processes import TOKEN, site

pytestmark = pytest.mark.process

EVENTS = 6000
"""With 1 KB of text each, six times what may wait for a session before it is ended as one that doesn't read."""


def fill(data: Path) -> None:
    """Leave a record in a data folder, as an earlier run would have."""
    data.mkdir(mode=0o700)
    drafts = Drafts(time.time, time.monotonic)
    append = Appender(ChainSeal(signing.load(data / "keys", time.time), drafts))
    told = [drafts.draft("door.relocked", "x" * 1000, subject="front", caller=ITSELF) for _ in range(EVENTS)]
    with connect(f"sqlite:///{data}/gatekeeper.sqlite") as database:
        for start in range(0, EVENTS, 500):
            some = told[start : start + 500]
            database.write(lambda connection, some=some: append(connection, some))  # type: ignore[misc]


def test_who_was_away_for_long_gets_everything_however_slowly_it_reads(start: Started) -> None:
    fill(start.folder / "gatekeeper-data")
    server = start.server(site(start.lock()))
    follower = Caller(server.port, TOKEN)
    follower._send([48, 1, {"receive_progress": True}, "gatekeeper.event.follow", [], {"after": 0}])
    time.sleep(1.5)  # it reads nothing for a while: what the sockets hold is full by then
    got: list[int] = []
    while len(got) < EVENTS + 1:
        message = follower._receive()
        assert message[:2] == [50, 1], message
        got.append(message[3][0]["sequence"])
    assert got == list(range(1, EVENTS + 2))  # and the start of this run
    follower.close()
    assert "Traceback" not in server.output

"""Checking a whole site's record, and the pictures that it vouches for, while the site goes on.

It is read page by page, each a transaction of its own: nothing is locked, and memory holds one page. The same
`Inspector` works for the site (off the reactor thread) and for the command line.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import inlineCallbacks

from gatekeeper.evidence.chain import (
    Check,
    Fault,
    Picture,
    Problem,
    Refused,
    Signed,
    Statement,
    erased_from,
    pictures_of,
    read,
)
from gatekeeper.evidence.event import record_of
from gatekeeper.evidence.tail import Readable
from gatekeeper.storage import events as rows
from gatekeeper.storage import pruning
from gatekeeper.storage.connect import Blocking

PROBLEMS = 1000
"""Problems told one by one; more are counted."""

PICTURES = 200
"""Files looked at in one step: a quarter of a second on a slow card."""

INTACT = "intact"


class Finding(msgspec.Struct, frozen=True):
    """A problem: the records `sequence` to `last`; `since` is the first record that no signature vouches for."""

    sequence: int
    last: int
    fault: str
    text: str
    since: int


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    :ivar records: how many were checked; `pruned` how many are gone by signed statements; `proved` the newest that a
        signature vouches for.
    :ivar pictures: how many were found as they were recorded; `erased` how many are gone by signed statements.
    :ivar problems: the first of them; `more` how many are not told.
    :ivar seconds: how long it took.
    """

    site: str
    key: str
    records: int
    pruned: int
    signatures: int
    proved: int
    pictures: int
    erased: int
    problems: list[Finding]
    more: int
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def finding(problem: Problem) -> Finding:
    """Return a problem for callers."""
    return Finding(problem.sequence, problem.last, problem.fault.value, str(problem), problem.since)


class Inspector:
    """One inspection, step by step.

    :param keys: key id -> public key; `key` the one that signs now.
    :param state: SHA-256 -> "intact", or what is wrong with the file; None leaves the pictures out.
    :param kept: signed statements that were kept elsewhere (an exported case): the record must still agree with them.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        key: str,
        state: Callable[[bytes], str] | None = None,
        *,
        kept: tuple[Signed, ...] = (),
        page: int = rows.PAGE,
    ) -> None:
        self._keys = keys
        self._key = key
        self._state = state
        self._kept = kept
        self._page = page
        self._check: Check | None = None
        self._site = ""
        self._looking: deque[tuple[int, Picture]] = deque()
        self._gone: list[tuple[int, Picture, str]] = []
        self._problems: list[Problem] = []
        self._more = 0
        self._pictures = 0
        self._erased = 0
        self._finished = False
        self._began = time.perf_counter()

    def step(self, connection: Connection) -> bool:
        """Do a piece in a reading transaction; return whether that was the last."""
        if self._check is None:
            self._site = rows.site_of(connection)
            self._check = Check(self._site, self._keys)
            for signed in self._kept:
                self._found(self._check.statement(signed))
        if self._gone:
            self._explain(connection)
        elif self._looking:
            self._look()
        elif not self._finished:
            self._read(connection, self._check)
        return self._finished and not self._looking and not self._gone

    @property
    def result(self) -> Inspection:
        """What was found so far."""
        check = self._check or Check("", {})
        return Inspection(
            site=self._site,
            key=self._key,
            records=check.records,
            pruned=check.pruned,
            signatures=check.signatures,
            proved=check.proved,
            pictures=self._pictures,
            erased=self._erased,
            problems=[finding(problem) for problem in self._problems],
            more=self._more,
            seconds=round(time.perf_counter() - self._began, 3),
        )

    def _read(self, connection: Connection, check: Check) -> None:
        page = rows.page(connection, check.last, self._page)
        for text in page.statements:
            self._found(check.statement(Signed(*text)))
        for row in page.rows:
            self._found(check.record(record_of(row)))
            if self._state is not None and row.body is not None:
                self._looking.extend((row.sequence, picture) for picture in pictures_of(row.body))
        if len(page.rows) < self._page:
            self._found(check.finish(None if page.head is None else Signed(*page.head)))
            self._finished = True

    def _look(self) -> None:
        assert self._state is not None  # noqa: S101 - nothing is looked for without
        for _ in range(min(PICTURES, len(self._looking))):
            sequence, picture = self._looking.popleft()
            state = self._state(bytes.fromhex(picture.sha256))
            if state == INTACT:
                self._pictures += 1
            else:
                self._gone.append((sequence, picture, state))

    def _explain(self, connection: Connection) -> None:
        """In a transaction after the look: what was erased meanwhile is signed for by now."""
        known: dict[str, dict[str, Statement]] = {}
        for sequence, picture, _ in self._gone:  # all that may fail first: the database may do a step twice
            if picture.event not in known:
                known[picture.event] = self._erased_of(connection, picture.event, sequence)
        gone, self._gone = self._gone, []
        for sequence, picture, state in gone:
            if picture.sha256 in known[picture.event]:
                self._erased += 1
                continue
            text = f"picture {picture.number} (camera {picture.camera}) is {state}, and nothing signed says why"
            self._found([Problem(sequence, sequence, Fault.PICTURE, text)])

    def _erased_of(self, connection: Connection, event: str, sequence: int) -> dict[str, Statement]:
        row = rows.get(connection, event)
        places = [sequence, *([row.sequence] if row is not None else [])]
        said: list[Statement] = []
        for text in pruning.tombstones_of(connection, places):
            try:
                said.append(read(Signed(*text), self._keys, self._site))
            except Refused:
                continue  # the check of the chain tells of it
        return erased_from(event, said)

    def _found(self, problems: list[Problem]) -> None:
        room = PROBLEMS - len(self._problems)
        self._problems += problems[:room]
        self._more += len(problems[room:])


@inlineCallbacks
def inspect(database: Readable, inspector: Inspector) -> Any:
    """Check a running site off the reactor thread; fires with an `Inspection`."""
    while not (yield database.read(inspector.step)):
        pass
    return inspector.result


def inspect_blocking(
    database: Blocking, inspector: Inspector, progress: Callable[[Inspection], None] = lambda so_far: None
) -> Inspection:
    """Check a site from the command line.

    :param progress: told after each page.
    """
    while not database.read(inspector.step):
        progress(inspector.result)
    return inspector.result

"""A case: an event with what led to it and what followed, and the piece of the chain that proves them.

It is read in one transaction, checked by the same code that anybody else checks it with, and bounded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from gatekeeper.errors import NoSuchEvent
from gatekeeper.evidence.chain import Problem, Refused, Signed, Statement, check, read
from gatekeeper.evidence.event import Event, event_of, record_of
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.storage import events as rows
from gatekeeper.storage import pictures, pruning
from gatekeeper.storage.events import Row

RUN = 5000
"""Records of one run: from checkpoint to checkpoint it is 2,000 at most, and 5,000 are read in a tenth of a second."""


class Frame(NamedTuple):
    """A picture of an event; `received` in Unix seconds, `path` None once it is erased."""

    event: str
    camera: str
    number: int
    received: float
    sha256: bytes
    path: Path | None


Frames = Callable[[Connection, str], Sequence[Frame]]
"""Event id -> its pictures, in their order."""


def kept_in(folder: PictureFolder) -> Frames:
    """Return how to find the pictures that the recorder keeps in a folder."""

    def frames(connection: Connection, event: str) -> list[Frame]:
        return [
            Frame(
                row.event,
                row.camera,
                row.number,
                row.received,
                row.sha256,
                None if row.erased else folder.path(row.sha256),
            )
            for row in pictures.frames(connection, event)
        ]

    return frames


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an event.

    :ivar rows: what led to it, itself, and what followed, in their order: those that the caller may see.
    :ivar run: every record from the one after `begin` (a checkpoint; None for the first record of all) to the one
        that `end` (a checkpoint, or the head) is about.
    :ivar whole: whether the caller may see all of the run.
    :ivar statements: what is signed about records in between that are gone, and about erased pictures.
    """

    site: str
    event: Event
    rows: list[Row]
    run: list[Row]
    whole: bool
    begin: Signed | None
    end: Signed
    head: Statement | None
    statements: list[Signed]
    frames: list[Frame]
    problems: list[Problem]


def collect(
    connection: Connection,
    event: str,
    keys: Mapping[str, bytes],
    frames: Frames,
    visible: Callable[[Event], bool],
) -> Case:
    """Read and check a case.

    :raises NoSuchEvent: if there is no such event that the caller may see.
    """
    row = rows.get(connection, event)
    found = None if row is None else event_of(row)
    if row is None or found is None or not visible(found):
        raise NoSuchEvent("there is no event with this id, or it isn't kept any more")
    related = [*rows.causes(connection, event), row, *rows.consequences(connection, event)]
    related = sorted(one for one in related if visible(event_of(one)))
    site = rows.site_of(connection)
    head = rows.head_of(connection)
    end_of_all = Signed(*head) if head is not None else Signed(b"", b"")
    first, last = _reach(related, row.sequence)
    begin = rows.checkpoint_before(connection, first)
    after = begin[0] if begin is not None else 0
    end = rows.checkpoint_from(connection, last)
    until = end[0] if end is not None else rows.newest(connection)
    run = _run(connection, after, until)
    statements = [Signed(*one) for one in rows.statements(connection, after, until)]
    statements += [Signed(*one) for one in pruning.tombstones_of(connection, [one.sequence for one in related])]
    case = Case(
        site=site,
        event=found,
        rows=related,
        run=run,
        whole=all(visible(event_of(one)) for one in run),
        begin=Signed(*begin[1]) if begin is not None else None,
        end=Signed(*end[1]) if end is not None else end_of_all,
        head=_read(end_of_all, keys, site),
        statements=list(dict.fromkeys(statements)),
        frames=[frame for one in related for frame in frames(connection, one.id)],
        problems=[],
    )
    case.problems.extend(_check(case, keys))
    return case


def _check(case: Case, keys: Mapping[str, bytes]) -> list[Problem]:
    return list(
        check(
            map(record_of, case.run),
            site=case.site,
            keys=keys,
            head=case.end,
            statements=case.statements,
            begin=case.begin,
        )
    )


def _reach(related: list[Row], sequence: int) -> tuple[int, int]:
    """Return the first and last record that the run has to hold: all that belongs together, unless that is too far."""
    first, last = related[0].sequence, related[-1].sequence
    return (first, last) if last - first < RUN // 2 else (sequence, sequence)


def _run(connection: Connection, after: int, until: int) -> list[Row]:
    found: list[Row] = []
    while len(found) < RUN:
        page = rows.between(connection, (found[-1].sequence if found else after) + 1, until)
        found += page
        if len(page) < rows.PAGE:
            break
    return found


def _read(signed: Signed, keys: Mapping[str, bytes], site: str) -> Statement | None:
    try:
        return read(signed, keys, site)
    except Refused:
        return None

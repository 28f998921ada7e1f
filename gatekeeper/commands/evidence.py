"""`gatekeeper verify` and `export`: the record, checked and handed over."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from gatekeeper.commands.site import PICTURES, Opened, fresh, here, opened
from gatekeeper.errors import NotFound
from gatekeeper.evidence.case import collect, kept_in
from gatekeeper.evidence.export import export
from gatekeeper.evidence.inspect import Inspection, Inspector, inspect_blocking
from gatekeeper.evidence.pictures import PictureFolder

VERIFY = """\
Check the whole record, and the pictures that it vouches for: whether a record was changed, removed, inserted or moved,
and whether the newest are there. Ends with exit code 1 if anything is wrong. The site may run, and is not held up.
What can't be seen from here: records cut off at the end by somebody who has the key. An exported case that lies
elsewhere shows that, too.
"""

EXPORT = """\
Write an event with what led to it and what followed, its pictures, and the proof of it all into one zip file, which
python -m gatekeeper.evidence.verify checks on any machine. The export itself is recorded.
"""

SHOWN = 20
"""Problems that are told one by one."""

say = print


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `verify` and `export`."""
    it = commands.add_parser("verify", help="check the record and its pictures", description=VERIFY)
    it.add_argument("--no-pictures", action="store_true", help="leave the pictures' files out, which may be many")
    it.set_defaults(run=verify)
    it = commands.add_parser("export", help="write an event with its proof into a file", description=EXPORT)
    it.add_argument("--event", metavar="ID", required=True, help="the event, as the dashboard shows its id")
    it.add_argument("--to", metavar="FILE", help="where to; case-ID.zip in this folder without")
    it.set_defaults(run=export_)


def verify(arguments: argparse.Namespace) -> int:
    """Check the record; say what is wrong, and where."""
    site = opened(arguments)
    with site.database() as database:
        signer, state = site.signer(), _folder(site).state
        inspector = Inspector(signer.keys, signer.id, None if arguments.no_pictures else state)
        with _progress(sys.stderr) as progress:
            found = inspect_blocking(database, inspector, progress)
    for problem in found.problems[:SHOWN]:
        say(f"  - {problem.text}")
    more = len(found.problems) - SHOWN + found.more
    if more > 0:
        say(f"  - and {more} more")
    say("\n".join(_told(found, pictures=not arguments.no_pictures)))
    return 0 if found.sound else 1


def _told(found: Inspection, *, pictures: bool) -> list[str]:
    count = len(found.problems) + found.more
    told = ["SOUND: everything is as it was recorded" if found.sound else f"NOT SOUND: {count} problems"]
    told.append(f"{found.records} records checked, {found.pruned} gone by signed statements")
    told.append(f"{found.signatures} signatures checked; they vouch for everything up to record {found.proved}")
    if pictures:
        told.append(f"{found.pictures} pictures as they were recorded, {found.erased} erased by signed statements")
    else:
        told.append("pictures were not looked at")
    return [*told, f"site {found.site}, key {found.key}"]


@contextmanager
def _progress(terminal: IO[str]) -> Iterator[Callable[[Inspection], None]]:
    """Say on a terminal how far it is; elsewhere say nothing."""
    shown = terminal.isatty()
    due = time.monotonic() + 1.0

    def tell(so_far: Inspection) -> None:
        nonlocal due
        if shown and time.monotonic() > due:
            due = time.monotonic() + 0.2
            terminal.write(f"\r{so_far.records} records, {so_far.pictures} pictures … ")
            terminal.flush()

    yield tell
    if shown:
        terminal.write("\r\x1b[K")


def export_(arguments: argparse.Namespace) -> None:
    """Write the case; the record says who took what, before anybody has it."""
    site = opened(arguments)
    caller = here()
    with site.database() as database:
        signer, frames = site.signer(), kept_in(_folder(site))
        case = database.read(
            lambda connection: collect(connection, arguments.event, signer.keys, frames, lambda event: True)
        )
        target = fresh(arguments.to or f"case-{case.event.id}.zip")
        if not target.parent.is_dir():
            raise NotFound(f"{target}: there is no folder {target.parent}")
        by = caller.session or "the command line"
        written = export(case, signer, time.time(), by, target.parent)
        try:
            site.journal(database).record(
                "evidence.exported",
                f"{by} exported {case.event.kind} with {written.pictures} pictures",
                subject=case.event.subject,
                caller=caller,
                details={
                    "event": case.event.id,
                    "pictures": written.pictures,
                    "bytes": written.size,
                    "whole": case.whole,
                },
            )
            written.path.replace(target)
        finally:
            written.path.unlink(missing_ok=True)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(case.event.time))
    say(f"{target}: {case.event.kind} of {when}, {len(case.rows)} records, {written.pictures} pictures")
    say(f"to check it anywhere: python -m gatekeeper.evidence.verify {target} --key {signer.id}")
    for problem in case.problems[:SHOWN]:
        say(f"  - not sound: {problem}")


def _folder(site: Opened) -> PictureFolder:
    return PictureFolder(site.data / PICTURES)

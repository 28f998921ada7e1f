"""After a crash: what a killed process left open is closed as what it is, and never taken for more.

A bundle stays open until the event that names its pictures is stored. So an open one at the start is either one whose
event is there, and only its own row is behind, or one that ended in the middle: then its pictures are read through,
rows without an intact file go, and an event says what is left.
"""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger

from gatekeeper.evidence.bundle import listed, sentence
from gatekeeper.evidence.outside import Database, Disk, Record
from gatekeeper.evidence.pictures import FileState, PictureFolder
from gatekeeper.storage import pictures
from gatekeeper.storage.pictures import BundleRow, PictureRow, State

RETRY = 2.0
"""Seconds until a database that gave nothing is asked again: the start waits for none of this."""

INTERRUPTED = "gatekeeper ended in the middle"


class Recovery:
    """Closes open bundles, once, at the start.

    :param record: `Journal.record`.
    :param reactor: clock.
    :param wall: Unix seconds now.
    """

    log = Logger()

    def __init__(
        self,
        *,
        database: Database,
        disk: Disk,
        folder: PictureFolder,
        record: Record,
        reactor: Any,
        wall: Callable[[], float],
    ) -> None:
        self._database = database
        self._disk = disk
        self._folder = folder
        self._record = record
        self._reactor = reactor
        self._wall = wall

    @inlineCallbacks
    def run(self, busy: Callable[[], frozenset[str]]) -> Any:
        """Close what is open and isn't `busy`: begun by this very process. Fires when all is closed."""
        try:
            yield self._disk.run(self._folder.sweep)
        except Exception:  # noqa: BLE001 - what is left unfinished is in nobody's way
            self.log.failure("the unfinished pictures of the last run could not be removed")
        known = busy()
        found: list[BundleRow] = yield self._until_it_works(lambda: self._database.read(pictures.open_bundles))
        for bundle in found:
            if bundle.event not in known and bundle.event not in busy():
                yield self._until_it_works(partial(self._close, bundle))

    @inlineCallbacks
    def _until_it_works(self, ask: Callable[[], "Deferred[Any]"]) -> Any:
        while True:
            try:
                return (yield ask())
            except Exception as error:  # noqa: BLE001 - the start goes on without, and this is tried again
                self.log.warn("what the last run left open can't be closed yet: {error!r}", error=error)
            yield deferLater(self._reactor, RETRY, lambda: None)

    @inlineCallbacks
    def _close(self, bundle: BundleRow) -> Any:
        kind: str | None = yield self._database.read(partial(pictures.announced, event=bundle.event))
        if kind is None:
            manifest = yield self._announce(bundle)
        else:
            manifest = bundle.manifest or b"{}"
        state: State = "complete" if kind == "evidence.stored" else "partial"
        closing = partial(pictures.close, event=bundle.event, state=state, ended=self._wall(), manifest=manifest)
        yield self._database.write(closing)

    @inlineCallbacks
    def _announce(self, bundle: BundleRow) -> Any:
        """Look at what is there, say so in an event, and return the manifest."""
        rows: list[PictureRow] = yield self._database.read(partial(pictures.frames, event=bundle.event))
        rows = [row for row in rows if not row.erased]
        states: list[FileState] = yield self._disk.run(lambda: [self._folder.state(row.sha256) for row in rows])
        intact = [row for row, state in zip(rows, states, strict=True) if state is FileState.INTACT]
        broken = [row.number for row, state in zip(rows, states, strict=True) if state is not FileState.INTACT]
        reasons = [INTERRUPTED]
        if broken:
            reasons.append(f"of {len(broken)} pictures no intact file was left")
            yield self._database.write(partial(pictures.remove_rows, event=bundle.event, numbers=broken))
        plan = json.loads(bundle.manifest or b"{}")
        counts = Counter(row.camera for row in intact)
        # What a camera lost, and when it was blind, went with the process that knew it.
        cameras = {
            camera: {"frames": counts[camera], "lost": None, "blind": None}
            for camera in (*plan.get("cameras", ()), *(counts.keys() - plan.get("cameras", {}).keys()))
        }
        manifest = {**plan, "state": "partial", "reasons": reasons, "cameras": cameras}
        yield self._record(
            "evidence.partial",
            sentence(len(intact), reasons),
            subject=plan.get("door"),
            cause=bundle.event,
            outcome="alarm",
            reason="; ".join(reasons),
            details={**manifest, "pictures": [listed(row) for row in intact]},
        ).stored
        return json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()

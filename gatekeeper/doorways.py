"""The doors of a site, together: their links to the locks, who works them, and what is left if the process is killed.

Part of the composition root, apart from `site` because none of it knows of cameras but by name. There is never a
second connection to a lock: a door that goes or changes is locked, and its link is closed, before another is made.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger

from gatekeeper import config, uris
from gatekeeper.caller import ITSELF
from gatekeeper.calls import plain
from gatekeeper.doors.api import Doors
from gatekeeper.doors.executor import LastWill, Nobody, can_leave_a_will
from gatekeeper.doors.link import DoorLink, Recorded
from gatekeeper.elsewhere import IsOwn
from gatekeeper.evidence.entry import Entry
from gatekeeper.realm import Presence
from gatekeeper.wanted import WantedDoor, wanted_doors

FOLLOWS = frozenset(
    {
        "door.auto_locked",
        "door.indeterminate",
        "door.jammed",
        "door.lease_lost",
        "door.left_unlocked",
        "door.locked",
        "door.opened_late",
        "door.refused",
        "door.relocked",
    }
)
"""What a door does because of the last action at it; an opening that nobody ordered has no cause that we know."""


class Doorways:
    """Every door of a site.

    :param folder: what the configuration's relative paths are relative to.
    :param session: the site's own, for states.
    :param record: `Keeping.record_door`.
    :param is_own: tells what is gatekeeper's own port, and no lock.
    :ivar devices: what runs while the site does.
    :ivar links: by door id, in the configuration's order, as they are now.
    :ivar watching: door id -> ids of the cameras that look at it, likewise.
    """

    log = Logger()

    def __init__(
        self,
        settings: config.Site,
        *,
        folder: Path,
        reactor: Any,
        wall: Callable[[], float],
        session: Presence,
        record: Callable[..., Entry],
        is_own: IsOwn,
        virtual: bool,
    ) -> None:
        self._reactor = reactor
        self._session = session
        self._record = record
        self._is_own = is_own
        self._virtual = virtual
        self._last_will = LastWill() if can_leave_a_will() else None
        self._running = False
        self.devices = MultiService()
        self.links: dict[str, DoorLink] = {}
        self.watching: dict[str, tuple[str, ...]] = {}
        self.doors = Doors(
            links=self.links,
            clock=reactor,
            wall=wall,
            cameras=self.watching,
            record=self._call_recorded,
            virtual=virtual,
        )
        for door in wanted_doors(settings, folder).values():
            self._compose(door)
        self.settle([door.id for door in settings.doors], settings.cameras)

    def start(self) -> None:
        """Have somebody who locks if this process is killed; `devices` is the site's to start."""
        self._running = True
        self._leave_a_will()

    def stop(self) -> None:
        """End that; the links must have ended, in good order, before."""
        self._running = False
        if self._last_will is not None and self._last_will.running:
            self._last_will.stopService()

    def where(self, door: config.Door) -> str:
        """Return where a lock is, for the log; never what its address carries behind a `?`."""
        return f"{'VIRTUAL device at ' if self._virtual else ''}{door.url.partition('?')[0]}"

    # --- doors come and go; `settle` ends each round of it ---

    def add(self, door: WantedDoor) -> None:
        """Have one more door; no other may have had its lock a moment ago without `remove` having fired."""
        self._compose(door)
        self.log.info("door {id}: {where}", id=door.id, where=self.where(door.door))

    def rename(self, door: config.Door) -> None:
        """Have a door called otherwise: that interrupts nothing."""
        self.links[door.id].config = door

    async def remove(self, door: str) -> None:
        """Lock a door, wait for the lock's word, close the link, and have the door no more."""
        await maybeDeferred(self.links[door].disownServiceParent)
        del self.links[door]
        self.watching.pop(door, None)
        self.doors.recording.forget(door)

    def settle(self, order: Sequence[str], cameras: Sequence[config.Camera]) -> None:
        """Put the doors into this order, and tie them to the cameras that look at them."""
        ordered = {door: self.links[door] for door in order}
        self.links.clear()
        self.links.update(ordered)
        tied = {door: tuple(camera.id for camera in cameras if door in camera.doors) for door in order}
        self.watching.clear()
        self.watching.update(tied)

    def _leave_a_will(self) -> None:
        """Start the process that locks after a kill, if there is something to lock and it isn't there yet."""
        will = self._last_will
        if self._running and self.links and will is not None and not will.running:
            will.startService()

    def _compose(self, door: WantedDoor) -> None:
        self.links[door.id] = link = DoorLink(
            door.door,
            self._reactor,
            self._changed,
            self._noted,
            self._last_will or Nobody(),
            is_own=self._is_own,
            key=door.key,
        )
        self._leave_a_will()
        link.setServiceParent(self.devices)

    # --- what happens, and who is told ---

    def _changed(self, link: DoorLink) -> None:
        door = link.config.id
        if self.links.get(door) is link:
            self._session.publish(uris.TOPIC_DOOR_STATE.format(door=door), plain(self.doors.status(door)))

    def _noted(self, note: Recorded) -> None:
        self._record(
            note.kind,
            note.text,
            subject=note.door,
            caller=ITSELF,
            cause=self.doors.recording.cause(note.door) if note.kind in FOLLOWS else None,
            outcome="alarm" if note.alarm else "ok",
        )

    def _call_recorded(self, kind: str, text: str, *, subject: str | None, **about: Any) -> Entry:
        entry = self._record(kind, text, subject=subject, **about)
        # The line is written when the caller has its answer: a slow terminal must not keep a person at the door.
        self._reactor.callLater(0, self.log.info, "door {door}: {text}", door=subject, text=text)
        return entry

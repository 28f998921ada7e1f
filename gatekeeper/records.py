"""The record as somebody may see it: what HTTP and WAMP ask of `evidence`, for the principal who asks.

Part of the composition root: `evidence` knows nothing of who may see what, and `access` nothing of events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred

from gatekeeper.access.principal import Principal, check
from gatekeeper.errors import NotFound
from gatekeeper.evidence.api import EventPage, Events, Verification
from gatekeeper.evidence.case import Frame
from gatekeeper.evidence.doubts import Doubts
from gatekeeper.evidence.event import Event, Query
from gatekeeper.evidence.export import Exported
from gatekeeper.evidence.follow import Following
from gatekeeper.evidence.housekeeping import Housekeeping
from gatekeeper.evidence.outside import Disk
from gatekeeper.evidence.pictures import FileState, PictureFolder
from gatekeeper.uris import Permission

OF_DOORS = frozenset(f"evidence.{what}" for what in ("stored", "partial", "erased", "held", "released", "exported"))
"""Kinds of events that are about an event at a door, which is their subject."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an event, its bytes those that were recorded.

    :ivar received: Unix seconds.
    """

    jpeg: bytes
    camera: str
    received: float


class Records:
    """The record, for those who ask.

    :param disk: a thread for reading pictures.
    :param frames: an event's pictures.
    :param doubts: told of pictures that aren't what was recorded.
    :param housekeeping: erases.
    """

    def __init__(
        self,
        events: Events,
        folder: PictureFolder,
        disk: Disk,
        *,
        frames: "Callable[[str], Deferred[Sequence[Frame]]]",
        doubts: Doubts,
        housekeeping: Housekeeping,
    ) -> None:
        self._doubts = doubts
        self._housekeeping = housekeeping
        self._events = events
        self._frames = frames
        self._folder = folder
        self._disk = disk

    def recent(self, who: Principal) -> Sequence[Event]:
        """Return the newest events, oldest first."""
        return self._events.recent(visible_to(who))

    def list(self, who: Principal, query: Query) -> "Deferred[EventPage]":
        """Return events, newest first unless the query says otherwise."""
        return self._events.list(query, visible_to(who))

    def get(self, who: Principal, event: str) -> "Deferred[Event]":
        """Return one event.

        :raises NoSuchEvent: if there is none that they may see; so with all that follow.
        """
        return self._events.get(event, visible_to(who))

    def follow(self, who: Principal, after: int | None, deliver: Callable[[Event], Any]) -> Following:
        """Deliver what came after a sequence, then what happens."""
        return self._events.follow(after, deliver, visible_to(who))

    def frame(self, who: Principal, event: str, number: int) -> "Deferred[Picture]":
        """Return one picture of an event.

        :raises AccessDenied: if they may see the event, and not what this camera sees.
        """

        def found(frame: Frame) -> "Deferred[Picture]":
            check(who, Permission.CAMERA_VIEW, frame.camera)
            return self._disk.run(partial(self._folder.read, frame.sha256)).addCallback(read, frame)

        def read(result: tuple[FileState, bytes], frame: Frame) -> Picture:
            state, jpeg = result
            why = self._doubts.tell(frame.event, frame.number, frame.sha256, state)
            if why is not None:
                raise NotFound(f"picture {frame.number} can't be shown: {why}")
            return Picture(jpeg, frame.camera, frame.received)

        asked: Deferred[Frame] = self._events.frame(event, number, visible_to(who))
        return asked.addCallback(found)

    def verify(self, who: Principal, event: str) -> "Deferred[Verification]":
        """Check an event's record and the chain around it."""
        checking: Deferred[Verification] = self._events.verify(event, visible_to(who))
        return checking

    def hold(self, who: Principal, event: str, reason: str | None = None) -> "Deferred[Event]":
        """Keep an event from retention."""
        return self._events.hold(event, who.caller, visible_to(who), reason)

    def release(self, who: Principal, event: str, reason: str | None = None) -> "Deferred[Event]":
        """Let retention have an event again."""
        return self._events.release(event, who.caller, visible_to(who), reason)

    def erase(self, who: Principal, event: str, number: int, reason: str | None = None) -> "Deferred[Event]":
        """Erase a picture: its file goes, a signed statement stays; fires with the event as it is then.

        :raises NotFound: if there is no such picture any more.
        :raises Conflict: if the event is on hold, or still being recorded.
        """
        erasing: Deferred[Any] = self.get(who, event)
        erasing.addCallback(lambda _: self._housekeeping.erase(event, [number], who.caller, reason or "asked for"))
        return erasing.addCallback(lambda _: self.get(who, event))

    def export(self, who: Principal, event: str) -> "Deferred[BinaryIO]":
        """Return a case as an open file that has no name any more: it is gone when it is closed.

        :raises AccessDenied: if they may not see what one of its cameras sees.
        """

        def opened(exported: Exported) -> BinaryIO:
            file: BinaryIO = exported.path.open("rb")
            exported.path.unlink()
            return file

        def export(frames: Sequence[Frame]) -> "Deferred[Exported]":
            for camera in {frame.camera for frame in frames}:
                check(who, Permission.CAMERA_VIEW, camera)
            writing: Deferred[Exported] = self._events.export(event, who.caller, visible_to(who))
            return writing

        return self.get(who, event).addCallback(lambda _: self._frames(event)).addCallback(export).addCallback(opened)


def visible_to(who: Principal) -> Callable[[Event], bool]:
    """Return what tells whether somebody may see an event."""
    return lambda event: sees(who, event.subject, event.kind)


def sees(who: Principal, subject: str | None, kind: str) -> bool:
    """Return whether somebody may see an event of this kind on this subject."""
    return who.sees(subject, kind, of="door" if kind in OF_DOORS else None)

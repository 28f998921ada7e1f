"""The pictures around one door action: which frames belong to it, what is missing and why, and what the record says.

No I/O, no clock: `now` is an argument, monotonic seconds. `recorder` carries frames in and facts out.

    collecting ──end of the time──> settling ──all cameras certain, or SETTLE──> storing ──all stored──> done
         └────────────────────────────stop────────────────────────────────────────┘
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from gatekeeper.evidence.ring import Frame, Ring, Sight, Span
from gatekeeper.storage.pictures import PictureRow, State

SETTLE = 2.5
"""Seconds after the end in which a camera's silence shows itself: a camera counts as stalled after 2 by default."""

SHORT_MEMORY = "the memory for a camera's newest pictures was too small (evidence.ring_bytes)"


class Stage(Enum):
    """Where a bundle is."""

    COLLECTING = auto()
    SETTLING = auto()
    STORING = auto()
    DONE = auto()


@dataclass(slots=True)
class _Camera:
    frames: int = 0
    lost: int = 0
    blind: list[Span] = field(default_factory=list)


class Bundle:
    """What is kept of one door action.

    :param event: the id of the action's event.
    :param door: the door's id.
    :param moment: monotonic seconds of the action.
    :param wall: Unix seconds at the same instant.
    :param before: seconds of pictures wanted from before it.
    :param after: seconds from after it.
    :param sights: of each camera that is tied to the door.
    :ivar reasons: why it isn't complete, each once; empty if it is.
    :ivar waiting: frames that were taken in and aren't stored, or given up, yet.
    """

    def __init__(
        self,
        event: str,
        door: str,
        moment: float,
        wall: float,
        *,
        before: float,
        after: float,
        sights: Mapping[str, Sight],
    ) -> None:
        self.event = event
        self.door = door
        self.started = wall
        self.reasons: list[str] = []
        self.waiting = 0
        self.stage = Stage.COLLECTING
        self._moment = moment
        self._wall = wall
        self._start = moment - before
        self._end = moment + after
        self._sights = sights
        self._cameras = {camera: _Camera() for camera in sights}
        self._pictures: list[PictureRow] = []

    # --- what comes in ---

    def gather(self, rings: Mapping[str, Ring]) -> list[Frame]:
        """Return the frames from before the action, oldest first over all cameras; say so if memory held too few."""
        found: list[Frame] = []
        for camera in self._cameras:
            ring = rings[camera]
            found.extend(ring.between(self._start, self._end))
            if ring.short_of is not None and ring.short_of >= self._start:
                self._excuse(SHORT_MEMORY)
        found.sort(key=lambda frame: frame.received)
        return found

    def wants(self, frame: Frame) -> bool:
        """Whether a frame that has just come belongs to it."""
        open_ = self.stage in (Stage.COLLECTING, Stage.SETTLING)
        return open_ and frame.camera in self._cameras and self._start <= frame.received <= self._end

    def taken(self) -> None:
        """Note that a frame is on its way to the disk."""
        self.waiting += 1

    def lost(self, camera: str, reason: str, count: int = 1) -> None:
        """Note frames that belong to it and won't be kept."""
        self._cameras[camera].lost += count
        self._excuse(reason)

    def given_up(self, camera: str, reason: str) -> None:
        """Note that a frame that was taken won't be kept after all."""
        self.waiting -= 1
        self.lost(camera, reason)

    def saved(self, rows: Iterable[PictureRow]) -> None:
        """Note pictures whose files and rows are stored."""
        for row in rows:
            self.waiting -= 1
            self._cameras[row.camera].frames += 1
            self._pictures.append(row)

    # --- time ---

    @property
    def deadline(self) -> float | None:
        """Monotonic seconds at which `tick` has something to decide; None if time decides nothing any more."""
        match self.stage:
            case Stage.COLLECTING:
                return self._end
            case Stage.SETTLING:
                return self._end + SETTLE
            case _:
                return None

    def tick(self, now: float) -> None:
        """Look at what time, and what the cameras did since, has decided."""
        if self.stage is Stage.COLLECTING and now >= self._end:
            self.stage = Stage.SETTLING
        if self.stage is Stage.SETTLING and (now >= self._end + SETTLE or self._settled()):
            self._look(now)
        if self.stage is Stage.STORING and self.waiting == 0:
            self.stage = Stage.DONE

    def stop(self, now: float, reason: str) -> None:
        """End it now: what is missing is missing, for this reason."""
        if self.stage is Stage.COLLECTING:
            self._end = min(self._end, now)
            self._excuse(reason)
        if self.stage in (Stage.COLLECTING, Stage.SETTLING):
            self._look(now)
        self.tick(now)

    def _settled(self) -> bool:
        return all(sight.settled(self._end) for sight in self._sights.values())

    def _look(self, now: float) -> None:
        for camera, sight in self._sights.items():
            self._cameras[camera].blind = sight.between(self._start, self._end, now)
        self.stage = Stage.STORING

    def _excuse(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    # --- what the record says ---

    @property
    def state(self) -> State:
        """`complete`: everything that the cameras sent is kept; else `partial`, and `reasons` says why."""
        return "partial" if self.reasons else "complete"

    @property
    def alarm(self) -> bool:
        """Whether a person should know: something is missing, or nothing was to be seen."""
        return bool(self.reasons) or not self._pictures

    def text(self) -> str:
        """Return one sentence for people."""
        return sentence(len(self._pictures), self.reasons, self._blind_words())

    def _blind_words(self) -> list[str]:
        return [
            f"{camera} was blind for {sum(until - since for since, until, _ in found.blind):.1f} s"
            for camera, found in self._cameras.items()
            if found.blind
        ]

    def manifest(self) -> bytes:
        """Return what isn't in the pictures' own rows, as JSON text."""
        return json.dumps(self._manifest(), separators=(",", ":"), ensure_ascii=False).encode()

    def details(self) -> dict[str, Any]:
        """Return what the event holds: every picture with its hash, and every camera with what it missed."""
        return {**self._manifest(), "pictures": [listed(row) for row in self._pictures]}

    def _manifest(self) -> dict[str, Any]:
        shift = self._wall - self._moment
        cameras = {
            camera: {
                "frames": found.frames,
                "lost": found.lost,
                "blind": [[round(a + shift, 3), round(b + shift, 3), why] for a, b, why in found.blind],
            }
            for camera, found in self._cameras.items()
        }
        return {
            "door": self.door,
            "state": self.state,
            "reasons": list(self.reasons),
            "moment": round(self._wall, 3),
            "from": round(self._start + shift, 3),
            "to": round(self._end + shift, 3),
            "cameras": cameras,
        }


def listed(row: PictureRow) -> dict[str, Any]:
    """Return a picture as events list it; `received` in Unix seconds, `sha256` in hex."""
    return {
        "number": row.number,
        "camera": row.camera,
        "received": row.received,
        "width": row.width,
        "height": row.height,
        "size": row.size,
        "sha256": row.sha256.hex(),
    }


def sentence(pictures: int, reasons: Iterable[str], blind: Iterable[str] = ()) -> str:
    """Return what people read: how many pictures are kept, and what is missing."""
    kept = {0: "no picture", 1: "1 picture"}.get(pictures, f"{pictures} pictures")
    missing = "; ".join(reasons)
    words = [f"{kept} kept, not all: {missing}" if missing else f"{kept} kept", *blind]
    return ", ".join(words)

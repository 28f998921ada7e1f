"""A kept picture as callers see it, and the calendar that it stands in: the server's own."""

import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gatekeeper.storage.snapshots import SnapshotRow, Why

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
LIMIT = 500
"""Pictures in one answer: 100 KB of JSON."""

Local = Callable[[float], time.struct_time]
"""Unix seconds to the server's own calendar: `time.localtime`."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a camera that is kept by itself.

    :ivar id: 26 characters, in the order of time.
    :ivar day: the server's calendar day when it was received, `2026-11-28`.
    :ivar time: Unix seconds at which it was received.
    :ivar local: the same in the server's time zone, `2026-11-28T15:08:40+0100`.
    :ivar why: `demand`, `interval` or `event`.
    :ivar event: the id of the event that it was kept for, or None.
    :ivar who: the account that asked for it, or None.
    :ivar size: bytes of the file, whose `sha256` is in hex.
    """

    id: str
    camera: str
    day: str
    time: float
    local: str
    why: Why
    event: str | None
    who: str | None
    width: int
    height: int
    size: int
    sha256: str


class SnapshotQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pictures are asked for.

    :ivar camera: of one camera; of all that one may view if absent.
    :ivar day: of one day of the server's calendar, `2026-11-28`.
    :ivar after: of a picture: only those after it; `before` likewise.
    """

    camera: Annotated[str, Meta(max_length=40)] | None = None
    day: Annotated[str, Meta(pattern=f"^{DAY}$(?!\n)")] | None = None
    after: Annotated[str, Meta(max_length=26)] | None = None
    before: Annotated[str, Meta(max_length=26)] | None = None
    order: Literal["newest", "oldest"] = "newest"
    limit: Annotated[int, Meta(ge=1, le=LIMIT)] = 100


class SnapshotPage(msgspec.Struct, frozen=True):
    """Some pictures; `next` is the id to go on from (as `before`; as `after` with the oldest first), or None."""

    pictures: list[Snapshot]
    next: str | None


class SnapshotDay(msgspec.Struct, frozen=True):
    """How many pictures of a camera are kept of a day."""

    camera: str
    day: str
    pictures: int


class SnapshotDays(msgspec.Struct, frozen=True, kw_only=True):
    """The days of which pictures are kept, the newest first.

    :ivar zone: the server's time zone, as people call it: `CET (UTC+01:00)`.
    :ivar today: the day that it is there now.
    """

    zone: str
    today: str
    days: list[SnapshotDay]


def day_of(moment: float, local: Local = time.localtime) -> str:
    """Return the server's calendar day of a moment, Unix seconds."""
    return time.strftime("%Y-%m-%d", local(moment))


def zone_of(moment: float, local: Local = time.localtime) -> str:
    """Return the server's time zone at a moment, for people."""
    offset = time.strftime("%z", local(moment))
    return f"{time.strftime('%Z', local(moment))} (UTC{offset[:3]}:{offset[3:5]})"


def snapshot_of(row: SnapshotRow, local: Local = time.localtime) -> Snapshot:
    """Return a row for callers."""
    return Snapshot(
        id=row.id,
        camera=row.camera,
        day=row.day,
        time=row.time,
        local=time.strftime("%Y-%m-%dT%H:%M:%S%z", local(row.time)),
        why=row.why,
        event=row.event,
        who=row.who,
        width=row.width,
        height=row.height,
        size=row.size,
        sha256=row.sha256.hex(),
    )

"""Kept pictures for callers, whatever wire they come by: structs out, errors raised.

Who may view a camera may see what is kept of it, also of one that the site doesn't have any more; to everybody else its
pictures don't exist. Keeping one takes room on the disk and is `camera.control`; deleting one is an owner's.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, inlineCallbacks

from gatekeeper import decoding
from gatekeeper.access.principal import Principal, check
from gatekeeper.cameras.frame import Frame
from gatekeeper.errors import GatekeeperError, InvalidArgument, NoSuchCamera, NoSuchPicture
from gatekeeper.evidence.outside import Database, Record
from gatekeeper.gallery.folder import ID, Shot
from gatekeeper.gallery.keeper import Keeper
from gatekeeper.gallery.reading import Reading
from gatekeeper.gallery.retention import Snapshots
from gatekeeper.gallery.snapshot import (
    DAY,
    Local,
    Snapshot,
    SnapshotDay,
    SnapshotDays,
    SnapshotPage,
    SnapshotQuery,
    day_of,
    snapshot_of,
    zone_of,
)
from gatekeeper.gallery.timelapse import Timelapse, Timelapses, chosen
from gatekeeper.storage import snapshots
from gatekeeper.storage.snapshots import SnapshotRow
from gatekeeper.uris import ID_PATTERN, Permission

LONGEST_ID = 40  # characters of a camera's id, as the configuration has it

FPS = 24
"""Pictures a second of a film where nobody says otherwise: a day at one a minute is a minute."""

FASTEST = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture's bytes, and what is known of it."""

    jpeg: bytes
    snapshot: Snapshot


class KeptStats(msgspec.Struct, frozen=True, kw_only=True):
    """How keeping pictures goes.

    :ivar pictures: that are kept now, and their `bytes`.
    :ivar state: `ok`, or `failing` with a `reason` while the last one could not be kept.
    :ivar kept: pictures since the start; `lost` those that could not be.
    """

    pictures: int
    bytes: int
    state: str
    reason: str | None
    kept: int
    lost: int


class Gallery:
    """Kept pictures, for those who ask.

    :param snapshot: the newest frame of a live camera; raises if there is none.
    :param wall: Unix seconds now; `local` brings them to the server's calendar.
    """

    def __init__(
        self,
        *,
        keeper: Keeper,
        reading: Reading,
        timelapses: Timelapses,
        kept: Snapshots,
        database: Database,
        record: Record,
        snapshot: Callable[[str], Frame],
        wall: Callable[[], float],
        local: Local = time.localtime,
    ) -> None:
        self._keeper = keeper
        self._reading = reading
        self._timelapses = timelapses
        self._kept = kept
        self._database = database
        self._record = record
        self._snapshot = snapshot
        self._wall = wall
        self._local = local

    # --- keeping and deleting ----------------------------------------------------------------------------------------

    @inlineCallbacks
    def keep(self, who: Principal, camera: str) -> Any:
        """Keep the newest picture of a live camera; fire with its `Snapshot` when it is safe, and on the record.

        A picture that is kept already is given as it is. Fails with NoSuchCamera, NoPicture, Overloaded or
        StorageUnavailable.
        """
        frame = self._snapshot(camera)
        is_new = not self._keeper.has(frame)
        try:
            row: SnapshotRow = yield self._keeper.keep(frame, "demand", who=who.name)
        except GatekeeperError as error:
            self.refused(who, camera, error)
            raise
        if is_new:
            text = f"{who.caller} kept a picture of camera {camera}"
            self._record("camera.picture_kept", text, subject=camera, caller=who.caller, details={"picture": row.id})
        return snapshot_of(row, self._local)

    def refused(self, who: Principal, camera: str, error: GatekeeperError) -> None:
        """Record that somebody could not have a picture kept."""
        text = f"{who.caller} could not keep a picture of camera {camera[:40]}: {error}"
        self._record("camera.keep_failed", text, subject=camera[:40], caller=who.caller, outcome=error.code)

    @inlineCallbacks
    def delete(self, who: Principal, picture: str) -> Any:
        """Delete a picture, and what was made of it; fire with what it was when the record says so."""
        row: SnapshotRow = yield self._find(who, picture)
        try:
            check(who, Permission.CAMERA_ERASE, row.camera)
            gone: list[SnapshotRow] = yield self._kept.remove([row.id])
        except GatekeeperError as error:
            self._deleted(who, row, "camera.delete_failed", f"could not delete ({error})", error.code)
            raise
        if not gone:
            raise NoSuchPicture("there is no picture with this id")
        yield self._deleted(who, row, "camera.picture_deleted", "deleted", "ok").stored
        return snapshot_of(row, self._local)

    @inlineCallbacks
    def refuse_delete(self, who: Principal, picture: str, error: GatekeeperError) -> Any:
        """Record that somebody wanted a picture of a camera that they may view deleted, and fail with why not."""
        try:
            row: SnapshotRow = yield self._find(who, picture)
        except GatekeeperError:
            raise error from None  # whether it is there is not for them to learn
        self._deleted(who, row, "camera.delete_failed", f"could not delete ({error})", error.code)
        raise error

    def _deleted(self, who: Principal, row: SnapshotRow, kind: str, done: str, outcome: str) -> Any:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", self._local(row.time))
        details = {"picture": row.id, "time": row.time, "why": row.why, "sha256": row.sha256.hex()}
        text = f"{who.caller} {done} the picture that camera {row.camera} took at {moment}"
        return self._record(kind, text, subject=row.camera, caller=who.caller, outcome=outcome, details=details)

    # --- looking -----------------------------------------------------------------------------------------------------

    def list(self, who: Principal, query: SnapshotQuery) -> "Deferred[SnapshotPage]":
        """Return pictures of cameras that they may view, the newest first unless the query says otherwise."""

        def work(connection: Connection) -> SnapshotPage:
            rows = snapshots.page(
                connection,
                query.limit + 1,
                cameras=self._viewed(connection, who, query.camera),
                day=query.day,
                after=query.after,
                before=query.before,
                newest=query.order == "newest",
            )
            found = rows[: query.limit]
            return SnapshotPage(
                [snapshot_of(row, self._local) for row in found], found[-1].id if len(rows) > len(found) else None
            )

        return self._database.read(work)

    def days(self, who: Principal, camera: str | None = None) -> "Deferred[SnapshotDays]":
        """Return the days of which there are pictures of a camera, or of all that they may view."""

        def work(connection: Connection) -> SnapshotDays:
            found = snapshots.days(connection, self._viewed(connection, who, camera))
            now = self._wall()
            return SnapshotDays(
                zone=zone_of(now, self._local),
                today=day_of(now, self._local),
                days=[SnapshotDay(*one) for one in found],
            )

        return self._database.read(work)

    def picture(self, who: Principal, picture: str) -> "Deferred[Shown]":
        """Return a picture as it was kept."""
        return self._shown(who, picture, self._reading.picture)

    def thumbnail(self, who: Principal, picture: str) -> "Deferred[Shown]":
        """Return a picture in small."""
        return self._shown(who, picture, self._reading.thumbnail)

    def stats(self) -> "Deferred[KeptStats]":
        """Return how keeping goes, over all cameras."""

        def told(found: tuple[int, int]) -> KeptStats:
            keeper = self._keeper
            return KeptStats(
                pictures=found[0],
                bytes=found[1],
                state=keeper.state,
                reason=keeper.reason,
                kept=keeper.kept,
                lost=keeper.lost,
            )

        return self._database.read(snapshots.totals).addCallback(told)

    @inlineCallbacks
    def _shown(self, who: Principal, picture: str, read: "Callable[[SnapshotRow], Deferred[bytes]]") -> Any:
        row: SnapshotRow = yield self._find(who, picture)
        jpeg: bytes = yield read(row)
        return Shown(jpeg, snapshot_of(row, self._local))

    @inlineCallbacks
    def _find(self, who: Principal, picture: str) -> Any:
        """Return the row of a picture.

        :raises NoSuchPicture: if there is none that they may see.
        """
        row: SnapshotRow | None = None
        if ID.fullmatch(picture):
            row = yield self._database.read(partial(snapshots.get, id_=picture))
        if row is None or not who.may(Permission.CAMERA_VIEW, row.camera):
            raise NoSuchPicture("there is no picture with this id")
        return row

    @staticmethod
    def _viewed(connection: Connection, who: Principal, camera: str | None) -> Sequence[str]:
        if camera is not None:
            check(who, Permission.CAMERA_VIEW, camera)
            return [camera]
        return [one for one in snapshots.cameras(connection) if who.may(Permission.CAMERA_VIEW, one)]

    # --- films -------------------------------------------------------------------------------------------------------

    def timelapse(self, who: Principal, camera: str, day: str, fps: int = FPS) -> "Deferred[BinaryIO]":
        """Return the film of a day as an open file; cancelling gives it up, unless others wait for it.

        :raises InvalidArgument: if there is no such day.
        """
        check(who, Permission.CAMERA_VIEW, camera)
        shots = self._shots(camera, day)
        return shots.addCallback(lambda found: self._timelapses.make(camera, day, fps, found))

    def timelapse_state(self, who: Principal, camera: str, day: str, fps: int = FPS) -> "Deferred[Timelapse]":
        """Return how far the film of a day is, without beginning it."""
        check(who, Permission.CAMERA_VIEW, camera)
        return self._shots(camera, day).addCallback(partial(self._timelapses.state, camera, day, fps))

    def _shots(self, camera: str, day: str) -> "Deferred[Any]":
        if len(camera) > LONGEST_ID or re.fullmatch(ID_PATTERN, camera) is None:
            raise NoSuchCamera("there is no camera of this name, nor was there one")
        _check_day(day)

        def work(connection: Connection) -> list[Shot]:
            names = chosen(snapshots.names_of(connection, camera, day))
            return [Shot(name, camera, day, sha256) for name, sha256 in names]

        return self._database.read(work)


def _check_day(day: str) -> None:
    try:
        is_day = re.fullmatch(DAY, day) is not None and date.fromisoformat(day) is not None
    except ValueError:
        is_day = False
    if not is_day:
        raise InvalidArgument(f"day: found {decoding.show(day)}; allowed: a day like 2026-11-28")

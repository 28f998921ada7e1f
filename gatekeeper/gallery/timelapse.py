"""Films of days: made when somebody wants one, one at a time in a thread of its own, and kept until the day changes.

Whoever asks for the film that is being made waits for the same one; when nobody waits any more it is given up. A film
of a day of which a picture is gone, goes: what was deleted must not be seen in it.
"""

import hashlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeAlias, TypeVar

import msgspec
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.errors import NoSuchPicture, NotFound, Overloaded
from gatekeeper.evidence.outside import Disk
from gatekeeper.evidence.pictures import FileState, why
from gatekeeper.gallery import film
from gatekeeper.gallery.folder import Filed, SnapshotFolder

WAITING: Final = 4
"""Films that may wait for the one that is being made."""

LONGEST: Final = 14_400
"""Pictures in a film: ten minutes at 24 a second. Of a day with more, every n-th is taken."""

KEPT: Final = 20
"""Films on the disk; the oldest go first."""

KEPT_BYTES: Final = 500_000_000

MAKING: Final = ".making"

Key: TypeAlias = tuple[str, str, int]
"""Camera, day, pictures a second."""

T = TypeVar("T")
Codec: TypeAlias = Literal["h264", "mpeg4"]
Making: TypeAlias = Callable[..., int]


class Timelapse(msgspec.Struct, frozen=True, kw_only=True):
    """How far the film of a day is.

    :ivar state: `none` (nobody asked for it), `waiting` for another one, `making`, or `ready` for who asks.
    :ivar pictures: that the day has now; `done` how many of them are in the film already.
    :ivar codec: `h264`, which everything plays, or `mpeg4`, which browsers don't.
    """

    camera: str
    day: str
    fps: int
    state: Literal["none", "waiting", "making", "ready"]
    pictures: int
    done: int
    codec: Codec


@dataclass(slots=True)
class _Job:
    """A film that is wanted."""

    key: Key
    path: Path
    rows: Sequence[Filed]
    waiters: "set[Deferred[BinaryIO]]" = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    done: int = 0


class Timelapses:
    """The films of a site.

    :param folder: where films are kept; what is in it may be removed at any time.
    :param pictures: where pictures are.
    :param disk: a thread of its own.
    :param making: makes a film; as `film.make`.
    """

    log = Logger()

    def __init__(self, folder: Path, pictures: SnapshotFolder, disk: Disk, *, making: Making = film.make) -> None:
        self._folder = folder
        self._pictures = pictures
        self._disk = disk
        self._making = making
        self._jobs: deque[_Job] = deque()  # the first is under way
        self._codec: Codec = "mpeg4"

    def start(self) -> None:
        """Clear away what a killed process left."""

        def looked(is_there: bool) -> None:
            self._codec = "h264" if is_there else "mpeg4"

        self._disk.run(self._sweep).addErrback(self._log_bug)
        self._disk.run(film.has_pyav).addCallbacks(looked, self._log_bug)  # which takes a while to import

    def stop(self) -> None:
        """Give up what is under way."""
        for job in self._jobs:
            job.over.set()
        self._disk.stop()

    def make(self, camera: str, day: str, fps: int, rows: Sequence[Filed]) -> "Deferred[BinaryIO]":
        """Return the film of a day as an open file; cancelling gives it up, unless others wait for it.

        Fails with NoSuchPicture if the day has no pictures, with Overloaded if too many films wait.
        """
        if not rows:
            return fail(NoSuchPicture(f"no picture of {camera} is kept of {day}"))
        path = self._path(camera, day, fps, rows)
        job = next((job for job in self._jobs if job.path == path and not job.over.is_set()), None)
        if job is None:
            if len(self._jobs) > WAITING:
                return fail(Overloaded("too many films are being made: try again in a minute"))
            job = _Job((camera, day, fps), path, rows)
            self._jobs.append(job)
        asked: Deferred[BinaryIO] = Deferred(partial(self._left, job))
        job.waiters.add(asked)
        if job is self._jobs[0] and len(job.waiters) == 1:
            self._begin()
        return asked

    def state(self, camera: str, day: str, fps: int, rows: Sequence[Filed]) -> Timelapse:
        """Return how far the film of a day is."""
        path = self._path(camera, day, fps, rows)
        job = next((job for job in self._jobs if job.path == path), None)
        state: Literal["none", "waiting", "making", "ready"] = "ready" if path.exists() else "none"
        if job is not None:
            state = "making" if job is self._jobs[0] else "waiting"
        done = len(rows) if state == "ready" else job.done if job is not None else 0
        return Timelapse(camera=camera, day=day, fps=fps, state=state, pictures=len(rows), done=done, codec=self._codec)

    def gone(self, rows: Sequence[Filed]) -> None:
        """Remove the films of these pictures' days, and give up those that are being made."""
        days = {(row.camera, row.day) for row in rows}
        for job in self._jobs:
            if job.key[:2] in days:
                job.over.set()
        if days:
            self._disk.run(partial(self._remove, days)).addErrback(self._log_bug)

    # --- one after the other -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        job = self._jobs[0]
        self._disk.run(partial(self._work, job)).addBoth(self._made, job)

    def _left(self, job: _Job, asked: "Deferred[BinaryIO]") -> None:
        """Somebody doesn't wait any more."""
        job.waiters.discard(asked)
        if not job.waiters:
            job.over.set()

    def _made(self, result: Any, job: _Job) -> None:
        self._jobs.popleft()
        while self._jobs and self._jobs[0].over.is_set():
            self._tell(self._jobs.popleft(), NotFound("the pictures of the day have changed: ask again"))
        if self._jobs:
            self._begin()
        if job.over.is_set():
            result = NotFound("the pictures of the day have changed: ask again")
        self._tell(job, result)

    def _log_bug(self, failure: Failure) -> None:
        self.log.failure("films could not be cleared away", failure)

    @staticmethod
    def _tell(job: _Job, result: Any) -> None:
        for asked in job.waiters:
            if isinstance(result, Path):
                try:
                    asked.callback(result.open("rb"))
                except OSError as error:
                    asked.errback(NotFound(f"the film can't be read: {why(error)}"))
            else:
                asked.errback(result)

    # --- in the thread -----------------------------------------------------------------------------------------------

    def _work(self, job: _Job) -> Path:
        if job.path.exists() and not job.over.is_set():
            os.utime(job.path)
            return job.path
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        making = job.path.with_suffix(MAKING)
        try:
            self._making(self._read(job), making, job.key[2], shown=partial(setattr, job, "done"))
            os.replace(making, job.path)
        except OSError as error:
            raise NotFound(f"the film can't be made: {why(error)}") from error
        finally:
            making.unlink(missing_ok=True)
        self._sweep(spare=job.path)
        return job.path

    def _read(self, job: _Job) -> Iterator[bytes | None]:
        for row in job.rows:
            if job.over.is_set():
                raise film.Cancelled
            state, jpeg = self._pictures.read(row)
            yield jpeg if state is FileState.INTACT else None

    def _sweep(self, spare: Path | None = None) -> None:
        """Remove the oldest films beyond the bounds, other versions of the newest, and unfinished ones."""
        for file in self._folder.glob(f"*{MAKING}"):
            file.unlink(missing_ok=True)
        found = sorted(self._folder.glob("*.mp4"), key=lambda file: file.stat().st_mtime, reverse=True)
        total = 0
        for place, file in enumerate(found):
            total += file.stat().st_size
            is_old = spare is not None and file != spare and _beginning(file) == _beginning(spare)
            if file != spare and (is_old or place >= KEPT or total > KEPT_BYTES):
                file.unlink(missing_ok=True)

    def _remove(self, days: set[tuple[str, str]]) -> None:
        for camera, day in days:
            for file in self._folder.glob(f"{camera}.{day}.*"):
                with suppress(OSError):
                    file.unlink()

    def _path(self, camera: str, day: str, fps: int, rows: Sequence[Filed]) -> Path:
        sums = hashlib.sha256(b"".join(row.sha256 for row in rows)).hexdigest()[:16]
        return self._folder / f"{camera}.{day}.{fps}.{self._codec}.{sums}.mp4"


def _beginning(file: Path) -> str:
    return re.sub(r"\.[0-9a-f]{16}$", "", file.stem)


def chosen(all_: Sequence[T]) -> Sequence[T]:
    """Return the pictures that a film takes: all, or of very many every n-th."""
    return all_[:: -(-len(all_) // LONGEST) or 1]

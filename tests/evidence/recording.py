"""A door, its cameras, a disk and a database under a test's thumb: each can be slow, fail and die on demand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.errors import StorageUnavailable
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.recorder import Recorder
from gatekeeper.storage.tables import events, metadata

T = TypeVar("T")

WALL = 1_800_000_000.0
"""Unix seconds when the clock says 0."""


class MemoryDatabase:
    """SQLite in memory, with the real tables; `failing` refuses, `held` keeps what is written until `release`."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(engine)
        self.engine = engine
        self.failing = False
        self.uncertain = False
        self.held: list[tuple[Callable[[Connection], Any], Deferred[Any]]] | None = None
        self.writes = 0

    def do(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    def read(self, work: Callable[[Connection], T], /) -> "Deferred[T]":
        return fail(StorageUnavailable("gone")) if self.failing else self._answer(work)

    def write(self, work: Callable[[Connection], T], /) -> "Deferred[T]":
        if self.failing:
            return fail(StorageUnavailable("gone"))
        if self.uncertain:
            self.do(work)
            return fail(StorageUnavailable("it may have been stored"))
        self.writes += 1
        if self.held is not None:
            answer: Deferred[T] = Deferred()
            self.held.append((work, answer))
            return answer
        return self._answer(work)

    def release(self) -> None:
        held, self.held = self.held or [], None
        for work, answer in held:
            answer.callback(self.do(work))

    def _answer(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        try:
            return succeed(self.do(work))
        except Exception:  # noqa: BLE001 - the work's own error is its sender's
            return fail(Failure())


class Thread:
    """A disk's thread: work is done at once, or kept while `held`."""

    def __init__(self) -> None:
        self.held = False
        self.jobs: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self.stopped = False

    def run(self, work: Callable[[], T], /) -> "Deferred[T]":
        answer: Deferred[T] = Deferred()
        self.jobs.append((work, answer))
        if not self.held:
            self.release()
        return answer

    def release(self, count: int = 1_000_000) -> None:
        while self.jobs and count:
            work, answer = self.jobs.pop(0)
            count -= 1
            try:
                result: Any = work()
            except Exception:  # noqa: BLE001 - the same
                result = Failure()
            answer.callback(result)

    def stop(self) -> None:
        self.stopped = True


@dataclass
class Told:
    """One event that was recorded."""

    id: str
    kind: str
    text: str
    subject: str | None
    cause: str | None
    outcome: str
    reason: str | None
    details: dict[str, Any]
    stored: "Deferred[Any]" = field(repr=False)


class Record:
    """A journal that stores at once in the test's database; while `held`, events wait."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.told: list[Told] = []
        self.held = False
        self._database = database

    def __call__(self, kind: str, text: str, **more: Any) -> Told:
        more.pop("caller", None)
        details: Mapping[str, Any] = more.pop("details", None) or {}
        told = Told(
            id=f"E{len(self.told) + 1}",
            kind=kind,
            text=text,
            subject=more.pop("subject", None),
            cause=more.pop("cause", None),
            outcome=more.pop("outcome", "ok"),
            reason=more.pop("reason", None),
            details=dict(details),
            stored=Deferred(),
        )
        assert not more
        self.told.append(told)
        if not self.held:
            self.store(told)
        return told

    def store(self, told: Told) -> None:
        self._database.do(lambda connection: put_event(connection, told.id, kind=told.kind, cause=told.cause))
        told.stored.callback(None)

    def kinds(self) -> list[str]:
        return [told.kind for told in self.told]


def put_event(
    connection: Connection, event: str, *, kind: str = "door.opened", cause: str | None = None, **more: Any
) -> None:
    """Put in an event's row; the chain is none of these tests' business."""
    last = connection.execute(events.select().order_by(events.c.sequence.desc()).limit(1)).first()
    values = {
        "sequence": 1 if last is None else last.sequence + 1,
        "id": event,
        "time": WALL,
        "kind": kind,
        "outcome": "ok",
        "cause": cause,
        "body": b"{}",
        "previous": bytes(32),
        "hash": bytes(32),
        "size": 100,
        **more,
    }
    connection.execute(events.insert().values(**values))


class Scene:
    """Cameras before a door, and the recorder that watches them."""

    def __init__(
        self,
        folder: Path,
        *cameras: str,
        doors: Mapping[str, tuple[str, ...]] | None = None,
        database: MemoryDatabase | None = None,
        waiting: int | None = None,
        ring_bytes: int = 1_000_000,
    ) -> None:
        self.clock = Clock()
        self.feeds = {camera: Feed(camera, WALL) for camera in cameras}
        self.database = database or MemoryDatabase()
        self.folder = PictureFolder(folder)
        self.disk = Thread()
        self.record = Record(self.database)
        self.recorder = Recorder(
            settings=config.Evidence(before=5.0, after=5.0, ring_bytes=ring_bytes),
            feeds=self.feeds,
            doors=doors or {"front": cameras},
            folder=self.folder,
            database=self.database,
            record=self.record,
            reactor=self.clock,
            wall=self.wall,
            disk=self.disk,
            waiting=waiting,
        )

    def start(self) -> "Scene":
        self.recorder.start()
        return self

    def wall(self) -> float:
        return WALL + self.clock.seconds()

    def shot(self, camera: str, jpeg: bytes | None = None) -> None:
        """A picture comes; each is another unless it is given."""
        now = self.clock.seconds()
        self.feeds[camera].put(jpeg or f"{camera} at {now:.3f}".encode(), 640, 480, now, self.wall())

    def run(self, seconds: float, *cameras: str, fps: float = 8.0, jpeg: bytes | None = None) -> None:
        """Let time go by while these cameras send; an eighth of a second adds up exactly."""
        for _ in range(round(seconds * fps)):
            self.clock.advance(1 / fps)
            for camera in cameras:
                self.shot(camera, jpeg)

    def goes(self, camera: str, state: CameraState, reason: str) -> None:
        self.feeds[camera].change(state, reason, self.wall())

    def act(self, event: str, door: str = "front") -> None:
        """Somebody works the door, and the recorder hears of it."""
        self.database.do(lambda connection: put_event(connection, event))
        self.recorder.begin(event, door)

    def told(self, cause: str) -> Told:
        """The one event that says what was kept of an action."""
        (found,) = [told for told in self.record.told if told.cause == cause]
        return found

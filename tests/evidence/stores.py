"""A database in memory that answers when it is told to, and fails when it is told to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, StaticPool, create_engine
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gatekeeper.caller import Caller
from gatekeeper.errors import StorageUnavailable
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.journal import Journal
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage import Blocking
from gatekeeper.storage.tables import meta, metadata
from tests.evidence.chains import NOW, SITE, signer

ANA = Caller(name="ana", address="192.0.2.7", client="http", method="cookie", session="s1")


class Store:
    """`storage.database.Database` as the record uses it.

    :param database: a real one, in place of one in memory.

    :ivar by_hand: whether writes and reads wait for `answer`.
    :ivar failing: whether they fail.
    :ivar lies: whether a write that fails is stored all the same (the connection broke after the commit).
    :ivar done: what was asked, in order.
    """

    def __init__(self, site: str = SITE, database: Blocking | None = None) -> None:
        self._database = database
        if database is None:
            self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
            metadata.create_all(self.engine)
            self.blocking(lambda connection: connection.execute(meta.insert().values(key="site", value=site)))
        else:
            self.blocking(
                lambda connection: connection.execute(meta.update().where(meta.c.key == "site").values(value=site))
            )
        self.by_hand = False
        self.failing = False
        self.lies = False
        self.done: list[str] = []
        self.waiting: list[tuple[str, Callable[[Connection], Any], Deferred[Any]]] = []
        self._observers: list[Callable[[Any], None]] = []

    def blocking(self, work: Callable[[Connection], Any]) -> Any:
        if self._database is not None:
            return self._database.write(work)
        with self.engine.begin() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], Any]) -> "Deferred[Any]":
        return self._ask("write", work)

    def read(self, work: Callable[[Connection], Any]) -> "Deferred[Any]":
        return self._ask("read", work)

    def observe(self, observer: Callable[[Any], None]) -> None:
        self._observers.append(observer)

    def recovers(self) -> None:
        self.failing = self.lies = False
        for observer in self._observers:
            observer(SimpleNamespace(state="ok"))

    def answer(self, kind: str | None = None) -> None:
        """Answer the oldest that waits (of this kind)."""
        index = next(index for index, one in enumerate(self.waiting) if kind in (None, one[0]))
        _, work, asked = self.waiting.pop(index)
        self._answer(work, asked)

    def _ask(self, kind: str, work: Callable[[Connection], Any]) -> "Deferred[Any]":
        self.done.append(kind)
        asked: Deferred[Any] = Deferred()
        if self.by_hand:
            self.waiting.append((kind, work, asked))
        else:
            self._answer(work, asked)
        return asked

    def _answer(self, work: Callable[[Connection], Any], asked: "Deferred[Any]") -> None:
        if self.failing and not self.lies:
            asked.errback(StorageUnavailable("the disk is full"))
            return
        try:
            found = self.blocking(work)
        except Exception:  # noqa: BLE001 - as the database does
            asked.errback(Failure())
            return
        if self.failing:
            asked.errback(StorageUnavailable("the connection broke (it may be stored)"))
        else:
            asked.callback(found)


class Bench:
    """A journal on a clock, and what it did."""

    def __init__(self, store: Store | None = None, key: Signer | None = None, *, start: bool = True) -> None:
        self.store = store or Store()
        self.clock = Clock()
        self.signer = key or signer()
        self.journal = Journal(self.store, self.signer, self.clock, lambda: NOW + self.clock.seconds())
        self.heard: list[Event] = []
        self.journal.observe(self.heard.append)
        if start:
            self.journal.start()

    def record(self, *texts: str, kind: str = "door.opened", **more: Any) -> list[Any]:
        return [self.journal.record(kind, text, **more) for text in texts]

    def turn(self, times: int) -> None:
        """Let the reactor turn."""
        for _ in range(times):
            self.clock.advance(0)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.heard]


def result(waiting: "Deferred[Any]") -> Any:
    """Return what a Deferred holds now; raise its error; None if it waits."""
    found: list[Any] = []
    waiting.addBoth(found.append)
    if found and isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0] if found else None

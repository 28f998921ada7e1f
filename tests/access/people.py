"""Accounts over a database whose commits and answers come when a test says so, and whoever hears what ends."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.records import ApiKey, Credentials, Ended, LogIn
from gatekeeper.caller import Caller
from gatekeeper.storage import accounts as stored
from tests.databases import InlineDatabase

T = TypeVar("T")
NOW = 1_800_000_000.0
ADMIN = Caller(name="admin", address="192.0.2.7", client="http", method="cookie")
SECRET = Credentials("$argon2id$one")


class Late:
    """A database of which each piece of work is done at once, and answered by `deliver`, as by a writer's thread.

    :param waits: False answers at once.
    """

    def __init__(self, database: InlineDatabase, *, waits: bool = False) -> None:
        self.database = database
        self.waits = waits
        self._answers: list[tuple[str, Callable[[], Any]]] = []

    def __len__(self) -> int:
        return len(self._answers)

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        return self._later("write", self.database.write(work))

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        return self._later("read", self.database.read(work))

    def deliver(self, count: int = 1_000_000) -> int:
        """Answer what was asked first, in order; return how many answers that were."""
        done = 0
        while self._answers and done < count:
            self._answers.pop(0)[1]()
            done += 1
        return done

    def overtake(self) -> None:
        """Let the first two answers change places, unless both are the writer's."""
        if [kind for kind, _ in self._answers[:2]] != ["write", "write"]:
            self._answers[:2] = reversed(self._answers[:2])

    def _later(self, kind: str, answer: "Deferred[T]") -> "Deferred[T]":
        told: Deferred[T] = Deferred()
        self._answers.append((kind, lambda: answer.addBoth(told.callback)))
        if not self.waits:
            self.deliver()
        return told


class Process:
    """One process's accounts, with all that it hears and records.

    :ivar now: Unix seconds, which a test turns.
    """

    def __init__(self, database: InlineDatabase, *, waits: bool = False) -> None:
        self.now = NOW
        self.database = Late(database)
        self.recorded: list[tuple[str, str | None, str]] = []
        self.texts: list[str] = []
        self.details: list[Any] = []
        self.ended: list[Ended] = []
        self.accounts = Accounts(self.database, record=self._record, wall=lambda: self.now)
        self.accounts.observe(self.ended.append)
        self.accounts.poll()
        self.database.waits = waits

    def _record(self, kind: str, text: str, *, subject: str | None, caller: Caller, outcome: str, details: Any) -> None:
        assert isinstance(caller, Caller)
        self.recorded.append((kind, subject, outcome))
        self.texts.append(text)
        self.details.append(details)

    def agrees(self) -> bool:
        """Whether memory is what the database holds."""
        there = result(self.database.database.read(stored.load))
        return self.accounts.all() == there.accounts


def result(answer: "Deferred[T]") -> T:
    """Return what a Deferred has fired with; raise what it failed with."""
    got: list[Any] = []
    answer.addBoth(got.append)
    assert got, "it has not fired"
    if isinstance(got[0], Failure):
        got[0].raiseException()
    return got[0]  # type: ignore[no-any-return]


def key(name: str = "k1", account: str = "ana", **more: Any) -> ApiKey:
    """Return an API key of an account."""
    return ApiKey(**{"id": name, "account": account, "label": "script", "hash": b"h" * 32, "created": NOW, **more})


def login(name: str = "l1", account: str = "ana", **more: Any) -> LogIn:
    """Return a log-in of an account."""
    made = {"created": NOW, "last_used": NOW, "expires": NOW + 1000, "address": "192.0.2.7", "client": "http"}
    return LogIn(**{"id": name, "account": account, **made, **more})

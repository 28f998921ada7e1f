"""What evidence asks of others: who keeps events, who keeps rows, who works with files."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from gatekeeper.caller import Caller

T = TypeVar("T")


class Entry(Protocol):
    """What the journal gives for an event: `stored` fires when it is in the database."""

    @property
    def id(self) -> str: ...
    @property
    def stored(self) -> "Deferred[Any]": ...


class Record(Protocol):
    """`Journal.record`."""

    def __call__(
        self,
        kind: str,
        text: str,
        *,
        subject: str | None = None,
        caller: Caller | None = None,
        cause: str | None = None,
        outcome: str = "ok",
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Entry: ...


class Database(Protocol):
    """Where rows go: see `storage.database`."""

    def write(self, work: Callable[[Connection], T], /) -> "Deferred[T]": ...
    def read(self, work: Callable[[Connection], T], /) -> "Deferred[T]": ...


class Disk(Protocol):
    """Where files are worked with: see `disk`."""

    def run(self, work: Callable[[], T], /) -> "Deferred[T]": ...
    def stop(self) -> None: ...

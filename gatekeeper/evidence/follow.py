"""Following the record: what was missed first, then what happens, each event once and in order.

Nothing is queued for a follower: it is read when it is wanted, so a slow one costs one page of memory.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from gatekeeper.errors import InvalidArgument, StorageUnavailable
from gatekeeper.evidence.event import Event, Query, event_of
from gatekeeper.evidence.tail import Readable, Tail
from gatekeeper.storage import events as rows

PAGE = 100
"""Events read, and delivered in one turn, for a follower: hundreds may catch up at the same time after a restart."""

RETRY = 1.0
"""Seconds until a read that failed is tried again."""


class Following:
    """One follower.

    :param after: the sequence of the last event that it has; None for only what happens from now on.
    :param deliver: takes an event; the next one comes when the Deferred that it may return has fired. Raises to end.
    :param visible: whether the follower may know of an event.
    :ivar ended: fires with None after `stop`, fails with what `deliver` raised, or InvalidArgument if `after` is
        from another record than this.
    """

    def __init__(
        self,
        tail: Tail,
        database: Readable,
        reactor: Any,
        *,
        after: int | None,
        deliver: Callable[[Event], Any],
        visible: Callable[[Event], bool],
    ) -> None:
        self._tail = tail
        self._database = database
        self._reactor = reactor
        self._position = tail.last if after is None else after
        self._deliver = deliver
        self._visible = visible
        self._idle: Deferred[None] | None = None
        self._waited: Deferred[Any] | None = None
        self._stopped = False
        self.ended: Deferred[None] = Deferred(lambda _: self.stop())
        self._run().addBoth(self._end)

    @property
    def position(self) -> int:
        """The sequence up to which it has had everything."""
        return self._position

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True
        if self._waited is not None:
            self._waited.cancel()

    def wake(self) -> None:
        """Look whether there is something new."""
        if self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)

    @inlineCallbacks
    def _run(self) -> Any:
        if self._position > self._tail.last:
            newest = yield self._read(rows.newest)
            if self._position > newest:
                raise InvalidArgument(f"after: found {self._position}; the newest event is {newest}")
        while not self._stopped:
            if self._position >= self._tail.last:
                self._idle = self._waited = Deferred()
                yield self._waited
            else:
                yield self._go_on()

    @inlineCallbacks
    def _go_on(self) -> Any:
        until = self._tail.last
        page = self._tail.after(self._position)
        if page is None:
            wanted = Query(after=self._position, order="oldest", limit=PAGE)
            found = yield self._read(lambda connection: rows.find(connection, wanted))
            page = [event_of(row) for row in found]
        for event in page[:PAGE]:
            if self._stopped:
                return
            self._position = event.sequence
            if self._visible(event):
                delivered = self._deliver(event)
                if isinstance(delivered, Deferred):
                    self._waited = delivered
                    yield delivered
        if not page:
            self._position = max(self._position, until)  # all that was there is pruned
        elif len(page) >= PAGE:
            self._waited = deferLater(self._reactor, 0)  # doors and video come in between
            yield self._waited

    @inlineCallbacks
    def _read(self, work: Callable[..., Any]) -> Any:
        while not self._stopped:
            try:
                self._waited = self._database.read(work)
                return (yield self._waited)
            except StorageUnavailable:
                self._waited = deferLater(self._reactor, RETRY)
                yield self._waited
        raise CancelledError

    def _end(self, result: Any) -> None:
        if self.ended.called:
            return
        if isinstance(result, Failure) and not result.check(CancelledError):
            self.ended.errback(result)
        else:
            self.ended.callback(None)

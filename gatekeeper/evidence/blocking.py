"""The record for the command line: each event is stored before `record` returns, beside a running site."""

from collections.abc import Callable, Mapping
from typing import Any

from gatekeeper.caller import Caller
from gatekeeper.evidence.event import Drafts, Event, event_of
from gatekeeper.evidence.seal import ChainSeal
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage.appender import Appender
from gatekeeper.storage.connect import Blocking


class BlockingJournal:
    """A site's record, written without a reactor.

    :param database: of `storage.connect`.
    :param signer: who signs it: `signing.load(<data>/keys)`.
    :param wall: Unix seconds now; `clock` monotonic seconds now.
    :ivar seal: what chains and signs, for whoever prunes.
    """

    def __init__(
        self, database: Blocking, signer: Signer, wall: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._drafts = Drafts(wall, clock)
        self.seal = ChainSeal(signer, self._drafts)
        self._appender = Appender(self.seal)

    def record(
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
    ) -> Event:
        """Store that something happened; see `Journal.record`.

        :raises StorageUnavailable: if it couldn't be.
        """
        pending = self._drafts.draft(
            kind,
            text,
            subject=subject,
            caller=caller,
            cause=cause,
            outcome=outcome,
            reason=reason,
            details=details,
        )
        return event_of(self._database.write(lambda connection: self._appender(connection, [pending]))[0])

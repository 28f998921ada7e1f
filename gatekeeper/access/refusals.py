"""What the record is told of those who were not let in: all that bears on an account, and of mere noise a sample.

A wrong password is told each time: the delay on them (throttle.py) bounds how many there are. A wrong key or token has
no delay, since 256 bits aren't guessed; somebody who sends a thousand a second must not fill the record with them.
"""

from collections.abc import Callable
from typing import Any

from gatekeeper.access.throttle import zone_of
from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError

QUIET = 60.0
"""Seconds after a refusal within which further ones of the same address are only counted."""

MAXIMUM_ADDRESSES = 1000
"""Addresses whose noise is told apart; the one that was heard of first is forgotten for the next."""


class Refusals:
    """Tells the record.

    :param record: `Journal.record`.
    :param clock: seconds that never go back.
    """

    def __init__(self, record: Callable[..., Any], clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._heard: dict[str, tuple[float, int]] = {}

    def tell(self, error: GatekeeperError, what: str, caller: Caller, account: str | None = None) -> None:
        """Record that somebody was not let in.

        :param what: the beginning of the sentence: "a log-in with a password".
        :param account: the account that it was about, if there is one of this name. (What was typed for a name is not
            on the record otherwise: it may be a password.)
        """
        of = f" as {account}" if account is not None else ""
        text = f"{what}{of} from {caller.address} was refused: {error}"
        self._record("access.refused", text, subject=account, caller=caller, outcome=error.code, reason=str(error))

    def throttled(self, error: GatekeeperError, what: str, caller: Caller, account: str | None) -> None:
        """Record that somebody tried too often, once for all the attempts of one time."""
        of = f" as {account}" if account is not None else ""
        text = f"too many wrong attempts{of} from {caller.address}: {what} is not looked at for a while"
        self._record("access.throttled", text, subject=account, caller=caller, outcome=error.code, reason=str(error))

    def tell_some(self, error: GatekeeperError, what: str, caller: Caller) -> None:
        """Record that somebody was not let in, unless the same address was told of within the last minute."""
        zone, now = zone_of(caller.address), self._clock()
        since, more = self._heard.get(zone, (-QUIET, 0))
        if now - since < QUIET:
            self._heard[zone] = (since, more + 1)
            return
        self._heard.pop(zone, None)
        while len(self._heard) >= MAXIMUM_ADDRESSES:
            del self._heard[next(iter(self._heard))]
        self._heard[zone] = (now, 0)
        self.tell(error, f"{what} (after {more} more that were not recorded)" if more else what, caller)

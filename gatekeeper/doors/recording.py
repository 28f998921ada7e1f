"""An action leaves two events, the wish and the outcome.

The wish is recorded while the command is on its way to the lock, so that a crash in between leaves a trace. The answer
waits for the outcome to be stored, but never longer than `RECORD_PATIENCE`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from twisted.internet.defer import Deferred

from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError

RECORD_PATIENCE = 0.25
"""Seconds that an answer waits for its event to be stored: a commit takes milliseconds, a person at the door notices a
second."""


class Entry(Protocol):
    """An event that was recorded: `stored` fires once it is in the database."""

    @property
    def id(self) -> str:
        """Its id, for causes."""
        ...

    @property
    def stored(self) -> "Deferred[Any]":
        """Fires after the commit."""
        ...


class Record(Protocol):
    """Takes what happened; never fails and never waits."""

    def __call__(
        self,
        kind: str,
        text: str,
        *,
        subject: str | None,
        caller: Caller | None,
        cause: str | None,
        outcome: str,
        reason: str | None,
        details: dict[str, Any],
    ) -> Entry:
        """Record an event."""
        ...


class Clock(Protocol):
    """The reactor, as far as it tells and keeps time."""

    def seconds(self) -> float:
        """Monotonic seconds now."""
        ...

    def callLater(self, delay: float, function: Callable[..., object], /, *args: object) -> Any:
        """Call later."""
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody wants of a door."""

    verb: Literal["open", "lock"]
    door: str
    caller: Caller
    reason: str | None
    details: dict[str, Any]

    @property
    def because(self) -> str:
        return f" ({self.reason})" if self.reason else ""


class Recording:
    """The events of the doors' actions.

    :param clock: keeps the time that an answer waits.
    :param record: takes the events.
    """

    def __init__(self, clock: Clock, record: Record) -> None:
        self._reactor = clock
        self._record = record
        self._causes: dict[str, str] = {}

    def cause(self, door: str) -> str | None:
        """Return the event that the door's last action began with: what the door does by itself follows from it."""
        return self._causes.get(door)

    def forget(self, door: str) -> None:
        """Forget a door that is gone."""
        self._causes.pop(door, None)

    def run(
        self,
        action: Action,
        command: Callable[[], "Deferred[Any]"],
        describe: Callable[[Action, Any, Entry], Any],
    ) -> "Deferred[Any]":
        """Send the command, record the wish meanwhile and the outcome, and answer."""
        answer = command()
        wish = self._record(
            f"door.{action.verb}_requested",
            f"{action.caller} asks to {action.verb}{action.because}",
            subject=action.door,
            caller=action.caller,
            cause=None,
            outcome="ok",
            reason=action.reason,
            details=action.details,
        )
        if not answer.called:  # else it was refused at once: what the door does next has another cause
            self._causes[action.door] = wish.id
        told: Deferred[Any] = Deferred()  # its own: who gives up waiting doesn't take the lock's answer off the record

        def refused(failure: Any) -> None:
            self._when_stored(self.failed(action, wish, failure.value), lambda stored: told.errback(failure))

        def succeeded(result: Any) -> None:
            outcome = self._record(
                f"door.{action.verb}ed",
                f"{action.caller} {action.verb}ed{action.because}; acknowledged in {result.latency * 1000:.0f} ms",
                subject=action.door,
                caller=action.caller,
                cause=wish.id,
                outcome="ok",
                reason=action.reason,
                details={**action.details, "latency": result.latency},
            )
            described = describe(action, result, outcome)
            self._when_stored(
                outcome, lambda stored: told.callback(msgspec.structs.replace(described, recorded=stored))
            )

        answer.addCallbacks(succeeded, refused).addErrback(told.errback)
        return told

    def refuse(self, action: Action, error: GatekeeperError) -> "Deferred[Any]":
        """Record that an action was refused before anything was sent; fails with the error when that is stored.

        Whoever asks without rest for what is refused is held to what the record can take.
        """
        told: Deferred[Any] = Deferred()
        self._when_stored(self.failed(action, None, error), lambda stored: told.errback(error))
        return told

    def failed(self, action: Action, wish: Entry | None, error: BaseException) -> Entry:
        """Record that an action did not happen; without a wish nothing had been sent to the lock."""
        code = error.code if isinstance(error, GatekeeperError) else "internal"
        return self._record(
            f"door.{action.verb}_failed",
            f"{action.caller} could not {action.verb}{action.because}: {error}",
            subject=action.door,
            caller=action.caller,
            cause=wish.id if wish is not None else None,
            outcome=code,
            reason=action.reason,
            details=action.details,
        )

    def _when_stored(self, entry: Entry, then: Callable[[bool], None]) -> None:
        """Go on when the event is stored, or when it is clear that this takes too long."""
        timer = self._reactor.callLater(RECORD_PATIENCE, lambda: done(False))
        is_done: list[bool] = []

        def done(stored: bool) -> None:
            if not is_done:
                is_done.append(stored)
                if timer.active():
                    timer.cancel()
                then(stored)

        def was_stored(event: Any) -> Any:
            done(True)
            return event

        entry.stored.addCallbacks(was_stored, lambda _failure: done(False))

"""The time of day as the meta API and the event history write it: RFC 3339, UTC, milliseconds."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, cast

WallClock = Callable[[], float]
"""Gives the seconds since 1970; `time.time` unless a test needs to know what comes."""


class DelayedCall(Protocol):
    """A call that the clock will make, as Twisted's IDelayedCall."""

    def cancel(self) -> None:
        """Don't make it."""
        ...

    def reset(self, delay: float, /) -> None:
        """Make it that many seconds from now instead."""
        ...


class Clock(Protocol):
    """The part of Twisted's IReactorTime that call timeouts need."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *args: Any) -> DelayedCall:
        """Call after that many seconds."""
        ...


class ReactorClock:
    """The reactor's clock, looked up when it is needed: importing the reactor installs one."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *args: Any) -> DelayedCall:
        """Call after that many seconds."""
        from twisted.internet import reactor  # noqa: PLC0415

        return cast(Clock, reactor).callLater(delay, call, *args)


def rfc3339(seconds: float) -> str:
    """Return a moment as text, such as 2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

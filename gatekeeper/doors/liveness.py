"""Whether a lock still lives: what was heard when, and when to ask. No I/O; `now` is monotonic seconds."""

from dataclasses import dataclass

from gatekeeper.doors.actions import Times

STATUS_INTERVAL = 3.0
"""Seconds between STATUS questions: a relay opened behind our back (the seed's `GET /open`) is news only to STATUS."""


@dataclass(slots=True)
class Liveness:
    """The supervision of one link: PING every few seconds, a PONG in time, and never silence for too long."""

    times: Times
    _heard: float = 0.0
    _next_ping: float = 0.0
    _next_status: float = 0.0
    _pinged: float | None = None

    def opened(self, now: float) -> None:
        """Begin with a new link."""
        self._heard = now
        self._pinged = None
        self._next_ping = now + self.times.ping_interval
        self._next_status = now + STATUS_INTERVAL

    def heard(self, now: float) -> None:
        """Note that the lock said something."""
        self._heard = now

    def answered(self) -> bool:
        """Note a PONG; return whether a PING was waiting for it."""
        waited, self._pinged = self._pinged is not None, None
        return waited

    def dead(self, now: float) -> str | None:
        """Return why the link is dead, or None while it lives."""
        if self._heard + self.times.silence <= now:
            return f"nothing was heard from the lock for {self.times.silence:g} s"
        if self._pinged is not None and self._pinged + self.times.ping_answer <= now:
            return f"the lock did not answer PING within {self.times.ping_answer:g} s"
        return None

    def ping_due(self, now: float, allowed: bool) -> bool:
        """Return whether to send PING now; where it isn't allowed, the turn passes."""
        if self._next_ping > now:
            return False
        self._next_ping = now + self.times.ping_interval
        if not allowed or self._pinged is not None:
            return False
        self._pinged = now
        return True

    def status_due(self, now: float) -> bool:
        """Return whether to ask for STATUS now."""
        if self._next_status > now:
            return False
        self._next_status = now + STATUS_INTERVAL
        return True

    @property
    def deadline(self) -> float:
        """When something is due next."""
        moments = [self._heard + self.times.silence, self._next_ping, self._next_status]
        if self._pinged is not None:
            moments.append(self._pinged + self.times.ping_answer)
        return min(moments)

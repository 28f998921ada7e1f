"""What a sender has measured and the server hasn't acknowledged: numbered, bounded, sent again. Decides only.

Everything is kept until the server says that it is stored, or that it never will be. On a new connection all that is
here is sent again, in order; the server knows by the numbers what it has. `now` is monotonic seconds.
"""

import json
import math
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

ROOM: Final = 36_000
"""Samples that wait: ten minutes at 60 a second, some 10 MB; beyond that `put` says no."""

FLYING: Final = 2_000
"""Samples that may be unacknowledged at once: what a server takes in a second or so."""


class Measured:
    """One sample, and when it was measured."""

    __slots__ = ("a", "a_detected", "b", "b_detected", "seq", "taken")

    def __init__(self, seq: int, taken: float, a: float, b: float, *, a_detected: bool, b_detected: bool) -> None:
        self.seq = seq
        self.taken = taken
        self.a = a
        self.b = b
        self.a_detected = a_detected
        self.b_detected = b_detected


class Outbox:
    """The samples of one sender.

    :param sender: who numbers: no two may have the same.
    :ivar total: samples that were offered; `success`: that the server has stored; `failed`: that it never will.
    """

    def __init__(self, team: int, sender: str, room: int = ROOM) -> None:
        self._team = team
        self._sender = sender
        self._room = room
        self._next = 1
        self._unsent: deque[Measured] = deque()
        self._flying: dict[int, Measured] = {}
        self.total = self.success = self.failed = 0

    @property
    def waiting(self) -> int:
        """Samples that aren't acknowledged."""
        return len(self._unsent) + len(self._flying)

    @property
    def flying(self) -> int:
        """Those of them that were sent on this connection."""
        return len(self._flying)

    @property
    def has_unsent(self) -> bool:
        """Whether something is to be sent now."""
        return bool(self._unsent) and len(self._flying) < FLYING

    def put(self, now: float, a: Any, b: Any, a_detected: Any, b_detected: Any) -> str | None:
        """Take a sample in; return why it can't be, or None."""
        self.total += 1
        try:
            a, b = float(a), float(b)
        except (TypeError, ValueError):
            self.failed += 1
            return "a displacement that is no number"
        if not (math.isfinite(a) and math.isfinite(b)):
            self.failed += 1
            return "a displacement that is no number: say with is_a_detected or is_b_detected that a point is lost"
        if self.waiting >= self._room:
            self.failed += 1
            return f"{self._room} samples wait for the server already"
        self._unsent.append(Measured(self._next, now, a, b, a_detected=bool(a_detected), b_detected=bool(b_detected)))
        self._next += 1
        return None

    def take(self, now: float, most: int = 100) -> list[dict[str, Any]]:
        """Return the next samples to send, as fields; they fly until they are acknowledged or lost."""
        found: list[dict[str, Any]] = []
        while self._unsent and len(found) < most and len(self._flying) < FLYING:
            one = self._unsent.popleft()
            self._flying[one.seq] = one
            found.append(
                {
                    "type": "camera_data",
                    "laptop_id": self._team,
                    "dista": one.a,
                    "distb": one.b,
                    "is_a_detected": one.a_detected,
                    "is_b_detected": one.b_detected,
                    "sender": self._sender,
                    "seq": one.seq,
                    "age": round(max(0.0, now - one.taken), 6),
                }
            )
        return found

    def settled(self, numbers: Iterable[int], *, stored: bool) -> int:
        """The server has stored these, or never will; return how many of them flew."""
        count = 0
        for number in numbers:
            if self._flying.pop(number, None) is not None:
                count += 1
        if stored:
            self.success += count
        else:
            self.failed += count
        return count

    def lost(self) -> None:
        """The connection is gone: what flew is to be sent again, before the rest."""
        self._unsent.extendleft(reversed(self._flying.values()))
        self._flying = {}

    def stats(self) -> dict[str, Any]:
        """Return the counts; `success_rate` in percent of the total."""
        rate = 100.0 * self.success / self.total if self.total else 0.0
        return {
            "total": self.total,
            "success": self.success,
            "failed": self.failed,
            "success_rate": rate,
            "waiting": self.waiting,
        }


def text_of(fields: dict[str, Any]) -> str:
    """Return a sample as the text of a message."""
    return json.dumps(fields, separators=(",", ":"))

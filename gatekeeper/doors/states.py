"""The states of a door, what can happen to it, and the one table that says what follows.

The names are Home Assistant's. The states speak of the lock's relay: these locks have no sensor on the door itself.
`docs/door.md` shows this table; a test holds it to the code and walks every pair.
"""

from enum import StrEnum


class DoorState(StrEnum):
    """What may be said of a door."""

    UNAVAILABLE = "unavailable"  # the lock was never reached since the start
    UNKNOWN = "unknown"  # the link is lost, or a command had no answer in time: only the lock can tell
    LOCKED = "locked"  # the lock said so
    UNLOCKING = "unlocking"  # OPEN_DOOR left, not acknowledged yet
    UNLOCKED = "unlocked"  # the lock said so: the relay is energised
    LOCKING = "locking"  # LOCK_DOOR left, not acknowledged yet
    JAMMED = "jammed"  # told to lock, and it says that it is still open


class Happening(StrEnum):
    """What can happen to a door."""

    LINK_OPENED = "link opened"
    LINK_LOST = "link lost"
    OPEN_SENT = "OPEN_DOOR sent"
    LOCK_SENT = "LOCK_DOOR sent"
    OPEN_ACKNOWLEDGED = "OPEN_DOOR acknowledged"
    LOCK_ACKNOWLEDGED = "LOCK_DOOR acknowledged"
    OPEN_OVERDUE = "OPEN_DOOR unanswered"
    LOCK_OVERDUE = "LOCK_DOOR unanswered"
    OPEN_REFUSED = "OPEN_DOOR refused"
    LOCK_REFUSED = "LOCK_DOOR refused"
    SEEN_OPEN = "relay seen open"  # by STATUS, greeting or broadcast, and not as the result of our own command
    SEEN_LOCKED = "relay seen locked"
    STILL_OPEN = "still open after LOCK_DOOR"
    AUTO_LOCKED = "locked by itself"


# Rows: what happens. Columns: the state before. A dot: nothing changes. A dash: it can't happen in that state; if it
# does all the same, nothing changes and it is counted as stray. The stories behind the odd entries:
# - link lost is `unknown` and never the last value, but for a lock that was never reached.
# - OPEN_DOOR acknowledged in `locked`: the lock had locked by itself just before it opened again.
# - a relay seen open while `unlocking` or `locking` is the old news of the command in flight: its ACK decides.
# - `locked by itself` in `unknown` likewise waits for STATUS.
# - `jammed` ends only when the relay is seen locked, or when the link is lost: a welded relay acknowledges too.
_TABLE = """
                            | unavailable | unknown  | locked    | unlocking | unlocked | locking | jammed
link opened                 | unknown     | .        | -         | -         | -        | -       | -
link lost                   | .           | .        | unknown   | unknown   | unknown  | unknown | unknown
OPEN_DOOR sent              | -           | -        | unlocking | -         | .        | -       | -
LOCK_DOOR sent              | -           | locking  | .         | locking   | locking  | .       | .
OPEN_DOOR acknowledged      | -           | -        | unlocked  | unlocked  | .        | -       | -
LOCK_DOOR acknowledged      | -           | -        | .         | -         | -        | locked  | .
OPEN_DOOR unanswered        | -           | -        | unknown   | unknown   | unknown  | -       | -
LOCK_DOOR unanswered        | -           | .        | unknown   | unknown   | unknown  | unknown | .
OPEN_DOOR refused           | -           | -        | unknown   | unknown   | unknown  | -       | -
LOCK_DOOR refused           | -           | jammed   | jammed    | jammed    | jammed   | jammed  | .
relay seen open             | -           | unlocked | unlocked  | .         | .        | .       | .
relay seen locked           | -           | locked   | .         | .         | locked   | .       | locked
still open after LOCK_DOOR  | -           | jammed   | jammed    | jammed    | jammed   | jammed  | .
locked by itself            | -           | .        | .         | .         | locked   | .       | locked
"""


def _read(table: str) -> dict[tuple[DoorState, Happening], DoorState | None]:
    head, *rows = [line.split("|") for line in table.strip("\n").splitlines()]
    states = [DoorState(cell.strip()) for cell in head[1:]]
    read: dict[tuple[DoorState, Happening], DoorState | None] = {}
    for name, *cells in rows:
        for state, cell in zip(states, map(str.strip, cells), strict=True):
            after = {".": state, "-": None}.get(cell)
            read[state, Happening(name.strip())] = DoorState(cell) if cell not in ".-" else after
    return read


TRANSITIONS = _read(_TABLE)
"""(state, happening) -> the state that follows, or None where it can't happen."""


def document() -> str:
    """Return the table in Markdown, as `docs/door.md` shows it."""
    lines = ["| what happens | " + " | ".join(DoorState) + " |", "|---" * (len(DoorState) + 1) + "|"]
    for happening in Happening:
        cells = []
        for state in DoorState:
            after = TRANSITIONS[state, happening]
            cells.append("-" if after is None else "·" if after is state else f"**{after}**")
        lines.append(f"| {happening} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

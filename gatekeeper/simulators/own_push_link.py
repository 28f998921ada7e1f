"""One connection that our own firmware's push camera makes: when to dial, whether it lives, when to give it up. No I/O.

The same as `gk/backoff.hpp` and `gk/uplink.hpp`, where the table of states stands. Times are whole milliseconds.
"""

from enum import IntEnum, StrEnum
from typing import Final

FIRST: Final = 1_000
MOST: Final = 30_000
DIALLING: Final = 15_000  # for a connection and its handshake
ANSWER: Final = 2_000  # for the server to answer `register`: it is used without, then
SILENCE: Final = 10_000
PATIENCE: Final = 10_000  # for a sign of life after a ping
HELD: Final = 10_000  # in use for so long, it was no failure


class Backoff:
    """How long to wait: twice as long after each failure, up to a most."""

    def __init__(self, first: int = FIRST, most: int = MOST) -> None:
        self._first, self._most, self._next = first, most, first

    def next(self, luck: int) -> int:
        """Return the wait after one more failure, between half and whole; `luck` is 32 random bits."""
        due, self._next = self._next, min(2 * self._next, self._most)
        return due - (luck * (due // 2 + 1) >> 32)

    def reset(self) -> None:
        """Take the next failure for a first one."""
        self._next = self._first


class State(IntEnum):
    """Of a connection."""

    OFF = 0
    WAITING = 1
    DIALLING = 2
    OPEN = 3
    IN_USE = 4


class Step(StrEnum):
    """What is to be done."""

    NONE = "none"
    CONNECT = "connect"
    PING = "ping"
    DROP = "drop"


class Uplink:
    """A connection."""

    def __init__(self) -> None:
        self.state = State.OFF
        self._backoff = Backoff()
        self._asked = False
        self._since = 0
        self._wait = 0
        self._heard = 0

    @property
    def is_open(self) -> bool:
        """Whether texts can go."""
        return self.state >= State.OPEN

    def _enter(self, state: State, now: int) -> None:
        self.state, self._since = state, now

    def network(self, is_up: bool, now: int) -> Step:
        """The network came or went."""
        if is_up == (self.state is not State.OFF):
            return Step.NONE
        if is_up:
            self._backoff.reset()
            self._wait = 0
            self._enter(State.WAITING, now)
            return Step.NONE
        had_one = self.state is not State.WAITING
        self._enter(State.OFF, now)
        return Step.DROP if had_one else Step.NONE

    def opened(self, now: int) -> bool:
        """It is open; return False if nobody asked for it."""
        if self.state is not State.DIALLING:
            return False
        self._enter(State.OPEN, now)
        self.heard(now)
        return True

    def lost(self, now: int, luck: int) -> None:
        """It is gone, or could not be made."""
        if self.state > State.WAITING:
            self._wait = self._backoff.next(luck)
            self._enter(State.WAITING, now)

    def answered(self, now: int) -> None:
        """The server answered `register`."""
        if self.state is State.OPEN:
            self._enter(State.IN_USE, now)

    def heard(self, now: int) -> None:
        """There was a sign of life."""
        self._heard, self._asked = now, False

    def tick(self, now: int) -> Step:
        """Return what is to be done; after DROP it is lost."""
        been = now - self._since
        match self.state:
            case State.WAITING if been >= self._wait:
                self._enter(State.DIALLING, now)
                return Step.CONNECT
            case State.DIALLING if been >= DIALLING:
                return Step.DROP
            case State.OPEN:
                if been >= ANSWER:
                    self._enter(State.IN_USE, now)
                return self._listen(now)
            case State.IN_USE:
                if been >= HELD:
                    self._backoff.reset()
                return self._listen(now)
            case _:
                return Step.NONE

    def _listen(self, now: int) -> Step:
        silence = now - self._heard
        if self._asked:
            return Step.DROP if silence >= PATIENCE else Step.NONE
        if silence < SILENCE:
            return Step.NONE
        self._heard, self._asked = now, True
        return Step.PING

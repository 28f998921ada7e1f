"""The ladder of self-help: what is done, with nobody asking, about a camera that shows nothing. No I/O, no clock.

    well -> reconnect -> back_off -> reboot -> alert       what can't be done now, or isn't allowed, is left out
      ^         |            |          |        |
      +---------+------------+----------+--------+         pictures again, for `settle` seconds on end

A step is taken only while there is trouble, each once in an episode (but for a new connection every hour while a
person is awaited), and is given its time. Darkness, glare, a cloth or
a knock are nothing that a new connection mends: for them there is the alert alone. Trouble that comes back soon after
it was mended goes on where it was, so that a camera that is "helped" every few minutes reaches a person all the same.
"""

from collections import deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.sight import Sight


class Step(StrEnum):
    """A rung of the ladder, the gentlest first."""

    RECONNECT = "reconnect"  # drop the connection, and dial or be dialled anew
    BACK_OFF = "back_off"  # once more, and then leave it alone for longer
    REBOOT = "reboot"
    ALERT = "alert"  # a person must look after it


class Trouble(StrEnum):
    """Why a camera shows nothing."""

    OFFLINE = "offline"
    STALLED = "stalled"
    FROZEN = "frozen"
    LOOPING = "looping"
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    COVERED = "covered"
    MOVED = "moved"


MENDABLE: Final = frozenset((Trouble.OFFLINE, Trouble.STALLED, Trouble.FROZEN, Trouble.LOOPING))
"""What a new connection or a new start may end; the others are in front of the lens."""

CONNECTED: Final = MENDABLE - {Trouble.OFFLINE}
"""Of these, where there is a connection to drop."""

# Seconds.
PATIENCE: Final = 5.0  # of trouble before the first step: a camera that dials again takes three
TIMES: Final = {  # that a step has to help
    Step.RECONNECT: 30.0,  # a new connection, and the ten in which a frozen picture is found
    Step.BACK_OFF: 60.0,
    Step.REBOOT: 90.0,  # the real camera starts, joins its WiFi and dials within 15
}
AGAIN: Final = 3600.0  # while a person is awaited: a new connection may help today what it didn't help yesterday
ALERT_AFTER: Final = 60.0  # of trouble, the least: nobody is called for a lorry before the lens
RELAPSE: Final = 600.0  # within this the same trouble is not a new one
REBOOT_EVERY: Final = 1800.0  # the least between two reboots of a camera: half an hour of its pictures is worth more
DAY: Final = 86400.0

REBOOTS_A_DAY: Final = 6  # then a person must look: flash and power supply wear, and it isn't getting better

_SIGHTS: Final = {Sight(trouble.value): trouble for trouble in Trouble if trouble.value in set(Sight)}


def trouble_of(state: CameraState, sight: Sight) -> Trouble | None:
    """Return what is wrong with a camera, or None; `connecting` is not known to be wrong yet."""
    if state is CameraState.LIVE:
        return _SIGHTS.get(sight)
    return Trouble(state.value) if state in (CameraState.STALLED, CameraState.OFFLINE) else None


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that is taken now, and why."""

    step: Step
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a step.

    :ivar helped: whether there are pictures again.
    :ivar seconds: from the beginning of the trouble until it was over; from the step until it was given up, if not.
    """

    step: Step
    helped: bool
    seconds: float


Move = Taken | Judged


class Ladder:
    """One camera's.

    :param settle: seconds of good pictures until a trouble is over: longer than it takes to find it again.
    :ivar step: the last step that was taken in this trouble; None while there is none, or nothing was done about it.
    :ivar due: when to ask again if nothing changes before, monotonic seconds; None if there is no need.
    """

    def __init__(self, settle: float) -> None:
        self.step: Step | None = None
        self.due: float | None = None
        self._settle = settle
        self._began: float | None = None  # of the trouble
        self._well_since: float | None = None  # while it may be over
        self._left: list[Step] = []  # what was not done about it yet, gentlest first
        self._alerted = False
        self._until = 0.0  # the last step has its time until then
        self._taken_at = 0.0
        self._mended: tuple[float, list[Step]] | None = None  # when the last trouble was over, and what was left then
        self._reboots: deque[float] = deque(maxlen=REBOOTS_A_DAY)

    def see(self, trouble: Trouble | None, can: AbstractSet[Step], now: float, *, live: bool = True) -> list[Move]:
        """Take in how the camera is now; return what is done, and what became of what was done before.

        :param can: the repairs that could be made at this moment, and are allowed.
        :param live: whether there are pictures; without trouble and without them nothing is known.
        """
        moves: list[Move] = []
        if trouble is not None:
            moves = self._go_on(trouble, can, now)
        elif live:
            moves = self._rest(now)
        else:
            self._well_since = None
        self.due = self._next(trouble, now)
        return moves

    def failed(self, step: Step, now: float) -> None:
        """The step could not be taken after all: don't wait for what it comes to."""
        if step is self.step:
            self._until = now
            self.due = now if self._well_since is None else self.due

    # --- it is well ---

    def _rest(self, now: float) -> list[Move]:
        if self._began is None:
            return []
        if self._well_since is None:
            self._well_since = now
        if now - self._well_since < self._settle:
            return []
        moves: list[Move] = []
        if self.step is not None:
            moves.append(Judged(self.step, True, self._well_since - self._began))
            self._mended = (now, self._left)
        self.step, self._began, self._well_since, self._alerted = None, None, None, False
        return moves

    # --- it isn't ---

    def _go_on(self, trouble: Trouble, can: AbstractSet[Step], now: float) -> list[Move]:
        self._well_since = None
        if self._began is None:
            self._begin(trouble, now)
        if now < self._until:
            return []
        step = self._choose(trouble, can, now)
        moves: list[Move] = []
        if self.step is not None and self.step in TIMES and (step is not None or self._alerted):
            moves.append(Judged(self.step, False, now - self._taken_at))
            self.step = Step.ALERT  # unless another is taken now: a person is awaited, and was told
        if step is not None:
            self._take(step, now)
            moves.append(Taken(step, trouble))
        return moves

    def _begin(self, trouble: Trouble, now: float) -> None:
        self._began = now
        is_known_for_long = trouble in (Trouble.FROZEN, Trouble.LOOPING)  # the evidence took its time
        self._until = now if is_known_for_long else now + PATIENCE
        relapsed = self._mended is not None and now - self._mended[0] < RELAPSE
        self._left = list(self._mended[1]) if relapsed and self._mended else [*TIMES]

    def _choose(self, trouble: Trouble, can: AbstractSet[Step], now: float) -> Step | None:
        """Return the gentlest step that is left, or None; the alert comes when there is no other."""
        for step in self._left if trouble in MENDABLE else ():
            if step in can and (step is not Step.REBOOT or self._may_reboot(now)):
                return step
        assert self._began is not None  # noqa: S101 - narrows the type
        if not self._alerted:
            return Step.ALERT if now - self._began >= ALERT_AFTER else None
        is_due = now - self._taken_at >= AGAIN
        return Step.RECONNECT if is_due and trouble in CONNECTED and Step.RECONNECT in can else None

    def _may_reboot(self, now: float) -> bool:
        if self._reboots and now - self._reboots[-1] < REBOOT_EVERY:
            return False
        return len(self._reboots) < REBOOTS_A_DAY or now - self._reboots[0] >= DAY

    def _take(self, step: Step, now: float) -> None:
        self.step, self._taken_at = step, now
        if step is Step.ALERT:
            self._alerted = True
            return
        if step is Step.REBOOT:
            self._reboots.append(now)
        self._left = [one for one in self._left if one is not step]
        self._until = now + TIMES[step]

    def _next(self, trouble: Trouble | None, now: float) -> float | None:
        if self._began is None:
            return None
        if trouble is None:
            return self._well_since + self._settle if self._well_since is not None else None
        if now < self._until:
            return self._until
        if not self._alerted:
            return self._began + ALERT_AFTER
        return self._taken_at + AGAIN if trouble in CONNECTED and now < self._taken_at + AGAIN else None

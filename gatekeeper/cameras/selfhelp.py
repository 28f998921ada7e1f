"""Climbs the ladder for one camera: sees what is wrong, has done what is next, and tells what was done and what it
came to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from gatekeeper import config
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.recovery import Judged, Ladder, Move, Step, Taken, Trouble, trouble_of
from gatekeeper.cameras.sight import WHY, Watch
from gatekeeper.errors import GatekeeperError

SOONEST: Final = 0.01  # seconds: a timer that fires a rounding error too early must not be set for now again
MARGIN: Final = 10.0  # seconds of good pictures beyond what a frozen one takes to be found

ALLOWED: Final = {
    "reboot": frozenset((Step.RECONNECT, Step.BACK_OFF, Step.REBOOT)),
    "reconnect": frozenset((Step.RECONNECT, Step.BACK_OFF)),
    "none": frozenset[Step](),
}

DONE: Final = {
    Step.RECONNECT: "connecting anew",
    Step.BACK_OFF: "trying again, and then waiting longer",
    Step.REBOOT: "rebooting it",
    Step.ALERT: "somebody must look after it",
}
KINDS: Final = {
    Step.RECONNECT: "camera.reconnecting",
    Step.BACK_OFF: "camera.backing_off",
    Step.REBOOT: "camera.rebooting",
    Step.ALERT: "camera.needs_help",
}


class Help(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done about a camera that shows nothing.

    :ivar step: the last that was done: `reconnect`, `back_off`, `reboot`, or `alert`: somebody must look after it.
    :ivar since: Unix seconds at which that was.
    :ivar reason: what is wrong, one sentence.
    """

    step: Step
    since: float
    reason: str


class Repairs(Protocol):
    """What brings a camera's pictures, as far as it can be repaired from here."""

    def repairs(self) -> frozenset[Step]:
        """Return what could be done at this moment."""
        ...

    def redial(self) -> None:
        """Drop the connection, if there is one; a new one is made soon."""
        ...

    def reboot(self) -> "Deferred[Any]":
        """Tell the camera to start anew; fires when it says that it does, fails with a GatekeeperError."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the record; `details` as an event's."""

    kind: str
    text: str
    outcome: str
    reason: str | None
    details: dict[str, Any]


class SelfHelp:
    """One camera's ladder, with what it reaches to.

    :param clock: the reactor.
    :param camera: its configuration.
    :param feed: its state; `watch` judges its pictures, `source` brings them.
    :param wall: Unix seconds now.
    :param told: called with the note of each step, and what it came to.
    """

    def __init__(
        self,
        clock: Any,
        camera: config.Camera,
        feed: Feed,
        watch: Watch,
        source: Repairs,
        *,
        wall: Callable[[], float],
        told: Callable[[Note], None],
    ) -> None:
        self._clock = clock
        self._camera = camera
        self._feed = feed
        self._watch = watch
        self._source = source
        self._wall = wall
        self._told = told
        self._ladder = Ladder(watch.frozen_after + MARGIN)
        self._timer: IDelayedCall | None = None
        self._help: Help | None = None
        self._stopped = False

    @property
    def help(self) -> Help | None:
        """What is being done, or None: the camera is well, or nothing was done yet."""
        return self._help

    def look(self) -> None:
        """See how the camera is; called whenever that changes."""
        if self._stopped:
            return
        condition, now = self._feed.condition, self._clock.seconds()
        trouble = trouble_of(condition.state, self._watch.sight)
        can = self._source.repairs() & ALLOWED[self._camera.self_help]
        moves = self._ladder.see(trouble, can, now, live=condition.state is CameraState.LIVE)
        self._wait()
        if self._ladder.step is None:
            self._help = None
        for move in moves:
            self._note(move)
        for move in moves:
            if isinstance(move, Taken):
                self._do(move.step)

    def stop(self) -> None:
        """Do no more: the camera is about to be stopped."""
        self._stopped = True
        self._help = None
        self._cancel()

    # --- time ---

    def _wait(self) -> None:
        self._cancel()
        if self._ladder.due is not None:
            self._timer = self._clock.callLater(max(SOONEST, self._ladder.due - self._clock.seconds()), self._again)

    def _again(self) -> None:
        self._timer = None
        self.look()

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    # --- what is done ---

    def _do(self, step: Step) -> None:
        if step in (Step.RECONNECT, Step.BACK_OFF):
            self._source.redial()
        elif step is Step.REBOOT:
            try:
                rebooting = self._source.reboot()
            except GatekeeperError as error:
                self._not_done(Failure(error))
            else:
                rebooting.addErrback(self._not_done)

    def _not_done(self, failure: Failure) -> None:
        failure.trap(GatekeeperError)
        self._ladder.failed(Step.REBOOT, self._clock.seconds())
        if not self._stopped:
            self._wait()

    # --- what is told ---

    def _note(self, move: Move) -> None:
        camera = self._camera.id
        if isinstance(move, Judged):
            self._told(_judged(camera, move))
            return
        reason = self._why(move.trouble)
        self._help = Help(step=move.step, since=self._wall(), reason=reason)
        outcome = "alarm" if move.step is Step.ALERT else "ok"
        text = f"camera {camera}: {reason}; {DONE[move.step]}"
        self._told(Note(KINDS[move.step], text, outcome, reason, {"step": move.step, "trouble": move.trouble}))

    def _why(self, trouble: Trouble) -> str:
        condition = self._feed.condition
        if trouble in (Trouble.OFFLINE, Trouble.STALLED):
            return f"{condition.state}: {condition.reason}"
        return WHY[self._watch.sight]


def _judged(camera: str, move: Judged) -> Note:
    details = {"step": move.step, "helped": move.helped, "seconds": round(move.seconds, 3)}
    if not move.helped:
        text = f"camera {camera}: {DONE[move.step]} did not help"
        return Note("camera.not_helped", text, "ok", None, details)
    after = "that" if move.step is Step.ALERT else DONE[move.step]
    text = f"camera {camera} shows pictures again after {after}, {move.seconds:.0f} s after the trouble began"
    return Note("camera.helped", text, "ok", None, details)

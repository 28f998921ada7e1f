"""A door driven by hand: one ordered list of what it did."""

from gatekeeper.doors import wire
from gatekeeper.doors.actions import Action, Answer, Locked, Note, Opened, Send, Times
from gatekeeper.doors.door import Door
from gatekeeper.doors.states import DoorState
from gatekeeper.errors import GatekeeperError


class Bench:
    """A door, its clock, and everything that it did since the last look."""

    def __init__(self, times: Times = Times()) -> None:  # noqa: B008 - frozen
        self.now = 100.0
        self.door = Door(times, self.now)
        self.done: list[Action] = []
        self.calls = 0

    def connect(self, relay: str = "OK:LOCKED") -> "Bench":
        """Open the link and let the lock greet and answer STATUS."""
        self.does(self.door.link_opened(self.now))
        self.says("Connected to Door Lock", relay, "SIGNAL:GOOD:-60", relay, "ACK:STATUS")
        return self

    def says(self, *lines: str) -> None:
        for line in lines:
            self.does(self.door.received(self.now, wire.parse(line)))

    def open(self, duration: float = 5.0) -> int:
        self.calls += 1
        self.does(self.door.open(self.now, self.calls, duration, "ana", "parcel"))
        return self.calls

    def lock(self) -> int:
        self.calls += 1
        self.does(self.door.lock(self.now, self.calls, "ana", None))
        return self.calls

    def close(self) -> int:
        self.calls += 1
        self.does(self.door.close(self.now, self.calls))
        return self.calls

    def lose(self, reason: str = "cut") -> None:
        self.does(self.door.link_lost(self.now, reason))

    def wait(self, seconds: float, answering: bool = False) -> None:
        """Let time pass, from deadline to deadline; with `answering`, the lock answers PING and STATUS at once."""
        until = self.now + seconds
        while (deadline := self.door.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            before = len(self.done)
            self.does(self.door.tick(self.now))
            if answering:
                self._reply(before)
        self.now = until

    def _reply(self, since: int) -> None:
        for action in self.done[since:]:
            if action == Send(wire.Command.PING):
                self.says("PONG")
            elif action == Send(wire.Command.STATUS):
                self.says("OK:OPEN" if self.door.state.value in ("unlocked", "jammed") else "OK:LOCKED", "ACK:STATUS")

    def does(self, actions: list[Action]) -> None:
        self.done += actions

    # --- looking ---

    def sent(self) -> list[str]:
        """Return the commands that went out since the last look."""
        sent = [action.command.value for action in self.done if isinstance(action, Send)]
        self.done = [action for action in self.done if not isinstance(action, Send)]
        return sent

    def answer(self, call: int) -> Opened | Locked | GatekeeperError | None:
        """Return the one answer of a call, or None while there is none."""
        answers = [action.result for action in self.done if isinstance(action, Answer) and action.call == call]
        assert len(answers) <= 1, answers
        return answers[0] if answers else None

    def state(self) -> DoorState:
        return self.door.state

    def notes(self) -> list[str]:
        return [action.kind for action in self.done if isinstance(action, Note)]

"""The door against the lock's firmware over a network that loses, delays, repeats and reorders: what must always hold.

Both ends are the real decisions (`doors.door`, `simulators.lock_device`); only the wire between them and the clock are
played. TCP wouldn't repeat or reorder; the door must be safe without relying on it.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from gatekeeper.doors import wire
from gatekeeper.doors.actions import Action, Answer, Drop, Locked, Opened, Send, Times
from gatekeeper.doors.door import Door
from gatekeeper.doors.states import DoorState
from gatekeeper.doors.wire import Command
from gatekeeper.errors import GatekeeperError
from gatekeeper.simulators.lock_device import HEARTBEAT_TIMEOUT, LockDevice

STEP = 0.05
LATENCY = 0.05
DEADLINE = Times().command
RETRY = 1.0
RELOCK = 2 * LATENCY + 2 * STEP  # LOCK_DOOR leaves when the lease ends and takes its time
CALM = 30.0  # seconds without a fault, after which the relay must follow the lease to the letter
FAULT_COST = 5.0  # a lost LOCK_DOOR: two seconds until it is overdue, two for STATUS, and the next one


class Trouble(Enum):
    LINK_CLOSED = auto()
    NETWORK_GONE = auto()
    OPENED_BEHIND_OUR_BACK = auto()
    POWER_LOST = auto()
    LOST = auto()
    LATE = auto()
    TWICE = auto()


@dataclass
class Request:
    id: int
    at: float
    duration: float
    opening: bool
    answers: list[Opened | Locked | GatekeeperError] = field(default_factory=list)
    answered: float | None = None


@dataclass
class Message:
    due: float
    text: str
    link: int


class DoorOverABadNetwork(RuleBasedStateMachine):
    requests: Bundle[int] = Bundle("requests")

    @initialize()
    def start(self) -> None:
        self.now = 50.0
        self.door = Door(Times(), self.now)
        self.device = LockDevice()
        self.to_lock: list[Message] = []
        self.to_door: list[Message] = []
        self.asked: dict[int, Request] = {}
        self.link = 0
        self.device_link = 0
        self.severed = False
        self.down_since: float | None = self.now
        self.justified = self.now  # until when the relay may be energised
        self.faults: list[float] = []
        self.opened_at: list[float] = []
        self.pass_time(1.5)

    # --- what people do ---

    @rule(
        target=requests,
        duration=st.sampled_from([0.5, 1.0, 5.0, 15.0, 60.0]),
        then=st.sampled_from([0.0, 0.05, 0.1, 0.3, 1.0]),
    )
    def someone_opens(self, duration: float, then: float) -> int:
        request = Request(len(self.asked), self.now, duration, True)
        self.asked[request.id] = request
        self.act(self.door.open(self.now, request.id, duration, "ana", None))
        self.pass_time(then)
        return request.id

    @rule(target=requests)
    def someone_locks(self) -> int:
        request = Request(len(self.asked), self.now, 0.0, False)
        self.asked[request.id] = request
        self.act(self.door.lock(self.now, request.id, "ana", None))
        return request.id

    @rule(request=consumes(requests))
    def time_passes_until_a_call_must_be_answered(self, request: int) -> None:
        waiting = self.asked[request]
        self.pass_time(max(0.0, waiting.at + (DEADLINE if waiting.opening else 3 * DEADLINE) + 2 * STEP - self.now))
        assert len(waiting.answers) == 1

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.0, 3.0, 7.0, 13.0]))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(seconds)

    # --- what goes wrong ---

    @rule(data=st.data(), trouble=st.sampled_from(Trouble))
    def something_goes_wrong(self, data: st.DataObject, trouble: Trouble) -> None:
        queue = data.draw(st.sampled_from([self.to_lock, self.to_door]))
        message = data.draw(st.sampled_from(queue)) if queue else None
        seconds = data.draw(st.sampled_from([0.2, 1.0, 1.9, 2.5, 11.0]))
        self.faults.append(self.now)
        match trouble:
            case Trouble.LINK_CLOSED:
                self.lose("cut")
            case Trouble.NETWORK_GONE:
                self.severed = True
                self.pass_time(seconds)
                self.faults.append(self.now)
                self.severed = False
            case Trouble.OPENED_BEHIND_OUR_BACK:
                self.device.switch(True, self.now)
            case Trouble.POWER_LOST:
                self.device.switch(False, self.now)
                self.lose("reset")
            case Trouble.LOST if message:
                queue.remove(message)
            case Trouble.LATE if message:
                message.due += seconds
            case Trouble.TWICE if message:
                queue.append(Message(message.due + seconds, message.text, message.link))
            case _:
                self.faults.pop()

    # --- what must hold ---

    @invariant()
    def nobody_gets_two_answers_and_every_opening_has_one_in_time(self) -> None:
        for request in self.asked.values():
            assert len(request.answers) <= 1
            if request.opening and not request.answers:
                assert self.now <= request.at + DEADLINE + 2 * STEP
            if request.opening and request.answered is not None:
                assert request.answered <= request.at + DEADLINE + 2 * STEP

    @invariant()
    def a_success_means_that_the_relay_really_was_energised_for_it(self) -> None:
        for request in self.asked.values():
            if request.answers and isinstance(request.answers[0], Opened):
                assert any(request.at <= at <= request.answers[0].at for at in self.opened_at)

    def the_relay_is_energised_only_under_a_request_or_until_the_dead_man_switch_fires(self) -> None:
        quiet = not self.faults or self.faults[-1] < self.now - CALM
        if self.device.relay and quiet and self.door.ready:
            assert self.now <= self.justified + RELOCK
        if self.device.relay:
            since = max([self.justified, *self.faults])
            allowed = since + HEARTBEAT_TIMEOUT + RETRY + FAULT_COST + RELOCK
            assert self.now <= allowed + FAULT_COST * sum(at >= self.justified for at in self.faults)

    @invariant()
    def what_is_not_linked_is_not_claimed_to_be_known(self) -> None:
        if not self.door.linked:
            assert self.door.state in (DoorState.UNKNOWN, DoorState.UNAVAILABLE)

    @invariant()
    def a_lease_runs_only_while_the_link_does(self) -> None:
        if self.door.lease is not None:
            assert self.door.linked
            extending = any(request.opening and not request.answers for request in self.asked.values())
            assert self.door.lease.ends > self.now - 2 * STEP or extending

    # (the relay's invariant is looked at every 50 ms of played time, in `pass_time`)

    def teardown(self) -> None:
        """When the network is whole again the truth comes out, whatever happened before."""
        if not hasattr(self, "now"):
            return
        self.severed = False
        self.pass_time(60.0 + 60.0 + HEARTBEAT_TIMEOUT)
        assert self.door.ready
        assert self.door.state is DoorState.LOCKED
        assert not self.device.relay
        assert all(len(request.answers) == 1 for request in self.asked.values())

    # --- the played world ---

    def act(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(command):
                    self.check_sent(command)
                    self.to_lock.append(Message(self.now + LATENCY, command.value, self.link))
                case Drop():
                    self.down_since = self.now
                    self.to_lock.clear()
                    self.to_door.clear()
                    if not self.severed:
                        self.device.disconnected()
                case Answer(call, result):
                    self.check_answer(call, result)
                case _:
                    pass

    def check_sent(self, command: Command) -> None:
        """No OPEN_DOOR leaves that nobody waits for, or later than its request's deadline; and it makes the lease."""
        if command is Command.OPEN:
            waiting = [r for r in self.asked.values() if r.opening and not r.answers and self.now < r.at + DEADLINE]
            assert waiting
            self.justified = max(self.justified, *(r.at + DEADLINE + r.duration for r in waiting))

    def check_answer(self, call: int, result: Opened | Locked | GatekeeperError) -> None:
        request = self.asked[call]
        request.answers.append(result)
        request.answered = self.now
        if isinstance(result, Opened):
            self.justified = result.lease.ends

    def lose(self, reason: str) -> None:
        if self.door.linked:
            self.down_since = self.now
            self.to_lock.clear()
            self.to_door.clear()
            self.device.disconnected()
            self.act(self.door.link_lost(self.now, reason))

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += STEP
            if self.severed:
                self.to_lock.clear()
                self.to_door.clear()
            self.deliver()
            self.says(self.device.tick(self.now))
            if (deadline := self.door.deadline) is not None and deadline <= self.now:
                self.act(self.door.tick(self.now))
            self.the_relay_is_energised_only_under_a_request_or_until_the_dead_man_switch_fires()
            down = self.down_since
            if not self.door.linked and not self.severed and down is not None and self.now - down > RETRY:
                self.connect()

    def connect(self) -> None:
        self.link += 1
        self.down_since = None
        self.act(self.door.link_opened(self.now))
        self.says(self.device.connected(self.link, self.now))

    def deliver(self) -> None:
        for message in sorted((m for m in self.to_lock if m.due <= self.now), key=lambda m: m.due):
            self.to_lock.remove(message)
            said = self.device.text(message.text, self.now)
            if message.text == Command.OPEN:
                self.opened_at.append(self.now)
            self.says(said)
        for message in sorted((m for m in self.to_door if m.due <= self.now), key=lambda m: m.due):
            if message in self.to_door:  # a dropped link empties the wire
                self.to_door.remove(message)
                self.act(self.door.received(self.now, wire.parse(message.text)))

    def says(self, said: list) -> None:  # type: ignore[type-arg]
        if self.door.linked and not self.severed:
            self.to_door += [Message(self.now + LATENCY, say.text, self.link) for say in said]


TestDoorOverABadNetwork = DoorOverABadNetwork.TestCase
TestDoorOverABadNetwork.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)

"""A door with a key, over a network in memory, against our own firmware: nothing unsigned, and never a way back."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from gatekeeper import config
from gatekeeper.doors.executor import Nobody
from gatekeeper.doors.link import DoorLink, Recorded
from gatekeeper.doors.states import DoorState
from gatekeeper.errors import NotConnected
from gatekeeper.simulators.lock_device import Drop, LockFault, Say
from gatekeeper.simulators.own_lock_device import OwnLockDevice
from gatekeeper.simulators.own_lock_faults import FaultyOwnLock
from tests.sites import Log, Plug

KEY = bytes(range(32))


class Bench:
    """A link with a key, its network and clock, and everything that it told."""

    def __init__(self, key: bytes | None = KEY) -> None:
        self.net: Any = MemoryReactorClock()
        self.recorded: list[Recorded] = []
        self.answers: list[Any] = []
        door = config.Door(id="front", url="ws://192.168.137.21:81/ws")
        self.link = DoorLink(
            door, self.net, lambda link: None, self.recorded.append, Nobody(), jitter=lambda: 0.0, key=key
        )
        self.link.startService()
        self.net.advance(0)

    @property
    def reason(self) -> str:
        return self.link.door.reason or ""

    def state(self) -> DoorState:
        return self.link.door.state

    def notes(self, kind: str) -> int:
        return sum(note.kind == kind for note in self.recorded)

    def open(self, duration: float = 5.0) -> None:
        self.link.open(duration, "ana", None).addBoth(self.answers.append)

    def pause(self) -> float:
        """Return the seconds until the next attempt, which begins."""
        before, start = len(self.net.tcpClients), self.net.seconds()
        for _ in range(2000):
            if len(self.net.tcpClients) > before:
                return float(round(self.net.seconds() - start, 2))
            self.net.advance(0.01)
        raise AssertionError("no further attempt")


class Own:
    """Our own firmware at the end of the newest attempt; `garble` changes what it says on its way."""

    def __init__(
        self,
        bench: Bench,
        device: OwnLockDevice | None = None,
        garble: Callable[[str], list[str]] = lambda text: [text],
    ) -> None:
        self.bench = bench
        self.device = device or OwnLockDevice(KEY)
        self.garble = garble
        self.heard: list[str] = []
        self.said: list[str] = []
        self.plug = Plug(bench.net)
        self._say(self.device.connected(1, bench.net.seconds()))
        self.run()

    def run(self) -> "Own":
        """Let both talk until neither has anything to say."""
        while heard := self.plug.heard():
            for text in heard:
                self.heard.append(text)
                self._say(self.device.text(text, self.bench.net.seconds(), 1))
        return self

    def wait(self, seconds: float) -> None:
        """Let time pass on both sides."""
        for _ in range(round(seconds * 10)):
            self.bench.net.advance(0.1)
            self.run()
            self._say(self.device.tick(self.bench.net.seconds()))
        self.run()

    def _say(self, out: list[Say | Drop]) -> None:
        for one in out:
            if isinstance(one, Drop):
                self.plug.lock.sendClose(one.code)
            else:
                self.said.append(one.text)
                self.plug.says(*self.garble(one.text))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_everything_that_is_sent_is_signed(bench: Bench) -> None:
    own = Own(bench)
    assert (bench.state(), bench.link.door.ready) == (DoorState.LOCKED, True)
    bench.open()
    own.run()
    assert bench.state() is DoorState.UNLOCKED
    assert own.device.relay
    own.wait(8.0)  # PINGs and STATUS, and the end of the lease
    assert bench.state() is DoorState.LOCKED
    assert not own.device.relay
    assert own.heard[0].startswith("HELLO:")
    assert {text.split(":")[3] for text in own.heard[1:]} == {"STATUS", "OPEN_DOOR", "PING", "LOCK_DOOR"}
    assert all(text.startswith("C:") for text in own.heard[1:])
    assert bench.link.door.unheard == bench.link.door.stray == 0
    assert bench.link.is_signed


def test_the_door_is_not_connected_before_the_lock_has_proven_itself(bench: Bench) -> None:
    plug = Plug(bench.net)
    plug.says("Connected to Door Lock", "OK:LOCKED", "SIGNAL:GOOD:-60")
    assert plug.heard() == []
    assert bench.state() is DoorState.UNAVAILABLE
    bench.open()
    assert isinstance(bench.answers[0].value, NotConnected)
    assert plug.heard() == []


def test_a_lock_that_offers_nothing_is_left_and_tried_again_ever_more_rarely(bench: Bench) -> None:
    pauses: list[float] = []
    for _ in range(3):
        plug = Plug(bench.net)
        plug.says("Connected to Door Lock", "OK:LOCKED")
        bench.net.advance(4.9)
        assert not plug.ours.aborted
        bench.net.advance(0.1)
        assert plug.ours.aborted
        assert plug.heard() == [], "and was told nothing"
        plug.lose()
        pauses.append(bench.pause())
    assert pauses == pytest.approx([0.5, 1.0, 2.0], abs=0.02)
    assert bench.state() is DoorState.UNAVAILABLE
    assert "did not offer signed mode" in bench.reason
    assert bench.notes("door.unproven") == 1, "on the record once, not with every try"


def test_a_lock_that_never_says_ready_is_left(bench: Bench) -> None:
    own = Own(bench, garble=lambda text: [] if text.startswith("READY") else [text])
    bench.net.advance(5.0)
    assert own.plug.ours.aborted
    assert "did not prove within 5 s" in bench.reason
    assert [text for text in own.heard if not text.startswith("HELLO:")] == []


def test_a_lock_with_another_key_is_left_at_once(bench: Bench) -> None:
    own = Own(bench, OwnLockDevice(bytes(32)))
    assert own.plug.ours.aborted
    assert "paired with another" in bench.reason
    assert bench.notes("door.unproven") == 1


def test_nobody_holds_on_to_a_connection_that_was_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(bench.link._executor, "hold", lambda door, transport: told.append("hold"))
    monkeypatch.setattr(bench.link._executor, "drop", lambda door: told.append("drop"))
    Own(bench, OwnLockDevice(bytes(32)))
    assert told == ["hold", "drop"]


def test_whoever_only_plays_the_lock_is_left_at_once(bench: Bench) -> None:
    forged = "READY:" + "0" * 64
    own = Own(bench, garble=lambda text: [forged if text.startswith("READY") else text])
    assert own.plug.ours.aborted
    assert "could not prove" in bench.reason
    assert bench.state() is DoorState.UNAVAILABLE


def test_a_lock_that_proves_it_and_answers_unsigned_is_left(bench: Bench) -> None:
    own = Own(bench, garble=lambda text: [text.split(":", 3)[3] if text.startswith("R:") else text])
    assert own.plug.ours.aborted
    assert not bench.link.door.ready
    assert "does not sign" in bench.reason
    assert bench.state() is not DoorState.LOCKED


def test_an_unsigned_line_or_an_old_one_is_not_believed(bench: Bench) -> None:
    own = Own(bench)
    bench.open(30.0)
    own.run()
    own.plug.says("OK:LOCKED", "TIMEOUT:AUTO_LOCKED", "OK:Door locked", "ACK:LOCK_DOOR")
    own.plug.says(*[text for text in own.said if "OK:LOCKED" in text], "SIGNAL:WEAK:-99")
    assert bench.state() is DoorState.UNLOCKED
    assert bench.link.door.lease is not None
    assert bench.link.door.signal is None, "the greeting's too is not believed"
    assert bench.notes("door.unsigned") == 1
    own.wait(12.0)
    assert bench.state() is DoorState.UNLOCKED, "signed STATUS goes on"
    assert bench.link.door.signal is not None


def test_unsigned_noise_keeps_no_dead_link_alive(bench: Bench) -> None:
    own = Own(bench)
    for _ in range(60):
        own.plug.says("PONG", "OK:LOCKED", "ACK:STATUS", "SIGNAL:GOOD:-60")
        bench.net.advance(0.1)
    assert own.plug.ours.aborted
    assert bench.state() is DoorState.UNKNOWN


def test_replayed_commands_do_nothing_at_the_lock_and_no_harm_here(bench: Bench) -> None:
    own = Own(bench)
    bench.open(1.0)
    own.run()
    replay = own.heard[-1]
    own.wait(2.0)
    assert own.device.relay is False
    own._say(own.device.text(replay, bench.net.seconds(), 1))
    assert own.device.relay is False
    assert bench.state() is DoorState.LOCKED


def test_a_new_connection_is_a_new_session(bench: Bench) -> None:
    first = Own(bench)
    bench.open(30.0)
    first.run()
    recorded = [text for text in first.said if text.startswith("R:")]
    first.device.disconnected(1)
    first.plug.lose()
    assert bench.state() is DoorState.UNKNOWN
    bench.pause()
    second = Own(bench, first.device)
    assert second.heard[0] != first.heard[0]
    assert bench.state() is DoorState.LOCKED, "open, and nobody's lease: locked at once"
    second.plug.says(*recorded)
    assert bench.state() is DoorState.LOCKED
    assert bench.notes("door.unsigned") == 1


def test_stopping_locks_signed_and_then_closes(bench: Bench) -> None:
    own = Own(bench)
    bench.open(30.0)
    own.run()
    done: list[Any] = []
    bench.link.stopService().addBoth(done.append)
    own.run()
    assert own.device.relay is False
    assert [text.split(":")[3] for text in own.heard[-2:]] == ["LOCK_DOOR", "STATUS"]
    bench.net.advance(0.5)
    own.plug.carry()
    own.plug.lose()
    assert done == [None]
    assert bench.net.getDelayedCalls() == []


def test_stopping_in_the_middle_of_the_proof_ends_it() -> None:
    bench = Bench()
    plug = Plug(bench.net)
    plug.says(f"AUTH:1:{'0' * 32}")
    done: list[Any] = []
    bench.link.stopService().addBoth(done.append)
    plug.carry()
    bench.net.advance(0.5)
    plug.lose()
    assert done == [None]
    assert bench.net.getDelayedCalls() == []


def test_a_link_that_is_lost_during_the_proof_says_so(bench: Bench) -> None:
    plug = Plug(bench.net)
    plug.says(f"AUTH:1:{'0' * 32}")
    plug.lose()
    assert "before it proved that it has the key" in bench.reason
    assert bench.state() is DoorState.UNAVAILABLE


def test_a_door_without_a_key_takes_our_firmware_unsigned_and_says_so() -> None:
    bench = Bench(key=None)
    own = Own(bench, OwnLockDevice())
    assert bench.state() is DoorState.LOCKED
    bench.open()
    own.run()
    assert bench.state() is DoorState.UNLOCKED
    assert not bench.link.is_signed


def test_a_door_without_a_key_learns_what_a_lock_with_one_thinks_of_it() -> None:
    bench = Bench(key=None)
    own = Own(bench, OwnLockDevice(KEY))
    assert bench.state() is DoorState.LOCKED, "STATUS needs no key"
    bench.open()
    own.run()
    assert "ERR" not in own.heard
    assert "AUTH" in str(bench.answers[0].value)
    assert bench.state() is not DoorState.UNLOCKED


def test_no_log_line_carries_the_key_or_the_proofs() -> None:
    with Log() as log:
        bench = Bench()
        own = Own(bench)
        bench.open()
        own.run()
        Own(Bench(), OwnLockDevice(bytes(32)))
    assert log.count("door front") > 0
    assert log.count(KEY.hex()) == 0
    assert log.count("HELLO:") == log.count("READY:") == log.count("C:1:") == 0


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (LockFault.NONE, "Opened"),
        (LockFault.TWICE, "Opened"),
        (LockFault.GARBLE, "Opened"),
        (LockFault.NO_PONG, "Opened"),
        (LockFault.JAMMED, "Opened"),
        (LockFault.NO_ACK, "Indeterminate"),
        (LockFault.DEAF, "Indeterminate"),
        (LockFault.REJECT, "Rejected"),
    ],
)
def test_whatever_is_wrong_with_the_lock_the_door_says_nothing_that_is_not_so(fault: LockFault, answer: str) -> None:
    bench = Bench()
    own = Own(bench, FaultyOwnLock(KEY))
    own.device.fault = fault
    bench.open(1.0)
    own.run()
    for _ in range(40):
        own.wait(0.1)
        if not own.plug.ours.aborted:
            assert bench.state() is not DoorState.LOCKED or not own.device.relay
    [told] = bench.answers
    assert type(getattr(told, "value", told)).__name__ == answer
    own.device.fault = LockFault.NONE
    own.wait(4.0)
    assert own.device.relay is False or own.plug.ours.aborted
    assert bench.notes("door.unsigned") == (fault in (LockFault.TWICE, LockFault.GARBLE))

"""The whole decision about one door: lines, calls and time in, what to do out.

No I/O here, and `now` is monotonic seconds. One command is in flight at a time, because the lock's answers carry no
ids. What waits goes out in this order: LOCK_DOOR (the safe direction is always accepted), STATUS, OPEN_DOOR. An open
door is a lease: when it ends, when the link comes back to an open relay, or when the relay opens and nobody here
ordered it, LOCK_DOOR goes out by itself. The lock's own dead-man switch is fed only while the relay is locked or held
open by a running lease.
"""

from gatekeeper.doors import wire
from gatekeeper.doors.actions import (
    Action,
    Answer,
    Call,
    Changed,
    Drop,
    InFlight,
    Lease,
    Locked,
    Note,
    Opened,
    Send,
    Times,
)
from gatekeeper.doors.liveness import Liveness
from gatekeeper.doors.states import TRANSITIONS, DoorState, Happening
from gatekeeper.doors.wire import Command
from gatekeeper.errors import Busy, GatekeeperError, Indeterminate, NotConnected, Rejected

JAM_RETRY = 2.0
"""Seconds between LOCK_DOORs to a lock that says it is still open."""


class Door:
    """One door, as far as its lock lets anybody know it.

    :ivar state: see `states`.
    :ivar since: when the state was entered.
    :ivar confirmed: when the lock itself last said what the relay is, or None.
    :ivar source: where the state comes from: `acknowledgement`, `status`, `broadcast`, `command`, `deadline`, `link`.
    :ivar reason: why the state isn't a plain locked or unlocked, for people, or None.
    :ivar linked: whether the WebSocket is open; `ready`: and the first STATUS is answered.
    :ivar signal: the last SIGNAL of this link, or None; `signal_at`: when it came.
    :ivar stray: lines that are in the protocol and fit nothing; `unheard`: lines that aren't in it.
    """

    def __init__(self, times: Times, now: float) -> None:
        self.state = DoorState.UNAVAILABLE
        self.since = now
        self.confirmed: float | None = None
        self.source = "link"
        self.reason: str | None = "not reached yet"
        self.linked = False
        self.ready = False
        self.lease: Lease | None = None
        self.signal: wire.Signal | None = None
        self.signal_at = now
        self.stray = 0
        self.unheard = 0
        self._times = times
        self._liveness = Liveness(times)
        self._in_flight: InFlight | None = None
        self._opening: Call | None = None  # accepted while a STATUS is in flight: next, if its deadline allows
        self._locking: list[Call] = []
        self._lock_wanted: str | None = None  # why LOCK_DOOR goes out next
        self._lock_told = False  # LOCK_DOOR left and the relay wasn't seen locked since
        self._status_wanted = False
        self._closing = False
        self._late = False  # an OPEN_DOOR went unanswered: an open relay may be its doing
        self._next_retry: float | None = None
        self._verifying: list[Call] = []  # lock calls to a jammed lock: acknowledged, and STATUS has yet to agree
        self._actions: list[Action] = []

    # --- calls ---

    def open(self, now: float, call: int, duration: float, holder: str, reason: str | None) -> list[Action]:
        """Ask for an opening of `duration` seconds; its answer comes within the command's deadline."""
        request = Call(call, now, duration, holder, reason)
        refusal = self._refusal()
        if refusal is not None:
            self._answer(request, refusal)
        else:
            self._opening = request
        return self._decide(now)

    def lock(self, now: float, call: int, holder: str, reason: str | None) -> list[Action]:
        """Ask to lock: accepted whenever there is a link, and next to go out."""
        request = Call(call, now, 0.0, holder, reason)
        if not self.linked:
            self._answer(request, NotConnected("the lock is not connected; nothing was sent"))
        else:
            self._locking.append(request)
            self._lock_wanted = self._lock_wanted or f"asked for by {holder}"
        return self._decide(now)

    def close(self, now: float, call: int) -> list[Action]:
        """Lock for good, because the program leaves: no opening is accepted from here on."""
        self._closing = True
        if self._opening is not None:
            self._answer(self._opening, NotConnected("gatekeeper is leaving this lock; nothing was sent"))
            self._opening = None
        return self.lock(now, call, "gatekeeper", "leaving this lock")

    def _refusal(self) -> GatekeeperError | None:
        if self._closing:
            return NotConnected("gatekeeper is leaving this lock; nothing was sent")
        if not self.ready:
            return NotConnected("the lock is not connected; nothing was sent")
        if self.state is DoorState.JAMMED:
            return Busy("the lock says that it is still open after LOCK_DOOR; it is being locked, nothing was sent")
        busy = self._in_flight is not None and self._in_flight.command is not Command.STATUS
        if busy or self._opening is not None or self._lock_wanted or self.state not in _RESTING:
            return Busy("another command is in flight to this lock; nothing was sent")
        return None

    # --- the link ---

    def link_opened(self, now: float) -> list[Action]:
        """The WebSocket is open: nothing is known until the lock answers STATUS."""
        self.linked = True
        self.ready = False
        self._status_wanted = True
        self._liveness.opened(now)
        self._happened(Happening.LINK_OPENED, now, "link", "connected; waiting for the lock's STATUS")
        return self._decide(now)

    def link_lost(self, now: float, reason: str) -> list[Action]:
        """The link is gone: nobody waits any longer, and nothing that was known still holds."""
        linked, self.linked, self.ready = self.linked, False, False
        flying, self._in_flight = self._in_flight, None
        for call in flying.calls if flying is not None else ():
            self._answer(call, Indeterminate(f"the link to the lock was lost before it answered: {reason}"))
        self._verified(Indeterminate(f"the link to the lock was lost before it said that it is locked: {reason}"))
        waiting = [*self._locking, *([self._opening] if self._opening is not None else [])]
        for call in waiting:
            self._answer(call, NotConnected(f"the link to the lock was lost; nothing was sent: {reason}"))
        self._locking, self._opening, self._lock_wanted = [], None, None
        self._status_wanted, self._next_retry = False, None
        self._lock_told, self._late = False, False
        if self.lease is not None:
            self._note("door.lease_lost", "the link was lost while the door was held open", alarm=True)
        self.lease = None
        self.signal = None
        if linked:
            self._note("door.link_lost", f"the link to the lock was lost: {reason}")
        self._happened(Happening.LINK_LOST, now, "link", reason)
        if self.reason != reason:  # another reason for the same state
            self.reason = reason
            self._actions.append(Changed())
        return self._decide(now)

    # --- what the lock says ---

    def received(self, now: float, line: wire.Line) -> list[Action]:
        """Take in one line."""
        self._liveness.heard(now)
        match line:
            case wire.Relay(energised):
                self._relay(now, energised)
            case wire.Moved(energised):
                self._moved(now, energised)
            case wire.Acknowledged(command):
                self._acknowledged(now, command)
            case wire.Pong():
                self.stray += not self._liveness.answered()
            case wire.Signal():
                self.signal, self.signal_at = line, now
                self._actions.append(Changed())
            case wire.AutoLocked():
                self._auto_locked(now)
            case wire.Refused(reason):
                self._refused(now, reason)
            case wire.Greeting():
                pass  # the relay follows as a line of its own
            case wire.Unheard():
                self.unheard += 1
        return self._decide(now)

    def _relay(self, now: float, energised: bool) -> None:
        if self._flying(Command.OPEN) or self._flying(Command.LOCK):
            return  # older than the command in flight, whose own OK: line reads differently
        self._seen(now, energised, "status" if self._flying(Command.STATUS) else "broadcast")

    def _moved(self, now: float, energised: bool) -> None:
        flying = self._in_flight
        if flying is not None and flying.command is not Command.STATUS:
            flying.energised = energised
        else:
            self._seen(now, energised, "broadcast")

    def _acknowledged(self, now: float, command: Command) -> None:
        flying = self._in_flight
        if flying is None or flying.command is not command:
            self.stray += 1
            return
        self._in_flight = None
        if command is Command.OPEN:
            self._open_acknowledged(now, flying)
        elif command is Command.LOCK:
            self._lock_acknowledged(now, flying)
        elif not self.ready:
            self.ready = True
            self._note("door.link_up", "the lock is connected and answered STATUS")
            self._actions.append(Changed())

    def _auto_locked(self, now: float) -> None:
        if self.state in (DoorState.UNLOCKED, DoorState.JAMMED):
            self._note("door.auto_locked", "the lock locked by itself: it had heard nothing for too long", alarm=True)
            self.lease = None
            self._lock_told = False
            self._confirm(now, "broadcast")
        self._happened(Happening.AUTO_LOCKED, now, "broadcast", None)

    def _refused(self, now: float, reason: str) -> None:
        flying = self._in_flight
        if flying is None or flying.command is Command.STATUS:
            self.stray += 1
            return
        self._in_flight = None
        self._refuse(now, flying, f"the lock refused: {reason}")

    def _flying(self, command: Command) -> bool:
        return self._in_flight is not None and self._in_flight.command is command

    # --- what that means ---

    def _open_acknowledged(self, now: float, flying: InFlight) -> None:
        if flying.energised is False:
            self._refuse(now, flying, "the lock acknowledged OPEN_DOOR and says that it is locked")
            return
        [call] = flying.calls
        ends = now + call.duration
        if self.lease is None or self.lease.ends < ends:
            self.lease = Lease(call.holder, call.reason, call.duration, ends)
        self._lock_told = False
        self._confirm(now, "acknowledgement")
        self._happened(Happening.OPEN_ACKNOWLEDGED, now, "acknowledgement", None)
        self._answer(call, Opened(now, now - call.at, self.lease))

    def _lock_acknowledged(self, now: float, flying: InFlight) -> None:
        if flying.energised is True:
            self._refuse(now, flying, "the lock acknowledged LOCK_DOOR and says that it is open")
            return
        self._status_wanted = True  # a welded relay acknowledges too; `_lock_told` lasts until the relay is seen locked
        if self.state is DoorState.JAMMED:
            self._verifying += flying.calls
            return
        self._confirm(now, "acknowledgement")
        self._happened(Happening.LOCK_ACKNOWLEDGED, now, "acknowledgement", None)
        if not flying.calls:
            self._note("door.relocked", f"locked: {flying.why}")
        for call in flying.calls:
            self._answer(call, Locked(now, now - call.at))

    def _refuse(self, now: float, flying: InFlight, why: str) -> None:
        for call in flying.calls:
            self._answer(call, Rejected(why))
        opening = flying.command is Command.OPEN
        self._note("door.refused", why, alarm=not opening)
        self._happened(Happening.OPEN_REFUSED if opening else Happening.LOCK_REFUSED, now, "acknowledgement", why)
        self._status_wanted = True
        if not opening:
            self._next_retry = now + JAM_RETRY

    def _seen(self, now: float, energised: bool, source: str) -> None:
        if self.state is DoorState.UNAVAILABLE:
            self.stray += 1
            return
        self._confirm(now, source)
        if not energised:
            self._seen_locked(now, source)
        elif self._lock_told:
            if self.state is not DoorState.JAMMED:
                self._note("door.jammed", "told to lock, and the lock says that it is still open", alarm=True)
                self._lock_wanted = self._lock_wanted or "it is still open"
            self._verified(Rejected("the lock acknowledged LOCK_DOOR and says that it is still open"))
            self._next_retry = now + JAM_RETRY
            self._happened(Happening.STILL_OPEN, now, source, "told to lock, and it is still open")
        elif self.lease is None and self.state not in (DoorState.UNLOCKING, DoorState.LOCKING):
            self._seen_open(now, source)

    def _seen_locked(self, now: float, source: str) -> None:
        if self.state is DoorState.UNLOCKED:
            if self.lease is not None:
                self._note("door.locked", "the lock says that it is locked, before its lease ended")
            self.lease = None
        if self.state is not DoorState.UNLOCKING:
            self._lock_told = False
            self._next_retry = None
            self._verified(Locked(now, 0.0))
        self._late = False
        self._happened(Happening.SEEN_LOCKED, now, source, None)

    def _verified(self, result: Locked | GatekeeperError) -> None:
        calls, self._verifying = self._verifying, []
        for call in calls:
            self._answer(call, Locked(result.at, result.at - call.at) if isinstance(result, Locked) else result)

    def _seen_open(self, now: float, source: str) -> None:
        if self._lock_wanted is None:
            if self._late:
                self._note("door.opened_late", "the lock opened after its deadline; locking it", alarm=True)
            else:
                self._note("door.unordered_opening", "the relay is open and nobody ordered it; locking it", alarm=True)
            self._lock_wanted = "nobody ordered it open"
        self._late = False
        self._happened(Happening.SEEN_OPEN, now, source, "open, and nobody ordered it")

    def _confirm(self, now: float, source: str) -> None:
        self.confirmed, self.source = now, source
        self._actions.append(Changed())

    # --- time ---

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called next, monotonic seconds, or None."""
        if not self.linked:
            return None
        moments = [self._liveness.deadline]
        if self._in_flight is not None:
            moments.append(self._in_flight.deadline)
        if self._opening is not None:
            moments.append(self._opening.at + self._times.command)
        if self.lease is not None and not self._flying(Command.OPEN):
            moments.append(self.lease.ends)
        if self._next_retry is not None:
            moments.append(self._next_retry)
        return min(moments)

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if not self.linked:
            return self._decide(now)
        dead = self._dead(now)
        if dead is not None:
            self._actions.append(Drop(dead))
            return self.link_lost(now, dead)
        flying = self._in_flight
        if flying is not None and flying.deadline <= now:
            self._in_flight = None
            self._overdue(now, flying)
        if self._opening is not None and self._opening.at + self._times.command <= now:
            self._answer(self._opening, NotConnected("the lock did not answer STATUS in time; OPEN_DOOR was not sent"))
            self._opening = None
        if self.lease is not None and self.lease.ends <= now and not self._flying(Command.OPEN):
            self.lease = None
            self._lock_wanted = self._lock_wanted or "its lease ended"
        if self._next_retry is not None and self._next_retry <= now:
            self._next_retry = now + JAM_RETRY
            self._lock_wanted = self._lock_wanted or "it is still open"
        self._keep_in_touch(now)
        return self._decide(now)

    def _dead(self, now: float) -> str | None:
        flying = self._in_flight
        if flying is not None and flying.command is Command.STATUS and flying.deadline <= now:
            return f"the lock did not answer STATUS within {self._times.command:g} s"
        return self._liveness.dead(now)

    def _overdue(self, now: float, flying: InFlight) -> None:
        text = f"the lock did not acknowledge {flying.command} within {self._times.command:g} s"
        for call in flying.calls:
            self._answer(call, Indeterminate(f"{text}; whether it acted is not known until it answers STATUS"))
        opening = flying.command is Command.OPEN
        if opening:
            self.lease = None
            self._late = True
        self._note("door.indeterminate", text, alarm=True)
        self._happened(Happening.OPEN_OVERDUE if opening else Happening.LOCK_OVERDUE, now, "deadline", text)
        self._status_wanted = True

    def _keep_in_touch(self, now: float) -> None:
        held = self.state is DoorState.UNLOCKED and self.lease is not None
        feeding = held or self.state in (DoorState.LOCKED, DoorState.UNLOCKING)
        if self._liveness.ping_due(now, self.ready and feeding):
            self._actions.append(Send(Command.PING))
        if self._liveness.status_due(now):
            self._status_wanted = True

    # --- what goes out ---

    def _decide(self, now: float) -> list[Action]:
        if self.linked and self._in_flight is None:
            if self._lock_wanted is not None:
                self._send_lock(now)
            elif self._status_wanted:
                self._status_wanted = False
                self._send(now, Command.STATUS, [])
            elif self._opening is not None:
                call, self._opening = self._opening, None
                self._send_open(now, call)
        actions, self._actions = self._actions, []
        return actions

    def _send_lock(self, now: float) -> None:
        if self._opening is not None:
            self._answer(self._opening, Busy("the door is being locked; nothing was sent"))
            self._opening = None
        calls, self._locking = self._locking, []
        reason, self._lock_wanted = self._lock_wanted, None
        self.lease = None
        self._lock_told = True
        self._send(now, Command.LOCK, calls, reason)
        self._happened(Happening.LOCK_SENT, now, "command", reason)

    def _send_open(self, now: float, call: Call) -> None:
        deadline = call.at + self._times.command
        if self.state not in _RESTING or deadline <= now:
            self._answer(call, Busy("the lock's state is not known; nothing was sent"))
            return
        self._in_flight = InFlight(Command.OPEN, deadline, [call])
        self._actions.append(Send(Command.OPEN))
        self._happened(Happening.OPEN_SENT, now, "command", f"OPEN_DOOR sent for {call.holder}")

    def _send(self, now: float, command: Command, calls: list[Call], why: str | None = None) -> None:
        self._in_flight = InFlight(command, now + self._times.command, calls, why)
        self._actions.append(Send(command))

    def _answer(self, call: Call, result: Opened | Locked | GatekeeperError) -> None:
        self._actions.append(Answer(call.id, result))

    def _note(self, kind: str, text: str, alarm: bool = False) -> None:
        self._actions.append(Note(kind, text, alarm))

    def _happened(self, happening: Happening, now: float, source: str, reason: str | None) -> None:
        after = TRANSITIONS[self.state, happening]
        if after is None:
            self.stray += 1
            return
        if after is self.state:
            return
        self.state, self.since, self.source, self.reason = after, now, source, reason
        self._actions.append(Changed())


_RESTING = (DoorState.LOCKED, DoorState.UNLOCKED)

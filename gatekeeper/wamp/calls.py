"""The calls under way: how each comes to its one answer, whoever answers, cancels, leaves or takes too long.

    CALL      → INVOCATION  [68, invocation, registration, details, args?, kwargs?]   to the callee; IDs 1, 2, …
    CALL again, of one whose caller sends in parts → INVOCATION with the same ID
    YIELD     → RESULT      [50, request, details, args?, kwargs?]                    to the caller
    ERROR     → ERROR       [8, 48, request, details, error, args?, kwargs?]          to the caller
    CANCEL    → INTERRUPT   [69, invocation, {mode}]                                  to a callee that understands it

                    the caller is told         the callee is told            its late answer
    skip            at once                    nothing                       is awaited and dropped
    kill            by the callee's answer     INTERRUPT kill                is the answer
    killnowait      at once                    INTERRUPT killnowait          may come, and is dropped
    timeout         at once                    INTERRUPT killnowait          may come, and is dropped
    caller left     -                          INTERRUPT killnowait          may come, and is dropped

A callee that doesn't understand INTERRUPT makes every mode a skip. Sans-I/O: the clock is handed in.
"""

from typing import Any

from gatekeeper.wamp.errors import (
    CANCELED,
    FEATURE_NOT_SUPPORTED,
    INVALID_ARGUMENT,
    RUNTIME_ERROR,
    TIMEOUT,
    CodecError,
    ProtocolViolation,
    WampError,
)
from gatekeeper.wamp.features import CALLEE_CANCELS, CALLEE_PASSES, CALLER_PASSES
from gatekeeper.wamp.members import Member, error
from gatekeeper.wamp.messages import CALL, ERROR, RESULT, Message
from gatekeeper.wamp.passthru import passed_through
from gatekeeper.wamp.registrations import Registration
from gatekeeper.wamp.times import Clock, DelayedCall

REMEMBERED = 1000  # ended calls per session whose stragglers are recognized; more than can be on the way at once
MODES = ("skip", "kill", "killnowait")


class Invocation:
    """A call under way.

    :ivar caller: who waits for it; None once nobody does, so that a late answer is recognized and dropped.
    :ivar request: the caller's request ID.
    :ivar procedure: what was called, which a pattern doesn't say.
    :ivar details: what every INVOCATION of this call tells the callee.
    :ivar progresses: whether the caller takes results in parts, and the callee knows.
    :ivar is_open: whether the caller goes on sending.
    :ivar timeout: milliseconds from one sign of life to the next; 0 for ever.
    """

    __slots__ = (
        "callee",
        "caller",
        "details",
        "id",
        "is_open",
        "killed",
        "procedure",
        "progresses",
        "registration",
        "request",
        "timeout",
        "timer",
    )

    def __init__(
        self, registration: Registration, procedure: str, callee: Member, caller: Member, request: int
    ) -> None:
        self.id = 0
        self.registration = registration
        self.procedure = procedure
        self.callee = callee
        self.caller: Member | None = caller
        self.request = request
        self.details: dict[str, Any] = {}
        self.progresses = False
        self.is_open = False
        self.killed = False
        self.timeout = 0
        self.timer: DelayedCall | None = None


class Ended:
    """What a session may still send of calls that have ended: answers to invocations, and parts of calls."""

    __slots__ = ("_calls", "_forgotten", "_invocations")

    def __init__(self) -> None:
        self._invocations: dict[int, None] = {}
        self._calls: dict[int, None] = {}
        self._forgotten = 0

    def add_invocation(self, invocation: int) -> None:
        """Remember one that its callee needn't answer any more."""
        self._invocations[invocation] = None
        if len(self._invocations) > REMEMBERED:
            self._forgotten = next(iter(self._invocations))
            del self._invocations[self._forgotten]

    def add_call(self, request: int) -> None:
        """Remember one whose caller doesn't know yet that it has ended."""
        self._calls[request] = None
        if len(self._calls) > REMEMBERED:
            del self._calls[next(iter(self._calls))]

    def takes_answer(self, invocation: int, *, final: bool) -> bool:
        """Tell whether this answer may be dropped silently."""
        if invocation not in self._invocations:
            return invocation <= self._forgotten
        if final:
            del self._invocations[invocation]
        return True

    def takes_part(self, request: int, *, final: bool) -> bool:
        """Tell whether this CALL is a part of one that has ended."""
        if request not in self._calls:
            return False
        if final:
            del self._calls[request]
        return True


class Calls:
    """Takes each call from its INVOCATION to its answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def start(self, invocation: Invocation, payload: Message) -> None:
        """Send the INVOCATION; raise WampError if the callee can't be sent it."""
        caller, callee = invocation.caller, invocation.callee
        if caller is None:
            return
        invocation.id = callee.invocation_ids.next()
        # In the books before it leaves: a local callee answers inside `invoke`.
        caller.calls[invocation.request] = invocation
        callee.invocations[invocation.id] = invocation
        if invocation.timeout:
            invocation.timer = self._clock.callLater(invocation.timeout / 1000, self._timed_out, invocation)
        try:
            callee.invoke(invocation, _with_progress(invocation), payload)
        except CodecError as refusal:
            self._release(invocation)
            del callee.invocations[invocation.id]
            callee.invocation_ids.give_back()
            raise WampError(INVALID_ARGUMENT, f"the callee can't be sent these arguments: {refusal}") from refusal

    def go_on(self, invocation: Invocation, procedure: str, payload: Message, *, final: bool) -> None:
        """Send a further INVOCATION of a call whose caller sends in parts; its options stay those of the first."""
        if not invocation.is_open or procedure != invocation.procedure:
            raise ProtocolViolation("a CALL with the request ID of one that is under way")
        invocation.is_open = not final
        try:
            invocation.callee.invoke(invocation, _with_progress(invocation), payload)
        except CodecError as refusal:
            self._end(invocation, INVALID_ARGUMENT, f"the callee can't be sent these arguments: {refusal}")

    def refused(self, member: Member, request: int) -> None:
        """Take note that a caller may go on sending parts of a call that was refused."""
        member.ended = member.ended or Ended()
        member.ended.add_call(request)

    def cancel(self, member: Member, message: Message) -> None:
        """Take a CANCEL; without a mode it is "killnowait"."""
        mode = message[2].get("mode") or "killnowait"
        if mode not in MODES:
            raise ProtocolViolation("CANCEL: mode is skip, kill or killnowait")
        invocation = member.calls.get(message[1])
        if invocation is None:
            return  # its answer crossed the CANCEL on the way
        if mode != "kill" or not invocation.callee.features & CALLEE_CANCELS:
            self._end(invocation, CANCELED, "canceled by the caller", interrupts=mode != "skip")
        elif not invocation.killed:
            invocation.killed = True
            invocation.callee.interrupt(invocation, "kill")

    def yielded(self, member: Member, message: Message) -> None:
        """Take a callee's YIELD to the caller."""
        _, number, options, *payload = message
        final = not options.get("progress")
        invocation = _asked(member, number, final=final)
        if invocation is None:
            return
        details = passed_through(options, member, CALLEE_PASSES) if options else {}
        if final:
            del member.invocations[number]
            self._answer(invocation, details, [RESULT, invocation.request, details, *payload])
        elif not invocation.progresses:
            raise ProtocolViolation("YIELD with progress, which nobody asked for")
        else:
            self._progress(invocation, details, payload)

    def failed(self, member: Member, message: Message) -> None:
        """Take a callee's ERROR to the caller."""
        _, _, number, about, uri, *payload = message
        invocation = _asked(member, number, final=True)
        if invocation is None:
            return
        details = passed_through(about, member, CALLEE_PASSES) if about else {}
        del member.invocations[number]
        self._answer(invocation, details, [ERROR, CALL, invocation.request, details, uri, *payload])

    def caller_left(self, member: Member) -> None:
        """Let nobody wait any more for a member's calls, and tell those who work on them."""
        for invocation in tuple(member.calls.values()):
            self._release(invocation)
            invocation.caller = None
            if invocation.callee is not member and not invocation.killed:
                self._interrupt(invocation)

    def callee_left(self, member: Member) -> None:
        """Tell those who wait for a member that no answer will come."""
        orphaned = list(member.invocations.values())
        member.invocations.clear()
        for invocation in orphaned:
            if invocation.caller is not member:
                self._answer(invocation, {}, error(CALL, invocation.request, CANCELED, "the callee left"))

    def _timed_out(self, invocation: Invocation) -> None:
        invocation.timer = None
        self._end(invocation, TIMEOUT, f"no answer within {invocation.timeout} ms")

    def _end(self, invocation: Invocation, uri: str, reason: str, *, interrupts: bool = True) -> None:
        """Answer the caller before its callee has."""
        self._answer(invocation, {}, error(CALL, invocation.request, uri, reason))
        invocation.caller = None
        if interrupts and invocation.callee.invocations.get(invocation.id) is invocation:
            self._interrupt(invocation)

    def _interrupt(self, invocation: Invocation) -> None:
        callee = invocation.callee
        if callee.features & CALLEE_CANCELS:
            del callee.invocations[invocation.id]
            callee.ended = callee.ended or Ended()
            callee.ended.add_invocation(invocation.id)
            callee.interrupt(invocation, "killnowait")

    def _progress(self, invocation: Invocation, details: dict[str, Any], payload: Message) -> None:
        caller = invocation.caller
        if caller is None:
            return
        if invocation.timer is not None:
            invocation.timer.reset(invocation.timeout / 1000)
        if details and not caller.features & CALLER_PASSES:
            self._end(invocation, FEATURE_NOT_SUPPORTED, "the caller doesn't take payloads passed through")
            return
        try:
            caller.send([RESULT, invocation.request, {"progress": True, **details}, *payload])
        except CodecError as refusal:
            self._end(invocation, RUNTIME_ERROR, f"a part of the answer can't be sent here: {refusal}")

    def _answer(self, invocation: Invocation, passed: dict[str, Any], answer: Message) -> None:
        """Send the one answer of a call, if anybody waits for it."""
        caller = invocation.caller
        if caller is None:
            return
        self._release(invocation)
        if passed and not caller.features & CALLER_PASSES:
            reason = "the caller doesn't take payloads passed through"
            answer = error(CALL, invocation.request, FEATURE_NOT_SUPPORTED, reason)
        try:
            caller.send(answer)
        except CodecError as refusal:
            caller.send(error(CALL, invocation.request, RUNTIME_ERROR, f"the answer can't be sent here: {refusal}"))

    def _release(self, invocation: Invocation) -> None:
        """Take a call out of its caller's books."""
        caller = invocation.caller
        if invocation.timer is not None:
            invocation.timer.cancel()
            invocation.timer = None
        if caller is not None:
            del caller.calls[invocation.request]
            if invocation.is_open:
                self.refused(caller, invocation.request)


def _asked(callee: Member, number: int, *, final: bool) -> Invocation | None:
    """Return the invocation that is answered; None if the answer comes too late for anybody to want it."""
    invocation = callee.invocations.get(number)
    if invocation is None and not (callee.ended and callee.ended.takes_answer(number, final=final)):
        raise ProtocolViolation("an answer to an invocation that isn't under way")
    return invocation


def _with_progress(invocation: Invocation) -> dict[str, Any]:
    return {**invocation.details, "progress": True} if invocation.is_open else invocation.details

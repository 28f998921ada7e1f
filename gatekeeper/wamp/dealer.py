"""The dealer: procedures, their callees, and the calls under way (the Basic Profile, and CANCEL in its mildest mode).

    REGISTER   → REGISTERED   [65, request, registration]
    UNREGISTER → UNREGISTERED [67, request]
    CALL       → INVOCATION   [68, invocation, registration, {}, args?, kwargs?]   to the callee; its IDs are 1, 2, …
    YIELD      → RESULT       [50, request, {}, args?, kwargs?]                    to the caller
    ERROR      → ERROR        [8, 48, request, {}, error, args?, kwargs?]          to the caller

Every CALL gets exactly one answer, also when its callee leaves. When its caller leaves, or cancels, the invocation is
kept without a caller until the callee answers: the callee doesn't speak INTERRUPT here. Sans-I/O.
"""

from gatekeeper.wamp.errors import (
    CANCELED,
    INVALID_ARGUMENT,
    NO_SUCH_PROCEDURE,
    NO_SUCH_REGISTRATION,
    PROCEDURE_ALREADY_EXISTS,
    RUNTIME_ERROR,
    UNAVAILABLE,
    CodecError,
    ProtocolViolation,
    WampError,
)
from gatekeeper.wamp.ids import Sequence
from gatekeeper.wamp.limits import Limits, Tally
from gatekeeper.wamp.members import Invocation, Member, Registration, error
from gatekeeper.wamp.messages import CALL, ERROR, REGISTER, REGISTERED, RESULT, UNREGISTERED, Message
from gatekeeper.wamp.permission import Permission, check_options


class Dealer:
    """Who offers what, and who waits for whom."""

    def __init__(self, permission: Permission, limits: Limits, tally: Tally) -> None:
        self._permission = permission
        self._limits = limits
        self._tally = tally
        self._ids = Sequence()
        self._procedures: dict[str, Registration] = {}

    @property
    def registrations(self) -> int:
        """The number of procedures registered."""
        return len(self._procedures)

    def register(self, member: Member, message: Message) -> None:
        """Answer REGISTER; a procedure has one callee."""
        _, request, options, procedure = message
        check_options(REGISTER, options)
        self._permission.check(member, "register", procedure)
        if procedure in self._procedures:
            raise WampError(PROCEDURE_ALREADY_EXISTS, "this procedure is registered already")
        if len(member.registrations) >= self._limits.registrations and not member.trusted:
            raise WampError(UNAVAILABLE, f"at most {self._limits.registrations} registrations per session")
        registration = Registration(self._ids.next(), procedure, member)
        self._procedures[procedure] = registration
        member.registrations[registration.id] = registration
        member.send([REGISTERED, request, registration.id])

    def unregister(self, member: Member, message: Message) -> None:
        """Answer UNREGISTER; calls under way are still answered."""
        registration = member.registrations.pop(message[2], None)
        if registration is None:
            raise WampError(NO_SUCH_REGISTRATION, "this session has no such registration")
        del self._procedures[registration.procedure]
        member.send([UNREGISTERED, message[1]])

    def call(self, member: Member, message: Message) -> None:
        """Answer CALL with an ERROR, or pass it on."""
        _, request, options, procedure, *payload = message
        if request in member.calls:
            raise ProtocolViolation("a CALL with the request ID of one that is under way")
        check_options(CALL, options)
        self._permission.check(member, "call", procedure)
        registration = self._procedures.get(procedure)
        if registration is None:
            raise WampError(NO_SUCH_PROCEDURE, "nobody has registered this procedure")
        self._check_load(member, registration.callee)
        self._invoke(member, request, registration, payload)

    def cancel(self, member: Member, message: Message) -> None:
        """Take CANCEL as mode "skip", whatever it says: the caller is answered, the callee goes on unheard."""
        invocation = member.calls.pop(message[1], None)
        if invocation is None:
            return  # its answer crossed the CANCEL on the way
        invocation.caller = None
        member.send(error(CALL, message[1], CANCELED, "canceled by the caller"))

    def yielded(self, member: Member, message: Message) -> None:
        """Take a callee's YIELD to the caller."""
        if message[2].get("progress"):
            raise ProtocolViolation("YIELD with progress, which nobody asked for")
        invocation = self._answered(member, message[1])
        if invocation is not None:
            self._answer(invocation, [RESULT, invocation.request, {}, *message[3:]])

    def failed(self, member: Member, message: Message) -> None:
        """Take a callee's ERROR to the caller."""
        _, _, number, _, uri, *payload = message
        if not self._permission.is_uri(uri):
            raise ProtocolViolation("ERROR with an invalid URI")
        invocation = self._answered(member, number)
        if invocation is not None:
            self._answer(invocation, [ERROR, CALL, invocation.request, {}, uri, *payload])

    def leave(self, member: Member) -> None:
        """Forget a member: its procedures end, its callers are told, and its own calls are awaited by nobody."""
        for registration in member.registrations.values():
            del self._procedures[registration.procedure]
        member.registrations.clear()
        for invocation in member.calls.values():
            invocation.caller = None
        member.calls.clear()
        orphaned = list(member.invocations.values())
        member.invocations.clear()
        for invocation in orphaned:
            self._answer(invocation, error(CALL, invocation.request, CANCELED, "the callee left"))

    def _check_load(self, caller: Member, callee: Member) -> None:
        if len(caller.calls) >= self._limits.pending_calls and not caller.trusted:
            raise WampError(UNAVAILABLE, f"at most {self._limits.pending_calls} calls under way per session")
        if len(callee.invocations) >= self._limits.pending_invocations:
            raise WampError(UNAVAILABLE, "the callee doesn't keep up")

    def _invoke(self, caller: Member, request: int, registration: Registration, payload: Message) -> None:
        callee = registration.callee
        invocation = Invocation(callee.invocation_ids.next(), registration, caller, request)
        # In the books before it leaves: a local callee answers inside `invoke`.
        caller.calls[request] = invocation
        callee.invocations[invocation.id] = invocation
        self._tally.calls += 1
        try:
            callee.invoke(invocation, payload)
        except CodecError as refusal:
            del caller.calls[request]
            del callee.invocations[invocation.id]
            callee.invocation_ids.give_back()
            raise WampError(INVALID_ARGUMENT, f"the callee can't be sent these arguments: {refusal}") from refusal

    def _answered(self, callee: Member, number: int) -> Invocation | None:
        """Close an invocation, and return it if somebody waits for its answer."""
        invocation = callee.invocations.pop(number, None)
        if invocation is None:
            raise ProtocolViolation("an answer to an invocation that isn't under way")
        return invocation if invocation.caller else None

    def _answer(self, invocation: Invocation, answer: Message) -> None:
        caller = invocation.caller
        if caller is None:
            return
        del caller.calls[invocation.request]
        try:
            caller.send(answer)
        except CodecError as refusal:
            caller.send(error(CALL, invocation.request, RUNTIME_ERROR, f"the answer can't be sent here: {refusal}"))

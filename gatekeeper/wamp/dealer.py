"""The dealer: who offers what, and which callee a call goes to; calls.py has what happens to it then.

    REGISTER   → REGISTERED   [65, request, registration]      the same ID for every callee of a shared registration
    UNREGISTER → UNREGISTERED [67, request]
                 UNREGISTERED [67, 0, {registration, reason}]  a registration that was revoked
    CALL       → INVOCATION, or ERROR

A call goes to the exact registration, else to the one with the longest prefix, else to the most specific wildcard.
Names that begin with `wamp.` are the router's own procedures, which no pattern of a client takes. Sans-I/O.
"""

from collections.abc import Callable
from typing import Any

from gatekeeper.wamp.calls import Calls, Invocation
from gatekeeper.wamp.disclosure import caller_details
from gatekeeper.wamp.errors import (
    DISCLOSE_ME_NOT_ALLOWED,
    FEATURE_NOT_SUPPORTED,
    NO_SUCH_PROCEDURE,
    NO_SUCH_REGISTRATION,
    OPTION_NOT_ALLOWED,
    PROCEDURE_ALREADY_EXISTS,
    UNAVAILABLE,
    ProtocolViolation,
    WampError,
)
from gatekeeper.wamp.features import (
    CALLEE_IS_REVOKED,
    CALLEE_PASSES,
    CALLEE_PROGRESSES,
    CALLEE_STREAMS,
    CALLEE_TIMES,
    CALLER_PASSES,
    CALLER_STREAMS,
)
from gatekeeper.wamp.ids import RandomBits
from gatekeeper.wamp.limits import Limits, Tally
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.messages import REGISTERED, UNREGISTERED, Message
from gatekeeper.wamp.passthru import passed_through
from gatekeeper.wamp.permission import Permission, Verdict
from gatekeeper.wamp.registrations import Endpoint, Registration, Registrations, as_invoke
from gatekeeper.wamp.uris import Match, as_match, is_reserved


class Dealer:
    """Takes and answers what callees and callers ask.

    :ivar own: the router's own procedures by name.
    """

    def __init__(
        self,
        permission: Permission,
        registrations: Registrations,
        calls: Calls,
        *,
        limits: Limits,
        tally: Tally,
        random: RandomBits,
        announce: Callable[..., None],
    ) -> None:
        self._permission = permission
        self.registrations = registrations
        self._calls = calls
        self._limits = limits
        self._tally = tally
        self._random = random
        self._announce = announce
        self.own: dict[str, Registration] = {}
        self.cancel = calls.cancel
        self.yielded = calls.yielded

    def register(self, member: Member, message: Message) -> None:
        """Answer REGISTER."""
        _, request, options, procedure = message
        match, invoke = as_match(options.get("match") or "exact"), as_invoke(options.get("invoke") or "single")
        if match is None or invoke is None or options.get("force_reregister"):
            raise WampError(OPTION_NOT_ALLOWED, "an option has a value that isn't offered")
        self._permission.check(member, "register", procedure, match)
        registration = self.registrations.find(procedure, match)
        if registration is not None and (
            invoke == "single" or registration.invoke != invoke or registration.has(member)
        ):
            raise WampError(PROCEDURE_ALREADY_EXISTS, "this procedure is registered already")
        if len(member.registrations) >= self._limits.registrations and not member.trusted:
            raise WampError(UNAVAILABLE, f"at most {self._limits.registrations} registrations per session")
        is_new = registration is None
        registration = registration or self.registrations.create(procedure, match, invoke)
        times = bool(options.get("forward_timeout") and member.features & CALLEE_TIMES)
        discloses = bool(options.get("disclose_caller"))
        registration.endpoints.append(Endpoint(member, discloses=discloses, times=times))
        member.registrations[registration.id] = registration
        member.send([REGISTERED, request, registration.id])
        if is_new:
            self._announce("wamp.registration.on_create", member.id, registration_details(registration))
        self._announce("wamp.registration.on_register", member.id, registration.id)

    def unregister(self, member: Member, message: Message) -> None:
        """Answer UNREGISTER; calls under way are still answered."""
        registration = member.registrations.get(message[2])
        if registration is None:
            raise WampError(NO_SUCH_REGISTRATION, "this session has no such registration")
        self._remove(member, registration)
        member.send([UNREGISTERED, message[1]])
        self._announce_end(member, registration)

    def revoke(self, member: Member, registration: Registration, reason: str) -> None:
        """End a member's registration; it is told if it announced that it understands."""
        self._remove(member, registration)
        if member.features & CALLEE_IS_REVOKED:
            member.send([UNREGISTERED, 0, {"registration": registration.id, "reason": reason}])
        self._announce_end(member, registration)

    def call(self, member: Member, message: Message) -> None:
        """Answer CALL with an ERROR, or pass it on."""
        _, request, options, procedure, *payload = message
        final = not options.get("progress")
        if request in member.calls:
            self._calls.go_on(member.calls[request], procedure, payload, final=final)
            return
        if member.ended is not None and member.ended.takes_part(request, final=final):
            return
        if final:
            self._route(member, message)
            return
        if not member.features & CALLER_STREAMS:
            raise ProtocolViolation("a progressive call, which HELLO didn't announce")
        try:
            self._route(member, message)
        except WampError:
            self._calls.refused(member, request)
            raise

    def failed(self, member: Member, message: Message) -> None:
        """Take a callee's ERROR to the caller."""
        if not self._permission.is_uri(message[4]):
            raise ProtocolViolation("ERROR with an invalid URI")
        self._calls.failed(member, message)

    def leave(self, member: Member) -> None:
        """Forget a member: its procedures end, its callers are told, and its own calls are awaited by nobody."""
        held = list(member.registrations.values())
        for registration in held:
            self._remove(member, registration)
        self._calls.caller_left(member)
        self._calls.callee_left(member)
        for registration in held:
            self._announce_end(member, registration)

    def _route(self, member: Member, message: Message) -> None:
        _, request, options, procedure, *payload = message
        verdict = self._permission.check(member, "call", procedure)
        registration = self.own.get(procedure) if is_reserved(procedure) else self.registrations.best(procedure)
        if registration is None:
            raise WampError(NO_SUCH_PROCEDURE, "nobody has registered this procedure")
        if len(member.calls) >= self._limits.pending_calls and not member.trusted:
            raise WampError(UNAVAILABLE, f"at most {self._limits.pending_calls} calls under way per session")
        endpoint = self._pick(registration)
        invocation = Invocation(registration, procedure, endpoint.member, member, request)
        if options or registration.match != "exact" or endpoint.discloses or verdict.disclosure == "force":
            self._agree(invocation, options, endpoint, verdict)
        self._tally.calls += 1
        self._calls.start(invocation, payload)

    def _pick(self, registration: Registration) -> Endpoint:
        """Return the endpoint whose turn it is, or the next that isn't full of calls."""
        for _ in registration.endpoints:
            endpoint = registration.pick(self._random)
            if len(endpoint.member.invocations) < self._limits.pending_invocations:
                return endpoint
        raise WampError(UNAVAILABLE, "the callee doesn't keep up")

    def _agree(self, invocation: Invocation, options: dict[str, Any], endpoint: Endpoint, verdict: Verdict) -> None:
        """Settle what the options of a CALL and of its registration come to."""
        caller, features = invocation.caller, endpoint.member.features
        if caller is None:
            return
        details = invocation.details = passed_through(options, caller, CALLER_PASSES)
        invocation.is_open = bool(options.get("progress"))
        if (details and not features & CALLEE_PASSES) or (invocation.is_open and not features & CALLEE_STREAMS):
            raise WampError(FEATURE_NOT_SUPPORTED, "the callee doesn't support what the call asks for")
        if options.get("disclose_me") and verdict.disclosure == "deny":
            raise WampError(DISCLOSE_ME_NOT_ALLOWED, "this caller may not disclose its identity")
        if verdict.disclosure == "force" or (
            verdict.disclosure == "allow" and (options.get("disclose_me") or endpoint.discloses)
        ):
            details.update(caller_details(caller))
        if invocation.registration.match != "exact":
            details["procedure"] = invocation.procedure
        if options.get("receive_progress") and features & CALLEE_PROGRESSES:
            invocation.progresses = details["receive_progress"] = True
        if options.get("timeout"):
            if endpoint.times:
                details["timeout"] = options["timeout"]
            else:
                invocation.timeout = options["timeout"]

    def _remove(self, member: Member, registration: Registration) -> None:
        del member.registrations[registration.id]
        registration.drop(member)
        if not registration.endpoints:
            self.registrations.delete(registration)

    def _announce_end(self, member: Member, registration: Registration) -> None:
        self._announce("wamp.registration.on_unregister", member.id, registration.id)
        if not registration.endpoints:
            self._announce("wamp.registration.on_delete", member.id, registration.id)


def registration_details(registration: Registration) -> dict[str, Any]:
    """Return what the meta API tells of a registration."""
    match: Match = registration.match
    return {
        "id": registration.id,
        "created": registration.created,
        "uri": registration.procedure,
        "match": match,
        "invoke": registration.invoke,
    }

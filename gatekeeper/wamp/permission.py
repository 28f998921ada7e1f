"""What a member may name and do: URI rules, the authorizer's word and the disclosure policy, asked once per role.

An answer that is known costs one look-up per message. One that isn't is asked for; if it takes time, `Awaited` stops
the message until it comes (waiting.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from twisted.python.failure import Failure

from gatekeeper.wamp.answers import Report, deferred_of
from gatekeeper.wamp.auth import Action, Authorizer, Permit
from gatekeeper.wamp.disclosure import Disclosure, DisclosurePolicy
from gatekeeper.wamp.errors import AUTHORIZATION_FAILED, INVALID_URI, NOT_AUTHORIZED, WampError
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.uris import Match, UriRule, is_reserved

KNOWN_ANSWERS = 20_000  # a site of thousands of topics and some roles; at some 300 bytes each, 6 MB


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one action on one URI by one role.

    :ivar error: the URI that refuses it, or "".
    :ivar disclosure: whether who does it is told to the others.
    """

    error: str
    disclosure: Disclosure = "allow"


Key = tuple[str | None, Action, str, Match]


class Awaited(Exception):
    """The authorizer's answer takes time; the message must be served again when it is there."""

    def __init__(self, key: Key, epoch: int, answer: Any) -> None:
        self.key = key
        self.epoch = epoch
        self.answer = answer


class Permission:
    """Checks each action of each member.

    :param rule: which URIs are well-formed here.
    :param report: told when the authorizer or the policy itself fails; the action is then refused.
    """

    def __init__(self, authorizer: Authorizer, rule: UriRule, disclosure: DisclosurePolicy, report: Report) -> None:
        self._authorizer = authorizer
        self._rule = rule
        self._disclosure = disclosure
        self._report = report
        self._known: dict[Key, Verdict] = {}
        self._older: dict[Key, Verdict] = {}
        self._epoch = 0

    def is_uri(self, uri: str) -> bool:
        """Tell whether the URI is well-formed by this realm's rule."""
        return self._rule.accepts(uri)

    def check(self, member: Member, action: Action, uri: str, match: Match = "exact") -> Verdict:
        """Return the verdict of what a member may do.

        :raises WampError: unless the URI is valid for this action and the member may do it.
        :raises Awaited: if that isn't known yet.
        """
        key = (None if member.trusted else member.identity.authrole, action, uri, match)
        verdict = self._known.get(key) or self._decide(key, member)
        if verdict.error:
            raise WampError(verdict.error, f"may not {action} this URI")
        return verdict

    def check_later(
        self, member: Member, action: Action, uri: str, then: Callable[[Verdict], Any], match: Match = "exact"
    ) -> Any:
        """Return what `then` makes of the verdict: at once, or as a Deferred if the authorizer takes time."""
        try:
            return then(self.check(member, action, uri, match))
        except Awaited as awaited:
            question = awaited

        def answered(answer: Any) -> Any:
            verdict, cache = self._verdict(question.key, member, answer)
            if cache and question.epoch == self._epoch:
                self._remember(question.key, verdict)
            if verdict.error:
                raise WampError(verdict.error, f"may not {action} this URI")
            return then(verdict)

        def failed(failure: Failure) -> Any:
            if isinstance(failure.value, WampError):
                return failure
            self._report("authorizer", failure.value or RuntimeError("no reason"))
            raise WampError(AUTHORIZATION_FAILED, "the authorizer failed")

        later = deferred_of(question.answer)
        return answered(question.answer) if later is None else later.addCallback(answered).addErrback(failed)

    def forget(self) -> None:
        """Ask the authorizer again, also where an answer is under way."""
        self._known.clear()
        self._older.clear()
        self._epoch += 1

    def learn(self, question: Awaited, member: Member, answer: Any) -> None:
        """Take an answer that took time; one that was given before all were forgotten is asked for again."""
        if question.epoch == self._epoch:
            verdict, cache = self._verdict(question.key, member, answer)
            if cache:
                self._remember(question.key, verdict)
            member.granted = (question.key, verdict)

    def failed(self, question: Awaited, member: Member, error: BaseException) -> None:
        """Refuse what the authorizer failed to answer; the next such request asks it again."""
        self._report("authorizer", error)
        member.granted = (question.key, Verdict(AUTHORIZATION_FAILED))

    def _decide(self, key: Key, member: Member) -> Verdict:
        role, action, uri, match = key
        older = self._older.get(key)
        if older is not None:
            self._remember(key, older)
            return older
        granted, member.granted = member.granted, None
        if granted is not None and granted[0] == key:
            verdict: Verdict = granted[1]
            return verdict
        self._check_uri(action, uri, match)
        answer = True if role is None else self._ask(member, action, uri, match)
        if not isinstance(answer, bool | Permit) and hasattr(answer, "__await__"):
            raise Awaited(key, self._epoch, answer)
        decided, cache = self._verdict(key, member, answer)
        if cache:
            self._remember(key, decided)
        return decided

    def _check_uri(self, action: Action, uri: str, match: Match) -> None:
        if not self._rule.accepts(uri, match):
            raise WampError(INVALID_URI, "not a valid URI")
        if action in ("publish", "register") and is_reserved(uri):
            raise WampError(INVALID_URI, "URIs that begin with wamp are the protocol's own")

    def _ask(self, member: Member, action: Action, uri: str, match: Match) -> Any:
        try:
            return self._authorizer.allow(member.identity, action, uri, match)
        except Exception as error:  # the embedding program's code; its failure must close, not open
            self._report("authorizer", error)
            raise WampError(AUTHORIZATION_FAILED, "the authorizer failed") from error

    def _verdict(self, key: Key, member: Member, answer: Any) -> tuple[Verdict, bool]:
        if not isinstance(answer, bool | Permit):
            self._report("authorizer", TypeError(f"the authorizer answered {type(answer).__name__}"))
            return Verdict(AUTHORIZATION_FAILED), False
        allowed, cache = (answer.allowed, answer.cache) if isinstance(answer, Permit) else (answer, True)
        if not allowed:
            return Verdict(NOT_AUTHORIZED), cache
        _, action, uri, _ = key
        if action in ("call", "publish"):
            return Verdict("", self._disclosed(action, uri, member.identity.authrole)), cache
        return Verdict(""), cache

    def _disclosed(self, action: Literal["call", "publish"], uri: str, authrole: str) -> Disclosure:
        try:
            return self._disclosure(action, uri, authrole)
        except Exception as error:  # noqa: BLE001 - the embedding program's code; its failure must not disclose
            self._report("disclosure policy", error)
            return "deny"

    def _remember(self, key: Key, verdict: Verdict) -> None:
        """Keep an answer; of those that weren't needed for long, half are dropped at a time."""
        if len(self._known) >= KNOWN_ANSWERS // 2:
            self._older, self._known = self._known, {}
        self._known[key] = verdict

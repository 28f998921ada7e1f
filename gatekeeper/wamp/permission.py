"""What a member may name and do: URI rules, the options that aren't offered, and the authorizer's word."""

from typing import Any

from gatekeeper.wamp.answers import Report
from gatekeeper.wamp.auth import Action, Authorizer
from gatekeeper.wamp.errors import (
    AUTHORIZATION_FAILED,
    DISCLOSE_ME_DISALLOWED,
    INVALID_URI,
    NOT_AUTHORIZED,
    OPTION_NOT_ALLOWED,
    WampError,
)
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.messages import Type
from gatekeeper.wamp.uris import UriRule, is_reserved

# Options of features that this router doesn't announce, and the values that ask for nothing beyond the Basic Profile.
# They are refused where ignoring them would do something other than what was asked: publish to more receivers,
# subscribe to another set of topics, or leave the callee without the identity that it was promised.
_NOTHING: tuple[Any, ...] = (None, [])
_NOT_OFFERED: dict[int, dict[str, tuple[Any, ...]]] = {
    Type.PUBLISH: {
        "disclose_me": (None, False),
        "eligible": (None,),  # an empty list means nobody, so it can't be ignored either
        "eligible_authid": (None,),
        "eligible_authrole": (None,),
        "exclude": _NOTHING,
        "exclude_authid": _NOTHING,
        "exclude_authrole": _NOTHING,
    },
    Type.SUBSCRIBE: {"match": (None, "exact")},
    Type.CALL: {"disclose_me": (None, False)},
    Type.REGISTER: {"match": (None, "exact"), "invoke": (None, "single"), "force_reregister": (None, False)},
}


def check_options(kind: int, options: dict[str, Any]) -> None:
    """Raise WampError if an option asks for what isn't offered."""
    not_offered = _NOT_OFFERED[kind]
    for name, value in options.items():
        harmless = not_offered.get(name)
        if harmless is not None and value not in harmless:
            uri = DISCLOSE_ME_DISALLOWED if name == "disclose_me" else OPTION_NOT_ALLOWED
            raise WampError(uri, f"option {name} is not offered")


class Permission:
    """Checks each action of each member.

    :param rule: which URIs are well-formed here.
    :param report: told when the authorizer itself fails; the action is then refused.
    """

    def __init__(self, authorizer: Authorizer, rule: UriRule, report: Report) -> None:
        self._authorizer = authorizer
        self._rule = rule
        self._report = report

    def is_uri(self, uri: str) -> bool:
        """Tell whether the URI is well-formed by this realm's rule."""
        return self._rule.accepts(uri)

    def check(self, member: Member, action: Action, uri: str) -> None:
        """Raise WampError unless the URI is valid for this action and the member may do it."""
        if not self.is_uri(uri):
            raise WampError(INVALID_URI, "not a valid URI")
        if action in ("publish", "register") and is_reserved(uri):
            raise WampError(INVALID_URI, "URIs that begin with wamp are the protocol's own")
        if member.trusted:
            return
        if not self._allowed(member, action, uri):
            raise WampError(NOT_AUTHORIZED, f"not authorized to {action} this URI")

    def _allowed(self, member: Member, action: Action, uri: str) -> bool:
        try:
            return self._authorizer.allow(member.identity, action, uri, "exact")
        except Exception as error:  # the embedding program's code; its failure must close, not open
            self._report("authorizer", error)
            raise WampError(AUTHORIZATION_FAILED, "the authorizer failed") from error

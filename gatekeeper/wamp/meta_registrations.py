"""The registration meta API.

wamp.registration.list                          []                      IDs by way of matching
wamp.registration.lookup                        [procedure, {match?}]   an ID or null
wamp.registration.match                         [procedure]             the ID that a call goes to, or null
wamp.registration.get                           [registration]          what it is
wamp.registration.list_callees, count_callees   [registration]          session IDs, their number
"""

from gatekeeper.wamp.dealer import Dealer, registration_details
from gatekeeper.wamp.errors import INVALID_ARGUMENT, NO_SUCH_REGISTRATION, WampError
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.meta import Arguments, Procedure
from gatekeeper.wamp.registrations import Registration
from gatekeeper.wamp.uris import MATCHES, Match, as_match


class RegistrationMeta:
    """The procedures; each answers one call."""

    def __init__(self, dealer: Dealer) -> None:
        self._registrations = dealer.registrations

    def procedures(self) -> dict[str, Procedure]:
        """Return them by name."""
        return {
            "wamp.registration.list": self._list,
            "wamp.registration.lookup": self._lookup,
            "wamp.registration.match": self._match,
            "wamp.registration.get": lambda _, about: registration_details(self._registration(about)),
            "wamp.registration.list_callees": lambda _, about: self._callees(about),
            "wamp.registration.count_callees": lambda _, about: len(self._callees(about)),
        }

    def _list(self, _caller: Member, _about: Arguments) -> dict[str, list[int]]:
        patterns = self._registrations.patterns
        return {match: [found.id for found in patterns.of(match).values()] for match in MATCHES}

    def _lookup(self, _caller: Member, about: Arguments) -> int | None:
        found = self._registrations.find(about.text(0), asked_match(about))
        return found.id if found else None

    def _match(self, _caller: Member, about: Arguments) -> int | None:
        found = self._registrations.best(about.text(0))
        return found.id if found else None

    def _callees(self, about: Arguments) -> list[int]:
        return [endpoint.member.id for endpoint in self._registration(about).endpoints]

    def _registration(self, about: Arguments) -> Registration:
        registration = self._registrations.get(about.id(0))
        if registration is None:
            raise WampError(NO_SUCH_REGISTRATION, "there is no registration with this ID")
        return registration


def asked_match(about: Arguments) -> Match:
    """Return the way of matching that a look-up's options name."""
    match = about.mapping(1).get("match", "exact")
    known = as_match(match) if isinstance(match, str) else None
    if known is None:
        raise WampError(INVALID_ARGUMENT, "match is exact, prefix or wildcard")
    return known

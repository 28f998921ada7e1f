"""Logging in by WAMP: the router's Authenticator, over the ready-made methods and the same accounts as everywhere.

    cookie              a browser of our own pages
    ticket              a password, a token, an API key or the admin token
    wampcra             the password, which doesn't travel
    wamp-scram, scram   likewise; the second is the older draft that Autobahn|Python speaks

What a challenge says of a name is the same whether somebody has it or not. Wrong answers meet the same delay as wrong
passwords over HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.attempts import WRONG, Attempts
from gatekeeper.access.guard import Channel, Guard, Somebody, is_own_origin
from gatekeeper.access.login import LogIns
from gatekeeper.access.passwords import Passwords
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Credentials
from gatekeeper.access.sealing import Seal
from gatekeeper.errors import GatekeeperError, NotAuthenticated
from gatekeeper.wamp import methods
from gatekeeper.wamp.auth import Accept, Challenge, Deny, Peer
from gatekeeper.wamp.errors import AUTHENTICATION_FAILED, NO_MATCHING_AUTH_METHOD

SHOWN_ROLE = "account"
"""The role that a WAMP-CRA challenge mentions, to names that somebody has and to others; WELCOME tells the real one."""

_HOW = "log in by ticket with a password, an API key or the admin token, by wampcra or scram, or from the dashboard"
_WHAT = "a WAMP session"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A challenge that is under way.

    :ivar method: None for a ticket.
    :ivar kept: what the proof is checked against, so that a password that is changed meanwhile counts.
    """

    name: str | None
    channel: Channel
    session: int
    method: Any = None
    kept: Credentials | None = None
    state: Any = None


class WampLogIns:
    """Decides who a WAMP session is.

    :param seal: what the challenges to names that nobody has are derived from, so that a restart doesn't change them.
    """

    def __init__(
        self, *, accounts: Accounts, guard: Guard, logins: LogIns, attempts: Attempts, passwords: Passwords, seal: Seal
    ) -> None:
        self._accounts = accounts
        self._guard = guard
        self._logins = logins
        self._attempts = attempts
        self._passwords = passwords
        cra, scram, draft = passwords.decoys
        made_up = seal.derive("decoys")
        self._methods: dict[str, Any] = {
            "wampcra": methods.WampCra(self, decoy=cra, decoy_role=SHOWN_ROLE, decoy_secret=made_up),
            "wamp-scram": methods.Scram(self, decoy=scram, decoy_secret=made_up),
            "scram": _Draft(self, decoy=draft, decoy_secret=made_up),
        }

    def find(self, method: str, name: str) -> methods.Principal | None:
        """Return what the methods check a proof against; for them only."""
        credential = self._passwords.credential(method, name, self._attempts.kept(name))
        return methods.Principal(name, SHOWN_ROLE, credential) if credential is not None else None

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Accept | Challenge | Deny:
        """Take the first of the client's methods that suits it."""
        channel = Channel(peer.address, "wamp", peer.secure)
        last = Deny(NO_MATCHING_AUTH_METHOD, _HOW)
        for method in dict.fromkeys(authmethods):
            answer: Accept | Challenge | Deny | None = None
            if method == "cookie":
                answer = self._by_cookie(authid, peer, channel)
            elif method == "ticket":
                answer = Challenge("ticket", state=_Asked(authid, channel, peer.session))
            elif method in self._methods:
                answer = self._challenge(method, (realm, authmethods, authid, authextra, peer), channel)
            if isinstance(answer, Deny):
                last = answer  # another of its methods may suit
            elif answer is not None:
                return answer
        return last

    async def authenticate(self, challenge_state: _Asked, signature: str, extra: Mapping[str, Any]) -> Accept | Deny:
        """Check the answer to a challenge."""
        asked = challenge_state
        try:
            if asked.method is not None:
                return self._check_proof(asked, signature, extra)
            found = await self._logins.session(asked.name, signature, asked.channel, asked.session)
        except GatekeeperError as error:
            return _denied(error)
        return Accept(identity(found, "ticket"))

    # --- within ---

    def _by_cookie(self, authid: str | None, peer: Peer, channel: Channel) -> Accept | Deny | None:
        if not is_own_origin(peer.headers) or "cookie" not in peer.headers:
            return None
        found = self._guard.by_cookie(peer.headers, channel)
        if found is None:
            return Deny(AUTHENTICATION_FAILED, "this browser is not logged in any more")
        if self._guard.must_choose_password(found):
            return Deny(AUTHENTICATION_FAILED, "choose a password first: the page asks for it")
        return Accept(identity(found, "cookie")) if authid in (None, found.name) else None

    def _challenge(self, name: str, hello: tuple[Any, ...], channel: Channel) -> Challenge | Deny:
        _, _, authid, _, peer = hello
        method = self._methods[name]
        kept = self._attempts.kept(authid) if authid else None
        answer: Challenge | Deny = method.hello(*hello)
        if isinstance(answer, Deny):
            return answer
        state = _Asked(authid, channel, peer.session, method, kept, answer.state)
        return Challenge(answer.method, answer.extra, state)

    def _check_proof(self, asked: _Asked, signature: str, extra: Mapping[str, Any]) -> Accept | Deny:
        name, method = asked.name or "", asked.method
        attempt = self._attempts.begin(name, asked.channel, _WHAT)
        answer: Accept | Deny = method.authenticate(asked.state, signature, extra)
        is_same = asked.kept is not None and self._attempts.kept(name) == asked.kept
        caller = asked.channel.caller(name, _SHORT[method.name], session=str(asked.session))
        found = self._accounts.principal(name, caller=caller) if is_same else None
        if not isinstance(answer, Accept) or found is None:
            self._attempts.failed(name, asked.channel, _WHAT)
            return _denied(NotAuthenticated(WRONG))
        self._attempts.succeeded(attempt)
        self._logins.tell_in(caller)
        return Accept(identity(found, method.name), answer.authextra)


class _Draft(methods.AutobahnScram):
    """The draft's method, with what our own credentials cost in its challenges to unknown names too."""

    def __init__(self, principals: methods.Principals, *, decoy: methods.ScramCredential, decoy_secret: bytes) -> None:
        methods.Scram.__init__(self, principals, decoy=decoy, decoy_secret=decoy_secret)


_SHORT = {"wampcra": "wampcra", "wamp-scram": "scram", "scram": "scram"}
"""Method -> what the record calls it."""


def identity(principal: Principal, method: str) -> Somebody:
    """Return who a WAMP session is."""
    return Somebody(principal.name, principal.role, method, principal=principal)


def _denied(error: GatekeeperError) -> Deny:
    """Return the refusal: what clients know for a wrong proof, and our own error for what they can mend."""
    return Deny(AUTHENTICATION_FAILED if isinstance(error, NotAuthenticated) else error.uri, str(error))

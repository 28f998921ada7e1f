"""Our router as a process that does nothing else: what clients from elsewhere and benches talk to.

`python -m tests.wamp_router [realm [port]]` prints its port, serves until terminated, and lets in whoever asks:
"anonymous", or by the ticket "secret" as whatever authid is named. What they may do is looked up per role and URI, as
in a program that has roles; who calls and publishes is disclosed.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint

from gatekeeper.wamp.auth import Accept, Action, Challenge, Deny, Identity, Peer
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.limits import Limits
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.transport import websocket_factory

TICKET = "secret"
FORBIDDEN = "forbidden."
"""Names that nobody may use begin with this."""

SESSIONS = 10_000  # from one address: a bench's all come from this one
BACKLOG = 1024


class FrontDesk:
    """Lets in anonymous sessions and those with the ticket; the names that begin with `FORBIDDEN` are nobody's."""

    def hello(
        self, _realm: str, authmethods: Sequence[str], authid: str | None, _authextra: Mapping[str, Any], _peer: Peer
    ) -> Accept | Challenge | Deny:
        if "ticket" in authmethods:
            return Challenge("ticket", state=authid)
        if "anonymous" in authmethods:
            return Accept(Identity("anonymous", "anonymous", "anonymous"))
        return Deny("wamp.error.no_matching_auth_method", "come anonymously or with a ticket")

    def authenticate(self, challenge_state: Any, signature: str, _extra: Mapping[str, Any]) -> Accept | Deny:
        if signature != TICKET or not challenge_state:
            return Deny("wamp.error.authentication_failed", "wrong ticket")
        return Accept(Identity(challenge_state, "member", "ticket"))

    def allow(self, identity: Identity, action: Action, uri: str, _match: str) -> bool:
        actions = _PERMITTED.get(identity.authrole)
        return actions is not None and action in actions and not uri.startswith(FORBIDDEN)


_PERMITTED = dict.fromkeys(("anonymous", "member"), frozenset(("call", "register", "subscribe", "publish")))


def policy_for(topic: str) -> Policy:
    """Of frames only the newest counts."""
    return "newest" if topic.endswith(".frame") else "all"


def main() -> None:
    """Serve until terminated."""
    desk = FrontDesk()
    realm = sys.argv[1] if len(sys.argv) > 1 else "realm"
    limits = Limits(sessions_per_address=SESSIONS)
    router = Router(realm, desk, desk, policies=policy_for, disclosure=lambda *_: "force", limits=limits)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    endpoint = TCP4ServerEndpoint(reactor, port, backlog=BACKLOG, interface="127.0.0.1")
    listening: Any = endpoint.listen(websocket_factory(router))
    listening.addCallback(lambda listener: print(listener.getHost().port, flush=True))
    reactor.run()


if __name__ == "__main__":
    main()

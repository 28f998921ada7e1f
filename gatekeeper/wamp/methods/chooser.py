"""Several methods in one authenticator: the first of the client's that is offered here, and that suits it, is taken."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gatekeeper.wamp.answers import after
from gatekeeper.wamp.auth import Authenticator, Challenge, Deny, Peer
from gatekeeper.wamp.errors import NO_MATCHING_AUTH_METHOD


class Method(Authenticator, Protocol):
    """An authenticator of one method; it denies with `wamp.error.no_matching_auth_method` whom another may suit."""

    name: str


class Chooser:
    """Asks the methods in the order in which the client names them.

    :param methods: those that are offered; of one name, once.
    """

    def __init__(self, methods: Sequence[Method]) -> None:
        self._methods = {method.name: method for method in methods}

    def hello(
        self, realm: str, authmethods: Sequence[str], authid: str | None, authextra: Mapping[str, Any], peer: Peer
    ) -> Any:
        """Answer as the first method does that doesn't pass."""
        offered = dict.fromkeys(name for name in authmethods if name in self._methods)
        return self._try([self._methods[name] for name in offered], (realm, authmethods, authid, authextra, peer))

    def authenticate(self, challenge_state: tuple[Method, Any], signature: str, extra: Mapping[str, Any]) -> Any:
        """Answer as the method does that challenged."""
        method, state = challenge_state
        return method.authenticate(state, signature, extra)

    def _try(self, methods: list[Method], hello: tuple[Any, ...], last: Deny | None = None) -> Any:
        if not methods:
            return last or Deny(NO_MATCHING_AUTH_METHOD, f"offered are: {', '.join(self._methods)}")
        method, *others = methods

        def answered(answer: Any) -> Any:
            if isinstance(answer, Deny) and answer.reason_uri == NO_MATCHING_AUTH_METHOD:
                return self._try(others, hello, answer)
            if isinstance(answer, Challenge):
                return Challenge(answer.method, answer.extra, (method, answer.state))
            return answer

        return after(method.hello(*hello), answered)

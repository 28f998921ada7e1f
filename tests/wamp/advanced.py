"""What the tests of the Advanced Profile share: clients that announce everything, and short names."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from gatekeeper.wamp.codecs import JSON, Codec
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import EVERY_CODEC, Client, open_router

every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)

ALL: dict[str, Any] = {
    "caller": {"features": {"progressive_call_invocations": True, "payload_passthru_mode": True}},
    "callee": {
        "features": {
            "call_canceling": True,
            "progressive_call_results": True,
            "progressive_call_invocations": True,
            "call_timeout": True,
            "payload_passthru_mode": True,
            "registration_revocation": True,
        }
    },
    "publisher": {"features": {"payload_passthru_mode": True}},
    "subscriber": {"features": {"subscription_revocation": True}},
}


def able(router: Router, codec: Codec = JSON, **details: Any) -> Client:
    """Return a joined client that announces every feature."""
    return Client(router, codec).join(roles=ALL, **details)


def plain(router: Router, codec: Codec = JSON, **details: Any) -> Client:
    """Return a joined client that announces none."""
    return Client(router, codec).join(**details)


def timed(**arguments: Any) -> tuple[Router, Clock]:
    """Return a router and the clock of its call timeouts."""
    clock = Clock()
    return open_router(clock=clock, now=clock.seconds, **arguments), clock


def subscribed(client: Client, topic: str, **options: Any) -> int:
    """Subscribe and return the subscription's ID; what else came is dropped."""
    answer = client.say(32, 1, options, topic)[0]
    assert answer[0] == 33, answer
    return int(answer[2])


def registered(client: Client, procedure: str, **options: Any) -> int:
    """Register and return the registration's ID."""
    answer = client.say(64, 1, options, procedure)[0]
    assert answer[0] == 65, answer
    return int(answer[2])


def called(client: Client, procedure: str, *args: Any, **kwargs: Any) -> Any:
    """Call one of the router's own procedures and return its result, or the URI of its error."""
    answer = client.say(48, 999, {}, procedure, list(args), kwargs)[-1]
    return answer[4] if answer[0] == 8 else (answer[3][0] if len(answer) > 3 else None)


def refusal(answers: list[list[Any]]) -> str:
    """Return the URI of the one answer, an ERROR."""
    (answer,) = answers
    assert answer[0] == 8, answer
    return str(answer[4])

"""Sessions that send anything, beside one that behaves: it must never notice."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.messages import Type
from gatekeeper.wamp.router import Limits
from gatekeeper.wamp.session import State
from tests.wamp.helpers import EVERY_CODEC, ROLES, Client, Reports, open_router

ids = st.integers(1, 4)
uris = st.sampled_from(["a.topic", "a.procedure", "local.echo", "by.stander", "a..b", "wamp.x", ""])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
options: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
    st.sampled_from(["acknowledge", "exclude_me", "match", "eligible", "progress", "disclose_me", "roles", "mode"]),
    anything,
    max_size=2,
)
payload = st.lists(anything, max_size=2)


def plausible(kind: Type, *elements: Any) -> Any:
    return st.tuples(st.just(int(kind)), *elements).map(list)


messages = st.one_of(
    anything,
    st.tuples(st.sampled_from([int(kind) for kind in Type]), st.lists(anything, max_size=5)).map(
        lambda m: [m[0], *m[1]]
    ),
    plausible(Type.HELLO, st.sampled_from(["realm", "x"]), st.just(ROLES)),
    plausible(Type.GOODBYE, options, uris),
    plausible(Type.SUBSCRIBE, ids, options, uris),
    plausible(Type.UNSUBSCRIBE, ids, ids),
    plausible(Type.PUBLISH, ids, options, uris, payload),
    plausible(Type.REGISTER, ids, options, uris),
    plausible(Type.UNREGISTER, ids, ids),
    plausible(Type.CALL, ids, options, uris, payload),
    plausible(Type.CANCEL, ids, options),
    plausible(Type.YIELD, ids, options, payload),
    plausible(Type.ERROR, st.just(68), ids, options, uris, payload),
)
actions = st.lists(
    st.tuples(st.integers(0, 2), messages | st.binary(max_size=20) | st.sampled_from(["lost", "drain", "stall"])),
    max_size=40,
)


@settings(deadline=None, max_examples=300)
@given(actions=actions)
def test_a_bystander_never_notices(actions: list[tuple[int, Any]]) -> None:
    reports = Reports()
    router = open_router(limits=Limits(unsent_bytes=500), report=reports)
    local = LocalSession(router, Identity("server", TRUSTED, "internal"))
    local.register(lambda *args, **kwargs: args and args[0], "local.echo")
    bystander = Client(router).join()
    bystander.say(64, 1, {}, "by.stander")
    rowdies = [Client(router, codec).join() for codec in EVERY_CODEC]
    bystander.take()
    for who, action in actions:
        rowdy = rowdies[who]
        if rowdy.link.is_closed:
            rowdy.session.lost()
            rowdy = rowdies[who] = Client(router, rowdy.codec).join()
        perform(rowdy, action)
        answer_invocations(bystander)
        assert bystander.say(48, 77, {}, "local.echo", ["still here"]) == [[50, 77, {}, ["still here"]]]
    assert bystander.session.state is State.JOINED
    for rowdy in rowdies:
        rowdy.session.lost()
    metrics = router.metrics()
    assert (metrics.sessions_now, metrics.registrations_now, metrics.subscriptions_now) == (2, 2, 0)
    assert local.invocations == bystander.session.invocations == bystander.session.calls == {}
    assert reports.errors == []


def perform(rowdy: Client, action: Any) -> None:
    """Do something that may be against every rule."""
    if action == "lost":
        rowdy.link.close("lost")
    elif action == "drain":
        rowdy.drain()
    elif action == "stall":
        rowdy.stall()
    elif isinstance(action, bytes):
        rowdy.session.received(action, rowdy.codec.binary)
    else:
        try:
            encoded = rowdy.codec.encode(action)
        except Exception:  # noqa: BLE001 - Hypothesis found a value that this format lacks
            return
        rowdy.session.received(encoded, rowdy.codec.binary)


def answer_invocations(bystander: Client) -> None:
    """Be a good callee."""
    for message in bystander.take():
        assert message[0] == Type.INVOCATION
        bystander.say(70, message[1], {}, ["well"])

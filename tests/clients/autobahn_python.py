"""Autobahn|Python against a router: `python -m tests.clients.autobahn_python <twisted|asyncio> <url> <serializer>`.

Prints one JSON line for each scenario, as `driver.cjs` does. The scenarios are coroutines over Autobahn's session API,
which is the same on both; each waits with a deadline.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import txaio as untyped_txaio
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallOptions, CallResult, PublishOptions, RegisterOptions, SubscribeOptions
from twisted.internet.defer import CancelledError, Deferred

txaio: Any = untyped_txaio  # it makes its functions when a framework is chosen

DEADLINE = 10.0  # seconds: nothing here takes more than tenths
FRAMEWORK, URL, SERIALIZER = sys.argv[1:4]

Scenario = Callable[[], Awaitable[None]]
SCENARIOS: list[tuple[str, tuple[str, ...], Scenario]] = []
ACKNOWLEDGE = PublishOptions(acknowledge=True)


def scenario(name: str, *needs: str) -> Callable[[Scenario], Scenario]:
    """Add a scenario; `needs` are features that WELCOME must announce ("dealer.call_canceling"), else it isn't run."""

    def add(body: Scenario) -> Scenario:
        SCENARIOS.append((name, needs, body))
        return body

    return add


class Values:
    """What came, and a future of the first `count` of it."""

    def __init__(self, count: int) -> None:
        self.values: list[Any] = []
        self.enough = txaio.create_future()
        self._count = count

    def put(self, value: Any) -> None:
        self.values.append(value)
        if len(self.values) == self._count:
            txaio.resolve(self.enough, self.values)


async def pause(seconds: float) -> None:
    await txaio.sleep(seconds)


async def refused(answer: Any) -> ApplicationError:
    """Return what a request failed with."""
    try:
        await answer
    except ApplicationError as error:
        return error
    raise AssertionError("this should have been refused")


_numbers = iter(range(1_000_000))


def fresh() -> str:
    return f"com.example.name{next(_numbers)}"


async def open_session(ticket: str | None = None, authid: str = "joe") -> Any:
    """Return a joined session."""
    if FRAMEWORK == "twisted":
        from autobahn.twisted.component import Component
    else:
        from autobahn.asyncio.component import Component
    transport = {"type": "websocket", "url": URL, "serializers": [SERIALIZER], "max_retries": 0}
    authentication = {"ticket": {"authid": authid, "ticket": ticket}} if ticket else {"anonymous": {}}
    component = Component(transports=[transport], realm="realm", authentication=authentication)
    joined = txaio.create_future()

    @component.on_join  # type: ignore[untyped-decorator]
    def on_join(session: Any, details: Any) -> None:
        session.welcome = details
        txaio.resolve(joined, session)

    started = component.start() if FRAMEWORK == "twisted" else component.start(asyncio.get_event_loop())

    def ended(reason: Any) -> None:
        if not txaio.is_called(joined):
            txaio.reject(joined, reason if isinstance(reason, BaseException) else RuntimeError(str(reason)))

    txaio.add_callbacks(started, ended, ended)
    return await joined


# --- Basic Profile ---------------------------------------------------------------------------------------------------


@scenario("a call brings its result")
async def _() -> None:
    callee, caller = await open_session(), await open_session()
    procedure = fresh()
    await callee.register(lambda a, b, told: CallResult(a + b, told=told), procedure)
    result = await caller.call(procedure, 2, 3, told="äöü 😀")
    assert (result.results, result.kwresults) == ((5,), {"told": "äöü 😀"}), result
    await leave(callee, caller)


@scenario("binary comes back as it went")
async def _() -> None:
    callee, caller = await open_session(), await open_session()
    procedure = fresh()
    await callee.register(lambda value: value, procedure)
    picture = bytes(range(256)) * 100
    assert await caller.call(procedure, picture) == picture
    await leave(callee, caller)


@scenario("a call brings the callee's error")
async def _() -> None:
    callee, caller = await open_session(), await open_session()
    procedure = fresh()

    def fail() -> None:
        raise ApplicationError("com.example.error", "sorry", code=7)

    await callee.register(fail, procedure)
    error = await refused(caller.call(procedure))
    assert (error.error, error.args, error.kwargs["code"]) == ("com.example.error", ("sorry",), 7), error
    await leave(callee, caller)


@scenario("a call to nobody is refused")
async def _() -> None:
    caller = await open_session()
    assert (await refused(caller.call(fresh()))).error == "wamp.error.no_such_procedure"
    await leave(caller)


@scenario("a second registration is refused, until the first is taken back")
async def _() -> None:
    one, other = await open_session(), await open_session()
    procedure = fresh()
    registration = await one.register(lambda: 1, procedure)
    assert (await refused(other.register(lambda: 2, procedure))).error == "wamp.error.procedure_already_exists"
    await registration.unregister()
    await other.register(lambda: 2, procedure)
    assert await one.call(procedure) == 2
    await leave(one, other)


@scenario("an event reaches its subscribers, and not its publisher")
async def _() -> None:
    publisher, subscriber = await open_session(), await open_session()
    topic = fresh()
    got, own = Values(1), Values(1)
    await subscriber.subscribe(lambda *args, **kwargs: got.put((args, kwargs)), topic)
    await publisher.subscribe(lambda *args: own.put(args), topic)
    await publisher.publish(topic, "hello", [1, None], said=1.5, options=ACKNOWLEDGE)
    assert await got.enough == [(("hello", [1, None]), {"said": 1.5})], got.values
    await publisher.publish(topic, "to me too", options=PublishOptions(acknowledge=True, exclude_me=False))
    assert await own.enough == [("to me too",)], own.values
    await leave(publisher, subscriber)


@scenario("no event comes after unsubscribing")
async def _() -> None:
    publisher, subscriber = await open_session(), await open_session()
    topic = fresh()
    got = Values(1)
    subscription = await subscriber.subscribe(got.put, topic)
    await publisher.publish(topic, 1, options=ACKNOWLEDGE)
    await got.enough
    await subscription.unsubscribe()
    await publisher.publish(topic, 2, options=ACKNOWLEDGE)
    await pause(0.05)
    assert got.values == [1], got.values
    await leave(publisher, subscriber)


@scenario("a ticket lets in, a wrong one doesn't")
async def _() -> None:
    session = await open_session("secret")
    assert (session.welcome.authid, session.welcome.authrole) == ("joe", "member")
    await leave(session)
    try:
        await open_session("guess")
    except Exception:  # noqa: BLE001 - Autobahn says "exhausted all transports", as a RuntimeError or in a Failure
        return
    raise AssertionError("a wrong ticket let in")


@scenario("what is forbidden is refused")
async def _() -> None:
    session = await open_session()
    for ask in (
        lambda: session.call("forbidden.door"),
        lambda: session.register(lambda: 1, "forbidden.door"),
        lambda: session.subscribe(lambda: 1, "forbidden.door"),
        lambda: session.publish("forbidden.door", options=ACKNOWLEDGE),
    ):
        assert (await refused(ask())).error == "wamp.error.not_authorized"
    await leave(session)


# --- Advanced Profile ------------------------------------------------------------------------------------------------


@scenario("progress is told before the result", "dealer.progressive_call_results")
async def _() -> None:
    callee, caller = await open_session(), await open_session()
    procedure = fresh()

    def count(to: int, details: Any) -> str:
        for n in range(to):
            details.progress(n)
        return "done"

    await callee.register(count, procedure, options=RegisterOptions(details_arg="details"))
    told: list[int] = []
    result = await caller.call(procedure, 3, options=CallOptions(on_progress=told.append))
    assert (result, told) == ("done", [0, 1, 2]), (result, told)
    await leave(callee, caller)


@scenario("a call that is cancelled interrupts its callee", "dealer.call_canceling")
async def _() -> None:
    callee, caller = await open_session(), await open_session()
    procedure = fresh()
    running: Any = txaio.create_future() if FRAMEWORK == "asyncio" else Deferred()
    await callee.register(lambda: running, procedure)
    asked = caller.call(procedure)
    await pause(0.05)
    asked.cancel()
    try:
        await asked
    except (ApplicationError, asyncio.CancelledError, CancelledError):
        pass
    else:
        raise AssertionError("a cancelled call came back")
    await pause(0.1)
    assert txaio.is_called(running), "the callee wasn't interrupted"
    await leave(callee, caller)


for _match, _pattern, _hit, _miss in (
    ("prefix", "com.pattern.a", "com.pattern.a.b", "com.pattern.b"),
    ("wildcard", "com.wild..card", "com.wild.x.card", "com.wild.x.y.card"),
):

    @scenario(f"subscribing by {_match}", "broker.pattern_based_subscription")
    async def _(match: str = _match, pattern: str = _pattern, hit: str = _hit, miss: str = _miss) -> None:
        publisher, subscriber = await open_session(), await open_session()
        got = Values(1)
        options = SubscribeOptions(match=match, details_arg="details")
        await subscriber.subscribe(lambda n, details: got.put((n, details.topic)), pattern, options=options)
        await publisher.publish(miss, 0, options=ACKNOWLEDGE)
        await publisher.publish(hit, 1, options=ACKNOWLEDGE)
        assert await got.enough == [(1, hit)], got.values
        await leave(publisher, subscriber)

    @scenario(f"registering by {_match}", "dealer.pattern_based_registration")
    async def _(match: str = _match, pattern: str = _pattern, hit: str = _hit, miss: str = _miss) -> None:
        callee, caller = await open_session(), await open_session()
        options = RegisterOptions(match=match, details_arg="details")
        await callee.register(lambda details: details.procedure, pattern, options=options)
        assert await caller.call(hit) == hit
        assert (await refused(caller.call(miss))).error == "wamp.error.no_such_procedure"
        await leave(callee, caller)


@scenario("calls go round shared registrations", "dealer.shared_registration")
async def _() -> None:
    one, other = await open_session(), await open_session()
    procedure = fresh()
    for name, session in (("one", one), ("other", other)):
        await session.register(lambda said=name: said, procedure, options=RegisterOptions(invoke="roundrobin"))
    assert [await one.call(procedure) for _ in range(4)] == ["one", "other", "one", "other"]
    await leave(one, other)


@scenario("who is listed receives", "broker.subscriber_blackwhite_listing")
async def _() -> None:
    publisher, first, second = await open_session(), await open_session("secret"), await open_session("secret", "ann")
    topic = fresh()
    got = Values(3)
    for name, session in (("joe", first), ("ann", second)):
        await session.subscribe(lambda n, said=name: got.put((n, said)), topic)
    for n, choice in enumerate(
        (
            {"eligible_authid": ["joe"]},
            {"exclude_authid": ["joe"]},
            {"eligible_authrole": ["guest"]},
            {"exclude": [second.welcome.session]},
        )
    ):
        await publisher.publish(topic, n, options=PublishOptions(acknowledge=True, **choice))
    assert sorted(await got.enough) == [(0, "joe"), (1, "ann"), (3, "joe")], got.values
    await leave(publisher, first, second)


@scenario("a retained event comes to who subscribes later", "broker.event_retention")
async def _() -> None:
    publisher, subscriber = await open_session(), await open_session()
    topic = fresh()
    got = Values(1)
    await publisher.publish(topic, "kept", options=PublishOptions(acknowledge=True, retain=True))
    await subscriber.subscribe(got.put, topic, options=SubscribeOptions(get_retained=True))
    assert await got.enough == ["kept"], got.values
    await leave(publisher, subscriber)


@scenario("sessions are counted and found", "dealer.session_meta_api")
async def _() -> None:
    one, other = await open_session(), await open_session()
    ids = await one.call("wamp.session.list")
    assert {one.welcome.session, other.welcome.session} <= set(ids)
    assert await one.call("wamp.session.count") == len(ids)
    left = Values(1)

    def on_leave(session: int, *_: Any) -> None:
        if session == other.welcome.session:
            left.put(session)

    await one.subscribe(on_leave, "wamp.session.on_leave")
    await leave(other)
    await left.enough
    await leave(one)


@scenario("a testament is published when its session is gone", "dealer.testament_meta_api")
async def _() -> None:
    mortal, heir = await open_session(), await open_session()
    topic = fresh()
    got = Values(1)
    await heir.subscribe(got.put, topic)
    await mortal.call("wamp.session.add_testament", topic, ["farewell"], {})
    await leave(mortal)
    assert await got.enough == ["farewell"], got.values
    await leave(heir)


# --- running ---------------------------------------------------------------------------------------------------------


async def leave(*sessions: Any) -> None:
    for session in sessions:
        session.leave()
    await pause(0.01)


async def main() -> None:
    """Run everything."""
    session = await open_session()
    transport_roles = session._router_roles if hasattr(session, "_router_roles") else {}
    await leave(session)
    for name, needs, body in SCENARIOS:
        missing = [need for need in needs if not _announces(transport_roles, need)]
        said = {"name": name, "result": "not announced", "why": ", ".join(missing)}
        if not missing:
            try:
                await _within(DEADLINE, body())
                said = {"name": name, "result": "passed"}
            except Exception:  # noqa: BLE001 - whatever a scenario fails with is its result
                said = {"name": name, "result": "failed", "why": traceback.format_exc()}
        print(json.dumps(said), flush=True)


def _announces(roles: Any, need: str) -> bool:
    role, feature = need.split(".")
    return bool(getattr(roles.get(role), feature, False))


def _within(seconds: float, body: Any) -> Any:
    if FRAMEWORK == "asyncio":
        return asyncio.wait_for(body, seconds)
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred

    return ensureDeferred(body).addTimeout(seconds, reactor)


if __name__ == "__main__":
    if FRAMEWORK == "twisted":
        txaio.use_twisted()
        from twisted.internet.defer import ensureDeferred
        from twisted.internet.task import react

        react(lambda _: ensureDeferred(main()))
    else:
        txaio.use_asyncio()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        txaio.config.loop = loop
        loop.run_until_complete(main())

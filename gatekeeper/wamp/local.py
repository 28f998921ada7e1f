"""A session inside the router's own process, with the shape of Autobahn's session API.

Nothing is serialized or copied on its way between local sessions, and what goes to remote ones is encoded once per
wire: a frame of 100 KB that is published here is the same object wherever it is received here. So a payload must not
be changed after it was handed over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from gatekeeper.wamp.answers import deferred_of, on_answer
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.calls import Invocation
from gatekeeper.wamp.errors import AUTHORIZATION_FAILED, CANCELED, INVALID_ARGUMENT, RUNTIME_ERROR, WampError
from gatekeeper.wamp.features import CALLEE_CANCELS, CALLEE_PROGRESSES
from gatekeeper.wamp.ids import Sequence
from gatekeeper.wamp.members import Frames, Member, Subscription
from gatekeeper.wamp.messages import (
    CALL,
    CANCEL,
    ERROR,
    INVOCATION,
    PUBLISH,
    REGISTER,
    RESULT,
    SUBSCRIBE,
    UNREGISTER,
    UNSUBSCRIBE,
    YIELD,
    Message,
    payload,
)
from gatekeeper.wamp.options import CallOptions, PublishOptions, marked
from gatekeeper.wamp.payloads import (
    CallDetails,
    CallResult,
    event_details,
    exception_of,
    options_of,
    payload_of,
    result_of,
)
from gatekeeper.wamp.registrations import Invoke
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.shared import Shared
from gatekeeper.wamp.uris import Match

__all__ = ["TRUSTED", "CallDetails", "CallResult", "LocalRegistration", "LocalSession", "LocalSubscription"]

TRUSTED = "trusted"
"""The role of the embedding program's own sessions, which no authorizer is asked about. A remote session gains nothing
by being given a role of this name."""

Endpoint = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class LocalRegistration:
    """A procedure that a local session offers."""

    session: "LocalSession"
    id: int
    procedure: str

    def unregister(self) -> None:
        """Offer it no longer; calls under way are still answered."""
        self.session.unregister(self)


@dataclass(frozen=True, slots=True)
class LocalSubscription:
    """One handler's subscription to a topic."""

    session: "LocalSession"
    topic: str
    handler: Callable[..., Any]
    match: Match = "exact"
    details: bool = False

    def unsubscribe(self) -> None:
        """Call the handler no more."""
        self.session.unsubscribe(self)


class LocalSession(Member):
    """A joined session of the embedding program.

    :param identity: who it is; with the role `TRUSTED` no authorizer is asked.
    """

    __slots__ = (
        "_answers",
        "_calls",
        "_endpoints",
        "_handlers",
        "_ids",
        "_progress",
        "_replies",
        "_requests",
        "_router",
        "_watches",
    )

    def __init__(self, router: Router, identity: Identity) -> None:
        super().__init__(identity, "local", trusted=identity.authrole == TRUSTED)
        self._router = router
        self._requests = Sequence()
        self._replies: dict[int, Message] = {}
        self._progress: dict[int, Callable[..., Any]] = {}
        self._answers: dict[int, Deferred[Any]] = {}
        self._calls: dict[int, Deferred[Any]] = {}
        self._endpoints: dict[int, tuple[Endpoint, bool]] = {}
        self._handlers: dict[tuple[Match, str], list[LocalSubscription]] = {}
        self._ids: dict[tuple[Match, str], int] = {}
        self._watches: list[tuple[str, Callable[[int], None]]] = []
        self.features = CALLEE_CANCELS | CALLEE_PROGRESSES
        router.join(self)
        router.joined(self)

    def call(self, procedure: str, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Call a procedure.

        :param kwargs: the named payload; a CallOptions named `options` says how.
        :returns: its result: None, one value, or a CallResult if there are several or some have names. Fails with
            WampError, whose `uri` says why. Cancelling the Deferred cancels the call.
        """
        options = options_of(kwargs, CallOptions)
        request = self._requests.next()
        cancel = [CANCEL, request, {"mode": options.cancel_mode}]
        answer: Deferred[Any] = Deferred(lambda _: self._router.serve(self, cancel))
        if not self._joined():
            answer.errback(WampError(CANCELED, "this session has left"))
            return answer
        self._calls[request] = answer
        if options.on_progress is not None:
            self._progress[request] = options.on_progress
        self._router.serve(self, [CALL, request, options.on_wire(), procedure, *payload(args, kwargs)])
        return answer

    def register(
        self,
        endpoint: Endpoint,
        procedure: str,
        *,
        match: Match = "exact",
        invoke: Invoke = "single",
        details: bool = False,
    ) -> LocalRegistration:
        """Offer a procedure, or all that match a pattern.

        :param endpoint: called with the call's payload; may return a value, a CallResult, a Deferred or a coroutine.
            An exception with a string `uri` becomes that ERROR; any other is reported, and the caller learns only
            that it happened. A caller that cancels cancels the Deferred.
        :param invoke: how it shares the procedure with other callees.
        :param details: whether it takes a keyword `details`, a CallDetails.
        """
        options = {"match": match, "invoke": invoke}
        reply = self._request([REGISTER, self._requests.next(), options, procedure])
        self._endpoints[reply[2]] = (endpoint, details)
        return LocalRegistration(self, reply[2], procedure)

    def register_all(self, owner: object) -> list[LocalRegistration]:
        """Offer every method of an object that `procedure` marks."""
        return [self.register(method, mark.uri, **mark.options) for method, mark in marked(owner, "procedure")]

    def subscribe_all(self, owner: object) -> list[LocalSubscription]:
        """Subscribe every method of an object that `topic` marks."""
        return [self.subscribe(method, mark.uri, **mark.options) for method, mark in marked(owner, "topic")]

    def unregister(self, registration: LocalRegistration) -> None:
        """Offer a procedure no longer; nothing happens if it isn't offered."""
        if registration.id in self.registrations:
            self._request([UNREGISTER, self._requests.next(), registration.id])
            del self._endpoints[registration.id]

    def subscribe(
        self,
        handler: Callable[..., Any],
        topic: str,
        *,
        match: Match = "exact",
        get_retained: bool = False,
        details: bool = False,
    ) -> LocalSubscription:
        """Call the handler with the payload of each event, inside the call that publishes it.

        :param get_retained: whether it is called at once with events that were kept; so are the topic's other ones.
        :param details: whether it takes a keyword `details`, an EventDetails.
        """
        subscription = LocalSubscription(self, topic, handler, match, details)
        # Before the request: whoever watches the topic may publish inside it.
        self._handlers.setdefault((match, topic), []).append(subscription)
        options = {"match": match, "get_retained": get_retained}
        try:
            self._ids[match, topic] = self._request([SUBSCRIBE, self._requests.next(), options, topic])[2]
        except WampError:
            self._drop(subscription)
            raise
        return subscription

    def unsubscribe(self, subscription: LocalSubscription) -> None:
        """Call a handler no more; the session's subscription ends with its last handler."""
        if self._drop(subscription):
            key = (subscription.match, subscription.topic)
            self._request([UNSUBSCRIBE, self._requests.next(), self._ids.pop(key)])

    def publish(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Publish an event to everybody else who subscribed; after `leave`, to nobody.

        :param kwargs: the named payload; a PublishOptions named `options` says whom it reaches.
        :raises WampError: if the topic isn't valid, or this session may not.
        """
        if self._joined():
            options = _ACKNOWLEDGE
            if "options" in kwargs:
                options = {**options_of(kwargs, PublishOptions).on_wire(), **_ACKNOWLEDGE}
            self._request([PUBLISH, self._requests.next(), options, topic, *payload(args, kwargs)])

    def watch_subscribers(self, topic: str, listener: Callable[[int], None]) -> Callable[[], None]:
        """Tell the listener how many sessions are subscribed to this topic, patterns included, now and on each change.

        So a publisher whose events cost something to make can make them only while somebody listens.

        :returns: what ends that; calling it twice is fine.
        """
        watched = (topic, listener)
        self._watches.append(watched)
        self._router.broker.watch(topic, listener)

        def end() -> None:
            if watched in self._watches:
                self._watches.remove(watched)
                self._router.broker.unwatch(topic, listener)

        return end

    def leave(self) -> None:
        """Leave the realm: callers of its procedures are told, and its own calls fail with `wamp.error.canceled`."""
        self._router.left(self)

    # --- What the router tells -------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Take a reply: to a call that is awaited, or to the request being made."""
        kind = message[0]
        if kind == RESULT and message[2].get("progress"):
            self._part(message)
        elif kind == RESULT:
            self._progress.pop(message[1], None)
            self._calls.pop(message[1]).callback(result_of(message))
        elif kind == ERROR and message[1] == CALL:
            self._progress.pop(message[2], None)
            self._calls.pop(message[2]).errback(exception_of(message))
        else:
            self._replies[message[2] if kind == ERROR else message[1]] = message

    def event(self, subscription: Subscription, message: Message, _frames: Frames, _slot: int) -> None:
        """Call the subscription's handlers; what one raises is reported and doesn't concern the others."""
        args, kwargs = payload_of(message, 4)
        for held in tuple(self._handlers.get((subscription.match, subscription.topic), ())):
            named = {**kwargs, "details": event_details(message, held.topic)} if held.details else kwargs
            try:
                on_answer(held.handler(*args, **named), _done, self._handler_failed)
            except Exception as error:  # noqa: BLE001 - the boundary to a subscriber's code
                self._handler_failed(error)

    def resume(self, message: Message) -> None:
        """Serve a message that had to wait."""
        self._router.serve(self, message)

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back: nothing ever waits."""
        callback()

    def probe(self, callback: Callable[[], None]) -> None:
        """Call back: it has had everything."""
        callback()

    def leave_for(self, _reason: str, _message: str) -> None:
        """Leave, because somebody who may has said so."""
        self.leave()

    def invoke(self, invocation: Invocation, _about: dict[str, Any], payload: Message) -> None:
        """Call the endpoint, and answer for it when it has answered."""
        endpoint, wants_details = self._endpoints[invocation.registration.id]
        args, kwargs = payload_of(payload, 0)
        if wants_details:
            kwargs = {**kwargs, "details": self._details(invocation)}  # over whatever the caller put there
        try:
            answer = endpoint(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary to a callee's code
            self._fail(invocation, _UNFIT if _is_unfit(error) else error)
        else:
            later = deferred_of(answer)
            if later is None:
                self._yield(invocation, answer)
                return
            self._answers[invocation.id] = later
            on_answer(later, lambda value: self._yield(invocation, value), lambda error: self._fail(invocation, error))

    def interrupt(self, invocation: Invocation, _mode: str) -> None:
        """Cancel what an endpoint still works on; it fails with CancelledError, or answers after all."""
        later = self._answers.get(invocation.id)
        if later is not None:
            later.cancel()

    def gone(self) -> None:
        """Let go of everything: the session has left, by itself or with the router."""
        for topic, listener in self._watches:
            self._router.broker.unwatch(topic, listener)
        self._watches.clear()
        self._handlers.clear()
        self._endpoints.clear()
        self._answers.clear()
        self._progress.clear()
        awaited = list(self._calls.values())
        self._calls.clear()
        for answer in awaited:
            answer.errback(WampError(CANCELED, "this session has left"))

    # --- Inside ----------------------------------------------------------------------------------------------------

    def _joined(self) -> bool:
        return self._router.has(self)

    def _drop(self, subscription: LocalSubscription) -> bool:
        """Take out a handler; tell whether it was its topic's last."""
        handlers = self._handlers.get((subscription.match, subscription.topic), [])
        if subscription not in handlers:
            return False
        handlers.remove(subscription)
        if not handlers:
            del self._handlers[subscription.match, subscription.topic]
        return not handlers

    def _request(self, message: Message) -> Message:
        """Make a request whose reply comes before it returns; raise WampError if that is an ERROR."""
        if not self._joined():
            raise WampError(CANCELED, "this session has left")
        self._router.serve(self, message)
        reply = self._replies.pop(message[1], None)
        if reply is None:
            raise WampError(AUTHORIZATION_FAILED, "an authorizer that takes time can be asked by calls only")
        if reply[0] == ERROR:
            raise exception_of(reply)
        return reply

    def _part(self, message: Message) -> None:
        taker = self._progress.get(message[1])
        if taker is not None:
            args, kwargs = payload_of(message, 3)
            try:
                on_answer(taker(*args, **kwargs), _done, self._handler_failed)
            except Exception as error:  # noqa: BLE001 - the boundary to a caller's code
                self._handler_failed(error)

    def _details(self, invocation: Invocation) -> CallDetails:
        caller = invocation.caller
        if caller is None:
            raise RuntimeError("an invocation without a caller")
        who = caller.identity
        progress = partial(self._yield_part, invocation) if invocation.progresses else None
        return CallDetails(caller.id, who.authid, who.authrole, invocation.procedure, caller.address, progress, who)

    def _yield_part(self, invocation: Invocation, *args: Any, **kwargs: Any) -> None:
        told = [args[0]] if len(args) == 1 and type(args[0]) is Shared else payload(args, kwargs)
        self._answer(invocation, [YIELD, invocation.id, {"progress": True}, *told])

    def _yield(self, invocation: Invocation, value: Any) -> None:
        result = value if isinstance(value, CallResult) else CallResult((value,), {})
        self._answer(invocation, [YIELD, invocation.id, {}, *payload(result.args, result.kwargs)])

    def _fail(self, invocation: Invocation, error: BaseException) -> None:
        if isinstance(error, CancelledError) and (
            invocation.killed or self.invocations.get(invocation.id) is not invocation
        ):
            error = WampError(CANCELED, "canceled by the caller")  # as it asked, and nothing to report
        uri = getattr(error, "uri", None)
        if not (isinstance(uri, str) and self._router.is_uri(uri)):
            self._router.report(f"procedure {invocation.registration.procedure}", error)
            uri, tail = RUNTIME_ERROR, [["the procedure failed; the server's log says why"]]
        elif isinstance(error, WampError):
            tail = payload(error.args, error.kwargs)
        else:
            tail = [[str(error)]]
        self._answer(invocation, [ERROR, INVOCATION, invocation.id, {}, uri, *tail])

    def _answer(self, invocation: Invocation, message: Message) -> None:
        if not (message[0] == YIELD and message[2]):
            self._answers.pop(invocation.id, None)
        # After this session left there is nothing to answer: its callers were told.
        if self.invocations.get(invocation.id) is invocation:
            self._router.serve(self, message)

    def _handler_failed(self, error: BaseException) -> None:
        self._router.report("event handler", error)


_ACKNOWLEDGE = {"acknowledge": True}


_UNFIT = WampError(INVALID_ARGUMENT, "these arguments don't fit this procedure")


def _is_unfit(error: Exception) -> bool:
    """Tell whether it was the call itself that failed: a TypeError with no frame below the caller's."""
    below = error.__traceback__ and error.__traceback__.tb_next
    return isinstance(error, TypeError) and below is None


def _done(_value: Any) -> None:
    """Take no note of what an event handler returned."""

"""A session of this program with a router elsewhere, for as long as the program runs: Autobahn's client, kept alive.

What is registered, subscribed and watched here is so again after each reconnection. What is published while there is
no connection is gone; `joined` is the time to say what still counts. Of a topic of policy "newest" nothing waits but
the newest event, and that only while the connection takes nothing more. The shape is that of `local.LocalSession`.
"""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from autobahn.twisted.wamp import ApplicationSession
from autobahn.twisted.websocket import WampWebSocketClientFactory
from autobahn.wamp import types
from autobahn.wamp.exception import ApplicationError, Error
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet import defer
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IPushProducer, IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper.wamp.errors import CANCELED, RUNTIME_ERROR, WampError
from gatekeeper.wamp.flow import Policy
from gatekeeper.wamp.local import CallDetails, CallResult
from gatekeeper.wamp.uris import UriRule

PING_SECONDS = 5.0  # a router that is silent is pinged after this long, and left after as long again
HANDSHAKE_SECONDS = 5.0
LEAVING_SECONDS = 1.0  # for the router to answer GOODBYE and close
JITTER = 0.25  # most that chance adds to a pause, in seconds: two processes shouldn't knock together
META_TOPICS = tuple(f"wamp.subscription.on_{what}" for what in ("create", "subscribe", "unsubscribe", "delete"))

Endpoint = Callable[..., Any]

_log = Logger()


def dialled(reactor: Any, url: str) -> IStreamClientEndpoint:
    """Return the endpoint of a `ws://` or `wss://` address; with TLS the certificate must be the host's."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "wss"
    endpoint = HostnameEndpoint(reactor, host.encode(), parts.port or (443 if secure else 80))
    return wrapClientTLS(optionsForClientTLS(host), endpoint) if secure else endpoint


class RemoteSession:
    """A session that joins again whenever it was lost.

    :param ticket: what proves `authid`; without one the session joins as "anonymous".
    :param policies: which topics are of policy "newest".
    :param retry: the first and the longest pause before connecting again, in seconds.
    :param joined: called after each join, when everything is registered and subscribed again; `lost` after each end.
    """

    def __init__(
        self,
        reactor: Any,
        url: str,
        realm: str,
        *,
        authid: str | None = None,
        ticket: str | None = None,
        policies: Callable[[str], Policy] = lambda topic: "all",
        retry: tuple[float, float] = (0.5, 30.0),
        joined: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        self.url, self.realm, self.authid, self.ticket = url, realm, authid, ticket
        self.joined, self.lost = joined, lost
        self._reactor = reactor
        self._policies = policies
        self._member: _Member | None = None
        self._endpoints: dict[str, tuple[Endpoint, bool, str | None]] = {}
        self._handlers: dict[str, tuple[Callable[..., Any], str]] = {}
        self._watches: dict[str, Callable[[int], None]] = {}
        self._failures = 0
        self._is_counting = self._is_stale = False
        self._pause = backoffPolicy(retry[0], retry[1], 2.0, jitter=lambda: JITTER * random.random())  # noqa: S311
        factory = WampWebSocketClientFactory(
            lambda: _Member(self), url=url, serializers=[CBORSerializer(), MsgPackSerializer(), JsonSerializer()]
        )
        factory.noisy = False
        factory.setProtocolOptions(
            openHandshakeTimeout=HANDSHAKE_SECONDS, autoPingInterval=PING_SECONDS, autoPingTimeout=PING_SECONDS
        )
        self._client = ClientService(endpoint or dialled(reactor, url), factory, self._retry_after, reactor)

    @property
    def is_joined(self) -> bool:
        """Whether the session is joined now."""
        return self._member is not None

    def start(self) -> None:
        """Connect, and stay so."""
        self._client.startService()

    def leave(self) -> "Deferred[Any]":
        """Leave for good; fires once the connection is closed, or when that takes too long."""
        if self._member is not None:
            self._member.leave()
        closing: Deferred[Any] = maybeDeferred(self._client.stopService)
        return closing.addTimeout(LEAVING_SECONDS, self._reactor).addErrback(_too_late)

    # --- the session's API -------------------------------------------------------------------------------------------

    def call(self, procedure: str, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        """Call a procedure; fails with WampError, also while there is no connection."""
        if self._member is None:
            return fail(WampError(CANCELED, "not connected to the router"))
        answer: Deferred[Any] = self._member.call(procedure, *args, **kwargs)
        return answer.addErrback(_as_wamp_error)

    def register(self, endpoint: Endpoint, procedure: str, *, details: bool = False, invoke: str | None = None) -> None:
        """Offer a procedure, now and after each join; a refusal is logged.

        :param invoke: "first", … to share it with others; where the router can't share, whoever is first has it alone.
        """
        self._endpoints[procedure] = (endpoint, details, invoke)
        if self._member is not None:
            self._member.offer(procedure, endpoint, details, invoke)

    def subscribe(self, handler: Callable[..., Any], topic: str, *, match: str = "exact") -> None:
        """Call the handler with each event, now and after each join; one handler for each topic."""
        self._handlers[topic] = (handler, match)
        if self._member is not None:
            self._member.listen(topic, handler, match)

    def unsubscribe(self, topic: str) -> None:
        """Call its handler no more."""
        if self._handlers.pop(topic, None) is not None and self._member is not None:
            self._member.unlisten(topic)

    def publish(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Publish an event, if there is a connection; of policy "newest", once the connection takes it."""
        if self._member is not None:
            self._member.send(topic, args, kwargs, newest=self._policies(topic) == "newest")

    def watch_subscribers(self, topic: str, listener: Callable[[int], None]) -> Callable[[], None]:
        """Tell the listener how many sessions get the topic's events, now and on each change.

        Where the router doesn't tell, it is one for as long as the session lasts: nothing is kept from anybody.

        :returns: what ends that.
        """
        self._watches[topic] = listener
        listener(0)
        self._count()

        def end() -> None:
            if self._watches.get(topic) is listener:
                del self._watches[topic]

        return end

    # --- what happens ------------------------------------------------------------------------------------------------

    def _entered(self, member: "_Member") -> None:
        _log.info("joined realm {realm} of the router at {url}", realm=self.realm, url=self.url)
        self._member, self._failures = member, 0
        for procedure, offered in self._endpoints.items():
            member.offer(procedure, *offered)
        for topic, (handler, match) in self._handlers.items():
            member.listen(topic, handler, match)
        if self._watches:
            for topic in META_TOPICS:
                member.listen(topic, lambda *_: self._count(), "exact")
        self._count()
        self.joined()

    def _departed(self, member: "_Member", reason: str) -> None:
        _log.info("not with the router at {url}: {reason}", url=self.url, reason=reason)
        if self._member is member:
            self._member = None
            for listener in self._watches.values():
                listener(0)
            self.lost()

    def _retry_after(self, _failed_attempts: int) -> float:
        self._failures += 1  # ClientService counts a connection that wasn't let in as a success
        return float(self._pause(self._failures))

    def _count(self) -> None:
        """Ask for each watched topic's subscribers; one round at a time, and again if something changed meanwhile."""
        member = self._member
        if member is None or not self._watches:
            return
        if self._is_counting:
            self._is_stale = True
            return
        self._is_counting, self._is_stale = True, False

        def counted(_: Any) -> None:
            self._is_counting = False
            if self._is_stale or self._member is not member:
                self._count()

        Deferred.fromCoroutine(self._count_all(member)).addErrback(_log_failure, "counting subscribers").addBoth(
            counted
        )

    async def _count_all(self, member: "_Member") -> None:
        for topic, listener in tuple(self._watches.items()):
            try:
                matching = await member.call("wamp.subscription.match", topic) or ()
                count = sum([await member.call("wamp.subscription.count_subscribers", one) or 0 for one in matching])
            except Error as error:
                if self._member is member:
                    _log.debug("the router doesn't count subscribers: {error}", error=error)
                count = 1
            if self._member is member:
                listener(count)


class _Member(ApplicationSession):  # type: ignore[misc]  # Autobahn is untyped
    """One connection's session."""

    def __init__(self, owner: RemoteSession) -> None:
        super().__init__(types.ComponentConfig(owner.realm))
        self._owner = owner
        self._subscriptions: dict[str, Any] = {}
        self._flow = _Flow(self)
        self._reason = "the connection was lost"

    def onConnect(self) -> None:
        if self._owner.ticket is None:
            self.join(self._owner.realm, ["anonymous"])
        else:
            self.join(self._owner.realm, ["ticket"], self._owner.authid)

    def onChallenge(self, challenge: Any) -> str | None:
        return self._owner.ticket

    def onJoin(self, details: Any) -> None:
        self._flow.begin(self._transport.transport)
        self._owner._entered(self)

    def onLeave(self, details: Any) -> None:
        self._reason = f"{details.reason}: {details.message}" if details.message else str(details.reason)
        self.disconnect()

    def onDisconnect(self) -> None:
        self._flow.end()
        self._owner._departed(self, self._reason)

    def onUserError(self, fail: Failure, msg: str) -> None:
        _log.failure("{what}", fail, what=msg)

    def offer(self, procedure: str, endpoint: Endpoint, wants_details: bool, invoke: str | None) -> None:
        """Register a procedure."""

        def answer(*args: Any, details: Any, **kwargs: Any) -> Any:
            if wants_details:
                kwargs["details"] = _told(details, procedure)
            return maybeDeferred(endpoint, *args, **kwargs).addCallbacks(
                _as_result, _as_error, errbackArgs=(procedure,)
            )

        def alone(failure: Failure) -> Any:
            return failure if invoke is None else self.register(answer, procedure, options=_registered(None))

        registering = self.register(answer, procedure, options=_registered(invoke)).addErrback(alone)
        registering.addErrback(_log_refusal, f"registering {procedure}")

    def listen(self, topic: str, handler: Callable[..., Any], match: str) -> None:
        """Subscribe."""

        def subscribed(subscription: Any) -> None:
            self._subscriptions[topic] = subscription
            if topic not in self._owner._handlers and topic not in META_TOPICS:
                self.unlisten(topic)

        options = types.SubscribeOptions(match=match)
        subscribing = self.subscribe(handler, topic, options=options)
        subscribing.addCallbacks(subscribed, _log_refusal, errbackArgs=(f"subscribing to {topic}",))

    def unlisten(self, topic: str) -> None:
        """End a subscription, if it has begun."""
        subscription = self._subscriptions.pop(topic, None)
        if subscription is not None and subscription.active:
            subscription.unsubscribe().addErrback(_log_refusal, f"unsubscribing from {topic}")

    def send(self, topic: str, args: Any, kwargs: Any, *, newest: bool) -> None:
        """Publish, or keep as the newest of its topic until there is room."""
        if newest and self._flow.is_paused:
            self._flow.slots[topic] = (args, kwargs)
        elif self.is_attached():
            self.publish(topic, *args, **kwargs)


@implementer(IPushProducer)
class _Flow:
    """Told by the transport when it is full and when it is empty again.

    :ivar slots: topic → what waits to be published on it.
    """

    def __init__(self, member: _Member) -> None:
        self.is_paused = False
        self.slots: dict[str, tuple[Any, Any]] = {}
        self._member = member

    def begin(self, transport: Any) -> None:
        """Listen to a transport."""
        transport.registerProducer(self, True)

    def end(self) -> None:
        """Let go of what waits."""
        self.slots.clear()

    def pauseProducing(self) -> None:
        self.is_paused = True

    def resumeProducing(self) -> None:
        self.is_paused = False
        while self.slots and not self.is_paused:
            topic = next(iter(self.slots))
            args, kwargs = self.slots.pop(topic)
            self._member.send(topic, args, kwargs, newest=True)

    def stopProducing(self) -> None:
        self.end()


def _registered(invoke: str | None) -> Any:
    return types.RegisterOptions(invoke=invoke, details_arg="details")


def _told(details: Any, procedure: str) -> CallDetails:
    """Return who calls, as far as the router discloses it."""
    return CallDetails(
        details.caller or 0, details.caller_authid or "undisclosed", details.caller_authrole or "", procedure, "router"
    )


def _as_result(value: Any) -> Any:
    return types.CallResult(*value.args, **value.kwargs) if isinstance(value, CallResult) else value


def _as_error(failure: Failure, procedure: str) -> Any:
    error: Any = failure.value
    uri = getattr(error, "uri", None)
    if not (isinstance(uri, str) and UriRule.LOOSE.accepts(uri)):
        _log.failure("procedure {procedure} failed", failure, procedure=procedure)
        raise ApplicationError(RUNTIME_ERROR, "the procedure failed; the server's log says why")
    if isinstance(error, WampError):
        raise ApplicationError(uri, *error.args, **error.kwargs)
    raise ApplicationError(uri, str(error))


def _as_wamp_error(failure: Failure) -> Any:
    error: Any = failure.value
    if isinstance(error, ApplicationError):
        raise WampError(error.error, *error.args)
    if isinstance(error, Error):  # the connection was lost before the answer came
        raise WampError(CANCELED, str(error))
    return failure


def _too_late(failure: Failure) -> None:
    failure.trap(defer.TimeoutError)


def _log_refusal(failure: Failure, what: str) -> None:
    _log.warn("{what}: {error}", what=what, error=failure.value)


def _log_failure(failure: Failure, what: str) -> None:
    _log.failure("{what} failed", failure, what=what)

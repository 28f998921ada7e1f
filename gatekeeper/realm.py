"""This site on a realm that it shares with other sites, over a router elsewhere.

    gatekeeper.camera.list, …             answered by the site that joined first, for all sites
    gatekeeper.site.<site>.camera.list    answered by one site, for itself; the sites ask each other by these
    gatekeeper.site                       topic: a site says what it has, every few seconds

Lists are everybody's; a call that names a door or camera goes to the site that has it. What other sites publish is
published to this site's own pages too, which stay on the router in this process, with its log-in and permissions. A
site that isn't heard of any more leaves nothing behind: its doors are unknown, its cameras offline.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from twisted.internet import defer
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gatekeeper import uris
from gatekeeper.errors import Indeterminate, NoSuchDoor, NotConnected
from gatekeeper.uris import Name
from gatekeeper.wamp.errors import NO_SUCH_PROCEDURE, WampError
from gatekeeper.wamp.local import CallDetails, LocalSession
from gatekeeper.wamp.remote import RemoteSession

ANNOUNCE_SECONDS = 3.0
LOST_SECONDS = 10.0  # without a word; as long as a lock waits for its server
RELAY_SECONDS = 6.0  # for another site's answer: its lock may take two to answer what is in flight, and two more
MAX_SITES = 100  # on one realm; further ones aren't heard, so that memory is bounded

CAMERA, DOOR = "camera", "door"

Status = dict[str, Any]
_TOPICS = {CAMERA: uris.TOPIC_CAMERA_STATE, DOOR: uris.TOPIC_DOOR_STATE}
_LISTS = {CAMERA: uris.CALL_CAMERA_LIST, DOOR: uris.CALL_DOOR_LIST}
_PASSED = (uris.TOPIC_CAMERA_FRAME, uris.TOPIC_CAMERA_TELEMETRY)  # of cameras, while somebody is subscribed
_GONE = {CAMERA: {"state": "offline", "fps": 0.0}, DOOR: {"state": "unknown", "connected": False, "source": "link"}}
_GONE_REASON = "its site can't be reached"


class Presence(Protocol):
    """The site's own session: the router in this process, or a realm that it shares."""

    def register(self, endpoint: Callable[..., Any], procedure: str, *, details: bool = False) -> Any:
        """Offer a procedure."""
        ...

    def publish(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Publish an event."""
        ...

    def watch_subscribers(self, topic: str, listener: Callable[[int], None]) -> Callable[[], None]:
        """Tell the listener the number of a topic's subscribers, now and on each change; return what ends that."""
        ...

    def leave(self) -> Any:
        """Leave."""
        ...


class Admission(Protocol):
    """Who may ask other sites for what; they themselves believe this site."""

    def check(self, details: CallDetails, procedure: str, thing: str) -> None:
        """Pass if the caller may call this for a thing.

        :raises GatekeeperError: if not.
        """
        ...

    def shown(self, details: CallDetails, answer: Any) -> Any:
        """Return what the caller may see of an answer of several sites."""
        ...


@dataclass(slots=True)
class Site:
    """Another site, as it last said.

    :ivar heard: seconds of the clock.
    :ivar said: what it last said that it has.
    :ivar has: "camera" and "door" → id → its last status.
    """

    heard: float
    said: Any = None
    has: dict[str, dict[str, Status]] = field(default_factory=lambda: {CAMERA: {}, DOOR: {}})


class SharedRealm:
    """A session here and one elsewhere, as one.

    :param name: this site's, on the realm; no two may be the same.
    :param refresh: publishes this site's states again.
    :ivar admission: must be set before anybody calls.
    :ivar has: "camera" and "door" → the ids of this site, as they are now; must be set before the start.
    """

    admission: Admission
    has: Mapping[str, Collection[str]]

    log = Logger()

    def __init__(
        self,
        local: LocalSession,
        remote: RemoteSession,
        *,
        reactor: Any,
        wall: Callable[[], float],
        name: str,
        refresh: Callable[[], None],
    ) -> None:
        self._local, self._remote = local, remote
        self._reactor, self._wall = reactor, wall
        self._name, self._refresh = name, refresh
        self._sites: dict[str, Site] = {}
        self._watched: set[str] = set()
        self._announcing = LoopingCall(self._tick)
        self._announcing.clock = reactor
        remote.joined, remote.lost = self._joined, self._lost
        remote.subscribe(self._heard_of, uris.TOPIC_SITE)
        for topic in (uris.TOPIC_EVENT.template, uris.TOPIC_CHANGED.template):
            remote.subscribe(partial(local.publish, topic), topic)

    def start(self) -> None:
        """Join the realm, and stay there."""
        self._remote.start()
        self._announcing.start(ANNOUNCE_SECONDS, now=False)

    def changed(self) -> None:
        """Say what this site has: cameras or doors came or went."""
        self._announce()

    # --- Presence ----------------------------------------------------------------------------------------------------

    def register(self, endpoint: Callable[..., Any], procedure: str, *, details: bool = False) -> None:
        """Offer a procedure here and there."""
        everywhere = self._everywhere(endpoint, procedure)
        self._local.register(everywhere, procedure, details=True)
        self._remote.register(everywhere, procedure, details=True, invoke="first")
        self._remote.register(_on_behalf(endpoint), _at(self._name, procedure), details=True)

    def publish(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Publish here and there."""
        self._local.publish(topic, *args, **kwargs)
        self._remote.publish(topic, *args, **kwargs)

    def watch_subscribers(self, topic: str, listener: Callable[[int], None]) -> Callable[[], None]:
        """Tell the listener the number of subscribers here and there; return what ends that."""
        counts = [0, 0]

        def at(place: int) -> Callable[[int], None]:
            def changed(count: int) -> None:
                counts[place] = count
                listener(sum(counts))

            return changed

        ends = (self._local.watch_subscribers(topic, at(0)), self._remote.watch_subscribers(topic, at(1)))

        def end() -> None:
            for one in ends:
                one()

        return end

    def leave(self) -> "Deferred[Any]":
        """Leave here and there."""
        if self._announcing.running:
            self._announcing.stop()
        self._remote.publish(uris.TOPIC_SITE, site=self._name, has=None)
        self._local.leave()
        return self._remote.leave()

    def has_camera(self, camera: str) -> bool:
        """Return whether another site has this camera."""
        return self._owner(CAMERA, camera) is not None

    # --- other sites -------------------------------------------------------------------------------------------------

    def _joined(self) -> None:
        self._announce()
        self._refresh()

    def _announce(self) -> None:
        self._remote.publish(uris.TOPIC_SITE, site=self._name, has={kind: list(ids) for kind, ids in self.has.items()})

    def _tick(self) -> None:
        self._announce()
        now = self._reactor.seconds()
        for name in [name for name, site in self._sites.items() if now - site.heard > LOST_SECONDS]:
            self._forget(name)

    def _lost(self) -> None:
        for name in tuple(self._sites):
            self._forget(name)

    def _heard_of(self, site: Any = None, has: Any = None, **_: Any) -> None:
        if not isinstance(site, str) or site == self._name:
            return
        if has is None:
            self._forget(site)
            return
        known = self._sites.get(site)
        if known is not None:
            known.heard = self._reactor.seconds()
            if known.said != has:
                self._reconsider(site, known, has)
        elif len(self._sites) < MAX_SITES:
            self._sites[site] = Site(self._reactor.seconds(), has)
            self.log.info("site {site} is on the realm", site=site)
            self._announce()  # it may not know of us
            for kind in _LISTS:
                self._learn(site, kind)

    def _reconsider(self, name: str, site: Site, has: Any) -> None:
        """Another site has other things than before: let go of what is gone, and ask for what came."""
        site.said = has
        for kind, known in site.has.items():
            ids = has.get(kind) if isinstance(has, dict) else None
            there = set(filter(lambda id_: isinstance(id_, str), ids)) if isinstance(ids, list) else set()
            for id_ in known.keys() - there:
                self._let_go(kind, id_, known.pop(id_), "it was removed from its site")
            if there - known.keys():
                self._learn(name, kind)

    def _learn(self, name: str, kind: str) -> None:
        def listed(statuses: Any) -> None:
            for status in statuses:
                self._take(name, kind, status)

        self._ask(name, _LISTS[kind].template).addCallbacks(listed, lambda failure: self._sites.pop(name, None))

    def _take(self, name: str, kind: str, status: Status) -> None:
        """Take a status of another site's, and show it here; never one of what is this site's own."""
        site, id_ = self._sites.get(name), status["id"]
        if site is None or id_ in self.has[kind] or self._owner(kind, id_) not in (None, name):
            return
        topic = _TOPICS[kind].format(**{kind: id_})
        if id_ not in site.has[kind]:
            self._remote.subscribe(partial(self._take, name, kind), topic)
        site.has[kind][id_] = status
        self._local.publish(topic, status)
        if kind == CAMERA:
            for topics in _PASSED:
                self._pass(topics.format(camera=id_))

    def _owner(self, kind: str, id_: str) -> str | None:
        return next((name for name, site in self._sites.items() if id_ in site.has[kind]), None)

    def _forget(self, name: str) -> None:
        site = self._sites.pop(name, None)
        if site is None:
            return
        self.log.warn("site {site} can't be reached", site=name)
        for kind, statuses in site.has.items():
            for id_, status in statuses.items():
                self._let_go(kind, id_, status, _GONE_REASON)

    def _let_go(self, kind: str, id_: str, status: Status, reason: str) -> None:
        topic = _TOPICS[kind].format(**{kind: id_})
        self._remote.unsubscribe(topic)
        self._local.publish(topic, {**status, **_GONE[kind], "reason": reason, "since": self._wall()})

    def _pass(self, topic: str) -> None:
        """Bring a camera's frames, or samples, here while somebody here watches."""
        if topic in self._watched:
            return
        self._watched.add(topic)

        def watched(count: int) -> None:
            if count:
                self._remote.subscribe(lambda *args, **about: self._local.publish(topic, *args, **about), topic)
            else:
                self._remote.unsubscribe(topic)

        self._local.watch_subscribers(topic, watched)

    # --- calls -------------------------------------------------------------------------------------------------------

    def _everywhere(self, endpoint: Callable[..., Any], procedure: str) -> Callable[..., Any]:
        """Return an endpoint that answers for every site."""
        merge, kind = _MERGED.get(procedure), _ROUTED.get(procedure)

        async def merged(*args: Any, details: CallDetails, **kwargs: Any) -> Any:
            assert merge is not None  # noqa: S101 - narrows the type
            asked = [self._ask(name, procedure, *args, **kwargs) for name in tuple(self._sites)]
            answer = await maybeDeferred(endpoint, *args, details=details, **kwargs)
            for other in asked:
                try:
                    answer = merge(answer, await other)
                except (WampError, NotConnected, Indeterminate) as error:
                    self.log.warn("{procedure}: a site didn't answer: {error}", procedure=procedure, error=error)
            return self.admission.shown(details, answer)

        def routed(*args: Any, details: CallDetails, **kwargs: Any) -> Any:
            assert kind is not None  # noqa: S101 - narrows the type
            wanted = kwargs.get(kind) or (args[0] if args else None)
            owner = self._owner(kind, wanted) if wanted is not None else self._only(kind)
            if owner is None:
                return endpoint(*args, details=details, **kwargs)
            self.admission.check(details, procedure, wanted or next(iter(self._sites[owner].has[kind])))
            return self._ask(owner, procedure, *args, on_behalf=details.authid, **kwargs)

        return merged if merge is not None else routed if kind is not None else endpoint

    def _only(self, kind: str) -> str | None:
        """Return the site that is meant when nothing is named: None for this one.

        :raises NoSuchDoor: if more than one site could be meant; nobody may open a door that he didn't mean.
        """
        having = [name for name, site in self._sites.items() if site.has[kind]]
        if having and (self.has[kind] or len(having) > 1):
            raise NoSuchDoor(f"several sites have a {kind}: name one")
        return having[0] if having else None

    def _ask(self, name: str, procedure: str, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        """Ask another site; fails with NotConnected if it isn't there, with Indeterminate if it doesn't answer."""

        def failed(failure: Any) -> Any:
            if failure.check(defer.TimeoutError):
                raise Indeterminate("the site that has it didn't answer in time")
            if failure.check(WampError) and failure.value.uri == NO_SUCH_PROCEDURE:
                raise NotConnected("the site that has it isn't there")
            return failure

        asked = self._remote.call(_at(name, procedure), *args, **kwargs)
        return asked.addTimeout(RELAY_SECONDS, self._reactor).addErrback(failed)


def _at(site: str, procedure: str) -> str:
    return uris.AT_SITE.format(site=site, procedure=procedure.removeprefix("gatekeeper."))


def _on_behalf(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*args: Any, details: CallDetails, on_behalf: str | None = None, **kwargs: Any) -> Any:
        if on_behalf is not None:
            details = replace(details, authid=f"{on_behalf} via {details.authid}")
        return endpoint(*args, details=details, **kwargs)

    return asked


def _status_of_all(own: Status, other: Status) -> Status:
    return {**own, "cameras": [*own["cameras"], *other["cameras"]], "doors": [*own["doors"], *other["doors"]]}


def _by_time(own: list[Status], other: list[Status]) -> list[Status]:
    return sorted([*own, *other], key=lambda event: float(event["time"]))


def _names(*names: Name) -> list[str]:
    return [name.template for name in names]


_MERGED: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(_names(uris.CALL_CAMERA_LIST, uris.CALL_DOOR_LIST), lambda own, other: [*own, *other]),
    uris.CALL_EVENT_RECENT.template: _by_time,
    uris.CALL_SYSTEM_STATUS.template: _status_of_all,
}
_ROUTED: dict[str, str] = {
    **dict.fromkeys(_names(uris.CALL_DOOR_STATUS, uris.CALL_DOOR_OPEN, uris.CALL_DOOR_LOCK), DOOR),
    **dict.fromkeys(
        _names(
            uris.CALL_CAMERA_STATUS,
            uris.CALL_CAMERA_KEEP,
            uris.CALL_CAMERA_SETTINGS,
            uris.CALL_CAMERA_SET,
            uris.CALL_CAMERA_TELEMETRY,
        ),
        CAMERA,
    ),
}

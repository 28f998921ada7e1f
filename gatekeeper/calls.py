"""What can be called over WAMP: who calls → may this one → ask → encode; a procedure per line of the table in `uris`.

The router lets a call through if the caller may do such a thing at all; whether it may be done to this door or camera
is asked here, where the thing is known.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from gatekeeper import decoding, uris
from gatekeeper.access.api import Access
from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal, check
from gatekeeper.access.roles import Role
from gatekeeper.caller import Caller
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.tile import asked_of, painted_of
from gatekeeper.cameras.watching import Watching
from gatekeeper.doors.api import Doors
from gatekeeper.errors import AccessDenied, InvalidArgument, NoSuchDoor
from gatekeeper.evidence.event import Event, Query
from gatekeeper.gallery.api import Gallery
from gatekeeper.gallery.snapshot import SnapshotQuery
from gatekeeper.realm import Presence
from gatekeeper.records import Records, sees
from gatekeeper.reloading import Renewal
from gatekeeper.system.api import System
from gatekeeper.tried import Editor
from gatekeeper.uris import Name, Permission
from gatekeeper.wamp.local import CallDetails

ROOM = 256 * 1024
"""Bytes that may wait for somebody who follows the record: a quarter of what ends a session."""

Q = TypeVar("Q", bound=msgspec.Struct)

LOOK = 0.05
"""Seconds between looks whether a follower has read."""


class Calls:
    """The procedures of a site.

    :param guard: knows who a session is.
    :param unsent: tells of a session how many bytes wait for it to read.
    :param clock: the reactor.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        cameras: Cameras,
        watching: Watching,
        doors: Doors,
        system: System,
        renewing: Renewal,
        editing: Editor,
        records: Records,
        access: Access,
        pictures: Gallery,
        unsent: Callable[[int], int],
        clock: Any,
    ) -> None:
        self._guard = guard
        self._cameras = cameras
        self._watching = watching
        self._doors = doors
        self._system = system
        self._renewing = renewing
        self._editing = editing
        self._records = records
        self._access = access
        self._pictures = pictures
        self._unsent = unsent
        self._clock = clock

    def offer(self, session: Presence) -> None:
        """Register what is answered here; `session` is the site's own."""
        serve = Server(session, self)
        serve(uris.CALL_SYSTEM_STATUS, lambda who: self.seen(who, self._system.status()))
        serve(uris.CALL_SYSTEM_TIME, lambda who: self._system.time())
        serve(uris.CALL_SYSTEM_RELOAD, lambda who: Deferred.fromCoroutine(self._renewing.reload(who.caller)))
        serve(uris.CALL_CAMERA_LIST, lambda who: self.seen(who, self._cameras.list()))
        serve(uris.CALL_CAMERA_STATUS, self._camera_status)
        serve(uris.CALL_CAMERA_SETTINGS, self._camera_settings)
        serve(uris.CALL_CAMERA_SET, self._camera_set)
        serve(uris.CALL_CAMERA_TELEMETRY, self._camera_telemetry)
        serve.following(uris.CALL_CAMERA_WATCH, self._watch)
        serve.following(uris.CALL_CAMERA_CREDIT, self._credit)
        editing, later = self._editing, Deferred.fromCoroutine
        serve(uris.CALL_CAMERA_TRY, lambda who, **given: later(editing.try_(who.caller, given)))
        serve(uris.CALL_CAMERA_ADD, lambda who, **given: later(editing.add(who.caller, given)))
        serve(
            uris.CALL_CAMERA_CHANGE,
            lambda who, camera, **given: later(editing.change(who.caller, text("camera", camera), given)),
        )
        serve(uris.CALL_CAMERA_REMOVE, lambda who, camera: later(editing.remove(who.caller, text("camera", camera))))
        serve(uris.CALL_CAMERA_STRANGERS, lambda who: self._cameras.strangers())
        pictures = self._pictures
        serve(uris.CALL_CAMERA_KEEP, self._camera_keep)
        serve(uris.CALL_PICTURE_LIST, lambda who, **query: pictures.list(who, query_of(query, SnapshotQuery)))
        serve(uris.CALL_PICTURE_DAYS, lambda who, camera=None: pictures.days(who, optional("camera", camera)))
        serve(uris.CALL_PICTURE_DELETE, lambda who, picture: pictures.delete(who, text("picture", picture)))
        serve(uris.CALL_DOOR_LIST, lambda who: self.seen(who, self._doors.list()))
        serve(uris.CALL_DOOR_STATUS, self._door_status)
        serve(uris.CALL_DOOR_OPEN, lambda who, door=None, **more: self._work("open", who, door, more))
        serve(uris.CALL_DOOR_LOCK, lambda who, door=None, **more: self._work("lock", who, door, more))

        records, access = self._records, self._access
        serve(uris.CALL_EVENT_RECENT, records.recent)
        serve(uris.CALL_EVENT_LIST, lambda who, **query: records.list(who, query_of(query, Query)))
        serve(uris.CALL_EVENT_GET, lambda who, event: records.get(who, text("event", event)))
        serve(uris.CALL_EVENT_VERIFY, lambda who, event: records.verify(who, text("event", event)))
        serve(uris.CALL_EVENT_HOLD, lambda who, event, reason=None: records.hold(who, text("event", event), reason))
        serve(
            uris.CALL_EVENT_RELEASE, lambda who, event, reason=None: records.release(who, text("event", event), reason)
        )
        serve(uris.CALL_EVENT_ERASE, self._erase)
        serve.following(uris.CALL_EVENT_FOLLOW, self._follow)
        serve(uris.CALL_ACCESS_USERS, access.users)
        serve(uris.CALL_ACCESS_ADD, lambda who, **given: access.add(who, given))
        serve(uris.CALL_ACCESS_CHANGE, lambda who, **given: access.change(who, given))
        serve(uris.CALL_ACCESS_REVOKE, lambda who, **given: access.revoke(who, given))
        serve(uris.CALL_ACCESS_GRANT, lambda who, **given: access.grant(who, given))
        serve(uris.CALL_ACCESS_REVOKE_GRANT, lambda who, **given: access.revoke_grant(who, given))
        serve(uris.CALL_ACCESS_KEYS, lambda who, **given: access.keys(who, given))
        serve(uris.CALL_ACCESS_NEW_KEY, lambda who, **given: access.new_key(who, given))
        serve(uris.CALL_ACCESS_REVOKE_KEY, lambda who, **given: access.revoke_key(who, given))

    # --- who ---

    def who(self, details: CallDetails) -> Principal:
        """Return who calls, as the accounts have it now.

        :raises NotAuthenticated: if what it came in by is over.
        """
        if details.identity is None:  # on a realm that is shared: the router there has let it in
            caller = Caller(name=details.authid, address=details.address, client="wamp")
            return Principal(details.authid, Role.OWNER, caller=caller)
        return self._guard.principal_of(details.identity)

    def check(self, details: CallDetails, procedure: str, thing: str) -> None:
        """Pass if the caller may call this for this thing, which another site has.

        :raises AccessDenied: if not.
        """
        permission = next(name.permission for name in uris.PROCEDURES if name.template == procedure)
        check(self.who(details), permission, thing)

    def shown(self, details: CallDetails, answer: Any) -> Any:
        """Return what the caller may see of lists that other sites answered."""
        who = self.who(details)
        if isinstance(answer, list):
            return [entry for entry in answer if _is_seen(who, entry)]
        if isinstance(answer, dict) and "cameras" in answer:
            return {**answer, **{kind: self.shown(details, answer[kind]) for kind in ("cameras", "doors")}}
        return answer

    @staticmethod
    def seen(who: Principal, answer: Any) -> Any:
        """Return a list, or a status with lists, of what somebody may view."""
        if isinstance(answer, list):
            return [entry for entry in answer if _is_seen(who, msgspec.to_builtins(entry))]
        return msgspec.structs.replace(
            answer, cameras=Calls.seen(who, answer.cameras), doors=Calls.seen(who, answer.doors)
        )

    # --- the record ---

    def _follow(self, who: Principal, details: CallDetails, after: int | None = None) -> "Deferred[None]":
        """Give what came after a sequence and then each event as it happens, as parts of a result that never ends.

        :raises InvalidArgument: if the caller doesn't take results in parts.
        """
        progress = details.progress
        if progress is None:
            raise InvalidArgument("call it with receive_progress: the events come as progressive results")
        if after is not None and (not isinstance(after, int) or isinstance(after, bool) or after < 0):
            raise InvalidArgument(f"after: found {decoding.show(after)}; allowed: the sequence of an event, from 0")

        def deliver(event: Event) -> Any:
            progress(plain(event))
            return self._room(details.session) if self._unsent(details.session) > ROOM else None

        return self._records.follow(who, after, deliver).ended

    @inlineCallbacks
    def _room(self, session: int) -> Any:
        """Wait until a session has read most of what it was sent: a long record must not end it as if it were stuck."""
        while self._unsent(session) > ROOM // 2:
            yield deferLater(self._clock, LOOK, lambda: None)

    def _erase(self, who: Principal, event: str, number: int, reason: str | None = None) -> Any:
        if not isinstance(number, int) or isinstance(number, bool):
            raise InvalidArgument(f"number: found {decoding.show(number)}; allowed: the number of a picture, from 1")
        return self._records.erase(who, text("event", event), number, reason)

    # --- cameras and doors ---

    def _camera_status(self, who: Principal, camera: str) -> Any:
        check(who, Permission.CAMERA_VIEW, text("camera", camera))
        return self._cameras.status(camera)

    def _camera_settings(self, who: Principal, camera: str) -> Any:
        check(who, Permission.CAMERA_VIEW, text("camera", camera))
        return self._cameras.settings(camera)

    def _camera_telemetry(self, who: Principal, camera: str, since: float | None = None) -> Any:
        check(who, Permission.CAMERA_VIEW, text("camera", camera))
        return self._cameras.telemetry(camera, since)

    def _camera_set(self, who: Principal, camera: str, **settings: Any) -> Any:
        try:
            check(who, Permission.CAMERA_CONTROL, text("camera", camera))
        except AccessDenied as error:
            self._cameras.refused(who.caller, camera, error)
            raise
        return self._cameras.set(who.caller, camera, settings)

    def _watch(self, who: Principal, details: CallDetails, **given: Any) -> "Deferred[None]":
        """Give a camera's pictures by credit, as parts of a result that never ends.

        :raises InvalidArgument: if the caller doesn't take results in parts.
        """
        asked = asked_of(given)
        check(who, Permission.CAMERA_VIEW, asked.camera)
        if details.progress is None:
            raise InvalidArgument("call it with receive_progress: the pictures come as progressive results")
        return self._watching.watch(details.session, details.progress, asked)

    def _credit(self, who: Principal, details: CallDetails, painted: Any) -> None:
        self._watching.credit(
            details.session, painted_of(painted), lambda camera: who.may(Permission.CAMERA_VIEW, camera)
        )

    def _camera_keep(self, who: Principal, camera: str) -> Any:
        try:
            check(who, Permission.CAMERA_CONTROL, text("camera", camera))
        except AccessDenied as error:
            self._pictures.refused(who, camera, error)
            raise
        return self._pictures.keep(who, camera)

    def _door_status(self, who: Principal, door: str | None = None) -> Any:
        check(who, Permission.DOOR_VIEW, self._named(who, door))
        return self._doors.status(self._named(who, door))

    def _work(self, verb: Any, who: Principal, door: str | None, arguments: dict[str, Any]) -> Any:
        named = self._named(who, door)
        permission = Permission.DOOR_OPEN if verb == "open" else Permission.DOOR_LOCK
        try:
            check(who, permission, named)
        except AccessDenied as error:
            if self._doors.has(named):
                return self._doors.refuse(verb, who.caller, named, error)
            raise
        given = {**arguments, "door": named}
        return self._doors.open(who.caller, given) if verb == "open" else self._doors.lock(who.caller, given)

    def _named(self, who: Principal, door: str | None) -> str:
        """Return the door that is meant: the one that there is for this caller, if none is named."""
        if door is not None:
            return text("door", door)
        mine = [status.id for status in self._doors.list() if who.may(Permission.DOOR_VIEW, status.id)]
        if len(mine) != 1:
            raise NoSuchDoor(f"say which door; there are: {', '.join(mine) or 'none'}")
        return mine[0]


class Server:
    """Registers endpoints that learn who calls, and whose answers are what every serializer knows."""

    def __init__(self, session: Presence, calls: Calls) -> None:
        self._session = session
        self._calls = calls

    def __call__(self, name: Name, answer: Callable[..., Any]) -> None:
        """Offer a procedure: `answer` is called with who calls, then the call's arguments."""
        self._offer(name, answer, lambda who, details: (who,))

    def following(self, name: Name, answer: Callable[..., Any]) -> None:
        """Offer one whose result comes in parts: `answer` takes who calls, how, then the arguments."""
        self._offer(name, answer, lambda who, details: (who, details))

    def _offer(self, name: Name, answer: Callable[..., Any], first: Callable[..., tuple[Any, ...]]) -> None:
        takes = signature(answer)

        def endpoint(*args: Any, details: CallDetails, **kwargs: Any) -> Any:
            who = self._calls.who(details)
            check(who, name.permission)
            given = first(who, details)
            try:
                takes.bind(*given, *args, **kwargs)
            except TypeError as error:
                raise InvalidArgument(f"{name.template}: {error}") from error
            return plain(answer(*given, *args, **kwargs))

        self._session.register(endpoint, name.template, details=True)


def plain(value: Any) -> Any:
    """Return structs as what every WAMP serializer knows; a Deferred gives the same later."""
    if isinstance(value, Deferred):
        return value.addCallback(plain)
    return msgspec.to_builtins(value)


def _is_seen(who: Principal, entry: Any) -> bool:
    """Return whether a camera's, a door's or an event's status, as a dict, may be shown."""
    if "subject" in entry:
        return sees(who, entry["subject"], entry["kind"])
    permission = Permission.DOOR_VIEW if "lease" in entry else Permission.CAMERA_VIEW
    return who.may(permission, entry["id"])


def query_of(given: Mapping[str, Any], kind: type[Q]) -> Q:
    """Return the query that named arguments ask.

    :raises InvalidArgument: if they are none.
    """
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), kind, noun="argument")) from error


def optional(name: str, value: Any) -> str | None:
    """Return an argument that must be text, if it is there."""
    return None if value is None else text(name, value)


def text(name: str, value: Any) -> str:
    """Return an argument that must be text.

    :raises InvalidArgument: if it isn't.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{name}: found {decoding.kind_of(value)}; allowed: text")
    return value

"""Routes of doors: their state, and the two actions, which are POST only."""

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.doors.api import Doors
from gatekeeper.doors.structs import DoorStatus, LockResult, OpenResult
from gatekeeper.errors import AccessDenied, InvalidArgument
from gatekeeper.http.requests import body_of
from gatekeeper.http.routes import Routes
from gatekeeper.uris import Permission


class LockBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the door is worked.

    :ivar reason: kept in the record.
    """

    reason: Annotated[str, Meta(max_length=200)] | None = None


class OpenBody(LockBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a door stands open, and why.

    :ivar reason: kept in the record.
    :ivar duration: seconds until it locks by itself, at most the door's `maximum_duration`; its `default_duration` if
        left out.
    :ivar idempotency_key: of two calls with the same one, within ten minutes, the second gets the first one's answer.
    """

    duration: Annotated[float, Meta(gt=0, le=3600)] | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class DoorRoutes:
    """Doors over HTTP."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.DOORS, self._list, "List the doors that you may view.", gives=list[DoorStatus])
        routes.add(uris.DOOR, self._status, "Tell the state of a door.", gives=DoorStatus)
        routes.add(
            uris.DOOR_OPEN, self._open, "Open a door; answers on the lock's own acknowledgement.",
            takes=OpenBody, gives=OpenResult, refused=partial(self._refused, "open"),
        )  # fmt: skip
        routes.add(
            uris.DOOR_LOCK, self._lock, "Lock a door; answers on the lock's own acknowledgement.",
            takes=LockBody, gives=LockResult, refused=partial(self._refused, "lock"),
        )  # fmt: skip

    def _list(self, request: Request, who: Principal) -> list[DoorStatus]:
        return visible(self._doors.list(), who)

    def _status(self, request: Request, who: Principal, door: str) -> DoorStatus:
        return self._doors.status(door)

    def _open(self, request: Request, who: Principal, door: str) -> "Deferred[OpenResult]":
        return self._doors.open(who.caller, _for(door, request))

    def _lock(self, request: Request, who: Principal, door: str) -> "Deferred[LockResult]":
        return self._doors.lock(who.caller, _for(door, request))

    def _refused(self, verb: Literal["open", "lock"], who: Principal, error: AccessDenied, door: str) -> Any:
        """Put on the record that somebody tried what they may not."""
        return self._doors.refuse(verb, who.caller, door, error) if self._doors.has(door) else None


def visible(doors: list[DoorStatus], who: Principal) -> list[DoorStatus]:
    """Return those of the doors that somebody may view."""
    return [door for door in doors if who.may(Permission.DOOR_VIEW, door.id)]


def _for(door: str, request: Request) -> dict[str, Any]:
    arguments = body_of(request)
    if arguments.setdefault("door", door) != door:
        raise InvalidArgument(f'door: the address says "{door}", the body something else')
    return arguments

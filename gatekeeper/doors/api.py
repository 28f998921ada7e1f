"""Doors for callers, whatever wire they come by: arguments in, structs out, errors raised."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from twisted.internet.defer import Deferred, fail

from gatekeeper import decoding
from gatekeeper.caller import Caller
from gatekeeper.doors.actions import Locked, Opened
from gatekeeper.doors.link import DoorLink
from gatekeeper.doors.recording import Action, Clock, Entry, Record, Recording
from gatekeeper.doors.repeats import Repeats
from gatekeeper.doors.states import DoorState
from gatekeeper.doors.structs import (
    DoorStatus,
    LeaseStatus,
    LockArguments,
    LockResult,
    OpenArguments,
    OpenResult,
    Signal,
)
from gatekeeper.errors import GatekeeperError, InvalidArgument, NoSuchDoor

T = TypeVar("T", bound=msgspec.Struct)


class Doors:
    """All doors of a site.

    :param links: by door id, as they are now; so `cameras`.
    :param clock: monotonic seconds and delayed calls; `wall`: Unix seconds now.
    :param cameras: door id -> ids of the cameras that look at it.
    :param record: takes the events.
    """

    def __init__(
        self,
        *,
        links: Mapping[str, DoorLink],
        clock: Clock,
        wall: Callable[[], float],
        cameras: Mapping[str, tuple[str, ...]],
        record: Record,
        virtual: bool = False,
    ) -> None:
        self._links = links
        self._clock = clock.seconds
        self._wall = wall
        self._cameras = cameras
        self.recording = Recording(clock, record)
        self._virtual = virtual
        self._repeats = Repeats(clock.seconds)

    def list(self) -> list[DoorStatus]:
        """Return the status of every door, in the configuration's order."""
        return [self._describe(link) for link in self._links.values()]

    def status(self, door: str | None = None) -> DoorStatus:
        """Return the status of one door.

        :raises NoSuchDoor: if there is none of this id, or none is given and there are several.
        """
        return self._describe(self._find(door))

    def open(self, caller: Caller, arguments: Mapping[str, Any]) -> "Deferred[OpenResult]":
        """Open a door for a while.

        Fires when the lock acknowledged; fails with one of InvalidArgument, NoSuchDoor, Busy, NotConnected, Rejected
        and Indeterminate within the command's deadline. A second call with the same `idempotency_key` gets the first
        one's answer and sends nothing, unless the first was refused before anything was sent.
        """
        try:
            wanted = _convert(arguments, OpenArguments)
        except InvalidArgument as error:
            return self._misunderstood("open", caller, arguments, error)
        link = self._find(wanted.door)
        door = link.config
        duration = door.open_duration if wanted.duration is None else wanted.duration
        if duration > door.maximum_open_duration:
            too_long = InvalidArgument(
                f"duration: found {duration:g}; at most {door.maximum_open_duration:g} s at {door.id}"
            )
            return self.refuse("open", caller, door.id, too_long, wanted.reason)

        def start() -> "Deferred[OpenResult]":
            action = Action("open", door.id, caller, wanted.reason, {"duration": duration})
            return self.recording.run(action, lambda: link.open(duration, str(caller), wanted.reason), self._opened)

        if wanted.idempotency_key is None:
            return start()
        return self._repeats.once((caller.name, door.id, wanted.idempotency_key), (duration, wanted.reason), start)

    def lock(self, caller: Caller, arguments: Mapping[str, Any]) -> "Deferred[LockResult]":
        """Lock a door: the safe direction, accepted whenever the lock is connected, and next to go out."""
        try:
            wanted = _convert(arguments, LockArguments)
        except InvalidArgument as error:
            return self._misunderstood("lock", caller, arguments, error)
        link = self._find(wanted.door)
        action = Action("lock", link.config.id, caller, wanted.reason, {})
        return self.recording.run(action, lambda: link.lock(str(caller), wanted.reason), self._locked)

    def has(self, door: str) -> bool:
        """Return whether there is a door of this id."""
        return door in self._links

    def refuse(
        self,
        verb: Literal["open", "lock"],
        caller: Caller,
        door: str,
        error: GatekeeperError,
        reason: str | None = None,
    ) -> "Deferred[Any]":
        """Record that somebody was not let, and nothing was sent to the lock; fails with the error then."""
        return self.recording.refuse(Action(verb, door, caller, reason, {}), error)

    def _opened(self, action: Action, result: Opened, outcome: Entry) -> OpenResult:
        return OpenResult(
            door=action.door,
            state=DoorState.UNLOCKED,
            acknowledged=self._to_wall(result.at),
            latency=result.latency,
            lease_ends=self._to_wall(result.lease.ends),
            duration=result.lease.duration,
            event=outcome.id,
            recorded=False,
        )

    def _locked(self, action: Action, result: Locked, outcome: Entry) -> LockResult:
        return LockResult(
            door=action.door,
            state=DoorState.LOCKED,
            acknowledged=self._to_wall(result.at),
            latency=result.latency,
            event=outcome.id,
            recorded=False,
        )

    def _misunderstood(
        self, verb: Literal["open", "lock"], caller: Caller, arguments: Mapping[str, Any], error: InvalidArgument
    ) -> "Deferred[Any]":
        """Refuse wrong arguments; at a door that exists that stands on its record."""
        door = arguments.get("door") or next(iter(self._links), None)
        if isinstance(door, str) and door in self._links:
            return self.refuse(verb, caller, door, error)
        return fail(error)

    # --- doors ---

    def _find(self, door: str | None) -> DoorLink:
        names = ", ".join(self._links) or "none"
        if not isinstance(door, str | None):
            raise InvalidArgument(f"door: found {decoding.kind_of(door)}; allowed: text")
        if door is None:
            if len(self._links) == 1:
                return next(iter(self._links.values()))
            raise NoSuchDoor(f"say which door; there are: {names}")
        link = self._links.get(door)
        if link is None:
            raise NoSuchDoor(f'there is no door "{door[:40]}"; there are: {names}')
        return link

    def _describe(self, link: DoorLink) -> DoorStatus:
        door, lease, signal = link.door, link.door.lease, link.door.signal
        confirmed = door.confirmed
        return DoorStatus(
            id=link.config.id,
            name=link.config.label,
            virtual=self._virtual,
            signed=link.is_signed,
            state=door.state,
            since=self._to_wall(door.since),
            confirmed=None if confirmed is None else self._to_wall(confirmed),
            age=None if confirmed is None else max(0.0, self._clock() - confirmed),
            source=door.source,
            reason=door.reason,
            connected=door.ready,
            signal=None if signal is None else Signal(signal.level, signal.rssi, self._to_wall(door.signal_at)),
            lease=None
            if lease is None
            else LeaseStatus(self._to_wall(lease.ends), lease.duration, lease.holder, lease.reason),
            default_duration=link.config.open_duration,
            maximum_duration=link.config.maximum_open_duration,
            cameras=self._cameras.get(link.config.id, ()),
        )

    def _to_wall(self, moment: float) -> float:
        return self._wall() - (self._clock() - moment)


def _convert(arguments: Mapping[str, Any], to: type[T]) -> T:
    given = dict(arguments)
    try:
        return msgspec.convert(given, to)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, given, to, noun="argument")) from error

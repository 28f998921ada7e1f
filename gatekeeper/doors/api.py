"""Doors for callers, whatever wire they come by: arguments in, structs out, errors raised."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred

from gatekeeper import decoding
from gatekeeper.doors.actions import Locked, Opened
from gatekeeper.doors.link import DoorLink
from gatekeeper.doors.repeats import Repeats
from gatekeeper.doors.states import DoorState
from gatekeeper.errors import GatekeeperError, InvalidArgument, NoSuchDoor


class Signal(msgspec.Struct, frozen=True):
    """The lock's radio link: its own word for it, dBm, and the Unix seconds at which it said so."""

    level: str
    rssi: int
    received: float


class LeaseStatus(msgspec.Struct, frozen=True):
    """The permission to stand open: `ends` in Unix seconds, `duration` in seconds, `holder` who asked."""

    ends: float
    duration: float
    holder: str
    reason: str | None


class DoorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a door, and since when.

    :ivar state: one of `doors.states.DoorState`; of the lock's relay, since these locks have no sensor on the door.
    :ivar since: Unix seconds at which the state was entered.
    :ivar confirmed: Unix seconds at which the lock itself last said what its relay is, or None; `age` is the seconds
        since.
    :ivar source: what the state comes from: `acknowledgement`, `status`, `broadcast`, `command`, `deadline`, `link`.
    """

    id: str
    name: str
    virtual: bool
    state: DoorState
    since: float
    confirmed: float | None
    age: float | None
    source: str
    reason: str | None
    connected: bool
    signal: Signal | None
    lease: LeaseStatus | None
    default_duration: float
    maximum_duration: float
    cameras: tuple[str, ...]


class OpenResult(msgspec.Struct, frozen=True, kw_only=True):
    """The lock acknowledged: `acknowledged` and `lease_ends` in Unix seconds, `latency` and `duration` in seconds."""

    door: str
    state: DoorState
    acknowledged: float
    latency: float
    lease_ends: float
    duration: float


class LockResult(msgspec.Struct, frozen=True, kw_only=True):
    """The lock acknowledged: `acknowledged` in Unix seconds, `latency` in seconds."""

    door: str
    state: DoorState
    acknowledged: float
    latency: float


Reason = Annotated[str, Meta(max_length=200)] | None


class LockArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `lock` takes; `door` may be left out where there is one door."""

    door: str | None = None
    reason: Reason = None


class OpenArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `open` takes; `duration` in seconds, the door's default if left out."""

    door: str | None = None
    reason: Reason = None
    duration: Annotated[float, Meta(gt=0)] | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class Doors:
    """All doors of a site.

    :param links: by door id.
    :param clock: monotonic seconds now; `wall`: Unix seconds now.
    :param cameras: door id -> ids of the cameras that look at it.
    :param record: told of every answer: kind, text, door, actor, outcome.
    """

    def __init__(
        self,
        *,
        links: Mapping[str, DoorLink],
        clock: Callable[[], float],
        wall: Callable[[], float],
        cameras: Mapping[str, tuple[str, ...]],
        record: Callable[[str, str, str, str, str], None],
        virtual: bool = False,
    ) -> None:
        self._links = links
        self._clock = clock
        self._wall = wall
        self._cameras = cameras
        self._record = record
        self._virtual = virtual
        self._repeats = Repeats(clock)

    def list(self) -> list[DoorStatus]:
        """Return the status of every door, in the configuration's order."""
        return [self._describe(link) for link in self._links.values()]

    def status(self, door: str | None = None) -> DoorStatus:
        """Return the status of one door.

        :raises NoSuchDoor: if there is none of this id, or none is given and there are several.
        """
        return self._describe(self._find(door))

    def open(self, caller: str, arguments: Mapping[str, Any]) -> "Deferred[OpenResult]":
        """Open a door for a while.

        Fires when the lock acknowledged; fails with one of InvalidArgument, NoSuchDoor, Busy, NotConnected, Rejected
        and Indeterminate within the command's deadline. A second call with the same `idempotency_key` gets the first
        one's answer and sends nothing, unless the first was refused before anything was sent.
        """
        wanted = _convert(arguments, OpenArguments)
        link = self._find(wanted.door)
        door = link.config
        duration = door.open_duration if wanted.duration is None else wanted.duration
        if duration > door.maximum_open_duration:
            raise InvalidArgument(
                f"duration: found {duration:g}; at most {door.maximum_open_duration:g} s at {door.id}"
            )

        def start() -> "Deferred[OpenResult]":
            answer = link.open(duration, caller, wanted.reason)
            return self._recorded(answer, self._opened, verb="open", door=door.id, caller=caller, reason=wanted.reason)

        if wanted.idempotency_key is None:
            return start()
        return self._repeats.once((caller, door.id, wanted.idempotency_key), (duration, wanted.reason), start)

    def lock(self, caller: str, arguments: Mapping[str, Any]) -> "Deferred[LockResult]":
        """Lock a door: the safe direction, accepted whenever the lock is connected, and next to go out."""
        wanted = _convert(arguments, LockArguments)
        link = self._find(wanted.door)
        answer = link.lock(caller, wanted.reason)
        return self._recorded(
            answer, self._locked, verb="lock", door=link.config.id, caller=caller, reason=wanted.reason
        )

    # --- answers ---

    def _recorded(
        self, answer: "Deferred[Any]", done: Any, *, verb: str, door: str, caller: str, reason: str | None
    ) -> "Deferred[Any]":
        because = f" ({reason})" if reason else ""

        def failed(failure: Any) -> Any:
            error = failure.value
            code = error.code if isinstance(error, GatekeeperError) else "internal"
            self._record(f"door.{verb}_failed", f"{caller} could not {verb}{because}: {error}", door, caller, code)
            return failure

        def succeeded(result: Any) -> Any:
            described = done(door, result)
            took = f"{described.latency * 1000:.0f} ms"
            self._record(f"door.{verb}ed", f"{caller} {verb}ed{because}; acknowledged in {took}", door, caller, "ok")
            return described

        told: Deferred[Any] = Deferred()  # its own: who gives up waiting doesn't take the lock's answer off the record
        answer.addCallbacks(succeeded, failed).addBoth(told.callback)
        return told

    def _opened(self, door: str, result: Opened) -> OpenResult:
        return OpenResult(
            door=door,
            state=DoorState.UNLOCKED,
            acknowledged=self._to_wall(result.at),
            latency=result.latency,
            lease_ends=self._to_wall(result.lease.ends),
            duration=result.lease.duration,
        )

    def _locked(self, door: str, result: Locked) -> LockResult:
        return LockResult(
            door=door, state=DoorState.LOCKED, acknowledged=self._to_wall(result.at), latency=result.latency
        )

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


T = TypeVar("T", bound=msgspec.Struct)


def _convert(arguments: Mapping[str, Any], to: type[T]) -> T:
    given = dict(arguments)
    try:
        return msgspec.convert(given, to)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, given, to, noun="argument")) from error

"""What callers give and get: a door's status, the answers of `open` and `lock`, and their arguments."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gatekeeper.doors.states import DoorState


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
    :ivar signed: whether commands and answers are signed with the door's key; without a key anybody on the lock's
        network can open it.
    :ivar source: what the state comes from: `acknowledgement`, `status`, `broadcast`, `command`, `deadline`, `link`.
    """

    id: str
    name: str
    virtual: bool
    signed: bool
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
    """The lock acknowledged: `acknowledged` and `lease_ends` in Unix seconds, `latency` and `duration` in seconds.

    :ivar event: the id of the event that says so; `recorded`: whether it is stored already. A door does not wait for
        its record for ever: with a full disk the door works, and this is false.
    """

    door: str
    state: DoorState
    acknowledged: float
    latency: float
    lease_ends: float
    duration: float
    event: str
    recorded: bool


class LockResult(msgspec.Struct, frozen=True, kw_only=True):
    """The lock acknowledged: `acknowledged` in Unix seconds, `latency` in seconds; the rest as of `OpenResult`."""

    door: str
    state: DoorState
    acknowledged: float
    latency: float
    event: str
    recorded: bool


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

"""What a page gives of a camera, and what it is told: structs, and who answers."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError
from gatekeeper.reloading import Reloaded


class PushGiven(msgspec.Struct, kw_only=True):
    """How a camera that connects to us is told, its token as text."""

    path: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    device: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    stall_timeout: float | UnsetType = UNSET
    command_timeout: float | UnsetType = UNSET


class CameraGiven(msgspec.Struct, kw_only=True):
    """A camera's table as the configuration has it, but for `password` and `push.token`, which are text here.

    Other keys of the configuration are taken too, `video` excepted. A key that is null when a camera is changed has
    its default again.
    """

    id: str | UnsetType = UNSET
    url: str | UnsetType | None = UNSET
    snapshot: str | UnsetType | None = UNSET
    push: PushGiven | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    doors: list[str] | UnsetType | None = UNSET
    username: str | UnsetType | None = UNSET
    password: str | UnsetType | None = UNSET


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a camera.

    :ivar picture: JPEG; None if there was none.
    :ivar reason: one sentence why not; None if a picture came.
    :ivar fps: pictures per second, as far as a second of them tells; None of a single one.
    :ivar seconds: how long the first picture took.
    """

    kind: Literal["mjpeg", "rtsp", "v4l2", "snapshot", "video", "push"]
    picture: bytes | None = None
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    fps: float | None = None
    seconds: float | None = None


class Editor(Protocol):
    """Who adds, changes and removes cameras."""

    async def add(self, caller: Caller, given: Mapping[str, Any]) -> Reloaded:
        """Add a camera."""
        ...

    async def change(self, caller: Caller, camera: str, given: Mapping[str, Any]) -> Reloaded:
        """Change keys of a camera."""
        ...

    async def remove(self, caller: Caller, camera: str) -> Reloaded:
        """Remove a camera."""
        ...

    async def try_(self, caller: Caller, given: Mapping[str, Any]) -> Tried:
        """Connect to a camera once."""
        ...

    def refused(self, caller: Caller, error: GatekeeperError, what: str, camera: str | None = None) -> None:
        """Put on the record that somebody tried what they may not."""
        ...

"""What a camera's table says of the pictures that are kept of it, and of the feeds that are made of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gatekeeper.uris import ID_PATTERN

KINDS = r"(camera|door)\.[a-z]+(_[a-z]+)*"
"""Kinds of events that a camera can have to do with: its own, and those of the doors that it looks at."""

Kind = Annotated[str, Meta(pattern=f"^{KINDS}$(?!\n)", max_length=60)]
FeedName = Annotated[
    str,
    Meta(
        pattern=f"^{ID_PATTERN}$(?!\n)",
        max_length=40,
        description="lower-case letters, digits, `-` and `_`; part of its address",
    ),
]


class KeptPictures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When pictures of a camera are kept by themselves; on demand they are without this, too."""

    every: Annotated[
        Annotated[float, Meta(ge=1, le=86_400)] | None,
        Meta(description="seconds from one to the next, while the camera is live"),
    ] = None
    on: Annotated[
        tuple[Kind, ...],
        Meta(
            description="kinds of events, of the camera and of its `doors`: `door.opened`, `camera.moved`; at most one "
            "picture a second"
        ),
    ] = ()


class SecondFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed that is made of a camera's pictures while somebody looks: smaller, slower, or with the time burnt in."""

    name: FeedName
    width: Annotated[
        Annotated[int, Meta(ge=16, le=7680)] | None,
        Meta(description="pixels at most, the height goes along; the camera's own without. Nothing is enlarged"),
    ] = None
    quality: Annotated[int, Meta(ge=1, le=100, description="of its JPEG pictures")] = 70
    timestamp: Annotated[bool, Meta(description="burn in the camera's name, and date and time of the server")] = False
    maximum_fps: Annotated[float, Meta(gt=0, le=60, description="the most pictures per second")] = 10.0

"""How a tile is asked for, and how its credit comes back: arguments in, structs out."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.cameras.credit import MAX_AHEAD, MAX_RATE, MAX_TILES, MIN_RATE
from gatekeeper.errors import InvalidArgument

MAX_NUMBER = 2**53
"""Of a tile: what a page can count to."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tile, as it is asked for.

    :ivar tile: its number, of the caller's choosing.
    :ivar rate: pictures a second at most; None for every one.
    :ivar ahead: pictures that may be under way.
    """

    camera: str
    tile: Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
    rate: Annotated[float, Meta(ge=MIN_RATE, le=MAX_RATE)] | None = None
    ahead: Annotated[int, Meta(ge=1, le=MAX_AHEAD)] = 1


class Credit(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Of one tile: `[tile, sequence]`.

    :ivar sequence: of the newest picture that was painted there, or dropped.
    """

    tile: int
    sequence: int


Painted = Annotated[list[Credit], Meta(max_length=MAX_TILES)]


def asked_of(given: Mapping[str, Any]) -> Asked:
    """Return the tile that named arguments ask for.

    :raises InvalidArgument: if they ask for none.
    """
    try:
        return msgspec.convert(dict(given), Asked)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), Asked, noun="argument")) from error


def painted_of(given: Any) -> Painted:
    """Return the credit that an argument gives back.

    :raises InvalidArgument: if it is none.
    """
    try:
        return msgspec.convert(given, Painted)
    except msgspec.ValidationError as error:
        found = decoding.show(given) if not isinstance(given, list) else f"what is none: {error}"
        allowed = f"at most {MAX_TILES} times [tile, sequence of a picture]"
        raise InvalidArgument(f"painted: found {found}; allowed: {allowed}") from error

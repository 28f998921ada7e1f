"""What callers ask of measurements: named arguments and numbers in, structs out."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements.chart import MOST, POINTS
from gatekeeper.storage import measurements as rows

SHOWN: Final = 100
"""Sessions in one answer if nobody asks for another number."""


class StartBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is started: `frequency` in hertz, one of the site's; the category that holds if none is given."""

    frequency: Annotated[float, Meta(gt=0, le=100)]
    category: Annotated[str, Meta(max_length=20)] | None = None


class TapBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether samples are kept while no session runs."""

    open: bool


class CategoryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The category that holds from now on."""

    category: Annotated[str, Meta(max_length=20)]


class CollapseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At which second of the session the tower fell; now, if the session runs and none is given."""

    second: Annotated[float, Meta(ge=0, le=3600)] | None = None


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions: of a frequency and category; `before` is the id of one that isn't included any more."""

    frequency: Annotated[float, Meta(gt=0, le=100)] | None = None
    category: Annotated[str, Meta(max_length=20)] | None = None
    before: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    limit: Annotated[int, Meta(ge=1, le=rows.SESSIONS)] = SHOWN


class ChartQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many points a column has at most."""

    points: Annotated[int, Meta(ge=2, le=MOST)] = POINTS


def decoded(given: Mapping[str, Any], to: Any) -> Any:
    """Return named arguments as a struct.

    :raises InvalidArgument: if they are none.
    """
    try:
        return msgspec.convert(dict(given), to)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), to, noun="argument")) from error


def number_of(name: str, value: Any) -> int:
    """Return a whole number from 1, which may stand as text in a path.

    :raises InvalidArgument: if it is none.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2**53:
        raise InvalidArgument(f"{name}: found {decoding.show(value)}; allowed: a whole number from 1")
    return value

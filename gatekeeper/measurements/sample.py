"""One sample: what a laptop sends, checked. Bytes or fields in, a `Sample` or an error out; decides only.

    {"type": "camera_data", "laptop_id": 1, "dista": 5.2, "distb": 3.4, "is_a_detected": true, "is_b_detected": true}

as seed 002 has it. Besides, and optional: `sender` and `seq`, which make sending again safe, and `age`, seconds since
it was measured, for what waited while the network was away. Fields that aren't known are let pass.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.errors import InvalidArgument

MAXIMUM_MESSAGE: Final = 16 * 1024
"""Bytes of a message: a real one has 200."""

FARTHEST: Final = 1e6
"""Millimetres. The seed speaks of -500 to 500 and holds nobody to it; a kilometre is no model tower."""

OLDEST: Final = 3600.0
"""Seconds that a sample may have waited at its sender."""

Millimetres = Annotated[float, Meta(ge=-FARTHEST, le=FARTHEST)]
SenderId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._-]+$", max_length=64, description="letters, digits, `.`, `-` and `_`")
]

_NO_NUMBER: Final = re.compile(rb"(?<!\w)-?(?:NaN|Infinity)\b")


class CameraData(msgspec.Struct, frozen=True, kw_only=True):
    """A sample as it stands on every wire.

    :ivar laptop_id: the team, from 1.
    :ivar dista: millimetres of point A (third floor), `distb` of point B (the top).
    :ivar is_a_detected: whether point A was seen; its distance counts only then. `is_b_detected` likewise.
    :ivar sender: who numbers, and `seq` the number: together they make sending again safe.
    :ivar age: seconds since it was measured.
    """

    laptop_id: Annotated[int, Meta(ge=1, le=64)]
    dista: Millimetres
    distb: Millimetres
    is_a_detected: bool
    is_b_detected: bool
    sender: SenderId | None = None
    seq: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    age: Annotated[float, Meta(ge=0, le=OLDEST)] = 0.0


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A sample that was taken in.

    :ivar a: millimetres of point A, `b` of point B.
    :ivar age: seconds that it had waited when it came.
    """

    team: int
    a: float
    b: float
    a_detected: bool
    b_detected: bool
    sender: str | None = None
    seq: int | None = None
    age: float = 0.0


REQUIRED: Final = ("laptop_id", "dista", "distb", "is_a_detected", "is_b_detected")

_decode = msgspec.json.Decoder(CameraData).decode


def parse(raw: bytes, teams: int) -> Sample:
    """Return the sample in a JSON text.

    :param teams: how many there are.
    :raises InvalidArgument: one sentence that says what was found and what is allowed.
    """
    try:
        found = _decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidArgument(_explain(error, document(raw))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgument(_malformed(raw, error)) from error
    return _checked(found, teams)


def convert(fields: Any, teams: int) -> Sample:
    """Return the sample in decoded fields; raises as `parse` does."""
    if not isinstance(fields, Mapping):
        raise InvalidArgument(f"a sample: found {decoding.kind_of(fields)}; allowed: fields by name")
    try:
        found = msgspec.convert(dict(fields), CameraData)
    except msgspec.ValidationError as error:
        raise InvalidArgument(_explain(error, fields)) from error
    return _checked(found, teams)


def document(raw: bytes) -> dict[str, Any]:
    """Return any JSON object.

    :raises InvalidArgument: if it is none.
    """
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgument(_malformed(raw, error)) from error


def _checked(found: CameraData, teams: int) -> Sample:
    if found.laptop_id > teams:
        raise InvalidArgument(f"laptop_id: found {found.laptop_id}; allowed: a whole number from 1 to {teams}")
    if (found.seq is None) != (found.sender is None):
        raise InvalidArgument("sender and seq belong together; one of them is missing")
    for name, value in (("dista", found.dista), ("distb", found.distb), ("age", found.age)):
        if not math.isfinite(value):  # from WAMP: JSON has no word for it
            raise InvalidArgument(f"{name}: found {value}; allowed: a number")
    return Sample(
        found.laptop_id,
        found.dista,
        found.distb,
        found.is_a_detected,
        found.is_b_detected,
        found.sender,
        found.seq,
        found.age,
    )


def _explain(error: msgspec.ValidationError, fields: Mapping[str, Any]) -> str:
    missing = [name for name in REQUIRED if name not in fields]
    if missing:
        return f"missing: {', '.join(missing)}"
    return decoding.explain(error, dict(fields), CameraData, noun="field")


def _malformed(raw: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the message is nested too deeply"
    if (found := _NO_NUMBER.search(raw)) is not None:
        return (
            f"found {found[0].decode()}; allowed: numbers; say with is_a_detected or is_b_detected that a point is lost"
        )
    return f"the message is not a JSON object: {error}"

"""What a push camera can be told: the ranges of the real firmware, checked before anything is sent. No I/O.

The ranges are those of the code (seed 004's firmware): its page says quality 0 to 63, and it takes 5 to 63.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.errors import InvalidArgument

RESOLUTIONS: Final = (
    "QQVGA", "QCIF", "HQVGA", "QVGA", "CIF", "VGA", "SVGA", "XGA", "HD", "SXGA", "UXGA", "FHD", "QXGA",
)  # fmt: skip
"""By number; from 11 on the real camera gives black pictures and resets its sensor."""

MODES: Final = {"speed": "0", "velocidad": "0", "0": "0", "stability": "1", "estabilidad": "1", "1": "1"}
SPEED, STABILITY = "speed", "stability"

Level = Annotated[int, Meta(ge=-2, le=2)]
Switch = bool | Annotated[int, Meta(ge=0, le=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a camera is to be set to; what is left out stays as it is.

    :ivar resolution: 0 to 12, or a name: `QQVGA`, `QCIF`, `HQVGA`, `QVGA`, `CIF`, `VGA`, `SVGA`, `XGA`, `HD`, `SXGA`,
        `UXGA`, `FHD`, `QXGA`; 11 and 12 are unstable on the real camera.
    :ivar quality: 5 to 63; lower is better, and larger.
    :ivar fps: pictures per second that the camera aims at, 1 to 30.
    :ivar mode: `speed`, or `stability`: a picture of 40 kB takes 1.6 s.
    :ivar brightness: -2 to 2; `contrast` likewise.
    :ivar exposure: automatic exposure; `gain` automatic gain; `whitebalance` automatic white balance.
    :ivar hmirror: mirrored left to right; `vflip` upside down.
    :ivar reboot: start anew, after everything else is set.
    """

    resolution: Annotated[int, Meta(ge=0, le=12)] | str | None = None
    quality: Annotated[int, Meta(ge=5, le=63)] | None = None
    fps: Annotated[int, Meta(ge=1, le=30)] | None = None
    mode: str | None = None
    brightness: Level | None = None
    contrast: Level | None = None
    exposure: Switch | None = None
    gain: Switch | None = None
    whitebalance: Switch | None = None
    hmirror: Switch | None = None
    vflip: Switch | None = None
    reboot: Literal[True] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it goes to the camera; `val` is text, whatever it means."""

    cmd: str
    val: str


REBOOT: Final = Command("reboot", "")


def decode(given: Mapping[str, Any]) -> tuple[Command, ...]:
    """Return the commands for named arguments, `reboot` last.

    :raises InvalidArgument: if one is unknown or out of range, or there is none.
    """
    try:
        settings = msgspec.convert(dict(given), Settings)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), Settings, noun="argument")) from error
    commands = tuple(
        Command(name, _worded(name, value))
        for name, value in msgspec.structs.asdict(settings).items()
        if value is not None
    )
    if not commands:
        raise InvalidArgument(f"give at least one of {', '.join(Settings.__struct_fields__)}")
    return commands


def _worded(name: str, value: Any) -> str:
    if name == "resolution":
        return str(_resolution(value))
    if name == "mode":
        return _mode(value)
    if name == "reboot":
        return ""
    return str(int(value))


def _resolution(value: int | str) -> int:
    if isinstance(value, int):
        return value
    name = value.upper()
    if name in RESOLUTIONS:
        return RESOLUTIONS.index(name)
    if name.isdecimal() and name in map(str, range(len(RESOLUTIONS))):
        return int(name)
    raise InvalidArgument(
        f"resolution: found {decoding.show(value)}; allowed is 0 to 12 or one of {', '.join(RESOLUTIONS)}"
    )


def _mode(value: str) -> str:
    wire = MODES.get(value.lower())
    if wire is None:
        raise InvalidArgument(f"mode: found {decoding.show(value)}; allowed is {SPEED} or {STABILITY}")
    return wire


# --- what the camera says that it took -------------------------------------------------------------------------------


def takes(command: Command, value: str) -> bool:
    """Return whether a camera's `ok` value can be the answer to this command, and not to an earlier one."""
    if command.cmd == "mode":
        return MODES.get(value.lower()) in (None, command.val)
    if value.lower() in ("on", "off"):
        return (value.lower() == "on") == (command.val == "1")
    number = re.match(r"-?\d+", value)
    return number is None or number[0] == command.val


def number_of(resolution: str) -> str | None:
    """Return the number of a resolution that a camera names: `XGA (1024x768)`; None if it is no known one."""
    name = resolution.partition(" ")[0].partition("(")[0].upper()
    return str(RESOLUTIONS.index(name)) if name in RESOLUTIONS else None

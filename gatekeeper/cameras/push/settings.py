"""What a push camera can be told: names, ranges and what it answers, checked before anything is sent. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from gatekeeper import decoding
from gatekeeper.cameras.push.abilities import SEED, SIZES, Abilities
from gatekeeper.errors import InvalidArgument

RESOLUTIONS: Final = tuple(name for name, _, _ in SIZES)
"""By number."""

MODES: Final = {"speed": "0", "velocidad": "0", "0": "0", "stability": "1", "estabilidad": "1", "1": "1"}
SPEED, STABILITY = "speed", "stability"

Level = Annotated[int, Meta(ge=-2, le=2)]
Switch = bool | Annotated[int, Meta(ge=0, le=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a camera is to be set to; what is left out stays as it is.

    :ivar resolution: 0 to 12, or a name: `QQVGA`, `QCIF`, `HQVGA`, `QVGA`, `CIF`, `VGA`, `SVGA`, `XGA`, `HD`, `SXGA`,
        `UXGA`, `FHD`, `QXGA`; 11 and 12 are unstable on the real camera.
    :ivar quality: 5 to 63, from 0 with our own firmware; lower is better, and larger.
    :ivar fps: pictures per second that the camera aims at, 1 to 30.
    :ivar mode: `speed`, or `stability`: a picture of 40 kB takes 1.6 s.
    :ivar brightness: -2 to 2; `contrast` likewise.
    :ivar exposure: automatic exposure; `gain` automatic gain; `whitebalance` automatic white balance.
    :ivar hmirror: mirrored left to right; `vflip` upside down.
    :ivar reboot: start anew, after everything else is set.
    """

    resolution: Annotated[int, Meta(ge=0, le=12)] | str | None = None
    quality: Annotated[int, Meta(ge=0, le=63)] | None = None
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


NAMES: Final = Settings.__struct_fields__
"""In the order in which they are sent: the resolution first, since it may reset the sensor; `reboot` last."""

SWITCHES: Final = ("exposure", "gain", "whitebalance", "hmirror", "vflip")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it goes to the camera; `val` is text, whatever it means."""

    cmd: str
    val: str


REBOOT: Final = Command("reboot", "")

Value = int | str | bool
"""Of a setting, as `Settings` has it: a resolution is its number, a mode `speed` or `stability`."""


def decode(given: Mapping[str, Any], abilities: Abilities = SEED) -> tuple[Command, ...]:
    """Return the commands for named arguments, `reboot` last.

    :param abilities: what this device takes.
    :raises InvalidArgument: if one is unknown or out of range, or there is none.
    """
    try:
        settings = msgspec.convert(dict(given), Settings)
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, dict(given), Settings, noun="argument")) from error
    commands = tuple(
        Command(name, _worded(name, value, abilities))
        for name, value in msgspec.structs.asdict(settings).items()
        if value is not None
    )
    if not commands:
        raise InvalidArgument(f"give at least one of {', '.join(NAMES)}")
    return commands


def _worded(name: str, value: Any, abilities: Abilities) -> str:
    if name == "resolution":
        return str(_resolution(value, abilities))
    if name == "mode":
        return _mode(value)
    if name == "reboot":
        return ""
    if name == "quality":
        least, most = abilities.quality
        if not least <= value <= most:
            raise InvalidArgument(f"quality: found {value}; allowed: {least} to {most} by an {abilities.kind}")
    return str(int(value))


def _resolution(value: int | str, abilities: Abilities) -> int:
    number = value if isinstance(value, int) else _numbered(value)
    if number not in abilities.resolutions:
        names = ", ".join(f"{one} {RESOLUTIONS[one]}" for one in abilities.resolutions)
        shown = decoding.show(value)
        raise InvalidArgument(f"resolution: found {shown}; an {abilities.kind} has {names}")
    return number


def _numbered(value: str) -> int:
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


def meaning(command: Command) -> Value:
    """Return the value that a command sets."""
    if command.cmd == "mode":
        return SPEED if command.val == "0" else STABILITY
    if command.cmd in SWITCHES:
        return command.val == "1"
    return int(command.val)


def value_of(name: str, words: str) -> Value | None:
    """Return the value in a camera's words for a setting, `15 (actual: 12.3)` or `Velocidad`; None if there is none."""
    if name == "mode":
        wire = MODES.get(words.strip().lower())
        return None if wire is None else SPEED if wire == "0" else STABILITY
    if name in SWITCHES:
        return {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}.get(words.lower())
    found = re.match(r"-?\d{1,4}(?![\d.])", words)
    if found is not None:
        number = int(found[0])
        return number if name != "resolution" or 0 <= number < len(RESOLUTIONS) else None
    return _named(words) if name == "resolution" else None


def _named(resolution: str) -> int | None:
    """Return the number of a resolution that a camera names: `XGA (1024x768)`; None if it is no known one."""
    name = resolution.partition(" ")[0].partition("(")[0].upper()
    return RESOLUTIONS.index(name) if name in RESOLUTIONS else None

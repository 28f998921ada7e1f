"""What our own firmware's push camera hears: its settings, and the server's texts. Text in, a struct out.

The same as `gk/json.hpp`, `gk/settings.hpp` and `gk/command.hpp`, in Python: both are held to the same vectors, and to
each other by random sequences. One flat JSON object, read strictly; a command is never clamped, nor defaulted.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAXIMUM_TEXT: Final = 512  # bytes
MAXIMUM_MEMBERS: Final = 16
MAXIMUM_ID: Final = 48  # bytes, as it is written
MAXIMUM_ECHOED: Final = 32  # bytes of a command's name


class Unit(StrEnum):
    """What a setting's value is."""

    NUMBER = "number"
    SWITCH = "switch"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Range:
    """A setting: from the least to the most, and what it is at the start."""

    least: int
    most: int
    boot: int
    unit: Unit = Unit.NUMBER


RANGES: Final = {
    "resolution": Range(0, 12, 7),
    "quality": Range(0, 63, 15),
    "fps": Range(1, 30, 20),
    "mode": Range(0, 1, 1, Unit.MODE),
    "brightness": Range(-2, 2, 0),
    "contrast": Range(-2, 2, 0),
    "exposure": Range(0, 1, 1, Unit.SWITCH),
    "gain": Range(0, 1, 1, Unit.SWITCH),
    "whitebalance": Range(0, 1, 1, Unit.SWITCH),
    "hmirror": Range(0, 1, 0, Unit.SWITCH),
    "vflip": Range(0, 1, 0, Unit.SWITCH),
}

_NAMES: Final = {
    Unit.NUMBER: {},
    Unit.SWITCH: {"true": 1, "on": 1, "false": 0, "off": 0},
    Unit.MODE: {"speed": 0, "velocidad": 0, "stability": 1, "estabilidad": 1},
}
_ALSO: Final = {Unit.NUMBER: "", Unit.SWITCH: ", on or off", Unit.MODE: ", speed or stability"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command; `setting` with `value`, or `stats`, or `reboot`. `id` is as it was written, empty if there is none."""

    name: str
    value: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that can't be obeyed, and why."""

    cmd: str
    why: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer to `register`; `is_framed`: pictures may come with a header."""

    is_framed: bool


class Other(StrEnum):
    """A text that is none of these."""

    UNHEARD = "unheard"  # not for this camera
    GARBLED = "garbled"  # no flat JSON object of the length that is read


Heard = Command | Refusal | Registered | Other

_STRING: Final = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SPACE: Final = r"[ \t\n\r]*"
_MEMBER: Final = re.compile(rf"{_SPACE}({_STRING}){_SPACE}:{_SPACE}({_STRING}|{_NUMBER}|true|false|null){_SPACE}")
_EMPTY: Final = re.compile(rf"{_SPACE}\{{{_SPACE}\}}{_SPACE}")
_OPEN, _CLOSE = re.compile(rf"{_SPACE}\{{"), re.compile(rf"\}}{_SPACE}")
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")


def members(text: bytes) -> dict[str, str] | None:
    """Return each member's value as it is written, by its decoded name; None if this is no flat object.

    A member that stands twice, bytes that are no UTF-8 and half a surrogate make it none.
    """
    try:
        words = text.decode() if len(text) <= MAXIMUM_TEXT else ""
        if _EMPTY.fullmatch(words):
            return {}
        found = _walk(words)
        "".join(decoded(raw) for raw in (found or {}).values() if raw.startswith('"')).encode()
    except UnicodeError:
        return None
    return found


def _walk(words: str) -> dict[str, str] | None:
    opened = _OPEN.match(words)
    if opened is None:
        return None
    found: dict[str, str] = {}
    at = opened.end()
    while True:
        member = _MEMBER.match(words, at)
        if member is None or len(found) == MAXIMUM_MEMBERS:
            return None
        name = decoded(member[1])
        name.encode()  # raises UnicodeEncodeError at half a surrogate
        if name in found:
            return None
        found[name] = member[2]
        at = member.end()
        if words[at : at + 1] != ",":
            return found if _CLOSE.fullmatch(words, at) else None
        at += 1


def decoded(raw: str) -> str:
    """Return a JSON string's letters."""
    text: str = json.loads(raw)
    return text


def hear(text: bytes, largest: int = 12) -> Heard:
    """Return what a text of the server's says.

    :param largest: the number of the sensor's largest resolution.
    """
    found = members(text)
    if found is None:
        return Other.GARBLED
    if "type" not in found:
        return Registered(_string(found, "frames") == "gkf1") if _string(found, "status") == "ok" else Other.UNHEARD
    return _command(found, largest) if _string(found, "type") == "command" else Other.UNHEARD


def _string(found: dict[str, str], name: str) -> str:
    raw = found.get(name, "")
    return decoded(raw) if raw.startswith('"') else ""


def _command(found: dict[str, str], largest: int) -> Command | Refusal:
    cmd, given = _string(found, "cmd"), found.get("id", "null")
    echoed = cmd if len(cmd.encode()) <= MAXIMUM_ECHOED else ""
    if given in ("true", "false"):
        return Refusal(echoed, "id is neither text nor a number")
    identity = "" if given == "null" else given
    if len(identity.encode()) > MAXIMUM_ID:
        return Refusal(echoed, "id is longer than 48 bytes")
    if not cmd:
        return Refusal("", "there is no cmd", identity)
    if cmd in ("stats", "reboot"):
        return Command(cmd, id=identity)
    if cmd not in RANGES:
        return Refusal(echoed, "there is no such command", identity)
    value = _valued(cmd, found.get("val"), largest)
    return Command(cmd, value, identity) if isinstance(value, int) else Refusal(cmd, value, identity)


def _valued(cmd: str, raw: str | None, largest: int) -> int | str:
    """Return the value that a setting is given, or why it is none."""
    least, most, unit = RANGES[cmd].least, largest if cmd == "resolution" else RANGES[cmd].most, RANGES[cmd].unit
    value = _value(raw, unit) if raw is not None else None
    if value is not None and least <= value <= most:
        return value
    why = "there is no val" if raw is None else "val is no whole number" if value is None else "val is out of range"
    return f"{why}; allowed is {least} to {most}{_ALSO[unit]}"


def _value(raw: str, unit: Unit) -> int | None:
    words = decoded(raw) if raw.startswith('"') else raw
    if words in _NAMES[unit] and (raw.startswith('"') or unit is Unit.SWITCH):
        return _NAMES[unit][words]
    return int(words) if _WHOLE.fullmatch(words) else None

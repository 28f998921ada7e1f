"""What a push camera was set to and what it says it is set to; and both, with names and ranges, for people. No I/O.

A wish is what the camera once took on somebody's word. It is kept as long as the server runs, over any number of
reconnects and restarts of the camera, and sent again after each. What the camera says counts for one connection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from gatekeeper.cameras.push.abilities import SIZES, UNSTABLE, Abilities
from gatekeeper.cameras.push.settings import (
    NAMES,
    REBOOT,
    SPEED,
    STABILITY,
    SWITCHES,
    Command,
    Value,
    meaning,
    value_of,
)


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One of the values that there are.

    :ivar note: what to know before it is chosen.
    """

    value: Value
    label: str
    note: str | None = None


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a camera can be set to, or told to do.

    :ivar kind: `number` has a `minimum` and a `maximum`; `choice` has `options`; a `switch` is true or false; an
        `action` has no value.
    :ivar unit: of the number; None where it has none.
    :ivar note: what the values mean.
    :ivar wished: what it was last set to here, and is sent again after a reconnect; None if nothing was.
    :ivar taken: what the camera says it is; None where it said nothing since it connected.
    :ivar said: that in the camera's own words; `told`: Unix seconds.
    """

    name: str
    label: str
    kind: Literal["number", "choice", "switch", "action"]
    minimum: int | None = None
    maximum: int | None = None
    unit: str | None = None
    note: str | None = None
    options: tuple[Option, ...] = ()
    wished: Value | None = None
    taken: Value | None = None
    said: str | None = None
    told: float | None = None


_LABELS: Final[Mapping[str, tuple[str, str | None]]] = {
    "resolution": ("Resolution", None),
    "quality": ("Quality", "lower is better, and larger"),
    "fps": ("Pictures per second", "what the camera aims at"),
    "mode": ("Pace", None),
    "brightness": ("Brightness", None),
    "contrast": ("Contrast", None),
    "exposure": ("Automatic exposure", None),
    "gain": ("Automatic gain", None),
    "whitebalance": ("Automatic white balance", None),
    "hmirror": ("Mirrored left to right", None),
    "vflip": ("Upside down", None),
    "reboot": ("Start the camera anew", "it is away for some seconds"),
}
_UNITS: Final = {"fps": "1/s"}
_PACES: Final = (
    Option(value=SPEED, label="Speed", note="as fast as the network is"),
    Option(value=STABILITY, label="Stability", note="30 ms of rest after each kilobyte: 40 kB take 1.6 s"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A camera's words for a setting, and the Unix seconds at which they came."""

    words: str
    wall: float


class Wishes:
    """The settings of one camera."""

    def __init__(self) -> None:
        self._wished: dict[str, Command] = {}
        self._said: dict[str, Said] = {}  # both have at most a key per name

    def took(self, command: Command, words: str, wall: float) -> None:
        """The camera took a command."""
        if command.cmd != REBOOT.cmd:
            self._wished[command.cmd] = command
            self.told(command.cmd, words, wall)

    def told(self, name: str, words: str, wall: float) -> None:
        """The camera told what it is set to; words that mean nothing are kept as words."""
        self._said[name] = Said(words, wall)

    def forget_said(self) -> None:
        """The camera is gone: whatever it is set to when it is back, it must say anew."""
        self._said.clear()

    def taken(self, name: str) -> Value | None:
        """Return what the camera says a setting is; None where it said nothing since it connected."""
        said = self._said.get(name)
        return value_of(name, said.words) if said is not None else None

    def again(self) -> Sequence[Command]:
        """Return what is to be sent to a camera that is back, in the order of `NAMES`."""
        return [self._wished[name] for name in NAMES if name in self._wished]

    def settings(self, abilities: Abilities) -> tuple[Setting, ...]:
        """Return everything that the camera can be set to, and is."""
        return tuple(self._setting(name, abilities) for name in NAMES)

    def _setting(self, name: str, abilities: Abilities) -> Setting:
        label, note = _LABELS[name]
        wished, said = self._wished.get(name), self._said.get(name)
        return msgspec.structs.replace(
            _shape(name, abilities),
            label=label,
            note=note,
            unit=_UNITS.get(name),
            wished=meaning(wished) if wished is not None else None,
            taken=self.taken(name),
            said=said.words if said is not None else None,
            told=said.wall if said is not None else None,
        )


def _shape(name: str, abilities: Abilities) -> Setting:
    if name == REBOOT.cmd:
        return Setting(name=name, label="", kind="action")
    if name in SWITCHES:
        return Setting(name=name, label="", kind="switch")
    if name == "mode":
        return Setting(name=name, label="", kind="choice", options=_PACES)
    if name == "resolution":
        return Setting(name=name, label="", kind="choice", options=tuple(map(_size, abilities.resolutions)))
    least, most = {"quality": abilities.quality, "fps": (1, 30)}.get(name, (-2, 2))
    return Setting(name=name, label="", kind="number", minimum=least, maximum=most)


def _size(number: int) -> Option:
    name, width, height = SIZES[number]
    note = "unstable: black pictures were seen" if number >= UNSTABLE else None
    return Option(value=number, label=f"{name} {width}x{height}", note=note)

"""What a new configuration changes at a running site: which cameras and doors, and what only a restart can. No I/O.

added, removed, changed     of cameras and doors: done at once, each by itself
renamed                     called otherwise, or a camera tied to other doors: nothing is interrupted for it
later                       every other key: the sockets, the database and the rest are made at the start
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec

from gatekeeper import config
from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError
from gatekeeper.wanted import Wanted, WantedDoor

T = TypeVar("T")

AT_ONCE: Final = ("name", "cameras", "doors")
"""The keys of a site that a reload applies."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A configuration with what it refers to.

    :ivar cameras: by id, in its order; `doors` likewise.
    :ivar secrets: key path -> the secret, of those that are no camera's and no door's.
    """

    site: config.Site
    cameras: Mapping[str, Wanted]
    doors: Mapping[str, WantedDoor]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Moves:
    """What becomes of the things of one kind, by id, each in the order of the configuration that has it."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    :ivar at_once: the other keys that are applied.
    :ivar later: those that differ and take effect after a restart.
    """

    cameras: Moves
    doors: Moves
    at_once: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def told(self) -> dict[str, list[str]]:
        """Return what is done as key paths, by `added`, `removed`, `changed`; empty if nothing is."""
        kinds = (("cameras", self.cameras), ("doors", self.doors))
        found = {
            "added": [f"{kind}.{one}" for kind, moves in kinds for one in moves.added],
            "removed": [f"{kind}.{one}" for kind, moves in kinds for one in moves.removed],
            "changed": [*self.at_once]
            + [f"{kind}.{one}" for kind, moves in kinds for one in (*moves.changed, *moves.renamed)],
        }
        return {what: sorted(parts) for what, parts in found.items() if parts}

    def text(self) -> str:
        """Return it in a sentence's end: `added cameras.attic; listen takes effect after a restart`."""
        parts = [f"{what} {', '.join(ids)}" for what, ids in self.told().items()]
        if self.later:
            verb = "takes" if len(self.later) == 1 else "take"
            parts.append(f"{', '.join(self.later)} {verb} effect after a restart")
        return "; ".join(parts) or "nothing changed"


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload did, as key paths: `cameras.<id>`, `doors.<id>`, `name`.

    :ivar restart: what differs in the file and takes effect after a restart.
    :ivar text: the same in words.
    :ivar event: the id of its event.
    """

    added: list[str]
    removed: list[str]
    changed: list[str]
    restart: list[str]
    text: str
    event: str


class Renewal(Protocol):
    """Who takes a new configuration."""

    async def reload(self, caller: Caller) -> Reloaded:
        """Read the file again and take what it says."""
        ...

    def refused(self, caller: Caller, error: GatekeeperError) -> None:
        """Put on the record that somebody tried what they may not."""
        ...


def plan(before: Effect, after: Effect) -> Plan:
    """Return what it takes to get from one configuration to another."""
    return Plan(
        moves(before.cameras, after.cameras, lambda camera: camera.bare),
        moves(before.doors, after.doors, lambda door: door.bare),
        at_once=("name",) if before.site.name != after.site.name else (),
        later=tuple(_later(before, after)),
    )


def moves(before: Mapping[str, T], after: Mapping[str, T], bare: Callable[[T], Any]) -> Moves:
    """Return what becomes of things.

    :param bare: returns of a thing what its connection depends on.
    """
    stay = [one for one in after if one in before and before[one] != after[one]]
    changed = tuple(one for one in stay if bare(before[one]) != bare(after[one]))
    return Moves(
        added=tuple(one for one in after if one not in before),
        removed=tuple(one for one in before if one not in after),
        changed=changed,
        renamed=tuple(one for one in stay if one not in changed),
    )


def applied(before: config.Site, after: config.Site) -> config.Site:
    """Return what is in effect when a reload has applied what it can."""
    return msgspec.structs.replace(before, **{key: getattr(after, key) for key in AT_ONCE})


def _later(before: Effect, after: Effect) -> list[str]:
    found: list[str] = []
    for field in msgspec.structs.fields(config.Site):
        key, old, new = field.name, getattr(before.site, field.name), getattr(after.site, field.name)
        if key in AT_ONCE or old == new:
            continue
        if type(old) is type(new) and isinstance(old, msgspec.Struct):
            parts = [part.name for part in msgspec.structs.fields(type(old))]
            found += [f"{key}.{part}" for part in parts if getattr(old, part) != getattr(new, part)]
        else:
            found.append(key)
    turned = [path for path, secret in after.secrets.items() if before.secrets.get(path, secret) != secret]
    return [*found, *(path for path in turned if path not in found)]

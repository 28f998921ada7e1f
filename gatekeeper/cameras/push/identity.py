"""Which camera is it that connects? And who are those that are nobody's: listed, so that they can be adopted. No I/O.

Nothing on the real firmware's wire tells cameras apart: the path that it was configured with, a token in it, its
address, or the id that our own firmware gives when it registers.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import msgspec

MAXIMUM_STRANGERS: Final = 32  # listed: somebody who dials with ever new paths must not cost memory

_Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection.

    :ivar device: the id that it registered with; None if it gave none, or hasn't registered yet.
    """

    address: str
    path: str
    token: str | None = None
    device: str | None = None
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """How a camera of the configuration is told: by all that is given here."""

    camera: str
    path: str | None = None
    token: str | None = None
    device: str | None = None
    address: str | None = None

    @property
    def weight(self) -> tuple[int, bool]:
        """How much is asked: who fits two cameras is the one that asks more, and of the rest the one without an id."""
        asked = sum(part is not None for part in (self.path, self.token, self.device, self.address))
        return asked, self.device is None

    def fits(self, facts: Facts) -> bool:
        """Return whether a connection is this camera's, its id aside."""
        return (
            self.path in (None, facts.path)
            and self.address in (None, facts.address)
            and (self.token is None or _same(self.token, facts.token))
        )


def identify(known: Iterable[Known], facts: Facts) -> str | None:
    """Return the camera that a connection is, or None if it is nobody's, or that isn't clear before it registers."""
    fitting = [one for one in known if one.fits(facts)]
    if facts.registered:
        fitting = [one for one in fitting if one.device in (None, facts.device)]
    best = max(fitting, key=lambda one: one.weight, default=None)
    return best.camera if best is not None and (facts.registered or best.device is None) else None


def _same(ours: str, theirs: str | None) -> bool:
    return theirs is not None and hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """A camera that connects and is in no configuration; its pictures are counted, and shown to nobody.

    :ivar id: what it registered as, if it gave an id.
    :ivar first_seen: Unix seconds; `last_seen` likewise.
    :ivar width: pixels of its last picture, `height` likewise, `size` its bytes; None before the first.
    """

    address: str
    path: str
    id: str | None
    first_seen: float
    last_seen: float
    frames: int = 0
    width: int | None = None
    height: int | None = None
    size: int | None = None


class Strangers:
    """The cameras that are nobody's, the last seen first."""

    def __init__(self) -> None:
        self._all: dict[_Key, Stranger] = {}  # the last seen at the end

    def list(self) -> list[Stranger]:
        """Return them."""
        return list(reversed(self._all.values()))

    def seen(self, facts: Facts, wall: float) -> None:
        """Take note that one says something."""
        key = (facts.address, facts.path, facts.device)
        before = self._all.pop(key, None)
        if before is None and facts.device is not None:  # the same as a moment ago, before it gave its id
            before = self._all.pop((facts.address, facts.path, None), None)
            before = msgspec.structs.replace(before, id=facts.device) if before is not None else None
        if before is None:
            before = Stranger(address=facts.address, path=facts.path, id=facts.device, first_seen=wall, last_seen=wall)
        self._all[key] = msgspec.structs.replace(before, last_seen=wall)
        while len(self._all) > MAXIMUM_STRANGERS:
            del self._all[next(iter(self._all))]

    def forget(self, facts: Facts) -> None:
        """Take one out: it is a camera of the configuration now."""
        self._all.pop((facts.address, facts.path, facts.device), None)

    def pictured(self, facts: Facts, width: int, height: int, size: int, wall: float) -> None:
        """Take note of the picture that one sent; the picture itself isn't kept."""
        self.seen(facts, wall)
        key = (facts.address, facts.path, facts.device)
        before = self._all[key]
        self._all[key] = msgspec.structs.replace(
            before, frames=before.frames + 1, width=width, height=height, size=size
        )


def registered(facts: Facts, device: str | None) -> Facts:
    """Return the facts once a connection has registered."""
    return replace(facts, registered=True, device=device)

"""What a push camera has told of itself since the server's start: one place for all that is known of the device."""

import msgspec

from gatekeeper.cameras.push import abilities, health, wire
from gatekeeper.cameras.push.abilities import SIZES, Abilities
from gatekeeper.cameras.push.boots import Boots
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.push.settings import value_of


class Device:
    """One camera's word about itself.

    :ivar health: how it last said it is; None before its first word.
    """

    def __init__(self) -> None:
        self.health: DeviceHealth | None = None
        self._boots = Boots()
        self._is_own = False  # our own firmware's
        self._listed: tuple[int, ...] | None = None
        self._lost: int | None = None  # pictures, also before its first word; None of one that doesn't number them

    @property
    def abilities(self) -> Abilities:
        """What it takes."""
        model = self.health.model if self.health is not None else None
        return abilities.of(own=self._is_own, model=model, listed=self._listed)

    def connected(self) -> None:
        """It connected anew."""
        self._boots.connected()

    def registered(self, *, own: bool) -> None:
        """It registered; `own` if it knows the framed mode, which our own firmware alone does."""
        self._is_own = own
        if own and self._lost is None:
            self.lost(0)

    def told(self, message: wire.Health, now: float, wall: float) -> bool:
        """Take in its regular word; return whether it has restarted since the last."""
        known = health.told(self._known(wall), message)
        restarted = known.uptime is not None and self._boots.told(known.uptime, now)
        if restarted:
            known = msgspec.structs.replace(known, restarts=known.restarts + 1, restarted=wall)
        self.health = known
        return restarted

    def informed(self, message: wire.Info, wall: float) -> None:
        """Take in what it can."""
        self.health = health.informed(self._known(wall), message)
        if isinstance(message.resolutions, str):
            self._listed = abilities.listed(message.resolutions)

    def took(self, name: str, words: str, wall: float) -> None:
        """Take in what it was just set to: its next word may be ten seconds away, or about mode and fps never come."""
        if name == "mode":
            self.health = msgspec.structs.replace(self._known(wall), mode=words)
        value = value_of(name, words)
        if isinstance(value, int) and name in ("quality", "fps"):
            self.health = msgspec.structs.replace(self._known(wall), **{name: value})
        elif isinstance(value, int) and name == "resolution":
            label, width, height = SIZES[value]
            self.health = msgspec.structs.replace(self._known(wall), resolution=f"{label} ({width}x{height})")

    def lost(self, pictures: int) -> None:
        """Pictures are missing in its numbering."""
        self._lost = (self._lost or 0) + pictures
        if self.health is not None:
            self.health = msgspec.structs.replace(self.health, lost=self._lost)

    def _known(self, wall: float) -> DeviceHealth:
        if self.health is None:
            return DeviceHealth(received=wall, lost=self._lost)
        return msgspec.structs.replace(self.health, received=wall)

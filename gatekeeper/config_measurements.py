"""What the configuration says of measurements: towers that shake, laptops that measure them (seed 002)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

TEAMS = 8
CATEGORIES = ("baja", "beton")
FREQUENCIES = (1.5, 2.5, 3.5, 4.5, 5.5)
PREFIXES = {"baja": "Tim A", "beton": "Tim B"}
"""What the seed calls its teams: `Tim A-1` with a tower of steel (baja), `Tim B-1` with one of concrete (beton)."""

Category = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,19}$", description="lower-case letters and digits")]


class TeamName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a team is called in a category."""

    team: Annotated[int, Meta(ge=1, le=64, description="its number")]
    name: Annotated[str, Meta(min_length=1, max_length=80, description="what people call it")]
    category: Annotated[str, Meta(description="in which category; in every one if empty")] = ""


class Measurements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measurement sessions: teams whose laptops send how far two points of a tower move."""

    listen: Annotated[
        str | None,
        Meta(
            description="Twisted endpoint for the laptops and pages of seed 002, which speak raw WebSocket: `tcp:8080` "
            "is what they dial; nothing listens without. A laptop brings an API key along: "
            "`ws://host:8080/?token=…`"
        ),
    ] = None
    open_sending: Annotated[
        bool,
        Meta(description="take samples for any team from whoever reaches a port, as the seed does; closed otherwise"),
    ] = False
    open_viewing: Annotated[
        bool, Meta(description="show every sample to whoever connects to `listen`, as the seed does; closed otherwise")
    ] = False
    broadcast: Annotated[
        Literal["array", "flat", "both"],
        Meta(
            description="form of `new_data` at `listen`: `array` is what the seed's pages read, `flat` what its "
            "document says; `both` sends both"
        ),
    ] = "array"
    duration: Annotated[float, Meta(gt=0, le=3600, description="seconds that a session lasts, then it ends itself")] = (
        60.0
    )
    teams: Annotated[int, Meta(ge=1, le=64, description="how many there are, numbered from 1")] = TEAMS
    categories: Annotated[tuple[Category, ...], Meta(description="kinds of towers; the first holds at the start")] = (
        CATEGORIES
    )
    frequencies: Annotated[
        tuple[Annotated[float, Meta(gt=0, le=100)], ...], Meta(description="hertz that a table may shake at")
    ] = FREQUENCIES
    names: Annotated[tuple[TeamName, ...], Meta(description="what teams are called, if not `Tim A-1` and so on")] = ()
    maximum_connections: Annotated[int, Meta(ge=1, le=10_000, description="at `listen`, at once")] = 200

    @property
    def is_configured(self) -> bool:
        """Whether anything was said of measurements: pages show nothing of them otherwise."""
        return self != Measurements()

    def name_of(self, team: int, category: str) -> str:
        """Return what people call a team in a category."""
        for one in self.names:
            if one.team == team and one.category in ("", category):
                return one.name
        return f"{PREFIXES.get(category, 'Tim')}-{team}"

"""What one device takes: the real firmware's ranges, narrowed by its sensor and by what it says of itself. No I/O.

The ranges are those of the code (seed 004's firmware): its page says quality 0 to 63, and it takes 5 to 63. Our own
firmware takes the whole range of the sensor. The largest picture is the sensor's: an OV2640 has no FHD.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

SIZES: Final = (
    ("QQVGA", 160, 120), ("QCIF", 176, 144), ("HQVGA", 240, 176), ("QVGA", 320, 240), ("CIF", 400, 296),
    ("VGA", 640, 480), ("SVGA", 800, 600), ("XGA", 1024, 768), ("HD", 1280, 720), ("SXGA", 1280, 1024),
    ("UXGA", 1600, 1200), ("FHD", 1920, 1080), ("QXGA", 2048, 1536),
)  # fmt: skip
"""Name, width and height of each resolution, by number."""

UNSTABLE: Final = 11
"""From this number on the real camera gives black pictures and resets its sensor."""

LARGEST: Final = {"OV7670": 5, "OV7725": 5, "OV2640": 10}
"""Sensor -> the number of its largest resolution; of others the firmware's own list counts."""

MAXIMUM_LIST: Final = 1000  # characters of the list of resolutions that are read; the real one has 240

_ENTRY: Final = re.compile(r"(?:^|,)\s*(\d{1,2})\s*:")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device takes.

    :ivar kind: what it is, for people.
    :ivar quality: the least and the most.
    :ivar resolutions: by number, ascending.
    """

    kind: str
    quality: tuple[int, int]
    resolutions: tuple[int, ...]


SEED: Final = Abilities("ESP32-S3 camera", (5, 63), tuple(range(len(SIZES))))
OWN: Final = Abilities("ESP32-S3 camera with gatekeeper's firmware", (0, 63), tuple(range(len(SIZES))))


def of(*, own: bool, model: str | None = None, listed: tuple[int, ...] | None = None) -> Abilities:
    """Return what a device takes.

    :param own: whether it runs our own firmware: it offers the framed mode.
    :param model: its sensor, as it says.
    :param listed: numbers of the resolutions that it says it has.
    """
    base = OWN if own else SEED
    largest = LARGEST.get(model.upper(), len(SIZES) - 1) if model is not None else len(SIZES) - 1
    known = [number for number in base.resolutions if number <= largest and (listed is None or number in listed)]
    kind = f"{base.kind} ({model})" if model is not None else base.kind
    return replace(base, kind=kind, resolutions=tuple(known) or base.resolutions)


def listed(resolutions: str) -> tuple[int, ...] | None:
    """Return the numbers in a camera's own list, `0:QQVGA(160x120),1:…`; None if it holds none that is known."""
    numbers = {int(number) for number in _ENTRY.findall(resolutions[:MAXIMUM_LIST])}
    return tuple(sorted(number for number in numbers if number < len(SIZES))) or None

"""How a push camera says it is: its words and figures, each checked for itself. A text in, a struct out; no I/O.

What a camera says is never trusted: a figure of another kind, or out of its range, counts as not said, and the rest of
the text is taken.
"""

from typing import Final

import msgspec

from gatekeeper.cameras.push import wire

MOST_MEMORY: Final = 2**32  # bytes: what a 32-bit device can address
MOST_PICTURES: Final = 2**53  # what every serializer and browser can carry
MOST_SECONDS: Final = 2**32  # of uptime: 136 years
WEAKEST: Final = -127  # dBm: the least that fits the device's byte; 0 is what it has without WiFi, so it means nothing
MOST_FPS: Final = 1000
MOST_QUALITY: Final = 63


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera says it is; None where it says nothing.

    :ivar received: Unix seconds of the last word.
    :ivar heap: free bytes of memory; `minimum_heap` the fewest since its start; `psram` those of the slow memory.
    :ivar rssi: dBm of its WiFi.
    :ivar uptime: seconds since its start.
    :ivar model: of its sensor; `firmware` its version, `ip` its address, as it says.
    :ivar fps: pictures per second that it aims at; `mode` its pace, in its own words.
    :ivar sent: pictures that it says it sent; `dropped` those that it says it didn't.
    :ivar lost: pictures missing in its numbering; only our own firmware numbers them.
    :ivar reset: why it started last, in its own words; only our own firmware tells.
    :ivar restarts: how often its uptime went back since the server's start; `restarted`: Unix seconds of the last.
    """

    received: float
    heap: int | None = None
    minimum_heap: int | None = None
    psram: int | None = None
    rssi: int | None = None
    uptime: float | None = None
    model: str | None = None
    firmware: str | None = None
    ip: str | None = None
    resolution: str | None = None
    quality: int | None = None
    fps: int | None = None
    mode: str | None = None
    sent: int | None = None
    dropped: int | None = None
    lost: int | None = None
    reset: str | None = None
    restarts: int = 0
    restarted: float | None = None


def told(before: DeviceHealth, health: wire.Health) -> DeviceHealth:
    """Return how a camera is after its regular word about itself."""
    return msgspec.structs.replace(
        before,
        heap=whole(health.heap, 0, MOST_MEMORY),
        minimum_heap=whole(health.minHeap, 0, MOST_MEMORY),
        psram=whole(health.psram, 0, MOST_MEMORY),
        rssi=whole(health.rssi, WEAKEST, -1),
        uptime=_uptime(health.uptime),
        model=_words(health.model),
        firmware=_words(health.firmware),
        ip=_words(health.ip),
        resolution=_words(health.resolution),
        quality=whole(health.quality, 0, MOST_QUALITY),
        sent=whole(health.frames, 0, MOST_PICTURES),
        dropped=whole(health.dropped, 0, MOST_PICTURES),
        reset=_words(health.reset),
    )


def informed(before: DeviceHealth, info: wire.Info) -> DeviceHealth:
    """Return how a camera is after it told what it can."""
    return msgspec.structs.replace(before, mode=_words(info.mode), fps=whole(info.fps, 0, MOST_FPS))


def whole(value: object, least: int, most: int) -> int | None:
    """Return a whole number within bounds, also where it stands as text or as 5.0; None for anything else."""
    if isinstance(value, str) and len(value) <= len(str(-MOST_PICTURES)) and value.isascii():
        value = int(value) if value.removeprefix("-").isdecimal() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return None
    return int(value) if value == int(value) else None


def _uptime(value: object) -> float | None:
    if isinstance(value, str) and not value.isdecimal():
        seconds = wire.seconds(value)
        return seconds if seconds is not None and seconds <= MOST_SECONDS else None
    found = whole(value, 0, MOST_SECONDS)
    return float(found) if found is not None else None


def _words(value: object) -> str | None:
    return wire.shown(value) if isinstance(value, str) and value else None

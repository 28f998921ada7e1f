"""What our own firmware's push camera says of itself, and how it answers. Structs in, a text out.

The same as `gk/health.hpp`, in Python.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gatekeeper.simulators.push_device import RESOLUTIONS

MODES: Final = ("Velocidad", "Estabilidad")
"""By number, in the words of the seed's firmware."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same from start to start; `id` may be empty."""

    id: str = ""
    model: str = "OV3660"
    firmware: str = "1.0"
    reset: str = "POWERON"


@dataclass(frozen=True, slots=True)
class Readings:
    """What the board measures: bytes, dBm, milliseconds since its start."""

    heap: int = 0
    minimum_heap: int = 0
    psram: int = 0
    rssi: int = 0
    uptime: int = 0
    ip: str = ""


def register(identity: Identity) -> str:
    """Return the first text of a connection."""
    given = {"id": identity.id} if identity.id else {}
    return written({"type": "register", "device": "camera", **given, "frames": ["gkf1"]})


def info(settings: dict[str, int], largest: int) -> str:
    """Return what it can."""
    sizes = enumerate(RESOLUTIONS[: largest + 1])
    known = ",".join(f"{number}:{name}({width}x{height})" for number, (name, width, height) in sizes)
    return written({"type": "info", "resolutions": known, "mode": MODES[settings["mode"]], "fps": settings["fps"]})


def health(identity: Identity, readings: Readings, frames: int, dropped: int, settings: dict[str, int]) -> str:
    """Return how it is."""
    name, width, height = RESOLUTIONS[settings["resolution"]]
    return written(
        {
            "type": "health", "frames": frames, "dropped": dropped, "heap": readings.heap,
            "minHeap": readings.minimum_heap, "psram": readings.psram, "rssi": readings.rssi,
            "uptime": uptime(readings.uptime), "ip": readings.ip, "model": identity.model,
            "resolution": f"{name} ({width}x{height})", "quality": settings["quality"], "reset": identity.reset,
            "firmware": identity.firmware,
        }
    )  # fmt: skip


def uptime(milliseconds: int) -> str:
    """Return `1h 2m 3s`."""
    hours, rest = divmod(milliseconds // 1000, 3600)
    return f"{hours}h {rest // 60}m {rest % 60}s"


def response(cmd: str, identity: str, value: str, *, is_ok: bool) -> str:
    """Return the answer to a command; `identity` is JSON already."""
    answer = {"type": "response", "cmd": cmd, "status": "ok" if is_ok else "error"} | (
        {"value": value} if value else {}
    )
    return written(answer)[:-1] + (f',"id":{identity}}}' if identity else "}")


def written(message: Mapping[str, object]) -> str:
    """Return a message as it goes out."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)

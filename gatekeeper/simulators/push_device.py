"""What the virtual ESP32-S3 camera decides: its settings, its answers, and how a picture goes over the wire. No I/O.

As seed 004's firmware does it, quirks included: a `val` that is no text reads as "" and so as 0, setting the resolution
that it has is an error, texts of errors are Spanish, and the default mode sleeps 30 ms after each kilobyte.
"""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from gatekeeper.simulators.camera_faults import CameraFault

RESOLUTIONS: Final = (
    ("QQVGA", 160, 120), ("QCIF", 176, 144), ("HQVGA", 240, 176), ("QVGA", 320, 240), ("CIF", 400, 296),
    ("VGA", 640, 480), ("SVGA", 800, 600), ("XGA", 1024, 768), ("HD", 1280, 720), ("SXGA", 1280, 1024),
    ("UXGA", 1600, 1200), ("FHD", 1920, 1080), ("QXGA", 2048, 1536),
)  # fmt: skip
PLAIN: Final = 10_000  # bytes: up to here one message is one picture
BRACKETED: Final = 30_000  # up to here it stands between two texts; above, it goes in pieces
PAUSE: Final = 0.03  # seconds after each piece in stability mode, and between two pictures in speed mode
REST: Final = 0.35  # seconds between two pictures in stability mode

_STABILITY: Final = ((400_000, 12288), (200_000, 6144), (100_000, 2048), (0, 1024))
_SPEED: Final = ((400_000, 24576), (200_000, 12288), (100_000, 6144), (30_000, 2048), (0, 1024))


class PushFault(StrEnum):
    """What is wrong with a virtual ESP32-S3 camera."""

    NONE = "none"
    SILENT = "silent"  # connected, and no pictures
    MUTE = "mute"  # pictures, and no answers to commands
    UNWILLING = "unwilling"  # pictures, and a refusal of every command
    SEVERED = "severed"  # reads nothing and sends nothing: the network is gone, the connection isn't
    CUT = "cut"  # drops the connection in the middle of each picture
    RESTART = "restart"  # begins each picture anew halfway
    WRONG_SIZE = "wrong_size"  # announces another size
    ENDLESS = "endless"  # sets of pieces that never end
    GARBAGE = "garbage"  # no JPEG
    TRUNCATED = "truncated"  # pictures without their second half
    FREEZE = "freeze"  # the same picture for ever
    BLACK = "black"
    OVEREXPOSED = "overexposed"  # blinded
    LOOPING = "looping"  # its last pictures again and again
    COVERED = "covered"  # by a cloth
    MOVED = "moved"  # turned to the side


class Cure(StrEnum):
    """What ends a fault by itself."""

    NONE = "none"
    RECONNECT = "reconnect"  # a new connection
    REBOOT = "reboot"


SIGHTS: Final = frozenset(
    (PushFault.FREEZE, PushFault.BLACK, PushFault.OVEREXPOSED, PushFault.LOOPING, PushFault.COVERED, PushFault.MOVED)
)
"""Faults of lens and sensor, which a `Lens` plays; the others are played on the wire."""


class PushDevice:
    """The camera without its network.

    :param name: what it registers as; None as the seed's firmware, which has no name.
    :param framed: whether it knows the framed mode.
    :param speed: start in speed mode, which the real one doesn't.
    :ivar fault: what is wrong with it; `cure` what ends that.
    :ivar commands: the last that it took, as name and `val`.
    """

    def __init__(
        self, name: str | None = None, *, framed: bool = False, speed: bool = False, resolution: int = 7
    ) -> None:
        self.name = name
        self.knows_frames = framed
        self.is_framed = False  # once the server asks for it
        self.fault = PushFault.NONE
        self.cure = Cure.NONE
        self.commands: list[tuple[str, str]] = []
        self.frames = 0
        self._boot = (resolution, speed)
        self.boot()

    def boot(self) -> None:
        """Start with its own defaults."""
        if self.cure is Cure.REBOOT:
            self.fault = PushFault.NONE
        resolution, speed = self._boot
        self.is_framed = False
        self.number = 0  # of its pictures, on the wire
        self.settings: dict[str, int] = {
            "resolution": resolution, "quality": 15, "fps": 20, "mode": 0 if speed else 1, "brightness": 0,
            "contrast": 0, "exposure": 1, "gain": 1, "whitebalance": 1, "hmirror": 0, "vflip": 0,
        }  # fmt: skip

    def joined(self) -> None:
        """Begin anew on a new connection."""
        self.number = 0
        if self.cure is Cure.RECONNECT:
            self.fault = PushFault.NONE

    @property
    def sight(self) -> CameraFault:
        """What is wrong with its lens or its sensor."""
        return CameraFault(self.fault.value) if self.fault in SIGHTS else CameraFault.NONE

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures."""
        return RESOLUTIONS[self.settings["resolution"]][1:]

    # --- texts ---

    def greeting(self, uptime: float) -> list[str]:
        """Return what it says when it is connected."""
        register: dict[str, Any] = {"type": "register", "device": "camera"}
        if self.name is not None:
            register["id"] = self.name
        if self.knows_frames:
            register["frames"] = ["gkf1"]
        known = ",".join(f"{number}:{name}({width}x{high})" for number, (name, width, high) in enumerate(RESOLUTIONS))
        mode = "Estabilidad" if self.settings["mode"] else "Velocidad"
        info = {"type": "info", "resolutions": known, "mode": mode, "fps": self.settings["fps"]}
        return [_text(register), _text(info), self.health(uptime)]

    def health(self, uptime: float) -> str:
        """Return how it is."""
        name, width, high = RESOLUTIONS[self.settings["resolution"]]
        hours, rest = divmod(int(uptime), 3600)
        heap = 201_344 - 512 * (self.frames % 29)  # the real one's goes up and down with its buffers
        own = {"psram": 8_257_536, "reset": "POWERON", "firmware": "1.0"} if self.knows_frames else {}
        return _text(
            {
                "type": "health", "frames": self.frames, "dropped": 0, "heap": heap, "minHeap": 180_112, "rssi": -58,
                "uptime": f"{hours}h {rest // 60}m {rest % 60}s", "ip": "127.0.0.1", "model": "OV3660",
                "resolution": f"{name} ({width}x{high})", "quality": self.settings["quality"], **own,
            }
        )  # fmt: skip

    def heard(self, text: str) -> tuple[list[str], bool]:
        """Return the answers to a text, and whether it starts anew after them."""
        try:
            message = json.loads(text)
        except ValueError:
            return [], False
        if message.get("frames") == "gkf1" and self.knows_frames:
            self.is_framed = True
        if message.get("type") != "command":
            return [], False
        given = message.get("val")
        val = given if isinstance(given, str) else ""  # `const char* val = doc["val"]`
        cmd = str(message.get("cmd"))
        self.commands.append((cmd, val))
        del self.commands[:-100]
        if self.fault is PushFault.MUTE:
            return [], False
        if self.fault is PushFault.UNWILLING:
            return [f'{{"type":"response","cmd":"{cmd}","status":"error","value":"sensor no disponible"}}'], False
        done, value = self._obey(cmd, val)
        value = f',"value":"{value}"' if value else ""
        answer = f'{{"type":"response","cmd":"{cmd}","status":"{"ok" if done else "error"}"{value}}}'
        if cmd != "reboot":
            return [answer], False
        return [answer, _text({"type": "status", "msg": "Dispositivo reiniciando..."})], True

    def _obey(self, cmd: str, val: str) -> tuple[bool, str]:
        return (True, "reiniciando") if cmd == "reboot" else self._set(cmd, val)

    def _set(self, cmd: str, val: str) -> tuple[bool, str]:
        if cmd == "mode":
            self.settings["mode"] = 0 if val in ("0", "speed", "velocidad") else 1
            return True, "Estabilidad" if self.settings["mode"] else "Velocidad"
        if cmd in ("exposure", "gain", "whitebalance", "hmirror", "vflip"):
            self.settings[cmd] = int(val in ("1", "true", "on"))
            return True, "on" if self.settings[cmd] else "off"
        ranges = {
            "resolution": (0, 12, "(0-12)"), "quality": (5, 63, "(5-63)"), "fps": (1, 30, "(1-30)"),
            "brightness": (-2, 2, "(-2 a 2)"), "contrast": (-2, 2, "(-2 a 2)"),
        }  # fmt: skip
        return self._number(cmd, val, ranges[cmd]) if cmd in ranges else (False, "comando desconocido")

    def _number(self, cmd: str, val: str, allowed: tuple[int, int, str]) -> tuple[bool, str]:
        low, high, shown = allowed
        number = _to_int(val)
        if not low <= number <= high or (cmd == "resolution" and number == self.settings[cmd]):
            return False, f"valor no válido {shown}"
        self.settings[cmd] = number
        if cmd == "resolution":
            name, width, height = RESOLUTIONS[number]
            return True, f"{number} ({name} ({width}x{height}))"
        return True, f"{number} (actual: {number - 0.5:.1f})" if cmd == "fps" else str(number)

    # --- pictures ---

    @property
    def rest(self) -> float:
        """Seconds between two pictures."""
        return max(REST if self.settings["mode"] else PAUSE, 1 / self.settings["fps"])

    def picture(self, jpeg: bytes, now: float) -> Iterator[tuple[str | bytes, float]]:
        """Give the messages of a picture, or what the fault makes of them, each with the pause after it in seconds."""
        fault = self.fault
        if fault is PushFault.GARBAGE:
            jpeg = b"no picture " * (len(jpeg) // 11)
        elif fault is PushFault.TRUNCATED:
            jpeg = jpeg[: len(jpeg) // 2]
        in_pieces = (PushFault.RESTART, PushFault.ENDLESS, PushFault.CUT)
        if self.is_framed and fault not in (*in_pieces, PushFault.WRONG_SIZE):
            self.number += 1
            yield pack(jpeg, self.number, int(now * 1000), *self.size), 0.0
        elif len(jpeg) > BRACKETED or fault in in_pieces:
            yield from self._pieces(jpeg)
        elif len(jpeg) > PLAIN or fault is PushFault.WRONG_SIZE:
            yield from self._bracketed(jpeg)
        else:
            yield jpeg, 0.0
        self.frames += 1

    def _bracketed(self, jpeg: bytes) -> Iterator[tuple[str | bytes, float]]:
        self.number += 1
        size = len(jpeg) + (self.fault is PushFault.WRONG_SIZE)
        yield _text({"type": "frame_start", "id": self.number, "size": size}), 0.0
        yield jpeg, 0.0
        yield _text({"type": "frame_end", "id": self.number}), 0.0

    def _pieces(self, jpeg: bytes) -> Iterator[tuple[str | bytes, float]]:
        self.number += 1
        table = _STABILITY if self.settings["mode"] else _SPEED
        piece = next(size for above, size in table if len(jpeg) > above)
        pause = PAUSE if self.settings["mode"] else 0.0
        count = -(-len(jpeg) // piece)
        size = len(jpeg) + (self.fault is PushFault.WRONG_SIZE)
        width, height = self.size
        start = _text(
            {"type": "img_start", "id": self.number, "size": size, "chunks": count, "chunkSize": piece,
             "width": width, "height": height}
        )  # fmt: skip
        yield start, 0.0
        if self.fault is PushFault.RESTART:
            for at in range(0, len(jpeg) // 2, piece):
                yield jpeg[at : at + piece], pause
            yield start, 0.0
        for at in range(0, len(jpeg), piece):
            yield jpeg[at : at + piece], pause
        if self.fault is not PushFault.ENDLESS:
            yield _text({"type": "img_end", "id": self.number, "size": size, "success": True}), 0.0


def pack(payload: bytes, sequence: int, milliseconds: int, width: int, height: int, *, is_unix: bool = True) -> bytes:
    """Return a framed message with CRC, as our own firmware sends it; `milliseconds` is Unix time or uptime."""
    flags = 3 if is_unix else 1
    head = (b"GKF1", 1, 32, flags, 1, sequence & 0xFFFFFFFF, milliseconds, width, height)
    return struct.pack(">4sBBBBIQHHII", *head, len(payload), zlib.crc32(payload)) + payload


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _to_int(val: str) -> int:
    """Read a number as Arduino's `toInt` does: 0 if there is none."""
    found = re.match(r"\s*([+-]?\d{1,9})", val)
    return int(found[1]) if found else 0

"""The push camera's core and its likeness in Python behind one face: events in, lines of orders out."""

import ctypes
from ctypes import c_char_p, c_int, c_size_t, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any, Final

from gatekeeper.simulators.own_push_device import Link, OwnPushDevice
from gatekeeper.simulators.own_push_telling import Identity, Readings

IDENTITY: Final = Identity("garden")
WRAP: Final = 2**32
LINKS: Final = tuple(Link)

_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "camera_new": (c_void_p, [c_char_p, c_char_p, c_char_p, c_char_p, c_int, c_int]),
    "camera_free": (None, [c_void_p]),
    "camera_mood": (None, [c_void_p, c_int, c_int, c_int, c_uint32]),
    "camera_asked": (c_size_t, [c_void_p, c_char_p, c_size_t]),
    "camera_network": (None, [c_void_p, c_int, c_uint32]),
    "camera_opened": (None, [c_void_p, c_int, c_uint32]),
    "camera_lost": (None, [c_void_p, c_int, c_uint32]),
    "camera_alive": (None, [c_void_p, c_int, c_uint32]),
    "camera_text": (None, [c_void_p, c_int, c_char_p, c_size_t, c_uint32]),
    "camera_tick": (None, [c_void_p, c_uint32, c_uint32, c_uint32, c_uint32, c_int, c_uint64, c_char_p]),
    "camera_wants": (c_int, [c_void_p, c_uint32]),
    "camera_picture": (c_int, [c_void_p, c_char_p, c_size_t, c_uint64, c_int, c_uint32]),
    "camera_setting": (c_int, [c_void_p, c_int]),
    "camera_frames": (c_uint32, [c_void_p]),
    "camera_dropped": (c_uint32, [c_void_p]),
    "camera_state": (c_int, [c_void_p, c_int]),
    "command_hear": (c_size_t, [c_char_p, c_size_t, c_int, c_char_p, c_size_t]),
    "json_string": (c_size_t, [c_char_p, c_size_t, c_char_p, ctypes.POINTER(c_int), c_char_p, c_size_t]),
    "crc32": (c_uint32, [c_char_p, c_size_t]),
    "frame_header": (None, [c_uint32, c_uint64, c_int, c_int, c_uint16, c_uint16, c_uint32, c_uint32, c_char_p]),
    "jpeg_info": (c_size_t, [c_char_p, c_size_t, ctypes.POINTER(c_int), ctypes.POINTER(c_int)]),
    "uptime_text": (c_size_t, [c_uint64, c_char_p, c_size_t]),
    "backoff_waits": (None, [c_uint32, c_uint32, ctypes.POINTER(c_uint32), c_size_t, ctypes.POINTER(c_uint32)]),
}


class Core:
    """The functions `gk_push_*` of the library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, f"gk_push_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:  # only for the type checker's sake: all are set above
        raise AttributeError(name)

    def told(self, name: str, *arguments: Any) -> str:
        """Return the text that a function gives."""
        out = ctypes.create_string_buffer(8192)
        size = getattr(self, name)(*arguments, out, len(out))
        assert size <= len(out)
        return out.raw[:size].decode()

    def hear(self, text: bytes, largest: int = 12) -> str:
        return self.told("command_hear", text, len(text), largest)

    def string(self, text: bytes, name: str) -> str | None:
        """Return what `FlatJson` has under a name; None if the text is no flat object."""
        is_read = c_int()
        found = self.told("json_string", text, len(text), name.encode(), ctypes.byref(is_read))
        return bytes.fromhex(found).decode() if is_read.value else None

    def measure(self, jpeg: bytes) -> tuple[int, int, int] | None:
        width, height = c_int(), c_int()
        size = self.jpeg_info(jpeg, len(jpeg), ctypes.byref(width), ctypes.byref(height))
        return (width.value, height.value, size) if size else None


class CoreCamera:
    """The core's camera."""

    def __init__(self, core: Core, *, largest: int = 12, has_control: bool = True) -> None:
        one = IDENTITY
        words = (one.id.encode(), one.model.encode(), one.firmware.encode(), one.reset.encode())
        self._core = core
        self._camera = core.camera_new(*words, largest, has_control)

    def free(self) -> None:
        self._core.camera_free(self._camera)

    def mood(self, *, texts: bool = True, frames: bool = True, settings: bool = True, luck: int = 0) -> None:
        self._core.camera_mood(self._camera, texts, frames, settings, luck)

    def asked(self) -> list[str]:
        out = ctypes.create_string_buffer(1 << 16)
        size = self._core.camera_asked(self._camera, out, len(out))
        assert size <= len(out)
        return out.raw[:size].decode().splitlines()

    def network(self, is_up: bool, now: int) -> None:
        self._core.camera_network(self._camera, is_up, now % WRAP)

    def opened(self, link: Link, now: int) -> None:
        self._core.camera_opened(self._camera, LINKS.index(link), now % WRAP)

    def lost(self, link: Link, now: int) -> None:
        self._core.camera_lost(self._camera, LINKS.index(link), now % WRAP)

    def alive(self, link: Link, now: int) -> None:
        self._core.camera_alive(self._camera, LINKS.index(link), now % WRAP)

    def text(self, link: Link, text: bytes, now: int) -> None:
        self._core.camera_text(self._camera, LINKS.index(link), text, len(text), now % WRAP)

    def tick(self, now: int, readings: Readings) -> None:
        one = readings
        figures = (one.heap, one.minimum_heap, one.psram, one.rssi, one.uptime)
        self._core.camera_tick(self._camera, now % WRAP, *figures, one.ip.encode())

    def wants_picture(self, now: int) -> bool:
        return bool(self._core.camera_wants(self._camera, now % WRAP))

    def picture(self, jpeg: bytes, milliseconds: int, now: int, *, is_unix: bool = True) -> bool:
        given = (jpeg, len(jpeg), milliseconds, is_unix)
        return bool(self._core.camera_picture(self._camera, *given, now % WRAP))

    def seen(self) -> list[int]:
        """Return all that can be seen of it from outside."""
        core, camera = self._core, self._camera
        settings = [core.camera_setting(camera, number) for number in range(11)]
        states = [core.camera_state(camera, link) for link in range(2)]
        return [*settings, *states, core.camera_frames(camera), core.camera_dropped(camera)]


class LikeCamera:
    """The likeness in Python, and the board that writes down what it asks."""

    def __init__(self, *, largest: int = 12, has_control: bool = True) -> None:
        self.device = OwnPushDevice(self, IDENTITY, largest=largest, has_control=has_control)
        self.network, self.opened, self.lost = self.device.network, self.device.opened, self.device.lost
        self.alive, self.tick = self.device.alive, self.device.tick
        self.wants_picture, self.picture = self.device.wants_picture, self.device.picture
        self._lines: list[str] = []
        self.mood()

    def mood(self, *, texts: bool = True, frames: bool = True, settings: bool = True, luck: int = 0) -> None:
        self._mood = texts, frames, settings, luck

    def asked(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines

    def seen(self) -> list[int]:
        device = self.device
        states = [int(device.state(link)) for link in LINKS]
        return [*device.settings.values(), *states, device.frames, device.dropped]

    # --- the board: `text` is an event too, told apart by what it brings ---

    def connect(self, link: Link) -> None:
        self._lines.append(f"connect {link}")

    def drop(self, link: Link) -> None:
        self._lines.append(f"drop {link}")

    def ping(self, link: Link) -> None:
        self._lines.append(f"ping {link}")

    def text(self, link: Link, text: Any, now: int | None = None) -> bool:
        if now is not None:
            self.device.text(link, text, now)
            return True
        self._lines.append(f"text {link} {text}")
        return self._mood[0]

    def frame(self, header: bytes, jpeg: bytes) -> bool:
        self._lines.append(f"frame {header.hex() or '-'} {len(jpeg)}")
        return self._mood[1]

    def apply(self, setting: str, value: int) -> bool:
        self._lines.append(f"apply {setting} {value}")
        return self._mood[2]

    def reboot(self) -> None:
        self._lines.append("reboot")

    def random(self) -> int:
        return self._mood[3]

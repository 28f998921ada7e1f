"""The devices' Wi-Fi state machine, and the radio that it thinks it has."""

import ctypes
from enum import IntEnum

WRAP = 1 << 32


class WifiState(IntEnum):
    """As the core counts them."""

    IDLE = 0
    JOINING = 1
    UP = 2
    LOST = 3


class Wifi:
    """One state machine.

    :param networks: how many its list has.
    """

    def __init__(self, library: ctypes.CDLL, networks: int = 1) -> None:
        self._library = library
        library.gk_wifi_new.restype = ctypes.c_void_p
        library.gk_wifi_new.argtypes = (ctypes.c_size_t,)
        library.gk_wifi_said.restype = ctypes.c_size_t
        library.gk_wifi_said.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
        library.gk_wifi_state.argtypes = library.gk_wifi_delete.argtypes = (ctypes.c_void_p,)
        library.gk_wifi_disconnected.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
        for name in ("start", "address", "address_lost", "tick", "luck"):
            getattr(library, f"gk_wifi_{name}").argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        self._wifi = library.gk_wifi_new(networks)

    def event(self, name: str, now: int, reason: int = 200) -> str:
        """Tell it `start`, `address`, `address_lost`, `disconnected` or `tick`; return what it asked of the radio.

        :param now: milliseconds, of any size.
        """
        happen = getattr(self._library, f"gk_wifi_{name}")
        if name == "disconnected":
            happen(self._wifi, reason, now % WRAP)
        else:
            happen(self._wifi, now % WRAP)
        out = ctypes.create_string_buffer(256)
        size = self._library.gk_wifi_said(self._wifi, out, len(out))
        return out.raw[:size].decode()

    def luck(self, dice: int) -> None:
        """Set the 32 bits that are drawn next."""
        self._library.gk_wifi_luck(self._wifi, dice)

    @property
    def state(self) -> WifiState:
        return WifiState(self._library.gk_wifi_state(self._wifi))

    def delete(self) -> None:
        """Free its memory."""
        self._library.gk_wifi_delete(self._wifi)

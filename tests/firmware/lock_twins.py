"""The lock's core and its twin in Python behind one face, for tests that hold them to the same."""

import ctypes
from typing import Any, Protocol

from gatekeeper.simulators.own_lock_device import OwnLockDevice
from tests.firmware.own_lock import Core, Deed, told


class Twin(Protocol):
    """What both can be made to do: `event` is as in the vectors, `now` in milliseconds."""

    @property
    def relay(self) -> bool: ...

    def event(self, event: list[Any], now: int) -> list[str]:
        """Return what it did: changes of the relay, then everything else in order."""


class Counting:
    """Chance that is 0, 1, 2, … (mod 256)."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, count: int) -> bytes:
        data = bytes((self._next + place) % 256 for place in range(count))
        self._next += count
        return data


class CoreTwin:
    """The core in C++; its deadlines of connections are kept out of it: everybody is heard before each turn."""

    def __init__(self, library: ctypes.CDLL, key: bytes | None, max_open: int) -> None:
        self.core = Core(library, key, max_open=max_open)
        self._clients: set[int] = set()
        self._relay = False

    @property
    def relay(self) -> bool:
        return self.core.relay

    def event(self, event: list[Any], now: int) -> list[str]:
        deeds: list[Deed] = []
        match event:
            case ["connect", client, *address]:
                self._clients.add(client)
                deeds = self.core.connected(client, now, *address)
            case ["text", client, text]:
                deeds = self.core.text(client, text, now)
            case ["disconnect", client]:
                self.core.disconnected(client)
            case ["tick"]:
                for client in self._clients:
                    self.core.heard(client, now)
                deeds = self.core.tick(now)
            case ["trip"]:
                deeds = self.core.trip(now)
            case ["rssi", rssi]:
                self.core.rssi = rssi
            case ["refusal", address, origin]:
                return [str(self.core.refusal(address, origin) or "none")]
        return self._changes(told(deeds))

    def _changes(self, deeds: list[str]) -> list[str]:
        """Leave out where the relay was driven to what it was already."""
        changes = []
        for deed in deeds:
            if deed in ("relay on", "relay off") and (deed == "relay on") is not self._relay:
                self._relay = not self._relay
                changes.append(deed)
        for client in (deed.split(" ")[0] for deed in deeds if "(close" in deed):
            self.core.disconnected(int(client))  # as it will be told
        return changes + [deed for deed in deeds if not deed.startswith("relay")]


class PythonTwin:
    """The device of the demo site."""

    def __init__(self, key: bytes | None, max_open: int) -> None:
        self.device = OwnLockDevice(key, rssi=-58, max_open=max_open / 1000, random=Counting())

    @property
    def relay(self) -> bool:
        return self.device.relay

    def event(self, event: list[Any], now: int) -> list[str]:
        before, at = len(self.device.history), now / 1000
        deeds: list[Any] = []
        match event:
            case ["connect", client, *address]:
                deeds = self.device.connected(client, at, *address)
            case ["text", client, text]:
                deeds = self.device.text(text, at, client)
            case ["disconnect", client]:
                self.device.disconnected(client)
            case ["tick"]:
                deeds = self.device.tick(at)
            case ["trip"]:
                deeds = self.device.trip(at)
            case ["rssi", rssi]:
                self.device.rssi = rssi
            case ["refusal", address, origin]:
                return [str(self.device.refusal(address, origin) or "none")]
        changes = [f"relay {'on' if energised else 'off'}" for _, energised in self.device.history[before:]]
        return changes + told(deeds)

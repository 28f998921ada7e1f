"""Readings on their way to the server."""

from typing import Protocol

from gatekeeper.measurements.reading import Reading


class Sender(Protocol):
    """What `gatekeeper.measurements.sender` has."""

    def send(self, dista: float, distb: float, is_a_detected: bool, is_b_detected: bool, /) -> object: ...


class Sending:
    """Sends each reading. A point that isn't detected is sent as 0 mm and not detected, never with its last value."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def take(self, reading: Reading) -> None:
        """Send a reading."""
        a, b = reading.a, reading.b
        self._sender.send(a.mm or 0.0, b.mm or 0.0, a.detected, b.detected)

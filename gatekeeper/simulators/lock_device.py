"""The seed's door lock as a machine without I/O: what its firmware does, hazards included (seed 000; `doors/wire.py`).

Kept on purpose: answers go to everybody, any text feeds the dead-man switch, and the disconnect of *any* client disarms
it, so that a door left open by a server that closes its connection stays open for ever.
"""

from dataclasses import dataclass
from enum import StrEnum

HEARTBEAT_TIMEOUT = 10.0
"""Seconds without any text after which an open relay is released, if the firmware thinks that somebody is connected."""

SIGNAL_PERIOD = 5.0


class LockFault(StrEnum):
    """What can be wrong with the virtual lock."""

    NONE = "none"
    REFUSE = "refuse"  # nothing listens on its port
    MUTE = "mute"  # accepts the connection and never answers the handshake
    NOT_FOUND = "not_found"  # answers 404 instead of a WebSocket
    SILENT = "silent"  # hears nothing and says nothing, the connection stays
    NO_PONG = "no_pong"  # everything but PONG
    DEAF = "deaf"  # ignores OPEN_DOOR and LOCK_DOOR
    NO_ACK = "no_ack"  # acts, and its ACK: is lost
    LATE = "late"  # acts and answers OPEN_DOOR after three seconds
    REJECT = "reject"  # answers ERR: to OPEN_DOOR and LOCK_DOOR
    JAMMED = "jammed"  # acknowledges LOCK_DOOR and the relay stays energised
    HANG_UP = "hang_up"  # closes the connection cleanly on OPEN_DOOR, after acting
    RESET = "reset"  # the same, with a RST
    TWICE = "twice"  # says everything twice
    GARBLE = "garble"  # adds lines that are in no protocol
    SEVERED = "severed"  # the network is gone, both ways, without a FIN


@dataclass(frozen=True, slots=True)
class Say:
    """A text to one client, or to every client if `client` is None; `acknowledges`: the second half of an answer."""

    text: str
    client: int | None = None
    acknowledges: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """The end of one client's connection, with WebSocket's code for why."""

    client: int
    code: int


class LockDevice:
    """The lock's firmware. Times are monotonic seconds.

    :ivar relay: whether the relay is energised.
    :ivar history: every change of the relay as (time, energised).
    :ivar commands: every text that was heard, with its time.
    """

    is_own = False

    def __init__(self, rssi: int = -58) -> None:
        self.relay = False
        self.rssi = rssi
        self.fault = LockFault.NONE
        self.history: list[tuple[float, bool]] = []
        self.commands: list[tuple[float, str]] = []
        self._client_connected = False
        self._heartbeat = 0.0
        self._next_signal = 0.0

    def refusal(self, address: str, origin: str | None) -> int | None:
        """Return the HTTP status that a handshake is refused with: everybody may come in, browsers too."""
        return None

    def connected(self, client: int, now: float, address: str = "") -> list[Say]:
        """A client's WebSocket is open."""
        self._client_connected = True
        self._heartbeat = now
        state = "OK:OPEN" if self.relay else "OK:LOCKED"
        return [Say(text, client) for text in ("Connected to Door Lock", state, f"SIGNAL:GOOD:{self.rssi}")]

    def disconnected(self, client: int = 0) -> None:
        """Any client went: the firmware has one flag for all of them."""
        self._client_connected = False

    def text(self, text: str, now: float, client: int = 0) -> list[Say]:
        """A client said something; not trimmed, as in the firmware."""
        self._heartbeat = now
        self.commands.append((now, text))
        ignored = self.fault is LockFault.DEAF and text in ("OPEN_DOOR", "LOCK_DOOR")
        refused = self.fault is LockFault.REJECT and text in ("OPEN_DOOR", "LOCK_DOOR")
        says: list[Say] = []
        if refused:
            says = [Say("ERR:AUTH")]
        elif text == "OPEN_DOOR" and not ignored:
            self.switch(True, now)
            says = self._answer("OK:Door opened", text)
        elif text == "LOCK_DOOR" and not ignored:
            if self.fault is not LockFault.JAMMED:
                self.switch(False, now)
            says = self._answer("OK:Door locked", text)
        elif text == "STATUS":
            says = [Say("OK:OPEN" if self.relay else "OK:LOCKED"), Say("ACK:STATUS", acknowledges=True)]
        elif text == "PING" and self.fault is not LockFault.NO_PONG:
            says = [Say("PONG")]
        if self.fault is LockFault.TWICE:
            says = [say for say in says for _ in range(2)]
        if self.fault is LockFault.GARBLE:
            says = [Say("\x00\ufffdBOOT:rst:0x1"), *says, Say("SIGNAL:PERFECT:12"), Say("OK:" + "x" * 4000)]
        return says

    def _answer(self, result: str, command: str) -> list[Say]:
        acknowledgement = Say(f"ACK:{command}", acknowledges=True)
        return [Say(result)] if self.fault is LockFault.NO_ACK else [Say(result), acknowledgement]

    def switch(self, energised: bool, now: float) -> None:
        """Drive the relay; also what the unauthenticated `GET /open` does, without telling anybody."""
        if energised is not self.relay:
            self.history.append((now, energised))
        self.relay = energised

    def tick(self, now: float) -> list[Say]:
        """What the firmware's loop does; call it every 100 ms or so."""
        says = []
        if self._client_connected and self.relay and now - self._heartbeat > HEARTBEAT_TIMEOUT:
            self.switch(False, now)
            says.append(Say("TIMEOUT:AUTO_LOCKED"))
        if now >= self._next_signal:
            self._next_signal = now + SIGNAL_PERIOD
            says.append(Say(f"SIGNAL:{self._level()}:{self.rssi}"))
        return says

    def _level(self) -> str:
        return "EXCELLENT" if self.rssi > -50 else "GOOD" if self.rssi > -70 else "WEAK"

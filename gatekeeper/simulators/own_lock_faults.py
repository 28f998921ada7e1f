"""Our own firmware's lock with something wrong with it, as the virtual lock's switches want: never part of the device.

What is garbled or said twice isn't signed anew, as on a line that somebody meddles with.
"""

from gatekeeper.simulators.lock_device import Drop, LockFault, Say
from gatekeeper.simulators.own_lock_device import OwnLockDevice

_MOVES = ("OPEN_DOOR", "LOCK_DOOR")


class FaultyOwnLock(OwnLockDevice):
    """The firmware of our own lock, and what its `fault` does to it."""

    def text(self, text: str, now: float, client: int) -> list[Say | Drop]:
        """Answer as it should, then worse."""
        out = super().text(text, now, client)
        if self.fault is LockFault.TWICE:
            return [one for one in out for _ in range(1 if isinstance(one, Drop) else 2)]
        if self.fault is LockFault.GARBLE:
            return [Say("\x00\ufffdBOOT:rst:0x1", client), *out, Say("OK:" + "x" * 4000, client)]
        return out

    def _command(self, client: int, command: str, now: float, *, beats: bool = True) -> list[Say | Drop]:
        if command in _MOVES and self.fault is LockFault.DEAF:
            return []
        if command in _MOVES and self.fault is LockFault.REJECT:
            return self._reply(client, "ERR:REFUSED")
        if command == "PING" and self.fault is LockFault.NO_PONG:
            return []
        if command == "LOCK_DOOR" and self.fault is LockFault.JAMMED:
            return [*self._reply(client, "OK:Door locked"), *self._reply(client, "ACK:LOCK_DOOR")]
        out = super()._command(client, command, now, beats=beats)
        lost = command in _MOVES and self.fault is LockFault.NO_ACK
        return [one for one in out if not (lost and isinstance(one, Say) and one.acknowledges)]

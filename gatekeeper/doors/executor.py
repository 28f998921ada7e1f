"""Starts the last will's process and keeps it informed; see `last_will` for what it does and why."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.logger import Logger

from gatekeeper.doors import last_will

FAREWELL = 2.0
"""Seconds for the process to end after its control socket did; it needs milliseconds."""


class Executor(Protocol):
    """Who is told of locks' connections and doors."""

    def hold(self, door: str, transport: Any) -> None:
        """A lock's connection is open."""

    def tell(self, door: str, is_locked: bool) -> None:
        """A door became locked, or may be open."""

    def drop(self, door: str) -> None:
        """A lock's connection ends."""


class Nobody:
    """Where there are no Unix sockets, nothing is left behind: after a kill the door is locked at the next start."""

    def hold(self, door: str, transport: Any) -> None:
        """Do nothing."""

    def tell(self, door: str, is_locked: bool) -> None:
        """Do nothing."""

    def drop(self, door: str) -> None:
        """Do nothing."""


class LastWill(Service):
    """One process for all doors; without it (it was killed, or couldn't be started) everything else goes on."""

    log = Logger()

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._told: dict[str, bool] = {}

    def startService(self) -> None:
        super().startService()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        command = [sys.executable, "-I", "-S", str(Path(last_will.__file__)), str(theirs.fileno())]
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                    command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
                )
            except OSError as error:
                self.log.error("no last will: {error}", error=error)
                ours.close()
                return
        self._control = ours

    def stopService(self) -> None:
        """End the process; the connections must have been dropped, in good order, before."""
        super().stopService()
        self._close()
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(FAREWELL)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def hold(self, door: str, transport: Any) -> None:
        """Hand over a second handle of a plain TCP connection; one with TLS can't be spoken on by another process."""
        handle = transport.getHandle() if hasattr(transport, "getHandle") else None
        if isinstance(handle, socket.socket):
            self._told.pop(door, None)
            self._order(f"hold {door}", handle)

    def tell(self, door: str, is_locked: bool) -> None:
        """Pass on what is known of a door, if that is news."""
        if self._told.get(door) is not is_locked:
            self._told[door] = is_locked
            self._order(f"{'shut' if is_locked else 'open'} {door}")

    def drop(self, door: str) -> None:
        """Let go of a connection."""
        self._order(f"drop {door}")

    def _order(self, order: str, handle: socket.socket | None = None) -> None:
        if self._control is None:
            return
        try:
            socket.send_fds(self._control, [order.encode("ascii")], [handle.fileno()] if handle is not None else [])
        except OSError as error:
            self.log.error("the last will's process is gone: {error}", error=error)
            self._close()

    def _close(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            control.close()


def can_leave_a_will() -> bool:
    """Return whether this system hands sockets from process to process."""
    return hasattr(socket, "send_fds") and hasattr(socket, "SOCK_SEQPACKET") and sys.platform != "darwin"

"""What is left when gatekeeper is killed: a process that says LOCK_DOOR over the connection that nobody closed.

The seed's lock disarms its dead-man switch when a connection is closed, and a killed process closes all it has: the
door would stay open for ever. So a second handle of each lock's socket is held here, which keeps it open, and used only
when the control socket ends without a farewell. Runs alone, with nothing but the standard library:
`python -I -S last_will.py <control descriptor>`. On the control socket (SOCK_SEQPACKET) each packet is one order:

    hold <door>     with one descriptor: its lock's connection
    open <door>     the door isn't known to be locked: if the end comes now, lock it
    shut <door>     it is locked: nothing to do
    drop <door>     the connection ends in good order
"""

import signal
import socket
import sys
import time

MAX_ORDER = 128
PATIENCE = 2.0
"""Seconds for the lock to acknowledge: the same as any command has."""

# A client's frame is masked (RFC 6455, 5.3); a mask of zeros leaves the text as it is.
LOCK_FRAME = b"\x81\x89\x00\x00\x00\x00LOCK_DOOR"
ACKNOWLEDGED = b"ACK:LOCK_DOOR"


class Held:
    """One lock's connection, and whether its door must be locked at the end."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.open = False


def follow(control: socket.socket, held: dict[str, Held]) -> None:
    """Obey orders until the control socket ends."""
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, MAX_ORDER, 1)
        if not order:
            return
        word, _, door = order.decode("ascii").partition(" ")
        if word in ("hold", "drop") and door in held:
            held.pop(door).connection.close()
        if word == "hold":
            held[door] = Held(socket.socket(fileno=descriptors[0]))
        elif door in held:
            held[door].open = word == "open"


def lock(connection: socket.socket) -> bool:
    """Say LOCK_DOOR and wait for its acknowledgement; return whether it came."""
    until = time.monotonic() + PATIENCE
    heard = b""
    try:
        connection.settimeout(PATIENCE)
        connection.sendall(LOCK_FRAME)
        while ACKNOWLEDGED not in heard and time.monotonic() < until:
            connection.settimeout(max(0.01, until - time.monotonic()))
            more = connection.recv(4096)
            if not more:
                return False
            heard = heard[-len(ACKNOWLEDGED) :] + more
    except OSError:
        return False
    return ACKNOWLEDGED in heard


def main() -> None:
    """Wait for the end, then lock what is open."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for gatekeeper, whose end is the only one that counts
    held: dict[str, Held] = {}
    with socket.socket(fileno=int(sys.argv[1])) as control:
        follow(control, held)
    for door, one in held.items():
        if one.open:
            done = "is locked" if lock(one.connection) else "did not acknowledge LOCK_DOOR"
            sys.stderr.write(f"gatekeeper ended without locking its doors: door {door} {done}\n")
        one.connection.close()


if __name__ == "__main__":
    main()

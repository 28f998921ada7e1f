"""Flow control: what happens to a message when its session's socket doesn't take it at once.

    a reply, or an event of policy "all"   goes behind what is unsent already, up to a budget; beyond it the session
                                           is ended, since a fact must not be dropped and memory must not grow
    an event of policy "newest"            waits in a slot of its own, one per subscription; a newer one replaces it,
                                           and it leaves only when the socket is empty again

So replies never wait behind frames, a stream of frames never has more than one in user space, and one session's
stalled socket costs the others nothing. Sans-I/O: the socket is a `Socket`, whose owner calls `drained`.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from gatekeeper.wamp.limits import Tally

Policy = Literal["newest", "all"]


class Socket(Protocol):
    """The writing half of a transport, as `Outbox` needs it."""

    def write(self, frame: bytes) -> int:
        """Send as much as goes at once and keep the rest in order.

        :returns: the bytes now unsent. If there are any, the owner calls `Outbox.drained` once there are none.
        """
        ...

    def unsent_bytes(self) -> int:
        """Return the bytes that are unsent now."""
        ...


class Outbox:
    """One remote session's outgoing messages.

    :param socket: where they go.
    :param budget: bytes that may be unsent, and separately bytes that may wait in slots.
    :param overflowed: told once when the budget is exceeded; it must end the session.
    """

    __slots__ = (
        "_allowance",
        "_blocked",
        "_budget",
        "_overflowed",
        "_slots",
        "_socket",
        "_tally",
        "_waiting_bytes",
        "closed",
        "replaced",
    )

    def __init__(self, socket: Socket, budget: int, tally: Tally, overflowed: Callable[[int], None]) -> None:
        self._socket = socket
        self._budget = budget
        self._tally = tally
        self._overflowed = overflowed
        self._slots: dict[int, bytes] = {}
        self._waiting_bytes = 0
        self._blocked = False
        self._allowance = 0  # bytes on their way for which nobody is ended: an event of policy "newest", paced ones
        self.closed = False
        self.replaced = 0

    def send(self, frame: bytes) -> None:
        """Send a message that must not be lost: a reply, or an event of policy "all"."""
        if self.closed:
            return
        self._tally.messages_out += 1
        unsent = self._socket.write(frame)
        if unsent:
            self._blocked = True
            if unsent > self._budget + self._allowance:
                self.close()
                self._overflowed(unsent)

    def send_paced(self, frame: bytes) -> None:
        """Send a message of somebody who waits until nothing is unsent: however large it is, nobody is ended for it."""
        if self.closed:
            return
        self._tally.messages_out += 1
        unsent = self._socket.write(frame)
        if not unsent:
            return
        self._allowance += len(frame)
        self._blocked = True
        if unsent > self._budget + self._allowance:
            self.close()
            self._overflowed(unsent)

    def offer(self, key: int, frame: bytes) -> None:
        """Send an event of policy "newest" now, or keep it as the newest of its subscription until there is room."""
        if self.closed:
            return
        if not self._blocked:
            self._tally.messages_out += 1
            self._blocked = self._socket.write(frame) > 0
            self._allowance = len(frame) if self._blocked else 0
            return
        older = self._slots.get(key)
        if older is not None:
            self._waiting_bytes -= len(older)
            self._dropped()
        # A replaced frame keeps its place in the line, so that a busy topic doesn't starve the others.
        self._slots[key] = frame
        self._waiting_bytes += len(frame)
        while self._waiting_bytes > self._budget:
            self.forget(next(iter(self._slots)))
            self._dropped()

    def forget(self, key: int) -> None:
        """Drop what waits for a subscription, so that nothing follows its UNSUBSCRIBED."""
        frame = self._slots.pop(key, None)
        if frame is not None:
            self._waiting_bytes -= len(frame)

    def drained(self) -> None:
        """Go on: the socket has nothing unsent. Waiting frames leave one by one, as long as each goes at once."""
        self._blocked = False
        self._allowance = 0
        while self._slots and not self._blocked and not self.closed:
            key = next(iter(self._slots))
            frame = self._slots[key]
            self.forget(key)
            self.offer(key, frame)

    def close(self) -> None:
        """Send nothing more and let go of everything that waits."""
        self.closed = True
        self._slots.clear()
        self._waiting_bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """Bytes in slots."""
        return self._waiting_bytes

    def _dropped(self) -> None:
        self.replaced += 1
        self._tally.events_replaced += 1

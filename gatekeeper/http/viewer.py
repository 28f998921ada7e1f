"""One viewer of a stream: finishes its part, then jumps to the newest. No I/O of its own: a `Sender` does that.

A viewer is idle (it has all that there was), or under way with one part at an offset. While it is under way newer
parts pass it by; it holds on to its own until that is out, so its stream stays well-formed however slow it is.
"""

from gatekeeper.http.part import Cut, Part, Slot
from gatekeeper.http.senders import Sender


class Tally:
    """What a stream has done so far, counted by all its viewers."""

    __slots__ = ("bytes", "frames", "skipped", "timeouts")

    def __init__(self) -> None:
        self.frames = 0
        self.skipped = 0
        self.bytes = 0
        self.timeouts = 0


class Viewer:
    """The state of one viewer.

    :ivar under_way: the part that was begun and isn't out, or None.
    :ivar offset: of its next byte.
    :ivar mark: for the sweep: where the viewer was at the last one, and since when (monotonic seconds).
    """

    __slots__ = ("_attempt", "_cut", "_ready", "_sender", "_serial", "_slot", "_tally", "mark", "offset", "under_way")

    def __init__(self, sender: Sender, cut: Cut, slot: Slot, tally: Tally) -> None:
        self._sender = sender
        self._attempt = sender.attempt
        self._cut = cut
        self._slot = slot
        self._tally = tally
        self._serial = 0  # of the newest part begun
        self._ready = False  # idle, and the headers are out
        self.under_way: Part | None = None
        self.offset = 0
        self.mark: tuple[int, int, float] | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """The part and its offset: equal at two moments if nothing was taken in between, or nothing was to be taken."""
        return self._serial, self.offset

    @property
    def waiting(self) -> bool:
        """Whether there are bytes that the viewer doesn't take."""
        return not self._ready

    def start(self) -> None:
        """Send what there is as soon as the headers are out."""
        self._sender.start(self.writable)

    def offer(self, part: Part) -> None:
        """Begin the part now if idle; a dead connection is aborted.

        The hot path: called for each viewer and frame.
        """
        if not self._ready or part.serial == self._serial:
            return
        cut = self._cut
        start = part.starts[cut]
        end = part.ends[cut]
        tally = self._tally
        if self._serial:
            tally.skipped += part.serial - self._serial - 1
        self._serial = part.serial
        try:
            taken = self._attempt(part, start, end)
        except OSError:
            self._fail()
            return
        tally.bytes += taken
        if start + taken == end:
            tally.frames += 1
            return
        part.hold()
        self.under_way = part
        self.offset = start + taken
        self._ready = False
        self._sender.wait()

    def writable(self) -> None:
        """Go on where the socket was full; then take the newest part, if it is another one."""
        part = self.under_way
        if part is not None and not self._continue(part):
            return
        self._ready = True
        newest = self._slot.part
        if newest is not None:
            self.offer(newest)

    def finish(self) -> None:
        """Close: in good order between two parts, at once within one."""
        close = self._sender.finish if self._ready else self._sender.abort
        self.close()
        close()

    def abort(self) -> None:
        """Close at once."""
        self.close()
        self._sender.abort()

    def close(self) -> None:
        """Let go of everything: the connection is lost or about to be; closing twice is fine."""
        self._ready = False
        self._attempt = _closed
        self._slot = _EMPTY
        part, self.under_way = self.under_way, None
        if part is not None:
            part.release()

    def _continue(self, part: Part) -> bool:
        end = part.ends[self._cut]
        try:
            taken = self._attempt(part, self.offset, end)
        except OSError:
            self._fail()
            return False
        self._tally.bytes += taken
        self.offset += taken
        if self.offset < end:
            self._sender.wait()
            return False
        self._tally.frames += 1
        self.under_way = None
        part.release()
        return True

    def _fail(self) -> None:
        # The protocol's connectionLost follows in the next turn and takes the viewer out of the stream.
        self.abort()


_EMPTY = Slot()


def _closed(part: Part, start: int, end: int) -> int:
    raise OSError("closed")

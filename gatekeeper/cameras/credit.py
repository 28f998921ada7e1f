"""Which tile of a session gets a picture now. Sans-I/O: time is an argument.

    waiting   has credit, and has been sent the newest picture            `arrived` →  in line
    in line   has credit, and there is a newer picture                    `next` →     sent, or nothing yet
    spent     as many pictures are under way as it may have               `credited` → waiting or in line

A picture leaves when its tile is the first in line and the session has room; which picture that is, is looked at then,
so it is always the newest, and what came in between was never queued. Its receiver gives the credit back when it has
painted it, by its sequence number, and with it that of all before.

What a session has under way is bounded by a window of bytes that follows the connection: it grows while probes among
the pictures come back about as quickly as the quickest did, and is cut when they queue somewhere. Doors and calls
share the connection, and wait behind no more than that.
"""

from collections import deque
from dataclasses import dataclass, field
from math import inf

from gatekeeper.errors import InvalidArgument

MAX_TILES = 200
"""Of one session; the largest wall has 64, and each costs a kilobyte."""

MAX_AHEAD = 2
"""Pictures of one tile under way: the second leaves while the first is painted. A third would only be older."""

MAX_RATE = 60.0
"""Pictures a second of one tile: what a screen shows."""

MIN_RATE = 0.1

QUEUE = 0.1
"""Seconds beyond the quickest trip that pictures may take: more is a queue, before which doors and calls stand too."""

INITIAL_WINDOW = 64 * 1024
"""Bytes; a few pictures, a third of a second on a slow phone's 200 KB/s."""

QUEUED = 3
"""Probes in a row that a queue holds up; a machine that is busy elsewhere holds up one or two."""

MIN_WINDOW = 32 * 1024
"""Bytes; with less under way than this a picture may always leave: one or two at a time, on the slowest phone."""

MAX_WINDOW = 2 * 1024 * 1024
"""Bytes under way of one session: 60 pictures of 35 KB, which no connection needs at once."""

GROWTH = 0.25
"""Of the window with each trip, once it has been cut; before that it doubles."""

CUT = 0.7

FIRST_CUT = 0.4
"""The first time: it has doubled once more before that was felt, and what queues has to leave."""


class Window:
    """How many bytes may be under way.

    It goes by probes: what the other end answers by itself, behind the pictures that were sent before. How long a
    picture takes to be painted says nothing of the connection: a busy screen isn't made any quicker by less under way.

    :ivar bytes: that many; with fewer under way, one more picture may leave.
    :ivar is_short: whether more would have left if there had been room: else there is no reason to grow.
    """

    def __init__(self) -> None:
        self.bytes = INITIAL_WINDOW
        self.is_short = False
        self._quickest = inf
        self._was_cut = False
        self._trips: deque[float] = deque(maxlen=QUEUED)

    def probed(self, trip: float) -> None:
        """Take note of how many seconds a probe took; there is one under way at a time."""
        self._quickest = min(self._quickest, trip)
        self._trips.append(trip)
        if len(self._trips) == QUEUED and min(self._trips) > self._quickest + QUEUE:
            self.bytes = max(MIN_WINDOW, int(self.bytes * (CUT if self._was_cut else FIRST_CUT)))
            self._was_cut = True
            self._trips.clear()
        elif self.is_short and trip < self._quickest + QUEUE / 2:
            self.bytes = min(MAX_WINDOW, int(self.bytes * (1 + (GROWTH if self._was_cut else 1))))


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture under way."""

    sequence: int
    size: int


@dataclass(slots=True)
class Tile:
    """One tile.

    :ivar interval: seconds between two pictures at its rate; 0 for every picture.
    :ivar ahead: pictures that may be under way.
    :ivar due: when the next picture may leave, as its rate has it.
    :ivar ready: when it may leave, as far as the tile knows; infinity while there is none.
    """

    interval: float
    ahead: int
    due: float = -inf
    ready: float = inf
    under_way: deque[Sent] = field(default_factory=deque)

    @property
    def has_credit(self) -> bool:
        """Whether one more picture may leave."""
        return len(self.under_way) < self.ahead


class Tiles:
    """The tiles of one session.

    :ivar under_way: bytes of pictures that were sent and haven't come back as credit.
    """

    def __init__(self) -> None:
        self.under_way = 0
        self.window = Window()
        self._tiles: dict[int, Tile] = {}
        self._line: dict[int, None] = {}  # in the order in which they got in

    def __len__(self) -> int:
        return len(self._tiles)

    def open(self, tile: int, rate: float | None = None, ahead: int = 1) -> None:
        """Begin with a tile.

        :param rate: pictures a second that it takes at most; None for all.
        :raises InvalidArgument: if the number is taken, or there are too many.
        """
        if tile in self._tiles:
            raise InvalidArgument(f"tile: found {tile}, which is watched already; allowed: another number")
        if len(self._tiles) >= MAX_TILES:
            raise InvalidArgument(f"tile: found one more than {MAX_TILES}; allowed: {MAX_TILES} in one session")
        self._tiles[tile] = Tile(1 / rate if rate else 0.0, ahead)

    def close(self, tile: int) -> None:
        """End a tile: what is under way to it isn't waited for."""
        self.under_way -= sum(sent.size for sent in self._tiles.pop(tile).under_way)
        self._line.pop(tile, None)

    def has_credit(self, tile: int) -> bool:
        """Return whether a tile waits for pictures at all."""
        return self._tiles[tile].has_credit

    def arrived(self, tile: int, now: float) -> None:
        """Take note that there is a picture which the tile wasn't sent."""
        known = self._tiles[tile]
        if known.has_credit:
            # Before it is due, a fresh one is waited for, but not for longer than another interval.
            known.ready = min(known.ready, now if now >= known.due else known.due + known.interval)
            self._line[tile] = None

    def credited(self, tile: int, sequence: int) -> None:
        """Take back the credit of a picture, and of those before it.

        :raises InvalidArgument: if that isn't under way to this tile.
        """
        known = self._tiles.get(tile)
        if known is None:
            raise InvalidArgument(f"painted: found tile {tile}; allowed: one that this session watches")
        if all(sent.sequence != sequence for sent in known.under_way):
            raise InvalidArgument(
                f"painted: found picture {sequence} of tile {tile}; allowed: one that is under way to it"
            )
        while known.under_way and known.under_way[0].sequence <= sequence:
            self.under_way -= known.under_way.popleft().size

    def next(self, now: float) -> int | None:
        """Return the tile whose newest picture is to leave now, or None."""
        first = next((tile for tile in self._line if self._tiles[tile].ready <= now), None)
        if first is None:
            self.window.is_short = False
        elif self.under_way >= self.window.bytes:
            self.window.is_short = True
            return None
        return first

    def passed(self, tile: int) -> None:
        """Take a tile out of the line: there is nothing new for it after all."""
        self._tiles[tile].ready = inf
        self._line.pop(tile, None)

    def sent(self, tile: int, sequence: int, size: int, now: float) -> None:
        """Take note that a picture left."""
        known = self._tiles[tile]
        known.under_way.append(Sent(sequence, size))
        known.due = max(known.due, now - known.interval) + known.interval
        self.under_way += size
        self.passed(tile)

    def wakes(self, now: float) -> float | None:
        """Return when `next` may answer differently though nothing happens until then; None if it won't."""
        waiting = [self._tiles[tile].ready for tile in self._line if self._tiles[tile].ready > now]
        return min(waiting, default=None)

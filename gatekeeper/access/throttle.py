"""How often a wrong password may be tried. Sans-I/O.

    1st to 4th failure       no delay
    5th, 6th, 7th, … failure 1 s, 2 s, 4 s, … up to 15 minutes until the next attempt is looked at

Failures count per account and per address, each attempt from its beginning: a thousand at once are a thousand. What
comes from the machine itself is counted apart, and per account only: neither somebody elsewhere nor another account's
script at the machine locks the owner out there. A name that nobody has counts as one that somebody has.
"""

import hashlib
import ipaddress
import math
from dataclasses import dataclass, field

FREE = 4
"""Failures without a delay: somebody who mistypes, with the wrong keyboard layout."""

LONGEST_DELAY = 900.0
"""Seconds: at most a hundred guesses a day, and an owner whom somebody provokes waits no longer than a coffee."""

FORGOTTEN_AFTER = 3600.0
"""Seconds without a failure after which all is forgotten."""

MAXIMUM_COUNTERS = 10_000
"""Accounts, and addresses, that are counted; at some 400 bytes each, 8 MB."""

_LEVELS = FREE + 12
"""Counts that differ in their delay: 2 ** 11 s is past the longest."""

LOCAL = "local"
"""What stands for this machine: loopback addresses, Unix sockets, the command line."""


@dataclass(slots=True)
class _Counter:
    failures: int
    last: float
    begun: int = 0
    told: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, as it was counted.

    :ivar before: when the one before it was.
    :ivar number: of all that were counted under this key.
    """

    key: str
    before: float
    number: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that is looked at; it counts as failed until it is known to have succeeded.

    :ivar address: None for this machine itself, whose address everybody at it shares.
    """

    account: Failure
    address: Failure | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer to an attempt that isn't looked at.

    :ivar seconds: whole ones, after which the next is.
    :ivar is_first: whether it is the first of its episode: the one that belongs on the record.
    """

    seconds: int
    is_first: bool


class Throttle:
    """Counts attempts.

    :param maximum: counters of each kind.
    """

    def __init__(self, maximum: int = MAXIMUM_COUNTERS) -> None:
        self._counters = {"account": Counters(maximum), "address": Counters(maximum)}

    def begin(self, account: str, address: str, now: float) -> Attempt | Wait:
        """Count an attempt as failed, before it is looked at.

        One that comes too soon is not counted: who insists isn't kept waiting for longer.

        :param account: the name that was given, whether anybody has it or not.
        """
        zone = zone_of(address)
        keys = {"account": _digest(f"{'here' if zone == LOCAL else 'elsewhere'}\0{account}")}
        if zone != LOCAL:
            keys["address"] = zone
        wait = max(self._counters[kind].wait(key, now) for kind, key in keys.items())
        if wait > 0:
            told = [self._counters[kind].tell(key, now) for kind, key in keys.items()]
            return Wait(math.ceil(wait), any(told))
        return Attempt(**{kind: self._counters[kind].add(key, now) for kind, key in keys.items()})

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the account's failures; of the address's only this: it may have guessed at other accounts too."""
        self._counters["account"].remove(attempt.account.key)
        if attempt.address is not None:
            self._counters["address"].subtract(attempt.address)

    def undone(self, attempt: Attempt) -> None:
        """Count neither failure nor success: it wasn't looked at after all."""
        self._counters["account"].subtract(attempt.account)
        if attempt.address is not None:
            self._counters["address"].subtract(attempt.address)


@dataclass(slots=True)
class Counters:
    """Failures by key, of which at most `maximum` are held.

    When it is full, the one with the fewest failures gives its place, and a newcomer takes over its count (but none
    that delays its first attempt): who wants his own count forgotten must first bring ten thousand others above it.
    """

    maximum: int
    _held: dict[str, _Counter] = field(default_factory=dict)
    _levels: tuple[dict[str, None], ...] = field(default_factory=lambda: tuple({} for _ in range(_LEVELS + 1)))

    def __len__(self) -> int:
        return len(self._held)

    def wait(self, key: str, now: float) -> float:
        """Return the seconds until this key's next attempt is looked at."""
        counter = self._current(key, now)
        return max(0.0, counter.last + delay_after(counter.failures) - now) if counter is not None else 0.0

    def tell(self, key: str, now: float) -> bool:
        """Return whether a delay of this key begins to be felt only now."""
        counter = self._current(key, now)
        if counter is None or counter.told or self.wait(key, now) <= 0:
            return False
        counter.told = True
        return True

    def add(self, key: str, now: float) -> Failure:
        """Count a failure."""
        counter = self._current(key, now)
        if counter is None:
            counter = self._held[key] = _Counter(self._make_room(now), now)
        else:
            self._level(counter).pop(key, None)
        before, counter.last = counter.last, now
        counter.failures += 1
        counter.begun += 1
        self._level(counter)[key] = None
        return Failure(key, before, counter.begun)

    def subtract(self, failure: Failure) -> None:
        """Take one failure back; the delay then runs from the one before, unless another has begun since."""
        key = failure.key
        counter = self._held.get(key)
        if counter is None:
            return
        self._level(counter).pop(key, None)
        counter.failures -= 1
        if counter.begun == failure.number:
            counter.last = failure.before
        if counter.failures <= 0:
            del self._held[key]
        else:
            self._level(counter)[key] = None

    def remove(self, key: str) -> None:
        """Forget a key."""
        counter = self._held.pop(key, None)
        if counter is not None:
            self._level(counter).pop(key, None)

    def _current(self, key: str, now: float) -> _Counter | None:
        counter = self._held.get(key)
        if counter is not None and counter.last + FORGOTTEN_AFTER <= now:
            self.remove(key)
            return None
        return counter

    def _make_room(self, now: float) -> int:
        """Forget what is over; if all places are taken still, free one and return the count that goes with it."""
        for level in self._levels:
            while level and self._current(next(iter(level)), now) is None:
                pass  # the first of a level is the one whose last failure is the longest ago
        if len(self._held) < self.maximum:
            return 0
        weakest = next(iter(next(level for level in self._levels if level)))
        inherited = min(self._held[weakest].failures, FREE)
        self.remove(weakest)
        return inherited

    def _level(self, counter: _Counter) -> dict[str, None]:
        return self._levels[min(counter.failures, _LEVELS)]


def delay_after(failures: int) -> float:
    """Return the seconds to wait after this many failures."""
    return 0.0 if failures <= FREE else min(LONGEST_DELAY, 2.0 ** min(failures - FREE - 1, 30))


def zone_of(address: str) -> str:
    """Return what an address counts as: itself, its /64 of IPv6 (one home's or server's), or this machine."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return LOCAL if address in ("unix", LOCAL) else _digest(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif not found.is_loopback:
            return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return LOCAL if found.is_loopback else str(found)


def is_local(address: str) -> bool:
    """Return whether a connection comes from this machine itself."""
    return zone_of(address) == LOCAL


def _digest(text: str) -> str:
    """Return a key of a fixed size, whatever length of name somebody sends."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

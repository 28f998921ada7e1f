"""Does a live camera see? Looks go in, once a second, and out comes what is wrong with its pictures, and when it isn't.

    unknown -> ok <-> black | overexposed | frozen | looping | covered | moved        unknown: not live, or just so

Each trouble needs its evidence without a break for a time of its own, and ends when the evidence, by a laxer measure,
is gone for RECOVER_AFTER. Where several hold, the first in the order above is meant. No clock, log or decoder here.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatekeeper.cameras.looking import Look, Relief, likeness


class Sight(StrEnum):
    """What a camera's pictures are worth."""

    UNKNOWN = "unknown"
    OK = "ok"
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    FROZEN = "frozen"
    LOOPING = "looping"
    COVERED = "covered"
    MOVED = "moved"


WHY: Final = {
    Sight.BLACK: "the picture is black",
    Sight.OVEREXPOSED: "the picture is white: the camera is blinded",
    Sight.FROZEN: "the same picture comes again and again",
    Sight.LOOPING: "pictures of before are repeated",
    Sight.COVERED: "something covers the camera",
    Sight.MOVED: "the camera looks elsewhere than before",
}

# Measures: entered under, or over, the first; held until the second.
BLACK: Final = (20.0, 28.0)  # grey levels; a night picture with one lit window has 60 and more
WHITE: Final = (0.7, 0.5)  # share of blinded pixels; a white wall in the sun has under a half
ALIKE: Final = (0.5, 0.6)  # likeness to the usual scene; people and cars in it leave 0.7 and more
COVERED: Final = (0.3, 0.4)  # of the usual scene's detail; fog and dusk leave as little, but of the same scene:
STILL_THE_SCENE: Final = 0.75  # likeness from which little detail is fog or dusk

# Seconds.
SOON: Final = 3.0  # headlights and a passing hand are shorter
MOVED_AFTER: Final = 5.0  # a van that stops before the camera is longer: it is in the way
FROZEN_AFTER: Final = 10.0  # a sensor's noise makes every picture another one
FROZEN_AFTER_VIDEO: Final = 60.0  # encoders repeat a still scene exactly until the next key frame
RECOVER_AFTER: Final = 3.0
ADOPT_AFTER: Final = 600.0  # a new scene that stays as it is becomes the usual one: somebody meant it

# Looks.
FROZEN_LOOKS: Final = 3  # the least that must agree, for cameras that are looked at rarely
REMEMBERED: Final = 900  # pictures that a repetition is looked for among: 16 bytes each
RECENT: Final = 60  # looks among which repetitions are counted
REPETITIONS: Final = 8  # of them, until it loops: chance makes none
DIFFERENT: Final = 2  # repeated pictures that differ; one alone may be a picture for want of a better
LOOP_GAP: Final = 10  # looks without a repetition until a loop has ended
LEARNT: Final = 10  # looks until the usual scene is known
FORGETTING: Final = 1 / 120  # weight of a new look in the usual scene: shadows move slower

_ORDER: Final = tuple(WHY)
_AFTER: Final = {Sight.BLACK: SOON, Sight.OVEREXPOSED: SOON, Sight.LOOPING: 0.0, Sight.COVERED: SOON,
                 Sight.MOVED: MOVED_AFTER}  # fmt: skip
_SOON_KNOWN: Final = frozenset((Sight.BLACK, Sight.OVEREXPOSED, Sight.COVERED, Sight.MOVED))


@dataclass(frozen=True, slots=True)
class Finding:
    """A trouble that began, or all of them ended: `sight` is ok then, and `why` None."""

    sight: Sight
    why: str | None


class _Scene:
    """What a camera usually sees."""

    def __init__(self) -> None:
        self._mean: Relief | None = None
        self.detail = 0.0
        self.looks = 0

    def learn(self, look: Look) -> None:
        self.looks += 1
        weight = max(1 / self.looks, FORGETTING)
        self._mean = look.relief if self._mean is None else self._mean + weight * (look.relief - self._mean)
        self.detail += weight * (look.detail - self.detail)

    def likeness(self, look: Look) -> float | None:
        """Return how alike a look is, or None while too little is known."""
        return likeness(self._mean, look.relief) if self._mean is not None and self.looks >= LEARNT else None


class _Repetitions:
    """Whether pictures of before come again."""

    def __init__(self) -> None:
        self._order: deque[bytes] = deque(maxlen=REMEMBERED)
        self._known: Counter[bytes] = Counter()
        self._recent: deque[bytes | None] = deque(maxlen=RECENT)

    def add(self, digest: bytes) -> None:
        if self._order and self._order[-1] == digest:
            return  # frozen is another matter
        self._recent.append(digest if self._known[digest] > 0 else None)
        if len(self._order) == REMEMBERED:
            oldest = self._order[0]
            self._known[oldest] -= 1
            if not self._known[oldest]:
                del self._known[oldest]
        self._order.append(digest)
        self._known[digest] += 1

    def ended(self) -> None:
        """What was counted belongs to a loop that is over."""
        self._recent.clear()

    def found(self, held: bool) -> bool:
        repeated = [digest for digest in self._recent if digest is not None]
        if held:
            return any(digest is not None for digest in list(self._recent)[-LOOP_GAP:])
        return len(repeated) >= REPETITIONS and len(set(repeated)) >= DIFFERENT


class Watch:
    """Judges one camera's pictures.

    :param wall: Unix seconds now.
    :param frozen_after: seconds of the same picture until it is frozen.
    :param may_loop: a clip that is meant to be repeated.
    :ivar sight: what they are worth now; `since`: Unix seconds at which that began.
    :ivar frozen_after: as given.
    """

    def __init__(self, wall: float, *, frozen_after: float = FROZEN_AFTER, may_loop: bool = False) -> None:
        self.sight = Sight.UNKNOWN
        self.since = wall
        self.frozen_after = frozen_after
        self._after = {**_AFTER, Sight.FROZEN: frozen_after}
        self._may_loop = may_loop
        self._usual = _Scene()
        self._other = _Scene()  # what it sees since it was moved
        self._other_since = 0.0
        self._repetitions = _Repetitions()
        self._digest: bytes | None = None
        self._same = 0  # looks that agreed with the one before
        self._same_since = 0.0
        self._suspected: dict[Sight, float] = {}  # since when there is evidence
        self._clear_since: float | None = None  # since when there is none of what it is now
        self._trouble = False  # was told, and its end wasn't
        self._measures: dict[Sight, Callable[[Look, bool], bool]] = {
            Sight.BLACK: lambda look, held: look.darkness < BLACK[held],
            Sight.OVEREXPOSED: lambda look, held: look.white > WHITE[held],
            Sight.FROZEN: lambda look, held: self._same > 0 if held else self._same >= FROZEN_LOOKS - 1,
            Sight.LOOPING: lambda look, held: not self._may_loop and self._repetitions.found(held),
            Sight.COVERED: self._is_covered,
            Sight.MOVED: lambda look, held: (like := self._usual.likeness(look)) is not None and like < ALIKE[held],
        }

    def lose(self, wall: float) -> None:
        """The camera isn't live any more; what it usually sees is remembered."""
        self._digest, self._same = None, 0
        self._suspected.clear()
        self._enter(Sight.UNKNOWN, wall)

    def see(self, look: Look, now: float, wall: float) -> Finding | None:
        """Take in a look at a new picture; return what is to be told of it, if anything.

        :param now: monotonic seconds; `wall`: Unix seconds at the same instant.
        """
        self._compare(look, now)
        found = {sight for sight in _ORDER if self._measures[sight](look, sight is self.sight)}
        self._suspected = {sight: self._suspected.get(sight, now) for sight in found}
        if Sight.FROZEN in found:
            self._suspected[Sight.FROZEN] = self._same_since
        before = self.sight
        self._enter(self._judged(now), wall)
        self._learn(look, now)
        if self.sight is before or self.sight is Sight.UNKNOWN:
            return None
        return self._told()

    def _compare(self, look: Look, now: float) -> None:
        self._repetitions.add(look.digest)
        if look.digest == self._digest:
            self._same += 1
        else:
            self._digest, self._same, self._same_since = look.digest, 0, now

    def _is_covered(self, look: Look, held: bool) -> bool:
        like = self._usual.likeness(look)
        return like is not None and like < STILL_THE_SCENE and look.detail < COVERED[held] * self._usual.detail

    def _judged(self, now: float) -> Sight:
        held = [sight for sight in _ORDER if now - self._suspected.get(sight, now + 1) >= self._after[sight]]
        if self.sight in self._suspected:
            self._clear_since = None
            return min((self.sight, *held), key=_ORDER.index)
        if self.sight is Sight.OK or held:
            return held[0] if held else Sight.OK
        if self.sight is Sight.UNKNOWN and _SOON_KNOWN & self._suspected.keys():
            self._clear_since = None
            return Sight.UNKNOWN
        self._clear_since = now if self._clear_since is None else self._clear_since
        return Sight.OK if now - self._clear_since >= RECOVER_AFTER else self.sight

    def _learn(self, look: Look, now: float) -> None:
        if self.sight is Sight.MOVED:
            like = self._other.likeness(look)
            if not self._other.looks or (like is not None and like < ALIKE[False]):
                self._other, self._other_since = _Scene(), now
            self._other.learn(look)
            if now - self._other_since >= ADOPT_AFTER:
                self._usual, self._other = self._other, _Scene()
        elif not _SOON_KNOWN & self._suspected.keys() and self.sight in {Sight.OK, Sight.UNKNOWN}:
            self._usual.learn(look)
            self._other = _Scene()

    def _enter(self, sight: Sight, wall: float) -> None:
        if sight is not self.sight:
            if self.sight is Sight.LOOPING:
                self._repetitions.ended()
            self.sight, self.since = sight, wall
            self._clear_since = None

    def _told(self) -> Finding | None:
        trouble, self._trouble = self._trouble, self.sight is not Sight.OK
        if self.sight is Sight.OK:
            return Finding(self.sight, None) if trouble else None
        return Finding(self.sight, WHY[self.sight])

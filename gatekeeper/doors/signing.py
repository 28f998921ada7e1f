"""Signed mode, our end: who answers has the key, and nothing that was said before counts again. No I/O.

The lines of `wire` travel in it, between our own firmware (`firmware/lib/gk_core`) and a door with a `key`. With
mac(k, a, b, …) = HMAC-SHA256(k, a|b|…) in lower-case hexadecimal, K the key, nd and nc 32 hex digits of chance each:

    lock> AUTH:1:<nd>                                      after the greeting, which counts for nothing
    ours> HELLO:<nc>:<mac(K, "gk1-hello", nd, nc)>
    lock> READY:<mac(Ks, "gk1-ready", nd)>                 Ks = mac(K, "gk1-session", nd, nc)
    ours> C:<n>:<half of mac(Ks, "c", n, command)>:<command>   n = 1, 2, …
    lock> R:<m>:<half of mac(Ks, "d", m, text)>:<text>         m < 2**32, rising

A session never becomes an unsigned one: without READY in time it ends, and after it nothing unsigned is heard. It
hides nothing, and doesn't keep anybody from cutting the link. Vectors: `firmware/vectors/signed.json`.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from gatekeeper.doors.wire import MAX_TEXT, Command

NONCE_BYTES = 16
MAX_COUNTER = 2**32 - 1

_AUTH = re.compile(r"AUTH:1:([0-9a-f]{32})", re.ASCII)
_READY = re.compile(r"READY:([0-9a-f]{64})", re.ASCII)
_SIGNED = re.compile(r"R:([1-9][0-9]{0,9}):([0-9a-f]{32}):(.*)", re.ASCII | re.DOTALL)


class Stage(Enum):
    """How far a session is."""

    GREETED = auto()  # the WebSocket is open: AUTH is to come
    ASKED = auto()  # HELLO left: READY is to come
    PROVEN = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send this, as one text message."""

    text: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The lock has the key, and knows that we have it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the lock said, signed."""

    text: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Something arrived that isn't signed, or not for here and now; it counts for nothing."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """This link can't be used."""

    reason: str


Outcome = Transmit | Proven | Said | Doubtful | Unproven


@dataclass(slots=True)
class Session:
    """One connection in signed mode.

    :param key: 32 bytes.
    :param opened: when its WebSocket opened, monotonic seconds; so `now`.
    :param patience: seconds until the lock must have proven that it has the key.
    :param chance: that many bytes that nobody can foretell.
    :ivar doubted: lines after READY that counted for nothing.
    """

    key: bytes = field(repr=False)
    opened: float
    patience: float
    chance: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)
    stage: Stage = Stage.GREETED
    doubted: int = 0
    _nonce: str = field(default="", repr=False)
    _session_key: bytes = field(default=b"", repr=False)
    _sent: int = 0
    _heard: int = 0

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called, or None."""
        return self.opened + self.patience if self.stage in (Stage.GREETED, Stage.ASKED) else None

    def tick(self, now: float) -> Outcome | None:
        """Return why the link ends, if the lock has had its time."""
        if self.deadline is None or now < self.deadline:
            return None
        if self.stage is Stage.GREETED:
            return self._end(
                f"the lock did not offer signed mode within {self.patience:g} s; "
                "a key is configured, and without it the lock is not used"
            )
        return self._end(f"the lock did not prove within {self.patience:g} s that it has the key")

    def received(self, text: str) -> Outcome | None:
        """Take in one text message; None if it says nothing at this stage."""
        match self.stage:
            case Stage.GREETED:
                return self._greeted(text)
            case Stage.ASKED:
                return self._answered(text)
            case Stage.PROVEN:
                return self._open(text)
        return None

    def seal(self, command: Command) -> str:
        """Return a command as it is sent."""
        assert self.stage is Stage.PROVEN  # noqa: S101 - nothing leaves before
        self._sent += 1
        return f"C:{self._sent}:{_half(self._session_key, 'c', str(self._sent), command.value)}:{command.value}"

    def _greeted(self, text: str) -> Outcome | None:
        offered = _AUTH.fullmatch(text)
        if offered is None:
            if text.startswith("AUTH:"):
                return self._end("the lock offers a signed mode that is not known here; version 1 is")
            return None
        self._nonce = offered[1]
        ours = self.chance(NONCE_BYTES).hex()
        self._session_key = mac(self.key, "gk1-session", self._nonce, ours)
        self.stage = Stage.ASKED
        return Transmit(f"HELLO:{ours}:{mac(self.key, 'gk1-hello', self._nonce, ours).hex()}")

    def _answered(self, text: str) -> Outcome | None:
        if text.startswith("ERR:"):
            return self._end("the lock does not take the key: it was paired with another")
        if not text.startswith("READY:"):
            return None
        proof = _READY.fullmatch(text)
        wanted = mac(self._session_key, "gk1-ready", self._nonce).hex()
        if proof is None or not hmac.compare_digest(proof[1], wanted):
            return self._end("the lock could not prove that it has the key")
        self.stage = Stage.PROVEN
        return Proven()

    def _open(self, text: str) -> Outcome:
        signed = _SIGNED.fullmatch(text)
        if signed is not None and len(signed[3]) <= MAX_TEXT:
            number, proof, inner = int(signed[1]), signed[2], signed[3]
            holds = hmac.compare_digest(proof, _half(self._session_key, "d", signed[1], inner))
            if holds and self._heard < number <= MAX_COUNTER:
                self._heard = number
                return Said(inner)
        self.doubted += 1
        return Doubtful()

    def _end(self, reason: str) -> Unproven:
        self.stage = Stage.ENDED
        return Unproven(reason)


def mac(key: bytes, *parts: str) -> bytes:
    """Return HMAC-SHA256 of the parts with `|` between them, 32 bytes."""
    return hmac.digest(key, "|".join(parts).encode("utf-8", "surrogatepass"), "sha256")


def _half(key: bytes, *parts: str) -> str:
    return mac(key, *parts).hex()[:32]

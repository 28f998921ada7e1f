"""Our own firmware's door lock as a machine without I/O: what `firmware/lib/gk_core` decides, said again in Python.

Both are held to the same vectors (`firmware/vectors/`) and to each other by random sequences. The protocol is the
seed's (`doors/wire.py`) with safe deviations: answers go to the asker, and the others hear `OK:OPEN` or `OK:LOCKED` of
a real change; what isn't known is `ERR:UNKNOWN`, what is too long `ERR:TOO_LONG`; only the client that opened keeps it
open, and never for longer than the cap. With a key, commands are signed (mac(k, a, b, …) = HMAC-SHA256(k, a|b|…)):

    dev> AUTH:1:<nd>                                       after the greeting; one nonce serves one try
    srv> HELLO:<nc>:<mac(K, "gk1-hello", nd, nc)>          nonces: 32 lower-case hex digits, the mac 64
    dev> READY:<mac(Ks, "gk1-ready", nd)>                  Ks = mac(K, "gk1-session", nd, nc)
    srv> C:<n>:<half of mac(Ks, "c", n, command)>:<command>    1 <= n < 2**32, rising, without leading zeros
    dev> R:<m>:<half of mac(Ks, "d", m, text)>:<text>          every text of a session, refusals too; m = 1, 2, …

Without a session a lock with a key answers STATUS and obeys LOCK_DOOR, the safe direction; neither is a heartbeat then.
All else is `ERR:AUTH`, and the third on a connection ends it. A refused HELLO is followed by a new AUTH. Whatever time
has run out is dealt with before anything else that arrives.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gatekeeper.simulators.lock_device import Drop, LockFault, Say

HEARTBEAT_TIMEOUT = 10_000
"""Milliseconds after which an open relay is released, if whoever opened it has said nothing."""

MAX_OPEN = 60_000
"""Milliseconds that the relay is energised at most, whatever is said; opening again does not move the end."""

SIGNAL_PERIOD = 5_000
MAX_CLIENTS = 4
MAX_PER_ADDRESS = 2
MAX_TEXT = 128
MAX_FAILURES = 3
MAX_COUNTER = 2**32 - 1

POLICY, FULL = 1008, 1013  # WebSocket's words: "policy violation" and "try again later"

_HELLO = re.compile(r"HELLO:([0-9a-f]{32}):([0-9a-f]{64})", re.ASCII)
_COMMAND = re.compile(r"C:([1-9][0-9]{0,9}):([0-9a-f]{32}):(.*)", re.ASCII | re.DOTALL)


@dataclass(slots=True)
class _Client:
    address: str
    nonce: str = ""
    session: bytes | None = None
    failures: int = 0
    heard: int = 0  # the counter of the newest command
    said: int = 0  # the counter of the newest text


class OwnLockDevice:
    """The firmware of our own lock. Times are monotonic seconds, kept as whole milliseconds as on the board.

    :param key: 32 bytes; without one it speaks the plain protocol.
    :param random: that many bytes that nobody can foretell; 16 for each nonce.
    :param max_open: seconds that the relay is energised at most; 0 for no limit.
    :ivar relay: whether the relay is energised; `holder`: which client keeps it so, if one may.
    :ivar history: every change of the relay as (time, energised).
    :ivar commands: every text that was heard, with its time.
    """

    is_own = True

    def __init__(
        self,
        key: bytes | None = None,
        *,
        rssi: int = -58,
        max_open: float = MAX_OPEN / 1000,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.relay = False
        self.holder: int | None = None
        self.rssi = rssi
        self.fault = LockFault.NONE
        self.history: list[tuple[float, bool]] = []
        self.commands: list[tuple[float, str]] = []
        self._key = key
        self._random = random
        self._max_open = _milliseconds(max_open)
        self._clients: dict[int, _Client] = {}  # the oldest first
        self._opened_at = 0
        self._beat_at = 0
        self._signal_at: int | None = None

    # --- who is connected ---

    def refusal(self, address: str, origin: str | None) -> int | None:
        """Return the HTTP status that a handshake is refused with, or None if it may pass.

        Browsers always send an Origin, and no page may speak to a lock. A newcomer to a full house is refused, unless
        there is a key and somebody without a session, who goes.
        """
        if origin is not None:
            return 403
        return None if self._room(address) is not False else 503

    def connected(self, client: int, now: float, address: str = "") -> list[Say | Drop]:
        """A client's WebSocket is open. An empty address is not counted."""
        out = self._expire(now)
        going = self._room(address)
        if going is False or client in self._clients:
            return [*out, *self._drop(client, FULL)]
        if going is not None:
            out += self._drop(going, FULL)
        self._clients[client] = _Client(address)
        out += [Say(text, client) for text in ("Connected to Door Lock", self._state, self._signal)]
        if self._key is not None:
            out.append(self._challenge(client))
        return out

    def disconnected(self, client: int) -> None:
        """A client is gone: what it holds open nobody can extend, so it locks when its last heartbeat is too old."""
        if self._clients.pop(client, None) is not None and self.holder == client:
            self.holder = None

    def _room(self, address: str) -> int | bool | None:
        """Return None if there is room, whom to drop to make some, or False."""
        near = [number for number, one in self._clients.items() if address and one.address == address]
        crowd = near if len(near) >= MAX_PER_ADDRESS else list(self._clients)
        if crowd is not near and len(crowd) < MAX_CLIENTS:
            return None
        strangers = [number for number in crowd if self._clients[number].session is None]
        return strangers[0] if self._key is not None and strangers else False

    def _drop(self, client: int, code: int) -> list[Say | Drop]:
        self.disconnected(client)
        return [Drop(client, code)]

    # --- what is heard ---

    def text(self, text: str, now: float, client: int) -> list[Say | Drop]:
        """A client said something: one whole text message."""
        out = self._expire(now)
        if client not in self._clients:
            return out
        self.commands.append((now, text))
        if len(text.encode()) > MAX_TEXT:
            return [*out, *self._reply(client, "ERR:TOO_LONG")]
        if self._key is None:
            return [*out, *self._command(client, text, now)]
        return [*out, *self._guarded(client, text, now)]

    def _guarded(self, client: int, text: str, now: float) -> list[Say | Drop]:
        if text.startswith("HELLO:"):
            return self._hello(client, text)
        command = self._unwrap(client, text)
        if command is not None:
            return self._command(client, command, now)
        if text in ("STATUS", "LOCK_DOOR"):
            return self._command(client, text, now, beats=False)
        return self._mistrust(client)

    def _command(self, client: int, command: str, now: float, *, beats: bool = True) -> list[Say | Drop]:
        if beats and self.holder == client and command in ("PING", "STATUS"):
            self._beat_at = _milliseconds(now)
        match command:
            case "OPEN_DOOR":
                return self._switched(client, True, now)
            case "LOCK_DOOR":
                return self._switched(client, False, now)
            case "STATUS":
                return [*self._reply(client, self._state), *self._reply(client, "ACK:STATUS")]
            case "PING":
                return self._reply(client, "PONG")
        return self._reply(client, "ERR:UNKNOWN")

    def _switched(self, client: int, energised: bool, now: float) -> list[Say | Drop]:
        before = self.relay
        self.switch(energised, now, client)
        out = self._reply(client, "OK:Door opened" if energised else "OK:Door locked")
        out += self._reply(client, "ACK:OPEN_DOOR" if energised else "ACK:LOCK_DOOR")
        return out if before is energised else [*out, *self._broadcast(self._state, but=client)]

    def switch(self, energised: bool, now: float, holder: int | None = None) -> None:
        """Drive the relay; without a holder, nobody can extend it."""
        if energised is not self.relay:
            self.history.append((now, energised))
            self._opened_at = _milliseconds(now)
        self.relay = energised
        self.holder = holder if energised else None
        self._beat_at = _milliseconds(now)

    # --- time ---

    def tick(self, now: float) -> list[Say | Drop]:
        """What the firmware's loop does; call it every 10 ms to 100 ms."""
        out = self._expire(now)
        at = _milliseconds(now)
        if self._signal_at is None:
            self._signal_at = at
        elif _elapsed(at, self._signal_at) >= SIGNAL_PERIOD:
            self._signal_at = at
            out += self._broadcast(self._signal)
        return out

    def trip(self, now: float) -> list[Say | Drop]:
        """The independent guard has released the relay: it stays so until the next OPEN_DOOR."""
        if not self.relay:
            return []
        self.switch(False, now)
        return self._broadcast("TIMEOUT:AUTO_LOCKED")

    def _expire(self, now: float) -> list[Say | Drop]:
        at = _milliseconds(now)
        silent = _elapsed(at, self._beat_at) >= HEARTBEAT_TIMEOUT
        capped = self._max_open != 0 and _elapsed(at, self._opened_at) >= self._max_open
        return self.trip(now) if self.relay and (silent or capped) else []

    # --- signing ---

    def _challenge(self, client: int) -> Say:
        nonce = self._clients[client].nonce = self._random(16).hex()
        return Say(f"AUTH:1:{nonce}", client)

    def _hello(self, client: int, text: str) -> list[Say | Drop]:
        it, key = self._clients[client], self._key or b""
        said = _HELLO.fullmatch(text)
        if said is not None and it.session is None:
            wanted = _mac(key, "gk1-hello", it.nonce, said[1]).hex()
            if hmac.compare_digest(wanted, said[2]):
                it.session = _mac(key, "gk1-session", it.nonce, said[1])
                it.failures = 0
                return [Say(f"READY:{_mac(it.session, 'gk1-ready', it.nonce).hex()}", client)]
        out = self._mistrust(client)
        if client in self._clients and it.session is None:
            out.append(self._challenge(client))
        return out

    def _unwrap(self, client: int, text: str) -> str | None:
        it = self._clients[client]
        sealed = _COMMAND.fullmatch(text)
        if it.session is None or sealed is None:
            return None
        wanted = _mac(it.session, "c", sealed[1], sealed[3]).hex()[:32]
        if not hmac.compare_digest(wanted, sealed[2]) or not it.heard < int(sealed[1]) <= MAX_COUNTER:
            return None
        it.heard = int(sealed[1])
        return sealed[3]

    def _mistrust(self, client: int) -> list[Say | Drop]:
        out = self._reply(client, "ERR:AUTH")
        if client in self._clients:
            self._clients[client].failures += 1
            if self._clients[client].failures >= MAX_FAILURES:
                out += self._drop(client, POLICY)
        return out

    # --- what is said ---

    @property
    def _state(self) -> str:
        return "OK:OPEN" if self.relay else "OK:LOCKED"

    @property
    def _signal(self) -> str:
        level = "EXCELLENT" if self.rssi > -50 else "GOOD" if self.rssi > -70 else "WEAK"
        return f"SIGNAL:{level}:{self.rssi}"

    def _broadcast(self, text: str, but: int | None = None) -> list[Say | Drop]:
        return [out for client in list(self._clients) if client != but for out in self._reply(client, text)]

    def _reply(self, client: int, text: str) -> list[Say | Drop]:
        it = self._clients.get(client)
        if it is None:  # dropped a moment ago
            return []
        acknowledges = text.startswith("ACK:")
        if it.session is None:
            return [Say(text, client, acknowledges)]
        if it.said == MAX_COUNTER:
            return self._drop(client, POLICY)
        it.said += 1
        proof = _mac(it.session, "d", str(it.said), text).hex()[:32]
        return [Say(f"R:{it.said}:{proof}:{text}", client, acknowledges)]


def _mac(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "|".join(parts).encode(), hashlib.sha256)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _elapsed(now: int, then: int) -> int:
    """Return the milliseconds since `then` as the board's 32 bits tell them: a clock that goes back locks."""
    return (now - then) % 2**32

"""Passwords: which are taken, what is kept of them, and whether one is right. Hashing runs off the reactor thread.

Of a password is kept its argon2id hash, and for WAMP-CRA and SCRAM, where it doesn't travel, what these check a proof
against; those are sealed (sealing.py), since WAMP-CRA's key is as good as the password.
"""

import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from twisted.internet.defer import Deferred, execute, fail
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from gatekeeper.access.records import Credentials
from gatekeeper.access.sealing import Seal
from gatekeeper.errors import InvalidArgument, Overloaded
from gatekeeper.wamp.methods import (
    AutobahnScram,
    CraCredential,
    Scram,
    ScramCredential,
    WampCra,
    autobahn_scram_credential,
    cra_credential,
    scram_credential,
)
from gatekeeper.wamp.methods.saslprep import saslprep

T = TypeVar("T")

SHORTEST = 10
"""Characters: with the delay on wrong ones (throttle.py), no guess in a lifetime."""

LONGEST = 1024
"""Bytes: what nobody types; more would only cost time."""

HASHES_AT_ONCE = 2
"""Each takes 64 MiB for a tenth of a second: a Raspberry Pi has 128 MiB and two cores to spare, not more."""

HASHES_WAITING = 32
"""Log-ins that may wait for their turn, some two seconds; beyond that they are refused."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hash costs; the defaults are for people's passwords on a Raspberry Pi.

    :ivar memory: KiB. 64 MiB is RFC 9106's second choice, for machines without gigabytes to spare.
    :ivar passes: over the memory; three, by the same choice.
    :ivar lanes: one: a hash then takes one core, and the others stay with doors and video.
    :ivar cra_iterations: of PBKDF2, by the client at each log-in.
    """

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 1
    cra_iterations: int = 100_000


PLACES_HERE = 8
"""Further ones for log-ins at the machine itself: filling the others from elsewhere keeps no owner out there."""


class Runner(Protocol):
    """Runs what takes long, elsewhere."""

    def run(self, work: Callable[[], T], *, here: bool = False) -> "Deferred[T]":
        """Run it; raise or fail with Overloaded if too much waits.

        :param here: whether it is asked for at the machine itself.
        """
        ...


class Inline:
    """Runs everything at once, in the caller's thread: for tests and for the command line."""

    def run(self, work: Callable[[], T], *, here: bool = False) -> "Deferred[T]":
        """Run it now."""
        return execute(work)


class Pool:
    """A thread pool of its own, so that hashing waits for nobody and nobody for it.

    :param reactor: in whose thread the Deferreds fire.
    """

    def __init__(self, reactor: Any, at_once: int = HASHES_AT_ONCE, waiting: int = HASHES_WAITING) -> None:
        self._reactor = reactor
        self._threads = ThreadPool(minthreads=0, maxthreads=at_once, name="passwords")
        self._maximum = at_once + waiting
        self._under_way = 0

    def start(self) -> None:
        """Begin; what was asked for before is done now."""
        self._threads.start()

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self._threads.stop()

    def run(self, work: Callable[[], T], *, here: bool = False) -> "Deferred[T]":
        """Run it in a thread.

        :raises Overloaded: as the Deferred's failure, if too many wait already.
        """
        if self._under_way >= self._maximum + (PLACES_HERE if here else 0):
            return fail(Overloaded("too many log-ins at once: try again in a few seconds"))
        self._under_way += 1
        answer: Deferred[T] = Deferred(lambda _: None)  # who gives up still takes a place until the work is done

        def done(result: Any) -> None:
            self._under_way -= 1
            if not answer.called:
                (answer.errback if isinstance(result, Failure) else answer.callback)(result)

        def finished(_succeeded: bool, result: Any) -> None:
            self._reactor.callFromThread(done, result)

        self._threads.callInThreadWithCallback(finished, work)
        return answer


class Passwords:
    """Makes and checks what is kept of passwords.

    :param seal: the key that what is as good as a password is encrypted with.
    :param runner: where the work is done.
    """

    def __init__(self, seal: Seal, runner: Runner, cost: Cost | None = None) -> None:
        self._seal = seal
        self._runner = runner
        self._cost = cost = cost or Cost()
        self._hasher = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory,
            parallelism=cost.lanes,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )
        # Of a name that nobody has, this is checked: it costs the same, and no password fits it.
        self._decoy = _decoy(cost)
        cra, scram, draft = self.decoys
        self._sealed_decoys = {
            "wampcra": self._sealed("wampcra", "", cra),
            "wamp-scram": self._sealed("wamp-scram", "", scram),
            "scram": self._sealed("scram", "", draft),
        }

    def make(self, name: str, password: str) -> "Deferred[Credentials]":
        """Return what is kept of an account's password.

        :raises InvalidArgument: as the Deferred's failure, if such a password isn't taken.
        """
        try:
            check_policy(name, password)
        except InvalidArgument:
            return fail()
        return self._runner.run(lambda: self.derive(name, password))

    def derive(self, name: str, password: str) -> Credentials:
        """Return what is kept of a password, whatever it is; blocks for half a second."""
        cost = self._cost
        salt = secrets.token_bytes(16)
        specified = scram_credential(password, salt=salt, iterations=cost.passes, memory=cost.memory)
        autobahns = autobahn_scram_credential(password, salt, cost.passes, cost.memory)
        return Credentials(
            self._hasher.hash(_normal(password)),
            {"wampcra": self._sealed("wampcra", name, cra_credential(password, None, cost.cra_iterations))},
            {
                "wamp-scram": self._sealed("wamp-scram", name, specified),
                "scram": self._sealed("scram", name, autobahns),
            },
        )

    def verify(self, password_hash: str | None, password: str, *, here: bool = False) -> "Deferred[bool]":
        """Return whether a password is right.

        :param password_hash: None for an account that doesn't exist, which costs the same.
        :param here: whether it is asked for at the machine itself.
        """
        if len(password) > LONGEST:
            password, password_hash = "", None
        return self._runner.run(lambda: self._fits(password_hash or self._decoy, password), here=here)

    def remake(self, name: str, password: str) -> "Deferred[Credentials]":
        """Return what is kept today of a password that was taken before."""
        return self._runner.run(lambda: self.derive(name, password))

    def is_outdated(self, name: str, kept: Credentials) -> bool:
        """Return whether this was made at a lower cost, or sealed with another key file."""
        return self._hasher.check_needs_rehash(kept.password_hash) or any(
            self.credential(method, name, kept) is None for method in _SEALED
        )

    def credential(self, method: str, name: str, kept: Credentials | None) -> "CraCredential | ScramCredential | None":
        """Return what a WAMP method checks a proof against; None if that wasn't kept, or can't be opened.

        :param method: "wampcra", "wamp-scram" or "scram".
        :param kept: None for a name that nobody has, which takes as long.
        """
        column, place, shape = _SEALED[method]
        sealed = (getattr(kept, column) or {}).get(place) if kept is not None else self._sealed_decoys[method]
        owner = name if kept is not None else ""
        plain = self._seal.unseal_text(f"{place} {owner}", sealed) if isinstance(sealed, str) else None
        found = msgspec.json.decode(plain, type=shape) if plain is not None else None
        return found if kept is not None else None

    @property
    def decoys(self) -> tuple[CraCredential, ScramCredential, ScramCredential]:
        """The forms of the challenges to names that nobody has: those of "wampcra", "wamp-scram" and "scram"."""
        cost = self._cost
        memory, passes = cost.memory, cost.passes
        return (
            CraCredential(b"", "", cost.cra_iterations),
            ScramCredential("argon2id13", b"", passes, memory, b"", b""),
            ScramCredential("argon2id-13", b"", passes, memory, b"", b""),
        )

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def _sealed(self, place: str, name: str, credential: CraCredential | ScramCredential) -> str:
        return self._seal.seal_text(f"{place} {name}", msgspec.json.encode(credential))


_SEALED: dict[str, tuple[str, str, type[Any]]] = {
    WampCra.name: ("wampcra", "wampcra", CraCredential),
    Scram.name: ("scram", "wamp-scram", ScramCredential),
    AutobahnScram.name: ("scram", "scram", ScramCredential),
}
"""WAMP method -> column, place within it, and form."""


def _decoy(cost: Cost) -> str:
    """Return what looks like a hash, and takes as long to check; it is random, so no password fits."""
    salt, made_up = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory},t={cost.passes},p={cost.lanes}${salt}${made_up}"


def check_policy(name: str, password: str) -> None:
    """Pass if this may be the password of an account.

    :raises InvalidArgument: saying what is wrong with it, never the password.
    """
    if len(password) < SHORTEST:
        raise InvalidArgument(f"password: too short; at least {SHORTEST} characters")
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST:
        raise InvalidArgument(f"password: too long; at most {LONGEST} bytes")
    try:
        normal = saslprep(password)
    except ValueError:
        raise InvalidArgument("password: holds a character that can't be typed everywhere, such as a tab") from None
    if normal.casefold().strip() == name.casefold():
        raise InvalidArgument("password: it is the account's name; take another")
    if len(set(normal)) <= 1:
        raise InvalidArgument("password: it is one character over and over; take another")


def _normal(password: str) -> bytes:
    """Return the form in which passwords are compared: the same on every keyboard."""
    try:
        return saslprep(password).encode("utf-8", "surrogatepass")
    except ValueError:
        return password.encode("utf-8", "surrogatepass")

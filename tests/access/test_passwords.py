"""Passwords: which are taken, what is kept of them, that a check costs the same for everybody, and the pool."""

import time
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from gatekeeper.access.passwords import PLACES_HERE, Cost, Inline, Passwords, Pool, check_policy
from gatekeeper.access.records import Credentials
from gatekeeper.access.sealing import Seal
from gatekeeper.errors import InvalidArgument, Overloaded
from gatekeeper.wamp import methods
from tests.access.house import LOW, PASSWORD
from tests.access.people import result

SEAL = Seal(b"k" * 32)


class Counting(Inline):
    """Counts what is run."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, work: Any, *, here: bool = False) -> "Deferred[Any]":
        self.runs += 1
        return super().run(work)


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(SEAL, Inline(), LOW)


# --- the policy ---


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("ana", "", "too short"),
        ("ana", "123456789", "too short"),
        ("ana", "x" * 1025, "too long"),
        ("ana", "ä" * 513, "too long"),
        ("ana-the-first", "ana-the-first", "the account's name"),
        ("ana-the-first", "Ana-The-FIRST", "the account's name"),
        ("ana-the-first", " ana-the-first ", "the account's name"),
        ("ana", "aaaaaaaaaa", "one character"),
        ("ana", " " * 10, "one character"),
        ("ana", "tab\tis not typed", "can't be typed"),
        ("ana", "a lone \ud800 surrogate", "can't be typed"),
    ],
)
def test_a_password_that_is_no_good_is_refused_and_not_repeated(name: str, password: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as caught:
        check_policy(name, password)
    assert str(caught.value).startswith("password: ")
    assert len(password) < 5 or password not in str(caught.value)


@pytest.mark.parametrize("password", ["1234567890", PASSWORD, "x" * 1023 + "y", "пароль пароль", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🗝"])
def test_long_enough_is_enough(password: str) -> None:
    check_policy("ana", password)


def test_making_what_is_kept_checks_the_policy_first(passwords: Passwords) -> None:
    with pytest.raises(InvalidArgument):
        result(passwords.make("ana", "short"))


# --- what is kept ---


def test_only_the_password_fits_its_hash(passwords: Passwords) -> None:
    kept = result(passwords.make("ana", PASSWORD)).password_hash
    assert kept.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert result(passwords.verify(kept, PASSWORD)) is True
    for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "\udcff", "x" * 5000):
        assert result(passwords.verify(kept, wrong)) is False


def test_two_of_the_same_password_have_nothing_in_common(passwords: Passwords) -> None:
    one, other = result(passwords.make("ana", PASSWORD)), result(passwords.make("ana", PASSWORD))
    assert one.password_hash != other.password_hash
    assert one.wampcra != other.wampcra
    assert one.scram != other.scram


def test_the_same_password_typed_on_another_keyboard_fits(passwords: Passwords) -> None:
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert result(passwords.verify(result(passwords.make("ana", composed)).password_hash, decomposed))


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA", "$1$x$y"])
def test_what_is_no_hash_fits_nothing(passwords: Passwords, kept: str) -> None:
    assert result(passwords.verify(kept, PASSWORD)) is False


def test_the_defaults_are_sixty_four_mebibytes_three_passes_one_lane() -> None:
    cost = Cost()
    assert (cost.memory, cost.passes, cost.lanes) == (65536, 3, 1)


def test_what_is_kept_for_wamp_opens_only_with_the_key_file_and_for_its_own_account(passwords: Passwords) -> None:
    kept = result(passwords.make("ana", PASSWORD))
    cra = passwords.credential("wampcra", "ana", kept)
    assert isinstance(cra, methods.CraCredential)
    assert cra == methods.cra_credential(PASSWORD, cra.salt, 10)
    scram = passwords.credential("wamp-scram", "ana", kept)
    assert isinstance(scram, methods.ScramCredential)
    assert scram == methods.scram_credential(PASSWORD, salt=scram.salt, iterations=1, memory=8)
    draft = passwords.credential("scram", "ana", kept)
    assert isinstance(draft, methods.ScramCredential)
    assert draft == methods.autobahn_scram_credential(PASSWORD, draft.salt, 1, 8)
    other_file = Passwords(Seal(b"o" * 32), Inline(), LOW)
    for method in ("wampcra", "wamp-scram", "scram"):
        assert other_file.credential(method, "ana", kept) is None
        assert passwords.credential(method, "ben", kept) is None
        assert passwords.credential(method, "ana", None) is None
        assert passwords.credential(method, "ana", Credentials(kept.password_hash)) is None
    swapped = Credentials(kept.password_hash, kept.wampcra, {"scram": kept.scram["wamp-scram"]})  # type: ignore[index]
    assert passwords.credential("scram", "ana", swapped) is None


def test_a_copy_of_what_is_kept_shows_neither_password_nor_key(passwords: Passwords) -> None:
    kept = result(passwords.make("ana", PASSWORD))
    cra = passwords.credential("wampcra", "ana", kept)
    shown = f"{kept.wampcra}{kept.scram}{kept.password_hash}"
    assert PASSWORD not in shown
    assert isinstance(cra, methods.CraCredential)
    assert cra.key.decode() not in shown


def test_what_was_made_cheaper_or_with_another_key_file_is_outdated(passwords: Passwords) -> None:
    kept = result(passwords.make("ana", PASSWORD))
    assert not passwords.is_outdated("ana", kept)
    assert Passwords(SEAL, Inline(), Cost(16, 1, 1, 10)).is_outdated("ana", kept)
    assert Passwords(Seal(b"o" * 32), Inline(), LOW).is_outdated("ana", kept)
    assert passwords.is_outdated("ana", Credentials(kept.password_hash))


# --- what a check costs ---


def test_a_name_that_nobody_has_costs_one_hash_like_any_other() -> None:
    runner = Counting()
    passwords = Passwords(SEAL, runner, LOW)
    kept = result(passwords.make("ana", PASSWORD)).password_hash
    runner.runs = 0
    for known in (kept, None):
        assert result(passwords.verify(known, "wrong wrong wrong")) is False
    assert runner.runs == 2
    assert result(passwords.verify(None, "")) is False


def test_a_name_that_nobody_has_takes_as_long_as_one_that_somebody_has() -> None:
    passwords = Passwords(SEAL, Inline(), Cost(memory=4096, passes=2, cra_iterations=10))
    kept = result(passwords.make("ana", PASSWORD)).password_hash

    def timed(known: str | None) -> float:
        start = time.perf_counter()
        result(passwords.verify(known, "wrong wrong wrong"))
        return time.perf_counter() - start

    # In turn, and the fastest of many: what else the machine does slows both.
    took = [(timed(kept), timed(None)) for _ in range(40)]
    with_name, without = (min(times) for times in zip(*took, strict=True))
    assert without == pytest.approx(with_name, rel=0.6)
    assert without > 0.001


# --- the pool ---


class Held:
    """Work that waits until the test says so."""

    def __init__(self) -> None:
        import threading

        self.go = threading.Event()

    def __call__(self) -> str:
        self.go.wait(10)
        return "done"


@pytest_twisted.inlineCallbacks  # type: ignore[untyped-decorator]
def test_beyond_what_may_wait_a_log_in_is_refused_at_once() -> Any:
    from twisted.internet import reactor

    pool = Pool(reactor, at_once=1, waiting=2)
    pool.start()
    held = Held()
    try:
        waiting = [pool.run(held) for _ in range(3)]
        with pytest.raises(Overloaded):
            yield pool.run(held)
        waiting[1].cancel()
        with pytest.raises(CancelledError):
            yield waiting.pop(1)
        with pytest.raises(Overloaded):  # its work still waits
            yield pool.run(held)
        waiting += [pool.run(held, here=True) for _ in range(PLACES_HERE)]
        with pytest.raises(Overloaded):
            yield pool.run(held, here=True)
        held.go.set()
        assert (yield gatherResults(waiting)) == ["done"] * (2 + PLACES_HERE)
        yield pool.run(lambda: None)
        assert (yield pool.run(held)) == "done"
    finally:
        held.go.set()
        pool.stop()


@pytest_twisted.inlineCallbacks  # type: ignore[untyped-decorator]
def test_what_fails_in_a_thread_fails_here_and_gives_its_place_back() -> Any:
    from twisted.internet import reactor

    pool = Pool(reactor, at_once=1, waiting=0)
    pool.start()
    try:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                yield pool.run(lambda: 1 // 0)
        passwords = Passwords(SEAL, pool, LOW)
        kept = yield passwords.make("ana", PASSWORD)
        assert (yield passwords.verify(kept.password_hash, PASSWORD)) is True
    finally:
        pool.stop()

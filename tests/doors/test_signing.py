"""Signed mode, our end, to the letter of its vector, and everything that a lock may get wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.doors.signing import Doubtful, Outcome, Proven, Said, Session, Stage, Transmit, Unproven, mac
from gatekeeper.doors.wire import Command

KEY = bytes(range(32))
ND = bytes(range(16)).hex()
SESSION_KEY = bytes.fromhex("0033a4ae9840e146809dd03d66017f3089258af3c0acfbf48d45c8c3f6b2d46f")
READY = "READY:4e0de26b318e37e57a0c8286f836fd30feed5d1694c4ad2db640d3198c8993a6"
OPENED = "R:1:17e90a923eb30aa8244e51c715206061:OK:Door opened"


def greeted(key: bytes = KEY) -> Session:
    return Session(key, 100.0, 5.0, chance=lambda count: bytes(range(0xF0, 0xF0 + count)))


def asked() -> Session:
    session = greeted()
    session.received(f"AUTH:1:{ND}")
    return session


def proven() -> Session:
    session = asked()
    assert session.received(READY) == Proven()
    return session


def signed(number: int | str, text: str, key: bytes = SESSION_KEY) -> str:
    return f"R:{number}:{mac(key, 'd', str(number), text).hex()[:32]}:{text}"


def test_the_vector() -> None:
    session = greeted()
    hello = "650e260ecc1491dabb96e8eb1ee89bee6e8f412168f81077933754204d3ea500"
    assert session.received(f"AUTH:1:{ND}") == Transmit(f"HELLO:{bytes(range(0xF0, 0x100)).hex()}:{hello}")
    assert session.received(READY) == Proven()
    assert session.seal(Command.OPEN) == "C:1:44d1089722df05b705b4f720e9a923f7:OPEN_DOOR"
    assert session.received(OPENED) == Said("OK:Door opened")
    assert signed(1, "OK:Door opened") == OPENED


def test_the_greeting_counts_for_nothing() -> None:
    session = greeted()
    for line in ("Connected to Door Lock", "OK:OPEN", "SIGNAL:GOOD:-60", "READY:" + "0" * 64, OPENED):
        assert session.received(line) is None
    assert session.stage is Stage.GREETED


@pytest.mark.parametrize("line", ["AUTH:2:" + ND, "AUTH:1:" + ND.upper(), "AUTH:1:" + ND[:-1], "AUTH:"])
def test_an_offer_that_is_not_known_ends_it(line: str) -> None:
    assert isinstance(greeted().received(line), Unproven)


@pytest.mark.parametrize(
    "line", ["READY:" + "0" * 64, READY.upper(), READY[:-1], READY + "0", "READY:", "ERR:AUTH"], ids=str
)
def test_whoever_cannot_prove_it_is_not_used(line: str) -> None:
    session = asked()
    assert isinstance(session.received(line), Unproven)
    assert session.received(READY) is None, "and gets no second chance"


def test_state_lines_before_the_proof_count_for_nothing() -> None:
    session = asked()
    assert [session.received(line) for line in ("OK:OPEN", OPENED, "ACK:STATUS")] == [None] * 3


@pytest.mark.parametrize(
    ("session", "words"),
    [(greeted(), "did not offer signed mode within 5 s"), (asked(), "did not prove within 5 s that it has the key")],
    ids=["no AUTH", "no READY"],
)
def test_the_lock_has_so_long_and_no_longer(session: Session, words: str) -> None:
    assert session.deadline == 105.0
    assert session.tick(104.9) is None
    ended = session.tick(105.0)
    assert isinstance(ended, Unproven)
    assert words in ended.reason
    assert session.deadline is None
    assert session.tick(200.0) is None


def test_a_proven_session_has_no_deadline() -> None:
    assert proven().deadline is None
    assert proven().tick(1000.0) is None


@pytest.mark.parametrize(
    "line",
    [
        "OK:OPEN",
        "ERR:AUTH",
        "",
        OPENED,
        READY,
        f"AUTH:1:{ND}",
        signed(0, "OK:OPEN"),
        signed("02", "OK:OPEN"),
        signed(2**32, "OK:OPEN"),
        signed(2, "OK:OPEN", key=KEY),
        signed(2, "OK:OPEN").replace("OPEN", "LOCKED"),
        signed(2, "OK:OPEN").replace("R:2", "R:3"),
        f"R:2:{mac(SESSION_KEY, 'c', '2', 'OK:OPEN').hex()[:32]}:OK:OPEN",
        signed(2, "x" * 129),
    ],
    ids=[
        "plain", "refusal", "empty", "again", "ready", "offer", "zero", "leading zero", "too high", "another session",
        "another text", "another number", "reflected", "too long",
    ],
)  # fmt: skip
def test_what_is_not_signed_for_here_and_now_counts_for_nothing(line: str) -> None:
    session = proven()
    assert session.received(OPENED) == Said("OK:Door opened")
    outcome: Outcome | None = session.received(line)
    assert outcome == Doubtful()
    assert session.doubted == 1
    assert session.received(signed(5, "OK:LOCKED")) == Said("OK:LOCKED"), "and the session goes on"
    assert session.received(signed(4, "OK:OPEN")) == Doubtful(), "older than the newest"


def test_any_text_of_any_characters_is_read_as_it_was_signed() -> None:
    session = proven()
    assert session.received(signed(1, "a:b\n\u00e9")) == Said("a:b\n\u00e9")


def test_every_command_has_a_number_of_its_own() -> None:
    session = proven()
    numbers = [session.seal(command).split(":")[1] for command in Command]
    assert numbers == ["1", "2", "3", "4"]


def test_no_key_shows() -> None:
    assert KEY.hex() not in repr(proven())
    assert repr(KEY) not in repr(proven())
    assert repr(SESSION_KEY) not in repr(proven())


VECTORS = json.loads((Path(__file__).parents[2] / "firmware" / "vectors" / "signed.json").read_text())["cases"]
OURS = f"HELLO:{bytes(range(0xF0, 0x100)).hex()}:650e260ecc1491dabb96e8eb1ee89bee6e8f412168f81077933754204d3ea500"
SPOKEN = [case for case in VECTORS if any(out == [f"1 {READY}"] for _, _, out in case["steps"])]


@pytest.mark.parametrize("case", SPOKEN, ids=lambda case: str(case["name"]))
def test_it_understands_what_the_firmware_says_in_the_shared_vectors(case: dict[str, Any]) -> None:
    session = Session(bytes.fromhex(case["key"]), 0.0, 5.0, chance=lambda count: bytes(range(0xF0, 0xF0 + count)))
    told = [line[2:] for _, _, out in case["steps"] for line in out if line.startswith("1 ")]
    said = [line for line in told if line.startswith(("AUTH:", "READY:", "R:"))]
    outcomes = [session.received(line) for line in said]
    begun = outcomes.index(Proven())
    assert Transmit(OURS) in outcomes[:begun]
    signed_lines = [line for line in said if line.startswith("R:")]
    assert outcomes[begun + 1 :] == [Said(line.split(":", 3)[3]) for line in signed_lines]


def test_the_shared_vectors_hold_sessions() -> None:
    assert len(SPOKEN) >= 3

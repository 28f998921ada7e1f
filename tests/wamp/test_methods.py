"""What holds for each authentication method: what is no proof lets nobody in, and nobody learns who exists."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.methods import (
    WampCra,
)
from gatekeeper.wamp.methods.wampcra import UNSALTED
from gatekeeper.wamp.session import State
from tests.wamp.authentication import KEY, METHODS, PRINCIPALS, SCRAM, STRANGER, Door, assert_denied
from tests.wamp.helpers import fuzz
from tests.wamp.proofs import ScramClient, cra_signature, cryptosign_signature, pubkey_of


def challenged(method: str, is_known: bool = True) -> tuple[Door, str, dict[str, Any], Any]:
    """Return a door, the right proof with its extra, and the challenge."""
    door = Door(METHODS[method])
    if method == "cryptosign":
        key = KEY if is_known else STRANGER
        extra = door.hello(method, pubkey=pubkey_of(key))[2]
        return door, cryptosign_signature(key, extra), {}, extra
    authid = "joe" if is_known else "nobody"
    client = ScramClient(authid, "pencil")
    extra = door.hello(method, authid=authid, **(client.authextra if method == "wamp-scram" else {}))[2]
    if method == "wamp-scram":
        return door, *client.answer(extra), extra
    return door, "secret" if method == "ticket" else cra_signature("secret", extra), {}, extra


every_method = pytest.mark.parametrize("method", METHODS)


@every_method
def test_an_unknown_name_is_challenged_alike_and_refused_alike(method: str) -> None:
    _, _, _, real = challenged(method)
    door, proof, extra, fake = challenged(method, is_known=False)
    assert form(fake) == form(real)
    assert_denied(door.prove(proof, extra))


def form(challenge: Any) -> Any:
    """Return what can be told from a challenge without knowing the secret."""
    if isinstance(challenge, dict):
        return {key: form(value) for key, value in challenge.items()}
    if isinstance(challenge, str) and challenge.startswith("{"):
        inner = json.loads(challenge)
        return {**{key: type(value) for key, value in inner.items()}, "authrole": inner["authrole"]}
    return len(challenge) if isinstance(challenge, str) else challenge


@pytest.mark.spec(SCRAM, "a mock CHALLENGE has a salt that is always the same for an authid")
@pytest.mark.parametrize("method", ["wampcra", "wamp-scram"])
def test_an_unknown_names_salt_stays_the_same(method: str) -> None:
    one, two = (challenged(method, is_known=False)[3]["salt"] for _ in range(2))
    assert one == two
    other = Door(METHODS[method]).hello(method, authid="nemo", nonce="AAAA")[2]["salt"]
    assert other != one


def test_an_unknown_name_among_unsalted_ones_has_no_salt() -> None:
    assert "salt" not in Door(WampCra(PRINCIPALS, decoy=UNSALTED)).hello("wampcra", authid="nobody")[2]


def test_salts_outlive_a_restart_with_the_secret() -> None:
    salts = {
        Door(WampCra(PRINCIPALS, decoy_secret=secret)).hello("wampcra", authid="nobody")[2]["salt"]
        for secret in (b"one", b"one", b"other", None)
    }
    assert len(salts) == 3


@every_method
def test_a_proof_is_good_once_and_for_its_own_session(method: str) -> None:
    door, proof, extra, _ = challenged(method)
    assert door.prove(proof, extra)[0] == 2
    if method != "ticket":
        assert_denied(challenged(method)[0].prove(proof, extra))
    again = door.client.say(5, proof, extra)
    assert again[0][::2] == [3, "wamp.error.protocol_violation"]


@every_method
def test_there_is_one_try(method: str) -> None:
    door, proof, extra, _ = challenged(method)
    assert_denied(door.prove("wrong"))
    assert door.client.say(5, proof, extra) == []
    assert door.client.session.state is State.CLOSED


@every_method
def test_a_challenge_runs_out(method: str) -> None:
    door, proof, extra, _ = challenged(method)
    door.client.session.overdue()
    assert door.client.take()[0][::2] == [3, "wamp.error.timeout"]
    assert door.client.say(5, proof, extra) == []


@every_method
def test_every_truncated_or_lengthened_proof_is_refused(method: str) -> None:
    _, whole, _, _ = challenged(method)
    for cut in range(len(whole)):
        door, proof, extra, _ = challenged(method)
        assert_denied(door.prove(proof[:cut], extra))
    for odd in ("A", "=", "00", "\n", " ", "\0"):
        door, proof, extra, _ = challenged(method)
        assert_denied(door.prove(proof + odd, extra))


@fuzz
@given(method=st.sampled_from(list(METHODS)), position=st.integers(0, 500), char=st.characters(exclude_characters="\0"))
def test_a_proof_with_one_character_changed_is_refused(method: str, position: int, char: str) -> None:
    door, proof, extra, _ = challenged(method)
    at = position % len(proof)
    if proof[at] == char or (method == "cryptosign" and proof[at] == char.lower()):
        return
    assert_denied(door.prove(proof[:at] + char + proof[at + 1 :], extra))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
extras = st.dictionaries(
    st.sampled_from(["nonce", "pubkey", "challenge", "channel_binding", "cbind_data", "signature"]), anything
)


@fuzz
@given(method=st.sampled_from(list(METHODS)), authextra=extras, signature=st.text(max_size=200), extra=extras)
def test_anything_said_lets_nobody_in_and_breaks_nothing(
    method: str, authextra: dict[str, Any], signature: str, extra: dict[str, Any]
) -> None:
    door = Door(METHODS[method], CBOR)
    code, *_ = door.hello(method, authid="joe", **authextra)
    if code == 4:
        assert_denied(door.prove(signature, extra))
    assert door.router.metrics().sessions_now == 0

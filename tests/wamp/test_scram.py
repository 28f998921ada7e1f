"""WAMP-SCRAM, and the dialect of it that Autobahn speaks."""

import hashlib
from base64 import b64decode
from typing import Any

import pytest

from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.methods import (
    Listed,
    Principal,
    Scram,
    scram_credential,
)
from tests.wamp.authentication import METHODS, SCRAM, Door, assert_denied, every_codec, identity
from tests.wamp.proofs import ScramClient


@pytest.mark.spec(SCRAM, "the proof is checked, and WELCOME carries the server's signature")
@pytest.mark.parametrize("authid", ["joe", "a,b=c"])
@every_codec
def test_the_right_proof(codec: Codec, authid: str) -> None:
    door, client = Door(METHODS["wamp-scram"], codec), ScramClient(authid, "pencil")
    code, method, extra = door.hello("wamp-scram", authid=authid, **client.authextra)
    assert (code, method) == (4, "wamp-scram")
    assert (extra["kdf"], extra["iterations"], "memory" in extra) == ("pbkdf2", 10, False)
    welcome = door.prove(*client.answer(extra))
    assert identity(welcome) == (authid, "user", "wamp-scram", "static")
    assert welcome[2]["authextra"] == {"verifier": client.verifier}


@pytest.mark.spec(SCRAM, "argon2id13 with one lane and 32 octets of output")
def test_argon2() -> None:
    pytest.importorskip("argon2")
    credential = scram_credential("pencil", iterations=1, memory=64)
    door = Door(Scram(Listed({"wamp-scram": {"joe": Principal("joe", "user", credential)}})))
    client = ScramClient("joe", "pencil")
    extra = door.hello("wamp-scram", authid="joe", **client.authextra)[2]
    assert (extra["kdf"], extra["iterations"], extra["memory"]) == ("argon2id13", 1, 64)
    assert identity(door.prove(*client.answer(extra)))[0] == "joe"


@pytest.mark.spec(SCRAM, "AuthMessage has the exact syntax of RFC 5802, so that its test vectors hold")
def test_the_vector_of_rfc_7677() -> None:
    from gatekeeper.wamp.methods.scram import Exchange

    salt = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    principal = Principal("user", "user", scram_credential("pencil", "pbkdf2", salt=salt, iterations=4096))
    client = "rOprNGfwEbeRWgbNEkqO"
    nonce = client + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    exchange = Exchange(principal, principal.credential, "user", client, nonce, None)
    answer = METHODS["wamp-scram"].authenticate(
        exchange, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", {"nonce": nonce}
    )
    assert answer.authextra == {"verifier": "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}


@pytest.mark.spec(SCRAM, "HELLO carries a nonce in base64")
@pytest.mark.parametrize("nonce", [None, "", 5, "not base64!", "AAA", "AB==", "A" * 300, "\ud800", ["AAAA"]])
def test_a_nonce_that_is_none(nonce: Any) -> None:
    answer = Door(METHODS["wamp-scram"]).hello("wamp-scram", authid="joe", nonce=nonce)
    assert answer[::2] == [3, "wamp.error.authentication_failed"]


@pytest.mark.spec(SCRAM, "an unsupported channel binding is answered with ABORT")
@pytest.mark.parametrize("binding", ["tls-unique", "nonsense", 5, {}])
def test_a_binding_that_is_not_to_be_had(binding: Any) -> None:
    answer = Door(METHODS["wamp-scram"]).hello("wamp-scram", authid="joe", nonce="AAAA", channel_binding=binding)
    assert answer[::2] == [3, "wamp.error.authentication_failed"]


@pytest.mark.spec(SCRAM, "the channel binding data of both sides must be the same")
@pytest.mark.parametrize("is_same", [True, False])
def test_bound_to_a_channel(is_same: bool) -> None:
    door = Door(METHODS["wamp-scram"]).bind(tls_unique=b"ours")
    client = ScramClient("joe", "pencil", ("tls-unique", b"ours" if is_same else b"theirs"))
    answer = door.prove(*client.answer(door.hello("wamp-scram", authid="joe", **client.authextra)[2]))
    if is_same:
        assert identity(answer)[0] == "joe"
    else:
        assert_denied(answer)


@pytest.mark.spec(SCRAM, "nonce, channel_binding and cbind_data of AUTHENTICATE are those of this exchange")
@pytest.mark.parametrize(
    "changed",
    [{"nonce": "x"}, {"nonce": None}, {"channel_binding": "tls-unique"}, {"cbind_data": "AAAA"}, {"cbind_data": ""}],
)
def test_an_answer_to_another_exchange(changed: dict[str, Any]) -> None:
    door, client = Door(METHODS["wamp-scram"]), ScramClient("joe", "pencil")
    proof, extra = client.answer(door.hello("wamp-scram", authid="joe", **client.authextra)[2])
    assert_denied(door.prove(proof, {**extra, **changed}))


def test_a_password_is_normalized() -> None:
    made = scram_credential("I\u00adX", "pbkdf2", salt=b"salt", iterations=10)
    assert made == scram_credential("\u2168", "pbkdf2", salt=b"salt", iterations=10)
    with pytest.raises(ValueError, match="prohibits"):
        scram_credential("\u0007", "pbkdf2")


def test_a_name_that_may_not_be_is_refused() -> None:
    assert_denied(Door(METHODS["wamp-scram"]).hello("wamp-scram", authid="\u0007", nonce="AAAA"))


def test_autobahns_credential() -> None:
    argon2 = pytest.importorskip("argon2.low_level")
    from gatekeeper.wamp.methods import autobahn_scram_credential

    salt = bytes(range(16))
    made = autobahn_scram_credential("pencil", salt, 2, 64)
    encoded = argon2.hash_secret(b"pencil", salt, 2, 64, 1, 32, argon2.Type.ID, 19)
    salted = encoded.split(b"$")[-1]
    client_key = hashlib.new("sha256", __import__("hmac").new(salted, b"Client Key", "sha256").digest()).digest()
    assert made.stored_key == client_key

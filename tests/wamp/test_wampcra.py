"""WAMP-CRA, salted and unsalted."""

import json

import pytest

from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.methods import (
    cra_credential,
)
from tests.wamp.authentication import CRA, METHODS, Door, every_codec, identity
from tests.wamp.proofs import cra_signature


@pytest.mark.spec(CRA, "the signature is HMAC-SHA256 of the challenge, by the secret or by the key derived from it")
@pytest.mark.parametrize("authid", ["joe", "jim"], ids=["salted", "unsalted"])
@every_codec
def test_the_right_signature(codec: Codec, authid: str) -> None:
    door = Door(METHODS["wampcra"], codec)
    code, method, extra = door.hello("wampcra", authid=authid)
    assert (code, method) == (4, "wampcra")
    assert ("salt" in extra) is (authid == "joe")
    assert identity(door.prove(cra_signature("secret", extra))) == (authid, "user", "wampcra", "static")


@pytest.mark.spec(CRA, "the challenge names identity, method, provider, nonce, time and the session ID to be assigned")
def test_the_challenge_is_bound_to_its_session() -> None:
    door = Door(METHODS["wampcra"])
    extra = door.hello("wampcra", authid="joe")[2]
    challenge = json.loads(extra["challenge"])
    assert {key: challenge[key] for key in ("authid", "authrole", "authmethod", "authprovider")} == {
        "authid": "joe",
        "authrole": "user",
        "authmethod": "wampcra",
        "authprovider": "static",
    }
    assert challenge["timestamp"].endswith("Z")
    assert len(challenge["nonce"]) >= 16
    assert door.prove(cra_signature("secret", extra))[1] == challenge["session"]


@pytest.mark.spec(CRA, "salted passwords: CHALLENGE carries salt, keylen and iterations of PBKDF2")
def test_autobahn_derives_the_same_key() -> None:
    from autobahn.wamp.auth import compute_wcs, derive_key

    made = cra_credential("s\u00e9cret", "salt123", 1000)
    assert made.key == derive_key("s\u00e9cret", "salt123", 1000, 32)
    assert made.parameters() == {"salt": "salt123", "iterations": 1000, "keylen": 32}
    assert cra_signature("key", {"challenge": "x"}) == compute_wcs("key", "x").decode()


def test_each_challenge_is_another() -> None:
    challenges = {Door(METHODS["wampcra"]).hello("wampcra", authid="joe")[2]["challenge"] for _ in range(5)}
    assert len(challenges) == 5

"""WAMP-Cryptosign: its vectors, its channel bindings, and keys that are none."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gatekeeper.wamp.codecs import CBOR, Codec
from gatekeeper.wamp.methods import (
    Cryptosign,
    Principal,
)
from tests.wamp.authentication import CRYPTOSIGN, KEY, METHODS, PRINCIPALS, Door, assert_denied, every_codec, identity
from tests.wamp.proofs import cryptosign_signature, pubkey_of

# (channel ID, private key, challenge, signature): the specification's own test vectors.
_FF = "ff" * 32
_CHANNEL = "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff"
_KEYS = (
    "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
    "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
    "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
)
_CHALLENGES = (
    _FF,
    "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
    "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
)
VECTORS = [
    (
        None,
        _KEYS[0],
        _CHALLENGES[0],
        "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0c"
        "ae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03" + _FF,
    ),
    (
        None,
        _KEYS[1],
        _CHALLENGES[1],
        "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372"
        "190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660f" + _CHALLENGES[1],
    ),
    (
        None,
        _KEYS[2],
        _CHALLENGES[2],
        "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1e"
        "c184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30b" + _CHALLENGES[2],
    ),
    (
        _CHANNEL,
        _KEYS[0],
        _CHALLENGES[0],
        "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3"
        "e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f"
        "9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00",
    ),
    (
        _CHANNEL,
        _KEYS[1],
        _CHALLENGES[1],
        "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a42"
        "7c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01"
        "d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282",
    ),
    (
        _CHANNEL,
        _KEYS[2],
        _CHALLENGES[2],
        "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4"
        "d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608"
        "d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d",
    ),
]


@pytest.mark.spec(CRYPTOSIGN, "the test vectors of the specification")
@pytest.mark.parametrize(("channel", "key", "challenge", "signature"), VECTORS)
def test_the_specifications_vectors(channel: str | None, key: str, challenge: str, signature: str) -> None:
    from gatekeeper.wamp.methods.cryptosign import _Asked, xor

    pubkey = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)).public_key().public_bytes_raw()
    message = xor(bytes.fromhex(challenge), bytes.fromhex(channel) if channel else bytes(32))
    asked = _Asked(Principal("joe", "user"), pubkey, message)
    assert METHODS["cryptosign"].authenticate(asked, signature, {}).identity.authid == "joe"


@pytest.mark.spec(CRYPTOSIGN, "the client signs the challenge and returns signature and message")
@pytest.mark.parametrize("authid", [None, "joe"])
@every_codec
def test_the_right_key(codec: Codec, authid: str | None) -> None:
    door = Door(METHODS["cryptosign"], codec)
    code, method, extra = door.hello("cryptosign", authid=authid, pubkey=pubkey_of(KEY))
    assert (code, method, extra["channel_binding"], len(extra["challenge"])) == (4, "cryptosign", None, 64)
    assert identity(door.prove(cryptosign_signature(KEY, extra))) == ("joe", "user", "cryptosign", "static")


def test_the_right_key_under_another_name() -> None:
    door = Door(METHODS["cryptosign"])
    extra = door.hello("cryptosign", authid="admin", pubkey=pubkey_of(KEY))[2]
    assert_denied(door.prove(cryptosign_signature(KEY, extra)))


@pytest.mark.spec(CRYPTOSIGN, "TLS channel binding: the message is the challenge XORed with the channel ID")
@pytest.mark.parametrize(
    ("binding", "channel"),
    [("tls-unique", hashlib.sha256(b"finished").digest()), ("tls-exporter", bytes(range(32)))],
)
@pytest.mark.parametrize("is_same", [True, False])
def test_a_key_bound_to_a_channel(binding: str, channel: bytes, is_same: bool) -> None:
    door = Door(METHODS["cryptosign"]).bind(tls_unique=b"finished", tls_exporter=bytes(range(32)))
    extra = door.hello("cryptosign", pubkey=pubkey_of(KEY), channel_binding=binding)[2]
    assert extra["channel_binding"] == binding
    answer = door.prove(cryptosign_signature(KEY, extra, channel if is_same else bytes(32)))
    if is_same:
        assert identity(answer)[0] == "joe"
    else:
        assert_denied(answer)


@pytest.mark.parametrize("binding", ["tls-unique", "tls-exporter", "tls-server-end-point", "", 5, {}, []])
def test_a_channel_that_is_not_to_be_had(binding: Any) -> None:
    answer = Door(METHODS["cryptosign"]).hello("cryptosign", pubkey=pubkey_of(KEY), channel_binding=binding)
    assert answer[::2] == [3, "wamp.error.authentication_failed"]


@pytest.mark.parametrize("pubkey", [None, "", "00", 5, "g" * 64, "é" * 64, " " * 64, "0" * 66, b"\0" * 32])
def test_a_public_key_that_is_none(pubkey: Any) -> None:
    answer = Door(METHODS["cryptosign"], CBOR).hello("cryptosign", pubkey=pubkey)
    assert answer[::2] == [3, "wamp.error.authentication_failed"]


@pytest.mark.spec(CRYPTOSIGN, "Router Authentication: the router signs the client's challenge")
def test_the_router_proves_itself() -> None:
    own = Ed25519PrivateKey.generate()
    door = Door(Cryptosign(PRINCIPALS, own)).bind(tls_exporter=bytes(range(32)))
    challenge = bytes(range(100, 132))
    extra = door.hello("cryptosign", pubkey=pubkey_of(KEY), challenge=challenge.hex(), channel_binding="tls-exporter")[
        2
    ]
    signed = bytes.fromhex(extra["signature"])
    assert signed[64:] == bytes(a ^ b for a, b in zip(challenge, range(32), strict=True))
    assert extra["pubkey"] == pubkey_of(own)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(extra["pubkey"])).verify(signed[:64], signed[64:])
    assert "signature" not in Door(Cryptosign(PRINCIPALS, own)).hello("cryptosign", pubkey=pubkey_of(KEY))[2]

"""A client before a router with one authenticator, and the principals whom its methods know."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.wamp.codecs import JSON, Codec
from gatekeeper.wamp.methods import (
    Cryptosign,
    Listed,
    Principal,
    Scram,
    Ticket,
    WampCra,
    cra_credential,
    scram_credential,
    ticket_credential,
)
from gatekeeper.wamp.methods.wampcra import CraCredential
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import EVERY_CODEC, ROLES, Client
from tests.wamp.proofs import pubkey_of

every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
TICKET, CRA, SCRAM = "Ticket-based Authentication", "Challenge Response Authentication", "WAMP-SCRAM"
CRYPTOSIGN = "Cryptosign-based Authentication"

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PBKDF2 = scram_credential("pencil", "pbkdf2", iterations=10)
SALTED = cra_credential("secret", iterations=10)
PRINCIPALS = Listed(
    {
        "ticket": {"joe": Principal("joe", "user", ticket_credential("secret"))},
        "wampcra": {
            "joe": Principal("joe", "user", SALTED),
            "jim": Principal("jim", "user", CraCredential(b"secret")),
        },
        "wamp-scram": {"joe": Principal("joe", "user", PBKDF2), "a,b=c": Principal("a,b=c", "user", PBKDF2)},
        "cryptosign": {pubkey_of(KEY): Principal("joe", "user")},
    }
)
DECOY = replace(PBKDF2, salt=b"", stored_key=b"", server_key=b"")
METHODS: dict[str, Any] = {
    "ticket": Ticket(PRINCIPALS),
    "wampcra": WampCra(PRINCIPALS, decoy=replace(SALTED, salt="")),
    "wamp-scram": Scram(PRINCIPALS, decoy=DECOY),
    "cryptosign": Cryptosign(PRINCIPALS),
}


class Door:
    """A client before a router with one authenticator."""

    def __init__(self, authenticator: Any, codec: Codec = JSON) -> None:
        self.router = Router("realm", authenticator)
        self.client = Client(self.router, codec)

    def hello(self, *methods: str, authid: str | None = None, **authextra: Any) -> list[Any]:
        details = {**ROLES, "authmethods": list(methods), "authextra": authextra}
        if authid is not None:
            details["authid"] = authid
        return self.say(1, "realm", details)

    def prove(self, signature: str, extra: dict[str, Any] | None = None) -> list[Any]:
        return self.say(5, signature, extra or {})

    def say(self, *message: Any) -> list[Any]:
        if self.client.codec is JSON:  # its escapes can say what UTF-8 can't
            self.client.session.received(json.dumps(message).encode(), False)
            (answer,) = self.client.take()
        else:
            (answer,) = self.client.say(*message)
        return answer

    def bind(self, **channels: bytes) -> "Door":
        given = {name.replace("_", "-"): data for name, data in channels.items()}
        self.client.session.peer = replace(self.client.session.peer, channel=given.get)
        return self


def assert_denied(answer: list[Any]) -> None:
    assert answer == [3, {"message": "wrong name or proof"}, "wamp.error.authentication_failed"]


def identity(welcome: list[Any]) -> tuple[Any, ...]:
    assert welcome[0] == 2, welcome
    return tuple(welcome[2][key] for key in ("authid", "authrole", "authmethod", "authprovider"))

"""Several methods in one authenticator, and stores that answer later."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from gatekeeper.wamp.methods import (
    Anonymous,
    AutobahnScram,
    Chooser,
    Cryptosign,
    Listed,
    Principal,
    Scram,
    ScramCredential,
    Ticket,
    WampCra,
)
from gatekeeper.wamp.router import Router
from tests.wamp.authentication import METHODS, PRINCIPALS, Door, assert_denied, identity
from tests.wamp.helpers import ROLES, Client
from tests.wamp.proofs import cra_signature


class Store:
    """Finds what a list has, later: as a Deferred, or as a coroutine."""

    def __init__(self, how: str) -> None:
        self.how = how

    def find(self, method: str, name: str) -> Any:
        found = PRINCIPALS.find(method, name)
        return succeed(found) if self.how == "deferred" else self.later(found)

    async def later(self, found: Any) -> Any:
        return found


@pytest.mark.parametrize("how", ["deferred", "coroutine"])
def test_a_store_may_answer_later(how: str) -> None:
    store = Store(how)
    door = Door(Chooser([Ticket(store), WampCra(store), Scram(store), Cryptosign(store)]))
    assert door.hello("ticket", authid="joe") == [4, "ticket", {}]
    assert door.prove("secret")[0] == 2


def test_a_store_that_fails_lets_nobody_in() -> None:
    failed: asyncio.Future[Any] | Deferred[Any] = Deferred()
    errors: list[tuple[str, BaseException]] = []

    class Broken:
        def find(self, method: str, name: str) -> Any:
            return failed

    router = Router("realm", Ticket(Broken()), report=lambda where, error: errors.append((where, error)))
    client = Client(router)
    assert client.say(1, "realm", {**ROLES, "authmethods": ["ticket"], "authid": "joe"}) == []
    assert isinstance(failed, Deferred)
    failed.errback(OSError("no database"))
    assert client.take()[0][::2] == [3, "wamp.error.authentication_failed"]
    assert [where for where, _ in errors] == ["authenticator"]


CHOOSER = Chooser([*METHODS.values(), Anonymous()])


@pytest.mark.spec("Authentication Methods", "the first of the client's methods that the router offers is taken")
@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["ticket", "wampcra"], "ticket"),
        (["wampcra", "ticket"], "wampcra"),
        (["unheard", "wampcra"], "wampcra"),
        (["cryptosign", "ticket"], "ticket"),  # no public key: the router skips forward
        (["wamp-scram", "wampcra"], "wampcra"),  # no nonce
    ],
)
def test_which_method_is_taken(offered: list[str], taken: str) -> None:
    assert Door(CHOOSER).hello(*offered, authid="joe")[1] == taken


def test_the_proof_goes_to_the_method_that_asked() -> None:
    door = Door(CHOOSER)
    extra = door.hello("unheard", "wampcra", "ticket", authid="joe")[2]
    assert identity(door.prove(cra_signature("secret", extra))) == ("joe", "user", "wampcra", "static")
    door = Door(CHOOSER)
    door.hello("wampcra", authid="joe")
    assert_denied(door.prove("secret"))


def test_who_offers_nothing_that_is_offered_here() -> None:
    answer = Door(CHOOSER).hello("unheard")
    assert answer[::2] == [3, "wamp.error.no_matching_auth_method"]
    assert "cryptosign" in answer[1]["message"]


def test_autobahns_dialect_of_scram_is_a_method_of_its_own() -> None:
    assert AutobahnScram(PRINCIPALS).name == "scram"
    credential = ScramCredential("argon2id-13", b"salt", 1, 8, bytes(32), bytes(32))
    door = Door(AutobahnScram(Listed({"scram": {"joe": Principal("joe", "user", credential)}})))
    code, method, extra = door.hello("scram", authid="joe", nonce="AAAA")
    assert (code, method, sorted(extra)) == (4, "scram", ["iterations", "kdf", "memory", "nonce", "salt"])
    assert_denied(door.prove(b64encode(bytes(32)).decode()))

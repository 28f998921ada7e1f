"""Logging in by WAMP, as clients see it: what each method takes, what it says to whom, and that it ends."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret_raw

from gatekeeper import uris
from gatekeeper.access.guard import Somebody
from gatekeeper.access.records import Grant
from gatekeeper.access.throttle import FREE
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.router import Router
from tests.access.house import HERE, LAN, PASSWORD, ROOT, TOKEN, House, run
from tests.access.people import result
from tests.wamp.helpers import ROLES, Client
from tests.wamp.proofs import ScramClient, cra_signature

FAILED = "wamp.error.authentication_failed"
OWN = {"host": "gate.local:8000", "origin": "http://gate.local:8000"}
WRONG = "not the password of anybody"


class Draft(ScramClient):
    """The client's half of SCRAM as Autobahn|Python speaks it."""

    def salted(self, extra: dict[str, Any]) -> bytes:
        assert extra["kdf"] == "argon2id-13"
        raw = hash_secret_raw(
            self.password.encode(), b64decode(extra["salt"]), extra["iterations"], extra["memory"], 1, 32, Type.ID, 19
        )
        return b64encode(raw).rstrip(b"=")

    def answer(self, extra: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        message = (
            f"n={self.authid},r={self.nonce},r={extra['nonce']},s={extra['salt']},i={extra['iterations']},"
            f"c=,r={extra['nonce']}"
        ).encode()
        salted = self.salted(extra)
        key = hmac.new(salted, b"Client Key", "sha256").digest()
        signature = hmac.new(hashlib.sha256(key).digest(), message, "sha256").digest()
        server_key = hmac.new(salted, b"Server Key", "sha256").digest()
        self.verifier = b64encode(hmac.new(server_key, message, "sha256").digest()).decode()
        return b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode(), {}


class Gate:
    """A router with our log-in, and a house full of people."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.errors: list[BaseException] = []
        self.router = Router("realm", house.wamp, house.guard, report=lambda where, error: self.errors.append(error))

    def client(
        self, address: str = HERE.address, headers: dict[str, str] | None = None, *, secure: bool = False
    ) -> Client:
        client = Client(self.router, address=address, headers=headers)
        client.session.peer = replace(client.session.peer, secure=secure)
        return client

    def ask(
        self, client: Client, *methods: str, authid: str | None = None, extra: dict[str, Any] | None = None
    ) -> list[Any]:
        details = {**ROLES, "authmethods": list(methods), "authextra": extra or {}}
        if authid is not None:
            details["authid"] = authid
        [answer] = client.say(1, "realm", details)
        return list(answer)

    def ticket(self, authid: str | None, secret: str, address: str = HERE.address, *, secure: bool = False) -> Any:
        """Return the answer to a ticket, and the session's identity."""
        client = self.client(address, secure=secure)
        assert self.ask(client, "ticket", authid=authid)[:2] == [4, "ticket"]
        [answer] = client.say(5, secret, {})
        return answer, client

    def cra(self, authid: str, secret: str, address: str = HERE.address) -> list[Any]:
        client = self.client(address)
        challenge = self.ask(client, "wampcra", authid=authid)
        [answer] = client.say(5, cra_signature(secret, challenge[2]), {})
        return list(answer)

    def scram(self, authid: str, secret: str, address: str = HERE.address, *, draft: bool = False) -> list[Any]:
        """Return the answer to a proof by SCRAM; the server's own proof is checked on the way."""
        client = self.client(address)
        mine = (Draft if draft else ScramClient)(authid, secret)
        challenge = self.ask(client, "scram" if draft else "wamp-scram", authid=authid, extra={"nonce": mine.nonce})
        [answer] = client.say(5, *mine.answer(challenge[2]))
        if answer[0] == 2:
            said = answer[2]["authextra"]
            assert said == {"scram_server_signature" if draft else "verifier": mine.verifier}
        return list(answer)


@pytest.fixture
def gate() -> Gate:
    house = House()
    house.add("boss", "owner")
    house.add("ana", "operator", PASSWORD, Grant("door", "front"))
    return Gate(house)


def who(answer: Any) -> tuple[str, str, str]:
    assert answer[0] == 2, answer
    return answer[2]["authid"], answer[2]["authrole"], answer[2]["authmethod"]


def principal(gate: Gate, client: Client) -> Any:
    identity = client.session.identity
    assert isinstance(identity, Somebody)
    return gate.house.guard.principal_of(identity)


# --- tickets ---


def test_a_password_a_token_a_key_and_the_admin_token_are_tickets(gate: Gate) -> None:
    token, key = run(gate.house.logins.token("ana", PASSWORD, HERE)).token, gate.house.key("ana")
    for secret, method in ((PASSWORD, "password"), (token, "token"), (key, "key")):
        answer, client = gate.ticket("ana", secret)
        assert who(answer) == ("ana", "operator", "ticket")
        found = principal(gate, client)
        assert (found.name, found.caller.method, found.caller.client) == ("ana", method, "wamp")
        assert found.caller.session is not None or method == "key"
    answer, client = gate.ticket("admin", TOKEN)
    assert who(answer) == ("admin", "owner", "ticket")
    assert principal(gate, client).key == "configured"


def test_without_an_authid_the_key_or_token_says_who_it_is(gate: Gate) -> None:
    token = run(gate.house.logins.token("ana", PASSWORD, HERE)).token
    assert who(gate.ticket(None, TOKEN)[0]) == ("admin", "owner", "ticket")
    assert who(gate.ticket(None, gate.house.key("ana"))[0]) == ("ana", "operator", "ticket")
    assert who(gate.ticket(None, token)[0]) == ("ana", "operator", "ticket")
    assert gate.ticket(None, PASSWORD)[0][2] == FAILED


@pytest.mark.parametrize("authid", ["boss", "nobody-here", "", "ANA", "admin"])
def test_nobody_comes_in_under_anothers_name(gate: Gate, authid: str) -> None:
    for secret in (gate.house.key("ana"), run(gate.house.logins.token("ana", PASSWORD, HERE)).token):
        assert gate.ticket(authid, secret)[0][2] == FAILED
    if authid != "admin":
        assert gate.ticket(authid, TOKEN)[0][2] == FAILED


@pytest.mark.parametrize("secret", ["", WRONG, "gk_0_x", "a.b.c", "\udcff", "x" * 5000])
def test_what_is_wrong_is_refused_alike_for_names_that_somebody_has_and_others(gate: Gate, secret: str) -> None:
    said = []
    for name in ("ana", "nobody-here"):
        client = gate.client()
        gate.ask(client, "ticket", authid=name)
        client.session.received(json.dumps([5, secret, {}]).encode(), False)
        [answer] = client.take()
        said.append(answer)
    assert said[0] == said[1]
    assert said[0][0] == 3
    assert said[0][2] == FAILED
    assert gate.errors == []


def test_wrong_passwords_are_delayed_with_a_clear_answer_and_by_the_same_count_as_over_http(gate: Gate) -> None:
    far = "192.0.2.7"
    for _ in range(FREE + 1):
        assert gate.ticket("ana", WRONG, far, secure=True)[0][2] == FAILED
    answer, _ = gate.ticket("ana", PASSWORD, far, secure=True)
    assert answer[:1] + answer[2:] == [3, "gatekeeper.error.too_many_attempts"]
    assert "wait 1 s" in answer[1]["message"]
    with pytest.raises(Exception, match="too many wrong attempts"):
        run(gate.house.logins.by_password("ana", PASSWORD, replace(HERE, address=far, secure=True)))
    assert who(gate.ticket("ana", PASSWORD)[0])[0] == "ana", "at the machine it isn't"
    assert who(gate.ticket("ana", gate.house.key("ana"), far)[0])[0] == "ana", "nor is a key"


def test_a_password_over_plain_websocket_from_elsewhere_is_refused_with_a_clear_answer(gate: Gate) -> None:
    answer, _ = gate.ticket("ana", PASSWORD, LAN.address)
    assert answer[2] == "gatekeeper.error.insecure"
    assert "https" in answer[1]["message"]
    assert who(gate.ticket("ana", PASSWORD, LAN.address, secure=True)[0])[0] == "ana"
    for secret in (gate.house.key("ana"), TOKEN):
        assert gate.ticket(None, secret, LAN.address)[0][0] == 2, "devices on the LAN have nothing else"


# --- proofs ---


def test_a_proof_of_the_password_comes_in_also_over_plain_websocket(gate: Gate) -> None:
    for address in (HERE.address, LAN.address):
        assert who(gate.cra("ana", PASSWORD, address)) == ("ana", "operator", "wampcra")
        assert who(gate.scram("ana", PASSWORD, address)) == ("ana", "operator", "wamp-scram")
        assert who(gate.scram("ana", PASSWORD, address, draft=True)) == ("ana", "operator", "scram")
    told = [(kind, caller.method) for (kind, _, _), caller in zip(gate.house.told, gate.house.callers, strict=True)]
    assert told == 2 * [("access.login", "wampcra"), ("access.login", "scram"), ("access.login", "scram")]


def test_a_wrong_proof_does_not(gate: Gate) -> None:
    for name in ("ana", "nobody-here"):
        gate.house.now += 3600
        answers = [gate.cra(name, WRONG), gate.scram(name, WRONG), gate.scram(name, WRONG, draft=True)]
        assert answers == 3 * [answers[0]]
        assert answers[0][2] == FAILED


def test_wrong_proofs_and_wrong_passwords_are_one_count(gate: Gate) -> None:
    far = "192.0.2.7"
    gate.cra("ana", WRONG, far)
    gate.scram("ana", WRONG, far)
    gate.scram("ana", WRONG, far, draft=True)
    gate.ticket("ana", WRONG, far, secure=True)
    gate.cra("ana", WRONG, far)
    for answer in (gate.cra("ana", PASSWORD, far), gate.scram("ana", PASSWORD, far)):
        assert answer[2] == "gatekeeper.error.too_many_attempts"
    gate.house.now += 1
    assert who(gate.cra("ana", PASSWORD, far))[0] == "ana"


def test_right_proofs_are_never_too_many_and_forget_the_wrong_ones(gate: Gate) -> None:
    far = "192.0.2.7"
    for _ in range(FREE):
        gate.cra("ana", WRONG, "192.0.2.8")
    for _ in range(FREE + 5):
        assert who(gate.cra("ana", PASSWORD, far))[0] == "ana"
    for _ in range(FREE):
        assert gate.cra("ana", WRONG, "192.0.2.9")[2] == FAILED


@pytest.mark.parametrize("method", ["wampcra", "wamp-scram", "scram"])
def test_a_challenge_does_not_tell_whether_somebody_has_the_name(gate: Gate, method: str) -> None:
    """Same fields, same parameters, same lengths; the same salt again at the next time, and after a restart."""

    def challenge(house: House, name: str) -> dict[str, Any]:
        mine = ScramClient(name, WRONG)
        at = Gate(house)
        answer = at.ask(at.client(), method, authid=name, extra={"nonce": mine.nonce})
        assert answer[:2] == [4, method]
        assert isinstance(answer[2], dict)
        return answer[2]

    def fixed(extra: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in extra.items() if key not in ("challenge", "nonce", "salt")}

    restarted = House(gate.house.database)
    for name in ("ana", "boss", "nobody-here"):
        here, again, later = (challenge(house, name) for house in (gate.house, gate.house, restarted))
        assert here["salt"] == again["salt"] == later["salt"]
        assert fixed(here) == fixed(challenge(gate.house, "ana"))
        assert len(here["salt"]) == len(challenge(gate.house, "ana")["salt"])
        if method == "wampcra":
            said = json.loads(here["challenge"])
            assert said["authrole"] == "account", "not whether it is an owner"
            assert said["authid"] == name
    assert challenge(gate.house, "ana")["salt"] != challenge(gate.house, "nobody-here")["salt"]


def test_somebody_without_a_password_or_shut_out_is_like_nobody(gate: Gate) -> None:
    gate.house.add("silent", "viewer", None)
    result(gate.house.accounts.set_disabled("ana", True, caller=ROOT))
    for name in ("silent", "ana"):
        gate.house.now += 3600
        assert gate.house.wamp.find("wampcra", name) is None
        assert gate.cra(name, PASSWORD)[2] == FAILED
        assert gate.scram(name, PASSWORD)[2] == FAILED
        assert gate.ticket(name, PASSWORD)[0][2] == FAILED


@pytest.mark.parametrize("method", ["wampcra", "wamp-scram"])
def test_a_password_that_is_changed_during_the_handshake_opens_nothing_any_more(gate: Gate, method: str) -> None:
    client, mine = gate.client(), ScramClient("ana", PASSWORD)
    extra = gate.ask(client, method, authid="ana", extra={"nonce": mine.nonce})[2]
    kept = result(gate.house.passwords.make("ana", "another good password"))
    result(gate.house.accounts.set_credentials("ana", kept, caller=ROOT))
    proof = mine.answer(extra) if method == "wamp-scram" else (cra_signature(PASSWORD, extra), {})
    assert client.say(5, *proof)[0][2] == FAILED


@pytest.mark.parametrize("name", ["\uff41\uff4e\uff41", "ana\u00ad", "ANA", "ana "])
def test_a_name_that_only_looks_like_one_is_none(gate: Gate, name: str) -> None:
    assert gate.scram(name, PASSWORD)[2] == FAILED
    assert gate.cra(name, PASSWORD)[2] == FAILED


def test_scram_without_a_nonce_and_proofs_without_a_name_are_refused(gate: Gate) -> None:
    for methods, extra in ((["wamp-scram"], {}), (["scram"], {}), (["wamp-scram"], {"nonce": "!"})):
        assert gate.ask(gate.client(), *methods, authid="ana", extra=extra)[0] == 3
    for method in ("wampcra", "wamp-scram"):
        assert gate.ask(gate.client(), method, extra={"nonce": "AAAA"})[0] == 3
    assert gate.ask(gate.client(), "wampcra", "ticket")[:2] == [4, "ticket"], "but another method may suit"


# --- cookies ---


def test_a_browser_of_our_pages_comes_in_by_its_cookie(gate: Gate) -> None:
    cookie = f"gatekeeper={gate.house.cookie('ana')}"
    assert who(gate.ask(gate.client(headers={"cookie": cookie, **OWN}), "cookie")) == ("ana", "operator", "cookie")
    assert gate.ask(gate.client(headers={"cookie": cookie, **OWN}), "ticket")[:2] == [4, "ticket"]
    assert gate.ask(gate.client(headers={"cookie": cookie, **OWN, "origin": "http://evil.example"}), "cookie")[0] == 3
    assert gate.ask(gate.client(LAN.address, {"cookie": cookie, **OWN}), "cookie")[0] == 3
    secure = {**OWN, "origin": "https://gate.local:8000", "cookie": f"__Host-{cookie}"}
    assert who(gate.ask(gate.client(LAN.address, secure, secure=True), "cookie"))[0] == "ana"
    assert gate.ask(gate.client(headers={"cookie": cookie, **OWN}), "cookie", authid="boss")[0] == 3


def test_a_browser_that_is_logged_out_is_told_so_or_asked_for_something_else(gate: Gate) -> None:
    stale = {"cookie": "gatekeeper=stale", **OWN}
    refused = gate.ask(gate.client(headers=stale), "cookie")
    assert "not logged in any more" in refused[1]["message"]
    assert gate.ask(gate.client(headers=stale), "cookie", "ticket")[:2] == [4, "ticket"]


def test_a_browser_that_came_by_the_link_chooses_a_password_first(gate: Gate) -> None:
    code = gate.house.links.new("boss", "owner")
    cookie = f"gatekeeper={run(gate.house.logins.by_link(code, HERE)).cookie}"
    refused = gate.ask(gate.client(headers={"cookie": cookie, **OWN}), "cookie")
    assert refused[0] == 3
    assert "choose a password" in refused[1]["message"]


# --- methods that there aren't ---


def test_who_offers_no_method_that_we_know_is_told_which_there_are(gate: Gate) -> None:
    for methods in ((), ("anonymous",), ("cryptosign", "x"), ("cookie",)):
        answer = gate.ask(gate.client(), *methods, authid="ana")
        assert answer[0] == 3
        assert answer[2] == "wamp.error.no_matching_auth_method"
        assert "ticket" in answer[1]["message"]


# --- afterwards ---


def call(client: Client, procedure: str) -> list[Any]:
    [answer] = client.say(48, 1, {}, procedure)
    return list(answer)


def test_what_is_revoked_ends_at_the_next_call_of_a_session_that_goes_on(gate: Gate) -> None:
    server = LocalSession(gate.router, Identity("gatekeeper", TRUSTED, "local"))
    server.register(lambda: "opened", uris.CALL_DOOR_OPEN.template)
    login = run(gate.house.logins.token("ana", PASSWORD, HERE))
    by_token = gate.ticket("ana", login.token)[1]
    key = gate.house.key("ana")
    by_key = gate.ticket("ana", key)[1]
    by_password = gate.ticket("ana", PASSWORD)[1]
    for client in (by_token, by_key, by_password):
        assert call(client, uris.CALL_DOOR_OPEN.template)[0] == 50
    run(gate.house.logins.out(login.principal))
    assert call(by_token, uris.CALL_DOOR_OPEN.template)[4] == "wamp.error.not_authorized"
    result(gate.house.accounts.revoke_key(key.split("_")[1], caller=ROOT))
    assert call(by_key, uris.CALL_DOOR_OPEN.template)[4] == "wamp.error.not_authorized"
    assert call(by_password, uris.CALL_DOOR_OPEN.template)[0] == 50
    result(gate.house.accounts.revoke_grant("ana", Grant("door", "front"), caller=ROOT))
    assert call(by_password, uris.CALL_DOOR_OPEN.template)[4] == "wamp.error.not_authorized"


def test_two_of_one_role_with_different_grants_are_not_taken_for_each_other(gate: Gate) -> None:
    gate.house.add("ben", "operator", PASSWORD, Grant("door", "back"))
    topics = [uris.TOPIC_DOOR_STATE.format(door=door) for door in ("front", "back")]
    allowed = {"ana": [True, False], "ben": [False, True]}
    for name in ("ana", "ben", "ana"):
        client = gate.ticket(name, PASSWORD)[1]
        answers = [client.say(32, number, {}, topic)[0][0] == 33 for number, topic in enumerate(topics, 1)]
        assert answers == allowed[name]


def test_no_secret_stands_in_what_the_record_is_told(gate: Gate) -> None:
    key = gate.house.key("ana")
    gate.ticket("ana", key)
    gate.ticket("ana", PASSWORD)
    gate.ticket("ana", WRONG)
    gate.ticket(PASSWORD, WRONG)
    gate.cra("ana", WRONG)
    told = repr((gate.house.told, gate.house.texts, gate.house.callers))
    assert "access.login" in told
    for secret in (PASSWORD, WRONG, key.split("_", 2)[2]):
        assert secret not in told

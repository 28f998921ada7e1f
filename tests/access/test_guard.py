"""Who is let in, and what each may: by header, by cookie, by ticket, and by name."""

from pathlib import Path
from typing import Literal, get_args

import pytest

from gatekeeper import uris
from gatekeeper.access.guard import Guard, cookie_of, is_own_origin
from gatekeeper.access.principal import Principal, check
from gatekeeper.access.tokens import COOKIE_LIFE, Tokens
from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import Permission
from gatekeeper.wamp.auth import Accept, Action, Challenge, Deny, Identity, Peer

TOKEN = "correct-horse-battery-staple"
ADMIN = Identity("admin", "admin", "ticket")
NOBODY = Identity("ana", "visitor", "ticket")
Match = Literal["exact", "prefix", "wildcard"]


class Gate:
    """A guard, what it guards with, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.tokens = Tokens(folder, TOKEN, lambda: self.now)
        self.guard = Guard(self.tokens)

    def identify(self, **headers: str) -> Principal | None:
        return self.guard.identify(headers, "192.168.137.2")

    def hello(self, methods: tuple[str, ...], authid: str | None = None, **headers: str) -> Accept | Challenge | Deny:
        return self.guard.hello("gatekeeper", methods, authid, {}, Peer("192.168.137.2", headers))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


# --- HTTP ---


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_as_bearer_is_the_administrator(gate: Gate, scheme: str) -> None:
    assert gate.identify(authorization=f"{scheme} {TOKEN}") == Principal("admin", "admin", "192.168.137.2")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} x"])
def test_any_other_authorization_is_nobody(gate: Gate, header: str) -> None:
    assert gate.identify(authorization=header) is None


def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(gate: Gate) -> None:
    cookie = f"gatekeeper={gate.tokens.new_cookie()}"
    assert gate.identify(cookie=cookie) is not None
    assert gate.identify(cookie=cookie, authorization="Bearer wrong") is None


def test_a_cookie_is_somebody_until_it_ends(gate: Gate) -> None:
    cookie = f"gatekeeper={gate.tokens.new_cookie()}"
    gate.now += COOKIE_LIFE
    assert gate.identify(cookie=cookie) is None
    assert gate.identify(cookie="gatekeeper=") is None
    assert gate.identify() is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("gatekeeper=abc", "abc"),
        (" a=b;gatekeeper=abc ;c=d", "abc"),
        ('prefs={"dark":1}; gatekeeper=abc', "abc"),  # of another program on the same host
        ("odd[]=1; gatekeeper=abc", "abc"),
        ("gatekeeper=", ""),
        ("", None),
        ("gatekeeperx=abc; xgatekeeper=abc", None),
    ],
)
def test_our_cookie_is_found_among_others(header: str, value: str | None) -> None:
    assert cookie_of({"cookie": header}) == value


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        (None, True),
        ("http://gate.local:8000", True),
        ("https://GATE.local:8000", True),
        ("http://gate.local", False),
        ("http://gate.local:8000.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[", False),
    ],
)
def test_only_our_own_pages_and_what_is_no_page_are_of_our_origin(origin: str | None, own: bool) -> None:
    headers = {"host": "gate.local:8000", **({} if origin is None else {"origin": origin})}
    assert is_own_origin(headers) is own


def test_without_a_host_no_page_is_ours() -> None:
    assert not is_own_origin({"origin": "http://gate.local"})
    assert not is_own_origin({"origin": "null", "host": ""})


# --- WAMP ---


def test_a_browser_of_our_pages_is_let_in_by_its_cookie(gate: Gate) -> None:
    cookie = f"gatekeeper={gate.tokens.new_cookie()}"
    own = {"cookie": cookie, "host": "gate.local:8000", "origin": "http://gate.local:8000"}
    assert gate.hello(("cookie",), **own) == Accept(Identity("admin", "admin", "cookie"))
    assert isinstance(gate.hello(("cookie",), **{**own, "origin": "http://evil.example"}), Deny)
    assert isinstance(gate.hello(("ticket", "cookie"), **{**own, "origin": "http://evil.example"}), Challenge)
    assert isinstance(gate.hello(("ticket",), **own), Challenge)
    assert isinstance(gate.hello(("anonymous",), **own), Deny)


def test_a_browser_whose_cookie_ended_is_asked_for_the_token_or_told(gate: Gate) -> None:
    stale = {"cookie": "gatekeeper=stale", "host": "gate.local", "origin": "http://gate.local"}
    refused = gate.hello(("cookie",), **stale)
    assert isinstance(refused, Deny)
    assert "not logged in any more" in refused.message
    assert isinstance(gate.hello(("cookie", "ticket"), **stale), Challenge)


@pytest.mark.parametrize(
    ("authid", "ticket", "good"),
    [("admin", TOKEN, True), (None, TOKEN, True), ("root", TOKEN, False), ("admin", "", False), ("admin", "x", False)],
)
def test_a_script_is_let_in_by_the_token_as_ticket(gate: Gate, authid: str | None, ticket: str, good: bool) -> None:
    challenge = gate.hello(("ticket",), authid)
    assert isinstance(challenge, Challenge)
    assert challenge.method == "ticket"
    answer = gate.guard.authenticate(challenge.state, ticket, {})
    assert answer == Accept(ADMIN) if good else isinstance(answer, Deny)


def test_who_offers_no_method_that_we_know_is_refused(gate: Gate) -> None:
    for methods in ((), ("anonymous",), ("wampcra", "scram"), ("cookie",)):
        assert isinstance(gate.hello(methods), Deny)


# --- names: actions x URIs x match ---

PROCEDURES = [name.template for name in uris.PROCEDURES]
TOPICS = [name.format(camera="yard", door="front") for name in uris.TOPICS]
STRANGE = [
    "gatekeeper.", "gatekeeper.x", "gatekeeper.door", "gatekeeper.door.open.x", "gatekeeper.door.Open",
    "gatekeeper.door.open ", "gatekeeper.door..state", "gatekeeper.door.front.state.x", "gatekeeper.door.<door>.state",
    "gatekeeper.camera.yard.frames", "gatekeeper.error.busy", "gatekeeper.event.",
]  # fmt: skip
LOOKALIKES = ["gatekeeper", "gatekeeperx.foo", "Gatekeeper.door.open", "xgatekeeper.door.open", "my.gatekeeper.door"]


def test_what_is_called_and_subscribed_to_is_exactly_the_table(gate: Gate) -> None:
    for action in get_args(Action):
        for uri in (*PROCEDURES, *TOPICS, *STRANGE):
            allowed = (action == "call" and uri in PROCEDURES) or (action == "subscribe" and uri in TOPICS)
            assert gate.guard.allow(ADMIN, action, uri, "exact") is allowed, (action, uri)


def test_other_names_are_the_scripts_to_use(gate: Gate) -> None:
    for action in get_args(Action):
        for uri in (*LOOKALIKES, "com.example.bell"):
            assert gate.guard.allow(ADMIN, action, uri, "exact"), (action, uri)


def test_patterns_are_never_allowed(gate: Gate) -> None:
    for match in ("prefix", "wildcard", "", "EXACT"):
        for action in get_args(Action):
            for uri in (*PROCEDURES, *TOPICS, *STRANGE, *LOOKALIKES, "", "gate", "gatekeeper.door", "..state", "com"):
                assert not gate.guard.allow(ADMIN, action, uri, match), (match, action, uri)


def test_who_has_no_role_here_may_nothing(gate: Gate) -> None:
    for identity in (NOBODY, Identity("admin", "", "x"), Identity("admin", "trusted", "x")):
        for action in get_args(Action):
            for uri in (*PROCEDURES, *TOPICS, *STRANGE, *LOOKALIKES, "com.example.bell"):
                assert not gate.guard.allow(identity, action, uri, "exact"), (action, uri)


# --- permissions ---


@pytest.mark.parametrize("permission", list(Permission))
def test_nobody_passes_only_where_nobody_need_be_known(permission: Permission) -> None:
    check(Principal("admin", "admin"), permission)
    if permission is Permission.NONE:
        check(None, permission)
        check(Principal("ana", "visitor"), permission)
        return
    with pytest.raises(NotAuthenticated):
        check(None, permission)
    with pytest.raises(AccessDenied, match=f"^ana may not {permission}$"):
        check(Principal("ana", "visitor"), permission)

"""Who is known by what, what that is worth, and that it ends when it ends."""

from typing import Any

import pytest

from gatekeeper import uris
from gatekeeper.access.configured import Configured
from gatekeeper.access.guard import Channel, Somebody, cookie_of, is_over, is_own_origin
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Ended, Grant
from gatekeeper.access.sealing import Seal
from gatekeeper.errors import AccessDenied, ConfigurationError, NotAuthenticated
from gatekeeper.uris import Permission
from gatekeeper.wamp.auth import Identity
from tests.access.house import HERE, LAN, LIFE, PASSWORD, ROOT, TLS, TOKEN, House, run
from tests.access.people import result

FRONT = Grant("door", "front")


@pytest.fixture
def house() -> House:
    it = House()
    it.add("boss", "owner")
    it.add("ana", "operator", PASSWORD, FRONT)
    return it


def bearer(house: House, secret: str, address: str = "192.168.137.2") -> Principal | None:
    return house.identify(address, authorization=f"Bearer {secret}")


# --- the admin token ---


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_configured_token_is_the_owner_from_anywhere(house: House, scheme: str) -> None:
    found = house.identify("192.168.137.2", authorization=f"{scheme} {TOKEN}")
    assert found is not None
    assert (found.name, found.role, found.key, found.login) == ("admin", "owner", "configured", None)
    assert found.caller == LAN.caller("admin", "key", key="configured")
    assert found.permissions() == frozenset(Permission)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} x"])
def test_any_other_authorization_is_nobody(house: House, header: str) -> None:
    assert house.identify(authorization=header) is None


def test_without_a_token_in_the_configuration_none_is_the_owner() -> None:
    house = House(token=None)
    for guess in (TOKEN, "", "None"):
        assert bearer(house, guess) is None


@pytest.mark.parametrize("short", ["", "x", "x" * 19])
def test_a_token_that_could_be_guessed_is_refused_and_not_repeated(short: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configured(short, Seal(b"k" * 32))
    assert str(caught.value) == "access.admin_token: too short; at least 20 characters"


def test_only_the_token_fits() -> None:
    configured = Configured("x" * 20, Seal(b"k" * 32))
    assert configured.fits("x" * 20)
    for wrong in ("", "x" * 19, "x" * 21, "X" * 20, "\udcff", "ä" * 20):
        assert not configured.fits(wrong)


# --- API keys ---


def test_an_api_key_is_its_account_within_its_scope(house: House) -> None:
    key = house.key("ana", permissions=["door.view", "self"])
    found = bearer(house, key)
    assert found is not None
    assert (found.name, found.role, found.key) == ("ana", "operator", key.split("_")[1])
    assert found.may(Permission.DOOR_VIEW, "front")
    assert not found.may(Permission.DOOR_OPEN, "front")
    assert found.caller.key == found.key
    assert key.split("_", 2)[2] not in repr(found)  # a secret may have, or begin with, another _


def test_a_key_with_a_wrong_secret_or_id_is_nobody(house: House) -> None:
    _, number, secret = house.key("ana").split("_", 2)
    other = house.key("boss").split("_", 2)
    for wrong in (f"gk_{number}_{secret}x", f"gk_{number}_", f"gk_{number}_{other[2]}", f"gk_{'0' * 16}_{secret}"):
        assert bearer(house, wrong) is None
    assert bearer(house, f"gk_{number}_{secret}") is not None


def test_a_key_ends_when_it_is_revoked_runs_out_or_its_account_goes(house: House) -> None:
    revoked, ending, gone = house.key("ana"), house.key("ana", expires=house.now + 60), house.key("ana")
    result(house.accounts.revoke_key(revoked.split("_")[1], caller=ROOT))
    assert bearer(house, revoked) is None
    assert bearer(house, ending) is not None
    house.now += 60
    assert bearer(house, ending) is None
    result(house.accounts.set_disabled("ana", True, caller=ROOT))
    assert bearer(house, gone) is None


def test_the_use_of_a_key_is_noted(house: House) -> None:
    key = house.key("ana")
    bearer(house, key)
    held = house.accounts.key(key.split("_")[1])
    assert held is not None
    assert held.last_used == house.now


# --- tokens ---


def test_a_token_is_its_log_in_and_ends_with_it(house: House) -> None:
    given = run(house.logins.token("ana", PASSWORD, HERE))
    found = bearer(house, given.token)
    assert found is not None
    assert (found.name, found.role, found.login) == ("ana", "operator", given.principal.login)
    assert found.caller.method == "token"
    run(house.logins.out(found))
    assert bearer(house, given.token) is None


def test_a_token_runs_out(house: House) -> None:
    token = run(house.logins.token("ana", PASSWORD, HERE)).token
    house.now += 899
    assert bearer(house, token) is not None
    house.now += 1
    assert bearer(house, token) is None


def test_a_token_of_one_account_is_not_good_for_anothers_log_in(house: House) -> None:
    login = run(house.logins.token("ana", PASSWORD, HERE)).principal.login
    assert login is not None
    assert bearer(house, house.tokens.issue("boss", login, house.now)) is None
    assert bearer(house, house.tokens.issue("boss", "none", house.now)) is None
    assert bearer(house, house.tokens.issue("ana", login, house.now)) is not None


# --- cookies ---


def test_a_cookie_is_somebody_until_its_log_in_ends(house: House) -> None:
    cookie = house.cookie("ana")
    found = house.who(cookie)
    assert found is not None
    assert (found.name, found.caller.method, found.caller.session) == ("ana", "cookie", found.login)
    house.now += LIFE - 61
    assert house.who(cookie) is not None, "and its use puts off the end"
    house.now += LIFE - 61
    assert house.who(cookie) is not None
    house.now += LIFE
    assert house.who(cookie) is None
    assert house.who("") is None
    assert house.identify() is None


def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(house: House) -> None:
    cookie = f"gatekeeper={house.cookie('ana')}"
    assert house.identify(cookie=cookie) is not None
    assert house.identify(cookie=cookie, authorization="Bearer wrong") is None


def test_a_refresh_token_is_no_cookie_and_no_bearer(house: House) -> None:
    refresh = run(house.logins.token("ana", PASSWORD, HERE)).refresh
    assert house.who(refresh) is None
    assert bearer(house, refresh) is None
    assert bearer(house, house.cookie("ana")) is None


def test_cookies_are_taken_over_tls_and_here_and_elsewhere_only_if_configured() -> None:
    for plain in (False, True):
        house = House(plain=plain)
        house.add("ana")
        value = house.cookie("ana")
        header = f"gatekeeper={value}; __Host-gatekeeper={value}"
        assert (house.identify("192.168.137.2", cookie=header) is not None) is plain
        assert house.identify("192.168.137.2", secure=True, cookie=header) is not None
        for here in ("127.0.0.1", "::1", "unix"):
            assert house.identify(here, cookie=header) is not None


def test_over_tls_only_the_cookie_that_nobody_else_can_plant_counts(house: House) -> None:
    value = house.cookie("ana")
    assert house.identify("192.168.137.2", secure=True, cookie=f"gatekeeper={value}") is None
    assert house.identify("127.0.0.1", cookie=f"__Host-gatekeeper={value}") is None


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
        ("__Host-gatekeeper=abc", None),
    ],
)
def test_our_cookie_is_found_among_others(header: str, value: str | None) -> None:
    assert cookie_of({"cookie": header}) == value
    assert cookie_of({"cookie": header.replace("gatekeeper=", "__Host-gatekeeper=")}, secure=True) == (
        None if header.startswith("__Host") else value
    )


# --- what is behind a log-in ---


def test_a_browser_that_logged_in_by_a_key_may_what_the_key_may_and_no_longer(house: House) -> None:
    key = house.key("boss", permissions=["door.view", "self"], expires=house.now + 3600)
    cookie = run(house.logins.by_key(key, HERE)).cookie
    found = house.who(cookie)
    assert found is not None
    assert (found.name, found.key, found.caller.key) == ("boss", key.split("_")[1], key.split("_")[1])
    assert not found.may(Permission.ACCESS_ADMIN)
    assert found.may(Permission.DOOR_VIEW, "front")
    result(house.accounts.revoke_key(key.split("_")[1], caller=ROOT))
    assert house.who(cookie) is None


def test_a_browser_that_logged_in_by_the_admin_token_is_out_when_that_changes(house: House) -> None:
    cookie = run(house.logins.by_key(TOKEN, HERE)).cookie
    found = house.who(cookie)
    assert found is not None
    assert (found.name, found.role, found.key) == ("admin", "owner", "configured")
    assert found.login is not None
    for token in ("another-admin-token-x", None):
        assert House(house.database, token=token).who(cookie) is None
    assert House(house.database).who(cookie) is not None


# --- renewal ---


def identity(principal: Principal | None) -> Somebody:
    assert principal is not None
    return Somebody(principal.name, principal.role, "ticket", principal=principal)


def test_a_session_is_worth_what_its_account_is_now(house: House) -> None:
    sessions = [
        identity(bearer(house, house.key("ana"))),
        identity(run(house.logins.token("ana", PASSWORD, HERE)).principal),
        identity(house.accounts.principal("ana", caller=HERE.caller("ana", "password"))),
    ]
    for session in sessions:
        assert house.guard.principal_of(session).may(Permission.DOOR_OPEN, "front")
    result(house.accounts.revoke_grant("ana", FRONT, caller=ROOT))
    for session in sessions:
        assert not house.guard.principal_of(session).may(Permission.DOOR_OPEN, "front")
    result(house.accounts.set_role("ana", "viewer", caller=ROOT))
    for session in sessions:
        assert house.guard.principal_of(session).role == "viewer"
    result(house.accounts.set_disabled("ana", True, caller=ROOT))
    for session in sessions:
        with pytest.raises(NotAuthenticated):
            house.guard.principal_of(session)


def test_an_identity_that_is_not_ours_is_nobody(house: House) -> None:
    for strange in (Identity("boss", "owner", "ticket"), Somebody("boss", "owner", "ticket"), Identity("", "", "")):
        with pytest.raises(NotAuthenticated):
            house.guard.principal_of(strange)
        assert not house.guard.allow(strange, "call", "gatekeeper.door.open", "exact").allowed


def test_the_configured_owner_stays_whatever_accounts_there_are(house: House) -> None:
    session = identity(bearer(house, TOKEN))
    house.add("admin", "viewer")
    assert house.guard.principal_of(session).role == "owner"
    assert house.guard.allow(session, "call", "gatekeeper.access.users", "exact").allowed


def test_no_answer_to_the_router_is_kept_by_it(house: House) -> None:
    session = identity(bearer(house, TOKEN))
    for uri in ("gatekeeper.door.open", "gatekeeper.nothing"):
        assert house.guard.allow(session, "call", uri, "exact").cache is False


# --- what ended ends what ---


BY_LOGIN = Principal("ana", "operator", login="l1")
BY_KEY = Principal("ana", "operator", key="k1")
BY_BOTH = Principal("ana", "operator", key="k1", login="l1")
BY_NEITHER = Principal("ana", "operator")
OF_CONFIG = Principal("admin", "owner", key="configured")
OF_CONFIG_BROWSER = Principal("admin", "owner", key="configured", login="l9")


@pytest.mark.parametrize(
    ("ended", "over"),
    [
        (Ended("ana"), [BY_LOGIN, BY_KEY, BY_BOTH, BY_NEITHER]),
        (Ended("ana", login="l1"), [BY_LOGIN, BY_BOTH]),
        (Ended("ana", login="l2"), []),
        (Ended("ana", key="k1"), [BY_KEY, BY_BOTH]),
        (Ended("ana", key="k2"), []),
        (Ended("ana", login=""), [BY_NEITHER]),
        (Ended("ben"), []),
        (Ended("ben", login="l1"), []),
        (Ended("admin"), [OF_CONFIG_BROWSER]),
        (Ended("admin", login="l9"), [OF_CONFIG_BROWSER]),
        (Ended("admin", login=""), []),
    ],
)
def test_what_ended_ends_what_came_in_by_it(ended: Ended, over: list[Principal]) -> None:
    everybody = [BY_LOGIN, BY_KEY, BY_BOTH, BY_NEITHER, OF_CONFIG, OF_CONFIG_BROWSER]
    assert [who for who in everybody if is_over(ended, who)] == over


# --- routes ---


def test_a_route_asks_for_its_permission_on_the_thing_in_its_path(house: House) -> None:
    ana = house.who(house.cookie("ana"))
    allowed: list[tuple[Any, dict[str, str]]] = [
        (uris.DOOR_OPEN, {"door": "front"}), (uris.DOORS, {}), (uris.WHOAMI, {}), (uris.HEALTH, {}),
    ]  # fmt: skip
    for route, ids in allowed:
        house.guard.authorise(ana, route, ids)
    refused: list[tuple[Any, dict[str, str]]] = [
        (uris.DOOR_OPEN, {"door": "back"}), (uris.DOOR, {"door": "back"}), (uris.CAMERAS, {}),
        (uris.STREAM, {"camera": "front"}), (uris.USERS, {}), (uris.DOOR_OPEN, {"door": "*"}),
        (uris.DOOR_OPEN, {"door": ""}),
    ]  # fmt: skip
    for route, ids in refused:
        with pytest.raises(AccessDenied):
            house.guard.authorise(ana, route, ids)
        with pytest.raises(NotAuthenticated):
            house.guard.authorise(None, route, ids)
    house.guard.authorise(None, uris.HEALTH, {})


def test_who_came_by_a_link_may_only_choose_a_password(house: House) -> None:
    cookie = run(house.logins.by_link(house.links.new("boss", "owner"), HERE)).cookie
    boss = house.who(cookie)
    assert boss is not None
    assert house.guard.must_choose_password(boss)
    for route in uris.ROUTES:
        if route.permission is Permission.NONE or route is uris.WHOAMI:
            house.guard.authorise(boss, route, {"camera": "yard", "door": "front"})
        else:
            with pytest.raises(AccessDenied, match="choose a password first"):
                house.guard.authorise(boss, route, {"camera": "yard", "door": "front"})


def test_wrong_keys_are_on_the_record_once_a_minute_and_without_the_key(house: House) -> None:
    for _ in range(50):
        bearer(house, "gk_0123_wrong-secret")
    assert house.told == [("access.refused", None, "not_authenticated")]
    assert "wrong-secret" not in repr(house.texts)


def test_a_token_that_ran_out_is_nothing_for_the_record(house: House) -> None:
    token = run(house.logins.token("ana", PASSWORD, HERE)).token
    house.forget()
    house.now += 900
    assert bearer(house, token) is None
    assert house.told == []
    assert bearer(house, token[:-5]) is None
    assert house.told == [("access.refused", None, "not_authenticated")]


# --- origins ---


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


@pytest.mark.parametrize(
    ("channel", "private"),
    [(HERE, True), (LAN, False), (TLS, True), (Channel("unix"), True), (Channel("fe80::1"), False)],
)
def test_passwords_are_taken_where_nobody_else_can_read_them(channel: Channel, private: bool) -> None:
    assert House().guard.is_private(channel) is private
    assert House(plain=True).guard.is_private(channel)

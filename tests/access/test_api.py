"""Users and keys by arguments in and structs out: who may ask for what, what is refused and how it is said."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed

from gatekeeper.access.api import Access, Key, NewKey, User
from gatekeeper.access.names import RESERVED
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Credentials, Grant
from gatekeeper.access.tokens import digest, parse_key
from gatekeeper.errors import (
    AccessDenied,
    Conflict,
    GatekeeperError,
    InvalidArgument,
    NoSuchKey,
    NoSuchUser,
    NotAuthenticated,
)
from gatekeeper.uris import Permission
from tests.access.people import ADMIN, NOW, SECRET, Process, login, result
from tests.databases import InlineDatabase

FRONT = Grant("door", "front")
PASSWORD = "sesame open the door"


class Maker:
    """Makes credentials that a test can read."""

    def make(self, name: str, password: str) -> "Deferred[Credentials]":
        if len(password) < 10:
            return fail(InvalidArgument("password: too short; at least 10 characters"))
        return succeed(Credentials(f"hash of {password}"))


class Office:
    """The API of a site with an owner, an operator of the front door, and a viewer of nothing."""

    def __init__(self) -> None:
        self.process = Process(InlineDatabase())
        self.accounts = self.process.accounts
        self.api = Access(self.accounts, Maker(), wall=lambda: self.process.now)
        result(self.accounts.add("admin", "owner", SECRET, caller=ADMIN))
        result(self.accounts.add("ana", "operator", SECRET, [FRONT], caller=ADMIN))
        result(self.accounts.add("bob", "viewer", caller=ADMIN))
        self.process.recorded.clear()

    def who(self, name: str, **proof: str) -> Principal:
        principal = self.accounts.principal(name, caller=ADMIN, **proof)  # type: ignore[arg-type]
        assert principal is not None
        return principal

    def key(self, name: str, **arguments: Any) -> tuple[NewKey, Principal]:
        """A key that somebody made, and whoever shows it."""
        made = result(self.api.new_key(self.who(name), {"label": "script", **arguments}))
        return made, self.who(made.account, key=made.id)


@pytest.fixture
def office() -> Office:
    return Office()


# --- users ---


def test_an_owner_sees_everybody_and_no_secret(office: Office) -> None:
    office.process.now = NOW + 50
    result(office.accounts.new_login(login(last_used=NOW + 7)))
    result(office.accounts.new_login(login("l2", last_used=NOW + 9, expires=NOW + 20)))
    office.key("ana")
    users = office.api.users(office.who("admin"))
    assert users[1] == User(
        name="ana",
        role="operator",
        disabled=False,
        has_password=True,
        created=NOW,
        last_used=NOW + 9,
        grants=[FRONT],
        keys=1,
        logins=1,
    )
    assert [(user.name, user.has_password, user.last_used) for user in users] == [
        ("admin", True, None),
        ("ana", True, NOW + 9),
        ("bob", False, None),
    ]
    assert "argon2" not in repr(users)


def test_an_owner_adds_somebody_with_password_and_grants(office: Office) -> None:
    grants = [{"kind": "door", "thing": "front"}, {"kind": "camera", "thing": "*"}]
    wanted = {"name": "eve", "role": "viewer", "password": PASSWORD, "grants": grants}
    user = result(office.api.add(office.who("admin"), wanted))
    assert (user.name, user.role, user.has_password) == ("eve", "viewer", True)
    assert user.grants == [Grant("camera", "*"), FRONT]
    account = office.accounts.account("eve")
    assert account is not None
    assert account.credentials == Credentials(f"hash of {PASSWORD}")
    assert not result(office.api.add(office.who("admin"), {"name": "finn", "role": "device"})).has_password


def test_an_owner_changes_one_thing_at_a_time(office: Office) -> None:
    admin = office.who("admin")
    assert result(office.api.change(admin, {"name": "ana", "role": "owner"})).role == "owner"
    assert result(office.api.change(admin, {"name": "ana", "disabled": True})).disabled
    assert not result(office.api.change(admin, {"name": "ana", "disabled": False})).disabled
    assert result(office.api.change(admin, {"name": "bob", "password": PASSWORD})).has_password
    assert [kind for kind, _, _ in office.process.recorded] == [
        "access.role_changed",
        "access.user_disabled",
        "access.user_enabled",
        "access.password_changed",
    ]


def test_an_owner_who_sets_the_own_password_stays_and_others_go(office: Office) -> None:
    for name, account in (("l1", "admin"), ("l2", "admin"), ("l3", "bob")):
        result(office.accounts.new_login(login(name, account)))
    admin = office.who("admin", login="l1")
    result(office.api.change(admin, {"name": "admin", "password": PASSWORD}))
    result(office.api.change(admin, {"name": "bob", "password": PASSWORD}))
    assert [name for name in ("l1", "l2", "l3") if office.accounts.login(name) is not None] == ["l1"]


def test_an_owner_grants_and_takes_back_and_removes(office: Office) -> None:
    admin, yard = office.who("admin"), {"name": "bob", "kind": "camera", "thing": "yard"}
    assert result(office.api.grant(admin, yard)).grants == [Grant("camera", "yard")]
    assert result(office.api.revoke_grant(admin, yard)).grants == []
    result(office.api.revoke(admin, {"name": "bob"}))
    assert office.accounts.account("bob") is None


def test_the_last_owner_stays(office: Office) -> None:
    admin = office.who("admin")
    changes: list[Callable[[], Deferred[Any]]] = [
        lambda: office.api.revoke(admin, {"name": "admin"}),
        lambda: office.api.change(admin, {"name": "admin", "role": "viewer"}),
        lambda: office.api.change(admin, {"name": "admin", "disabled": True}),
    ]
    for change in changes:
        with pytest.raises(Conflict, match="last owner"):
            result(change())
    assert {kind for kind, _, _ in office.process.recorded} == {"access.change_refused"}


Call = Callable[[Access, Principal], Any]


def another(who: Principal) -> str:
    return "bob" if who.name == "ana" else "ana"


MANAGING: dict[str, Call] = {
    "users": lambda api, who: api.users(who),
    "add": lambda api, who: api.add(who, {"name": "eve", "role": "owner"}),
    "change": lambda api, who: api.change(who, {"name": "bob", "role": "owner"}),
    "revoke": lambda api, who: api.revoke(who, {"name": "bob"}),
    "grant": lambda api, who: api.grant(who, {"name": "bob", "kind": "door", "thing": "*"}),
    "revoke_grant": lambda api, who: api.revoke_grant(who, {"name": "ana", "kind": "door", "thing": "front"}),
    "keys of another": lambda api, who: api.keys(who, {"account": another(who)}),
    "a key for another": lambda api, who: api.new_key(who, {"account": another(who), "label": "mine"}),
}


@pytest.mark.parametrize("call", MANAGING.values(), ids=MANAGING)
def test_only_who_manages_users_does(call: Call, office: Office) -> None:
    _, narrow = office.key("admin", permissions=["self", "door.open"])
    before = office.accounts.all()
    for who in (office.who("ana"), office.who("bob"), narrow):
        with pytest.raises(AccessDenied, match=r"may not access\.admin"):
            call(office.api, who)
    assert office.accounts.all() == before
    _, wide = office.key("admin", permissions=["self", "access.admin"])
    answer = call(office.api, wide)
    if isinstance(answer, Deferred):
        result(answer)


# --- what is refused ---

WRONG: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("add", {"role": "viewer"}, "name: missing; it has no default"),
    ("add", {"name": "eve"}, "role: missing; it has no default"),
    ("add", {"name": 7, "role": "viewer"}, "name: found 7; allowed: text (length to 100)"),
    ("add", {"name": "eve", "role": "viewer", "rolle": 1}, 'rolle: no such argument; did you mean "role"? Allowed: '),
    ("add", {"name": "Eve", "role": "viewer"}, 'name: found "Eve"; allowed: lower-case letters and digits with single'),
    ("add", {"name": "eve-", "role": "viewer"}, 'name: found "eve-"; allowed: '),
    ("add", {"name": "eve\n", "role": "viewer"}, 'name: found "eve\\n"; allowed: '),
    ("add", {"name": "", "role": "viewer"}, 'name: found ""; allowed: '),
    ("add", {"name": "x" * 41, "role": "viewer"}, "name: found "),
    ("add", {"name": "x" * 101, "role": "viewer"}, "name: found "),
    ("add", {"name": "eve", "role": "opertor"}, 'role: found "opertor"; did you mean "operator"? Allowed: owner, '),
    ("add", {"name": "eve", "role": "viewer", "password": "short"}, "password: too short; at least 10 characters"),
    ("add", {"name": "eve", "role": "viewer", "password": 5551234}, "password: found a number; allowed: text"),
    ("add", {"name": "eve", "role": "viewer", "grants": [{"kind": "dor", "thing": "a"}]}, 'kind: found "dor"; did you'),
    ("add", {"name": "eve", "role": "viewer", "grants": [{"kind": "door"}]}, "grants[0].thing: missing"),
    ("change", {"name": "bob"}, "found none; allowed: exactly one of role, password and disabled"),
    ("change", {"name": "bob", "role": "owner", "disabled": False}, "found role, disabled; allowed: exactly one of"),
    ("change", {"name": "bob", "role": "king"}, 'role: found "king"; '),
    ("grant", {"name": "bob", "kind": "door", "thing": "a b"}, 'thing: found "a b"; allowed: '),
    ("grant", {"name": "bob", "kind": "door", "thing": "**"}, 'thing: found "**"; allowed: '),
    ("grant", {"name": "bob", "kind": "door"}, "thing: missing"),
    ("new_key", {}, "label: missing"),
    ("new_key", {"label": ""}, "label: found "),
    ("new_key", {"label": "x" * 81}, "label: found "),
    ("new_key", {"label": "a\x00b"}, 'label: found "a\\u0000b"; allowed: text without control characters'),
    ("new_key", {"label": "\ud800"}, "label: found "),
    ("new_key", {"label": "a", "expires": NOW}, "expires: found 1800000000; allowed: Unix seconds in the future"),
    ("new_key", {"label": "a", "expires": float("inf")}, "expires: found inf; allowed: "),
    ("new_key", {"label": "a", "expires": float("nan")}, "expires: found nan; allowed: "),
    ("new_key", {"label": "a", "permissions": ["door.opn"]}, 'permissions: found "door.opn"; did you mean "door.open"'),
    ("new_key", {"label": "a", "permissions": ["none"], "account": "bob"}, "permissions: a key of a viewer can't have"),
    ("new_key", {"label": "a", "permissions": ["door.open"], "account": "bob"}, "permissions: a key of a viewer can't"),
    ("new_key", {"label": "a", "things": [{"kind": "roof", "thing": "*"}]}, 'kind: found "roof"; '),
)


@pytest.mark.parametrize(("call", "arguments", "sentence"), WRONG)
def test_what_is_wrong_is_said_in_one_sentence_and_changes_nothing(
    call: str, arguments: Mapping[str, Any], sentence: str, office: Office
) -> None:
    before = office.accounts.all()
    with pytest.raises(InvalidArgument) as caught:
        result(getattr(office.api, call)(office.who("admin"), arguments))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert "5551234" not in str(caught.value)
    assert office.accounts.all() == before


@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_refused_with_its_reason(name: str, office: Office) -> None:
    with pytest.raises(InvalidArgument) as caught:
        office.api.add(office.who("admin"), {"name": name, "role": "viewer"})
    assert str(caught.value) == f'name: "{name}" is reserved: {RESERVED[name]}'


def test_who_does_not_exist_is_named(office: Office) -> None:
    admin = office.who("admin")
    for call, more in (
        (office.api.change, {"role": "owner"}),
        (office.api.revoke, {}),
        (office.api.grant, {"kind": "door", "thing": "*"}),
        (office.api.revoke_grant, {"kind": "door", "thing": "*"}),
    ):
        with pytest.raises(NoSuchUser, match=r'^there is no account "eve"$'):
            call(admin, {"name": "eve", **more})
    for each in (
        lambda: office.api.keys(admin, {"account": "eve"}),
        lambda: office.api.new_key(admin, {"account": "eve", "label": "x"}),
    ):
        with pytest.raises(NoSuchUser):
            each()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
KNOWN = st.sampled_from(["name", "role", "password", "grants", "disabled", "kind", "thing", "label", "permissions",
                         "things", "expires", "account", "key"])  # fmt: skip
USUAL = st.sampled_from(["ana", "bob", "viewer", "owner", "door", "*", "front", "door.open", PASSWORD])
CALLS = ("add", "change", "revoke", "grant", "revoke_grant", "keys", "new_key", "revoke_key")
SHARED = Office()


@given(st.sampled_from(CALLS), st.dictionaries(KNOWN | st.text(max_size=8), USUAL | JSON, max_size=5))
def test_whatever_comes_is_answered_or_refused_by_a_known_error(call: str, arguments: dict[str, Any]) -> None:
    try:
        answer = getattr(SHARED.api, call)(SHARED.who("admin"), arguments)
        if isinstance(answer, Deferred):
            answer = result(answer)
        msgspec.json.encode(answer)
    except GatekeeperError as error:
        status = error.status
    else:
        status = 200
    assert status in (200, 400, 404, 409)
    assert any(one.role == "owner" and not one.disabled for one in SHARED.accounts.all())


# --- keys ---


def test_a_key_is_shown_once_and_only_its_hash_is_kept(office: Office) -> None:
    made, who = office.key(
        "ana", permissions=["door.open"], things=[{"kind": "door", "thing": "front"}], expires=NOW + 60
    )
    parsed = parse_key(made.key)
    assert parsed is not None
    number, secret = parsed
    assert number == made.id
    assert len(secret) >= 43, "256 bits"
    [account] = [one for one in office.accounts.all() if one.name == "ana"]
    [kept] = account.keys
    assert kept.hash == digest(secret)
    [listed] = office.api.keys(office.who("ana"), {})
    assert listed == Key(
        id=made.id,
        account="ana",
        label="script",
        permissions=["door.open"],
        things=[FRONT],
        created=NOW,
        expires=NOW + 60,
        last_used=None,
        active=True,
    )
    everywhere = repr((office.accounts.all(), office.process.texts, office.process.details, listed, made))
    assert secret not in everywhere
    assert msgspec.json.decode(msgspec.json.encode(made))["key"] == made.key
    assert who.may(Permission.DOOR_OPEN, "front")
    assert not who.may(Permission.DOOR_LOCK, "front")


def test_two_keys_differ(office: Office) -> None:
    assert len({office.key("ana")[0].key for _ in range(20)}) == 20


def test_one_has_only_the_own_keys(office: Office) -> None:
    anas, bobs = office.key("ana")[0], office.key("bob")[0]
    assert [key.id for key in office.api.keys(office.who("ana"), {})] == [anas.id]
    assert [key.id for key in office.api.keys(office.who("ana"), {"account": "ana"})] == [anas.id]
    for wrong in (bobs.id, "k9", ""):
        with pytest.raises(NoSuchKey, match=r"^there is no API key "):
            office.api.revoke_key(office.who("ana"), {"key": wrong})
    result(office.api.revoke_key(office.who("ana"), {"key": anas.id}))
    result(office.api.revoke_key(office.who("admin"), {"key": bobs.id}))
    assert [key.active for key in office.api.keys(office.who("admin"), {"account": "bob"})] == [False]
    assert office.accounts.key(anas.id) is office.accounts.key(bobs.id) is None


def test_an_owner_makes_a_key_for_another(office: Office) -> None:
    made = result(office.api.new_key(office.who("admin"), {"label": "lock", "account": "bob"}))
    assert (made.account, made.permissions, made.things, made.expires) == ("bob", None, None, None)


def test_a_key_makes_no_keys_and_revokes_only_itself(office: Office) -> None:
    made, who = office.key("ana")
    other, _ = office.key("ana")
    with pytest.raises(AccessDenied, match=r"^an API key makes and revokes no keys: log in for that$"):
        office.api.new_key(who, {"label": "copy"})
    with pytest.raises(AccessDenied, match=r"^an API key makes and revokes no keys"):
        office.api.revoke_key(who, {"key": other.id})
    result(office.api.revoke_key(who, {"key": made.id}))
    assert office.accounts.key(made.id) is None
    assert office.accounts.key(other.id) is not None


def test_a_key_without_self_has_nothing_to_do_with_keys(office: Office) -> None:
    made, who = office.key("ana", permissions=["door.open"])
    for call in (
        lambda: office.api.keys(who, {}),
        lambda: office.api.new_key(who, {"label": "copy"}),
        lambda: office.api.revoke_key(who, {"key": made.id}),
    ):
        with pytest.raises(AccessDenied, match="may not self"):
            call()


def test_a_key_of_no_permissions_or_things_may_nothing(office: Office) -> None:
    _, nothing = office.key("ana", permissions=[])
    assert nothing.permissions() == {Permission.NONE}
    _, nowhere = office.key("ana", things=[])
    assert not nowhere.may(Permission.DOOR_OPEN)
    assert nowhere.may(Permission.SELF)


def test_nobody_has_no_part_in_it(office: Office) -> None:
    nobody: Any = None
    with pytest.raises(NotAuthenticated):
        office.api.users(nobody)
    with pytest.raises(NotAuthenticated):
        office.api.keys(nobody, {})


def test_the_configured_token_without_an_account_sees_no_keys(office: Office) -> None:
    configured = Principal("root", "owner", key="configured")
    assert office.api.keys(configured, {}) == []
    with pytest.raises(NoSuchUser):
        office.api.new_key(configured, {"label": "x"})
    assert len(office.api.users(configured)) == 3

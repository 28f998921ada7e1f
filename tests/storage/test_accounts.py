"""What a change of accounts leaves in the database, and what it refuses there; on both databases."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, delete, insert, select

from gatekeeper.errors import AccessDenied, Conflict, NoSuchKey, NoSuchUser
from gatekeeper.storage import accounts
from gatekeeper.storage.account_rows import Account, ApiKey, Credentials, Grant, LogIn
from gatekeeper.storage.accounts import MAXIMUM_ACCOUNTS, MAXIMUM_GRANTS, MAXIMUM_KEYS, MAXIMUM_LOGINS
from gatekeeper.storage.connect import Blocking, connect
from gatekeeper.storage.tables import accounts as table
from gatekeeper.storage.tables import links, logins
from tests.postgresql import database_url

__all__ = ["database_url"]
NOW = 1_800_000_000.125
FRONT, ALL_CAMERAS = Grant("door", "front"), Grant("camera", "*")
SECRET = Credentials("$argon2id$v=19$…", {"sealed": "cra"}, {"sealed": "scram", "n": [1, 2.5, None]})


@pytest.fixture
def database(database_url: str) -> Iterator[Blocking]:
    with connect(database_url) as opened:
        yield opened


def add(database: Blocking, name: str, role: str = "owner", *grants: Grant) -> None:
    database.write(lambda it: accounts.add(it, name, role, SECRET, given=grants, now=NOW))


def key(name: str = "k1", account: str = "admin", **more: Any) -> ApiKey:
    return ApiKey(**{"id": name, "account": account, "label": "script", "hash": b"h" * 32, "created": NOW, **more})


def login(name: str = "l1", account: str = "admin", **more: Any) -> LogIn:
    made = {"created": NOW, "last_used": NOW, "expires": NOW + 1000, "address": "192.0.2.7", "client": "http"}
    return LogIn(**{"id": name, "account": account, **made, **more})


def kept(database: Blocking, name: str = "admin") -> Account:
    found = database.read(lambda it: accounts.account(it, name))
    assert found is not None
    return found


def refused(database: Blocking, error: type[Exception], work: Callable[[Connection], Any], sentence: str) -> None:
    before = database.read(accounts.load)
    with pytest.raises(error, match=sentence):
        database.write(work)
    assert database.read(accounts.load) == before, "what is refused changes nothing, not even the revision"


def test_everything_comes_back_as_it_was_kept(database: Blocking) -> None:
    add(database, "admin", "owner")
    add(database, "ana", "operator", FRONT, ALL_CAMERAS, FRONT)
    wide = key(account="ana")
    narrow = key("k2", "ana", permissions=frozenset({"door.open", "self"}), things=frozenset({FRONT}), expires=NOW + 1)
    empty = key("k3", "ana", permissions=frozenset(), things=frozenset())
    browser = login(account="ana", cookie_hash=b"c" * 32)
    program = login("l2", "ana", refresh_hash=b"r" * 32)
    for one in (wide, narrow, empty):
        database.write(lambda it, one=one: accounts.new_key(it, one))  # type: ignore[misc]
    for each in (browser, program):
        changed = database.write(lambda it, each=each: accounts.new_login(it, each))  # type: ignore[misc]
    ana = Account(
        name="ana",
        role="operator",
        credentials=SECRET,
        created=NOW,
        grants=frozenset({FRONT, ALL_CAMERAS}),
        keys=(wide, narrow, empty),
        logins=(browser, program),
    )
    assert kept(database, "ana") == changed.account == ana
    everything = database.read(accounts.load)
    assert everything.revision == changed.revision == 7
    assert [account.name for account in everything.accounts] == ["admin", "ana"]
    assert everything.accounts[1] == ana


def test_each_change_is_one_revision_and_nothing_else_is(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana", "viewer")
    database.write(lambda it: accounts.new_key(it, key()))
    database.write(lambda it: accounts.new_login(it, login(refresh_hash=b"1" * 32)))
    changes: list[Callable[[Connection], Any]] = [
        lambda it: accounts.set_credentials(it, "ana", SECRET, NOW, None),
        lambda it: accounts.renew_credentials(it, "ana", SECRET.password_hash, SECRET),
        lambda it: accounts.set_role(it, "ana", "operator"),
        lambda it: accounts.set_disabled(it, "ana", True, NOW),
        lambda it: accounts.grant(it, "ana", FRONT),
        lambda it: accounts.revoke_grant(it, "ana", FRONT),
        lambda it: accounts.touch_key(it, "k1", "admin", NOW),
        lambda it: accounts.revoke_key(it, "k1"),
        lambda it: accounts.touch_login(it, "l1", "admin", NOW, NOW + 5),
        lambda it: accounts.rotate_refresh(it, "l1", "admin", old=b"1" * 32, new=b"2" * 32, now=NOW, expires=NOW + 9),
        lambda it: accounts.end_login(it, "l1", "admin", NOW),
        lambda it: accounts.end_all(it, "admin", NOW, None),
        lambda it: accounts.remove(it, "ana"),
    ]
    for change in changes:
        before = database.read(accounts.revision)
        changed = database.write(change)
        assert changed.revision == before + 1
        assert changed.account == database.read(lambda it, name=changed.name: accounts.account(it, name))  # type: ignore[misc]
        assert database.read(accounts.revision) == before + 1
    assert database.read(lambda it: accounts.load_unless(it, before + 1)) is None
    assert database.read(lambda it: accounts.load_unless(it, before)) == database.read(accounts.load)
    assert database.write(lambda it: accounts.clean(it, NOW)) is False
    assert database.read(accounts.revision) == before + 1


def test_a_name_is_taken_once(database: Blocking) -> None:
    add(database, "admin")
    refused(
        database,
        Conflict,
        lambda it: accounts.add(it, "admin", "viewer", None, given=(), now=NOW),
        '^there is an account "admin" already$',
    )


# --- the last owner ---

LAST = '^"admin" is the last owner: make somebody else an owner first$'


@pytest.mark.parametrize("others", ["none", "disabled owner", "operator"])
def test_the_last_owner_stays(others: str, database: Blocking) -> None:
    add(database, "admin")
    if others == "disabled owner":
        add(database, "ana")
        database.write(lambda it: accounts.set_disabled(it, "ana", True, NOW))
    elif others == "operator":
        add(database, "ana", "operator")
    refused(database, Conflict, lambda it: accounts.set_role(it, "admin", "operator"), LAST)
    refused(database, Conflict, lambda it: accounts.set_disabled(it, "admin", True, NOW), LAST)
    refused(database, Conflict, lambda it: accounts.remove(it, "admin"), LAST)
    database.write(lambda it: accounts.set_role(it, "admin", "owner"))
    database.write(lambda it: accounts.set_disabled(it, "admin", False, NOW))


def test_with_another_owner_the_first_may_go(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana")
    assert database.write(lambda it: accounts.remove(it, "admin")).account is None
    assert [one.name for one in database.read(accounts.load).accounts] == ["ana"]


def test_a_disabled_owner_is_not_the_last_one(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana")
    database.write(lambda it: accounts.set_disabled(it, "ana", True, NOW))
    database.write(lambda it: accounts.set_role(it, "ana", "viewer"))
    database.write(lambda it: accounts.remove(it, "ana"))


# --- what hangs on an account ---


def test_a_removed_account_takes_everything_with_it(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana", "viewer", FRONT)
    database.write(lambda it: accounts.new_key(it, key(account="ana")))
    database.write(lambda it: accounts.new_login(it, login(account="ana")))
    link = {"hash": b"l" * 32, "account": "ana", "role": "viewer", "created": NOW}
    database.write(lambda it: it.execute(insert(links).values(**link)))
    database.write(lambda it: accounts.remove(it, "ana"))
    add(database, "ana", "viewer")
    assert kept(database, "ana") == Account(name="ana", role="viewer", credentials=SECRET, created=NOW)
    assert database.read(lambda it: it.execute(select(links)).all()) == []


def test_a_disabled_account_has_no_log_ins_and_links_even_when_enabled_again(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana", "viewer")
    database.write(lambda it: accounts.new_login(it, login(account="ana")))
    link = {"hash": b"l" * 32, "account": "ana", "role": "viewer", "created": NOW}
    database.write(lambda it: it.execute(insert(links).values(**link)))
    database.write(lambda it: accounts.set_disabled(it, "ana", True, NOW + 1))
    refused(
        database,
        AccessDenied,
        lambda it: accounts.new_login(it, login("l2", "ana")),
        '^the account "ana" is disabled$',
    )
    database.write(lambda it: accounts.set_disabled(it, "ana", False, NOW + 2))
    assert [one.ended for one in kept(database, "ana").logins] == [NOW + 1]
    assert database.read(lambda it: it.execute(select(links)).all()) == []


def test_whoever_is_not_there_is_named(database: Blocking) -> None:
    add(database, "admin")
    works: list[Callable[[Connection], Any]] = [
        lambda it: accounts.set_credentials(it, "ana", SECRET, NOW, None),
        lambda it: accounts.set_role(it, "ana", "owner"),
        lambda it: accounts.set_disabled(it, "ana", True, NOW),
        lambda it: accounts.remove(it, "ana"),
        lambda it: accounts.grant(it, "ana", FRONT),
        lambda it: accounts.revoke_grant(it, "ana", FRONT),
        lambda it: accounts.new_key(it, key(account="ana")),
        lambda it: accounts.new_login(it, login(account="ana")),
        lambda it: accounts.end_all(it, "ana", NOW, None),
    ]
    for work in works:
        refused(database, NoSuchUser, work, '^there is no account "ana"$')
    refused(database, NoSuchKey, lambda it: accounts.revoke_key(it, "k9"), '^there is no API key "k9"$')


def test_grants_are_given_and_taken_one_by_one(database: Blocking) -> None:
    add(database, "ana", "viewer", FRONT)
    for _ in range(2):
        database.write(lambda it: accounts.grant(it, "ana", ALL_CAMERAS))
    assert kept(database, "ana").grants == {FRONT, ALL_CAMERAS}
    for other in (Grant("door", "*"), Grant("camera", "front")):
        database.write(lambda it, other=other: accounts.revoke_grant(it, "ana", other))  # type: ignore[misc]
    assert kept(database, "ana").grants == {FRONT, ALL_CAMERAS}
    database.write(lambda it: accounts.revoke_grant(it, "ana", FRONT))
    assert kept(database, "ana").grants == {ALL_CAMERAS}


# --- passwords ---


def test_a_new_password_ends_every_log_in_but_the_one_that_asked(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana")
    for one in (login("l1"), login("l2"), login("l3", "ana")):
        database.write(lambda it, one=one: accounts.new_login(it, one))  # type: ignore[misc]
    new = Credentials("$argon2id$new")
    changed = database.write(lambda it: accounts.set_credentials(it, "admin", new, NOW + 5, "l2")).account
    assert changed is not None
    assert changed.credentials == new
    assert {one.id: one.ended for one in changed.logins} == {"l1": NOW + 5, "l2": None}
    assert kept(database, "ana").logins[0].ended is None


def test_a_hash_is_renewed_only_if_the_password_was_not_changed_since(database: Blocking) -> None:
    add(database, "admin")
    new, other = Credentials("$argon2id$new", {"sealed": "x"}), Credentials("$argon2id$other")
    database.write(lambda it: accounts.renew_credentials(it, "admin", "$argon2id$gone", other))
    assert kept(database).credentials == SECRET
    database.write(lambda it: accounts.renew_credentials(it, "admin", SECRET.password_hash, new))
    assert kept(database).credentials == new


def test_what_a_password_is_checked_against_is_not_shown() -> None:
    assert "argon" not in repr(SECRET)
    assert "argon" not in repr(Account(name="a", role="owner", credentials=SECRET, created=NOW))


# --- log-ins ---


def test_a_used_log_in_lasts_longer_and_an_ended_one_does_not_come_back(database: Blocking) -> None:
    add(database, "admin")
    database.write(lambda it: accounts.new_login(it, login()))
    database.write(lambda it: accounts.touch_login(it, "l1", "admin", NOW + 10, NOW + 5000))
    found = kept(database).logins[0]
    assert (found.last_used, found.expires) == (NOW + 10, NOW + 5000)
    database.write(lambda it: accounts.end_login(it, "l1", "admin", NOW + 20))
    database.write(lambda it: accounts.touch_login(it, "l1", "admin", NOW + 30, NOW + 9000))
    database.write(lambda it: accounts.end_login(it, "l1", "admin", NOW + 40))
    assert kept(database).logins[0] == msgspec.structs.replace(found, ended=NOW + 20)


def test_a_log_in_that_ran_out_is_not_prolonged(database: Blocking) -> None:
    add(database, "admin")
    database.write(lambda it: accounts.new_login(it, login(refresh_hash=b"1" * 32)))
    late = NOW + 1000
    database.write(lambda it: accounts.touch_login(it, "l1", "admin", late, late + 1000))
    database.write(
        lambda it: accounts.rotate_refresh(it, "l1", "admin", old=b"1" * 32, new=b"2" * 32, now=late, expires=late + 9)
    )
    assert kept(database).logins == (login(refresh_hash=b"1" * 32),)


def rotate(database: Blocking, old: bytes, new: bytes, now: float) -> LogIn:
    work = lambda it: accounts.rotate_refresh(it, "l1", "admin", old=old, new=new, now=now, expires=now + 100)  # noqa: E731
    account = database.write(work).account
    assert account is not None
    return account.logins[0]


def test_a_refresh_token_is_exchanged_once(database: Blocking) -> None:
    add(database, "admin")
    database.write(lambda it: accounts.new_login(it, login(refresh_hash=b"1" * 32)))
    first = rotate(database, b"1" * 32, b"2" * 32, NOW + 1)
    assert (first.refresh_hash, first.previous_refresh_hash) == (b"2" * 32, b"1" * 32)
    assert (first.ended, first.last_used, first.expires) == (None, NOW + 1, NOW + 101)


@pytest.mark.parametrize("shown", [b"1" * 32, b"0" * 32])
def test_any_token_but_the_current_one_ends_the_log_in(shown: bytes, database: Blocking) -> None:
    add(database, "admin")
    database.write(lambda it: accounts.new_login(it, login(refresh_hash=b"0" * 32)))
    for old, new in ((b"0", b"1"), (b"1", b"2")):
        rotate(database, old * 32, new * 32, NOW + 1)
    found = rotate(database, shown, b"9" * 32, NOW + 3)
    assert (found.refresh_hash, found.ended) == (b"2" * 32, NOW + 3)
    assert rotate(database, b"2" * 32, b"9" * 32, NOW + 4).refresh_hash == b"2" * 32


def test_all_log_ins_end_but_one(database: Blocking) -> None:
    add(database, "admin")
    for name in ("l1", "l2", "l3"):
        database.write(lambda it, name=name: accounts.new_login(it, login(name)))  # type: ignore[misc]
    database.write(lambda it: accounts.end_all(it, "admin", NOW + 1, "l2"))
    assert [one.ended for one in kept(database).logins] == [NOW + 1, None, NOW + 1]
    database.write(lambda it: accounts.end_all(it, "admin", NOW + 2, None))
    assert [one.ended for one in kept(database).logins] == [NOW + 1, NOW + 2, NOW + 1]


def test_what_is_over_is_cleaned_away(database: Blocking) -> None:
    add(database, "admin")
    for name, expires in (("l1", NOW + 10), ("l2", NOW + 20), ("l3", NOW + 1000), ("l4", NOW + 1000)):
        database.write(lambda it, n=name, e=expires: accounts.new_login(it, login(n, expires=e)))  # type: ignore[misc]
    database.write(lambda it: accounts.end_login(it, "l3", "admin", NOW + 11))
    assert database.write(lambda it: accounts.clean(it, NOW + 10)) is False
    revision = database.read(accounts.revision)
    assert database.write(lambda it: accounts.clean(it, NOW + 15)) is True
    assert [one.id for one in kept(database).logins] == ["l2", "l4"]
    assert database.read(accounts.revision) == revision + 1


# --- bounds ---


def test_the_log_in_that_was_used_longest_ago_makes_room(database: Blocking) -> None:
    add(database, "admin")
    add(database, "ana")
    database.write(lambda it: accounts.new_login(it, login("other", "ana")))
    for number in range(MAXIMUM_LOGINS):
        one = login(f"l{number}", created=NOW + number, last_used=NOW + number)
        database.write(lambda it, one=one: accounts.new_login(it, one))  # type: ignore[misc]
    database.write(lambda it: accounts.touch_login(it, "l0", "admin", NOW + 500, NOW + 2000))
    database.write(lambda it: accounts.new_login(it, login("new", created=NOW + 600)))
    left = {one.id for one in kept(database).logins}
    assert left == {f"l{number}" for number in range(MAXIMUM_LOGINS)} - {"l1"} | {"new"}
    assert [one.id for one in kept(database, "ana").logins] == ["other"]


def test_ended_log_ins_neither_fill_the_table_nor_take_a_place(database: Blocking) -> None:
    add(database, "admin")
    for number in range(MAXIMUM_LOGINS + 20):
        database.write(lambda it, n=number: accounts.new_login(it, login(f"l{n}")))  # type: ignore[misc]
        if number:
            database.write(lambda it, n=number: accounts.end_login(it, f"l{n}", "admin", NOW))  # type: ignore[misc]
    assert len(database.read(lambda it: it.execute(select(logins.c.id)).all())) == 2
    assert kept(database).logins[0].is_active(NOW)


def test_of_too_many_keys_the_dead_make_room_and_the_living_do_not(database: Blocking) -> None:
    add(database, "admin")
    for number in range(MAXIMUM_KEYS):
        expires = NOW + 10 if number == 7 else None
        one = key(f"k{number}", created=NOW + number / 1000, expires=expires)
        database.write(lambda it, one=one: accounts.new_key(it, one))  # type: ignore[misc]
    full = '^"admin" has 100 API keys, the most that there may be; revoke one first$'
    refused(database, Conflict, lambda it: accounts.new_key(it, key("more", created=NOW + 9)), full)
    database.write(lambda it: accounts.new_key(it, key("late", created=NOW + 10)))
    database.write(lambda it: accounts.revoke_key(it, "k3"))
    database.write(lambda it: accounts.new_key(it, key("later", created=NOW + 11)))
    left = {one.id for one in kept(database).keys}
    assert left == {f"k{number}" for number in range(MAXIMUM_KEYS)} - {"k7", "k3"} | {"late", "later"}


def test_grants_and_accounts_have_a_bound(database: Blocking) -> None:
    many = [Grant("door", f"d{number}") for number in range(MAXIMUM_GRANTS)]
    add(database, "n0", "owner", *many)
    database.write(lambda it: accounts.grant(it, "n0", many[0]))
    refused(database, Conflict, lambda it: accounts.grant(it, "n0", FRONT), "has 200 grants, the most")

    rows = [{"name": f"n{number}", "role": "viewer", "created": NOW} for number in range(1, MAXIMUM_ACCOUNTS)]
    database.write(lambda it: it.execute(insert(table), rows))
    more = lambda it: accounts.add(it, "more", "viewer", None, given=(), now=NOW)  # noqa: E731
    refused(database, Conflict, more, "there are 1000 accounts, the most that there may be")


# --- two processes ---


@pytest.mark.parametrize("how", ["remove", "disable", "demote"])
def test_of_two_owners_that_go_at_once_one_stays(how: str, database: Blocking) -> None:
    """Two processes, each of which sees another owner before either has committed."""
    for round_ in range(5):
        names = (f"a{round_}", f"b{round_}")
        for name in names:
            add(database, name)
        if round_ == 0:
            assert len(database.read(accounts.load).accounts) == 2
        start = threading.Barrier(2)

        def go(name: str, start: threading.Barrier = start) -> bool:
            with Blocking(database.backend) as other:
                start.wait(10)
                try:
                    if how == "remove":
                        other.write(lambda it: accounts.remove(it, name))
                    elif how == "disable":
                        other.write(lambda it: accounts.set_disabled(it, name, True, NOW))
                    else:
                        other.write(lambda it: accounts.set_role(it, name, "viewer"))
                except Conflict:
                    return False
                return True

        with ThreadPoolExecutor(2) as pool:
            gone = list(pool.map(go, names))
        assert sorted(gone) == [False, True]
        left = [one for one in database.read(accounts.load).accounts if one.role == "owner" and not one.disabled]
        assert len(left) == 1
        database.write(lambda it: it.execute(delete(table)))


def test_no_change_of_two_processes_is_lost(database: Blocking) -> None:
    add(database, "admin")

    def give(kind: str) -> None:
        with Blocking(database.backend) as other:
            for number in range(20):
                grant = Grant(kind, f"n{number}")
                other.write(lambda it, grant=grant: accounts.grant(it, "admin", grant))  # type: ignore[misc]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(give, ("door", "camera")))
    assert len(kept(database).grants) == 40
    assert database.read(accounts.revision) == 41

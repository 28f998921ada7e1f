"""Who may come in, what ends when that changes, and what the record is told; by one process and by two."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, update
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogPublisher

from gatekeeper.access.accounts import CLEAN, COALESCE, KEPT, LONGEST_TEXT, Accounts
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Credentials, Ended, Grant
from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError, InvalidArgument, NotAuthenticated, StorageUnavailable
from gatekeeper.storage import accounts as stored
from gatekeeper.storage.tables import meta
from gatekeeper.uris import Permission
from tests.access.people import ADMIN, NOW, SECRET, Process, key, login, result
from tests.databases import InlineDatabase

FRONT, BACK, DOORS = Grant("door", "front"), Grant("door", "back"), Grant("door", "*")


@pytest.fixture
def database() -> InlineDatabase:
    return InlineDatabase()


@pytest.fixture
def site(database: InlineDatabase) -> Process:
    """A site with an owner, and an operator of the front door who has a key and a log-in."""
    it = Process(database)
    result(it.accounts.add("admin", "owner", SECRET, caller=ADMIN))
    result(it.accounts.add("ana", "operator", SECRET, [FRONT], caller=ADMIN))
    result(it.accounts.new_key(key(), caller=ADMIN))
    result(it.accounts.new_login(login(cookie_hash=b"c" * 32, refresh_hash=b"1" * 32)))
    it.recorded.clear()
    it.texts.clear()
    return it


def by_login(it: Process, name: str = "ana", login: str = "l1") -> Principal | None:
    return it.accounts.principal(name, caller=ADMIN, login=login)


def by_key(it: Process, name: str = "ana", key: str = "k1") -> Principal | None:
    return it.accounts.principal(name, caller=ADMIN, key=key)


# --- who somebody is ---


def test_a_log_in_is_found_by_cookie_and_by_both_its_refresh_tokens(site: Process) -> None:
    result(site.accounts.rotate_refresh("l1", b"1" * 32, b"2" * 32, NOW + 500, caller=ADMIN))
    for found in (
        site.accounts.login("l1"),
        site.accounts.login_by_cookie(b"c" * 32),
        site.accounts.login_by_refresh(b"1" * 32),
        site.accounts.login_by_refresh(b"2" * 32),
    ):
        assert found is not None
        assert found.id == "l1"
    assert site.accounts.login_by_cookie(b"1" * 32) is None
    assert site.accounts.login_by_refresh(b"c" * 32) is None
    result(site.accounts.rotate_refresh("l1", b"2" * 32, b"3" * 32, NOW + 500, caller=ADMIN))
    assert site.accounts.login_by_refresh(b"1" * 32) is None


def test_a_principal_has_what_its_account_and_its_key_have(site: Process) -> None:
    who = by_login(site)
    assert who is not None
    assert (who.name, who.role, who.grants, who.scope, who.things) == (
        "ana",
        "operator",
        frozenset({FRONT}),
        None,
        None,
    )
    assert (who.login, who.key, who.expires, who.caller) == ("l1", None, NOW + 1000, ADMIN)
    narrow = key("k2", permissions=frozenset({"door.view"}), things=frozenset({FRONT}), expires=NOW + 5)
    result(site.accounts.new_key(narrow, caller=ADMIN))
    who = by_key(site, key="k2")
    assert who is not None
    assert (who.scope, who.things, who.key, who.login, who.expires) == (
        narrow.permissions,
        narrow.things,
        "k2",
        None,
        NOW + 5,
    )
    assert not who.may(Permission.DOOR_OPEN, "front")
    early = site.accounts.principal("ana", caller=ADMIN, login="l1", expires=NOW + 7)
    assert early is not None
    assert early.expires == NOW + 7
    assert site.accounts.principal("ana", caller=ADMIN, login="l1", expires=NOW) is None


def test_a_log_in_or_key_proves_nothing_for_another_name(site: Process) -> None:
    assert by_login(site, "admin") is None
    assert by_key(site, "admin") is None
    assert by_login(site, "nobody-here") is None
    assert by_login(site, login="l9") is None
    assert by_key(site, key="k9") is None
    assert by_key(site, key="l1") is None


def test_a_key_follows_its_account_at_once(site: Process) -> None:
    result(site.accounts.revoke_grant("ana", FRONT, caller=ADMIN))
    who = by_key(site)
    assert who is not None
    assert not who.may(Permission.DOOR_OPEN, "front")
    result(site.accounts.set_role("ana", "device", caller=ADMIN))
    who = by_key(site)
    assert who is not None
    assert not who.may(Permission.SYSTEM_VIEW)


def test_whether_an_owner_can_log_in(database: InlineDatabase) -> None:
    it = Process(database)
    answers = [it.accounts.has_owner_with_password]
    for change in (
        lambda: it.accounts.add("ana", "viewer", SECRET, caller=ADMIN),
        lambda: it.accounts.add("admin", "owner", caller=ADMIN),
        lambda: it.accounts.set_credentials("admin", SECRET, caller=ADMIN),
        lambda: it.accounts.add("eve", "owner", caller=ADMIN),
        lambda: it.accounts.set_disabled("admin", True, caller=ADMIN),
    ):
        result(change())
        answers.append(it.accounts.has_owner_with_password)
    assert answers == [False, False, False, True, True, False]


# --- what ends ---

ALL = "ana"
CHANGES: tuple[tuple[str, Callable[[Accounts], Any], list[tuple[str | None, str | None, str]]], ...] = (
    ("logged out", lambda it: it.end_login("l1"), [("l1", None, "logged out")]),
    ("logged out everywhere", lambda it: it.end_all("ana"), [("l1", None, "logged out everywhere")]),
    ("but here", lambda it: it.end_all("ana", keep="l1"), []),
    ("key revoked", lambda it: it.revoke_key("k1", caller=ADMIN), [(None, "k1", "the key was revoked")]),
    ("demoted", lambda it: it.set_role("ana", "viewer", caller=ADMIN), [(None, None, "the role was changed")]),
    ("promoted", lambda it: it.set_role("ana", "owner", caller=ADMIN), [(None, None, "the role was changed")]),
    ("disabled", lambda it: it.set_disabled("ana", True, caller=ADMIN), [(None, None, "the account was disabled")]),
    ("removed", lambda it: it.remove("ana", caller=ADMIN), [(None, None, "the account was removed")]),
    ("grant taken", lambda it: it.revoke_grant("ana", FRONT, caller=ADMIN), [(None, None, "a grant was revoked")]),
    ("grant that wasn't", lambda it: it.revoke_grant("ana", BACK, caller=ADMIN), []),
    ("granted", lambda it: it.grant("ana", DOORS, caller=ADMIN), []),
    ("enabled", lambda it: it.set_disabled("ana", False, caller=ADMIN), []),
    ("same role", lambda it: it.set_role("ana", "operator", caller=ADMIN), []),
    (
        "new password",
        lambda it: it.set_credentials("ana", Credentials("$new"), caller=ADMIN),
        [(None, None, "the password was changed")],
    ),
    ("same password", lambda it: it.renew_credentials("ana", SECRET.password_hash, Credentials("$new")), []),
    ("another key", lambda it: it.new_key(key("k2"), caller=ADMIN), []),
    ("another log-in", lambda it: it.new_login(login("l2")), []),
)


@pytest.mark.parametrize(("change", "expected"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_what_each_change_ends_here(
    change: Callable[[Accounts], Any], expected: list[tuple[str | None, str | None, str]], site: Process
) -> None:
    result(change(site.accounts))
    assert site.ended == [Ended("ana", login, key, why) for login, key, why in expected]
    assert site.agrees()


GUESSED = {
    "same password": [(None, None, "the password was changed")],
    "logged out everywhere": [("l1", None, "logged out")],
}


@pytest.mark.parametrize(
    ("change", "expected"), [(one[1], GUESSED.get(one[0], one[2])) for one in CHANGES], ids=[one[0] for one in CHANGES]
)
def test_what_each_change_ends_in_another_process(
    change: Callable[[Accounts], Any],
    expected: list[tuple[str | None, str | None, str]],
    site: Process,
    database: InlineDatabase,
) -> None:
    result(change(Process(database).accounts))
    assert site.ended == []
    result(site.accounts.poll())
    assert site.ended == [Ended("ana", login, key, why) for login, key, why in expected]
    assert site.agrees()
    result(site.accounts.poll())
    assert len(site.ended) == len(expected)


def test_who_was_removed_and_added_anew_between_two_looks_has_ended(site: Process, database: InlineDatabase) -> None:
    other = Process(database)
    other.now += 0.5
    result(other.accounts.remove("ana", caller=ADMIN))
    result(other.accounts.add("ana", "operator", SECRET, [FRONT], caller=ADMIN))
    result(site.accounts.poll())
    assert site.ended == [Ended("ana", why="the account was removed")]


def test_a_disabled_accounts_key_ends_nothing_more(site: Process) -> None:
    result(site.accounts.set_disabled("ana", True, caller=ADMIN))
    assert by_key(site) is None
    assert by_login(site) is None
    site.ended.clear()
    result(site.accounts.revoke_key("k1", caller=ADMIN))
    result(site.accounts.remove("ana", caller=ADMIN))
    assert site.ended == []


def test_what_runs_out_ends_once(site: Process) -> None:
    result(site.accounts.new_key(key("k2", expires=NOW + 5), caller=ADMIN))
    site.now = NOW + 4.9
    site.accounts.poll()
    assert site.ended == []
    assert by_key(site, key="k2") is not None
    site.now = NOW + 5
    assert by_key(site, key="k2") is None
    site.accounts.poll()
    site.accounts.poll()
    assert site.ended == [Ended("ana", key="k2", why="the key has run out")]
    site.now = NOW + 1000
    site.accounts.poll()
    assert site.ended[1:] == [Ended("ana", login="l1", why="the log-in was not used for too long")]
    assert site.accounts.login_by_cookie(b"c" * 32) is None


def test_what_ran_out_or_was_ended_is_not_told_again_with_the_next(site: Process) -> None:
    for number, life in enumerate((5, 10, 15)):
        result(site.accounts.new_login(login(f"n{number}", expires=NOW + life)))
        result(site.accounts.new_key(key(f"m{number}", expires=NOW + life), caller=ADMIN))
    result(site.accounts.end_login("n1"))
    result(site.accounts.revoke_key("m1", caller=ADMIN))
    site.ended.clear()
    for seconds in (5, 10, 15, 20):
        site.now = NOW + seconds
        site.accounts.poll()
    assert [one.login or one.key for one in site.ended] == ["n0", "m0", "n2", "m2"]


def test_what_runs_out_before_a_look_is_told_even_if_a_change_comes_first(site: Process) -> None:
    site.now = NOW + 2000
    result(site.accounts.new_login(login("l2", created=site.now, expires=site.now + 10)))  # which cleans the old away
    assert site.ended == [Ended("ana", login="l1", why="the log-in was not used for too long")]


def test_a_key_that_runs_out_is_told_after_the_database_was_read_anew(site: Process, database: InlineDatabase) -> None:
    result(Process(database).accounts.new_key(key("k2", expires=NOW + 5), caller=ADMIN))
    site.now = NOW + 1
    site.accounts.poll()
    site.now = NOW + 5
    site.accounts.poll()
    assert site.ended == [Ended("ana", key="k2", why="the key has run out")]


def test_the_oldest_of_too_many_log_ins_ends(site: Process) -> None:
    for number in range(stored.MAXIMUM_LOGINS):
        result(site.accounts.new_login(login(f"n{number}", last_used=NOW + 1)))
    assert site.ended == [Ended("ana", login="l1", why="too many log-ins: this was the one that was used longest ago")]


def test_an_observer_that_fails_undoes_nothing_and_hides_nothing_from_the_next(site: Process) -> None:
    heard: list[Ended] = []

    def fails(_ended: Ended) -> None:
        raise RuntimeError("no")

    failures: list[Any] = []
    observer = cast(ILogObserver, failures.append)
    globalLogPublisher.addObserver(observer)
    it = site.accounts
    it.observe(fails)
    it.observe(heard.append)
    result(it.end_login("l1"))
    globalLogPublisher.removeObserver(observer)
    assert len(heard) == 1
    assert [event["log_failure"].type for event in failures if "log_failure" in event] == [RuntimeError]


# --- without the database ---


def test_nothing_changes_here_while_nothing_can_be_stored(site: Process, database: InlineDatabase) -> None:
    before = site.accounts.all()
    database.fail("the disk is full")
    changes: list[Callable[[], Deferred[Any]]] = [
        lambda: site.accounts.add("eve", "owner", caller=ADMIN),
        lambda: site.accounts.set_role("ana", "owner", caller=ADMIN),
        lambda: site.accounts.grant("ana", BACK, caller=ADMIN),
        lambda: site.accounts.new_key(key("k2"), caller=ADMIN),
        lambda: site.accounts.new_login(login("l2")),
        lambda: site.accounts.rotate_refresh("l1", b"1" * 32, b"2" * 32, NOW + 5, caller=ADMIN),
        lambda: site.accounts.remove("ana", caller=ADMIN),
    ]
    for change in changes:
        with pytest.raises(StorageUnavailable):
            result(change())
    site.now += COALESCE
    site.accounts.touch_login("l1", site.now + 1000)
    site.accounts.touch_key("k1")
    result(site.accounts.poll())
    assert site.accounts.all() == before
    assert site.ended == []
    assert by_login(site) is not None
    assert {outcome for _, _, outcome in site.recorded} == {"storage_unavailable"}


def test_who_logs_out_is_out_even_if_that_cannot_be_stored(site: Process, database: InlineDatabase) -> None:
    database.fail("the disk is full")
    with pytest.raises(StorageUnavailable):
        result(site.accounts.end_login("l1"))
    assert site.ended == [Ended("ana", login="l1", why="logged out")]
    assert by_login(site) is None
    assert site.accounts.login_by_cookie(b"c" * 32) is None
    assert site.accounts.login_by_refresh(b"1" * 32) is None
    database.fail(None)
    result(site.accounts.grant("ana", BACK, caller=ADMIN))
    result(Process(database).accounts.grant("ana", DOORS, caller=ADMIN))
    result(site.accounts.poll())
    assert by_login(site) is None
    result(site.accounts.end_login("l1"))
    assert len(site.ended) == 1
    assert by_login(Process(database)) is None


# --- use ---


def test_a_use_of_a_log_in_is_written_once_a_minute(site: Process, database: InlineDatabase) -> None:
    before, written = database.written, []
    for seconds in (0, 59.9, 60, 119.9, 120):
        site.now = NOW + seconds
        for _ in range(3):
            site.accounts.touch_login("l1", site.now + 1000)
        written.append(database.written - before)
    assert written == [0, 0, 1, 1, 2]
    found = site.accounts.login("l1")
    assert found is not None
    assert (found.last_used, found.expires) == (NOW + 120, NOW + 1120)
    assert site.agrees()
    assert site.ended == []


def test_a_use_of_a_key_is_written_at_first_and_then_once_a_minute(site: Process, database: InlineDatabase) -> None:
    before, written = database.written, []
    for seconds in (0, 59.9, 60):
        site.now = NOW + seconds
        for _ in range(3):
            site.accounts.touch_key("k1")
        written.append(database.written - before)
    assert written == [1, 1, 2]
    assert site.agrees()


def test_a_short_log_in_is_prolonged_before_it_runs_out(site: Process) -> None:
    result(site.accounts.new_login(login("l2", expires=NOW + 10)))
    site.now = NOW + 6
    site.accounts.touch_login("l2", site.now + 10)
    found = site.accounts.login("l2")
    assert found is not None
    assert found.expires == NOW + 16


def test_a_use_that_is_being_written_is_not_written_again(database: InlineDatabase) -> None:
    it = Process(database)
    result(it.accounts.add("ana", "viewer", caller=ADMIN))
    result(it.accounts.new_login(login()))
    it.database.waits = True
    before, it.now = database.written, NOW + 100
    for _ in range(3):
        it.accounts.touch_login("l1", NOW + 2000)
    assert database.written == before + 1
    it.database.deliver()
    it.accounts.touch_login("l1", NOW + 2000)
    assert database.written == before + 1
    it.now = NOW + 200
    it.accounts.touch_login("l1", NOW + 2000)
    assert database.written == before + 2


def test_what_does_not_exist_is_not_touched(site: Process, database: InlineDatabase) -> None:
    before = database.written
    site.accounts.touch_login("l9", NOW + 1)
    site.accounts.touch_key("k9")
    result(site.accounts.end_login("l9"))
    assert database.written == before


def test_what_is_long_over_is_cleaned_each_hour(site: Process, database: InlineDatabase) -> None:
    result(site.accounts.end_login("l1"))
    site.now = NOW + CLEAN
    result(site.accounts.poll())
    account = site.accounts.account("ana")
    assert account is not None
    assert [one.id for one in account.logins] == ["l1"]
    site.now = NOW + KEPT + CLEAN + 1
    result(site.accounts.poll())
    account = site.accounts.account("ana")
    assert account is not None
    assert account.logins == ()
    assert site.agrees()
    before = database.written
    result(site.accounts.poll())
    assert database.written == before + 1, "one read, and no clean-up for an hour"


# --- refresh tokens ---


def test_a_refresh_token_that_comes_again_ends_the_log_in_and_is_an_alarm(site: Process) -> None:
    found = result(site.accounts.rotate_refresh("l1", b"1" * 32, b"2" * 32, NOW + 500, caller=ADMIN))
    assert (found.refresh_hash, found.expires) == (b"2" * 32, NOW + 500)
    assert site.recorded == []
    with pytest.raises(NotAuthenticated, match="used before"):
        result(site.accounts.rotate_refresh("l1", b"1" * 32, b"3" * 32, NOW + 500, caller=ADMIN))
    assert site.recorded == [("access.token_reused", "ana", "alarm")]
    assert site.ended == [Ended("ana", login="l1", why="a used token came again")]
    assert by_login(site) is None
    with pytest.raises(NotAuthenticated, match="is over"):
        result(site.accounts.rotate_refresh("l1", b"2" * 32, b"4" * 32, NOW + 500, caller=ADMIN))
    assert len(site.recorded) == 1


def test_of_two_exchanges_of_one_token_at_once_the_log_in_ends(database: InlineDatabase) -> None:
    it = Process(database)
    result(it.accounts.add("ana", "viewer", caller=ADMIN))
    result(it.accounts.new_login(login(refresh_hash=b"1" * 32)))
    it.database.waits = True
    one = it.accounts.rotate_refresh("l1", b"1" * 32, b"2" * 32, NOW + 500, caller=ADMIN)
    other = it.accounts.rotate_refresh("l1", b"1" * 32, b"3" * 32, NOW + 500, caller=ADMIN)
    it.database.deliver()
    assert result(one).refresh_hash == b"2" * 32
    with pytest.raises(NotAuthenticated):
        result(other)
    assert by_login(it) is None


# --- the record ---

TOLD: tuple[tuple[Callable[[Accounts], Any], str, str, str | None], ...] = (
    (lambda it: it.add("eve", "viewer", None, [BACK, FRONT], caller=ADMIN), "access.user_added",
     "admin added eve as viewer with door back, door front", "eve"),
    (lambda it: it.add("eve", "device", caller=ADMIN), "access.user_added", "admin added eve as device", "eve"),
    (lambda it: it.set_credentials("ana", SECRET, caller=ADMIN), "access.password_changed",
     "admin changed the password of ana", "ana"),
    (lambda it: it.set_role("ana", "viewer", caller=ADMIN), "access.role_changed", "admin made ana viewer", "ana"),
    (lambda it: it.set_disabled("ana", True, caller=ADMIN), "access.user_disabled", "admin disabled ana", "ana"),
    (lambda it: it.set_disabled("ana", False, caller=ADMIN), "access.user_enabled", "admin enabled ana", "ana"),
    (lambda it: it.remove("ana", caller=ADMIN), "access.user_removed", "admin removed ana", "ana"),
    (lambda it: it.grant("ana", DOORS, caller=ADMIN), "access.granted", "admin granted door * to ana", "ana"),
    (lambda it: it.revoke_grant("ana", FRONT, caller=ADMIN), "access.grant_revoked",
     "admin took door front from ana", "ana"),
    (lambda it: it.new_key(key("k2"), caller=ADMIN), "access.key_made",
     'admin made the API key k2 ("script") for ana', "ana"),
    (lambda it: it.revoke_key("k1", caller=Caller(client="command line")), "access.key_revoked",
     'the command line revoked the API key k1 ("script") of ana', "ana"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "text", "subject"), TOLD, ids=[f"{one[1]}-{one[2][-9:]}" for one in TOLD])
def test_every_change_is_told_to_the_record(
    change: Callable[[Accounts], Any], kind: str, text: str, subject: str | None, site: Process
) -> None:
    result(change(site.accounts))
    assert site.recorded == [(kind, subject, "ok")]
    assert site.texts == [text]
    assert "argon2" not in repr(site.details)


REFUSED: tuple[tuple[Callable[[Accounts], Any], str, str], ...] = (
    (lambda it: it.add("ana", "viewer", caller=ADMIN), "conflict", "access.user_added"),
    (lambda it: it.add("gatekeeper", "viewer", caller=ADMIN), "invalid_argument", "access.user_added"),
    (lambda it: it.add("eve", "king", caller=ADMIN), "invalid_argument", "access.user_added"),
    (lambda it: it.add("eve", "viewer", None, [Grant("roof", "a")], caller=ADMIN), "invalid_argument",
     "access.user_added"),
    (lambda it: it.set_role("admin", "viewer", caller=ADMIN), "conflict", "access.role_changed"),
    (lambda it: it.set_role("ana", "king", caller=ADMIN), "invalid_argument", "access.role_changed"),
    (lambda it: it.set_disabled("admin", True, caller=ADMIN), "conflict", "access.user_disabled"),
    (lambda it: it.remove("admin", caller=ADMIN), "conflict", "access.user_removed"),
    (lambda it: it.remove("eve", caller=ADMIN), "no_such_user", "access.user_removed"),
    (lambda it: it.grant("ana", Grant("door", "**"), caller=ADMIN), "invalid_argument", "access.granted"),
    (lambda it: it.revoke_key("k9", caller=ADMIN), "no_such_key", "access.key_revoked"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "code", "kind"), REFUSED)
def test_every_refusal_is_told_to_the_record_and_changes_nothing(
    change: Callable[[Accounts], Any], code: str, kind: str, site: Process
) -> None:
    before = site.accounts.all()
    with pytest.raises(GatekeeperError) as caught:
        result(change(site.accounts))
    assert caught.value.code == code
    [(told, _, outcome)] = site.recorded
    assert (told, outcome, site.details[-1]["change"]) == ("access.change_refused", code, kind)
    assert site.texts[0].endswith(f" refused: {caught.value}")
    assert site.ended == []
    assert site.accounts.all() == before
    assert site.agrees()


def test_a_name_of_a_megabyte_or_of_half_a_character_does_not_get_on_the_record(site: Process) -> None:
    for odd in ("x" * 1_000_000, "\ud800"):
        changes: list[Callable[[], Deferred[Any]]] = [
            lambda odd=odd: site.accounts.add(odd, "viewer", caller=ADMIN),  # type: ignore[misc]
            lambda odd=odd: site.accounts.set_role("ana", odd, caller=ADMIN),  # type: ignore[misc]
            lambda odd=odd: site.accounts.grant("ana", Grant("door", odd), caller=ADMIN),  # type: ignore[misc]
        ]
        for change in changes:
            with pytest.raises(InvalidArgument):
                result(change())
    assert all(len(text) <= LONGEST_TEXT for text in site.texts)
    assert len(repr((site.recorded, site.texts, site.details)).encode()) < 6 * LONGEST_TEXT + 1000
    assert [subject for _, subject, _ in site.recorded] == [None, "ana", "ana"] * 2


def test_whoever_stops_waiting_undoes_nothing(database: InlineDatabase) -> None:
    it = Process(database, waits=True)
    asked = it.accounts.add("ana", "viewer", caller=ADMIN)
    asked.addErrback(lambda _cancelled: None)
    asked.cancel()
    it.database.deliver()
    assert it.accounts.account("ana") is not None
    assert it.recorded == [("access.user_added", "ana", "ok")]


# --- two processes ---


def test_a_change_is_true_here_after_its_commit_and_not_before(database: InlineDatabase) -> None:
    it = Process(database, waits=True)
    asked = it.accounts.add("ana", "viewer", caller=ADMIN)
    assert it.accounts.account("ana") is None
    assert not asked.called
    it.database.deliver()
    assert result(asked) == it.accounts.account("ana")


def test_a_change_between_two_of_ours_is_read_at_once(site: Process, database: InlineDatabase) -> None:
    result(Process(database).accounts.revoke_grant("ana", FRONT, caller=ADMIN))
    result(site.accounts.add("eve", "viewer", caller=ADMIN))
    assert site.agrees()
    assert site.ended == [Ended("ana", why="a grant was revoked")]


def test_a_use_that_brings_another_processs_change_along_ends_what_that_ended(
    site: Process, database: InlineDatabase
) -> None:
    result(Process(database).accounts.revoke_grant("ana", FRONT, caller=ADMIN))
    site.accounts.touch_key("k1")
    assert site.ended == [Ended("ana", why="a grant was revoked")]


def test_what_was_read_before_a_change_of_ours_does_not_undo_it(site: Process, database: InlineDatabase) -> None:
    result(Process(database).accounts.add("eve", "viewer", caller=ADMIN))
    site.database.waits = True
    looking = site.accounts.poll()  # has read; the answer is on its way
    taking = site.accounts.revoke_grant("ana", FRONT, caller=ADMIN)
    site.database.deliver(1)
    assert site.accounts.account("eve") is not None
    site.database.deliver()
    result(taking)
    result(looking)
    assert site.agrees()
    assert site.ended == [Ended("ana", why="a grant was revoked")]


def test_what_was_read_late_is_read_again(site: Process, database: InlineDatabase) -> None:
    """A reader's answer can overtake a writer's and be overtaken: two threads."""
    result(Process(database).accounts.add("eve", "viewer", caller=ADMIN))
    site.database.waits = True
    looking = site.accounts.poll()
    taking = site.accounts.revoke_grant("ana", FRONT, caller=ADMIN)
    site.database.overtake()
    site.database.deliver(1)
    result(taking)
    who = by_key(site)
    assert who is not None
    assert not who.may(Permission.DOOR_OPEN, "front")
    site.database.deliver(1)
    who = by_key(site)
    assert who is not None
    assert not who.may(Permission.DOOR_OPEN, "front"), "what was read before must not bring it back"
    site.database.deliver()
    result(looking)
    assert site.agrees()


def test_our_own_commit_heard_of_late_brings_nothing_back(site: Process, database: InlineDatabase) -> None:
    site.database.waits = True
    giving = site.accounts.grant("ana", BACK, caller=ADMIN)
    result(Process(database).accounts.revoke_grant("ana", FRONT, caller=ADMIN))
    looking = site.accounts.poll()
    site.database.overtake()
    site.database.deliver()
    result(giving)
    result(looking)
    account = site.accounts.account("ana")
    assert account is not None
    assert account.grants == {BACK}
    assert site.agrees()


def test_a_database_that_was_put_back_is_read(site: Process, database: InlineDatabase) -> None:
    """`gatekeeper restore` beside a running site: the revision is lower than before."""
    older = result(site.accounts._database.read(stored.load))
    for _ in range(3):
        result(site.accounts.add("eve", "viewer", caller=ADMIN))
        result(site.accounts.remove("eve", caller=ADMIN))
    result(database.write(lambda it: put_back(it, older.revision)))
    result(site.accounts.poll())
    assert site.accounts._roster.revision == older.revision
    result(site.accounts.add("eve", "viewer", caller=ADMIN))
    assert site.agrees()


def put_back(connection: Connection, revision: int) -> None:
    connection.execute(update(meta).where(meta.c.key == "accounts_revision").values(value=str(revision)))


def test_looks_at_once_are_one(site: Process, database: InlineDatabase) -> None:
    site.database.waits = True
    before = database.written
    answers = [site.accounts.poll() for _ in range(5)]
    assert database.written == before + 1
    site.database.deliver()
    for answer in answers:
        result(answer)


# --- two processes, any interleaving ---

NAMES = st.sampled_from(["ana", "bob", "eve"])
ROLE_NAMES = st.sampled_from(["owner", "owner", "operator", "viewer"])
SOME_GRANTS = st.sampled_from([FRONT, BACK, DOORS])
WHO = st.sampled_from([0, 1])


class Session:
    """A connection that somebody has to the site, which ends when the site is told so."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def is_ended_by(self, ended: Ended) -> bool:
        whole = ended.login is None and ended.key is None
        mine = self.principal.login if ended.login is not None else self.principal.key
        return ended.name == self.principal.name and (whole or mine in (ended.login, ended.key))

    def is_rightful(self, now: Principal | None) -> bool:
        before = self.principal
        return now is not None and now.role == before.role and now.grants >= before.grants


class TwoProcesses(RuleBasedStateMachine):
    """A site and a command line change one database; the site hears of its own commits late, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.database = InlineDatabase()
        self.processes = (Process(self.database), Process(self.database))
        self.site = self.processes[0]
        self.site.accounts.observe(self.end)
        self.sessions: list[Session] = []
        self.had_owner = False
        self.made = 0
        self.asked: list[Deferred[Any]] = []

    @initialize()
    def begin(self) -> None:
        self.site.database.waits = True

    def end(self, ended: Ended) -> None:
        self.sessions = [one for one in self.sessions if not one.is_ended_by(ended)]

    def ask(self, who: int, work: Callable[[Accounts], Deferred[Any]]) -> None:
        if who == 1:
            result(self.processes[1].accounts.poll())
        answer = work(self.processes[who].accounts)
        answer.addErrback(lambda failure: failure.trap(GatekeeperError))
        self.asked.append(answer)

    def fresh(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    @rule(who=WHO, name=NAMES, role=ROLE_NAMES)
    def add(self, who: int, name: str, role: str) -> None:
        self.ask(who, lambda it: it.add(name, role, SECRET, [FRONT], caller=ADMIN))

    @rule(who=WHO, name=NAMES)
    def remove(self, who: int, name: str) -> None:
        self.ask(who, lambda it: it.remove(name, caller=ADMIN))

    @rule(who=WHO, name=NAMES, role=ROLE_NAMES)
    def set_role(self, who: int, name: str, role: str) -> None:
        self.ask(who, lambda it: it.set_role(name, role, caller=ADMIN))

    @rule(who=WHO, name=NAMES, disabled=st.booleans())
    def set_disabled(self, who: int, name: str, disabled: bool) -> None:
        self.ask(who, lambda it: it.set_disabled(name, disabled, caller=ADMIN))

    @rule(who=WHO, name=NAMES, grant=SOME_GRANTS, given=st.booleans())
    def grant(self, who: int, name: str, grant: Grant, given: bool) -> None:
        self.ask(who, lambda it: (it.grant if given else it.revoke_grant)(name, grant, caller=ADMIN))

    @rule(who=WHO, name=NAMES)
    def set_password(self, who: int, name: str) -> None:
        new = Credentials(f"${self.fresh('p')}")
        self.ask(who, lambda it: it.set_credentials(name, new, caller=ADMIN))

    @rule(who=WHO, name=NAMES, life=st.sampled_from([5.0, 1000.0]))
    def make_key(self, who: int, name: str, life: float) -> None:
        made = key(self.fresh("k"), name, expires=self.site.now + life, created=self.site.now)
        self.ask(who, lambda it: it.new_key(made, caller=ADMIN))

    @rule(who=WHO, pick=st.integers(0, 100))
    def revoke_key(self, who: int, pick: int) -> None:
        self.ask(who, lambda it: it.revoke_key(f"k{pick % (self.made + 1)}", caller=ADMIN))

    @rule(name=NAMES, life=st.sampled_from([5.0, 1000.0]))
    def log_in(self, name: str, life: float) -> None:
        now = self.site.now
        made = login(self.fresh("l"), name, created=now, last_used=now, expires=now + life)
        self.ask(0, lambda it: it.new_login(made))

    @rule(pick=st.integers(0, 100))
    def log_out(self, pick: int) -> None:
        self.ask(0, lambda it: it.end_login(f"l{pick % (self.made + 1)}"))

    @rule(who=WHO, name=NAMES)
    def log_out_everywhere(self, who: int, name: str) -> None:
        self.ask(who, lambda it: it.end_all(name))

    @rule(pick=st.integers(0, 100))
    def use(self, pick: int) -> None:
        self.site.accounts.touch_login(f"l{pick % (self.made + 1)}", self.site.now + 1000)
        self.site.accounts.touch_key(f"k{pick % (self.made + 1)}")

    @rule()
    def connect(self) -> None:
        """Everybody who can gets a session of the site."""
        for account in self.site.accounts.all():
            for one in account.logins:
                self.sit(self.site.accounts.principal(account.name, caller=ADMIN, login=one.id))
            for each in account.keys:
                self.sit(self.site.accounts.principal(account.name, caller=ADMIN, key=each.id))

    def sit(self, principal: Principal | None) -> None:
        if principal is not None:
            self.sessions.append(Session(principal))

    @rule(seconds=st.sampled_from([0.5, 4.0, 70.0, 2 * KEPT]))
    def pass_time(self, seconds: float) -> None:
        for process in self.processes:
            process.now += seconds

    @rule(count=st.integers(1, 3))
    def deliver(self, count: int) -> None:
        self.site.database.deliver(count)

    @precondition(lambda self: len(self.site.database) > 1)
    @rule()
    def overtake(self) -> None:
        """A read is answered by another thread than the writes, which stay in order among themselves."""
        self.site.database.overtake()

    @rule()
    def look(self) -> None:
        self.site.accounts.poll()

    @rule()
    def settle(self) -> None:
        """All is delivered, and the site has looked once more: then memory is the database, and nobody sits wrongly."""
        self.site.database.deliver()
        looked = self.site.accounts.poll()
        self.site.database.deliver()
        result(looked)
        assert self.site.agrees()
        assert all(answer.called for answer in self.asked)
        self.asked.clear()
        for session in self.sessions:
            was = session.principal
            now = self.site.accounts.principal(was.name, caller=ADMIN, login=was.login, key=was.key)
            assert session.is_rightful(now), (was, now)

    @invariant()
    def once_there_is_an_owner_there_always_is(self) -> None:
        everybody = result(self.database.read(stored.load)).accounts
        owners = [one for one in everybody if one.role == "owner" and not one.disabled]
        self.had_owner = self.had_owner or bool(owners)
        assert not self.had_owner or owners

    def teardown(self) -> None:
        self.settle()
        self.database.engine.dispose()


TestTwoProcesses = TwoProcesses.TestCase
TestTwoProcesses.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

"""Logging in and out: what it takes, what it gives, what ends it, and what the record is told."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from gatekeeper.access.guard import Channel
from gatekeeper.access.login import Given
from gatekeeper.access.passwords import Cost, Inline
from gatekeeper.access.records import Ended, Grant
from gatekeeper.access.throttle import FREE
from gatekeeper.errors import (
    AccessDenied,
    Conflict,
    GatekeeperError,
    InsecureChannel,
    InvalidArgument,
    NotAuthenticated,
    Overloaded,
    StorageUnavailable,
    TooManyAttempts,
)
from tests.access.house import HERE, LAN, LIFE, PASSWORD, ROOT, TLS, TOKEN, House, run
from tests.access.people import result
from tests.databases import InlineDatabase

WRONG = "not the password of anybody"
NEW = "another good password"


class Asking(Inline):
    """Runs at once, and tells how often; `late` holds what is asked until the test answers."""

    def __init__(self) -> None:
        self.runs = 0
        self.late: list[Any] | None = None
        self.full = False

    def run(self, work: Any, *, here: bool = False) -> "Deferred[Any]":
        if self.full and not here:
            return fail(Overloaded("too many"))
        self.runs += 1
        if self.late is None:
            return super().run(work)
        answer: Deferred[Any] = Deferred()
        self.late.append(lambda: super(Asking, self).run(work).addBoth(answer.callback))
        return answer


@pytest.fixture
def runner() -> Asking:
    return Asking()


@pytest.fixture
def house(runner: Asking) -> House:
    it = House(runner=runner)
    it.add("boss", "owner")
    it.add("ana", "operator", PASSWORD, Grant("door", "front"))
    runner.runs = 0
    return it


def refused(house: House, name: str, password: str, channel: Channel = HERE) -> GatekeeperError:
    with pytest.raises(GatekeeperError) as caught:
        run(house.logins.by_password(name, password, channel))
    return caught.value


# --- by password ---


def test_the_right_password_gives_a_log_in_that_is_on_the_record(house: House) -> None:
    given = run(house.logins.by_password("ana", PASSWORD, HERE))
    who = given.principal
    assert (who.name, who.role, who.grants) == ("ana", "operator", frozenset({Grant("door", "front")}))
    assert house.told == [("access.login", "ana", "ok")]
    assert house.callers[0] == who.caller
    assert (who.caller.name, who.caller.method, who.caller.session) == ("ana", "password", who.login)
    found = house.who(given.cookie)
    assert found is not None
    assert found.login == who.login
    assert given.cookie not in repr(given)


def test_a_wrong_password_gives_nothing_and_is_on_the_record(house: House) -> None:
    error = refused(house, "ana", WRONG)
    assert isinstance(error, NotAuthenticated)
    assert house.told == [("access.refused", "ana", "not_authenticated")]
    assert WRONG not in repr(house.texts)
    assert house.accounts.account("ana").logins == ()  # type: ignore[union-attr]


def test_names_that_nobody_has_or_that_are_shut_out_are_answered_alike(house: House, runner: Asking) -> None:
    house.add("gone", "viewer")
    result(house.accounts.set_disabled("gone", True, caller=ROOT))
    house.add("silent", "viewer", None)
    house.forget()
    runner.runs = 0
    said = []
    for name, password in (("ana", WRONG), ("nobody-here", WRONG), ("gone", PASSWORD), ("silent", PASSWORD), ("", "")):
        error = refused(house, name, password)
        said.append((type(error), str(error)))
    assert len(set(said)) == 1
    assert runner.runs == 5, "each costs one hash"
    assert [kind for kind, _, _ in house.told] == ["access.refused"] * 5


def test_what_is_typed_for_a_name_is_not_on_the_record_unless_somebody_has_it(house: House) -> None:
    refused(house, PASSWORD, PASSWORD)
    assert house.told == [("access.refused", None, "not_authenticated")]
    assert PASSWORD not in repr((house.texts, house.callers))


def test_names_that_nobody_has_are_delayed_like_those_that_somebody_has(house: House) -> None:
    for name in ("ana", "nobody-here"):
        channel = Channel(f"198.51.100.{len(name)}", secure=True)
        for _ in range(FREE + 1):
            assert isinstance(refused(house, name, WRONG, channel), NotAuthenticated)
        error = refused(house, name, WRONG, channel)
        assert isinstance(error, TooManyAttempts)
        assert error.retry_after == 1


def test_while_it_is_delayed_the_right_password_is_not_looked_at_and_then_it_is(house: House, runner: Asking) -> None:
    for _ in range(FREE + 1):
        refused(house, "ana", WRONG, TLS)
    runner.runs = 0
    house.forget()
    for _ in range(100):
        assert isinstance(refused(house, "ana", PASSWORD, TLS), TooManyAttempts)
    assert runner.runs == 0
    assert house.told == [("access.throttled", "ana", "too_many_attempts")]
    house.now += 1
    run(house.logins.by_password("ana", PASSWORD, TLS))


def test_a_password_is_tried_a_hundred_times_a_day_at_most(house: House) -> None:
    looked_at, end = 0, house.now + 86400
    while house.now < end:
        error = refused(house, "ana", WRONG, TLS)
        looked_at += isinstance(error, NotAuthenticated)
        house.now += getattr(error, "retry_after", 0.0)
    assert 50 < looked_at < 120


def test_attempts_from_elsewhere_do_not_keep_the_owner_from_logging_in_at_the_machine(house: House) -> None:
    for number in range(50):
        refused(house, "boss", WRONG, Channel(f"198.51.100.{number}", secure=True))
    assert isinstance(refused(house, "boss", PASSWORD, TLS), TooManyAttempts)
    for here in (HERE, Channel("::1"), Channel("unix")):
        run(house.logins.by_password("boss", PASSWORD, here))


def test_keys_tokens_cookies_and_links_are_never_delayed(house: House) -> None:
    key, given, cookie = house.key("ana"), run(house.logins.token("ana", PASSWORD, TLS)), house.cookie("ana")
    for _ in range(20):
        refused(house, "ana", WRONG, TLS)
    assert isinstance(refused(house, "ana", PASSWORD, TLS), TooManyAttempts)
    for secret in (key, given.token, TOKEN):
        assert house.identify(TLS.address, authorization=f"Bearer {secret}") is not None
    assert house.identify(TLS.address, secure=True, cookie=f"__Host-gatekeeper={cookie}") is not None
    run(house.logins.by_key(key, TLS))
    run(house.logins.refresh(given.refresh, TLS))
    run(house.logins.by_link(house.links.new("boss", "owner"), TLS))


def test_over_plain_http_from_elsewhere_no_password_is_looked_at(house: House, runner: Asking) -> None:
    for asked in (
        house.logins.by_password("ana", PASSWORD, LAN),
        house.logins.token("ana", PASSWORD, LAN),
        house.logins.by_key(TOKEN, LAN),
        house.logins.by_link(house.links.new("boss", "owner"), LAN),
        house.logins.refresh("gr_x", LAN),
        house.logins.session("ana", PASSWORD, Channel(LAN.address, "wamp"), 1),
    ):
        with pytest.raises(InsecureChannel, match="tls init"):
            run(asked)
    assert runner.runs == 0
    assert {kind for kind, _, _ in house.told} == {"access.refused"}


def test_it_is_if_the_configuration_says_so() -> None:
    house = House(plain=True)
    house.add("ana")
    run(house.logins.by_password("ana", PASSWORD, LAN))
    run(house.logins.by_key(TOKEN, LAN))


def test_when_too_many_wait_it_counts_as_no_attempt(house: House, runner: Asking) -> None:
    runner.full = True
    for _ in range(20):
        assert isinstance(refused(house, "ana", PASSWORD, TLS), Overloaded)
    run(house.logins.by_password("ana", PASSWORD, HERE))
    runner.full = False
    run(house.logins.by_password("ana", PASSWORD, TLS))


def test_a_thousand_at_once_are_not_looked_at_together(house: House, runner: Asking) -> None:
    runner.late = []
    asked = [Deferred.fromCoroutine(house.logins.by_password("ana", WRONG, TLS)) for _ in range(1000)]
    assert len(runner.late) == FREE + 1
    for answer in runner.late:
        answer()
    failed: list[str] = []
    for one in asked:
        one.addBoth(lambda failure: failed.append(failure.type.__name__))
    assert failed.count("NotAuthenticated") == FREE + 1
    assert failed.count("TooManyAttempts") == 1000 - FREE - 1


def test_a_password_that_is_changed_while_it_is_looked_at_counts_as_the_new_one(house: House, runner: Asking) -> None:
    kept = result(house.passwords.make("ana", NEW))
    runner.late = []
    old = Deferred.fromCoroutine(house.logins.by_password("ana", PASSWORD, TLS))
    new = Deferred.fromCoroutine(house.logins.by_password("ana", NEW, TLS))
    result(house.accounts.set_credentials("ana", kept, caller=ROOT))
    while runner.late:
        runner.late.pop(0)()
    with pytest.raises(NotAuthenticated):
        result(old)
    assert result(new).principal.name == "ana"


def test_while_nothing_can_be_stored_no_log_in_is_given_and_nothing_is_left(house: House) -> None:
    house.database.fail("disk full")
    assert isinstance(refused(house, "ana", PASSWORD), StorageUnavailable)
    house.database.fail(None)
    assert house.accounts.account("ana").logins == ()  # type: ignore[union-attr]


# --- what is kept, renewed ---


def test_a_password_that_was_kept_cheaper_is_kept_anew_at_its_next_use(house: House) -> None:
    dear = House(house.database, cost=Cost(16, 1, 1, 20))
    given = run(dear.logins.by_password("ana", PASSWORD, HERE))
    account = dear.accounts.account("ana")
    assert account is not None
    assert account.credentials is not None
    assert "m=16" in account.credentials.password_hash
    assert dear.who(given.cookie) is not None, "which ends nothing"
    assert dear.ended == []
    assert isinstance(refused(dear, "ana", WRONG), NotAuthenticated)
    run(dear.logins.by_password("ana", PASSWORD, HERE))


def test_after_the_key_file_is_lost_a_log_in_by_password_mends_what_wamp_needs(house: House) -> None:
    other = House(house.database, key=b"o" * 32)
    assert other.wamp.find("wampcra", "ana") is None
    run(other.logins.by_password("ana", PASSWORD, HERE))
    assert other.wamp.find("wampcra", "ana") is not None


# --- by key ---


@pytest.mark.parametrize("secret", ["", "wrong", "gk_0_x", "gk_0000000000000000_xxxx", PASSWORD])
def test_what_is_no_key_logs_nobody_in(house: House, secret: str) -> None:
    with pytest.raises(NotAuthenticated):
        run(house.logins.by_key(secret, HERE))
    assert house.told == [("access.refused", None, "not_authenticated")]


def test_a_token_is_no_key(house: House) -> None:
    token = run(house.logins.token("ana", PASSWORD, HERE)).token
    with pytest.raises(NotAuthenticated):
        run(house.logins.by_key(token, HERE))


def test_the_admin_token_makes_the_account_that_it_stands_for_and_never_a_password(house: House) -> None:
    given = run(house.logins.by_key(TOKEN, HERE))
    assert (given.principal.name, given.principal.role) == ("admin", "owner")
    account = house.accounts.account("admin")
    assert account is not None
    assert account.credentials is None
    assert not house.guard.must_choose_password(given.principal)
    assert TOKEN not in repr(account)


# --- by link ---


def by_link(house: House, name: str = "admin") -> Given:
    return run(house.logins.by_link(house.links.new(name, "owner"), HERE))


def test_the_first_starts_link_makes_the_owner_who_then_chooses_name_and_password() -> None:
    house = House(token=None)
    given = by_link(house)
    assert (given.principal.name, given.principal.role) == ("admin", "owner")
    assert house.guard.must_choose_password(given.principal)
    assert not house.accounts.has_owner_with_password
    chosen = run(house.logins.choose(house.who(given.cookie), "maria", PASSWORD, HERE))
    assert (chosen.principal.name, chosen.principal.role) == ("maria", "owner")
    assert not house.guard.must_choose_password(chosen.principal)
    assert house.who(given.cookie) is None
    assert house.accounts.account("admin") is None
    assert house.accounts.has_owner_with_password
    run(house.logins.by_password("maria", PASSWORD, HERE))


def test_the_owner_may_stay_admin() -> None:
    house = House(token=None)
    given = by_link(house)
    chosen = run(house.logins.choose(house.who(given.cookie), "admin", PASSWORD, HERE))
    assert house.who(given.cookie) is None
    assert house.who(chosen.cookie) is not None
    run(house.logins.by_password("admin", PASSWORD, HERE))


def test_a_bad_name_or_password_is_refused_and_can_be_mended(house: House) -> None:
    given = by_link(house)
    for name, password, error in (
        ("Maria!", PASSWORD, InvalidArgument),
        ("gatekeeper", PASSWORD, InvalidArgument),
        ("maria", "short", InvalidArgument),
        ("boss", PASSWORD, Conflict),
    ):
        with pytest.raises(error):
            run(house.logins.choose(house.who(given.cookie), name, password, HERE))
    assert house.accounts.account("admin") is not None
    run(house.logins.choose(house.who(given.cookie), "maria", PASSWORD, HERE))


def test_somebody_who_forgot_the_password_chooses_another_under_the_same_name(house: House) -> None:
    before = house.cookie("ana")
    given = run(house.logins.by_link(house.links.new("ana", "operator"), TLS))
    assert (given.principal.name, given.principal.role) == ("ana", "operator")
    with pytest.raises(InvalidArgument, match="ana"):
        run(house.logins.choose(given.principal, "boss2", NEW, TLS))
    run(house.logins.choose(given.principal, "ana", NEW, TLS))
    assert house.who(before) is None, "whoever knew the old one is out"
    refused(house, "ana", PASSWORD)
    run(house.logins.by_password("ana", NEW, HERE))


def test_without_a_link_nobody_chooses_a_password_without_the_old_one(house: House) -> None:
    for who in (None, house.who(house.cookie("ana")), run(house.logins.by_key(TOKEN, HERE)).principal):
        with pytest.raises(NotAuthenticated):
            run(house.logins.choose(who, "ana", NEW, HERE))


def test_a_link_of_somebody_who_is_shut_out_or_gone_opens_nothing(house: House) -> None:
    code = house.links.new("ana", "operator")
    result(house.accounts.set_disabled("ana", True, caller=ROOT))
    with pytest.raises(AccessDenied):
        run(house.logins.by_link(code, HERE))


def test_a_used_link_is_refused_and_on_the_record_without_its_code(house: House) -> None:
    code = house.links.new("boss", "owner")
    run(house.logins.by_link(code, HERE))
    house.forget()
    with pytest.raises(NotAuthenticated):
        run(house.logins.by_link(code, HERE))
    assert house.told == [("access.refused", None, "not_authenticated")]
    assert code not in repr(house.texts)


def test_over_a_channel_on_which_it_is_not_taken_or_on_a_full_disk_a_link_stays_good(house: House) -> None:
    code = house.links.new("boss", "owner")
    with pytest.raises(InsecureChannel):
        run(house.logins.by_link(code, LAN))
    house.database.fail("disk full")
    with pytest.raises(StorageUnavailable):
        run(house.logins.by_link(code, HERE))
    house.database.fail(None)
    assert run(house.logins.by_link(code, HERE)).principal.name == "boss"


# --- tokens ---


def test_a_refresh_token_gives_the_next_and_is_then_worth_nothing(house: House) -> None:
    first = run(house.logins.token("ana", PASSWORD, HERE))
    house.now += 600
    second = run(house.logins.refresh(first.refresh, HERE))
    third = run(house.logins.refresh(second.refresh, HERE))
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert len({first.token, second.token, third.token}) == 3
    found = house.identify(authorization=f"Bearer {third.token}")
    assert found is not None
    assert found.login == first.principal.login
    house.now += LIFE - 1
    run(house.logins.refresh(third.refresh, HERE))


@pytest.mark.parametrize("old", [0, 1, 2])
def test_any_earlier_refresh_token_ends_the_whole_log_in_with_an_alarm(house: House, old: int) -> None:
    given = [run(house.logins.token("ana", PASSWORD, HERE))]
    for _ in range(3):
        given.append(run(house.logins.refresh(given[-1].refresh, HERE)))
    house.forget()
    with pytest.raises(NotAuthenticated):
        run(house.logins.refresh(given[old].refresh, TLS))
    assert ("access.token_reused", "ana", "alarm") in house.told
    assert [ended.login for ended in house.ended] == [given[0].principal.login]
    for one in given:
        assert house.identify(authorization=f"Bearer {one.token}") is None
    with pytest.raises(NotAuthenticated):
        run(house.logins.refresh(given[-1].refresh, HERE))


def test_a_made_up_refresh_token_ends_nothing(house: House) -> None:
    given = run(house.logins.token("ana", PASSWORD, HERE))
    for made_up in ("", "x", f"gr_{given.principal.login}_{'A' * 43}_{'0' * 32}", given.refresh[:-1], given.token):
        with pytest.raises(NotAuthenticated):
            run(house.logins.refresh(made_up, HERE))
    run(house.logins.refresh(given.refresh, HERE))


def test_a_refresh_token_ends_with_its_log_in(house: House) -> None:
    given = run(house.logins.token("ana", PASSWORD, HERE))
    other = run(house.logins.token("ana", PASSWORD, HERE))
    run(house.logins.out(given.principal))
    with pytest.raises(NotAuthenticated):
        run(house.logins.refresh(given.refresh, HERE))
    house.now += LIFE
    with pytest.raises(NotAuthenticated):
        run(house.logins.refresh(other.refresh, HERE))


def test_of_two_that_refresh_at_once_one_gets_a_token_and_then_nobody_has_one(house: House) -> None:
    given = run(house.logins.token("ana", PASSWORD, HERE))
    run(house.logins.refresh(given.refresh, HERE))
    with pytest.raises(NotAuthenticated):
        run(house.logins.refresh(given.refresh, HERE))


# --- changing the password ---


def test_a_changed_password_ends_every_other_log_in(house: House) -> None:
    mine, other = run(house.logins.by_password("ana", PASSWORD, HERE)), house.cookie("ana")
    token = run(house.logins.token("ana", PASSWORD, HERE)).token
    run(house.logins.change(mine.principal, PASSWORD, NEW, HERE))
    assert house.who(mine.cookie) is not None
    assert house.who(other) is None
    assert house.identify(authorization=f"Bearer {token}") is None
    refused(house, "ana", PASSWORD)
    run(house.logins.by_password("ana", NEW, HERE))


def test_the_old_password_must_be_right_and_wrong_ones_are_delayed(house: House) -> None:
    mine = run(house.logins.by_password("ana", PASSWORD, TLS)).principal
    for _ in range(FREE + 1):
        with pytest.raises(NotAuthenticated):
            run(house.logins.change(mine, WRONG, NEW, TLS))
    with pytest.raises(TooManyAttempts):
        run(house.logins.change(mine, PASSWORD, NEW, TLS))


@pytest.mark.parametrize("new", ["short", PASSWORD, "x" * 20])
def test_a_new_password_that_is_no_good_costs_no_attempt(house: House, runner: Asking, new: str) -> None:
    mine = run(house.logins.by_password("ana", PASSWORD, HERE)).principal
    runner.runs = 0
    with pytest.raises(InvalidArgument):
        run(house.logins.change(mine, PASSWORD, new, HERE))
    assert runner.runs == 0


# --- out ---


def test_out_is_out_everywhere_that_hangs_on_the_log_in(house: House) -> None:
    given, other = run(house.logins.token("ana", PASSWORD, HERE)), house.cookie("ana")
    house.forget()
    run(house.logins.out(given.principal))
    assert house.ended == [Ended("ana", login=given.principal.login, why="logged out")]
    assert house.told == [("access.logout", "ana", "ok")]
    assert house.identify(authorization=f"Bearer {given.token}") is None
    assert house.who(other) is not None
    run(house.logins.out(given.principal))
    run(house.logins.out(None))


def test_out_holds_even_on_a_full_disk(house: House) -> None:
    given = run(house.logins.by_password("ana", PASSWORD, HERE))
    house.database.fail("disk full")
    with pytest.raises(StorageUnavailable):
        run(house.logins.out(given.principal))
    assert house.who(given.cookie) is None


def test_out_everywhere_ends_all_log_ins_and_the_sessions_without_one(house: House) -> None:
    mine, other = run(house.logins.by_password("ana", PASSWORD, HERE)), house.cookie("ana")
    bosses = house.cookie("boss")
    house.forget()
    run(house.logins.out_everywhere(mine.principal, keep=True))
    assert house.who(mine.cookie) is not None
    assert house.who(other) is None
    assert Ended("ana", login="", why="logged out everywhere") in house.ended
    run(house.logins.out_everywhere(mine.principal))
    assert house.who(mine.cookie) is None
    assert house.who(bosses) is not None


# --- secrets ---


def test_the_database_holds_no_secret_in_the_clear(house: House) -> None:
    token = run(house.logins.token("ana", PASSWORD, HERE))
    secrets = [
        PASSWORD, TOKEN, house.cookie("ana"), token.refresh, token.refresh.split("_")[2], token.token,
        house.key("ana").split("_", 2)[2], run(house.logins.by_key(TOKEN, HERE)).cookie,
    ]  # fmt: skip
    database = house.database
    assert isinstance(database, InlineDatabase)
    with database.engine.connect() as connection:
        names = connection.exec_driver_sql("select name from sqlite_master where type = 'table'").scalars().all()
        held = "".join(repr(connection.exec_driver_sql(f"select * from {name}").all()) for name in names)  # noqa: S608
    assert "ana" in held
    for secret in secrets:
        assert secret not in held
        assert secret not in repr((house.texts, house.callers, house.ended))


def test_who_makes_the_owners_account_at_the_first_start_stands_on_the_record() -> None:
    for method in ("key", "link"):
        house = House()
        code = house.links.new("admin", "owner")
        run(house.logins.by_key(TOKEN, HERE) if method == "key" else house.logins.by_link(code, HERE))
        assert house.told == [("access.user_added", "admin", "ok"), ("access.login", "admin", "ok")]
        assert [(caller.name, caller.method) for caller in house.callers] == [("admin", method)] * 2

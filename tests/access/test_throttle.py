"""How often a wrong password may be tried: the delays, whom they hit, and what forgets them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.access.throttle import (
    FORGOTTEN_AFTER,
    FREE,
    LONGEST_DELAY,
    Attempt,
    Counters,
    Throttle,
    Wait,
    delay_after,
    is_local,
    zone_of,
)

FAR = "192.0.2.7"


def begin(throttle: Throttle, account: str, address: str, now: float) -> Attempt:
    """Return an attempt that is looked at."""
    attempt = throttle.begin(account, address, now)
    assert isinstance(attempt, Attempt)
    return attempt


def fail_at(throttle: Throttle, account: str, address: str, now: float) -> float:
    """Fail once, as soon as that is looked at; return when that was."""
    answer = throttle.begin(account, address, now)
    return now if isinstance(answer, Attempt) else fail_at(throttle, account, address, now + answer.seconds)


def refused(throttle: Throttle, account: str, address: str, now: float) -> int:
    """Return the seconds to wait; 0 if it isn't refused, and then it isn't counted either."""
    answer = throttle.begin(account, address, now)
    if isinstance(answer, Wait):
        assert answer.seconds > 0
        return answer.seconds
    throttle.undone(answer)
    return 0


def test_the_first_four_failures_cost_nothing_then_each_doubles_the_delay() -> None:
    assert [delay_after(number) for number in range(9)] == [0, 0, 0, 0, 0, 1, 2, 4, 8]
    assert delay_after(14) == 512
    assert delay_after(15) == delay_after(10**9) == LONGEST_DELAY == 900


def test_an_account_is_delayed_whatever_addresses_it_is_tried_from() -> None:
    throttle = Throttle()
    for number in range(FREE + 3):
        fail_at(throttle, "ana", f"198.51.{number}.1", 100.0 * number)
    last = 100.0 * (FREE + 2)
    assert refused(throttle, "ana", "203.0.113.9", last + 1) == 3
    assert refused(throttle, "ana", "203.0.113.9", last + 4) == 0
    assert refused(throttle, "ben", "203.0.113.9", last + 1) == 0


def test_an_address_is_delayed_whatever_accounts_it_tries() -> None:
    throttle = Throttle()
    for number in range(FREE + 2):
        fail_at(throttle, f"name{number}", FAR, 10.0)
    assert refused(throttle, "another", FAR, 11.0) == 2
    assert refused(throttle, "another", "192.0.2.8", 11.0) == 0


def test_attempts_that_run_at_once_all_count_before_any_has_failed() -> None:
    throttle = Throttle()
    for _ in range(FREE + 1):
        begin(throttle, "ana", FAR, 0.0)
    assert isinstance(throttle.begin("ana", FAR, 0.0), Wait)


def test_a_refused_attempt_does_not_prolong_the_wait() -> None:
    throttle = Throttle()
    for _ in range(FREE + 3):
        last = fail_at(throttle, "ana", FAR, 0.0)
    for tenth in range(39):
        assert refused(throttle, "ana", FAR, last + tenth / 10) > 0
    assert refused(throttle, "ana", FAR, last + 4) == 0


def test_the_first_refusal_of_an_episode_is_told_and_no_other() -> None:
    throttle = Throttle()
    told = []
    now = 0.0
    for _ in range(200):
        answer = throttle.begin("ana", FAR, now)
        if isinstance(answer, Wait):
            told.append(answer.is_first)
        now += 0.5
    assert told[0]
    assert sum(told) == 1
    assert len(told) > 100
    now += FORGOTTEN_AFTER
    for _ in range(FREE + 1):
        begin(throttle, "ana", FAR, now)
    assert throttle.begin("ana", FAR, now) == Wait(1, True)


def test_success_forgets_the_account_but_not_what_its_address_did_to_others() -> None:
    throttle = Throttle()
    for number in range(FREE):
        begin(throttle, f"victim{number}", FAR, 0.0)
    for _ in range(3):
        throttle.succeeded(begin(throttle, "mallory", FAR, 0.0))
    begin(throttle, "victim", FAR, 0.0)
    assert refused(throttle, "victim", FAR, 0.5) > 0, "his own account must not buy further guesses"
    for _ in range(FREE):
        fail_at(throttle, "ana", "198.51.100.1", 0.0)
    throttle.succeeded(begin(throttle, "ana", "198.51.100.2", 0.0))
    for _ in range(FREE):
        begin(throttle, "ana", "198.51.100.3", 0.0)


def test_success_beside_a_failure_does_not_shorten_that_ones_delay() -> None:
    throttle = Throttle()
    for number in range(FREE + 5):
        last = fail_at(throttle, f"victim{number}", FAR, 0.0)
    start = last + delay_after(FREE + 5)
    own = begin(throttle, "mallory", FAR, start)
    throttle._counters["address"].add(zone_of(FAR), start)  # another attempt, which was let in at the same time
    throttle.succeeded(own)
    assert refused(throttle, "victim", FAR, start + 1) == delay_after(FREE + 6) - 1


def test_the_machine_itself_and_what_comes_from_elsewhere_do_not_delay_each_other() -> None:
    throttle = Throttle()
    for number in range(30):
        fail_at(throttle, "admin", f"198.51.100.{number}", 0.0)
    assert refused(throttle, "admin", FAR, 1.0) > 0
    for here in ("127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1", "unix", "local"):
        assert refused(throttle, "admin", here, 1.0) == 0
    for _ in range(FREE + 1):
        begin(throttle, "ben", "127.0.0.1", 0.0)
    assert refused(throttle, "ben", "::1", 0.5) > 0, "but it is delayed by its own failures"
    assert refused(throttle, "ben", FAR, 0.5) == 0
    for number in range(30):
        fail_at(throttle, f"name{number}", "127.0.0.1", 0.0)
    assert refused(throttle, "admin", "127.0.0.1", 0.5) == 0, "whoever else fails at the machine"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("garbage", "rubbish", False),
        ("127.0.0.1", "::1", True),
        ("unix", "127.0.0.1", True),
    ],
)
def test_addresses_of_one_home_are_one(one: str, other: str, same: bool) -> None:
    assert (zone_of(one) == zone_of(other)) is same


def test_only_this_machine_is_local() -> None:
    assert all(map(is_local, ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "unix", "local")))
    assert not any(map(is_local, (FAR, "10.0.0.1", "169.254.1.1", "fe80::1%lo", "::", "0.0.0.0", "localhost", "")))  # noqa: S104


def test_all_is_forgotten_an_hour_after_the_last_failure() -> None:
    throttle = Throttle()
    for _ in range(20):
        last = fail_at(throttle, "ana", FAR, 0.0)
    assert refused(throttle, "ana", FAR, last + LONGEST_DELAY - 1) == 1
    now = last + FORGOTTEN_AFTER
    for _ in range(FREE + 1):
        begin(throttle, "ana", FAR, now)


def test_names_that_nobody_could_have_count_alike_and_take_no_more_room() -> None:
    throttle = Throttle()
    for name in ("", "x" * 100_000, "\udcff", "\0"):
        for _ in range(FREE + 1):
            begin(throttle, name, FAR + name[:1].replace("\0", "0"), 0.0)
        assert refused(throttle, name, "198.51.100.1", 0.5) > 0
    assert all(len(key) == 32 for key in throttle._counters["account"]._held)


# --- bounded memory ---


def test_there_are_never_more_counters_than_the_maximum() -> None:
    counters = Counters(50)
    for number in range(10_000):
        counters.add(f"key{number}", number / 1000)
    assert len(counters) == 50
    assert sum(map(len, counters._levels)) == 50


def test_filling_the_table_does_not_forget_who_failed_often() -> None:
    counters = Counters(100)
    for _ in range(20):
        counters.add("victim", 0.0)
    for number in range(5_000):
        counters.add(f"noise{number}", 1.0)
    assert counters.wait("victim", 2.0) > 890


def test_in_a_full_table_a_newcomer_has_no_free_guesses_left_but_his_first_is_looked_at() -> None:
    counters = Counters(100)
    for number, _ in itertools.product(range(100), range(FREE + 2)):
        counters.add(f"noise{number}", 0.0)
    assert counters.wait("newcomer", 1.0) == 0
    counters.add("newcomer", 1.0)
    assert counters.wait("newcomer", 1.0) > 0
    counters.add("other", 1.0)  # takes the newcomer's place
    counters.add("newcomer", 1.0)
    assert counters.wait("newcomer", 1.0) > 0, "alternating between two names must not reset both"


def test_what_is_over_makes_room_first() -> None:
    counters = Counters(10)
    for _ in range(20):
        counters.add("old", 0.0)
    for number in range(9):
        counters.add(f"new{number}", FORGOTTEN_AFTER - 1)
    counters.add("one more", FORGOTTEN_AFTER)
    assert len(counters) == 10
    assert "old" not in counters._held
    assert counters._held["one more"].failures == 1


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["add", "subtract", "remove", "wait"])), max_size=60)
)
def test_the_levels_hold_each_key_once_whatever_is_done(steps: list[tuple[str, str]]) -> None:
    counters = Counters(4)
    failures = []
    for now, (key, step) in enumerate(steps):
        if step == "add":
            failures.append(counters.add(key, float(now)))
        elif step == "subtract" and failures:
            counters.subtract(failures.pop())
        elif step == "remove":
            counters.remove(key)
        else:
            counters.wait(key, float(now))
        assert sorted(name for level in counters._levels for name in level) == sorted(counters._held)
        assert len(counters) <= 4
        assert all(counter.failures > 0 for counter in counters._held.values())


def test_the_wait_is_told_in_whole_seconds_that_suffice() -> None:
    throttle = Throttle()
    for _ in range(FREE + 2):
        last = fail_at(throttle, "ana", FAR, 0.25)
    assert [refused(throttle, "ana", FAR, last + more) for more in (0, 0.5, 1, 1.5, 2)] == [2, 2, 1, 1, 0]

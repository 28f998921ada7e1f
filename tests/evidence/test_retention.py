"""What goes when: oldest first, never what must stay, and a plan says what it can't do."""

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.evidence.retention import (
    DAY,
    ONE_IN,
    Going,
    Piece,
    Planner,
    Policy,
    Thinner,
    Why,
    lines,
    plan,
    size,
)

NOW = 1_800_000_000.0


def pieces(*ages: float, size: int = 100) -> list[Piece]:
    """Return one piece per age, in days, oldest first."""
    return [Piece(number, NOW - age * DAY, size, number=number) for number, age in enumerate(ages, 1)]


def keys(goes: list[Going]) -> list[object]:
    return [going.piece.key for going in goes]


def test_what_is_older_than_the_days_goes_and_what_is_exactly_so_old_stays() -> None:
    found = plan(Policy(days=30), NOW, 400, pieces(40, 30.1, 30, 1))
    assert keys(found.goes) == [1, 2]
    assert {going.why for going in found.goes} == {Why.AGE}
    assert (found.left, found.over) == (200, 0)


def test_what_is_over_the_bytes_goes_oldest_first_until_it_fits() -> None:
    found = plan(Policy(bytes=250), NOW, 500, pieces(5, 4, 3, 2, 1))
    assert keys(found.goes) == [1, 2, 3]
    assert {going.why for going in found.goes} == {Why.BYTES}
    assert found.left == 200


def test_exactly_the_bound_fits() -> None:
    assert plan(Policy(bytes=500), NOW, 500, pieces(5, 4, 3, 2, 1)).goes == []


def test_without_bounds_nothing_goes_and_nothing_is_looked_at() -> None:
    planner = Planner(Policy(), NOW, 10**12)
    assert planner.done
    assert planner.take(iter(pieces(10_000))) == []


def test_what_is_on_hold_is_stepped_over_and_counted() -> None:
    held = [Piece(1, NOW - 50 * DAY, 100, "on hold"), Piece(2, NOW - 40 * DAY, 100), *pieces(1)]
    found = plan(Policy(days=30), NOW, 300, held)
    assert keys(found.goes) == [2]
    assert found.stays == {"on hold": 1}


def test_if_all_that_is_left_must_stay_the_plan_says_how_much_too_much_that_is() -> None:
    held = [Piece(number, NOW - DAY, 100, "on hold") for number in range(3)]
    found = plan(Policy(bytes=150), NOW, 300, held)
    assert found.goes == []
    assert (found.over, found.stays) == (150, {"on hold": 3})
    assert any("150 bytes too much" in line for line in lines("x", Policy(bytes=150), found, str))


def test_a_shared_file_is_free_only_when_the_last_one_goes() -> None:
    shared = [Piece(1, NOW - 9, 100, file=b"a", sharers=2), Piece(2, NOW - 8, 100, file=b"a", sharers=2)]
    other = [Piece(3, NOW - 7, 100, file=b"b"), Piece(4, NOW - 6, 100, file=b"c")]
    found = plan(Policy(bytes=250), NOW, 300, [*shared, *other])
    assert keys(found.goes) == [1, 2]
    assert found.left == 200


def test_a_file_that_something_on_hold_shares_is_never_free() -> None:
    shared = [Piece(1, NOW - 9, 100, file=b"a", sharers=2), Piece(2, NOW - 8, 100, "on hold", b"a", 2)]
    found = plan(Policy(bytes=50), NOW, 100, shared)
    assert keys(found.goes) == [1]
    assert found.over == 50


def test_the_search_ends_at_the_first_that_stays_for_its_youth_and_reads_no_further() -> None:
    def read() -> object:
        yield from pieces(40, 1)
        raise AssertionError("read on")

    assert keys(plan(Policy(days=30), NOW, 200, read()).goes) == [1]  # type: ignore[arg-type]


def test_a_row_that_a_wrong_clock_dated_in_the_future_does_not_end_the_search() -> None:
    assert keys(plan(Policy(days=30), NOW, 300, pieces(40, -4000, 35, 1)).goes) == [1, 3]


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    assert plan(Policy(days=30), 0.0, 300, pieces(40, 35, 1)).goes == []


def test_page_by_page_is_as_all_at_once() -> None:
    every = pieces(*range(60, 0, -1))
    whole = plan(Policy(days=30, bytes=2000), NOW, 6000, every)
    planner = Planner(Policy(days=30, bytes=2000), NOW, 6000)
    found: list[Going] = []
    for start in range(0, 60, 7):
        found += planner.take(every[start : start + 7])
    assert found == whole.goes
    assert planner.left == whole.left == 2000


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000), st.booleans()), max_size=60),
    st.none() | st.floats(0.5, 100),
    st.none() | st.integers(0, 20_000),
)
def test_never_what_is_on_hold_and_always_the_oldest_and_no_more_than_needed(
    rows: list[tuple[float, int, bool]], days: float | None, limit: int | None
) -> None:
    rows.sort(reverse=True)
    every = [
        Piece(number, NOW - age * DAY, size, "on hold" if held else None)
        for number, (age, size, held) in enumerate(rows)
    ]
    total = sum(piece.size for piece in every)
    found = plan(Policy(days, limit), NOW, total, every)
    gone = [going.piece for going in found.goes]
    assert all(piece.stays is None for piece in gone)
    free = [piece for piece in every if piece.stays is None]
    assert gone == free[: len(gone)]
    assert found.left == total - sum(piece.size for piece in gone)
    left = free[len(gone) :]
    if days is not None:
        assert all(piece.time >= NOW - days * DAY for piece in left)
    if limit is not None:
        assert found.over == max(0, found.left - limit)
        if found.over:
            assert left == []
    for place, going in enumerate(found.goes):
        before = total - sum(piece.size for piece in gone[:place])
        if going.why is Why.BYTES:
            assert limit is not None
            assert before > limit
        else:
            assert days is not None
            assert going.piece.time < NOW - days * DAY


# --- a disk that fills up --------------------------------------------------------------------------------------------


def test_of_each_action_one_picture_in_four_stays_at_first() -> None:
    thinner = Thinner(500, NOW, whole=False)
    assert keys(thinner.take(pieces(*[3] * 8))) == [2, 3, 4, 6, 7]
    assert thinner.done
    assert [number for number in range(1, 9) if number % ONE_IN == 1] == [1, 5]


def test_what_is_not_enough_then_goes_whole_but_never_what_is_on_hold_or_of_the_last_day() -> None:
    every = [*pieces(3, 3, 3, 3, 3), Piece(8, NOW - 2 * DAY, 100, "on hold"), *pieces(0.5)]
    thinner = Thinner(10_000, NOW, whole=True)
    assert keys(thinner.take(every)) == [1, 2, 3, 4, 5]
    assert not thinner.done
    assert thinner.need == 9_500


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_plan_reads_as_lines_with_totals() -> None:
    policy = Policy(days=30, bytes=250)
    found = plan(policy, NOW, 500, [Piece(9, NOW - 50 * DAY, 100, "on hold"), *pieces(40, 3, 2, 1)])
    assert lines("pictures", policy, found, lambda time: f"day {(NOW - time) / DAY:.0f}") == [
        "pictures: 500 bytes kept; at most 30 days and 250 bytes",
        "  1 go (older than 30 days), of day 40 to day 40",
        "  2 go (more than 250 bytes), of day 3 to day 2",
        "  300 bytes become free, 200 bytes stay",
        "  1 stay: on hold",
    ]
    assert lines("events", Policy(), plan(Policy(), NOW, 0, []), str)[1:] == ["  nothing goes"]


def test_bytes_for_people() -> None:
    assert [size(count) for count in (999, 1000, 2_500_000, 10_000_000_000)] == [
        "999 bytes",
        "1.0 KB",
        "2.5 MB",
        "10.0 GB",
    ]

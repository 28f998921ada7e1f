import pytest

from gatekeeper.wamp.ids import MAX_ID, Sequence, is_id, random_id


def test_a_random_id_is_from_1_to_2_to_the_53() -> None:
    assert random_id(lambda bits: 0) == 1
    assert random_id(lambda bits: 2**bits - 1) == MAX_ID


@pytest.mark.parametrize("value", [0, -1, MAX_ID + 1, True, 1.0, "1", None])
def test_what_is_no_id(value: object) -> None:
    assert not is_id(value)


def test_a_sequence_counts_from_1_and_leaves_no_gap() -> None:
    ids = Sequence()
    assert [ids.next(), ids.next()] == [1, 2]
    ids.give_back()
    assert ids.next() == 2


def test_a_sequence_starts_again_after_the_largest_id() -> None:
    ids = Sequence()
    ids._last = MAX_ID
    assert ids.next() == 1

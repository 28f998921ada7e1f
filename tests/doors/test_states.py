from pathlib import Path

import pytest

from gatekeeper.doors.states import TRANSITIONS, DoorState, Happening, document


def test_every_pair_of_state_and_happening_is_decided() -> None:
    assert set(TRANSITIONS) == {(state, happening) for state in DoorState for happening in Happening}


@pytest.mark.parametrize("state", DoorState)
def test_a_lost_link_leaves_no_state_that_claims_to_know(state: DoorState) -> None:
    assert TRANSITIONS[state, Happening.LINK_LOST] in (DoorState.UNKNOWN, DoorState.UNAVAILABLE)


@pytest.mark.parametrize("state", DoorState)
def test_only_the_locks_own_word_makes_it_locked_or_unlocked(state: DoorState) -> None:
    words = {
        Happening.OPEN_ACKNOWLEDGED,
        Happening.LOCK_ACKNOWLEDGED,
        Happening.SEEN_OPEN,
        Happening.SEEN_LOCKED,
        Happening.AUTO_LOCKED,
    }
    for happening in set(Happening) - words:
        after = TRANSITIONS[state, happening]
        assert after is state or after not in (DoorState.LOCKED, DoorState.UNLOCKED)


@pytest.mark.parametrize("state", [s for s in DoorState if s is not DoorState.UNAVAILABLE])
def test_an_unanswered_command_never_leaves_a_settled_state(state: DoorState) -> None:
    for happening in (Happening.OPEN_OVERDUE, Happening.LOCK_OVERDUE):
        assert TRANSITIONS[state, happening] in (None, DoorState.UNKNOWN, DoorState.JAMMED)


def test_nothing_but_the_link_moves_an_unreached_door() -> None:
    moves = {h for h in Happening if TRANSITIONS[DoorState.UNAVAILABLE, h] not in (None, DoorState.UNAVAILABLE)}
    assert moves == {Happening.LINK_OPENED}


def test_the_page_about_doors_shows_this_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "door.md"
    assert document() in page.read_text(encoding="utf-8")

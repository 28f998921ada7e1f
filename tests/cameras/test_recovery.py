"""What is done about a camera that shows nothing, step by step, and that no history makes it do too much."""

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.recovery import (
    AGAIN,
    ALERT_AFTER,
    DAY,
    MENDABLE,
    PATIENCE,
    REBOOT_EVERY,
    REBOOTS_A_DAY,
    RELAPSE,
    TIMES,
    Judged,
    Ladder,
    Move,
    Step,
    Taken,
    Trouble,
    trouble_of,
)
from gatekeeper.cameras.sight import Sight

SETTLE = 20.0
EVERYTHING = frozenset(Step) - {Step.ALERT}
WITHOUT_REBOOT = EVERYTHING - {Step.REBOOT}
WHOLE = PATIENCE + sum(TIMES.values())  # from trouble to alert, if everything is tried


class Camera:
    """A ladder in time, asked when it says so; `moves` is what it did, with when."""

    def __init__(self, can: frozenset[Step] = EVERYTHING) -> None:
        self.ladder = Ladder(SETTLE)
        self.can = can
        self.trouble: Trouble | None = None
        self.now = 1000.0
        self.moves: list[tuple[float, Move]] = []

    def see(self, live: bool = True) -> None:
        self.moves += [(self.now, move) for move in self.ladder.see(self.trouble, self.can, self.now, live=live)]

    def turn(self, trouble: Trouble | None, seconds: float) -> "Camera":
        """Let something begin, and go on for a while."""
        self.trouble = trouble
        self.see()
        end = self.now + seconds
        while self.ladder.due is not None and self.ladder.due <= end:
            assert self.ladder.due >= self.now
            self.now = self.ladder.due
            self.see()
        self.now = end
        return self

    def taken(self, since: float = 1000.0) -> list[tuple[float, Step]]:
        return [(at - since, move.step) for at, move in self.moves if isinstance(move, Taken)]

    def judged(self) -> list[tuple[Step, bool, float]]:
        return [(move.step, move.helped, move.seconds) for _, move in self.moves if isinstance(move, Judged)]


def test_each_step_has_its_time_and_the_alert_is_the_last() -> None:
    camera = Camera().turn(Trouble.STALLED, AGAIN)
    assert camera.taken() == [
        (PATIENCE, Step.RECONNECT),
        (PATIENCE + 30, Step.BACK_OFF),
        (PATIENCE + 90, Step.REBOOT),
        (WHOLE, Step.ALERT),
    ]
    assert camera.judged() == [(Step.RECONNECT, False, 30), (Step.BACK_OFF, False, 60), (Step.REBOOT, False, 90)]
    assert camera.ladder.step is Step.ALERT
    assert camera.ladder.due == 1000.0 + WHOLE + AGAIN


def test_while_a_person_is_awaited_a_new_connection_is_tried_every_hour() -> None:
    camera = Camera().turn(Trouble.STALLED, WHOLE + 2.5 * AGAIN)
    assert camera.taken()[-2:] == [(WHOLE + AGAIN, Step.RECONNECT), (WHOLE + 2 * AGAIN, Step.RECONNECT)]
    assert camera.ladder.step is Step.ALERT
    away = Camera().turn(Trouble.OFFLINE, WHOLE + 2.5 * AGAIN)
    assert away.taken()[-1] == (WHOLE, Step.ALERT)


def test_a_step_that_was_not_possible_is_made_up_for() -> None:
    camera = Camera(frozenset({Step.BACK_OFF})).turn(Trouble.OFFLINE, 50)
    camera.can = EVERYTHING
    camera.turn(Trouble.STALLED, 200)
    assert [step for _, step in camera.taken()] == [Step.BACK_OFF, Step.RECONNECT, Step.REBOOT, Step.ALERT]


@pytest.mark.parametrize("trouble", [Trouble.FROZEN, Trouble.LOOPING])
def test_what_was_watched_for_long_is_acted_on_at_once(trouble: Trouble) -> None:
    assert Camera().turn(trouble, 1).taken() == [(0.0, Step.RECONNECT)]


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - MENDABLE))
def test_what_is_before_the_lens_is_a_matter_for_people_alone(trouble: Trouble) -> None:
    camera = Camera().turn(trouble, 8 * 3600)  # a night
    assert camera.taken() == [(ALERT_AFTER, Step.ALERT)]
    camera.turn(None, 60)
    assert camera.judged() == [(Step.ALERT, True, 8 * 3600)]
    assert camera.ladder.step is None


def test_a_hiccup_is_nothing() -> None:
    camera = Camera()
    for _ in range(100):
        camera.turn(Trouble.OFFLINE, PATIENCE - 1).turn(None, SETTLE + 1)
    assert camera.moves == []


def test_who_flaps_is_helped_like_who_is_gone() -> None:
    camera = Camera(WITHOUT_REBOOT)
    for _ in range(100):
        camera.turn(Trouble.OFFLINE, 3).turn(None, 3)
    assert [step for _, step in camera.taken()] == [Step.RECONNECT, Step.BACK_OFF, Step.ALERT]


def test_pictures_must_stay_before_a_step_has_helped() -> None:
    camera = Camera().turn(Trouble.FROZEN, 2).turn(None, SETTLE - 1)
    assert camera.judged() == []
    assert camera.ladder.step is Step.RECONNECT
    camera.turn(None, 1)
    assert camera.judged() == [(Step.RECONNECT, True, 2.0)]
    assert camera.ladder.step is None


def test_a_step_that_is_found_again_not_to_have_helped_makes_room_for_the_next() -> None:
    camera = Camera().turn(Trouble.FROZEN, 1).turn(None, 15).turn(Trouble.FROZEN, 0)
    assert camera.taken() == [(0.0, Step.RECONNECT)]  # it still has its time
    camera.turn(Trouble.FROZEN, 20)
    assert camera.taken() == [(0.0, Step.RECONNECT), (30.0, Step.BACK_OFF)]


def test_trouble_that_comes_back_soon_goes_on_where_it_was() -> None:
    camera = Camera()
    for _ in range(4):
        camera.turn(Trouble.FROZEN, ALERT_AFTER + 1).turn(None, 60)
    assert [step for _, step in camera.taken()][-1] is Step.ALERT
    assert len([step for _, step in camera.taken() if step is Step.REBOOT]) == 1
    camera.turn(None, RELAPSE).turn(Trouble.FROZEN, 1)
    assert camera.taken()[-1][1] is Step.RECONNECT


def test_it_is_rebooted_no_more_often_than_allowed_and_then_a_person_is_called() -> None:
    camera = Camera()
    while camera.now < 1000.0 + DAY:
        camera.turn(Trouble.FROZEN, 100).turn(None, RELAPSE + SETTLE)
    reboots = [at for at, step in camera.taken() if step is Step.REBOOT]
    assert len(reboots) == REBOOTS_A_DAY
    assert all(later - sooner >= REBOOT_EVERY for sooner, later in pairwise(reboots))
    alerts = [at for at, step in camera.taken() if step is Step.ALERT]
    assert len(alerts) > REBOOTS_A_DAY


def test_what_can_not_be_done_is_left_out() -> None:
    assert [step for _, step in Camera(WITHOUT_REBOOT).turn(Trouble.STALLED, 3600).taken()] == [
        Step.RECONNECT, Step.BACK_OFF, Step.ALERT,
    ]  # fmt: skip
    assert Camera(frozenset()).turn(Trouble.STALLED, 3600).taken() == [(ALERT_AFTER, Step.ALERT)]


def test_a_step_that_could_not_be_taken_is_not_waited_for() -> None:
    camera = Camera(frozenset({Step.REBOOT})).turn(Trouble.FROZEN, 70)
    camera.ladder.failed(Step.REBOOT, camera.now)
    camera.turn(Trouble.FROZEN, 0)
    assert camera.taken() == [(0.0, Step.REBOOT), (70.0, Step.ALERT)]


def test_a_dark_camera_that_stalls_at_night_is_helped_beside_its_alert() -> None:
    camera = Camera().turn(Trouble.BLACK, 3600).turn(Trouble.STALLED, 1800)
    assert [step for _, step in camera.taken()] == [Step.ALERT, Step.RECONNECT, Step.BACK_OFF, Step.REBOOT]
    assert camera.ladder.step is Step.ALERT
    camera.turn(None, 60)
    assert camera.judged()[-1][:2] == (Step.ALERT, True)


@pytest.mark.parametrize(
    ("state", "sight", "trouble"),
    [
        (CameraState.CONNECTING, Sight.UNKNOWN, None),
        (CameraState.LIVE, Sight.UNKNOWN, None),
        (CameraState.LIVE, Sight.OK, None),
        (CameraState.STALLED, Sight.UNKNOWN, Trouble.STALLED),
        (CameraState.OFFLINE, Sight.UNKNOWN, Trouble.OFFLINE),
        *((CameraState.LIVE, sight, Trouble(sight.value)) for sight in Sight if sight not in ("ok", "unknown")),
    ],
)
def test_every_state_and_sight_is_known_for_what_it_is(
    state: CameraState, sight: Sight, trouble: Trouble | None
) -> None:
    assert trouble_of(state, sight) is trouble


# --- any history ---


class Histories(RuleBasedStateMachine):
    """Whatever a camera does, and however often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.camera = Camera()
        self.since = self.camera.now  # of trouble, or of none, without a break

    @rule(
        trouble=st.one_of(st.none(), st.sampled_from(Trouble)),
        seconds=st.one_of(st.floats(0, 40), st.floats(0, 4000)),
        can=st.sets(st.sampled_from(sorted(EVERYTHING))),
    )
    def turn(self, trouble: Trouble | None, seconds: float, can: set[Step]) -> None:
        if (trouble is None) is not (self.camera.trouble is None):
            self.since = self.camera.now
        self.camera.can = frozenset(can)
        before = len(self.camera.moves)
        self.camera.turn(trouble, seconds)
        for _, move in self.camera.moves[before:]:
            if isinstance(move, Taken):
                assert move.trouble is trouble is not None
                assert move.step is Step.ALERT or (move.step in can and trouble in MENDABLE)
            else:
                assert move.helped is (trouble is None)

    @rule(seconds=st.floats(0, 100))
    def it_is_not_known(self, seconds: float) -> None:
        self.camera.trouble = None
        self.camera.see(live=False)
        assert self.camera.ladder.due is None
        self.camera.now += seconds
        self.since = self.camera.now

    @rule(trouble=st.sampled_from(Trouble))
    def everything_fails(self, trouble: Trouble) -> None:
        if self.camera.trouble is None:
            self.since = self.camera.now
        self.camera.can = EVERYTHING
        self.camera.turn(trouble, WHOLE + 1)
        assert self.camera.ladder._alerted

    @precondition(lambda self: self.camera.ladder.step is not None)
    @rule()
    def a_step_can_not_be_taken(self) -> None:
        step = self.camera.ladder.step
        assert step is not None
        self.camera.ladder.failed(step, self.camera.now)

    @invariant()
    def reboots_are_few(self) -> None:
        reboots = [at for at, step in self.camera.taken() if step is Step.REBOOT]
        assert all(later - sooner >= REBOOT_EVERY for sooner, later in pairwise(reboots))
        assert all(last - first >= DAY for first, last in zip(reboots, reboots[REBOOTS_A_DAY:], strict=False))

    @invariant()
    def it_ends(self) -> None:
        lasted = self.camera.now - self.since
        if self.camera.trouble is None:
            assert lasted < SETTLE or self.camera.ladder.step is None
        elif lasted > WHOLE:
            assert self.camera.ladder._alerted

    @invariant()
    def every_step_is_judged_before_the_next(self) -> None:
        open_step: Step | None = None
        for _, move in self.camera.moves:
            if isinstance(move, Taken):
                assert open_step in (None, Step.ALERT)
                open_step = move.step
            else:
                assert move.step in (open_step, Step.ALERT)
                open_step = None


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHistories = Histories.TestCase

"""The course of sessions, situation by situation, and a machine that tries all of it against a plain model."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gatekeeper.errors import Busy, Conflict
from gatekeeper.measurements.session import FREE, LATE, Outcome, Place, Session, Sessions, State, Unrecorded

WALL = 1_800_000_000.0


def begun(now: float = 10.0, duration: float = 60.0) -> Sessions:
    sessions = Sessions("baja")
    wish = sessions.start(2.5, "beton", duration, now, WALL + now)
    sessions.started(Session(1, wish.frequency, wish.category, wish.started, wish.duration))
    return sessions


def test_a_session_ends_by_itself_on_the_clock_that_is_handed_in() -> None:
    sessions = begun()
    assert (sessions.category, sessions.elapsed(10.0), sessions.left(69.5)) == ("beton", 0.0, 0.5)
    assert sessions.expire(69.999) is None
    ended = sessions.expire(70.0)
    assert ended is not None
    assert (ended.outcome, ended.stopped, ended.is_partial) == (Outcome.COMPLETED, WALL + 70.0, False)
    assert sessions.state is State.ENDING
    sessions.ended()
    assert (sessions.state, sessions.last) == (State.IDLE, ended)


def test_a_late_timer_lengthens_no_session() -> None:
    ended = begun().expire(75.0)
    assert ended is not None
    assert ended.length == pytest.approx(60.0)


def test_a_stop_makes_it_partial_with_its_second() -> None:
    ended = begun().stop(33.25)
    assert (ended.outcome, ended.is_partial) == (Outcome.STOPPED, True)
    assert ended.length == pytest.approx(23.25)


def test_a_stop_after_the_time_is_over_is_a_whole_run() -> None:
    assert begun().stop(80.0).outcome is Outcome.COMPLETED


def test_one_session_at_a_time() -> None:
    sessions = begun()
    with pytest.raises(Conflict, match="session 1 is running"):
        sessions.start(1.5, "baja", 60.0, 20.0, WALL)
    sessions.stop(20.0)
    with pytest.raises(Busy, match="ending"):
        sessions.start(1.5, "baja", 60.0, 20.0, WALL)
    with pytest.raises(Conflict, match="no session is running"):
        sessions.stop(21.0)


def test_what_could_not_be_stored_did_not_start() -> None:
    sessions = Sessions("baja")
    sessions.start(2.5, "baja", 60.0, 0.0, WALL)
    with pytest.raises(Busy, match="starting"):
        sessions.start(2.5, "baja", 60.0, 0.0, WALL)
    with pytest.raises(Unrecorded):
        sessions.place(0.5)
    sessions.failed()
    assert sessions.state is State.IDLE


def test_samples_belong_to_the_session_at_the_second_at_which_they_were_measured() -> None:
    sessions = begun()
    assert sessions.place(12.5) == Place(1, 2.5)
    assert sessions.place(42.0, age=30.0) == Place(1, 2.0)
    assert sessions.place(70.0) == Place(1, 60.0)  # the timer has not fired yet


def test_what_was_measured_before_the_start_or_after_the_time_does_not_belong_to_it() -> None:
    sessions = begun()
    for now, age in ((11.0, 2.0), (70.001, 0.0)):
        with pytest.raises(Unrecorded):
            sessions.place(now, age)
    sessions.tap = True
    assert sessions.place(11.0, 2.0) == FREE


def test_without_a_session_the_master_tap_decides() -> None:
    sessions = Sessions("baja")
    with pytest.raises(Unrecorded):
        sessions.place(5.0)
    sessions.tap = True
    assert sessions.place(5.0) == FREE


def test_what_a_laptop_kept_while_its_network_was_away_comes_late() -> None:
    sessions = begun()
    sessions.expire(70.0)
    assert sessions.place(71.0, age=3.0) == Place(1, 58.0, late=True)
    sessions.ended()
    assert sessions.place(100.0, age=40.0) == Place(1, 50.0, late=True)
    with pytest.raises(Unrecorded):
        sessions.place(100.0)  # measured now: of no session
    with pytest.raises(Unrecorded):
        sessions.place(70.0 + LATE + 1.0, age=LATE + 10.0)


def test_the_end_counts_at_once_and_before_it_is_stored() -> None:
    sessions = begun()
    sessions.stop(30.0)
    with pytest.raises(Unrecorded):
        sessions.place(30.5)


# --- restarts ---


def running(gaps: tuple[tuple[float, float], ...] = ()) -> Session:
    return Session(4, 3.5, "beton", WALL, 60.0, gaps=gaps)


def test_a_restart_in_the_middle_goes_on_and_remembers_the_gap() -> None:
    sessions = Sessions("baja")
    resumed = sessions.resume(running(), 1000.0, WALL + 25.0, last=21.5)
    assert (resumed.outcome, resumed.gaps, resumed.is_partial) == (Outcome.RUNNING, ((21.5, 25.0),), True)
    assert (sessions.state, sessions.category, sessions.left(1000.0)) == (State.RUNNING, "beton", 35.0)
    assert sessions.place(1001.0) == Place(4, 26.0)
    assert sessions.place(1001.0, age=3.0) == Place(4, 23.0)  # what a laptop kept meanwhile fills the gap


def test_a_restart_after_the_end_closes_it_and_still_takes_what_comes_late() -> None:
    sessions = Sessions("baja")
    closed = sessions.resume(running(), 1000.0, WALL + 65.0, last=40.0)
    assert (closed.outcome, closed.stopped, closed.gaps) == (Outcome.INTERRUPTED, WALL + 60.0, ((40.0, 60.0),))
    assert sessions.state is State.IDLE
    assert sessions.place(1000.0, age=15.0) == Place(4, 50.0, late=True)


def test_a_second_restart_adds_a_gap() -> None:
    resumed = Sessions("baja").resume(running(((5.0, 8.0),)), 0.0, WALL + 20.0, last=18.0)
    assert resumed.gaps == ((5.0, 8.0), (18.0, 20.0))


def test_a_clock_that_was_set_back_does_not_lengthen_it_for_ever() -> None:
    sessions = Sessions("baja")
    sessions.resume(running(), 0.0, WALL - 500.0, last=0.0)
    assert sessions.left(0.0) == 60.0


# --- everything, against a model that knows only when a session began and ended ---


class Course(RuleBasedStateMachine):
    """Starts, stops, waits, restarts and samples, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0  # monotonic
        self.boot = WALL  # Unix seconds at which that was 0
        self.sessions = Sessions("baja")
        self.spans: dict[int, tuple[float, float | None]] = {}  # id -> began, ended; of all
        self.number = 0
        self.tap = False

    def wall(self) -> float:
        return self.boot + self.now

    @rule(seconds=st.sampled_from([0.001, 0.5, 7.0, 59.0, 61.0, 130.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        began = self.spans.get(self.number, (0.0, 0.0))[0]
        was_running = self.sessions.state is State.RUNNING
        ended = self.sessions.expire(self.now)
        assert (ended is not None) == (was_running and self.now - began >= 60.0)
        if ended is not None:
            self.spans[self.number] = (began, began + 60.0)

    @rule(stored=st.booleans())
    def start(self, stored: bool) -> None:
        if self.sessions.state is not State.IDLE:
            with pytest.raises((Conflict, Busy)):
                self.sessions.start(1.5, "baja", 60.0, self.now, self.wall())
            return
        wish = self.sessions.start(1.5, "baja", 60.0, self.now, self.wall())
        if not stored:
            self.sessions.failed()
            return
        self.number += 1
        self.sessions.started(Session(self.number, wish.frequency, wish.category, wish.started, wish.duration))
        self.spans[self.number] = (self.now, None)

    @precondition(lambda self: self.sessions.state is State.RUNNING)
    @rule()
    def stop(self) -> None:
        began, _ = self.spans[self.number]
        ended = self.sessions.stop(self.now)
        assert ended.length == pytest.approx(min(60.0, self.now - began), abs=1e-6)
        self.spans[self.number] = (began, began + min(60.0, self.now - began))

    @precondition(lambda self: self.sessions.state is State.ENDING)
    @rule()
    def end_stored(self) -> None:
        self.sessions.ended()

    @rule(is_open=st.booleans())
    def turn(self, is_open: bool) -> None:
        self.sessions.tap = self.tap = is_open

    @precondition(lambda self: self.sessions.current is not None)
    @rule(away=st.sampled_from([0.5, 20.0, 80.0]), boot=st.sampled_from([0.0, 1e6]))
    def restart(self, away: float, boot: float) -> None:
        """The server goes, the end of its session stored or not, and comes back: the monotonic clock begins anew."""
        kept = self.sessions.current
        assert kept is not None
        began, _ = self.spans[self.number]
        # What was stopped and not stored as stopped runs on: the database is what counts.
        kept = Session(kept.id, kept.frequency, kept.category, kept.started, kept.duration, gaps=kept.gaps)
        wall = self.wall() + away
        began += boot - (self.now + away)
        self.now, self.boot = boot, wall - boot
        self.sessions = Sessions("baja", tap=self.tap)
        resumed = self.sessions.resume(kept, self.now, wall, last=0.0)
        assert (resumed.outcome is Outcome.RUNNING) == (self.now - began < 60.0)
        self.spans = {self.number: (began, None if resumed.outcome is Outcome.RUNNING else began + 60.0)}

    @rule(age=st.sampled_from([0.0, 0.0, 0.01, 5.0, 58.0, 100.0, 1000.0]))
    def sample(self, age: float) -> None:
        taken = self.now - age
        try:
            place = self.sessions.place(self.now, age)
        except Unrecorded:
            place = None
        owner = next(
            (
                number
                for number, (began, ended) in reversed(self.spans.items())  # of a moment that is two's the newer one's
                if began <= taken <= (ended if ended is not None else began + 60.0)
            ),
            None,
        )
        if place is not None and place.session is not None:
            assert place.session == owner
            assert place.elapsed is not None
            assert place.elapsed == pytest.approx(taken - self.spans[place.session][0], abs=1e-6)
            assert 0 <= place.elapsed <= 60.0
        elif place is None:
            assert not self.tap
        if self.sessions.state is State.RUNNING and owner == self.number:
            assert place is not None
            assert place.session == owner

    @invariant()
    def no_two_run(self) -> None:
        assert (self.sessions.current is None) == (self.sessions.state in (State.IDLE, State.STARTING))


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

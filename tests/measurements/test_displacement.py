"""What is said of two points: signs, scales, references, and nothing at all of a point that isn't seen."""

import math
import subprocess
import sys
from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements.calibration import Distance, Known, MarkerSide, Scale
from gatekeeper.measurements.displacement import Displacement
from gatekeeper.measurements.reading import Axis, Place, Reading, Why
from gatekeeper.measurements.targets import Look, Marker, Patch, Reference, judged
from gatekeeper.measurements.template import Match
from gatekeeper.measurements.track import AGAIN, Track
from tests.measurements.films import PIXELS, PLACES, bare
from tests.measurements.synthetic import Board, Film, Motion, Shot, marker, speckle, still

NOISY = {"noise": 4.0, "quality": 75}
DARK = np.pad(np.full((6, 6), 30.0), 1, constant_values=215.0)
"""A marker without its code."""


def jump(at: float, right: float, down: float = 0.0) -> Motion:
    return lambda t: (right, down) if t >= at else (0.0, 0.0)


def film(*boards: Board, **more: float) -> Film:
    return Film(boards, **{**NOISY, **more})  # type: ignore[arg-type]


def pair(a: Motion = still, b: Motion = still, **of_b: object) -> Film:
    (ax, ay), (bx, by) = PLACES
    return film(marker(0, 48, ax, ay, a), marker(1, 48, bx, by, b, **of_b))


def measured(shots: Iterable[Shot], displacement: Displacement | None = None) -> list[Reading]:
    displacement = displacement or Displacement(PIXELS)
    return [displacement.measure(shot.picture, shot.t) for shot in shots]


# --- calibration ---


def test_without_a_calibration_it_refuses() -> None:
    with pytest.raises(InvalidArgument, match="needs a calibration: give the marker's side in mm, the distance"):
        Displacement(None)


def test_each_marker_gives_its_own_scale_wherever_it_stands() -> None:
    far = film(marker(0, 60, 200.3, 330.2, jump(0.05, 12)), marker(1, 30, 320.7, 120.4, jump(0.05, 12)))
    _, _, last = measured(far.shots(0.1), Displacement(MarkerSide(120.0, 120.0)))
    assert last.a.mm == pytest.approx(24.0, rel=0.004)
    assert last.b.mm == pytest.approx(48.0, rel=0.004)


def test_a_marker_seen_askew_has_a_scale_for_each_direction() -> None:
    """Turned about its upright axis by 40 degrees, it is narrower than high; 10 px to the right are more mm than up."""
    straight = pair().shot(0.0).picture
    narrow = math.cos(math.radians(40))

    def askew(right: float, down: float) -> np.ndarray:
        warp = np.array([[narrow, 0, 60 + right], [0, 1, down]])
        return cv2.warpAffine(straight, warp, (640, 480), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    displacement = Displacement(MarkerSide(48.0, 48.0))
    displacement.measure(askew(0, 0), 0.0)
    last = displacement.measure(askew(10, 10), 0.1)
    assert last.a.x_mm == pytest.approx(10 / narrow, rel=0.01)
    assert last.a.y_mm == pytest.approx(-10, rel=0.01)


def test_the_distance_between_a_and_b_gives_the_scale() -> None:
    pixels = math.dist(*PLACES)
    _, _, last = measured(pair(jump(0.05, 10)).shots(0.1), Displacement(Distance(pixels * 2.5)))
    assert last.a.mm == pytest.approx(25.0, abs=0.05)


def test_with_a_distance_nothing_is_measured_until_both_were_seen() -> None:
    shots = list(pair(hidden=((0.0, 0.05),)).shots(0.1))
    first, _, last = measured(shots, Displacement(Distance(600.0)))
    assert (first.a.why, first.a.mm, first.b.why) == (Why.NO_SCALE, None, Why.NOT_FOUND)
    assert last.a.detected
    assert last.b.detected


def test_a_ruler_in_the_picture_gives_mm_per_pixel() -> None:
    assert Known.ruler((100, 50), (400, 450), 250.0) == Known(Scale(0.5, 0.5), Scale(0.5, 0.5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: MarkerSide(0, 50),
        lambda: MarkerSide(50, math.nan),
        lambda: Distance(-1),
        lambda: Distance(True),
        lambda: Scale(math.inf, 1),
        lambda: Known.ruler((1, 1), (1, 1), 100.0),
        lambda: Known.ruler((1, 1), (math.nan, 1), 100.0),
        lambda: Marker(50),
        lambda: Marker(-1),
        lambda: Patch(math.nan, 0),
        lambda: Patch(10, 10, 4),
        lambda: Displacement(MarkerSide(50, 50), Marker(1), Marker(1)),
        lambda: Displacement(MarkerSide(50, 50), Patch(10, 10), Marker(1)),
    ],
)
def test_what_makes_no_sense_is_refused(make: object) -> None:
    with pytest.raises(InvalidArgument):
        make()  # type: ignore[operator]


# --- signs ---


def test_right_and_up_are_positive() -> None:
    *_, last = measured(pair(jump(0.05, 7), jump(0.05, 0, 5)).shots(0.1))
    assert last.a.x_mm == pytest.approx(7, abs=0.03)
    assert last.a.y_mm == pytest.approx(0, abs=0.03)
    assert last.b.x_mm == pytest.approx(0, abs=0.03)
    assert last.b.y_mm == pytest.approx(-5, abs=0.03)


@pytest.mark.parametrize(
    ("axis", "mirrored", "expected"),
    [(Axis.HORIZONTAL, False, 7), (Axis.HORIZONTAL, True, -7), (Axis.VERTICAL, False, -3), (Axis.VERTICAL, True, -3)],
)
def test_the_axis_is_chosen_and_a_mirror_turns_the_horizontal(axis: Axis, mirrored: bool, expected: float) -> None:
    *_, last = measured(pair(jump(0.05, 7, 3)).shots(0.1), Displacement(PIXELS, axis=axis, mirrored=mirrored))
    assert last.a.mm == pytest.approx(expected, abs=0.03)


# --- the reference ---


def test_the_first_good_picture_is_zero_and_a_new_one_can_be_taken() -> None:
    displacement = Displacement(PIXELS)
    shots = list(pair(jump(0.05, 9)).shots(0.2))
    before = measured(shots[:3], displacement)
    assert [reading.a.mm for reading in before] == pytest.approx([0, 0, 9], abs=0.03)
    displacement.refer()
    after = measured(shots[3:], displacement)
    assert [reading.a.mm for reading in after] == pytest.approx([0, 0, 0], abs=0.03)


def test_a_picture_in_which_a_point_is_cut_off_is_no_reference() -> None:
    coming = film(marker(0, 48, 26.5, 330, jump(0.05, 200)), marker(1, 48, 320, 120))
    first, *_, last = measured(coming.shots(0.1))
    assert (first.a.detected, first.a.why) == (False, Why.EDGE)
    assert first.b.detected
    assert last.a.mm == 0


def test_a_blurred_picture_is_no_reference() -> None:
    (ax, ay), (bx, by) = PLACES
    fast = film(marker(0, 48, ax, ay, lambda t: (1000 * t * (t < 0.05), 0)), marker(1, 48, bx, by), exposure=0.01)
    first, *_, last = measured(fast.shots(0.1))
    assert (first.a.detected, first.a.why) == (False, Why.BLURRED)
    assert last.a.mm == 0


# --- what isn't seen has no value ---


def test_a_hidden_point_has_no_value_and_comes_back() -> None:
    shots = list(pair(hidden=((0.09, 0.29),)).shots(0.4))
    for shot, reading in zip(shots, measured(shots), strict=True):
        assert reading.a.detected
        if 0.09 <= shot.t < 0.29:
            assert (reading.b.detected, reading.b.mm, reading.b.x_mm, reading.b.place) == (False, None, None, None)
        else:
            assert reading.b.mm == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("covered", [0.2, 0.4, 0.6, 0.8])
def test_a_partly_hidden_point_is_measured_right_or_not_at_all(covered: float) -> None:
    shots = list(pair(b=lambda t: (60 * t, 0), hidden=((0.09, 0.29),), covered=covered).shots(0.3))
    for shot, reading in zip(shots, measured(shots), strict=True):
        if reading.b.mm is not None:
            assert reading.b.mm == pytest.approx(60 * shot.t, abs=0.4)
        assert reading.b.detected or covered > 0.2


def test_a_point_that_jumps_beyond_the_search_is_found_again_by_its_marker() -> None:
    shots = list(pair(b=jump(0.5, 250, 40)).shots(0.6))
    last = measured(shots)[-1]
    assert last.b.x_mm == pytest.approx(250, abs=0.03)
    assert last.b.y_mm == pytest.approx(-40, abs=0.03)


def test_a_point_that_leaves_the_picture_is_gone_until_it_returns() -> None:
    def out(t: float) -> tuple[float, float]:
        return (330.0 if 0.09 <= t < 0.19 else 0.0), 0.0

    shots = list(pair(b=out).shots(0.3))
    for shot, reading in zip(shots, measured(shots), strict=True):
        assert reading.b.detected is not (0.09 <= shot.t < 0.19), shot.t


def test_two_markers_with_one_name_are_no_reference_and_no_way_back() -> None:
    (ax, ay), (bx, by) = PLACES
    double = film(marker(0, 48, ax, ay), marker(1, 48, bx, by), marker(1, 48, 500, 300))
    assert [reading.b.why for reading in measured(double.shots(0.06))] == [Why.TWICE, Why.TWICE]


def test_a_second_marker_that_appears_elsewhere_does_not_disturb() -> None:
    (ax, ay), (bx, by) = PLACES
    second = film(marker(0, 48, ax, ay), marker(1, 48, bx, by), marker(1, 48, 900, 300, jump(0.1, -400)))
    assert all(reading.b.mm == pytest.approx(0, abs=0.03) for reading in measured(second.shots(0.8)))


def test_another_marker_in_the_place_of_a_point_is_not_the_point() -> None:
    (ax, ay), (bx, by) = PLACES
    swapped = film(
        marker(0, 48, ax, ay), marker(1, 48, bx, by, jump(0.09, 250)), marker(2, 48, bx + 900, by, jump(0.09, -900))
    )
    for shot, reading in zip(swapped.shots(0.2), measured(swapped.shots(0.2)), strict=True):
        assert reading.b.mm == pytest.approx(250 if shot.t >= 0.1 else 0, abs=0.05)


def test_a_marker_that_was_swapped_with_the_other_is_followed_by_its_name() -> None:
    (ax, ay), (bx, by) = PLACES
    swap = film(
        marker(0, 48, ax, ay, jump(0.09, bx - ax, by - ay)), marker(1, 48, bx, by, jump(0.09, ax - bx, ay - by))
    )
    last = measured(swap.shots(0.2))[-1]
    assert last.a.x_mm == pytest.approx(bx - ax, abs=0.05)
    assert last.a.y_mm == pytest.approx(ay - by, abs=0.05)


@pytest.mark.parametrize("other", [marker(2, 48, *PLACES[1]), Board(DARK, 8, *PLACES[1]), speckle(3, 64, *PLACES[1])])
def test_something_like_a_marker_in_the_place_of_a_hidden_one_is_not_it(other: Board) -> None:
    own = pair().boards
    displacement = Displacement(PIXELS)
    displacement.measure(film(*own).shot(0.0).picture, 0.0)
    for n in range(1, 18):
        assert not displacement.measure(film(own[0], other).shot(0.0).picture, n / 30).b.detected


def test_a_patch_that_looks_like_the_other_is_not_found_in_its_place() -> None:
    twin = film(speckle(1, 64, *PLACES[0]), speckle(1, 64, *PLACES[1], hidden=((0.09, 0.19),)))
    (ax, ay), (bx, by) = PLACES
    displacement = Displacement(PIXELS, Patch(ax, ay, 56), Patch(bx, by, 56))
    for shot, reading in zip(twin.shots(0.3), measured(twin.shots(0.3), displacement), strict=True):
        assert reading.a.mm == pytest.approx(0, abs=0.05)
        assert reading.b.detected is (shot.t < 0.09)  # nor found again while nothing tells the two apart


def test_what_turns_out_to_be_something_else_is_lost() -> None:
    class Doubtful(Marker):
        def told(self, look: Look, reference: Reference, match: Match) -> bool | None:
            return False

        def anywhere(self, look: Look, reference: Reference) -> Match | Why:
            return Why.NOT_FOUND

    track = Track(Doubtful(1))
    picture = pair().shot(0.0).picture
    found = [track.look(Look(picture, n / 30)) for n in range(AGAIN + 1)]
    assert [isinstance(one, Place) for one in found] == [True] * AGAIN + [False]


def test_a_good_fit_with_a_bad_quarter_is_covered() -> None:
    assert judged(Match(1.0, 1.0, 0.85, 0.5)) is Why.COVERED
    assert judged(Match(1.0, 1.0, 0.85, 0.7)) == Match(1.0, 1.0, 0.85, 0.7)
    assert judged(Match(1.0, 1.0, 0.75, 0.7)) is Why.NOT_FOUND
    assert judged(None) is Why.NOT_FOUND


def test_a_hand_before_a_corner_covers_the_point() -> None:
    displacement = Displacement(PIXELS)
    picture = pair().shot(0.0).picture
    displacement.measure(picture, 0.0)
    covered = picture.copy()
    covered[331:360, 201:230] = 110  # a quarter of A
    assert displacement.measure(covered, 0.1).a.why is Why.COVERED


def test_a_picture_of_another_size_has_no_readings() -> None:
    displacement = Displacement(PIXELS)
    shot = pair().shot(0.0)
    displacement.measure(shot.picture, 0.0)
    other = displacement.measure(cv2.resize(shot.picture, (320, 240)), 0.1)
    assert (other.a.detected, other.a.why) == (False, Why.OTHER_SIZE)
    assert displacement.measure(shot.picture, 0.2).a.detected


def test_a_marker_that_tilts_stays_where_its_centre_is() -> None:
    straight = pair().shot(0.0).picture
    (ax, ay), _ = PLACES
    displacement = Displacement(PIXELS)
    displacement.measure(straight, 0.0)
    for n, degrees in enumerate((1, -2, 3), start=1):
        turn = cv2.getRotationMatrix2D((ax, ay), degrees, 1.0)
        tilted = cv2.warpAffine(straight, turn, (640, 480), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        point = displacement.measure(tilted, n / 10).a
        assert point.x_mm == pytest.approx(0, abs=0.03), degrees
        assert point.y_mm == pytest.approx(0, abs=0.03), degrees


# --- patches ---


def test_a_patch_that_was_hidden_is_found_again_elsewhere() -> None:
    scene, a, b = bare(2.5, 0, 0, **NOISY)
    away = speckle(2, 64, *PLACES[1], jump(0.19, -200, 150), hidden=((0.09, 0.19),))
    shots = list(scene.but(boards=(scene.boards[0], away)).shots(0.3))
    for shot, reading in zip(shots, measured(shots, Displacement(PIXELS, a, b)), strict=True):
        assert reading.b.detected is not (0.09 <= shot.t < 0.19)
    assert reading.b.x_mm == pytest.approx(-200, abs=0.05)


@pytest.mark.parametrize(
    ("patch", "why"),
    [(Patch(60, 60, 48), "too even"), (Patch(5, 5, 48), "reaches out"), (Patch(9e9, 5, 48), "reaches")],
)
def test_a_patch_that_can_not_be_followed_is_refused(patch: Patch, why: str) -> None:
    picture = pair().shot(0.0).picture.copy()
    picture[20:120, 20:120] = 99
    with pytest.raises(InvalidArgument, match=why):
        Displacement(PIXELS, patch, Marker(1)).measure(picture, 0.0)


# --- time ---


@pytest.mark.parametrize("t", [1.0, 0.5, math.nan, math.inf, "2"])
def test_time_only_goes_forward(t: float) -> None:
    displacement = Displacement(PIXELS)
    picture = pair().shot(0.0).picture
    displacement.measure(picture, 1.0)
    with pytest.raises(InvalidArgument, match="later than the one before"):
        displacement.measure(picture, t)
    assert displacement.measure(picture, 1.1).a.detected


def test_it_needs_neither_twisted_nor_the_rest_of_the_site() -> None:
    code = (
        "import sys; sys.modules['twisted'] = sys.modules['msgspec'] = None; "
        "from gatekeeper.measurements import displacement, frequency, pace; print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "fine\n"

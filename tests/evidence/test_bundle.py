"""What belongs to an action, what is missing, and what the record says of it."""

import json
from dataclasses import replace

import pytest

from gatekeeper.evidence.bundle import SETTLE, SHORT_MEMORY, Bundle, Stage
from gatekeeper.evidence.ring import Frame, Ring, Sight
from gatekeeper.storage.pictures import PictureRow
from tests.evidence.test_ring import Shot

WALL = 1_000_000.0


def watched(until: float = 110.0, camera: str = "a") -> tuple[Ring, Sight]:
    ring, sight = Ring(8.0, 10**6), Sight(0.0, 30.0, 2.0, "no picture yet")
    for tenth in range(int(until * 10) + 1):
        ring.add(Shot(tenth / 10, camera=camera))
        sight.seen(tenth / 10)
    return ring, sight


def bundle(**sights: Sight) -> Bundle:
    return Bundle("E", "front", 100.0, WALL, before=5.0, after=5.0, sights=sights)


def row(number: int, camera: str = "a") -> PictureRow:
    return PictureRow("E", number, camera, WALL + number, 640, 480, 10, bytes([number]) * 32)


def put(found: Bundle, *frames: Frame) -> None:
    for _ in frames:
        found.taken()


def test_the_frames_from_before_come_from_all_rings_in_the_order_of_time() -> None:
    a, sight_a = watched(100.0, "a")
    b, sight_b = Ring(8.0, 10**6), Sight(0.0, 30.0, 2.0, "")
    for moment in (94.95, 95.05, 99.95):
        b.add(Shot(moment, camera="b"))
    found = bundle(a=sight_a, b=sight_b).gather({"a": a, "b": b})
    assert [frame.received for frame in found] == sorted(frame.received for frame in found)
    assert [(found[0].received, found[0].camera), (found[1].received, found[1].camera)] == [(95.0, "a"), (95.05, "b")]
    assert found[-1].received == 100.0
    assert len(found) == 51 + 2


def test_a_ring_that_was_too_small_is_an_excuse_that_the_record_gives() -> None:
    ring, sight = Ring(8.0, 200), Sight(0.0, 30.0, 2.0, "")
    for tenth in range(900, 1001):
        ring.add(Shot(tenth / 10))
        sight.seen(tenth / 10)
    found = bundle(a=sight)
    assert len(found.gather({"a": ring})) == 20
    assert found.reasons == [SHORT_MEMORY]
    assert found.state == "partial"


def test_what_went_from_the_ring_before_the_first_second_that_is_wanted_is_no_excuse() -> None:
    ring, sight = Ring(8.0, 600), Sight(0.0, 30.0, 2.0, "")
    for tenth in range(900, 1001):
        ring.add(Shot(tenth / 10))
    found = bundle(a=sight)
    assert len(found.gather({"a": ring})) == 51
    assert found.reasons == []


@pytest.mark.parametrize(
    ("received", "camera", "wanted"),
    [(94.9, "a", False), (95.0, "a", True), (105.0, "a", True), (105.1, "a", False), (100.0, "other", False)],
)
def test_a_frame_belongs_to_it_by_time_and_camera(received: float, camera: str, wanted: bool) -> None:
    assert bundle(a=watched()[1]).wants(Shot(received, camera=camera)) is wanted


def test_the_whole_course_of_one_that_goes_well() -> None:
    _, sight = watched(105.0)
    found = bundle(a=sight)
    put(found, Shot(100), Shot(101))
    assert (found.stage, found.deadline) == (Stage.COLLECTING, 105.0)
    found.tick(104.9)
    assert found.stage.name == "COLLECTING"
    found.tick(105.0)
    assert (found.stage, found.deadline) == (Stage.STORING, None)
    found.saved([row(1)])
    found.tick(105.1)
    assert found.stage.name == "STORING"
    found.saved([row(2)])
    found.tick(105.2)
    assert found.stage.name == "DONE"
    assert (found.state, found.alarm, found.text()) == ("complete", False, "2 pictures kept")
    details = found.details()
    assert details["cameras"] == {"a": {"frames": 2, "lost": 0, "blind": []}}
    assert details["pictures"][1] == {
        "number": 2,
        "camera": "a",
        "received": WALL + 2,
        "width": 640,
        "height": 480,
        "size": 10,
        "sha256": "02" * 32,
    }
    assert (details["from"], details["moment"], details["to"]) == (WALL - 5, WALL, WALL + 5)
    assert "pictures" not in json.loads(found.manifest())


def test_after_the_end_it_waits_until_each_camera_showed_that_it_still_saw() -> None:
    _, sight = watched(104.5)
    found = bundle(a=sight)
    found.tick(105.0)
    assert (found.stage, found.deadline) == (Stage.SETTLING, 105.0 + SETTLE)
    sight.seen(105.2)
    found.tick(105.2)
    assert found.stage.name == "DONE"
    assert found.details()["cameras"]["a"]["blind"] == []


def test_a_camera_that_died_shortly_before_the_end_was_blind_though_nobody_had_noticed_by_then() -> None:
    _, sight = watched(104.0)
    found = bundle(a=sight)
    found.tick(105.0)
    sight.lost(106.0, "stalled: no picture for 2 s")
    found.tick(106.0)
    assert found.stage.name == "DONE"
    assert found.details()["cameras"]["a"]["blind"] == [[WALL + 4, WALL + 5, "stalled: no picture for 2 s"]]
    assert found.text() == "no picture kept, a was blind for 1.0 s"


def test_one_that_says_nothing_any_more_is_not_waited_for_longer_than_the_bound() -> None:
    _, sight = watched(104.0)
    found = bundle(a=sight)
    found.tick(105.0)
    found.tick(105.0 + SETTLE - 0.01)
    assert found.stage.name == "SETTLING"
    found.tick(105.0 + SETTLE)
    assert found.stage.name == "DONE"
    assert found.details()["cameras"]["a"]["blind"] == [[WALL + 4, WALL + 5, "no picture came for 3.5 s"]]


def test_frames_that_were_dropped_or_could_not_be_stored_make_it_partial_with_each_reason_once() -> None:
    found = bundle(a=watched(105.0)[1])
    put(found, Shot(100), Shot(101))
    found.lost("a", "the disk was too slow")
    found.lost("a", "the disk was too slow")
    found.given_up("a", "the disk is full")
    found.saved([row(1)])
    found.tick(105.0)
    assert found.stage.name == "DONE"
    assert (found.state, found.alarm) == ("partial", True)
    assert found.text() == "1 picture kept, not all: the disk was too slow; the disk is full"
    assert found.details()["cameras"]["a"] == {"frames": 1, "lost": 3, "blind": []}


def test_stopped_in_the_middle_it_ends_there_and_takes_nothing_more() -> None:
    _, sight = watched(102.0)
    found = bundle(a=sight)
    put(found, Shot(101))
    found.stop(102.0, "the site was stopped")
    assert found.stage.name == "STORING"
    assert not found.wants(Shot(101.0))
    found.saved([row(1)])
    found.tick(102.1)
    assert found.stage.name == "DONE"
    assert found.reasons == ["the site was stopped"]
    assert found.details()["to"] == WALL + 2


def test_stopped_after_its_end_nothing_is_missing() -> None:
    _, sight = watched(104.5)
    found = bundle(a=sight)
    found.tick(105.0)
    assert found.stage.name == "SETTLING"
    found.stop(105.2, "the site was stopped")
    assert (found.stage, found.state) == (Stage.DONE, "complete")


STAGES = {
    # (stage, what happens) -> the stage after it; what isn't here stays
    (Stage.COLLECTING, "stop"): Stage.STORING,
    (Stage.SETTLING, "stop"): Stage.STORING,
    (Stage.COLLECTING, "end"): Stage.SETTLING,
    (Stage.SETTLING, "certain"): Stage.STORING,
    (Stage.SETTLING, "late"): Stage.STORING,
    (Stage.STORING, "stored"): Stage.DONE,
}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("happens", ["stop", "end", "certain", "late", "stored"])
def test_every_stage_knows_what_to_make_of_everything(stage: Stage, happens: str) -> None:
    _, sight = watched(104.0)
    found = bundle(a=sight)
    put(found, Shot(100))
    now = 104.0
    if stage is not Stage.COLLECTING:
        found.tick(now := 105.0)
    if stage in (Stage.STORING, Stage.DONE):
        found.tick(now := 108.0)
    if stage is Stage.DONE:
        found.saved([row(1)])
        found.tick(now)
    assert found.stage is stage
    match happens:
        case "stop":
            found.stop(now, "stopped")
        case "end":
            found.tick(max(now, 105.0))
        case "certain" if stage is not Stage.COLLECTING:
            sight.seen(now)
            found.tick(now)
        case "late" if stage is not Stage.COLLECTING:
            found.tick(200.0)
        case "stored" if stage is not Stage.DONE:
            found.saved([replace(row(1))])
            found.tick(now)
    assert found.stage is STAGES.get((stage, happens), stage)

"""What is kept of a door's action, whatever cameras, disk and database do meanwhile."""

import hashlib
from functools import partial
from pathlib import Path

import pytest

from gatekeeper.cameras.frame import CameraState
from gatekeeper.evidence.pictures import FileState, NotStored, PictureFolder
from gatekeeper.evidence.recorder import MAX_BUNDLES
from gatekeeper.storage import pictures
from gatekeeper.storage.pictures import BundleRow, PictureRow
from tests.evidence.recording import WALL, MemoryDatabase, Scene


def rows(scene: Scene, event: str) -> list[PictureRow]:
    return scene.database.do(partial(pictures.frames, event=event))


def bundle(scene: Scene, event: str) -> BundleRow:
    found = scene.database.do(partial(pictures.bundle, event=event))
    assert found is not None
    return found


def is_sound(scene: Scene, event: str) -> None:
    """What the record, the rows and the files say is the same, and in order."""
    told, kept = scene.told(event), rows(scene, event)
    assert [row.number for row in kept] == list(range(1, len(kept) + 1))
    assert [row.received for row in kept] == sorted(row.received for row in kept)
    assert all(scene.folder.state(row.sha256) is FileState.INTACT for row in kept)
    listed = [(one["number"], one["sha256"], one["camera"], one["received"]) for one in told.details["pictures"]]
    assert listed == [(row.number, row.sha256.hex(), row.camera, row.received) for row in kept]
    assert bundle(scene, event).state == told.details["state"]
    assert scene.recorder.in_progress == frozenset()


def test_five_seconds_before_and_five_after_of_the_cameras_at_the_door(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard", "hall", "cellar", doors={"front": ("yard", "hall"), "back": ("cellar",)}).start()
    scene.run(20, "yard", "hall", "cellar")
    scene.act("E")
    scene.run(20, "yard", "hall", "cellar")
    is_sound(scene, "E")
    told = scene.told("E")
    assert (told.kind, told.subject, told.outcome) == ("evidence.stored", "front", "ok")
    assert told.text == "162 pictures kept"
    received = [row.received - WALL for row in rows(scene, "E")]
    assert (min(received), max(received)) == (15.0, 25.0)
    assert {row.camera for row in rows(scene, "E")} == {"yard", "hall"}
    assert told.details["cameras"] == {camera: {"frames": 81, "lost": 0, "blind": []} for camera in ("yard", "hall")}
    first = rows(scene, "E")[0]
    assert first.sha256 == hashlib.sha256(b"yard at 15.000").digest()


def test_the_pictures_from_before_are_safe_at_once_and_the_bundle_is_known_as_open(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(10, "yard")
    scene.act("E")
    assert bundle(scene, "E").state == "open"
    assert len(rows(scene, "E")) == 41
    assert "evidence.stored" not in scene.record.kinds()


def test_the_moment_is_when_it_happened_not_when_it_was_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(10, "yard")
    scene.recorder.begin("E", "front", 8.0)
    scene.run(10, "yard")
    received = [row.received - WALL for row in rows(scene, "E")]
    assert (min(received), max(received)) == (3.0, 13.0)
    assert scene.told("E").details["moment"] == WALL + 8.0


def test_files_come_before_rows_and_rows_before_the_event_and_the_event_before_complete(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.disk.held = True
    scene.act("E")
    assert rows(scene, "E") == []
    scene.run(8, "yard")
    scene.record.held = True
    scene.database.held = []
    scene.disk.held = False
    scene.disk.release()
    assert rows(scene, "E") == []
    assert all(told.cause != "E" for told in scene.record.told)
    scene.database.release()
    scene.run(1, "yard")
    assert len(rows(scene, "E")) == 81
    assert scene.told("E").kind == "evidence.stored"
    assert bundle(scene, "E").state == "open"
    scene.record.store(scene.told("E"))
    assert bundle(scene, "E").state == "complete"


def test_open_and_lock_three_seconds_later_each_have_their_own_and_share_the_files(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(10, "yard")
    scene.act("OPEN")
    scene.run(3, "yard")
    scene.act("LOCK")
    scene.run(12, "yard")
    for event in ("OPEN", "LOCK"):
        is_sound(scene, event)
        assert scene.told(event).details["cameras"]["yard"]["frames"] == 81
    assert len([*scene.folder.files()]) == 105


def test_a_frozen_camera_costs_one_file(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(10, "yard", jpeg=b"frozen")
    scene.act("E")
    scene.run(8, "yard", jpeg=b"frozen")
    is_sound(scene, "E")
    assert len(rows(scene, "E")) == 81
    assert len([*scene.folder.files()]) == 1


# --- cameras that die ------------------------------------------------------------------------------------------------


def test_a_camera_that_dies_in_between_was_blind_from_its_last_picture_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard", "hall").start()
    scene.run(10, "yard", "hall")
    scene.act("E")
    scene.run(2, "yard", "hall")
    scene.run(0.5, "hall")
    scene.goes("yard", CameraState.OFFLINE, "connection refused")
    scene.run(10, "hall")
    is_sound(scene, "E")
    found = scene.told("E").details["cameras"]
    assert found["yard"]["blind"] == [[WALL + 12.0, WALL + 15.0, "offline: connection refused"]]
    assert found["hall"]["blind"] == []
    assert scene.told("E").kind == "evidence.stored"
    assert "yard was blind for 3.0 s" in scene.told("E").text


def test_one_that_comes_back_sees_again_from_its_first_picture(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(7, "yard")
    scene.run(2)
    scene.goes("yard", CameraState.STALLED, "no picture for 2 s")
    scene.run(1)
    scene.goes("yard", CameraState.CONNECTING, "asked anew")
    scene.act("E")
    scene.run(1)
    scene.run(9, "yard")
    is_sound(scene, "E")
    assert scene.told("E").details["cameras"]["yard"]["blind"] == [
        [WALL + 7.0, WALL + 11.125, "stalled: no picture for 2 s"]
    ]


def test_a_camera_that_never_came_is_said_to_be_blind_all_the_time_and_somebody_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.goes("yard", CameraState.OFFLINE, "no route to host")
    scene.run(10)
    scene.act("E")
    scene.run(8)
    is_sound(scene, "E")
    told = scene.told("E")
    assert (told.kind, told.outcome) == ("evidence.stored", "alarm")
    assert told.details["cameras"]["yard"] == {
        "frames": 0,
        "lost": 0,
        "blind": [[WALL + 5.0, WALL + 15.0, "offline: no route to host"]],
    }


def test_an_action_right_after_the_start_says_that_nobody_watched_before(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(1, "yard")
    scene.act("E")
    scene.run(8, "yard")
    blind = scene.told("E").details["cameras"]["yard"]["blind"]
    assert blind[0] == [WALL - 4.0, WALL, "not watched yet"]
    assert blind[1][:2] == [WALL, WALL + 0.125]
    assert len(blind) == 2


def test_a_door_without_cameras_and_an_unknown_one_cost_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard", doors={"front": ("yard",), "shed": ()}).start()
    scene.recorder.begin("E", "shed")
    scene.recorder.begin("F", "nowhere")
    assert scene.database.writes == 0
    assert scene.record.told == []


def test_the_same_event_begun_twice_is_one_bundle(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.act("E")
    scene.recorder.begin("E", "front")
    scene.run(8, "yard")
    is_sound(scene, "E")


# --- what is too much ------------------------------------------------------------------------------------------------


def test_nothing_happens_while_nothing_happens(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(60, "yard")
    assert scene.disk.jobs == []
    assert scene.database.writes == 0
    assert scene.clock.getDelayedCalls() == []


def test_a_disk_that_hangs_costs_pictures_and_bounded_memory_and_the_record_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard", waiting=60_000).start()
    big = b"x" * 1000
    scene.run(6, "yard", jpeg=big)
    scene.disk.held = True
    scene.act("E")
    scene.run(20, "yard", jpeg=big)
    assert scene.recorder._intake.size <= 60_000
    scene.disk.held = False
    scene.disk.release()
    scene.run(2, "yard")
    is_sound(scene, "E")
    told = scene.told("E")
    assert (told.kind, told.outcome, told.reason) == ("evidence.partial", "alarm", "the disk was too slow")
    found = told.details["cameras"]["yard"]
    assert found["frames"] + found["lost"] == 81
    assert 25 <= found["frames"] <= 60
    received = [row.received - WALL for row in rows(scene, "E")]
    assert min(received) < 2  # thinned out over the whole time, not cut off
    assert max(received) > 10


def test_a_full_disk_is_an_alarm_once_and_all_clear_once_and_the_door_is_not_concerned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    real = PictureFolder.store
    full = [True]

    def store(folder: PictureFolder, jpegs: list[bytes]) -> object:
        return [NotStored("the disk is full")] * len(jpegs) if full[0] else real(folder, jpegs)

    monkeypatch.setattr(PictureFolder, "store", store)
    scene.act("E")
    assert scene.recorder.failing == "the disk is full"
    scene.run(3, "yard")
    full[0] = False
    scene.run(5, "yard")
    assert scene.recorder.failing is None
    is_sound(scene, "E")
    assert scene.record.kinds() == ["evidence.failing", "evidence.recovered", "evidence.partial"]
    assert [told.outcome for told in scene.record.told] == ["alarm", "ok", "alarm"]
    assert scene.told("E").reason == "the disk is full"


def test_a_full_disk_is_full_for_real(tmp_path: Path) -> None:
    scene = Scene(Path("/dev/full/pictures"), "yard").start()
    scene.run(6, "yard")
    scene.act("E")
    scene.run(8, "yard")
    assert scene.told("E").kind == "evidence.partial"
    assert rows(scene, "E") == []


def test_more_actions_than_can_be_recorded_are_turned_away_and_the_record_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard", fps=2)
    for number in range(MAX_BUNDLES + 1):
        scene.act(f"E{number}x")
    assert len(scene.recorder.in_progress) == MAX_BUNDLES
    told = scene.told(f"E{MAX_BUNDLES}x")
    assert (told.kind, told.outcome) == ("evidence.partial", "alarm")
    assert "64 other actions" in told.text
    scene.run(8, "yard", fps=2)
    assert scene.recorder.in_progress == frozenset()
    scene.act("LATER")
    assert scene.recorder.in_progress == {"LATER"}


@pytest.mark.parametrize(("every", "least", "most"), [(4, 20, 30), (0, 0, 0)])
def test_where_the_disk_fills_up_pictures_are_thinned_or_left_out_and_the_record_says_so(
    tmp_path: Path, every: int, least: int, most: int
) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.recorder.ration(every)
    scene.act("E")
    scene.run(8, "yard")
    is_sound(scene, "E")
    told = scene.told("E")
    assert least <= told.details["cameras"]["yard"]["frames"] <= most
    assert told.reason == "the disk is nearly full"


# --- a database that is away -----------------------------------------------------------------------------------------


def test_rows_wait_for_a_database_that_is_away_and_nothing_is_missing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.act("E")
    scene.database.failing = True
    scene.run(20, "yard")
    assert scene.recorder.in_progress == {"E"}
    scene.database.failing = False
    scene.run(5, "yard")
    is_sound(scene, "E")
    assert scene.told("E").kind == "evidence.stored"
    assert len(rows(scene, "E")) == 81


def test_a_database_that_is_away_from_the_first_row_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.database.failing = True
    scene.recorder.begin("E", "front")
    scene.run(12, "yard")
    scene.database.failing = False
    scene.run(5, "yard")
    is_sound(scene, "E")
    assert len(rows(scene, "E")) == 81


def test_rows_that_were_stored_though_nobody_could_say_so_are_not_stored_twice(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.act("E")
    scene.run(1, "yard")
    scene.database.uncertain = True
    scene.run(2, "yard")
    scene.database.uncertain = False
    scene.run(10, "yard")
    is_sound(scene, "E")
    assert len(rows(scene, "E")) == 81


def test_a_file_that_went_before_its_row_came_has_no_row_and_the_record_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.database.held = []
    scene.act("E")
    scene.folder.remove([hashlib.sha256(b"yard at 3.000").digest()])
    scene.database.release()
    scene.run(8, "yard")
    is_sound(scene, "E")
    told = scene.told("E")
    assert told.kind == "evidence.partial"
    assert told.details["cameras"]["yard"] == {"frames": 80, "lost": 1, "blind": []}


# --- the end ---------------------------------------------------------------------------------------------------------


def test_a_stop_closes_what_is_in_progress_at_once_as_partial(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.act("E")
    scene.run(2, "yard")
    ended: list[None] = []
    scene.recorder.stop().addCallback(ended.append)
    assert ended == [None]
    is_sound(scene, "E")
    told = scene.told("E")
    assert (told.kind, told.reason) == ("evidence.partial", "the site was stopped")
    assert len(rows(scene, "E")) == 57
    assert told.details["to"] == WALL + 8.0
    assert scene.disk.stopped
    assert scene.clock.getDelayedCalls() == []
    assert scene.feeds["yard"].subscribers == 0


def test_a_stop_waits_for_a_slow_disk_for_a_bounded_time_and_what_is_left_is_open(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(6, "yard")
    scene.disk.held = True
    scene.act("E")
    ended: list[None] = []
    scene.recorder.stop().addCallback(ended.append)
    scene.clock.advance(1.9)
    assert ended == []
    scene.clock.advance(0.2)
    assert ended == [None]
    assert bundle(scene, "E").state == "open"
    scene.disk.held = False
    scene.disk.release()
    assert scene.clock.getDelayedCalls() == []


def test_a_stop_gives_the_disk_a_moment_and_then_gives_up_the_rest(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    scene.run(10, "yard", fps=16)
    scene.disk.held = True
    scene.act("E")
    assert len(scene.recorder._intake) > 0
    scene.recorder.stop()
    scene.clock.advance(1.1)
    scene.disk.held = False
    scene.disk.release()
    is_sound(scene, "E")
    found = scene.told("E").details["cameras"]["yard"]
    assert (found["frames"], found["lost"]) == (64, 17)


def test_a_stop_without_anything_to_do_is_done(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "yard").start()
    ended: list[None] = []
    scene.recorder.stop().addCallback(ended.append)
    scene.recorder.stop()
    assert ended == [None]
    scene.recorder.begin("E", "front")
    assert scene.recorder.in_progress == frozenset()


# --- after a crash ---------------------------------------------------------------------------------------------------


def killed(folder: Path, database: MemoryDatabase) -> Scene:
    """Return a scene whose process is gone, in the middle of one action."""
    scene = Scene(folder, "yard", database=database).start()
    scene.run(6, "yard")
    scene.act("E")
    scene.run(2, "yard")
    return scene


def test_what_a_killed_process_left_open_is_closed_as_what_is_there(tmp_path: Path) -> None:
    database = MemoryDatabase()
    before = killed(tmp_path, database)
    kept = len(rows(before, "E"))
    after = Scene(tmp_path, "yard", database=database).start()
    is_sound(after, "E")
    told = after.told("E")
    assert (told.kind, told.subject, told.outcome) == ("evidence.partial", "front", "alarm")
    assert told.reason == "gatekeeper ended in the middle"
    assert told.details["cameras"] == {"yard": {"frames": kept, "lost": None, "blind": None}}
    again = Scene(tmp_path, "yard", database=database).start()
    assert again.record.told == []


def test_rows_without_an_intact_file_go_and_the_record_says_how_many(tmp_path: Path) -> None:
    database = MemoryDatabase()
    before = killed(tmp_path, database)
    kept = rows(before, "E")
    before.folder.remove([kept[3].sha256])
    before.folder.path(kept[5].sha256).write_bytes(b"half")
    after = Scene(tmp_path, "yard", database=database).start()
    told = after.told("E")
    assert "of 2 pictures no intact file was left" in (told.reason or "")
    assert [row.number for row in rows(after, "E")] == [row.number for row in kept if row not in (kept[3], kept[5])]
    assert len(told.details["pictures"]) == len(kept) - 2


@pytest.mark.parametrize(("kind", "state"), [("evidence.stored", "complete"), ("evidence.partial", "partial")])
def test_one_whose_event_is_stored_was_only_not_closed(tmp_path: Path, kind: str, state: str) -> None:
    database = MemoryDatabase()
    before = killed(tmp_path, database)
    before.record(kind, "all of it", cause="E")
    after = Scene(tmp_path, "yard", database=database).start()
    assert after.record.told == []
    assert bundle(after, "E").state == state


def test_a_file_that_nobody_knows_is_not_taken_for_evidence(tmp_path: Path) -> None:
    database = MemoryDatabase()
    before = killed(tmp_path, database)
    before.folder.store([b"stored, and killed before the row"])
    after = Scene(tmp_path, "yard", database=database).start()
    is_sound(after, "E")


def test_a_database_that_is_away_at_the_start_is_asked_again(tmp_path: Path) -> None:
    database = MemoryDatabase()
    killed(tmp_path, database)
    database.failing = True
    after = Scene(tmp_path, "yard", database=database).start()
    after.run(1, "yard")
    database.failing = False
    after.run(3, "yard")
    is_sound(after, "E")


def test_an_action_in_the_new_run_is_not_taken_for_one_that_was_left(tmp_path: Path) -> None:
    database = MemoryDatabase()
    killed(tmp_path, database)
    database.failing = True
    after = Scene(tmp_path, "yard", database=database).start()
    after.run(1, "yard")
    database.failing = False
    after.act("NEW")
    after.run(1.5, "yard")
    assert bundle(after, "E").state == "partial"
    assert bundle(after, "NEW").state == "open"
    after.run(9, "yard")
    is_sound(after, "NEW")
    assert after.told("NEW").kind == "evidence.stored"

"""`gatekeeper retention`: what goes is told first, and is taken away only where that was asked."""

from pathlib import Path

import pytest

from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.storage import measurements, snapshots
from gatekeeper.storage.measurements import Ledger, SampleRow, Wanted
from gatekeeper.storage.snapshots import SnapshotRow
from tests.commands.kept import DAY, Site
from tests.commands.line import good

STRICT = "[retention]\npictures = {days = 5}\nevents = {days = 10}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_dry_run_says_what_would_go_and_changes_nothing(folder: Path) -> None:
    site = Site(folder, STRICT, age=7)
    text = good("retention", "--dry-run")
    assert "2 go (older than 5 days)" in text
    assert text.endswith("nothing was changed\n")
    assert site.picture(1).exists()
    assert len(site.record()) == 4


def test_old_pictures_go_with_a_trace_and_the_record_stays_sound(folder: Path) -> None:
    site = Site(folder, STRICT, age=7)
    text = good("retention")
    assert "done; now:" in text
    assert not site.picture(1).exists()
    assert site.kinds == [
        "system.started", "door.opened", "evidence.stored", "door.relocked", "evidence.erased",
    ]  # fmt: skip
    assert "2 erased by signed statements" in good("verify")


def test_old_events_go_after_their_pictures(folder: Path) -> None:
    site = Site(folder, STRICT, age=20)
    good("retention")
    assert site.kinds == ["evidence.erased"]
    assert "gone by signed statements" in good("verify")


def test_what_is_young_stays(folder: Path) -> None:
    site = Site(folder, STRICT, age=1)
    assert good("retention").count("nothing goes") == 8
    assert site.picture(2).exists()


def test_kept_pictures_go_with_their_files(folder: Path) -> None:
    site = Site(folder, "[retention]\nsnapshots = {days = 5}\n", age=7)
    kept = SnapshotFolder(site.data / "snapshots")
    rows = [
        SnapshotRow(name * 26, "yard", "2026-11-28", site.then + age * DAY, "interval", None, None, 1, 1, 9, bytes(32))
        for name, age in (("A", 0), ("B", 6))
    ]
    kept.store([(row, b"\xff\xd8 kept") for row in rows])
    with site.database() as database:
        database.write(lambda connection: snapshots.add(connection, rows))
    assert "snapshots: 18 bytes kept; at most 5 days\n  1 go (older than 5 days)" in good("retention", "--dry-run")
    assert kept.path(rows[0]).exists()
    good("retention")
    assert not kept.path(rows[0]).exists()
    with site.database() as database:
        assert database.read(lambda connection: snapshots.page(connection, 10)) == rows[1:]


def test_old_samples_go_in_blocks_and_young_ones_and_the_sessions_stay(folder: Path) -> None:
    site = Site(folder, "[retention]\nsamples = {days = 5}\n", age=7)
    rows = [SampleRow(1, 1, site.then + age * DAY, 0.0, 1.0, 2.0, True, True) for age in (0, 6.9) for _ in range(1200)]
    with site.database() as database:
        database.write(lambda connection: measurements.start(connection, 2.5, "baja", site.then, 60.0))
        database.write(lambda connection: measurements.add(connection, rows, Ledger({}, {})))
    assert "samples: 240.0 KB kept; at most 5 days\n  2 go (older than 5 days)" in good("retention", "--dry-run")
    good("retention")
    with site.database() as database:
        left = database.read(lambda connection: measurements.page(connection, Wanted()))
        assert len(left) == 2400 - 999  # the block in which young ones stand stays whole
        assert database.read(measurements.newest) is not None
    assert "measurement.pruned" in site.kinds


def test_what_is_on_hold_stays(folder: Path) -> None:
    site = Site(folder, STRICT, age=20)
    site.execute("UPDATE events SET held = 1")
    text = good("retention")
    assert "on hold" in text
    assert site.picture(1).exists()
    assert len(site.record()) == 4


def test_a_file_that_the_database_does_not_know_is_left_alone(folder: Path) -> None:
    site = Site(folder, STRICT, age=20)
    strange = site.data / "pictures" / "ab" / ("ab" * 32 + ".jpg")
    strange.parent.mkdir(exist_ok=True)
    strange.write_bytes(b"?")
    good("retention")
    assert strange.exists()

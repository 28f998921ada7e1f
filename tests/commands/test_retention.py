"""`gatekeeper retention`: what goes is told first, and is taken away only where that was asked."""

from pathlib import Path

import pytest

from tests.commands.kept import Site
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
    assert good("retention").count("nothing goes") == 4
    assert site.picture(2).exists()


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

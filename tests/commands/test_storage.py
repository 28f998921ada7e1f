"""`gatekeeper backup` and `restore`: a whole site in one file, and back, here or on another machine."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands.kept import Site
from tests.commands.line import good, run

CONFIGURATION = 'name = "porch"\ndata = "kept"\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Site(folder, CONFIGURATION, data="kept")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


# --- backup ---


def test_a_backup_is_one_file_for_its_owner_and_is_on_the_record(site: Site) -> None:
    text = good("backup", "porch.backup")
    assert text.startswith("porch.backup: ")
    assert (site.folder / "porch.backup").stat().st_mode & 0o077 == 0
    made = site.record()[-1]
    assert (made.kind, made.details["file"]) == ("system.backed_up", str(site.folder / "porch.backup"))


def test_pictures_come_with_it_where_they_are_wanted(site: Site) -> None:
    assert "pictures" not in good("backup", "small")
    assert ", 2 pictures\n" in good("backup", "large", "--pictures")


def test_pictures_that_are_missing_are_told(site: Site) -> None:
    site.picture(1).unlink()
    assert "1 pictures are missing" in good("backup", "x", "--pictures")


def test_no_file_is_written_over(site: Site) -> None:
    (site.folder / "x").write_text("mine")
    assert run("backup", "x").why == "x is there already; choose another name, or remove it"
    assert (site.folder / "x").read_text() == "mine"


def test_where_it_cannot_be_written_is_told(site: Site) -> None:
    assert "No such file or directory" in run("backup", "no/such/x").why


# --- restore ---


def test_a_site_is_brought_back_to_its_backup(site: Site) -> None:
    good("backup", "porch.backup")
    before = site.kinds[:-1]  # the backup is recorded after it was made
    site.execute("DELETE FROM events")
    text = good("restore", "porch.backup")
    assert text.startswith("restored porch.backup, made ")
    assert site.kinds == [*before, "system.restored"]
    assert "SOUND" in good("verify")


def test_what_was_there_before_is_kept_and_can_be_brought_back(site: Site) -> None:
    good("backup", "porch.backup")
    site.execute("UPDATE events SET kind = kind")
    text = good("restore", "porch.backup")
    [aside] = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("what was there before")]
    good("restore", aside)
    assert site.kinds[-2:] == ["system.backed_up", "system.restored"]


def test_on_a_new_machine_everything_is_where_the_configuration_says(
    site: Site, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good("tls", "init")
    good("backup", "porch.backup", "--pictures")
    monkeypatch.chdir(elsewhere)
    text = good("restore", str(site.folder / "porch.backup"))
    assert "2 pictures" in text
    assert (elsewhere / "gatekeeper.toml").read_text() == CONFIGURATION
    assert (elsewhere / "kept" / "tls" / "ca.key").read_bytes() == (site.data / "tls" / "ca.key").read_bytes()
    assert (elsewhere / "kept" / "tls" / "ca.key").stat().st_mode & 0o077 == 0
    assert "2 pictures as they were recorded" in good("verify")
    assert "the authority stays" in good("tls", "init")


def test_a_named_configuration_that_is_not_there_yet_is_made(
    site: Site, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good("backup", "porch.backup")
    monkeypatch.chdir(elsewhere)
    (elsewhere / "etc").mkdir()
    good("restore", str(site.folder / "porch.backup"), "--config", "etc/porch.toml")
    assert (elsewhere / "etc" / "porch.toml").read_text() == CONFIGURATION
    assert (elsewhere / "etc" / "kept" / "gatekeeper.sqlite").exists()


def test_a_configuration_that_keeps_its_data_elsewhere_is_not_mixed_with_this_one(site: Site) -> None:
    good("backup", "porch.backup")
    (site.folder / "gatekeeper.toml").write_text('data = "other"\n')
    assert "keeps its data elsewhere than gatekeeper.toml" in run("restore", "porch.backup").why
    assert not (site.folder / "other").exists()
    good("restore", "porch.backup", "--keep-configuration")
    assert (site.folder / "gatekeeper.toml").read_text() == 'data = "other"\n'
    assert (site.folder / "other" / "gatekeeper.sqlite").exists()


def test_a_running_site_is_told_to_be_restarted_only_where_it_has_to(site: Site) -> None:
    good("backup", "porch.backup")
    assert "restart" not in good("restore", "porch.backup")
    (site.folder / "gatekeeper.toml").write_text('data = "kept"\n')
    assert "replaced as well: configuration.toml; restart the site" in good("restore", "porch.backup")
    assert (site.folder / "gatekeeper.toml").read_text() == CONFIGURATION


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"x" * 1000])
def test_what_is_no_backup_is_told_and_nothing_changes(site: Site, content: bytes) -> None:
    (site.folder / "x").write_bytes(content)
    assert "damaged, or none" in run("restore", "x").why
    assert run("restore", "none").why == "none: No such file or directory"
    assert len(site.record()) == 4


def test_a_backup_that_was_cut_off_changes_nothing(site: Site) -> None:
    good("backup", "x")
    whole = (site.folder / "x").read_bytes()
    (site.folder / "x").write_bytes(whole[: len(whole) // 2])
    assert run("restore", "x").code == 1
    assert site.kinds[-1] == "system.backed_up"


def test_a_backup_holds_no_secret_that_stands_outside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORCH_TOKEN", "correct-horse-battery-staple")
    (site.folder / "gatekeeper.toml").write_text(CONFIGURATION + '[access]\nadmin_token = {env = "PORCH_TOKEN"}\n')
    good("backup", "x")
    shutil.unpack_archive(site.folder / "x", site.folder / "out", "zip")
    content = b"".join(path.read_bytes() for path in (site.folder / "out").rglob("*") if path.is_file())
    assert b"correct-horse-battery-staple" not in content
    assert b"PORCH_TOKEN" in content
    assert json.loads((site.folder / "out" / "manifest.json").read_bytes())["format"] == 1

"""`gatekeeper verify` and `export`: the record is checked where it lies, and handed over with its proof."""

import getpass
from pathlib import Path

import pytest

from gatekeeper.errors import StorageUnavailable
from gatekeeper.evidence import verify
from gatekeeper.evidence.blocking import BlockingJournal
from tests.commands.kept import Site
from tests.commands.line import Done, good, run


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)


def checked(*arguments: str) -> Done:
    done = run("verify", *arguments)
    assert done.err == ""
    return done


# --- verify ---


def test_a_sound_record_is_told_with_what_was_checked(site: Site) -> None:
    text = good("verify")
    assert text.startswith("SOUND: everything is as it was recorded\n4 records checked")
    assert "everything up to record 4\n" in text
    assert "2 pictures as they were recorded" in text


def test_checking_changes_nothing(site: Site) -> None:
    before = {path: path.read_bytes() for path in site.data.rglob("*") if path.is_file() and "sqlite" not in path.name}
    good("verify")
    assert {path: path.read_bytes() for path in before} == before
    assert len(site.record()) == 4


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE events SET body = CAST(replace(body, 'ana', 'bob') AS BLOB) WHERE sequence = 2", "record 2"),
        ("DELETE FROM events WHERE sequence = 2", "2"),
        ("DELETE FROM events WHERE sequence = 4", "4"),
        ("UPDATE events SET body = x'7b7d' WHERE sequence = 3", "record 3"),
        ("DELETE FROM head", "head"),
    ],
)
def test_what_was_done_to_it_is_named_and_the_exit_code_is_one(site: Site, sql: str, words: str) -> None:
    site.execute(sql)
    done = checked()
    assert done.code == 1
    assert "NOT SOUND: " in done.out
    assert any(words in line for line in done.out.splitlines() if line.startswith("  - ")), done.out


def test_a_picture_that_was_changed_or_is_gone_is_named(site: Site) -> None:
    site.picture(1).write_bytes(b"another")
    site.picture(2).unlink()
    done = checked()
    assert done.code == 1
    assert "picture 1 (camera yard) is damaged" in done.out
    assert "picture 2 (camera yard) is missing" in done.out


def test_pictures_may_be_left_out(site: Site) -> None:
    site.picture(1).unlink()
    assert "pictures were not looked at" in good("verify", "--no-pictures")


def test_without_the_key_nothing_is_vouched_for_and_no_other_is_made(site: Site) -> None:
    (site.data / "keys" / "evidence.key").unlink()
    assert run("verify").why.endswith("evidence.key is missing: put the key of the record back from a backup")
    assert not (site.data / "keys" / "evidence.key").exists()


@pytest.mark.parametrize("command", [("verify",), ("export", "--event", "X"), ("retention",), ("backup", "x")])
def test_where_there_is_no_site_that_is_told_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*command).why.startswith("there is no site at gatekeeper-data yet: start it once")
    assert list(tmp_path.iterdir()) == []


# --- export ---


def test_a_case_is_written_that_stands_by_itself(site: Site) -> None:
    text = good("export", "--event", site.opened.id, "--to", "case.zip")
    assert text.startswith("case.zip: door.opened of ")
    assert "2 pictures\n" in text
    verdict = verify.verify("case.zip", text.rsplit("--key ", 1)[1].strip())
    assert verdict.sound, verdict.problems
    assert (site.folder / "case.zip").stat().st_mode & 0o077 == 0


def test_who_took_it_is_on_the_record(site: Site) -> None:
    good("export", "--event", site.opened.id)
    assert (site.folder / f"case-{site.opened.id}.zip").exists()
    exported = site.record()[-1]
    assert (exported.kind, exported.subject, exported.details["event"]) == (
        "evidence.exported",
        "front",
        site.opened.id,
    )
    assert exported.caller is not None
    assert (exported.caller.client, exported.caller.session) == ("command line", getpass.getuser())
    good("verify")


def test_a_file_that_is_there_is_not_written_over(site: Site) -> None:
    (site.folder / "case.zip").write_text("mine")
    assert run("export", "--event", site.opened.id, "--to", "case.zip").why.startswith("case.zip is there already")
    assert (site.folder / "case.zip").read_text() == "mine"
    assert "evidence.exported" not in site.kinds


@pytest.mark.parametrize("event", ["none", "../../x", "", "a" * 300])
def test_an_event_that_is_not_there_is_told(site: Site, event: str) -> None:
    assert run("export", "--event", event).why.startswith("there is no event with this id")
    assert [path.name for path in site.folder.iterdir()] == ["gatekeeper-data"]


def test_where_the_file_cannot_be_written_nothing_is_recorded(site: Site) -> None:
    why = run("export", "--event", site.opened.id, "--to", "no/such/x.zip").why
    assert why == "no/such/x.zip: there is no folder no/such"
    assert "evidence.exported" not in site.kinds


def test_an_export_that_cannot_be_recorded_is_not_handed_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(BlockingJournal, "record", fail)
    assert run("export", "--event", site.opened.id).why == "the disk is full"
    assert [path.name for path in site.folder.iterdir()] == ["gatekeeper-data"]

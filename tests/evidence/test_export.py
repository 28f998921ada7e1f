"""A case is one file that holds what happened and what proves it, and nothing that may not leave."""

import json
import zipfile
from pathlib import Path

import pytest

from gatekeeper.errors import NoSuchEvent, Overloaded, StorageUnavailable
from gatekeeper.evidence import export as export_module
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.export import sweep
from gatekeeper.storage.tables import checkpoints
from tests.evidence.cases import Opened, contents
from tests.evidence.chains import NOW, SITE


def test_a_case_holds_what_belongs_together(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    exported = site.export()
    files = contents(exported.path)
    assert (exported.name, exported.size) == (f"case-{site.event}.zip", exported.path.stat().st_size)
    assert [json.loads(json.loads(line)["body"])["kind"] for line in files["records.jsonl"].splitlines()] == [
        "gate.allowed",
        "door.opened",
        "evidence.stored",
    ]
    assert sorted(content for name, content in files.items() if name.startswith("frames/")) == sorted(site.jpegs)
    manifest = json.loads(files["manifest.json"])
    assert {one["name"] for one in manifest["files"]} == set(files) - {"manifest.json", "export.json"}
    assert (manifest["site"], manifest["event"], manifest["by"]) == (SITE, site.event, "ana")
    assert site.signer.id.encode() in files["README.txt"]
    assert b"PRIVATE" not in b"".join(files.values())


def test_pictures_are_not_packed_again(tmp_path: Path) -> None:
    with zipfile.ZipFile(Opened(tmp_path).export().path) as archive:
        kinds = {entry.compress_type for entry in archive.infolist() if entry.filename.startswith("frames/")}
        assert kinds == {zipfile.ZIP_STORED}


def test_the_chain_reaches_from_checkpoint_to_checkpoint(tmp_path: Path) -> None:
    site = Opened(tmp_path)

    def sequences() -> list[int]:
        return [json.loads(line)["sequence"] for line in contents(site.export().path)["chain.jsonl"].splitlines()]

    assert sequences() == list(range(2, 15)), "from the first record's checkpoint to the head"
    site.store.blocking(lambda connection: connection.execute(checkpoints.delete()))
    assert sequences() == list(range(1, 15)), "without any, from the beginning"


def test_what_the_caller_may_not_see_does_not_leave(tmp_path: Path) -> None:
    site = Opened(tmp_path)

    def visible(event: Event) -> bool:
        return event.subject in ("front", None)

    files = contents(site.export(visible).path)
    assert "chain.jsonl" not in files
    assert b"M-AB 123" not in b"".join(files.values())
    assert b"offline" not in files["records.jsonl"]
    with pytest.raises(NoSuchEvent):
        site.export(lambda event: False)


def test_an_event_without_pictures_is_a_case_too(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    files = contents(site.export(event=site.journal.recent()[0].id).path)
    assert json.loads(files["frames.json"]) == []


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Opened(tmp_path)

    def full(*arguments: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module, "_statements", full)
    with pytest.raises(OSError, match="No space"):
        site.export()
    assert list(site.exports.iterdir()) == []


def test_an_export_that_the_end_of_the_site_meets_leaves_nothing_behind(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    pieces = iter([False] * 5)
    with pytest.raises(StorageUnavailable):
        export_module.export(site.case(), site.signer, NOW, "ana", site.exports, stopped=lambda: next(pieces, True))
    assert list(site.exports.iterdir()) == []


def test_what_nobody_fetched_is_removed_and_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Opened(tmp_path)
    path = site.export().path
    written = path.stat().st_mtime
    sweep(site.exports, written + 60)
    monkeypatch.setattr(export_module, "MAXIMUM", 1)
    with pytest.raises(Overloaded):
        sweep(site.exports, written + 60)
    sweep(site.exports, written + 3601)
    assert not path.exists()


def test_a_date_that_no_zip_file_can_say_is_no_error(tmp_path: Path) -> None:
    assert export_module._date(0.0)[0] == 1980
    assert export_module._date(NOW)[0] == 2027

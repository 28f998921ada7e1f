"""Files by their content: whole or not there, one of a kind, and found out when they change."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.evidence import pictures
from gatekeeper.evidence.pictures import FileState, NotStored, PictureFolder, Stored


def sha(jpeg: bytes) -> bytes:
    return hashlib.sha256(jpeg).digest()


@pytest.fixture
def folder(tmp_path: Path) -> PictureFolder:
    return PictureFolder(tmp_path / "pictures")


def test_a_picture_is_found_under_its_hash_for_its_owner_only(folder: PictureFolder) -> None:
    jpeg = b"\xff\xd8picture\xff\xd9"
    assert folder.store([jpeg]) == [Stored(sha(jpeg), len(jpeg))]
    file = folder.folder / sha(jpeg).hex()[:2] / f"{sha(jpeg).hex()}.jpg"
    assert folder.path(sha(jpeg)) == file
    assert file.read_bytes() == jpeg
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert folder.read(sha(jpeg)) == (FileState.INTACT, jpeg)


def test_the_same_picture_twice_is_one_file_also_in_one_go(folder: PictureFolder) -> None:
    jpeg = b"twin"
    assert folder.store([jpeg, jpeg]) == [Stored(sha(jpeg), 4)] * 2
    before = folder.path(sha(jpeg)).stat().st_ino
    assert folder.store([jpeg]) == [Stored(sha(jpeg), 4)]
    assert folder.path(sha(jpeg)).stat().st_ino == before
    assert [*folder.files()] == [(sha(jpeg), 4)]
    assert [*(folder.folder / "incoming").iterdir()] == []


def test_a_file_that_rotted_is_found_out_and_made_whole_when_the_same_picture_comes_again(
    folder: PictureFolder,
) -> None:
    folder.store([b"right"])
    folder.path(sha(b"right")).write_bytes(b"wrong")
    assert folder.read(sha(b"right")) == (FileState.DAMAGED, b"")
    folder.store([b"right"])
    assert folder.state(sha(b"right")) is FileState.INTACT


def test_missing_and_unreadable_are_told_apart(folder: PictureFolder) -> None:
    assert folder.state(sha(b"never")) is FileState.MISSING
    folder.path(sha(b"never")).mkdir(parents=True)
    assert folder.state(sha(b"never")) is FileState.UNREADABLE
    assert not folder.has(sha(b"never"))


def notes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the list in which renames, and syncs of files and folders, are noted as they are done."""
    done: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        done.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        fsync(descriptor)

    def noted_replace(source: str, target: str) -> None:
        done.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return done


def test_every_byte_is_safe_before_the_file_has_its_name_and_the_name_before_anybody_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted(sha(jpeg).hex() for jpeg in (b"x", b"y"))
    for one_by_one in (True, False):
        folder = PictureFolder(tmp_path / str(one_by_one), None)
        folder.store([b"x", b"y"])
        for jpeg in (b"x", b"y"):
            folder.path(sha(jpeg)).unlink()
        with monkeypatch.context() as patched:
            done = notes(patched)
            if not one_by_one:

                def sync(where: str, done: list[tuple[str, str]] = done) -> None:
                    there = [Path(where, "incoming", f"{name}.part").exists() for name in names]
                    done.append(("sync", "all" if all(there) else "none" if not any(there) else "some"))

                folder = PictureFolder(folder.folder, sync)
            folder.store([b"x", b"y"])
        renames = [("rename", f"{name}.jpg") for name in names]
        assert sorted(done[2:4] if one_by_one else done[1:3]) == renames
        if one_by_one:
            assert sorted(done[:2]) == [("sync", f"{name}.part") for name in names]
            assert sorted(done[4:]) == [("sync", name[:2]) for name in names]
        else:
            assert (done[0], done[3:]) == (("sync", "all"), [("sync", "none")])


@pytest.mark.skipif(pictures.DISK_SYNC is None, reason="this system can't make a whole disk safe in one go")
def test_a_whole_disk_is_made_safe_in_one_go_where_the_system_can(folder: PictureFolder) -> None:
    assert pictures.DISK_SYNC is not None
    folder.store([b"x"])
    assert pictures.DISK_SYNC(str(folder.folder)) is None
    assert pictures.DISK_SYNC(str(folder.folder / "nowhere")) == "No such file or directory"


@pytest.mark.parametrize(
    ("number", "words"), [(28, "the disk is full"), (122, "the disk's quota is used up"), (5, "the disk fails")]
)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "sync"])
def test_a_disk_that_fails_is_told_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    broken: list[str] = []
    folder = PictureFolder(tmp_path / "pictures", (lambda _: broken[0] if broken else None) if call == "sync" else None)
    folder.store([b"good"])
    with monkeypatch.context() as patched:
        if call == "sync":
            broken.append(words)
        else:
            real = getattr(os, call)

            def failing(*arguments: Any, **more: Any) -> Any:
                if call == "open" and not str(arguments[0]).endswith(".part"):
                    return real(*arguments, **more)
                raise OSError(number, os.strerror(number))

            patched.setattr(os, call, failing)
        assert folder.store([b"bad"]) == [NotStored(words)]
    assert not folder.has(sha(b"bad"))
    assert [*folder.folder.glob("incoming/*")] == []
    assert folder.state(sha(b"good")) is FileState.INTACT


def test_a_name_that_is_not_safe_is_not_told_though_the_file_is_there(tmp_path: Path) -> None:
    said: list[str | None] = [None, "the disk fails"]
    folder = PictureFolder(tmp_path / "pictures", lambda _: said.pop(0))
    assert folder.store([b"x"]) == [NotStored("the disk fails")]
    assert said == []


def test_a_folder_that_somebody_removed_is_made_anew(folder: PictureFolder) -> None:
    folder.store([b"x"])
    shutil.rmtree(folder.folder)
    assert folder.store([b"x"]) == [Stored(sha(b"x"), 1)]


def test_a_disk_that_takes_half_of_a_picture_took_none(folder: PictureFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, jpeg: write(descriptor, jpeg[: len(jpeg) // 2]))
    assert folder.store([b"whole"]) == [NotStored("the disk is full")]
    assert not folder.has(sha(b"whole"))
    assert [*folder.folder.glob("incoming/*")] == []


def test_one_that_fails_does_not_take_the_others_with_it(
    folder: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def failing(source: str, target: str) -> None:
        if target == str(folder.path(sha(b"bad"))):
            raise OSError(28, "")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    results = folder.store([b"one", b"bad", b"two"])
    assert [type(result) for result in results] == [Stored, NotStored, Stored]


def test_a_sweep_takes_what_a_killed_process_left_unfinished_and_nothing_else(folder: PictureFolder) -> None:
    folder.store([b"kept"])
    (folder.folder / "incoming" / "abc.part").write_bytes(b"half")
    (folder.folder / "incoming" / "notes.txt").write_bytes(b"somebody's")
    assert folder.sweep() == 1
    assert [file.name for file in (folder.folder / "incoming").iterdir()] == ["notes.txt"]
    assert folder.has(sha(b"kept"))


def test_a_sweep_of_a_folder_that_is_not_there_is_nothing(folder: PictureFolder) -> None:
    assert folder.sweep() == 0
    assert [*folder.files()] == []


def test_what_is_not_named_like_a_picture_is_no_file_of_ours(folder: PictureFolder) -> None:
    folder.store([b"one"])
    (folder.folder / "ab").mkdir(exist_ok=True)
    for name in ("ab.jpg", "notes.jpg", "0" * 64, "0" * 63 + "g.jpg"):
        (folder.folder / "ab" / name).write_bytes(b"")
    assert [found for found, _ in folder.files()] == [sha(b"one")]


def test_removing_says_what_is_still_there(folder: PictureFolder) -> None:
    folder.store([b"one", b"two"])
    folder.path(sha(b"stuck")).mkdir(parents=True)
    failed = folder.remove([sha(b"one"), sha(b"never"), sha(b"stuck")])
    assert [found for found, _ in failed] == [sha(b"stuck")]
    assert [found for found, _ in folder.files() if found != sha(b"stuck")] == [sha(b"two")]

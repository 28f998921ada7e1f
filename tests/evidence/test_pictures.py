"""Files by their content: whole or not there, one of a kind, and found out when they change."""

import hashlib
import os
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


def test_every_byte_is_safe_before_the_file_has_its_name_and_the_name_before_anybody_hears(
    folder: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.store([b"first, so that the folders are there"])
    done: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        fsync(descriptor)

    def noted_replace(source: Path, target: Path) -> None:
        done.append(("rename", target.name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    name = sha(b"x").hex()
    folder.folder.joinpath(name[:2]).mkdir(exist_ok=True)
    folder.store([b"x"])
    assert done == [("fsync", f"{name}.part"), ("rename", f"{name}.jpg"), ("fsync", name[:2])]


@pytest.mark.parametrize(
    ("number", "words"), [(28, "the disk is full"), (122, "the disk's quota is used up"), (5, "the disk fails")]
)
@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_a_disk_that_fails_is_told_in_words_and_leaves_nothing(
    folder: PictureFolder, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    folder.store([b"good"])
    real = getattr(os, call)

    def failing(*arguments: Any, **more: Any) -> Any:
        if call == "open" and not str(arguments[0]).endswith(".part"):
            return real(*arguments, **more)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing)
        assert folder.store([b"bad"]) == [NotStored(words)]
    assert not folder.has(sha(b"bad")) or call == "fsync"
    assert [*folder.folder.glob("incoming/*")] == []
    assert folder.state(sha(b"good")) is FileState.INTACT


def test_a_disk_that_takes_half_of_a_picture_took_none(folder: PictureFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Half:
        def __init__(self, descriptor: int, *_: Any, **__: Any) -> None:
            os.close(descriptor)

        def __enter__(self) -> "Half":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, jpeg: bytes) -> int:
            return len(jpeg) // 2

    monkeypatch.setattr(pictures, "open", Half, raising=False)
    (result,) = folder.store([b"whole"])
    assert isinstance(result, NotStored)
    assert not folder.has(sha(b"whole"))


def test_one_that_fails_does_not_take_the_others_with_it(
    folder: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def failing(source: Path, target: Path) -> None:
        if target == folder.path(sha(b"bad")):
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

"""The key file and what is encrypted with it."""

import os
import stat
from pathlib import Path

import pytest

from gatekeeper.access.sealing import FILE, Seal
from gatekeeper.errors import ConfigurationError


def test_the_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sealed = Seal.open(tmp_path).seal("it", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / FILE).parent.stat().st_mode) == 0o700
    assert [file.name for file in (tmp_path / "keys").iterdir()] == [FILE.name]
    assert Seal.open(tmp_path).unseal("it", sealed) == b"secret"


def test_where_hard_links_are_not_to_be_had_it_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert Seal.open(tmp_path).derive("x") == Seal.open(tmp_path).derive("x")
    assert [file.name for file in (tmp_path / "keys").iterdir()] == [FILE.name]


def test_of_two_that_start_at_once_both_use_the_first_ones_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Path, target: Path) -> None:
        target.write_bytes(b"f" * 32)  # the other was faster
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    assert Seal.open(tmp_path).derive("x") == Seal(b"f" * 32).derive("x")


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_file_that_is_none_of_ours_is_told_in_one_line_and_left(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^data: .*tokens\.key is not a key file: "):
        Seal.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(ConfigurationError, match=r"^data: can't use .*tokens\.key: "):
        Seal.open(tmp_path)


def test_what_is_sealed_opens_only_whole_with_the_key_and_for_its_purpose() -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.seal("ana", b"secret")
    assert b"secret" not in sealed
    assert seal.unseal("ana", sealed) == b"secret"
    assert sealed != seal.seal("ana", b"secret")
    assert seal.unseal("ben", sealed) is None
    assert Seal(b"o" * 32).unseal("ana", sealed) is None
    for place in range(len(sealed)):
        assert seal.unseal("ana", sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]) is None
        assert seal.unseal("ana", sealed[:place]) is None


@pytest.mark.parametrize("text", ["", "x", "!", "AAAA", "é", "\udcff"])
def test_text_that_was_never_sealed_opens_nothing(text: str) -> None:
    assert Seal(b"k" * 32).unseal_text("ana", text) is None


def test_what_is_derived_is_the_same_for_a_purpose_only() -> None:
    seal = Seal(b"k" * 32)
    assert seal.derive("one") == Seal(b"k" * 32).derive("one")
    assert len({seal.derive("one"), seal.derive("two"), Seal(b"o" * 32).derive("one")}) == 3

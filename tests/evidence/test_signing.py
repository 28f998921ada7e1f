"""The key of the record: made once, for its owner's eyes, and followed by another without losing the past."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from gatekeeper.errors import ConfigurationError
from gatekeeper.evidence.chain import ZERO, Refused, is_signed, key_id, read, trust
from gatekeeper.evidence.signing import load, rotate
from tests.evidence.chains import NOW, OTHER_SITE, SITE


def wall() -> float:
    return NOW


def test_the_key_is_made_at_the_first_start_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    first = load(folder, wall)
    assert load(folder, wall).id == first.id == key_id(first.public)
    assert [file.name for file in folder.iterdir()] == ["evidence.key"], "nothing unfinished stays"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "evidence.key").stat().st_mode) == 0o600


def test_a_key_file_that_was_opened_to_others_is_closed(tmp_path: Path) -> None:
    load(tmp_path, wall)
    (tmp_path / "evidence.key").chmod(0o644)
    load(tmp_path, wall)
    assert stat.S_IMODE((tmp_path / "evidence.key").stat().st_mode) == 0o600


def test_two_processes_that_start_at_once_have_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link
    other: list[str] = []

    def late(source: Path, target: Path) -> None:
        if not other:
            other.append("")
            other[0] = load(tmp_path, wall).id
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert load(tmp_path, wall).id == other[0]


def test_a_statement_says_who_where_and_when(tmp_path: Path) -> None:
    signer = load(tmp_path, wall)
    signed = signer.sign("checkpoint", SITE, 7, b"h" * 32, more=[1])
    statement = read(signed, signer.keys, SITE)
    assert (statement.type, statement.sequence, statement.hash) == ("checkpoint", 7, b"h" * 32)
    assert (statement.time, statement.key, statement.fields["more"]) == (NOW, signer.id, [1])
    assert signer.read(signed, SITE) == statement
    assert signer.read(signed, OTHER_SITE) is None
    assert is_signed(signed, signer.public)
    public = serialization.load_pem_public_key(signer.pem.encode())
    assert public.public_bytes_raw() == signer.public  # type: ignore[union-attr]


def test_after_a_change_of_the_key_the_past_is_still_known(tmp_path: Path) -> None:
    old = load(tmp_path, wall)
    past = old.sign("head", SITE, 1, ZERO)
    middle = rotate(tmp_path, wall, SITE)
    new = rotate(tmp_path, wall, SITE)
    assert len({old.id, middle.id, new.id}) == 3
    assert load(tmp_path, wall).keys == new.keys
    assert set(new.keys) == {old.id, middle.id, new.id}
    assert read(past, new.keys, SITE).key == old.id
    for root in new.keys:
        assert trust(root, new.keys, new.rotations) == new.keys
    assert stat.S_IMODE((tmp_path / "evidence-keys.json").stat().st_mode) == 0o600


def test_a_key_that_nobody_of_ours_vouched_for_is_not_trusted(tmp_path: Path) -> None:
    other = load(tmp_path / "other", wall)
    known: dict[str, Any] = {"keys": {other.id: other.public.hex()}, "rotations": []}
    (tmp_path / "evidence-keys.json").write_text(json.dumps(known))
    signer = load(tmp_path, wall)
    assert set(signer.keys) == {signer.id}
    claim = other.sign("key", SITE, 0, ZERO, next=signer.id, public=signer.public.hex())
    known["rotations"] = [{"statement": claim.text.decode(), "signature": claim.signature.hex()}]
    (tmp_path / "evidence-keys.json").write_text(json.dumps(known))
    assert set(load(tmp_path, wall).keys) == {signer.id}, "anybody can claim to have vouched for us"
    with pytest.raises(Refused):
        read(other.sign("head", SITE, 1, ZERO), load(tmp_path, wall).keys, SITE)


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_that_can_not_be_read_is_a_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "evidence.key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"evidence\.key: the key of the record"):
        load(tmp_path, wall)


def test_a_key_of_another_kind_is_a_clear_line(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "evidence.key").write_bytes(pem)
    with pytest.raises(ConfigurationError, match="no Ed25519 key"):
        load(tmp_path, wall)


@pytest.mark.parametrize("content", ["", "[]", '{"keys": 1}', '{"keys": {}, "rotations": [{}]}'])
def test_a_list_of_keys_that_can_not_be_read_is_a_clear_line(tmp_path: Path, content: str) -> None:
    load(tmp_path, wall)
    (tmp_path / "evidence-keys.json").write_text(content)
    with pytest.raises(ConfigurationError):
        load(tmp_path, wall)


def test_a_folder_that_can_not_be_written_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        load(tmp_path / "file" / "keys", wall)

"""A case is believed only as far as its signatures reach, and nothing in it is trusted before."""

import hashlib
import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.evidence import verify as verify_module
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.signing import Signer, load, rotate
from gatekeeper.evidence.verify import Unusable, describe, main, verify
from gatekeeper.storage.tables import events as table
from tests.evidence.cases import Opened, contents, packed, relisted
from tests.evidence.chains import NOW, SITE, signer


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return contents(Opened(tmp_path_factory.mktemp("site")).export().path)


def problems(files: dict[str, bytes], key: str | None = None) -> list[str]:
    return verify(packed(files), key).problems


# --- what is sound ---


def test_a_sound_case_says_what_was_verified(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    verdict = verify(site.export().path, site.signer.id)
    assert verdict.sound, verdict.problems
    assert (verdict.records, verdict.chained, verdict.pictures, verdict.key) == (3, 13, 3, site.signer.id)
    assert (verdict.event["text"], verdict.site, verdict.made) == ("ana opened", SITE, NOW)
    told = describe(verdict)
    for words in (
        "SOUND",
        "ana opened",
        "ana from 192.0.2.7 by http",
        "3 pictures",
        site.signer.id,
        "13 records of the",
    ):
        assert words in told
    assert "ask the site" not in told
    assert "ask the site" in describe(verify(site.export().path))


def test_a_case_with_part_of_the_chain_says_so(tmp_path: Path) -> None:
    def visible(event: Event) -> bool:
        return event.subject in ("front", None)

    verdict = verify(Opened(tmp_path).export(visible).path)
    assert verdict.sound, verdict.problems
    assert (verdict.records, verdict.chained) == (2, 0)
    assert "not the chain around them" in describe(verdict)


def test_an_erased_picture_is_told_with_who_and_why(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.erase(2)
    verdict = verify(site.export().path)
    assert verdict.sound, verdict.problems
    assert verdict.pictures == 2
    assert len(verdict.erased) == 1
    assert "picture 2 (camera yard)" in verdict.erased[0]
    assert "erased by ana at 2027-01-15" in verdict.erased[0]
    assert "asked for" in describe(verdict)


def test_a_picture_erased_without_a_word_is_missed(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.erase(2, signed=False)
    [problem] = verify(site.export().path).problems
    assert "picture 2 (camera yard)" in problem
    assert "nothing signed says why" in problem


def test_a_case_after_a_change_of_the_key_is_sound_with_either(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    site = Opened(tmp_path, key=load(keys, lambda: NOW))
    renew(site, rotate(keys, lambda: NOW, SITE))
    site.record("more")
    assert len(site.signer.keys) == 2
    assert "evidence.broken" not in {event.kind for event in site.journal.recent()}
    path = site.export(event=site.journal.recent()[-1].id).path
    for pinned in (None, *site.signer.keys):
        assert verify(path, pinned).problems == []


def renew(site: Opened, key: Signer) -> None:
    """The site restarts with another key; the head is signed anew by a record."""
    site.signer = key
    site.journal.seal._signer = key


def test_a_site_that_found_its_record_tampered_with_says_so_in_the_case(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.store.blocking(lambda connection: connection.execute(table.delete().where(table.c.sequence == 4)))
    verdict = verify(site.export().path)
    assert any("the site itself found" in problem for problem in verdict.problems)
    assert any("record 4" in problem and "missing" in problem for problem in verdict.problems)


# --- what is not ---


def test_every_file_is_covered(sound: dict[str, bytes]) -> None:
    for name, content in sound.items():
        try:
            found = problems({**sound, name: content[:-3] + b"x" + content[-2:]})
        except Unusable:
            continue
        assert found, name


def test_every_file_is_missed(sound: dict[str, bytes]) -> None:
    for name in sound:
        less = {one: content for one, content in sound.items() if one != name}
        try:
            found = problems(less)
        except Unusable:
            continue
        assert any(name in problem for problem in found), name


def test_a_file_added_is_told(sound: dict[str, bytes]) -> None:
    assert problems({**sound, "frames/extra.jpg": b"x"}) == ["frames/extra.jpg was added: the manifest doesn't list it"]


def test_a_manifest_made_to_fit_is_not_signed(sound: dict[str, bytes]) -> None:
    picture = next(name for name in sound if name.startswith("frames/"))
    found = problems(relisted({**sound, picture: b"another"}))
    assert "manifest.json was changed after it was signed" in found
    assert any("isn't the one that was recorded" in problem for problem in found)


def resigned(files: dict[str, bytes], key: Signer | None = None, *, anew: bool = True) -> dict[str, bytes]:
    """Signed anew with whatever is in it, as whoever holds a key could; `anew`: also the list of the records."""
    files = relisted(files)
    fields = json.loads(json.loads(files["export.json"])["statement"])
    records = [json.loads(line) for line in files["records.jsonl"].splitlines()]
    if anew:
        fields["events"] = [[one["sequence"], one["hash"]] for one in records]
    fields["manifest"] = hashlib.sha256(files["manifest.json"]).hexdigest()
    more = {name: fields[name] for name in ("event", "events", "manifest", "checked", "by")}
    one = (key or signer()).sign("export", SITE, fields["sequence"], bytes.fromhex(fields["hash"]), **more)
    signed = {"statement": one.text.decode(), "signature": one.signature.hex()}
    return {**files, "export.json": json.dumps(signed).encode()}


def test_signing_it_anew_is_how_the_next_tests_know_what_is_found_behind_the_manifest(sound: dict[str, bytes]) -> None:
    assert problems(resigned(sound)) == []


def test_a_stranger_can_not_sign_it(sound: dict[str, bytes]) -> None:
    assert any("isn't known" in problem for problem in problems(resigned(sound, signer(8))))


def test_a_stranger_who_brings_a_key_is_found_by_who_knows_the_sites(sound: dict[str, bytes]) -> None:
    stranger = signer(8)
    keys = {"key": stranger.id, "keys": {stranger.id: stranger.public.hex()}, "rotations": []}
    forged = resigned({**sound, "keys.json": json.dumps(keys).encode()}, stranger)
    assert problems(forged, signer().id)
    verdict = verify(packed(forged))
    assert not verdict.sound, "the chain was signed by the site's own key"
    assert verdict.key == stranger.id


def test_a_record_changed_is_found_behind_the_manifest(sound: dict[str, bytes]) -> None:
    found = problems(resigned({**sound, "records.jsonl": sound["records.jsonl"].replace(b"parcel", b"theft!")}))
    assert any("its hash isn't that of its body" in problem for problem in found)


def test_the_records_are_those_that_were_signed_and_no_others(sound: dict[str, bytes]) -> None:
    lines = sound["records.jsonl"].splitlines(keepends=True)
    less = resigned({**sound, "records.jsonl": b"".join(lines[1:])}, anew=False)
    assert "record 6 is missing, or isn't the one that was signed" in problems(less)
    other = sound["chain.jsonl"].splitlines(keepends=True)[0]
    more = resigned({**sound, "records.jsonl": other + sound["records.jsonl"]}, anew=False)
    assert "record 2 isn't among those that were signed" in problems(more)


def test_a_record_changed_in_the_chain_is_found_there(sound: dict[str, bytes]) -> None:
    found = problems(resigned({**sound, "chain.jsonl": sound["chain.jsonl"].replace(b"parcel", b"theft!")}))
    assert any(problem.startswith("chain.jsonl: record 7") for problem in found)


def test_a_chain_that_does_not_reach_the_event_is_told(sound: dict[str, bytes]) -> None:
    lines = sound["chain.jsonl"].splitlines(keepends=True)
    assert problems(resigned({**sound, "chain.jsonl": b"".join(lines[:3])}))


def test_a_picture_of_something_else_is_told(sound: dict[str, bytes]) -> None:
    frames = json.loads(sound["frames.json"])
    frames.append({**frames[0], "number": 99})
    found = problems(resigned({**sound, "frames.json": json.dumps(frames).encode()}))
    assert found == [f"picture 99 of {frames[0]['event']} isn't in the record of the event"]


# --- what is no case ---


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_case_is_a_clear_line(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    assert main([str(file)]) == 1
    assert capsys.readouterr().out.startswith("NOT A CASE: ")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\\b", "C:x", "frames/../../x", "a//b", "é", "x" * 200, "."])
def test_a_name_that_could_be_a_path_is_refused(sound: dict[str, bytes], name: str) -> None:
    if name == ".":
        assert problems({**sound, name: b""})
        return
    with pytest.raises(Unusable, match="name"):
        verify(packed({**sound, name: b""}))


def test_two_files_of_one_name_are_refused(sound: dict[str, bytes]) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sound.items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("records.jsonl", b"")
    with pytest.raises(Unusable, match="same name"):
        verify(out)


def test_a_bomb_is_not_unpacked(sound: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "TEXT_BYTES", 3_000_000)
    monkeypatch.setattr(verify_module, "PICTURE_BYTES", 3_000_000)
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**sound, "records.jsonl": b" " * 50_000_000}.items():
            archive.writestr(name, content)
    assert len(out.getvalue()) < 300_000
    with pytest.raises(Unusable, match="larger than"):
        verify(out)


def test_too_many_files_or_bytes_are_refused(sound: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "TOTAL_BYTES", 10_000)
    with pytest.raises(Unusable, match="larger than"):
        problems(sound)
    monkeypatch.setattr(verify_module, "FILES", 3)
    with pytest.raises(Unusable, match="at most"):
        problems(sound)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damage_is_sound_or_a_traceback(data: st.DataObject, sound: dict[str, bytes]) -> None:
    whole = bytearray(packed(sound).getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        verdict = verify(BytesIO(bytes(whole)))
    except Unusable:
        return
    describe(verdict)


WORDS = st.sampled_from(["format", "keys", "key", "files", "body"])
LEAVES = st.none() | st.integers() | st.text(max_size=5)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner), max_leaves=5)
NAMES = ("manifest.json", "keys.json", "records.jsonl", "statements.json", "frames.json", "chain.jsonl")


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(NAMES), JSON)
def test_no_other_json_is_a_traceback(sound: dict[str, bytes], name: str, value: object) -> None:
    try:
        verdict = verify(packed(resigned_if_possible({**sound, name: json.dumps(value).encode()})))
    except Unusable:
        return
    assert not verdict.sound


def resigned_if_possible(files: dict[str, bytes]) -> dict[str, bytes]:
    try:
        return resigned(files)
    except (TypeError, KeyError, ValueError):
        return files


# --- run by hand ---


def test_it_runs_alone_with_chain_beside_it(tmp_path: Path) -> None:
    """As the README of a case says, where there is no gatekeeper."""
    path = Opened(tmp_path).export().path
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("verify.py", "chain.py"):
        (alone / name).write_bytes(contents(path)[name])
    blocker = f"import sys; sys.modules['gatekeeper'] = None; sys.argv[1:] = [{str(path)!r}]; sys.path.insert(0, '.'); "
    code = blocker + "import runpy; runpy.run_path('verify.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:6]) == (0, "SOUND:"), done.stderr


def test_without_cryptography_it_says_so(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None; sys.argv[1:] = ['x.zip']; "
        "import runpy; runpy.run_module('gatekeeper.evidence.verify', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "`cryptography` is needed" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_answers_by_its_exit_code(
    tmp_path: Path, sound: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.zip"
    file.write_bytes(packed(sound).getvalue())
    assert main([str(file)]) == 0
    assert main([str(file), "--key", signer().id]) == 0
    assert main([str(file), "--key", "0" * 16]) == 1
    file.write_bytes(packed({**sound, "key.pem": b""}).getvalue())
    assert main([str(file)]) == 1
    assert main([]) == 2
    assert main(["--help"]) == 2
    assert "key.pem was changed" in capsys.readouterr().out


def test_nothing_in_a_case_steers_the_terminal(sound: dict[str, bytes]) -> None:
    manifest = json.loads(sound["manifest.json"])
    manifest["by"] = manifest["site"] = "\x1b[2J\x07evil"
    verdict = verify(packed({**sound, "manifest.json": json.dumps(manifest).encode()}))
    told = describe(verdict)
    assert not verdict.sound
    assert "\x1b" not in told
    assert "\x07" not in told

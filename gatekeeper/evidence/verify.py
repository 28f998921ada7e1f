"""Checks an exported case on any machine: `python -m gatekeeper.evidence.verify case.zip [--key ID]`.

Needs Python 3.11 and the package `cryptography`; of gatekeeper only `chain.py` beside it. A case is what somebody
hands over: no name in it is used as a path, nothing is unpacked, and no size that it states is believed.

The files in a case:

    README.txt       what it is and how to check it
    manifest.json    {"format","site","event","made","by","whole","files":[{"name","size","sha256"}, …]}
    export.json      a statement "export" about the manifest, signed: {"statement","signature"}
    keys.json        {"key": id, "keys": {id: hex}, "rotations": [{"statement","signature"}, …]}
    key.pem          the public key again, for other programs
    records.jsonl    the event, what led to it and what followed: {"sequence","previous","hash","body"} a line
    chain.jsonl      the same of every record from one signed statement to the next, if all of it may leave the site
    statements.json  {"begin","end","statements"}: what is signed about them
    frames.json      [{"event","camera","number","received","sha256","file" or null}, …]
    frames/…jpg      the pictures as the camera sent them
    verify.py, chain.py   the program that checks; take them from elsewhere if you don't trust the sender

What each proves: `export.json` that whoever holds the key vouched for these records and pictures when the case was
made. `chain.jsonl`, that they stand in a chain that was signed before and after at the times that the statements say.
"""

import hashlib
import json
import re
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

try:
    from gatekeeper.evidence import chain
except ImportError as missing:  # run alone, with chain.py beside it
    if missing.name not in ("gatekeeper", "gatekeeper.evidence"):
        sys.exit(f"This needs more than Python has: {missing}")
    import chain  # type: ignore[import-not-found,no-redef]

FORMAT = "gatekeeper-case-1"
FILES = 50_000
"""Files in a case: the pictures of half an hour of one camera."""
TEXT_BYTES = 64_000_000
"""Bytes of one file that is read whole."""
PICTURE_BYTES = 64_000_000
TOTAL_BYTES = 20_000_000_000
PIECE = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}(/[A-Za-z0-9_.-]{1,80}){0,3}")
TEXTS = ("manifest.json", "export.json", "keys.json", "records.jsonl", "statements.json", "frames.json")


class Unusable(Exception):
    """The file is no case, or more than a case can be: there is nothing to check."""


@dataclass
class Verdict:
    """What was verified.

    :ivar problems: what is wrong, a sentence each; none if the case is sound.
    :ivar key: the id of the key that vouches for it; `pinned` whether that was asked for.
    :ivar records: of the event and its causes; `chained` of the chain from `begin` to `end` (Unix seconds).
    :ivar pictures: found as they were recorded; `erased` sentences about those that are gone.
    :ivar event: the event's body.
    """

    problems: list[str] = field(default_factory=list)
    key: str = ""
    pinned: bool = False
    site: str = ""
    made: float = 0.0
    by: str = ""
    records: int = 0
    chained: int = 0
    begin: float | None = None
    end: float | None = None
    pictures: int = 0
    erased: list[str] = field(default_factory=list)
    event: dict[str, Any] = field(default_factory=dict)
    story: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.problems


class _Archive:
    """A zip file that isn't trusted."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        entries = file.infolist()
        names = [entry.filename for entry in entries]
        if len(entries) > FILES:
            raise Unusable(f"it holds {len(entries)} files; a case has {FILES} at most")
        if len(set(names)) != len(names):
            raise Unusable("it holds two files of the same name")
        wrong = [name for name in names if not NAME.fullmatch(name) or ".." in name]
        if wrong:
            raise Unusable(f"it holds a file with a name that no case has: {wrong[0][:60]!r}")
        self._total = 0
        self.entries = dict(zip(names, entries, strict=True))

    def pieces(self, name: str, limit: int) -> Iterator[bytes]:
        if name not in self.entries:
            raise Unusable(f"it holds no {name}")
        size = 0
        try:
            with self._file.open(self.entries[name]) as file:
                while piece := file.read(PIECE):
                    size += len(piece)
                    self._total += len(piece)
                    if size > limit or self._total > TOTAL_BYTES:
                        raise Unusable(f"{name} is larger than a case's files are")
                    yield piece
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
            raise Unusable(f"{name} can't be read: {error}") from error
        except Exception as error:
            if isinstance(error, Unusable):
                raise
            raise Unusable(f"{name} can't be unpacked: {error}") from error  # zlib.error, lzma.LZMAError

    def text(self, name: str) -> bytes:
        return b"".join(self.pieces(name, TEXT_BYTES))

    def json(self, name: str) -> Any:
        try:
            return json.loads(self.text(name))
        except (ValueError, RecursionError) as error:
            raise Unusable(f"{name} isn't JSON: {error}") from error

    def sha256(self, name: str) -> tuple[str, int]:
        hashed, size = hashlib.sha256(), 0
        for piece in self.pieces(name, PICTURE_BYTES):
            hashed.update(piece)
            size += len(piece)
        return hashed.hexdigest(), size


def verify(file: Any, key: str | None = None) -> Verdict:
    """Check a case.

    :param file: a path, or a binary file.
    :param key: the id of the key that must have signed it; without, whichever key the case brings.
    :raises Unusable: if it is no case.
    """
    try:
        with zipfile.ZipFile(file) as opened:
            return _verify(_Archive(opened), key)
    except (zipfile.BadZipFile, OSError) as error:
        raise Unusable(f"it can't be opened as a zip file: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise Unusable(f"something in it isn't what a case has there: {error!r}") from error


def _verify(archive: _Archive, key: str | None) -> Verdict:
    verdict = Verdict(pinned=key is not None)
    manifest = archive.json("manifest.json")
    if manifest["format"] != FORMAT:
        raise Unusable(f"it is of the format {str(manifest['format'])[:40]!r}; this program knows {FORMAT}")
    verdict.site, verdict.by = str(manifest["site"]), str(manifest["by"])
    keys = _keys(archive, verdict, key)
    exported = _exported(archive, verdict, keys)
    _files(archive, verdict, manifest)
    records = _records(archive, "records.jsonl")
    statements = archive.json("statements.json")
    said = _statements(verdict, keys, statements)
    if exported is not None:
        _vouched(verdict, records, exported, str(manifest["event"]))
    if manifest["whole"] is True:
        _chain(archive, verdict, keys, statements, records)
    _pictures(archive, verdict, records, said)
    return verdict


def _keys(archive: _Archive, verdict: Verdict, key: str | None) -> dict[str, bytes]:
    told = archive.json("keys.json")
    public = {str(name): bytes.fromhex(value) for name, value in told["keys"].items()}
    root = key if key is not None else str(told["key"])
    trusted = chain.trust(root, public, [_signed(one) for one in told["rotations"]])
    if not trusted:
        verdict.problems.append(f"the key {root[:40]} isn't among those that the case brings")
    return trusted


def _exported(archive: _Archive, verdict: Verdict, keys: dict[str, bytes]) -> chain.Statement | None:
    try:
        statement = chain.read(_signed(archive.json("export.json")), keys, verdict.site)
    except chain.Refused as refused:
        verdict.problems.append(f"export.json: {refused}")
        return None
    verdict.key, verdict.made = statement.key, statement.time
    if statement.type != "export":
        verdict.problems.append("export.json: it is no statement about an export")
    found, _ = archive.sha256("manifest.json")
    if statement.fields.get("manifest") != found:
        verdict.problems.append("manifest.json was changed after it was signed")
    if statement.fields.get("checked") is not True:
        verdict.problems.append("the site itself found its record tampered with when it made this case")
    return statement


def _files(archive: _Archive, verdict: Verdict, manifest: dict[str, Any]) -> None:
    listed = {str(one["name"]): one for one in manifest["files"]}
    for name in sorted(set(archive.entries) - set(listed) - {"manifest.json", "export.json"}):
        verdict.problems.append(f"{name} was added: the manifest doesn't list it")
    for name, one in listed.items():
        if name not in archive.entries:
            verdict.problems.append(f"{name} is missing")
        elif archive.sha256(name) != (one["sha256"], one["size"]):
            verdict.problems.append(f"{name} was changed")
    for name in TEXTS:
        if name not in listed and name not in ("manifest.json", "export.json"):
            verdict.problems.append(f"{name} isn't in the manifest")


def _vouched(verdict: Verdict, records: list[chain.Record], exported: chain.Statement, event: str) -> None:
    """Hold the records to what the site vouched for."""
    vouched = {(int(sequence), str(hash_)) for sequence, hash_ in exported.fields["events"]}
    there = {(record.sequence, record.hash.hex()) for record in records}
    for sequence, _ in sorted(vouched - there):
        verdict.problems.append(f"record {sequence} is missing, or isn't the one that was signed")
    for sequence, _ in sorted(there - vouched):
        verdict.problems.append(f"record {sequence} isn't among those that were signed")
    if exported.fields.get("event") != event:
        verdict.problems.append("the manifest names another event than what was signed")
    for record in records:
        if record.body is None or chain.digest(record.previous, record.body) != record.hash:
            verdict.problems.append(f"record {record.sequence}: its hash isn't that of its body")
            continue
        body = json.loads(record.body)
        if (body["sequence"], body["site"]) != (record.sequence, verdict.site):
            verdict.problems.append(f"record {record.sequence} is another record, or another site's")
        verdict.records += 1
        verdict.story.append(body)
        if body["id"] == event:
            verdict.event = body
    if not verdict.event:
        verdict.problems.append("the record of the event itself isn't in it")


def _chain(
    archive: _Archive,
    verdict: Verdict,
    keys: dict[str, bytes],
    statements: dict[str, Any],
    records: list[chain.Record],
) -> None:
    """Check the run from one signed statement to the next, and that the records stand in it."""
    run = _records(archive, "chain.jsonl")
    begin = None if statements["begin"] is None else _signed(statements["begin"])
    end, between = _signed(statements["end"]), [_signed(one) for one in statements["statements"]]
    found = chain.check(run, site=verdict.site, keys=keys, head=end, statements=between, begin=begin)
    verdict.problems += [f"chain.jsonl: {problem}" for problem in found]
    verdict.chained = len(run)
    places = {record.sequence: record for record in run}
    missing = [record.sequence for record in records if places.get(record.sequence, record) != record]
    verdict.problems += [f"record {sequence} is another one in the chain" for sequence in missing]
    outside = [record.sequence for record in records if record.sequence not in places]
    if verdict.event.get("sequence") in outside:
        verdict.problems.append("the event doesn't stand in the chain that comes with it")
    times = [json.loads(one.text)["time"] for one in (begin, end) if one is not None]
    verdict.end = float(times[-1])
    verdict.begin = float(times[0]) if begin is not None else None


def _statements(verdict: Verdict, keys: dict[str, bytes], statements: dict[str, Any]) -> list[chain.Statement]:
    said = []
    for one in statements["statements"]:
        try:
            said.append(chain.read(_signed(one), keys, verdict.site))
        except chain.Refused as refused:
            verdict.problems.append(f"statements.json: {refused}")
    return said


def _pictures(archive: _Archive, verdict: Verdict, records: list[chain.Record], said: list[chain.Statement]) -> None:
    """Each picture that a record names is there, as it was, or erased by a signed statement; and no other is there."""
    files = {(str(one["event"]), int(one["number"])): one["file"] for one in archive.json("frames.json")}
    named = [picture for record in records if record.body is not None for picture in chain.pictures_of(record.body)]
    used: set[tuple[str, int]] = set()
    known: dict[str, dict[str, chain.Statement]] = {}
    for picture in named:
        used.add((picture.event, picture.number))
        file = files.get((picture.event, picture.number))
        what = f"picture {picture.number} (camera {picture.camera}) of {picture.event}"
        if file is not None:
            if str(file) in archive.entries and archive.sha256(str(file))[0] == picture.sha256:
                verdict.pictures += 1
            else:
                verdict.problems.append(f"{what} isn't the one that was recorded")
            continue
        if picture.event not in known:
            known[picture.event] = chain.erased_from(picture.event, said)
        statement = known[picture.event].get(picture.sha256)
        if statement is None:
            verdict.problems.append(f"{what} is missing, and nothing signed says why")
        else:
            verdict.erased.append(
                f"{what}: erased by {statement.fields.get('by') or 'nobody'} at {when(statement.time)}: "
                f"{statement.fields.get('reason') or 'without a reason'}"
            )
    for (event, number), file in files.items():
        if file is not None and (event, number) not in used:
            verdict.problems.append(f"picture {number} of {event} isn't in the record of the event")


def _records(archive: _Archive, name: str) -> list[chain.Record]:
    found = []
    for line in archive.text(name).splitlines():
        one = json.loads(line)
        body = None if one["body"] is None else str(one["body"]).encode()
        found.append(
            chain.Record(int(one["sequence"]), bytes.fromhex(one["previous"]), bytes.fromhex(one["hash"]), body)
        )
    return found


def _signed(one: dict[str, Any]) -> chain.Signed:
    return chain.Signed(str(one["statement"]).encode(), bytes.fromhex(one["signature"]))


# --- for people ------------------------------------------------------------------------------------------------------


def when(moment: float | None) -> str:
    """Return a time for people."""
    if moment is None:
        return "the beginning"
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    except (ValueError, OverflowError, OSError):
        return "an impossible time"


def _plain(text: Any, limit: int = 300) -> str:
    """Return text that can't steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in str(text)[:limit])


def describe(verdict: Verdict) -> str:
    """Return a verdict for people."""
    lines = ["SOUND: everything in this case is as it was recorded." if verdict.sound else "NOT SOUND:"]
    lines += [f"  - {_plain(problem)}" for problem in verdict.problems[:50]]
    if len(verdict.problems) > 50:
        lines.append(f"  - and {len(verdict.problems) - 50} more")
    if verdict.story:
        lines += ["", "What happened:"]
    for body in verdict.story[:50]:
        caller = body.get("caller") or {}
        who = (
            f"{caller.get('name') or 'nobody'} from {caller.get('address')} by {caller.get('client')}"
            if caller
            else "-"
        )
        mark = ">" if body is verdict.event else " "
        lines.append(
            f" {mark} {when(body.get('time'))}  {_plain(body.get('kind'), 40)}  {_plain(body.get('subject'), 40)}  "
            f"{_plain(body.get('outcome'), 40)}  {_plain(who, 120)}\n     {_plain(body.get('text'))}"
        )
    lines += ["", "What was verified:"]
    lines.append(f"  {verdict.records} records with their hashes, vouched for by the site {_plain(verdict.site, 40)}")
    if verdict.chained:
        lines.append(
            f"  {verdict.chained} records of the chain around them, signed at {when(verdict.begin)} "
            f"and at {when(verdict.end)}"
        )
    else:
        lines.append("  not the chain around them: it holds what the one who exported may not see")
    lines.append(f"  {verdict.pictures} pictures, {len(verdict.erased)} erased")
    lines += [f"    {_plain(one)}" for one in verdict.erased[:20]]
    if len(verdict.erased) > 20:
        lines.append(f"    and {len(verdict.erased) - 20} more")
    lines.append(
        f"  signed by the key {verdict.key or '(none)'} at {when(verdict.made)}, exported by {_plain(verdict.by)}"
    )
    if not verdict.pinned:
        lines.append("  The case brings this key itself: ask the site for its key's id, or give it with --key.")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Check the case that the command line names."""
    key = None
    if len(arguments) == 3 and arguments[1] == "--key":
        key, arguments = arguments[2], arguments[:1]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m gatekeeper.evidence.verify case.zip [--key ID]\n")
        return 2
    try:
        verdict = verify(arguments[0], key)
    except Unusable as unusable:
        sys.stdout.write(f"NOT A CASE: {_plain(unusable)}\n")
        return 1
    sys.stdout.write(describe(verdict) + "\n")
    return 0 if verdict.sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

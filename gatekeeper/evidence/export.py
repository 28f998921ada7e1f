"""Writes a case as one zip file; `verify` says what is in it and what each part proves.

Everything here blocks: it runs in a thread. Pictures are copied piece by piece, never held whole.
"""

import hashlib
import json
import os
import re
import secrets
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatekeeper.errors import Overloaded, StorageUnavailable
from gatekeeper.evidence import chain, verify
from gatekeeper.evidence.case import Case, Frame
from gatekeeper.evidence.chain import ZERO, Signed
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage.events import Row

README = """\
A case from gatekeeper: what happened at a door, and the proof.

  event      {event}
  site       {site}
  made       {made} by {by}
  signed by  the key {key}

To check it, on any machine with Python 3.11 or later:

  python -m pip install cryptography
  python verify.py THIS-FILE.zip --key {key}

`verify.py` and `chain.py` lie in this file: unpack these two into an empty folder. Whoever doesn't trust the sender
takes them from gatekeeper's source instead (gatekeeper/evidence/), and asks the site's owner, not the sender, for the
key's id. The program says which records, pictures and signatures it checked, and ends with 0 only if all are sound.

What the parts prove:

  export.json    The site's key vouched, when this was made, for every record and picture in here.
  records.jsonl  What happened: the event, what led to it, what followed. Each record's hash covers the one before.
  chain.jsonl    {chained}
  frames/        The pictures, byte for byte as the camera sent them; their SHA-256 stands in the records. Of an erased
                 one only that is left, and the signed statement of who erased it, when and why.

What they can't prove: that the site's clock was right, that a camera showed what was in front of it, or that whoever
holds the site's private key did not make another past before this was exported.
"""

WHOLE = (
    "Every record between two signed statements: the event stood in the chain when they were signed.\n"
    "                 It holds other events of the site, too: hand it on with care."
)
PART = (
    "Left out: it would show what the one who exported may not see. The site checked it when this was made\n"
    "                 and vouches for that in export.json; this file alone doesn't show it."
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A case that was written: a file for whoever asked to send and to remove, `size` in bytes."""

    path: Path
    name: str
    size: int
    pictures: int


class _Zip:
    """A zip file that keeps a list of what was put in."""

    def __init__(self, file: zipfile.ZipFile, moment: float, stopped: Callable[[], bool]) -> None:
        self._file = file
        self._stopped = stopped
        self._date = _date(moment)
        self.listed: list[dict[str, Any]] = []

    def put(self, name: str, content: bytes | Iterable[bytes], *, packed: bool = True) -> str:
        entry = zipfile.ZipInfo(name, self._date)
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        entry.external_attr = 0o644 << 16
        hashed, size = hashlib.sha256(), 0
        with self._file.open(entry, "w", force_zip64=False) as out:
            for piece in (content,) if isinstance(content, bytes) else content:
                if self._stopped():
                    raise StorageUnavailable("the site stops: the export is left unfinished")
                out.write(piece)
                hashed.update(piece)
                size += len(piece)
        self.listed.append({"name": name, "size": size, "sha256": hashed.hexdigest()})
        return hashed.hexdigest()


def _date(moment: float) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = time.gmtime(moment)[:6]
    return max(1980, min(2107, year)), month, day, hour, minute, second  # what a zip file can say


def export(
    case: Case, signer: Signer, moment: float, by: str, folder: Path, *, stopped: Callable[[], bool] = lambda: False
) -> Exported:
    """Write a case into a new file of a folder (made for its owner only if there is none).

    :param moment: Unix seconds now.
    :param by: who asked for it.
    :param stopped: asked piece by piece; once it is so, StorageUnavailable is raised.
    :raises OSError: if the disk doesn't take it; nothing is left behind then.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{case.event.id}-{secrets.token_hex(4)}.zip"
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                pictures = _write(_Zip(archive, moment, stopped), case, signer, moment, by)
            size = os.fstat(file.fileno()).st_size
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    return Exported(path, f"case-{case.event.id}.zip", size, pictures)


def _write(out: _Zip, case: Case, signer: Signer, moment: float, by: str) -> int:
    whole, when = case.whole, verify.when(moment)
    words = {"event": case.event.id, "site": case.site, "made": when, "by": by, "key": signer.id}
    out.put("README.txt", README.format(**words, chained=WHOLE if whole else PART).encode())
    out.put("keys.json", _keys(signer))
    out.put("key.pem", signer.pem.encode())
    out.put("records.jsonl", _lines(case.rows))
    if whole:
        out.put("chain.jsonl", _lines(case.run))
    out.put("statements.json", _statements(case))
    frames = [_frame(out, frame) for frame in case.frames]
    out.put("frames.json", json.dumps(frames, indent=1).encode())
    for module in (verify, chain):
        source = Path(module.__file__ or "")
        with suppress(OSError):  # where the program is packed into one file, it comes from elsewhere
            out.put(source.name, source.read_bytes())
    manifest = {
        "format": verify.FORMAT,
        "site": case.site,
        "event": case.event.id,
        "made": moment,
        "by": by,
        "whole": whole,
        "files": list(out.listed),
    }
    sha256 = out.put("manifest.json", json.dumps(manifest, indent=1).encode())
    head = case.head
    signed = signer.sign(
        "export",
        case.site,
        head.sequence if head is not None else 0,
        head.hash if head is not None else ZERO,
        event=case.event.id,
        events=[[row.sequence, row.hash.hex()] for row in case.rows],
        manifest=sha256,
        checked=not case.problems,
        by=by,
    )
    out.put("export.json", json.dumps(_signed(signed)).encode())
    return sum(frame["file"] is not None for frame in frames)


def _frame(out: _Zip, frame: Frame) -> dict[str, Any]:
    event, camera = (re.sub(r"[^A-Za-z0-9_-]", "_", one)[:40] for one in (frame.event, frame.camera))
    name = None if frame.path is None else f"frames/{event}/{frame.number:05d}-{camera}.jpg"
    if name is not None and frame.path is not None:
        try:
            out.put(name, _pieces(frame.path), packed=False)
        except FileNotFoundError:
            name = None  # erased meanwhile, or lost: the verifier says which
    return {
        "event": frame.event,
        "camera": frame.camera,
        "number": frame.number,
        "received": frame.received,
        "sha256": frame.sha256.hex(),
        "file": name,
    }


def _pieces(path: Path) -> Iterable[bytes]:
    file = path.open("rb")

    def read() -> Iterable[bytes]:
        with file:
            while piece := file.read(verify.PIECE):
                yield piece

    return read()


def _lines(rows: list[Row]) -> Iterable[bytes]:
    for row in rows:
        one = {
            "sequence": row.sequence,
            "previous": row.previous.hex(),
            "hash": row.hash.hex(),
            "body": None if row.body is None else row.body.decode("utf-8", "replace"),
        }
        yield json.dumps(one).encode() + b"\n"


def _statements(case: Case) -> bytes:
    found = {
        "begin": None if case.begin is None else _signed(case.begin),
        "end": _signed(case.end),
        "statements": [_signed(one) for one in case.statements],
    }
    return json.dumps(found, indent=1).encode()


def _keys(signer: Signer) -> bytes:
    keys = {name: key.hex() for name, key in signer.keys.items()}
    told = {"key": signer.id, "keys": keys, "rotations": [_signed(one) for one in signer.rotations]}
    return json.dumps(told, indent=1).encode()


def _signed(signed: Signed) -> dict[str, str]:
    return {"statement": signed.text.decode("utf-8", "replace"), "signature": signed.signature.hex()}


# --- old ones --------------------------------------------------------------------------------------------------------

KEPT = 3600.0
"""Seconds until a file that nobody fetched is removed."""

MAXIMUM = 20
"""Files that wait to be fetched; each may hold the pictures of many cameras."""


def sweep(folder: Path, moment: float) -> None:
    """Remove what nobody fetched.

    :raises Overloaded: if too many wait to be fetched.
    """
    left = 0
    for file in folder.glob("*.zip"):
        with suppress(OSError):
            if file.stat().st_mtime < moment - KEPT:
                file.unlink()
            else:
                left += 1
    if left >= MAXIMUM:
        raise Overloaded("too many exports wait to be fetched")

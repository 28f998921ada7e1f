"""Writes `tests/vectors/chain.json`, which the Python and the TypeScript check are both held to.

`python -m tests.evidence.vectors` writes it anew; a test holds the file to this code. Bodies and statements are the
exact texts whose UTF-8 bytes are hashed and signed.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatekeeper.evidence.chain import Record, Signed
from tests.evidence.chains import OTHER_SITE, SITE, Chain, places, signer

FILE = Path(__file__).parent.parent / "vectors" / "chain.json"

TEXTS = (
    "ana opened; acknowledged in 41 ms",
    'a quote ", a backslash \\ and a slash /',
    "Türöffner ist offen · 門は開いている · 🚪",
    "a line\nbreak",
)


def bodies(site: str, count: int) -> list[bytes]:
    caller = {"name": "ana", "address": "192.0.2.7", "client": "http", "method": "cookie", "key": None, "session": "s1"}
    made = []
    for number in range(count):
        body: dict[str, Any] = {
            "sequence": number + 1,
            "id": f"01K{number:023d}",
            "site": site,
            "time": 1_800_000_000.25 + number,
            "run": "1" * 16,
            "elapsed": 12.5 + number,
            "kind": "door.opened" if number % 3 == 0 else "camera.offline",
            "subject": "front" if number % 2 == 0 else None,
            "caller": caller if number % 3 == 0 else None,
            "cause": f"01K{number - 1:023d}" if number % 3 == 1 else None,
            "outcome": "ok" if number % 3 == 0 else "alarm",
            "reason": "parcel" if number == 0 else None,
            "text": TEXTS[number % len(TEXTS)],
            "details": {"latency": 0.041, "attempts": number},
        }
        made.append(json.dumps(body, ensure_ascii=number == 2, separators=(",", ":")).encode())
    return made


def chain(site: str = SITE, count: int = 8) -> Chain:
    made = Chain(site)
    for body in bodies(site, count):
        made.add(body)
    return made.end().checkpoint(4)


def cases() -> dict[str, Chain]:
    """Each a chain by the name of what happened to it."""
    made = {name: chain() for name in NAMES}
    body = made["a bit of a body flipped"][3].body or b""
    made["a bit of a body flipped"].change(3, body=body.replace(b"offline", b"offlinf"))
    made["a bit of a hash flipped"].change(3, hash=_flip(made["a bit of a hash flipped"][3].hash))
    made["a bit of the hash before flipped"].change(
        3, previous=_flip(made["a bit of the hash before flipped"][3].previous)
    )
    made["a record deleted"].records.pop(4)
    made["two records swapped"].records[2:4] = reversed(made["two records swapped"].records[2:4])
    made["a record twice"].records.insert(3, made["a record twice"][3])
    del made["the end cut off"].records[6:]
    del made["the head set back, and a checkpoint remains"].records[2:]
    back = made["the head set back, and a checkpoint remains"]
    back.head = back.sign("head", back[2])
    early = made["records after the signed head"]
    early.head = early.sign("head", early[6])
    spliced = made["a record of another site"]
    spliced.records[4] = chain(OTHER_SITE)[5]
    rewritten = made["a body replaced and all hashes made anew"]
    rewritten.change(3, body=(rewritten[3].body or b"").replace(b"192.0.2.7", b"192.0.2.8").replace(b"alarm", b"ok"))
    rewritten.chain_again(3)
    forged = made["the head signed by another key"]
    forged.head = signer(8).sign("head", SITE, 8, forged[8].hash)
    changed = made["the head's text changed"]
    assert changed.head is not None
    changed.head = replace(changed.head, text=changed.head.text.replace(b"1800000000", b"1800000001"))
    made["the oldest pruned, and one in the middle"].prune(1, 2).prune(5, 5)
    made["pruned, and more is gone than was signed"].prune(1, 2).records.pop(0)
    stub = made["a body gone with a signed statement"]
    stub.statements.append(stub.sign("pruned", stub[2], first=1, previous="00" * 32, count=2, reason="old"))
    stub.change(2, body=None).change(1, body=None)
    made["a body gone without one"].change(2, body=None)
    return made


NAMES = (
    "sound",
    "the oldest pruned, and one in the middle",
    "a body gone with a signed statement",
    "a bit of a body flipped",
    "a bit of a hash flipped",
    "a bit of the hash before flipped",
    "a record deleted",
    "two records swapped",
    "a record twice",
    "the end cut off",
    "the head set back, and a checkpoint remains",
    "records after the signed head",
    "a record of another site",
    "a body replaced and all hashes made anew",
    "the head signed by another key",
    "the head's text changed",
    "pruned, and more is gone than was signed",
    "a body gone without one",
)


def document() -> dict[str, Any]:
    return {
        "about": "chains of events with what is wrong with each; the format is gatekeeper/evidence/chain.py's",
        "site": SITE,
        "key": signer().id,
        "public_key": signer().public.hex(),
        "cases": [
            {
                "name": name,
                "records": [_record(record) for record in made.records],
                "statements": [_signed(signed) for signed in made.statements],
                "head": _signed(made.head) if made.head is not None else None,
                "problems": [
                    {"sequence": first, "last": last, "fault": fault} for first, last, fault in places(made.problems())
                ],
            }
            for name, made in cases().items()
        ],
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "previous": record.previous.hex(),
        "hash": record.hash.hex(),
        "body": None if record.body is None else record.body.decode(),
    }


def _signed(signed: Signed) -> dict[str, str]:
    return {"statement": signed.text.decode(), "signature": signed.signature.hex()}


def _flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")

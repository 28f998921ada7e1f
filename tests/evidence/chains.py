"""Chains to tamper with: made with a key that everybody knows, the same every time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatekeeper.caller import Caller
from gatekeeper.evidence.chain import ZERO, Problem, Record, Signed, check, digest
from gatekeeper.evidence.event import Drafts, body_of
from gatekeeper.evidence.signing import Signer

SITE = "0f" * 16
OTHER_SITE = "e1" * 16
NOW = 1_800_000_000.0


def signer(seed: int = 7, wall: Callable[[], float] = lambda: NOW) -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), wall)


@dataclass
class Chain:
    """Records and what is signed about them, as a site keeps them."""

    site: str = SITE
    signer: Signer = field(default_factory=signer)
    records: list[Record] = field(default_factory=list)
    statements: list[Signed] = field(default_factory=list)
    head: Signed | None = None

    def add(self, body: bytes, columns: dict[str, Any] | None = None) -> Record:
        previous = self.records[-1].hash if self.records else ZERO
        record = Record(len(self.records) + 1, previous, digest(previous, body), body, columns)
        self.records.append(record)
        return record

    def end(self) -> "Chain":
        self.head = self.sign("head", self.records[-1])
        return self

    def grow(self, count: int, draft: Callable[[int], Any] | None = None) -> "Chain":
        drafts = Drafts(lambda: NOW, lambda: 5.0, run="1" * 16)
        caller = Caller(name="ana", address="192.0.2.7", client="http", method="cookie", session="s1")
        for number in range(count):
            pending = (
                draft(number)
                if draft is not None
                else drafts.draft("door.opened", f"opened {number}", subject="front", caller=caller)
            )
            body = body_of(self.site, len(self.records) + 1, pending)
            names = ("id", "time", "kind", "subject", "actor", "outcome", "cause")
            self.add(body, {name: getattr(pending, name) for name in names})
        return self.end()

    def sign(self, kind: str, record: Record, **more: Any) -> Signed:
        return self.signer.sign(kind, self.site, record.sequence, record.hash, **more)

    def checkpoint(self, sequence: int) -> "Chain":
        self.statements.append(self.sign("checkpoint", self[sequence]))
        return self

    def prune(self, first: int, last: int) -> "Chain":
        """Take records away and say so. `chain[sequence]` doesn't find later ones any more: prune last."""
        previous = self[first].previous.hex()
        stone = self.sign("pruned", self[last], first=first, previous=previous, count=last - first + 1, reason="old")
        self.statements.append(stone)
        self.records = [one for one in self.records if not first <= one.sequence <= last]
        return self

    def change(self, sequence: int, **changes: Any) -> "Chain":
        self.records[self.index(sequence)] = replace(self[sequence], **changes)
        return self

    def chain_again(self, sequence: int) -> "Chain":
        """Make all hashes from a record on fit again, as somebody without the key could."""
        for index in range(self.index(sequence), len(self.records)):
            previous = self.records[index - 1].hash if index else ZERO
            record = self.records[index]
            again = digest(previous, record.body or b"")
            self.records[index] = replace(record, previous=previous, hash=again)
        return self

    def index(self, sequence: int) -> int:
        return next(index for index, record in enumerate(self.records) if record.sequence == sequence)

    def __getitem__(self, sequence: int) -> Record:
        return self.records[self.index(sequence)]

    def problems(self, keys: dict[str, bytes] | None = None, begin: Signed | None = None) -> list[Problem]:
        trusted = keys if keys is not None else self.signer.keys
        return list(
            check(
                iter(self.records),
                site=self.site,
                keys=trusted,
                head=self.head,
                statements=self.statements,
                begin=begin,
            )
        )


def places(problems: Iterable[Problem]) -> list[tuple[int, int, str]]:
    return [(one.sequence, one.last, one.fault.value) for one in problems]

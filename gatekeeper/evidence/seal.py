"""What storage is handed to chain and sign the record: the formats of `chain`, the key of `signing`."""

from typing import Any

from gatekeeper.caller import ITSELF
from gatekeeper.evidence.chain import Signed, digest
from gatekeeper.evidence.event import Drafts, body_of
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage.appender import Pending
from gatekeeper.storage.events import SignedRow


class ChainSeal:
    """Chains and signs; see `storage.appender.Seal`."""

    def __init__(self, signer: Signer, drafts: Drafts) -> None:
        self._signer = signer
        self._drafts = drafts
        self._last: tuple[str, int, bytes, SignedRow] | None = None

    def link(self, site: str, sequence: int, previous: bytes, pending: Pending) -> tuple[bytes, bytes]:
        body = body_of(site, sequence, pending)
        return body, digest(previous, body)

    def fits(self, previous: bytes, body: bytes, hash_: bytes) -> bool:
        return digest(previous, body) == hash_

    def sign(self, kind: str, site: str, sequence: int, hash_: bytes, **more: Any) -> tuple[bytes, bytes, str]:
        signed = self._signer.sign(kind, site, sequence, hash_, **more)
        if kind == "head":
            self._last = (site, sequence, hash_, SignedRow(signed.text, signed.signature))
        return signed.text, signed.signature, self._signer.id

    def doubt(self, site: str, sequence: int, hash_: bytes, statement: SignedRow) -> str | None:
        if self._last == (site, sequence, hash_, statement):
            return None  # our own needn't be checked again
        said = self._signer.read(Signed(*statement), site)
        if said is None:
            return f"the head, record {sequence}, isn't signed by a key of this site"
        if (said.type, said.sequence, said.hash) != ("head", sequence, hash_):
            return f"the head's columns say record {sequence}, and its signed text another"
        return None

    def alarm(self, text: str, found: dict[str, Any]) -> Pending:
        what = f"the record was tampered with: {text}; it goes on after record {found['sequence']}"
        return self._drafts.draft("evidence.broken", what, caller=ITSELF, outcome="alarm", details=found)

    def restored(self, first: int, last: int) -> Pending:
        what = f"a backup was restored: the records {first} to {last} are not there any more"
        return self._drafts.draft(
            "evidence.rewound", what, caller=ITSELF, outcome="alarm", details={"first": first, "last": last}
        )

"""Appending to the record: each row gets its place and its hash in the transaction that inserts it.

What is hashed and signed is no business of storage: whoever appends hands in a `Seal`. It needs the one writer's
transaction (BEGIN IMMEDIATE); on PostgreSQL the head's row is locked, so that several processes share one chain.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, bindparam, insert, select, update

from gatekeeper.storage import rows as rows_
from gatekeeper.storage.events import SITE, Row, SignedRow, by_ids, slices
from gatekeeper.storage.tables import checkpoints, events, head, meta, tombstones

CHECKPOINT_EVERY = 1000
"""Records between two checkpoints: what has to be read to prove one record reaches half that far on average."""

CHECKPOINT_AGE = 3600.0
"""Seconds after which the next record gets a checkpoint anyway."""

COLUMNS = (*Row._fields[:12], "size")
"""What is inserted: the first twelve as they stand in a `Row`, and the body's size."""

RESTORED = "restored"
"""The key in `meta` of what a restore leaves: a new random text each time."""

ZERO = bytes(32)
"""What stands for the hash before the first record."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event before it has its place: the columns, and `rest`, the body's bytes after what depends on the place."""

    id: str
    time: float
    kind: str
    subject: str | None
    actor: str | None
    outcome: str
    cause: str | None
    rest: bytes


class Seal(Protocol):
    """What chains and signs."""

    def link(self, site: str, sequence: int, previous: bytes, pending: Pending) -> tuple[bytes, bytes]:
        """Return a record's body and hash."""

    def fits(self, previous: bytes, body: bytes, hash_: bytes) -> bool:
        """Return whether the hash is that of the body after `previous`."""

    def sign(self, kind: str, site: str, sequence: int, hash_: bytes, **more: Any) -> tuple[bytes, bytes, str]:
        """Return a statement's text, its signature and the key's id."""

    def doubt(self, site: str, sequence: int, hash_: bytes, statement: SignedRow) -> str | None:
        """Return why this isn't a good signed head of the record `sequence`, or None."""

    def alarm(self, text: str, found: dict[str, Any]) -> Pending:
        """Return the event that says that the chain was tampered with."""

    def restored(self, first: int, last: int) -> Pending:
        """Return the event that says which records a restored backup doesn't hold any more."""


class End(NamedTuple):
    """Where the chain ends."""

    sequence: int
    hash: bytes


class Appender:
    """Appends events to the chain: the sink for the writer, one for each process.

    It never reuses a sequence that it knows was stored: if what was there is gone, the gap stays for every check to
    find, and an event says so. Where a backup was restored meanwhile, a signed statement bridges the gap.
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._known = End(0, ZERO)
        self._restored: str | None = None  # the mark of the restore before `_known`, once there is one
        self._seen: str | None = None

    def remember(self, end: End) -> None:
        """Say what was committed last; after the commit, not in it."""
        self._known = max(self._known, end)
        self._restored = self._seen

    def __call__(self, connection: Connection, items: Sequence[Pending], *, again: bool = False) -> list[Row]:
        """Give each its place, in their order, insert them all, and sign the new end.

        :param again: some may have been stored before, in a transaction whose end was never heard of.
        :returns: the rows in the order of `items`.
        """
        signed = connection.execute(_HEAD).one_or_none()
        place = _Place(*connection.execute(_PLACE).one())
        site = place.site
        self._seen = place.restored
        bridge = self._bridge(connection, place, signed)
        end, trouble = (self._known, None) if bridge else self._end(connection, place, signed)
        stored = by_ids(connection, [item.id for item in items]) if again else {}
        fresh = [item for item in items if item.id not in stored]
        if trouble is not None:
            found = {"sequence": end.sequence, "hash": end.hash.hex()}
            fresh.insert(0, self._seal.alarm(trouble, found))
        if bridge is not None:
            fresh.insert(0, self._seal.restored(*bridge))
        if fresh:
            held = _held(connection, {item.cause for item in fresh if item.cause is not None})
            for item in fresh:
                row = self._row(site, end, item, item.cause in held)
                end, stored[item.id] = End(row.sequence, row.hash), row
            self._insert(connection, [stored[item.id] for item in fresh])
            self._sign(connection, place, end, end.sequence - len(fresh))
        return [stored[item.id] for item in items]

    def _bridge(self, connection: Connection, place: "_Place", signed: Any) -> tuple[int, int] | None:
        """Sign for the records that this process stored and a restored backup lacks; return the first and the last."""
        known, there = self._known, End(place.sequence or 0, place.hash or ZERO)
        if not known.sequence or place.restored == self._restored or there.sequence >= known.sequence:
            return None
        if signed is None or End(signed.sequence, signed.hash) != there:
            return None  # that is no backup's doing
        first = there.sequence + 1
        text, signature, key = self._seal.sign(
            "pruned",
            place.site,
            known.sequence,
            known.hash,
            first=first,
            previous=there.hash.hex(),
            count=known.sequence - there.sequence,
            reason="a backup was restored",
        )
        row = {"first_sequence": first, "last_sequence": known.sequence, "statement": text, "signature": signature}
        connection.execute(insert(tombstones), {**row, "key_id": key})
        return first, known.sequence

    def _row(self, site: str, end: End, item: Pending, held: bool) -> Row:
        sequence = end.sequence + 1
        body, hash_ = self._seal.link(site, sequence, end.hash, item)
        return Row(
            sequence,
            item.id,
            item.time,
            item.kind,
            item.subject,
            item.actor,
            item.outcome,
            item.cause,
            body,
            end.hash,
            hash_,
            held,
            0,
            None,
        )

    def _end(self, connection: Connection, place: "_Place", signed: Any) -> tuple[End, str | None]:
        """Return where to go on, and what is wrong with what is there."""
        newest = End(place.sequence or 0, place.hash or ZERO)
        trouble, ends = None, [newest, self._known]
        if signed is not None:
            said = End(signed.sequence, signed.hash)
            trouble = self._seal.doubt(place.site, *said, SignedRow(signed.statement, signed.signature))
            ends += [said] if trouble is None else []
            if trouble is None and said != newest and not _is_pruned(connection, newest, said):
                trouble = f"the head knows record {said.sequence}, and the newest there is is {newest.sequence}"
        elif newest.sequence:
            trouble = "the signed head is gone"
        if trouble is None and self._known.sequence:
            there = ends[-1] if signed is not None else newest
            if there.sequence < self._known.sequence or (
                there.sequence == self._known.sequence and there.hash != self._known.hash
            ):
                trouble = f"record {self._known.sequence} was stored, and isn't there any more"
        return max(reversed(ends), key=lambda end: end.sequence), trouble

    def _insert(self, connection: Connection, rows: list[Row]) -> None:
        rows_.insert(connection, events, COLUMNS, [(*row[:12], len(row.body or b"")) for row in rows])

    def _sign(self, connection: Connection, place: "_Place", end: End, before: int) -> None:
        text, signature, key = self._seal.sign("head", place.site, end.sequence, end.hash)
        values = {"sequence": end.sequence, "hash": end.hash, "statement": text, "signature": signature}
        if not connection.execute(_UPDATE_HEAD, values).rowcount:
            connection.execute(insert(head), {"id": 1, **values})
        now, written = _time(text), None if place.checkpoint is None else _time(place.checkpoint)
        passed = before // CHECKPOINT_EVERY != end.sequence // CHECKPOINT_EVERY
        if passed or written is None or abs(now - written) >= CHECKPOINT_AGE:
            text, signature, key = self._seal.sign("checkpoint", place.site, end.sequence, end.hash)
            row = {"sequence": end.sequence, "statement": text, "signature": signature, "key_id": key}
            connection.execute(insert(checkpoints), row)


class _Place(NamedTuple):
    """What an append has to know, in one look: the site, newest row, newest checkpoint's text, last restore."""

    site: str
    sequence: int | None
    hash: bytes | None
    checkpoint: bytes | None
    restored: str | None


def _time(statement: bytes) -> float:
    return float(json.loads(statement)["time"])


_HEAD = select(head).where(head.c.id == 1).with_for_update()
_NEWEST = select(events.c.sequence).order_by(events.c.sequence.desc()).limit(1)
_PLACE = select(
    select(meta.c.value).where(meta.c.key == SITE).scalar_subquery(),
    _NEWEST.scalar_subquery(),
    _NEWEST.with_only_columns(events.c.hash).scalar_subquery(),
    select(checkpoints.c.statement).order_by(checkpoints.c.sequence.desc()).limit(1).scalar_subquery(),
    select(meta.c.value).where(meta.c.key == RESTORED).scalar_subquery(),
)
_UPDATE_HEAD = update(head).where(head.c.id == 1)
_HELD = select(events.c.id).where(events.c.id.in_(bindparam("ids", expanding=True)), events.c.held)


def _is_pruned(connection: Connection, newest: End, said: End) -> bool:
    """Whether everything after the newest row up to the head is gone by retention."""
    if newest.sequence >= said.sequence:
        return False
    covering = select(tombstones.c.id).where(tombstones.c.last_sequence == said.sequence)
    return connection.execute(covering.limit(1)).first() is not None


def _held(connection: Connection, ids: set[str]) -> set[str]:
    if not ids:
        return set()
    found: set[str] = set()
    for some in slices(sorted(ids)):
        found.update(connection.execute(_HELD, {"ids": some}).scalars())
    return found

"""The chain of records: what is hashed, what is signed, and where a chain has been tampered with.

Nothing here reads a file, a clock or a database, and nothing but the standard library and `cryptography` is imported,
so that `verify.py` and this file alone check a case on a machine without gatekeeper.

The wire format, byte for byte:

    body       the UTF-8 JSON text of one event, hashed and kept as these very bytes, never encoded anew:
               {"sequence":n,"id":"…","site":"…","time":unix,"run":"…","elapsed":seconds,"kind":"door.opened",
                "subject":"front"|null,"caller":{name,address,client,method,key,session}|null,"cause":"…"|null,
                "outcome":"ok"|"alarm"|"<error code>","reason":"…"|null,"text":"…","details":{…}}
    hash       SHA-256("gatekeeper-event-1\\n" + previous hash, 32 bytes + body); the first record's previous is zeros
    statement  UTF-8 JSON text: {"type","site","sequence","hash":hex,"time":unix,"key":key id, …}
    signature  Ed25519 over "gatekeeper-statement-1\\n" + statement
    key id     the first 16 hex digits of SHA-256(the public key's 32 bytes)

    types of statements, with what they carry besides:
      head        the newest record, signed anew with every commit: what is cut off after it is missed
      checkpoint  like a head, and kept: every 1000 records, or the first one after an hour
      pruned      "first", "previous":hex, "count", "reason": the records first…sequence are gone by retention;
                  `previous` is the hash before the first, `hash` that of the last: the chain goes on over the gap
      erased      "event", "pictures":[sha256 hex, …], "by", "reason": pictures that the record `event` names are gone
      export      "event", "events":[[sequence, hash hex], …], "manifest":SHA-256 hex, "checked":bool, "by": what the
                  site vouched for when it made a case; `sequence` and `hash` are its head then
      key         "next":key id, "public":hex: another key of this site. When the key is changed, the old one says so of
                  the new one, and the new one of the old one: whoever knows either can check all

What this can't find: whoever holds the private key can sign another past, and whoever puts the whole database back to
an older state has a valid older chain. Both show against any later statement kept elsewhere (an exported case, a
checkpoint): give it as one more statement and the check compares.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError as error:  # pragma: no cover - verify.py says it to whoever runs it alone
    raise ImportError("the Python package `cryptography` is needed to check signatures") from error

ZERO = bytes(32)
"""What stands for the hash before the first record."""

EVENT = b"gatekeeper-event-1\n"
STATEMENT = b"gatekeeper-statement-1\n"
COLUMNS = ("id", "time", "kind", "subject", "actor", "outcome", "cause")
"""What a database keeps beside the body, to search by; `actor` is the caller's name."""


class Fault(StrEnum):
    """What is wrong at a place."""

    ALTERED = "altered"  # the hash isn't that of the body: one of them was changed
    PREVIOUS = "previous"  # only the copy of the hash before was changed
    LINK = "link"  # sound in itself, but it doesn't follow the record before: that one, or this, was replaced
    MISSING = "missing"
    TRUNCATED = "truncated"  # something signed knows of later records
    DUPLICATE = "duplicate"
    ORDER = "order"
    FOREIGN = "foreign"  # another site's
    COLUMNS = "columns"  # what the database says beside the body differs from the body
    BODY = "body"  # no body and nothing signed that explains it, or none that can be read
    SIGNATURE = "signature"  # forged, or by a key that isn't known
    CONTRADICTED = "contradicted"  # something signed knows another hash here
    UNSIGNED = "unsigned"  # records after the signed head, or no head at all
    PICTURE = "picture"  # one that a record names is gone or another, and nothing signed says why


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and where: the records `sequence` to `last`.

    :ivar since: where nothing before is in doubt: the first record after the last one that a signature vouches for.
    """

    sequence: int
    last: int
    fault: Fault
    text: str
    since: int = 0

    def __str__(self) -> str:
        where = f"record {self.sequence}" if self.last == self.sequence else f"records {self.sequence} to {self.last}"
        return f"{where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the chain; `columns` are the values of `COLUMNS` where a database keeps them beside the body."""

    sequence: int
    previous: bytes
    hash: bytes
    body: bytes | None
    columns: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement as it was signed: its exact bytes, and the signature's 64."""

    text: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose signature is good; `fields` is all that it says."""

    type: str
    sequence: int
    hash: bytes
    time: float
    key: str
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def first(self) -> int:
        """The first record that it speaks of."""
        return int(self.fields.get("first", self.sequence))

    @property
    def previous(self) -> bytes:
        """Of `pruned`: the hash before the first."""
        return bytes.fromhex(self.fields["previous"])


class Refused(Exception):
    """A statement can't be relied on: `str(error)` says why, `sequence` where it claims to belong (0: nowhere)."""

    def __init__(self, message: str, sequence: int = 0, fault: Fault = Fault.SIGNATURE) -> None:
        super().__init__(message)
        self.sequence = sequence
        self.fault = fault


# --- primitives ------------------------------------------------------------------------------------------------------


def digest(previous: bytes, body: bytes) -> bytes:
    """Return a record's hash, 32 bytes."""
    return hashlib.sha256(EVENT + previous + body).digest()


def key_id(public: bytes) -> str:
    """Return the name of a public key (its 32 raw bytes)."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_signed(signed: Signed, public: bytes) -> bool:
    """Return whether the signature is this key's."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed.signature, STATEMENT + signed.text)
    except (InvalidSignature, ValueError):
        return False
    return True


def read(signed: Signed, keys: Mapping[str, bytes], site: str | None) -> Statement:
    """Return what a statement says once its signature is known to be good.

    :param keys: key id -> public key, 32 raw bytes: those that are trusted.
    :param site: whose it must be; None takes any.
    :raises Refused: if it is forged, by a key that isn't known, another site's, or no statement at all.
    """
    try:
        fields = json.loads(signed.text)
        found = Statement(
            type=_of(str, fields["type"]),
            sequence=_of(int, fields["sequence"]),
            hash=_hash(fields["hash"]),
            time=float(fields["time"]),
            key=_of(str, fields["key"]),
            fields=fields,
        )
        if found.type == "pruned":
            _hash(fields["previous"])
            if not 1 <= _of(int, fields["first"]) <= found.sequence:
                raise ValueError("first")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("something that is no statement") from error
    what = f'the statement "{found.type[:20]}"'
    if found.key not in keys:
        raise Refused(f"{what} is signed by the key {found.key[:20]}, which isn't known", found.first)
    if key_id(keys[found.key]) != found.key or not is_signed(signed, keys[found.key]):
        raise Refused(f"the signature of {what} is forged, or its text was changed", found.first)
    if site is not None and fields.get("site") != site:
        raise Refused(f"{what} is another site's", found.first, Fault.FOREIGN)
    return found


def trust(root: str, keys: Mapping[str, bytes], rotations: Iterable[Signed]) -> dict[str, bytes]:
    """Return the keys that follow from one that is trusted: itself, and those that it and they vouch for.

    :param root: the id of the key that is trusted; `keys` where its public part is found.
    """
    trusted = {root: keys[root]} if root in keys and key_id(keys[root]) == root else {}
    left, before = list(rotations), -1
    while before != len(left):
        before = len(left)
        left = [signed for signed in left if not _vouch(signed, trusted)]
    return trusted


def _vouch(signed: Signed, trusted: dict[str, bytes]) -> bool:
    """Add the key that a statement of a trusted one vouches for, if it does."""
    try:
        statement = read(signed, trusted, None)
        public = bytes.fromhex(_of(str, statement.fields["public"]))
    except (Refused, KeyError, ValueError, TypeError):
        return False
    if statement.type != "key" or key_id(public) != statement.fields.get("next"):
        return False
    trusted[key_id(public)] = public
    return True


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value


def _hash(text: Any) -> bytes:
    found = bytes.fromhex(_of(str, text))
    if len(found) != len(ZERO):
        raise ValueError("hash")
    return found


# --- pictures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a record names: `event` is what it shows, `received` in Unix seconds, `sha256` in hex."""

    event: str
    number: int
    camera: str
    received: float
    sha256: str


def pictures_of(body: bytes) -> list[Picture]:
    """Return the pictures that a record vouches for: those of "evidence.stored" and "evidence.partial"."""
    if b'"kind":"evidence.' not in body:
        return []
    try:
        fields = json.loads(body)
        listed = fields["details"]["pictures"] if fields["kind"] in PICTURED else []
        return [
            Picture(
                str(fields["cause"]),
                int(one["number"]),
                str(one["camera"]),
                float(one["received"]),
                _hash(one["sha256"]).hex(),
            )
            for one in listed
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


PICTURED = ("evidence.stored", "evidence.partial")


def erased_from(event: str, statements: Iterable[Statement]) -> dict[str, Statement]:
    """Return which pictures of an event were erased: SHA-256 in hex -> the statement that says so."""
    said = [one for one in statements if one.type == "erased" and one.fields.get("event") == event]
    return {str(sha256): one for one in said for sha256 in one.fields.get("pictures", ())}


# --- the check -------------------------------------------------------------------------------------------------------


class Check:
    """A chain as it goes by: statements first, where they are had, then the records in order, then the end.

    It keeps one hash and the statements whose place hasn't gone by, never the records. After a fault it goes on from
    what the record itself claims, so that one change is one problem and not all that follow.

    :param site: whose chain it must be.
    :param keys: key id -> public key, 32 raw bytes.
    :ivar records: how many went by; `pruned` how many are gone by signed statements; `signatures` how many statements
        were found good.
    :ivar proved: the last record that a signature vouches for.
    """

    def __init__(self, site: str, keys: Mapping[str, bytes]) -> None:
        self._site = site
        self._keys = keys
        self._next = 1
        self._hashes: tuple[bytes, ...] = (ZERO,)  # what the next record's `previous` may be; empty: not known
        self._points: dict[int, list[Statement]] = {}
        self._pruned: list[Statement] = []
        self.records = 0
        self.pruned = 0
        self.signatures = 0
        self.proved = 0

    @property
    def last(self) -> int:
        """The sequence of the newest record that went by, or that is known to be gone."""
        return self._next - 1

    def begin(self, signed: Signed) -> list[Problem]:
        """Begin after a signed checkpoint instead of at the first record."""
        statement, problems = self._read(signed)
        if statement is not None:
            self._next, self._hashes, self.proved = statement.sequence + 1, (statement.hash,), statement.sequence
        return problems

    def statement(self, signed: Signed) -> list[Problem]:
        """Take a statement whose place hasn't gone by yet: checkpoint, pruned, erased, or a head kept elsewhere."""
        statement, problems = self._read(signed)
        if statement is None:
            return problems
        if statement.type == "pruned":
            self._pruned.append(statement)
        elif statement.type in ("checkpoint", "head", "export"):
            self._points.setdefault(statement.sequence, []).append(statement)
        return problems

    def record(self, record: Record) -> list[Problem]:
        """Take the next record."""
        place = record.sequence
        if place < self._next:
            fault = Fault.DUPLICATE if place == self._next - 1 else Fault.ORDER
            return [self._problem(place, fault, f"comes after record {self._next - 1}")]
        problems = self._bridge(place) if place > self._next else []
        problems += self._link(record)
        problems += self._content(record, sound=not problems)
        self.records += 1
        self._next = place + 1
        return problems + self._compare(place)

    def finish(self, head: Signed | None) -> list[Problem]:
        """End: the head is the signed statement of what the newest record is."""
        if head is None:
            statement, problems = None, [self._problem(self._next, Fault.UNSIGNED, "there is no signed head")]
        else:
            statement, problems = self._read(head)
        known = max([*self._points, statement.sequence if statement else 0])
        if known >= self._next:
            gone = self._bridge(known + 1)
            text = "cut off: something signed knows of them"
            problems += [
                self._problem(one.sequence, Fault.TRUNCATED, text, one.last) if one.fault is Fault.MISSING else one
                for one in gone
            ]
        elif statement is not None and statement.sequence < self.last:
            text = f"after the signed head, which is record {statement.sequence}"
            problems.append(self._problem(statement.sequence + 1, Fault.UNSIGNED, text, self.last))
        if statement is not None and statement.sequence == self.last:
            self._points[self.last] = [statement]
            problems += self._compare(self.last)
        return problems

    # --- one record ---

    def _link(self, record: Record) -> list[Problem]:
        """Does it follow the one before, and is its hash that of its body?"""
        place, body, follows = record.sequence, record.body, self._follows(record.previous)
        self._hashes, before = (record.hash,), self._hashes
        if body is None:
            return self._gone(record, follows)
        if digest(record.previous, body) == record.hash:
            if follows:
                return []
            text = f"doesn't follow record {place - 1}: one of the two was replaced, or records between them are gone"
            return [self._problem(place, Fault.LINK, text)]
        real = [digest(previous, body) for previous in before]
        self._hashes = (record.hash, *real, digest(record.previous, body))
        if record.hash in real:
            return [self._problem(place, Fault.PREVIOUS, "its copy of the hash before was changed")]
        return [self._problem(place, Fault.ALTERED, "its hash isn't that of its body: one of them was changed")]

    def _gone(self, record: Record, follows: bool) -> list[Problem]:
        place = record.sequence
        stones = [stone for stone in self._pruned if stone.first <= place <= stone.sequence]
        if not stones:
            return [self._problem(place, Fault.BODY, "its body is gone, and nothing signed says why")]
        stone = stones[0]
        sound = follows and (place > stone.first or record.previous == stone.previous)
        self.pruned += 1
        if sound and (place < stone.sequence or record.hash == stone.hash):
            return []
        return [self._problem(place, Fault.LINK, "its body is gone, and its hashes don't fit what was signed")]

    def _content(self, record: Record, *, sound: bool) -> list[Problem]:
        if record.body is None:
            return []
        try:
            fields = json.loads(record.body)
            caller = fields["caller"]
            found = {**fields, "actor": None if caller is None else caller["name"]}
            site, sequence = found["site"], found["sequence"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return [self._problem(record.sequence, Fault.BODY, "its body can't be read")] if sound else []
        if site != self._site:
            return [self._problem(record.sequence, Fault.FOREIGN, "it is another site's")]
        return self._columns(record, sequence, found) if sound else []

    def _columns(self, record: Record, sequence: Any, found: Mapping[str, Any]) -> list[Problem]:
        if sequence != record.sequence:
            return [self._problem(record.sequence, Fault.ORDER, f"its body says that it is record {sequence}")]
        columns = record.columns or {}
        wrong = [name for name, value in columns.items() if name not in found or found[name] != value]
        if wrong:
            text = f"the database says another {', '.join(wrong)} than its body"
            return [self._problem(record.sequence, Fault.COLUMNS, text)]
        return []

    # --- what is signed ---

    def _read(self, signed: Signed) -> tuple[Statement | None, list[Problem]]:
        try:
            statement = read(signed, self._keys, self._site)
        except Refused as refused:
            return None, [self._problem(refused.sequence, refused.fault, str(refused))]
        self.signatures += 1
        return statement, []

    def _compare(self, place: int) -> list[Problem]:
        """Hold the newest record to what was signed about it."""
        points = self._points.pop(place, ())
        for point in points:
            if self._hashes and point.hash not in self._hashes:
                text = f'what was signed ("{point.type}") knows another hash here: something since {self.proved + 1}'
                return [self._problem(place, Fault.CONTRADICTED, f"{text} was changed and all hashes made anew")]
        if points:
            self.proved = place
        return []

    def _bridge(self, until: int) -> list[Problem]:
        """Account for the records before `until` that aren't there."""
        problems: list[Problem] = []
        while self._next < until:
            # One that begins earlier was made while the records before were going by.
            fits = [stone for stone in self._pruned if stone.first <= self._next <= stone.sequence < until]
            if fits:
                problems += self._cross(max(fits, key=lambda stone: stone.sequence))
                continue
            ahead = [stone.first for stone in self._pruned if self._next < stone.first and stone.sequence < until]
            last = min(ahead, default=until) - 1
            problems.append(self._problem(self._next, Fault.MISSING, "missing, and nothing signed says why", last))
            self._next, self._hashes = last + 1, ()
        return problems

    def _cross(self, stone: Statement) -> list[Problem]:
        problems: list[Problem] = []
        self._pruned.remove(stone)
        if stone.first == self._next and not self._follows(stone.previous):
            text = f"the signed statement of what was pruned doesn't follow record {stone.first - 1}"
            problems.append(self._problem(stone.first, Fault.LINK, text))
        self.pruned += stone.sequence - self._next + 1
        self._next, self._hashes = stone.sequence + 1, (stone.hash,)
        return problems + self._compare(stone.sequence)

    def _follows(self, previous: bytes) -> bool:
        return not self._hashes or previous in self._hashes

    def _problem(self, sequence: int, fault: Fault, text: str, last: int = 0) -> Problem:
        return Problem(sequence, max(sequence, last), fault, text, self.proved + 1)


def check(
    records: Iterable[Record],
    *,
    site: str,
    keys: Mapping[str, bytes],
    head: Signed | None,
    statements: Iterable[Signed] = (),
    begin: Signed | None = None,
) -> Iterator[Problem]:
    """Yield what is wrong with a chain, in the order of the places.

    :param records: in the order of their sequences; read one at a time.
    :param statements: checkpoints, pruned and erased, in any order.
    :param begin: the checkpoint that the first record follows; without it the chain must begin at record 1.
    """
    checking = Check(site, keys)
    if begin is not None:
        yield from checking.begin(begin)
    for signed in statements:
        yield from checking.statement(signed)
    for record in records:
        yield from checking.record(record)
    yield from checking.finish(head)

"""A chain is sound until somebody touches it; then the touch is found, and its place is named."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.evidence import chain as chain_module
from gatekeeper.evidence.chain import (
    PICTURED,
    ZERO,
    Check,
    Fault,
    Picture,
    Record,
    Refused,
    Signed,
    check,
    digest,
    erased_from,
    is_signed,
    key_id,
    pictures_of,
    read,
    trust,
)
from tests.evidence import vectors
from tests.evidence.chains import NOW, OTHER_SITE, SITE, Chain, places, signer

sizes = st.integers(3, 30)


@st.composite
def places_in(draw: st.DrawFn, smallest: int = 3) -> tuple[Chain, int]:
    """A chain with checkpoints somewhere, and one of its records."""
    count = draw(st.integers(smallest, 30))
    made = Chain().grow(count)
    for place in draw(st.sets(st.integers(1, count), max_size=4)):
        made.checkpoint(place)
    return made, draw(st.integers(1, count))


def flipped(data: bytes, bit: int) -> bytes:
    bit %= len(data) * 8
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


# --- the format ---


def test_the_vectors_are_what_this_code_makes() -> None:
    assert vectors.FILE.read_text(encoding="utf-8") == vectors.text()


@pytest.mark.parametrize("case", json.loads(vectors.FILE.read_text(encoding="utf-8"))["cases"], ids=lambda c: c["name"])
def test_each_vector_has_the_problems_that_it_says(case: dict) -> None:  # type: ignore[type-arg]
    told = json.loads(vectors.FILE.read_text(encoding="utf-8"))
    records = [
        Record(
            one["sequence"],
            bytes.fromhex(one["previous"]),
            bytes.fromhex(one["hash"]),
            None if one["body"] is None else one["body"].encode(),
        )
        for one in case["records"]
    ]
    signed = [
        Signed(one["statement"].encode(), bytes.fromhex(one["signature"]))
        for one in [*case["statements"], case["head"]]
    ]
    keys = {told["key"]: bytes.fromhex(told["public_key"])}
    found = check(records, site=told["site"], keys=keys, statements=signed[:-1], head=signed[-1])
    assert places(found) == [(one["sequence"], one["last"], one["fault"]) for one in case["problems"]]


def test_the_hash_is_the_documented_one() -> None:
    assert digest(b"p" * 32, b"body") == hashlib.sha256(b"gatekeeper-event-1\n" + b"p" * 32 + b"body").digest()


def test_a_key_is_named_by_its_hash() -> None:
    assert key_id(bytes(32)) == "66687aadf862bd77"


# --- no false alarm ---


@given(st.data(), sizes)
def test_a_chain_with_prunes_erasures_and_checkpoints_is_sound(data: st.DataObject, count: int) -> None:
    made = Chain().grow(count)
    for place in data.draw(st.sets(st.integers(1, count), max_size=4)):
        made.checkpoint(place)
    first = 1
    while first <= count and data.draw(st.booleans()):
        first = data.draw(st.integers(first, count))
        last = data.draw(st.integers(first, count))
        made.prune(first, last)
        first = last + 1
    assert made.problems() == []


def test_an_empty_site_needs_no_head_but_a_record_does() -> None:
    made = Chain().grow(1)
    made.head = None
    assert places(made.problems()) == [(2, 2, "unsigned")]
    assert next(iter(check([], site=SITE, keys={}, head=None))).fault is Fault.UNSIGNED


def test_a_check_may_begin_at_a_checkpoint() -> None:
    made = Chain().grow(10).checkpoint(4)
    del made.records[:4]
    assert made.problems(begin=made.statements[0]) == []
    del made.records[0]
    assert places(made.problems(begin=made.statements[0])) == [(5, 5, "missing")]


def test_a_prune_while_the_pages_go_by_is_no_alarm() -> None:
    made = Chain().grow(10)
    checking = Check(SITE, made.signer.keys)
    found = [problem for record in made.records[:4] for problem in checking.record(record)]
    rest = replace(made, records=list(made.records), statements=[]).prune(3, 7)
    found += checking.statement(rest.statements[0])
    found += [problem for record in rest.records[2:] for problem in checking.record(record)]
    assert found + checking.finish(made.head) == []
    assert (checking.records, checking.pruned, checking.last) == (7, 3, 10)


# --- every way to tamper ---


@given(places_in(), st.integers(0), st.sampled_from(["body", "hash", "previous"]))
def test_a_flipped_bit_is_found_where_it_is(at: tuple[Chain, int], bit: int, what: str) -> None:
    made, place = at
    made.change(place, **{what: flipped(getattr(made[place], what), bit)})
    problems = made.problems()
    assert {one.sequence for one in problems} == {place}  # two, if the bit is in the site's name
    assert problems[0].fault is (Fault.PREVIOUS if what == "previous" else Fault.ALTERED)


@given(places_in())
def test_a_deleted_record_is_missed_where_it_was(at: tuple[Chain, int]) -> None:
    made, place = at
    made.records.pop(place - 1)
    last = len(made.records) + 1
    assert places(made.problems()) == [(place, place, "truncated" if place == last else "missing")]


@given(places_in())
def test_a_deletion_that_was_renumbered_is_found_where_it_was(at: tuple[Chain, int]) -> None:
    made, place = at
    made.records[place - 1 :] = [replace(one, sequence=one.sequence - 1) for one in made.records[place:]]
    problems = made.problems()
    assert problems[0].sequence == place
    assert Fault.TRUNCATED in [one.fault for one in problems]


@given(places_in(), st.data())
def test_two_records_swapped_in_the_file_are_found(at: tuple[Chain, int], data: st.DataObject) -> None:
    made, first = at
    second = data.draw(st.integers(1, len(made.records)).filter(lambda other: other != first))
    records = made.records
    records[first - 1], records[second - 1] = records[second - 1], records[first - 1]
    low = min(first, second)
    assert (low, Fault.MISSING) in [(one.sequence, one.fault) for one in made.problems()]


@given(places_in(), st.data())
def test_two_records_swapped_under_each_others_numbers_are_found_at_both(
    at: tuple[Chain, int], data: st.DataObject
) -> None:
    made, first = at
    second = data.draw(st.integers(1, len(made.records)).filter(lambda other: other != first))
    one, other = made[first], made[second]
    made.records[first - 1], made.records[second - 1] = replace(other, sequence=first), replace(one, sequence=second)
    found = {problem.sequence for problem in made.problems()}
    assert {first, second} <= found


@given(places_in())
def test_a_record_put_in_between_is_found_where_it_is(at: tuple[Chain, int]) -> None:
    made, place = at
    before = made[place].previous
    body = (made[place].body or b"").replace(b"opened", b"0pened")
    forged = Record(place, before, digest(before, body), body)
    made.records[place - 1 :] = [
        forged,
        *(replace(one, sequence=one.sequence + 1) for one in made.records[place - 1 :]),
    ]
    found = [(one.sequence, one.fault) for one in made.problems()]
    assert (place + 1, Fault.LINK) in found


@given(places_in())
def test_a_record_twice_is_found(at: tuple[Chain, int]) -> None:
    made, place = at
    made.records.insert(place, made[place])
    assert places(made.problems()) == [(place, place, "duplicate")]


@given(places_in(smallest=4), st.data())
def test_an_end_that_was_cut_off_is_missed(at: tuple[Chain, int], data: st.DataObject) -> None:
    made, _ = at
    whole = len(made.records)
    keep = data.draw(st.integers(0, whole - 1))
    del made.records[keep:]
    assert places(made.problems()) == [(keep + 1, whole, "truncated")]


@given(places_in(smallest=4), st.data())
def test_records_after_the_signed_head_are_told(at: tuple[Chain, int], data: st.DataObject) -> None:
    made, _ = at
    whole = len(made.records)
    made.statements = []
    made.head = made.sign("head", made[data.draw(st.integers(1, whole - 1))])
    signed = json.loads(made.head.text)["sequence"]
    assert places(made.problems()) == [(signed + 1, whole, "unsigned")]


def test_an_end_cut_off_with_an_older_head_put_back_is_missed_by_any_later_statement() -> None:
    made = Chain().grow(10)
    late = made.head
    old = made.sign("head", made[6])
    del made.records[6:]
    made.head = old
    assert made.problems() == [], "an older state is a valid one: only what was kept elsewhere can tell"
    assert late is not None
    made.statements.append(late)
    assert places(made.problems()) == [(7, 10, "truncated")]


@given(places_in(), st.integers(0))
def test_another_sites_record_is_foreign_where_it_is(at: tuple[Chain, int], bit: int) -> None:
    made, place = at
    other = Chain(OTHER_SITE, signer(9)).grow(len(made.records))
    made.records[place - 1] = other[place]
    assert (place, Fault.FOREIGN) in [(one.sequence, one.fault) for one in made.problems()]


@given(places_in())
def test_another_sites_tail_with_its_own_head_is_found_from_its_first_record_on(at: tuple[Chain, int]) -> None:
    made, place = at
    other = Chain(OTHER_SITE, signer(9)).grow(len(made.records))
    made.records[place - 1 :] = other.records[place - 1 :]
    made.head = other.head
    found = [(one.sequence, one.fault) for one in made.problems()]
    assert next(sequence for sequence, fault in found if fault is Fault.FOREIGN) == place
    assert Fault.SIGNATURE in [fault for _, fault in found]


@given(places_in())
def test_a_body_replaced_with_its_hash_is_found_at_the_next_record(at: tuple[Chain, int]) -> None:
    made, place = at
    record = made[place]
    body = (record.body or b"").replace(b"ana", b"bob")
    columns = {**(record.columns or {}), "actor": "bob"}
    made.change(place, body=body, hash=digest(record.previous, body), columns=columns)
    problems = made.problems()
    assert {one.sequence for one in problems} <= {place, place + 1}
    assert {one.fault for one in problems} <= {Fault.LINK, Fault.CONTRADICTED}
    assert problems


@given(places_in())
def test_a_past_rewritten_to_the_end_is_contradicted_by_the_next_signature(at: tuple[Chain, int]) -> None:
    made, place = at
    signed = [*sorted(json.loads(one.text)["sequence"] for one in made.statements), len(made.records)]
    body = (made[place].body or b"").replace(b"192.0.2.7", b"192.0.2.8")
    made.change(place, body=body).chain_again(place)
    first = made.problems()[0]
    assert (first.fault, first.sequence) == (Fault.CONTRADICTED, min(one for one in signed if one >= place))
    assert first.since <= place
    assert first.since == max([one for one in signed if one < place], default=0) + 1


COLUMN_CHANGES = {
    "id": "01K00000000000000000000000",
    "time": NOW - 86_400,
    "kind": "door.refused",
    "subject": None,
    "actor": "bob",
    "outcome": "alarm",
    "cause": "x",
}


@given(places_in(), st.sampled_from(sorted(COLUMN_CHANGES)))
def test_a_column_that_differs_from_the_body_is_found(at: tuple[Chain, int], column: str) -> None:
    made, place = at
    made.change(place, columns={**(made[place].columns or {}), column: COLUMN_CHANGES[column]})
    problems = made.problems()
    assert places(problems) == [(place, place, "columns")]
    assert column in problems[0].text


def test_every_column_is_compared() -> None:
    assert set(COLUMN_CHANGES) == set(chain_module.COLUMNS)


# --- statements ---


@given(places_in(), st.integers(0), st.booleans())
def test_a_forged_head_or_checkpoint_is_refused(at: tuple[Chain, int], bit: int, in_text: bool) -> None:
    made, place = at
    good = made.sign("checkpoint", made[place])
    bad = (
        replace(good, text=flipped(good.text, bit))
        if in_text
        else replace(good, signature=flipped(good.signature, bit))
    )
    with pytest.raises(Refused):
        read(bad, made.signer.keys, SITE)
    made.statements = [bad]
    assert {one.fault for one in made.problems()} <= {Fault.SIGNATURE, Fault.FOREIGN}
    assert len(made.problems()) == 1


def test_a_head_of_a_stranger_is_refused_even_under_our_keys_name() -> None:
    made = Chain().grow(3)
    stranger = signer(8)
    stranger.id = made.signer.id
    made.head = stranger.sign("head", SITE, 3, made[3].hash)
    assert [one.fault for one in made.problems()] == [Fault.SIGNATURE]


def test_a_statement_of_another_site_by_our_key_is_foreign() -> None:
    made = Chain().grow(3)
    made.statements = [made.signer.sign("checkpoint", OTHER_SITE, 3, made[3].hash)]
    assert [one.fault for one in made.problems()] == [Fault.FOREIGN]


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"type":"head"}',
     b'{"type":1,"sequence":1,"hash":"","time":1,"key":""}',
     b'{"type":"head","sequence":true,"hash":"%s","time":1,"key":"k"}' % (b"00" * 32)],
)  # fmt: skip
def test_what_is_no_statement_is_refused(text: bytes) -> None:
    with pytest.raises(Refused):
        read(Signed(text, b"x" * 64), signer().keys, SITE)


@given(places_in(smallest=6), st.data())
def test_a_pruned_range_hides_nothing_more_than_itself(at: tuple[Chain, int], data: st.DataObject) -> None:
    made, _ = at
    count = len(made.records)
    first = data.draw(st.integers(1, count - 1))
    last = data.draw(st.integers(first, count - 1))
    made.prune(first, last)
    victim = data.draw(st.sampled_from(made.records))
    made.records.remove(victim)
    assert {(one.sequence, one.last) for one in made.problems()} == {(victim.sequence, victim.sequence)}


@given(places_in(), st.integers(0))
def test_a_forged_tombstone_explains_nothing(at: tuple[Chain, int], bit: int) -> None:
    made, place = at
    made.prune(place, place)
    stone = made.statements[-1]
    made.statements[-1] = replace(stone, signature=flipped(stone.signature, bit))
    faults = [one.fault for one in made.problems()]
    assert Fault.SIGNATURE in faults
    assert (Fault.MISSING in faults) or (Fault.TRUNCATED in faults)


def test_a_tombstone_that_does_not_fit_is_found() -> None:
    made = Chain().grow(10)
    made.statements.append(made.sign("pruned", made[5], first=4, previous="11" * 32, count=2, reason="old"))
    del made.records[3:5]
    assert places(made.problems()) == [(4, 4, "link")]


def test_a_stub_is_held_to_what_was_signed() -> None:
    made = Chain().grow(6)
    stone = made.sign("pruned", made[3], first=2, previous=made[1].hash.hex(), count=2, reason="old")
    made.statements.append(stone)
    made.change(2, body=None).change(3, body=None)
    assert made.problems() == []
    made.change(3, hash=b"x" * 32)
    assert (3, 3, "link") in places(made.problems())


def test_erased_pictures_are_known_by_their_event_and_hash() -> None:
    made = Chain().grow(3)
    signed = made.sign("erased", made[2], event="x", pictures=["ab" * 32], by="ana", reason="asked for")
    assert Check(SITE, made.signer.keys).statement(signed) == []
    said = [read(signed, made.signer.keys, SITE)]
    assert erased_from("x", said)["ab" * 32].fields["by"] == "ana"
    assert erased_from("y", said) == {}


@pytest.mark.parametrize("kind", ["evidence.stored", "evidence.partial", "evidence.erased", "door.opened"])
def test_the_pictures_that_a_record_vouches_for(kind: str) -> None:
    one = {"number": 1, "camera": "yard", "received": 5.5, "sha256": "AB" * 32, "size": 9}
    body = json.dumps({"kind": kind, "cause": "x", "details": {"pictures": [one]}}, separators=(",", ":")).encode()
    expected = [Picture("x", 1, "yard", 5.5, "ab" * 32)] if kind in PICTURED else []
    assert pictures_of(body) == expected
    assert pictures_of(body.replace(b"AB", b"XX")) == []
    assert pictures_of(body[:-1]) == []


# --- keys ---


def test_a_key_is_trusted_that_a_trusted_one_vouched_for_and_no_other() -> None:
    old, new, stranger = signer(1), signer(2), signer(3)
    keys = {one.id: one.public for one in (old, new, stranger)}
    vouched = old.sign("key", SITE, 0, ZERO, next=new.id, public=new.public.hex())
    forged = stranger.sign("key", SITE, 0, ZERO, next=stranger.id, public=stranger.public.hex())
    assert trust(old.id, keys, [forged, vouched]) == {old.id: old.public, new.id: new.public}
    assert trust(new.id, keys, [vouched]) == {new.id: new.public}
    assert trust("nobody", keys, [vouched]) == {}


def test_a_key_under_a_wrong_name_is_not_trusted() -> None:
    old, new = signer(1), signer(2)
    assert trust(old.id, {old.id: new.public}, []) == {}
    lied = old.sign("key", SITE, 0, ZERO, next=signer(3).id, public=new.public.hex())
    assert trust(old.id, {old.id: old.public}, [lied]) == {old.id: old.public}


def test_a_signature_of_another_kind_of_bytes_is_not_a_statements() -> None:
    one = signer()
    raw = one._private.sign(b"text")
    assert not is_signed(Signed(b"text", raw), one.public)
    assert not is_signed(Signed(b"text", b""), one.public)
    assert not is_signed(Signed(b"text", raw), b"short")


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=8), st.booleans()), max_size=12))
def test_no_rubbish_raises(rows: list[tuple[int, bytes, bool]]) -> None:
    records = [Record(place, body.ljust(32), body.ljust(32), body if there else None) for place, body, there in rows]
    assert list(check(records, site=SITE, keys={}, head=Signed(b"x", b"y")))


def test_records_are_read_one_at_a_time() -> None:
    made = Chain().grow(50)
    read_so_far: list[int] = []

    def one_by_one():  # type: ignore[no-untyped-def]
        for record in made.records:
            read_so_far.append(record.sequence)
            yield record

    made.change(10, body=b"{}")
    first = next(iter(check(one_by_one(), site=SITE, keys=made.signer.keys, head=made.head)))
    assert (first.sequence, read_so_far[-1]) == (10, 10)

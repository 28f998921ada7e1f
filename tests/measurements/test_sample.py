"""A sample's bytes: the seed's own, and everything that is none."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements.sample import FARTHEST, REQUIRED, Sample, convert, parse

SEED = {
    "type": "camera_data", "laptop_id": 1, "dista": 5.234, "distb": 3.456, "is_a_detected": True, "is_b_detected": True
}  # fmt: skip


def raw(**changes: Any) -> bytes:
    return json.dumps({**SEED, **changes}).encode()


def test_the_seeds_own_message_is_a_sample() -> None:
    assert parse(raw(), 8) == Sample(1, 5.234, 3.456, True, True)
    assert parse(raw(dista=5), 8).a == 5.0  # JavaScript and PHP write whole numbers so


def test_a_number_and_an_age_come_along() -> None:
    found = parse(raw(sender="tower-3.x", seq=7, age=0.25, battery="low"), 8)
    assert (found.sender, found.seq, found.age) == ("tower-3.x", 7, 0.25)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"laptop_id": 9}, "laptop_id: found 9; allowed: a whole number from 1 to 8"),
        ({"laptop_id": 0}, "laptop_id: found 0; allowed: a whole number from 1, to 64"),
        ({"laptop_id": "1"}, 'laptop_id: found "1"; allowed: a whole number'),
        ({"laptop_id": 1.5}, "laptop_id: found 1.5"),
        ({"laptop_id": True}, "laptop_id: found true"),
        ({"dista": "5"}, 'dista: found "5"; allowed: a number'),
        ({"dista": None}, "dista: found nothing; allowed: a number"),
        ({"distb": [1]}, "distb: found a list"),
        ({"dista": 2e6}, "dista: found 2000000.0; allowed: a number from -1,000,000, to 1,000,000"),
        ({"is_a_detected": 1}, "is_a_detected: found 1; allowed: true or false"),
        ({"is_b_detected": "yes"}, 'is_b_detected: found "yes"'),
        ({"seq": 1}, "sender and seq belong together"),
        ({"sender": "x"}, "sender and seq belong together"),
        ({"sender": "a b", "seq": 1}, 'sender: found "a b"; allowed: text of letters, digits'),
        ({"sender": "x" * 65, "seq": 1}, "sender: found"),
        ({"sender": "x", "seq": -1}, "seq: found -1"),
        ({"sender": "x", "seq": 2**60}, "seq: found"),
        ({"age": -1}, "age: found -1"),
        ({"age": 1e9}, "age: found 1000000000"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse(raw(**changes), 8)
    assert said in str(refusal.value)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    fields = {key: value for key, value in SEED.items() if key != name}
    with pytest.raises(InvalidArgument, match=f"missing: {name}"):
        convert(fields, 8)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_python_writes_what_is_no_json_and_is_told_so(word: str) -> None:
    with pytest.raises(InvalidArgument, match=f"found {word}; allowed: numbers"):
        parse(json.dumps({**SEED, "dista": float(word)}).encode(), 8)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_word_for_is_refused_from_wamp_too(value: float) -> None:
    with pytest.raises(InvalidArgument, match="dista: found"):
        convert({**SEED, "dista": value}, 8)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 5000, b'{"a":1}x', b'"text"'])
def test_what_is_no_object_is_told(data: bytes) -> None:
    with pytest.raises(InvalidArgument):
        parse(data, 8)


def test_what_is_no_object_over_wamp_is_told() -> None:
    with pytest.raises(InvalidArgument, match="a sample: found a list; allowed: fields by name"):
        convert([1, 2], 8)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_sample_or_a_sentence(data: bytes) -> None:
    with suppress(InvalidArgument):
        parse(data, 8)


@given(st.floats(-FARTHEST, FARTHEST), st.floats(-FARTHEST, FARTHEST), st.booleans(), st.booleans())
def test_every_displacement_passes_to_the_last_bit(a: float, b: float, seen_a: bool, seen_b: bool) -> None:
    found = parse(raw(dista=a, distb=b, is_a_detected=seen_a, is_b_detected=seen_b), 8)
    assert (found.a, found.b, found.a_detected, found.b_detected) == (a, b, seen_a, seen_b)

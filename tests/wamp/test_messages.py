from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.messages import SHAPES, Type, check
from tests.wamp.helpers import fuzz

GOOD: list[list[Any]] = [
    [1, "realm", {"roles": {"caller": {}}}],
    [1, "realm", {"roles": {}, "authid": None, "authmethods": None, "authextra": None}],
    [3, {}, "a.b"],
    [5, "signature", {}],
    [6, {}, "a.b"],
    [8, 68, 1, {}, "a.b"],
    [8, 68, 1, {}, "a.b", [1], {"k": 1}],
    [16, 1, {}, "a.b"],
    [16, 2**53, {"acknowledge": True, "x_mine": frozenset()}, "a.b", [], {}],
    [32, 1, {"match": "exact"}, "a.b"],
    [34, 1, 1],
    [48, 1, {"timeout": 5}, "a.b", [None]],
    [49, 1, {"mode": "skip"}],
    [64, 1, {"invoke": "single"}, "a.b"],
    [66, 1, 1],
    [70, 1, {}],
]

BAD: list[Any] = [
    None,
    {},
    [],
    "text",
    [None],
    ["16", 1, {}, "a.b"],
    [True, "realm", {}],
    [16.0, 1, {}, "a.b"],
    [7, {}],
    [99, 1, {}],
    [[1], 2],
    [1, "realm"],
    [1, "realm", {}, {}],
    [1, 5, {}],
    [1, "realm", []],
    [1, "realm", {"roles": []}],
    [1, "realm", {"roles": {}, "authmethods": "ticket"}],
    [1, "realm", {"roles": {}, "authmethods": [1]}],
    [1, "realm", {"roles": {}, "authid": 5}],
    [8, 48, 1, {}, "a.b"],
    [8, 68, 1, {}],
    [16, 0, {}, "a.b"],
    [16, -1, {}, "a.b"],
    [16, 2**53 + 1, {}, "a.b"],
    [16, True, {}, "a.b"],
    [16, 1.0, {}, "a.b"],
    [16, 1, [], "a.b"],
    [16, 1, {1: 2}, "a.b"],
    [16, 1, {"text": 1, b"bytes": 2}, "a.b"],
    [16, 1, {}, 5],
    [16, 1, {}, "a.b", {}],
    [16, 1, {}, "a.b", [], []],
    [16, 1, {}, "a.b", [], {b"k": 1}],
    [16, 1, {}, "a.b", [], {}, 1],
    [16, 1, {"acknowledge": 1}, "a.b"],
    [16, 1, {"exclude_me": "no"}, "a.b"],
    [32, 1, {"match": 5}, "a.b"],
    [34, 1, "1"],
    [70, 1, {"progress": 1}],
]


@pytest.mark.parametrize("message", GOOD, ids=str)
def test_a_well_formed_message_passes_unchanged(message: list[Any]) -> None:
    assert check(message) is message


@pytest.mark.parametrize("message", BAD, ids=str)
def test_a_malformed_message_is_a_violation(message: Any) -> None:
    with pytest.raises(ProtocolViolation):
        check(message)


@pytest.mark.parametrize("kind", sorted(set(Type) - SHAPES.keys()))
def test_a_message_that_only_routers_send_is_named_in_the_violation(kind: Type) -> None:
    with pytest.raises(ProtocolViolation, match=kind.name):
        check([int(kind), 1, {}])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=10,
)


@fuzz
@given(message=anything | st.tuples(st.sampled_from(list(Type)), st.lists(anything)).map(lambda m: [int(m[0]), *m[1]]))
def test_anything_is_a_message_or_a_violation(message: Any) -> None:
    try:
        checked = check(message)
    except ProtocolViolation:
        return
    assert checked[0] in SHAPES

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import CBOR, JSON, MSGPACK, Codec
from gatekeeper.wamp.errors import CodecError
from tests.wamp.helpers import EVERY_CODEC, fuzz

text = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda value: not value.startswith("\0"))
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | text | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=20,
)

# Not parametrized: pytest-twisted wraps a Hypothesis test once more for each parameter, and the second fails.
codecs = st.sampled_from(EVERY_CODEC)
every_codec = pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)


@fuzz
@given(codec=codecs, message=st.lists(values))
def test_a_message_comes_back_as_it_was(codec: Codec, message: list[object]) -> None:
    assert codec.decode(codec.encode(message)) == message


@fuzz
@given(codec=codecs, payload=st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_or_refused(codec: Codec, payload: bytes) -> None:
    try:
        value = codec.decode(payload)
    except CodecError:
        return
    for other in EVERY_CODEC:
        try:
            other.encode([value])
        except CodecError:
            continue


@fuzz
@given(codec=codecs, message=st.lists(values), cut=st.integers(0, 1000))
def test_a_message_cut_short_is_refused_or_another_value(codec: Codec, message: list[object], cut: int) -> None:
    payload = codec.encode(message)
    try:
        codec.decode(payload[: cut % (len(payload) + 1)])
    except CodecError:
        return


def test_json_carries_bytes_as_a_string_after_a_nul() -> None:
    assert JSON.encode([b"\x10\x20"]) == b'["\\u0000ECA="]'
    assert JSON.decode(b'[{"a": "\\u0000ECA="}]') == [{"a": b"\x10\x20"}]


def test_json_is_compact_utf_8() -> None:
    assert JSON.encode([1, {"grün": None}]) == '[1,{"grün":null}]'.encode()


def test_an_escaped_backslash_is_no_binary_value() -> None:
    assert JSON.decode(rb'["\\u0000ECA="]') == ["\\u0000ECA="]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[1",
        b"[NaN]",
        b"[Infinity]",
        b'["\\u0000not base64"]',
        b"\xff\xfe",
        b'["\xed\xa0\x80"]',  # a surrogate in UTF-8
        b"[" * 100_000,
        b'["\\u0000"' + b",[" * 300 + b"]" * 301,
        b"[" + b"9" * 5000 + b"]",
    ],
)
def test_json_that_is_not_is_refused(payload: bytes) -> None:
    with pytest.raises(CodecError):
        JSON.decode(payload)


@pytest.mark.parametrize(
    "payload",
    [
        "81c11a514b67b0",  # a date
        "81d82363612b62",  # a regular expression
        "d81c81d81d00",  # a list that holds itself
        "81c249010000000000000000",  # an integer of nine bytes
        "81d9010281" + "01",  # a set
        "81da7fffffff00",  # an unknown tag
        "a1a1010203",  # a map as key
        "81a10102",  # a number as key
    ],
)
def test_cbor_beyond_the_shared_data_model_is_refused(payload: str) -> None:
    with pytest.raises(CodecError):
        CBOR.decode(bytes.fromhex(payload))


def test_a_javascript_uint8array_is_bytes() -> None:
    assert CBOR.decode(bytes.fromhex("81d84042ffd8")) == [b"\xff\xd8"]


def test_cbor_and_msgpack_nested_too_deep_are_refused() -> None:
    with pytest.raises(CodecError):
        CBOR.decode(b"\x81" * 5000 + b"\x00")
    with pytest.raises(CodecError):
        MSGPACK.decode(b"\x91" * 5000 + b"\x00")


def test_a_msgpack_extension_is_refused() -> None:
    with pytest.raises(CodecError):
        MSGPACK.decode(b"\x91\xd4\x05\x00")


@every_codec
@pytest.mark.parametrize("value", [object(), "\ud800"], ids=["object", "surrogate"])
def test_what_no_format_expresses_is_refused(codec: Codec, value: object) -> None:
    with pytest.raises(CodecError):
        codec.encode([value])


def test_json_has_no_nan_and_msgpack_no_large_integers() -> None:
    with pytest.raises(CodecError):
        JSON.encode([float("nan")])
    with pytest.raises(CodecError):
        MSGPACK.encode([2**64])


def test_a_list_that_holds_itself_is_refused() -> None:
    knot: list[object] = []
    knot.append(knot)
    for codec in EVERY_CODEC:
        with pytest.raises(CodecError):
            codec.encode(knot)

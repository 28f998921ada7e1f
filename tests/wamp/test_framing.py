import pytest
from autobahn.websocket.protocol import PreparedMessage
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.framing import WIRES, take_message, unmask
from tests.wamp.helpers import EVERY_CODEC, fuzz, payload_of

LIMIT = 1 << 20
SIZES = [0, 1, 3, 4, 125, 126, 127, 65535, 65536, 70000]


def client_frame(payload: bytes, *, binary: bool = True) -> bytes:
    framed: bytes = PreparedMessage(payload, binary, True, True).payloadHybi
    return framed


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_for_clients_is_as_autobahn_makes_it(size: int) -> None:
    wire = WIRES["wamp.2.json"]
    message = ["x" * size]
    payload = wire.codec.encode(message)
    assert wire.pack(message) == PreparedMessage(payload, False, False, True).payloadHybi
    assert payload_of(wire.pack(message)) == payload


@pytest.mark.parametrize("codec", EVERY_CODEC, ids=lambda codec: codec.subprotocol)
def test_a_frame_is_text_or_binary_as_its_codec_says(codec: Codec) -> None:
    assert WIRES[codec.subprotocol].pack([1])[0] & 0x0F == (2 if codec.binary else 1)


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_of_a_client_is_read_whole(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    payload = payload[:size]
    data = b"before" + client_frame(payload) + b"behind"
    assert take_message(data, 6, LIMIT) == (payload, True, len(data) - 6)
    assert take_message(client_frame(payload, binary=False), 0, LIMIT) == (payload, False, len(data) - 12)


@pytest.mark.parametrize("size", [0, 4, 126, 65536])
def test_a_frame_that_is_not_all_there_is_left_alone(size: int) -> None:
    data = client_frame(b"x" * size)
    for cut in {0, 1, 2, 3, 5, 6, 8, 9, 11, 13, len(data) - 1}:
        if cut < len(data):
            assert take_message(data[:cut], 0, LIMIT) is None


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("8103616263"),  # not masked
        bytes.fromhex("018300000000616263"),  # a first fragment
        bytes.fromhex("808300000000616263"),  # a continuation
        bytes.fromhex("c18300000000616263"),  # compressed
        bytes.fromhex("898300000000616263"),  # a ping
        bytes.fromhex("81fe000300000000616263"),  # a length longer than it need be
        bytes.fromhex("81ff000000000000000300000000616263"),
    ],
)
def test_an_unusual_frame_is_left_to_autobahn(data: bytes) -> None:
    assert take_message(data, 0, LIMIT) is None


def test_a_frame_above_the_limit_is_left_alone() -> None:
    data = client_frame(b"x" * 101)
    assert take_message(data, 0, 100) is None
    assert take_message(data, 0, 101) is not None


@fuzz
@given(data=st.binary(max_size=40), start=st.integers(0, 50))
def test_arbitrary_bytes_are_a_frame_or_not(data: bytes, start: int) -> None:
    taken = take_message(data, start, LIMIT)
    assert taken is None or start < taken[2] <= len(data)


@fuzz
@given(mask=st.binary(min_size=4, max_size=4), payload=st.binary())
def test_masking_twice_changes_nothing(mask: bytes, payload: bytes) -> None:
    assert unmask(mask, unmask(mask, payload)) == payload
    assert unmask(mask, payload) == bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))

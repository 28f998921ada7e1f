"""The serializations of WAMP: one shared, stateless object per format, between plain lists and bytes.

    wamp.2.json     text frames; binary values are strings: U+0000 followed by standard base64
    wamp.2.msgpack  binary frames
    wamp.2.cbor     binary frames

What a client sends is untrusted. `decode` lets through only what every format can carry on: null, booleans, numbers,
text, bytes, lists and maps keyed by text or bytes. CBOR's tags (dates, regular expressions, shared and cyclic
references) are refused, but for tag 64, as which JavaScript sends a Uint8Array.
"""

import json
from base64 import b64decode, b64encode
from typing import Any, ClassVar, NoReturn, Protocol

import cbor2
import msgpack  # type: ignore[import-untyped]  # it ships no types

from gatekeeper.wamp.errors import CodecError

# Every way in which the three libraries refuse bytes or values, and depth beyond the interpreter's.
_REFUSALS = (ValueError, TypeError, OverflowError, RecursionError, cbor2.CBORError, msgpack.UnpackException)

MAX_DEPTH = 128  # nested containers in a message: real payloads have a handful, and our own passes recurse
MAX_SPLICED = 15  # elements of an array whose mark is one byte in every format
_UINT8_ARRAY = 64  # RFC 8746


class Codec(Protocol):
    """One serialization.

    :cvar subprotocol: its name in the WebSocket handshake.
    :cvar binary: whether its messages travel in binary frames.
    """

    subprotocol: ClassVar[str]
    binary: ClassVar[bool]

    def encode(self, message: list[Any]) -> bytes:
        """Return the message's bytes; raise CodecError when this format can't express it."""
        ...

    def decode(self, payload: bytes) -> Any:
        """Return the value that the bytes hold; raise CodecError for anything else."""
        ...

    def elements(self, values: list[Any]) -> bytes | memoryview:
        """Return the elements of a short array without the array around them, as `array` takes them."""
        ...

    def array(self, length: int, *elements: bytes | memoryview) -> list[bytes | memoryview]:
        """Return the pieces of an array of this length, at most `MAX_SPLICED`, from its elements in some parts."""
        ...


class JsonCodec:
    """JSON by the standard library's C scanner; the pass that finds binary values runs only when there can be any."""

    subprotocol: ClassVar[str] = "wamp.2.json"
    binary: ClassVar[bool] = False

    def encode(self, message: list[Any]) -> bytes:
        """Return compact UTF-8; bytes become strings by WAMP's rule."""
        try:
            return _to_json(message).encode()
        except _REFUSALS as error:
            raise CodecError(f"not expressible in JSON: {error}") from error

    def decode(self, payload: bytes) -> Any:
        """Return the value; NaN and Infinity, which JSON doesn't have, are refused."""
        try:
            value = _from_json(payload.decode())
            # A NUL in JSON text can only be written as an escape, so most messages skip the pass.
            return _revive(value, MAX_DEPTH) if b"\\u0000" in payload else value
        except _REFUSALS as error:
            raise CodecError(f"not JSON: {error}") from error

    def elements(self, values: list[Any]) -> bytes | memoryview:
        """Return what stands between the brackets."""
        return memoryview(self.encode(values))[1:-1]

    def array(self, length: int, *elements: bytes | memoryview) -> list[bytes | memoryview]:
        """Return brackets and commas around the parts."""
        pieces: list[bytes | memoryview] = []
        for part in elements:
            pieces += (b",", part)
        return [b"[", *pieces[1:], b"]"]


class MsgPackCodec:
    """MessagePack with text and bytes told apart; extension types other than the time stamp are refused."""

    subprotocol: ClassVar[str] = "wamp.2.msgpack"
    binary: ClassVar[bool] = True

    def encode(self, message: list[Any]) -> bytes:
        """Return the packed bytes."""
        try:
            packed: bytes = msgpack.packb(message)
        except _REFUSALS as error:
            raise CodecError(f"not expressible in MsgPack: {error}") from error
        return packed

    def decode(self, payload: bytes) -> Any:
        """Return the value."""
        try:
            return msgpack.unpackb(payload, ext_hook=_refuse_extension)
        except _REFUSALS as error:
            raise CodecError(f"not MsgPack: {error}") from error

    def elements(self, values: list[Any]) -> bytes | memoryview:
        """Return what follows the mark."""
        return memoryview(self.encode(values))[1:]

    def array(self, length: int, *elements: bytes | memoryview) -> list[bytes | memoryview]:
        """Return the mark of an array of this length before the parts."""
        return [bytes((0x90 | length,)), *elements]


class CborCodec:
    """CBOR restricted to the data model that the other formats share."""

    subprotocol: ClassVar[str] = "wamp.2.cbor"
    binary: ClassVar[bool] = True

    def encode(self, message: list[Any]) -> bytes:
        """Return the encoded bytes."""
        try:
            return cbor2.dumps(message)
        except _REFUSALS as error:
            raise CodecError(f"not expressible in CBOR: {error}") from error

    def decode(self, payload: bytes) -> Any:
        """Return the value."""
        try:
            return cbor2.loads(
                payload,
                tag_hook=_plain_tag,
                semantic_decoders=_NO_SEMANTICS,
                max_depth=MAX_DEPTH,
                strict_hashable_types=True,
            )
        except _REFUSALS as error:
            raise CodecError(f"not CBOR: {error}") from error

    def elements(self, values: list[Any]) -> bytes | memoryview:
        """Return what follows the mark."""
        return memoryview(self.encode(values))[1:]

    def array(self, length: int, *elements: bytes | memoryview) -> list[bytes | memoryview]:
        """Return the mark of an array of this length before the parts."""
        return [bytes((0x80 | length,)), *elements]


def _bytes_to_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return "\0" + b64encode(value).decode("ascii")
    raise TypeError(f"no JSON form of {type(value).__name__}")


def _revive(value: Any, depth: int) -> Any:
    """Turn the strings that stand for bytes into bytes, in place where the container allows it."""
    if isinstance(value, str):
        return b64decode(value[1:], validate=True) if value.startswith("\0") else value
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [_revive(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: _revive(item, depth - 1) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_extension(code: int, _data: bytes) -> NoReturn:
    raise ValueError(f"extension type {code}")


def _refuse_semantics(_decoder: cbor2.CBORDecoder, _immutable: bool) -> NoReturn:
    raise ValueError("a tagged value")


def _plain_tag(tag: cbor2.CBORTag, _immutable: bool) -> Any:
    if tag.tag == _UINT8_ARRAY and isinstance(tag.value, bytes):
        return tag.value
    raise ValueError(f"CBOR tag {tag.tag}")


# The tags that cbor2 would otherwise turn into objects: dates, big numbers, references, regular expressions, sets, ...
_OBJECT_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_NO_SEMANTICS = dict.fromkeys(_OBJECT_TAGS, _refuse_semantics)

_from_json = json.JSONDecoder(parse_constant=_refuse_constant).decode
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_bytes_to_text).encode

JSON = JsonCodec()
MSGPACK = MsgPackCodec()
CBOR = CborCodec()

CODECS: dict[str, Codec] = {codec.subprotocol: codec for codec in (JSON, MSGPACK, CBOR)}
"""Every codec by the subprotocol that selects it."""

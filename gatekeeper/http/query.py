"""The query of an address as a struct: each name once, none that isn't known, numbers that are numbers."""

import math
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from twisted.web.server import Request

from gatekeeper import decoding
from gatekeeper.errors import InvalidArgument

T = TypeVar("T", bound=msgspec.Struct)


def query_of(request: Request, to: type[T]) -> T:
    """Return what stands behind the question mark.

    :param to: a struct of texts and numbers that forbids unknown fields; None in it means that a name isn't there.
    :raises InvalidArgument: naming what is wrong.
    """
    given = _texts(request.args or {})
    try:
        found = msgspec.convert(given, to, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidArgument(_explain(error, given, to)) from error
    for name, text in given.items():
        value = getattr(found, name)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):  # from "null", "inf"
            raise InvalidArgument(f"{name}: found {decoding.show(text)}; allowed: a number")
    return found


def _texts(arguments: Mapping[bytes, list[bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, values in arguments.items():
        try:
            name, texts = key.decode(), [value.decode() for value in values]
        except UnicodeDecodeError as error:
            raise InvalidArgument("the query is not UTF-8") from error
        if len(texts) > 1:
            raise InvalidArgument(f"{decoding.show(name)}: given {len(texts)} times; allowed: once")
        if "\0" in texts[0]:  # which no database takes for text
            raise InvalidArgument(f"{decoding.show(name)}: holds a zero byte")
        found[name] = texts[0]
    return found


def _explain(error: msgspec.ValidationError, given: Mapping[str, str], to: type[msgspec.Struct]) -> str:
    try:
        return decoding.explain(error, given, to, noun="parameter")
    except KeyError:  # a choice or a pattern, which it has no words for
        what, _, where = str(error).partition(" - at `$.")
        return f"{where.rstrip('`')}: {what}"

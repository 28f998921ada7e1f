"""The text of a configuration file with a camera more, less or otherwise; every other byte of it stays. No I/O.

A file is cut into blocks at its headers, `[[cameras]]` and the like. A camera's block ends behind its last key:
comments after that belong to what comes next. Within a block tomlkit keeps order, comments and formatting. What
comes out is read again, and must mean what was meant.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from gatekeeper.errors import ConfigurationError

NAME: Final = "cameras"
_HEADER: Final = re.compile(r"[ \t]*\[")
_STRINGS: Final = ('"""', "'''", '"', "'")
_BY_HAND: Final = "the file is written in a way that can't be rewritten here; change it by hand"


def added(text: str, camera: Mapping[str, Any]) -> str:
    """Return the text with a camera more, the last one; a key that is None is left out.

    :raises ConfigurationError: if the file is written in a way that this can't be done in.
    """
    camera = {key: value for key, value in camera.items() if value is not None}
    wanted = _read(text)
    wanted[NAME] = [*wanted.get(NAME, []), dict(camera)]
    body = tomlkit.dumps({key: _value(value) for key, value in camera.items()})
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    line = "\r\n" if "\r\n" in text else "\n"
    return _meant(text + (f"{gap}[[{NAME}]]\n{body}").replace("\n", line), wanted)


def changed(text: str, camera: str, keys: Mapping[str, Any]) -> str:
    """Return the text with keys of a camera set, or taken out where the value is None.

    :raises ConfigurationError: as `added`.
    """
    wanted = _read(text)
    one = next(one for one in wanted[NAME] if one["id"] == camera)
    block = _block(text, wanted, camera)
    for key, value in keys.items():
        one.pop(key, None)
        one |= {key: value} if value is not None else {}
    lines = text[block.keys : block.end]
    document = tomlkit.parse(lines if lines.endswith("\n") else lines + "\n")
    for key, value in keys.items():
        if value is None:
            document.pop(key, None)
        elif key in document:
            document[key] = _value(value)
        else:
            document.append(key, _value(value))
    tables, at = "", block.end
    for part in block.tables:
        is_kept = part.name.split(".")[1] not in keys
        tables += text[at : part.end if is_kept else part.start]
        at = part.end
    return _meant(text[: block.keys] + tomlkit.dumps(document) + tables + text[at:], wanted)


def removed(text: str, camera: str) -> str:
    """Return the text without a camera; comments above and below it stay.

    :raises ConfigurationError: as `added`.
    """
    wanted = _read(text)
    block = _block(text, wanted, camera)
    wanted[NAME] = [one for one in wanted[NAME] if one["id"] != camera]
    if not wanted[NAME]:
        del wanted[NAME]
    rest = text[block.whole_end :]
    before = text[: block.start]
    if before.endswith("\n\n") and rest.startswith("\n"):
        rest = rest[1:]  # one empty line, where there were two around it
    return _meant(before + rest, wanted)


# --- blocks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A header with its keys: `text[start:end]`; `keys` is where they begin."""

    name: str
    start: int
    keys: int
    end: int


@dataclass(frozen=True, slots=True)
class _Block:
    """A camera's part and those of its tables."""

    start: int
    keys: int
    end: int
    tables: tuple[_Part, ...]

    @property
    def whole_end(self) -> int:
        return self.tables[-1].end if self.tables else self.end


def _block(text: str, data: Mapping[str, Any], camera: str) -> _Block:
    place = [one.get("id") for one in data[NAME]].index(camera)
    parts = list(_parts(text))
    heads = [at for at, part in enumerate(parts) if part.name == f"[{NAME}]"]
    if len(heads) != len(data[NAME]):
        raise ConfigurationError(f"{NAME}: {_BY_HAND}: each camera under a [[{NAME}]] of its own")
    head = parts[heads[place]]
    tables = []
    for part in parts[heads[place] + 1 :]:
        if not part.name.startswith(f"{NAME}."):
            break
        tables.append(part)
    return _Block(head.start, head.keys, head.end, tuple(tables))


def _parts(text: str) -> Iterator[_Part]:
    starts = [at for at in _line_starts(text) if _HEADER.match(text, at)]
    for start, following in pairwise([*starts, len(text)]):
        keys = _after_line(text, start)
        last = keys
        for at in _line_starts(text, keys, following):
            end = next((other for other in _line_starts(text, at + 1, following)), following)
            line = text[at:end].strip()
            if line and not line.startswith("#"):
                last = end
        yield _Part(_name(text[start:keys]), start, keys, last)


def _name(header: str) -> str:
    """Return what a header names: `[cameras]` for a list's, `cameras.push` for a table's."""
    inner = header.partition("#")[0].strip()
    is_list = inner.startswith("[[")
    name = ".".join(part.strip().strip("\"'") for part in inner.strip("[] \t").split("."))
    return f"[{name}]" if is_list else name


def _line_starts(text: str, start: int = 0, stop: int | None = None) -> Iterator[int]:
    """Give where lines begin that continue nothing: no string, list or table of several lines."""
    at, depth, stop = start, 0, len(text) if stop is None else stop
    fresh = start == 0 or text[start - 1] == "\n"
    while at < stop:
        if fresh and depth == 0:
            yield at
            if _HEADER.match(text, at):
                at = _after_line(text, at)
                continue
        fresh = False
        quote = next((quote for quote in _STRINGS if text.startswith(quote, at)), None)
        if quote is not None:
            at = _after_string(text, at, quote)
            continue
        char = text[at]
        if char == "#":
            at = _after_line(text, at)
            fresh = True
            continue
        depth += (char in "[{") - (char in "]}")
        fresh = char == "\n"
        at += 1


def _after_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _after_string(text: str, at: int, quote: str) -> int:
    at += len(quote)
    while at < len(text) and not text.startswith(quote, at):
        at += 2 if text[at] == "\\" and quote[0] == '"' else 1
    at += len(quote)
    while len(quote) == 3 and text.startswith(quote[0], at):
        at += 1  # up to two quotes stand before the closing three
    return at


# --- in and out ------------------------------------------------------------------------------------------------------


def _value(value: Any) -> Any:
    try:
        return _item(value)
    except (ValueError, TypeError, RecursionError, TOMLKitError) as error:  # null within a list or a table, for one
        raise ConfigurationError(f"{NAME}: found a value that TOML has no word for") from error


def _item(value: Any) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table.append(key, _item(inner))
        return table
    return tomlkit.item(value)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"the configuration file is not TOML now: {error}") from error


def _meant(text: str, wanted: Mapping[str, Any]) -> str:
    """Return the text if it says what is wanted.

    :raises ConfigurationError: if not.
    """
    try:
        says = tomllib.loads(text)
    except (ValueError, RecursionError):
        says = {}
    if says != wanted:
        raise ConfigurationError(f"{NAME}: {_BY_HAND}")
    return text

"""msgspec's complaints as sentences for people: where, what was found, what is allowed, and the nearest right name.

What is allowed is read from the struct's JSON schema, as the generated documentation is: the two can't differ.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

LONGEST_SHOWN = 60
"""Characters of a wrong text that are shown: a sentence must stay one line."""

LARGEST_SHOWN = 10**18
"""Larger whole numbers are not written out: Python refuses to write those of more than 4300 digits."""

Steps = Sequence[str | int]

_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]+)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_STEP = re.compile(r"\.?(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_BOUNDS = {
    "exclusiveMinimum": "over",
    "minimum": "from",
    "maximum": "to",
    "minLength": "length from",
    "maxLength": "length to",
}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def explain(
    error: msgspec.ValidationError,
    data: Any,
    struct: type[msgspec.Struct],
    *,
    noun: str = "key",
    hidden: Callable[[Steps], bool] = lambda steps: False,
) -> str:
    """Return the sentence for what `msgspec.convert(data, struct)` raised.

    :param noun: what a field of the struct is called.
    :param hidden: tells of a key path whether the value there must not be shown.
    """
    complaint = _COMPLAINT.fullmatch(str(error))
    what, path = (complaint["what"], complaint["path"] or "$") if complaint else (str(error), "$")
    where = path.removeprefix("$").removeprefix(".")
    steps: Steps = [match["key"] or int(match["index"]) for match in _STEP.finditer(where)]
    try:
        entry, value = _walk(struct, steps, data)
    except (KeyError, IndexError, TypeError):
        return f"{where}: {what}"
    if unknown := _UNKNOWN.fullmatch(what):
        return f"{_join(where, unknown['name'])}: no such {noun}; {choices(unknown['name'], entry['properties'])}"
    if missing := _MISSING.fullmatch(what):
        return f"{_join(where, missing['name'])}: missing; it has no default"
    found = kind_of(value) if hidden(steps) or entry.get("type") in ("object", "array") else show(value)
    key = next((step for step in reversed(steps) if isinstance(step, str)), noun)
    return f"{where or 'all'}: found {found}; allowed: {_allowed(entry, key)}"


def choices(wrong: str, allowed: Iterable[str]) -> str:
    """Return the names that are allowed, the nearest to a wrong one first."""
    names = list(allowed)
    near = difflib.get_close_matches(wrong[:LONGEST_SHOWN], names, 1, 0.5)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    return hint + (f"Allowed: {', '.join(names)}" if names else "there are none")


def show(value: Any) -> str:
    """Return a wrong value on one line, cut where it is long."""
    if isinstance(value, str):
        shown = json.dumps(value[:LONGEST_SHOWN], ensure_ascii=False)
        return shown if len(value) <= LONGEST_SHOWN else f'{shown[:-1]}…"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > LARGEST_SHOWN:
        return "a number of more than 18 digits"
    return str(value) if isinstance(value, int | float) else kind_of(value)


def kind_of(value: Any) -> str:
    """Return what kind of value this is, and nothing of the value itself."""
    kinds: tuple[tuple[Any, str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        ((list, tuple), "a list"),
        (Mapping, "a table"),
        (type(None), "nothing"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), "a date or time")


# --- schemas in words ------------------------------------------------------------------------------------------------


def type_name(entry: Mapping[str, Any]) -> str:
    """Return what an entry of a JSON schema takes, in a word or three."""
    if "$ref" in entry:
        return "secret" if entry["$ref"].endswith("/Secret") else "table"
    if "enum" in entry:
        return "text"
    if "anyOf" in entry:
        return type_name(_chosen(entry))
    if "enum" in entry:
        return f"one of {', '.join(map(str, entry['enum']))}"
    return f"list of {type_name(entry['items'])}s" if entry["type"] == "array" else _TYPES[entry["type"]]


def bounds(entry: Mapping[str, Any]) -> str:
    """Return the limits of an entry of a JSON schema: `over 0, to 3,600`; empty if it has none."""
    entry = _chosen(entry)
    return ", ".join(f"{word} {entry[key]:,.10g}" for key, word in _BOUNDS.items() if key in entry)


def _allowed(entry: Mapping[str, Any], key: str) -> str:
    entry = _chosen(entry)
    return f"one of {', '.join(map(str, entry['enum']))}" if "enum" in entry else _of_type(entry, key)


def _of_type(entry: Mapping[str, Any], key: str) -> str:
    limits = bounds(entry)
    match entry["type"]:
        case "object" if entry["title"] == "Secret":
            return 'a secret, which stands as {env = "NAME"} or {file = "path"}'
        case "object":
            return f"a table with {', '.join(entry['properties'])}"
        case "array" if type_name(entry["items"]) == "table":
            return f"a list of tables, each under [[{key}]]"
        case "array":
            return f"a {type_name(entry)}"
        case "string":
            words = f"text of {entry.get('description', 'the right form')}" if "pattern" in entry else "text"
            return f"{words} ({limits})" if limits else words
        case other:
            article = "" if other == "boolean" else "a "
            return f"{article}{_TYPES[other]} {limits}".rstrip()


def _walk(struct: type[msgspec.Struct], steps: Steps, data: Any) -> tuple[Mapping[str, Any], Any]:
    """Return the schema's entry and the value at a key path."""
    schema = msgspec.json.schema(struct)
    entry, value = _resolved(schema, schema["$defs"]), data
    for step in steps:
        below = entry["items"] if isinstance(step, int) else entry["properties"][step]
        entry, value = _resolved(below, schema["$defs"]), value[step]
    return entry, value


def _resolved(entry: Mapping[str, Any], tables: Mapping[str, Any]) -> Mapping[str, Any]:
    entry = _chosen(entry)
    table: Mapping[str, Any] = tables[entry["$ref"].rsplit("/", 1)[-1]] if "$ref" in entry else entry
    return table


def _chosen(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry without the choice of leaving it out."""
    return next((option for option in entry.get("anyOf", ()) if option.get("type") != "null"), entry)


def _join(where: str, key: str) -> str:
    shown = key if _BARE_KEY.fullmatch(key) else show(key)
    return f"{where}.{shown}" if where else shown

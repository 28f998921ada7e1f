"""What a struct's docstring says of it and of each field: `:ivar name: text; `other`: text`, the house's style."""

import inspect
import re

_FIELD = re.compile(r":(?:ivar|param) (\w+):\s*")
_ANOTHER = re.compile(r"[;,.]\s+`(\w+)`:\s+")


def describe(struct: type) -> tuple[str, dict[str, str]]:
    """Return the text about a class, and the text about each of its fields that it has one for."""
    text, *rest = _FIELD.split(inspect.cleandoc(struct.__doc__ or ""))
    fields: dict[str, str] = {}
    for name, about in zip(rest[::2], rest[1::2], strict=True):
        fields |= _several(name, _line(about), set(getattr(struct, "__struct_fields__", ())))
    return _line(text), fields


def _several(name: str, about: str, known: set[str]) -> dict[str, str]:
    """Take apart `text; `other`: text`, where `other` is a field too."""
    found: dict[str, str] = {}
    begin = 0
    for match in _ANOTHER.finditer(about):
        if match[1] in known:
            found[name] = about[begin : match.start()].rstrip(".")
            name, begin = match[1], match.end()
    found[name] = about[begin:].rstrip(".")
    return found


def _line(text: str) -> str:
    return " ".join(text.split())

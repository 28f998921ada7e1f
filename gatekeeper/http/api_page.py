"""The page about the API for people: the description as HTML, with nothing to run and nothing from elsewhere."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from gatekeeper import uris
from gatekeeper.http.api_style import STYLE_NAME
from gatekeeper.http.openapi_tables import Object

METHODS: Final = ("get", "put", "post", "patch", "delete")


def render(description: Object) -> str:
    """Return the page for an OpenAPI document as `openapi.describe` writes it."""
    info, tags = description["info"], description["tags"]
    groups = "\n".join(_group(tag, description) for tag in tags)
    links = " ".join(f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(info["title"])}: the API</title>
<link rel="stylesheet" href="{uris.ASSETS.format(name=STYLE_NAME)}">
<body>
<header>
<h1>{escape(info["title"])}: the API</h1>
<p class="faint">Version {escape(info["version"])}; for programs <a href="{uris.OPENAPI.path}">OpenAPI 3.1</a>;
<a href="{uris.INDEX.path}">to the dashboard</a>.</p>
{_prose(info["description"])}
<nav aria-label="Groups">{links} <a href="#wamp">wamp</a> <a href="#schemas">schemas</a></nav>
</header>
<main>
{groups}
{_wamp(description["x-wamp"])}
<section id="schemas"><h2>schemas</h2>
{"".join(_schema(name, schema) for name, schema in sorted(description["components"]["schemas"].items()))}
</section>
</main>
</body>
</html>
"""


def _group(tag: Object, description: Object) -> str:
    operations = "\n".join(
        _operation(path, method, item[method])
        for path, item in description["paths"].items()
        for method in METHODS
        if method in item and tag["name"] in item[method]["tags"]
    )
    name = escape(tag["name"])
    return f'<section id="{name}"><h2>{name}</h2>\n{_prose(tag["description"])}\n{operations}</section>'


def _operation(path: str, method: str, operation: Object) -> str:
    parts = [_prose(operation["description"])]
    parameters = operation.get("parameters", ())
    if parameters:
        rows = [
            (_code(one["name"]), one["in"], _kind(one["schema"]), _text(one.get("description", "")))
            for one in parameters
        ]
        parts.append(_table("Parameters", ("name", "in", "type", "meaning"), rows))
    body = operation.get("requestBody")
    if body:
        need = "" if body["required"] else " (may be left out)"
        parts.append(f"<h3>Body</h3><p>{_contents(body['content'])}{need}</p>")
    answers = [
        (_code(status), _contents(answer.get("content", {})), _text(answer["description"]))
        for status, answer in operation["responses"].items()
    ]
    parts.append(_table("Answers", ("status", "body", "meaning"), answers))
    return (
        f'<details><summary><b class="{method}">{method.upper()}</b> '
        f'{_code(path)}<span class="faint">{_text(operation["summary"])}</span></summary>\n'
        f'<div class="more" id="do-{escape(operation["operationId"])}">{"".join(parts)}</div></details>'
    )


def _wamp(wamp: Object) -> str:
    def rows(names: list[Object]) -> list[tuple[str, ...]]:
        return [(_code(name["uri"]), _code(name["x-permission"])) for name in names]

    tables = [_table(title, ("name", "permission"), rows(wamp[title.lower()])) for title in ("Procedures", "Topics")]
    where = f"Over WebSocket at {_code(wamp['path'])}, realm {_code(wamp['realm'])}."
    return f'<section id="wamp"><h2>wamp</h2><p>{where}</p>{"".join(tables)}</section>'


def _schema(name: str, schema: Object) -> str:
    about = _prose(schema.get("description", ""))
    if "properties" in schema:
        needed = schema.get("required", ())
        rows = [
            (
                _code(key),
                _kind(entry),
                ("" if key in needed else "may be absent. ") + _text(entry.get("description", "")),
            )
            for key, entry in schema["properties"].items()
        ]
        inside = _table("Fields", ("name", "type", "meaning"), rows)
    else:
        inside = f"<p>{_kind(schema)}</p>"
    return (
        f"<details><summary><b>schema</b> {_code(name)}</summary>"
        f'<div class="more" id="schema-{escape(name)}">{about}{inside}</div></details>\n'
    )


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table; the cells are HTML already."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<h3>{escape(title)}</h3><div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _contents(content: Object) -> str:
    kinds = [_kind(entry["schema"]) if "schema" in entry else _code(kind) for kind, entry in content.items()]
    return ", ".join(kinds)


def _kind(schema: Object) -> str:
    """Return what a schema takes, as HTML: a link, a type with its limits, or a list of these."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(_code(str(value)) for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema['items'])}" if schema.get("items") else "list"
        case None:
            return "anything"
        case kind:
            return escape(str(kind)) + _limits(schema)


def _limits(schema: Object) -> str:
    words: dict[str, str] = {
        "minimum": "from", "exclusiveMinimum": "over", "maximum": "to", "exclusiveMaximum": "under",
        "minLength": "length from", "maxLength": "length to", "pattern": "like", "default": "else",
    }  # fmt: skip
    found = [f"{word} {_code(_shown(schema[key]))}" for key, word in words.items() if schema.get(key) is not None]
    return f" ({', '.join(found)})" if found else ""


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _prose(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.strip().split("\n\n") if part)


def _text(text: str) -> str:
    """Return text as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)).replace("\n\n", "<br>")


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"

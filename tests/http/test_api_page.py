"""The page about the API for people: complete, well-formed, and allowed by the strictest policy."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.commands.openapi import described
from gatekeeper.http import api_page
from gatekeeper.http.api_style import STYLE, STYLE_NAME
from gatekeeper.http.dashboard_files import DashboardFiles
from gatekeeper.http.pages import PageRoutes
from tests.http.small import Small

DESCRIPTION = described().description.description
PAGE = api_page.render(DESCRIPTION)
VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Reads a page and checks that what opens closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


READ = Reader(PAGE)


def test_every_operation_is_on_the_page() -> None:
    for path, item in DESCRIPTION["paths"].items():
        for method, operation in item.items():
            assert f'<b class="{method}">{method.upper()}</b> <code>{path}</code>' in PAGE
            assert operation["summary"] in READ.text


def test_it_runs_nothing_and_loads_nothing_from_elsewhere() -> None:
    names = {tag for tag, _ in READ.tags}
    assert not names & {"script", "style", "img", "iframe", "form", "object", "base"}
    assert not any(name == "style" or name.startswith("on") for _, attributes in READ.tags for name in attributes)
    leads = [attributes["href"] or "" for _, attributes in READ.tags if "href" in attributes]
    assert leads
    assert all(re.match(r"#|/(?!/)", lead) for lead in leads)
    assert [attributes["href"] for tag, attributes in READ.tags if tag == "link"] == [f"/assets/{STYLE_NAME}"]
    assert b"url(" not in STYLE
    assert b"@import" not in STYLE


def test_every_link_inside_leads_to_something() -> None:
    ids = [attributes["id"] for _, attributes in READ.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    inside = {(attributes["href"] or "")[1:] for _, attributes in READ.tags if str(attributes.get("href"))[0] == "#"}
    assert "schema-DoorStatus" in inside
    assert inside <= set(ids)


def test_it_fits_a_phone_and_both_lights() -> None:
    assert ("meta", {"name": "viewport", "content": "width=device-width"}) in READ.tags
    assert b"prefers-color-scheme: dark" in STYLE
    colours = [set(re.findall(rb"(--\w+): #", part)) for part in STYLE.split(b"@media", 1)]
    assert colours[0] == colours[1] != set()


def test_the_style_has_another_name_when_it_changes() -> None:
    assert re.fullmatch(r"api-[0-9a-f]{10}\.css", STYLE_NAME)


def test_the_style_is_served_beside_the_dashboards_files(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1.css").write_bytes(b"p {}")
    small = Small(PageRoutes(DashboardFiles(tmp_path)), who=None)
    answer = small.ask("GET", f"/assets/{STYLE_NAME}")
    assert (answer.status, answer.body) == (200, STYLE)
    assert answer.fields["content-type"] == "text/css; charset=utf-8"
    assert answer.fields["cache-control"] == "public, max-age=31536000, immutable"
    assert small.ask("GET", "/assets/index-1.css").body == b"p {}"
    assert small.ask("GET", "/assets/api-0.css").code == "not_found"


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"$ref": "#/components/schemas/Door"}, '<a href="#schema-Door">Door</a>'),
        ({"type": "string", "minLength": 1, "maxLength": 9},
         "string (length from <code>1</code>, length to <code>9</code>)"),
        ({"type": "number", "exclusiveMinimum": 0.5, "default": 2.0},
         "number (over <code>0.5</code>, else <code>2</code>)"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, "integer or null"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "array"}, "list"),
        ({"enum": ["a", "b"]}, "<code>a</code>, <code>b</code>"),
        ({}, "anything"),
        ({"type": "string", "pattern": "<b>"}, "string (like <code>&lt;b&gt;</code>)"),
    ],
)  # fmt: skip
def test_a_type_is_shown_in_words(schema: dict[str, Any], shown: str) -> None:
    assert api_page._kind(schema) == shown


def test_nothing_in_a_description_becomes_markup() -> None:
    info = {"title": "<i>x</i>", "version": "<1>", "description": "a `<b>` & <script>"}
    page = api_page.render({**DESCRIPTION, "info": info})
    assert "<script" not in page
    assert "a <code>&lt;b&gt;</code> &amp; &lt;script&gt;" in page
    assert "<i>" not in page
    Reader(page)

"""What every answer tells a browser to hold to: nothing inline, nothing from elsewhere, in nobody's frame."""

import re
from pathlib import Path

import pytest

from gatekeeper.http.requests import HEADERS, MAXIMUM_BODY
from tests.sites import Answer, Memory

PAGES = Path(__file__).parents[2] / "gatekeeper" / "http" / "dashboard"

EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    # Not same-origin: a page on another port of this machine (a person's own, Home Assistant's) may show a picture.
    "cross-origin-resource-policy": "same-site",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
}


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


def policy(answer: Answer) -> dict[str, str]:
    """Return the Content-Security-Policy by directive."""
    directives = answer.fields["content-security-policy"].split(";")
    return {name: value for name, _, value in (directive.strip().partition(" ") for directive in directives)}


def check(answer: Answer) -> None:
    assert {name: answer.fields.get(name) for name in EXPECTED} == EXPECTED
    assert answer.fields.get("server") in ("gatekeeper", None), "no version is told"
    rules = policy(answer)
    assert rules["default-src"] in ("'self'", "'none'")
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert rules.get("script-src", "'self'") == rules.get("style-src", "'self'") == "'self'"
    text = answer.fields["content-security-policy"]
    assert "unsafe" not in text
    assert "*" not in text
    assert "http" not in text


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/doors", "/login?code=x", "/nowhere", "/assets/none.js", "/cameras/none/stream.mjpg", "/ws",
     "/%ff", "/events", "/openapi.json", "/api"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_answer_carries_them(gate: Memory, method: str, path: str) -> None:
    check(gate.ask(method, path))


def test_a_stream_carries_them(gate: Memory) -> None:
    head = gate.send("GET", "/cameras/yard/stream.mjpg", gate.bearer).value().decode("latin-1").lower()
    assert head.startswith("http/1.1 200 ")
    for name, value in HEADERS:
        assert f"{name.decode()}: {value.decode().lower()}\r\n" in head


def test_an_answer_to_a_body_that_is_too_large_carries_them(gate: Memory) -> None:
    answer = gate.ask("POST", "/login", {"Content-Length": str(MAXIMUM_BODY + 1)})
    assert answer.status == 413
    check(answer)


def test_browsers_are_not_bound_to_https(gate: Memory) -> None:
    # A private name is used by others too, and devices speak plain HTTP on the port beside: HSTS would lock people out.
    assert "strict-transport-security" not in gate.ask("GET", "/").fields


@pytest.mark.skipif(not PAGES.is_dir(), reason="the pages aren't built")
def test_the_built_pages_need_no_more_than_that() -> None:
    for page in PAGES.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), page
        assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", text), page
        assert not re.search(r"""(src|href)=["'](?!/|data:)""", text), page

"""The built pages, served from memory."""

from pathlib import Path

import pytest
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from gatekeeper.errors import NotFound
from gatekeeper.http.dashboard_files import MISSING, DashboardFiles
from tests.sites import Memory


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"<!doctype html>\xe2\x82\xac")
    for name in ("index-1.js", "index-1.css", "icon-1.svg", "font-1.woff2", "odd"):
        (tmp_path / "assets" / name).write_bytes(name.encode() + b"\x00\xff")
    (tmp_path / "assets" / "folder").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path


def fields(request: Request) -> dict[bytes, bytes]:
    return {name.lower(): values[0] for name, values in request.responseHeaders.getAllRawHeaders()}


def test_the_page_is_asked_for_anew_each_time(built: Path) -> None:
    request = Request(DummyChannel())
    assert DashboardFiles(built).index(request) == b"<!doctype html>\xe2\x82\xac"
    assert fields(request) == {b"content-type": b"text/html; charset=utf-8", b"cache-control": b"no-cache"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index-1.js", b"text/javascript; charset=utf-8"),
        ("index-1.css", b"text/css; charset=utf-8"),
        ("icon-1.svg", b"image/svg+xml"),
        ("font-1.woff2", b"font/woff2"),
        ("odd", b"application/octet-stream"),
    ],
)
def test_a_file_is_kept_for_ever_since_its_name_holds_its_hash(built: Path, name: str, kind: bytes) -> None:
    request = Request(DummyChannel())
    assert DashboardFiles(built).asset(request, name) == name.encode() + b"\x00\xff"
    assert fields(request) == {b"content-type": kind, b"cache-control": b"public, max-age=31536000, immutable"}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../index.html", "../secret", "/etc/passwd", "folder", "index-1.js/", "INDEX-1.js", "\0"]
)
def test_nothing_but_the_built_files_is_given(built: Path, name: str) -> None:
    with pytest.raises(NotFound):
        DashboardFiles(built).asset(Request(DummyChannel()), name)


def test_without_built_pages_the_page_says_how_to_get_them(tmp_path: Path) -> None:
    files = DashboardFiles(tmp_path)
    assert files.index(Request(DummyChannel())) == MISSING
    with pytest.raises(NotFound):
        files.asset(Request(DummyChannel()), "index-1.js")


def test_what_was_read_stays_although_the_files_go(built: Path) -> None:
    files = DashboardFiles(built)
    (built / "assets" / "index-1.js").unlink()
    (built / "index.html").unlink()
    assert files.asset(Request(DummyChannel()), "index-1.js")
    assert files.index(Request(DummyChannel())).startswith(b"<!doctype")


def test_no_way_leads_out_of_the_assets_over_http(tmp_path: Path) -> None:
    gate = Memory(tmp_path)
    for path in (
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2f..%2fapp.py",
        "/assets//etc/passwd",
    ):
        assert gate.ask("GET", path).code == "not_found"

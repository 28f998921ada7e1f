"""Every route, with and without a right to it; and what logging in and out does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekeeper import uris
from gatekeeper.access.tokens import COOKIE_LIFE
from gatekeeper.uris import Permission, Route
from tests.sites import TOKEN, Answer, Log, Memory

GUARDED = [route for route in uris.ROUTES if route.permission is not Permission.NONE]
FOREIGN = {"Origin": "http://evil.example"}
OWN = {"Origin": "http://gate.local:8000"}


def path(route: Route) -> str:
    return route.format(camera="yard", door="front", name="none.js")


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


@pytest.fixture
def logged() -> Iterator[Log]:
    with Log() as log:
        yield log


# --- the matrix ---


@pytest.mark.parametrize("route", uris.ROUTES, ids=named)
def test_without_credentials_only_open_routes_answer(gate: Memory, route: Route) -> None:
    for method in (route.method, *(["HEAD"] if route.method == "GET" else [])):
        answer = gate.ask(method, path(route))
        if route.permission is Permission.NONE:
            assert answer.status in (200, 302, 400, 401, 404)
            assert (answer.status == 401) is (route is uris.LOGIN_LINK and method == "GET")
        else:
            assert answer.status == 401
            assert answer.fields["www-authenticate"] == 'Bearer realm="gatekeeper"'
            assert answer.fields["cache-control"] == "no-store"
            assert method == "HEAD" or answer.code == "not_authenticated"


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_with_wrong_credentials_nothing_guarded_answers(gate: Memory, route: Route) -> None:
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": "gatekeeper=wrong"},
        {"Cookie": f"gatekeeper={TOKEN}"},
    ):
        assert gate.ask(route.method, path(route), headers).status == 401


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_with_the_token_or_a_cookie_every_route_answers(gate: Memory, route: Route) -> None:
    for headers in (gate.bearer, {"Cookie": gate.cookie()}, {"Cookie": gate.cookie(), **OWN}):
        received = gate.send(route.method, path(route), headers).value()
        status = int(received.split()[1])
        fits = {uris.SNAPSHOT: 503, uris.DOOR_OPEN: 503, uris.DOOR_LOCK: 503, uris.NEW_TOKEN: 403}
        assert status == fits.get(route, 200)
        assert b"not_authenticated" not in received


@pytest.mark.parametrize("route", [route for route in uris.ROUTES if route.method == "POST"], ids=named)
def test_a_page_of_another_origin_changes_nothing_by_the_browsers_cookie(gate: Memory, route: Route) -> None:
    cookie = gate.cookie()
    for origin in ("http://evil.example", "null", "http://gate.local", ""):
        answer = gate.ask("POST", path(route), {"Cookie": cookie, "Origin": origin})
        assert (answer.status, answer.code) == (403, "denied")
    assert b"another origin" not in gate.ask("POST", path(route), {"Cookie": cookie, **OWN}).body


# --- logging in and out ---


def attributes(answer: Answer) -> tuple[str, set[str]]:
    """Return the value of the cookie that an answer sets, and its attributes in lower case."""
    [pair, *rest] = answer.fields["set-cookie"].split("; ")
    name, _, value = pair.partition("=")
    assert name == "gatekeeper"
    return value, {part.lower() for part in rest}


FLAGS = {"path=/", "httponly", "samesite=lax"}


def test_the_link_logs_in_one_browser_once_and_leads_to_the_page(gate: Memory) -> None:
    link = f"/login?code={gate.site.tokens.new_link()}"
    answer = gate.ask("GET", link)
    assert (answer.status, answer.fields["location"]) == (302, "/")
    assert answer.fields["cache-control"] == "no-store"
    cookie, flags = attributes(answer)
    assert flags == {*FLAGS, f"max-age={COOKIE_LIFE:.0f}"}
    assert gate.ask("GET", "/doors", {"Cookie": f"gatekeeper={cookie}"}).status == 200
    again = gate.ask("GET", link)
    assert (again.status, again.code) == (401, "not_authenticated")
    assert "set-cookie" not in again.fields


def test_a_look_at_the_link_does_not_use_it_up(gate: Memory) -> None:
    link = f"/login?code={gate.site.tokens.new_link()}"
    looked = gate.ask("HEAD", link)
    assert "set-cookie" not in looked.fields
    assert gate.ask("GET", link).status == 302


@pytest.mark.parametrize("query", ["", "?code", "?code=", "?code=%ff", "?code=x&code=y", "?x=1"])
def test_a_link_without_a_good_code_is_refused(gate: Memory, query: str) -> None:
    assert gate.ask("GET", f"/login{query}").code == "not_authenticated"


def test_the_token_logs_in_a_browser(gate: Memory) -> None:
    answer = gate.post("/login", {"token": TOKEN}, headers=OWN)
    assert answer.json == {"authid": "admin", "role": "admin"}
    cookie, flags = attributes(answer)
    assert flags == {*FLAGS, f"max-age={COOKIE_LIFE:.0f}"}
    assert gate.ask("GET", "/api/access/me", {"Cookie": f"gatekeeper={cookie}"}).json == answer.json


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_argument"),
        ({"token": 5}, "invalid_argument"),
        ({"token": None}, "invalid_argument"),
        ({"token": ""}, "not_authenticated"),
        ({"token": TOKEN + "x"}, "not_authenticated"),
    ],
)
def test_a_wrong_token_logs_in_nobody(gate: Memory, body: dict[str, object], code: str) -> None:
    answer = gate.post("/login", body, headers={})
    assert answer.code == code
    assert "set-cookie" not in answer.fields


def test_logging_out_ends_the_cookie_here_and_in_the_browser(gate: Memory) -> None:
    cookie = gate.cookie()
    answer = gate.ask("POST", "/logout", {"Cookie": cookie, **OWN})
    assert answer.status == 200
    assert attributes(answer) == ("", {*FLAGS, "max-age=0"})
    assert gate.ask("GET", "/doors", {"Cookie": cookie}).status == 401
    assert gate.ask("POST", "/logout").status == 200


def test_log_ins_and_refusals_are_on_the_record_without_any_secret(gate: Memory) -> None:
    link = gate.site.tokens.new_link()
    gate.ask("GET", f"/login?code={link}")
    gate.ask("GET", f"/login?code={link}")
    gate.post("/login", {"token": TOKEN}, headers={})
    gate.post("/login", {"token": "wrong-" + TOKEN}, headers={})
    events = gate.site.journal.recent()
    assert [(event.kind, event.actor, event.outcome) for event in events] == [
        ("access.login", "admin", "ok"),
        ("access.refused", None, "not_authenticated"),
        ("access.login", "admin", "ok"),
        ("access.refused", None, "not_authenticated"),
    ]
    assert not re.search(f"{TOKEN}|{link}", repr(events))


def test_a_new_token_is_shown_once_and_ends_the_one_before(tmp_path: Path) -> None:
    gate = Memory(tmp_path, "")
    cookie = {"Cookie": gate.cookie()}
    first = gate.post("/api/access/token", headers=cookie).json["token"]
    answer = gate.post("/api/access/token", headers={"Authorization": f"Bearer {first}"})
    assert answer.fields["cache-control"] == "no-store"
    assert gate.ask("GET", "/doors", {"Authorization": f"Bearer {first}"}).status == 401
    assert gate.ask("GET", "/doors", {"Authorization": f"Bearer {answer.json['token']}"}).status == 200
    assert [event.kind for event in gate.site.journal.recent()] == ["access.token", "access.token"]


def test_on_a_full_disk_a_log_in_fails_as_an_error_of_ours_and_the_link_stays_good(
    gate: Memory, tmp_path: Path, logged: Log
) -> None:
    link = f"/login?code={gate.site.tokens.new_link()}"
    (tmp_path / "gatekeeper-data" / "access.new").mkdir()
    for answer in (gate.ask("GET", link), gate.post("/login", {"token": TOKEN}, headers={})):
        assert (answer.status, answer.code) == (500, "internal")
        assert "set-cookie" not in answer.fields
        assert b"access" not in answer.body
    assert logged.count("b'/login' failed: ") == 2
    assert gate.site.journal.recent() == ()
    (tmp_path / "gatekeeper-data" / "access.new").rmdir()
    assert gate.ask("GET", link).status == 302


def test_no_log_holds_a_code_a_token_or_a_cookie(gate: Memory, logged: Log) -> None:
    link = gate.site.tokens.new_link()
    cookie, _ = attributes(gate.ask("GET", f"/login?code={link}"))
    gate.ask("GET", f"/login?code={link}")
    gate.post("/login", {"token": TOKEN}, headers={})
    gate.ask("GET", "/doors", {"Cookie": f"gatekeeper={cookie}"})
    gate.ask("GET", "/doors", gate.bearer)
    assert logged.lines
    assert not re.search("|".join(map(re.escape, (link, cookie, TOKEN))), "".join(logged.lines))

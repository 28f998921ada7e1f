"""Every route with and without a right to it; and logging in and out over HTTP, with the cookies that it sets."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from gatekeeper import uris
from gatekeeper.access.records import Grant
from gatekeeper.access.throttle import FREE
from gatekeeper.http.access import AccessRoutes
from gatekeeper.http.requests import HttpSite
from gatekeeper.http.routes import Routes
from gatekeeper.uris import Permission, Route
from tests.access.house import HERE, LAN, LIFE, PASSWORD, ROOT, TOKEN, TOKEN_LIFE, House, run
from tests.access.people import result
from tests.sites import Answer, Log, Memory, Wire, answers

GUARDED = [route for route in uris.ROUTES if route.permission is not Permission.NONE]
OWN = {"Origin": "http://gate.local:8000"}
WRONG = "not the password of anybody"
NEW = "another good password"


# --- a whole site: every route ---


def path(route: Route) -> str:
    ids = {"camera": "yard", "door": "front", "name": "none.js", "user": "nobody-here", "key": "none", "kind": "door"}
    ids |= {"thing": "front", "event": "0" * 26, "number": "1", "picture": "0" * 26, "feed": "small"}
    ids |= {"day": "2026-11-28", "session": "1", "team": "1", "extension": "csv", "cmd": "stats", "val": "1"}
    return route.format(**ids)


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


@pytest.mark.parametrize("route", uris.ROUTES, ids=named)
def test_without_credentials_only_open_routes_answer(gate: Memory, route: Route) -> None:
    for method in (route.method, *(["HEAD"] if route.method == "GET" else [])):
        answer = gate.ask(method, path(route))
        if route.permission is Permission.NONE:
            assert answer.status in (200, 302, 400, 401, 404)
            assert (answer.status == 401) is (method != "HEAD" and route is uris.LOGIN_LINK)
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
    for more in (None, {}, OWN):
        headers = gate.bearer if more is None else {"Cookie": gate.cookie(), **more}
        received = gate.send(route.method, path(route), headers).value()
        assert b"not_authenticated" not in received
        assert b'"denied"' not in received
        assert int(received.split()[1]) in (200, 400, 404, 409, 503)


@pytest.mark.parametrize("route", [route for route in uris.ROUTES if route.method != "GET"], ids=named)
def test_a_page_of_another_origin_changes_nothing_by_the_browsers_cookie(gate: Memory, route: Route) -> None:
    cookie = gate.cookie()
    for origin in ("http://evil.example", "null", "http://gate.local", ""):
        answer = gate.ask(route.method, path(route), {"Cookie": cookie, "Origin": origin})
        assert (answer.status, answer.code) == (403, "denied")
    assert b"another origin" not in gate.ask(route.method, path(route), {"Cookie": cookie, **OWN}).body


# --- access alone, over plain HTTP and TLS, from here and from elsewhere ---


@implementer(ISSLTransport)
class SecureWire(Wire):
    """A connection in memory that says it is encrypted."""

    def getPeerCertificate(self) -> None:
        return None

    def getTcpNoDelay(self) -> bool:
        return True

    def loseWriteConnection(self) -> None:
        pass


class Front:
    """The routes of access over a house full of people."""

    def __init__(self, house: House) -> None:
        self.house = house
        routes = Routes(house.guard)
        AccessRoutes(
            guard=house.guard,
            logins=house.logins,
            accounts=house.accounts,
            access=house.access,
            login_life=LIFE,
            token_life=TOKEN_LIFE,
            wall=lambda: house.now,
        ).add_to(routes)
        routes.add(uris.DOORS, lambda request, who: ["seen"], "stands for all else")
        self.http = HttpSite(routes.app.resource(), MemoryReactorClock())

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        cookie: str | None = None,
        bearer: str | None = None,
        address: str = HERE.address,
        secure: bool = False,
    ) -> Answer:
        """Send one request; return its answer."""
        name = "__Host-gatekeeper" if secure else "gatekeeper"
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Host": "gate.local:8000", "Content-Length": str(len(content)), "Content-Type": "application/json"}
        if cookie is not None:
            fields["Cookie"] = f"{name}={cookie}"
        if bearer is not None:
            fields["Authorization"] = f"Bearer {bearer}"
        head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        channel = self.http.buildProtocol(IPv4Address("TCP", address, 50_000))
        wire = (SecureWire if secure else Wire)(address)
        channel.makeConnection(wire)
        channel.dataReceived(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        received = wire.value()
        if method == "HEAD":
            received = b"\r\n".join(line for line in received.split(b"\r\n") if not line.startswith(b"Content-Length"))
        [answer] = answers(received)
        return answer

    def log_in(self, name: str = "ana", password: str = PASSWORD, **more: Any) -> Answer:
        return self.ask("POST", "/login", {"name": name, "password": password}, **more)

    def by_link(self, name: str = "boss", **more: Any) -> Answer:
        return self.ask("GET", f"/login?code={self.house.links.new(name, 'owner')}", **more)


@pytest.fixture
def house() -> House:
    it = House()
    it.add("boss", "owner")
    it.add("ana", "operator", PASSWORD, Grant("door", "front"))
    return it


@pytest.fixture
def front(house: House) -> Front:
    return Front(house)


@pytest.fixture
def logged() -> Iterator[Log]:
    with Log() as log:
        yield log


def cookie_in(answer: Answer, *, secure: bool = False) -> tuple[str, set[str]]:
    """Return the value of the cookie that an answer sets, and its attributes in lower case."""
    [pair, *rest] = answer.fields["set-cookie"].split("; ")
    name, _, value = pair.partition("=")
    assert name == ("__Host-gatekeeper" if secure else "gatekeeper")
    return value, {part.lower() for part in rest}


FLAGS = {"path=/", "httponly", "samesite=strict"}


# --- logging in ---


def test_name_and_password_log_a_browser_in(front: Front) -> None:
    answer = front.log_in()
    assert answer.status == 200
    value, flags = cookie_in(answer)
    assert flags == {*FLAGS, f"max-age={LIFE:.0f}"}
    assert answer.json == {
        "name": "ana",
        "role": "operator",
        "permissions": [
            "door.lock", "door.open", "door.view", "event.export", "event.hold", "event.view", "self", "system.view",
        ],
        "grants": [{"kind": "door", "thing": "front"}],
        "things": None,
        "method": "password",
        "key": None,
        "expires": front.house.now + LIFE,
        "must_choose_password": False,
    }  # fmt: skip
    assert front.ask("GET", "/doors", cookie=value).json == ["seen"]


def test_over_tls_the_cookie_is_for_tls_and_this_host_alone(front: Front) -> None:
    answer = front.log_in(address=LAN.address, secure=True)
    value, flags = cookie_in(answer, secure=True)
    assert flags == {*FLAGS, "secure", f"max-age={LIFE:.0f}"}
    assert "domain" not in answer.fields["set-cookie"].lower()
    assert front.ask("GET", "/doors", cookie=value, address=LAN.address, secure=True).status == 200


def test_over_plain_http_from_elsewhere_passwords_and_cookies_are_refused_and_keys_are_not(front: Front) -> None:
    for answer in (
        front.log_in(address=LAN.address),
        front.ask("POST", "/login", {"key": TOKEN}, address=LAN.address),
        front.ask("POST", "/api/access/token", {"name": "ana", "password": PASSWORD}, address=LAN.address),
        front.by_link(address=LAN.address),
    ):
        assert (answer.status, answer.code) == (403, "insecure")
        assert "set-cookie" not in answer.fields
    value, _ = cookie_in(front.log_in())
    assert front.ask("GET", "/doors", cookie=value, address=LAN.address).status == 401
    for secret in (TOKEN, front.house.key("ana")):
        assert front.ask("GET", "/doors", bearer=secret, address=LAN.address).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "ana"}, {"password": PASSWORD}, {"name": "ana", "password": PASSWORD, "key": TOKEN},
        {"name": 5, "password": PASSWORD}, {"name": "ana", "password": None}, {"name": "ana", "password": [PASSWORD]},
        {"name": "ana", "password": PASSWORD, "remember": True}, {"token": TOKEN}, {"key": 5},
        {"name": "x" * 200, "password": PASSWORD},
    ],
)  # fmt: skip
def test_a_body_that_is_no_log_in_is_refused_and_repeats_nothing_of_it(front: Front, body: Any) -> None:
    answer = front.ask("POST", "/login", body)
    assert (answer.status, answer.code) == (400, "invalid_argument")
    assert PASSWORD.encode() not in answer.body
    assert TOKEN.encode() not in answer.body
    assert front.house.told == []


def test_a_form_of_another_site_is_no_log_in(front: Front) -> None:
    assert front.ask("POST", "/login", b"name=ana&password=x").code == "invalid_argument"


def test_wrong_passwords_say_the_same_for_every_name_and_then_when_to_come_again(front: Front) -> None:
    said = {front.log_in(name, WRONG).body for name in ("ana", "nobody-here")}
    assert len(said) == 1
    for _ in range(FREE):
        answer = front.log_in("ana", WRONG)
    answer = front.log_in("ana", PASSWORD)
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    wait = int(answer.fields["retry-after"])
    assert wait >= 1
    assert f"wait {wait} s" in answer.json["error"]["message"]
    front.house.now += wait
    assert front.log_in("ana", PASSWORD).status == 200


def test_a_key_or_the_admin_token_logs_a_browser_in(front: Front) -> None:
    answer = front.ask("POST", "/login", {"key": f" {TOKEN}\n"})
    assert (answer.json["name"], answer.json["role"], answer.json["key"]) == ("admin", "owner", "configured")
    key = front.house.key("ana", permissions=["door.view", "self"], things=[{"kind": "door", "thing": "front"}])
    answer = front.ask("POST", "/login", {"key": key})
    assert answer.json["permissions"] == ["door.view", "self"]
    assert answer.json["things"] == [{"kind": "door", "thing": "front"}]
    value, _ = cookie_in(answer)
    assert front.ask("GET", "/api/access/me", cookie=value).json["key"] == key.split("_")[1]
    assert front.ask("POST", "/login", {"key": "wrong"}).status == 401


def test_logging_in_again_ends_the_log_in_that_the_browser_had(front: Front) -> None:
    first, _ = cookie_in(front.log_in())
    second, _ = cookie_in(front.log_in("boss", cookie=first))
    assert front.ask("GET", "/doors", cookie=first).status == 401
    assert front.ask("GET", "/api/access/me", cookie=second).json["name"] == "boss"


# --- the link ---


def test_the_link_logs_in_one_browser_once_and_leads_to_the_page(front: Front) -> None:
    link = f"/login?code={front.house.links.new('boss', 'owner')}"
    answer = front.ask("GET", link)
    assert (answer.status, answer.fields["location"]) == (302, "/")
    assert answer.fields["cache-control"] == "no-store"
    value, flags = cookie_in(answer)
    assert flags == {*FLAGS, f"max-age={LIFE:.0f}"}
    again = front.ask("GET", link)
    assert (again.status, again.code) == (401, "not_authenticated")
    assert "set-cookie" not in again.fields
    assert front.ask("GET", "/api/access/me", cookie=value).json["must_choose_password"] is True


def test_a_look_at_the_link_does_not_use_it_up(front: Front) -> None:
    link = f"/login?code={front.house.links.new('boss', 'owner')}"
    for _ in range(3):
        assert "set-cookie" not in front.ask("HEAD", link).fields
    assert front.ask("GET", link).status == 302


@pytest.mark.parametrize("query", ["", "?code", "?code=", "?code=%ff", "?code=x&code=y", "?x=1"])
def test_a_link_without_a_good_code_is_refused(front: Front, query: str) -> None:
    assert front.ask("GET", f"/login{query}").code == "not_authenticated"


def test_who_came_by_the_link_chooses_a_password_before_anything_else(front: Front) -> None:
    value, _ = cookie_in(front.by_link())
    for method, path in (("GET", "/doors"), ("GET", "/api/access/users"), ("POST", "/api/access/keys")):
        answer = front.ask(method, path, {} if method == "POST" else None, cookie=value)
        assert (answer.status, answer.code) == (403, "denied")
        assert "choose a password first" in answer.json["error"]["message"]
    for body, code in (
        ({"name": "boss", "password": "short"}, "invalid_argument"),
        ({"name": "boss"}, "invalid_argument"),
        ({"name": "other", "password": NEW}, "invalid_argument"),
    ):
        assert front.ask("POST", "/api/access/setup", body, cookie=value).code == code
    answer = front.ask("POST", "/api/access/setup", {"name": "boss", "password": NEW}, cookie=value)
    assert answer.json["must_choose_password"] is False
    chosen, _ = cookie_in(answer)
    assert front.ask("GET", "/doors", cookie=chosen).status == 200
    assert front.ask("GET", "/doors", cookie=value).status == 401
    assert front.log_in("boss", NEW).status == 200


def test_without_the_link_nobody_sets_up_anything(front: Front) -> None:
    value, _ = cookie_in(front.log_in("boss"))
    for cookie, bearer in ((None, None), (value, None), (None, TOKEN), (None, front.house.key("boss"))):
        body = {"name": "boss", "password": NEW}
        answer = front.ask("POST", "/api/access/setup", body, cookie=cookie, bearer=bearer)
        assert (answer.status, answer.code) == (401, "not_authenticated")


# --- logging out ---


def test_logging_out_ends_the_log_in_here_and_in_the_browser(front: Front) -> None:
    value, _ = cookie_in(front.log_in())
    answer = front.ask("POST", "/logout", cookie=value)
    assert answer.status == 200
    assert cookie_in(answer) == ("", {*FLAGS, "max-age=0"})
    assert front.ask("GET", "/doors", cookie=value).status == 401
    assert front.ask("POST", "/logout").status == 200
    assert front.ask("POST", "/logout", bearer=TOKEN).status == 200
    assert front.ask("GET", "/doors", bearer=TOKEN).status == 200


def test_on_a_full_disk_a_log_out_holds_and_says_that_it_was_not_stored(front: Front) -> None:
    value, _ = cookie_in(front.log_in())
    front.house.database.fail("disk full")
    answer = front.ask("POST", "/logout", cookie=value)
    assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert cookie_in(answer)[0] == ""
    assert front.ask("GET", "/doors", cookie=value).status == 401
    assert (front.log_in().status, front.by_link().status) == (503, 503)


def test_out_everywhere_is_out_everywhere(front: Front) -> None:
    mine, other = cookie_in(front.log_in())[0], cookie_in(front.log_in())[0]
    token = front.ask("POST", "/api/access/token", {"name": "ana", "password": PASSWORD}).json["token"]
    assert front.ask("POST", "/api/access/logins/end", {"keep": True}, cookie=mine).status == 200
    assert front.ask("GET", "/doors", cookie=mine).status == 200
    assert front.ask("GET", "/doors", cookie=other).status == 401
    assert front.ask("GET", "/doors", bearer=token).status == 401
    answer = front.ask("POST", "/api/access/logins/end", cookie=mine)
    assert cookie_in(answer)[0] == ""
    assert front.ask("GET", "/doors", cookie=mine).status == 401


# --- tokens ---


def test_a_program_gets_a_token_and_the_next_by_its_refresh_token(front: Front) -> None:
    answer = front.ask("POST", "/api/access/token", {"name": "ana", "password": PASSWORD})
    assert "set-cookie" not in answer.fields
    assert answer.fields["cache-control"] == "no-store"
    first = answer.json
    assert (first["name"], first["role"], first["expires_in"]) == ("ana", "operator", TOKEN_LIFE)
    assert front.ask("GET", "/doors", bearer=first["token"]).status == 200
    second = front.ask("POST", "/api/access/token", {"refresh_token": first["refresh_token"]}).json
    assert front.ask("GET", "/api/access/me", bearer=second["token"]).json["method"] == "token"
    stolen = front.ask("POST", "/api/access/token", {"refresh_token": first["refresh_token"]})
    assert (stolen.status, stolen.code) == (401, "not_authenticated")
    for now in (first, second):
        assert front.ask("GET", "/doors", bearer=now["token"]).status == 401
    assert ("access.token_reused", "ana", "alarm") in front.house.told


@pytest.mark.parametrize("body", [{}, {"name": "ana"}, {"refresh_token": 5}, {"refresh_token": "x", "name": "ana"}])
def test_a_body_that_asks_for_no_token_gets_none(front: Front, body: Any) -> None:
    assert front.ask("POST", "/api/access/token", body).code == "invalid_argument"


# --- oneself ---


def test_each_visit_puts_off_the_end_of_the_browsers_cookie(front: Front) -> None:
    value, _ = cookie_in(front.log_in())
    answer = front.ask("GET", "/api/access/me", cookie=value)
    assert cookie_in(answer) == (value, {*FLAGS, f"max-age={LIFE:.0f}"})
    for cookie in (None, "x", value):
        assert "set-cookie" not in front.ask("GET", "/api/access/me", cookie=cookie, bearer=TOKEN).fields


def test_ones_own_password_is_changed_with_the_old_one(front: Front) -> None:
    mine, other = cookie_in(front.log_in())[0], cookie_in(front.log_in())[0]
    assert front.ask("POST", "/api/access/password", {"old": WRONG, "new": NEW}, cookie=mine).status == 401
    assert front.ask("POST", "/api/access/password", {"old": PASSWORD, "new": "x"}, cookie=mine).status == 400
    assert front.ask("POST", "/api/access/password", {"old": PASSWORD, "new": NEW}, cookie=mine).json == {}
    assert front.ask("GET", "/doors", cookie=mine).status == 200
    assert front.ask("GET", "/doors", cookie=other).status == 401
    assert front.log_in("ana", NEW).status == 200


def test_ones_own_log_ins_are_listed_without_a_secret(front: Front) -> None:
    mine, _ = cookie_in(front.log_in())
    front.log_in("boss")
    front.house.now += 1
    run(front.house.logins.token("ana", PASSWORD, HERE))
    front.house.now += 1
    front.ask("POST", "/login", {"key": front.house.key("ana")})
    answer = front.ask("GET", "/api/access/logins", cookie=mine)
    assert [(one["client"].split()[0], one["current"]) for one in answer.json] == [
        ("browser", True), ("program", False), ("key", False),
    ]  # fmt: skip
    assert set(answer.json[0]) == {"id", "created", "last_used", "expires", "address", "client", "current"}
    assert mine.encode() not in answer.body
    assert front.ask("GET", "/api/access/logins", bearer=TOKEN).json == []


def test_an_api_key_is_made_shown_once_used_and_revoked(front: Front) -> None:
    mine, _ = cookie_in(front.log_in())
    made = front.ask("POST", "/api/access/keys", {"label": "script", "permissions": ["door.view"]}, cookie=mine)
    assert made.fields["cache-control"] == "no-store"
    key, number = made.json["key"], made.json["id"]
    assert front.ask("GET", "/doors", bearer=key).status == 200
    assert front.ask("GET", "/api/access/me", bearer=key).status == 403
    listed = front.ask("GET", "/api/access/keys", cookie=mine)
    assert [one["id"] for one in listed.json] == [number]
    assert key.split("_", 2)[2].encode() not in listed.body
    boss, _ = cookie_in(front.log_in("boss"))
    assert front.ask("GET", "/api/access/keys?account=ana", cookie=boss).json == listed.json
    assert front.ask("GET", "/api/access/keys?account=boss", cookie=mine).status == 403
    assert front.ask("GET", "/api/access/keys?who=boss", cookie=mine).status == 400
    assert front.ask("DELETE", f"/api/access/keys/{number}", cookie=mine).json == {}
    assert front.ask("GET", "/doors", bearer=key).status == 401
    assert front.ask("DELETE", "/api/access/keys/none", cookie=mine).code == "no_such_key"


# --- accounts ---


def test_an_owner_adds_changes_and_removes_accounts(front: Front) -> None:
    boss, _ = cookie_in(front.log_in("boss"))

    def ask(method: str, path: str, body: Any = None) -> Answer:
        return front.ask(method, f"/api/access/users{path}", body, cookie=boss)

    made = ask("POST", "", {"name": "ben", "role": "viewer", "password": PASSWORD})
    assert (made.json["name"], made.json["role"], made.json["has_password"]) == ("ben", "viewer", True)
    assert [user["name"] for user in ask("GET", "").json] == ["ana", "ben", "boss"]
    assert ask("POST", "", {"name": "ben", "role": "viewer"}).code == "conflict"
    bens, _ = cookie_in(front.log_in("ben"))
    assert front.ask("GET", "/doors", cookie=bens).status == 403
    assert ask("PUT", "/ben/grants/door/*").json["grants"] == [{"kind": "door", "thing": "*"}]
    assert front.ask("GET", "/doors", cookie=bens).status == 200
    assert ask("DELETE", "/ben/grants/door/*").json["grants"] == []
    assert front.ask("GET", "/doors", cookie=bens).status == 403
    assert ask("PATCH", "/ben", {"role": "owner"}).json["role"] == "owner"
    assert front.ask("GET", "/api/access/users", cookie=bens).status == 200
    assert ask("PATCH", "/ben", {"password": NEW}).status == 200
    assert front.ask("GET", "/api/access/users", cookie=bens).status == 401
    assert ask("PATCH", "/ben", {"name": "boss", "disabled": True}).code == "invalid_argument"
    assert ask("PATCH", "/ben", {"disabled": True}).json["disabled"] is True
    assert front.log_in("ben", NEW).status == 401
    assert ask("DELETE", "/ben").json == {}
    assert ask("DELETE", "/ben").code == "no_such_user"
    assert ask("DELETE", "/boss").code == "conflict"
    for body in (made.body, ask("GET", "").body):
        assert PASSWORD.encode() not in body
        assert b"argon2" not in body


def test_nobody_but_an_owner_sees_or_changes_accounts(front: Front) -> None:
    mine, _ = cookie_in(front.log_in())
    key = front.house.key("boss", permissions=["self", "door.view"])
    for cookie, bearer in ((mine, None), (None, key)):
        for method, path in (
            ("GET", "/api/access/users"), ("POST", "/api/access/users"), ("PATCH", "/api/access/users/ana"),
            ("DELETE", "/api/access/users/ana"), ("PUT", "/api/access/users/ana/grants/door/back"),
            ("DELETE", "/api/access/users/ana/grants/door/front"),
        ):  # fmt: skip
            assert front.ask(method, path, cookie=cookie, bearer=bearer).code == "denied"


def test_what_is_revoked_ends_at_the_next_request(front: Front) -> None:
    mine, _ = cookie_in(front.log_in())
    result(front.house.accounts.revoke_grant("ana", Grant("door", "front"), caller=ROOT))
    assert front.ask("GET", "/doors", cookie=mine).status == 403
    result(front.house.accounts.set_disabled("ana", True, caller=ROOT))
    assert front.ask("GET", "/doors", cookie=mine).status == 401


# --- secrets ---


def test_no_log_answer_or_record_holds_a_secret_beside_the_one_that_gives_it(front: Front, logged: Log) -> None:
    code = front.house.links.new("boss", "owner")
    linked, _ = cookie_in(front.ask("GET", f"/login?code={code}"))
    front.ask("GET", f"/login?code={code}")
    value, _ = cookie_in(front.log_in())
    token = front.ask("POST", "/api/access/token", {"name": "ana", "password": PASSWORD}).json
    key = front.house.key("ana")
    rest = [
        front.log_in("ana", WRONG),
        front.log_in(WRONG, WRONG),
        front.ask("POST", "/login", {"key": key + "x"}),
        front.ask("GET", "/api/access/me", cookie=value),
        front.ask("GET", "/api/access/users", bearer=TOKEN),
        front.ask("POST", "/api/access/password", {"old": WRONG, "new": "short"}, cookie=value),
        front.ask("POST", "/api/access/users", {"name": "x!", "role": "viewer", "password": WRONG}, bearer=TOKEN),
        front.ask("POST", "/api/access/users", {"name": "x", "role": "viewer", "password": [WRONG]}, bearer=TOKEN),
    ]
    front.house.database.fail("disk full")
    rest.append(front.log_in())
    rest.append(front.ask("POST", "/api/access/users", {"name": "x", "role": "owner", "password": NEW}, bearer=TOKEN))
    secrets = [PASSWORD, WRONG, NEW, TOKEN, code, linked, value, token["token"], token["refresh_token"], key]
    said = "".join(logged.lines) + repr((front.house.texts, front.house.told, front.house.callers))
    said += "".join(answer.body.decode() for answer in rest)
    found = [secret for secret in secrets if re.search(re.escape(secret), said)]
    assert found == []

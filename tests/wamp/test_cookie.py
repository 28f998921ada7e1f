"""Coming in again by a cookie, and every cookie that opens nothing."""

from collections.abc import Mapping
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.codecs import JSON
from gatekeeper.wamp.methods import Anonymous, Chooser, Cookie, CookieJar, Ticket
from gatekeeper.wamp.methods.cookie import MAX_KEPT
from gatekeeper.wamp.router import Router
from tests.wamp.authentication import PRINCIPALS
from tests.wamp.bench import Bench
from tests.wamp.helpers import ROLES
from tests.wamp.wire import handshake

SECTION = "Authentication Methods"
JOE = Identity("joe", "user", "ticket")


class Time:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Site:
    """A router whose browsers come in by ticket first."""

    def __init__(self, **options: Any) -> None:
        self.time = Time()
        self.jar = CookieJar(self.time, seconds=100)
        self.router = Router("realm", Cookie(Chooser([Ticket(PRINCIPALS), Anonymous()]), self.jar, **options))

    def visit(self, cookie: str | None = None) -> "Visit":
        return Visit(self.router, cookie)


class Visit(Bench):
    """A WebSocket connection of a browser."""

    def __init__(self, router: Router, cookie: str | None) -> None:
        super().__init__(JSON, router)
        headers = f"Cookie: {cookie}\r\n" if cookie else ""
        self.protocol.dataReceived(handshake(JSON, headers))
        self.response = self.transport.take().decode()

    @property
    def set_cookie(self) -> str | None:
        """The Set-Cookie header of the handshake, if it has one."""
        lines = [line for line in self.response.split("\r\n") if line.lower().startswith("set-cookie: ")]
        return lines[0].partition(": ")[2] if lines else None

    @property
    def cookie(self) -> str:
        assert self.set_cookie is not None
        return self.set_cookie.partition(";")[0]

    def hello(self, *methods: str, authid: str | None = "joe") -> list[Any]:
        details: dict[str, Any] = {**ROLES, "authmethods": list(methods)}
        if authid:
            details["authid"] = authid
        (answer,) = self.say(1, "realm", details)
        return answer

    def log_in(self) -> "Visit":
        assert self.hello("cookie", "ticket")[:2] == [4, "ticket"]
        assert self.say(5, "secret", {})[0][0] == 2
        return self


@pytest.mark.spec(SECTION, "cookies of the WebSocket handshake may authenticate the client")
@pytest.mark.parametrize("authid", [None, "joe"])
def test_a_browser_that_was_let_in_comes_in_again(authid: str | None) -> None:
    site = Site()
    cookie = site.visit().log_in().cookie
    again = site.visit(f"other=1; {cookie}")
    assert again.set_cookie is None
    welcome = again.hello("cookie", authid=authid)
    assert (welcome[0], welcome[2]["authid"], welcome[2]["authrole"], welcome[2]["authmethod"]) == (
        2,
        "joe",
        "user",
        "cookie",
    )


def test_the_cookie_is_the_browsers_alone() -> None:
    flags = Site().visit().set_cookie or ""
    assert flags.endswith("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict")
    assert (Site(secure=True, name="panel").visit().set_cookie or "").endswith("; Secure")
    assert (Site(name="panel").visit().set_cookie or "").startswith("panel=")


def test_each_handshake_issues_another() -> None:
    site = Site()
    assert len({site.visit().cookie for _ in range(5)}) == 5


def test_a_cookie_alone_opens_nothing() -> None:
    site = Site()
    visit = site.visit()
    assert visit.hello("cookie", authid=None)[::2] == [3, "wamp.error.no_matching_auth_method"]
    assert site.visit(visit.cookie).hello("cookie")[0] == 3


def test_a_cookie_is_used_only_by_clients_that_say_so() -> None:
    site = Site()
    cookie = site.visit().log_in().cookie
    assert site.visit(cookie).hello("ticket")[:2] == [4, "ticket"]


def test_a_planted_cookie_is_never_kept() -> None:
    site = Site()
    planted = site.visit().cookie  # an attacker's own, which it sets in the victim's browser
    victim = site.visit(planted)
    assert victim.cookie != planted
    victim.log_in()
    assert site.visit(planted).hello("cookie")[0] == 3
    assert site.visit(victim.cookie).hello("cookie")[0] == 2


def test_who_failed_is_not_kept() -> None:
    site = Site()
    visit = site.visit()
    visit.hello("ticket")
    assert visit.say(5, "wrong", {})[0][0] == 3
    assert site.visit(visit.cookie).hello("cookie")[0] == 3


def test_another_name_than_the_cookies_must_prove_itself() -> None:
    site = Site()
    cookie = site.visit().log_in().cookie
    assert site.visit(cookie).hello("cookie", "ticket", authid="jim")[:2] == [4, "ticket"]


def test_a_cookie_runs_out_and_is_forgotten() -> None:
    site = Site()
    one, two = site.visit().log_in().cookie, site.visit().log_in().cookie
    site.time.seconds += 99
    assert site.visit(one).hello("cookie")[0] == 2
    site.time.seconds += 1
    assert site.visit(one).hello("cookie")[0] == 3
    site = Site()
    two = site.visit().log_in().cookie
    site.jar.forget("joe")
    assert site.visit(two).hello("cookie")[0] == 3


def test_the_jar_is_bounded() -> None:
    jar = CookieJar()
    for number in range(MAX_KEPT + 5):
        jar.keep(f"cookie {number}", JOE)
    assert len(jar._kept) == MAX_KEPT
    assert jar.find("cookie 4") is None
    assert jar.find("cookie 5") == JOE


@pytest.mark.parametrize(
    "header", ["wamp", "wamp=", "=", "wamp=é", ";;;", "wamp=a b; wamp=c", 'wamp="\\"', "a[]=1; wamp=x"]
)
def test_odd_cookies_open_nothing(header: str) -> None:
    cookie = Cookie(Anonymous(), CookieJar())
    assert cookie.issue({"cookie": header}, secure=False) is not None


class SlowJar:
    """A jar that is asked elsewhere."""

    def __init__(self) -> None:
        self.kept: dict[str, Identity] = {}
        self.answers: list[Deferred[Any]] = []

    def find(self, value: str) -> Deferred[Identity | None]:
        answer: Deferred[Any] = Deferred()
        self.answers.append(answer)
        found = self.kept.get(value)
        return answer.addCallback(lambda _: found)

    def keep(self, value: str, identity: Identity) -> Deferred[None]:
        self.kept[value] = identity
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        return answer

    def answer(self) -> None:
        self.answers.pop().callback(None)


def test_a_jar_may_answer_later() -> None:
    jar = SlowJar()
    router = Router("realm", Cookie(Ticket(PRINCIPALS), jar))
    first = Visit(router, None)
    first.hello("ticket")
    assert first.say(5, "secret", {}) == []
    jar.answer()
    assert first.take()[0][0] == 2
    again = Visit(router, first.cookie)
    assert again.response == ""
    jar.answer()
    assert again.transport.take().startswith(b"HTTP/1.1 101")
    assert again.say(1, "realm", {**ROLES, "authmethods": ["cookie"]}) == []
    jar.answer()
    assert again.take()[0][2]["authmethod"] == "cookie"


def test_an_authenticator_without_cookies_sets_none() -> None:
    assert Visit(Router("realm", Ticket(PRINCIPALS)), None).set_cookie is None


def test_raw_sockets_have_no_cookies() -> None:
    cookie = Cookie(Anonymous(), CookieJar())
    nothing: Mapping[str, str] = {}
    assert cookie._presented(nothing) is None

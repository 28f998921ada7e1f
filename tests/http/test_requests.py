"""What every request goes through: bounded bodies, odd addresses that lead nowhere, answers of one form."""

from pathlib import Path

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gatekeeper.http.requests import HEADERS, IDLE_TIMEOUT, MAXIMUM_BODY
from tests.sites import Answer, Log, Memory, answers

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


def secure(answer: Answer) -> bool:
    own = all(answer.fields[name.decode()] == value.decode() for name, value in HEADERS)
    return own and answer.fields["server"] == "gatekeeper"


# --- headers ---


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/doors", "/login?code=x", "/nowhere", "/assets/x.js", "/cameras/x/stream.mjpg", "/ws", "/%ff"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_answer_carries_the_security_headers(gate: Memory, method: str, path: str) -> None:
    for headers in ({}, gate.bearer):
        assert secure(gate.ask(method, path, headers))


def test_a_page_and_its_files_carry_them_too(gate: Memory) -> None:
    page = gate.ask("GET", "/")
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    stream = gate.send("GET", "/cameras/yard/stream.mjpg", gate.bearer).value().decode("latin-1")
    assert all(f"{value.decode()}\r\n" in stream for _, value in HEADERS)
    assert "no-store" in stream


@pytest.mark.parametrize("path", ["/healthz", "/doors", "/nowhere", "/cameras/yard/snapshot.jpg", "/cameras/none"])
def test_no_answer_about_now_is_kept(gate: Memory, path: str) -> None:
    assert gate.ask("GET", path, gate.bearer).fields["cache-control"] == "no-store"


# --- bodies ---


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[]", "not a JSON object"),
        (b"5", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{", "not a JSON object"),
        (b"{} {}", "not a JSON object"),
        (b'{"reason": NaN}', "not a JSON object"),
        (b'{"duration": 1e999}', "not a JSON object"),
        (b"\xff", "not a JSON object"),
        (b'{"reason": "\xff"}', "not a JSON object"),
        (b'{"reason": "\\ud800"}', "not a JSON object"),
        (b"[" * 60_000, "not a JSON object"),
        (b'{"reason":' * 6_000, "nested too deeply"),
        (b'{"reason":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(gate: Memory, body: bytes, why: str) -> None:
    answer = gate.ask("POST", "/doors/front/open", {**gate.bearer, **JSON}, body)
    assert (answer.status, answer.code) == (400, "invalid_argument")
    assert why in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "text/json",
    ],
)
def test_a_form_of_another_site_is_refused_whatever_it_holds(gate: Memory, kind: str) -> None:
    headers = {**gate.bearer, **({"Content-Type": kind} if kind else {})}
    answer = gate.ask("POST", "/doors/front/open", headers, b'{"duration": 5}')
    assert answer.status == 400
    assert gate.site.journal.recent() == ()


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_however_it_is_called(gate: Memory, kind: str) -> None:
    headers = {**gate.bearer, "Content-Type": kind}
    assert gate.ask("POST", "/doors/front/open", headers, b"{}").code == "not_connected"
    assert gate.ask("POST", "/doors/front/open", gate.bearer).code == "not_connected"


def test_the_largest_body_is_taken(gate: Memory) -> None:
    body = b"{}".ljust(MAXIMUM_BODY)
    assert gate.ask("POST", "/doors/front/open", {**gate.bearer, **JSON}, body).code == "not_connected"


def test_a_larger_body_is_refused_before_it_comes(gate: Memory) -> None:
    wire = gate.send("POST", "/doors/front/open", {**gate.bearer, **JSON, "Content-Length": str(MAXIMUM_BODY + 1)})
    [answer] = answers(wire.value())
    assert (answer.status, answer.code, answer.fields["connection"]) == (413, "too_large", "close")
    assert all(answer.fields[name.decode()] == value.decode() for name, value in HEADERS)
    assert wire.disconnecting


@pytest.mark.parametrize("declared", [True, False])
def test_a_larger_body_that_comes_at_once_gets_one_answer_and_does_nothing(gate: Memory, declared: bool) -> None:
    body = b"{}".ljust(MAXIMUM_BODY)
    head = b"POST /doors/front/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {gate.bearer['Authorization']}\r\n".encode()
    if declared:
        data = head + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body + b" "
    else:  # what was kept of it would be a whole JSON object
        data = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n1\r\n \r\n0\r\n\r\n" % (len(body), body)
    wire = gate.raw(data)
    [answer] = answers(wire.value())
    assert (answer.status, answer.code) == (413, "too_large")
    assert wire.disconnecting
    wire.protocol.connectionLost(Failure(ConnectionDone()))
    assert gate.site.journal.recent() == ()


# --- addresses ---

LONG = "x" * 3000
ODD = [
    "//", "///doors", "/doors//front", "/doors/front/", "/doors/", "/.", "/..", "/../../etc/passwd", "/assets/..%2fx",
    "/assets/", "/assets/%00", "/%ff", "/doors/%ff", "/doors/%c3%28", "/doors/%", "/doors/%zz", "/doors/front%0a",
    "/doors/%20", "/doors/front%00", f"/doors/{LONG}", f"/cameras/{LONG}/stream.mjpg", "/cameras//stream.mjpg",
    "/cameras/%ff/stream.mjpg", "/cameras/yard%0a/stream.mjpg", "/cameras/a/b/stream.mjpg", "/cameras/<camera>",
    "/cameras/YARD", "/cameras/yard/snapshot.jpg/", "/cameras/yard/stream.mjpg/", "/doors/front;x=1",
    "/doors/front%2fopen%2f", "doors", "http://", "/login/", "/ws/", "/WS",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD, ids=range(len(ODD)))
def test_an_odd_address_is_not_found_and_no_failure_of_ours(gate: Memory, path: str) -> None:
    with Log() as log:
        for method in ("GET", "POST"):
            received = gate.send(method, path, gate.bearer).value()
            assert int(received.split()[1]) in (200, 404, 405), received[:500]
            if not received.startswith(b"HTTP/1.1 200"):
                assert answers(received)[0].code in (
                    "not_found",
                    "no_such_door",
                    "no_such_camera",
                    "method_not_allowed",
                )
    assert not log.count("log_failure")
    assert not log.count("failed")


@pytest.mark.parametrize("path", ["*", "/doors/\xe9"])
def test_what_twisted_refuses_by_itself_does_nothing(gate: Memory, path: str) -> None:
    assert gate.send("POST", path, gate.bearer).value().startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))


@pytest.mark.parametrize("host", ["", "a..b", "x" * 300, "\xff", "gate.local:port", "[::1]:80", "."])
def test_an_odd_host_changes_nothing(gate: Memory, host: str) -> None:
    assert gate.ask("GET", "/doors", {**gate.bearer, "Host": host}).status == 200


def test_an_answer_does_not_repeat_a_long_id(gate: Memory) -> None:
    assert len(gate.ask("GET", "/doors/" + "x" * 3000, gate.bearer).body) < 200
    assert len(gate.ask("GET", "/cameras/" + "x" * 3000 + "/stream.mjpg", gate.bearer).body) < 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/healthz", "GET, HEAD"),
        ("GET", "/doors/front/open", "POST"),
        ("HEAD", "/doors/front/lock", "POST"),
        ("DELETE", "/doors/front", "GET, HEAD"),
        ("PUT", "/login", "GET, HEAD, POST"),
        ("OPTIONS", "/api/access/token", "POST"),
        ("GETS", "/doors", "GET, HEAD"),
        ("POST", "/cameras/yard/stream.mjpg", "GET, HEAD"),
        ("POST", "/video_feed", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(gate: Memory, method: str, path: str, allowed: str) -> None:
    answer = gate.ask(method, path, gate.bearer)
    assert (answer.status, answer.fields["allow"]) == (405, allowed)
    assert method == "HEAD" or answer.code == "method_not_allowed"


def test_head_tells_what_get_would(gate: Memory) -> None:
    for path in ("/", "/healthz", "/doors", "/cameras/yard", "/nowhere"):
        get, head = gate.ask("GET", path, gate.bearer), gate.ask("HEAD", path, gate.bearer)
        assert (head.status, head.fields["content-type"]) == (get.status, get.fields["content-type"])


# --- connections ---


def test_one_connection_takes_one_request_after_another(gate: Memory) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert [answer.status for answer in answers(gate.raw(request * 3).value())] == [200] * 3


def test_a_connection_that_says_nothing_is_closed(gate: Memory) -> None:
    wire = gate.raw(b"GET /hea")
    gate.net.advance(IDLE_TIMEOUT - 1)
    assert not wire.disconnecting
    gate.net.advance(1)
    assert wire.disconnecting

"""Every error as an HTTP answer of one shape."""

from typing import Any

import msgspec
import pytest
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel
from werkzeug import exceptions

import gatekeeper.site  # noqa: F401 - so that every class of the tree is there
from gatekeeper.errors import GatekeeperError, all_errors
from gatekeeper.http.errors import ErrorResource, encode_error


@pytest.fixture
def request_() -> Request:
    request = Request(DummyChannel())
    request.method, request.path = b"GET", b"/x"
    return request


def header(request: Request, name: bytes) -> Any:
    return request.responseHeaders.getRawHeaders(name)


@pytest.mark.parametrize("kind", all_errors())
def test_an_error_of_ours_keeps_its_status_code_and_words(request_: Request, kind: type[GatekeeperError]) -> None:
    body = encode_error(request_, kind("what happened"))
    assert msgspec.json.decode(body) == {"error": {"code": kind.code, "message": "what happened"}}
    assert request_.code == kind.status
    assert header(request_, b"content-type") == [b"application/json"]
    assert header(request_, b"content-length") == [str(len(body)).encode()]
    assert header(request_, b"cache-control") == [b"no-store"]
    assert (header(request_, b"www-authenticate") is not None) is (kind.status == 401)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed(["POST", "GET"]), 405, "method_not_allowed"),
        (exceptions.BadRequest(), 400, "invalid_argument"),
        (exceptions.RequestURITooLarge(), 400, "invalid_argument"),
        (exceptions.InternalServerError("secret"), 500, "internal"),
        (ValueError("secret"), 500, "internal"),
        (KeyboardInterrupt("secret"), 500, "internal"),
    ],
)
def test_an_error_of_others_becomes_one_of_ours(
    request_: Request, error: BaseException, status: int, code: str
) -> None:
    body = encode_error(request_, error)
    assert (request_.code, msgspec.json.decode(body)["error"]["code"]) == (status, code)
    assert b"secret" not in body
    assert header(request_, b"allow") == ([b"GET, POST"] if status == 405 else None)


def test_an_error_as_a_resource_answers_everything(request_: Request) -> None:
    for method in (b"GET", b"POST", b"X"):
        request_.method = method
        body = ErrorResource(GatekeeperError("no")).render(request_)
        assert msgspec.json.decode(body)["error"]["message"] == "no"

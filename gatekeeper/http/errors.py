"""Errors as HTTP answers: one shape, `{"error": {"code": …, "message": …}}`, whatever went wrong."""

import math
from typing import Any

import msgspec
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from gatekeeper import errors

_log = Logger()


def encode_error(request: Request, error: BaseException) -> bytes:
    """Set the status and return the body for an exception; what isn't ours is logged and told as an internal error."""
    known = _known(error)
    if known is None:
        _log.error("{method} {path} failed: {error!r}", method=request.method, path=request.path, error=error)
        known = errors.GatekeeperError("something went wrong here; the server's log says what")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        request.setHeader(b"allow", ", ".join(sorted(error.valid_methods)).encode())
    if isinstance(known, errors.NotAuthenticated):
        request.setHeader(b"www-authenticate", b'Bearer realm="gatekeeper"')
    if isinstance(known, errors.TooManyAttempts):
        request.setHeader(b"retry-after", str(math.ceil(known.retry_after)).encode())
    body = msgspec.json.encode({"error": {"code": known.code, "message": str(known)}})
    request.setResponseCode(known.status)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"content-length", str(len(body)).encode())
    return body


def _known(error: BaseException) -> errors.GatekeeperError | None:
    if isinstance(error, errors.GatekeeperError):
        return error
    if isinstance(error, MethodNotAllowed):
        return errors.MethodNotAllowed(f"this address answers {', '.join(sorted(error.valid_methods or ()))}")
    if isinstance(error, HTTPException) and error.code in (308, 404):  # 308: to the same address with fewer slashes
        return errors.NotFound("there is nothing at this address")
    if isinstance(error, HTTPException) and error.code is not None and 400 <= error.code < 500:
        return errors.InvalidArgument(error.description or "bad request")
    return None


class ErrorResource(Resource):
    """Answers everything with one error."""

    isLeaf = True

    def __init__(self, error: errors.GatekeeperError) -> None:
        super().__init__()
        self._error = error

    def render(self, request: Request) -> Any:
        return encode_error(request, self._error)

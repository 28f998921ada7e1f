"""A table of what answers at which address: parse → authorise → ask → encode, the same for every route.

Each group of routes (`http/doors.py`, `http/events.py`, …) adds its own; `openapi` reads what was added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal
from gatekeeper.errors import AccessDenied
from gatekeeper.http.errors import encode_error
from gatekeeper.http.requests import authorise, channel_of, headers_of
from gatekeeper.uris import Route

Handler = Callable[..., Any]
Refused = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as its group declared it.

    :ivar takes: the struct of the JSON body, or None where there is none; `query` that of the query's parameters.
    :ivar gives: the type of the JSON answer; a media type such as "image/jpeg" where it is none, or
        a tuple of those.
    :ivar summary: one sentence for people.
    :ivar refuses: the struct of another shape that its 400 may have; None where all errors have the one shape.
    """

    route: Route
    summary: str
    takes: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    gives: Any = None
    refuses: type[msgspec.Struct] | None = None


class Routes:
    """The routes of a site.

    :param guard: who knows people and what they may.
    :ivar operations: what was added, in order.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.operations: list[Operation] = []
        self.app = Klein()
        self.app.handle_errors(HTTPException)(lambda request, failure: _failed(failure, request))

    def add(
        self,
        route: Route,
        handler: Handler,
        summary: str,
        *,
        takes: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] | None = None,
        gives: Any = None,
        refuses: type[msgspec.Struct] | None = None,
        refused: Refused | None = None,
    ) -> None:
        """Answer a route: its permission first, the handler's value as JSON, any error in the one shape.

        :param handler: called with the request, who sent it (a Principal, or None where nobody must be), and the ids
            of the path by name; returns bytes, or what msgspec encodes, at once or as a Deferred.
        :param refused: told when somebody who is known may not, for the record: who, why, and the ids by name.
            It may return a Deferred that fails with the error once that is stored.
        """

        def answer(request: Request, **ids: str) -> "Deferred[bytes]":
            def ask() -> Any:
                try:
                    who = authorise(self._guard, request, route, ids)
                except AccessDenied as error:
                    known = self._who(request) if refused is not None else None
                    answer = refused(known, error, **ids) if refused is not None and known is not None else None
                    if answer is None:
                        raise
                    return answer
                return handler(request, who, **ids)

            answering: Deferred[Any] = maybeDeferred(ask)
            return answering.addCallback(_encode, request).addErrback(_failed, request)

        self.operations.append(Operation(route, summary, takes, query, gives, refuses))
        self.app.route(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")(answer)

    def _who(self, request: Request) -> Principal | None:
        channel = channel_of(request)
        return self._guard.identify(headers_of(request), channel.address, secure=channel.secure)


def _encode(value: Any, request: Request) -> bytes:
    if isinstance(value, bytes):
        body = value
    else:
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        body = msgspec.json.encode(value)
    request.setHeader(b"content-length", str(len(body)).encode())
    return body


def _failed(failure: Any, request: Request) -> bytes:
    if failure.check(CancelledError):
        return b""  # by Klein, because the client is gone
    return encode_error(request, failure.value)

"""The routes: parse, authorise, ask, encode. Everything that decides is elsewhere."""

from collections.abc import Callable
from typing import Any

import msgspec
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from gatekeeper import uris
from gatekeeper.access.guard import COOKIE, Guard, cookie_of
from gatekeeper.access.principal import Principal
from gatekeeper.access.tokens import COOKIE_LIFE, Tokens
from gatekeeper.cameras.api import Cameras
from gatekeeper.doors.api import Doors
from gatekeeper.errors import InvalidArgument, NotAuthenticated
from gatekeeper.http.dashboard_files import DashboardFiles
from gatekeeper.http.errors import encode_error
from gatekeeper.http.requests import authorise, body_of, headers_of
from gatekeeper.system.api import System
from gatekeeper.uris import Route

Handler = Callable[..., Any]


class HttpApi:
    """The HTTP side of a site.

    :param record: told of log-ins: kind, text, actor, outcome.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        tokens: Tokens,
        cameras: Cameras,
        doors: Doors,
        system: System,
        dashboard: DashboardFiles,
        record: Callable[[str, str, str | None, str], None],
    ) -> None:
        self._guard = guard
        self._tokens = tokens
        self._cameras = cameras
        self._doors = doors
        self._system = system
        self._dashboard = dashboard
        self._record = record
        self.app = Klein()
        self.app.handle_errors(HTTPException)(lambda request, failure: _failed(failure, request))
        self._routes()

    def _routes(self) -> None:
        self._route(uris.HEALTH, lambda request, who: {"status": "ok"})
        self._route(uris.INDEX, lambda request, who: self._dashboard.index(request))
        self._route(uris.ASSETS, lambda request, who, name: self._dashboard.asset(request, name))
        self._route(uris.LOGIN_LINK, self._login_link)
        self._route(uris.LOGIN, self._login)
        self._route(uris.LOGOUT, self._logout)
        self._route(uris.WHOAMI, lambda request, who: {"authid": who.authid, "role": who.role})
        self._route(uris.NEW_TOKEN, self._new_token)
        self._route(uris.SYSTEM_STATUS, lambda request, who: self._system.status())
        self._route(uris.CAMERAS, lambda request, who: self._cameras.list())
        self._route(uris.CAMERA, lambda request, who, camera: self._cameras.status(camera))
        self._route(uris.SNAPSHOT, self._snapshot)
        self._route(uris.DOORS, lambda request, who: self._doors.list())
        self._route(uris.DOOR, lambda request, who, door: self._doors.status(door))
        self._route(uris.DOOR_OPEN, lambda request, who, door: self._doors.open(who.authid, _for(door, request)))
        self._route(uris.DOOR_LOCK, lambda request, who, door: self._doors.lock(who.authid, _for(door, request)))

    def _route(self, route: Route, handler: Handler) -> None:
        """Answer a route: its permission first, the handler's value as JSON, any error in the one shape."""

        def answer(request: Request, **ids: str) -> "Deferred[bytes]":
            def ask() -> Any:
                return handler(request, authorise(self._guard, request, route.permission), **ids)

            answering: Deferred[Any] = maybeDeferred(ask)
            return answering.addCallback(_encode, request).addErrback(_failed, request)

        self.app.route(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")(answer)

    # --- access ---

    def _login_link(self, request: Request, who: Principal | None) -> bytes:
        if request.method == b"HEAD":
            return b""  # a look at a link must not use it up
        [code] = request.args.get(b"code", [b""])[:1] or [b""]
        try:
            cookie = self._tokens.redeem(code.decode("latin-1"))
        except NotAuthenticated as error:
            self._record("access.refused", f"a one-time link was refused: {error}", None, error.code)
            raise
        self._record("access.login", "a browser logged in by the one-time link", "admin", "ok")
        _set_cookie(request, cookie, COOKIE_LIFE)
        request.setHeader(b"cache-control", b"no-store")
        request.redirect(uris.INDEX.path.encode())
        return b""

    def _login(self, request: Request, who: Principal | None) -> dict[str, str]:
        token = body_of(request).get("token")
        if not isinstance(token, str):
            raise InvalidArgument("token: missing")
        if not self._tokens.check_token(token):
            self._record("access.refused", "a log-in with a wrong token was refused", None, NotAuthenticated.code)
            raise NotAuthenticated("that is not the admin token")
        _set_cookie(request, self._tokens.new_cookie(), COOKIE_LIFE)
        self._record("access.login", "a browser logged in with the admin token", "admin", "ok")
        return {"authid": "admin", "role": "admin"}

    def _logout(self, request: Request, who: Principal | None) -> dict[str, str]:
        cookie = cookie_of(headers_of(request))
        if cookie is not None:
            self._tokens.end_cookie(cookie)
        _set_cookie(request, "", 0.0)
        return {}

    def _new_token(self, request: Request, who: Principal) -> dict[str, str]:
        token = self._tokens.new_token()
        self._record("access.token", "the admin token was replaced", who.authid, "ok")
        return {"token": token}

    # --- pictures ---

    def _snapshot(self, request: Request, who: Principal, camera: str) -> bytes:
        frame = self._cameras.snapshot(camera)
        request.setHeader(b"content-type", b"image/jpeg")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-timestamp", f"{frame.wall:.6f}".encode())
        request.setHeader(b"x-sequence", str(frame.sequence).encode())
        return frame.jpeg


def _for(door: str, request: Request) -> dict[str, Any]:
    arguments = body_of(request)
    if arguments.setdefault("door", door) != door:
        raise InvalidArgument(f'door: the address says "{door}", the body something else')
    return arguments


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


def _set_cookie(request: Request, value: str, life: float) -> None:
    request.addCookie(
        COOKIE, value, path="/", max_age=str(int(life)), httpOnly=True, sameSite="lax", secure=request.isSecure()
    )

"""Browsers on the port that cameras send to, as seed 004 has them: pictures as binary messages, its texts beside them.

    browser   {"type":"register","device":"browser"}   {"type":"request_stats"}   {"type":"command","cmd":…,"val":…}
    server    pictures; `status`, `server_stats`, `camera_health` (see `panel`), and the answer to a command as the
              camera gives it: {"type":"response","cmd":…,"status":"ok"|"error","value":…}

The port is open to cameras, which can't log in; a browser is let in only as everywhere: by its log-in's cookie or a
key in the handshake, from a page of this site's own, and to what the account may. It has one slot for pictures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal, check
from gatekeeper.cameras.api import Cameras
from gatekeeper.cameras.feed import Condition
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.camera import PushCamera
from gatekeeper.cameras.push.panel import Panel, setting
from gatekeeper.cameras.push.reception import REFUSED, DeviceSocket
from gatekeeper.cameras.push.wire import MAXIMUM_TEXT
from gatekeeper.errors import AccessDenied, GatekeeperError, NoSuchCamera, NotAuthenticated, Overloaded
from gatekeeper.http.mjpeg import Seats
from gatekeeper.uris import Permission

_LOG_IN: Final = "log in first: bring the page's cookie, or a key as a bearer token"


class RequestStats(msgspec.Struct, frozen=True, tag_field="type", tag="request_stats"):
    """The counts are asked for."""


class Command(msgspec.Struct, frozen=True, tag_field="type", tag="command"):
    """The camera is to be set; the seed's page sends numbers too."""

    cmd: str
    val: str | int | float | bool | None = None


_DECODER: Final = msgspec.json.Decoder(RequestStats | Command)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a visitor's handshake said.

    :ivar who: whose log-in or key it brought; None if nobody's.
    :ivar foreign: whether a page of another origin sent it.
    :ivar camera: the camera that it asks for, or None; `path` the address that it dialled.
    """

    who: Principal | None
    foreign: bool
    camera: str | None
    path: str


class Browsers:
    """All of a site.

    :param guard: knows people.
    :param panel: what they are told; `cameras` what they set, `pushed` what they watch.
    :param seats: shared with the streams.
    :param ports: the TCP ports that this site listens on: whose pages are its own.
    """

    def __init__(
        self,
        guard: Guard,
        panel: Panel,
        *,
        cameras: Cameras,
        pushed: Mapping[str, PushCamera],
        seats: Seats,
        ports: Callable[[], frozenset[int]],
    ) -> None:
        self.guard = guard
        self.panel = panel
        self.cameras = cameras
        self.pushed = pushed
        self.seats = seats
        self._ports = ports
        self._all: set[Browser] = set()

    # --- for the reception ---

    def announced(self, request: Any, address: str, *, secure: bool) -> Handshake | None:
        """Return what is known of a visitor by its handshake; None if it may be a camera.

        A page's handshake carries an http(s) origin, which the firmware's never does; a script's a key or a cookie.
        """
        headers: dict[str, str] = request.headers
        scheme = urlsplit(headers.get("origin", "")).scheme if _is_url(headers.get("origin", "")) else ""
        is_page = scheme in ("http", "https")
        if not is_page and not {"cookie", "authorization"} & headers.keys():
            return None
        who = self.guard.identify(headers, address, secure=secure)
        if who is None and not is_page:
            return None
        asked = request.params.get("camera") or [None]
        return Handshake(who, is_page and not self._is_ours(headers), asked[0], str(request.path))

    def admit(self, socket: DeviceSocket) -> "Browser":
        """Let a browser in.

        :raises GatekeeperError: if it may not.
        """
        said: Handshake | None = socket.announced
        if said is not None and said.foreign:
            raise AccessDenied("a page of another origin may not do this")
        if said is None or said.who is None:
            raise NotAuthenticated(_LOG_IN)
        who = said.who
        if self.guard.must_choose_password(who):
            raise AccessDenied("choose a password first: the page asks for it")
        asked = said.camera
        if asked is not None:
            check(who, Permission.CAMERA_VIEW, asked)
        else:
            check(who, Permission.CAMERA_VIEW)
            asked = next((camera for camera in self._at(said.path) if who.may(Permission.CAMERA_VIEW, camera)), None)
        camera = self.panel.choose(asked, lambda one: who.may(Permission.CAMERA_VIEW, one))
        if not self.seats.take():
            raise Overloaded("too many viewers")
        browser = Browser(self, socket, who, camera)
        self._all.add(browser)
        self.panel.browsers[camera] += 1
        browser.begin()
        return browser

    def told(self, camera: str) -> None:
        """Pass on how a camera says it is."""
        health = self.panel.camera_health(camera)
        for browser in tuple(self._all):
            if browser.camera == camera and health is not None:
                browser.say(health)

    # --- for the site ---

    def end(self, is_meant: Callable[[Principal], bool]) -> None:
        """Send away those of whom this is true: they were logged out, or may not watch any more."""
        for browser in tuple(self._all):
            if is_meant(browser.who):
                browser.leave(NotAuthenticated("logged out, or changed"))

    def left(self, browser: "Browser") -> None:
        """Hear from a browser that it is gone."""
        if browser in self._all:
            self._all.discard(browser)
            self.panel.browsers[browser.camera] -= 1
            self.seats.give_back()

    def _at(self, path: str) -> list[str]:
        """Return the cameras that dial a path, if it is one of theirs alone."""
        return [name for name, it in self.pushed.items() if it.camera.push is not None and it.camera.push.path == path]

    def _is_ours(self, headers: Mapping[str, str]) -> bool:
        """Return whether a page's origin is this site: the host that was dialled, at one of our ports."""
        try:
            origin, host = urlsplit(headers["origin"]), urlsplit(f"//{headers.get('host', '')}")
            port = origin.port or {"http": 80, "https": 443}[origin.scheme]
        except (ValueError, KeyError):
            return False
        return origin.hostname is not None and origin.hostname == host.hostname and port in self._ports()


@implementer(IPushProducer)
class Browser:
    """One browser that watches one camera."""

    def __init__(self, browsers: Browsers, socket: DeviceSocket, who: Principal, camera: str) -> None:
        self.who = who
        self.camera = camera
        self._browsers = browsers
        self._socket = socket
        self._feed = browsers.pushed[camera].feed
        self._is_paused = False
        self._subscription = self._feed.subscribe(self._send_picture)
        self._unobserve = self._feed.observe(self._changed)

    def begin(self) -> None:
        """Say how it is, and show the newest picture."""
        self._socket.transport.registerProducer(self, True)
        self.say(self._browsers.panel.status(self.camera))
        self._send_picture()

    def say(self, text: bytes) -> None:
        """Send a text, unless the browser doesn't read: there will be another."""
        if not self._is_paused and self._socket.speaks:
            self._socket.say(text)

    def leave(self, why: GatekeeperError) -> None:
        """Send it away."""
        self._socket.refuse(REFUSED + why.status, str(why))
        self.gone()

    # --- what it says ---

    def heard(self, text: bytes) -> None:
        """Take in a text; what is none of the panel's isn't answered."""
        now = self._browsers.guard.renewed(self.who)
        if now is None:
            self.leave(NotAuthenticated(_LOG_IN))
            return
        self.who = now
        try:
            message = _DECODER.decode(text) if len(text) <= MAXIMUM_TEXT else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        match message:
            case RequestStats():
                self.say(self._browsers.panel.server_stats(self.camera))
            case Command():
                self._command(message)

    def _command(self, command: Command) -> None:
        cmd, who, cameras = command.cmd[:40].lower(), self.who, self._browsers.cameras
        try:
            try:
                check(who, Permission.CAMERA_CONTROL, self.camera)
            except AccessDenied as error:
                cameras.refused(who.caller, self.camera, error)
                raise
            setting_ = cameras.set(who.caller, self.camera, setting(cmd, _text(command.val)))
        except GatekeeperError as error:
            self._answer(cmd, "error", str(error))
            return
        answered: Deferred[Any] = setting_.addCallback(lambda done: self._answer(cmd, "ok", done.taken[cmd]))
        answered.addErrback(lambda failure: self._failed(cmd, failure))

    def _failed(self, cmd: str, failure: Failure) -> None:
        failure.trap(GatekeeperError)
        self._answer(cmd, "error", failure.getErrorMessage())

    def _answer(self, cmd: str, status: Literal["ok", "error"], value: str) -> None:
        self.say(msgspec.json.encode({"type": "response", "cmd": cmd, "status": status, "value": value}))

    # --- what it is shown ---

    def _send_picture(self) -> None:
        is_live = self._feed.condition.state is CameraState.LIVE  # an old picture would look like a new one
        frame = self._subscription.take() if is_live and not self._is_paused and self._socket.speaks else None
        if frame is not None:
            self._socket.sendMessage(frame.jpeg, True)

    def _changed(self, condition: Condition) -> None:
        now = self._browsers.pushed.get(self.camera)
        if now is None or now.feed is not self._feed:
            self.leave(NoSuchCamera(f"camera {self.camera} is not here any more"))
        else:
            self.say(self._browsers.panel.status(self.camera))

    # --- how fast it reads, and its end ---

    def pauseProducing(self) -> None:
        """Send nothing more: the browser doesn't read."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Go on with the newest picture."""
        self._is_paused = False
        self._send_picture()

    def stopProducing(self) -> None:
        """Do nothing: the connection tells of its end."""

    def gone(self) -> None:
        """Forget it."""
        self._subscription.close()
        self._unobserve()
        self._unobserve = _nothing
        self._browsers.left(self)


def _nothing() -> None:
    pass


def _is_url(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _text(val: str | float | None) -> str:
    """Return a command's value as the camera wants it: as text."""
    if val is None:
        return ""
    if isinstance(val, bool):
        return "1" if val else "0"
    return f"{val:g}" if isinstance(val, float) else str(val)

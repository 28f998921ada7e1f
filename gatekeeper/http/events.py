"""Routes of events: what happened, the pictures of it, the proof, holding it, and taking it away as one file."""

import re
from typing import Annotated, Any, BinaryIO, Final, Protocol

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request

from gatekeeper import decoding, uris
from gatekeeper.access.principal import Principal
from gatekeeper.errors import InvalidArgument, NotFound
from gatekeeper.evidence.api import EventPage, Verification
from gatekeeper.evidence.event import Event, Query
from gatekeeper.http.download import Download
from gatekeeper.http.query import query_of
from gatekeeper.http.requests import body_of
from gatekeeper.http.routes import Routes

ZIP: Final = "application/zip"
KEPT: Final = b"private, max-age=31536000, immutable"
"""For a picture: its bytes are on the record by their hash, and only who may see it has it in a cache."""


class HoldBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an event is kept from retention.

    :ivar reason: kept in the record.
    """

    reason: Annotated[str, Meta(max_length=200)] | None = None


class Picture(Protocol):
    """A picture of an event, as it is kept; `received` in Unix seconds."""

    @property
    def jpeg(self) -> bytes: ...
    @property
    def camera(self) -> str: ...
    @property
    def received(self) -> float: ...


class Record(Protocol):
    """The record, for somebody: what they may not see isn't there."""

    def list(self, who: Principal, query: Query, /) -> "Deferred[EventPage]": ...
    def get(self, who: Principal, event: str, /) -> "Deferred[Event]": ...
    def frame(self, who: Principal, event: str, number: int, /) -> "Deferred[Any]": ...
    def verify(self, who: Principal, event: str, /) -> "Deferred[Verification]": ...
    def hold(self, who: Principal, event: str, reason: str | None, /) -> "Deferred[Event]": ...
    def release(self, who: Principal, event: str, /) -> "Deferred[Event]": ...
    def erase(self, who: Principal, event: str, number: int, /) -> "Deferred[Event]": ...
    def export(self, who: Principal, event: str, /) -> "Deferred[BinaryIO]": ...


class EventRoutes:
    """The record over HTTP.

    :param record: what is asked; `frame` fires with a `Picture`.
    :param clock: the reactor, for who takes a file too slowly.
    """

    def __init__(self, record: Record, clock: Any) -> None:
        self._record = record
        self._clock = clock

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(uris.EVENTS, self._list, "List events that you may see.", query=Query, gives=EventPage)
        routes.add(uris.EVENT, self._get, "Tell everything about an event.", gives=Event)
        routes.add(uris.EVENT_FRAME, self._frame, "Give a picture of an event.", gives="image/jpeg")
        routes.add(uris.EVENT_ERASE, self._erase, "Erase a picture; a signed statement stays.", gives=Event)
        routes.add(uris.EVENT_EXPORT, self._export, "Give an event with its pictures and proofs as a file.", gives=ZIP)
        routes.add(
            uris.EVENT_VERIFY, self._verify, "Check an event and its pictures against the chain.", gives=Verification
        )
        routes.add(uris.EVENT_HOLD, self._hold, "Keep an event from retention.", takes=HoldBody, gives=Event)
        routes.add(uris.EVENT_RELEASE, self._release, "Let retention have an event again.", gives=Event)

    def _list(self, request: Request, who: Principal) -> "Deferred[EventPage]":
        return self._record.list(who, query_of(request, Query))

    def _get(self, request: Request, who: Principal, event: str) -> "Deferred[Event]":
        return self._record.get(who, event)

    def _verify(self, request: Request, who: Principal, event: str) -> "Deferred[Verification]":
        return self._record.verify(who, event)

    def _hold(self, request: Request, who: Principal, event: str) -> "Deferred[Event]":
        return self._record.hold(who, event, _reason(request))

    def _release(self, request: Request, who: Principal, event: str) -> "Deferred[Event]":
        return self._record.release(who, event)

    def _erase(self, request: Request, who: Principal, event: str, number: str) -> "Deferred[Event]":
        return self._record.erase(who, event, _number(number))

    def _frame(self, request: Request, who: Principal, event: str, number: str) -> "Deferred[bytes]":
        def found(picture: Picture) -> bytes:
            request.setHeader(b"content-type", b"image/jpeg")
            request.setHeader(b"cache-control", KEPT)
            request.setHeader(b"x-timestamp", f"{picture.received:.6f}".encode())
            request.setHeader(b"x-camera", picture.camera.encode())
            return picture.jpeg

        looking: Deferred[Picture] = self._record.frame(who, event, _number(number))
        return looking.addCallback(found)

    def _export(self, request: Request, who: Principal, event: str) -> "Deferred[bytes]":
        if request.method == b"HEAD":  # a look makes no file, and is no export that the record would tell of
            return self._record.get(who, event).addCallback(lambda _: _announce(request))
        download = Download(request, self._clock)

        def made(file: BinaryIO) -> None:
            request.setHeader(b"content-type", ZIP.encode())
            request.setHeader(b"cache-control", b"no-store")
            request.setHeader(b"content-disposition", f'attachment; filename="{event}.zip"'.encode())
            download.send(file)

        maybeDeferred(self._record.export, who, event).addCallback(made).addErrback(download.fail)
        return download.done


def _announce(request: Request) -> bytes:
    """Send the headers of an export without a length, which nobody knows yet."""
    request.setHeader(b"content-type", ZIP.encode())
    request.setHeader(b"cache-control", b"no-store")
    request.write(b"")
    return b""


def _reason(request: Request) -> str | None:
    body = body_of(request)
    try:
        return msgspec.convert(body, HoldBody).reason
    except msgspec.ValidationError as error:
        raise InvalidArgument(decoding.explain(error, body, HoldBody, noun="argument")) from error


def _number(text: str) -> int:
    """Return the number of a picture.

    :raises NotFound: if it is none: the address leads nowhere.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise NotFound("there is nothing at this address")
    return int(text)

"""Routes of kept pictures: the lists, the pictures whole and small, keeping, deleting, and the films of days."""

from typing import Annotated, Any, BinaryIO, Final

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.errors import AccessDenied, NoSuchPicture
from gatekeeper.gallery.api import FASTEST, FPS, Gallery, Shown
from gatekeeper.gallery.snapshot import Snapshot, SnapshotDays, SnapshotPage, SnapshotQuery
from gatekeeper.gallery.timelapse import Timelapse
from gatekeeper.http.download import Download
from gatekeeper.http.query import query_of
from gatekeeper.http.routes import Routes

JPEG: Final = "image/jpeg"
MP4: Final = "video/mp4"
CACHED: Final = b"private, max-age=86400, immutable"
"""For a picture: it never changes, and is out of browsers a day after it was deleted."""


class DaysQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose days are asked for; of all cameras that one may view if absent."""

    camera: Annotated[str, Meta(max_length=40)] | None = None


class FilmQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a film is made.

    :ivar fps: pictures a second.
    """

    fps: Annotated[int, Meta(ge=1, le=FASTEST)] = FPS


class PictureRoutes:
    """Kept pictures over HTTP.

    :param clock: the reactor, for who takes a film too slowly.
    """

    def __init__(self, gallery: Gallery, clock: Any) -> None:
        self._gallery = gallery
        self._clock = clock

    def add_to(self, routes: Routes) -> None:
        """Add what this group answers."""
        routes.add(
            uris.PICTURES, self._list, "List kept pictures of the cameras that you may view.",
            query=SnapshotQuery, gives=SnapshotPage,
        )  # fmt: skip
        routes.add(
            uris.PICTURE_DAYS, self._days, "List the days of which pictures are kept.",
            query=DaysQuery, gives=SnapshotDays,
        )  # fmt: skip
        routes.add(uris.PICTURE, self._picture, "Give a kept picture.", gives=JPEG)
        routes.add(uris.PICTURE_SMALL, self._thumbnail, "Give a kept picture in small.", gives=JPEG)
        routes.add(
            uris.PICTURE_DELETE, self._delete, "Delete a kept picture.",
            gives=Snapshot, refused=self._delete_refused,
        )  # fmt: skip
        routes.add(
            uris.PICTURE_KEEP, self._keep, "Keep the newest picture of a live camera.",
            gives=Snapshot, refused=self._refused,
        )  # fmt: skip
        routes.add(
            uris.TIMELAPSE, self._film, "Give a day's kept pictures as a video, made when it is asked for.",
            query=FilmQuery, gives=MP4,
        )  # fmt: skip
        routes.add(
            uris.TIMELAPSE_STATE, self._state, "Tell how far a day's video is.", query=FilmQuery, gives=Timelapse
        )

    def _list(self, request: Request, who: Principal) -> "Deferred[SnapshotPage]":
        return self._gallery.list(who, query_of(request, SnapshotQuery))

    def _days(self, request: Request, who: Principal) -> "Deferred[SnapshotDays]":
        return self._gallery.days(who, query_of(request, DaysQuery).camera)

    def _picture(self, request: Request, who: Principal, picture: str) -> "Deferred[bytes]":
        return self._gallery.picture(who, picture).addCallback(_send, request)

    def _thumbnail(self, request: Request, who: Principal, picture: str) -> "Deferred[bytes]":
        return self._gallery.thumbnail(who, picture).addCallback(_send, request)

    def _delete(self, request: Request, who: Principal, picture: str) -> "Deferred[Snapshot]":
        deleting: Deferred[Snapshot] = self._gallery.delete(who, picture)
        return deleting

    def _delete_refused(self, who: Principal, error: AccessDenied, picture: str) -> "Deferred[Any]":
        """Put on the record that somebody tried what they may not."""
        refusing: Deferred[Any] = self._gallery.refuse_delete(who, picture, error)
        return refusing

    def _keep(self, request: Request, who: Principal, camera: str) -> "Deferred[Snapshot]":
        keeping: Deferred[Snapshot] = self._gallery.keep(who, camera)
        return keeping

    def _refused(self, who: Principal, error: AccessDenied, camera: str) -> None:
        """Put on the record that somebody tried what they may not."""
        self._gallery.refused(who, camera, error)

    def _state(self, request: Request, who: Principal, camera: str, day: str) -> "Deferred[Timelapse]":
        return self._gallery.timelapse_state(who, camera, day, query_of(request, FilmQuery).fps)

    def _film(self, request: Request, who: Principal, camera: str, day: str) -> "Deferred[bytes]":
        fps = query_of(request, FilmQuery).fps
        if request.method == b"HEAD":  # a look makes no film
            return self._gallery.timelapse_state(who, camera, day, fps).addCallback(_announce, request)
        download = Download(request, self._clock)

        def made(file: BinaryIO) -> None:
            _set_headers(request)
            request.setHeader(b"content-disposition", f'attachment; filename="{camera} {day}.mp4"'.encode())
            download.send(file)

        making = maybeDeferred(self._gallery.timelapse, who, camera, day, fps)
        making.addCallback(made).addErrback(download.fail)
        request.notifyFinish().addErrback(lambda _: making.cancel())
        return download.done


def _send(shown: Shown, request: Request) -> bytes:
    request.setHeader(b"content-type", JPEG.encode())
    request.setHeader(b"cache-control", CACHED)
    request.setHeader(b"x-timestamp", f"{shown.snapshot.time:.6f}".encode())
    request.setHeader(b"x-camera", shown.snapshot.camera.encode())
    return shown.jpeg


def _set_headers(request: Request) -> None:
    request.setHeader(b"content-type", MP4.encode())
    request.setHeader(b"cache-control", b"no-store")


def _announce(film: Timelapse, request: Request) -> bytes:
    """Send the headers of a film without a length, which nobody knows yet."""
    if not film.pictures:
        raise NoSuchPicture(f"no picture of {film.camera} is kept of {film.day}")
    _set_headers(request)
    request.write(b"")
    return b""

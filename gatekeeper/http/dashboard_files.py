"""The built dashboard from the package: read once, served from memory."""

import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from twisted.web.server import Request

from gatekeeper.errors import NotFound

MISSING = (
    b"<!doctype html><title>gatekeeper</title><p>gatekeeper runs, but its pages were not built into this "
    b"installation: run <code>make build</code> in the source tree, or install a wheel."
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    kind: bytes


class DashboardFiles:
    """`index.html` and `assets/*`; without them the page says how to get them."""

    def __init__(self, folder: Traversable | None = None) -> None:
        root = folder if folder is not None else files("gatekeeper.http") / "dashboard"
        index = root / "index.html"
        self._index = index.read_bytes() if index.is_file() else MISSING
        assets = root / "assets"
        found = [file for file in assets.iterdir() if file.is_file()] if assets.is_dir() else []
        self._assets = {file.name: _File(file.read_bytes(), _kind(file.name)) for file in found}

    def index(self, request: Request) -> bytes:
        """Return the page: never cached, so that an upgrade shows."""
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        request.setHeader(b"cache-control", b"no-cache")
        return self._index

    def asset(self, request: Request, name: str) -> bytes:
        """Return a script, style or picture; its name carries the hash of its content, so it is cached for ever.

        :raises NotFound: if there is none of this name.
        """
        file = self._assets.get(name)
        if file is None:
            raise NotFound("there is nothing at this address")
        request.setHeader(b"content-type", file.kind)
        request.setHeader(b"cache-control", b"public, max-age=31536000, immutable")
        return file.content


def _kind(name: str) -> bytes:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "text/javascript" if kind == "application/javascript" else kind
    return f"{kind}; charset=utf-8".encode() if kind.startswith("text/") else kind.encode()

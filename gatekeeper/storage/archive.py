"""A backup file: a zip whose last entry, `manifest.json`, names every other with its size and SHA-256.

    configuration.toml
    database/<table>.jsonl      a line with the columns' names, then a line per row; bytes in base64
    keys/<name>, tls/<name>     the folders of the data folder with the same names
    pictures/ab/<sha256>.jpg
    snapshots/2026-11-28/<camera>/<id>.jpg

The hashes find damage, not forgery: whoever can write to the file can write a manifest. Nothing but these names is
taken from one, so no entry can lead outside.
"""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Self

import msgspec

from gatekeeper.errors import InvalidArgument

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES = 256_000_000  # a million pictures at some 150 bytes each, and room
PIECE = 1 << 20

NAMES = re.compile(
    r"configuration\.toml|database/[a-z_]{1,40}\.jsonl|(keys|tls)/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
    r"|pictures/([0-9a-f]{2})/\2[0-9a-f]{62}\.jpg"
    r"|snapshots/[0-9]{4}-[0-9]{2}-[0-9]{2}/[a-z0-9_-]{1,40}/[0-9A-Z]{26}\.jpg"
)
"""What an entry may be called."""

PICTURES = ("pictures/", "snapshots/")
"""What is written once and never changed: a file that is there already stays."""


class Entry(msgspec.Struct, frozen=True):
    """A file in the backup."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    :ivar time: Unix seconds.
    :ivar revision: of the database's tables.
    :ivar missing: pictures that the database knew and whose files weren't there.
    """

    format: int
    program: str
    time: float
    site: str
    revision: str
    entries: dict[str, Entry]
    missing: int = 0


class Writer:
    """Writes entries one after the other, in pieces; the sums gather in `entries`. Left, it writes the zip's end."""

    def __init__(self, output: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.entries: dict[str, Entry] = {}

    def add(self, name: str, pieces: Iterable[bytes], *, pack: bool = True) -> None:
        """Write an entry; `pack` is False for what is compressed already."""
        assert NAMES.fullmatch(name), name  # noqa: S101 - names are ours
        sums, size = hashlib.sha256(), 0
        described = zipfile.ZipInfo(name)
        described.compress_type = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
        described.external_attr = 0o600 << 16
        with self._zip.open(described, "w", force_zip64=True) as entry:
            for piece in pieces:
                entry.write(piece)
                sums.update(piece)
                size += len(piece)
        self.entries[name] = Entry(size, sums.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest."""
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._zip.close()  # writes the zip's end
        except (OSError, ValueError):
            if kind is None:
                raise


class Reader:
    """Reads a backup whose every entry was checked.

    :raises InvalidArgument: if it is none, is damaged, or holds anything that the manifest doesn't name.
    """

    def __init__(self, source: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(source)
            self.manifest = self._manifest()
            self._check()
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise InvalidArgument(f"the backup is damaged, or none: {error}") from error

    def _manifest(self) -> Manifest:
        try:
            described = self._zip.getinfo(MANIFEST)
            if described.file_size > MANIFEST_BYTES:
                raise InvalidArgument("the backup's manifest is too large")
            manifest = msgspec.json.decode(self._zip.read(described), type=Manifest)
        except (KeyError, msgspec.MsgspecError) as error:
            raise InvalidArgument("this is no backup of gatekeeper's: it has no manifest") from error
        if manifest.format != FORMAT:
            raise InvalidArgument(f"the backup's format is {manifest.format}; this gatekeeper reads {FORMAT}")
        return manifest

    def _check(self) -> None:
        found = [described.filename for described in self._zip.infolist() if described.filename != MANIFEST]
        if sorted(found) != sorted(self.manifest.entries):
            raise InvalidArgument("the backup doesn't hold what its manifest names")
        for name in found:
            if not NAMES.fullmatch(name):
                raise InvalidArgument(f"the backup holds something that isn't gatekeeper's: {name[:100]!r}")
            if name.startswith("pictures/") and self.manifest.entries[name].sha256 not in name:
                raise InvalidArgument(f"the backup is damaged: {name} isn't what its name says")
            for _ in self.pieces(name):
                pass

    def names(self, folder: str = "") -> list[str]:
        """Return the names of entries that begin with `folder`."""
        return [name for name in self.manifest.entries if name.startswith(folder)]

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield an entry's content; never more than the manifest says.

        :raises InvalidArgument: at the end, if it isn't what the manifest says.
        """
        expected = self.manifest.entries[name]
        sums, size = hashlib.sha256(), 0
        with self._zip.open(name) as entry:
            while piece := entry.read(PIECE):
                size += len(piece)
                if size > expected.size:
                    break
                sums.update(piece)
                yield piece
        if size != expected.size or sums.hexdigest() != expected.sha256:
            raise InvalidArgument(f"the backup is damaged: {name} isn't what was stored")

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield an entry's lines."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

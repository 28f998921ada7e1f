"""One file that holds a site: configuration, database, keys, and pictures where they are wanted.

The database is read in one snapshot, so the site may run and go on writing. Only the owner may read the file: it holds
the keys. Secrets that the configuration names in other files or in variables are not part of it.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

import gatekeeper
from gatekeeper.errors import ConfigurationError, InvalidArgument
from gatekeeper.storage import archive, logical
from gatekeeper.storage.backend import Backend
from gatekeeper.storage.connect import backend_of, named
from gatekeeper.storage.files import Replacing
from gatekeeper.storage.migrate import head, revision
from gatekeeper.storage.tables import meta, metadata
from gatekeeper.storage.tables import pictures as pictures_table
from gatekeeper.storage.tables import snapshots as snapshots_table

FOLDERS = ("keys", "tls")
"""Folders of the data folder whose files are part of a backup."""

CONFIGURATION = "configuration.toml"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A backup.

    :ivar size: bytes of the file.
    :ivar missing: pictures that the database knows and whose files weren't there.
    """

    path: str
    size: int
    pictures: int
    missing: int


def backup(
    url: str,
    data: Path,
    configuration: Path | None,
    target: Path,
    *,
    pictures: bool = False,
    wall: Callable[[], float] = time.time,
) -> Written:
    """Write a site into one file. Blocks.

    :param configuration: the configuration file, if there is one.
    :param target: appears whole, or not at all; a file of that name is replaced.
    :raises StorageUnavailable: if the database can't be had.
    :raises InvalidArgument: if a file can't be read or written.
    :raises ConfigurationError: if another version of gatekeeper's database is there.
    """
    backend = backend_of(url)
    try:
        with Replacing(target) as output, archive.Writer(output.file) as writer:
            for name, file in _files(data, configuration):
                writer.add(name, [file.read_bytes()])
            site, missing = _tables(backend, writer, data, pictures)
            writer.finish(
                archive.Manifest(
                    format=archive.FORMAT,
                    program=gatekeeper.__version__,
                    time=wall(),
                    site=site,
                    revision=head(),
                    entries=writer.entries,
                    missing=missing,
                )
            )
    except OSError as error:
        raise InvalidArgument(f"{error.filename or target}: {error.strerror or error}") from error
    stored = sum(1 for name in writer.entries if name.startswith(archive.PICTURES))
    return Written(path=str(target), size=target.stat().st_size, pictures=stored, missing=missing)


def _tables(backend: Backend, writer: archive.Writer, data: Path, pictures: bool) -> tuple[str, int]:
    """Write every table, and the pictures that one of them names; return the site's id and how many weren't there."""
    engine = backend.reader(patient=True)
    try:
        with engine.connect() as connection, connection.begin():
            found = revision(connection)
            if found != head():
                raise ConfigurationError(f"{backend.name}: has revision {found}, not {head()}: start gatekeeper once")
            for table in metadata.sorted_tables:
                writer.add(f"database/{table.name}.jsonl", logical.dump(connection, table))
            missing = _pictures(writer, data, connection) if pictures else 0
            return connection.scalar(select(meta.c.value).where(meta.c.key == "site")) or "", missing
    except OSError:
        raise  # a file's, not the database's
    except Exception as error:
        raise named(backend, error) from error
    finally:
        engine.dispose()


def _pictures(writer: archive.Writer, data: Path, connection: Connection) -> int:
    missing = 0
    for name in _names(connection):
        try:
            content = (data / name).read_bytes()
        except FileNotFoundError:
            missing += 1  # retention erased it since the snapshot, or it was lost: either way it isn't there
        else:
            writer.add(name, [content], pack=False)
    return missing


def _names(connection: Connection) -> Iterator[str]:
    """Give the files of all pictures, those of events and those that are kept by themselves."""
    column = pictures_table.c.sha256
    known = select(column).where(~pictures_table.c.erased).distinct().order_by(column)
    for digest in connection.scalars(known).all():
        yield f"pictures/{digest.hex()[:2]}/{digest.hex()}.jpg"
    columns = snapshots_table.c
    kept = select(columns.day, columns.camera, columns.id).where(~columns.gone).order_by(columns.id)
    for day, camera, id_ in connection.execute(kept).all():
        yield f"snapshots/{day}/{camera}/{id_}.jpg"


def _files(data: Path, configuration: Path | None) -> Iterator[tuple[str, Path]]:
    if configuration is not None and configuration.exists():
        yield CONFIGURATION, configuration
    for folder in FOLDERS:
        for file in sorted((data / folder).glob("*")):
            name = f"{folder}/{file.name}"
            if file.is_file() and archive.NAMES.fullmatch(name):
                yield name, file

"""A site back from one file, while it runs.

The whole file is checked before anything is touched; the state that is replaced is kept as another backup; and all rows
are replaced in one transaction. What a running site reads next is the restored state, and what it can't write meanwhile
is refused to whoever asked, as with any locked database. Keys, certificates and the configuration are read at a start
only, so a site whose were replaced must be restarted (`Restored.restart`). A restore that is killed is run again.

Nobody stays logged in over a restore, since log-ins that were ended after the backup would be alive again, and one-time
links are void. API keys that were revoked since are alive again: look through them.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from gatekeeper.errors import ConfigurationError, InvalidArgument
from gatekeeper.storage import archive, logical
from gatekeeper.storage.appender import RESTORED
from gatekeeper.storage.backend import Backend, Ruined
from gatekeeper.storage.backup import CONFIGURATION, backup
from gatekeeper.storage.connect import backend_of, named, prepare
from gatekeeper.storage.files import Placed, made
from gatekeeper.storage.migrate import MIGRATIONS
from gatekeeper.storage.tables import links, logins, meta


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did.

    :ivar time: when the backup was made, Unix seconds.
    :ivar rows: by table.
    :ivar pictures: files that were missing and are there again.
    :ivar restart: what changed and a running site reads at its start only: keys, certificates, the configuration.
    :ivar aside: the backup of the state before.
    """

    time: float
    rows: dict[str, int]
    pictures: int
    restart: tuple[str, ...]
    aside: str


def restore(
    source: Path,
    url: str,
    data: Path,
    configuration: Path | None,
    *,
    wall: Callable[[], float] = time.time,
    scripts: Path = MIGRATIONS,
) -> Restored:
    """Bring a site back to what a backup holds. Blocks; the site may run.

    :param configuration: where the configuration file belongs; None to leave it out.
    :raises InvalidArgument: if the file is no backup, is damaged, or can't be read; nothing was changed.
    :raises StorageUnavailable: if the database can't be had; nothing was changed.
    :raises ConfigurationError: if the database isn't ours, or the backup is from a newer gatekeeper.
    """
    backend = backend_of(url)
    now = wall()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + secrets.token_hex(2)
    before = data / "backups" / f"before-restore-{stamp}"
    aside = before.with_suffix(".zip")
    rows: dict[str, int] = {}
    try:
        with open(source, "rb") as file, tempfile.TemporaryDirectory(dir=made(data), prefix=".restore-") as folder:
            reader = archive.Reader(file)
            moves = _staged(reader, Path(folder), data, configuration)

            def replace(lines: logical.Lines) -> None:
                _make_usable(backend, before)
                made(aside.parent)
                backup(url, data, configuration, aside, wall=lambda: now)
                with Placed([(file, target) for _, file, target in moves]) as files:
                    rows.update(_replace(backend, lines, now))
                    files.keep()

            logical.upgraded(reader.manifest.revision, _tables_of(reader), replace, scripts=scripts)
    except OSError as error:
        raise InvalidArgument(f"{error.filename or source}: {error.strerror or error}") from error
    names = [name for name, _, _ in moves]
    kept = [name for name in names if not name.startswith(archive.PICTURES)]
    return Restored(
        time=reader.manifest.time,
        rows=rows,
        pictures=len(names) - len(kept),
        restart=tuple(kept),
        aside=str(aside),
    )


def _tables_of(reader: archive.Reader) -> logical.Lines:
    there = set(reader.names("database/"))

    def lines(table: str) -> Iterable[bytes]:
        name = f"database/{table}.jsonl"
        return reader.lines(name) if name in there else ()

    return lines


def _staged(
    reader: archive.Reader, folder: Path, data: Path, configuration: Path | None
) -> list[tuple[str, Path, Path]]:
    """Write the files that differ from what is there into a folder, synced; return names, files, and where to."""
    moves = []
    for number, name in enumerate(reader.names()):
        target = configuration if name == CONFIGURATION else data / name
        if target is None or name.startswith("database/"):
            continue
        if name.startswith(archive.PICTURES) and target.exists():
            continue  # its name is the hash of its content, or an id that nothing else ever has
        file = folder / str(number)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            for piece in reader.pieces(name):
                output.write(piece)
            output.flush()
            os.fsync(output.fileno())
        if not (target.exists() and target.read_bytes() == file.read_bytes()):
            moves.append((name, file, target))
    return moves


def _make_usable(backend: Backend, before: Path) -> None:
    """Make the database ready; one that can't be used any more is moved aside where it is a file."""
    try:
        prepare(backend)
    except ConfigurationError as error:
        # One that is only locked, or whose server is away, is not ours to move.
        if not isinstance(error.__cause__, Ruined) or not backend.set_aside(before):
            raise
        prepare(backend)


def _replace(backend: Backend, lines: logical.Lines, now: float) -> dict[str, int]:
    engine = backend.writer(patient=True)
    try:
        with engine.begin() as connection:
            before = _revision_of_accounts(connection)
            counts = logical.load(connection, lines)
            after = max(before, _revision_of_accounts(connection)) + 1
            connection.execute(meta.update().where(meta.c.key == "accounts_revision").values(value=str(after)))
            connection.execute(meta.delete().where(meta.c.key == RESTORED))
            connection.execute(meta.insert().values(key=RESTORED, value=secrets.token_hex(8)))
            connection.execute(logins.update().where(logins.c.ended.is_(None)).values(ended=now))
            connection.execute(links.delete())
            backend.numbered(connection)
            return counts
    except OSError:
        raise  # a file's, not the database's
    except Exception as error:
        raise named(backend, error) from error
    finally:
        engine.dispose()


def _revision_of_accounts(connection: Connection) -> int:
    value = connection.scalar(select(meta.c.value).where(meta.c.key == "accounts_revision"))
    return int(value) if value and value.isdigit() else 0
